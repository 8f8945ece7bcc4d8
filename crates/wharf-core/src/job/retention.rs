//! Retention: what the drives no longer keep goes, room by room.

use std::time::Duration;

use tokio::time::sleep;

use super::{Job, Next};
use crate::drive::{Drives, RetentionCursor};
use crate::error::Result;

const PERIOD: Duration = Duration::from_mins(10);

pub(super) struct Retention {
    drives: Drives,
    cursor: RetentionCursor,
    rounds_count: u64,
}

impl Retention {
    pub(super) fn new(drives: Drives) -> Self {
        Self {
            drives,
            cursor: RetentionCursor::default(),
            rounds_count: 0,
        }
    }
}

impl Job for Retention {
    fn name(&self) -> &'static str {
        "retention"
    }

    async fn work(&mut self) -> Result<Next> {
        let next = self.drives.retain(self.cursor).await?;
        self.cursor = next.unwrap_or_default();
        self.rounds_count += u64::from(next.is_none());
        Ok(if next.is_some() {
            Next::Again
        } else {
            Next::Wait
        })
    }

    async fn wait(&mut self) {
        sleep(PERIOD).await;
    }

    fn progress(&self) -> Option<String> {
        Some(format!("{} rounds since the start", self.rounds_count))
    }
}
