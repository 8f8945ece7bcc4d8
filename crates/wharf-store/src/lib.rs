//! The ground: the only crate that touches a disk or a database.

pub mod blob;
pub mod bus;
pub mod chunk;
pub mod search;
pub mod sql;
