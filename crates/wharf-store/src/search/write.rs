//! Changing the index: documents added to terms and taken out of them, many in one transaction.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use wharf_types::RoomId;

use super::postings::{pack, packed_bytes, unpack};
use super::{BLOCK_BYTES_MAX, OPEN};
use crate::sql::{Result, Tx, Value};

/// What changes for one term.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Edit {
    /// Documents that have it from now on; one that had it already changes nothing.
    pub added: Vec<u64>,
    /// Documents that have it no longer; one that had it not changes nothing.
    pub removed: Vec<u64>,
}

/// What changes, by room and term. A document is not both added and removed.
pub type Edits = BTreeMap<RoomId, BTreeMap<String, Edit>>;

/// Rows in one statement, and terms in one question.
const MANY: usize = 32;

/// What edits make of the blocks that they change. Made by reading alone, so that whoever writes it holds others up for no
/// longer than the rows take.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Changes {
    /// Blocks as they are to stand, each once.
    put: Vec<Block>,
    /// Blocks that hold nothing any more; the open one of a term is the last of its term.
    emptied: Vec<Place>,
}

/// Where a block is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    room: RoomId,
    term: String,
    number: u64,
}

/// A block as it is to stand in its row.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Block {
    place: Place,
    doc_count: u64,
    packed: Vec<u8>,
}

impl Changes {
    /// Works out what edits make of the blocks that there are. It holds for as long as nobody changes these rooms' indexes.
    pub fn plan(tx: &mut Tx<'_>, edits: &Edits) -> Result<Self> {
        let mut changes = Self::default();
        for (room, terms) in edits {
            let terms: Vec<(&String, &Edit)> = terms.iter().collect();
            for terms in terms.chunks(MANY) {
                let mut open = open_blocks(tx, *room, terms)?;
                for (term, edit) in terms {
                    let open = open.remove(term.as_str());
                    TermBlocks::new(*room, term).edit(tx, edit, open.as_deref(), &mut changes)?;
                }
            }
        }
        Ok(changes)
    }

    /// Writes what was planned. Whoever calls it excludes others from these rooms' indexes, and knows that they are as they
    /// were.
    pub fn write(&self, tx: &mut Tx<'_>) -> Result<()> {
        let (many, rest) = self.put.as_chunks::<MANY>();
        for blocks in many {
            write(tx, blocks, insert_many())?;
        }
        for block in rest {
            write(tx, std::slice::from_ref(block), insert_one())?;
        }
        for place in &self.emptied {
            remove_empty(tx, place)?;
        }
        Ok(())
    }
}

/// Forgets a room's index, or all of it.
pub fn clear(tx: &mut Tx<'_>, room: Option<RoomId>) -> Result<()> {
    if let Some(room) = room {
        let room = [room.into()];
        tx.exec("DELETE FROM search_block WHERE room_id = ?1", &room)?;
        tx.exec("DELETE FROM search_doc WHERE room_id = ?1", &room)?;
        tx.exec("DELETE FROM search_room WHERE room_id = ?1", &room)?;
    } else {
        tx.exec("DELETE FROM search_block", &[])?;
        tx.exec("DELETE FROM search_doc", &[])?;
        tx.exec("DELETE FROM search_room", &[])?;
    }
    Ok(())
}

/// The open blocks of those terms that have one.
fn open_blocks(
    tx: &mut Tx<'_>,
    room: RoomId,
    terms: &[(&String, &Edit)],
) -> Result<BTreeMap<String, Vec<u64>>> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        let markers: Vec<String> = (3..MANY + 3).map(|marker| format!("?{marker}")).collect();
        format!(
            "SELECT term, docs FROM search_block WHERE room_id = ?1 AND block = ?2 AND term IN ({})",
            markers.join(", ")
        )
    });
    // No term is empty, so a list that is not full finds nothing with its rest.
    let mut args = [Value::Text(""); MANY + 2];
    let fixed = [room.into(), OPEN.into()];
    let values = terms.iter().map(|(term, _)| Value::from(*term));
    for (arg, value) in args.iter_mut().zip(fixed.into_iter().chain(values)) {
        *arg = value;
    }
    let mut open = BTreeMap::new();
    tx.each(&SQL, &args, |row| {
        open.insert(row.text(0)?.to_owned(), unpack(row.bytes(1)?)?);
        Ok(())
    })?;
    Ok(open)
}

/// The blocks of one term, with what is to become of them.
struct TermBlocks<'t> {
    room: RoomId,
    term: &'t str,
    /// Those that change, as they are to be; an empty one is to go.
    changed: BTreeMap<u64, Vec<u64>>,
}

impl<'t> TermBlocks<'t> {
    const fn new(room: RoomId, term: &'t str) -> Self {
        Self {
            room,
            term,
            changed: BTreeMap::new(),
        }
    }

    fn edit(
        mut self,
        tx: &mut Tx<'_>,
        edit: &Edit,
        open: Option<&[u64]>,
        changes: &mut Changes,
    ) -> Result<()> {
        // Most of what is written is new, and belongs at the end. The open block is there as long as the term is, so without
        // one there is nothing to be removed.
        let is_late = |doc: &u64| match open {
            Some(open) => open.first().is_some_and(|begin| doc >= begin),
            None => true,
        };
        if edit.added.iter().all(is_late) && edit.removed.iter().all(is_late) {
            let docs = merged(open.unwrap_or_default(), &edit.added, &edit.removed);
            self.put(OPEN, &docs);
        } else {
            for doc in &edit.removed {
                self.change_block_of(tx, *doc, |docs| merged(docs, &[], &[*doc]))?;
            }
            for doc in &edit.added {
                self.change_block_of(tx, *doc, |docs| merged(docs, &[*doc], &[]))?;
            }
        }
        self.into_changes(changes);
        Ok(())
    }

    /// Changes the block that holds `doc`, or would.
    fn change_block_of(
        &mut self,
        tx: &mut Tx<'_>,
        doc: u64,
        change: impl FnOnce(&[u64]) -> Vec<u64>,
    ) -> Result<()> {
        let stored = self.stored_block_of(tx, doc)?;
        let is_there = |(_, docs): &(&u64, &Vec<u64>)| !docs.is_empty();
        let planned = self.changed.range(doc..).find(is_there);
        let (number, docs) = match (stored, planned) {
            (Some((number, docs)), Some((planned, _))) if number < *planned => (number, docs),
            (_, Some((number, docs))) => (*number, docs.clone()),
            (Some(stored), None) => stored,
            (None, None) => (OPEN, Vec::new()),
        };
        self.put(number, &change(&docs));
        Ok(())
    }

    /// The stored block that holds `doc`, or would, among those that do not change.
    fn stored_block_of(&self, tx: &mut Tx<'_>, doc: u64) -> Result<Option<(u64, Vec<u64>)>> {
        let mut from = doc;
        loop {
            let found = tx.opt(
                "SELECT block, docs FROM search_block WHERE room_id = ?1 AND term = ?2 AND block >= ?3 ORDER BY block LIMIT 1",
                &[self.room.into(), self.term.into(), from.into()],
                |row| Ok((row.uint(0)?, unpack(row.bytes(1)?)?)),
            )?;
            match found {
                Some((number, _)) if self.changed.contains_key(&number) && number < OPEN => {
                    from = number + 1;
                }
                Some((number, _)) if self.changed.contains_key(&number) => return Ok(None),
                found => return Ok(found),
            }
        }
    }

    /// Takes what a block is to hold, as several blocks if it has grown too large.
    fn put(&mut self, number: u64, docs: &[u64]) {
        if docs.is_empty() {
            self.changed.insert(number, Vec::new());
            return;
        }
        let mut rest = docs;
        while let Some((piece, after)) = first_piece(rest) {
            let is_last = after.is_empty();
            let number = match piece.last() {
                Some(last) if !is_last => *last,
                _ => number,
            };
            self.changed.insert(number, piece.to_vec());
            rest = after;
        }
    }

    fn into_changes(self, changes: &mut Changes) {
        for (number, docs) in self.changed {
            let place = Place {
                room: self.room,
                term: self.term.to_owned(),
                number,
            };
            if docs.is_empty() {
                changes.emptied.push(place);
            } else {
                changes.put.push(Block {
                    place,
                    doc_count: docs.len() as u64,
                    packed: pack(&docs),
                });
            }
        }
    }
}

const INSERT: &str = "INSERT INTO search_block (room_id, term, block, doc_count, docs) VALUES ";
const REPLACE: &str = " ON CONFLICT (room_id, term, block) DO UPDATE SET doc_count = excluded.doc_count, docs = excluded.docs";

fn insert_one() -> &'static str {
    static SQL: LazyLock<String> =
        LazyLock::new(|| format!("{INSERT}(?1, ?2, ?3, ?4, ?5){REPLACE}"));
    &SQL
}

fn insert_many() -> &'static str {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        let row = |row: usize| {
            let [room, term, block, count, docs] =
                std::array::from_fn(|column| row * 5 + column + 1);
            format!("(?{room}, ?{term}, ?{block}, ?{count}, ?{docs})")
        };
        let rows: Vec<String> = (0..MANY).map(row).collect();
        format!("{INSERT}{}{REPLACE}", rows.join(", "))
    });
    &SQL
}

fn write(tx: &mut Tx<'_>, blocks: &[Block], sql: &'static str) -> Result<()> {
    let mut args = Vec::with_capacity(blocks.len() * 5);
    for block in blocks {
        args.extend::<[Value<'_>; 5]>([
            block.place.room.into(),
            (&block.place.term).into(),
            block.place.number.into(),
            block.doc_count.into(),
            (&block.packed).into(),
        ]);
    }
    tx.exec(sql, &args)?;
    Ok(())
}

/// Takes away a block that holds nothing any more. The open one stays, empty, while there are others.
fn remove_empty(tx: &mut Tx<'_>, place: &Place) -> Result<()> {
    let (room, term) = (place.room, &place.term);
    let key = [room.into(), term.into(), place.number.into()];
    if place.number < OPEN {
        tx.exec(
            "DELETE FROM search_block WHERE room_id = ?1 AND term = ?2 AND block = ?3",
            &key,
        )?;
        // An open block that stayed for this one alone goes with it.
        tx.exec(
            "DELETE FROM search_block WHERE room_id = ?1 AND term = ?2 AND block = ?3 AND doc_count = 0 AND NOT EXISTS \
             (SELECT 1 FROM search_block o WHERE o.room_id = ?1 AND o.term = ?2 AND o.block < ?3)",
            &[room.into(), term.into(), OPEN.into()],
        )?;
        return Ok(());
    }
    let deleted = tx.exec(
        "DELETE FROM search_block WHERE room_id = ?1 AND term = ?2 AND block = ?3 AND NOT EXISTS \
         (SELECT 1 FROM search_block o WHERE o.room_id = ?1 AND o.term = ?2 AND o.block < ?3)",
        &key,
    )?;
    if deleted == 0 {
        tx.exec(
            "UPDATE search_block SET doc_count = 0, docs = ?4 WHERE room_id = ?1 AND term = ?2 AND block = ?3",
            &[room.into(), term.into(), OPEN.into(), [].as_slice().into()],
        )?;
    }
    Ok(())
}

/// The documents with some more and without some, ascending.
fn merged(docs: &[u64], added: &[u64], removed: &[u64]) -> Vec<u64> {
    let mut merged: Vec<u64> = docs
        .iter()
        .filter(|doc| !removed.contains(doc))
        .chain(added)
        .copied()
        .collect();
    merged.sort_unstable();
    merged.dedup();
    merged
}

/// As many of the first documents as fit one block, and the rest.
fn first_piece(docs: &[u64]) -> Option<(&[u64], &[u64])> {
    let (mut bytes, mut before) = (0, 0);
    let fitting = docs.iter().take_while(|doc| {
        bytes += packed_bytes(doc.wrapping_sub(before));
        before = **doc;
        bytes <= BLOCK_BYTES_MAX
    });
    let count = fitting.count();
    if count == 0 {
        return None;
    }
    docs.split_at_checked(count)
}
