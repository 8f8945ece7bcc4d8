//! What happens now: who is connected, who follows which room, and what is told to whom after each commit.
//!
//! Nothing here is the truth: that is in the database. What is announced here is told to the connections that follow; a
//! connection that missed something, for whatever reason, finds out from the positions and reads it again.

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
    /// Sessions that have ended.
    pub(crate) sessions: Vec<SessionId>,
}

/// Whether an account follows a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Membership {
    Joined,
    Gone,
}

/// The live side of a house. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Live {}

impl Live {
    /// Tells the connections of this process, and the other processes, what a transaction changed. Call it once the
    /// transaction is durable, in any order.
    #[expect(
        clippy::needless_pass_by_value,
        clippy::unused_self,
        reason = "filled in by the next commit"
    )]
    pub(crate) fn announce(&self, _notices: Notices) {}
}
