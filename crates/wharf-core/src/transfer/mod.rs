//! Transfers, the server's side: which chunks are missing, chunks in and out, and whole files as streams of bytes.
//!
//! Everything here is resumable by asking again: an upload by asking what is missing, a download by asking for a range.
//! Memory is bounded whatever a file's size: content is read and cut a few MiB at a time.

mod assembly;
mod content;
mod digest;
mod download;
mod md5;
mod parts;
mod upload;

use wharf_store::chunk::Scope;
use wharf_types::api::drive::At;
use wharf_types::api::transfer::Uploaded;
use wharf_types::limit::CHUNKS_PER_REQUEST_MAX;
use wharf_types::{ChunkHash, ErrorCode};
use wharf_wire::frame::Frame;

pub(crate) use assembly::expire as expire_assemblies;
pub use assembly::{Assembly, OpenAssembly, PieceWriter};
pub(crate) use content::read_packed;
pub use content::{Content, ContentReader};
pub use digest::Known;
pub use download::Download;
pub use parts::{OpenPartial, PartWritten, Partial, Place};
pub use upload::{Put, Upload};

use crate::Ground;
use crate::caller::Caller;
use crate::drive::{Drives, RoomRef, scopes_of};
use crate::error::{Error, Result};
use md5::RunningMd5s;
use parts::{Finishing, Writer};

/// Stored bytes that are read, or cut, at a time.
const BATCH_BYTES: u64 = 4 * 1024 * 1024;
/// Chunks that are read at a time, where they are small.
const BATCH_CHUNKS_MAX: usize = 1024;

/// The operations that move content.
#[derive(Clone)]
pub struct Transfers {
    ground: Ground,
    drives: Drives,
    md5s: RunningMd5s,
    writer: Writer,
    finishing: Finishing,
}

impl Transfers {
    pub(crate) fn new(ground: Ground, drives: Drives) -> Self {
        let writer = Writer::new(ground.clone());
        Self {
            ground,
            drives,
            md5s: RunningMd5s::new(),
            writer,
            finishing: Finishing::default(),
        }
    }

    /// Says which of `hashes` the caller must upload before a commit can name them, in the order asked.
    ///
    /// Answered only from what the caller has uploaded or can read, so it never tells one person what another has.
    ///
    /// # Errors
    /// - `TooLarge`: more than [`CHUNKS_PER_REQUEST_MAX`] hashes.
    pub async fn missing(&self, by: &Caller, hashes: Vec<ChunkHash>) -> Result<Vec<ChunkHash>> {
        let scopes = self.scopes(by, hashes.len()).await?;
        let now_ms = self.ground.clock.now_ms();
        Ok(self.ground.chunks.missing(&scopes, hashes, now_ms).await?)
    }

    /// Verifies chunks and keeps them; durable when this returns.
    ///
    /// # Errors
    /// - `TooLarge`: more than [`CHUNKS_PER_REQUEST_MAX`] chunks.
    /// - `Denied`: a caller that may only read.
    pub async fn upload(&self, by: &Caller, frames: Vec<Frame>) -> Result<Uploaded> {
        by.may_write()?;
        check_count(frames.len())?;
        let now_ms = self.ground.clock.now_ms();
        let put = self
            .ground
            .chunks
            .put(by.account()?, frames, now_ms)
            .await?;
        Ok(Uploaded {
            chunks_stored: put.stored_count,
            mismatched: put.mismatched,
        })
    }

    /// Opens a download of chunks, to be read in the order of `hashes`. What is outside the caller's reach is missing.
    ///
    /// # Errors
    /// - `TooLarge`: more than [`CHUNKS_PER_REQUEST_MAX`] hashes.
    pub async fn download(&self, by: &Caller, hashes: Vec<ChunkHash>) -> Result<Download> {
        let scopes = self.scopes(by, hashes.len()).await?;
        let lengths = self
            .ground
            .chunks
            .within_reach(&scopes, hashes.clone())
            .await?;
        let wanted = hashes.into_iter().zip(lengths).collect();
        Ok(Download::new(self.ground.chunks.clone(), wanted))
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
    ) -> Result<Content> {
        let stored = self.drives.content(by, room, at, revision).await?;
        Content::new(self.ground.chunks.clone(), stored)
    }

    /// Opens an upload whose bytes come as they are, for the server to cut.
    ///
    /// # Errors
    /// - `Invalid`: not a path.
    /// - `NotFound`: no such room for the caller; `Denied`: the caller may only read there.
    pub async fn open_upload(&self, by: &Caller, room: RoomRef, put: Put) -> Result<Upload> {
        Upload::open(self.ground.clone(), self.drives.clone(), by, room, put).await
    }

    async fn scopes(&self, by: &Caller, hash_count: usize) -> Result<Vec<Scope>> {
        check_count(hash_count)?;
        let person = *by.person()?;
        let scopes = self
            .ground
            .db
            .read(move |tx| scopes_of(tx, &person))
            .await?;
        Ok(scopes)
    }
}

fn check_count(count: usize) -> Result<()> {
    if count > CHUNKS_PER_REQUEST_MAX {
        return Err(Error::new(
            ErrorCode::TooLarge,
            format!("at most {CHUNKS_PER_REQUEST_MAX} chunks at a time: ask in several requests"),
        ));
    }
    Ok(())
}
