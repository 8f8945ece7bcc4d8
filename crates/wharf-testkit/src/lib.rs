//! wharf-testkit

pub mod db;
