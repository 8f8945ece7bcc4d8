//! What a gateway's clients ask it to keep for their person, in the gateway's own words.

use wharf_store::sql::{Lock, Tx};
use wharf_types::api::app_password::AppDoor;

use super::Accounts;
use crate::access::require_writer;
use crate::caller::Caller;
use crate::error::{Error, Result};

/// Longest note, in bytes.
const NOTE_BYTES_MAX: usize = 1_000;

impl Accounts {
    /// What was kept for the caller at this door.
    pub async fn door_note(&self, caller: &Caller, door: AppDoor) -> Result<Option<String>> {
        let account = caller.account()?;
        let read = move |tx: &mut Tx<'_>| {
            tx.opt(
                "SELECT note FROM door_note WHERE account_id = ?1 AND door = ?2",
                &[account.into(), door.text().into()],
                |row| Ok(row.text(0)?.to_owned()),
            )
        };
        Ok(self.ground.db.read(read).await?)
    }

    /// Keeps a note for the caller at this door, or forgets the one that there is.
    ///
    /// # Errors
    /// - `Invalid`: it is too long.
    /// - `Unauthenticated`: the session has ended.
    pub async fn set_door_note(
        &self,
        caller: &Caller,
        door: AppDoor,
        note: Option<String>,
    ) -> Result<()> {
        if note
            .as_ref()
            .is_some_and(|note| note.len() > NOTE_BYTES_MAX)
        {
            return Err(Error::invalid("a note has at most 1,000 bytes"));
        }
        let by = *caller;
        let write = move |tx: &mut Tx<'_>| -> Result<()> {
            let account = require_writer(tx, &by)?.account;
            match &note {
                Some(note) => tx.exec(
                    "INSERT INTO door_note (account_id, door, note) VALUES (?1, ?2, ?3) \
                     ON CONFLICT (account_id, door) DO UPDATE SET note = excluded.note",
                    &[account.into(), door.text().into(), note.into()],
                )?,
                None => tx.exec(
                    "DELETE FROM door_note WHERE account_id = ?1 AND door = ?2",
                    &[account.into(), door.text().into()],
                )?,
            };
            Ok(())
        };
        self.ground.db.write(Lock::None, write).await
    }
}
