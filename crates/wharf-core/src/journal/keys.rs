//! Making and removing keys.

use data_encoding::HEXLOWER;
use wharf_store::sql::{Lock, Tx};
use wharf_types::api::journal::{CreateJournalKey, JournalKey, JournalKeyId, JournalKeyKind};
use wharf_types::limit::JOURNAL_KEYS_MAX;
use wharf_types::{AccountId, ErrorCode, RoomId};
use wharf_wire::gateway::journal::{SECRET_PREFIX, TOKEN_PREFIX, key_of_token, token_hash};

use super::rows;
use crate::Ground;
use crate::access::{Right, enter, key_of, require_writer};
use crate::caller::Caller;
use crate::drive::RoomRef;
use crate::error::{Error, Result};
use crate::random::Random;
use crate::text;

/// A key, as the door verifies with it.
#[derive(Debug, Clone)]
pub struct KeyRecord {
    /// Its id.
    pub id: JournalKeyId,
    /// What it is verified with.
    pub secret: KeySecret,
    /// The room that it writes to.
    pub room: RoomId,
    /// In whose name.
    pub account: AccountId,
}

/// What a key is verified with, and so what it can be used for.
#[derive(Clone)]
pub enum KeySecret {
    /// The BLAKE3 of a token.
    TokenHash([u8; 32]),
    /// The key of an HMAC, as the text that `openssl` takes.
    Hmac(String),
    /// What seals.
    Sealed([u8; 32]),
}

impl std::fmt::Debug for KeySecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::TokenHash(_) => "TokenHash",
            Self::Hmac(_) => "Hmac",
            Self::Sealed(_) => "Sealed",
        })
    }
}

/// A new key: its id, the secret as its owner gets it, and what is stored of it.
#[derive(Clone)]
struct NewSecret {
    id: JournalKeyId,
    text: String,
    stored: Vec<u8>,
}

impl NewSecret {
    fn new(random: &Random, kind: JournalKeyKind) -> Self {
        let id = JournalKeyId::from_bytes(random.bytes());
        match kind {
            JournalKeyKind::Token => {
                let text = format!("{TOKEN_PREFIX}{}", HEXLOWER.encode(&random.bytes::<20>()));
                let hash = token_hash(&text);
                Self {
                    id: key_of_token(&hash),
                    text,
                    stored: hash.to_vec(),
                }
            }
            JournalKeyKind::Signed => {
                let text = format!("{SECRET_PREFIX}{}", HEXLOWER.encode(&random.bytes::<20>()));
                Self {
                    id,
                    stored: text.clone().into_bytes(),
                    text,
                }
            }
            JournalKeyKind::Sealed => {
                let secret: [u8; 32] = random.bytes();
                Self {
                    id,
                    text: HEXLOWER.encode(&secret),
                    stored: secret.to_vec(),
                }
            }
        }
    }
}

pub(super) async fn create(
    ground: &Ground,
    by: &Caller,
    room: RoomRef,
    request: &CreateJournalKey,
) -> Result<JournalKey> {
    let by = *by;
    let account = by.account()?;
    let room = room.id(&by)?;
    let kind = request.kind;
    let name = text::label("a key's name", &request.name)?;
    let new = NewSecret::new(&ground.random, kind);
    let now_ms = ground.clock.now_ms();
    let work = move |tx: &mut Tx<'_>| {
        enter(tx, &by, room, Right::Edit)?;
        let count = tx.one(
            "SELECT count(*) FROM journal_key WHERE account_id = ?1 AND removed_ms IS NULL",
            &[account.into()],
            |row| row.uint(0),
        )?;
        if count >= u64::from(JOURNAL_KEYS_MAX) {
            return Err(Error::new(
                ErrorCode::TooLarge,
                format!("an account has {JOURNAL_KEYS_MAX} keys at most: remove one first"),
            ));
        }
        tx.exec(
            "INSERT INTO journal_key (id, account_id, room_id, kind, name, secret, entries_count, created_ms) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7)",
            &[
                new.id.as_bytes().into(),
                account.into(),
                room.into(),
                rows::kind_text(kind).into(),
                (&name).into(),
                (&new.stored).into(),
                now_ms.into(),
            ],
        )?;
        Ok(JournalKey {
            id: new.id,
            kind,
            name: name.clone(),
            room,
            created_ms: now_ms,
            entries_count: 0,
            used_ms: None,
            secret: Some(new.text.clone()),
            port: None,
        })
    };
    let lock = Lock::Rooms(vec![room, key_of(account)]);
    ground.db.write(lock, work).await
}

pub(super) async fn remove(ground: &Ground, by: &Caller, id: JournalKeyId) -> Result<()> {
    let by = *by;
    let account = by.account()?;
    let now_ms = ground.clock.now_ms();
    let work = move |tx: &mut Tx<'_>| {
        require_writer(tx, &by)?;
        let removed = tx.exec(
            "UPDATE journal_key SET removed_ms = ?3, secret = ?4 \
             WHERE id = ?1 AND account_id = ?2 AND removed_ms IS NULL",
            &[
                id.as_bytes().into(),
                account.into(),
                now_ms.into(),
                [].as_slice().into(),
            ],
        )?;
        if removed == 0 {
            return Err(Error::not_found("you have no such key"));
        }
        tx.exec(
            "DELETE FROM journal_text WHERE key_id = ?1",
            &[id.as_bytes().into()],
        )?;
        Ok(())
    };
    ground.db.write(Lock::Room(key_of(account)), work).await
}
