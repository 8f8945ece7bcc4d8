//! Deleting objects: segments that were retired a grace period ago, and objects that no row names.
//!
//! An object without a row is the trace of a crash, of a failed transaction, of a put that is under way this moment, or of a
//! database that was restored from a backup. So it is never deleted when it is found: it is adopted, as a segment that is
//! retired from now on. The put that is under way takes it back from there; after a restore there is a whole grace period
//! in which [`rebuild`](super::rebuild) takes back what it finds in there.

use std::collections::HashSet;

use wharf_types::{ChunkHash, SegmentId};

use super::segment::{Index, PREFIX, id_of, key};
use super::{ChunkStore, Result, Shared, rows};
use crate::blob::BlobInfo;
use crate::sql::{self, Lock};

/// Objects listed at once.
const OBJECTS_PER_PAGE: usize = 1_000;

/// What a sweep would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SweepPlan {
    /// Objects that no row names, and their sizes. They are adopted.
    pub orphans: Vec<(SegmentId, u64)>,
    /// Segments that were retired a grace period ago. Their objects are deleted.
    pub expired: Vec<SegmentId>,
    /// Segments in use whose object is lost. Nothing is done about them here.
    pub lost: Vec<SegmentId>,
    /// Objects among the segments that are none. Nothing is done about them.
    pub foreign: Vec<String>,
}

/// What became of a segment that was to be deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Swept {
    /// It is deleted.
    Deleted,
    /// It is needed again, or its grace period is not over.
    Kept,
}

/// What is in the object store under the segments' prefix.
pub(super) struct Objects {
    pub(super) segments: Vec<(SegmentId, u64)>,
    pub(super) foreign: Vec<String>,
}

impl ChunkStore {
    /// Says what a sweep would do now.
    pub async fn plan_sweep(&self, now_ms: i64) -> Result<SweepPlan> {
        let shared = &self.shared;
        // The rows first: a segment that is made in between is an orphan at worst, never lost.
        let mut named = HashSet::new();
        let mut in_use = Vec::new();
        let mut plan = SweepPlan::default();
        let cutoff_ms = shared.cutoff_ms(now_ms);
        shared
            .each_segment(|segment| {
                named.insert(segment.id);
                match segment.retired_ms {
                    Some(retired_ms) if retired_ms < cutoff_ms => plan.expired.push(segment.id),
                    Some(_) => {}
                    None => in_use.push(segment.id),
                }
            })
            .await?;
        let objects = shared.objects().await?;
        let there: HashSet<SegmentId> = objects.segments.iter().map(|(id, _)| *id).collect();
        plan.lost = in_use
            .into_iter()
            .filter(|id| !there.contains(id))
            .collect();
        plan.orphans = objects
            .segments
            .into_iter()
            .filter(|(id, _)| !named.contains(id))
            .collect();
        plan.foreign = objects.foreign;
        Ok(plan)
    }

    /// Adopts the orphans of a plan: from now on their grace period runs.
    pub async fn adopt(&self, plan: &SweepPlan, now_ms: i64) -> Result<()> {
        let _alone = self.shared.maintenance.lock().await;
        let orphans = plan.orphans.clone();
        let work = move |tx: &mut sql::Tx<'_>| {
            orphans
                .iter()
                .try_for_each(|&(id, bytes)| rows::adopt_segment(tx, id, bytes, now_ms))
        };
        Ok(self.shared.db.write(Lock::None, work).await?)
    }

    /// Deletes one of a plan's expired segments, if it still is.
    pub async fn sweep(&self, id: SegmentId, now_ms: i64) -> Result<Swept> {
        let shared = &self.shared;
        let _alone = shared.maintenance.lock().await;
        if shared.is_pointed_at(id).await? {
            // Cannot be: a retired segment has no rows, and gains none.
            tracing::error!(segment = %id, "a retired segment holds chunks of the index; it is taken back");
            let restore = move |tx: &mut sql::Tx<'_>| rows::restore_segment(tx, id);
            shared.db.write(Lock::None, restore).await?;
            return Ok(Swept::Kept);
        }
        let cutoff_ms = shared.cutoff_ms(now_ms);
        let delete = move |tx: &mut sql::Tx<'_>| rows::delete_retired(tx, id, cutoff_ms);
        if !shared.db.write(Lock::None, delete).await? {
            return Ok(Swept::Kept);
        }
        // A crash here leaves an orphan.
        shared.blob.delete(&key(id)).await?;
        Ok(Swept::Deleted)
    }
}

impl Shared {
    /// All segments that are in the object store.
    pub(super) async fn objects(&self) -> Result<Objects> {
        let mut objects = Objects {
            segments: Vec::new(),
            foreign: Vec::new(),
        };
        let mut after: Option<String> = None;
        loop {
            let page = self
                .blob
                .list(PREFIX, after.as_deref(), OBJECTS_PER_PAGE)
                .await?;
            let Some(last) = page.last() else {
                return Ok(objects);
            };
            after = Some(last.key.clone());
            for BlobInfo { key, bytes } in page {
                match id_of(&key) {
                    Some(id) => objects.segments.push((id, bytes)),
                    None => objects.foreign.push(key),
                }
            }
        }
    }

    /// Whether a row points at a segment, as far as the segment's index can tell.
    async fn is_pointed_at(&self, id: SegmentId) -> Result<bool> {
        let Index::Whole(entries) = self.read_index(id).await? else {
            return Ok(false);
        };
        let hashes: Vec<ChunkHash> = entries.iter().map(|entry| entry.hash).collect();
        Ok(self
            .locate(hashes)
            .await?
            .values()
            .any(|chunk| chunk.segment == id))
    }
}
