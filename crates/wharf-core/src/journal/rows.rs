//! How keys stand in their rows.

use std::ops::RangeInclusive;

use wharf_store::sql::{self, Row, Tx};
use wharf_types::api::journal::{JournalKey, JournalKeyId, JournalKeyKind};

use wharf_types::{AccountId, RoomId};

use super::keys::{KeyRecord, KeySecret};
use crate::error::{Error, Result};

/// The keys of an account that it can still use, oldest first.
pub(super) fn list(tx: &mut Tx<'_>, account: AccountId) -> sql::Result<Vec<JournalKey>> {
    tx.all(
        "SELECT id, kind, name, room_id, created_ms, entries_count, used_ms FROM journal_key \
         WHERE account_id = ?1 AND removed_ms IS NULL ORDER BY created_ms, id",
        &[account.into()],
        |row| {
            Ok(JournalKey {
                id: id_of(row, 0)?,
                kind: kind_of(row.text(1)?)?,
                name: row.text(2)?.to_owned(),
                room: row.id(3)?,
                created_ms: row.int(4)?,
                entries_count: row.uint(5)?,
                used_ms: row.opt_int(6)?,
                secret: None,
                port: None,
            })
        },
    )
}

/// What a key is verified with; `None` when there is no such key any more.
pub(super) fn find(tx: &mut Tx<'_>, id: JournalKeyId) -> sql::Result<Option<KeyRecord>> {
    tx.opt(
        "SELECT kind, secret, room_id, account_id FROM journal_key WHERE id = ?1 AND removed_ms IS NULL",
        &[id.as_bytes().into()],
        |row| {
            let secret = row.bytes(1)?;
            let damaged = || sql::Error::corrupt("the secret of a journal key");
            let secret = match kind_of(row.text(0)?)? {
                JournalKeyKind::Token => {
                    KeySecret::TokenHash(secret.try_into().map_err(|_| damaged())?)
                }
                JournalKeyKind::Signed => {
                    KeySecret::Hmac(String::from_utf8(secret.to_vec()).map_err(|_| damaged())?)
                }
                JournalKeyKind::Sealed => {
                    KeySecret::Sealed(secret.try_into().map_err(|_| damaged())?)
                }
            };
            Ok(KeyRecord {
                id,
                secret,
                room: row.id(2)?,
                account: row.id(3)?,
            })
        },
    )
}

/// The keys of an account with this id or name, removed ones included.
///
/// # Errors
/// `NotFound`: it has none.
pub(crate) fn keys_called(
    tx: &mut Tx<'_>,
    account: AccountId,
    called: &str,
) -> Result<Vec<JournalKeyId>> {
    let mut keys = Vec::new();
    tx.each(
        "SELECT id, name FROM journal_key WHERE account_id = ?1",
        &[account.into()],
        |row| {
            let id = id_of(row, 0)?;
            if row.text(1)? == called || id.to_string() == called {
                keys.push(id);
            }
            Ok(())
        },
    )?;
    if keys.is_empty() {
        return Err(Error::not_found(format!("you have no key {called}")));
    }
    Ok(keys)
}

/// Where the first of the entries stand that keys have written within a stretch of a room's log; the last ones,
/// descending, if `is_newest_first`.
pub(crate) fn positions_of(
    tx: &mut Tx<'_>,
    room: RoomId,
    keys: &[JournalKeyId],
    within: RangeInclusive<u64>,
    is_newest_first: bool,
    limit: u32,
) -> sql::Result<Vec<u64>> {
    let statement = if is_newest_first {
        "SELECT position FROM journal_entry WHERE key_id = ?1 AND room_id = ?2 AND position >= ?3 AND position <= ?4 \
         ORDER BY position DESC LIMIT ?5"
    } else {
        "SELECT position FROM journal_entry WHERE key_id = ?1 AND room_id = ?2 AND position >= ?3 AND position <= ?4 \
         ORDER BY position LIMIT ?5"
    };
    let mut positions = Vec::new();
    for key in keys {
        let args = [
            key.as_bytes().into(),
            room.into(),
            (*within.start()).into(),
            (*within.end()).into(),
            limit.into(),
        ];
        positions.extend(tx.all(statement, &args, |row| row.uint(0))?);
    }
    positions.sort_unstable();
    if is_newest_first {
        positions.reverse();
    }
    positions.truncate(limit as usize);
    Ok(positions)
}

pub(super) const fn kind_text(kind: JournalKeyKind) -> &'static str {
    match kind {
        JournalKeyKind::Token => "token",
        JournalKeyKind::Signed => "signed",
        JournalKeyKind::Sealed => "sealed",
    }
}

fn kind_of(text: &str) -> sql::Result<JournalKeyKind> {
    match text {
        "token" => Ok(JournalKeyKind::Token),
        "signed" => Ok(JournalKeyKind::Signed),
        "sealed" => Ok(JournalKeyKind::Sealed),
        other => Err(sql::Error::corrupt(format!("journal key kind {other:?}"))),
    }
}

fn id_of(row: &Row<'_>, column: usize) -> sql::Result<JournalKeyId> {
    JournalKeyId::from_slice(row.bytes(column)?)
        .map_err(|error| sql::Error::corrupt(error.to_string()))
}
