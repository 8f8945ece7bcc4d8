//! People who talk in one room.

use std::collections::HashMap;

use parking_lot::Mutex;
use wharf_core::drive::RoomRef;
use wharf_core::log::Range;
use wharf_core::{Error, HouseConfig, MessageLimits};
use wharf_store::sql::Lock;
use wharf_testkit::db::TestDb;
use wharf_types::api::account::SignupPolicy;
use wharf_types::api::live::Sending;
use wharf_types::api::log::{
    Append, AppendOutcome, Appended, Draft, Edit, Entry, Mentions, Pin, Reaction, Recall, Text,
};
use wharf_types::api::room::EditRoom;
use wharf_types::{AccountId, DeviceId, RoomId};

use crate::support::{House, Visitor};

/// A house with a group of three: its owner, an editor and a reader; and a stranger.
pub(crate) struct Talk {
    pub(crate) house: House,
    pub(crate) owner: Visitor,
    pub(crate) editor: Visitor,
    pub(crate) reader: Visitor,
    pub(crate) stranger: Visitor,
    pub(crate) room: RoomId,
    numbers: Mutex<HashMap<(AccountId, DeviceId), u64>>,
}

/// A device's id.
pub(crate) fn device(byte: u8) -> DeviceId {
    DeviceId::from_bytes([byte; 16])
}

/// A text that answers and mentions nobody.
pub(crate) fn text(text: &str) -> Draft {
    Draft::Text(Text {
        text: text.to_owned(),
        ..Text::default()
    })
}

/// A text that mentions somebody.
pub(crate) fn text_to(text: &str, mentions: Mentions) -> Draft {
    Draft::Text(Text {
        text: text.to_owned(),
        reply_to: None,
        mentions,
    })
}

pub(crate) fn edit(target: u64, text: &str) -> Draft {
    Draft::Edit(Edit {
        target,
        text: text.to_owned(),
        mentions: Mentions::default(),
    })
}

pub(crate) fn recall(target: u64) -> Draft {
    Draft::Recall(Recall { target })
}

pub(crate) fn react(target: u64, emoji: &str, is_set: bool) -> Draft {
    Draft::Reaction(Reaction {
        target,
        emoji: emoji.to_owned(),
        is_set,
    })
}

pub(crate) fn pin(target: u64, is_set: bool) -> Draft {
    Draft::Pin(Pin { target, is_set })
}

/// Limits that no test meets.
pub(crate) fn unlimited() -> HouseConfig {
    HouseConfig {
        signup: SignupPolicy::Open,
        messages: MessageLimits {
            account_burst: 1_000_000,
            account_per_minute: 1_000_000,
            address_burst: 1_000_000,
            address_per_minute: 1_000_000,
        },
        ..HouseConfig::default()
    }
}

impl Visitor {
    pub(crate) fn id(&self) -> AccountId {
        self.logged_in.account.id
    }
}

impl Talk {
    pub(crate) async fn open(db: TestDb) -> Self {
        Self::open_with(db, unlimited()).await
    }

    pub(crate) async fn open_with(db: TestDb, config: HouseConfig) -> Self {
        let house = House::open_with(db, config).await;
        let owner = house.operator().await;
        let editor = house.member("editor").await;
        let reader = house.member("reader").await;
        let stranger = house.member("stranger").await;
        let room = owner.caller.person().unwrap().home;
        let talk = Self {
            house,
            owner,
            editor,
            reader,
            stranger,
            room,
            numbers: Mutex::default(),
        };
        talk.execute("UPDATE room SET kind = 'group' WHERE id = ?1")
            .await;
        talk.admit(talk.editor.id(), "editor", 0).await;
        talk.admit(talk.reader.id(), "reader", 0).await;
        talk
    }

    /// Forgets all that was ever said in the room, and every device's numbers.
    pub(crate) async fn empty(&self) {
        for sql in [
            "DELETE FROM entry WHERE room_id = ?1",
            "DELETE FROM reaction WHERE room_id = ?1",
            "DELETE FROM mention WHERE room_id = ?1",
            "DELETE FROM log_hour WHERE room_id = ?1",
            "DELETE FROM delivered WHERE room_id = ?1",
            "DELETE FROM sent WHERE room_id = ?1",
            "UPDATE member SET read_position = 0, read_countable = 0 WHERE room_id = ?1",
            "UPDATE log SET head = 0, hash = floor_hash, countable = 0, hour = -1 WHERE room_id = ?1",
        ] {
            self.execute(sql).await;
        }
    }

    /// Runs a statement about the room.
    pub(crate) async fn execute(&self, sql: &'static str) {
        let room = self.room;
        self.house
            .db
            .write(Lock::Room(room), move |tx| {
                tx.exec(sql, &[room.into()])?;
                Ok::<_, wharf_store::sql::Error>(())
            })
            .await
            .unwrap();
    }

    /// Makes an account a member, who cannot read up to `floor`.
    pub(crate) async fn admit(&self, account: AccountId, role: &'static str, floor: u64) {
        let room = self.room;
        self.house
            .db
            .write(Lock::Room(room), move |tx| {
                tx.exec(
                    "INSERT INTO member (room_id, account_id, role, joined_ms, floor_position) VALUES (?1, ?2, ?3, 0, ?4)",
                    &[room.into(), account.into(), role.into(), floor.into()],
                )?;
                Ok::<_, wharf_store::sql::Error>(())
            })
            .await
            .unwrap();
    }

    /// Sets how many days the room keeps what is said.
    pub(crate) async fn keep_days(&self, days: u32) {
        let edit = EditRoom {
            keep_days: Some(days),
            ..EditRoom::default()
        };
        let rooms = self.house.wharf.rooms();
        rooms
            .edit(&self.owner.caller, self.at(), edit)
            .await
            .unwrap();
    }

    pub(crate) fn at(&self) -> RoomRef {
        RoomRef::Id(self.room)
    }

    /// Appends under the next number of the person's own device.
    pub(crate) async fn try_say(&self, who: &Visitor, draft: Draft) -> Result<Appended, Error> {
        let device = device(1);
        let number = {
            let mut numbers = self.numbers.lock();
            let number = numbers.entry((who.id(), device)).or_default();
            *number += 1;
            *number
        };
        self.append(who, self.room, device, number, draft).await
    }

    pub(crate) async fn say(&self, who: &Visitor, draft: Draft) -> u64 {
        self.try_say(who, draft).await.unwrap().position
    }

    pub(crate) async fn append(
        &self,
        who: &Visitor,
        room: RoomId,
        device: DeviceId,
        number: u64,
        draft: Draft,
    ) -> Result<Appended, Error> {
        let append = Append {
            device,
            number,
            draft,
            client_ms: Some(5),
        };
        self.house
            .wharf
            .logs()
            .append(&who.caller, RoomRef::Id(room), append)
            .await
    }

    /// Sends several texts from one device in one batch.
    pub(crate) async fn batch(
        &self,
        who: &Visitor,
        device: DeviceId,
        items: &[(u64, Draft)],
    ) -> Vec<AppendOutcome> {
        let items = items
            .iter()
            .map(|(number, draft)| Sending {
                number: *number,
                room: self.room,
                draft: draft.clone(),
                client_ms: None,
            })
            .collect();
        self.house
            .wharf
            .logs()
            .append_batch(&who.caller, device, items)
            .await
    }

    /// The whole log, as somebody sees it.
    pub(crate) async fn log(&self, who: &Visitor) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            let after = entries.last().map_or(0, |last| last.position);
            let page = self
                .house
                .wharf
                .logs()
                .page(&who.caller, self.at(), Range::After(after), Some(1_000))
                .await
                .unwrap();
            if page.items.is_empty() {
                assert_eq!(
                    page.head,
                    entries.last().map_or(page.floor, |last| last.position)
                );
                return entries;
            }
            entries.extend(page.items);
        }
    }
}
