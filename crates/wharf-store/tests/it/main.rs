//! Integration tests of the ground, on both engines and on every form of the blob store.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod blob;
mod chunk;
mod sql;
