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

mod codec;
mod stream;

use bytes::Bytes;
use wharf_types::ChunkHash;
use wharf_types::limit::CHUNK_BYTES_MAX;

pub use codec::open;
pub use stream::{FrameDecoder, FrameWriter};

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
        encode(self.hash, self.codec as u8, self.stored_bytes, self.bytes)
    }

    /// Reads and checks a header. `Corrupt` and `Missing` are no codecs here.
    ///
    /// # Errors
    /// `Codec`, `Reserved` or `Lengths`.
    pub fn decode(header: &[u8; FRAME_HEADER_BYTES]) -> Result<Self, FrameError> {
        Fields::of(header).header()
    }

    /// Checks what [`decode`](Self::decode) checks, for a header that was made here or read from a database.
    ///
    /// # Errors
    /// `Lengths`.
    pub fn check(&self) -> Result<(), FrameError> {
        let fits_codec = match self.codec {
            Codec::Raw => self.stored_bytes == self.bytes,
            Codec::Zstd => (1..self.bytes).contains(&self.stored_bytes),
        };
        if fits_codec && (1..=CHUNK_BYTES_MAX).contains(&(self.bytes as usize)) {
            Ok(())
        } else {
            Err(FrameError::Lengths {
                stored_bytes: self.stored_bytes,
                bytes: self.bytes,
            })
        }
    }
}

impl Codec {
    /// The codec of a stored or sent byte.
    ///
    /// # Errors
    /// `FrameError::Codec` when the byte means none.
    pub(crate) fn from_u8(codec: u8) -> Result<Self, FrameError> {
        match codec {
            0 => Ok(Self::Raw),
            1 => Ok(Self::Zstd),
            _ => Err(FrameError::Codec { codec }),
        }
    }
}

/// A header as it lies there, nothing checked.
struct Fields {
    hash: ChunkHash,
    codec: u8,
    reserved: [u8; 3],
    stored_bytes: u32,
    bytes: u32,
}

impl Fields {
    fn of(header: &[u8; FRAME_HEADER_BYTES]) -> Self {
        let [hash @ .., codec, x, y, z, s0, s1, s2, s3, b0, b1, b2, b3] = *header;
        Self {
            hash: ChunkHash::from_bytes(hash),
            codec,
            reserved: [x, y, z],
            stored_bytes: u32::from_le_bytes([s0, s1, s2, s3]),
            bytes: u32::from_le_bytes([b0, b1, b2, b3]),
        }
    }

    fn header(&self) -> Result<FrameHeader, FrameError> {
        let codec = Codec::from_u8(self.codec)?;
        if self.reserved != [0; 3] {
            return Err(FrameError::Reserved);
        }
        let header = FrameHeader {
            hash: self.hash,
            codec,
            stored_bytes: self.stored_bytes,
            bytes: self.bytes,
        };
        header.check()?;
        Ok(header)
    }

    fn absence(&self) -> Result<Option<Absence>, FrameError> {
        let absence = match self.codec {
            254 => Absence::Corrupt,
            255 => Absence::Missing,
            _ => return Ok(None),
        };
        if self.reserved != [0; 3] {
            return Err(FrameError::Reserved);
        }
        if (self.stored_bytes, self.bytes) != (0, 0) {
            return Err(FrameError::Lengths {
                stored_bytes: self.stored_bytes,
                bytes: self.bytes,
            });
        }
        Ok(Some(absence))
    }
}

fn encode(hash: ChunkHash, codec: u8, stored_bytes: u32, bytes: u32) -> [u8; FRAME_HEADER_BYTES] {
    let mut header = [0; FRAME_HEADER_BYTES];
    let fields = [
        hash.as_bytes().as_slice(),
        &[codec, 0, 0, 0],
        &stored_bytes.to_le_bytes(),
        &bytes.to_le_bytes(),
    ];
    let mut rest = header.as_mut_slice();
    for field in fields {
        let (place, after) = rest.split_at_mut(field.len());
        place.copy_from_slice(field);
        rest = after;
    }
    header
}

#[cfg(test)]
mod tests;
