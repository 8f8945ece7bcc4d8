//! One room as it is told: entries in the order of their positions, without gaps, to whoever follows.
//!
//! What was committed is announced in any order, by this process and by hints of others. A feed holds back what is ahead
//! of its turn, and says when it has to read from the log what nobody announced. Each follower has the position up to
//! which it was told; whoever cannot be told the very next entry is told where the log stands instead.

use std::collections::BTreeMap;
use std::sync::Arc;

use wharf_types::api::live::ServerFrame;
use wharf_types::api::log::{Body, Entry, MemberChange};
use wharf_types::{AccountId, EntryHash, RoomId};

use super::conn::Conn;
use super::outbox::{About, Told};

/// Most entries that are held back or read at once; past it followers are told where the log stands.
pub(super) const HELD_ENTRIES_MAX: usize = 256;
/// How long an entry that this process announced may be missing before it is read from the log: the task that committed
/// it is about to announce it.
pub(super) const GAP_WAIT_MS: i64 = 100;
/// In a room that more connections follow than this, nobody is told who types and who has read.
pub(super) const PASSING_FOLLOWERS_MAX: usize = 100;

/// The position that is told of a follower who waits for its snapshot: nothing comes after it.
const NOT_BEGUN: u64 = u64::MAX;

/// A room that somebody in this process follows.
#[derive(Debug)]
pub(super) struct Feed {
    room: RoomId,
    /// The last entry that went through, and the chain's end there; nothing before anybody has said where to begin.
    head: Option<(u64, EntryHash)>,
    /// Entries that are ahead of their turn.
    held: BTreeMap<u64, Arc<Entry>>,
    /// The greatest position that another process, or the log itself, is known to have.
    known: u64,
    /// Since when an entry is missing that this process should announce.
    gap_since_ms: Option<i64>,
    drive_head: u64,
    followers: Vec<Follower>,
    cursors: BTreeMap<AccountId, Reached>,
}

#[derive(Debug)]
struct Follower {
    conn: Arc<Conn>,
    told: u64,
}

/// How far a member has come, where it is news.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Reached {
    pub(super) read: Option<u64>,
    pub(super) delivered: Option<u64>,
}

/// What a feed wants after it was moved on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    /// Nothing.
    Nothing,
    /// Another look soon, if nothing comes before.
    Look,
    /// The entries past this position, read from the log.
    Read { after: u64 },
}

/// What moving a feed on did.
#[derive(Debug)]
pub(super) struct Moved {
    /// Frames that were queued, counted once for each connection.
    pub(super) told_count: u64,
    /// Accounts that are no members any more, as the log says.
    pub(super) gone: Vec<AccountId>,
    pub(super) want: Want,
}

/// Entries that are told together.
struct Batch {
    first: u64,
    last: u64,
    entries: Vec<Arc<Entry>>,
    told: Arc<Told>,
}

impl Feed {
    pub(super) fn new(room: RoomId) -> Self {
        Self {
            room,
            head: None,
            held: BTreeMap::new(),
            known: 0,
            gap_since_ms: None,
            drive_head: 0,
            followers: Vec::new(),
            cursors: BTreeMap::new(),
        }
    }

    pub(super) fn is_unfollowed(&self) -> bool {
        self.followers.is_empty()
    }

    pub(super) fn drive_head(&self) -> u64 {
        self.drive_head
    }

    /// Registers a connection. It is told nothing before [`Feed::begin`].
    pub(super) fn follow(&mut self, conn: &Arc<Conn>) {
        if self.position_of(conn).is_none() {
            if self.followers.is_empty() {
                // Most rooms are followed by few.
                self.followers.reserve_exact(1);
            }
            self.followers.push(Follower {
                conn: Arc::clone(conn),
                told: NOT_BEGUN,
            });
        }
    }

    /// Begins to tell a registered connection what comes after `head`, which its snapshot had; one that was begun with
    /// goes on as it was. Returns whether the feed
    /// is past it already: then the connection is told where the log stands.
    pub(super) fn begin(&mut self, conn: &Arc<Conn>, head: u64, hash: EntryHash) -> bool {
        let Some(index) = self.position_of(conn) else {
            return false;
        };
        let (at, _) = *self.head.get_or_insert((head, hash));
        let Some(follower) = self.followers.get_mut(index) else {
            return false;
        };
        if follower.told != NOT_BEGUN {
            return false;
        }
        follower.told = head;
        if at > head {
            conn.outbox.drop_frames(About::Entries(self.room));
            return true;
        }
        false
    }

    pub(super) fn unfollow(&mut self, conn: &Arc<Conn>) {
        if let Some(index) = self.position_of(conn) {
            drop(self.followers.swap_remove(index));
        }
    }

    /// Lets go of every connection of an account.
    pub(super) fn unfollow_account(&mut self, account: AccountId) {
        self.followers
            .retain(|follower| follower.conn.account != account);
    }

    /// Whoever came last is found first: those are the ones that are looked for.
    fn position_of(&self, conn: &Arc<Conn>) -> Option<usize> {
        self.followers
            .iter()
            .rposition(|follower| Arc::ptr_eq(&follower.conn, conn))
    }

    pub(super) fn follows(&self, conn: &Arc<Conn>) -> bool {
        self.position_of(conn).is_some()
    }

    /// Where the log stands for a connection whose entries were dropped; what comes after it will be told.
    pub(super) fn catch_up(&mut self, conn: &Arc<Conn>) -> Option<(u64, EntryHash)> {
        let (head, hash) = self.head?;
        let index = self.position_of(conn)?;
        let follower = self.followers.get_mut(index)?;
        if follower.told == NOT_BEGUN {
            return None;
        }
        follower.told = follower.told.max(head);
        Some((head, hash))
    }

    /// Takes an entry that was committed.
    pub(super) fn announce(&mut self, entry: Arc<Entry>) {
        if self.head.is_some_and(|(head, _)| entry.position <= head) {
            return;
        }
        self.held.insert(entry.position, entry);
        if self.held.len() > HELD_ENTRIES_MAX {
            // Too far behind to catch up one by one: the log is asked where it stands.
            self.known = self
                .held
                .keys()
                .next_back()
                .copied()
                .unwrap_or(self.known)
                .max(self.known);
            self.held.clear();
        }
    }

    /// Takes a hint that the log has reached `head`.
    pub(super) fn hint(&mut self, head: u64) {
        self.known = self.known.max(head);
    }

    /// Takes entries that were read from the log past [`Want::Read`]'s position, and where it stood then.
    pub(super) fn fill(&mut self, entries: Vec<Entry>, log_head: u64, log_hash: EntryHash) {
        self.known = self.known.max(log_head);
        let reaches = entries.last().is_some_and(|last| last.position == log_head);
        if reaches {
            for entry in entries {
                self.announce(Arc::new(entry));
            }
            return;
        }
        // There is more than is read at once.
        if self.head.is_some_and(|(head, _)| head < log_head) {
            self.head = Some((log_head, log_hash));
            self.held = self.held.split_off(&(log_head + 1));
            for follower in self
                .followers
                .iter()
                .filter(|follower| follower.told < log_head)
            {
                follower.conn.outbox.drop_frames(About::Entries(self.room));
                follower.conn.outbox.wake();
            }
        }
    }

    /// Tells what is in turn.
    pub(super) fn advance(&mut self, steady_ms: i64) -> Moved {
        let mut moved = Moved {
            told_count: 0,
            gone: Vec::new(),
            want: Want::Nothing,
        };
        let Some((head, _)) = self.head else {
            return moved;
        };
        self.held = self.held.split_off(&(head + 1));
        let mut entries = Vec::new();
        let mut next = head + 1;
        while let Some(entry) = self.held.remove(&next) {
            next += 1;
            entries.push(entry);
        }
        if let Some(batch) = Batch::new(self.room, entries) {
            self.tell(&batch, &mut moved);
        }
        moved.want = self.want(steady_ms);
        moved
    }

    fn want(&mut self, steady_ms: i64) -> Want {
        let Some((head, _)) = self.head else {
            return Want::Nothing;
        };
        if self.known > head {
            self.gap_since_ms = None;
            return Want::Read { after: head };
        }
        if self.held.is_empty() {
            self.gap_since_ms = None;
            return Want::Nothing;
        }
        let since_ms = *self.gap_since_ms.get_or_insert(steady_ms);
        if steady_ms - since_ms >= GAP_WAIT_MS {
            return Want::Read { after: head };
        }
        Want::Look
    }

    fn tell(&mut self, batch: &Batch, moved: &mut Moved) {
        let gone = batch.gone();
        for follower in &mut self.followers {
            let ends = gone.get(&follower.conn.account).copied();
            moved.told_count += follower.tell(self.room, batch, ends);
        }
        if !gone.is_empty() {
            self.followers
                .retain(|follower| !gone.contains_key(&follower.conn.account));
            moved.gone = gone.into_keys().collect();
        }
        if let Some(last) = batch.entries.last() {
            self.head = Some((last.position, last.hash));
        }
    }

    /// Takes that a drive has reached `head`, and tells it.
    pub(super) fn drive(&mut self, head: u64) -> u64 {
        if head <= self.drive_head {
            return 0;
        }
        self.drive_head = head;
        let told = Told::new(
            vec![ServerFrame::Drive {
                room: self.room,
                head,
            }],
            100,
        );
        self.push(About::Drive(self.room), &told, None)
    }

    /// Takes that a member has come further, to be told with [`Feed::flush_cursors`]. Returns whether it is news.
    pub(super) fn reached(&mut self, account: AccountId, reached: Reached) -> bool {
        if self.followers.len() > PASSING_FOLLOWERS_MAX {
            return false;
        }
        let known = self.cursors.entry(account).or_default();
        known.read = known.read.max(reached.read);
        known.delivered = known.delivered.max(reached.delivered);
        true
    }

    /// Tells who has come further.
    pub(super) fn flush_cursors(&mut self) -> u64 {
        let cursors = std::mem::take(&mut self.cursors);
        if cursors.is_empty() {
            return 0;
        }
        let room = self.room;
        let frames = cursors
            .into_iter()
            .map(|(account, reached)| ServerFrame::Cursor {
                room,
                account,
                read: reached.read,
                delivered: reached.delivered,
            })
            .collect::<Vec<_>>();
        let weight_bytes = frames.len() * 150;
        self.push(About::Passing, &Told::new(frames, weight_bytes), None)
    }

    /// Tells that somebody is typing.
    pub(super) fn typing(&self, account: AccountId, stopped: bool) -> u64 {
        if self.followers.len() > PASSING_FOLLOWERS_MAX {
            return 0;
        }
        let typing = wharf_types::api::live::Typing {
            room: self.room,
            account: Some(account),
            stopped,
        };
        let told = Told::new(vec![ServerFrame::Typing(typing)], 130);
        self.push(About::Passing, &told, Some(account))
    }

    /// Queues frames for all who were begun with, but for an account's own connections.
    fn push(&self, about: About, told: &Arc<Told>, but: Option<AccountId>) -> u64 {
        let mut count = 0;
        for follower in &self.followers {
            if follower.told != NOT_BEGUN && but != Some(follower.conn.account) {
                follower.conn.outbox.push(about, told);
                follower.conn.outbox.wake();
                count += told.frames().len() as u64;
            }
        }
        count
    }

    /// Wakes all who follow.
    pub(super) fn wake(&self) {
        for follower in &self.followers {
            follower.conn.outbox.wake();
        }
    }
}

impl Follower {
    /// Queues what the follower has not been told; `ends` is the entry from which on it is no member. Returns the number
    /// of frames.
    fn tell(&mut self, room: RoomId, batch: &Batch, ends: Option<u64>) -> u64 {
        let last = ends.map_or(batch.last, |ends| ends - 1);
        if self.told >= last {
            return 0;
        }
        let outbox = &self.conn.outbox;
        if !self.conn.wants_entries() || self.told + 1 < batch.first {
            outbox.drop_frames(About::Entries(room));
            return 0;
        }
        let is_whole = self.told + 1 == batch.first && last == batch.last;
        let told = if is_whole {
            Some(Arc::clone(&batch.told))
        } else {
            let due = self.told + 1..=last;
            let entries = batch
                .entries
                .iter()
                .filter(|entry| due.contains(&entry.position));
            told_of(room, &entries.cloned().collect::<Vec<_>>())
        };
        self.told = last;
        let Some(told) = told else {
            return 0;
        };
        outbox.push(About::Entries(room), &told);
        told.frames().len() as u64
    }
}

impl Batch {
    fn new(room: RoomId, entries: Vec<Arc<Entry>>) -> Option<Self> {
        Some(Self {
            first: entries.first()?.position,
            last: entries.last()?.position,
            told: told_of(room, &entries)?,
            entries,
        })
    }

    /// Who is no member any more after this, from which entry on. Who came back within the batch follows anew, through
    /// the account's list.
    fn gone(&self) -> BTreeMap<AccountId, u64> {
        let mut gone = BTreeMap::new();
        for entry in &self.entries {
            if let Some(Body::Member(member)) = &entry.body
                && matches!(member.change, MemberChange::Left | MemberChange::Removed)
            {
                gone.entry(member.account).or_insert(entry.position);
            }
        }
        gone
    }
}

/// Frames of entries. The address that an entry came from is not told: it is its author's alone.
fn told_of(room: RoomId, entries: &[Arc<Entry>]) -> Option<Arc<Told>> {
    let mut weight_bytes = 0;
    let frames = entries
        .iter()
        .map(|entry| {
            let mut entry = Box::new(Entry::clone(entry));
            entry.origin.address = None;
            weight_bytes += weight_of(&entry);
            ServerFrame::Entry { room, entry }
        })
        .collect::<Vec<_>>();
    (!frames.is_empty()).then(|| Told::new(frames, weight_bytes))
}

/// About how many bytes an entry's frame takes.
pub(super) fn weight_of(entry: &Entry) -> usize {
    let text_bytes = match &entry.body {
        Some(Body::Text(text)) => text.text.len() + text.mentions.accounts.len() * 40,
        Some(Body::Edit(edit)) => edit.text.len() + edit.mentions.accounts.len() * 40,
        Some(Body::File(file)) => {
            file.text.len() + file.name.len() + file.mentions.accounts.len() * 40
        }
        _ => 0,
    };
    400 + text_bytes
}

#[cfg(test)]
mod tests;
