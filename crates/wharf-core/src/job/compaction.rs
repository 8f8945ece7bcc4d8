//! Compaction: the room of chunks that nothing mentions any more is given back.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::sleep;
use wharf_store::chunk::CompactionUnit;

use super::{Job, Next};
use crate::Ground;
use crate::error::Result;

/// A plan reads every row of the chunk index, so it is not made often.
const PERIOD: Duration = Duration::from_hours(1);

pub(super) struct Compaction {
    ground: Ground,
    units: VecDeque<CompactionUnit>,
    segments_retired: u64,
    bytes_written: u64,
}

impl Compaction {
    pub(super) const fn new(ground: Ground) -> Self {
        Self {
            ground,
            units: VecDeque::new(),
            segments_retired: 0,
            bytes_written: 0,
        }
    }
}

impl Job for Compaction {
    fn name(&self) -> &'static str {
        "compaction"
    }

    async fn work(&mut self) -> Result<Next> {
        let now_ms = self.ground.clock.now_ms();
        let Some(unit) = self.units.pop_front() else {
            self.units = self
                .ground
                .chunks
                .plan_compaction(now_ms)
                .await?
                .units
                .into();
            return Ok(if self.units.is_empty() {
                Next::Wait
            } else {
                Next::Again
            });
        };
        // A unit that fails is left to the next plan, so that one bad segment does not hold up the others.
        let done = self.ground.chunks.compact(&unit, now_ms).await?;
        self.segments_retired += done.segments_retired;
        self.bytes_written += done.bytes_written;
        tracing::info!(?done, "compacted");
        Ok(if self.units.is_empty() {
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
            "{} units planned; {} segments retired and {} bytes rewritten since the start",
            self.units.len(),
            self.segments_retired,
            self.bytes_written
        ))
    }
}
