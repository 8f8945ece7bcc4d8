//! The local copy of an account's list and logs, and the outbox, in one SQLite file that all processes of a profile share.
//!
//! Every step is one transaction: an entry and the cursor that says it is here are written together, and so are an
//! item of the outbox and the number that it will be sent under. What was written for the server is on the disk when
//! the call returns; the copy itself may lose its last moments in a power cut, which makes it an older copy, and an
//! older copy is brought up to date like any other.
//!
//! Losing the file loses what was not sent yet, and nothing else.

pub(super) mod account;
pub(super) mod entry;
pub(super) mod lease;
pub(super) mod outbox;
pub(super) mod query;
pub(super) mod reading;
mod schema;

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::types::ToSql;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use wharf_types::{AccountId, DeviceId, EntryHash, RoomId};

pub(super) use self::entry::{Held, Run};
pub(super) use self::outbox::{Lost, Number, Scope, Upload};
pub(super) use self::schema::end;
use super::error::ChatError;
use super::event::Event;
use super::view::Me;
use crate::database::{self, Durability, OpenError};

/// One connection to the store.
#[derive(Debug)]
pub(super) struct Store {
    db: Connection,
}

/// What a step changed, to be told.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Touched {
    pub(super) rooms: BTreeSet<RoomId>,
    pub(super) timelines: BTreeSet<RoomId>,
    pub(super) gone: BTreeSet<RoomId>,
    pub(super) cursors: BTreeSet<RoomId>,
    pub(super) outbox: BTreeSet<i64>,
    pub(super) has_contacts: bool,
    pub(super) has_invitations: bool,
}

/// What the store knows of the connection's other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meta {
    pub(super) account: Option<AccountId>,
    pub(super) epoch: Option<String>,
    pub(super) account_version: u64,
    pub(super) device: DeviceId,
    /// The last number that was given to an item under `device`.
    pub(super) number: u64,
    pub(super) recall_minutes: u32,
    pub(super) edit_minutes: u32,
}

impl Store {
    /// Opens the store, making it where there is none. The folder must be there. `device` is what a new store goes by.
    pub(super) fn open(
        path: &Path,
        durability: Durability,
        device: DeviceId,
    ) -> Result<Self, ChatError> {
        let mut db = database::open(path, durability).map_err(|error| match error {
            OpenError::Io(source) => ChatError::Io {
                path: path.to_owned(),
                source,
            },
            OpenError::Sqlite(error) => error.into(),
        })?;
        db.set_prepared_statement_cache_capacity(128);
        schema::bring_up(&mut db, device)?;
        Ok(Self { db })
    }

    /// Runs one transaction that writes.
    pub(super) fn change<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, ChatError>,
    ) -> Result<T, ChatError> {
        let tx = self
            .db
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&tx)?;
        tx.commit()?;
        Ok(done)
    }

    /// Runs one transaction that reads, so that all that it reads is of one moment.
    pub(super) fn read<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, ChatError>,
    ) -> Result<T, ChatError> {
        let tx = self
            .db
            .transaction_with_behavior(TransactionBehavior::Deferred)?;
        work(&tx)
    }

    /// Writes a copy of the whole store, as a backup does.
    #[cfg(test)]
    pub(super) fn copy(&self, to: &Path) -> Result<(), ChatError> {
        self.db.execute("VACUUM INTO ?1", [to.to_str()])?;
        Ok(())
    }

    /// A number that is another one whenever another connection has written.
    pub(super) fn data_version(&self) -> Result<i64, ChatError> {
        Ok(self
            .db
            .pragma_query_value(None, "data_version", |row| row.get(0))?)
    }
}

impl Touched {
    /// A room's log went on, and so did its place in the list.
    pub(super) fn told(&mut self, room: RoomId) {
        self.timelines.insert(room);
        self.rooms.insert(room);
    }

    /// As events, the list before its parts.
    pub(super) fn into_events(self) -> impl Iterator<Item = Event> {
        let contacts = self.has_contacts.then_some(Event::Contacts);
        let invitations = self.has_invitations.then_some(Event::Invitations);
        contacts
            .into_iter()
            .chain(invitations)
            .chain(self.gone.into_iter().map(Event::RoomGone))
            .chain(self.rooms.into_iter().map(Event::Room))
            .chain(self.timelines.into_iter().map(Event::Timeline))
            .chain(self.cursors.into_iter().map(Event::Cursors))
            .chain(self.outbox.into_iter().map(|id| Event::Outbox { id }))
    }
}

impl Meta {
    pub(super) fn read(tx: &Connection) -> Result<Self, ChatError> {
        let meta = tx
            .prepare_cached(
                "SELECT account, epoch, account_version, device, number, recall_minutes, edit_minutes FROM meta",
            )?
            .query_row([], |row| {
                Ok(Self {
                    account: id_or_none(row, 0, AccountId::from_bytes)?,
                    epoch: row.get(1)?,
                    account_version: unsigned(row, 2)?,
                    device: DeviceId::from_bytes(row.get(3)?),
                    number: unsigned(row, 4)?,
                    recall_minutes: row.get(5)?,
                    edit_minutes: row.get(6)?,
                })
            })?;
        Ok(meta)
    }

    pub(super) fn me(&self) -> Option<Me> {
        let account = self.account?;
        Some(Me {
            account,
            recall_minutes: self.recall_minutes,
            edit_minutes: self.edit_minutes,
        })
    }
}

/// SQLite's numbers are signed; positions, counts and versions stay far below the sign.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column)
        .map(|number| u64::try_from(number).unwrap_or_default())
}

fn id_or_none<T>(
    row: &Row<'_>,
    column: usize,
    from: impl FnOnce([u8; 16]) -> T,
) -> rusqlite::Result<Option<T>> {
    Ok(row.get::<_, Option<[u8; 16]>>(column)?.map(from))
}

fn room_at(row: &Row<'_>, column: usize) -> rusqlite::Result<RoomId> {
    row.get(column).map(RoomId::from_bytes)
}

fn hash_at(row: &Row<'_>, column: usize) -> rusqlite::Result<EntryHash> {
    row.get(column).map(EntryHash::from_bytes)
}

/// All values of one column of JSON.
fn all<T: serde::de::DeserializeOwned>(
    tx: &Connection,
    sql: &str,
    by: &[&dyn ToSql],
) -> Result<Vec<T>, ChatError> {
    let mut statement = tx.prepare_cached(sql)?;
    let mut rows = statement.query(by)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(serde_json::from_str(
            row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?,
        )?);
    }
    Ok(found)
}

/// One value of one column of JSON.
fn one<T: serde::de::DeserializeOwned>(
    tx: &Connection,
    sql: &str,
    by: &[&dyn ToSql],
) -> Result<Option<T>, ChatError> {
    let text: Option<String> = tx
        .prepare_cached(sql)?
        .query_row(by, |row| row.get(0))
        .optional()?;
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
}

fn json(value: &impl serde::Serialize) -> Result<String, ChatError> {
    Ok(serde_json::to_string(value)?)
}

/// Puts a value of JSON under an id.
fn put(
    tx: &Connection,
    sql: &str,
    id: &[u8; 16],
    value: &impl serde::Serialize,
) -> Result<(), ChatError> {
    tx.prepare_cached(sql)?.execute(params![id, json(value)?])?;
    Ok(())
}
