//! Support for the tests of every other crate.

#![expect(clippy::expect_used, reason = "a test stops at the first surprise")]

pub mod db;
pub mod interpose;
pub mod postgres;
