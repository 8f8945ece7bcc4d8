//! What transactions say of themselves once they are durable.

use std::sync::Arc;

use wharf_types::api::log::Entry;
use wharf_types::{AccountId, RoomId, SessionId};

/// What a transaction changed, to be announced once it is durable.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    /// New entries, by room and position.
    pub(crate) entries: Vec<(RoomId, Arc<Entry>)>,
    /// Accounts whose list changed, with its version.
    pub(crate) accounts: Vec<(AccountId, u64)>,
    /// Drives that changed, with their last position.
    pub(crate) drives: Vec<(RoomId, u64)>,
    /// Accounts that are members of a room from now on, or no more.
    pub(crate) members: Vec<(RoomId, AccountId, Membership)>,
    /// Members that have read further.
    pub(crate) read: Vec<(RoomId, AccountId, u64)>,
    /// Members of whom a device has stored further.
    pub(crate) delivered: Vec<(RoomId, AccountId, u64)>,
    /// Accounts that others may see, or may no longer see: contacts made and ended, blocks set and taken away.
    pub(crate) standing: Vec<AccountId>,
    /// Sessions that have ended.
    pub(crate) sessions: Vec<SessionId>,
}

impl Notices {
    /// Sessions have ended, and nothing else.
    pub(crate) fn of_sessions(sessions: Vec<SessionId>) -> Self {
        Self {
            sessions,
            ..Self::default()
        }
    }

    /// The rooms whose log or drive was written to.
    pub(crate) fn written(&self) -> impl Iterator<Item = RoomId> {
        let logs = self.entries.iter().map(|(room, _)| *room);
        logs.chain(self.drawn())
    }

    /// The rooms whose drive was written to.
    pub(crate) fn drawn(&self) -> impl Iterator<Item = RoomId> {
        self.drives.iter().map(|(room, _)| *room)
    }
}

/// Whether an account follows a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Membership {
    Joined,
    Gone,
}
