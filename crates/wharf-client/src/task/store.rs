//! Tasks in SQLite.
//!
//! Several processes use one file: every step is a transaction of its own, and a task is run by the one process that has
//! begun it. When that process is gone the task reads as waiting, and any process may begin it. Where the system does
//! not tell a process from a later one of its number, a lease of [`LEASE_MS`] that is renewed while the task runs
//! stands in for that. A process that lost its task notices at the next renewal, because the run's token has changed.
//!
//! Losing the file loses the list, never data: the transfers themselves find out what is in place by looking.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use data_encoding::HEXLOWER;
use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};

use super::{NewTask, Task, TaskError, TaskKind, TaskState, Wanted, process};
use crate::clock::Clock;
use crate::database::{self, Durability, OpenError};
use crate::progress::Snapshot;

/// How long a lease holds without being renewed, where the process still seems to live.
const LEASE_MS: i64 = 15_000;
const VERSION: i64 = 1;

// The partial index is what makes two processes that submit the same work share one task. Local paths are bytes: Unix does
// not promise text.
const SCHEMA: &str = "
CREATE TABLE task (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  tag TEXT NOT NULL UNIQUE,
  server TEXT NOT NULL,
  login TEXT NOT NULL,
  room TEXT NOT NULL,
  direction TEXT NOT NULL CHECK (direction IN ('put', 'get')),
  local BLOB NOT NULL,
  remote TEXT NOT NULL,
  options TEXT NOT NULL,
  state TEXT NOT NULL,
  wanted TEXT NOT NULL,
  progress TEXT NOT NULL,
  error TEXT,
  run_token TEXT,
  pid INTEGER,
  process_mark TEXT,
  lease_ms INTEGER,
  created_ms INTEGER NOT NULL,
  updated_ms INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX task_unfinished ON task (server, login, room, direction, local, remote)
  WHERE state NOT IN ('done', 'cancelled');
";

const COLUMNS: &str = "id, tag, server, login, room, direction, local, remote, options, state, progress, \
     error, pid, process_mark, lease_ms, created_ms, updated_ms";

/// The list of tasks. Safe to use from several processes at once; clones share one connection.
#[derive(Debug, Clone)]
pub struct TaskStore {
    db: Arc<Mutex<Connection>>,
    clock: Clock,
}

/// The right of one process to run a task: while it is held and renewed, no other process can begin the task.
///
/// Dropped without [`finish`](Self::finish), as when a process is killed, the lease runs out and the task waits again.
#[derive(Debug)]
pub struct TaskRun {
    store: TaskStore,
    id: i64,
    token: String,
}

impl TaskStore {
    /// Opens the list, making it where there is none. The folder must be there.
    pub fn open(path: &Path, clock: Clock) -> Result<Self, TaskError> {
        // A power cut may lose the last moments of the list, which is no more than an older progress.
        let mut db = database::open(path, Durability::Soon).map_err(|error| match error {
            OpenError::Io(error) => TaskError::Io(error),
            OpenError::Sqlite(error) => error.into(),
        })?;
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        match tx.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))? {
            0 => {
                tx.execute_batch(SCHEMA)?;
                tx.pragma_update(None, "user_version", VERSION)?;
            }
            VERSION => {}
            newer => return Err(TaskError::Unknown(format!("version {newer}"))),
        }
        tx.commit()?;
        Ok(Self {
            db: Arc::new(Mutex::new(db)),
            clock,
        })
    }

    /// The unfinished task that does the same, or a new one: running the same command again continues it, with the options
    /// of the new command. A paused or failed one waits again.
    pub fn submit(&self, work: &NewTask) -> Result<Task, TaskError> {
        let (direction, local, remote, options) = columns(&work.kind)?;
        let room = work.room.to_string();
        self.change(|tx, now_ms| {
            let same: Option<i64> = tx
                .prepare_cached(
                    "SELECT id FROM task WHERE server = ?1 AND login = ?2 AND room = ?3 AND direction = ?4 \
                     AND local = ?5 AND remote = ?6 AND state NOT IN ('done', 'cancelled')",
                )?
                .query_row(params![work.server, work.login, room, direction, local, remote], |row| row.get(0))
                .optional()?;
            let Some(id) = same else {
                tx.execute(
                    "INSERT INTO task (tag, server, login, room, direction, local, remote, options, state, wanted, \
                     progress, created_ms, updated_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'waiting', 'run', '{}', ?9, ?9)",
                    params![token(), work.server, work.login, room, direction, local, remote, options, now_ms],
                )?;
                return read(tx, tx.last_insert_rowid(), now_ms);
            };
            if read(tx, id, now_ms)?.state != TaskState::Running {
                tx.execute(
                    "UPDATE task SET state = 'waiting', options = ?2, run_token = NULL, updated_ms = ?3 WHERE id = ?1",
                    params![id, options, now_ms],
                )?;
            }
            read(tx, id, now_ms)
        })
    }

    /// One task.
    pub fn get(&self, id: i64) -> Result<Task, TaskError> {
        read(&self.db.lock(), id, self.clock.now_ms())
    }

    /// All tasks, newest first.
    pub fn list(&self) -> Result<Vec<Task>, TaskError> {
        let now_ms = self.clock.now_ms();
        let db = self.db.lock();
        let mut statement =
            db.prepare_cached(&format!("SELECT {COLUMNS} FROM task ORDER BY id DESC"))?;
        let mut rows = statement.query([])?;
        let mut tasks = Vec::new();
        while let Some(row) = rows.next()? {
            tasks.push(task(row, now_ms)?);
        }
        Ok(tasks)
    }

    /// Takes the right to run a task that no living process runs.
    ///
    /// # Errors
    /// `Busy` when one does; `State` when the task is paused or over; `Missing`.
    pub fn begin(&self, id: i64) -> Result<TaskRun, TaskError> {
        let token = token();
        let mark = process::mark(std::process::id());
        self.change(|tx, now_ms| {
            let task = read(tx, id, now_ms)?;
            match task.state {
                TaskState::Waiting | TaskState::Failed => {}
                TaskState::Running => return Err(TaskError::Busy { id, pid: task.pid.unwrap_or_default() }),
                state => return Err(TaskError::State { id, state }),
            }
            tx.execute(
                "UPDATE task SET state = 'running', wanted = 'run', error = NULL, run_token = ?2, pid = ?3, \
                 process_mark = ?5, lease_ms = ?4, updated_ms = ?4 WHERE id = ?1",
                params![id, token, std::process::id(), now_ms, mark],
            )?;
            Ok(())
        })?;
        Ok(TaskRun {
            store: self.clone(),
            id,
            token,
        })
    }

    /// Stops a task until it is resumed; a running one stops within a second.
    pub fn pause(&self, id: i64) -> Result<Task, TaskError> {
        self.want(id, Wanted::Pause, TaskState::Paused)
    }

    /// Makes a paused or failed task wait for being run.
    pub fn resume(&self, id: i64) -> Result<Task, TaskError> {
        self.want(id, Wanted::Run, TaskState::Waiting)
    }

    /// Gives a task up; a running one stops within a second. What was written aside is removed by the process that ran it, or
    /// else by [`cancel_task`](crate::transfer::cancel_task).
    pub fn cancel(&self, id: i64) -> Result<Task, TaskError> {
        self.want(id, Wanted::Cancel, TaskState::Cancelled)
    }

    /// Forgets tasks that were done or cancelled before a time, and returns how many.
    pub fn forget_finished(&self, before_ms: i64) -> Result<usize, TaskError> {
        Ok(self.db.lock().execute(
            "DELETE FROM task WHERE state IN ('done', 'cancelled') AND updated_ms < ?1",
            [before_ms],
        )?)
    }

    /// Tells a running task what is wanted of it, or puts one that nobody runs into `state` at once.
    fn want(&self, id: i64, wanted: Wanted, state: TaskState) -> Result<Task, TaskError> {
        self.change(|tx, now_ms| {
            match read(tx, id, now_ms)?.state {
                TaskState::Running => tx.execute(
                    "UPDATE task SET wanted = ?2, updated_ms = ?3 WHERE id = ?1",
                    params![id, wanted.as_str(), now_ms],
                )?,
                over if over.is_over() => return Err(TaskError::State { id, state: over }),
                _ => tx.execute(
                    "UPDATE task SET state = ?2, wanted = 'run', run_token = NULL, updated_ms = ?3 WHERE id = ?1",
                    params![id, state.as_str(), now_ms],
                )?,
            };
            read(tx, id, now_ms)
        })
    }

    fn change<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>, i64) -> Result<T, TaskError>,
    ) -> Result<T, TaskError> {
        let now_ms = self.clock.now_ms();
        let mut db = self.db.lock();
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&tx, now_ms)?;
        tx.commit()?;
        Ok(done)
    }
}

impl TaskRun {
    /// The task's number.
    pub fn id(&self) -> i64 {
        self.id
    }

    /// What is wanted of the task now.
    pub fn wanted(&self) -> Result<Wanted, TaskError> {
        let wanted: Option<String> = self
            .store
            .db
            .lock()
            .prepare_cached("SELECT wanted FROM task WHERE id = ?1 AND run_token = ?2")?
            .query_row(params![self.id, self.token], |row| row.get(0))
            .optional()?;
        let wanted = wanted.ok_or(TaskError::Lost(self.id))?;
        Wanted::from_str(&wanted).ok_or(TaskError::Unknown(wanted))
    }

    /// Records the progress and renews the lease.
    ///
    /// # Errors
    /// `Lost` when another process has taken the task over.
    pub fn renew(&self, progress: Snapshot) -> Result<(), TaskError> {
        let now_ms = self.store.clock.now_ms();
        let renewed = self
            .store
            .db
            .lock()
            .prepare_cached("UPDATE task SET progress = ?3, lease_ms = ?4, updated_ms = ?4 WHERE id = ?1 AND run_token = ?2")?
            .execute(params![self.id, self.token, json(&progress)?, now_ms])?;
        if renewed == 0 {
            return Err(TaskError::Lost(self.id));
        }
        Ok(())
    }

    /// Records how the run ended, and gives the right back.
    pub fn finish(
        self,
        state: TaskState,
        progress: Snapshot,
        error: Option<&str>,
    ) -> Result<(), TaskError> {
        let now_ms = self.store.clock.now_ms();
        let finished = self.store.db.lock().execute(
            "UPDATE task SET state = ?3, progress = ?4, error = ?5, wanted = 'run', run_token = NULL, pid = NULL, \
             lease_ms = NULL, updated_ms = ?6 WHERE id = ?1 AND run_token = ?2",
            params![self.id, self.token, state.as_str(), json(&progress)?, error, now_ms],
        )?;
        if finished == 0 {
            return Err(TaskError::Lost(self.id));
        }
        Ok(())
    }
}

impl Wanted {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Pause => "pause",
            Self::Cancel => "cancel",
        }
    }

    fn from_str(text: &str) -> Option<Self> {
        [Self::Run, Self::Pause, Self::Cancel]
            .into_iter()
            .find(|wanted| wanted.as_str() == text)
    }
}

fn columns(kind: &TaskKind) -> Result<(&'static str, &[u8], &str, String), TaskError> {
    Ok(match kind {
        TaskKind::Put {
            source,
            target,
            options,
        } => ("put", source.as_os_str().as_bytes(), target, json(options)?),
        TaskKind::Get {
            source,
            target,
            options,
        } => ("get", target.as_os_str().as_bytes(), source, json(options)?),
    })
}

fn read(db: &Connection, id: i64, now_ms: i64) -> Result<Task, TaskError> {
    let mut statement = db.prepare_cached(&format!("SELECT {COLUMNS} FROM task WHERE id = ?1"))?;
    let mut rows = statement.query([id])?;
    let row = rows.next()?.ok_or(TaskError::Missing(id))?;
    task(row, now_ms)
}

fn task(row: &Row<'_>, now_ms: i64) -> Result<Task, TaskError> {
    let unknown = |what: &dyn std::fmt::Display| TaskError::Unknown(what.to_string());
    let local = PathBuf::from(std::ffi::OsStr::from_bytes(
        &row.get::<_, Vec<u8>>("local")?,
    ));
    let remote: String = row.get("remote")?;
    let options: String = row.get("options")?;
    let kind = match row.get::<_, String>("direction")?.as_str() {
        "put" => TaskKind::Put {
            source: local,
            target: remote,
            options: serde_json::from_str(&options).map_err(|error| unknown(&error))?,
        },
        _ => TaskKind::Get {
            source: remote,
            target: local,
            options: serde_json::from_str(&options).map_err(|error| unknown(&error))?,
        },
    };
    let room: String = row.get("room")?;
    let state: String = row.get("state")?;
    let mut state = TaskState::from_str(&state).ok_or_else(|| unknown(&state))?;
    let mut pid: Option<u32> = row.get("pid")?;
    let mark: Option<String> = row.get("process_mark")?;
    let lease_ms: Option<i64> = row.get("lease_ms")?;
    if state == TaskState::Running && !is_alive(pid, mark.as_deref(), lease_ms, now_ms) {
        state = TaskState::Waiting;
        pid = None;
    }
    Ok(Task {
        id: row.get("id")?,
        work: NewTask {
            server: row.get("server")?,
            login: row.get("login")?,
            room: room.parse().map_err(|error| unknown(&error))?,
            kind,
        },
        state,
        progress: serde_json::from_str(&row.get::<_, String>("progress")?)
            .map_err(|error| unknown(&error))?,
        error: row.get("error")?,
        pid,
        created_ms: row.get("created_ms")?,
        updated_ms: row.get("updated_ms")?,
        tag: row.get("tag")?,
    })
}

/// Whether the process that began the task still runs it.
///
/// Where the system tells processes apart, that decides: one that was stopped or slept with the machine for hours goes on
/// where it was, and must not find another at its work. Elsewhere the number of a process that ended may be given to
/// another one, and the lease decides.
fn is_alive(pid: Option<u32>, mark: Option<&str>, lease_ms: Option<i64>, now_ms: i64) -> bool {
    let Some(pid) = pid else { return false };
    if mark.is_some() {
        return process::mark(pid).as_deref() == mark;
    }
    // A clock that was set back must not keep a lease for ever.
    let is_held = lease_ms.is_some_and(|lease_ms| (now_ms - lease_ms).abs() < LEASE_MS);
    is_held && process::exists(pid)
}

fn json(value: &impl serde::Serialize) -> Result<String, TaskError> {
    serde_json::to_string(value).map_err(|error| TaskError::Unknown(error.to_string()))
}

fn token() -> String {
    HEXLOWER.encode(&rand::random::<[u8; 8]>())
}

#[cfg(test)]
mod tests;
