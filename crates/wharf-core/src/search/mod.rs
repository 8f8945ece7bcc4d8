//! Search over messages and file names, behind the logs and drives.
//!
//! [`follow`] keeps an inverted index (`wharf_store::search`) up to date with what the logs and drives say, in
//! transactions of its own, after theirs. The index only proposes: whoever searches is shown what they may see at that moment, in the form
//! it has at that moment. So what was taken back is never shown, an edit is shown as it is, and who left a room finds nothing there,
//! however far behind the index is; only what is new can be missing for a while.

mod find;
mod follow;
mod index;
mod query;
mod rooms;
mod snippet;
mod step;
mod terms;
mod words;

use wharf_types::api::search::{Found, SearchQuery};
use wharf_types::limit::{SEARCH_HITS_DEFAULT, SEARCH_HITS_MAX};

pub(crate) use wharf_store::search::clear as forget_index;

pub(crate) use follow::{Follow, Marks, follow_room};
pub(crate) use terms::{ENTRY_TAGS, entry_tag};
pub(crate) use words::{tag_key, tags};

use crate::Ground;
use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::zone::Zone;
use find::Finder;
use query::Query;

/// The search. Clones are the same.
#[derive(Clone)]
pub struct Search {
    ground: Ground,
}

impl Search {
    pub(crate) const fn new(ground: Ground) -> Self {
        Self { ground }
    }

    /// Finds entries and nodes in the rooms that the caller is a member of, newest first.
    ///
    /// One search does a bounded amount of work: where that does not bring enough hits, the page is short, and `next` says
    /// where to go on.
    ///
    /// # Errors
    /// - `Invalid`, `TooLarge`: the query is malformed; the text says where.
    /// - `NotFound`: `room`, or what follows `in:`, is no room of the caller's.
    pub async fn find(&self, by: &Caller, query: SearchQuery) -> Result<Found> {
        let person = *by.person()?;
        let zone = Zone::parse(query.zone.as_deref())?;
        let asked = Query::parse(&query.q, &zone)?;
        let after = query.after.as_deref().map(find::parse_cursor).transpose()?;
        let limit = query
            .limit
            .unwrap_or(SEARCH_HITS_DEFAULT)
            .clamp(1, SEARCH_HITS_MAX);
        self.ground
            .db
            .read(move |tx| {
                let finder = Finder::open(tx, &person, &asked, query.room, after)?;
                finder.run(tx, limit as usize)
            })
            .await
    }

    /// Brings the index up to date and returns how many rooms were behind. The job does it all the time; this is for
    /// who cannot wait for it, such as a test.
    pub async fn catch_up(&self) -> Result<u64> {
        follow::follow_all(&self.ground).await
    }

    /// Forgets the index and makes it again from the logs and drives, for the operator. Searches find little meanwhile.
    ///
    /// # Errors
    /// `Denied`: the caller is not the program's own console.
    pub async fn remake(&self, by: &Caller) -> Result<()> {
        if by.internal_role() != Some(crate::caller::InternalRole::Console) {
            return Err(Error::denied("this is for the server's own console"));
        }
        follow::remake(&self.ground).await?;
        self.catch_up().await?;
        Ok(())
    }
}
