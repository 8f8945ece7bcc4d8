//! Invitations: codes that let people make accounts.

use wharf_store::sql::{self, Lock, Row, Tx};
use wharf_types::api::account::{CreateInvitation, Invitation};

use super::admin::Admin;
use super::credential;
use crate::error::{Error, Result};

const USES_MAX: u32 = 1_000;
const EXPIRES_SECONDS_DEFAULT: u64 = 7 * 24 * 3_600;
const EXPIRES_SECONDS_MAX: u64 = 366 * 24 * 3_600;
/// Most invitations that hold at the same time: more are forgotten, not given out.
const INVITATIONS_MAX: usize = 1_000;
/// Enough for a name in a list of [`INVITATIONS_MAX`].
const ID_BYTES: usize = 5;

impl Admin<'_> {
    /// Makes an invitation. Its code is in this answer only.
    ///
    /// # Errors
    /// - `Invalid`: the uses or the time are out of bounds.
    /// - `TooLarge`: too many invitations hold already.
    pub async fn create_invitation(&self, request: CreateInvitation) -> Result<Invitation> {
        let seconds = request.expires_seconds.unwrap_or(EXPIRES_SECONDS_DEFAULT);
        if !(1..=USES_MAX).contains(&request.uses) {
            return Err(Error::invalid(format!(
                "an invitation makes 1 to {USES_MAX} accounts"
            )));
        }
        if !(1..=EXPIRES_SECONDS_MAX).contains(&seconds) {
            return Err(Error::invalid("an invitation holds for a second to a year"));
        }
        let ground = self.ground().clone();
        let now_ms = ground.clock.now_ms();
        let code = credential::new_code(&ground.random);
        let invitation = Invitation {
            id: data_encoding::HEXLOWER.encode(&ground.random.bytes::<ID_BYTES>()),
            code: Some(code.text),
            uses_left: request.uses,
            expires_ms: now_ms + i64::try_from(seconds * 1_000).unwrap_or(i64::MAX / 2),
            created_by: self.account()?,
        };
        self.write(Lock::Global, move |tx| {
            if held(tx, now_ms)?.len() >= INVITATIONS_MAX {
                return Err(Error::new(
                    wharf_types::ErrorCode::TooLarge,
                    format!("{INVITATIONS_MAX} invitations hold already: end some"),
                ));
            }
            tx.exec(
                "INSERT INTO invitation (id, code_hash, uses_left, expires_ms, created_by, created_ms) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                &[
                    (&invitation.id).into(),
                    (&code.hash).into(),
                    invitation.uses_left.into(),
                    invitation.expires_ms.into(),
                    invitation.created_by.into(),
                    now_ms.into(),
                ],
            )?;
            Ok(invitation.clone())
        })
        .await
    }

    /// The invitations that still hold, the newest first.
    pub async fn invitations(&self) -> Result<Vec<Invitation>> {
        let now_ms = self.ground().clock.now_ms();
        self.read(move |tx| Ok(held(tx, now_ms)?)).await
    }

    /// Ends an invitation.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn end_invitation(&self, id: &str) -> Result<()> {
        let id = id.to_owned();
        self.write(Lock::Global, move |tx| {
            match tx.exec("DELETE FROM invitation WHERE id = ?1", &[(&id).into()])? {
                0 => Err(Error::not_found("there is no such invitation")),
                _ => Ok(()),
            }
        })
        .await
    }
}

fn held(tx: &mut Tx<'_>, now_ms: i64) -> sql::Result<Vec<Invitation>> {
    tx.all(
        "SELECT id, uses_left, expires_ms, created_by FROM invitation WHERE uses_left > 0 AND expires_ms > ?1 \
         ORDER BY created_ms DESC, id",
        &[now_ms.into()],
        from_row,
    )
}

fn from_row(row: &Row<'_>) -> sql::Result<Invitation> {
    Ok(Invitation {
        id: row.text(0)?.to_owned(),
        code: None,
        uses_left: u32::try_from(row.int(1)?)
            .map_err(|_| sql::Error::corrupt("invitation uses"))?,
        expires_ms: row.int(2)?,
        created_by: row.id(3)?,
    })
}

/// Whether an invitation with this code holds.
pub(super) fn holds(tx: &mut Tx<'_>, code_hash: &[u8; 32], now_ms: i64) -> sql::Result<bool> {
    let found = tx.opt(
        "SELECT id FROM invitation WHERE code_hash = ?1 AND uses_left > 0 AND expires_ms > ?2",
        &[code_hash.into(), now_ms.into()],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// Takes one of its uses, if it holds and has one left.
pub(super) fn spend(tx: &mut Tx<'_>, code_hash: &[u8; 32], now_ms: i64) -> sql::Result<bool> {
    let spent = tx.exec(
        "UPDATE invitation SET uses_left = uses_left - 1 \
         WHERE code_hash = ?1 AND uses_left > 0 AND expires_ms > ?2",
        &[code_hash.into(), now_ms.into()],
    )?;
    Ok(spent > 0)
}

/// Deletes invitations that hold no more, `rows_max` at most, and says how many those were.
pub(crate) fn expire(tx: &mut Tx<'_>, now_ms: i64, rows_max: u32) -> sql::Result<u64> {
    tx.exec(
        "DELETE FROM invitation WHERE id IN \
         (SELECT id FROM invitation WHERE uses_left <= 0 OR expires_ms <= ?1 LIMIT ?2)",
        &[now_ms.into(), rows_max.into()],
    )
}
