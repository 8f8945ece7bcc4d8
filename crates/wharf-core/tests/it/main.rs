//! The house on its ground: every scenario on SQLite and on PostgreSQL.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at its first surprise"
)]

mod access;
mod accounts;
mod adversary;
mod desk;
mod diary;
mod drive;
mod hook;
mod job;
mod log;
mod operations;
mod people;
mod portage;
mod search;
mod support;
mod transfer;
