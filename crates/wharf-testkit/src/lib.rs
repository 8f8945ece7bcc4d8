#![expect(clippy::expect_used, reason = "a test stops at the first surprise")]
//! wharf-testkit

pub mod db;
pub mod interpose;
