//! The server as its clients meet it, on both databases.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests stop at the first surprise"
)]

mod accounts;
mod archive;
mod chunks;
mod content;
mod cut;
mod door;
mod drive;
mod gateway;
mod hooks;
mod listen;
mod live;
mod log;
mod openapi;
mod page;
mod people;
mod push;
mod strangers;
mod thumbnail;
mod tls;
mod wait;

use bytes::Bytes;
use wharf_types::ChunkHash;
use wharf_wire::frame::{Frame, FrameWriter};
use wharf_wire::manifest::{Manifest, ManifestChunk, to_base64};

/// `bytes` bytes that no compression shrinks, the same ones for the same seed.
fn noise(seed: u8, bytes: usize) -> Vec<u8> {
    let mut noise = vec![0; bytes];
    blake3::Hasher::new_derive_key("wharf tests")
        .update(&[seed])
        .finalize_xof()
        .fill(&mut noise);
    noise
}

/// Chunks in frames, as an upload carries them.
fn framed(chunks: &[&[u8]]) -> Vec<u8> {
    let mut writer = FrameWriter::default();
    for chunk in chunks {
        writer.push(&Frame::seal(
            ChunkHash::of(chunk),
            Bytes::copy_from_slice(chunk),
        ));
    }
    writer.finish().concat()
}

/// The hashes of chunks, one after another.
fn hashes(chunks: &[&[u8]]) -> Vec<u8> {
    chunks
        .iter()
        .flat_map(|chunk| *ChunkHash::of(chunk).as_bytes())
        .collect()
}

/// The packed manifest of a file of these chunks, in base64.
fn manifest(chunks: &[&[u8]]) -> String {
    let chunk = |chunk: &&[u8]| ManifestChunk {
        hash: ChunkHash::of(chunk),
        bytes: u32::try_from(chunk.len()).unwrap(),
    };
    to_base64(
        &Manifest {
            chunks: chunks.iter().map(chunk).collect(),
        }
        .pack(),
    )
}
