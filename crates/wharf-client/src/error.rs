//! What can end a transfer.

use std::io;
use std::path::PathBuf;

use crate::api::ApiError;
use crate::task::TaskError;

/// Why an operation of the client could not be done.
///
/// What concerns one file of many does not end a transfer: it becomes a [`Notice`](crate::transfer::Notice).
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server refused, could not be reached, or answered in a way that was not understood.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The local disk refused.
    #[error("cannot {doing} {}: {source}", path.display())]
    Local {
        /// What was being done, as a verb.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The list of tasks could not be read or written.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// What was asked for makes no sense, such as putting a folder from standard input.
    #[error("{0}")]
    Invalid(String),
    /// Chunks did not match their hashes however often they were sent or fetched.
    #[error("the bytes arrived damaged each time")]
    Damaged,
    /// The transfer was stopped from outside before it was done. What was transferred stays.
    #[error("stopped before it was done")]
    Stopped,
}

impl Error {
    /// Names a failed local operation.
    pub(crate) fn local(
        doing: &'static str,
        path: impl Into<PathBuf>,
        source: impl Into<io::Error>,
    ) -> Self {
        Self::Local {
            doing,
            path: path.into(),
            source: source.into(),
        }
    }

    /// Whether the local disk is full: the transfer can go on as it was once there is room.
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::Local { source, .. } if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
    }
}
