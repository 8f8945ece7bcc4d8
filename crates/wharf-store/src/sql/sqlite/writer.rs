//! The thread that writes: what is queued shares one commit.
//!
//! It takes a job, opens a transaction, runs the job and whatever else is queued by then, commits, and only then answers
//! them all, those too that wrote nothing or failed, since what they saw may be undone until then. Who comes while the
//! disk works is in the next commit.
//!
//! A job that fails does not hurt the others. Most that fail have changed nothing yet, and nothing has to be done. For one
//! that has, the transaction begins anew, and its jobs run again, each in a savepoint, to which it is rolled back if it
//! fails. Savepoints from the beginning would cost every job a copy of each page that it touches. Where SQLite ends the whole
//! transaction (a full disk), each job runs again in a transaction of its own. An I/O error ends everything: after a failed fsync
//! nobody knows what the disk holds, and trying again could call durable what is not.

use std::sync::Arc;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::connection::Connection;
use super::reader::IDLE;
use super::wal::Wal;
use crate::sql::db::Engine;
use crate::sql::error::{Error, Result};
use crate::sql::job::{Message, Task, Verdict};
use crate::sql::migrate::{self, Migration};
use crate::sql::stats::{Count, Counters};
use crate::sql::tx::Tx;

/// Most jobs and, about, most statements in one commit: so that the first one need not wait long for the last one.
const BATCH_JOBS_MAX: usize = 1024;
const BATCH_STATEMENTS_MAX: u64 = 16 * 1024;

/// What became of a job inside a transaction.
enum Attempt {
    Kept,
    Undone,
    /// It failed, and what it changed is still in the transaction.
    Spoilt,
    /// SQLite ended the whole transaction, the earlier jobs included.
    Lost(Error),
}

/// How a job runs in a transaction that others have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Care {
    /// If it fails after it has changed something, all run again.
    Plain,
    /// In a savepoint.
    Savepoint,
}

/// Whether there is more to serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Go,
    Stop,
}

struct Writer<'c> {
    connection: Connection<'c>,
    wal: Wal,
    counters: Arc<Counters>,
    /// Jobs that ran in the open transaction and wait for its commit; whether each is kept.
    batch: Vec<(Task, Verdict)>,
}

/// Applies the migrations that are missing.
pub(super) fn migrate(raw: &rusqlite::Connection, migrations: &[Migration]) -> Result<()> {
    let mut connection = Connection::new(raw);
    loop {
        connection.control("BEGIN IMMEDIATE")?;
        match migrate::step(&mut Tx::new(&mut connection), Engine::Sqlite, migrations) {
            Ok(is_changed) => {
                connection.control("COMMIT")?;
                if !is_changed {
                    return Ok(());
                }
            }
            Err(error) => {
                if !connection.is_idle() {
                    connection.control("ROLLBACK")?;
                }
                return Err(error);
            }
        }
    }
}

/// Serves the queue until it ends.
pub(super) fn run(
    raw: &rusqlite::Connection,
    wal: Wal,
    queue: &Receiver<Message>,
    counters: Arc<Counters>,
) {
    let connection = Connection::new(raw);
    let mut writer = Writer {
        connection,
        wal,
        counters,
        batch: Vec::new(),
    };
    let mut has_written = false;
    loop {
        let message = if has_written {
            queue.recv_timeout(IDLE)
        } else {
            queue.recv().map_err(|_| RecvTimeoutError::Disconnected)
        };
        match message {
            Ok(Message::Task(task)) => {
                has_written = true;
                if writer.serve(task, queue) == Next::Stop {
                    return;
                }
            }
            Err(RecvTimeoutError::Timeout) => {
                has_written = false;
                writer.rest();
            }
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

impl Writer<'_> {
    /// Runs `first` and what is queued behind it, commits and answers.
    fn serve(&mut self, first: Task, queue: &Receiver<Message>) -> Next {
        if let Some(failure) = self.counters.failure() {
            first.answer(Err(failure));
            return Next::Go;
        }
        if let Err(error) = self.connection.control("BEGIN IMMEDIATE") {
            self.refuse(first, self.counters.fail_if_io(&error));
            return Next::Go;
        }
        let next = self.gather(first, queue);
        if !self.batch.is_empty() {
            self.commit();
        }
        next
    }

    /// Fills the batch. It is left empty if the transaction is over and all are answered.
    fn gather(&mut self, first: Task, queue: &Receiver<Message>) -> Next {
        let statements_max = self.connection.statement_count() + BATCH_STATEMENTS_MAX;
        let mut task = first;
        let mut care = Care::Plain;
        loop {
            match self.attempt(&mut task, care) {
                Attempt::Kept => self.batch.push((task, Verdict::Keep)),
                Attempt::Undone => self.batch.push((task, Verdict::Undo)),
                Attempt::Spoilt => {
                    care = Care::Savepoint;
                    self.batch.push((task, Verdict::Undo));
                    if let Err(error) = self.run_again() {
                        self.recover(&error);
                        return Next::Go;
                    }
                }
                Attempt::Lost(error) => {
                    self.batch.push((task, Verdict::Undo));
                    self.recover(&error);
                    return Next::Go;
                }
            }
            if self.batch.len() >= BATCH_JOBS_MAX
                || self.connection.statement_count() >= statements_max
            {
                return Next::Go;
            }
            match queue.try_recv() {
                Ok(Message::Task(next)) => task = next,
                Ok(Message::Stop) => return Next::Stop,
                Err(_) => return Next::Go,
            }
        }
    }

    /// Begins the transaction anew and runs the jobs of the batch again, each in a savepoint. Where that fails, the batch is
    /// as it was, and the transaction is lost.
    fn run_again(&mut self) -> Result<()> {
        self.connection.control("ROLLBACK")?;
        self.connection.control("BEGIN IMMEDIATE")?;
        let mut left = std::mem::take(&mut self.batch).into_iter();
        for (mut task, _) in left.by_ref() {
            let verdict = match self.attempt(&mut task, Care::Savepoint) {
                Attempt::Kept => Ok(Verdict::Keep),
                Attempt::Undone => Ok(Verdict::Undo),
                Attempt::Spoilt => Err(Error::Poisoned),
                Attempt::Lost(error) => Err(error),
            };
            self.batch
                .push((task, *verdict.as_ref().unwrap_or(&Verdict::Undo)));
            if let Err(error) = verdict {
                self.batch.extend(left);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Runs one job in the open transaction.
    fn attempt(&mut self, task: &mut Task, care: Care) -> Attempt {
        match self.try_attempt(task, care) {
            Ok(attempt) => attempt,
            Err(error) => Attempt::Lost(error),
        }
    }

    fn try_attempt(&mut self, task: &mut Task, care: Care) -> Result<Attempt> {
        // The first job of a transaction needs no savepoint: undoing it is starting again.
        let is_first = self.batch.is_empty();
        let has_savepoint = care == Care::Savepoint && !is_first;
        if has_savepoint {
            self.connection.control("SAVEPOINT job")?;
        }
        let change_count = self.connection.change_count();
        let mut tx = Tx::new(&mut self.connection);
        let verdict = task.job.attempt(&mut tx);
        let failure = tx.failure().cloned();
        if matches!(failure, Some(Error::Io(_))) || self.connection.is_idle() {
            return Ok(Attempt::Lost(failure.unwrap_or(Error::Poisoned)));
        }
        let is_changed = self.connection.change_count() > change_count;
        if verdict == Verdict::Keep {
            if has_savepoint {
                self.connection.control("RELEASE job")?;
            }
            return Ok(Attempt::Kept);
        }
        if has_savepoint {
            self.connection.control("ROLLBACK TO job")?;
            self.connection.control("RELEASE job")?;
        } else if is_changed && is_first {
            self.connection.control("ROLLBACK")?;
            self.connection.control("BEGIN IMMEDIATE")?;
        } else if is_changed {
            return Ok(Attempt::Spoilt);
        }
        Ok(Attempt::Undone)
    }

    /// Commits the batch and answers it.
    fn commit(&mut self) {
        match self.connection.control("COMMIT") {
            Ok(()) => {
                self.answer();
                self.after_commit();
            }
            Err(error) => self.recover(&error),
        }
    }

    fn answer(&mut self) {
        let kept = self
            .batch
            .iter()
            .filter(|(_, verdict)| *verdict == Verdict::Keep)
            .count();
        if kept > 0 {
            self.counters.add(Count::Commits, 1);
            self.counters.add(Count::Writes, kept as u64);
        }
        self.counters
            .add(Count::WritesFailed, (self.batch.len() - kept) as u64);
        for (task, _) in self.batch.drain(..) {
            task.answer(Ok(()));
        }
    }

    /// The transaction of the batch is lost: each of its jobs gets one of its own, unless the disk failed.
    fn recover(&mut self, error: &Error) {
        let error = self.counters.fail_if_io(error);
        self.leave();
        let batch = std::mem::take(&mut self.batch);
        let is_single = batch.len() == 1;
        for (task, _) in batch {
            match self.counters.failure() {
                Some(failure) => self.refuse(task, failure),
                None if is_single => self.refuse(task, error.clone()),
                None => self.alone(task),
            }
        }
    }

    /// Runs one job in a transaction of its own and answers it.
    fn alone(&mut self, mut task: Task) {
        let outcome = self.connection.control("BEGIN IMMEDIATE").and_then(|()| {
            match self.attempt(&mut task, Care::Savepoint) {
                Attempt::Kept => self.connection.control("COMMIT").map(|()| Verdict::Keep),
                Attempt::Undone => Ok(Verdict::Undo),
                Attempt::Spoilt => Err(Error::Poisoned),
                Attempt::Lost(error) => Err(error),
            }
        });
        self.leave();
        match outcome {
            Ok(verdict) => {
                self.batch.push((task, verdict));
                self.answer();
                self.after_commit();
            }
            Err(error) => {
                let error = self.counters.fail_if_io(&error);
                self.refuse(task, error);
            }
        }
    }

    /// Ends the transaction if one is open, whatever it holds.
    fn leave(&mut self) {
        if !self.connection.is_idle()
            && let Err(error) = self.connection.control("ROLLBACK")
        {
            tracing::error!(%error, "cannot roll back");
            self.counters.fail_if_io(&error);
        }
    }

    fn refuse(&self, task: Task, error: Error) {
        self.counters.add(Count::WritesFailed, 1);
        task.answer(Err(error));
    }

    fn after_commit(&mut self) {
        self.counters.set(Count::WalPages, self.wal.pages());
        if let Err(error) = self.wal.after_commit(&self.connection) {
            tracing::error!(%error, "cannot copy the write-ahead log into the database");
            self.counters.fail_if_io(&error);
        }
    }

    /// Nothing was asked for a while: the log goes into the file, and memory back to the system.
    fn rest(&mut self) {
        if let Err(error) = self.connection.checkpoint() {
            tracing::error!(%error, "cannot copy the write-ahead log into the database");
            self.counters.fail_if_io(&error);
        }
        self.connection.shrink();
    }
}
