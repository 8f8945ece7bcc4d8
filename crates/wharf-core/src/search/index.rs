//! Following the logs and drives: what changed since the last time is listed under its terms.
//!
//! Each room is followed by itself, from the positions in its row of `search_room`. The row is locked first, so two who
//! follow the same room do it one after the other; the log and the drive are not locked, so nobody who writes waits.
//! What is indexed of an entry or node is its present state, whatever the history in between, so doing a stretch again
//! changes nothing.
//!
//! A document's number is its time in milliseconds, times 128, and odd for a node. Numbers of one kind never go back in a
//! room, so they are in the order of the log even where the clock was set back.

use std::collections::{BTreeMap, BTreeSet};

use wharf_store::search::{Edit, Edits, apply};
use wharf_store::sql::{self, Tx};
use wharf_types::api::log::{Body, Entry};
use wharf_types::{NodeId, RoomId};

use super::terms::{terms_of_entry, terms_of_node};
use crate::drive;
use crate::log;

/// Changes of a room that are looked at in one transaction, and documents that are taken out of the index.
const CHANGES_MAX: u32 = 200;
/// Bytes of terms after which a transaction ends: on SQLite all other writers wait for it.
const TERMS_BYTES_MAX: usize = 64 * 1024;
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
#[derive(Debug, Clone, Copy)]
struct Followed {
    log_position: u64,
    drive_position: u64,
    floor_position: u64,
    entry_doc: u64,
    node_doc: u64,
}

/// How far there is to go.
#[derive(Debug, Clone, Copy)]
struct Heads {
    log: u64,
    drive: u64,
    floor: u64,
}

/// What a document is listed under now, and was before.
struct Listed {
    doc: u64,
    terms: String,
}

/// One transaction's work.
#[derive(Default)]
struct Pass {
    edits: Edits,
    bytes: usize,
}

/// The rooms whose index is behind, `limit` at most past `after`, in the order of their ids.
pub(super) fn behind(
    tx: &mut Tx<'_>,
    after: Option<RoomId>,
    limit: u32,
) -> sql::Result<Vec<RoomId>> {
    let after = after.unwrap_or(RoomId::from_bytes([0; 16]));
    tx.all(
        "SELECT l.room_id FROM log l JOIN room r ON r.id = l.room_id LEFT JOIN search_room s ON s.room_id = l.room_id \
         WHERE l.room_id > ?1 AND (l.head > COALESCE(s.log_position, 0) OR r.drive_head > COALESCE(s.drive_position, 0) \
         OR l.floor_position > COALESCE(s.floor_position, 0)) ORDER BY l.room_id LIMIT ?2",
        &[after.into(), limit.into()],
        |row| row.id(0),
    )
}

/// Follows some rooms for one bounded step and returns those that there is more to do in. Rooms in the order of their ids.
pub(super) fn follow(tx: &mut Tx<'_>, rooms: &[RoomId]) -> sql::Result<Vec<RoomId>> {
    let mut pass = Pass::default();
    let mut more = Vec::new();
    for room in rooms {
        if pass.is_full() || pass.follow_room(tx, *room)? {
            more.push(*room);
        }
    }
    apply(tx, &pass.edits)?;
    Ok(more)
}

impl Pass {
    fn is_full(&self) -> bool {
        self.bytes >= TERMS_BYTES_MAX
    }

    /// Follows one room for a step and says whether there is more to do in it.
    fn follow_room(&mut self, tx: &mut Tx<'_>, room: RoomId) -> sql::Result<bool> {
        let mut at = lock(tx, room)?;
        let Some(heads) = heads(tx, room)? else {
            return Ok(false);
        };
        let is_swept = self.sweep_floor(tx, room, &mut at, heads.floor)?;
        if is_swept && !self.is_full() {
            self.follow_log(tx, room, &mut at, heads)?;
        }
        if is_swept && !self.is_full() {
            self.follow_drive(tx, room, &mut at, heads)?;
        }
        tx.exec(
            "UPDATE search_room SET log_position = ?2, drive_position = ?3, floor_position = ?4, entry_doc = ?5, \
             node_doc = ?6 WHERE room_id = ?1",
            &[
                room.into(),
                at.log_position.into(),
                at.drive_position.into(),
                at.floor_position.into(),
                at.entry_doc.into(),
                at.node_doc.into(),
            ],
        )?;
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
            "SELECT doc, terms FROM search_doc WHERE room_id = ?1 AND position <= ?2 ORDER BY position LIMIT ?3",
            &[room.into(), floor.into(), CHANGES_MAX.into()],
            read_listed,
        )?;
        let is_all = gone.len() < CHANGES_MAX as usize;
        for listed in gone {
            self.take_out(tx, room, &listed)?;
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
                        self.put_in(tx, room, at.entry_doc, key, &terms)?;
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
            Some(terms) => self.change(tx, room, &listed, &terms),
            None => self.take_out(tx, room, &listed),
        }
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
            (None, None) => Ok(()),
            (Some(listed), None) => self.take_out(tx, room, &listed),
            (Some(listed), Some(looked)) if doc_at(looked.changed_ms) <= listed.doc => {
                self.change(tx, room, &listed, &terms_of_node(&looked))
            }
            (listed, Some(looked)) => {
                // New content makes it newer.
                if let Some(listed) = listed {
                    self.take_out(tx, room, &listed)?;
                }
                at.node_doc = (at.node_doc + 2).max(doc_at(looked.changed_ms) | 1);
                let terms = terms_of_node(&looked);
                self.put_in(tx, room, at.node_doc, Key::Node(node), &terms)
            }
        }
    }

    fn put_in(
        &mut self,
        tx: &mut Tx<'_>,
        room: RoomId,
        doc: u64,
        key: Key,
        terms: &BTreeSet<String>,
    ) -> sql::Result<()> {
        let joined = join(terms);
        self.bytes += joined.len();
        let (position, node) = match key {
            Key::Entry(position) => (Some(position), None),
            Key::Node(node) => (None, Some(node)),
        };
        tx.exec(
            "INSERT INTO search_doc (room_id, doc, position, node_id, terms) VALUES (?1, ?2, ?3, ?4, ?5)",
            &[room.into(), doc.into(), position.into(), node.into(), (&joined).into()],
        )?;
        let edits = self.edits.entry(room).or_default();
        for term in terms {
            edit_of(edits, term).added.push(doc);
        }
        Ok(())
    }

    fn take_out(&mut self, tx: &mut Tx<'_>, room: RoomId, listed: &Listed) -> sql::Result<()> {
        self.bytes += listed.terms.len();
        tx.exec(
            "DELETE FROM search_doc WHERE room_id = ?1 AND doc = ?2",
            &[room.into(), listed.doc.into()],
        )?;
        let edits = self.edits.entry(room).or_default();
        for term in listed.terms.lines() {
            edit_of(edits, term).removed.push(listed.doc);
        }
        Ok(())
    }

    fn change(
        &mut self,
        tx: &mut Tx<'_>,
        room: RoomId,
        listed: &Listed,
        terms: &BTreeSet<String>,
    ) -> sql::Result<()> {
        let joined = join(terms);
        if joined == listed.terms {
            return Ok(());
        }
        self.bytes += joined.len() + listed.terms.len();
        tx.exec(
            "UPDATE search_doc SET terms = ?3 WHERE room_id = ?1 AND doc = ?2",
            &[room.into(), listed.doc.into(), (&joined).into()],
        )?;
        let before: BTreeSet<&str> = listed.terms.lines().collect();
        let edits = self.edits.entry(room).or_default();
        for term in terms.iter().filter(|term| !before.contains(term.as_str())) {
            edit_of(edits, term).added.push(listed.doc);
        }
        for term in before.into_iter().filter(|term| !terms.contains(*term)) {
            edit_of(edits, term).removed.push(listed.doc);
        }
        Ok(())
    }
}

/// What a document stands for.
#[derive(Debug, Clone, Copy)]
enum Key {
    Entry(u64),
    Node(NodeId),
}

fn edit_of<'e>(edits: &'e mut BTreeMap<String, Edit>, term: &str) -> &'e mut Edit {
    edits.entry(term.to_owned()).or_default()
}

/// Keeps others from following this room, and reads how far it is.
fn lock(tx: &mut Tx<'_>, room: RoomId) -> sql::Result<Followed> {
    tx.one(
        "INSERT INTO search_room (room_id, log_position, drive_position, floor_position, entry_doc, node_doc) \
         VALUES (?1, 0, 0, 0, 0, 1) \
         ON CONFLICT (room_id) DO UPDATE SET log_position = search_room.log_position \
         RETURNING log_position, drive_position, floor_position, entry_doc, node_doc",
        &[room.into()],
        |row| {
            Ok(Followed {
                log_position: row.uint(0)?,
                drive_position: row.uint(1)?,
                floor_position: row.uint(2)?,
                entry_doc: row.uint(3)?,
                node_doc: row.uint(4)?,
            })
        },
    )
}

fn heads(tx: &mut Tx<'_>, room: RoomId) -> sql::Result<Option<Heads>> {
    tx.opt(
        "SELECT l.head, r.drive_head, l.floor_position FROM log l JOIN room r ON r.id = l.room_id WHERE l.room_id = ?1",
        &[room.into()],
        |row| {
            Ok(Heads {
                log: row.uint(0)?,
                drive: row.uint(1)?,
                floor: row.uint(2)?,
            })
        },
    )
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
