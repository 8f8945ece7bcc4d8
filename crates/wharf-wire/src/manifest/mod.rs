//! Manifests: the ordered list of chunks that is a file.
//!
//! Packed form, all numbers little-endian:
//!
//! | bytes | meaning |
//! | --- | --- |
//! | 1 | version, 1 |
//! | 4 | number of chunks; 0 for an empty file |
//! | 36 each | BLAKE3-256 of the chunk's bytes (32), their number (4), from 1 to [`CHUNK_BYTES_MAX`] |
//!
//! There is one packed form of each list, so its BLAKE3-256 names the content of the file.

use std::ops::Range;

use data_encoding::BASE64;
use wharf_types::limit::{CHUNK_BYTES_MAX, FILE_BYTES_MAX, MANIFEST_CHUNKS_MAX};
use wharf_types::{ChunkHash, ContentHash};

const VERSION: u8 = 1;
const HEAD_BYTES: usize = 5;
const ENTRY_BYTES: usize = 36;

/// Why bytes are not a packed manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidManifest {
    /// Shorter than its head says, or than a head.
    #[error("manifest ends early: {bytes} bytes")]
    Truncated {
        /// How many bytes there were.
        bytes: usize,
    },
    /// Longer than its head says.
    #[error("manifest goes on after its last chunk at byte {at}")]
    TrailingBytes {
        /// Where it should have ended.
        at: usize,
    },
    /// Made by a version of the program that this one does not know.
    #[error("manifest has version {version}, expected {VERSION}")]
    Version {
        /// The version it claims.
        version: u8,
    },
    /// Over [`MANIFEST_CHUNKS_MAX`].
    #[error("manifest has {count} chunks, over {MANIFEST_CHUNKS_MAX}")]
    TooManyChunks {
        /// How many it claims.
        count: u64,
    },
    /// A chunk is empty or over [`CHUNK_BYTES_MAX`].
    #[error("chunk {index} of the manifest has {bytes} bytes, not 1 to {CHUNK_BYTES_MAX}")]
    ChunkBytes {
        /// Which chunk, from 0.
        index: usize,
        /// The length it claims.
        bytes: u32,
    },
    /// The whole is over [`FILE_BYTES_MAX`].
    #[error("manifest describes a file of more than {FILE_BYTES_MAX} bytes")]
    FileTooLarge,
    /// The text is not base64 in the standard alphabet with padding.
    #[error("manifest is not base64 at character {at}")]
    Base64 {
        /// The offset of the first wrong character.
        at: usize,
    },
}

/// One chunk of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ManifestChunk {
    /// Names the chunk.
    pub hash: ChunkHash,
    /// Its length, from 1 to [`CHUNK_BYTES_MAX`].
    pub bytes: u32,
}

/// The ordered list of chunks that is a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Manifest {
    /// In the order of the file; none for an empty file.
    pub chunks: Vec<ManifestChunk>,
}

/// A part of one chunk: see [`Manifest::spans`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Which chunk of the manifest.
    pub index: usize,
    /// Where in the chunk the part begins.
    pub offset_bytes: u32,
    /// Its length, at least 1.
    pub bytes: u32,
}

impl Manifest {
    /// Reads the packed form.
    ///
    /// # Errors
    /// [`InvalidManifest`] says which bound or rule is broken. Nothing is allocated before the length is checked.
    pub fn unpack(packed: &[u8]) -> Result<Self, InvalidManifest> {
        let truncated = InvalidManifest::Truncated {
            bytes: packed.len(),
        };
        let (head, entries) = packed.split_first_chunk::<HEAD_BYTES>().ok_or(truncated)?;
        let [version, count @ ..] = *head;
        if version != VERSION {
            return Err(InvalidManifest::Version { version });
        }
        let count = u32::from_le_bytes(count) as usize;
        if count > MANIFEST_CHUNKS_MAX {
            return Err(InvalidManifest::TooManyChunks {
                count: count as u64,
            });
        }
        let entries_bytes = count * ENTRY_BYTES;
        if entries.len() < entries_bytes {
            return Err(truncated);
        }
        if entries.len() > entries_bytes {
            return Err(InvalidManifest::TrailingBytes {
                at: HEAD_BYTES + entries_bytes,
            });
        }
        let (entries, _) = entries.as_chunks::<ENTRY_BYTES>();
        let chunks = entries.iter().map(unpack_chunk).collect();
        let manifest = Self { chunks };
        manifest.check()?;
        Ok(manifest)
    }

    /// The packed form: what is stored, sent and named.
    pub fn pack(&self) -> Vec<u8> {
        let mut packed = Vec::with_capacity(HEAD_BYTES + self.chunks.len() * ENTRY_BYTES);
        packed.push(VERSION);
        // A list that does not fit is over every bound, and fails to unpack for its length.
        let count = u32::try_from(self.chunks.len()).unwrap_or(u32::MAX);
        packed.extend_from_slice(&count.to_le_bytes());
        for chunk in &self.chunks {
            packed.extend_from_slice(chunk.hash.as_bytes());
            packed.extend_from_slice(&chunk.bytes.to_le_bytes());
        }
        packed
    }

    /// Checks the bounds that [`unpack`](Self::unpack) checks, for a list that was made here.
    ///
    /// # Errors
    /// `TooManyChunks`, `ChunkBytes` or `FileTooLarge`.
    pub fn check(&self) -> Result<(), InvalidManifest> {
        let count = self.chunks.len();
        if count > MANIFEST_CHUNKS_MAX {
            return Err(InvalidManifest::TooManyChunks {
                count: count as u64,
            });
        }
        for (index, chunk) in self.chunks.iter().enumerate() {
            if chunk.bytes == 0 || chunk.bytes as usize > CHUNK_BYTES_MAX {
                return Err(InvalidManifest::ChunkBytes {
                    index,
                    bytes: chunk.bytes,
                });
            }
        }
        if self.bytes() > FILE_BYTES_MAX {
            return Err(InvalidManifest::FileTooLarge);
        }
        Ok(())
    }

    /// The length of the file.
    pub fn bytes(&self) -> u64 {
        self.chunks.iter().map(|chunk| u64::from(chunk.bytes)).sum()
    }

    /// The name of the file's content. Where the packed form is at hand, [`content_of_packed`] spares packing again.
    pub fn content(&self) -> ContentHash {
        content_of_packed(&self.pack())
    }

    /// The parts of chunks that make up `range` of the file, in order.
    ///
    /// What lies past the end of the file is left out.
    pub fn spans(&self, range: Range<u64>) -> Vec<Span> {
        let mut spans = Vec::new();
        let mut start = 0_u64;
        for (index, chunk) in self.chunks.iter().enumerate() {
            if start >= range.end {
                break;
            }
            let end = start + u64::from(chunk.bytes);
            let from = range.start.max(start);
            let to = range.end.min(end);
            if let (Ok(offset_bytes), Some(bytes @ 1..)) = (
                u32::try_from(from - start),
                to.checked_sub(from)
                    .and_then(|bytes| u32::try_from(bytes).ok()),
            ) {
                spans.push(Span {
                    index,
                    offset_bytes,
                    bytes,
                });
            }
            start = end;
        }
        spans
    }
}

/// The name of the content whose packed manifest this is.
pub fn content_of_packed(packed: &[u8]) -> ContentHash {
    ContentHash::of(packed)
}

/// A packed manifest as text for JSON: base64 in the standard alphabet, padded.
pub fn to_base64(packed: &[u8]) -> String {
    BASE64.encode(packed)
}

/// The packed manifest that a text from JSON holds; [`Manifest::unpack`] still has to check it.
///
/// # Errors
/// `Base64` when the text is something else.
pub fn from_base64(text: &str) -> Result<Vec<u8>, InvalidManifest> {
    // The library also takes padded texts one after another.
    if let Some(at) = text.trim_end_matches('=').find('=') {
        return Err(InvalidManifest::Base64 { at });
    }
    BASE64
        .decode(text.as_bytes())
        .map_err(|error| InvalidManifest::Base64 { at: error.position })
}

fn unpack_chunk(entry: &[u8; ENTRY_BYTES]) -> ManifestChunk {
    let [hash @ .., a, b, c, d] = *entry;
    ManifestChunk {
        hash: ChunkHash::from_bytes(hash),
        bytes: u32::from_le_bytes([a, b, c, d]),
    }
}

#[cfg(test)]
mod tests;
