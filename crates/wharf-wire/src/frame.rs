//! Chunk frames: a chunk as it travels and as it rests in a segment.
//!
//! A frame is a header of [`FRAME_HEADER_BYTES`] and the chunk in its stored form. Numbers are little-endian:
//!
//! | bytes | meaning |
//! | --- | --- |
//! | 32 | BLAKE3-256 of the chunk's bytes |
//! | 1 | codec: 0 raw, 1 zstd; in a download's answer also 254 corrupt and 255 missing |
//! | 3 | zero |
//! | 4 | length of the stored form that follows |
//! | 4 | length of the chunk |
//!
//! The side that has the chunk decides on the codec ([`Frame::seal`]) and every reader verifies ([`Frame::open`]), so
//! a frame goes from a client into a segment and out to another client as it came.

use std::borrow::Cow;
use std::collections::VecDeque;

use bytes::Bytes;
use wharf_types::ChunkHash;
use wharf_types::limit::CHUNK_BYTES_MAX;

/// Length of a frame's header.
pub const FRAME_HEADER_BYTES: usize = 44;

/// How the stored form of a chunk is made from its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Codec {
    /// The bytes themselves.
    Raw = 0,
    /// One zstd frame, shorter than the bytes.
    Zstd = 1,
}

/// What stands before the stored form of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FrameHeader {
    /// Names the chunk.
    pub hash: ChunkHash,
    /// How it is stored.
    pub codec: Codec,
    /// Length of the stored form: that of the chunk when raw, less with zstd.
    pub stored_bytes: u32,
    /// Length of the chunk, from 1 to [`CHUNK_BYTES_MAX`].
    pub bytes: u32,
}

/// A chunk in its stored form. Cloning shares the bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What the chunk is.
    pub header: FrameHeader,
    /// As many bytes as the header says; not verified until [`Frame::open`].
    pub stored: Bytes,
}

/// Why a download does not carry a chunk that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Absence {
    /// Every copy fails its hash.
    Corrupt = 254,
    /// There is no such chunk within the asker's reach.
    Missing = 255,
}

/// One item of a download's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The chunk.
    Chunk(Frame),
    /// Why there is none.
    Absent {
        /// The chunk that was asked for.
        hash: ChunkHash,
        /// Why it is not there.
        absence: Absence,
    },
}

/// Why bytes are not a frame, or a frame not the chunk it claims to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The codec byte has no meaning here.
    #[error("frame has unknown codec {codec}")]
    Codec {
        /// The byte found.
        codec: u8,
    },
    /// The bytes kept for later are not zero.
    #[error("frame has reserved bytes that are not zero")]
    Reserved,
    /// A length is out of bounds or does not fit the codec.
    #[error("frame claims {stored_bytes} stored bytes for a chunk of {bytes}")]
    Lengths {
        /// The stored length it claims.
        stored_bytes: u32,
        /// The chunk's length it claims.
        bytes: u32,
    },
    /// The stored form does not unpack to the length that the header says.
    #[error("frame does not unpack to {bytes} bytes")]
    Unpack {
        /// The length that the header says.
        bytes: u32,
    },
    /// The bytes are not those that the hash names.
    #[error("chunk does not match its hash {want}")]
    Mismatch {
        /// The hash it should have.
        want: ChunkHash,
    },
    /// The stream ended within a frame.
    #[error("stream of frames ends early: {missing_bytes} bytes more were announced")]
    Truncated {
        /// How many bytes are missing at least.
        missing_bytes: usize,
    },
}

impl FrameHeader {
    /// The header's bytes.
    pub fn encode(&self) -> [u8; FRAME_HEADER_BYTES] {
        todo!("first landing: signatures")
    }

    /// Reads and checks a header. `Corrupt` and `Missing` are no codecs here.
    ///
    /// # Errors
    /// `Codec`, `Reserved` or `Lengths`.
    pub fn decode(_header: &[u8; FRAME_HEADER_BYTES]) -> Result<Self, FrameError> {
        todo!("first landing: signatures")
    }
}

impl Frame {
    /// Makes the frame of a chunk whose hash is known; raw chunks are shared, not copied.
    pub fn seal(_hash: ChunkHash, _bytes: Bytes) -> Self {
        todo!("first landing: signatures")
    }

    /// The chunk's bytes, verified against its hash; those of a raw chunk are shared, not copied.
    ///
    /// # Errors
    /// `Unpack` or `Mismatch`; `Lengths` when the stored form is not as long as the header says.
    pub fn open(&self) -> Result<Bytes, FrameError> {
        todo!("first landing: signatures")
    }
}

impl Answer {
    /// The bytes of the answer as parts to be sent one after another.
    pub fn absent(_hash: ChunkHash, _absence: Absence) -> [u8; FRAME_HEADER_BYTES] {
        todo!("first landing: signatures")
    }
}

/// Chooses the stored form of a chunk: zstd where it pays, else the bytes themselves.
pub fn seal(_bytes: &[u8]) -> (Codec, Cow<'_, [u8]>) {
    todo!("first landing: signatures")
}

/// Returns the bytes of a chunk, verified against its hash.
///
/// # Errors
/// `Lengths`, `Unpack` or `Mismatch`.
pub fn open<'a>(_header: &FrameHeader, _stored: &'a [u8]) -> Result<Cow<'a, [u8]>, FrameError> {
    todo!("first landing: signatures")
}

/// Collects frames and headers into parts to be written or sent one after another.
///
/// Small frames are gathered in shared parts; large ones are passed on without copying.
#[derive(Debug, Default)]
pub struct FrameWriter {
    parts: Vec<Bytes>,
}

impl FrameWriter {
    /// Adds a frame.
    pub fn push(&mut self, _frame: &Frame) {
        todo!("first landing: signatures")
    }

    /// Adds the answer that a chunk is not there.
    pub fn push_absent(&mut self, _hash: ChunkHash, _absence: Absence) {
        todo!("first landing: signatures")
    }

    /// Bytes added so far.
    pub fn bytes(&self) -> u64 {
        todo!("first landing: signatures")
    }

    /// The parts, in order.
    pub fn finish(self) -> Vec<Bytes> {
        self.parts
    }
}

/// Splits a stream of frames, given piece by piece.
///
/// A frame that lies within one piece is shared, not copied; one that spans pieces is copied once. At most one
/// unfinished frame and the pieces not yet asked for are held.
#[derive(Debug, Default)]
pub struct FrameDecoder {
    pieces: VecDeque<Bytes>,
}

impl FrameDecoder {
    /// Takes the next piece of the stream.
    pub fn push(&mut self, _piece: Bytes) {
        todo!("first landing: signatures")
    }

    /// The next whole frame; `None` when more pieces are needed. The chunk is not verified yet: see [`Frame::open`].
    ///
    /// # Errors
    /// `Codec`, `Reserved` or `Lengths`; the stream is of no further use then.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        todo!("first landing: signatures")
    }

    /// The next item of a download's answer; `None` when more pieces are needed.
    ///
    /// # Errors
    /// As [`next_frame`](Self::next_frame).
    pub fn next_answer(&mut self) -> Result<Option<Answer>, FrameError> {
        todo!("first landing: signatures")
    }

    /// Says that the stream has ended.
    ///
    /// # Errors
    /// `Truncated` when it ended within a frame.
    pub fn end(&self) -> Result<(), FrameError> {
        let _ = (&self.pieces, CHUNK_BYTES_MAX);
        todo!("first landing: signatures")
    }
}
