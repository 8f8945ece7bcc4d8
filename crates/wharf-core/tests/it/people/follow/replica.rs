//! A client as the protocol asks for one: it has a snapshot, the entries it was told, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use wharf_core::Caller;
use wharf_core::drive::RoomRef;
use wharf_core::log::Range;
use wharf_types::api::contact::{Contact, ContactGroup};
use wharf_types::api::log::{Body, Entry};
use wharf_types::api::room::{AccountItem, Room, RoomInvitation};
use wharf_types::fold;
use wharf_types::{AccountId, ContactGroupId, RoomId};

use crate::support::House;

pub(super) struct Replica {
    by: Caller,
    me: AccountId,
    version: u64,
    list: List,
    logs: BTreeMap<RoomId, Log>,
}

/// The entries of a room, and which of them are texts and files: one that was erased does not say.
#[derive(Default)]
struct Log {
    entries: BTreeMap<u64, Entry>,
    said: BTreeSet<u64>,
}

#[derive(Debug, Default, PartialEq)]
struct List {
    contacts: BTreeMap<AccountId, Contact>,
    groups: BTreeMap<ContactGroupId, ContactGroup>,
    rooms: BTreeMap<RoomId, Room>,
    invitations: BTreeMap<RoomId, RoomInvitation>,
}

impl List {
    fn apply(&mut self, item: AccountItem) {
        match item {
            AccountItem::Contact(contact) => {
                self.contacts.insert(contact.person.id, *contact);
            }
            AccountItem::ContactGone { account } => {
                self.contacts.remove(&account);
            }
            AccountItem::Group(group) => {
                self.groups.insert(group.id, group);
            }
            AccountItem::GroupGone { group } => {
                self.groups.remove(&group);
            }
            AccountItem::Room(room) => {
                self.rooms.insert(room.id, *room);
            }
            AccountItem::RoomGone { room } => {
                self.rooms.remove(&room);
            }
            AccountItem::Invitation(invitation) => {
                self.invitations.insert(invitation.room, invitation);
            }
            AccountItem::InvitationGone { room } => {
                self.invitations.remove(&room);
            }
            // Counted again from the entries that the replica has.
            AccountItem::Read { room, position, .. } => {
                if let Some(room) = self.rooms.get_mut(&room) {
                    room.read = position;
                }
            }
        }
    }
}

impl Replica {
    pub(super) fn new(by: Caller, me: AccountId) -> Self {
        Self {
            by,
            me,
            version: 0,
            list: List::default(),
            logs: BTreeMap::new(),
        }
    }

    /// Reads what changed of the list, and then what the logs say.
    pub(super) async fn follow(&mut self, house: &House) {
        let rooms = house.wharf.rooms();
        let changes = rooms.changes(&self.by, self.version).await.unwrap();
        self.version = changes.version;
        for item in changes.items {
            self.list.apply(item);
        }
        self.logs
            .retain(|room, _| self.list.rooms.contains_key(room));
        let rooms: Vec<RoomId> = self.list.rooms.keys().copied().collect();
        for room in rooms {
            self.follow_log(house, room).await;
        }
    }

    async fn follow_log(&mut self, house: &House, id: RoomId) {
        let room = self.list.rooms.get_mut(&id).unwrap();
        let Log { entries, said } = self.logs.entry(id).or_default();
        // Entries from before a time away are no longer this member's.
        entries.retain(|position, _| *position > room.floor);
        said.retain(|position| *position > room.floor);
        loop {
            let last = entries
                .last_key_value()
                .map_or(room.floor, |(last, _)| *last);
            let range = Range::After(last);
            let page = house
                .wharf
                .logs()
                .page(&self.by, RoomRef::Id(id), range, Some(1_000))
                .await
                .unwrap();
            if page.items.is_empty() {
                break;
            }
            for entry in page.items {
                let is_said = match entries.last_key_value() {
                    Some((_, before)) => entry.countable > before.countable,
                    None => entry
                        .body
                        .as_ref()
                        .map_or(entry.countable > 0, Body::is_countable),
                };
                if is_said {
                    said.insert(entry.position);
                }
                if is_said && entry.account == Some(self.me) && entry.position > room.head {
                    room.read = entry.position;
                }
                for earlier in entries.values_mut() {
                    fold::apply(earlier, &entry);
                }
                fold::apply_to_room(room, self.me, &entry);
                entries.insert(entry.position, entry);
            }
        }
        room.unread = said.range(room.read + 1..).count() as u64;
        let past = entries.range(room.read + 1..).map(|(_, entry)| entry);
        let meant = past
            .filter(|entry| fold::mentions_of(entry).is_some_and(|whom| whom.includes(self.me)));
        room.mentions = meant.count() as u64;
        room.last = said.last().and_then(|last| entries.get(last)).cloned();
    }

    /// Holds what the replica has against a new snapshot.
    pub(super) async fn compare(&self, house: &House, after: &str) {
        let rooms = house.wharf.rooms();
        let snapshot = rooms.changes(&self.by, 0).await.unwrap();
        assert_eq!(snapshot.version, self.version, "{after}");
        let mut fresh = List::default();
        for item in snapshot.items {
            fresh.apply(item);
        }
        assert_eq!(self.list, fresh, "{after}");
    }
}
