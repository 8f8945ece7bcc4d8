//! A file's content on its way out, as bytes.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use tokio::task::JoinSet;
use wharf_store::chunk::{ChunkStore, ReadError};
use wharf_types::api::drive::Node;
use wharf_types::{ContentHash, ErrorCode};
use wharf_wire::frame::{Codec, Frame};
use wharf_wire::manifest::{Manifest, ManifestChunk};

use super::{BATCH_BYTES, BATCH_CHUNKS_MAX};
use crate::drive::StoredContent;
use crate::error::{Error, Result};

/// A file's content, opened.
#[derive(Clone)]
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
    manifest: Arc<Manifest>,
    chunks: ChunkStore,
}

impl Content {
    pub(super) fn new(chunks: ChunkStore, stored: StoredContent) -> Result<Self> {
        let manifest = Manifest::unpack(&stored.packed).map_err(|error| {
            Error::internal(format!("stored manifest of {}: {error}", stored.node.id))
        })?;
        Ok(Self {
            node: stored.node,
            revision: stored.revision,
            hash: stored.hash,
            bytes: stored.bytes,
            mtime_ns: stored.mtime_ns,
            changed_ms: stored.at_ms,
            manifest: Arc::new(manifest),
            chunks,
        })
    }

    /// The manifest, packed.
    pub(super) fn packed(&self) -> Vec<u8> {
        self.manifest.pack()
    }

    /// Reads the bytes of `range`, which is cut to the content's end.
    pub fn read(&self, range: Range<u64>) -> ContentReader {
        let end = range.end.min(self.bytes);
        ContentReader::new(
            self.chunks.clone(),
            Arc::clone(&self.manifest),
            range.start..end,
        )
    }
}

/// Reads all the bytes of a content, for the server itself.
///
/// # Errors
/// `Internal`: the manifest is none.
pub(crate) fn read_packed(chunks: &ChunkStore, packed: &[u8], bytes: u64) -> Result<ContentReader> {
    let manifest = Manifest::unpack(packed)
        .map_err(|error| Error::internal("a stored manifest is none").because(error))?;
    Ok(ContentReader::new(
        chunks.clone(),
        Arc::new(manifest),
        0..bytes,
    ))
}

/// A read of a stretch of content under way. Dropping it ends it.
pub struct ContentReader {
    manifest: Arc<Manifest>,
    chunks: ChunkStore,
    /// The first chunk that was not asked for yet.
    next_index: usize,
    /// Bytes to leave out at the front of the next chunk that is read.
    skip_bytes: u64,
    left_bytes: u64,
    /// The batch that is being read while the one before it is being sent: one task at most.
    ahead: JoinSet<Result<Vec<Bytes>>>,
    ready: VecDeque<Bytes>,
}

impl ContentReader {
    pub(super) fn new(chunks: ChunkStore, manifest: Arc<Manifest>, range: Range<u64>) -> Self {
        let mut reader = Self {
            manifest,
            chunks,
            next_index: 0,
            skip_bytes: range.start,
            left_bytes: range.end.saturating_sub(range.start),
            ahead: JoinSet::new(),
            ready: VecDeque::new(),
        };
        reader.skip_to_start();
        reader
    }

    /// Returns the next bytes, verified, or `None` at the end. Dropping the future loses nothing.
    ///
    /// # Errors
    /// - `Corrupt`: a chunk is lost or does not match its hash, and there is no other copy. Nothing of it is given, and
    ///   asking again gives the same error.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        while self.left_bytes > 0 {
            if let Some(chunk) = self.ready.pop_front() {
                if let Some(bytes) = self.cut(&chunk) {
                    return Ok(Some(bytes));
                }
                continue;
            }
            self.read_ahead();
            let Some(batch) = self.ahead.join_next().await else {
                return Err(Error::internal("a manifest is shorter than its file"));
            };
            let batch = batch
                .map_err(|error| Error::internal(format!("reading content broke off: {error}")))
                .flatten();
            match batch {
                Ok(batch) => self.ready.extend(batch),
                Err(error) => {
                    self.next_index = self.manifest.chunks.len();
                    return Err(error);
                }
            }
            self.read_ahead();
        }
        Ok(None)
    }

    fn skip_to_start(&mut self) {
        for chunk in &self.manifest.chunks {
            if self.skip_bytes < u64::from(chunk.bytes) {
                break;
            }
            self.skip_bytes -= u64::from(chunk.bytes);
            self.next_index += 1;
        }
    }

    /// The part of a chunk that the range has.
    fn cut(&mut self, chunk: &Bytes) -> Option<Bytes> {
        let from = usize::try_from(self.skip_bytes)
            .unwrap_or(usize::MAX)
            .min(chunk.len());
        let left = usize::try_from(self.left_bytes).unwrap_or(usize::MAX);
        let to = from.saturating_add(left).min(chunk.len());
        self.skip_bytes = 0;
        self.left_bytes -= (to - from) as u64;
        (from < to).then(|| chunk.slice(from..to))
    }

    /// Begins to read the next batch, unless one is being read or all is.
    fn read_ahead(&mut self) {
        if !self.ahead.is_empty() {
            return;
        }
        let batch = self.take_batch();
        if batch.is_empty() {
            return;
        }
        let chunks = self.chunks.clone();
        self.ahead
            .spawn(async move { read_batch(&chunks, &batch).await });
    }

    fn take_batch(&mut self) -> Vec<ManifestChunk> {
        let wanted = self.left_bytes.saturating_add(self.skip_bytes);
        let ready: u64 = self.ready.iter().map(|chunk| chunk.len() as u64).sum();
        let mut bytes = 0;
        let mut batch = Vec::new();
        for chunk in self.manifest.chunks.iter().skip(self.next_index) {
            let is_full =
                bytes + u64::from(chunk.bytes) > BATCH_BYTES || batch.len() == BATCH_CHUNKS_MAX;
            if ready + bytes >= wanted || (is_full && !batch.is_empty()) {
                break;
            }
            bytes += u64::from(chunk.bytes);
            batch.push(*chunk);
        }
        self.next_index += batch.len();
        batch
    }
}

async fn read_batch(chunks: &ChunkStore, batch: &[ManifestChunk]) -> Result<Vec<Bytes>> {
    let hashes: Vec<_> = batch.iter().map(|chunk| chunk.hash).collect();
    let frames = chunks
        .read(&hashes)
        .await?
        .into_iter()
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(unreadable)?;
    if frames.iter().all(|frame| frame.header.codec == Codec::Raw) {
        return Ok(frames.into_iter().map(|frame| frame.stored).collect());
    }
    tokio::task::spawn_blocking(move || frames.iter().map(unpack).collect())
        .await
        .map_err(|error| Error::internal(format!("unpacking chunks broke off: {error}")))?
}

/// The bytes of a chunk that the store has verified.
fn unpack(frame: &Frame) -> Result<Bytes> {
    match frame.header.codec {
        Codec::Raw => Ok(frame.stored.clone()),
        Codec::Zstd => frame
            .open()
            .map_err(|error| unreadable(ReadError::Corrupt).because(error)),
    }
}

fn unreadable(error: ReadError) -> Error {
    Error::new(
        ErrorCode::Corrupt,
        match error {
            ReadError::Missing => {
                "a part of this file is lost on the server and there is no other copy"
            }
            ReadError::Corrupt => {
                "a part of this file is damaged on the server and there is no other copy"
            }
            ReadError::Unreadable => "the server's disk refuses to read a part of this file",
        },
    )
    .because(error)
}
