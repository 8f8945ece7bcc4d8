//! The handle that everything else holds.

use std::path::{Path, PathBuf};

use wharf_types::RoomId;

use super::error::{Error, Result};
use super::tx::Tx;

/// Which database is underneath.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// A file, in this process.
    Sqlite,
    /// A server.
    Postgres,
}

/// How to open a SQLite file.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// The file; made if it is not there. Its folder must exist.
    pub path: PathBuf,
    /// Threads that read, each with a connection of its own.
    pub readers: usize,
}

impl SqliteOptions {
    /// The options that suit a server.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            readers: 4,
        }
    }
}

/// How to reach a PostgreSQL database.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// As libpq takes it: `postgres://user@host/database` or `host=/socket/folder user=… dbname=…`.
    pub url: String,
    /// Threads that write, each with a connection of its own.
    pub writers: usize,
    /// Threads that read, each with a connection of its own.
    pub readers: usize,
}

impl PostgresOptions {
    /// The options that suit a server.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            writers: 8,
            readers: 8,
        }
    }
}

/// What a write excludes while it runs. On SQLite every write excludes every other.
///
/// On PostgreSQL writes under the same lock run one after another and see what the earlier one wrote. A write may rely on
/// what it read only of rows that its lock guards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lock {
    /// Nothing: each statement stands for itself.
    None,
    /// Accounts, settings and whatever belongs to no room. It does not exclude writes to rooms.
    Global,
    /// One room.
    Room(RoomId),
    /// Several rooms, in any order.
    Rooms(Vec<RoomId>),
}

/// Counters since the database was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Commits that succeeded.
    pub commits: u64,
    /// Writes that a commit made durable: divided by `commits`, how well they share.
    pub writes: u64,
    /// Writes that answered an error.
    pub writes_failed: u64,
    /// Reads that were answered.
    pub reads: u64,
    /// Reads that answered an error.
    pub reads_failed: u64,
    /// Writes that wait for their turn now.
    pub writes_queued: u64,
    /// Reads that wait for their turn now.
    pub reads_queued: u64,
    /// Times a transaction was started again because of another one in its way.
    pub retries: u64,
    /// Pages in SQLite's log that are not in its file yet, at the last commit.
    pub wal_pages: u64,
    /// Whether the disk has failed: see [`Error::Failed`].
    pub is_failed: bool,
}

/// A database. Clones share it; the last one that goes lets what was queued finish and closes it.
#[derive(Clone)]
pub struct Db {}

impl Db {
    /// Opens or makes the file and migrates it.
    ///
    /// # Errors
    /// `Migration` if the database was made by a newer program, or by one with another history.
    pub fn open_sqlite(options: &SqliteOptions) -> Result<Self> {
        todo!("{options:?}")
    }

    /// Connects and migrates.
    ///
    /// # Errors
    /// `Unavailable` if the server cannot be reached; `Migration` as for SQLite.
    pub fn open_postgres(options: &PostgresOptions) -> Result<Self> {
        todo!("{options:?}")
    }

    /// Which database is underneath.
    pub fn engine(&self) -> Engine {
        todo!()
    }

    /// Runs `work` in a transaction and answers when what it wrote is durable. An `Err` undoes everything it did.
    ///
    /// `work` may run more than once, each time as if the times before had not been. Once queued it runs to its end,
    /// though the future be dropped. It must not call the database but through its `Tx`.
    pub async fn write<T, E>(
        &self,
        lock: Lock,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        todo!("{lock:?} {}", std::mem::size_of_val(&work))
    }

    /// Runs `work` on a snapshot. It may run more than once; a statement that writes fails.
    pub async fn read<T, E>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        todo!("{}", std::mem::size_of_val(&work))
    }

    /// As [`Db::write`], for a thread that may block. Never on a runtime's worker, never inside other work.
    pub fn write_blocking<T, E>(
        &self,
        lock: Lock,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        todo!("{lock:?} {}", std::mem::size_of_val(&work))
    }

    /// As [`Db::read`], for a thread that may block. Never on a runtime's worker, never inside other work.
    pub fn read_blocking<T, E>(
        &self,
        work: impl FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        todo!("{}", std::mem::size_of_val(&work))
    }

    /// Writes a consistent copy to a new SQLite file, durable when this returns. Others go on meanwhile. Blocks.
    pub fn backup_to(&self, path: &Path) -> Result<()> {
        todo!("{}", path.display())
    }

    /// Copies every row into `target`, which must be freshly made and empty, whichever engine each is on. Blocks.
    pub fn copy_to(&self, target: &Self) -> Result<()> {
        todo!("{}", std::ptr::from_ref(target).is_null())
    }

    /// Looks for damage and returns what it finds, one line each. Never writes. Blocks.
    pub fn check(&self) -> Result<Vec<String>> {
        todo!()
    }

    /// The counters.
    pub fn stats(&self) -> Stats {
        todo!()
    }

    /// Lets what is queued finish, then closes: everything later is `Error::Closed`. Blocks.
    pub fn close(&self) {
        todo!()
    }
}
