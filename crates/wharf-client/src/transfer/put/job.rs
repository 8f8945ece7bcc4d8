//! What travels between the threads of a put.

use std::sync::Arc;

use bytes::Bytes;
use wharf_types::ContentHash;
use wharf_types::api::drive::Expect;
use wharf_types::limit::CHUNK_BYTES_MAX;

use crate::disk::{Kind, Stat};
use crate::scan::join;
use crate::transfer::Notice;

/// Up to this size a file is read in one go, together with others.
pub(super) const SMALL_BYTES_MAX: u64 = JOB_BYTES as u64;
const JOB_BYTES: usize = 4 * 1024 * 1024;
/// What one buffer holds: a job of small files, or a stretch of a big one after the beginning of a chunk that the stretch
/// before could not finish.
pub(super) const BUFFER_BYTES: usize = JOB_BYTES + CHUNK_BYTES_MAX;
/// Two are being read into and three sent; one more keeps the readers from waiting.
pub(super) const BUFFER_COUNT: usize = 6;
/// How often a file that changes while it is read is read before it is reported.
pub(super) const ATTEMPTS_MAX: u8 = 4;

/// A file or link that is to be sent.
#[derive(Debug)]
pub(super) struct Item {
    /// The local folder that holds it, from the root.
    pub(super) folder: Arc<str>,
    pub(super) name: String,
    /// The path in the drive.
    pub(super) remote: String,
    /// What it was last seen to be: by the scan, then by who reads it.
    pub(super) stat: Stat,
    /// What to expect in the drive; none is never to be committed.
    pub(super) expect: Option<Expect>,
    /// The content that makes a commit unnecessary.
    pub(super) same: Option<ContentHash>,
    /// How often its chunks were uploaded, or its commit refused.
    pub(super) attempt_count: u8,
}

/// What a reader does next.
#[derive(Debug)]
pub(super) enum Job {
    /// Reads small files and links, together no more than a buffer.
    Small(Vec<Item>),
    /// Reads one file stretch by stretch.
    Big(Item),
}

/// Bytes that were read, and where their chunks end.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) bytes: Bytes,
    /// The lengths of the chunks, which follow each other from the first byte on.
    pub(super) chunk_bytes: Vec<u32>,
    pub(super) of: BatchOf,
}

/// Which files a batch is of.
#[derive(Debug)]
pub(super) enum BatchOf {
    /// Whole files, each with the number of its chunks.
    Files(Vec<(Item, usize)>),
    /// A stretch of one file.
    Stretch {
        /// Which reading of which file.
        reading: u64,
        /// Which stretch, from 0.
        index: usize,
        /// The file, with its last stretch.
        end: Option<Box<Item>>,
    },
}

/// What the threads tell the one that keeps the books.
#[derive(Debug)]
pub(super) enum Event {
    /// Files that need nothing.
    Unchanged {
        files: u64,
        bytes: u64,
    },
    /// A folder that the drive has not got.
    MakeFolder(String),
    /// Something to report that concerns no item.
    Notice(Notice),
    /// Everything is looked at: so many items there are.
    Planned {
        items: u64,
    },
    Batch(Batch),
    /// A reading that came to nothing: the file changed.
    Abandoned {
        reading: u64,
    },
    /// An item that will not be sent.
    Failed(Notice),
    /// An item that is gone since the scan, which is no failure.
    Gone,
}

impl Item {
    /// Whether it is read stretch by stretch.
    pub(super) fn is_big(&self) -> bool {
        self.stat.kind == Kind::File && self.stat.bytes > SMALL_BYTES_MAX
    }

    /// The local path, from the root.
    pub(super) fn path(&self) -> String {
        join(&self.folder, &self.name)
    }
}
