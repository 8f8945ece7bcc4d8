//! The handle that everything else holds.

use std::path::PathBuf;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::thread::{JoinHandle, Thread};

use parking_lot::Mutex;
use wharf_types::RoomId;

use super::error::{Error, Result};
use super::job::Queue;
use super::migrate::{MIGRATIONS, Migration};
use super::stats::{Counters, Stats};
use super::tx::Tx;
use super::{migrate, postgres, sqlite};

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
    /// Most pages, of 4 KiB, that the file may have; what goes beyond is [`Error::Full`].
    pub pages_max: Option<u32>,
    /// Whether a commit is answered when it is on the disk. Without that, the last ones, or the file, can be lost when the
    /// machine stops: for data that is made anew then.
    pub is_durable: bool,
    /// The schema to bring it to.
    pub migrations: &'static [Migration],
}

impl SqliteOptions {
    /// The options that suit a server.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            readers: 4,
            pages_max: None,
            is_durable: true,
            migrations: MIGRATIONS,
        }
    }
}

/// How to reach a PostgreSQL database.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// As libpq takes it, without encryption: `postgres://user@host/database` or `host=/socket/folder user=… dbname=…`.
    pub url: String,
    /// Threads that write, each with a connection of its own.
    pub writers: usize,
    /// Threads that read, each with a connection of its own.
    pub readers: usize,
    /// The schema to bring it to.
    pub migrations: &'static [Migration],
}

impl PostgresOptions {
    /// The options that suit a server.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            writers: 8,
            readers: 8,
            migrations: MIGRATIONS,
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

/// A database. Clones share it; when the last one goes, what was queued still finishes.
#[derive(Clone)]
pub struct Db {
    shared: Arc<Shared>,
}

struct Shared {
    source: Source,
    writes: Queue,
    reads: Queue,
    counters: Arc<Counters>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// What the database was opened with.
pub(crate) enum Source {
    Sqlite(SqliteOptions),
    Postgres(PostgresOptions),
}

impl Db {
    /// Opens or makes the file and migrates it. Blocks.
    ///
    /// # Errors
    /// `Migration` if the database was made by a newer program, or by one with another history.
    pub fn open_sqlite(options: &SqliteOptions) -> Result<Self> {
        let (writes, write_queue) = Queue::new();
        let (reads, read_queue) = Queue::new();
        let counters = Arc::new(Counters::default());
        let threads = sqlite::start(options, write_queue, &read_queue, &counters)?;
        Ok(Self::with(
            Source::Sqlite(options.clone()),
            [writes, reads],
            counters,
            threads,
        ))
    }

    /// Connects and migrates. Blocks.
    ///
    /// # Errors
    /// `Unavailable` if the server cannot be reached; `Migration` as for SQLite.
    pub fn open_postgres(options: &PostgresOptions) -> Result<Self> {
        let (writes, write_queue) = Queue::new();
        let (reads, read_queue) = Queue::new();
        let counters = Arc::new(Counters::default());
        let threads = postgres::start(options, &write_queue, &read_queue, &counters)?;
        Ok(Self::with(
            Source::Postgres(options.clone()),
            [writes, reads],
            counters,
            threads,
        ))
    }

    /// Opens a file that is there for reading alone, beside whoever writes it. It is not migrated, and a write answers
    /// `Closed`. Blocks.
    ///
    /// # Errors
    /// `Migration` unless the database has exactly the schema of this program.
    pub fn open_sqlite_to_read(options: &SqliteOptions) -> Result<Self> {
        let (reads, read_queue) = Queue::new();
        let counters = Arc::new(Counters::default());
        let threads = sqlite::start_to_read(options, &read_queue, &counters)?;
        let source = Source::Sqlite(options.clone());
        Self::to_read(source, options.migrations, reads, counters, threads)
    }

    /// As [`Db::open_sqlite_to_read`], for PostgreSQL.
    ///
    /// # Errors
    /// `Unavailable` if the server cannot be reached; `Migration` as for SQLite.
    pub fn open_postgres_to_read(options: &PostgresOptions) -> Result<Self> {
        let (reads, read_queue) = Queue::new();
        let counters = Arc::new(Counters::default());
        let threads = postgres::start_to_read(options, &read_queue, &counters)?;
        let source = Source::Postgres(options.clone());
        Self::to_read(source, options.migrations, reads, counters, threads)
    }

    fn to_read(
        source: Source,
        migrations: &'static [Migration],
        reads: Queue,
        counters: Arc<Counters>,
        threads: Vec<JoinHandle<()>>,
    ) -> Result<Self> {
        let (writes, _) = Queue::new();
        writes.close(0);
        let db = Self::with(source, [writes, reads], counters, threads);
        db.read_blocking(move |tx| migrate::check(tx, migrations))?;
        Ok(db)
    }

    pub(crate) fn source(&self) -> &Source {
        &self.shared.source
    }

    fn with(
        source: Source,
        [writes, reads]: [Queue; 2],
        counters: Arc<Counters>,
        threads: Vec<JoinHandle<()>>,
    ) -> Self {
        let threads = Mutex::new(threads);
        Self {
            shared: Arc::new(Shared {
                source,
                writes,
                reads,
                counters,
                threads,
            }),
        }
    }

    /// Which database is underneath.
    pub fn engine(&self) -> Engine {
        match self.shared.source {
            Source::Sqlite(_) => Engine::Sqlite,
            Source::Postgres(_) => Engine::Postgres,
        }
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
        self.shared.writes.run(lock, work).await
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
        self.shared.reads.run(Lock::None, work).await
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
        block_on(self.write(lock, work))
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
        block_on(self.read(work))
    }

    /// The counters.
    pub fn stats(&self) -> Stats {
        let mut stats = self.shared.counters.stats();
        stats.writes_queued = self.shared.writes.waiting() as u64;
        stats.reads_queued = self.shared.reads.waiting() as u64;
        stats
    }

    /// Lets what is queued finish, then closes: everything later is `Error::Closed`. Blocks.
    pub fn close(&self) {
        let threads = std::mem::take(&mut *self.shared.threads.lock());
        self.shared.writes.close(threads.len());
        self.shared.reads.close(threads.len());
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the database had panicked");
            }
        }
    }
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Db")
            .field("engine", &self.engine())
            .finish_non_exhaustive()
    }
}

/// Starts a thread of the database.
pub(super) fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .map_err(Error::other)
}

/// Waits for a future that needs no runtime.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}
