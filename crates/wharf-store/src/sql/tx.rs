//! A transaction under way and the rows it reads.

use std::marker::PhantomData;

use super::error::Result;
use super::value::{Stored, Value};

/// A transaction. The first error of a statement ends it: every further statement is [`Error::Poisoned`], and nothing of
/// it is kept, whatever the work answers. So an operation that can meet a key that is taken says `ON CONFLICT`.
///
/// [`Error::Poisoned`]: super::Error::Poisoned
pub struct Tx<'a> {
    engine: PhantomData<&'a mut ()>,
}

impl Tx<'_> {
    /// Runs a statement that gives no rows and returns how many rows it changed.
    pub fn exec(&mut self, sql: &'static str, args: &[Value<'_>]) -> Result<u64> {
        todo!("{sql} {args:?}")
    }

    /// Calls `take` with each row in turn; only one row is in memory at a time. Every row is read unless `take` fails.
    pub fn each(
        &mut self,
        sql: &'static str,
        args: &[Value<'_>],
        take: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        todo!("{sql} {args:?} {}", std::mem::size_of_val(&take))
    }

    /// Collects what `make` makes of each row.
    pub fn all<T>(
        &mut self,
        sql: &'static str,
        args: &[Value<'_>],
        make: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        todo!("{sql} {args:?} {}", std::mem::size_of_val(&make))
    }

    /// Reads the one row there is, or none.
    ///
    /// # Errors
    /// `Ambiguous` if there are more.
    pub fn opt<T>(
        &mut self,
        sql: &'static str,
        args: &[Value<'_>],
        make: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        todo!("{sql} {args:?} {}", std::mem::size_of_val(&make))
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
        todo!("{sql} {args:?} {}", std::mem::size_of_val(&make))
    }
}

/// One row of an answer. Columns are counted from 0.
pub struct Row<'a> {
    engine: PhantomData<&'a ()>,
}

impl Row<'_> {
    /// An integer.
    pub fn int(&self, column: usize) -> Result<i64> {
        todo!("{column}")
    }

    /// A number that is never negative.
    pub fn uint(&self, column: usize) -> Result<u64> {
        todo!("{column}")
    }

    /// A boolean, stored as 0 or 1.
    pub fn flag(&self, column: usize) -> Result<bool> {
        todo!("{column}")
    }

    /// A text.
    pub fn text(&self, column: usize) -> Result<&str> {
        todo!("{column}")
    }

    /// Bytes.
    pub fn bytes(&self, column: usize) -> Result<&[u8]> {
        todo!("{column}")
    }

    /// An id or a hash.
    pub fn id<T: Stored>(&self, column: usize) -> Result<T> {
        todo!("{column}")
    }

    /// An integer, or NULL.
    pub fn opt_int(&self, column: usize) -> Result<Option<i64>> {
        todo!("{column}")
    }

    /// A number that is never negative, or NULL.
    pub fn opt_uint(&self, column: usize) -> Result<Option<u64>> {
        todo!("{column}")
    }

    /// A text, or NULL.
    pub fn opt_text(&self, column: usize) -> Result<Option<&str>> {
        todo!("{column}")
    }

    /// Bytes, or NULL.
    pub fn opt_bytes(&self, column: usize) -> Result<Option<&[u8]>> {
        todo!("{column}")
    }

    /// An id or a hash, or NULL.
    pub fn opt_id<T: Stored>(&self, column: usize) -> Result<Option<T>> {
        todo!("{column}")
    }
}
