//! Making an account: its row, its number, its personal room, in the caller's transaction.

use wharf_store::sql::Tx;
use wharf_types::api::account::{Account, AccountRole};
use wharf_types::api::room::{History, Role, RoomKind};
use wharf_types::{AccountId, ErrorCode, RoomId};

use super::credential::{Keyed, NUMBER_MIN, NUMBERS, email, username};
use super::rows;
use crate::Ground;
use crate::error::{Error, Result};
use crate::room::{self, NewRoom};
use crate::text::label;

/// How many numbers are tried at random before the house says that they run out: with half of them taken, that many
/// misses in a row do not happen.
const NUMBER_TRIES: u32 = 64;

/// What an account is made from, checked.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) username: Keyed,
    pub(super) email: Option<Keyed>,
    pub(super) nickname: String,
    pub(super) role: AccountRole,
    pub(super) quota_bytes: u64,
    /// Empty until the password is hashed, which is long after it is checked.
    pub(super) password_hash: String,
}

impl Draft {
    /// Checks what a person wants to be called.
    ///
    /// # Errors
    /// `Invalid`.
    pub(super) fn new(
        ground: &Ground,
        username_text: &str,
        email_text: Option<&str>,
        nickname: Option<&str>,
    ) -> Result<Self> {
        let username = username(username_text)?;
        Ok(Self {
            nickname: label("a nickname", nickname.unwrap_or(&username.shown))?,
            username,
            email: email_text.map(email).transpose()?,
            role: AccountRole::Member,
            quota_bytes: ground.config.quota_bytes_default,
            password_hash: String::new(),
        })
    }
}

/// Refuses a username or e-mail address that is taken.
///
/// # Errors
/// `Exists`.
pub(super) fn require_free(tx: &mut Tx<'_>, draft: &Draft) -> Result<()> {
    let by_name = tx.opt(
        "SELECT id FROM account WHERE username_key = ?1",
        &[(&draft.username.key).into()],
        |_| Ok(()),
    )?;
    if by_name.is_some() {
        return Err(Error::new(ErrorCode::Exists, "this username is taken"));
    }
    let Some(email) = &draft.email else {
        return Ok(());
    };
    let by_email = tx.opt(
        "SELECT id FROM account WHERE email_key = ?1",
        &[(&email.key).into()],
        |_| Ok(()),
    )?;
    match by_email {
        Some(()) => Err(Error::new(
            ErrorCode::Exists,
            "this e-mail address has an account",
        )),
        None => Ok(()),
    }
}

/// Makes the account with its personal room. Needs [`Lock::Global`](wharf_store::sql::Lock::Global), so that what
/// [`require_free`] found still holds.
///
/// # Errors
/// - `Exists`: the username or e-mail address is taken.
/// - `Unavailable`: the six-digit numbers run out.
pub(super) fn insert(
    tx: &mut Tx<'_>,
    ground: &Ground,
    draft: &Draft,
    now_ms: i64,
) -> Result<Account> {
    require_free(tx, draft)?;
    let account = Account {
        id: ground.random.id(AccountId::new, now_ms),
        number: free_number(tx, ground)?,
        username: draft.username.shown.clone(),
        email: draft.email.as_ref().map(|email| email.shown.clone()),
        nickname: draft.nickname.clone(),
        status_text: String::new(),
        role: draft.role,
        locked: false,
        home: ground.random.id(RoomId::new, now_ms),
        quota_bytes: draft.quota_bytes,
        used_bytes: 0,
        created_ms: now_ms,
    };
    tx.exec(
        "INSERT INTO account (id, number, username, username_key, email, email_key, nickname, password_hash, role, \
         locked, home_id, quota_bytes, used_bytes, created_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, ?10, ?11, 0, ?12)",
        &[
            account.id.into(),
            account.number.into(),
            (&account.username).into(),
            (&draft.username.key).into(),
            account.email.as_deref().into(),
            draft.email.as_ref().map(|email| email.key.as_str()).into(),
            (&account.nickname).into(),
            (&draft.password_hash).into(),
            rows::role_text(account.role).into(),
            account.home.into(),
            account.quota_bytes.into(),
            now_ms.into(),
        ],
    )?;
    let home = NewRoom {
        id: account.home,
        kind: RoomKind::Personal,
        owner: account.id,
        name: "",
        topic: "",
        history: History::All,
        direct_key: None,
        now_ms,
    };
    room::insert(tx, ground, &home)?;
    room::insert_member(tx, account.home, account.id, Role::Owner, 0, now_ms)?;
    Ok(account)
}

/// Picks a number that nobody has, at random: numbers in a row would tell how many accounts there are.
fn free_number(tx: &mut Tx<'_>, ground: &Ground) -> Result<u32> {
    for _ in 0..NUMBER_TRIES {
        let number = NUMBER_MIN + ground.random.below(NUMBERS);
        let taken = tx.opt(
            "SELECT id FROM account WHERE number = ?1",
            &[number.into()],
            |_| Ok(()),
        )?;
        if taken.is_none() {
            return Ok(number);
        }
    }
    Err(Error::new(
        ErrorCode::Unavailable,
        "the server has no number left for another account",
    ))
}
