//! Brings a database to the schema of this program: numbered texts, each applied once and recorded with its hash.
//!
//! A text that was released is never edited, and there is no way back: a database made by a newer program is refused, and
//! so is one whose recorded hash differs, because nobody knows what its tables are.

use super::db::Engine;
use super::error::{Error, Result};
use super::tx::Tx;

/// One step of the schema. Steps are numbered from 1 by their place in the list.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// For messages, such as `0001_init`.
    pub name: &'static str,
    /// Statements, in which `{int}`, `{text}`, `{bytes}`, `{clustered}` and `{zero32}` stand for what each engine calls
    /// them.
    pub sql: &'static str,
}

/// The schema of this program.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        name: "0001_init",
        sql: include_str!("../../migrations/0001_init.sql"),
    },
    Migration {
        name: "0002_log",
        sql: include_str!("../../migrations/0002_log.sql"),
    },
    Migration {
        name: "0003_search",
        sql: include_str!("../../migrations/0003_search.sql"),
    },
    Migration {
        name: "0004_portage",
        sql: include_str!("../../migrations/0004_portage.sql"),
    },
    Migration {
        name: "0005_app_password",
        sql: include_str!("../../migrations/0005_app_password.sql"),
    },
    Migration {
        name: "0006_page",
        sql: include_str!("../../migrations/0006_page.sql"),
    },
    Migration {
        name: "0007_netdisk",
        sql: include_str!("../../migrations/0007_netdisk.sql"),
    },
    Migration {
        name: "0009_journal",
        sql: include_str!("../../migrations/0009_journal.sql"),
    },
    Migration {
        name: "0010_filestored",
        sql: include_str!("../../migrations/0010_filestored.sql"),
    },
    Migration {
        name: "0011_gateways",
        sql: include_str!("../../migrations/0011_gateways.sql"),
    },
    Migration {
        name: "0012_push",
        sql: include_str!("../../migrations/0012_push.sql"),
    },
    Migration {
        name: "0013_import",
        sql: include_str!("../../migrations/0013_import.sql"),
    },
];

/// The table that records the steps.
pub(super) const TABLE: &str = "migration";

/// Reads the recorded steps: number, name, hash.
pub(super) fn applied(tx: &mut Tx<'_>) -> Result<Vec<(i64, String, [u8; 32])>> {
    tx.all(
        "SELECT number, name, hash FROM migration ORDER BY number",
        &[],
        |row| Ok((row.int(0)?, row.text(1)?.to_owned(), row.id(2)?)),
    )
}

/// Applies the first step that is missing and returns whether there was one.
///
/// Each step is a transaction of its own, which must exclude every other migration.
pub(super) fn step(tx: &mut Tx<'_>, engine: Engine, migrations: &[Migration]) -> Result<bool> {
    tx.batch(&for_engine(
        "CREATE TABLE IF NOT EXISTS migration (
           number {int} NOT NULL PRIMARY KEY,
           name {text} NOT NULL,
           hash {bytes} NOT NULL
         ) {clustered};",
        engine,
    ))?;
    let applied_count = applied_count(tx, migrations)?;
    let Some(next) = migrations.get(applied_count) else {
        return Ok(false);
    };
    tx.batch(&for_engine(next.sql, engine))?;
    tx.exec(
        "INSERT INTO migration (number, name, hash) VALUES (?1, ?2, ?3)",
        &[
            (applied_count as u64 + 1).into(),
            next.name.into(),
            blake3::hash(next.sql.as_bytes()).as_bytes().into(),
        ],
    )?;
    Ok(true)
}

/// Fails unless exactly the steps of this program have been applied. Writes nothing.
pub(super) fn check(tx: &mut Tx<'_>, migrations: &[Migration]) -> Result<()> {
    let missing = applied_count(tx, migrations)?..migrations.len();
    match migrations.get(missing).and_then(<[_]>::first) {
        None => Ok(()),
        Some(step) => Err(refuse(format!(
            "it lacks step {}: start this version's server on it first",
            step.name
        ))),
    }
}

/// How many steps the database has; an error when they are not this program's.
fn applied_count(tx: &mut Tx<'_>, migrations: &[Migration]) -> Result<usize> {
    let applied = applied(tx)?;
    for (place, (number, name, hash)) in applied.iter().enumerate() {
        let known = migrations.get(place).ok_or_else(|| {
            refuse(format!(
                "it has step {name}, which is newer than this program"
            ))
        })?;
        if usize::try_from(*number) != Ok(place + 1) {
            return Err(refuse(format!(
                "step {} is missing before {name}",
                place + 1
            )));
        }
        if blake3::hash(known.sql.as_bytes()) != *hash {
            return Err(refuse(format!(
                "its step {name} is not the one of this program"
            )));
        }
    }
    Ok(applied.len())
}

fn refuse(why: String) -> Error {
    Error::Migration(why.into())
}

fn for_engine(sql: &str, engine: Engine) -> String {
    // Under another collation PostgreSQL would sort and page texts otherwise than SQLite. STRICT makes SQLite refuse a
    // text in a column of numbers, as PostgreSQL does.
    let [int, text, bytes, clustered, zero32] = match engine {
        Engine::Sqlite => [
            "INTEGER",
            "TEXT",
            "BLOB",
            "STRICT, WITHOUT ROWID",
            "zeroblob(32)",
        ],
        Engine::Postgres => [
            "BIGINT",
            "TEXT COLLATE \"C\"",
            "BYTEA",
            "",
            "decode(repeat('00', 32), 'hex')",
        ],
    };
    sql.replace("{int}", int)
        .replace("{text}", text)
        .replace("{bytes}", bytes)
        .replace("{clustered}", clustered)
        .replace("{zero32}", zero32)
}
