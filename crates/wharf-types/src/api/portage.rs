//! Everything that an account owns, as records that can be taken out of one server and brought into another.
//!
//! An archive is these records in order, beside the chunks that its manifests name, which travel by the transfer API. It
//! holds the rooms that the account owns and its direct rooms, whole: logs with positions, times, authors and origins; drives with
//! revisions, trash and tags; cursors, contacts with remarks and groups. It does not hold what is the server's own: passwords, sessions,
//! webhooks with their secrets, links, invitations, and the numbers that devices have used.
//!
//! Ids are the archive's own names for things. An import gives everything new ids, and people who are not the importer stand-ins, who
//! are former members of the imported rooms; so nobody can write in another's name. What is exported again is what was
//! imported, but for the names of ids and the chain that goes over them.
//!
//! The records of a room come in this order: the room, its people, the changes of its drive, the entries of its log, the
//! cursors of devices, the end.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::contact::ContactState;
use super::drive::{ChangeKind, NodeKind, Retention};
use super::log::{Body, Origin};
use super::room::{History, Person, Preferences, Role, RoomKind};
use crate::{
    AccountId, ContactGroupId, ContentHash, DeviceId, EntryHash, HookId, ImportId, NodeId, RoomId,
    SessionId,
};

/// The version of the records that this program writes and reads.
pub const VERSION: u32 = 1;

/// Where an export goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ExportQuery {
    /// What the page before this one gave as `next`; from the beginning where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// Some of an archive's records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExportPage {
    /// The records, in order. About 1 MiB of them; a page can be short and not be the last.
    pub records: Vec<Record>,
    /// What to send as `after` for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// Records on their way in. The pages of an export, one after another, are good batches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportBatch {
    /// The import, chosen by the client.
    pub import: ImportId,
    /// 1 for the first batch, then 2, 3 …; the last number again changes nothing and is answered alike.
    pub number: u64,
    /// The records, in the archive's order. The chunks that manifests in them name must be within the caller's reach.
    pub records: Vec<Record>,
}

/// How far an import has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportProgress {
    /// The number of the last batch that was taken in.
    pub number: u64,
    /// Whether the archive's end was reached.
    pub is_done: bool,
    /// The rooms, as far as they are there.
    pub rooms: Vec<ImportedRoom>,
}

/// What became of a room of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportedRoom {
    /// The archive's name for it.
    pub from: RoomId,
    /// The room it is now.
    pub to: RoomId,
    /// Whether it is there whole. Before that nobody sees it, unless it is the personal room.
    pub is_whole: bool,
}

/// One record of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// What it is an archive of. The first record.
    Archive(Archive),
    /// A group of contacts.
    Group(GroupRecord),
    /// A contact, past the groups.
    Contact(Box<ContactRecord>),
    /// A room; all up to its end is about it.
    Room(Box<RoomRecord>),
    /// Somebody who is or was a member of the room.
    Member(Box<MemberRecord>),
    /// An entry of the room's log, in order, without gaps past the room's floor.
    Entry(Box<EntryRecord>),
    /// A change of the room's drive, in order, without gaps.
    Change(Box<ChangeRecord>),
    /// How far a device of the account has stored the room's log.
    Delivered(DeliveredRecord),
    /// The room is whole.
    RoomEnd(RoomEndRecord),
    /// The archive is whole. The last record.
    End,
}

/// What an archive is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Archive {
    /// The version of the records.
    pub version: u32,
    /// The account; wherever the records say this id, the importer is meant.
    pub account: Person,
    /// When the export began, in milliseconds since the epoch.
    pub at_ms: i64,
}

/// A group of contacts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GroupRecord {
    /// Its id.
    pub id: ContactGroupId,
    /// Its name.
    pub name: String,
    /// Its place among the groups.
    pub order: u32,
}

/// A contact. An import cannot make people contacts: where there is one of the same username and number already, they are
/// given the remark and group; anybody else is kept for the next export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContactRecord {
    /// Who.
    pub person: Person,
    /// How they stood.
    pub state: ContactState,
    /// Whether the account blocked them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_blocked: bool,
    /// The account's own name for them.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub remark: String,
    /// Their group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<ContactGroupId>,
    /// The word of the request.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub word: String,
    /// When the state began, in milliseconds since the epoch.
    pub since_ms: i64,
}

/// A room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoomRecord {
    /// Its id.
    pub id: RoomId,
    /// What it is for. A direct room is imported as a group, because nobody else can be made a member by an import.
    pub kind: RoomKind,
    /// Its name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Its topic.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub topic: String,
    /// What who joins later sees.
    pub history: History,
    /// Whether it is archived.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub archived: bool,
    /// Days that entries are kept; 0 keeps them all.
    pub keep_days: u32,
    /// How long the drive keeps what is no longer current.
    pub retention: Retention,
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: i64,
    /// When the account joined.
    pub joined_ms: i64,
    /// The last position of the log that is not kept any more.
    pub floor: u64,
    /// The chain's end there.
    pub floor_hash: EntryHash,
    /// Texts and files up to there.
    pub floor_countable: u64,
    /// How far the account has read.
    pub read: u64,
    /// What the account set for the room.
    pub preferences: Preferences,
    /// The drive's root folder.
    pub root: NodeId,
}

/// Somebody who is or was a member, beside the account itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberRecord {
    /// Who.
    pub person: Person,
    /// The role; absent for who is no member any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// When they joined last, in milliseconds since the epoch.
    pub joined_ms: i64,
    /// When they left, in milliseconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_ms: Option<i64>,
    /// Whether they were removed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_removed: bool,
    /// How far they have read.
    pub read: u64,
}

/// An entry of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EntryRecord {
    /// Its position.
    pub position: u64,
    /// When the server recorded it, in milliseconds since the epoch.
    pub at_ms: i64,
    /// The author.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// The webhook that posted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook: Option<HookId>,
    /// The author's name where there is no account to ask for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How it came; the address only of the account's own.
    pub origin: Origin,
    /// The sender's time, in milliseconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ms: Option<i64>,
    /// The number of its kind, as docs/protocol says of packed bodies: it outlives the body.
    pub kind: u8,
    /// The entry that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<u64>,
    /// The end of the chain at it, on the server that it was exported from; an import checks it.
    pub hash: EntryHash,
    /// What it says; absent once it was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    /// What an erased body was chained as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<ContentHash>,
}

/// A change of a drive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChangeRecord {
    /// Its position.
    pub position: u64,
    /// The node.
    pub node: NodeId,
    /// What it did.
    pub kind: ChangeKind,
    /// When the server recorded it, in milliseconds since the epoch.
    pub at_ms: i64,
    /// Whose commit it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// The device that it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The folder that held the node after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<NodeId>,
    /// The node's name after it.
    pub name: String,
    /// What the node is.
    pub node_kind: NodeKind,
    /// The content that it brought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<ContentRecord>,
    /// What the node is now, with the last change of each node that is still there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<NodeRecord>,
}

/// The content that a change brought: a revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContentRecord {
    /// Its length.
    pub bytes: u64,
    /// Names it.
    pub content: ContentHash,
    /// The author's time of modification, in nanoseconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtime_ns: Option<i64>,
    /// When it was replaced, in milliseconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_ms: Option<i64>,
    /// The packed manifest in base64; absent once the content is not kept any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
}

/// A node as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NodeRecord {
    /// The folder that holds it; absent for a node that was removed itself, which is in the trash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<NodeId>,
    /// Its name.
    pub name: String,
    /// The position of the change that gave it its content.
    pub revision: u64,
    /// Whether it is a program.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub executable: bool,
    /// When the server recorded the present content, in milliseconds since the epoch.
    pub changed_ms: i64,
    /// When it was removed, in milliseconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trashed_ms: Option<i64>,
    /// Where it was before that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trash_path: Option<String>,
    /// Sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// How far a device has stored a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeliveredRecord {
    /// The device.
    pub device: DeviceId,
    /// The position.
    pub position: u64,
}

/// What a room ends at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoomEndRecord {
    /// The room.
    pub id: RoomId,
    /// The log's last position.
    pub head: u64,
    /// The drive's last position.
    pub drive_head: u64,
}
