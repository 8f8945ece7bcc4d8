//! Rebuilding the chunk index from the object store alone.
//!
//! For a database that was lost, or restored from a backup that is older than the segments beside it. Every segment carries
//! its index; what is not in the database is added, and a row whose segment is lost is pointed at another copy. Nothing is
//! taken away. Who uploaded a chunk is not known to a segment, so nobody has it in reach until it is put again, which
//! costs the transfer and no room; mentions are counted by [`recount`](super::recount) afterwards.
//!
//! Run it while one server process at most is at work: it brings rows to segments that exist already, which nothing else
//! does.

use std::collections::HashSet;

use wharf_types::SegmentId;
use wharf_wire::segment::IndexEntry;

use super::segment::Index;
use super::{ChunkStore, Result, Scope, Shared, rows};
use crate::sql::{self, Lock};

/// What a rebuild would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RebuildPlan {
    /// Segments from which chunks would be taken.
    pub segments: Vec<PlannedRebuild>,
    /// All segments that are in the object store.
    pub segment_count: u64,
}

/// What a segment holds that the index lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedRebuild {
    /// The segment.
    pub id: SegmentId,
    /// Its size.
    pub bytes: u64,
    /// Chunks that the index does not have, or has in a segment that is lost.
    pub chunk_count: u64,
    /// Whether its own index is damaged, so that it has to be read whole.
    pub is_damaged: bool,
}

impl ChunkStore {
    /// Says what a rebuild would add.
    pub async fn plan_rebuild(&self) -> Result<RebuildPlan> {
        let objects = self.shared.objects().await?.segments;
        let there: HashSet<SegmentId> = objects.iter().map(|(id, _)| *id).collect();
        let mut plan = RebuildPlan {
            segments: Vec::new(),
            segment_count: objects.len() as u64,
        };
        for (id, bytes) in objects {
            let (entries, is_damaged) = self.shared.entries(id).await?;
            let chunk_count = self.shared.lacking(entries, &there).await?.len() as u64;
            if chunk_count > 0 {
                plan.segments.push(PlannedRebuild {
                    id,
                    bytes,
                    chunk_count,
                    is_damaged,
                });
            }
        }
        Ok(plan)
    }

    /// Takes the chunks of one planned segment into the index and returns how many that were.
    pub async fn rebuild(&self, segment: &PlannedRebuild, now_ms: i64) -> Result<u64> {
        let shared = &self.shared;
        let _alone = shared.maintenance.lock().await;
        let there = shared
            .objects()
            .await?
            .segments
            .into_iter()
            .map(|(id, _)| id)
            .collect();
        let (entries, _) = shared.entries(segment.id).await?;
        let chunk_count = entries.len();
        let mut lacking = shared.lacking(entries, &there).await?;
        lacking.sort_unstable_by_key(|(entry, _)| entry.hash);
        let PlannedRebuild { id, bytes, .. } = *segment;
        let work = move |tx: &mut sql::Tx<'_>| {
            rows::insert_segment(tx, id, bytes, chunk_count)?;
            let mut taken = 0;
            for (entry, from) in &lacking {
                let is_taken = match from {
                    Some(_) => rows::repoint(tx, *from, id, entry)?,
                    None => rows::insert(tx, id, entry, Scope::NOBODY, now_ms)?,
                };
                taken += u64::from(is_taken);
            }
            Ok::<u64, sql::Error>(taken)
        };
        Ok(shared.db.write(Lock::None, work).await?)
    }
}

impl Shared {
    /// The chunks of a segment, from its index or else by reading all of it, and whether that was needed.
    async fn entries(&self, id: SegmentId) -> Result<(Vec<IndexEntry>, bool)> {
        match self.read_index(id).await? {
            Index::Whole(entries) => Ok((entries, false)),
            Index::Damaged => Ok((self.scan(id).await?, true)),
            Index::Lost => Ok((Vec::new(), false)),
        }
    }

    /// Those of `entries` that the index does not have, or has in a segment that is not `there`: that segment beside them.
    async fn lacking(
        &self,
        entries: Vec<IndexEntry>,
        there: &HashSet<SegmentId>,
    ) -> Result<Vec<(IndexEntry, Option<SegmentId>)>> {
        let places = self
            .locate(entries.iter().map(|entry| entry.hash).collect())
            .await?;
        let lacks = |entry: IndexEntry| match places.get(&entry.hash) {
            None => Some((entry, None)),
            Some(chunk) if !there.contains(&chunk.segment) => Some((entry, Some(chunk.segment))),
            Some(_) => None,
        };
        Ok(entries.into_iter().filter_map(lacks).collect())
    }
}
