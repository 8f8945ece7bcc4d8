//! What is read for showing.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, params};
use wharf_types::api::contact::Contact;
use wharf_types::api::log::Entry;
use wharf_types::api::room::{Person, Room, RoomInvitation, RoomKind, RoomMember};
use wharf_types::{AccountId, RoomId};

use super::entry::{Run, stored};
use super::outbox::{shown, target, waiting_count};
use super::{ChatError, all, one, signed, unsigned};
use crate::chat::view::{
    ContactView, ContactsView, CursorView, RoomView, Timeline, TimelineItem, WaitingKind, Window,
    name_of,
};

const ROOM_COLUMNS: &str = "data, floor, max(read, read_wanted), counted, unread, mentions, last";

/// The rooms, as the list shows them: pinned ones first, then by what was said last.
pub(in crate::chat) fn rooms(tx: &Connection) -> Result<Vec<RoomView>, ChatError> {
    let mut statement = tx.prepare_cached(&format!("SELECT {ROOM_COLUMNS} FROM room"))?;
    let mut rows = statement.query([])?;
    let mut views = Vec::new();
    while let Some(row) = rows.next()? {
        views.push(room_view(tx, row)?);
    }
    views.sort_by_cached_key(|view| {
        let is_below = !view.room.preferences.is_pinned;
        (is_below, std::cmp::Reverse(view.active_ms), view.room.id)
    });
    Ok(views)
}

/// One room.
pub(in crate::chat) fn room(tx: &Connection, room: RoomId) -> Result<Option<RoomView>, ChatError> {
    let mut statement =
        tx.prepare_cached(&format!("SELECT {ROOM_COLUMNS} FROM room WHERE id = ?1"))?;
    let mut rows = statement.query([room.as_bytes()])?;
    rows.next()?.map(|row| room_view(tx, row)).transpose()
}

fn room_view(tx: &Connection, row: &Row<'_>) -> Result<RoomView, ChatError> {
    let mut room: Room =
        serde_json::from_str(row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?)?;
    room.floor = unsigned(row, 1)?;
    room.read = unsigned(row, 2)?;
    room.head = room.head.max(unsigned(row, 3)?);
    room.unread = unsigned(row, 4)?;
    room.mentions = unsigned(row, 5)?;
    let last: Option<String> = row.get(6)?;
    room.last = last.map(|last| serde_json::from_str(&last)).transpose()?;
    let title = match (room.kind, &room.peer) {
        (RoomKind::Group, _) => room.name.clone(),
        (RoomKind::Direct, Some(peer)) => {
            let contact = contact(tx, peer.id)?;
            name_of(peer, contact.as_ref().map_or("", |contact| &contact.remark))
        }
        (RoomKind::Direct, None) => String::new(),
        (RoomKind::Personal, _) => "Personal".to_owned(),
    };
    Ok(RoomView {
        title,
        waiting_count: waiting_count(tx, room.id)?,
        active_ms: room
            .last
            .as_ref()
            .map_or(room.joined_ms, |last| last.at_ms.max(room.joined_ms)),
        room,
    })
}

fn contact(tx: &Connection, account: AccountId) -> Result<Option<Contact>, ChatError> {
    one(
        tx,
        "SELECT data FROM contact WHERE account = ?1",
        &[account.as_bytes()],
    )
}

/// The contacts, by title; presence is not stored.
pub(in crate::chat) fn contacts(tx: &Connection) -> Result<ContactsView, ChatError> {
    let contacts: Vec<Contact> = all(tx, "SELECT data FROM contact", &[])?;
    let mut items: Vec<ContactView> = contacts
        .into_iter()
        .map(|contact| ContactView {
            title: name_of(&contact.person, &contact.remark),
            presence: None,
            contact,
        })
        .collect();
    items.sort_by_cached_key(|view| (view.title.to_lowercase(), view.contact.person.id));
    let mut groups: Vec<wharf_types::api::contact::ContactGroup> =
        all(tx, "SELECT data FROM contact_group", &[])?;
    groups.sort_by(|left, right| (left.order, &left.name).cmp(&(right.order, &right.name)));
    Ok(ContactsView { items, groups })
}

/// Invitations, newest first.
pub(in crate::chat) fn invitations(tx: &Connection) -> Result<Vec<RoomInvitation>, ChatError> {
    let mut found: Vec<RoomInvitation> = all(tx, "SELECT data FROM invitation", &[])?;
    found.sort_by_key(|invitation| (std::cmp::Reverse(invitation.at_ms), invitation.room));
    Ok(found)
}

/// Somebody that this device has heard of.
pub(in crate::chat) fn person(
    tx: &Connection,
    account: AccountId,
) -> Result<Option<Person>, ChatError> {
    one(
        tx,
        "SELECT data FROM person WHERE account = ?1",
        &[account.as_bytes()],
    )
}

/// The name to show for an account, if this device has heard of it.
pub(in crate::chat) fn title_of(
    tx: &Connection,
    account: AccountId,
) -> Result<Option<String>, ChatError> {
    if let Some(contact) = contact(tx, account)? {
        return Ok(Some(name_of(&contact.person, &contact.remark)));
    }
    Ok(person(tx, account)?.map(|person| person.nickname))
}

/// The people of a room, as they were fetched last.
pub(in crate::chat) fn members(
    tx: &Connection,
    room: RoomId,
) -> Result<Vec<RoomMember>, ChatError> {
    let mut found: Vec<RoomMember> = all(
        tx,
        "SELECT data FROM member WHERE room = ?1",
        &[room.as_bytes()],
    )?;
    found.sort_by_cached_key(|member| {
        (
            member.role.is_none(),
            member.person.nickname.to_lowercase(),
            member.person.id,
        )
    });
    Ok(found)
}

/// How far the members of a room have come, as far as it was told.
pub(in crate::chat) fn cursors(
    tx: &Connection,
    room: RoomId,
) -> Result<Vec<CursorView>, ChatError> {
    let mut statement = tx.prepare_cached(
        "SELECT account, read, delivered FROM cursor WHERE room = ?1 ORDER BY account",
    )?;
    let found = statement
        .query_map([room.as_bytes()], |row| {
            Ok(CursorView {
                account: AccountId::from_bytes(row.get(0)?),
                read: unsigned(row, 1)?,
                delivered: unsigned(row, 2)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok(found)
}

/// A part of a timeline.
pub(in crate::chat) fn timeline(
    tx: &Connection,
    room: RoomId,
    window: Window,
    limit: usize,
) -> Result<Timeline, ChatError> {
    let Some(run) = Run::read(tx, room)? else {
        return Ok(Timeline::default());
    };
    let entries = match window {
        Window::Last => before(tx, room, run.tail + 1, limit)?,
        Window::Before(position) => before(tx, room, position, limit)?,
        Window::After(position) => from(tx, room, position + 1, limit)?,
        Window::Around(position) => {
            let mut around = before(tx, room, position, limit / 2)?;
            around.extend(from(tx, room, position, limit - limit / 2)?);
            around
        }
    };
    // Where the window would begin and end if there were something in it.
    let (begin, end) = match window {
        Window::Last => (run.tail + 1, run.tail),
        Window::Before(position) | Window::Around(position) => {
            (position, position.saturating_sub(1))
        }
        Window::After(position) => (position + 1, position),
    };
    let begin = entries.first().map_or(begin, |entry| entry.position);
    let end = entries.last().map_or(end, |entry| entry.position);
    let is_older_stored = !before(tx, room, begin, 1)?.is_empty();
    let has_newer = !from(tx, room, end + 1, 1)?.is_empty();
    let mut items: Vec<TimelineItem> = entries
        .into_iter()
        .map(|entry| TimelineItem {
            entry,
            waiting: Vec::new(),
        })
        .collect();
    let mut loose = Vec::new();
    let mut about: BTreeMap<u64, Vec<_>> = BTreeMap::new();
    for waiting in shown(tx, room, run.tail)? {
        let target = match &waiting.what {
            WaitingKind::Draft(draft) => target(draft),
            WaitingKind::Handover(_) => None,
        };
        match target {
            Some(target) => about.entry(target).or_default().push(waiting),
            None => loose.push(waiting),
        }
    }
    for item in &mut items {
        item.waiting = about.remove(&item.entry.position).unwrap_or_default();
    }
    Ok(Timeline {
        items,
        waiting: if has_newer { Vec::new() } else { loose },
        has_older: is_older_stored || run.has_older(),
        needs_fetch: !is_older_stored && run.has_older(),
        has_newer,
    })
}

/// What is shown just before a position of the run, in order.
fn before(
    tx: &Connection,
    room: RoomId,
    position: u64,
    limit: usize,
) -> Result<Vec<Entry>, ChatError> {
    let mut entries: Vec<Entry> = all(
        tx,
        "SELECT data FROM entry WHERE room = ?1 AND position < ?2 AND is_shown = 1 \
         AND position >= (SELECT first FROM room WHERE id = ?1) ORDER BY position DESC LIMIT ?3",
        &[
            room.as_bytes(),
            &signed(position),
            &i64::try_from(limit).unwrap_or(i64::MAX),
        ],
    )?;
    entries.reverse();
    Ok(entries)
}

/// What is shown from a position of the run on, in order.
fn from(
    tx: &Connection,
    room: RoomId,
    position: u64,
    limit: usize,
) -> Result<Vec<Entry>, ChatError> {
    all(
        tx,
        "SELECT data FROM entry WHERE room = ?1 AND position >= ?2 AND is_shown = 1 \
         AND position >= (SELECT first FROM room WHERE id = ?1) ORDER BY position LIMIT ?3",
        &[
            room.as_bytes(),
            &signed(position),
            &i64::try_from(limit).unwrap_or(i64::MAX),
        ],
    )
}

/// One entry of the run, in its present state.
pub(in crate::chat) fn entry(
    tx: &Connection,
    room: RoomId,
    position: u64,
) -> Result<Option<Entry>, ChatError> {
    match Run::read(tx, room)? {
        Some(run) if (run.first..=run.tail).contains(&position) => stored(tx, room, position),
        Some(_) | None => Ok(None),
    }
}

/// The files that were handed over, as far as they are stored, newest first.
pub(in crate::chat) fn files(
    tx: &Connection,
    room: RoomId,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<Entry>, ChatError> {
    let mut statement = tx.prepare_cached(
        "SELECT data FROM entry WHERE room = ?1 AND position < ?2 AND is_shown = 1 \
         AND json_extract(data, '$.body.kind') = 'file' \
         AND position >= (SELECT first FROM room WHERE id = ?1) ORDER BY position DESC LIMIT ?3",
    )?;
    let mut rows = statement.query(params![
        room.as_bytes(),
        before.map_or(i64::MAX, signed),
        i64::try_from(limit).unwrap_or(i64::MAX)
    ])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(serde_json::from_str(
            row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?,
        )?);
    }
    Ok(found)
}
