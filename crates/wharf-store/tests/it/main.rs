//! Integration tests of the ground, on both engines and on every form of the blob store.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

mod blob;
mod chunk;
mod search;
mod sql;
