//! A log as a journal: by day, by origin and by tag. Meant for the personal room; works for any.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::log::Entry;

/// Which days of a journal to count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct DaysQuery {
    /// The first day, such as `2026-11-01`.
    pub from: String,
    /// The last day; a year after the first at most.
    pub to: String,
    /// The time zone: a name such as `Europe/Zurich`, or an offset such as `+01:00`; UTC where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

/// Which entries of a journal to read; what is missing does not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct DiaryQuery {
    /// The first day, such as `2026-11-21`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// This day of every year, such as `11-21`, instead of `from` and `to`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day_of_year: Option<String>,
    /// The time zone of the days: a name such as `Europe/Zurich`, or an offset such as `+01:00`; UTC where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Only entries with this tag, without its `#`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// Only the caller's own entries that came from here: a device's name, a door or an address, as [`DiaryOrigin`] says them;
    /// and what old diary clients wrote, by the door `diary` or their address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Only what this key of the journal over UDP wrote: the name or id of one of the caller's own, removed ones included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Only entries past this position; before it, if `newest_first`. What the page before this one gave as `next`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// Most entries, 1,000 at most; 100 where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<u32>,
    /// From the end towards the beginning.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub newest_first: bool,
}

/// What a journal is written out as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DiaryFormat {
    /// A document for people: a heading for each day, the time before each entry.
    #[default]
    Markdown,
    /// For programs: an entry in JSON on each line.
    JsonLines,
}

/// A part of a journal that was written out. The parts one after another are the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DiaryText {
    /// The text.
    pub text: String,
    /// What to send as `after` for the next part; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

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

/// Entries of a journal, in the order that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DiaryPage {
    /// The log's last position when the page was read.
    pub head: u64,
    /// Texts and files that were not recalled, each in its present state.
    pub items: Vec<Entry>,
    /// What to send as `after` for the next page; absent on the last. A page can be short and not be the last.
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
