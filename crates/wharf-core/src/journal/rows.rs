//! How keys stand in their rows.

use wharf_store::sql::{self, Row, Tx};
use wharf_types::AccountId;
use wharf_types::api::journal::{JournalKey, JournalKeyId, JournalKeyKind};

use super::keys::{KeyRecord, KeySecret};

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
