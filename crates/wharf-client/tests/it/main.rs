//! The client against a whole server, over sockets.

#![expect(
    clippy::unwrap_used,
    dead_code,
    reason = "tests stop at the first surprise"
)]

mod fixture;
mod tree;
