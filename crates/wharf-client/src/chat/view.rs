//! What the queries answer with.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use wharf_types::api::contact::{Contact, ContactGroup, Presence};
use wharf_types::api::log::{Draft, Entry};
use wharf_types::api::room::{Person, Room};
use wharf_types::{AccountId, ErrorCode, RoomId};

/// A room in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomView {
    /// The room, with `head`, `read`, `unread`, `mentions` and `last` as this device has them.
    pub room: Room,
    /// What to call it: a group's name, or the own remark or nickname of the other person; "Personal" for the own room.
    pub title: String,
    /// Own texts and files that are not on the server yet, refused ones included.
    pub waiting_count: u32,
    /// When something was said last, or else when the account joined; in milliseconds since the epoch.
    pub active_ms: i64,
}

/// The contacts, and the groups that they are in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContactsView {
    /// Everybody in the list, by title.
    pub items: Vec<ContactView>,
    /// The groups, in their order.
    pub groups: Vec<ContactGroup>,
}

/// Somebody in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactView {
    /// The contact.
    pub contact: Contact,
    /// The own remark, or else the nickname.
    pub title: String,
    /// Whether they are there, as far as it is watched.
    pub presence: Option<Presence>,
}

/// A part of a room's timeline: what is shown of its log, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline {
    /// Texts, files, member and settings entries, each in its present state; recalled ones without a body.
    pub items: Vec<TimelineItem>,
    /// Own texts and files that are not among the entries yet, in the order they were written. Only at the end of a log.
    pub waiting: Vec<Waiting>,
    /// Whether there is more before the first item, here or on the server.
    pub has_older: bool,
    /// Whether what is before the first item has to be fetched first; see `Chat::fetch_older`.
    pub needs_fetch: bool,
    /// Whether there is more after the last item.
    pub has_newer: bool,
}

/// An entry in a timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineItem {
    /// The entry, in its present state.
    pub entry: Entry,
    /// Own edits, recalls, reactions and pins of it that are not on the server yet, in their order.
    pub waiting: Vec<Waiting>,
}

/// An own item of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Its number in the outbox.
    pub id: i64,
    /// Where.
    pub room: RoomId,
    /// What.
    pub what: WaitingKind,
    /// When it was written, in milliseconds since the epoch.
    pub at_ms: i64,
    /// How it stands.
    pub state: WaitingState,
}

/// What waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitingKind {
    /// Something to append.
    Draft(Draft),
    /// A file to upload into the room's drive, and then to hand over.
    Handover(Handover),
}

/// A file to hand over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handover {
    /// The local file, absolute.
    pub source: PathBuf,
    /// Its name in the room's drive, with the folders before it.
    pub target: String,
    /// What is said with it.
    pub text: String,
    /// The entry that it answers.
    pub reply_to: Option<u64>,
    /// How many bytes it has.
    pub bytes: u64,
    /// How many bytes are on the server.
    #[serde(default)]
    pub sent_bytes: u64,
}

/// How an own item stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitingState {
    /// Waits for the server, or for what was written before it.
    Waiting,
    /// It is in the log, at this position; its entry is on the way to this device, or stored.
    Sent {
        /// The position.
        position: u64,
    },
    /// The server will not have it. It stays until it is sent again or discarded.
    Refused {
        /// The kind.
        code: ErrorCode,
        /// For a person.
        detail: String,
    },
}

/// How far somebody has come in a room, as far as this device was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CursorView {
    /// Who.
    pub account: AccountId,
    /// Has read up to here.
    pub read: u64,
    /// Has received up to here.
    pub delivered: u64,
}

/// Which part of a timeline is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Window {
    /// The end of the log.
    #[default]
    Last,
    /// What is just before a position.
    Before(u64),
    /// What follows a position.
    After(u64),
    /// What is around a position: half before it, half from it on.
    Around(u64),
}

/// What this device knows of the account itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// The account.
    pub account: AccountId,
    /// Minutes for which an own entry can be recalled; 0 for ever.
    pub recall_minutes: u32,
    /// Minutes for which an own entry can be edited; 0 for ever.
    pub edit_minutes: u32,
}

/// The name to show for somebody.
pub(super) fn name_of(person: &Person, remark: &str) -> String {
    if remark.is_empty() {
        person.nickname.clone()
    } else {
        remark.to_owned()
    }
}
