//! Verifying chunks against their names, off the runtime's threads and on all cores.

use tokio::task::JoinSet;
use wharf_types::ChunkHash;
use wharf_wire::frame::Frame;

use super::{Error, Result};

/// Up to this much is verified where it is: it takes less time than handing it over.
const INLINE_BYTES_MAX: u64 = 64 * 1024;
/// Work for another thread is worth its while from here.
const PIECE_BYTES_MIN: u64 = 1024 * 1024;

/// The frames that are what they claim to be, in their order, and the names of the others.
pub(super) struct Verified {
    pub(super) frames: Vec<Frame>,
    pub(super) mismatched: Vec<ChunkHash>,
}

/// Verifies frames, in `threads` pieces at most.
pub(super) async fn verify(frames: Vec<Frame>, threads: usize) -> Result<Verified> {
    let bytes: u64 = frames
        .iter()
        .map(|frame| u64::from(frame.header.bytes))
        .sum();
    if bytes <= INLINE_BYTES_MAX {
        return Ok(split(frames));
    }
    let pieces = (bytes / PIECE_BYTES_MIN).clamp(1, threads.max(1) as u64);
    let mut tasks = JoinSet::new();
    for (index, piece) in cut(frames, bytes.div_ceil(pieces)).into_iter().enumerate() {
        tasks.spawn_blocking(move || (index, split(piece)));
    }
    let mut done = Vec::new();
    while let Some(piece) = tasks.join_next().await {
        done.push(piece.map_err(|_| Error::Stopping)?);
    }
    done.sort_unstable_by_key(|(index, _)| *index);
    let mut all = Verified {
        frames: Vec::new(),
        mismatched: Vec::new(),
    };
    for (_, piece) in done {
        all.frames.extend(piece.frames);
        all.mismatched.extend(piece.mismatched);
    }
    Ok(all)
}

/// Runs work that takes long.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Error::Stopping)
}

/// Divides frames into pieces of about `piece_bytes`.
fn cut(frames: Vec<Frame>, piece_bytes: u64) -> Vec<Vec<Frame>> {
    let mut pieces = vec![Vec::new()];
    let mut bytes = 0;
    for frame in frames {
        bytes += u64::from(frame.header.bytes);
        if let Some(piece) = pieces.last_mut() {
            piece.push(frame);
        }
        if bytes >= piece_bytes {
            pieces.push(Vec::new());
            bytes = 0;
        }
    }
    pieces
}

fn split(frames: Vec<Frame>) -> Verified {
    let mut mismatched = Vec::new();
    let mut frames = frames;
    frames.retain(|frame| {
        let is_whole = frame.open().is_ok();
        if !is_whole {
            mismatched.push(frame.header.hash);
        }
        is_whole
    });
    Verified { frames, mismatched }
}
