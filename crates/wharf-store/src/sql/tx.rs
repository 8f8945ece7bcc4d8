//! A transaction under way and the rows it reads.

use rusqlite::types::ValueRef;

use super::error::{Error, Result};
use super::value::{Stored, Value};

/// A transaction. The first error of a statement ends it: every further statement is [`Error::Poisoned`], and nothing of
/// it is kept, whatever the work answers. So an operation that can meet a key that is taken says `ON CONFLICT`.
pub struct Tx<'a> {
    session: &'a mut (dyn Session + 'a),
    failure: Option<Error>,
}

/// One row of an answer. Columns are counted from 0.
pub struct Row<'a>(Source<'a>);

/// Text of a statement, and whether it is worth keeping prepared.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sql<'a> {
    /// A constant of the program; there are some hundreds.
    Kept(&'static str),
    /// Made for the occasion, such as a copy of a table.
    Once(&'a str),
}

/// A connection inside a transaction: what the engines do differently.
pub(super) trait Session {
    /// Runs a statement without rows and returns how many it changed.
    fn exec(&mut self, sql: Sql<'_>, args: &[Value<'_>]) -> Result<u64>;

    /// Calls `take` with every row, unless it fails.
    fn each(
        &mut self,
        sql: Sql<'_>,
        args: &[Value<'_>],
        take: &mut dyn FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()>;

    /// Runs several statements that take nothing and give nothing.
    fn batch(&mut self, sql: &str) -> Result<()>;
}

/// Where a statement's text is in memory: what prepared statements are found by, cheaper than the text.
pub(super) type Place = (usize, usize);

enum Source<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a postgres::Row),
}

impl<'a> Tx<'a> {
    pub(super) fn new(session: &'a mut (dyn Session + 'a)) -> Self {
        Self {
            session,
            failure: None,
        }
    }

    /// The error that ended the transaction, whatever the work made of it.
    pub(super) fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }

    /// Runs a statement that gives no rows and returns how many rows it changed.
    pub fn exec(&mut self, sql: &'static str, args: &[Value<'_>]) -> Result<u64> {
        self.exec_sql(Sql::Kept(sql), args)
    }

    /// Calls `take` with each row in turn; only one row is in memory at a time. Every row is read unless `take` fails.
    pub fn each(
        &mut self,
        sql: &'static str,
        args: &[Value<'_>],
        take: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        self.each_sql(Sql::Kept(sql), args, take)
    }

    /// Collects what `make` makes of each row.
    pub fn all<T>(
        &mut self,
        sql: &'static str,
        args: &[Value<'_>],
        mut make: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut made = Vec::new();
        self.each(sql, args, |row| {
            made.push(make(row)?);
            Ok(())
        })?;
        Ok(made)
    }

    /// Reads the one row there is, or none.
    ///
    /// # Errors
    /// `Ambiguous` if there are more.
    pub fn opt<T>(
        &mut self,
        sql: &'static str,
        args: &[Value<'_>],
        mut make: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut made = None;
        self.each(sql, args, |row| {
            if made.is_some() {
                return Err(Error::Ambiguous);
            }
            made = Some(make(row)?);
            Ok(())
        })?;
        Ok(made)
    }

    /// Reads the one row there must be.
    ///
    /// # Errors
    /// `Missing` if there is none, which does not end the transaction; `Ambiguous` if there are more.
    pub fn one<T>(
        &mut self,
        sql: &'static str,
        args: &[Value<'_>],
        make: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<T> {
        self.opt(sql, args, make)?.ok_or(Error::Missing)
    }

    pub(super) fn exec_sql(&mut self, sql: Sql<'_>, args: &[Value<'_>]) -> Result<u64> {
        self.guard(|session| session.exec(sql, args))
    }

    pub(super) fn each_sql(
        &mut self,
        sql: Sql<'_>,
        args: &[Value<'_>],
        mut take: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        self.guard(|session| session.each(sql, args, &mut take))
    }

    pub(super) fn batch(&mut self, sql: &str) -> Result<()> {
        self.guard(|session| session.batch(sql))
    }

    fn guard<T>(&mut self, run: impl FnOnce(&mut dyn Session) -> Result<T>) -> Result<T> {
        if self.failure.is_some() {
            return Err(Error::Poisoned);
        }
        run(self.session).inspect_err(|error| self.failure = Some(error.clone()))
    }
}

impl<'a> Row<'a> {
    pub(super) fn of_sqlite(row: &'a rusqlite::Row<'a>) -> Self {
        Self(Source::Sqlite(row))
    }

    pub(super) fn of_postgres(row: &'a postgres::Row) -> Self {
        Self(Source::Postgres(row))
    }

    /// An integer.
    pub fn int(&self, column: usize) -> Result<i64> {
        self.opt_int(column)?.ok_or_else(|| unexpected_null(column))
    }

    /// A number that is never negative.
    pub fn uint(&self, column: usize) -> Result<u64> {
        self.opt_uint(column)?
            .ok_or_else(|| unexpected_null(column))
    }

    /// A boolean, stored as 0 or 1.
    pub fn flag(&self, column: usize) -> Result<bool> {
        Ok(self.int(column)? != 0)
    }

    /// A text.
    pub fn text(&self, column: usize) -> Result<&str> {
        self.opt_text(column)?
            .ok_or_else(|| unexpected_null(column))
    }

    /// Bytes.
    pub fn bytes(&self, column: usize) -> Result<&[u8]> {
        self.opt_bytes(column)?
            .ok_or_else(|| unexpected_null(column))
    }

    /// An id or a hash.
    pub fn id<T: Stored>(&self, column: usize) -> Result<T> {
        self.opt_id(column)?.ok_or_else(|| unexpected_null(column))
    }

    /// An integer, or NULL.
    pub fn opt_int(&self, column: usize) -> Result<Option<i64>> {
        match &self.0 {
            Source::Sqlite(row) => match row.get_ref(column).map_err(Error::other)? {
                ValueRef::Integer(value) => Ok(Some(value)),
                ValueRef::Null => Ok(None),
                other => Err(unexpected(column, "an integer", other.data_type())),
            },
            Source::Postgres(row) => super::postgres::opt_int(row, column),
        }
    }

    /// A number that is never negative, or NULL.
    pub fn opt_uint(&self, column: usize) -> Result<Option<u64>> {
        let Some(value) = self.opt_int(column)? else {
            return Ok(None);
        };
        u64::try_from(value)
            .map(Some)
            .map_err(|_| Error::corrupt(format!("column {column} is negative: {value}")))
    }

    /// A text, or NULL.
    pub fn opt_text(&self, column: usize) -> Result<Option<&str>> {
        match &self.0 {
            Source::Sqlite(row) => match row.get_ref(column).map_err(Error::other)? {
                ValueRef::Text(text) => std::str::from_utf8(text)
                    .map(Some)
                    .map_err(|_| Error::corrupt(format!("column {column} is not UTF-8"))),
                ValueRef::Null => Ok(None),
                other => Err(unexpected(column, "text", other.data_type())),
            },
            Source::Postgres(row) => row.try_get(column).map_err(Error::other),
        }
    }

    /// Bytes, or NULL.
    pub fn opt_bytes(&self, column: usize) -> Result<Option<&[u8]>> {
        match &self.0 {
            Source::Sqlite(row) => match row.get_ref(column).map_err(Error::other)? {
                ValueRef::Blob(bytes) => Ok(Some(bytes)),
                ValueRef::Null => Ok(None),
                other => Err(unexpected(column, "bytes", other.data_type())),
            },
            Source::Postgres(row) => row.try_get(column).map_err(Error::other),
        }
    }

    /// An id or a hash, or NULL.
    pub fn opt_id<T: Stored>(&self, column: usize) -> Result<Option<T>> {
        let Some(bytes) = self.opt_bytes(column)? else {
            return Ok(None);
        };
        T::from_stored(bytes).map(Some).ok_or_else(|| {
            Error::corrupt(format!(
                "column {column} has {} bytes, which is not an id",
                bytes.len()
            ))
        })
    }
}

/// The place of a constant. The same text in another place is another statement, which costs no more than memory.
pub(super) fn place_of(sql: &'static str) -> Place {
    (sql.as_ptr().addr(), sql.len())
}

fn unexpected_null(column: usize) -> Error {
    Error::corrupt(format!("column {column} is NULL"))
}

fn unexpected(column: usize, wanted: &str, got: impl std::fmt::Display) -> Error {
    Error::corrupt(format!("column {column} is {got}, wanted {wanted}"))
}
