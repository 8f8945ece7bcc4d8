//! Sessions of those who come by a gateway without a login: one for each account and door, which stands until it is ended.

use std::sync::Arc;

use wharf_store::sql::{self, Lock, Tx};
use wharf_types::SessionId;
use wharf_types::api::account::Account;
use wharf_types::api::app_password::AppDoor;

use super::credential::LoginName;
use super::session::Opening;
use super::{Accounts, rows};
use crate::access::lock;
use crate::caller::{Caller, Origin, Person};
use crate::error::{Error, Result};
use crate::live::Notices;

impl Accounts {
    /// Lets in what a protocol does without a login, as the account that the operator named for it in the configuration.
    ///
    /// # Errors
    /// `NotFound`: there is no such account, or it is locked.
    pub async fn enter_as_configured(
        &self,
        door: AppDoor,
        login: &str,
        origin: Origin,
    ) -> Result<Caller> {
        let missing = || Error::not_found("the account that the gateway is to use is not there");
        let name = LoginName::parse(login).ok_or_else(missing)?;
        let accounts = self.clone();
        let find = move |tx: &mut Tx<'_>| {
            let found = rows::account_by_login(tx, &name)?.ok_or_else(missing)?;
            if found.account.locked {
                return Err(missing());
            }
            let id = accounts.shared.tickets.standing(found.account.id, door);
            let now_ms = accounts.ground.clock.now_ms();
            let stands = touch_standing(tx, id, now_ms)?;
            Ok((found.account, id, stands))
        };
        let (account, id, stands) = self.ground.db.write(Lock::None, find).await?;
        let person = Person {
            account: account.id,
            role: account.role,
            session: id,
            home: account.home,
        };
        if !stands {
            self.open_standing(account, id, door, origin).await?;
        }
        Ok(Caller::person_at(person, origin))
    }

    /// Opens the session that stands for those who come by `door` without a login, unless another connection just did.
    async fn open_standing(
        &self,
        account: Account,
        id: SessionId,
        door: AppDoor,
        origin: Origin,
    ) -> Result<()> {
        let opening = Opening::new(Some(&format!("{door} without a login")), origin)?;
        let shared = Arc::clone(&self.shared);
        let now_ms = self.ground.clock.now_ms();
        let only_one = lock(&[], &[account.id]);
        let open = move |tx: &mut Tx<'_>| {
            if touch_standing(tx, id, now_ms)? {
                return Ok(((), Notices::default()));
            }
            let ticket = shared.tickets.of(id, door);
            let (_, notices) = opening.open_as(tx, account.clone(), id, ticket, now_ms)?;
            Ok(((), notices))
        };
        self.ground.act(only_one, open).await
    }
}

/// Notes that a session was used, and says whether it stands.
fn touch_standing(tx: &mut Tx<'_>, session: SessionId, now_ms: i64) -> sql::Result<bool> {
    rows::touch_session(tx, session, now_ms)?;
    let sql = "SELECT 1 FROM session WHERE id = ?1";
    let found = tx.opt(sql, &[session.into()], |_| Ok(()))?;
    Ok(found.is_some())
}
