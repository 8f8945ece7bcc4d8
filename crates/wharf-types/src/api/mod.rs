//! Bodies of the HTTP API under `/api/v1`, as both ends read and write them.

pub mod account;
pub mod app_password;
pub mod contact;
pub mod diary;
pub mod drive;
pub mod hook;
pub mod job;
pub mod journal;
pub mod live;
pub mod log;
pub mod portage;
pub mod problem;
pub mod push;
pub mod room;
pub mod search;
pub mod storage;
pub mod transfer;

/// The path that every route of the API starts with.
pub const PREFIX: &str = "/api/v1";
