//! What is known for as long as the process runs, and what is wanted of the connection.

use std::collections::{BTreeMap, BTreeSet};

use parking_lot::Mutex;
use tokio::sync::Notify;
use wharf_types::api::contact::{Presence, Status};
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
}

/// What holds now.
#[derive(Debug, Default)]
struct Now {
    connection: Connection,
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

    pub(super) fn want_status(&self, status: Status) {
        self.wanted.lock().status = Some(status);
        self.poke();
    }

    pub(super) fn want_watch(&self, accounts: BTreeSet<AccountId>) {
        self.wanted.lock().watch = accounts;
        self.poke();
    }

    pub(super) fn want_shown(&self, rooms: BTreeSet<RoomId>) {
        self.wanted.lock().shown = rooms;
        self.poke();
    }

    pub(super) fn want_typing(&self, room: RoomId, is_typing: bool) {
        self.wanted.lock().typing.insert(room, is_typing);
        self.poke();
    }
}
