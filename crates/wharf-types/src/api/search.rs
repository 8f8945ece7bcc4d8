//! Search over messages and file names.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::drive::Node;
use super::log::Entry;
use crate::RoomId;

/// What was found, newest first. The index follows the logs and drives; what was written a moment ago may not be in it yet.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Found {
    /// The hits.
    pub items: Vec<Hit>,
    /// What to send as `after` for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One hit.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Hit {
    /// The room that it is in.
    pub room: RoomId,
    /// What it is.
    pub what: HitKind,
    /// The part of the text around the first match.
    pub snippet: String,
    /// Where in `snippet` the matches are: begin and end, in bytes.
    pub matches: Vec<(u32, u32)>,
}

/// What a hit is.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum HitKind {
    /// A text or file of a log, in its present state.
    Entry(Box<Entry>),
    /// A file or folder of a drive.
    Node(Box<Node>),
}
