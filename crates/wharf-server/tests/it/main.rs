//! The server as its clients meet it, on both databases.

#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

mod accounts;
mod door;
mod openapi;
