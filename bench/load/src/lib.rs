//! What the load generators share: connections to parse from, and times summed up.

pub mod sum;
pub mod wire;
