//! Segments as objects: their keys, writing one, and reading the index of one.

use std::ops::Range;

use bytes::Bytes;
use tokio::time::Instant;
use wharf_types::SegmentId;
use wharf_wire::frame::Frame;
use wharf_wire::segment::{self, IndexEntry, SegmentWriter, TRAILER_BYTES};

use super::{Error, Result, Shared};
use crate::blob;

/// Where segments are in the object store.
pub(super) const PREFIX: &str = "segment/";

/// Bytes read from an object's end at once: with the trailer mostly the whole index.
const TAIL_BYTES: u64 = 64 * 1024;

/// A segment that is durable as an object and that no row names yet.
pub(super) struct Written {
    pub(super) id: SegmentId,
    pub(super) bytes: u64,
    pub(super) entries: Vec<IndexEntry>,
    /// Before the object could be seen.
    pub(super) started: Instant,
}

/// What reading a segment's index gave.
#[derive(Debug)]
pub(super) enum Index {
    Whole(Vec<IndexEntry>),
    /// The object is there, its end is not what it should be.
    Damaged,
    /// There is no object.
    Lost,
}

/// The key of a segment. Ids begin with the time, so the folder is named after their end.
pub fn key(id: SegmentId) -> String {
    let last = id.as_bytes()[15];
    format!("{PREFIX}{last:02x}/{id}")
}

/// The segment of a key, unless it is not a segment's.
pub(super) fn id_of(object: &str) -> Option<SegmentId> {
    let id = object.rsplit_once('/')?.1.parse().ok()?;
    (key(id) == object).then_some(id)
}

/// When a segment was made: the time in its id, in milliseconds.
pub(super) fn made_ms(id: SegmentId) -> i64 {
    let mut bytes = [0; 8];
    bytes[2..].copy_from_slice(&id.as_bytes()[..6]);
    i64::from_be_bytes(bytes)
}

impl Shared {
    /// Writes frames that were verified as one segment, or as several if they do not fit one.
    pub(super) async fn write_segments(
        &self,
        frames: &[&Frame],
        now_ms: i64,
    ) -> Result<Vec<Written>> {
        let mut writers = vec![SegmentWriter::default()];
        for frame in frames {
            let is_full = writers
                .last_mut()
                .is_none_or(|writer| writer.add(frame).is_err());
            if is_full {
                let mut writer = SegmentWriter::default();
                writer
                    .add(frame)
                    .map_err(|error| Error::Fault(error.to_string().into()))?;
                writers.push(writer);
            }
        }
        let mut written = Vec::with_capacity(writers.len());
        for writer in writers {
            let segment = writer.finish();
            let id = SegmentId::new(u64::try_from(now_ms).unwrap_or(0), &(self.options.random)());
            let started = Instant::now();
            if let Err(error) = self.blob.put(&key(id), segment.parts).await {
                self.discard(&written).await;
                return Err(error.into());
            }
            written.push(Written {
                id,
                bytes: segment.bytes,
                entries: segment.entries,
                started,
            });
        }
        Ok(written)
    }

    /// Gives back the room of segments that certainly no row names, so that retries on a full database do not fill the
    /// object store as well. Whatever stays is found as an orphan.
    pub(super) async fn discard(&self, segments: &[Written]) {
        for segment in segments {
            if let Err(error) = self.blob.delete(&key(segment.id)).await {
                tracing::warn!(segment = %segment.id, %error, "cannot delete a segment that was not needed");
            }
        }
    }

    /// Reads the index of a segment.
    pub(super) async fn read_index(&self, id: SegmentId) -> Result<Index> {
        let key = key(id);
        let bytes = match self.blob.size(&key).await {
            Err(blob::Error::Missing { .. }) => return Ok(Index::Lost),
            bytes => bytes?,
        };
        let tail_bytes = bytes.min(TAIL_BYTES);
        let tail = self
            .blob
            .get_range(&key, bytes - tail_bytes, tail_bytes)
            .await?;
        let Ok(trailer) = segment::read_trailer(bytes, &tail) else {
            return Ok(Index::Damaged);
        };
        let range = trailer.index_range();
        let index = match within(&tail, bytes - tail_bytes, &range) {
            Some(index) => index,
            None => {
                self.blob
                    .get_range(&key, range.start, range.end - range.start)
                    .await?
            }
        };
        Ok(segment::read_index(&trailer, &index).map_or(Index::Damaged, Index::Whole))
    }

    /// Finds the whole chunks of a segment by reading all of it.
    pub(super) async fn scan(&self, id: SegmentId) -> Result<Vec<IndexEntry>> {
        let key = key(id);
        let bytes = self
            .blob
            .size(&key)
            .await?
            .min(wharf_types::limit::SEGMENT_BYTES_MAX);
        let object = self.blob.get_range(&key, 0, bytes).await?;
        super::check::blocking(move || segment::scan(&object).entries).await
    }
}

/// The part of `tail`, which begins at `tail_offset`, that is `range`.
fn within(tail: &Bytes, tail_offset: u64, range: &Range<u64>) -> Option<Bytes> {
    let start = usize::try_from(range.start.checked_sub(tail_offset)?).ok()?;
    let end = usize::try_from(range.end.checked_sub(tail_offset)?).ok()?;
    (start <= end && end <= tail.len() - TRAILER_BYTES).then(|| tail.slice(start..end))
}

#[cfg(test)]
mod tests {
    use wharf_types::SegmentId;

    use super::{id_of, key, made_ms};

    #[test]
    fn a_key_leads_back_to_its_segment() {
        let id = SegmentId::new(1_700_000_000_123, &[7; 10]);
        assert_eq!(id_of(&key(id)), Some(id));
        assert_eq!(made_ms(id), 1_700_000_000_123);
        assert_eq!(id_of(&format!("segment/00/{id}")), None, "another folder");
        assert_eq!(id_of("segment/07/readme"), None);
    }
}
