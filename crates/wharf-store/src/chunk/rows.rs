//! The rows of chunks, segments and reach, and nothing else that is SQL.
//!
//! Many chunks are handled in the order of their hashes: on SQLite that walks the table's tree from left to right, and on
//! PostgreSQL transactions that meet on the same chunks take their locks in one order.

use wharf_types::{ChunkHash, SegmentId};
use wharf_wire::frame::Codec;
use wharf_wire::segment::IndexEntry;

use super::{Scope, bulk};
use crate::sql::{Error, Result, Row, Tx, Value};

macro_rules! chunk_columns {
    () => {
        "hash, segment_id, offset_bytes, stored_bytes, bytes, codec, scope_id, ref_count, touched_ms"
    };
}

/// The columns that [`Chunk`] is made of, in their order.
pub(super) const CHUNK_COLUMNS: &str = chunk_columns!();

/// A row of the chunk table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chunk {
    /// The segment it rests in.
    pub(super) segment: SegmentId,
    /// Where in the segment, and what.
    pub(super) entry: IndexEntry,
    pub(super) scope: Scope,
    pub(super) ref_count: u64,
    pub(super) touched_ms: i64,
}

/// A row of the segment table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) id: SegmentId,
    pub(super) bytes: u64,
    pub(super) retired_ms: Option<i64>,
}

impl Chunk {
    pub(super) fn from_row(row: &Row<'_>) -> Result<Self> {
        let codec = match row.int(5)? {
            0 => Codec::Raw,
            1 => Codec::Zstd,
            codec => return Err(Error::corrupt(format!("a chunk has the codec {codec}"))),
        };
        let small = |column| {
            u32::try_from(row.uint(column)?)
                .map_err(|_| Error::corrupt("a chunk's length is out of bounds"))
        };
        Ok(Self {
            segment: row.id(1)?,
            entry: IndexEntry {
                hash: row.id(0)?,
                offset: row.uint(2)?,
                stored_bytes: small(3)?,
                bytes: small(4)?,
                codec,
            },
            scope: Scope(row.id(6)?),
            ref_count: row.uint(7)?,
            touched_ms: row.int(8)?,
        })
    }

    /// Whether nothing mentions it and its grace period is over: compaction may drop it.
    pub(super) fn is_dead(&self, cutoff_ms: i64) -> bool {
        self.ref_count == 0 && self.touched_ms < cutoff_ms
    }
}

/// Calls `take` with the row of each of `hashes` that has one, in no order.
pub(super) fn find(
    tx: &mut Tx<'_>,
    hashes: &[ChunkHash],
    mut take: impl FnMut(Chunk),
) -> Result<()> {
    const ONE: &str = concat!("SELECT ", chunk_columns!(), " FROM chunk WHERE hash = ?1");
    for hashes in hashes.chunks(bulk::MANY) {
        if hashes.len() < bulk::MANY_MIN {
            for hash in hashes {
                tx.each(ONE, &[hash.into()], |row| {
                    Chunk::from_row(row).map(&mut take)
                })?;
            }
        } else {
            bulk::find(tx, hashes, &mut take)?;
        }
    }
    Ok(())
}

/// Calls `take` with each of `hashes` that `scope` got in reach of after somebody else uploaded it, in no order.
pub(super) fn find_in_reach(
    tx: &mut Tx<'_>,
    scope: Scope,
    hashes: &[ChunkHash],
    mut take: impl FnMut(ChunkHash),
) -> Result<()> {
    for hashes in hashes.chunks(bulk::MANY) {
        bulk::find_in_reach(tx, scope, hashes, &mut take)?;
    }
    Ok(())
}

/// A page of all chunks in the order of their hashes; shorter than `limit` only at the end.
pub(super) fn page(tx: &mut Tx<'_>, after: Option<ChunkHash>, limit: u32) -> Result<Vec<Chunk>> {
    const SQL: &str = concat!(
        "SELECT ",
        chunk_columns!(),
        " FROM chunk WHERE hash > ?1 ORDER BY hash LIMIT ?2"
    );
    let after: &[u8] = after.as_ref().map_or(&[], |hash| hash.as_bytes());
    tx.all(SQL, &[after.into(), limit.into()], Chunk::from_row)
}

/// Adds a chunk. Returns whether there was none of this name.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    segment: SegmentId,
    entry: &IndexEntry,
    scope: Scope,
    now_ms: i64,
) -> Result<bool> {
    let changed = tx.exec(
        "INSERT INTO chunk (hash, segment_id, offset_bytes, stored_bytes, bytes, codec, scope_id, ref_count, touched_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8) ON CONFLICT (hash) DO NOTHING",
        &[
            (&entry.hash).into(),
            segment.into(),
            entry.offset.into(),
            entry.stored_bytes.into(),
            entry.bytes.into(),
            (entry.codec as u8).into(),
            scope.as_bytes().into(),
            now_ms.into(),
        ],
    )?;
    Ok(changed == 1)
}

/// Starts a chunk's grace period anew and returns who uploaded it first, or nothing if it is not there.
pub(super) fn touch(tx: &mut Tx<'_>, hash: &ChunkHash, now_ms: i64) -> Result<Option<Scope>> {
    tx.opt(
        "UPDATE chunk SET touched_ms = ?2 WHERE hash = ?1 RETURNING scope_id",
        &[hash.into(), now_ms.into()],
        |row| row.id(0).map(Scope),
    )
}

/// Points a chunk at another copy of it. `from`, where given, is the segment it must still point at.
pub(super) fn repoint(
    tx: &mut Tx<'_>,
    from: Option<SegmentId>,
    to: SegmentId,
    entry: &IndexEntry,
) -> Result<bool> {
    let args = [
        (&entry.hash).into(),
        to.into(),
        entry.offset.into(),
        entry.stored_bytes.into(),
        (entry.codec as u8).into(),
    ];
    let changed = if let Some(from) = from {
        let [hash, to, offset, stored, codec] = args;
        tx.exec(
            "UPDATE chunk SET segment_id = ?2, offset_bytes = ?3, stored_bytes = ?4, codec = ?5 \
             WHERE hash = ?1 AND segment_id = ?6",
            &[hash, to, offset, stored, codec, from.into()],
        )
    } else {
        tx.exec(
            "UPDATE chunk SET segment_id = ?2, offset_bytes = ?3, stored_bytes = ?4, codec = ?5 WHERE hash = ?1",
            &args,
        )
    };
    Ok(changed? == 1)
}

/// Deletes a chunk and who may know of it, if it still rests in `segment` and is still dead.
pub(super) fn delete_dead(
    tx: &mut Tx<'_>,
    hash: &ChunkHash,
    segment: SegmentId,
    cutoff_ms: i64,
) -> Result<bool> {
    let changed = tx.exec(
        "DELETE FROM chunk WHERE hash = ?1 AND segment_id = ?2 AND ref_count = 0 AND touched_ms < ?3",
        &[hash.into(), segment.into(), cutoff_ms.into()],
    )?;
    if changed == 1 {
        tx.exec("DELETE FROM reach WHERE hash = ?1", &[hash.into()])?;
    }
    Ok(changed == 1)
}

/// Lets `scope` know of a chunk.
pub(super) fn insert_reach(tx: &mut Tx<'_>, scope: Scope, hash: &ChunkHash) -> Result<()> {
    tx.exec(
        "INSERT INTO reach (hash, scope_id) VALUES (?1, ?2) ON CONFLICT (hash, scope_id) DO NOTHING",
        &[hash.into(), scope.as_bytes().into()],
    )?;
    Ok(())
}

/// Counts `mentions` more of a chunk of that length, if `scope` may know of it. Returns whether it did.
pub(super) fn add_mentions(
    tx: &mut Tx<'_>,
    hash: &ChunkHash,
    bytes: u32,
    scope: Scope,
    mentions: u32,
) -> Result<bool> {
    let args = [
        hash.into(),
        bytes.into(),
        scope.as_bytes().into(),
        mentions.into(),
    ];
    // Nearly always the one who commits is the one who uploaded, so the look into reach is a second statement.
    let mut changed = tx.exec(
        "UPDATE chunk SET ref_count = ref_count + ?4 WHERE hash = ?1 AND bytes = ?2 AND scope_id = ?3",
        &args,
    )?;
    if changed == 0 {
        changed = tx.exec(
            "UPDATE chunk SET ref_count = ref_count + ?4 WHERE hash = ?1 AND bytes = ?2 \
             AND EXISTS (SELECT 1 FROM reach WHERE reach.hash = ?1 AND reach.scope_id = ?3)",
            &args,
        )?;
    }
    Ok(changed == 1)
}

/// Takes back `mentions` of a chunk and starts its grace period. A count never goes below zero.
pub(super) fn take_mentions(
    tx: &mut Tx<'_>,
    hash: &ChunkHash,
    mentions: u32,
    now_ms: i64,
) -> Result<()> {
    tx.exec(
        "UPDATE chunk SET ref_count = CASE WHEN ref_count > ?2 THEN ref_count - ?2 ELSE 0 END, touched_ms = ?3 \
         WHERE hash = ?1",
        &[hash.into(), mentions.into(), now_ms.into()],
    )?;
    Ok(())
}

/// Sets a count, if it is still the one that was seen.
pub(super) fn correct_mentions(
    tx: &mut Tx<'_>,
    hash: &ChunkHash,
    seen: u64,
    counted: u64,
    now_ms: i64,
) -> Result<bool> {
    let changed = tx.exec(
        "UPDATE chunk SET ref_count = ?3, touched_ms = ?4 WHERE hash = ?1 AND ref_count = ?2",
        &[hash.into(), seen.into(), counted.into(), now_ms.into()],
    )?;
    Ok(changed == 1)
}

/// Adds a segment, or takes it back from retirement if it was seen in the object store before its rows were written.
pub(super) fn insert_segment(
    tx: &mut Tx<'_>,
    id: SegmentId,
    bytes: u64,
    chunk_count: usize,
) -> Result<()> {
    tx.exec(
        "INSERT INTO segment (id, bytes, chunk_count, created_ms, retired_ms) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (id) DO UPDATE SET bytes = excluded.bytes, chunk_count = excluded.chunk_count, retired_ms = NULL",
        &[
            id.into(),
            bytes.into(),
            (chunk_count as u64).into(),
            super::segment::made_ms(id).into(),
            Value::NullInt,
        ],
    )?;
    Ok(())
}

/// Adds an object that no row names as a segment that is retired already.
pub(super) fn adopt_segment(tx: &mut Tx<'_>, id: SegmentId, bytes: u64, now_ms: i64) -> Result<()> {
    tx.exec(
        "INSERT INTO segment (id, bytes, chunk_count, created_ms, retired_ms) VALUES (?1, ?2, 0, ?3, ?4) \
         ON CONFLICT (id) DO NOTHING",
        &[id.into(), bytes.into(), super::segment::made_ms(id).into(), now_ms.into()],
    )?;
    Ok(())
}

/// Retires a segment that no chunk points at any more.
pub(super) fn retire_segment(tx: &mut Tx<'_>, id: SegmentId, now_ms: i64) -> Result<()> {
    tx.exec(
        "UPDATE segment SET retired_ms = ?2 WHERE id = ?1 AND retired_ms IS NULL",
        &[id.into(), now_ms.into()],
    )?;
    Ok(())
}

/// Takes a segment back from retirement.
pub(super) fn restore_segment(tx: &mut Tx<'_>, id: SegmentId) -> Result<()> {
    tx.exec(
        "UPDATE segment SET retired_ms = NULL WHERE id = ?1",
        &[id.into()],
    )?;
    Ok(())
}

/// Deletes the row of a segment that was retired before `cutoff_ms`. Returns whether it was.
pub(super) fn delete_retired(tx: &mut Tx<'_>, id: SegmentId, cutoff_ms: i64) -> Result<bool> {
    let changed = tx.exec(
        "DELETE FROM segment WHERE id = ?1 AND retired_ms < ?2",
        &[id.into(), cutoff_ms.into()],
    )?;
    Ok(changed == 1)
}

/// A page of all segments in the order of their ids; shorter than `limit` only at the end.
pub(super) fn segment_page(
    tx: &mut Tx<'_>,
    after: Option<SegmentId>,
    limit: u32,
) -> Result<Vec<Segment>> {
    let after: &[u8] = after.as_ref().map_or(&[], |id| id.as_bytes());
    tx.all(
        "SELECT id, bytes, retired_ms FROM segment WHERE id > ?1 ORDER BY id LIMIT ?2",
        &[after.into(), limit.into()],
        |row| {
            Ok(Segment {
                id: row.id(0)?,
                bytes: row.uint(1)?,
                retired_ms: row.opt_int(2)?,
            })
        },
    )
}
