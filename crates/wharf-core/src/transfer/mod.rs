//! Transfers, the server's side: which chunks are missing, chunks in and out, and whole files as streams of bytes.
//!
//! Everything here is resumable by asking again: an upload by asking what is missing, a download by asking for a range.
//! Memory is bounded whatever a file's size: content is read and cut a few MiB at a time.

use std::ops::Range;

use bytes::Bytes;
use wharf_types::api::drive::{At, Expect, Node, OpResult};
use wharf_types::api::transfer::Uploaded;
use wharf_types::{ChunkHash, ContentHash};
use wharf_wire::frame::{Answer, Frame};

use crate::drive::{Drives, RoomRef};
use crate::{Caller, Error, Ground};

/// The operations that move content.
#[derive(Clone)]
pub struct Transfers {
    ground: Ground,
    drives: Drives,
}

/// What [`Transfers::open_upload`] puts, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    /// From the root of the drive; folders on the way are made.
    pub path: String,
    /// What is expected there; compared when the upload is committed.
    pub expect: Expect,
    /// The author's time of modification, in nanoseconds since the epoch.
    pub mtime_ns: Option<i64>,
    /// Whether it is a program.
    pub executable: bool,
}

impl Transfers {
    pub(crate) const fn new(ground: Ground, drives: Drives) -> Self {
        Self { ground, drives }
    }

    /// Says which of `hashes` the caller must upload before a commit can name them, in the order asked.
    ///
    /// Answered only from what the caller has uploaded or can read, so it never tells one person what another has.
    pub async fn missing(
        &self,
        by: &Caller,
        hashes: Vec<ChunkHash>,
    ) -> Result<Vec<ChunkHash>, Error> {
        todo!()
    }

    /// Verifies chunks and keeps them; durable when this returns.
    pub async fn upload(&self, by: &Caller, frames: Vec<Frame>) -> Result<Uploaded, Error> {
        todo!()
    }

    /// Opens a download of chunks, to be read in the order of `hashes`.
    pub async fn download(&self, by: &Caller, hashes: Vec<ChunkHash>) -> Result<Download, Error> {
        todo!()
    }

    /// Opens a file's content at a revision, or at its present one, for reading.
    ///
    /// # Errors
    /// - `NotFound`: no such room for the caller, no such node, or the revision's content is no longer kept.
    /// - `Invalid`: the node is a folder.
    pub async fn content(
        &self,
        by: &Caller,
        room: RoomRef,
        at: At,
        revision: Option<u64>,
    ) -> Result<Content, Error> {
        todo!()
    }

    /// Opens an upload whose bytes come as they are, for the server to cut.
    pub async fn open_upload(&self, by: &Caller, room: RoomRef, put: Put) -> Result<Upload, Error> {
        todo!()
    }
}

/// A download of chunks under way.
#[derive(Debug)]
pub struct Download;

impl Download {
    /// Returns the next chunks, a few MiB at most, or `None` after the last one. Each is verified; one that cannot be
    /// given is [`Answer::Absent`]. Dropping the future loses nothing but the work.
    pub async fn next(&mut self) -> Result<Option<Vec<Answer>>, Error> {
        todo!()
    }
}

/// A file's content, opened.
#[derive(Debug, Clone)]
pub struct Content {
    /// The node, as it is now.
    pub node: Node,
    /// The revision that was opened.
    pub revision: u64,
    /// Names the content of that revision.
    pub hash: ContentHash,
    /// Bytes of the content of that revision.
    pub bytes: u64,
    /// The author's time of modification of that revision, in nanoseconds since the epoch.
    pub mtime_ns: Option<i64>,
    /// When the server recorded that revision, in milliseconds since the epoch.
    pub changed_ms: i64,
}

impl Content {
    /// Reads the bytes of `range`, which is cut to the content's end.
    pub fn read(&self, range: Range<u64>) -> ContentReader {
        todo!()
    }
}

/// A read of a stretch of content under way.
#[derive(Debug)]
pub struct ContentReader;

impl ContentReader {
    /// Returns the next bytes, verified, or `None` at the end.
    ///
    /// # Errors
    /// - `Corrupt`: a chunk is lost or does not match its hash, and there is no other copy. Nothing of it is given.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        todo!()
    }
}

/// An upload under way whose bytes the server cuts.
///
/// Chunks become durable as they fill up; the file is there only after [`Upload::commit`]. Dropping an upload leaves
/// chunks that nothing names, which compaction removes after its grace period, and which make the next attempt cheaper
/// for a client that can ask what is missing.
#[derive(Debug)]
pub struct Upload;

impl Upload {
    /// Takes the next bytes of the file. Waits for the store when several MiB are on their way there.
    pub async fn push(&mut self, bytes: Bytes) -> Result<(), Error> {
        todo!()
    }

    /// Ends the file and puts it in its place.
    ///
    /// # Errors
    /// As [`Drives::commit`].
    pub async fn commit(self) -> Result<OpResult, Error> {
        todo!()
    }
}
