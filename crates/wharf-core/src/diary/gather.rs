//! Gathering the entries of a page.
//!
//! There are three ways through a log: along its positions, within the stretches of the days that are asked for, along the
//! documents of a tag, and along what a key of the journal wrote. All look at a bounded number of entries and say where they
//! stopped.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use wharf_store::search;
use wharf_store::sql::{self, Tx};
use wharf_types::api::diary::DiaryQuery;
use wharf_types::api::journal::JournalKeyId;
use wharf_types::api::log::{Body, Entry};
use wharf_types::fold::text_of;
use wharf_types::{AccountId, RoomId, SessionId};

use super::View;
use super::days::{Span, Stretch, of_every_year, stretch_of};
use crate::caller::Door;
use crate::error::{Error, Result};
use crate::journal;
use crate::log;
use crate::search::{entry_tag, tag_key, tags};
use crate::zone::{Zone, parse_day};

/// Entries that one page looks at.
const LOOKED_AT_MAX: u32 = 5_000;
/// Entries that are read by one statement.
const STEP_ENTRIES: u32 = 200;
/// Bytes of texts after which a page ends.
const PAGE_BYTES: usize = 512 * 1024;

/// What a query asks for, made out.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) zone: Zone,
    spans: Vec<Span>,
    tag: Option<String>,
    origin: Option<FromOrigin>,
    keys: Option<Vec<JournalKeyId>>,
    is_newest_first: bool,
}

/// An origin, with the devices of the reader to compare it with.
#[derive(Debug)]
struct FromOrigin {
    reader: AccountId,
    wanted: String,
    devices: BTreeMap<SessionId, String>,
}

/// Entries of a page, and where the next one goes on.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) items: Vec<Entry>,
    pub(super) next: Option<u64>,
}

impl Plan {
    /// Makes out what a query asks for.
    ///
    /// # Errors
    /// - `Invalid`: a day or the time zone is none.
    /// - `NotFound`: the reader has no such key.
    pub(super) fn make(tx: &mut Tx<'_>, view: &View, query: &DiaryQuery) -> Result<Self> {
        let zone = Zone::parse(query.zone.as_deref())?;
        let mut spans = match &query.day_of_year {
            Some(_) if query.from.is_some() || query.to.is_some() => {
                return Err(Error::invalid(
                    "a day of every year stands instead of from and to",
                ));
            }
            Some(day) => of_every_year(tx, view, day, &zone)?,
            None => {
                let mut span = Span::ALWAYS;
                if let Some(from) = &query.from {
                    span.from_ms = parse_day(from)?.begin_ms(&zone)?;
                }
                if let Some(to) = &query.to {
                    span.until_ms = parse_day(to)?.end_ms(&zone)?;
                }
                vec![span]
            }
        };
        if query.newest_first {
            spans.reverse();
        }
        Ok(Self {
            zone,
            spans,
            tag: query.tag.as_deref().map(tag_key),
            origin: match &query.origin {
                Some(wanted) => Some(FromOrigin {
                    reader: view.reader,
                    wanted: wanted.trim().to_lowercase(),
                    devices: devices(tx, view)?,
                }),
                None => None,
            },
            keys: match &query.key {
                Some(wanted) => Some(journal::keys_called(tx, view.reader, wanted)?),
                None => None,
            },
            is_newest_first: query.newest_first,
        })
    }

    /// Whether an entry is what was asked for.
    pub(super) fn takes(&self, entry: &Entry) -> bool {
        let is_said = matches!(entry.body, Some(Body::Text(_) | Body::File(_)));
        is_said
            && entry.state.recalled.is_none()
            && self.spans.iter().any(|span| span.contains(entry.at_ms))
            && self
                .origin
                .as_ref()
                .is_none_or(|origin| origin.takes(entry))
            && self
                .tag
                .as_ref()
                .is_none_or(|tag| text_of(entry).is_some_and(|text| tags(text).contains(tag)))
    }
}

impl FromOrigin {
    /// Whether an entry is the reader's own and came from here; or an old diary client's, which is nobody's and shows where it
    /// came from to everybody.
    fn takes(&self, entry: &Entry) -> bool {
        let origin = &entry.origin;
        if entry.account.is_none() && origin.door == Door::Diary.text() {
            let client = entry.name.as_deref().unwrap_or_default();
            let address = client.parse::<SocketAddr>().map(|at| at.ip().to_string());
            return [origin.door.as_str(), client].contains(&self.wanted.as_str())
                || address.is_ok_and(|address| address == self.wanted);
        }
        let device = origin
            .session
            .and_then(|session| self.devices.get(&session));
        let is = |text: &str| text.to_lowercase() == self.wanted;
        entry.account == Some(self.reader)
            && (is(&origin.door)
                || origin.address.as_deref().is_some_and(is)
                || device.is_some_and(|device| is(device)))
    }
}

fn devices(tx: &mut Tx<'_>, view: &View) -> sql::Result<BTreeMap<SessionId, String>> {
    let mut devices = BTreeMap::new();
    tx.each(
        "SELECT id, device FROM session WHERE account_id = ?1",
        &[view.reader.into()],
        |row| {
            devices.insert(row.id(0)?, row.text(1)?.to_owned());
            Ok(())
        },
    )?;
    Ok(devices)
}

/// What is looked at, and what was found.
struct Gathering {
    items: Vec<Entry>,
    limit: u32,
    bytes: usize,
    looked_at: u32,
}

impl Gathering {
    fn is_full(&self) -> bool {
        self.items.len() >= self.limit as usize
            || self.bytes >= PAGE_BYTES
            || self.looked_at >= LOOKED_AT_MAX
    }

    fn look_at(&mut self, plan: &Plan, entry: Entry) {
        self.looked_at += 1;
        if plan.takes(&entry) {
            self.bytes += text_of(&entry).map_or(0, str::len);
            self.items.push(entry);
        }
    }
}

/// Gathers the entries past `after` that the plan takes, or before it, from the newest.
pub(super) fn run(
    tx: &mut Tx<'_>,
    view: &View,
    plan: &Plan,
    after: Option<u64>,
    limit: u32,
) -> Result<Step> {
    let mut gathering = Gathering {
        items: Vec::new(),
        limit,
        bytes: 0,
        looked_at: 0,
    };
    let next = match (&plan.keys, &plan.tag) {
        (Some(keys), _) => along_keys(tx, view, plan, keys, after, &mut gathering)?,
        (None, Some(tag)) => along_tag(tx, view, plan, tag, after, &mut gathering)?,
        (None, None) => along_log(tx, view, plan, after, &mut gathering)?,
    };
    let mut items = gathering.items;
    for entry in &mut items {
        log::add_reactions(tx, view.room, std::slice::from_mut(entry))?;
    }
    Ok(Step { items, next })
}

fn along_log(
    tx: &mut Tx<'_>,
    view: &View,
    plan: &Plan,
    after: Option<u64>,
    gathering: &mut Gathering,
) -> sql::Result<Option<u64>> {
    // Where the next page begins, should this one end here.
    let mut at = after;
    for span in &plan.spans {
        let stretch = stretch_of(tx, view, *span)?;
        while let Some(rest) = rest_of(stretch, at, plan.is_newest_first) {
            if gathering.is_full() {
                return Ok(at);
            }
            let entries = log::entries_within(
                tx,
                view.reader,
                view.room,
                rest.first..=rest.last,
                plan.is_newest_first,
                STEP_ENTRIES,
            )?;
            // Positions are dense, but whatever is missing in a damaged log is passed.
            let end = if plan.is_newest_first {
                rest.first
            } else {
                rest.last
            };
            let is_all = entries.len() < STEP_ENTRIES as usize;
            let mut is_cut = false;
            for entry in entries {
                if gathering.is_full() {
                    is_cut = true;
                    break;
                }
                at = Some(entry.position);
                gathering.look_at(plan, entry);
            }
            if is_all && !is_cut {
                at = Some(end);
            }
        }
    }
    Ok(None)
}

/// What is left of a stretch past a position, or before it.
fn rest_of(stretch: Stretch, at: Option<u64>, is_newest_first: bool) -> Option<Stretch> {
    let mut rest = stretch;
    match at {
        Some(at) if is_newest_first => rest.last = rest.last.min(at.checked_sub(1)?),
        Some(at) => rest.first = rest.first.max(at.saturating_add(1)),
        None => {}
    }
    (rest.first <= rest.last).then_some(rest)
}

fn along_tag(
    tx: &mut Tx<'_>,
    view: &View,
    plan: &Plan,
    tag: &str,
    after: Option<u64>,
    gathering: &mut Gathering,
) -> sql::Result<Option<u64>> {
    // No text has a NUL, and PostgreSQL takes none to compare with.
    if tag.contains('\0') {
        return Ok(None);
    }
    let mut docs = search::docs(tx, view.room, &entry_tag(tag))?;
    let first_doc = doc_past(tx, view.room, view.floor)?;
    docs.drain(..docs.partition_point(|doc| *doc < first_doc));
    match after {
        Some(after) if plan.is_newest_first => {
            let end = doc_past(tx, view.room, after.saturating_sub(1))?;
            docs.truncate(docs.partition_point(|doc| *doc < end));
        }
        Some(after) => {
            let begin = doc_past(tx, view.room, after)?;
            docs.drain(..docs.partition_point(|doc| *doc < begin));
        }
        None => {}
    }
    if plan.is_newest_first {
        docs.reverse();
    }
    let mut at = after;
    for doc in docs {
        if gathering.is_full() {
            return Ok(at);
        }
        let position = tx.opt(
            "SELECT position FROM search_doc WHERE room_id = ?1 AND doc = ?2 AND position IS NOT NULL",
            &[view.room.into(), doc.into()],
            |row| row.uint(0),
        )?;
        let Some(position) = position else {
            continue;
        };
        at = Some(position);
        if let Some(entry) = log::entry_at(tx, Some(view.reader), view.room, position)? {
            gathering.look_at(
                plan,
                Entry {
                    state: without_reactions(entry.state),
                    ..entry
                },
            );
        }
    }
    Ok(None)
}

fn along_keys(
    tx: &mut Tx<'_>,
    view: &View,
    plan: &Plan,
    keys: &[JournalKeyId],
    after: Option<u64>,
    gathering: &mut Gathering,
) -> sql::Result<Option<u64>> {
    let whole = Stretch {
        first: view.floor + 1,
        last: view.head,
    };
    let mut at = after;
    while let Some(rest) = rest_of(whole, at, plan.is_newest_first) {
        let within = rest.first..=rest.last;
        let newest_first = plan.is_newest_first;
        let positions =
            journal::positions_of(tx, view.room, keys, within, newest_first, STEP_ENTRIES)?;
        if positions.is_empty() {
            return Ok(None);
        }
        for position in positions {
            if gathering.is_full() {
                return Ok(at);
            }
            at = Some(position);
            if let Some(entry) = log::entry_at(tx, Some(view.reader), view.room, position)? {
                let state = without_reactions(entry.state);
                gathering.look_at(plan, Entry { state, ..entry });
            }
        }
    }
    Ok(None)
}

/// Reactions are added to what is on the page.
fn without_reactions(
    state: wharf_types::api::log::EntryState,
) -> wharf_types::api::log::EntryState {
    wharf_types::api::log::EntryState {
        reactions: Vec::new(),
        ..state
    }
}

/// The first document of an entry past a position; one past all if there is none.
pub(super) fn doc_past(tx: &mut Tx<'_>, room: RoomId, position: u64) -> sql::Result<u64> {
    let position = i64::try_from(position).unwrap_or(i64::MAX);
    let doc = tx.opt(
        "SELECT doc FROM search_doc WHERE room_id = ?1 AND position > ?2 ORDER BY position LIMIT 1",
        &[room.into(), position.into()],
        |row| row.uint(0),
    )?;
    Ok(doc.unwrap_or(search::OPEN))
}
