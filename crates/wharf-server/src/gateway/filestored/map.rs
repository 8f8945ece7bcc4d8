//! Between the house's words and filestoraged's.

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use wharf_core::Error;
use wharf_core::transfer::{Known, Place};
use wharf_types::ErrorCode;
use wharf_wire::gateway::filestored::message::{Answer, ChunkInfo, FileInfo};
use wharf_wire::gateway::filestored::{CHUNK_BYTES, encode_data};

/// Where its files go.
pub(super) const FOLDER: &str = "filestored";
const CHUNK: u64 = CHUNK_BYTES as u64;

/// The path of a file by its name. Names with slashes make folders; what no path may be, the house refuses.
pub(super) fn path_of(name: &str) -> String {
    if name.trim_matches('/').is_empty() {
        // Not the folder itself: the root, which the house replaces for nobody.
        return String::new();
    }
    format!("{FOLDER}/{name}")
}

/// What the protocol calls a file's path.
pub(super) fn served_path(digest: &str) -> String {
    format!("/files/{digest}")
}

/// Reads a digest.
pub(super) fn digest(text: &str) -> Option<[u8; 32]> {
    HEXLOWER_PERMISSIVE
        .decode(text.as_bytes())
        .ok()?
        .try_into()
        .ok()
}

/// How many chunks a file has.
pub(super) const fn chunk_count(bytes: u64) -> u64 {
    bytes.div_ceil(CHUNK)
}

/// The number of the chunk in which a byte is.
pub(super) const fn chunk_at(offset_bytes: u64) -> u64 {
    offset_bytes / CHUNK
}

/// Where a chunk begins and how long it is; nothing past the end.
pub(super) fn chunk_range(n: u64, file_bytes: u64) -> Option<(u64, u64)> {
    let offset = n.checked_mul(CHUNK).filter(|offset| *offset < file_bytes)?;
    Some((offset, CHUNK.min(file_bytes - offset)))
}

/// The place of a chunk in its file.
pub(super) const fn place(offset_bytes: u64) -> Place {
    Place::At(offset_bytes)
}

/// A file as it is told.
pub(super) fn file_info(known: &Known) -> FileInfo {
    let node = &known.content.node;
    FileInfo {
        name: node.name.clone(),
        size: known.content.bytes,
        nb_chunks: chunk_count(known.content.bytes),
        digest: HEXLOWER.encode(&known.sha256),
        tags: node.tags.clone(),
    }
}

/// A chunk as it is told; the digest is that of the text, as clients make it.
pub(super) fn chunk(file_digest: String, n: u64, count: u64, bytes: &[u8]) -> Answer {
    let data = encode_data(bytes);
    let digest = sha256_of_text(&data);
    Answer::GetChunk {
        file_digest,
        chunk: ChunkInfo {
            n,
            on: count,
            digest,
        },
        data,
    }
}

/// What a client says that a chunk's text hashes to.
pub(super) fn sha256_of_text(text: &str) -> String {
    let sha256 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    HEXLOWER.encode(sha256.as_ref())
}

/// A refusal of the house about the file that is called `digest`.
pub(super) fn refusal(error: &Error, digest: &str, limit: u64) -> Answer {
    let reason = error.text().to_owned();
    let filedigest = digest.to_owned();
    match error.code() {
        ErrorCode::NotFound => Answer::FileDoesNotExist { filedigest, reason },
        ErrorCode::TooLarge | ErrorCode::OverQuota => Answer::FileTooBig { limit, reason },
        ErrorCode::Denied => Answer::ChunkUploadDenied { filedigest, reason },
        ErrorCode::Unauthenticated => Answer::Authorization { reason },
        ErrorCode::Invalid
        | ErrorCode::Exists
        | ErrorCode::NotEmpty
        | ErrorCode::Locked
        | ErrorCode::Stale
        | ErrorCode::Limited
        | ErrorCode::Unsupported
        | ErrorCode::Unavailable
        | ErrorCode::Corrupt
        | ErrorCode::Cancelled
        | ErrorCode::Internal => Answer::GenericError { reason },
    }
}

/// A refusal that is about no file.
pub(super) fn error(reason: impl Into<String>) -> Answer {
    Answer::GenericError {
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_a_thousand_bytes_and_the_last_one_what_is_left() {
        assert_eq!(
            (chunk_count(0), chunk_count(1), chunk_count(2_500)),
            (0, 1, 3)
        );
        assert_eq!(chunk_range(0, 2_500), Some((0, 1_000)));
        assert_eq!(chunk_range(2, 2_500), Some((2_000, 500)));
        assert_eq!(chunk_range(3, 2_500), None);
        assert_eq!(chunk_range(0, 0), None);
        assert_eq!(chunk_range(u64::MAX, u64::MAX), None);
    }
}
