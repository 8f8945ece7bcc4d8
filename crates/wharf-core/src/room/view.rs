//! Rooms as one of their members sees them.
//!
//! Nothing in a view is a stored counter: what is unread is a subtraction, what mentions the member is counted past the
//! read position.

use std::collections::HashMap;

use wharf_store::sql::{self, Row, Tx};
use wharf_types::api::room::{AccountItem, Person, Preferences, Role, Room, RoomKind};
use wharf_types::{AccountId, RoomId};

use super::rows;
use crate::contact::person_from;
use crate::error::Result;
use crate::log::last_said;

/// Everybody, as a mention has it.
const EVERYBODY: AccountId = AccountId::from_bytes([0; 16]);

/// Selects what [`read_room`] reads; `$rest` ends the condition. ?1 is the account, ?2 everybody.
macro_rules! select_room {
    ($rest:literal) => {
        concat!(
            "SELECT r.id, r.kind, r.name, r.topic, r.owner_id, m.role, r.history, l.keep_days, r.archived, r.created_ms, ",
            "m.joined_ms, l.head, l.hash, m.floor_position, l.floor_position, r.drive_head, m.read_position, l.countable, ",
            "m.read_countable, l.floor_countable, m.notify, m.is_pinned, m.is_marked, m.is_hidden, m.draft, ",
            "(SELECT count(*) FROM member x WHERE x.room_id = r.id), ",
            "(SELECT count(DISTINCT n.position) FROM mention n WHERE n.room_id = r.id AND n.account_id IN (?1, ?2) ",
            "AND n.position > m.read_position AND n.position > m.floor_position AND n.position > l.floor_position) ",
            "FROM member m JOIN room r ON r.id = m.room_id JOIN log l ON l.room_id = r.id WHERE m.account_id = ?1",
            $rest
        )
    };
}

/// Selects the other people of direct rooms, and whether the two may write; `$rest` ends the condition.
macro_rules! select_peer {
    ($rest:literal) => {
        concat!(
            "SELECT m.room_id, a.id, a.number, a.username, a.nickname, a.status_text, ",
            "(SELECT count(*) FROM contact c WHERE c.state = 'contact' AND c.is_blocked = 0 ",
            "AND ((c.account_id = ?1 AND c.other_id = a.id) OR (c.account_id = a.id AND c.other_id = ?1))) ",
            "FROM member m JOIN room r ON r.id = m.room_id AND r.kind = 'direct' ",
            "JOIN member o ON o.room_id = m.room_id AND o.account_id <> ?1 JOIN account a ON a.id = o.account_id ",
            "WHERE m.account_id = ?1",
            $rest
        )
    };
}

/// The other person of a direct room.
struct Peer {
    person: Person,
    may_write: bool,
}

/// Reads a row of [`select_room!`]: all but what stands in other rows.
fn read_room(row: &Row<'_>) -> sql::Result<Room> {
    let small = |column| -> sql::Result<u32> {
        u32::try_from(row.uint(column)?).map_err(|_| sql::Error::corrupt("over 32 bits"))
    };
    let read_countable = row.uint(18)?.max(row.uint(19)?);
    let role = rows::role_from(row.text(5)?)?;
    let archived = row.flag(8)?;
    Ok(Room {
        id: row.id(0)?,
        kind: rows::kind_from(row.text(1)?)?,
        name: row.text(2)?.to_owned(),
        topic: row.text(3)?.to_owned(),
        peer: None,
        owner: row.id(4)?,
        role,
        can_write: role >= Role::Editor && !archived,
        member_count: small(25)?,
        history: rows::history_from(row.text(6)?)?,
        keep_days: small(7)?,
        archived,
        created_ms: row.int(9)?,
        joined_ms: row.int(10)?,
        head: row.uint(11)?,
        head_hash: row.id(12)?,
        floor: row.uint(13)?.max(row.uint(14)?),
        drive_head: row.uint(15)?,
        read: row.uint(16)?,
        unread: row.uint(17)?.saturating_sub(read_countable),
        mentions: row.uint(26)?,
        last: None,
        preferences: Preferences {
            notify: rows::notify_from(row.text(20)?)?,
            is_pinned: row.flag(21)?,
            is_marked: row.flag(22)?,
            is_hidden: row.flag(23)?,
            draft: row.text(24)?.to_owned(),
        },
    })
}

impl Peer {
    fn read(row: &Row<'_>) -> sql::Result<(RoomId, Self)> {
        let peer = Self {
            person: person_from(row, 1)?,
            may_write: row.uint(6)? == 2,
        };
        Ok((row.id(0)?, peer))
    }
}

/// A room as `account` sees it; `None` where the account is no member.
pub(crate) fn one(tx: &mut Tx<'_>, account: AccountId, room: RoomId) -> Result<Option<Room>> {
    let found = tx.opt(
        select_room!(" AND m.room_id = ?3"),
        &[account.into(), EVERYBODY.into(), room.into()],
        read_room,
    )?;
    let Some(found) = found else {
        return Ok(None);
    };
    let peer = if found.kind == RoomKind::Direct {
        tx.opt(
            select_peer!(" AND m.room_id = ?2"),
            &[account.into(), room.into()],
            Peer::read,
        )?
    } else {
        None
    };
    complete(tx, account, found, peer.map(|(_, peer)| peer)).map(Some)
}

/// The rooms of an account: pinned ones first, then by their last entry, newest first.
pub(crate) fn all(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<Room>> {
    let found = tx.all(
        select_room!(" ORDER BY m.room_id"),
        &[account.into(), EVERYBODY.into()],
        read_room,
    )?;
    let mut peers: HashMap<RoomId, Peer> = HashMap::new();
    tx.each(select_peer!(""), &[account.into()], |row| {
        let (room, peer) = Peer::read(row)?;
        peers.insert(room, peer);
        Ok(())
    })?;
    let mut rooms = Vec::with_capacity(found.len());
    for room in found {
        let peer = peers.remove(&room.id);
        rooms.push(complete(tx, account, room, peer)?);
    }
    rooms.sort_by_key(|room| {
        let since_ms = room.last.as_ref().map_or(room.joined_ms, |last| last.at_ms);
        (!room.preferences.is_pinned, -since_ms, room.id)
    });
    Ok(rooms)
}

/// How far `account` has read in a room; `None` where it is no member.
pub(super) fn read_of(
    tx: &mut Tx<'_>,
    account: AccountId,
    room: RoomId,
) -> sql::Result<Option<AccountItem>> {
    let found = tx.opt(
        select_room!(" AND m.room_id = ?3"),
        &[account.into(), EVERYBODY.into(), room.into()],
        read_room,
    )?;
    Ok(found.map(|room| AccountItem::Read {
        room: room.id,
        position: room.read,
        unread: room.unread,
        mentions: room.mentions,
        head: room.head,
    }))
}

/// Adds what stands in other rows.
fn complete(
    tx: &mut Tx<'_>,
    account: AccountId,
    mut room: Room,
    peer: Option<Peer>,
) -> Result<Room> {
    if let Some(peer) = peer {
        room.can_write &= peer.may_write;
        room.peer = Some(peer.person);
    }
    room.last = last_said(tx, account, room.id, room.floor)?;
    Ok(room)
}
