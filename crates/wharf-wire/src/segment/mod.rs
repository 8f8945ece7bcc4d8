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
//! The index at the end makes the store readable without a database. Where the end is lost, [`scan()`] finds the frames.

mod scan;

use std::ops::Range;

use bytes::Bytes;
use wharf_types::ChunkHash;
use wharf_types::limit::SEGMENT_BYTES_MAX;

use crate::frame::{Codec, FRAME_HEADER_BYTES, Frame, FrameHeader, FrameWriter};

pub use scan::{Scanned, scan};

const MAGIC_START: &[u8; 8] = b"WHRFSEG1";
const MAGIC_END: &[u8; 8] = b"WHRFEND1";
const VERSION: u32 = 1;

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
#[derive(Debug)]
pub struct SegmentWriter {
    frames: FrameWriter,
    entries: Vec<IndexEntry>,
}

impl Default for SegmentWriter {
    fn default() -> Self {
        let mut frames = FrameWriter::default();
        frames.push_bytes(MAGIC_START);
        Self {
            frames,
            entries: Vec::new(),
        }
    }
}

impl SegmentWriter {
    /// Adds a frame that was verified.
    ///
    /// # Errors
    /// `Full` when the segment would pass [`SEGMENT_BYTES_MAX`]; nothing was added.
    pub fn add(&mut self, frame: &Frame) -> Result<(), SegmentError> {
        let added = FRAME_HEADER_BYTES + frame.stored.len() + INDEX_ENTRY_BYTES;
        if self.bytes() + added as u64 > SEGMENT_BYTES_MAX {
            return Err(SegmentError::Full);
        }
        let offset = self.frames.bytes() + FRAME_HEADER_BYTES as u64;
        let FrameHeader {
            hash,
            codec,
            stored_bytes,
            bytes,
        } = frame.header;
        self.frames.push(frame);
        self.entries.push(IndexEntry {
            hash,
            offset,
            stored_bytes,
            bytes,
            codec,
        });
        Ok(())
    }

    /// Number of chunks added.
    pub fn chunk_count(&self) -> usize {
        self.entries.len()
    }

    /// Length that the segment would have if it were finished now.
    pub fn bytes(&self) -> u64 {
        self.frames.bytes() + (self.entries.len() * INDEX_ENTRY_BYTES + TRAILER_BYTES) as u64
    }

    /// Ends the segment with its index and trailer.
    pub fn finish(self) -> Segment {
        let Self {
            mut frames,
            entries,
        } = self;
        let mut index = Vec::with_capacity(entries.len() * INDEX_ENTRY_BYTES);
        for entry in &entries {
            entry.encode_into(&mut index);
        }
        let trailer = Trailer {
            index_offset: frames.bytes(),
            // Bounded by the length of a segment.
            chunk_count: u32::try_from(entries.len()).unwrap_or(u32::MAX),
            index_hash: *blake3::hash(&index).as_bytes(),
        };
        frames.push_bytes(&index);
        frames.push_bytes(&trailer.encode());
        let bytes = frames.bytes();
        Segment {
            parts: frames.finish(),
            entries,
            bytes,
        }
    }
}

impl IndexEntry {
    /// The header that stands before the stored form.
    pub fn header(&self) -> FrameHeader {
        let Self {
            hash,
            codec,
            stored_bytes,
            bytes,
            ..
        } = *self;
        FrameHeader {
            hash,
            codec,
            stored_bytes,
            bytes,
        }
    }

    /// Where the stored form ends, from the start of the segment.
    pub fn end(&self) -> u64 {
        self.offset + u64::from(self.stored_bytes)
    }

    fn encode_into(&self, index: &mut Vec<u8>) {
        index.extend_from_slice(self.hash.as_bytes());
        index.extend_from_slice(&self.offset.to_le_bytes());
        index.extend_from_slice(&self.stored_bytes.to_le_bytes());
        index.extend_from_slice(&self.bytes.to_le_bytes());
        index.extend_from_slice(&[self.codec as u8, 0, 0, 0]);
    }

    /// Reads an entry; `None` when it describes no frame.
    fn decode(entry: &[u8; INDEX_ENTRY_BYTES]) -> Option<Self> {
        let (hash, rest) = entry.split_first_chunk::<32>()?;
        let (offset, rest) = rest.split_first_chunk::<8>()?;
        let (stored_bytes, rest) = rest.split_first_chunk::<4>()?;
        let (bytes, rest) = rest.split_first_chunk::<4>()?;
        let [codec, 0, 0, 0] = *rest else { return None };
        let entry = Self {
            hash: ChunkHash::from_bytes(*hash),
            offset: u64::from_le_bytes(*offset),
            stored_bytes: u32::from_le_bytes(*stored_bytes),
            bytes: u32::from_le_bytes(*bytes),
            codec: Codec::from_u8(codec).ok()?,
        };
        entry.header().check().ok()?;
        Some(entry)
    }
}

impl Trailer {
    /// Where the index lies, from the start of the segment.
    pub fn index_range(&self) -> Range<u64> {
        self.index_offset
            ..self.index_offset + u64::from(self.chunk_count) * INDEX_ENTRY_BYTES as u64
    }

    fn encode(&self) -> [u8; TRAILER_BYTES] {
        let mut trailer = [0; TRAILER_BYTES];
        let (offset, rest) = trailer.split_at_mut(8);
        offset.copy_from_slice(&self.index_offset.to_le_bytes());
        let (count, rest) = rest.split_at_mut(4);
        count.copy_from_slice(&self.chunk_count.to_le_bytes());
        let (version, rest) = rest.split_at_mut(4);
        version.copy_from_slice(&VERSION.to_le_bytes());
        let (hash, magic) = rest.split_at_mut(32);
        hash.copy_from_slice(&self.index_hash);
        magic.copy_from_slice(MAGIC_END);
        trailer
    }
}

/// Reads the trailer of a segment of `segment_bytes` from its last bytes: at least [`TRAILER_BYTES`], more do no harm.
///
/// # Errors
/// `Truncated`, `Magic`, `Version` or `Layout`.
pub fn read_trailer(segment_bytes: u64, tail: &[u8]) -> Result<Trailer, SegmentError> {
    let truncated = SegmentError::Truncated {
        bytes: segment_bytes.min(tail.len() as u64),
    };
    if segment_bytes < (MAGIC_START.len() + TRAILER_BYTES) as u64 {
        return Err(truncated);
    }
    let trailer = tail.last_chunk::<TRAILER_BYTES>().ok_or(truncated)?;
    let (offset, rest) = trailer.split_first_chunk::<8>().ok_or(truncated)?;
    let (count, rest) = rest.split_first_chunk::<4>().ok_or(truncated)?;
    let (version, rest) = rest.split_first_chunk::<4>().ok_or(truncated)?;
    let (index_hash, magic) = rest.split_first_chunk::<32>().ok_or(truncated)?;
    if magic != MAGIC_END {
        return Err(SegmentError::Magic);
    }
    let version = u32::from_le_bytes(*version);
    if version != VERSION {
        return Err(SegmentError::Version { version });
    }
    let index_offset = u64::from_le_bytes(*offset);
    let chunk_count = u32::from_le_bytes(*count);
    let index_bytes = u64::from(chunk_count) * INDEX_ENTRY_BYTES as u64;
    let end = index_offset.checked_add(index_bytes + TRAILER_BYTES as u64);
    if end != Some(segment_bytes) || segment_bytes > SEGMENT_BYTES_MAX {
        return Err(SegmentError::Layout {
            bytes: segment_bytes,
        });
    }
    Ok(Trailer {
        index_offset,
        chunk_count,
        index_hash: *index_hash,
    })
}

/// Reads the index, given the bytes that [`Trailer::index_range`] names.
///
/// The entries are known to describe frames that follow one another without a gap; what lies in them is verified when
/// it is read.
///
/// # Errors
/// `Truncated`, `IndexHash` or `Entry`.
pub fn read_index(trailer: &Trailer, index: &[u8]) -> Result<Vec<IndexEntry>, SegmentError> {
    let (entries, rest) = index.as_chunks::<INDEX_ENTRY_BYTES>();
    if entries.len() != trailer.chunk_count as usize || !rest.is_empty() {
        return Err(SegmentError::Truncated {
            bytes: index.len() as u64,
        });
    }
    if *blake3::hash(index).as_bytes() != trailer.index_hash {
        return Err(SegmentError::IndexHash);
    }
    let mut read = Vec::with_capacity(entries.len());
    let mut frame_offset = MAGIC_START.len() as u64;
    for (index, bytes) in entries.iter().enumerate() {
        let entry = IndexEntry::decode(bytes).ok_or(SegmentError::Entry { index })?;
        if entry.offset != frame_offset + FRAME_HEADER_BYTES as u64 {
            return Err(SegmentError::Entry { index });
        }
        frame_offset = entry.end();
        read.push(entry);
    }
    if frame_offset != trailer.index_offset {
        return Err(SegmentError::Entry {
            index: entries.len(),
        });
    }
    Ok(read)
}

#[cfg(test)]
mod tests;
