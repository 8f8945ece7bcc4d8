//! Keeps the write-ahead log short without stopping the writer.
//!
//! A thread of its own copies the log into the file while the writer goes on. That alone never empties the log under
//! steady load, since new pages arrive meanwhile; so once the log is long the writer copies the little that is left itself,
//! after which its next commit starts the log anew. A reader with an old snapshot puts that off, and the log grows until
//! it is done.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_channel::{Receiver, Sender, TrySendError};

use super::connection::{Connection, checkpoint, error_of};
use crate::sql::error::Result;
use crate::sql::stats::Counters;

/// The thread copies each time the log grew by this: 8 MiB.
const COPY_PAGES: u64 = 2048;
/// The writer finishes the copying from here: 48 MiB.
const FINISH_PAGES: u64 = 12 * 1024;

/// The writer's view of the log.
pub(super) struct Wal {
    pages: Arc<AtomicU64>,
    requests: Sender<()>,
    last_pages: u64,
    next_copy_pages: u64,
    next_finish_pages: u64,
}

/// The thread that copies.
pub(super) struct Checkpointer {
    connection: rusqlite::Connection,
    requests: Receiver<()>,
    counters: Arc<Counters>,
}

impl Wal {
    /// Watches the log that `writer` writes. The other one of the pair runs on a thread, with a connection of its own.
    pub(super) fn watch(
        writer: &mut rusqlite::Connection,
        copier: rusqlite::Connection,
        counters: &Arc<Counters>,
    ) -> Result<(Self, Checkpointer)> {
        let pages = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&pages);
        writer
            .wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, count: i32| {
                seen.store(u64::try_from(count).unwrap_or(0), Ordering::Relaxed);
                Ok(())
            }))
            .map_err(error_of)?;
        let (sender, receiver) = crossbeam_channel::bounded(1);
        let wal = Self {
            pages,
            requests: sender,
            last_pages: 0,
            next_copy_pages: COPY_PAGES,
            next_finish_pages: FINISH_PAGES,
        };
        let checkpointer = Checkpointer {
            connection: copier,
            requests: receiver,
            counters: Arc::clone(counters),
        };
        Ok((wal, checkpointer))
    }

    /// Pages in the log at the last commit.
    pub(super) fn pages(&self) -> u64 {
        self.pages.load(Ordering::Relaxed)
    }

    /// Sees to it that the log is copied if it is time.
    pub(super) fn after_commit(&mut self, writer: &Connection<'_>) -> Result<()> {
        let pages = self.pages();
        if pages < self.last_pages {
            self.next_copy_pages = COPY_PAGES;
            self.next_finish_pages = FINISH_PAGES;
        }
        self.last_pages = pages;
        if pages >= self.next_finish_pages {
            // If a reader is in the way there is no use in trying at each commit.
            self.next_finish_pages = pages + COPY_PAGES;
            writer.checkpoint()?;
        } else if pages >= self.next_copy_pages {
            self.next_copy_pages = pages + COPY_PAGES;
            match self.requests.try_send(()) {
                // Full: one that waits already is as good.
                Ok(()) | Err(TrySendError::Full(()) | TrySendError::Disconnected(())) => {}
            }
        }
        Ok(())
    }
}

impl Checkpointer {
    /// Copies whenever it is asked to, until the writer is gone.
    pub(super) fn run(self) {
        while let Ok(()) = self.requests.recv() {
            if let Err(error) = checkpoint(&self.connection) {
                tracing::error!(%error, "cannot copy the write-ahead log into the database");
                self.counters.fail_if_io(&error);
            }
        }
    }
}
