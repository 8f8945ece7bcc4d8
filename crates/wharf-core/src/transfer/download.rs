//! Chunks on their way out, as they are stored.

use std::collections::VecDeque;

use wharf_store::chunk::{ChunkStore, ReadError};
use wharf_types::ChunkHash;
use wharf_wire::frame::{Absence, Answer};

use super::{BATCH_BYTES, BATCH_CHUNKS_MAX};
use crate::error::Result;

/// A download of chunks under way.
pub struct Download {
    chunks: ChunkStore,
    /// What is still to come, with its stored length; without one where it is out of the caller's reach.
    wanted: VecDeque<(ChunkHash, Option<u32>)>,
}

impl Download {
    pub(super) const fn new(
        chunks: ChunkStore,
        wanted: VecDeque<(ChunkHash, Option<u32>)>,
    ) -> Self {
        Self { chunks, wanted }
    }

    /// Returns the next chunks, a few MiB at most, or `None` after the last one. Each is verified; one that cannot be
    /// given is [`Answer::Absent`]. A future that is dropped gives up the batch it was reading.
    ///
    /// # Errors
    /// The database or the store cannot be read at all; one chunk that cannot be is no error.
    pub async fn next(&mut self) -> Result<Option<Vec<Answer>>> {
        if self.wanted.is_empty() {
            return Ok(None);
        }
        let batch = self.take_batch();
        let within: Vec<_> = batch
            .iter()
            .filter(|(_, length)| length.is_some())
            .map(|(hash, _)| *hash)
            .collect();
        let mut read = self.chunks.read(&within).await?.into_iter();
        let answers = batch
            .into_iter()
            .map(|(hash, length)| {
                let found = length
                    .and_then(|_| read.next())
                    .unwrap_or(Err(ReadError::Missing));
                match found {
                    Ok(frame) => Answer::Chunk(frame),
                    Err(error) => Answer::Absent {
                        hash,
                        absence: absence(error),
                    },
                }
            })
            .collect();
        Ok(Some(answers))
    }

    fn take_batch(&mut self) -> Vec<(ChunkHash, Option<u32>)> {
        let mut bytes = 0;
        let mut count = 0;
        for (_, length) in &self.wanted {
            bytes += u64::from(length.unwrap_or(0));
            if count > 0 && (bytes > BATCH_BYTES || count == BATCH_CHUNKS_MAX) {
                break;
            }
            count += 1;
        }
        self.wanted.drain(..count).collect()
    }
}

const fn absence(error: ReadError) -> Absence {
    match error {
        ReadError::Missing => Absence::Missing,
        // A chunk that its disk refuses to give is as lost to the reader as a damaged one, and may come back.
        ReadError::Corrupt | ReadError::Unreadable => Absence::Corrupt,
    }
}
