//! Compaction: giving back the room of chunks that nobody mentions any more.
//!
//! A plan looks at all rows and says which segments are worth rewriting: those that are mostly dead, and small ones in
//! company. A unit of it reads what lives in a few segments, verified, writes it as a new segment, moves the rows, deletes
//! the rows of what is dead, and retires a segment that no row points at any more. Its object goes a grace period later,
//! in [`sweep`](super::sweep).
//!
//! A crash leaves an object without rows, or rows that partly moved; both are whole, and the next plan goes on. A chunk
//! that cannot be read stays where it is, and its segment with it.

use std::collections::{HashMap, HashSet};

use wharf_types::{ChunkHash, SegmentId};
use wharf_wire::frame::{FRAME_HEADER_BYTES, Frame};
use wharf_wire::segment::INDEX_ENTRY_BYTES;

use super::rows::{self, Chunk};
use super::segment::{Index, Written};
use super::{ChunkStore, Error, Result, Shared};
use crate::sql::{self, Lock};

/// A segment whose live part is below this share of it, in percent, is rewritten.
const LIVE_PERCENT_MIN: u64 = 50;
/// Segments below this are merged.
const SMALL_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Small segments are merged this many at a time at least, so that a chunk is rarely rewritten.
const SMALL_COUNT_MIN: usize = 8;
/// A unit rewrites no more than this, unless one segment alone has more.
const UNIT_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// A segment is left alone for this long after it was made: the pass over the rows may have been too early for its own.
const SETTLED_MS: i64 = 3_600_000;
/// A unit reads no more indexes than this.
const UNIT_SEGMENTS_MAX: usize = 256;
/// Rows deleted in one transaction, for which other writers wait.
const ROWS_PER_WRITE: usize = 512;
/// Chunks that are copied to new segments together. The rows of one segment are changed in one transaction, at most so many;
/// with fewer, segments of small chunks would be small, and rewritten again and again.
const CHUNKS_PER_COPY: usize = 8 * 1024;

/// What compaction would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompactionPlan {
    /// Bounded pieces of work, independent of each other.
    pub units: Vec<CompactionUnit>,
    /// Size of all segments that are in use.
    pub bytes: u64,
    /// How much of it lives.
    pub live_bytes: u64,
}

/// Segments to be rewritten together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompactionUnit {
    /// The segments.
    pub segments: Vec<PlannedSegment>,
}

/// A segment and how much of it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedSegment {
    /// The segment.
    pub id: SegmentId,
    /// Its size.
    pub bytes: u64,
    /// How much of it a new segment would take up.
    pub live_bytes: u64,
}

/// What a unit did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Chunks that rest in a new segment.
    pub chunks_moved: u64,
    /// Chunks that were dead and are gone.
    pub chunks_dropped: u64,
    /// Chunks that cannot be read and stay where they are.
    pub chunks_damaged: u64,
    /// Segments that are retired.
    pub segments_retired: u64,
    /// Segments whose index is damaged or lost.
    pub segments_damaged: u64,
    /// Size of the new segments.
    pub bytes_written: u64,
}

impl CompactionUnit {
    /// How much it rewrites.
    pub fn live_bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.live_bytes).sum()
    }
}

impl ChunkStore {
    /// Says what compaction would do now.
    pub async fn plan_compaction(&self, now_ms: i64) -> Result<CompactionPlan> {
        let shared = &self.shared;
        let cutoff_ms = shared.cutoff_ms(now_ms);
        let mut live: HashMap<SegmentId, u64> = HashMap::new();
        shared
            .each_chunk(|chunk| {
                if !chunk.is_dead(cutoff_ms) {
                    *live.entry(chunk.segment).or_default() += resting_bytes(chunk);
                }
            })
            .await?;
        let mut segments = Vec::new();
        shared
            .each_segment(|segment| {
                let is_settled = super::segment::made_ms(segment.id) < now_ms - SETTLED_MS;
                if segment.retired_ms.is_none() && is_settled {
                    let live_bytes = live.get(&segment.id).copied().unwrap_or(0);
                    segments.push(PlannedSegment {
                        id: segment.id,
                        bytes: segment.bytes,
                        live_bytes,
                    });
                }
            })
            .await?;
        Ok(plan(segments))
    }

    /// Does one unit of a plan. What has changed since the plan was made is taken as it is now.
    pub async fn compact(&self, unit: &CompactionUnit, now_ms: i64) -> Result<Compacted> {
        let shared = &self.shared;
        let _alone = shared.maintenance.lock().await;
        let mut compacted = Compacted::default();
        let mut sources: Vec<(SegmentId, Vec<ChunkHash>)> = Vec::new();
        for segment in &unit.segments {
            let hashes = match shared.read_index(segment.id).await? {
                Index::Whole(entries) => entries.iter().map(|entry| entry.hash).collect(),
                Index::Damaged | Index::Lost => {
                    tracing::error!(segment = %segment.id, "the index of a segment is damaged or lost");
                    compacted.segments_damaged += 1;
                    let pointing = shared.pointing_at(segment.id).await?;
                    pointing.iter().map(|chunk| chunk.entry.hash).collect()
                }
            };
            sources.push((segment.id, hashes));
        }
        let resting = shared.resting_in(&sources).await?;
        let cutoff_ms = shared.cutoff_ms(now_ms);
        let (dead, live): (Vec<Chunk>, Vec<Chunk>) = resting
            .into_iter()
            .partition(|chunk| chunk.is_dead(cutoff_ms));
        shared.relocate(live, now_ms, &mut compacted).await?;
        compacted.chunks_dropped = shared.drop_dead(dead, cutoff_ms).await?;
        compacted.segments_retired = shared.retire_empty(sources, now_ms).await?;
        Ok(compacted)
    }
}

impl Shared {
    /// The rows that point at one of the segments, in the order they rest there.
    async fn resting_in(&self, sources: &[(SegmentId, Vec<ChunkHash>)]) -> Result<Vec<Chunk>> {
        let ids: HashSet<SegmentId> = sources.iter().map(|(id, _)| *id).collect();
        let hashes = sources
            .iter()
            .flat_map(|(_, hashes)| hashes)
            .copied()
            .collect();
        let mut chunks: Vec<Chunk> = self
            .locate(hashes)
            .await?
            .into_values()
            .filter(|chunk| ids.contains(&chunk.segment))
            .collect();
        chunks.sort_unstable_by_key(|chunk| (chunk.segment, chunk.entry.offset));
        Ok(chunks)
    }

    /// Copies chunks to new segments and points their rows there.
    async fn relocate(
        &self,
        live: Vec<Chunk>,
        now_ms: i64,
        compacted: &mut Compacted,
    ) -> Result<()> {
        for chunks in live.chunks(CHUNKS_PER_COPY) {
            let found: HashMap<ChunkHash, _> =
                self.fetch(chunks.to_vec()).await?.into_iter().collect();
            let frames: Vec<&Frame> = chunks
                .iter()
                .filter_map(|chunk| found.get(&chunk.entry.hash)?.as_ref().ok())
                .collect();
            compacted.chunks_damaged += (chunks.len() - frames.len()) as u64;
            if frames.is_empty() {
                continue;
            }
            let from: HashMap<ChunkHash, SegmentId> = chunks
                .iter()
                .map(|chunk| (chunk.entry.hash, chunk.segment))
                .collect();
            for segment in self.write_segments(&frames, now_ms).await? {
                compacted.bytes_written += segment.bytes;
                compacted.chunks_moved += self.move_rows(segment, from.clone()).await?;
            }
        }
        Ok(())
    }

    /// Points rows at a new segment, in the one transaction in which the segment gets its row: a segment never gains
    /// rows later.
    async fn move_rows(
        &self,
        segment: Written,
        from: HashMap<ChunkHash, SegmentId>,
    ) -> Result<u64> {
        let limit = self.put_limit();
        let work = move |tx: &mut sql::Tx<'_>| {
            rows::insert_segment(tx, segment.id, segment.bytes, segment.entries.len())?;
            if segment.started.elapsed() > limit {
                return Err(Error::Fault("writing a segment took too long".into()));
            }
            let mut entries: Vec<_> = segment.entries.iter().collect();
            entries.sort_unstable_by_key(|entry| entry.hash);
            let mut moved = 0;
            for entry in entries {
                let from = from.get(&entry.hash).copied();
                moved += u64::from(rows::repoint(tx, from, segment.id, entry)?);
            }
            Ok(moved)
        };
        self.db.write(Lock::None, work).await
    }

    async fn drop_dead(&self, mut dead: Vec<Chunk>, cutoff_ms: i64) -> Result<u64> {
        dead.sort_unstable_by_key(|chunk| chunk.entry.hash);
        let mut dropped = 0;
        for chunks in dead.chunks(ROWS_PER_WRITE) {
            let chunks = chunks.to_vec();
            let work = move |tx: &mut sql::Tx<'_>| {
                let mut dropped = 0;
                for chunk in &chunks {
                    let is_gone =
                        rows::delete_dead(tx, &chunk.entry.hash, chunk.segment, cutoff_ms)?;
                    dropped += u64::from(is_gone);
                }
                Ok::<u64, sql::Error>(dropped)
            };
            dropped += self.db.write(Lock::None, work).await?;
        }
        Ok(dropped)
    }

    /// Retires those of the segments that no row points at. It may look first and write later: no row comes to point at
    /// a segment after the transaction that made it.
    async fn retire_empty(
        &self,
        sources: Vec<(SegmentId, Vec<ChunkHash>)>,
        now_ms: i64,
    ) -> Result<u64> {
        let held: HashSet<SegmentId> = self
            .resting_in(&sources)
            .await?
            .into_iter()
            .map(|chunk| chunk.segment)
            .collect();
        let empty: Vec<SegmentId> = sources
            .into_iter()
            .map(|(id, _)| id)
            .filter(|id| !held.contains(id))
            .collect();
        let count = empty.len() as u64;
        if count > 0 {
            let work = move |tx: &mut sql::Tx<'_>| {
                empty
                    .iter()
                    .try_for_each(|&id| rows::retire_segment(tx, id, now_ms))
            };
            self.db.write(Lock::None, work).await?;
        }
        Ok(count)
    }
}

/// Chooses the segments worth rewriting and gathers them in units.
fn plan(segments: Vec<PlannedSegment>) -> CompactionPlan {
    let mut plan = CompactionPlan {
        units: Vec::new(),
        bytes: segments.iter().map(|segment| segment.bytes).sum(),
        live_bytes: segments.iter().map(|segment| segment.live_bytes).sum(),
    };
    let is_mostly_dead =
        |segment: &PlannedSegment| segment.live_bytes * 100 < segment.bytes * LIVE_PERCENT_MIN;
    let (dead, rest): (Vec<_>, Vec<_>) = segments.into_iter().partition(is_mostly_dead);
    plan.units.extend(units(dead));
    let small: Vec<_> = rest
        .into_iter()
        .filter(|segment| segment.bytes < SMALL_BYTES_MAX)
        .collect();
    plan.units.extend(
        units(small)
            .into_iter()
            .filter(|unit| unit.segments.len() >= SMALL_COUNT_MIN),
    );
    plan
}

/// Divides segments into units within their bounds, in order.
fn units(segments: Vec<PlannedSegment>) -> Vec<CompactionUnit> {
    let mut units: Vec<CompactionUnit> = Vec::new();
    for segment in segments {
        match units.last_mut() {
            Some(unit)
                if unit.live_bytes() + segment.live_bytes <= UNIT_BYTES_MAX
                    && unit.segments.len() < UNIT_SEGMENTS_MAX =>
            {
                unit.segments.push(segment);
            }
            Some(_) | None => units.push(CompactionUnit {
                segments: vec![segment],
            }),
        }
    }
    units
}

/// What a chunk takes up in a segment, with its header and its place in the index.
fn resting_bytes(chunk: &Chunk) -> u64 {
    u64::from(chunk.entry.stored_bytes) + (FRAME_HEADER_BYTES + INDEX_ENTRY_BYTES) as u64
}

#[cfg(test)]
mod tests {
    use wharf_types::SegmentId;

    use super::{PlannedSegment, plan};

    const MIB: u64 = 1024 * 1024;

    fn segment(id: u8, bytes: u64, live_bytes: u64) -> PlannedSegment {
        PlannedSegment {
            id: SegmentId::from_bytes([id; 16]),
            bytes,
            live_bytes,
        }
    }

    #[test]
    fn segments_that_mostly_live_are_left_alone() {
        assert_eq!(plan(vec![segment(1, 64 * MIB, 40 * MIB)]).units, []);
    }

    #[test]
    fn units_stay_within_what_is_rewritten_at_once() {
        let segments = (0..10).map(|id| segment(id, 64 * MIB, 10 * MIB)).collect();
        let units: Vec<usize> = plan(segments)
            .units
            .iter()
            .map(|unit| unit.segments.len())
            .collect();
        assert_eq!(units, [3, 3, 3, 1]);
    }

    #[test]
    fn small_segments_are_merged_only_in_company() {
        let few = (0..7).map(|id| segment(id, MIB, MIB)).collect();
        assert_eq!(plan(few).units, []);
        let many = (0..8).map(|id| segment(id, MIB, MIB)).collect();
        assert_eq!(plan(many).units.len(), 1);
    }
}
