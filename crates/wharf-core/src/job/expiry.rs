//! Expiry: what counts for nothing any more goes: idle sessions, counts of failed attempts, spent invitations, uploads
//! that nothing was added to.
//!
//! None of it is let in anywhere once its time is over, whether this job runs or not.

use std::time::Duration;

use tokio::time::sleep;

use super::{Job, Next};
use crate::accounts::Accounts;
use crate::error::Result;
use crate::transfer::Transfers;

/// Rows of one kind that one unit deletes.
const ROWS_PER_UNIT: u32 = 100;
const PERIOD: Duration = Duration::from_mins(10);

pub(super) struct Expiry {
    accounts: Accounts,
    transfers: Transfers,
    expired_count: u64,
}

impl Expiry {
    pub(super) const fn new(accounts: Accounts, transfers: Transfers) -> Self {
        Self {
            accounts,
            transfers,
            expired_count: 0,
        }
    }
}

impl Job for Expiry {
    fn name(&self) -> &'static str {
        "expiry"
    }

    async fn work(&mut self) -> Result<Next> {
        let expired_count = self.accounts.expire(ROWS_PER_UNIT).await?;
        let is_more = self.transfers.expire_partial().await?;
        self.expired_count += expired_count + u64::from(is_more);
        Ok(if is_more || expired_count >= u64::from(ROWS_PER_UNIT) {
            Next::Again
        } else {
            Next::Wait
        })
    }

    async fn wait(&mut self) {
        sleep(PERIOD).await;
    }

    fn progress(&self) -> Option<String> {
        Some(format!("{} expired since the start", self.expired_count))
    }
}
