//! Entries: one run without gaps for each room, whose end is the cursor, and the states that later entries made of them.

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use wharf_types::api::log::{Body, Entry, LogPage};
use wharf_types::fold::{self, Effect, effect};
use wharf_types::{AccountId, EntryHash, RoomId};
use wharf_wire::entry::{Header, START, digest, kind_of, link, pack};

use super::reading::{count, count_mentions, count_missed, read_by_writing};
use super::{ChatError, Touched, hash_at, json, one, signed, unsigned};

/// What is stored of a room's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::chat) struct Run {
    /// The first entry of the run; `tail + 1` where it is empty.
    pub(in crate::chat) first: u64,
    /// The last one: the cursor.
    pub(in crate::chat) tail: u64,
    /// The chain's end there; zeros where it is not known.
    pub(in crate::chat) tail_hash: EntryHash,
    /// The last position that cannot be read.
    pub(in crate::chat) floor: u64,
    /// What was stored before a gap; 0 where there is none.
    pub(in crate::chat) island_first: u64,
    pub(in crate::chat) island_tail: u64,
    /// The last entry that the room's counts take into account.
    pub(in crate::chat) counted: u64,
}

/// What became of an entry that was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::chat) enum Held {
    /// It is stored, and the cursor is at it.
    Applied,
    /// It was stored before.
    Known,
    /// It is of the gap before the run, which is still to be read.
    Missed,
    /// The room is not known, or was left.
    NoRoom,
    /// There are positions between the cursor and it.
    Gap,
    /// It does not follow from what is stored.
    Broken,
}

impl Run {
    pub(in crate::chat) fn read(tx: &Connection, room: RoomId) -> Result<Option<Self>, ChatError> {
        let run = tx
            .prepare_cached(
                "SELECT first, tail, tail_hash, floor, island_first, island_tail, counted FROM room WHERE id = ?1",
            )?
            .query_row([room.as_bytes()], |row| {
                Ok(Self {
                    first: unsigned(row, 0)?,
                    tail: unsigned(row, 1)?,
                    tail_hash: hash_at(row, 2)?,
                    floor: unsigned(row, 3)?,
                    island_first: unsigned(row, 4)?,
                    island_tail: unsigned(row, 5)?,
                    counted: unsigned(row, 6)?,
                })
            })
            .optional()?;
        Ok(run)
    }

    /// How many entries are stored.
    pub(in crate::chat) fn len(&self) -> u64 {
        (self.tail + 1).saturating_sub(self.first)
    }

    /// Whether the server can be told that the log is here up to the cursor, and need not say more of it.
    pub(in crate::chat) fn is_known(&self) -> bool {
        (self.tail == 0 || self.tail_hash != START) && self.counted >= self.tail
    }

    /// Whether what is stored will say, now or when the gap is read, how much of the log is unread.
    pub(in crate::chat) fn is_countable(&self) -> bool {
        self.counted >= self.tail || (self.has_gap() && self.counted + 1 >= self.island_first)
    }

    /// Whether there is something before the run that can be read.
    pub(in crate::chat) fn has_older(&self) -> bool {
        self.first > self.floor + 1
    }

    /// Whether what was missed lately is still to be read.
    pub(in crate::chat) fn has_gap(&self) -> bool {
        self.island_tail > 0
    }

    /// What positions are that the cursor is past.
    fn holds(&self, from: u64, to: u64) -> Held {
        if self.has_gap() && to > self.island_tail && from < self.first {
            Held::Missed
        } else {
            Held::Known
        }
    }

    /// How many entries are missing between the run and what was stored before; none where nothing was missed lately.
    pub(in crate::chat) fn gap(&self) -> Option<u64> {
        self.has_gap()
            .then(|| self.first.saturating_sub(self.island_tail + 1).max(1))
    }
}

/// Stores an entry that came live and moves the cursor to it, if it is the next one.
pub(in crate::chat) fn apply_live(
    tx: &Transaction<'_>,
    room: RoomId,
    entry: &Entry,
    me: AccountId,
    touched: &mut Touched,
) -> Result<Held, ChatError> {
    let Some(run) = Run::read(tx, room)? else {
        return Ok(Held::NoRoom);
    };
    if entry.position <= run.tail {
        return Ok(run.holds(entry.position, entry.position));
    }
    if entry.position > run.tail + 1 {
        return Ok(Held::Gap);
    }
    let is_hash_known = run.tail == 0 || run.tail_hash != START;
    if is_hash_known && !follows(room, &run.tail_hash, entry) {
        return Ok(Held::Broken);
    }
    insert(tx, room, entry, entry.position, me)?;
    let is_counted = count(tx, room, entry, Flags::of(entry, me))?;
    tx.prepare_cached("UPDATE room SET tail = ?2, tail_hash = ?3 WHERE id = ?1")?
        .execute(params![
            room.as_bytes(),
            signed(entry.position),
            entry.hash.as_bytes()
        ])?;
    let flags = Flags::of(entry, me);
    let mentions = fold_stored(tx, room, entry, run.first, me)?;
    if is_counted {
        count_mentions(tx, room, mentions)?;
        touched.rooms.insert(room);
    }
    if set_last(tx, room, entry, flags.is_countable)? {
        touched.rooms.insert(room);
    }
    if flags.is_countable && entry.account == Some(me) {
        read_by_writing(tx, room, entry.position)?;
        touched.rooms.insert(room);
    }
    touched.timelines.insert(room);
    Ok(Held::Applied)
}

/// Moves the cursor over positions that this account is not to see.
pub(in crate::chat) fn skip(
    tx: &Transaction<'_>,
    room: RoomId,
    from: u64,
    to: u64,
) -> Result<Held, ChatError> {
    let Some(run) = Run::read(tx, room)? else {
        return Ok(Held::NoRoom);
    };
    if to <= run.tail {
        return Ok(run.holds(from, to));
    }
    if from > run.tail + 1 {
        return Ok(Held::Gap);
    }
    tx.prepare_cached(
        "UPDATE room SET tail = ?2, tail_hash = ?3, counted = CASE WHEN counted >= tail THEN max(counted, ?2) ELSE counted END, \
         first = CASE WHEN first > tail THEN ?2 + 1 ELSE first END WHERE id = ?1",
    )?
    .execute(params![room.as_bytes(), signed(to), START.as_bytes()])?;
    Ok(Held::Applied)
}

/// Begins a new run after `head`. What is stored becomes the island before the gap, if the gap is worth reading.
pub(in crate::chat) fn go_on_from(
    tx: &Transaction<'_>,
    room: RoomId,
    head: u64,
    head_hash: EntryHash,
    gap_max: u64,
) -> Result<(), ChatError> {
    let Some(run) = Run::read(tx, room)? else {
        return Ok(());
    };
    if head <= run.tail {
        return Ok(());
    }
    // Of an earlier gap that was not read yet only the newer side is kept.
    let is_island = run.len() > 0 && head - run.tail <= gap_max;
    let (island_first, island_tail) = if is_island {
        (run.first, run.tail)
    } else {
        (0, 0)
    };
    if is_island {
        tx.prepare_cached("DELETE FROM entry WHERE room = ?1 AND position < ?2")?
            .execute(params![room.as_bytes(), signed(run.first)])?;
    } else {
        tx.prepare_cached("DELETE FROM entry WHERE room = ?1")?
            .execute([room.as_bytes()])?;
    }
    tx.prepare_cached(
        "UPDATE room SET first = ?2 + 1, tail = ?2, tail_hash = ?3, island_first = ?4, island_tail = ?5 WHERE id = ?1",
    )?
    .execute(params![
        room.as_bytes(),
        signed(head),
        head_hash.as_bytes(),
        signed(island_first),
        signed(island_tail)
    ])?;
    Ok(())
}

/// Lets go of what is stored, and goes on after a position whose hash is not known.
pub(in crate::chat) fn begin_at(
    tx: &Transaction<'_>,
    room: RoomId,
    position: u64,
) -> Result<(), ChatError> {
    tx.prepare_cached("DELETE FROM entry WHERE room = ?1")?
        .execute([room.as_bytes()])?;
    tx.prepare_cached(
        "UPDATE room SET first = ?2 + 1, tail = ?2, tail_hash = ?3, island_first = 0, island_tail = 0 WHERE id = ?1",
    )?
    .execute(params![room.as_bytes(), signed(position), START.as_bytes()])?;
    Ok(())
}

/// Lets go of what is stored of a log, as if nothing had been.
pub(in crate::chat) fn forget(tx: &Transaction<'_>, room: RoomId) -> Result<(), ChatError> {
    tx.prepare_cached("DELETE FROM entry WHERE room = ?1")?
        .execute([room.as_bytes()])?;
    tx.prepare_cached(
        "UPDATE room SET first = 1, tail = 0, tail_hash = ?2, counted = 0, last_head = 0, island_first = 0, island_tail = 0 WHERE id = ?1",
    )?
    .execute(params![room.as_bytes(), START.as_bytes()])?;
    Ok(())
}

/// Lets go of entries that are kept no longer; says whether there were any.
pub(super) fn raise_floor(
    tx: &Transaction<'_>,
    room: RoomId,
    floor: u64,
) -> Result<bool, ChatError> {
    let gone = tx
        .prepare_cached("DELETE FROM entry WHERE room = ?1 AND position <= ?2")?
        .execute(params![room.as_bytes(), signed(floor)])?;
    tx.prepare_cached(
        "UPDATE room SET floor = max(floor, ?2), first = max(first, min(?2, tail) + 1), \
         island_first = CASE WHEN island_tail > ?2 THEN max(island_first, ?2 + 1) ELSE 0 END, \
         island_tail = CASE WHEN island_tail > ?2 THEN island_tail ELSE 0 END WHERE id = ?1",
    )?
    .execute(params![room.as_bytes(), signed(floor)])?;
    Ok(gone > 0)
}

/// Puts a page that was asked for with `before` in front of the run. A page that does not end where the run begins (the
/// run is another one by now) is passed over.
pub(in crate::chat) fn apply_page(
    tx: &Transaction<'_>,
    room: RoomId,
    page: &LogPage,
    before: u64,
    me: AccountId,
) -> Result<Held, ChatError> {
    let Some(run) = Run::read(tx, room)? else {
        return Ok(Held::NoRoom);
    };
    if run.first != before {
        return Ok(Held::Known);
    }
    let Some(first) = page.items.first().map(|entry| entry.position) else {
        // There is nothing before it any more.
        raise_floor(tx, room, page.floor.max(before - 1))?;
        return Ok(Held::Applied);
    };
    if !is_whole(room, page, before, &run, tx)? {
        return Ok(Held::Broken);
    }
    for entry in &page.items {
        insert(tx, room, entry, page.head, me)?;
    }
    tx.prepare_cached("UPDATE room SET first = ?2 WHERE id = ?1")?
        .execute(params![room.as_bytes(), signed(first)])?;
    // What came live while the page was under way.
    fold_range(tx, room, page.head, (first, before - 1), me)?;
    join_island(tx, room, first, me)?;
    raise_floor(tx, room, page.floor)?;
    Ok(Held::Applied)
}

/// Whether the page's entries are dense, follow from each other, and lead to what is stored.
fn is_whole(
    room: RoomId,
    page: &LogPage,
    before: u64,
    run: &Run,
    tx: &Transaction<'_>,
) -> Result<bool, ChatError> {
    let mut entries = page.items.iter();
    let Some(mut last) = entries.next() else {
        return Ok(true);
    };
    for entry in entries {
        if entry.position != last.position + 1 || !follows(room, &last.hash, entry) {
            return Ok(false);
        }
        last = entry;
    }
    if last.position + 1 != before {
        return Ok(false);
    }
    if before > run.tail {
        return Ok(run.tail_hash == START || last.hash == run.tail_hash);
    }
    let next: Option<Entry> = stored(tx, room, before)?;
    Ok(next.is_none_or(|next| follows(room, &last.hash, &next)))
}

/// Makes one run of the run and the island, once the run reaches it.
fn join_island(
    tx: &Transaction<'_>,
    room: RoomId,
    first: u64,
    me: AccountId,
) -> Result<(), ChatError> {
    let Some(run) = Run::read(tx, room)? else {
        return Ok(());
    };
    if !run.has_gap() || first > run.island_tail + 1 {
        return Ok(());
    }
    let last = stored(tx, room, first.saturating_sub(1))?;
    let next = stored(tx, room, first)?;
    let is_same = match (&last, &next) {
        (Some(last), Some(next)) => follows(room, &last.hash, next),
        _ => run.island_first >= first,
    };
    if is_same && run.island_first < first {
        fold_range(tx, room, run.island_tail, (run.island_first, first - 1), me)?;
        tx.prepare_cached("UPDATE room SET first = ?2 WHERE id = ?1")?
            .execute(params![room.as_bytes(), signed(run.island_first)])?;
    } else {
        tx.prepare_cached("DELETE FROM entry WHERE room = ?1 AND position < ?2")?
            .execute(params![room.as_bytes(), signed(first)])?;
    }
    tx.prepare_cached(
        "UPDATE room SET island_first = 0, island_tail = 0, last_head = tail, last = coalesce((SELECT data \
         FROM entry WHERE room = ?1 AND is_countable = 1 ORDER BY position DESC LIMIT 1), last) WHERE id = ?1",
    )?
    .execute([room.as_bytes()])?;
    count_missed(tx, room, me)
}

/// Unread entries and mentions from others that are stored past `after`, up to `to`.
pub(super) fn count_past(
    tx: &Connection,
    room: RoomId,
    after: u64,
    to: u64,
) -> Result<(u64, u64), ChatError> {
    let counts = tx
        .prepare_cached(
            "SELECT coalesce(sum(is_countable), 0), coalesce(sum(is_mention), 0) FROM entry \
             WHERE room = ?1 AND position > ?2 AND position <= ?3",
        )?
        .query_row(params![room.as_bytes(), signed(after), signed(to)], |row| {
            Ok((unsigned(row, 0)?, unsigned(row, 1)?))
        })?;
    Ok(counts)
}

/// The last text or file past `after` that the account itself wrote; 0 where there is none.
pub(super) fn last_own(
    tx: &Connection,
    room: RoomId,
    after: u64,
    me: AccountId,
) -> Result<u64, ChatError> {
    let position = tx
        .prepare_cached(
            "SELECT coalesce(max(position), 0) FROM entry WHERE room = ?1 AND position > ?2 \
             AND is_countable = 1 AND json_extract(data, '$.account') = ?3",
        )?
        .query_row(
            params![room.as_bytes(), signed(after), me.to_string()],
            |row| unsigned(row, 0),
        )?;
    Ok(position)
}

/// What an entry is to the list and the timeline.
#[derive(Debug, Clone, Copy)]
pub(super) struct Flags {
    is_shown: bool,
    pub(super) is_countable: bool,
    pub(super) is_mention: bool,
}

impl Flags {
    fn of(entry: &Entry, me: AccountId) -> Self {
        let effect = entry.body.as_ref().map(effect);
        let is_recalled = entry.state.recalled.is_some();
        Self {
            is_shown: is_recalled
                || effect.is_some_and(|effect| !matches!(effect, Effect::Entry(_))),
            // A recalled text still counts, as it does on the server; an erased edit never did.
            is_countable: is_recalled || entry.body.as_ref().is_some_and(Body::is_countable),
            is_mention: entry.account != Some(me)
                && fold::mentions_of(entry).is_some_and(|mentions| mentions.includes(me)),
        }
    }
}

fn insert(
    tx: &Transaction<'_>,
    room: RoomId,
    entry: &Entry,
    state_head: u64,
    me: AccountId,
) -> Result<(), ChatError> {
    let flags = Flags::of(entry, me);
    tx.prepare_cached(
        "INSERT OR REPLACE INTO entry (room, position, state_head, is_shown, is_countable, is_mention, target, data) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        room.as_bytes(),
        signed(entry.position),
        signed(state_head),
        flags.is_shown,
        flags.is_countable,
        flags.is_mention,
        entry.body.as_ref().and_then(Body::target).map(signed),
        json(entry)?
    ])?;
    Ok(())
}

/// Lets an entry change the stored ones from `first` on that it is about. Those before are of an island: they are changed
/// when what is between is there, so that it happens in order. Returns those of them that mention the account now and did not
/// before, or the other way round.
fn fold_stored(
    tx: &Transaction<'_>,
    room: RoomId,
    later: &Entry,
    first: u64,
    me: AccountId,
) -> Result<Vec<(u64, bool)>, ChatError> {
    let mut mentions = Vec::new();
    let Some(target) = later.body.as_ref().and_then(Body::target) else {
        return Ok(mentions);
    };
    let earlier: Vec<Entry> = super::all(
        tx,
        "SELECT data FROM entry WHERE room = ?1 AND position = ?2 AND position >= ?4 AND state_head < ?3 UNION ALL \
         SELECT data FROM entry WHERE room = ?1 AND target = ?2 AND position BETWEEN ?4 AND ?3 - 1 AND state_head < ?3",
        &[
            room.as_bytes(),
            &signed(target),
            &signed(later.position),
            &signed(first),
        ],
    )?;
    for mut earlier in earlier {
        let was_mention = Flags::of(&earlier, me).is_mention;
        if !fold::apply(&mut earlier, later) {
            continue;
        }
        let is_mention = Flags::of(&earlier, me).is_mention;
        if is_mention != was_mention {
            mentions.push((earlier.position, is_mention));
        }
        tx.prepare_cached(
            "UPDATE entry SET data = ?3, state_head = ?4, is_mention = ?5 WHERE room = ?1 AND position = ?2",
        )?
        .execute(params![
            room.as_bytes(),
            signed(earlier.position),
            json(&earlier)?,
            signed(later.position),
            is_mention
        ])?;
    }
    Ok(mentions)
}

/// Lets the stored entries past `after` change those in `range` that they are about, in their order. A recall is also
/// about the edits of its target.
fn fold_range(
    tx: &Transaction<'_>,
    room: RoomId,
    after: u64,
    range: (u64, u64),
    me: AccountId,
) -> Result<(), ChatError> {
    let later: Vec<Entry> = super::all(
        tx,
        "SELECT data FROM entry WHERE room = ?1 AND target IS NOT NULL AND position > ?4 \
         AND (target BETWEEN ?2 AND ?3 OR target IN (SELECT target FROM entry WHERE room = ?1 \
         AND position BETWEEN ?2 AND ?3 AND target IS NOT NULL)) ORDER BY position",
        &[
            room.as_bytes(),
            &signed(range.0),
            &signed(range.1),
            &signed(after),
        ],
    )?;
    for entry in &later {
        fold_stored(tx, room, entry, range.0, me)?;
    }
    Ok(())
}

/// Keeps the list's preview: the last text or file, in its present state.
fn set_last(
    tx: &Transaction<'_>,
    room: RoomId,
    entry: &Entry,
    is_countable: bool,
) -> Result<bool, ChatError> {
    let last = if is_countable {
        Some(entry.clone())
    } else {
        one::<Entry>(
            tx,
            "SELECT last FROM room WHERE id = ?1 AND last IS NOT NULL",
            &[room.as_bytes()],
        )?
        .filter(|last| entry.body.as_ref().and_then(Body::target) == Some(last.position))
        .map(|mut last| {
            fold::apply(&mut last, entry);
            last
        })
    };
    let changed = tx
        .prepare_cached(
            "UPDATE room SET last = coalesce(?2, last), last_head = ?3 WHERE id = ?1 AND last_head < ?3",
        )?
        .execute(params![
            room.as_bytes(),
            last.as_ref().map(json).transpose()?,
            signed(entry.position)
        ])?;
    Ok(changed > 0 && last.is_some())
}

/// One stored entry.
pub(super) fn stored(
    tx: &Connection,
    room: RoomId,
    position: u64,
) -> Result<Option<Entry>, ChatError> {
    one(
        tx,
        "SELECT data FROM entry WHERE room = ?1 AND position = ?2",
        &[room.as_bytes(), &signed(position)],
    )
}

/// Whether the chain leads from `before` to the entry. An erased body leaves nothing to check.
fn follows(room: RoomId, before: &EntryHash, entry: &Entry) -> bool {
    let Some(body) = &entry.body else {
        return true;
    };
    let header = Header {
        room,
        position: entry.position,
        kind: kind_of(body),
        at_ms: entry.at_ms,
        countable: entry.countable,
        account: entry.account,
        session: entry.origin.session,
        hook: entry.hook,
        name: entry.name.as_deref(),
        client_ms: entry.client_ms,
        target: body.target(),
        door: &entry.origin.door,
    };
    link(before, &header, &digest(&pack(body))) == entry.hash
}
