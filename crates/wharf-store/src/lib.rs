//! The ground: the only crate that touches a disk or a database.

pub mod blob;
#[allow(
    warnings,
    clippy::all,
    clippy::pedantic,
    reason = "signatures first, bodies follow within the hour"
)]
pub mod chunk;
pub mod sql;
