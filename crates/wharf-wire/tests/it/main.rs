//! Tests of the codecs together, from outside.
#![expect(
    clippy::cast_possible_truncation,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests and fuzz targets stop at the first surprise, and their inputs are small"
)]

mod corpus;
#[path = "../../../../fuzz/src/targets.rs"]
mod targets;
