//! What several test modules make their input from.

use bytes::Bytes;
use wharf_types::ChunkHash;

use crate::frame::Frame;

/// Bytes that look random and are the same on every machine.
pub(crate) fn noise(seed: u64, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    blake3::Hasher::new()
        .update(&seed.to_le_bytes())
        .finalize_xof()
        .fill(&mut bytes);
    bytes
}

/// Lines of numbers: bytes that zstd shrinks well.
pub(crate) fn text(count: usize) -> Vec<u8> {
    (0_u32..)
        .flat_map(|line| format!("line {line}\n").into_bytes())
        .take(count)
        .collect()
}

pub(crate) fn sealed(bytes: &[u8]) -> Frame {
    Frame::seal(ChunkHash::of(bytes), Bytes::copy_from_slice(bytes))
}
