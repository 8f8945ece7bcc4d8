//! What operators may do with accounts.

use wharf_store::sql::{Lock, Tx};
use wharf_types::AccountId;
use wharf_types::api::account::{
    Account, AccountRole, Accounts as AccountPage, AddAccount, AddedAccount, EditAccount,
};
use wharf_types::limit::{PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX};

use super::credential::{self, LoginName, new_password};
use super::make::{self, Draft};
use super::{Accounts, app_password, rows};
use crate::Ground;
use crate::access::require_session;
use crate::caller::{Caller, InternalRole, Person};
use crate::error::{Error, Result};
use crate::live::Notices;

/// Largest quota: what a signed 64-bit column holds.
const QUOTA_BYTES_MAX: u64 = i64::MAX as u64;

/// The operator's hands: there are none without the check that [`Accounts::admin`] makes, and each operation makes it
/// again in its transaction.
pub struct Admin<'a> {
    accounts: &'a Accounts,
    operator: Operator,
}

#[derive(Debug, Clone, Copy)]
enum Operator {
    Person(Person),
    Console,
}

impl Accounts {
    /// What operators may do. Each operation checks again, in its transaction, that the caller still is one.
    ///
    /// # Errors
    /// `Denied`: the caller is no operator.
    pub fn admin(&self, caller: &Caller) -> Result<Admin<'_>> {
        let operator = match caller.internal_role() {
            Some(InternalRole::Console) => Operator::Console,
            Some(InternalRole::Job) => return Err(not_operator()),
            None => {
                caller.may_write()?;
                let person = *caller.person()?;
                if person.role != AccountRole::Operator {
                    return Err(not_operator());
                }
                Operator::Person(person)
            }
        };
        Ok(Admin {
            accounts: self,
            operator,
        })
    }
}

impl Admin<'_> {
    /// Makes an account with its personal room. Chooses the password where none is given.
    ///
    /// # Errors
    /// - `Invalid`: a value is outside its bounds.
    /// - `Exists`: the username or e-mail address is taken.
    pub async fn add(&self, request: AddAccount) -> Result<AddedAccount> {
        let ground = self.ground().clone();
        let mut draft = Draft::new(
            &ground,
            &request.username,
            request.email.as_deref(),
            request.nickname.as_deref(),
        )?;
        draft.role = request.role.unwrap_or(AccountRole::Member);
        draft.quota_bytes = quota(request.quota_bytes.unwrap_or(draft.quota_bytes))?;
        let (password, chosen) = if let Some(given) = request.password {
            (new_password(&given)?, None)
        } else {
            let chosen = credential::new_code(&ground.random).text;
            (chosen.clone(), Some(chosen))
        };
        let place = self.accounts.shared.passwords.place().await?;
        draft.password_hash = place.hash(password).await?;
        let now_ms = ground.clock.now_ms();
        let account = self
            .write(Lock::Global, move |tx| {
                make::insert(tx, &ground, &draft, now_ms)
            })
            .await?;
        Ok(AddedAccount {
            account,
            password: chosen,
        })
    }

    /// Lists accounts by number, those after number `after`, at most `limit` of them.
    pub async fn list(&self, after: Option<u32>, limit: Option<u32>) -> Result<AccountPage> {
        let limit = limit.unwrap_or(PAGE_ITEMS_DEFAULT).clamp(1, PAGE_ITEMS_MAX);
        let read = move |tx: &mut Tx<'_>| {
            Ok(rows::accounts_after(
                tx,
                after.unwrap_or(0),
                limit.saturating_add(1),
            )?)
        };
        let mut items = self.read(read).await?;
        let is_more = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next = items.last().filter(|_| is_more).map(|last| last.number);
        Ok(AccountPage { items, next })
    }

    /// Finds an account by username, number or e-mail address.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn find(&self, login: &str) -> Result<Account> {
        let login = LoginName::parse(login).ok_or_else(no_such_account)?;
        self.read(move |tx| {
            let found = rows::account_by_login(tx, &login)?.ok_or_else(no_such_account)?;
            Ok(found.account)
        })
        .await
    }

    /// Locks or unlocks an account, sets its quota, gives it a new password. A new password removes those of gateways,
    /// but where the account had none of its own.
    ///
    /// # Errors
    /// - `NotFound`: no such account.
    /// - `Denied`: operators may not lock themselves out.
    /// - `Invalid`: the quota is out of bounds.
    pub async fn edit(&self, account: AccountId, request: EditAccount) -> Result<AddedAccount> {
        let quota_bytes = request.quota_bytes.map(quota).transpose()?;
        if request.locked == Some(true) && self.account().ok() == Some(account) {
            return Err(Error::denied(
                "you cannot lock yourself out: another operator can",
            ));
        }
        let (password, hash) = if request.reset_password {
            let password = credential::new_code(&self.ground().random).text;
            let place = self.accounts.shared.passwords.place().await?;
            let hash = place.hash(password.clone()).await?;
            (Some(password), Some(hash))
        } else {
            (None, None)
        };
        self.accounts.revoke(account);
        let operator = self.operator;
        let edit = move |tx: &mut Tx<'_>| {
            operator.require(tx)?;
            // Whose only passwords are those of gateways keeps them.
            let has_own = rows::password_hash(tx, account)?.is_some_and(|own| !own.is_empty());
            if hash.is_some() && has_own {
                app_password::remove_all(tx, account)?;
            }
            tx.exec(
                "UPDATE account SET locked = COALESCE(?2, locked), quota_bytes = COALESCE(?3, quota_bytes), \
                 password_hash = COALESCE(?4, password_hash) WHERE id = ?1",
                &[account.into(), request.locked.into(), quota_bytes.into(), hash.as_deref().into()],
            )?;
            let ended = if request.locked == Some(true) || hash.is_some() {
                rows::end_sessions(tx, account, None)?
            } else {
                Vec::new()
            };
            let edited = rows::account(tx, account)?.ok_or_else(no_such_account)?;
            Ok((edited, Notices::of_sessions(ended)))
        };
        Ok(AddedAccount {
            account: self.ground().act(Lock::Global, edit).await?,
            password,
        })
    }

    /// Passes while the caller is an operator. For what is not in the database; everything else checks in its own
    /// transaction.
    pub(crate) async fn require(&self) -> Result<()> {
        self.read(|_| Ok(())).await
    }

    pub(super) fn ground(&self) -> &Ground {
        &self.accounts.ground
    }

    /// Who operates, where it is a person.
    pub(super) fn account(&self) -> Result<AccountId> {
        match self.operator {
            Operator::Person(person) => Ok(person.account),
            Operator::Console => Err(Error::denied("this needs an operator's account")),
        }
    }

    /// Runs `work` in a transaction in which the caller still is an operator.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        lock: Lock,
        mut work: impl FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let operator = self.operator;
        let checked = move |tx: &mut Tx<'_>| {
            operator.require(tx)?;
            work(tx)
        };
        self.ground().db.write(lock, checked).await
    }

    /// Runs `work` on a snapshot in which the caller still is an operator.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        mut work: impl FnMut(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let operator = self.operator;
        let checked = move |tx: &mut Tx<'_>| {
            operator.require(tx)?;
            work(tx)
        };
        self.ground().db.read(checked).await
    }
}

impl Operator {
    fn require(self, tx: &mut Tx<'_>) -> Result<()> {
        let Self::Person(person) = self else {
            return Ok(());
        };
        require_session(tx, person.session)?;
        match rows::account(tx, person.account)? {
            Some(account) if account.role == AccountRole::Operator => Ok(()),
            Some(_) | None => Err(not_operator()),
        }
    }
}

fn quota(bytes: u64) -> Result<u64> {
    if bytes > QUOTA_BYTES_MAX {
        return Err(Error::invalid(format!(
            "a quota is at most {QUOTA_BYTES_MAX} bytes"
        )));
    }
    Ok(bytes)
}

fn not_operator() -> Error {
    Error::denied("only an operator may do this")
}

fn no_such_account() -> Error {
    Error::not_found("there is no such account")
}
