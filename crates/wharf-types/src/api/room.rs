//! Rooms as their members see them, memberships, invitations, and the account's own list of it all.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::log::Entry;
use crate::{AccountId, EntryHash, RoomId};

/// What a room is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RoomKind {
    /// One account's own: its drive and its journal.
    Personal,
    /// Two contacts'.
    Direct,
    /// Any number of members'.
    Group,
}

/// What a member may do.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads the log and the drive.
    Reader,
    /// Writes both.
    Editor,
    /// Also changes the room and its members. A room has one owner, whose quota its drive counts on.
    Owner,
}

/// What who joins later sees of the log before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum History {
    /// Nothing: the log begins with the joining.
    Joined,
    /// Everything.
    #[default]
    All,
}

/// Which entries of a room make a noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Notify {
    /// All.
    #[default]
    All,
    /// Those that mention the member.
    Mentions,
    /// None.
    Nothing,
}

/// A room, as one of its members sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Room {
    /// Its id.
    pub id: RoomId,
    /// What it is for.
    pub kind: RoomKind,
    /// A group's name; empty for the others, which are called after who is in them.
    pub name: String,
    /// What it is about; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub topic: String,
    /// The other person of a direct room.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<Person>,
    /// Whose quota its drive counts on.
    pub owner: AccountId,
    /// The caller's role.
    pub role: Role,
    /// Whether the caller may write to it now: an editor, in a room that is not archived, with a contact who is one.
    pub can_write: bool,
    /// How many members it has.
    pub member_count: u32,
    /// What who joins later sees.
    pub history: History,
    /// Days that entries are kept; 0 keeps them all.
    pub keep_days: u32,
    /// Whether it can only be read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub archived: bool,
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: i64,
    /// When the caller joined.
    pub joined_ms: i64,
    /// The log's last position.
    pub head: u64,
    /// The chain's end there.
    pub head_hash: EntryHash,
    /// The last position that the caller cannot read; see `LogPage`.
    pub floor: u64,
    /// The drive's last position.
    pub drive_head: u64,
    /// The caller has read up to here.
    pub read: u64,
    /// Texts and files past `read`, the caller's own not counted where they are the last ones.
    pub unread: u64,
    /// Entries past `read` that mention the caller.
    pub mentions: u64,
    /// The last text or file, for a preview; its state is as of `head`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Entry>,
    /// What the caller set for it.
    pub preferences: Preferences,
}

/// What a member set for a room; nobody else sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Preferences {
    /// Which entries make a noise.
    #[serde(default)]
    pub notify: Notify,
    /// Whether it stands at the top.
    #[serde(default)]
    pub is_pinned: bool,
    /// Whether the member marked it as unread, whatever was read.
    #[serde(default)]
    pub is_marked: bool,
    /// Whether the member put it out of sight.
    #[serde(default)]
    pub is_hidden: bool,
    /// What was typed and not sent.
    #[serde(default)]
    pub draft: String,
}

/// Changes preferences; what is absent stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditPreferences {
    /// Which entries make a noise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify: Option<Notify>,
    /// Whether it stands at the top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_pinned: Option<bool>,
    /// Whether it is marked as unread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_marked: Option<bool>,
    /// Whether it is out of sight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_hidden: Option<bool>,
    /// What was typed and not sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 65536)]
    pub draft: Option<String>,
}

/// A page of the caller's rooms: pinned ones first, then by their last entry, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Rooms {
    /// The rooms.
    pub items: Vec<Room>,
}

/// Makes a group room.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateRoom {
    /// Chosen by the client, so that making it again makes it once. A new one where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RoomId>,
    /// 1 to 100 bytes.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// At most 1,000 bytes.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schema(max_length = 1000)]
    pub topic: String,
    /// What who joins later sees.
    #[serde(default)]
    pub history: History,
    /// Contacts to invite.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub invite: Vec<AccountId>,
}

/// Changes a room, as its owner; what is absent stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditRoom {
    /// 1 to 100 bytes; groups only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 100)]
    pub name: Option<String>,
    /// At most 1,000 bytes; groups only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1000)]
    pub topic: Option<String>,
    /// What who joins from now on sees; groups only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<History>,
    /// Days that entries are kept, 36,500 at most; 0 keeps them all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 36_500)]
    pub keep_days: Option<u32>,
    /// Whether it can only be read; groups only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived: Option<bool>,
}

/// Somebody, as others see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Person {
    /// The account.
    pub id: AccountId,
    /// Six digits.
    pub number: u32,
    /// The username.
    pub username: String,
    /// The name shown to others.
    pub nickname: String,
    /// What they say of themselves; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub status_text: String,
}

/// A member of a room, or somebody who was one or wrote in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoomMember {
    /// Who.
    pub person: Person,
    /// Absent for who is no member any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// When they joined last, in milliseconds since the epoch.
    pub joined_ms: i64,
}

/// The people of a room: members by name, then former ones.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RoomMembers {
    /// The people.
    pub items: Vec<RoomMember>,
}

/// Gives a member another role; `owner` hands the room over, and the caller becomes an editor.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetRole {
    /// The role.
    pub role: Role,
}

/// Invites a contact into a group.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteToRoom {
    /// A contact of the caller.
    pub account: AccountId,
    /// Reader or editor; editor where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// An invitation that waits for the caller's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoomInvitation {
    /// The room.
    pub room: RoomId,
    /// Its name.
    pub name: String,
    /// Its topic.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub topic: String,
    /// How many members it has.
    pub member_count: u32,
    /// Who invited.
    pub by: Person,
    /// The role that it gives.
    pub role: Role,
    /// When, in milliseconds since the epoch.
    pub at_ms: i64,
}

/// Makes a link that lets people into a group.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateLink {
    /// Reader or editor; editor where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// How many people it lets in; any number where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 10_000)]
    pub uses: Option<u32>,
    /// How long it holds, in seconds; seven days where it is missing, a year at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 31_536_000)]
    pub expires_seconds: Option<u64>,
}

/// A link into a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoomLink {
    /// Names it in lists; not the secret.
    pub id: String,
    /// The secret to hand over; only in the answer that makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The role that it gives.
    pub role: Role,
    /// How many people it still lets in; absent for any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses_left: Option<u32>,
    /// When it ends, in milliseconds since the epoch.
    pub expires_ms: i64,
    /// Who made it.
    pub created_by: AccountId,
}

/// The links of a room.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RoomLinks {
    /// The links, oldest first.
    pub items: Vec<RoomLink>,
}

/// Enters a group by a link's code.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinRoom {
    /// The code.
    pub code: String,
}

/// Copies files into another drive of the caller's without moving their bytes.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SaveToDrive {
    /// A file of the room's drive.
    pub node: crate::NodeId,
    /// The revision; the present one where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// The folder of the caller's own drive; made where it is not there. The root where it is empty.
    #[serde(default)]
    pub folder: String,
    /// The name there; the file's own where it is missing. A name that is taken gets a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Something of the account's own list: its contacts, rooms, invitations and cursors. Each carries the state it has now, so
/// applying one again changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "item", rename_all = "snake_case")]
pub enum AccountItem {
    /// A contact, a request, or somebody blocked.
    Contact(Box<super::contact::Contact>),
    /// No longer a contact.
    ContactGone {
        /// Who.
        account: AccountId,
    },
    /// A group of contacts.
    Group(super::contact::ContactGroup),
    /// A group of contacts that was removed.
    GroupGone {
        /// Which.
        group: crate::ContactGroupId,
    },
    /// A room: joined, changed, or with other preferences.
    Room(Box<Room>),
    /// A room that the caller is no member of any more.
    RoomGone {
        /// Which.
        room: RoomId,
    },
    /// An invitation into a room.
    Invitation(RoomInvitation),
    /// An invitation that was answered or withdrawn.
    InvitationGone {
        /// The room.
        room: RoomId,
    },
    /// The account has read further, on some device.
    Read {
        /// The room.
        room: RoomId,
        /// Up to here.
        position: u64,
        /// Texts and files past it.
        unread: u64,
        /// Mentions past it.
        mentions: u64,
        /// The log's last position when they were counted: entries past it that come live are not among them.
        head: u64,
    },
}

/// What changed of the account's own list past a version of it; from 0, all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountChanges {
    /// The version that the list has with these.
    pub version: u64,
    /// The items, each once, in the order they changed last.
    pub items: Vec<AccountItem>,
}

#[cfg(test)]
mod tests {
    use super::{AccountItem, History, Preferences, Role, Room, RoomKind};
    use crate::{AccountId, EntryHash, RoomId};

    #[test]
    fn a_room_of_the_list_says_what_it_is_and_what_it_is_for() {
        let room = Room {
            id: RoomId::from_bytes([1; 16]),
            kind: RoomKind::Direct,
            name: String::new(),
            topic: String::new(),
            peer: None,
            owner: AccountId::from_bytes([2; 16]),
            role: Role::Editor,
            can_write: true,
            member_count: 2,
            history: History::All,
            keep_days: 0,
            archived: false,
            created_ms: 1,
            joined_ms: 2,
            head: 3,
            head_hash: EntryHash::from_bytes([4; 32]),
            floor: 0,
            drive_head: 0,
            read: 3,
            unread: 0,
            mentions: 0,
            last: None,
            preferences: Preferences::default(),
        };
        let item = AccountItem::Room(Box::new(room));
        let text = serde_json::to_string(&item).unwrap();
        assert_eq!(serde_json::from_str::<AccountItem>(&text).unwrap(), item);
    }
}
