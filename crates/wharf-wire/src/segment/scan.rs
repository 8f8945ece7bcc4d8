//! Finding what is whole in a segment that was damaged or cut short.

use std::ops::Range;

use wharf_types::limit::CHUNK_BYTES_MAX;

use super::{IndexEntry, MAGIC_START, TRAILER_BYTES, read_index, read_trailer};
use crate::frame::{FRAME_HEADER_BYTES, FrameHeader, open};

/// How many bytes a scan may verify in vain: so many times the segment's length, and so many in any case. A damaged frame
/// costs its chunk's length once; bytes made to look like many headers of large frames would cost the square of the
/// segment's length without a bound.
const EFFORT_FACTOR: usize = 4;
const EFFORT_BYTES_MIN: usize = 64 * CHUNK_BYTES_MAX;

/// What a scan of a damaged segment found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scanned {
    /// The chunks that are whole, each verified against its hash, in the order they lie.
    pub entries: Vec<IndexEntry>,
    /// What lies between them and belongs to no whole frame, in order; index and trailer count only where they are
    /// damaged.
    pub damaged: Vec<Range<u64>>,
}

/// Finds the whole frames of a segment whose index cannot be trusted, verifying each against its hash.
///
/// Where a frame is damaged the scan goes on at the next place that could be a header, so one bad stretch costs the
/// frames that it touches and no others.
pub fn scan(segment: &[u8]) -> Scanned {
    let mut scanned = Scanned::default();
    let mut effort = segment
        .len()
        .saturating_mul(EFFORT_FACTOR)
        .max(EFFORT_BYTES_MIN);
    let frames_end = frames_end(segment);
    let mut at = 0;
    if segment.starts_with(MAGIC_START) {
        at = MAGIC_START.len();
    }
    let mut whole_until = at;
    while at < frames_end {
        match frame_at(segment, at, &mut effort) {
            Some(entry) => {
                scanned.note_damage(whole_until, at);
                at = usize::try_from(entry.end()).unwrap_or(frames_end);
                whole_until = at;
                scanned.entries.push(entry);
            }
            None => at += 1,
        }
    }
    scanned.note_damage(whole_until, frames_end);
    scanned
}

impl Scanned {
    fn note_damage(&mut self, from: usize, to: usize) {
        if from < to {
            self.damaged.push(from as u64..to as u64);
        }
    }
}

/// Where the frames end: at the index where that is whole, else at the end of what there is.
fn frames_end(segment: &[u8]) -> usize {
    let index_offset = || {
        let trailer = read_trailer(segment.len() as u64, segment).ok()?;
        let offset = usize::try_from(trailer.index_offset).ok()?;
        let index = segment.get(offset..segment.len() - TRAILER_BYTES)?;
        read_index(&trailer, index).ok().map(|_| offset)
    };
    index_offset().unwrap_or(segment.len())
}

/// The verified frame whose header begins at `at`.
fn frame_at(segment: &[u8], at: usize, effort: &mut usize) -> Option<IndexEntry> {
    let (header, rest) = segment
        .get(at..)?
        .split_first_chunk::<FRAME_HEADER_BYTES>()?;
    let FrameHeader {
        hash,
        codec,
        stored_bytes,
        bytes,
    } = FrameHeader::decode(header).ok()?;
    let stored = rest.get(..stored_bytes as usize)?;
    *effort = effort.checked_sub(bytes as usize)?;
    let header = FrameHeader {
        hash,
        codec,
        stored_bytes,
        bytes,
    };
    open(&header, stored).ok()?;
    let offset = (at + FRAME_HEADER_BYTES) as u64;
    Some(IndexEntry {
        hash,
        offset,
        stored_bytes,
        bytes,
        codec,
    })
}
