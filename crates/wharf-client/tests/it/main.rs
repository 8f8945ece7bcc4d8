//! The client against a whole server, over sockets.

#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

mod api;
mod chat;
mod conflict;
mod fixture;
mod get;
mod net;
mod put;
mod stream;
mod tamper;
mod task;
mod tree;
