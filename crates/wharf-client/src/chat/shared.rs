//! What is known for as long as the process runs, and what is wanted of the connection.

use std::collections::{BTreeMap, BTreeSet};

use parking_lot::Mutex;
use tokio::sync::Notify;
use wharf_types::api::contact::{Presence, Status};
use wharf_types::api::live::Typing;
use wharf_types::{AccountId, RoomId};

use super::event::{Connection, Event, Events, Teller};

/// How long somebody is taken to be typing without a further word.
const TYPING_MS: i64 = 6_000;

/// Between the chat's face and its connection.
#[derive(Debug)]
pub(super) struct Shared {
    teller: Teller,
    now: Mutex<Now>,
    wanted: Mutex<Wanted>,
    poke: Notify,
    uploads: Notify,
}

/// What holds now.
#[derive(Debug, Default)]
struct Now {
    connection: Connection,
    is_unreachable: bool,
    presence: BTreeMap<AccountId, Presence>,
    typing: BTreeMap<RoomId, BTreeMap<AccountId, i64>>,
}

/// What the person wants the server to know, or to be told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) status: Option<Status>,
    pub(super) watch: BTreeSet<AccountId>,
    /// The rooms that are looked at.
    pub(super) shown: BTreeSet<RoomId>,
    /// Where the person is typing, or has just stopped; taken when it is passed on.
    pub(super) typing: BTreeMap<RoomId, bool>,
}

impl Shared {
    pub(super) fn new() -> Self {
        Self {
            teller: Teller::new(),
            now: Mutex::default(),
            wanted: Mutex::default(),
            poke: Notify::new(),
            uploads: Notify::new(),
        }
    }

    pub(super) fn subscribe(&self) -> Events {
        self.teller.subscribe()
    }

    pub(super) fn tell(&self, event: Event) {
        self.teller.tell(event);
    }

    /// Says that there is something to do.
    pub(super) fn poke(&self) {
        self.poke.notify_one();
        self.uploads.notify_one();
    }

    pub(super) fn connection(&self) -> Connection {
        self.now.lock().connection.clone()
    }

    pub(super) fn presence(&self, account: AccountId) -> Option<Presence> {
        self.now.lock().presence.get(&account).cloned()
    }

    pub(super) fn typing(&self, room: RoomId, now_ms: i64) -> Vec<AccountId> {
        let now = self.now.lock();
        let typing = now.typing.get(&room);
        typing
            .into_iter()
            .flatten()
            .filter(|(_, since_ms)| (now_ms - **since_ms).abs() < TYPING_MS)
            .map(|(account, _)| *account)
            .collect()
    }

    /// Waits for something to do. Cancel safe.
    pub(super) async fn poked(&self) {
        self.poke.notified().await;
    }

    /// As [`poked`](Self::poked), for the uploads.
    pub(super) async fn uploads_poked(&self) {
        self.uploads.notified().await;
    }

    pub(super) fn set_connection(&self, connection: Connection) {
        self.now.lock().connection = connection;
    }

    /// Whether the last attempt to connect failed.
    pub(super) fn is_unreachable(&self) -> bool {
        self.now.lock().is_unreachable
    }

    pub(super) fn set_unreachable(&self, is_unreachable: bool) {
        self.now.lock().is_unreachable = is_unreachable;
    }

    pub(super) fn set_presence(&self, items: &[Presence]) {
        let mut now = self.now.lock();
        for item in items {
            now.presence.insert(item.account, item.clone());
        }
    }

    /// Nothing is known of anybody any more.
    pub(super) fn forget_presence(&self) {
        let mut now = self.now.lock();
        now.presence.clear();
        now.typing.clear();
    }

    pub(super) fn set_typing(&self, typing: &Typing, now_ms: i64) {
        let Some(account) = typing.account else {
            return;
        };
        let mut now = self.now.lock();
        let room = now.typing.entry(typing.room).or_default();
        room.retain(|_, since_ms| (now_ms - *since_ms).abs() < TYPING_MS);
        if typing.stopped {
            room.remove(&account);
        } else {
            room.insert(account, now_ms);
        }
    }

    /// What is wanted now. Where somebody types is told once: it is of no use later.
    pub(super) fn wanted(&self) -> Wanted {
        let mut wanted = self.wanted.lock();
        let typing = std::mem::take(&mut wanted.typing);
        Wanted {
            typing,
            ..wanted.clone()
        }
    }

    pub(super) fn want_status(&self, status: Status) {
        self.want(|wanted| wanted.status = Some(status));
    }

    pub(super) fn want_watch(&self, accounts: BTreeSet<AccountId>) {
        self.want(|wanted| wanted.watch = accounts);
    }

    pub(super) fn want_shown(&self, rooms: BTreeSet<RoomId>) {
        self.want(|wanted| wanted.shown = rooms);
    }

    /// Faces say what they want as often as they draw; only another wish is work.
    fn want(&self, change: impl FnOnce(&mut Wanted)) {
        let mut wanted = self.wanted.lock();
        let before = wanted.clone();
        change(&mut wanted);
        let is_other = *wanted != before;
        drop(wanted);
        if is_other {
            self.poke();
        }
    }

    pub(super) fn want_typing(&self, room: RoomId, is_typing: bool) {
        self.wanted.lock().typing.insert(room, is_typing);
        self.poke();
    }
}
