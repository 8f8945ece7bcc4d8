//! One set of queries over SQLite and PostgreSQL.
//!
//! SQL is written once, as `&'static str`, in the subset that both engines understand alike; what differs between them is
//! in this module alone. The rules of the subset:
//!
//! - Markers are `?1`, `?2`, …, and may repeat; a `?` stands nowhere else. PostgreSQL gets them as `$1`, `$2`, ….
//! - Values are integers, text and bytes, and a NULL keeps its type. Times are milliseconds since the epoch, booleans 0 and 1.
//! - `INSERT … ON CONFLICT … DO …`, never `INSERT OR …`; `INSERT … SELECT … WHERE true ON CONFLICT …`.
//! - `CAST(sum(x) AS BIGINT)`; `CASE` instead of `max(a, b)` and `greatest`; no `LIKE`: a prefix is a range.
//! - No branch on the name of a constraint: the operation knows which one it can meet.
//! - Lists come in pieces of at most 500 markers.
//!
//! Work is a synchronous closure over a [`Tx`], see [`Db::write`] and [`Db::read`]. It must not wait for anything but the
//! database: on SQLite everybody waits for it.

mod backup;
mod catalog;
mod copy;
mod db;
mod error;
mod job;
mod migrate;
mod postgres;
mod sqlite;
mod stats;
mod tx;
mod value;

pub(crate) use db::Source;

pub use catalog::{Column, Kind, Table};
pub use db::{Db, Engine, Lock, PostgresOptions, SqliteOptions};
pub use error::{Error, Result};
pub use migrate::{MIGRATIONS, Migration};
pub use stats::Stats;
pub use tx::{Row, Tx};
pub use value::{Stored, Value};
