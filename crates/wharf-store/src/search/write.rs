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

/// A block as it stands, or is to stand, in its row.
struct Block {
    room: RoomId,
    number: u64,
    docs: Vec<u64>,
}

/// Rows in one statement, and terms in one question.
const MANY: usize = 32;

/// Applies edits. Whoever calls it excludes others from these rooms' indexes.
pub fn apply(tx: &mut Tx<'_>, edits: &Edits) -> Result<()> {
    let mut writer = Writer::default();
    for (room, terms) in edits {
        let terms: Vec<(&String, &Edit)> = terms.iter().collect();
        for terms in terms.chunks(MANY) {
            let mut open = open_blocks(tx, *room, terms)?;
            for (term, edit) in terms {
                let open = open.remove(term.as_str());
                writer.edit(tx, *room, term, edit, open)?;
            }
        }
    }
    writer.flush(tx)
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

/// Gathers rows to be written together.
#[derive(Default)]
struct Writer {
    pending: Vec<(Block, String)>,
}

impl Writer {
    fn edit(
        &mut self,
        tx: &mut Tx<'_>,
        room: RoomId,
        term: &str,
        edit: &Edit,
        open: Option<Vec<u64>>,
    ) -> Result<()> {
        let Some(open) = open else {
            // The open block is there as long as the term is, so nothing is to be removed.
            let docs = merged(&[], &edit.added, &[]);
            return self.put(tx, room, term, OPEN, &docs);
        };
        // Most of what is written is new, and belongs at the end.
        let begin = open.first().copied();
        let is_late = |doc: &u64| begin.is_some_and(|begin| *doc >= begin);
        if edit.added.iter().all(is_late) && edit.removed.iter().all(is_late) {
            let docs = merged(&open, &edit.added, &edit.removed);
            return self.put(tx, room, term, OPEN, &docs);
        }
        self.flush(tx)?;
        for doc in &edit.removed {
            self.change_block_of(tx, room, term, *doc, |docs| merged(docs, &[], &[*doc]))?;
        }
        for doc in &edit.added {
            self.change_block_of(tx, room, term, *doc, |docs| merged(docs, &[*doc], &[]))?;
        }
        Ok(())
    }

    /// Changes the block that holds `doc`, or would.
    fn change_block_of(
        &mut self,
        tx: &mut Tx<'_>,
        room: RoomId,
        term: &str,
        doc: u64,
        change: impl FnOnce(&[u64]) -> Vec<u64>,
    ) -> Result<()> {
        let found = tx.opt(
            "SELECT block, docs FROM search_block WHERE room_id = ?1 AND term = ?2 AND block >= ?3 ORDER BY block LIMIT 1",
            &[room.into(), term.into(), doc.into()],
            |row| Ok((row.uint(0)?, unpack(row.bytes(1)?)?)),
        )?;
        let (number, docs) = found.unwrap_or((OPEN, Vec::new()));
        self.put(tx, room, term, number, &change(&docs))?;
        self.flush(tx)
    }

    /// Writes what a block holds now, as several blocks if it has grown too large, or none if nothing is left.
    fn put(
        &mut self,
        tx: &mut Tx<'_>,
        room: RoomId,
        term: &str,
        number: u64,
        docs: &[u64],
    ) -> Result<()> {
        if docs.is_empty() {
            self.flush(tx)?;
            return remove_empty(tx, room, term, number);
        }
        let mut rest = docs;
        while let Some((piece, after)) = first_piece(rest) {
            let is_last = after.is_empty();
            let number = match piece.last() {
                Some(last) if !is_last => *last,
                _ => number,
            };
            let docs = piece.to_vec();
            let block = Block { room, number, docs };
            self.pending.push((block, term.to_owned()));
            rest = after;
        }
        if self.pending.len() >= MANY {
            self.flush(tx)?;
        }
        Ok(())
    }

    fn flush(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let (many, rest) = self.pending.as_chunks::<MANY>();
        for rows in many {
            write(tx, rows, insert_many())?;
        }
        for row in rest {
            write(tx, std::slice::from_ref(row), insert_one())?;
        }
        self.pending.clear();
        Ok(())
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

fn write(tx: &mut Tx<'_>, rows: &[(Block, String)], sql: &'static str) -> Result<()> {
    let packed: Vec<Vec<u8>> = rows.iter().map(|(block, _)| pack(&block.docs)).collect();
    let mut args = Vec::with_capacity(rows.len() * 5);
    for ((block, term), packed) in rows.iter().zip(&packed) {
        args.extend::<[Value<'_>; 5]>([
            block.room.into(),
            term.into(),
            block.number.into(),
            (block.docs.len() as u64).into(),
            packed.into(),
        ]);
    }
    tx.exec(sql, &args)?;
    Ok(())
}

/// Takes away a block that holds nothing any more. The open one stays, empty, while there are others.
fn remove_empty(tx: &mut Tx<'_>, room: RoomId, term: &str, number: u64) -> Result<()> {
    let key = [room.into(), term.into(), number.into()];
    if number < OPEN {
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
            &[room.into(), term.into(), number.into(), [].as_slice().into()],
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
