//! Everything an account owns, taken out and brought in without loss.
//!
//! An archive is a list of [`Record`](wharf_types::api::portage::Record)s; its chunks travel by the transfers. It is taken out
//! page by page, each page of one moment: logs only grow and are taken up to where they stood when their room began, drives are
//! taken to where they stand at the end (see [`drive`](crate::drive)), so the room's files are there for its entries.
//!
//! It is brought in batch by batch, each a transaction, numbered so that one that is sent again changes nothing. A room is
//! shown to nobody until it is whole; an import that nobody goes on with is given up, and what was not whole goes. An import is believed nothing that would be somebody else's word: authors other
//! than the importer become stand-ins, ids are made anew from a secret of the import, and a log must fit its own chain.

mod abandoned;
mod check;
mod export;
mod ids;
mod import;
mod people;
mod room;

use wharf_store::sql::Tx;
use wharf_types::ImportId;
use wharf_types::api::portage::{ExportPage, ExportQuery, ImportBatch, ImportProgress};
use wharf_types::limit::IMPORT_RECORDS_MAX;

pub(crate) use people::{stand_ins, stand_ins_called};

use crate::Ground;
use crate::access::lock;
use crate::caller::Caller;
use crate::error::{Error, Result};

/// The export and import. Clones are the same.
#[derive(Clone)]
pub struct Portage {
    ground: Ground,
}

impl Portage {
    pub(crate) const fn new(ground: Ground) -> Self {
        Self { ground }
    }

    /// Returns some records of the caller's archive: of the rooms that the caller owns and of direct ones, as far as the
    /// caller may read them.
    ///
    /// # Errors
    /// - `Invalid`: `after` is not where a page ended.
    /// - `Stale`: a log let go of entries that were to come, or a room is the caller's no more: begin again.
    pub async fn export(&self, by: &Caller, query: ExportQuery) -> Result<ExportPage> {
        let person = *by.person()?;
        let cursor = match query.after.as_deref() {
            Some(after) => export::Cursor::parse(after)?,
            None => export::Cursor::Begin,
        };
        let now_ms = self.ground.clock.now_ms();
        self.ground
            .db
            .read(move |tx| export::page(tx, &person, cursor.clone(), now_ms))
            .await
    }

    /// Takes in a batch of an archive, all of it or nothing.
    ///
    /// # Errors
    /// - `Stale`: another batch is expected next; ask [`Portage::progress`] which. Or the personal room was written to while
    ///   its records came.
    /// - `Invalid`: the records are malformed, out of order, or do not agree with each other.
    /// - `Corrupt`: an entry does not fit the chain of its log.
    /// - `NotFound`: chunks of a manifest are not within the caller's reach: upload them and send the batch again.
    /// - `OverQuota`: the caller's quota has no room for it.
    pub async fn import(&self, by: &Caller, batch: ImportBatch) -> Result<ImportProgress> {
        if batch.records.len() > IMPORT_RECORDS_MAX {
            return Err(Error::invalid(format!(
                "a batch has {IMPORT_RECORDS_MAX} records at most"
            )));
        }
        let (by, ground) = (*by, self.ground.clone());
        let person = *by.person()?;
        let rooms = import::rooms_of(&ground, &by, &batch).await?;
        let work = move |tx: &mut Tx<'_>| import::take_in(tx, &ground, &by, &batch);
        self.ground.act(lock(&rooms, &[person.account]), work).await
    }

    /// Says how far an import has come; one that has not begun is at number 0.
    pub async fn progress(&self, by: &Caller, import: ImportId) -> Result<ImportProgress> {
        let account = by.account()?;
        self.ground
            .db
            .read(move |tx| Ok(import::progress(tx, account, import)?))
            .await
    }
}
