//! Retention: what the drives and logs no longer keep goes, room by room.

use std::time::Duration;

use tokio::time::sleep;
use wharf_types::RoomId;

use super::{Job, Next};
use crate::drive::{Drives, RetentionCursor};
use crate::error::Result;
use crate::log::Logs;

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

/// The same for logs.
pub(super) struct LogRetention {
    logs: Logs,
    after: Option<RoomId>,
    rounds_count: u64,
}

impl LogRetention {
    pub(super) const fn new(logs: Logs) -> Self {
        Self {
            logs,
            after: None,
            rounds_count: 0,
        }
    }
}

impl Job for LogRetention {
    fn name(&self) -> &'static str {
        "log_retention"
    }

    async fn work(&mut self) -> Result<Next> {
        self.after = self.logs.retain(self.after).await?;
        self.rounds_count += u64::from(self.after.is_none());
        Ok(if self.after.is_some() {
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
