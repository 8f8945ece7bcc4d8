//! The log of a room: entries at dense positions, chained by their hashes, appended once.
//!
//! Positions are assigned in the transaction that appends, under the room's lock, so that they commit in their order and
//! without gaps. A device numbers what it sends 1, 2, 3 …, and every number that it has used is kept for ever with its
//! answer: sending again, a second or a year later, from a restored backup or a copied profile, appends nothing twice.
//! What became of an entry (edits, recall, reactions, pin) is kept beside it by the entry that changed it, in the same
//! transaction; [`wharf_types::fold`] says the same to clients.

mod append;
mod carry;
mod cursor;
mod draft;
mod effect;
mod forget;
mod limit;
mod read;
mod retention;
mod rows;
mod send;
mod verify;
mod waiting;

use std::net::IpAddr;
use std::sync::Arc;

use wharf_store::sql::{Lock, Tx};
use wharf_types::api::live::Sending;
use wharf_types::api::log::{Append, AppendOutcome, Appended, Cursors, EntryHistory, LogPage};
use wharf_types::{DeviceId, ErrorCode, HookId};

pub(crate) use append::{Author, append_in};
pub(crate) use carry::{Carried, Carrying, take_out};
pub(crate) use draft::check as check_draft;
pub(crate) use forget::forget_some;
pub(crate) use rows::{add_reactions, entries_past, entries_within, entry_at};
pub(crate) use rows::{last_said, told_to_others};
pub(crate) use send::last_number;

pub use verify::{VerifiedLogs, verify};
pub use waiting::Waiting;

use crate::Ground;
use crate::access::{Right, enter};
use crate::caller::Caller;
use crate::drive::RoomRef;
use crate::error::{Error, Result};
pub(crate) use limit::Key as Sender;
use limit::Limits;
use read::View;

/// Which entries of a log to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// Those past a position, oldest first.
    After(u64),
    /// Those just before a position.
    Before(u64),
    /// The last ones.
    Last,
    /// Those from the first one on that was recorded at this time or later, in milliseconds since the epoch.
    AtTime(i64),
}

/// The operations on logs. Clones are the same.
#[derive(Clone)]
pub struct Logs {
    ground: Ground,
    limits: Arc<Limits>,
}

impl Logs {
    pub(crate) fn new(ground: Ground) -> Self {
        let limits = Arc::new(Limits::new(ground.config.messages, ground.clock.clone()));
        Self { ground, limits }
    }

    /// Appends to a room's log what a member says, once: see [`Append`].
    ///
    /// # Errors
    /// - `Stale`: another number is expected next, or this one was used for something else.
    /// - `Limited`: too many in too short a time; the number is not used up.
    /// - `NotFound`: there is no such room for the caller, no entry that it could be about, or no such file in the drive.
    /// - `Denied`: the caller may only read there, or may not change that entry, or no more.
    /// - `Invalid`, `TooLarge`: the draft is over a bound, or makes no sense.
    pub async fn append(&self, by: &Caller, room: RoomRef, append: Append) -> Result<Appended> {
        let sending = Sending {
            number: append.number,
            room: room.id(by)?,
            draft: append.draft,
            client_ms: append.client_ms,
        };
        let outcomes = self.append_batch(by, append.device, vec![sending]).await;
        match outcomes.into_iter().next() {
            Some(AppendOutcome::Appended(appended)) => Ok(appended),
            Some(AppendOutcome::Refused(refused)) => Err(send::error_of(refused)),
            None => Err(Error::internal("an append had no outcome")),
        }
    }

    /// Appends what a device has sent, in order and in one transaction, and answers each: one outcome for each item, in
    /// their order. A refusal does not keep the ones after it from being appended, unless it is one that does not use
    /// its number up: then the rest is refused like it.
    pub async fn append_batch(
        &self,
        by: &Caller,
        device: DeviceId,
        items: Vec<Sending>,
    ) -> Vec<AppendOutcome> {
        send::append_batch(&self.ground, &self.limits, by, device, items).await
    }

    /// The greatest number that a device has used; 0 for none.
    pub async fn last_number(&self, by: &Caller, device: DeviceId) -> Result<u64> {
        let account = by.account()?;
        self.ground
            .db
            .read(move |tx| Ok(last_number(tx, account, device)?))
            .await
    }

    /// Reads entries, `limit` at most: 100 where it is missing, 1,000 at most. A page also ends at about 256 KiB, but has
    /// at least one entry if there is one.
    pub async fn page(
        &self,
        by: &Caller,
        room: RoomRef,
        range: Range,
        limit: Option<u32>,
    ) -> Result<LogPage> {
        self.read(by, room, move |tx, view| read::page(tx, view, range, limit))
            .await
    }

    /// Reads one entry with its edits and its readers.
    ///
    /// # Errors
    /// `NotFound`: there is no such entry, or none that the caller can read.
    pub async fn entry(&self, by: &Caller, room: RoomRef, position: u64) -> Result<EntryHistory> {
        self.read(by, room, move |tx, view| read::history(tx, view, position))
            .await
    }

    /// The pinned entries, in the order they were pinned, the last one first.
    pub async fn pins(&self, by: &Caller, room: RoomRef) -> Result<LogPage> {
        self.read(by, room, read::pins).await
    }

    /// The files that were handed over, the last one first, before position `before`.
    pub async fn files(
        &self,
        by: &Caller,
        room: RoomRef,
        before: Option<u64>,
        limit: Option<u32>,
    ) -> Result<LogPage> {
        self.read(by, room, move |tx, view| {
            read::files(tx, view, before, limit)
        })
        .await
    }

    /// Notes that the account has read a room's log up to `position`, on any device. Going back is ignored, and so is
    /// what lies past the log's end.
    pub async fn mark_read(&self, by: &Caller, room: RoomRef, position: u64) -> Result<()> {
        let by = *by;
        let room = room.id(&by)?;
        self.ground
            .act(Lock::None, move |tx| {
                cursor::mark_read(tx, &by, room, position)
            })
            .await
    }

    /// Notes that a device has stored a room's log up to `position`. Going back is ignored.
    pub async fn mark_delivered(
        &self,
        by: &Caller,
        device: DeviceId,
        room: RoomRef,
        position: u64,
    ) -> Result<()> {
        let by = *by;
        let room = room.id(&by)?;
        self.ground
            .act(Lock::None, move |tx| {
                cursor::mark_delivered(tx, &by, device, room, position)
            })
            .await
    }

    /// How far each member has read and received.
    pub async fn cursors(&self, by: &Caller, room: RoomRef) -> Result<Cursors> {
        self.read(by, room, cursor::all).await
    }

    /// Passes a message of a webhook that is within the bounds on sending.
    ///
    /// # Errors
    /// `Limited`: the webhook, or its address, has sent too many in too short a time.
    pub(crate) fn admit_hook(&self, hook: HookId, address: IpAddr) -> Result<()> {
        let granted = self.limits.take(hook, address, 1);
        if granted.count == 0 {
            let wait = granted.retry_after_ms.div_ceil(1_000).max(1);
            return Err(Error::new(
                ErrorCode::Limited,
                "too many messages in too short a time: wait a moment",
            )
            .retry_after(wait));
        }
        Ok(())
    }

    /// Passes up to `count` entries of somebody without a session, as many as the bounds on sending allow, and says after
    /// how many milliseconds the next one would be let through. What was not needed is given back with [`Logs::refund`].
    pub(crate) fn admit(&self, author: Sender, address: IpAddr, count: u64) -> (u64, u64) {
        let granted = self.limits.take(author, address, count);
        (granted.count, granted.retry_after_ms)
    }

    /// Gives back what was taken for nothing.
    pub(crate) fn refund(&self, author: Sender, address: IpAddr, count: u64) {
        self.limits.refund(author, address, count);
    }

    async fn read<T: Send + 'static>(
        &self,
        by: &Caller,
        room: RoomRef,
        mut work: impl FnMut(&mut Tx<'_>, &View) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let by = *by;
        let room = room.id(&by)?;
        self.ground
            .db
            .read(move |tx| {
                let entered = enter(tx, &by, room, Right::Read)?;
                let view = View::of(&entered, by.account()?, rows::end(tx, room)?);
                work(tx, &view)
            })
            .await
    }
}
