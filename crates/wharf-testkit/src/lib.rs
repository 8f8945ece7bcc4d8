//! wharf-testkit

pub mod db;
pub mod interpose;
