//! The client's own list of transfers, in one SQLite file that all its processes share.

pub(crate) mod process;
mod store;

use std::path::PathBuf;

use serde::Serialize;

pub use self::store::{TaskRun, TaskStore};
use crate::api::Room;
use crate::progress::Snapshot;
use crate::transfer::{GetOptions, PutOptions};

/// Why the list of tasks could not be used.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// SQLite refused.
    #[error("the list of transfers cannot be used: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// There is no such task.
    #[error("there is no transfer {0}")]
    Missing(i64),
    /// What is recorded is not what this version of the program writes.
    #[error("the list of transfers holds what this version does not know: {0}")]
    Unknown(String),
    /// The file of the list cannot be made.
    #[error("cannot make the list of transfers: {0}")]
    Io(#[from] std::io::Error),
    /// Another process is running it.
    #[error("transfer {id} is being run by process {pid}")]
    Busy {
        /// The task.
        id: i64,
        /// The process.
        pid: u32,
    },
    /// The task is over, or in another state that does not allow this.
    #[error("transfer {id} is {}", state.as_str())]
    State {
        /// The task.
        id: i64,
        /// Its state.
        state: TaskState,
    },
    /// The process lost the task to another one, as after a long sleep of the machine.
    #[error("another process has taken transfer {0} over")]
    Lost(i64),
}

/// What a task does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TaskKind {
    /// Puts a local file or folder onto a drive.
    Put {
        /// The local path, absolute.
        source: PathBuf,
        /// The path in the drive that the file or folder becomes.
        target: String,
        /// How.
        options: PutOptions,
    },
    /// Gets a file or folder of a drive.
    Get {
        /// The path in the drive.
        source: String,
        /// The local path that it becomes, absolute.
        target: PathBuf,
        /// How.
        options: GetOptions,
    },
}

/// A transfer to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewTask {
    /// The server's address.
    pub server: String,
    /// Who is logged in there, so that another login does not continue it.
    pub login: String,
    /// The room.
    pub room: Room,
    /// What it does.
    pub kind: TaskKind,
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskState {
    /// To be run: new, or resumed, or its process was killed.
    Waiting,
    /// A living process runs it.
    Running,
    /// Stopped by a person; continues when resumed.
    Paused,
    /// Stopped by an error; continues when run again.
    Failed,
    /// Everything is in place.
    Done,
    /// Given up by a person.
    Cancelled,
}

impl TaskState {
    /// The state as a word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Failed => "failed",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether there is nothing more to do.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Cancelled)
    }

    fn from_str(text: &str) -> Option<Self> {
        [
            Self::Waiting,
            Self::Running,
            Self::Paused,
            Self::Failed,
            Self::Done,
            Self::Cancelled,
        ]
        .into_iter()
        .find(|state| state.as_str() == text)
    }
}

/// A transfer and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Task {
    /// Its number, for people.
    pub id: i64,
    /// What it does, where, as whom.
    pub work: NewTask,
    /// Where it stands. A task whose process was killed reads as waiting.
    pub state: TaskState,
    /// How far it was when last recorded.
    pub progress: Snapshot,
    /// Why it failed, or what it left out, in words.
    pub error: Option<String>,
    /// The process that runs it.
    pub pid: Option<u32>,
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: i64,
    /// When it last changed, in milliseconds since the epoch.
    pub updated_ms: i64,
    /// Names the files that it writes aside; random, so that two tasks never share one.
    pub tag: String,
}

/// What a person wants of a running task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// To go on.
    Run,
    /// To stop and keep what it has.
    Pause,
    /// To stop and remove what it has not finished.
    Cancel,
}
