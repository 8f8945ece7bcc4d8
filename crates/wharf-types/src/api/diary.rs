//! A log as a journal: by day, by origin and by tag. Meant for the personal room; works for any.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::log::Entry;

/// The days of a month, or of any other span, that have entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DiaryDays {
    /// The days, in order.
    pub items: Vec<DiaryDay>,
}

/// A day with entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DiaryDay {
    /// As `2026-11-21`, in the time zone that was asked for.
    pub day: String,
    /// How many texts and files it has.
    pub count: u32,
}

/// Entries of a journal, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DiaryPage {
    /// The log's last position when the page was read.
    pub head: u64,
    /// Texts and files that were not recalled, each in its present state.
    pub items: Vec<Entry>,
    /// What to send as `after` for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// A tag of a journal: a word after `#`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DiaryTag {
    /// Without the `#`, in lower case.
    pub tag: String,
    /// How many entries have it.
    pub count: u32,
}

/// The tags of a journal, the most used ones first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DiaryTags {
    /// The tags.
    pub items: Vec<DiaryTag>,
}

/// A place that entries of a journal came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DiaryOrigin {
    /// The device's name, where the login is still there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The door.
    pub door: String,
    /// The address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// How many entries.
    pub count: u32,
}

/// The places that entries came from, the most used ones first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DiaryOrigins {
    /// The places.
    pub items: Vec<DiaryOrigin>,
}
