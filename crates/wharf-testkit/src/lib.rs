//! Support for the tests of every other crate.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

pub mod blob;
pub mod db;
pub mod disk;
#[cfg(feature = "server")]
pub mod gateway;
pub mod interpose;
pub mod postgres;
pub mod program;
pub mod proxy;
#[cfg(feature = "server")]
pub mod push;
#[cfg(feature = "server")]
pub mod server;
