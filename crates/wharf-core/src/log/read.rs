//! Reading a log: pages, one entry with its history, pins and files.

use wharf_store::sql::{self, Tx, Value};
use wharf_types::api::log::{Body, Edited, Entry, EntryHistory, LogPage};
use wharf_types::api::room::{Role, RoomKind};
use wharf_types::{AccountId, RoomId};

use super::Range;
use super::rows::{self, End, entries};
use crate::access::Entered;
use crate::error::{Error, Result};

/// Entries on a page when the request does not say, and at most.
const PAGE_ENTRIES_DEFAULT: u32 = 100;
const PAGE_ENTRIES_MAX: u32 = 1_000;
/// Bytes of text after which a page ends.
const PAGE_BYTES: usize = 256 * 1024;
/// Entries read by one statement: what is read past the page's end is for nothing.
const STEP_ENTRIES: u32 = 100;

const HOUR_MS: i64 = 3_600_000;

/// What a member sees of a log, as it stands in this transaction.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    pub(super) room: RoomId,
    pub(super) account: AccountId,
    /// The log's end.
    pub(super) end: End,
    /// The member cannot read up to here.
    pub(super) floor: u64,
    /// Whether the member may take back what others said: the owner of a group.
    pub(super) may_recall_any: bool,
    /// Whether it is the member's personal room, and so what nobody's account said there is theirs.
    pub(super) is_personal: bool,
}

impl View {
    /// The view of a member who was let in.
    pub(super) fn of(entered: &Entered, account: AccountId, end: End) -> Self {
        Self {
            room: entered.id,
            account,
            end,
            floor: end.floor.max(entered.floor),
            is_personal: entered.kind == RoomKind::Personal,
            may_recall_any: entered.role == Role::Owner && entered.kind == RoomKind::Group,
        }
    }

    /// Whether the member can read this position.
    pub(super) fn shows(&self, position: u64) -> bool {
        position > self.floor && position <= self.end.head
    }

    fn page(&self, items: Vec<Entry>) -> LogPage {
        LogPage {
            head: self.end.head,
            head_hash: self.end.hash,
            floor: self.floor,
            items,
        }
    }
}

/// A page of entries.
pub(super) fn page(
    tx: &mut Tx<'_>,
    view: &View,
    range: Range,
    limit: Option<u32>,
) -> Result<LogPage> {
    let limit = page_limit(limit);
    let mut items = match range {
        Range::After(position) => forward(tx, view, position.max(view.floor), limit)?,
        Range::AtTime(at_ms) => {
            let first = first_at(tx, view, at_ms)?;
            forward(tx, view, first - 1, limit)?
        }
        Range::Before(position) => backward(tx, view, position, limit)?,
        Range::Last => backward(tx, view, u64::MAX, limit)?,
    };
    rows::add_reactions(tx, view.room, &mut items)?;
    Ok(view.page(items))
}

fn page_limit(limit: Option<u32>) -> u32 {
    limit
        .unwrap_or(PAGE_ENTRIES_DEFAULT)
        .clamp(1, PAGE_ENTRIES_MAX)
}

fn forward(tx: &mut Tx<'_>, view: &View, after: u64, limit: u32) -> sql::Result<Vec<Entry>> {
    gather(limit, |items, step| {
        let after = items.last().map_or(after, |last| last.position);
        tx.all(
            entries!("WHERE n.room_id = ?1 AND n.position > ?2 ORDER BY n.position LIMIT ?3"),
            &[view.room.into(), bound(after), step.into()],
            |row| rows::read(row, Some(view.account)),
        )
    })
}

fn backward(tx: &mut Tx<'_>, view: &View, before: u64, limit: u32) -> sql::Result<Vec<Entry>> {
    let mut items = gather(limit, |items, step| {
        let before = items.last().map_or(before, |last| last.position);
        tx.all(
            entries!(
                "WHERE n.room_id = ?1 AND n.position < ?2 AND n.position > ?3 ORDER BY n.position DESC LIMIT ?4"
            ),
            &[
                view.room.into(),
                bound(before),
                view.floor.into(),
                step.into(),
            ],
            |row| rows::read(row, Some(view.account)),
        )
    })?;
    items.reverse();
    Ok(items)
}

/// A position from a stranger, as far as the database can compare it.
fn bound(position: u64) -> Value<'static> {
    Value::Int(i64::try_from(position).unwrap_or(i64::MAX))
}

/// Reads in steps until the page is full, by count or by bytes, or there is no more.
fn gather(
    limit: u32,
    mut read: impl FnMut(&[Entry], u32) -> sql::Result<Vec<Entry>>,
) -> sql::Result<Vec<Entry>> {
    let mut items: Vec<Entry> = Vec::new();
    let mut bytes = 0;
    loop {
        let missing = limit - u32::try_from(items.len()).unwrap_or(limit).min(limit);
        let step = missing.min(STEP_ENTRIES);
        if step == 0 {
            return Ok(items);
        }
        let read = read(&items, step)?;
        let is_last = read.len() < step as usize;
        for entry in read {
            bytes += bytes_of(&entry);
            if bytes > PAGE_BYTES && !items.is_empty() {
                return Ok(items);
            }
            items.push(entry);
        }
        if is_last {
            return Ok(items);
        }
    }
}

/// The first position recorded at `at_ms` or later; past the head if there is none.
fn first_at(tx: &mut Tx<'_>, view: &View, at_ms: i64) -> sql::Result<u64> {
    let hour = at_ms.div_euclid(HOUR_MS);
    let from = tx.opt(
        "SELECT position FROM log_hour WHERE room_id = ?1 AND hour <= ?2 ORDER BY hour DESC LIMIT 1",
        &[view.room.into(), hour.into()],
        |row| row.uint(0),
    )?;
    let from = from.unwrap_or(0).max(view.floor + 1);
    let first = tx.opt(
        "SELECT position FROM entry WHERE room_id = ?1 AND position >= ?2 AND at_ms >= ?3 ORDER BY position LIMIT 1",
        &[view.room.into(), from.into(), at_ms.into()],
        |row| row.uint(0),
    )?;
    Ok(first.unwrap_or(view.end.head + 1))
}

/// One entry with its edits and readers.
pub(super) fn history(tx: &mut Tx<'_>, view: &View, position: u64) -> Result<EntryHistory> {
    let no_entry = || Error::not_found("there is no such entry in this room");
    if !view.shows(position) {
        return Err(no_entry());
    }
    let entry =
        rows::entry_at(tx, Some(view.account), view.room, position)?.ok_or_else(no_entry)?;
    let edits = tx.all(
        "SELECT position, at_ms, body FROM entry \
         WHERE room_id = ?1 AND kind = 2 AND target = ?2 AND body IS NOT NULL ORDER BY position",
        &[view.room.into(), position.into()],
        |row| match rows::body_of(row.bytes(2)?)? {
            Body::Edit(edit) => Ok(Edited {
                position: row.uint(0)?,
                at_ms: row.int(1)?,
                text: edit.text,
                mentions: edit.mentions,
            }),
            _ => Err(sql::Error::corrupt("an entry of kind 2 is no edit")),
        },
    )?;
    let read_by = tx.all(
        "SELECT account_id FROM member WHERE room_id = ?1 AND read_position >= ?2 ORDER BY account_id",
        &[view.room.into(), position.into()],
        |row| row.id::<AccountId>(0),
    )?;
    let read_by = read_by
        .into_iter()
        .filter(|account| Some(*account) != entry.account)
        .collect();
    Ok(EntryHistory {
        head: view.end.head,
        entry,
        edits,
        read_by,
    })
}

/// The pinned entries, the one that was pinned last first.
pub(super) fn pins(tx: &mut Tx<'_>, view: &View) -> Result<LogPage> {
    let mut items = tx.all(
        entries!("WHERE n.room_id = ?1 AND n.pin_position IS NOT NULL AND n.position > ?2 ORDER BY n.position"),
        &[view.room.into(), view.floor.into()],
        |row| rows::read(row, Some(view.account)),
    )?;
    for entry in &mut items {
        rows::add_reactions(tx, view.room, std::slice::from_mut(entry))?;
    }
    items.sort_by_key(|entry| std::cmp::Reverse(entry.state.pinned));
    Ok(view.page(items))
}

/// The entries that handed files over and were not recalled, newest first.
pub(super) fn files(
    tx: &mut Tx<'_>,
    view: &View,
    before: Option<u64>,
    limit: Option<u32>,
) -> Result<LogPage> {
    let before = before.unwrap_or(u64::MAX);
    let mut items = gather(page_limit(limit), |items, step| {
        let before = items.last().map_or(before, |last| last.position);
        tx.all(
            entries!(
                "WHERE n.room_id = ?1 AND n.kind = 1 AND n.position < ?2 AND n.position > ?3 \
                 AND n.recall_position IS NULL ORDER BY n.position DESC LIMIT ?4"
            ),
            &[
                view.room.into(),
                bound(before),
                view.floor.into(),
                step.into(),
            ],
            |row| rows::read(row, Some(view.account)),
        )
    })?;
    for entry in &mut items {
        rows::add_reactions(tx, view.room, std::slice::from_mut(entry))?;
    }
    Ok(view.page(items))
}

/// About what an entry takes on a page.
fn bytes_of(entry: &Entry) -> usize {
    let own = match &entry.body {
        Some(Body::Text(text)) => text.text.len(),
        Some(Body::File(file)) => file.text.len() + file.name.len(),
        Some(Body::Edit(edit)) => edit.text.len(),
        Some(
            Body::Recall(_)
            | Body::Reaction(_)
            | Body::Pin(_)
            | Body::Member(_)
            | Body::Settings(_),
        )
        | None => 0,
    };
    let edited = entry.state.edited.as_ref();
    own + edited.map_or(0, |edited| edited.text.len()) + 200
}
