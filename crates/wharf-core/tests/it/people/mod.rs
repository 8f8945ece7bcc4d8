//! Contacts, rooms, memberships, and what each account's list says of them.

mod contacts;
mod follow;
mod links;
mod roles;
mod rooms;
pub(crate) mod save;

use std::sync::atomic::{AtomicU64, Ordering};

use wharf_core::drive::RoomRef;
use wharf_core::{AttemptLimits, Caller, Error, HouseConfig, MessageLimits};
use wharf_types::api::account::SignupPolicy;
use wharf_types::api::contact::{AskContact, Contact};
use wharf_types::api::log::{Append, Appended, Body, Draft, Entry, MemberChange, Text};
use wharf_types::api::room::{CreateRoom, InviteToRoom, Role, Room};
use wharf_types::{AccountId, DeviceId, RoomId};

use crate::support::{House, Visitor};

static FRESH: AtomicU64 = AtomicU64::new(1);

impl Visitor {
    pub(crate) fn home(&self) -> RoomId {
        self.logged_in.account.home
    }
}

impl House {
    pub(crate) async fn ask(&self, from: &Visitor, to: &Visitor) -> Result<Contact, Error> {
        let request = AskContact {
            who: to.logged_in.account.username.clone(),
            word: "it is me".into(),
        };
        self.wharf.contacts().ask(&from.caller, request).await
    }

    /// Makes two people contacts and returns their direct room, which is `one`'s.
    pub(crate) async fn befriend(&self, one: &Visitor, other: &Visitor) -> RoomId {
        self.ask(one, other).await.unwrap();
        let contact = self
            .wharf
            .contacts()
            .accept(&other.caller, one.id())
            .await
            .unwrap();
        contact.room.unwrap()
    }

    /// Makes a group.
    pub(crate) async fn group(&self, owner: &Visitor, name: &str) -> RoomId {
        let request = CreateRoom {
            name: name.into(),
            ..CreateRoom::default()
        };
        let room = self.wharf.rooms().create(&owner.caller, request).await;
        room.unwrap().id
    }

    /// Brings somebody into a group, as a contact of its owner.
    pub(crate) async fn bring(&self, owner: &Visitor, room: RoomId, who: &Visitor, role: Role) {
        self.befriend(owner, who).await;
        let request = InviteToRoom {
            account: who.id(),
            role: Some(role),
        };
        let rooms = self.wharf.rooms();
        let invited = rooms
            .invite(&owner.caller, RoomRef::Id(room), request)
            .await;
        invited.unwrap();
        rooms.accept(&who.caller, room).await.unwrap();
    }

    /// Says something, from a device of its own.
    pub(crate) async fn say(
        &self,
        by: &Caller,
        room: RoomId,
        text: &str,
    ) -> Result<Appended, Error> {
        let draft = Draft::Text(Text {
            text: text.into(),
            ..Text::default()
        });
        self.append(by, room, draft).await
    }

    pub(crate) async fn append(
        &self,
        by: &Caller,
        room: RoomId,
        draft: Draft,
    ) -> Result<Appended, Error> {
        let append = Append {
            device: DeviceId::from_bytes(fresh()),
            number: 1,
            draft,
            client_ms: None,
        };
        self.wharf
            .logs()
            .append(by, RoomRef::Id(room), append)
            .await
    }

    pub(crate) async fn view(&self, by: &Visitor, room: RoomId) -> Room {
        self.wharf
            .rooms()
            .get(&by.caller, RoomRef::Id(room))
            .await
            .unwrap()
    }

    /// The whole log that somebody can read; nothing where they can read none.
    pub(crate) async fn log(&self, by: &Visitor, room: RoomId) -> Vec<Entry> {
        let range = wharf_core::log::Range::After(0);
        let logs = self.wharf.logs();
        let page = logs.page(&by.caller, RoomRef::Id(room), range, Some(1_000));
        page.await.map_or_else(|_| Vec::new(), |page| page.items)
    }
}

/// The bytes of an id that nothing has.
pub(crate) fn fresh() -> [u8; 16] {
    let number = FRESH.fetch_add(1, Ordering::Relaxed);
    *DeviceId::new(number, &[1; 10]).as_bytes()
}

/// A house that stops nobody who is quick.
pub(crate) fn unlimited() -> HouseConfig {
    HouseConfig {
        signup: SignupPolicy::Open,
        attempts: AttemptLimits {
            finds_per_account: u32::MAX,
            ..AttemptLimits::default()
        },
        messages: MessageLimits {
            account_burst: u32::MAX,
            account_per_minute: u32::MAX,
            address_burst: u32::MAX,
            address_per_minute: u32::MAX,
        },
        ..HouseConfig::default()
    }
}

/// What the log says of members: who, what, and the role afterwards.
fn member_changes(log: &[Entry]) -> Vec<(AccountId, MemberChange, Option<Role>)> {
    log.iter()
        .filter_map(|entry| match &entry.body {
            Some(Body::Member(member)) => Some((member.account, member.change, member.role)),
            _ => None,
        })
        .collect()
}
