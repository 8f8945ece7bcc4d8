//! Fetching what is missing of the logs: first where somebody looks, then where little was missed, then the last page of
//! the rooms that were used last. Everything else waits until somebody looks.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use wharf_types::api::live::{ClientFrame, Fetch};
use wharf_types::api::log::LogPage;
use wharf_types::{AccountId, RoomId};

use crate::chat::error::ChatError;
use crate::chat::store::{self, Held, Run, Store};

/// Most fetches under way.
const UNDER_WAY_MAX: usize = 4;
/// Entries on a page.
const PAGE_ENTRIES: u32 = 100;
/// How many entries a room that is looked at has at least, and one that is not.
const ENTRIES_SHOWN: u64 = 100;
const ENTRIES_KEPT: u64 = 30;
/// Rooms whose last entries are fetched without anybody looking.
const ROOMS_KEPT: usize = 100;

/// The fetches of one connection.
#[derive(Debug, Default)]
pub(super) struct Fetching {
    next_id: u64,
    under_way: BTreeMap<u64, Asked>,
    queue: VecDeque<RoomId>,
    shown: BTreeSet<RoomId>,
    /// Rooms whose pages did not fit: not asked for again on this connection.
    unfit: BTreeSet<RoomId>,
    /// Rooms of which the server gave no page: not asked for again until it tells of the room, since who left may come back.
    refused: BTreeSet<RoomId>,
}

/// A page that was asked for.
#[derive(Debug)]
struct Asked {
    room: RoomId,
    before: u64,
    /// The server has told of the room since: a refusal may be older than that.
    is_told: bool,
}

impl Fetching {
    /// Plans what to fetch at the start of a connection.
    pub(super) fn plan(&mut self, store: &mut Store) -> Result<(), ChatError> {
        let rooms = store.read(|tx| store::account::known_heads(tx, usize::MAX))?;
        for (index, (room, run)) in rooms.into_iter().enumerate() {
            if is_wanted(&run) && (index < ROOMS_KEPT || run.has_gap()) {
                self.want(room);
            }
        }
        Ok(())
    }

    /// A room's log has a gap.
    pub(super) fn want(&mut self, room: RoomId) {
        if !self.queue.contains(&room) {
            self.queue.push_back(room);
        }
    }

    /// Rooms that somebody looks at come first.
    pub(super) fn look_at(&mut self, shown: &BTreeSet<RoomId>) {
        if self.shown == *shown {
            return;
        }
        for room in shown.difference(&self.shown) {
            self.queue.retain(|queued| queued != room);
            self.queue.push_front(*room);
        }
        self.shown.clone_from(shown);
    }

    /// Asks for the next pages.
    pub(super) fn ask(
        &mut self,
        store: &mut Store,
        frames: &mut Vec<ClientFrame>,
    ) -> Result<(), ChatError> {
        while self.under_way.len() < UNDER_WAY_MAX {
            let is_under_way =
                |room: &RoomId| self.under_way.values().any(|asked| asked.room == *room);
            let Some(index) = self.queue.iter().position(|room| !is_under_way(room)) else {
                return Ok(());
            };
            let Some(room) = self.queue.remove(index) else {
                return Ok(());
            };
            let Some(run) = store.read(|tx| Run::read(tx, room))? else {
                continue;
            };
            let kept = if self.shown.contains(&room) {
                ENTRIES_SHOWN
            } else {
                ENTRIES_KEPT
            };
            let is_given = !self.unfit.contains(&room) && !self.refused.contains(&room);
            if !is_given || !(run.has_gap() || is_short(&run, kept)) {
                continue;
            }
            let missing = run.gap().unwrap_or(u64::MAX).min(u64::from(PAGE_ENTRIES));
            self.next_id += 1;
            let asked = Asked {
                room,
                before: run.first,
                is_told: false,
            };
            self.under_way.insert(self.next_id, asked);
            frames.push(ClientFrame::Fetch(Fetch {
                id: self.next_id,
                room,
                after: None,
                before: Some(run.first),
                limit: u32::try_from(missing).ok(),
            }));
        }
        Ok(())
    }

    /// Takes a page; says whether there may be something new in the room's timeline.
    pub(super) fn answered(
        &mut self,
        store: &mut Store,
        id: u64,
        room: RoomId,
        page: &LogPage,
        me: Option<AccountId>,
    ) -> Result<bool, ChatError> {
        let (Some(asked), Some(me)) = (self.under_way.remove(&id), me) else {
            return Ok(false);
        };
        if asked.room != room {
            return Ok(false);
        }
        let before = asked.before;
        let held = store.change(|tx| store::entry::apply_page(tx, room, page, before, me))?;
        if held == Held::Broken {
            tracing::warn!(%room, "a page of a log does not lead to what is stored");
            self.unfit.insert(room);
            return Ok(false);
        }
        self.want(room);
        // What is known was applied by another process that shares the store, and nobody was told of it in this one.
        Ok(matches!(held, Held::Applied | Held::Known))
    }

    /// The server gave no page: the room was left meanwhile, or is not to be read.
    pub(super) fn refused(&mut self, id: u64) {
        match self.under_way.remove(&id) {
            Some(asked) if asked.is_told => self.want(asked.room),
            Some(asked) => {
                self.refused.insert(asked.room);
            }
            None => {}
        }
    }

    /// The server tells of a room: a page that it refused may be had now.
    pub(super) fn told(&mut self, room: RoomId) {
        for asked in self.under_way.values_mut() {
            asked.is_told |= asked.room == room;
        }
        if self.refused.remove(&room) {
            self.want(room);
        }
    }
}

/// Whether more of a room's log is to be fetched although nobody looks, if the room is one of those that are kept.
pub(in crate::chat) fn is_wanted(run: &Run) -> bool {
    run.has_gap() || is_short(run, ENTRIES_KEPT)
}

fn is_short(run: &Run, entries: u64) -> bool {
    run.has_older() && run.len() < entries
}
