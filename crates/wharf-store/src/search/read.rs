//! Walking the documents of a term, from the newest to the oldest.

use wharf_types::RoomId;

use super::OPEN;
use super::postings::unpack;
use crate::sql::{Result, Tx};

/// How many blocks one search may still read.
#[derive(Debug, Clone, Copy)]
pub struct Reads {
    /// What is left.
    pub left: u32,
}

/// The documents of a term in a room, and a place among them.
#[derive(Debug, Clone)]
pub struct List {
    room: RoomId,
    term: String,
    /// The number of the block that is in memory.
    block: u64,
    docs: Vec<u64>,
    /// Whether there is no block before it.
    is_first: bool,
}

/// A term's list by itself; empty where there is none.
pub fn list(tx: &mut Tx<'_>, room: RoomId, term: &str) -> Result<List> {
    let docs = tx.opt(
        "SELECT docs FROM search_block WHERE room_id = ?1 AND term = ?2 AND block = ?3",
        &[room.into(), term.into(), OPEN.into()],
        |row| unpack(row.bytes(0)?),
    )?;
    let is_first = docs.is_none();
    Ok(List {
        room,
        term: term.to_owned(),
        block: OPEN,
        docs: docs.unwrap_or_default(),
        is_first,
    })
}

/// All documents of a term, ascending.
pub fn docs(tx: &mut Tx<'_>, room: RoomId, term: &str) -> Result<Vec<u64>> {
    let mut docs = Vec::new();
    tx.each(
        "SELECT docs FROM search_block WHERE room_id = ?1 AND term = ?2 ORDER BY block",
        &[room.into(), term.into()],
        |row| {
            docs.extend(unpack(row.bytes(0)?)?);
            Ok(())
        },
    )?;
    Ok(docs)
}

impl List {
    /// A list whose open block was read already, with those of others.
    ///
    /// # Errors
    /// `Corrupt` if the block is damaged.
    pub fn of_open_block(room: RoomId, term: &str, packed: &[u8]) -> Result<Self> {
        Ok(Self {
            room,
            term: term.to_owned(),
            block: OPEN,
            docs: unpack(packed)?,
            is_first: false,
        })
    }

    /// Whether there is no such term.
    pub fn is_empty(&self) -> bool {
        self.is_first && self.docs.is_empty()
    }

    /// The newest document that is not newer than `at_most`. Ask for ever older ones: what was passed is forgotten.
    ///
    /// Returns `None` at the end, and also when `reads` is used up.
    pub fn seek(
        &mut self,
        tx: &mut Tx<'_>,
        at_most: u64,
        reads: &mut Reads,
    ) -> Result<Option<u64>> {
        let at_most = at_most.min(OPEN);
        loop {
            let count = self.docs.partition_point(|doc| *doc <= at_most);
            self.docs.truncate(count);
            if let Some(last) = self.docs.last() {
                return Ok(Some(*last));
            }
            if self.is_first || !self.step(tx, at_most, reads)? {
                return Ok(None);
            }
        }
    }

    /// Goes to the block that may have `at_most`, or to the one before it, and says whether there was one.
    fn step(&mut self, tx: &mut Tx<'_>, at_most: u64, reads: &mut Reads) -> Result<bool> {
        if reads.left == 0 {
            return Ok(false);
        }
        reads.left -= 1;
        // The first block that may have it has a number of at_most or more. Where that one was read, or has none that old,
        // the newest block below at_most is next.
        let mut found = None;
        if at_most < self.block {
            found = self.read(
                tx,
                "SELECT block, docs FROM search_block WHERE room_id = ?1 AND term = ?2 AND block >= ?3 AND block < ?4 \
                 ORDER BY block LIMIT 1",
                at_most,
            )?;
        }
        if found
            .as_ref()
            .is_none_or(|(_, docs)| docs.first().is_none_or(|first| *first > at_most))
        {
            found = self.read(
                tx,
                "SELECT block, docs FROM search_block WHERE room_id = ?1 AND term = ?2 AND block <= ?3 AND block < ?4 \
                 ORDER BY block DESC LIMIT 1",
                at_most,
            )?;
        }
        let Some((block, docs)) = found else {
            self.is_first = true;
            return Ok(false);
        };
        (self.block, self.docs) = (block, docs);
        Ok(true)
    }

    fn read(
        &self,
        tx: &mut Tx<'_>,
        sql: &'static str,
        at_most: u64,
    ) -> Result<Option<(u64, Vec<u64>)>> {
        tx.opt(
            sql,
            &[
                self.room.into(),
                (&self.term).into(),
                at_most.into(),
                self.block.into(),
            ],
            |row| Ok((row.uint(0)?, unpack(row.bytes(1)?)?)),
        )
    }
}
