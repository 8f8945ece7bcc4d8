//! Takes a batch of chunks to the server: asks what is missing, and uploads that.

use std::collections::HashSet;

use bytes::Bytes;
use tokio::task::JoinError;
use wharf_types::ChunkHash;
use wharf_wire::frame::{Frame, FrameWriter};
use wharf_wire::manifest::ManifestChunk;

use crate::api::{Api, ApiError};
use crate::error::Error;
use crate::progress::Progress;
use crate::transfer::cutting::name_chunks;

/// How many uploads in a row may bring nothing.
const ATTEMPTS_MAX: u32 = 5;

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
    let spoiled = if unique.is_empty() {
        HashSet::new()
    } else {
        let missing = api.missing(&unique).await?.into_iter().collect();
        upload(api, &bytes, &hashed, missing, progress).await?
    };
    Ok(Sent {
        chunks: hashed,
        spoiled,
    })
}

/// Uploads what is missing, and returns what arrived wrong each time.
///
/// After a broken connection the question is asked again: what arrived whole is not sent twice.
async fn upload(
    api: &Api,
    bytes: &Bytes,
    chunks: &[ManifestChunk],
    mut missing: HashSet<ChunkHash>,
    progress: &Progress,
) -> Result<HashSet<ChunkHash>, Error> {
    let mut vain_count = 0;
    while !missing.is_empty() && vain_count < ATTEMPTS_MAX {
        let before = missing.len();
        let frames = {
            let (bytes, chunks, missing) = (bytes.clone(), chunks.to_vec(), missing.clone());
            blocking(move || frame(&bytes, &chunks, missing)).await?
        };
        progress.wire(frames.bytes());
        missing = match api.upload(frames).await {
            Ok(uploaded) => uploaded.mismatched.into_iter().collect(),
            Err(error @ ApiError::Unreachable { .. }) => {
                tracing::debug!(%error, "asking again what is missing");
                let hashes: Vec<_> = missing.into_iter().collect();
                let still: HashSet<_> = api.missing(&hashes).await?.into_iter().collect();
                if still.len() == before && vain_count + 1 == ATTEMPTS_MAX {
                    return Err(error.into());
                }
                still
            }
            Err(error) => return Err(error.into()),
        };
        vain_count = if missing.len() < before {
            0
        } else {
            vain_count + 1
        };
    }
    Ok(missing)
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
