//! One connection to the file and the statements it keeps prepared.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{ErrorCode, OpenFlags, Statement, ffi};

use crate::sql::error::{Error, Result};
use crate::sql::tx::{Place, Row, Session, Sql, place_of};
use crate::sql::value::Value;

/// The writer keeps the inner pages of every tree in memory; readers leave most to the system's cache.
const WRITER_CACHE_KIB: i64 = 32 * 1024;
const READER_CACHE_KIB: i64 = 4 * 1024;
/// Another process, such as an operator's command, may hold the write lock for this long.
const BUSY_WAIT_MS: i64 = 10_000;
/// The log is cut to this when it starts anew.
const WAL_BYTES_KEPT: i64 = 64 * 1024 * 1024;
/// Kept statements; the program has some hundreds.
const STATEMENTS_MAX: usize = 1024;
/// Arguments above this are let go after the statement, not when it next runs.
const ARGUMENT_BYTES_KEPT: usize = 64 * 1024;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sql) enum Access {
    /// Makes the file if it is not there.
    Write,
    /// Refuses to write.
    Read,
}

/// A connection and its prepared statements, found by the address of their text.
pub(super) struct Connection<'c> {
    raw: &'c rusqlite::Connection,
    statements: HashMap<Place, Statement<'c>>,
    statement_count: u64,
    change_count: u64,
}

/// Opens the file with the settings that durability and the bounds on memory ask for.
pub(in crate::sql) fn open(path: &Path, access: Access) -> Result<rusqlite::Connection> {
    let (flags, cache_kib) = match access {
        Access::Write => (
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
            WRITER_CACHE_KIB,
        ),
        Access::Read => (OpenFlags::SQLITE_OPEN_READ_ONLY, READER_CACHE_KIB),
    };
    // A connection belongs to one thread, so SQLite need not lock it.
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || -> rusqlite::Result<(rusqlite::Connection, String)> {
        let raw = rusqlite::Connection::open_with_flags(path, flags)?;
        raw.pragma_update(None, "busy_timeout", BUSY_WAIT_MS)?;
        let journal = match access {
            Access::Write => raw.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?,
            Access::Read => raw.query_row("PRAGMA journal_mode", [], |row| row.get(0))?,
        };
        raw.pragma_update(None, "synchronous", "FULL")?;
        raw.pragma_update(None, "foreign_keys", true)?;
        raw.pragma_update(None, "trusted_schema", false)?;
        raw.pragma_update(None, "temp_store", "MEMORY")?;
        raw.pragma_update(None, "cache_size", -cache_kib)?;
        raw.pragma_update(None, "wal_autocheckpoint", 0)?;
        raw.pragma_update(None, "journal_size_limit", WAL_BYTES_KEPT)?;
        Ok((raw, journal))
    };
    let (raw, journal) = open().map_err(|error| {
        // The path helps whoever reads the log.
        match error_of(error) {
            Error::Other(text) => Error::other(format_args!("{}: {text}", path.display())),
            error => error,
        }
    })?;
    if journal != "wal" {
        return Err(Error::other(format_args!(
            "the file system cannot hold a write-ahead log: journal mode {journal}"
        )));
    }
    Ok(raw)
}

impl<'c> Connection<'c> {
    pub(super) fn new(raw: &'c rusqlite::Connection) -> Self {
        Self {
            raw,
            statements: HashMap::new(),
            statement_count: 0,
            change_count: 0,
        }
    }

    /// How many statements it has run.
    pub(super) fn statement_count(&self) -> u64 {
        self.statement_count
    }

    /// How many statements it has run that may have changed something.
    pub(super) fn change_count(&self) -> u64 {
        self.change_count
    }

    /// Runs a statement of the transaction itself.
    pub(super) fn control(&mut self, sql: &'static str) -> Result<()> {
        self.kept(sql)?.raw_execute().map_err(error_of)?;
        Ok(())
    }

    /// Whether no transaction is open, perhaps because SQLite itself ended it.
    pub(super) fn is_idle(&self) -> bool {
        self.raw.is_autocommit()
    }

    /// Gives back what memory it can.
    pub(super) fn shrink(&self) {
        // Worth nothing more than a try.
        drop(self.raw.execute_batch("PRAGMA shrink_memory"));
    }

    /// Moves what it can of the log into the file, and says whether that was all of it.
    pub(super) fn checkpoint(&self) -> Result<bool> {
        checkpoint(self.raw)
    }

    fn kept(&mut self, sql: &'static str) -> Result<&mut Statement<'c>> {
        if self.statements.len() >= STATEMENTS_MAX {
            self.statements.clear();
        }
        match self.statements.entry(place_of(sql)) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => Ok(entry.insert(self.raw.prepare(sql).map_err(error_of)?)),
        }
    }

    fn with<T>(
        &mut self,
        sql: Sql<'_>,
        args: &[Value<'_>],
        run: impl FnOnce(&mut Statement<'c>) -> Result<T>,
    ) -> Result<T> {
        self.statement_count += 1;
        match sql {
            Sql::Kept(sql) => {
                let statement = self.kept(sql)?;
                let bytes = bind(statement, args)?;
                let is_change = !statement.readonly();
                let result = run(statement);
                if bytes > ARGUMENT_BYTES_KEPT {
                    statement.clear_bindings();
                }
                self.change_count += u64::from(is_change);
                result
            }
            Sql::Once(sql) => {
                let mut statement = self.raw.prepare(sql).map_err(error_of)?;
                bind(&mut statement, args)?;
                self.change_count += u64::from(!statement.readonly());
                run(&mut statement)
            }
        }
    }
}

impl Session for Connection<'_> {
    fn exec(&mut self, sql: Sql<'_>, args: &[Value<'_>]) -> Result<u64> {
        self.with(sql, args, |statement| {
            Ok(statement.raw_execute().map_err(error_of)? as u64)
        })
    }

    fn each(
        &mut self,
        sql: Sql<'_>,
        args: &[Value<'_>],
        take: &mut dyn FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        self.with(sql, args, |statement| {
            let mut rows = statement.raw_query();
            while let Some(row) = rows.next().map_err(error_of)? {
                take(&Row::of_sqlite(row))?;
            }
            Ok(())
        })
    }

    fn batch(&mut self, sql: &str) -> Result<()> {
        self.change_count += 1;
        self.raw.execute_batch(sql).map_err(error_of)
    }
}

/// Moves what it can of the log into the file, without waiting for anybody, and says whether that was all of it.
pub(super) fn checkpoint(raw: &rusqlite::Connection) -> Result<bool> {
    raw.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
        let (is_busy, pages, moved): (bool, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(!is_busy && pages == moved)
    })
    .map_err(error_of)
}

/// What an error of SQLite's means here.
pub(in crate::sql) fn error_of(error: rusqlite::Error) -> Error {
    let Some(code) = error.sqlite_error() else {
        return Error::other(error);
    };
    match (code.code, code.extended_code) {
        (_, ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_UNIQUE) => Error::Unique,
        (_, ffi::SQLITE_CONSTRAINT_FOREIGNKEY) => Error::ForeignKey,
        (ErrorCode::DiskFull, _) => Error::Full,
        (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => Error::Retry,
        (ErrorCode::SystemIoFailure, extended) => {
            // Which call failed is only in the number.
            Error::Io(format!("{error}, code {extended}").into())
        }
        (ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase, _) => {
            Error::corrupt(error.to_string())
        }
        _ => Error::other(error),
    }
}

/// Binds all arguments and returns how many bytes were copied.
fn bind(statement: &mut Statement<'_>, args: &[Value<'_>]) -> Result<usize> {
    if statement.parameter_count() != args.len() {
        return Err(Error::other(format_args!(
            "{} arguments for {} markers",
            args.len(),
            statement.parameter_count()
        )));
    }
    let mut bytes = 0;
    for (index, arg) in args.iter().enumerate() {
        let value = match arg {
            Value::Int(value) => ValueRef::Integer(*value),
            Value::Uint(value) => ValueRef::Integer(signed(*value)?),
            // PostgreSQL refuses it, so nothing may come to rely on it.
            Value::Text(text) if text.contains('\0') => {
                return Err(Error::other("a text with a NUL character"));
            }
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
            Value::Id(id) => ValueRef::Blob(id),
            Value::NullInt | Value::NullText | Value::NullBytes => ValueRef::Null,
        };
        if let ValueRef::Text(copied) | ValueRef::Blob(copied) = value {
            bytes += copied.len();
        }
        statement
            .raw_bind_parameter(index + 1, ToSqlOutput::Borrowed(value))
            .map_err(error_of)?;
    }
    Ok(bytes)
}

fn signed(value: u64) -> Result<i64> {
    i64::try_from(value)
        .map_err(|_| Error::other(format_args!("{value} is too large for a column")))
}
