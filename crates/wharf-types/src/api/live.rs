//! Frames of the live socket, `GET /api/v1/live`: one JSON object in each WebSocket text message. docs/protocol/live.md
//! is the whole protocol.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::contact::{Presence, Status};
use super::log::{Draft, Entry, LogPage, Refused};
use super::room::{AccountItem, Room};
use crate::{AccountId, DeviceId, EntryHash, ErrorCode, RoomId, SessionId};

/// The protocol's version, in `hello`.
pub const VERSION: u32 = 1;

/// What a client says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ClientFrame {
    /// The first frame: who the device is and what it has.
    Hello(Hello),
    /// Appends to a log. Several may be under way; they are answered in their order.
    Send(Sending),
    /// Asks for entries past `after`, or before `before`; answered by `page` with the same `id`.
    Fetch(Fetch),
    /// The account has read up to here.
    Read(Reached),
    /// The device has stored everything up to here.
    Delivered(Reached),
    /// The person is typing, or stopped; at most every three seconds.
    Typing(Typing),
    /// Sets the own status, until the connection ends; `offline` is not one.
    Status {
        /// How.
        status: Status,
    },
    /// Whose presence is shown on this device now; replaces what was watched.
    Watch {
        /// Contacts and members of common rooms; others are left out.
        accounts: Vec<AccountId>,
    },
    /// Asks for a `pong` with the same number.
    Ping {
        /// Any number.
        number: u64,
    },
}

/// The first frame.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Hello {
    /// [`VERSION`].
    pub version: u32,
    /// The sending installation; needed for `send`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<DeviceId>,
    /// The server's epoch when the device was connected last; everything below is of that epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<String>,
    /// The version of the account's list that the device has; 0 for none.
    #[serde(default)]
    pub account_version: u64,
    /// The last entry that the device has of each room, with the chain's hash there. A room that is missing is taken as
    /// not known.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rooms: BTreeMap<RoomId, KnownHead>,
    /// Whether entries are wanted as they come; `false` gets `head` in their place.
    #[serde(default = "yes")]
    pub entries: bool,
}

fn yes() -> bool {
    true
}

/// The last entry that a device has of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KnownHead {
    /// Its position; 0 for none.
    pub position: u64,
    /// The chain's end there.
    pub hash: EntryHash,
}

/// Appends to a log; `device` is the one of `hello`. The rules are those of `log::Append`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sending {
    /// The device's number for it.
    pub number: u64,
    /// The room.
    pub room: RoomId,
    /// What to append.
    pub draft: Draft,
    /// The sender's time, in milliseconds since the epoch; the same when it is sent again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ms: Option<i64>,
}

/// Asks for entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fetch {
    /// Chosen by the client, for the answer.
    pub id: u64,
    /// The room.
    pub room: RoomId,
    /// Entries past this position, oldest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// The entries just before this position; the last ones where neither is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// Most entries; 100 where it is missing, 1,000 at most. A page also ends at about 256 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A position that was reached in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reached {
    /// The room.
    pub room: RoomId,
    /// The position.
    pub position: u64,
}

/// Somebody is typing in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Typing {
    /// The room.
    pub room: RoomId,
    /// Who; absent from the client, who can only speak of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// Whether they stopped. Without a word for six seconds they have.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stopped: bool,
}

/// What the server says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerFrame {
    /// The answer to `hello`: what the connection is.
    Welcome(Welcome),
    /// What changed of the account's own list, in order of versions, and its version afterwards.
    Account {
        /// The version of the list with these.
        version: u64,
        /// The items.
        items: Vec<AccountItem>,
    },
    /// Rooms whose log is not where the device has it, at the connection's start.
    Rooms {
        /// The rooms. Entries past each `head` will be told live.
        items: Vec<Room>,
        /// Rooms whose hash at the device's position is another: the device has entries that are not the server's and
        /// must read the log again.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        diverged: Vec<RoomId>,
    },
    /// Everything that was missed has been told; from here on it is live.
    Ready,
    /// A new entry; its position follows the last one told of the room, or the `head` of the room at the start.
    Entry {
        /// The room.
        room: RoomId,
        /// The entry.
        entry: Box<Entry>,
    },
    /// Positions that this connection is not to see; as if they had been told.
    Skip {
        /// The room.
        room: RoomId,
        /// The first one.
        from: u64,
        /// The last one.
        to: u64,
    },
    /// The connection was too slow, or asked for no entries: the room is at `head`; fetch what is missing. What comes
    /// live next follows `head`.
    Lag {
        /// The room.
        room: RoomId,
        /// Its last position.
        head: u64,
        /// The chain's end there.
        hash: EntryHash,
    },
    /// The answer to `send`: it is on disk.
    Ack {
        /// The device's number.
        number: u64,
        /// The room.
        room: RoomId,
        /// Its position.
        position: u64,
        /// The server's time.
        at_ms: i64,
        /// The chain's end there.
        hash: EntryHash,
    },
    /// The answer to `send`: it was refused.
    Nack {
        /// The device's number.
        number: u64,
        /// Why.
        #[serde(flatten)]
        refused: Refused,
    },
    /// The answer to `fetch`.
    Page {
        /// The client's id for it.
        id: u64,
        /// The room.
        room: RoomId,
        /// The entries.
        page: LogPage,
    },
    /// A `fetch` was refused.
    PageRefused {
        /// The client's id for it.
        id: u64,
        /// Why.
        code: ErrorCode,
        /// For a person.
        detail: String,
    },
    /// Somebody has read further in a room; at most one a second for each person.
    Cursor {
        /// The room.
        room: RoomId,
        /// Who.
        account: AccountId,
        /// Read up to here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        read: Option<u64>,
        /// Received up to here.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        delivered: Option<u64>,
    },
    /// Presence of those who are watched, gathered over a second.
    Presence {
        /// Who changed; at first everybody who is watched.
        items: Vec<Presence>,
    },
    /// Somebody is typing.
    Typing(Typing),
    /// The drive of a room is at this position.
    Drive {
        /// The room.
        room: RoomId,
        /// The last position of its stream.
        head: u64,
    },
    /// The answer to `ping`.
    Pong {
        /// The same number.
        number: u64,
        /// The server's time, in milliseconds since the epoch.
        time_ms: i64,
    },
    /// The last frame: why the server ends the connection.
    Bye {
        /// The kind: `unauthenticated` when the session ended, `unavailable` when the server stops, `invalid` when a frame
        /// was not understood, `limited` when there were too many.
        code: ErrorCode,
        /// For a person.
        detail: String,
    },
}

/// What the connection is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Welcome {
    /// The server's epoch. Another one than the device knows: its data went back in time, and what the device has must
    /// be compared again, which the server does by the hashes in `hello`.
    pub epoch: String,
    /// The account.
    pub account: AccountId,
    /// The device's login.
    pub session: SessionId,
    /// The greatest number that the device has used; 0 for none.
    pub number: u64,
    /// The server's time, in milliseconds since the epoch.
    pub time_ms: i64,
    /// How often the server pings, in seconds; a connection that is silent for three times as long is ended.
    pub heartbeat_seconds: u32,
    /// Minutes for which an entry can be recalled by its author; 0 for ever.
    pub recall_minutes: u32,
    /// Minutes for which an entry can be edited; 0 for ever.
    pub edit_minutes: u32,
}
