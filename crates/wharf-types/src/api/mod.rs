//! Bodies of the HTTP API under `/api/v1`, as both ends read and write them.

pub mod account;
pub mod drive;
pub mod job;
pub mod problem;
pub mod transfer;

/// The path that every route of the API starts with.
pub const PREFIX: &str = "/api/v1";
