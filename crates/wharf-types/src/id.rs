//! Identifiers: 16 bytes each, UUID version 7 where the program makes them, so that they sort by time of making.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A text that is not a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id: expected a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057")]
pub struct InvalidId;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = uuid::Uuid)]
        pub struct $name(Uuid);

        impl $name {
            /// Makes a version 7 id from the time, in milliseconds since the epoch, and ten random bytes.
            pub fn new(unix_ms: u64, random: &[u8; 10]) -> Self {
                Self(uuid::Builder::from_unix_timestamp_millis(unix_ms, random).into_uuid())
            }

            /// Takes the 16 bytes as they are stored.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// Takes a stored value, which must be 16 bytes long.
            pub fn from_slice(bytes: &[u8]) -> Result<Self, InvalidId> {
                Uuid::from_slice(bytes).map(Self).map_err(|_| InvalidId)
            }

            /// The 16 bytes as they are stored.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0.as_hyphenated())
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::try_parse(text).map(Self).map_err(|_| InvalidId)
            }
        }
    )*};
}

ids! {
    /// A person's account.
    AccountId;
    /// One device's login.
    SessionId;
    /// A room: members, a log and a drive.
    RoomId;
    /// A file, folder or link of a drive; kept through renames and moves.
    NodeId;
    /// A commit, chosen by its author: the same id again is the same commit.
    CommitId;
    /// An immutable object of many chunks in the blob store.
    SegmentId;
    /// One installation of a client, chosen by itself at random. It numbers what it sends 1, 2, 3 …; a client that finds
    /// its numbers taken by another (a copied profile, a restored backup) goes on under a new id.
    DeviceId;
    /// A person's own group of contacts.
    ContactGroupId;
    /// A room's incoming or outgoing webhook.
    HookId;
    /// One import of an archive, chosen by the client.
    ImportId;
    /// A file on its way in by small pieces.
    PartialId;
}
