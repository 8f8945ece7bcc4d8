//! The account's own list: contacts, rooms, invitations and how far was read.

use rusqlite::{Connection, Transaction, params};
use wharf_types::api::contact::Contact;
use wharf_types::api::live::Welcome;
use wharf_types::api::room::{AccountItem, Person, Room, RoomMember};
use wharf_types::{AccountId, RoomId};

use super::entry::{self, Run};
use super::reading::{Counts, set_counts};
use super::{ChatError, Meta, Touched, hash_at, json, one, put, room_at, signed, unsigned};

/// Longest part of a log that was missed and is read in full. What is longer is read from its end, as far as somebody
/// looks, and what was stored before it is let go.
const GAP_MAX: u64 = 1000;

/// Takes note of what the connection is. The store must be of the same account.
pub(in crate::chat) fn welcome(tx: &Transaction<'_>, welcome: &Welcome) -> Result<bool, ChatError> {
    let meta = Meta::read(tx)?;
    if let Some(kept) = meta.account
        && kept != welcome.account
    {
        return Err(ChatError::OtherAccount {
            kept,
            found: welcome.account,
        });
    }
    let is_other_epoch = meta.epoch.as_deref() != Some(welcome.epoch.as_str());
    let version = if is_other_epoch {
        0
    } else {
        meta.account_version
    };
    tx.prepare_cached(
        "UPDATE meta SET account = ?1, epoch = ?2, account_version = ?3, recall_minutes = ?4, edit_minutes = ?5",
    )?
    .execute(params![
        welcome.account.as_bytes(),
        welcome.epoch,
        signed(version),
        welcome.recall_minutes,
        welcome.edit_minutes
    ])?;
    if version == 0 {
        // The whole list comes: what is not in it is gone.
        for table in ["room", "contact", "contact_group", "invitation"] {
            tx.execute(&format!("UPDATE {table} SET is_current = 0"), [])?;
        }
    }
    Ok(is_other_epoch)
}

/// Lets go of what was not in a list that came whole.
pub(in crate::chat) fn forget_stale(
    tx: &Transaction<'_>,
    touched: &mut Touched,
) -> Result<(), ChatError> {
    let mut statement = tx.prepare_cached("SELECT id FROM room WHERE is_current = 0")?;
    let gone: Vec<RoomId> = statement
        .query_map([], |row| room_at(row, 0))?
        .collect::<Result<_, _>>()?;
    for room in gone {
        forget_room(tx, room, touched)?;
    }
    let contacts = tx.execute("DELETE FROM contact WHERE is_current = 0", [])?
        + tx.execute("DELETE FROM contact_group WHERE is_current = 0", [])?;
    touched.has_contacts |= contacts > 0;
    touched.has_invitations |= tx.execute("DELETE FROM invitation WHERE is_current = 0", [])? > 0;
    Ok(())
}

/// Whether a connection is past its beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::chat) enum Stage {
    /// What is told is what was missed; what comes live of a log follows the head of the room. The server's data may have
    /// gone back in time.
    CatchingUp { is_other_epoch: bool },
    /// What is told is what changed just now, and the entries come by themselves.
    Live,
}

/// Applies what changed of the list past the version `told` of this connection, or a part of it: only the last part has the
/// later version. Returns the version that the connection has told then; `None` where another process has applied later
/// changes and it is not known which.
pub(in crate::chat) fn apply_items(
    tx: &Transaction<'_>,
    told: u64,
    version: u64,
    items: &[AccountItem],
    stage: Stage,
    touched: &mut Touched,
) -> Result<Option<u64>, ChatError> {
    let stored = Meta::read(tx)?.account_version;
    if stored != told && version <= stored {
        for item in items {
            touch_item(tx, item, touched)?;
        }
        return Ok((version > told).then_some(version));
    }
    for item in items {
        match (item, stage) {
            (AccountItem::Room(room), Stage::CatchingUp { is_other_epoch }) => {
                apply_head(tx, room, is_other_epoch, touched)?;
            }
            (item, _) => apply_item(tx, item, touched)?,
        }
    }
    set_version(tx, version.max(stored))?;
    Ok(Some(version.max(told)))
}

/// Notes what an item is about that another process has applied: nobody was told of it in this one. What is stored may be
/// later than the item.
fn touch_item(
    tx: &Transaction<'_>,
    item: &AccountItem,
    touched: &mut Touched,
) -> Result<(), ChatError> {
    let room = match item {
        AccountItem::Contact(contact) => {
            touched.has_contacts = true;
            touched.rooms.extend(contact.room);
            None
        }
        AccountItem::ContactGone { .. } | AccountItem::Group(_) | AccountItem::GroupGone { .. } => {
            touched.has_contacts = true;
            None
        }
        AccountItem::Invitation(_) | AccountItem::InvitationGone { .. } => {
            touched.has_invitations = true;
            None
        }
        AccountItem::Room(room) => Some(room.id),
        AccountItem::RoomGone { room } | AccountItem::Read { room, .. } => Some(*room),
    };
    let Some(room) = room else {
        return Ok(());
    };
    if Run::read(tx, room)?.is_some() {
        touched.told(room);
    } else {
        touched.gone.insert(room);
    }
    Ok(())
}

fn set_version(tx: &Transaction<'_>, version: u64) -> Result<(), ChatError> {
    tx.prepare_cached("UPDATE meta SET account_version = ?1")?
        .execute([signed(version)])?;
    Ok(())
}

fn apply_item(
    tx: &Transaction<'_>,
    item: &AccountItem,
    touched: &mut Touched,
) -> Result<(), ChatError> {
    match item {
        AccountItem::Contact(contact) => apply_contact(tx, contact, touched)?,
        AccountItem::ContactGone { account } => {
            tx.execute(
                "DELETE FROM contact WHERE account = ?1",
                [account.as_bytes()],
            )?;
            touched.has_contacts = true;
        }
        AccountItem::Group(group) => {
            put(
                tx,
                "INSERT OR REPLACE INTO contact_group (id, data, is_current) VALUES (?1, ?2, 1)",
                group.id.as_bytes(),
                group,
            )?;
            touched.has_contacts = true;
        }
        AccountItem::GroupGone { group } => {
            tx.execute(
                "DELETE FROM contact_group WHERE id = ?1",
                [group.as_bytes()],
            )?;
            touched.has_contacts = true;
        }
        AccountItem::Room(room) => apply_room(tx, room, touched)?,
        AccountItem::RoomGone { room } => forget_room(tx, *room, touched)?,
        AccountItem::Invitation(invitation) => {
            put(
                tx,
                "INSERT OR REPLACE INTO invitation (room, data, is_current) VALUES (?1, ?2, 1)",
                invitation.room.as_bytes(),
                invitation,
            )?;
            put_person(tx, &invitation.by)?;
            touched.has_invitations = true;
        }
        AccountItem::InvitationGone { room } => {
            tx.execute("DELETE FROM invitation WHERE room = ?1", [room.as_bytes()])?;
            touched.has_invitations = true;
        }
        AccountItem::Read {
            room,
            position,
            unread,
            mentions,
            head,
        } => {
            let counts = Counts {
                head: *head,
                read: *position,
                unread: *unread,
                mentions: *mentions,
            };
            set_counts(tx, *room, counts)?;
            // Where it changes nothing, another process of this login may be the one that read.
            touched.rooms.insert(*room);
        }
    }
    Ok(())
}

fn apply_contact(
    tx: &Transaction<'_>,
    contact: &Contact,
    touched: &mut Touched,
) -> Result<(), ChatError> {
    put(
        tx,
        "INSERT OR REPLACE INTO contact (account, data, is_current) VALUES (?1, ?2, 1)",
        contact.person.id.as_bytes(),
        contact,
    )?;
    put_person(tx, &contact.person)?;
    touched.has_contacts = true;
    touched.rooms.extend(contact.room);
    Ok(())
}

/// Takes a room as the server says that it is. Where its log went on, the entries are still to come.
fn apply_room(tx: &Transaction<'_>, room: &Room, touched: &mut Touched) -> Result<(), ChatError> {
    tx.prepare_cached(
        "INSERT INTO room (id, data, is_current, floor, read, counted, unread, mentions, last, last_head, first, tail, tail_hash) \
         VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6, ?7, ?8, ?5, ?5 + 1, ?5, ?9) \
         ON CONFLICT (id) DO UPDATE SET data = excluded.data, is_current = 1, \
         read = CASE WHEN is_current = 1 THEN max(read, excluded.read) ELSE excluded.read END",
    )?
    .execute(params![
        room.id.as_bytes(),
        json(room)?,
        signed(room.floor),
        signed(room.read),
        signed(room.head),
        signed(room.unread),
        signed(room.mentions),
        room.last.as_ref().map(json).transpose()?,
        room.head_hash.as_bytes(),
    ])?;
    if let Some(peer) = &room.peer {
        put_person(tx, peer)?;
    }
    let counts = Counts {
        head: room.head,
        read: room.read,
        unread: room.unread,
        mentions: room.mentions,
    };
    set_counts(tx, room.id, counts)?;
    tx.prepare_cached(
        "UPDATE room SET last = ?2, last_head = ?3 WHERE id = ?1 AND last_head <= ?3",
    )?
    .execute(params![
        room.id.as_bytes(),
        room.last.as_ref().map(json).transpose()?,
        signed(room.head)
    ])?;
    if entry::raise_floor(tx, room.id, room.floor)? {
        touched.timelines.insert(room.id);
    }
    touched.rooms.insert(room.id);
    Ok(())
}

/// Takes the rooms whose log is not where it is here, at the start of a connection: what comes live follows their heads.
pub(in crate::chat) fn apply_rooms(
    tx: &Transaction<'_>,
    rooms: &[Room],
    diverged: &[RoomId],
    is_other_epoch: bool,
    touched: &mut Touched,
) -> Result<(), ChatError> {
    for room in diverged {
        entry::forget(tx, *room)?;
        touched.timelines.insert(*room);
        // One that the list has told already is not told again.
        let told: Option<Room> = one(
            tx,
            "SELECT data FROM room WHERE id = ?1",
            &[room.as_bytes()],
        )?;
        if let Some(told) = told.filter(|told| rooms.iter().all(|room| room.id != told.id)) {
            apply_head(tx, &told, is_other_epoch, touched)?;
        }
    }
    for room in rooms {
        apply_head(tx, room, is_other_epoch, touched)?;
    }
    Ok(())
}

/// Takes a room, and goes on from the head of its log.
fn apply_head(
    tx: &Transaction<'_>,
    room: &Room,
    is_other_epoch: bool,
    touched: &mut Touched,
) -> Result<(), ChatError> {
    let is_ahead = Run::read(tx, room.id)?.is_some_and(|run| run.tail > room.head);
    if is_other_epoch && is_ahead {
        entry::forget(tx, room.id)?;
    }
    apply_room(tx, room, touched)?;
    entry::go_on_from(tx, room.id, room.head, room.head_hash, GAP_MAX)?;
    touched.timelines.insert(room.id);
    Ok(())
}

/// Notes where a room's drive is.
pub(in crate::chat) fn put_drive_head(
    tx: &Transaction<'_>,
    room: RoomId,
    head: u64,
) -> Result<(), ChatError> {
    tx.prepare_cached("UPDATE room SET data = json_set(data, '$.drive_head', ?2) WHERE id = ?1")?
        .execute(params![room.as_bytes(), signed(head)])?;
    Ok(())
}

/// Lets go of all that is stored of a room.
fn forget_room(tx: &Transaction<'_>, room: RoomId, touched: &mut Touched) -> Result<(), ChatError> {
    for sql in [
        "DELETE FROM entry WHERE room = ?1",
        "DELETE FROM cursor WHERE room = ?1",
        "DELETE FROM member WHERE room = ?1",
    ] {
        tx.prepare_cached(sql)?.execute([room.as_bytes()])?;
    }
    let gone = tx
        .prepare_cached("DELETE FROM room WHERE id = ?1")?
        .execute([room.as_bytes()])?;
    if gone > 0 {
        touched.rooms.remove(&room);
        touched.timelines.remove(&room);
        touched.gone.insert(room);
    }
    Ok(())
}

fn put_person(tx: &Transaction<'_>, person: &Person) -> Result<(), ChatError> {
    put(
        tx,
        "INSERT OR REPLACE INTO person (account, data) VALUES (?1, ?2)",
        person.id.as_bytes(),
        person,
    )
}

/// Takes the people of a room, former members included.
pub(in crate::chat) fn put_members(
    tx: &Transaction<'_>,
    room: RoomId,
    members: &[RoomMember],
) -> Result<(), ChatError> {
    tx.execute("DELETE FROM member WHERE room = ?1", [room.as_bytes()])?;
    for member in members {
        put_person(tx, &member.person)?;
        tx.prepare_cached(
            "INSERT OR REPLACE INTO member (room, account, data) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![
            room.as_bytes(),
            member.person.id.as_bytes(),
            json(member)?
        ])?;
    }
    Ok(())
}

/// Notes how far somebody has come.
pub(in crate::chat) fn put_cursor(
    tx: &Transaction<'_>,
    room: RoomId,
    account: AccountId,
    read: Option<u64>,
    delivered: Option<u64>,
) -> Result<(), ChatError> {
    tx.prepare_cached(
        "INSERT INTO cursor (room, account, read, delivered) VALUES (?1, ?2, ?3, max(?3, ?4)) \
         ON CONFLICT (room, account) DO UPDATE SET read = max(read, excluded.read), \
         delivered = max(delivered, excluded.delivered)",
    )?
    .execute(params![
        room.as_bytes(),
        account.as_bytes(),
        signed(read.unwrap_or_default()),
        signed(delivered.unwrap_or_default())
    ])?;
    Ok(())
}

/// The rooms and where their logs are here, those that were used last first.
pub(in crate::chat) fn known_heads(
    tx: &Connection,
    limit: usize,
) -> Result<Vec<(RoomId, Run)>, ChatError> {
    let mut statement = tx.prepare_cached(
        "SELECT id, first, tail, tail_hash, floor, island_first, island_tail, counted FROM room \
         ORDER BY json_extract(last, '$.at_ms') DESC NULLS LAST LIMIT ?1",
    )?;
    let found = statement
        .query_map([i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
            let run = Run {
                first: unsigned(row, 1)?,
                tail: unsigned(row, 2)?,
                tail_hash: hash_at(row, 3)?,
                floor: unsigned(row, 4)?,
                island_first: unsigned(row, 5)?,
                island_tail: unsigned(row, 6)?,
                counted: unsigned(row, 7)?,
            };
            Ok((room_at(row, 0)?, run))
        })?
        .collect::<Result<_, _>>()?;
    Ok(found)
}
