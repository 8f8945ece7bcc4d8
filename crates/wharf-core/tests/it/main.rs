//! The house on its ground: every scenario on SQLite and on PostgreSQL.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at its first surprise"
)]
#![expect(
    clippy::cognitive_complexity,
    clippy::too_many_lines,
    reason = "a test tells its story from the beginning to the end"
)]

mod access;
mod accounts;
mod adversary;
mod desk;
mod diary;
mod drive;
mod hook;
mod job;
mod journal;
mod log;
mod operations;
mod people;
mod portage;
mod push;
mod search;
mod support;
mod transfer;
