//! How entries stand in their rows.

use std::ops::RangeInclusive;

use wharf_store::sql::{self, Row, Tx};
use wharf_types::api::log::{Body, Edited, Entry, EntryState, Origin, SetReaction};
use wharf_types::{AccountId, EntryHash, RoomId};
use wharf_wire::entry::unpack;

/// A query of entries, as [`read`] takes them: `n` is the entry, `e` its last edit.
macro_rules! entries {
    ($rest:literal) => {
        concat!(
            "SELECT n.position, n.at_ms, n.account_id, n.hook_id, n.author_name, n.session_id, n.door, n.address, \
             n.client_ms, n.countable, n.hash, n.body, n.recall_position, n.pin_position, n.edit_position, \
             e.at_ms, e.body FROM entry n \
             LEFT JOIN entry e ON e.room_id = n.room_id AND e.position = n.edit_position ",
            $rest
        )
    };
}
pub(super) use entries;

/// The end of a log.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    pub(super) head: u64,
    pub(super) hash: EntryHash,
    pub(super) countable: u64,
    pub(super) hour: i64,
    pub(super) floor: u64,
    pub(super) floor_countable: u64,
}

/// The end of a room's log.
pub(super) fn end(tx: &mut Tx<'_>, room: RoomId) -> sql::Result<End> {
    tx.one(
        "SELECT head, hash, countable, hour, floor_position, floor_countable FROM log WHERE room_id = ?1",
        &[room.into()],
        |row| {
            Ok(End {
                head: row.uint(0)?,
                hash: row.id(1)?,
                countable: row.uint(2)?,
                hour: row.int(3)?,
                floor: row.uint(4)?,
                floor_countable: row.uint(5)?,
            })
        },
    )
}

/// Reads an entry without its reactions, which [`add_reactions`] adds. The address is shown to its author alone.
pub(super) fn read(row: &Row<'_>, viewer: Option<AccountId>) -> sql::Result<Entry> {
    let account: Option<AccountId> = row.opt_id(2)?;
    let is_own = account.is_some() && account == viewer;
    let edited = match (row.opt_uint(14)?, row.opt_bytes(16)?) {
        (Some(position), Some(packed)) => match body_of(packed)? {
            Body::Edit(edit) => Some(Edited {
                position,
                at_ms: row.int(15)?,
                text: edit.text,
                mentions: edit.mentions,
            }),
            _ => return Err(sql::Error::corrupt(format!("entry {position} is no edit"))),
        },
        _ => None,
    };
    Ok(Entry {
        position: row.uint(0)?,
        at_ms: row.int(1)?,
        account,
        hook: row.opt_id(3)?,
        name: row.opt_text(4)?.map(str::to_owned),
        origin: Origin {
            session: row.opt_id(5)?,
            door: row.text(6)?.to_owned(),
            address: row.opt_text(7)?.filter(|_| is_own).map(str::to_owned),
        },
        client_ms: row.opt_int(8)?,
        countable: row.uint(9)?,
        hash: row.id(10)?,
        body: row.opt_bytes(11)?.map(body_of).transpose()?,
        state: EntryState {
            edited,
            recalled: row.opt_uint(12)?,
            pinned: row.opt_uint(13)?,
            reactions: Vec::new(),
        },
    })
}

/// Unpacks a stored body.
pub(super) fn body_of(packed: &[u8]) -> sql::Result<Body> {
    unpack(packed).map_err(|error| sql::Error::corrupt(error.to_string()))
}

/// Adds the reactions to entries that are in order of their positions.
pub(crate) fn add_reactions(
    tx: &mut Tx<'_>,
    room: RoomId,
    entries: &mut [Entry],
) -> sql::Result<()> {
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else {
        return Ok(());
    };
    let (first, last) = (first.position, last.position);
    tx.each(
        "SELECT target, account_id, emoji, position FROM reaction \
         WHERE room_id = ?1 AND target >= ?2 AND target <= ?3 ORDER BY position",
        &[room.into(), first.into(), last.into()],
        |row| {
            let target = row.uint(0)?;
            if let Ok(index) = entries.binary_search_by_key(&target, |entry| entry.position)
                && let Some(entry) = entries.get_mut(index)
            {
                entry.state.reactions.push(SetReaction {
                    account: row.id(1)?,
                    emoji: row.text(2)?.to_owned(),
                    position: row.uint(3)?,
                });
            }
            Ok(())
        },
    )
}

/// Entries past a position with what became of them, without their reactions and as nobody in particular sees them.
pub(crate) fn entries_past(
    tx: &mut Tx<'_>,
    room: RoomId,
    position: u64,
    limit: u32,
) -> sql::Result<Vec<Entry>> {
    tx.all(
        entries!("WHERE n.room_id = ?1 AND n.position > ?2 ORDER BY n.position LIMIT ?3"),
        &[room.into(), position.into(), limit.into()],
        |row| read(row, None),
    )
}

/// Entries at these positions as `viewer` sees them, without their reactions; from the last one, if `is_newest_first`.
pub(crate) fn entries_within(
    tx: &mut Tx<'_>,
    viewer: AccountId,
    room: RoomId,
    positions: RangeInclusive<u64>,
    is_newest_first: bool,
    limit: u32,
) -> sql::Result<Vec<Entry>> {
    let (first, last) = positions.into_inner();
    let args = [room.into(), first.into(), last.into(), limit.into()];
    let take = |row: &Row<'_>| read(row, Some(viewer));
    if is_newest_first {
        tx.all(
            entries!(
                "WHERE n.room_id = ?1 AND n.position >= ?2 AND n.position <= ?3 ORDER BY n.position DESC LIMIT ?4"
            ),
            &args,
            take,
        )
    } else {
        tx.all(
            entries!(
                "WHERE n.room_id = ?1 AND n.position >= ?2 AND n.position <= ?3 ORDER BY n.position LIMIT ?4"
            ),
            &args,
            take,
        )
    }
}

/// One entry with its state, as `viewer` sees it.
pub(crate) fn entry_at(
    tx: &mut Tx<'_>,
    viewer: Option<AccountId>,
    room: RoomId,
    position: u64,
) -> sql::Result<Option<Entry>> {
    let entry = tx.opt(
        entries!("WHERE n.room_id = ?1 AND n.position = ?2"),
        &[room.into(), position.into()],
        |row| read(row, viewer),
    )?;
    with_reactions(tx, room, entry)
}

/// The entries past `after` up to `last`, as they are told to who is no member: without addresses, and without what became
/// of them since.
pub(crate) fn told_to_others(
    tx: &mut Tx<'_>,
    room: RoomId,
    after: u64,
    last: u64,
) -> sql::Result<Vec<Entry>> {
    tx.all(
        entries!(
            "WHERE n.room_id = ?1 AND n.position > ?2 AND n.position <= ?3 ORDER BY n.position"
        ),
        &[room.into(), after.into(), last.into()],
        |row| {
            let mut entry = read(row, None)?;
            entry.state = EntryState::default();
            Ok(entry)
        },
    )
}

/// The last text or file past `floor`, for a preview; one that was recalled has no body.
pub(crate) fn last_said(
    tx: &mut Tx<'_>,
    viewer: AccountId,
    room: RoomId,
    floor: u64,
) -> sql::Result<Option<Entry>> {
    let entry = tx.opt(
        entries!(
            "WHERE n.room_id = ?1 AND n.position > ?2 AND n.kind <= 1 ORDER BY n.position DESC LIMIT 1"
        ),
        &[room.into(), floor.into()],
        |row| read(row, Some(viewer)),
    )?;
    with_reactions(tx, room, entry)
}

fn with_reactions(
    tx: &mut Tx<'_>,
    room: RoomId,
    entry: Option<Entry>,
) -> sql::Result<Option<Entry>> {
    let Some(mut entry) = entry else {
        return Ok(None);
    };
    add_reactions(tx, room, std::slice::from_mut(&mut entry))?;
    Ok(Some(entry))
}
