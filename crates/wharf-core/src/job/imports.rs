//! Imports: those that nobody goes on with are given up, and what they leave goes.

use std::time::Duration;

use tokio::time::sleep;

use super::{Job, Next};
use crate::error::Result;
use crate::portage::Portage;

const PERIOD: Duration = Duration::from_hours(1);

pub(super) struct Imports {
    portage: Portage,
    units_count: u64,
}

impl Imports {
    pub(super) const fn new(portage: Portage) -> Self {
        Self {
            portage,
            units_count: 0,
        }
    }
}

impl Job for Imports {
    fn name(&self) -> &'static str {
        "imports"
    }

    async fn work(&mut self) -> Result<Next> {
        let is_more = self.portage.clear_abandoned_part().await?;
        self.units_count += u64::from(is_more);
        Ok(if is_more { Next::Again } else { Next::Wait })
    }

    async fn wait(&mut self) {
        sleep(PERIOD).await;
    }

    fn progress(&self) -> Option<String> {
        Some(format!(
            "{} parts taken away since the start",
            self.units_count
        ))
    }
}
