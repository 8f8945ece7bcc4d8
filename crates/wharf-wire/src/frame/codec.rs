//! From a chunk to its stored form and back.
//!
//! Compressing costs more than everything else that happens to a chunk together, so it is tried only where a sample
//! says that it pays, and given up as soon as it does not.

use std::borrow::Cow;
use std::cell::RefCell;

use bytes::Bytes;
use wharf_types::ChunkHash;
use zstd::bulk::{Compressor, Decompressor};

use super::{Codec, Frame, FrameError, FrameHeader};

/// The fastest regular level: what comes in must keep up with the disk. Compaction may spend more later.
const LEVEL: i32 = 1;
/// Below this not even text gets shorter by what is asked.
const COMPRESSED_BYTES_MIN: usize = 64;
/// Compression must save one part in this many, or each later reader would pay for nothing.
const SAVED_FRACTION: usize = 16;
/// Chunks longer than this are sampled first; for shorter ones a sample would cost as much as the whole.
const SAMPLED_BYTES_MIN: usize = 64 * 1024;
/// A sample is so many pieces of so many bytes, spread over the chunk: one compressible stretch is found, and an
/// incompressible head does not decide for the rest.
const SAMPLE_PIECES: usize = 4;
const SAMPLE_PIECE_BYTES: usize = 4 * 1024;

thread_local! {
    // Making a context costs more than compressing a small chunk, so each thread that works on chunks keeps its own.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

impl Frame {
    /// Makes the frame of a chunk whose hash is known; raw chunks are shared, not copied.
    ///
    /// `bytes` is a chunk: 1 to [`CHUNK_BYTES_MAX`](wharf_types::limit::CHUNK_BYTES_MAX) long. The receiver refuses
    /// others.
    pub fn seal(hash: ChunkHash, bytes: Bytes) -> Self {
        let length = wire_length(bytes.len());
        let (codec, stored) = match compress(&bytes) {
            Some(stored) => (Codec::Zstd, Bytes::from(stored)),
            None => (Codec::Raw, bytes),
        };
        let stored_bytes = wire_length(stored.len());
        Self {
            header: FrameHeader {
                hash,
                codec,
                stored_bytes,
                bytes: length,
            },
            stored,
        }
    }

    /// The chunk's bytes, verified against its hash; those of a raw chunk are shared, not copied.
    ///
    /// # Errors
    /// `Unpack` or `Mismatch`; `Lengths` when the stored form is not as long as the header says.
    pub fn open(&self) -> Result<Bytes, FrameError> {
        match open(&self.header, &self.stored)? {
            Cow::Borrowed(_) => Ok(self.stored.clone()),
            Cow::Owned(bytes) => Ok(Bytes::from(bytes)),
        }
    }
}

/// Returns the bytes of a chunk, verified against its hash.
///
/// # Errors
/// `Lengths`, `Unpack` or `Mismatch`.
pub fn open<'a>(header: &FrameHeader, stored: &'a [u8]) -> Result<Cow<'a, [u8]>, FrameError> {
    header.check()?;
    if stored.len() != header.stored_bytes as usize {
        return Err(FrameError::Lengths {
            stored_bytes: wire_length(stored.len()),
            bytes: header.bytes,
        });
    }
    let bytes = match header.codec {
        Codec::Raw => Cow::Borrowed(stored),
        Codec::Zstd => Cow::Owned(decompress(stored, header.bytes as usize).ok_or(
            FrameError::Unpack {
                bytes: header.bytes,
            },
        )?),
    };
    if ChunkHash::of(&bytes) != header.hash {
        return Err(FrameError::Mismatch { want: header.hash });
    }
    Ok(bytes)
}

/// The compressed form, where it is short enough to be worth it.
fn compress(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.len() < COMPRESSED_BYTES_MIN {
        return None;
    }
    if bytes.len() > SAMPLED_BYTES_MIN {
        let sample = sample(bytes);
        compress_within(&sample, worthwhile(sample.len()))?;
    }
    let mut stored = compress_within(bytes, worthwhile(bytes.len()))?;
    stored.shrink_to_fit();
    Some(stored)
}

/// The longest stored form that is worth it.
fn worthwhile(length: usize) -> usize {
    length - length.div_ceil(SAVED_FRACTION)
}

fn sample(bytes: &[u8]) -> Vec<u8> {
    let stride = (bytes.len() - SAMPLE_PIECE_BYTES) / (SAMPLE_PIECES - 1);
    let pieces = (0..SAMPLE_PIECES)
        .filter_map(|piece| bytes.get(piece * stride..)?.get(..SAMPLE_PIECE_BYTES));
    pieces.collect::<Vec<_>>().concat()
}

/// Compresses into at most `limit` bytes; `None` when they do not suffice.
fn compress_within(bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = Compressor::new(LEVEL).ok();
        }
        let mut stored = Vec::with_capacity(limit);
        // A vector that was given more than it asked for must not let a longer form through.
        slot.as_mut()?
            .compress_to_buffer(bytes, &mut stored)
            .ok()
            .filter(|&length| length <= limit)?;
        Some(stored)
    })
}

/// Decompresses exactly `length` bytes; the buffer bounds what a hostile frame can make of itself.
fn decompress(stored: &[u8], length: usize) -> Option<Vec<u8>> {
    DECOMPRESSOR.with_borrow_mut(|slot| {
        if slot.is_none() {
            *slot = Decompressor::new().ok();
        }
        let mut bytes = Vec::with_capacity(length);
        slot.as_mut()?
            .decompress_to_buffer(stored, &mut bytes)
            .ok()?;
        Some(bytes).filter(|bytes| bytes.len() == length)
    })
}

/// A length for a header. What does not fit is far over every bound and refused for its length.
fn wire_length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
