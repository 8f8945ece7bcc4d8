//! Moving chunks: asking what is missing, and what was taken.
//!
//! Chunks themselves travel in the binary framing of `wharf_wire::frame`, and lists of hashes as 32 bytes each, one after
//! another; docs/protocol/http.md describes both.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ChunkHash;

/// The media type of framed chunks.
pub const CHUNKS_TYPE: &str = "application/vnd.wharf.chunks";
/// The media type of a list of hashes, 32 bytes each.
pub const HASHES_TYPE: &str = "application/vnd.wharf.hashes";

/// What became of an upload of chunks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Uploaded {
    /// Chunks that are durable now, whether they were new or not.
    pub chunks_stored: u32,
    /// Chunks whose bytes did not match their hash; they were not stored and should be sent again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mismatched: Vec<ChunkHash>,
}
