//! What the house holds, for an operator.

use wharf_store::chunk;
use wharf_types::api::storage::{Storage, StorageDevice};

use crate::caller::Caller;
use crate::error::Result;
use crate::{Wharf, job};

impl Wharf {
    /// What the server holds, where, and how far it has verified it.
    ///
    /// # Errors
    /// `Denied`: the caller is no operator.
    pub async fn storage(&self, caller: &Caller) -> Result<Storage> {
        self.accounts().admin(caller)?.require().await?;
        let ground = &self.ground;
        // That the system does not say how much room there is keeps nobody from seeing the rest.
        let space = ground.blob.space().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "the space on the device of the segments is not known");
            None
        });
        let days = ground.config.scrub_days;
        let mut storage = ground
            .db
            .read(move |tx| {
                let totals = chunk::totals(tx)?;
                let used_bytes = tx.one(
                    "SELECT CAST(coalesce(sum(used_bytes), 0) AS BIGINT) FROM account",
                    &[],
                    |row| row.uint(0),
                )?;
                Ok::<_, crate::Error>(Storage {
                    used_bytes,
                    segments_bytes: totals.segments_bytes,
                    segments_count: totals.segments_count,
                    chunks_count: totals.chunks_count,
                    device: None,
                    scrub: job::scrub_round(tx, days)?,
                })
            })
            .await?;
        storage.device = space.map(|space| StorageDevice {
            bytes: space.all_bytes,
            free_bytes: space.free_bytes,
        });
        Ok(storage)
    }
}
