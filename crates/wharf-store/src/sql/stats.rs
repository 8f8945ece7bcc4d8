//! What the threads of a database count.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::Error;

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
    /// Pages in SQLite's write-ahead log at the last commit, whether they are in the file already or not.
    pub wal_pages: u64,
    /// Whether the disk has failed: see [`Error::Failed`].
    pub is_failed: bool,
}

/// What the threads count, and whether the disk has failed.
#[derive(Debug, Default)]
pub(super) struct Counters {
    counts: [AtomicU64; Count::COUNT],
    failure: OnceLock<Error>,
}

/// One of the counters.
#[derive(Debug, Clone, Copy)]
pub(super) enum Count {
    Commits,
    Writes,
    WritesFailed,
    Reads,
    ReadsFailed,
    Retries,
    WalPages,
}

impl Count {
    const COUNT: usize = Self::WalPages as usize + 1;
}

impl Counters {
    pub(super) fn add(&self, count: Count, by: u64) {
        if let Some(counter) = self.counts.get(count as usize) {
            counter.fetch_add(by, Ordering::Relaxed);
        }
    }

    pub(super) fn set(&self, count: Count, to: u64) {
        if let Some(counter) = self.counts.get(count as usize) {
            counter.store(to, Ordering::Relaxed);
        }
    }

    /// All of them; the queues' lengths are not counted here.
    pub(super) fn stats(&self) -> Stats {
        Stats {
            commits: self.get(Count::Commits),
            writes: self.get(Count::Writes),
            writes_failed: self.get(Count::WritesFailed),
            reads: self.get(Count::Reads),
            reads_failed: self.get(Count::ReadsFailed),
            writes_queued: 0,
            reads_queued: 0,
            retries: self.get(Count::Retries),
            wal_pages: self.get(Count::WalPages),
            is_failed: self.failure().is_some(),
        }
    }

    fn get(&self, count: Count) -> u64 {
        self.counts
            .get(count as usize)
            .map_or(0, |counter| counter.load(Ordering::Relaxed))
    }

    /// Why nothing is accepted any more.
    pub(super) fn failure(&self) -> Option<Error> {
        self.failure.get().cloned()
    }

    /// Ends the database for good if `error` is the disk's, and returns what to answer.
    pub(super) fn fail_if_io(&self, error: &Error) -> Error {
        let Error::Io(text) = error else {
            return error.clone();
        };
        tracing::error!(%error, "the disk has failed under the database: nothing is written until a restart");
        self.failure
            .get_or_init(|| Error::Failed(text.clone()))
            .clone()
    }
}
