//! Takes a batch of chunks to the server: asks what is missing, and uploads that.

use std::collections::HashSet;

use bytes::Bytes;
use tokio::task::JoinError;
use wharf_types::ChunkHash;
use wharf_wire::frame::{Frame, FrameWriter};
use wharf_wire::manifest::ManifestChunk;

use crate::api::Api;
use crate::error::Error;
use crate::progress::Progress;
use crate::transfer::cutting::name_chunks;

/// How often a chunk is sent that does not arrive as it was.
const ATTEMPTS_MAX: usize = 4;

/// A batch that is on the server, durable.
#[derive(Debug)]
pub(crate) struct Sent {
    /// All chunks of the batch, in order.
    pub(crate) chunks: Vec<ManifestChunk>,
    /// Those that arrived wrong each time, and were not stored.
    pub(crate) spoiled: HashSet<ChunkHash>,
}

/// Sends the chunks whose lengths are `chunk_bytes` and which follow each other in `bytes`.
pub(crate) async fn send(
    api: &Api,
    bytes: Bytes,
    chunk_bytes: Vec<u32>,
    progress: &Progress,
) -> Result<Sent, Error> {
    let hashed = {
        let bytes = bytes.clone();
        blocking(move || name_chunks(&bytes, &chunk_bytes)).await?
    };
    progress.bytes_done(bytes.len() as u64);
    let mut unique = Vec::with_capacity(hashed.len());
    let mut seen = HashSet::with_capacity(hashed.len());
    unique.extend(
        hashed
            .iter()
            .map(|chunk| chunk.hash)
            .filter(|hash| seen.insert(*hash)),
    );
    let mut spoiled = HashSet::new();
    if !unique.is_empty() {
        let mut missing: HashSet<_> = api.missing(&unique).await?.into_iter().collect();
        for _ in 0..ATTEMPTS_MAX {
            if missing.is_empty() {
                break;
            }
            let frames = {
                let (bytes, chunks) = (bytes.clone(), hashed.clone());
                blocking(move || frame(&bytes, &chunks, missing)).await?
            };
            progress.wire(frames.bytes());
            let uploaded = api.upload(frames).await?;
            missing = uploaded.mismatched.into_iter().collect();
        }
        spoiled = missing;
    }
    Ok(Sent {
        chunks: hashed,
        spoiled,
    })
}

/// The missing chunks as they travel: packed where that pays.
fn frame(bytes: &Bytes, chunks: &[ManifestChunk], mut missing: HashSet<ChunkHash>) -> FrameWriter {
    let mut frames = FrameWriter::default();
    let mut start = 0;
    for chunk in chunks {
        let end = start + chunk.bytes as usize;
        if missing.remove(&chunk.hash) {
            frames.push(&Frame::seal(chunk.hash, bytes.slice(start..end)));
        }
        start = end;
    }
    frames
}

/// Runs what keeps a core busy aside from the threads that speak with the server.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    joined(tokio::task::spawn_blocking(work).await.map(Ok))
}

/// What a task or thread came back with.
pub(crate) fn joined<T>(joined: Result<Result<T, Error>, JoinError>) -> Result<T, Error> {
    joined.map_err(|error| Error::Invalid(format!("a worker stopped: {error}")))?
}
