//! Putting and getting: files, folders, streams; and running tasks.

mod buffers;
mod cutting;
mod fetching;
mod get;
mod put;
mod report;
mod run;
mod sending;
mod stream;

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;
use wharf_types::api::drive::{At, OpResult};

pub(crate) use self::fetching::fetch;
pub use self::report::{Notice, NoticeKind, Report};
pub use self::run::{Ran, cancel_task, run_task};
pub(crate) use self::sending::blocking;
use crate::api::{Api, Room};
use crate::error::Error;
use crate::progress::Progress;

/// What happens to a place on the other side that already holds something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDifferent {
    /// It is replaced if it is still what was seen when the transfer looked; a later change is kept and reported.
    #[default]
    Replace,
    /// It is kept and reported.
    Keep,
    /// It is replaced, whatever it has become.
    Overwrite,
}

/// How to tell that a file is the same on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compare {
    /// By size, modification time and executable bit.
    #[default]
    Stat,
    /// By content.
    Content,
}

/// What happens to symbolic links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Links {
    /// They are left out and reported.
    #[default]
    LeaveOut,
    /// They are transferred as links; nobody follows them.
    Keep,
}

/// How to put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PutOptions {
    /// What happens to files that the drive already holds differently.
    pub on_different: OnDifferent,
    /// How unchanged files are recognised.
    pub compare: Compare,
    /// What happens to symbolic links.
    pub links: Links,
}

/// How to get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct GetOptions {
    /// What happens to local files that differ.
    pub on_different: OnDifferent,
    /// How unchanged files are recognised.
    pub compare: Compare,
    /// What happens to symbolic links.
    pub links: Links,
    /// For a file: an earlier revision of it.
    pub revision: Option<u64>,
}

/// A local file or folder, and the path in the drive that it becomes.
#[derive(Debug, Clone)]
pub struct Put {
    /// The server.
    pub api: Api,
    /// Whose drive.
    pub room: Room,
    /// The local file or folder.
    pub source: PathBuf,
    /// The path in the drive that it becomes; the root is the empty path.
    pub target: String,
    /// How.
    pub options: PutOptions,
}

impl Put {
    /// Runs the transfer; what is in place already is not sent again.
    ///
    /// # Errors
    /// What ends the whole transfer. What concerns one path is a notice of the report.
    pub async fn run(
        &self,
        progress: &Arc<Progress>,
        stop: &CancellationToken,
    ) -> Result<Report, Error> {
        put::run(self, progress, stop).await
    }
}

/// A file or folder of a drive, and the local path that it becomes.
#[derive(Debug, Clone)]
pub struct Get {
    /// The server.
    pub api: Api,
    /// Whose drive.
    pub room: Room,
    /// The file or folder.
    pub source: At,
    /// The local path that it becomes. Its parent folder must be there.
    pub target: PathBuf,
    /// How.
    pub options: GetOptions,
    /// Names the files written aside: the same tag continues them. See [`Task::tag`](crate::task::Task::tag).
    pub tag: String,
}

impl Get {
    /// Runs the transfer; what is in place already is not fetched again. Everything is on the disk when this returns.
    ///
    /// # Errors
    /// What ends the whole transfer. What concerns one path is a notice of the report.
    pub async fn run(
        &self,
        progress: &Arc<Progress>,
        stop: &CancellationToken,
    ) -> Result<Report, Error> {
        get::run(self, progress, stop).await
    }
}

/// The path in a drive that a stream, such as standard input, becomes.
#[derive(Debug, Clone)]
pub struct PutStream {
    /// The server.
    pub api: Api,
    /// Whose drive.
    pub room: Room,
    /// The path of the file.
    pub target: String,
    /// What happens when the file is there already.
    pub on_different: OnDifferent,
    /// Whether it is a program.
    pub executable: bool,
}

impl PutStream {
    /// Puts the stream up to its end.
    ///
    /// # Errors
    /// With [`OnDifferent::Keep`], a refusal with the code `exists` when something is there.
    pub async fn run(
        &self,
        stream: impl AsyncRead + Send + Unpin,
        progress: &Arc<Progress>,
    ) -> Result<OpResult, Error> {
        stream::put(self, stream, progress).await
    }
}

/// A file of a drive, or a range of it, to be written to a stream such as standard output.
#[derive(Debug, Clone)]
pub struct GetStream {
    /// The server.
    pub api: Api,
    /// Whose drive.
    pub room: Room,
    /// The file.
    pub source: At,
    /// An earlier revision of it.
    pub revision: Option<u64>,
    /// A part of it; what reaches past the end is cut.
    pub range: Option<Range<u64>>,
}

impl GetStream {
    /// Writes the content, verified chunk by chunk, and returns how many bytes there were.
    ///
    /// # Errors
    /// What the server or the stream refused; nothing unverified was written before.
    pub async fn run(
        &self,
        stream: impl AsyncWrite + Send + Unpin,
        progress: &Arc<Progress>,
    ) -> Result<u64, Error> {
        stream::get(self, stream, progress).await
    }
}
