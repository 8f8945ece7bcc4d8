//! wharf-store

pub mod sql;
