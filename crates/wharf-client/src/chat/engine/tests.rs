//! What the machine does with frames that come one by one.

use std::collections::BTreeSet;
use std::sync::Arc;

use tempfile::TempDir;
use wharf_types::api::live::{ClientFrame, ServerFrame, Welcome};
use wharf_types::api::room::{AccountItem, History, Preferences, Role, Room, RoomKind};
use wharf_types::{AccountId, DeviceId, EntryHash, ErrorCode, RoomId, SessionId};

use super::{Engine, Output};
use crate::chat::event::Event;
use crate::chat::shared::Wanted;
use crate::chat::store::Store;
use crate::database::Durability;

const NOW_MS: i64 = 1_790_000_000_000;
const ME: AccountId = AccountId::from_bytes([1; 16]);
const ROOM: RoomId = RoomId::from_bytes([2; 16]);

/// A machine, its store and a connection on which everything came but the log of one room.
struct Here {
    engine: Engine,
    store: Store,
    version: u64,
    folder: Arc<TempDir>,
}

impl Here {
    fn new() -> Self {
        let mut here = Self::open(Arc::new(TempDir::new().unwrap()), 0);
        here.is_told_of_room();
        here.comes(ServerFrame::Ready);
        here
    }

    /// A machine of another process that shares the store, on a connection of its own.
    fn beside(&self) -> Self {
        let mut beside = Self::open(Arc::clone(&self.folder), self.version);
        beside.comes(ServerFrame::Ready);
        beside.told();
        beside
    }

    fn open(folder: Arc<TempDir>, version: u64) -> Self {
        let path = folder.path().join("store");
        let device = DeviceId::from_bytes([3; 16]);
        let mut here = Self {
            engine: Engine::new("here".to_owned(), 1),
            store: Store::open(&path, Durability::Never, device).unwrap(),
            version,
            folder,
        };
        here.engine.opened(&mut here.store, NOW_MS).unwrap();
        here.comes(ServerFrame::Welcome(Welcome {
            epoch: "one".to_owned(),
            account: ME,
            session: SessionId::from_bytes([4; 16]),
            number: 0,
            time_ms: NOW_MS,
            heartbeat_seconds: 30,
            recall_minutes: 0,
            edit_minutes: 0,
        }));
        here
    }

    fn comes(&mut self, frame: ServerFrame) {
        let received = self.engine.received(&mut self.store, NOW_MS, frame);
        received.unwrap();
    }

    fn changes(&mut self, item: AccountItem) {
        self.version += 1;
        self.comes(ServerFrame::Account {
            version: self.version,
            items: vec![item],
        });
    }

    fn is_told_of_room(&mut self) {
        self.changes(AccountItem::Room(Box::new(room())));
    }

    fn leaves_room(&mut self) {
        self.changes(AccountItem::RoomGone { room: ROOM });
    }

    fn is_refused(&mut self, id: u64) {
        self.comes(ServerFrame::PageRefused {
            id,
            code: ErrorCode::NotFound,
            detail: "no such room".to_owned(),
        });
    }

    /// What was told about rooms since the last time.
    fn told(&mut self) -> Vec<String> {
        let mut told = Vec::new();
        while let Some(output) = self.engine.output() {
            if let Output::Tell(event @ (Event::Room(_) | Event::RoomGone(_))) = output {
                told.push(format!("{event:?}"));
            }
        }
        told
    }

    /// The ids under which the machine asks for pages of the room, which somebody looks at or not.
    fn asks(&mut self, is_looked_at: bool) -> Vec<u64> {
        let wanted = Wanted {
            shown: is_looked_at
                .then_some(ROOM)
                .into_iter()
                .collect::<BTreeSet<_>>(),
            ..Wanted::default()
        };
        self.engine.tick(&mut self.store, NOW_MS, wanted).unwrap();
        let mut ids = Vec::new();
        while let Some(output) = self.engine.output() {
            if let Output::Send(ClientFrame::Fetch(fetch)) = output {
                assert_eq!(fetch.room, ROOM);
                ids.push(fetch.id);
            }
        }
        ids
    }
}

/// A room with a log that nothing is stored of.
fn room() -> Room {
    Room {
        id: ROOM,
        kind: RoomKind::Group,
        name: "room".to_owned(),
        topic: String::new(),
        peer: None,
        owner: ME,
        role: Role::Editor,
        can_write: true,
        member_count: 2,
        history: History::All,
        keep_days: 0,
        archived: false,
        created_ms: 0,
        joined_ms: 0,
        head: 50,
        head_hash: EntryHash::from_bytes([5; 32]),
        floor: 0,
        drive_head: 0,
        read: 50,
        unread: 0,
        mentions: 0,
        last: None,
        preferences: Preferences::default(),
    }
}

#[test]
fn what_another_process_applied_first_is_told_in_this_one_too() {
    let mut here = Here::new();
    let mut beside = here.beside();
    here.told();
    let [is_there, is_gone] = [Event::Room(ROOM), Event::RoomGone(ROOM)];
    here.is_told_of_room();
    beside.is_told_of_room();
    for machine in [&mut here, &mut beside] {
        assert_eq!(machine.told(), [format!("{is_there:?}")]);
    }
    here.leaves_room();
    beside.leaves_room();
    for machine in [&mut here, &mut beside] {
        assert_eq!(machine.told(), [format!("{is_gone:?}")]);
    }
}

#[test]
fn a_room_that_was_left_and_entered_again_is_read() {
    let mut here = Here::new();
    assert_eq!(here.asks(false), [1]);
    here.leaves_room();
    here.is_refused(1);
    assert!(
        here.asks(true).is_empty(),
        "nothing says that it may be read"
    );
    here.is_told_of_room();
    assert_eq!(here.asks(true), [2]);
}

#[test]
fn a_refusal_from_before_a_room_was_entered_again_does_not_keep_it_from_being_read() {
    let mut here = Here::new();
    assert_eq!(here.asks(false), [1]);
    here.leaves_room();
    here.is_told_of_room();
    here.is_refused(1);
    assert_eq!(here.asks(false), [2]);
    here.is_refused(2);
    assert!(here.asks(false).is_empty(), "it is refused now");
    assert!(here.asks(true).is_empty());
}
