//! A room's log: entries at dense positions, what can be appended, and what has become of an entry since.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    AccountId, ContentHash, DeviceId, EntryHash, ErrorCode, HookId, NodeId, RoomId, SessionId,
};

/// What an entry says. A log holds nothing else: edits, recalls and member changes are entries too, about a `target`
/// before them, so that everybody sees everything in one order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Body {
    /// Something said.
    Text(Text),
    /// A file of the room's drive, handed over.
    File(File),
    /// Another text for an entry of the same author; the ones before stay readable.
    Edit(Edit),
    /// Takes an entry back: its text, and those of its edits, are erased.
    Recall(Recall),
    /// Sets or takes away one account's reaction to an entry.
    Reaction(Reaction),
    /// Pins an entry or takes the pin away.
    Pin(Pin),
    /// Somebody came, went, or changed role.
    Member(Member),
    /// The room's name, topic or rules changed.
    Settings(Settings),
}

/// Something said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Text {
    /// CommonMark, 1 byte to 64 KiB.
    pub text: String,
    /// The entry that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<u64>,
    /// Whom it mentions.
    #[serde(default, skip_serializing_if = "Mentions::is_empty")]
    pub mentions: Mentions,
}

/// Whom an entry mentions. Mentioning somebody who is no member says nothing to them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Mentions {
    /// Accounts, 100 at most, sorted, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<AccountId>,
    /// Everybody in the room.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub everybody: bool,
}

/// A file of the room's drive at one of its revisions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct File {
    /// The node.
    pub node: NodeId,
    /// Its revision; fetch it with `GET /rooms/{room}/content`.
    pub revision: u64,
    /// Its name when it was handed over.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Names its content.
    pub content: ContentHash,
    /// Width and height of an image or film in pixels, as the sender's client says; so a list can keep its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<(u32, u32)>,
    /// What the sender says with it; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// The entry that it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<u64>,
    /// Whom `text` mentions.
    #[serde(default, skip_serializing_if = "Mentions::is_empty")]
    pub mentions: Mentions,
}

/// Another text for an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Edit {
    /// The text or file entry.
    pub target: u64,
    /// What it says now.
    pub text: String,
    /// Whom it mentions now.
    #[serde(default, skip_serializing_if = "Mentions::is_empty")]
    pub mentions: Mentions,
}

/// Takes an entry back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Recall {
    /// The text or file entry.
    pub target: u64,
}

/// A reaction to an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reaction {
    /// The text or file entry.
    pub target: u64,
    /// An emoji, or any short text of 64 bytes at most.
    pub emoji: String,
    /// Whether it is set or taken away.
    pub is_set: bool,
}

/// A pin on an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Pin {
    /// The text or file entry.
    pub target: u64,
    /// Whether it is set or taken away.
    pub is_set: bool,
}

/// A change of who is in the room. The entry's author did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Member {
    /// Whom it is about.
    pub account: AccountId,
    /// What happened.
    pub change: MemberChange,
    /// The role afterwards; absent for who is no member any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<super::room::Role>,
}

/// What happened to a membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MemberChange {
    /// Came in, with the room or by an invitation or a link.
    Joined,
    /// Went.
    Left,
    /// Was removed.
    Removed,
    /// Has another role; `owner` means that the room was handed over.
    Role,
}

/// A change of the room itself; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Settings {
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// What who joins later sees of the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<super::room::History>,
    /// Days that entries are kept; 0 keeps them all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_days: Option<u32>,
    /// Whether it is archived: it can be read and not written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
}

/// What a member asks to append. The server makes the entry's [`Body`] of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Draft {
    /// Says something.
    Text(Text),
    /// Hands over a file that is in the room's drive.
    File(FileDraft),
    /// Changes the text of an own entry, within the server's time for it.
    Edit(Edit),
    /// Takes back an own entry within the server's time for it; an owner takes back any.
    Recall(Recall),
    /// Reacts.
    Reaction(Reaction),
    /// Pins.
    Pin(Pin),
}

/// Hands over a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileDraft {
    /// A file of the room's drive.
    pub node: NodeId,
    /// Its revision; the present one where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// As in [`File`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<(u32, u32)>,
    /// As in [`File`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// As in [`File`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<u64>,
    /// As in [`File`].
    #[serde(default, skip_serializing_if = "Mentions::is_empty")]
    pub mentions: Mentions,
}

/// Appends to a room's log, once: the same `device` and `number` again, with the same room, draft and `client_ms`, is
/// answered with the first answer, for ever; with another of them it is refused with `stale`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Append {
    /// The sending installation. For single appends that need no order among them, a new id each time.
    pub device: DeviceId,
    /// 1 for what the device sends first, then 2, 3 …, over all rooms. A gap is refused with `stale`, so that a device's
    /// entries cannot overtake each other. A refusal uses its number up, unless it is `limited`, `unavailable`,
    /// `unauthenticated` or `internal`.
    pub number: u64,
    /// What to append.
    pub draft: Draft,
    /// The sender's time, in milliseconds since the epoch; recorded, never used for anything but telling what is sent
    /// again from what is new, so a device that sends again sends the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ms: Option<i64>,
}

/// An entry that is on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Appended {
    /// The room.
    pub room: RoomId,
    /// Its position.
    pub position: u64,
    /// When the server recorded it, in milliseconds since the epoch.
    pub at_ms: i64,
    /// The end of the log's chain there.
    pub hash: EntryHash,
    /// Whether it was appended before, and this is the first answer again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeated: bool,
}

/// Who appended an entry, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Origin {
    /// The device's login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The door that it came through: `http`, or a gateway's name.
    pub door: String,
    /// The address that it came from; only the author is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// One item of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Entry {
    /// 1, 2, 3 … without gaps.
    pub position: u64,
    /// When the server recorded it, in milliseconds since the epoch. Order comes from `position`, never from this.
    pub at_ms: i64,
    /// The author; absent for a webhook and for the server itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// The webhook that posted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook: Option<HookId>,
    /// The author's name where there is no account to ask for it: a webhook's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How it came.
    pub origin: Origin,
    /// The sender's time, in milliseconds since the epoch; may be any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ms: Option<i64>,
    /// How many entries up to this one count as unread for who has not seen them: texts and files.
    pub countable: u64,
    /// The end of the log's chain at this entry.
    pub hash: EntryHash,
    /// What it says; absent once it was erased: recalled, or an edit of what was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    /// What became of it, in answers that say a `head`: as of that head. Apply only entries past that head to it.
    #[serde(default, skip_serializing_if = "EntryState::is_initial")]
    pub state: EntryState,
}

/// What later entries made of an entry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EntryState {
    /// The last edit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited: Option<Edited>,
    /// The entry that recalled it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recalled: Option<u64>,
    /// The entry that pinned it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<u64>,
    /// Reactions that hold, in the order they were set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<SetReaction>,
}

/// The last edit of an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Edited {
    /// The position of the edit.
    pub position: u64,
    /// When, in milliseconds since the epoch.
    pub at_ms: i64,
    /// What the entry says now.
    pub text: String,
    /// Whom it mentions now.
    #[serde(default, skip_serializing_if = "Mentions::is_empty")]
    pub mentions: Mentions,
}

/// A reaction that holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SetReaction {
    /// Whose.
    pub account: AccountId,
    /// What.
    pub emoji: String,
    /// The entry that set it.
    pub position: u64,
}

/// Entries of a log, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogPage {
    /// The log's last position when the page was read; the states of the entries are as of it.
    pub head: u64,
    /// The chain's end there.
    pub head_hash: EntryHash,
    /// The last position that the caller cannot read: kept no longer, or before the caller joined. The first entry
    /// to be had is the one after it.
    pub floor: u64,
    /// The entries, by position, without gaps.
    pub items: Vec<Entry>,
}

/// An entry with all that was made of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EntryHistory {
    /// The log's last position when it was read.
    pub head: u64,
    /// The entry.
    pub entry: Entry,
    /// Its edits, oldest first.
    pub edits: Vec<Edited>,
    /// Who has read it, among the members.
    pub read_by: Vec<AccountId>,
}

/// A position that a device or account has reached. Going back is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reach {
    /// The position.
    pub position: u64,
}

/// A position that a device has stored a log up to. Going back is ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceReach {
    /// The device.
    pub device: DeviceId,
    /// The position.
    pub position: u64,
}

/// How far a device has numbered what it sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SentUpTo {
    /// The greatest number that it has used; 0 for none. The next one is one more.
    pub number: u64,
}

/// How far the members of a room have come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Cursors {
    /// One for each member.
    pub items: Vec<MemberCursor>,
}

/// How far a member has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberCursor {
    /// The member.
    pub account: AccountId,
    /// Has read up to here, on some device.
    pub read: u64,
    /// Has received up to here, on the device that is furthest.
    pub delivered: u64,
}

/// What was wrong with a log's chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogFault {
    /// The room.
    pub room: RoomId,
    /// The first position that is wrong.
    pub position: u64,
    /// What is wrong with it, for the operator.
    pub detail: String,
}

/// The outcome of one append of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AppendOutcome {
    /// It is on disk.
    Appended(Appended),
    /// It was refused.
    Refused(Refused),
}

/// Why an append was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Refused {
    /// The kind. `stale` with `expected` set: this number is expected next; without it: the number was used for
    /// something else, so the device id is shared and a new one is needed.
    pub code: ErrorCode,
    /// For a person.
    pub detail: String,
    /// The number that is expected next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<u64>,
    /// Milliseconds to wait before trying again, for `limited`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl Mentions {
    /// Whether nobody is mentioned.
    pub fn is_empty(&self) -> bool {
        !self.everybody && self.accounts.is_empty()
    }

    /// Whether `account` is meant.
    pub fn includes(&self, account: AccountId) -> bool {
        self.everybody || self.accounts.contains(&account)
    }
}

impl EntryState {
    /// Whether nothing became of the entry.
    pub fn is_initial(&self) -> bool {
        *self == Self::default()
    }
}

impl Body {
    /// The entry that this one is about: what it edits, recalls, pins or reacts to. A reply is not about its target.
    pub fn target(&self) -> Option<u64> {
        match self {
            Self::Edit(Edit { target, .. })
            | Self::Recall(Recall { target })
            | Self::Reaction(Reaction { target, .. })
            | Self::Pin(Pin { target, .. }) => Some(*target),
            Self::Text(_) | Self::File(_) | Self::Member(_) | Self::Settings(_) => None,
        }
    }

    /// Whether it counts as unread for who has not seen it.
    pub fn is_countable(&self) -> bool {
        matches!(self, Self::Text(_) | Self::File(_))
    }
}
