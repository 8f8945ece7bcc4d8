//! Sweep: objects that nothing names are adopted, and those that were retired a grace period ago are deleted.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::sleep;
use wharf_store::chunk::Swept;
use wharf_types::SegmentId;

use super::{Job, Next};
use crate::Ground;
use crate::error::Result;

/// A plan lists the whole object store, so it is not made often.
const PERIOD: Duration = Duration::from_hours(6);

pub(super) struct Sweep {
    ground: Ground,
    expired: VecDeque<SegmentId>,
    lost_count: usize,
    deleted_count: u64,
}

impl Sweep {
    pub(super) const fn new(ground: Ground) -> Self {
        Self {
            ground,
            expired: VecDeque::new(),
            lost_count: 0,
            deleted_count: 0,
        }
    }

    async fn plan(&mut self, now_ms: i64) -> Result<()> {
        let plan = self.ground.chunks.plan_sweep(now_ms).await?;
        for segment in &plan.lost {
            tracing::error!(%segment, "the object of a segment in use is lost: restore it from a backup");
        }
        for key in &plan.foreign {
            tracing::warn!(
                key,
                "an object that is no segment stands among the segments"
            );
        }
        if !plan.orphans.is_empty() {
            tracing::info!(
                count = plan.orphans.len(),
                "adopting objects that no row names"
            );
            self.ground.chunks.adopt(&plan, now_ms).await?;
        }
        self.lost_count = plan.lost.len();
        self.expired = plan.expired.into();
        Ok(())
    }
}

impl Job for Sweep {
    fn name(&self) -> &'static str {
        "sweep"
    }

    async fn work(&mut self) -> Result<Next> {
        let now_ms = self.ground.clock.now_ms();
        match self.expired.pop_front() {
            None => self.plan(now_ms).await?,
            Some(segment) => {
                let swept = self.ground.chunks.sweep(segment, now_ms).await?;
                self.deleted_count += u64::from(swept == Swept::Deleted);
            }
        }
        Ok(if self.expired.is_empty() {
            Next::Wait
        } else {
            Next::Again
        })
    }

    async fn wait(&mut self) {
        sleep(PERIOD).await;
    }

    fn progress(&self) -> Option<String> {
        Some(format!(
            "{} segments to delete, {} lost; {} deleted since the start",
            self.expired.len(),
            self.lost_count,
            self.deleted_count
        ))
    }
}
