//! How much the store holds.

use crate::sql::{self, Tx};

/// What rests in the object store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Totals {
    /// Segments, those included that wait to be deleted.
    pub segments_count: u64,
    /// Their bytes, as they are stored.
    pub segments_bytes: u64,
    /// Chunks in the segments that stay, those included that nothing mentions any more and compaction has not taken yet.
    pub chunks_count: u64,
}

/// Sums up the segments.
pub fn totals(tx: &mut Tx<'_>) -> sql::Result<Totals> {
    tx.one(
        "SELECT count(*), CAST(coalesce(sum(bytes), 0) AS BIGINT), \
         CAST(coalesce(sum(CASE WHEN retired_ms IS NULL THEN chunk_count ELSE 0 END), 0) AS BIGINT) FROM segment",
        &[],
        |row| {
            Ok(Totals {
                segments_count: row.uint(0)?,
                segments_bytes: row.uint(1)?,
                chunks_count: row.uint(2)?,
            })
        },
    )
}
