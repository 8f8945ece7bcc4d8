//! Segments: immutable objects of many chunks, which carry their own index.
//!
//! Numbers are little-endian:
//!
//! | bytes | meaning |
//! | --- | --- |
//! | 8 | `WHRFSEG1` |
//! | … | the frames, one after another: see [`frame`](crate::frame) |
//! | 52 each | the index, in the order of the frames: hash (32), offset of the stored form (8), its length (4), the chunk's length (4), codec (1), zero (3) |
//! | 56 | the trailer: offset of the index (8), number of chunks (4), version 1 (4), BLAKE3-256 of the index (32), `WHRFEND1` |
//!
//! The index at the end makes the store readable without a database. Where the end is lost, [`scan`] finds the frames.

use std::ops::Range;

use bytes::Bytes;
use wharf_types::ChunkHash;

use crate::frame::{Codec, Frame};

/// Length of a segment's trailer.
pub const TRAILER_BYTES: usize = 56;
/// Length of one entry of a segment's index.
pub const INDEX_ENTRY_BYTES: usize = 52;

/// Where a chunk rests within a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct IndexEntry {
    /// Names the chunk.
    pub hash: ChunkHash,
    /// Where its stored form begins, from the start of the segment.
    pub offset: u64,
    /// Length of the stored form.
    pub stored_bytes: u32,
    /// Length of the chunk.
    pub bytes: u32,
    /// How it is stored.
    pub codec: Codec,
}

/// The end of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trailer {
    /// Where the index lies, from the start of the segment.
    pub index_offset: u64,
    /// Number of chunks.
    pub chunk_count: u32,
    /// BLAKE3-256 of the index.
    pub index_hash: [u8; 32],
}

/// A finished segment.
#[derive(Debug, Clone)]
pub struct Segment {
    /// The object, in parts to be written one after another.
    pub parts: Vec<Bytes>,
    /// Where each chunk rests, in the order they were added.
    pub entries: Vec<IndexEntry>,
    /// Length of the object.
    pub bytes: u64,
}

/// What a scan of a damaged segment found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scanned {
    /// The chunks that are whole, each verified against its hash, in the order they lie.
    pub entries: Vec<IndexEntry>,
    /// What lies between them and belongs to no whole frame.
    pub damaged: Vec<Range<u64>>,
}

/// Why bytes are not (the end of) a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SegmentError {
    /// Too short for a segment.
    #[error("segment ends early: {bytes} bytes")]
    Truncated {
        /// How many bytes there were.
        bytes: u64,
    },
    /// The magic is not where it should be.
    #[error("segment does not end as one")]
    Magic,
    /// Made by a version of the program that this one does not know.
    #[error("segment has version {version}, expected 1")]
    Version {
        /// The version it claims.
        version: u32,
    },
    /// Index and trailer do not fit the object's length.
    #[error("segment's trailer does not fit its length of {bytes} bytes")]
    Layout {
        /// Length of the object.
        bytes: u64,
    },
    /// The index is not the one that the trailer names.
    #[error("segment's index does not match its hash")]
    IndexHash,
    /// An entry of the index describes no frame that could be there.
    #[error("entry {index} of the segment's index is impossible")]
    Entry {
        /// Which entry, from 0.
        index: usize,
    },
    /// One more frame would make the segment too large.
    #[error("segment is full")]
    Full,
}

/// Builds a segment.
#[derive(Debug, Default)]
pub struct SegmentWriter {
    entries: Vec<IndexEntry>,
}

impl SegmentWriter {
    /// Adds a frame that was verified.
    ///
    /// # Errors
    /// `Full` when the segment would pass [`SEGMENT_BYTES_MAX`](wharf_types::limit::SEGMENT_BYTES_MAX); nothing was added.
    pub fn add(&mut self, _frame: &Frame) -> Result<(), SegmentError> {
        todo!("first landing: signatures")
    }

    /// Number of chunks added.
    pub fn chunk_count(&self) -> usize {
        self.entries.len()
    }

    /// Length that the segment would have if it were finished now.
    pub fn bytes(&self) -> u64 {
        todo!("first landing: signatures")
    }

    /// Ends the segment with its index and trailer.
    pub fn finish(self) -> Segment {
        todo!("first landing: signatures")
    }
}

impl IndexEntry {
    /// The header that stands before the stored form.
    pub fn header(&self) -> crate::frame::FrameHeader {
        todo!("first landing: signatures")
    }
}

impl Trailer {
    /// Where the index lies.
    pub fn index_range(&self) -> Range<u64> {
        todo!("first landing: signatures")
    }
}

/// Reads the trailer of a segment of `segment_bytes` from its last bytes: at least [`TRAILER_BYTES`], more do no harm.
///
/// # Errors
/// [`SegmentError`] says what is wrong.
pub fn read_trailer(_segment_bytes: u64, _tail: &[u8]) -> Result<Trailer, SegmentError> {
    todo!("first landing: signatures")
}

/// Reads the index, given the bytes that [`Trailer::index_range`] names.
///
/// # Errors
/// `IndexHash` or `Entry`.
pub fn read_index(_trailer: &Trailer, _index: &[u8]) -> Result<Vec<IndexEntry>, SegmentError> {
    todo!("first landing: signatures")
}

/// Finds the whole frames of a segment whose index cannot be trusted, verifying each against its hash.
pub fn scan(_segment: &[u8]) -> Scanned {
    todo!("first landing: signatures")
}
