//! A thread that serves a queue with one connection, and gets another one when it breaks.
//!
//! Whatever goes wrong before the commit, nothing was written, so the job runs again: after a deadlock, or on a new
//! connection when the server went away. Only a connection that breaks during the commit leaves the outcome open.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Receiver;

use super::connection::{Connection, Connector};
use crate::sql::db::{Engine, Lock};
use crate::sql::error::{Error, Result};
use crate::sql::job::{Message, Task, Verdict};
use crate::sql::migrate::{self, Migration};
use crate::sql::stats::{Count, Counters};
use crate::sql::tx::Tx;

/// Times that a job in the way of others is tried, and that a server that is away is looked for.
const CONFLICT_ATTEMPTS_MAX: u32 = 20;
const CONNECT_ATTEMPTS_MAX: u32 = 5;
/// Longer after each attempt.
const CONFLICT_PAUSE: Duration = Duration::from_millis(2);
const CONNECT_PAUSE: Duration = Duration::from_millis(200);

/// The locks of migrations and of what belongs to no room. A room's is the random half of its id, which is
/// negative as a number.
const MIGRATION_KEY: i64 = 1;
const GLOBAL_KEY: i64 = 0;

/// Which queue a thread serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Write,
    Read,
}

pub(super) struct Worker {
    mode: Mode,
    connector: Arc<Connector>,
    connection: Option<Connection>,
    counters: Arc<Counters>,
}

/// Applies the migrations that are missing, while no other process does.
pub(super) fn migrate(connection: &mut Connection, migrations: &[Migration]) -> Result<()> {
    loop {
        connection.control(&begin_write(&[MIGRATION_KEY]))?;
        match migrate::step(&mut Tx::new(connection), Engine::Postgres, migrations) {
            Ok(is_changed) => {
                connection.control("COMMIT")?;
                if !is_changed {
                    return Ok(());
                }
            }
            Err(error) => {
                connection.control("ROLLBACK")?;
                return Err(error);
            }
        }
    }
}

impl Mode {
    pub(super) fn thread_name(self) -> &'static str {
        match self {
            Self::Write => "sql-write",
            Self::Read => "sql-read",
        }
    }
}

impl Worker {
    pub(super) fn new(mode: Mode, connector: Arc<Connector>, counters: Arc<Counters>) -> Self {
        Self {
            mode,
            connector,
            connection: None,
            counters,
        }
    }

    /// Serves the queue until it ends.
    pub(super) fn run(mut self, queue: &Receiver<Message>) {
        while let Ok(Message::Task(mut task)) = queue.recv() {
            let outcome = self.serve(&mut task);
            self.count(&outcome);
            task.answer(outcome.map(drop));
        }
    }

    /// Runs a job until it is committed, undone at its own wish, or there is no use in going on.
    fn serve(&mut self, task: &mut Task) -> Result<Verdict> {
        let (mut conflicts, mut connects) = (0, 0);
        loop {
            let pause_ms = match self.attempt(task) {
                Err(Error::Retry) if conflicts < CONFLICT_ATTEMPTS_MAX => {
                    conflicts += 1;
                    CONFLICT_PAUSE * conflicts
                }
                Err(Error::Unavailable(why)) => {
                    self.connection = None;
                    if connects >= CONNECT_ATTEMPTS_MAX {
                        return Err(Error::Unavailable(why));
                    }
                    connects += 1;
                    CONNECT_PAUSE
                }
                outcome => return outcome,
            };
            self.counters.add(Count::Retries, 1);
            pause(pause_ms);
        }
    }

    /// Runs a job in one transaction.
    fn attempt(&mut self, task: &mut Task) -> Result<Verdict> {
        let connection = match &mut self.connection {
            Some(connection) if !connection.is_closed() => connection,
            broken => broken.insert(self.connector.connect()?),
        };
        let begin = match self.mode {
            Mode::Write => begin_write(&keys_of(task.job.lock())),
            Mode::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY".to_owned(),
        };
        if let Err(error) = connection.control(&begin) {
            // A lock was not to be had, perhaps, and the transaction hangs open.
            self.connection = None;
            return Err(error);
        }
        let mut tx = Tx::new(connection);
        let verdict = task.job.attempt(&mut tx);
        let failure = tx.failure().cloned();
        if let Some(Error::Unavailable(_)) = failure {
            return Err(failure.unwrap_or(Error::Poisoned));
        }
        if self.mode == Mode::Write && verdict == Verdict::Keep {
            commit(connection)?;
        } else if let Err(error) = connection.control("ROLLBACK") {
            tracing::debug!(%error, "cannot roll back, the connection is given up");
            self.connection = None;
        }
        match failure {
            Some(Error::Retry) => Err(Error::Retry),
            _ => Ok(verdict),
        }
    }

    fn count(&self, outcome: &Result<Verdict>) {
        match (self.mode, outcome) {
            (Mode::Write, Ok(Verdict::Keep)) => {
                self.counters.add(Count::Commits, 1);
                self.counters.add(Count::Writes, 1);
            }
            (Mode::Write, _) => self.counters.add(Count::WritesFailed, 1),
            (Mode::Read, Ok(Verdict::Keep)) => self.counters.add(Count::Reads, 1),
            (Mode::Read, _) => self.counters.add(Count::ReadsFailed, 1),
        }
    }
}

fn commit(connection: &mut Connection) -> Result<()> {
    connection.control("COMMIT").map_err(|error| match error {
        Error::Unavailable(_) => Error::Uncertain,
        error => error,
    })
}

fn begin_write(keys: &[i64]) -> String {
    let mut sql = String::from("BEGIN ISOLATION LEVEL READ COMMITTED");
    for key in keys {
        // Writing to a text cannot fail.
        let _ = write!(sql, "; SELECT pg_advisory_xact_lock({key})");
    }
    sql
}

/// The keys of a lock, in the order in which everybody takes them.
fn keys_of(lock: &Lock) -> Vec<i64> {
    let rooms = match lock {
        Lock::None => return Vec::new(),
        Lock::Global => return vec![GLOBAL_KEY],
        Lock::Room(room) => std::slice::from_ref(room),
        Lock::Rooms(rooms) => rooms,
    };
    let mut keys: Vec<i64> = rooms
        .iter()
        // Two rooms that share a key wait for each other, no more.
        .map(|room| {
            room.as_bytes()
                .last_chunk()
                .copied()
                .map_or(GLOBAL_KEY, i64::from_be_bytes)
        })
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

#[expect(
    clippy::disallowed_methods,
    reason = "the thread has this one job and nothing else to do"
)]
fn pause(duration: Duration) {
    std::thread::sleep(duration);
}
