//! Everything an account owns, taken out and brought in without loss.

use wharf_types::api::portage::{ExportPage, ExportQuery, ImportBatch, ImportProgress};
use wharf_types::{ErrorCode, ImportId};

use crate::Ground;
use crate::caller::Caller;
use crate::error::{Error, Result};

/// The export and import. Clones are the same.
#[derive(Clone)]
pub struct Portage {
    #[expect(dead_code, reason = "filled in by the next commit")]
    ground: Ground,
}

#[expect(clippy::unused_async, reason = "filled in by the next commit")]
impl Portage {
    pub(crate) const fn new(ground: Ground) -> Self {
        Self { ground }
    }

    /// Returns some records of the caller's archive.
    ///
    /// # Errors
    /// `Invalid`: `after` is not where a page ended.
    pub async fn export(&self, by: &Caller, query: ExportQuery) -> Result<ExportPage> {
        drop((by.person()?, query));
        Err(not_yet())
    }

    /// Takes in a batch of an archive, all of it or nothing.
    ///
    /// # Errors
    /// - `Stale`: another batch is expected next; ask [`Portage::progress`] which.
    /// - `Invalid`: the records are malformed, out of order, or do not agree with each other.
    /// - `Corrupt`: an entry does not fit the chain of its log.
    /// - `NotFound`: chunks of a manifest are not within the caller's reach: upload them and send the batch again.
    /// - `OverQuota`: the caller's quota has no room for it.
    pub async fn import(&self, by: &Caller, batch: ImportBatch) -> Result<ImportProgress> {
        drop((by.person()?, batch));
        Err(not_yet())
    }

    /// Says how far an import has come; one that has not begun is at number 0.
    pub async fn progress(&self, by: &Caller, import: ImportId) -> Result<ImportProgress> {
        drop((by.person()?, import));
        Err(not_yet())
    }
}

fn not_yet() -> Error {
    Error::new(
        ErrorCode::Unsupported,
        "export and import are not there yet",
    )
}
