//! The account's own list as a stream of versions.
//!
//! Whenever something of an account's list changes, in whatever transaction, it is touched there and takes the list's
//! next version. The row lock on the version makes versions commit in their order. What is past a version is what
//! changed since; each thing is read as it is now, and is gone if it is not there any more. So the list is never
//! replayed: whoever comes back after a year gets each thing once.
//!
//! What a room's log says (who came and went, what was said) is not told here again, except for what a room's own
//! settings are: those who follow the log apply its entries to the [`Room`](wharf_types::api::room::Room) that they have.

use std::collections::BTreeMap;

use wharf_store::sql::{self, Tx};
use wharf_types::api::room::{AccountChanges, AccountItem};
use wharf_types::limit::PAGE_ITEMS_MAX;
use wharf_types::{AccountId, ContactGroupId, ErrorCode, RoomId};

use super::{invite, view};
use crate::contact;
use crate::error::{Error, Result};
use crate::live::Notices;

/// Something of an account's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Thing {
    /// A contact, request or block.
    Contact(AccountId),
    /// A group of contacts.
    Group(ContactGroupId),
    /// A membership: the room itself, the role, the preferences.
    Room(RoomId),
    /// An invitation into a room.
    Invitation(RoomId),
    /// How far the account has read in a room.
    Read(RoomId),
}

impl Thing {
    fn columns(&self) -> (&'static str, &[u8; 16]) {
        match self {
            Self::Contact(id) => ("contact", id.as_bytes()),
            Self::Group(id) => ("group", id.as_bytes()),
            Self::Room(id) => ("room", id.as_bytes()),
            Self::Invitation(id) => ("invitation", id.as_bytes()),
            Self::Read(id) => ("read", id.as_bytes()),
        }
    }

    fn from_columns(kind: &str, id: [u8; 16]) -> sql::Result<Self> {
        match kind {
            "contact" => Ok(Self::Contact(AccountId::from_bytes(id))),
            "group" => Ok(Self::Group(ContactGroupId::from_bytes(id))),
            "room" => Ok(Self::Room(RoomId::from_bytes(id))),
            "invitation" => Ok(Self::Invitation(RoomId::from_bytes(id))),
            "read" => Ok(Self::Read(RoomId::from_bytes(id))),
            other => Err(sql::Error::corrupt(format!("kind of thing {other:?}"))),
        }
    }
}

/// Gives a thing of an account's list the next version, which it returns. Who touches several accounts in one transaction
/// does so in the order of their ids: see [`Told`].
pub(crate) fn touch(tx: &mut Tx<'_>, account: AccountId, thing: Thing) -> sql::Result<u64> {
    let version = tx.one(
        "INSERT INTO account_list (account_id, version) VALUES (?1, 1) \
         ON CONFLICT (account_id) DO UPDATE SET version = account_list.version + 1 RETURNING version",
        &[account.into()],
        |row| row.uint(0),
    )?;
    let (kind, id) = thing.columns();
    tx.exec(
        "INSERT INTO account_change (account_id, kind, thing_id, version) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (account_id, kind, thing_id) DO UPDATE SET version = excluded.version",
        &[
            account.into(),
            kind.into(),
            id.as_slice().into(),
            version.into(),
        ],
    )?;
    Ok(version)
}

/// What a transaction has to tell: what is announced when it is durable, and the lists to touch before that.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) notices: Notices,
    touches: BTreeMap<AccountId, Vec<Thing>>,
}

impl Told {
    /// Notes a thing of an account's list. They are touched in the order of the accounts' ids.
    pub(crate) fn touch(&mut self, account: AccountId, thing: Thing) {
        let things = self.touches.entry(account).or_default();
        if !things.contains(&thing) {
            things.push(thing);
        }
    }

    /// Touches the lists. The last thing that a transaction does.
    pub(crate) fn settle(mut self, tx: &mut Tx<'_>) -> sql::Result<Notices> {
        for (account, things) in self.touches {
            let mut last = 0;
            for thing in things {
                last = touch(tx, account, thing)?;
            }
            self.notices.accounts.push((account, last));
        }
        Ok(self.notices)
    }
}

/// Touches a room in the list of each of its members, in a few statements however many they are.
pub(super) fn touch_members(
    tx: &mut Tx<'_>,
    room: RoomId,
    notices: &mut Notices,
) -> sql::Result<()> {
    tx.each(
        "INSERT INTO account_list (account_id, version) \
         SELECT account_id, 1 FROM member WHERE room_id = ?1 ORDER BY account_id \
         ON CONFLICT (account_id) DO UPDATE SET version = account_list.version + 1 RETURNING account_id, version",
        &[room.into()],
        |row| {
            notices.accounts.push((row.id(0)?, row.uint(1)?));
            Ok(())
        },
    )?;
    tx.exec(
        "INSERT INTO account_change (account_id, kind, thing_id, version) \
         SELECT m.account_id, 'room', m.room_id, l.version FROM member m \
         JOIN account_list l ON l.account_id = m.account_id WHERE m.room_id = ?1 \
         ON CONFLICT (account_id, kind, thing_id) DO UPDATE SET version = excluded.version",
        &[room.into()],
    )?;
    Ok(())
}

/// Touches whatever shows `account` to somebody: contacts, direct rooms, invitations.
pub(crate) fn touch_who_shows(
    tx: &mut Tx<'_>,
    account: AccountId,
    told: &mut Told,
) -> sql::Result<()> {
    tx.each(
        "SELECT account_id FROM contact WHERE other_id = ?1",
        &[account.into()],
        |row| {
            told.touch(row.id(0)?, Thing::Contact(account));
            Ok(())
        },
    )?;
    tx.each(
        "SELECT o.account_id, o.room_id FROM member m JOIN room r ON r.id = m.room_id AND r.kind = 'direct' \
         JOIN member o ON o.room_id = m.room_id AND o.account_id <> m.account_id WHERE m.account_id = ?1",
        &[account.into()],
        |row| {
            told.touch(row.id(0)?, Thing::Room(row.id(1)?));
            Ok(())
        },
    )?;
    tx.each(
        "SELECT account_id, room_id FROM room_invitation WHERE by_id = ?1",
        &[account.into()],
        |row| {
            told.touch(row.id(0)?, Thing::Invitation(row.id(1)?));
            Ok(())
        },
    )
}

/// What changed of an account's list past version `after`; from 0, all of it.
///
/// # Errors
/// `Stale`: the list has not come to that version, because the server's data went back in time.
pub(crate) fn changes(tx: &mut Tx<'_>, account: AccountId, after: u64) -> Result<AccountChanges> {
    let version = tx.opt(
        "SELECT version FROM account_list WHERE account_id = ?1",
        &[account.into()],
        |row| row.uint(0),
    )?;
    let version = version.unwrap_or(0);
    if after > version {
        return Err(Error::new(
            ErrorCode::Stale,
            "the list has not come to this version: read it from 0",
        ));
    }
    if after == 0 {
        return Ok(AccountChanges {
            version,
            items: all(tx, account)?,
        });
    }
    let things = tx.all(
        "SELECT kind, thing_id, version FROM account_change WHERE account_id = ?1 AND version > ?2 \
         ORDER BY version LIMIT ?3",
        &[account.into(), after.into(), PAGE_ITEMS_MAX.into()],
        |row| {
            let thing = Thing::from_columns(row.text(0)?, row.id(1)?)?;
            Ok((thing, row.uint(2)?))
        },
    )?;
    let is_more = things.len() >= PAGE_ITEMS_MAX as usize;
    let last = things.last().map(|(_, version)| *version);
    let mut items = Vec::with_capacity(things.len());
    for (thing, _) in things {
        items.extend(item(tx, account, thing)?);
    }
    Ok(AccountChanges {
        version: last.filter(|_| is_more).unwrap_or(version),
        items,
    })
}

fn all(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<AccountItem>> {
    let mut items = Vec::new();
    items.extend(
        contact::groups(tx, account)?
            .into_iter()
            .map(AccountItem::Group),
    );
    items.extend(
        contact::contacts(tx, account)?
            .into_iter()
            .map(|contact| AccountItem::Contact(Box::new(contact))),
    );
    items.extend(
        invite::of_account(tx, account)?
            .into_iter()
            .map(AccountItem::Invitation),
    );
    items.extend(
        view::all(tx, account)?
            .into_iter()
            .map(|room| AccountItem::Room(Box::new(room))),
    );
    Ok(items)
}

/// A thing as it is now. A read position is told of rooms that the account is in.
fn item(tx: &mut Tx<'_>, me: AccountId, thing: Thing) -> Result<Option<AccountItem>> {
    Ok(Some(match thing {
        Thing::Contact(account) => contact::contact(tx, me, account)?
            .map_or(AccountItem::ContactGone { account }, |contact| {
                AccountItem::Contact(Box::new(contact))
            }),
        Thing::Group(group) => contact::group(tx, me, group)?
            .map_or(AccountItem::GroupGone { group }, AccountItem::Group),
        Thing::Room(room) => view::one(tx, me, room)?
            .map_or(AccountItem::RoomGone { room }, |room| {
                AccountItem::Room(Box::new(room))
            }),
        Thing::Invitation(room) => invite::of_account_and_room(tx, me, room)?.map_or(
            AccountItem::InvitationGone { room },
            AccountItem::Invitation,
        ),
        Thing::Read(room) => return Ok(view::read_of(tx, me, room)?),
    }))
}
