//! What can go wrong between a statement and the disk.

/// The result of everything in this module, unless it says otherwise.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A fact about a statement, a transaction or the whole database.
///
/// It can be cloned because one failed commit answers every job that shared it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A primary key or a unique index holds these values already.
    #[error("a row with this key exists")]
    Unique,
    /// A row that is referred to does not exist, or one that is referred to would be deleted.
    #[error("a foreign key does not hold")]
    ForeignKey,
    /// [`Tx::one`](super::Tx::one) found no row.
    #[error("there is no such row")]
    Missing,
    /// [`Tx::one`](super::Tx::one) or [`Tx::opt`](super::Tx::opt) found more than one row.
    #[error("there is more than one row")]
    Ambiguous,
    /// Another transaction was in the way each time. Nothing was written; trying again later may work.
    #[error("conflicts with another transaction")]
    Retry,
    /// The disk, or the bound on the database's size, is full. Nothing was written; the database goes on.
    #[error("the database's disk is full")]
    Full,
    /// An earlier error ended this transaction, or the work said `Ok` in spite of one. Nothing was written.
    #[error("an earlier statement of this transaction failed")]
    Poisoned,
    /// The connection broke during the commit: it may or may not have been applied.
    #[error("the connection broke during the commit, its outcome is unknown")]
    Uncertain,
    /// The database server cannot be reached. Nothing was written; trying again later may work.
    #[error("the database server cannot be reached: {0}")]
    Unavailable(Box<str>),
    /// The disk failed under a commit, so what it holds is unknown: nothing is accepted until a restart.
    #[error("the database's disk has failed, restart the server when it is mended: {0}")]
    Failed(Box<str>),
    /// A read failed on the disk. (A write that fails so is `Failed`.)
    #[error("the database cannot be read: {0}")]
    Io(Box<str>),
    /// The database was closed.
    #[error("the database is closed")]
    Closed,
    /// The work panicked. Nothing was written.
    #[error("the work panicked: {0}")]
    Panicked(Box<str>),
    /// The database's file is damaged, or a stored value is not what its column holds.
    #[error("the database is damaged: {0}")]
    Corrupt(Box<str>),
    /// The database and this program do not fit each other.
    #[error("cannot migrate the database: {0}")]
    Migration(Box<str>),
    /// A fault of the statement, or anything that none of the others names.
    #[error("database: {0}")]
    Other(Box<str>),
}

impl Error {
    /// A stored value that cannot be what it should be.
    pub fn corrupt(what: impl Into<Box<str>>) -> Self {
        Self::Corrupt(what.into())
    }

    pub(super) fn other(what: impl std::fmt::Display) -> Self {
        Self::Other(what.to_string().into())
    }
}
