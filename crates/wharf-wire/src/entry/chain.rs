//! Hashing an entry to the ones before it.

use wharf_types::api::log::Body;
use wharf_types::{AccountId, EntryHash, HookId, RoomId, SessionId};

const VERSION: u8 = 1;

/// The end of the chain of a log without entries.
pub const START: EntryHash = EntryHash::from_bytes([0; 32]);

/// What is chained of an entry besides its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    /// The room.
    pub room: RoomId,
    /// The position.
    pub position: u64,
    /// The kind, as [`kind_of`] numbers it.
    pub kind: u8,
    /// The server's time, in milliseconds since the epoch.
    pub at_ms: i64,
    /// How many texts and files there are up to it.
    pub countable: u64,
    /// The author.
    pub account: Option<AccountId>,
    /// The author's login.
    pub session: Option<SessionId>,
    /// The webhook that posted it.
    pub hook: Option<HookId>,
    /// The author's name where there is no account; 65,535 bytes of it count.
    pub name: Option<&'a str>,
    /// The sender's time, in milliseconds since the epoch.
    pub client_ms: Option<i64>,
    /// The position that it is about.
    pub target: Option<u64>,
    /// The door; 255 bytes of it count.
    pub door: &'a str,
}

/// The number of a body's kind.
pub const fn kind_of(body: &Body) -> u8 {
    match body {
        Body::Text(_) => 0,
        Body::File(_) => 1,
        Body::Edit(_) => 2,
        Body::Recall(_) => 3,
        Body::Reaction(_) => 4,
        Body::Pin(_) => 5,
        Body::Member(_) => 6,
        Body::Settings(_) => 7,
    }
}

/// What a packed body is chained as.
pub fn digest(packed: &[u8]) -> [u8; 32] {
    *blake3::hash(packed).as_bytes()
}

/// The end of the chain at an entry, from its end before it.
pub fn link(before: &EntryHash, header: &Header<'_>, digest: &[u8; 32]) -> EntryHash {
    let mut bytes = Vec::with_capacity(256);
    bytes.extend_from_slice(before.as_bytes());
    header.write(&mut bytes);
    bytes.extend_from_slice(digest);
    EntryHash::of(&bytes)
}

impl Header<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        out.extend_from_slice(self.room.as_bytes());
        out.extend_from_slice(&self.position.to_le_bytes());
        out.push(self.kind);
        out.extend_from_slice(&self.at_ms.to_le_bytes());
        out.extend_from_slice(&self.countable.to_le_bytes());
        let flags = [
            self.account.is_some(),
            self.session.is_some(),
            self.hook.is_some(),
            self.name.is_some(),
            self.client_ms.is_some(),
            self.target.is_some(),
        ];
        out.push(
            flags
                .iter()
                .enumerate()
                .fold(0, |sum, (bit, is_set)| sum | (u8::from(*is_set) << bit)),
        );
        if let Some(account) = &self.account {
            out.extend_from_slice(account.as_bytes());
        }
        if let Some(session) = &self.session {
            out.extend_from_slice(session.as_bytes());
        }
        if let Some(hook) = &self.hook {
            out.extend_from_slice(hook.as_bytes());
        }
        if let Some(name) = self.name {
            let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
            out.extend_from_slice(&length.to_le_bytes());
            out.extend(name.bytes().take(usize::from(length)));
        }
        if let Some(client_ms) = self.client_ms {
            out.extend_from_slice(&client_ms.to_le_bytes());
        }
        if let Some(target) = self.target {
            out.extend_from_slice(&target.to_le_bytes());
        }
        let length = u8::try_from(self.door.len()).unwrap_or(u8::MAX);
        out.push(length);
        out.extend(self.door.bytes().take(usize::from(length)));
    }
}
