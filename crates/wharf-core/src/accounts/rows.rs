//! Rows of accounts and sessions.

use wharf_store::sql::{self, Row, Tx};
use wharf_types::api::account::{Account, AccountRole, Session};
use wharf_types::{AccountId, RoomId, SessionId};

use super::credential::LoginName;
use crate::caller::Person;

/// The columns that [`account_from`] reads, in its order.
macro_rules! account_columns {
    () => {
        "id, number, username, email, nickname, role, locked, home_id, quota_bytes, used_bytes, created_ms, \
         status_text"
    };
}

/// An account, and what its password is checked against.
#[derive(Debug, Clone)]
pub(super) struct Credentialed {
    pub(super) account: Account,
    pub(super) password_hash: String,
}

/// A session as the look-up by token finds it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opened {
    pub(super) person: Person,
    pub(super) seen_ms: i64,
}

fn account_from(row: &Row<'_>) -> sql::Result<Account> {
    Ok(Account {
        id: row.id(0)?,
        number: u32::try_from(row.int(1)?).map_err(|_| sql::Error::corrupt("account number"))?,
        username: row.text(2)?.to_owned(),
        email: row.opt_text(3)?.map(str::to_owned),
        nickname: row.text(4)?.to_owned(),
        role: role_from(row.text(5)?)?,
        locked: row.flag(6)?,
        home: row.id(7)?,
        quota_bytes: row.uint(8)?,
        used_bytes: row.uint(9)?,
        created_ms: row.int(10)?,
        status_text: row.text(11)?.to_owned(),
    })
}

fn role_from(text: &str) -> sql::Result<AccountRole> {
    match text {
        "operator" => Ok(AccountRole::Operator),
        "member" => Ok(AccountRole::Member),
        other => Err(sql::Error::corrupt(format!("account role {other:?}"))),
    }
}

pub(super) const fn role_text(role: AccountRole) -> &'static str {
    match role {
        AccountRole::Operator => "operator",
        AccountRole::Member => "member",
    }
}

pub(crate) fn account(tx: &mut Tx<'_>, id: AccountId) -> sql::Result<Option<Account>> {
    tx.opt(
        concat!("SELECT ", account_columns!(), " FROM account WHERE id = ?1"),
        &[id.into()],
        account_from,
    )
}

/// Finds an account by what a person typed.
pub(super) fn account_by_login(
    tx: &mut Tx<'_>,
    login: &LoginName,
) -> sql::Result<Option<Credentialed>> {
    let credentialed = |row: &Row<'_>| {
        Ok(Credentialed {
            account: account_from(row)?,
            password_hash: row.text(12)?.to_owned(),
        })
    };
    match login {
        LoginName::Number(number) => tx.opt(
            concat!(
                "SELECT ",
                account_columns!(),
                ", password_hash FROM account WHERE number = ?1"
            ),
            &[(*number).into()],
            credentialed,
        ),
        LoginName::Username(key) => tx.opt(
            concat!(
                "SELECT ",
                account_columns!(),
                ", password_hash FROM account WHERE username_key = ?1"
            ),
            &[key.into()],
            credentialed,
        ),
        LoginName::Email(key) => tx.opt(
            concat!(
                "SELECT ",
                account_columns!(),
                ", password_hash FROM account WHERE email_key = ?1"
            ),
            &[key.into()],
            credentialed,
        ),
    }
}

pub(super) fn password_hash(tx: &mut Tx<'_>, account: AccountId) -> sql::Result<Option<String>> {
    tx.opt(
        "SELECT password_hash FROM account WHERE id = ?1",
        &[account.into()],
        |row| Ok(row.text(0)?.to_owned()),
    )
}

/// A page of accounts by number.
pub(super) fn accounts_after(
    tx: &mut Tx<'_>,
    number: u32,
    limit: u32,
) -> sql::Result<Vec<Account>> {
    tx.all(
        concat!(
            "SELECT ",
            account_columns!(),
            " FROM account WHERE number > ?1 ORDER BY number LIMIT ?2"
        ),
        &[number.into(), limit.into()],
        account_from,
    )
}

/// Whether the server has somebody who runs it. While it has not, the one-time code is in force.
pub(super) fn any_operator(tx: &mut Tx<'_>) -> sql::Result<bool> {
    let any = tx.opt(
        "SELECT id FROM account WHERE role = 'operator' LIMIT 1",
        &[],
        |_| Ok(()),
    )?;
    Ok(any.is_some())
}

/// Replaces the password if it still is the one that was checked, and says whether it was.
pub(super) fn replace_password(
    tx: &mut Tx<'_>,
    account: AccountId,
    old: &str,
    new: &str,
) -> sql::Result<bool> {
    let replaced = tx.exec(
        "UPDATE account SET password_hash = ?3 WHERE id = ?1 AND password_hash = ?2",
        &[account.into(), old.into(), new.into()],
    )?;
    Ok(replaced > 0)
}

/// Who holds the token with this hash. Nobody does while the account is locked.
pub(super) fn session_by_token(
    tx: &mut Tx<'_>,
    token_hash: &[u8; 32],
) -> sql::Result<Option<Opened>> {
    tx.opt(
        "SELECT s.id, s.seen_ms, a.id, a.role, a.home_id FROM session s JOIN account a ON a.id = s.account_id \
         WHERE s.token_hash = ?1 AND a.locked = 0",
        &[token_hash.into()],
        |row| {
            let person = Person {
                session: row.id::<SessionId>(0)?,
                account: row.id::<AccountId>(2)?,
                role: role_from(row.text(3)?)?,
                home: row.id::<RoomId>(4)?,
            };
            Ok(Opened { person, seen_ms: row.int(1)? })
        },
    )
}

/// The sessions of an account, the one used last first.
pub(super) fn sessions(
    tx: &mut Tx<'_>,
    account: AccountId,
    current: Option<SessionId>,
) -> sql::Result<Vec<Session>> {
    tx.all(
        "SELECT id, device, address, created_ms, seen_ms FROM session WHERE account_id = ?1 \
         ORDER BY seen_ms DESC, id DESC",
        &[account.into()],
        |row| {
            let id = row.id(0)?;
            Ok(Session {
                id,
                device: row.text(1)?.to_owned(),
                address: row.text(2)?.to_owned(),
                created_ms: row.int(3)?,
                seen_ms: row.int(4)?,
                current: current == Some(id),
            })
        },
    )
}

pub(super) fn touch_session(tx: &mut Tx<'_>, session: SessionId, now_ms: i64) -> sql::Result<()> {
    tx.exec(
        "UPDATE session SET seen_ms = ?2 WHERE id = ?1 AND seen_ms < ?2",
        &[session.into(), now_ms.into()],
    )?;
    Ok(())
}

/// Ends a session of this account, and says whether there was one.
pub(super) fn end_session(
    tx: &mut Tx<'_>,
    account: AccountId,
    session: SessionId,
) -> sql::Result<bool> {
    let ended = tx.exec(
        "DELETE FROM session WHERE id = ?1 AND account_id = ?2",
        &[session.into(), account.into()],
    )?;
    Ok(ended > 0)
}

/// Ends all sessions of an account but one, and returns them.
pub(super) fn end_sessions(
    tx: &mut Tx<'_>,
    account: AccountId,
    except: Option<SessionId>,
) -> sql::Result<Vec<SessionId>> {
    let nobody = SessionId::from_bytes([0; 16]);
    tx.all(
        "DELETE FROM session WHERE account_id = ?1 AND id <> ?2 RETURNING id",
        &[account.into(), except.unwrap_or(nobody).into()],
        |row| row.id(0),
    )
}

/// Deletes sessions that were not used since `seen_ms`, `rows_max` at most, and returns them.
pub(crate) fn expire_sessions(
    tx: &mut Tx<'_>,
    seen_ms: i64,
    rows_max: u32,
) -> sql::Result<Vec<SessionId>> {
    tx.all(
        "DELETE FROM session WHERE id IN (SELECT id FROM session WHERE seen_ms < ?1 LIMIT ?2) RETURNING id",
        &[seen_ms.into(), rows_max.into()],
        |row| row.id(0),
    )
}
