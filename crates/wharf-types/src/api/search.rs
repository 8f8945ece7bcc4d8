//! Search over messages and file names.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::drive::Node;
use super::log::Entry;
use crate::RoomId;

/// What is searched for, in the rooms that the caller is a member of.
///
/// Words of `q` are all wanted, in any order; `"words in quotes"` in this order; `word*` is the beginning of one, of two
/// letters at least; `-word` is not wanted. Letter case and accents do not matter. In scripts without spaces every part of
/// a text is found. Beside words: `from:` (`me`, a username, a number, or the caller's own name for a contact), `in:` (a
/// room's name, a contact's, or `home`), `has:` (`file`, `image`, `film`, `sound`, `link`, `tag`), `#tag`, and `before:`,
/// `after:` (from that day on) and `on:` with a day such as `2026-11-21`. A value with spaces stands in quotes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct SearchQuery {
    /// What to look for, 500 bytes at most.
    #[param(max_length = 500)]
    pub q: String,
    /// Only this room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<RoomId>,
    /// The time zone of the days in `q`: a name such as `Europe/Zurich`, or an offset such as `+01:00`; UTC where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// What the page before this one gave as `next`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Most hits, 100 at most; 20 where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
}

/// What was found, newest first. The index follows the logs and drives; what was written a moment ago may not be in it yet.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Found {
    /// The hits.
    pub items: Vec<Hit>,
    /// What to send as `after` for the next page; absent on the last. A page can be short, or empty, and not be the last:
    /// one search does a bounded amount of work.
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
#[serde(tag = "item", rename_all = "snake_case")]
pub enum HitKind {
    /// A text or file of a log, in its present state.
    Entry(Box<Entry>),
    /// A file or folder of a drive.
    Node(Box<Node>),
}
