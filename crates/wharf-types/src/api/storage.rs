//! What a server holds of what it was given.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the server holds, where, and whether it has looked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Storage {
    /// What counts on the quotas of all accounts: files, replaced revisions and trash, each as often as it is in a drive.
    pub used_bytes: u64,
    /// What the segments take: each chunk once, compressed where that helps.
    pub segments_bytes: u64,
    /// Segments, those included that wait to be deleted.
    pub segments_count: u64,
    /// Chunks, those included that wait for compaction.
    pub chunks_count: u64,
    /// The device that the segments are on; absent where the system does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<StorageDevice>,
    /// The scrub, which reads every segment and compares it with its hashes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scrub: Option<ScrubRound>,
}

/// A device that segments are on, with whatever else is on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StorageDevice {
    /// All of it.
    pub bytes: u64,
    /// What the server may still fill.
    pub free_bytes: u64,
}

/// A round of the scrub; absent before the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ScrubRound {
    /// When it began, in milliseconds since the epoch. In the future: the round before has read everything, and this is when
    /// the next one begins.
    pub begins_ms: i64,
    /// For how many days a round is spread.
    pub days: u32,
    /// Segments that it has read so far.
    pub verified_count: u64,
    /// Damage that it has found so far: what was lost, or is not what it was.
    pub findings_count: u64,
}
