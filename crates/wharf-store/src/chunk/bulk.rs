//! Many chunks in one statement: on PostgreSQL each statement is a round trip.
//!
//! Every statement has a fixed number of places, so that there is one to prepare. Fewer values are padded with the last one,
//! which all of these statements take as if it were there once; with very few, one row at a time is cheaper.

use std::sync::LazyLock;

use wharf_types::{ChunkHash, SegmentId};
use wharf_wire::segment::IndexEntry;

use super::Scope;
use super::rows::{CHUNK_COLUMNS, Chunk};
use crate::sql::{Result, Tx, Value};

/// Chunks in one statement.
pub(super) const MANY: usize = 64;
/// Fewer than this are better handled one by one.
pub(super) const MANY_MIN: usize = 16;

/// Calls `take` with the row of each of `hashes`, [`MANY`] at most, that has one; in no order.
pub(super) fn find(
    tx: &mut Tx<'_>,
    hashes: &[ChunkHash],
    mut take: impl FnMut(Chunk),
) -> Result<()> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        format!(
            "SELECT {CHUNK_COLUMNS} FROM chunk WHERE hash IN ({})",
            markers(1)
        )
    });
    tx.each(&SQL, &places(hashes), |row| {
        Chunk::from_row(row).map(&mut take)
    })
}

/// Calls `take` with each of `hashes`, [`MANY`] at most, that `scope` got in reach of after somebody else uploaded it.
pub(super) fn find_in_reach(
    tx: &mut Tx<'_>,
    scope: Scope,
    hashes: &[ChunkHash],
    mut take: impl FnMut(ChunkHash),
) -> Result<()> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        format!(
            "SELECT hash FROM reach WHERE scope_id = ?1 AND hash IN ({})",
            markers(2)
        )
    });
    tx.each(&SQL, &after([scope.as_bytes().into()], hashes), |row| {
        row.id(0).map(&mut take)
    })
}

/// Adds chunks of a segment, [`MANY`] at most, and returns those that were not there yet, in no order.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    segment: SegmentId,
    entries: &[IndexEntry],
    scope: Scope,
    now_ms: i64,
) -> Result<Vec<ChunkHash>> {
    const FIXED: usize = 3;
    const EACH: usize = 5;
    static SQL: LazyLock<String> = LazyLock::new(|| {
        let row = |index: usize| {
            let [hash, offset, stored, bytes, codec] =
                std::array::from_fn(|place| FIXED + index * EACH + place + 1);
            format!("(?{hash}, ?1, ?{offset}, ?{stored}, ?{bytes}, ?{codec}, ?2, 0, ?3)")
        };
        let rows: Vec<String> = (0..MANY).map(row).collect();
        let rows = rows.join(", ");
        format!(
            "INSERT INTO chunk ({CHUNK_COLUMNS}) VALUES {rows} ON CONFLICT (hash) DO NOTHING RETURNING hash"
        )
    });
    let mut args: Vec<Value<'_>> = Vec::with_capacity(FIXED + MANY * EACH);
    args.extend::<[_; FIXED]>([segment.into(), scope.as_bytes().into(), Value::Int(now_ms)]);
    for entry in padded(entries) {
        args.extend([
            Value::from(&entry.hash),
            entry.offset.into(),
            entry.stored_bytes.into(),
            entry.bytes.into(),
            (entry.codec as u8).into(),
        ]);
    }
    tx.all(&SQL, &args, |row| row.id(0))
}

/// Counts a mention more of each of `hashes`, [`MANY`] at most and none twice, that `scope` was the first to upload. Returns
/// those and their lengths, in no order.
pub(super) fn add_mention(
    tx: &mut Tx<'_>,
    scope: Scope,
    hashes: &[ChunkHash],
) -> Result<Vec<(ChunkHash, u32)>> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        format!(
            "UPDATE chunk SET ref_count = ref_count + 1 WHERE scope_id = ?1 AND hash IN ({}) RETURNING hash, bytes",
            markers(2)
        )
    });
    tx.all(&SQL, &after([scope.as_bytes().into()], hashes), |row| {
        // A length that does not fit is no chunk's, and so matches none that is asked for.
        Ok((row.id(0)?, u32::try_from(row.uint(1)?).unwrap_or(u32::MAX)))
    })
}

/// Takes back a mention of each of `hashes`, [`MANY`] at most and none twice.
pub(super) fn take_mention(tx: &mut Tx<'_>, hashes: &[ChunkHash], now_ms: i64) -> Result<()> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        format!(
            "UPDATE chunk SET ref_count = CASE WHEN ref_count > 1 THEN ref_count - 1 ELSE 0 END, touched_ms = ?1 \
             WHERE hash IN ({})",
            markers(2)
        )
    });
    tx.exec(&SQL, &after([now_ms.into()], hashes))?;
    Ok(())
}

/// Lets `scope` know of chunks, [`MANY`] at most.
pub(super) fn insert_reach(tx: &mut Tx<'_>, scope: Scope, hashes: &[ChunkHash]) -> Result<()> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        let rows: Vec<String> = (2..MANY + 2)
            .map(|place| format!("(?{place}, ?1)"))
            .collect();
        let rows = rows.join(", ");
        format!(
            "INSERT INTO reach (hash, scope_id) VALUES {rows} ON CONFLICT (hash, scope_id) DO NOTHING"
        )
    });
    tx.exec(&SQL, &after([scope.as_bytes().into()], hashes))?;
    Ok(())
}

/// The places of [`MANY`] values, of which the first has this number.
fn markers(first: usize) -> String {
    let markers: Vec<String> = (first..first + MANY)
        .map(|place| format!("?{place}"))
        .collect();
    markers.join(",")
}

fn padded<T>(values: &[T]) -> impl Iterator<Item = &T> {
    values
        .iter()
        .chain(values.last().into_iter().cycle())
        .take(MANY)
}

fn places(hashes: &[ChunkHash]) -> Vec<Value<'_>> {
    padded(hashes).map(Value::from).collect()
}

fn after<'a, const N: usize>(first: [Value<'a>; N], hashes: &'a [ChunkHash]) -> Vec<Value<'a>> {
    first
        .into_iter()
        .chain(padded(hashes).map(Value::from))
        .collect()
}
