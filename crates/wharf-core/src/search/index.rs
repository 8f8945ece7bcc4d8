//! What a stretch of a log or drive changes in the index: documents, and what they are listed under.
//!
//! What is listed of an entry or node is its present state, whatever the history in between, so looking at a stretch again
//! changes nothing.
//!
//! A document's number is its time in milliseconds, times 128, and odd for a node. Numbers of one kind never go back in a
//! room, so they are in the order of the log even where the clock was set back.

use std::collections::BTreeSet;

use wharf_store::search::{Edit, Edits};
use wharf_store::sql::{self, Tx};
use wharf_types::api::log::{Body, Entry};
use wharf_types::{NodeId, RoomId};

use super::terms::{terms_of_entry, terms_of_node};
use crate::drive;
use crate::log;

/// Changes of a room that are looked at in one step, and documents that are taken out of the index.
const CHANGES_MAX: u32 = 64;
/// Rows that one step writes, about: on SQLite all other writers wait for them. A row is a few microseconds of the writer
/// and, mostly, a page of the commit.
const ROWS_MAX: usize = 400;
/// Bits of a document's number below its time.
const TIME_SHIFT: u32 = 7;
/// Times past this, 17 million years from now, are all the same to the search.
const TIME_MS_MAX: i64 = 1 << 49;

/// The first document number of a time.
pub(super) fn doc_at(at_ms: i64) -> u64 {
    u64::try_from(at_ms.clamp(0, TIME_MS_MAX)).unwrap_or(0) << TIME_SHIFT
}

/// Whether a document is an entry, and not a node.
pub(super) const fn is_entry(doc: u64) -> bool {
    doc & 1 == 0
}

/// How far a room's index is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Followed {
    pub(super) log_position: u64,
    pub(super) drive_position: u64,
    pub(super) floor_position: u64,
    pub(super) entry_doc: u64,
    pub(super) node_doc: u64,
}

/// How far there is to go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Heads {
    pub(super) log: u64,
    pub(super) drive: u64,
    pub(super) floor: u64,
}

/// What a document is listed under now, and was before.
struct Listed {
    doc: u64,
    terms: String,
}

/// A document that comes, goes, or is listed under other terms. `terms`: each followed by a line feed.
#[derive(Debug)]
pub(super) enum Change {
    Insert {
        room: RoomId,
        doc: u64,
        key: Key,
        terms: String,
    },
    Update {
        room: RoomId,
        doc: u64,
        terms: String,
    },
    Delete {
        room: RoomId,
        doc: u64,
    },
}

/// What a document stands for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Key {
    Entry(u64),
    Node(NodeId),
}

/// What one step changes, as far as it was gathered.
#[derive(Debug, Default)]
pub(super) struct Pass {
    pub(super) changes: Vec<Change>,
    pub(super) edits: Edits,
    row_count: usize,
}

impl Pass {
    pub(super) fn is_full(&self) -> bool {
        self.row_count >= ROWS_MAX
    }

    /// Follows one room for a step, from where its index is, and says whether there is more to do in it.
    pub(super) fn follow_room(
        &mut self,
        tx: &mut Tx<'_>,
        room: RoomId,
        at: &mut Followed,
        heads: Heads,
    ) -> sql::Result<bool> {
        let is_swept = self.sweep_floor(tx, room, at, heads.floor)?;
        if is_swept && !self.is_full() {
            self.follow_log(tx, room, at, heads)?;
        }
        if is_swept && !self.is_full() {
            self.follow_drive(tx, room, at, heads)?;
        }
        Ok(!is_swept || at.log_position < heads.log || at.drive_position < heads.drive)
    }

    /// Takes out entries that the log keeps no longer, and says whether that is all of them.
    fn sweep_floor(
        &mut self,
        tx: &mut Tx<'_>,
        room: RoomId,
        at: &mut Followed,
        floor: u64,
    ) -> sql::Result<bool> {
        if floor <= at.floor_position {
            return Ok(true);
        }
        let gone = tx.all(
            "SELECT doc, terms, position FROM search_doc WHERE room_id = ?1 AND position <= ?2 ORDER BY position LIMIT ?3",
            &[room.into(), floor.into(), CHANGES_MAX.into()],
            |row| Ok((read_listed(row)?, row.uint(2)?)),
        )?;
        let is_all = gone.len() < CHANGES_MAX as usize;
        for (listed, position) in gone {
            self.take_out(room, &listed);
            at.floor_position = at.floor_position.max(position);
        }
        if is_all {
            at.floor_position = floor;
            at.log_position = at.log_position.max(floor);
        }
        Ok(is_all)
    }

    fn follow_log(
        &mut self,
        tx: &mut Tx<'_>,
        room: RoomId,
        at: &mut Followed,
        heads: Heads,
    ) -> sql::Result<()> {
        let entries = log::entries_past(tx, room, at.log_position, CHANGES_MAX)?;
        let begin = at.log_position;
        let mut earlier = BTreeSet::new();
        for entry in entries
            .iter()
            .take_while(|entry| entry.position <= heads.log)
        {
            match &entry.body {
                Some(Body::Text(_) | Body::File(_)) => {
                    if let Some(terms) = terms_of_entry(entry) {
                        at.entry_doc = (at.entry_doc + 2).max(doc_at(entry.at_ms));
                        let key = Key::Entry(entry.position);
                        self.put_in(room, at.entry_doc, key, &terms);
                    }
                }
                // What came before this stretch was listed as it was then.
                Some(Body::Edit(_) | Body::Recall(_)) => {
                    earlier.extend(target_of(entry).filter(|target| *target <= begin));
                }
                // Nothing is found by these; and what was erased is gone.
                Some(Body::Reaction(_) | Body::Pin(_) | Body::Member(_) | Body::Settings(_))
                | None => {}
            }
            at.log_position = entry.position;
            if self.is_full() {
                break;
            }
        }
        for position in earlier {
            self.refresh_entry(tx, room, position)?;
        }
        Ok(())
    }

    /// Lists an entry that is in the index under what it says now.
    fn refresh_entry(&mut self, tx: &mut Tx<'_>, room: RoomId, position: u64) -> sql::Result<()> {
        let listed = tx.opt(
            "SELECT doc, terms FROM search_doc WHERE room_id = ?1 AND position = ?2",
            &[room.into(), position.into()],
            read_listed,
        )?;
        let Some(listed) = listed else {
            return Ok(());
        };
        let entry = log::entry_at(tx, None, room, position)?;
        match entry.as_ref().and_then(terms_of_entry) {
            Some(terms) => self.change(room, &listed, &terms),
            None => self.take_out(room, &listed),
        }
        Ok(())
    }

    fn follow_drive(
        &mut self,
        tx: &mut Tx<'_>,
        room: RoomId,
        at: &mut Followed,
        heads: Heads,
    ) -> sql::Result<()> {
        if at.drive_position >= heads.drive {
            return Ok(());
        }
        let changed = drive::changed_nodes(tx, room, at.drive_position, CHANGES_MAX)?;
        for node in changed.nodes {
            self.refresh_node(tx, room, at, node)?;
        }
        at.drive_position = changed.position;
        Ok(())
    }

    fn refresh_node(
        &mut self,
        tx: &mut Tx<'_>,
        room: RoomId,
        at: &mut Followed,
        node: NodeId,
    ) -> sql::Result<()> {
        let listed = tx.opt(
            "SELECT doc, terms FROM search_doc WHERE room_id = ?1 AND node_id = ?2",
            &[room.into(), node.into()],
            read_listed,
        )?;
        let looked = drive::look(tx, room, node)?;
        match (listed, looked) {
            (None, None) => {}
            (Some(listed), None) => self.take_out(room, &listed),
            (Some(listed), Some(looked)) if doc_at(looked.changed_ms) <= listed.doc => {
                self.change(room, &listed, &terms_of_node(&looked));
            }
            (listed, Some(looked)) => {
                // New content makes it newer.
                if let Some(listed) = listed {
                    self.take_out(room, &listed);
                }
                at.node_doc = (at.node_doc + 2).max(doc_at(looked.changed_ms) | 1);
                let terms = terms_of_node(&looked);
                self.put_in(room, at.node_doc, Key::Node(node), &terms);
            }
        }
        Ok(())
    }

    fn put_in(&mut self, room: RoomId, doc: u64, key: Key, terms: &BTreeSet<String>) {
        for term in terms {
            self.edit_of(room, term).added.push(doc);
        }
        self.row_count += 1;
        let terms = join(terms);
        self.changes.push(Change::Insert {
            room,
            doc,
            key,
            terms,
        });
    }

    fn take_out(&mut self, room: RoomId, listed: &Listed) {
        for term in listed.terms.lines() {
            self.edit_of(room, term).removed.push(listed.doc);
        }
        self.row_count += 1;
        let doc = listed.doc;
        self.changes.push(Change::Delete { room, doc });
    }

    fn change(&mut self, room: RoomId, listed: &Listed, terms: &BTreeSet<String>) {
        let joined = join(terms);
        if joined == listed.terms {
            return;
        }
        let before: BTreeSet<&str> = listed.terms.lines().collect();
        for term in terms.iter().filter(|term| !before.contains(term.as_str())) {
            self.edit_of(room, term).added.push(listed.doc);
        }
        for term in before.into_iter().filter(|term| !terms.contains(*term)) {
            self.edit_of(room, term).removed.push(listed.doc);
        }
        self.row_count += 1;
        self.changes.push(Change::Update {
            room,
            doc: listed.doc,
            terms: joined,
        });
    }

    /// What changes for a term. Each is a row, or a few.
    fn edit_of(&mut self, room: RoomId, term: &str) -> &mut Edit {
        let edits = self.edits.entry(room).or_default();
        if !edits.contains_key(term) {
            self.row_count += 1;
        }
        edits.entry(term.to_owned()).or_default()
    }
}

fn target_of(entry: &Entry) -> Option<u64> {
    entry.body.as_ref().and_then(Body::target)
}

fn read_listed(row: &sql::Row<'_>) -> sql::Result<Listed> {
    Ok(Listed {
        doc: row.uint(0)?,
        terms: row.text(1)?.to_owned(),
    })
}

fn join(terms: &BTreeSet<String>) -> String {
    let mut joined = String::with_capacity(terms.iter().map(|term| term.len() + 1).sum());
    for term in terms {
        joined.push_str(term);
        joined.push('\n');
    }
    joined
}
