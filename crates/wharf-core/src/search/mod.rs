//! Search over messages and file names, behind the logs and drives.

use wharf_types::ErrorCode;
use wharf_types::api::search::{Found, SearchQuery};

use crate::Ground;
use crate::caller::Caller;
use crate::error::{Error, Result};

/// The search. Clones are the same.
#[derive(Clone)]
pub struct Search {
    #[expect(dead_code, reason = "filled in by the next commit")]
    ground: Ground,
}

impl Search {
    pub(crate) const fn new(ground: Ground) -> Self {
        Self { ground }
    }

    /// Finds entries and nodes in the rooms that the caller is a member of, newest first.
    ///
    /// # Errors
    /// - `Invalid`: the query is malformed; the text says where.
    /// - `NotFound`: `room` is no room of the caller's.
    #[expect(clippy::unused_async, reason = "filled in by the next commit")]
    pub async fn find(&self, by: &Caller, query: SearchQuery) -> Result<Found> {
        drop((by.person()?, query));
        Err(Error::new(
            ErrorCode::Unsupported,
            "search is not there yet",
        ))
    }

    /// Brings the index up to date and returns how many rooms were behind. The job does it all the time; this is for
    /// who cannot wait for it, such as a test.
    #[expect(clippy::unused_async, reason = "filled in by the next commit")]
    pub async fn catch_up(&self) -> Result<u64> {
        Ok(0)
    }
}
