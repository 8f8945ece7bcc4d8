//! How far was read in each room, and what is unread past it.

use rusqlite::{Connection, Transaction, params};
use wharf_types::api::log::Entry;
use wharf_types::{AccountId, RoomId};

use super::entry::{self, Flags};
use super::{ChatError, room_at, signed, unsigned};

/// Unread entries and mentions past `read`, as of `head`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) head: u64,
    pub(super) read: u64,
    pub(super) unread: u64,
    pub(super) mentions: u64,
}

/// Takes counts of the server, unless this device has read further. Entries past the counted head that are here already are
/// added.
pub(super) fn set_counts(
    tx: &Transaction<'_>,
    room: RoomId,
    counts: Counts,
) -> Result<(), ChatError> {
    let Some(row) = Reading::read(tx, room)? else {
        return Ok(());
    };
    let position = row.position();
    if counts.read < position {
        // The server will say it again once it knows how far this device has read. Until then there is an upper bound.
        if counts.head <= row.counted {
            return Ok(());
        }
        let missed = counts.head.saturating_sub(row.counted);
        let unread = counts.unread.min(row.unread + missed);
        let mentions = counts.mentions.min(row.mentions + missed);
        let now = Reading {
            counted: counts.head,
            unread,
            mentions,
            ..row
        };
        set_reading(tx, room, row, now)?;
        return Ok(());
    }
    let is_stored = row.first <= counts.head + 1;
    let counted = if counts.head >= row.counted {
        counts.head
    } else if is_stored {
        counts.head.max(row.tail)
    } else if counts.read > position {
        // What is between is counted when it is read.
        counts.head
    } else {
        // Another process that shares the store knew more.
        return Ok(());
    };
    let (unread, mentions) = entry::count_past(tx, room, counts.head.max(counts.read), counted)?;
    let now = Reading {
        read: row.read.max(counts.read),
        counted,
        unread: counts.unread + unread,
        mentions: counts.mentions + mentions,
        ..row
    };
    set_reading(tx, room, row, now)?;
    Ok(())
}

/// Notes that the account has read up to `position`, for the server to be told. Says whether that is further.
pub(in crate::chat) fn mark_read(
    tx: &Transaction<'_>,
    room: RoomId,
    position: u64,
) -> Result<bool, ChatError> {
    let Some(row) = Reading::read(tx, room)? else {
        return Ok(false);
    };
    let position = position.min(row.counted);
    if position <= row.position() {
        return Ok(false);
    }
    let mut now = Reading {
        read_wanted: position,
        ..row
    };
    if position >= row.counted {
        (now.unread, now.mentions) = (0, 0);
    } else if position + 1 >= row.first {
        now.counted = row.counted.min(row.tail).max(position);
        (now.unread, now.mentions) = entry::count_past(tx, room, position, now.counted)?;
    }
    set_reading(tx, room, row, now)
}

/// Reads further because of an own entry: the server does the same.
pub(super) fn read_by_writing(
    tx: &Transaction<'_>,
    room: RoomId,
    position: u64,
) -> Result<(), ChatError> {
    if let Some(row) = Reading::read(tx, room)?
        && position > row.position()
    {
        let now = Reading {
            read: position,
            unread: 0,
            mentions: 0,
            ..row
        };
        set_reading(tx, room, row, now)?;
    }
    Ok(())
}

/// Rooms in which this device has read further than the server knows.
pub(in crate::chat) fn unsaid_reads(tx: &Connection) -> Result<Vec<(RoomId, u64)>, ChatError> {
    let mut statement =
        tx.prepare_cached("SELECT id, read_wanted FROM room WHERE read_wanted > read")?;
    let found = statement
        .query_map([], |row| Ok((room_at(row, 0)?, unsigned(row, 1)?)))?
        .collect::<Result<_, _>>()?;
    Ok(found)
}

/// How far was read in a room, and what is past it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Reading {
    read: u64,
    read_wanted: u64,
    counted: u64,
    unread: u64,
    mentions: u64,
    first: u64,
    tail: u64,
}

impl Reading {
    fn read(tx: &Connection, room: RoomId) -> Result<Option<Self>, ChatError> {
        let mut statement = tx.prepare_cached(
            "SELECT read, read_wanted, counted, unread, mentions, first, tail FROM room WHERE id = ?1",
        )?;
        let mut rows = statement.query([room.as_bytes()])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        Ok(Some(Self {
            read: unsigned(row, 0)?,
            read_wanted: unsigned(row, 1)?,
            counted: unsigned(row, 2)?,
            unread: unsigned(row, 3)?,
            mentions: unsigned(row, 4)?,
            first: unsigned(row, 5)?,
            tail: unsigned(row, 6)?,
        }))
    }

    /// Up to where the account has read, on this device or another.
    fn position(&self) -> u64 {
        self.read.max(self.read_wanted)
    }
}

fn set_reading(
    tx: &Transaction<'_>,
    room: RoomId,
    before: Reading,
    now: Reading,
) -> Result<bool, ChatError> {
    if before == now {
        return Ok(false);
    }
    tx.prepare_cached(
        "UPDATE room SET read = ?2, read_wanted = ?3, counted = ?4, unread = ?5, mentions = ?6 WHERE id = ?1",
    )?
    .execute(params![
        room.as_bytes(),
        signed(now.read),
        signed(now.read_wanted),
        signed(now.counted),
        signed(now.unread),
        signed(now.mentions)
    ])?;
    Ok(true)
}

/// Counts an entry that came live, once.
pub(super) fn count(
    tx: &Transaction<'_>,
    room: RoomId,
    entry: &Entry,
    flags: Flags,
) -> Result<bool, ChatError> {
    let Some(row) = Reading::read(tx, room)? else {
        return Ok(false);
    };
    // What comes after a gap is counted when the gap is read.
    if entry.position != row.counted + 1 {
        return Ok(false);
    }
    let is_past = entry.position > row.position();
    let now = Reading {
        counted: entry.position,
        unread: row.unread + u64::from(flags.is_countable && is_past),
        mentions: row.mentions + u64::from(flags.is_mention && is_past),
        ..row
    };
    set_reading(tx, room, row, now)?;
    Ok(true)
}

/// Takes note of unread entries that mention the account since an edit or a recall, or do not any more.
pub(super) fn count_mentions(
    tx: &Transaction<'_>,
    room: RoomId,
    changes: Vec<(u64, bool)>,
) -> Result<(), ChatError> {
    let Some(row) = Reading::read(tx, room)? else {
        return Ok(());
    };
    let mut now = row;
    for (_, is_mention) in changes.into_iter().filter(|(at, _)| *at > row.position()) {
        now.mentions = if is_mention {
            now.mentions + 1
        } else {
            now.mentions.saturating_sub(1)
        };
    }
    set_reading(tx, room, row, now)?;
    Ok(())
}

/// Counts what was missed, once it is stored up to the end of the log.
pub(super) fn count_missed(
    tx: &Transaction<'_>,
    room: RoomId,
    me: AccountId,
) -> Result<(), ChatError> {
    let Some(row) = Reading::read(tx, room)? else {
        return Ok(());
    };
    if row.counted >= row.tail || row.first > row.counted + 1 {
        return Ok(());
    }
    let own = entry::last_own(tx, room, row.counted, me)?;
    let mut now = Reading {
        read: row.read.max(own),
        counted: row.tail,
        ..row
    };
    if own > row.position() {
        (now.unread, now.mentions) = (0, 0);
    }
    let after = row.counted.max(now.position());
    let (unread, mentions) = entry::count_past(tx, room, after, row.tail)?;
    now.unread += unread;
    now.mentions += mentions;
    set_reading(tx, room, row, now)?;
    Ok(())
}
