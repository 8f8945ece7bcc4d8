//! Proving who one is, by password.

use wharf_store::sql::{Lock, Tx};
use wharf_types::ErrorCode;
use wharf_types::api::account::{ChangePassword, LoggedIn, Login};
use wharf_types::api::app_password::AppDoor;

use super::attempt::{self, Bound};
use super::credential::{LoginName, new_password, typed_password};
use super::rows::Credentialed;
use super::session::Opening;
use super::{Accounts, app_password, rows};
use crate::access::{require_session, session_ended};
use crate::caller::{Caller, Origin};
use crate::error::{Error, Result};
use crate::live::Notices;

impl Accounts {
    /// Opens a session. An unknown login takes as long, counts as much, and is answered in the same words as a wrong
    /// password.
    ///
    /// # Errors
    /// - `Unauthenticated`: the login is unknown or the password wrong.
    /// - `Denied`: the password is right and the account is locked.
    /// - `Limited`: too many failures; carries the seconds to wait.
    pub async fn login(&self, request: Login, origin: Origin) -> Result<LoggedIn> {
        let opening = Opening::new(request.device.as_deref(), origin)?;
        let login = LoginName::parse(&request.login);
        let limits = self.ground.config.attempts;
        let bounds = attempt::at_login(&limits, login.as_ref(), &request.login, origin.address);

        let place = self.shared.passwords.place().await?;
        let found = self
            .begin_login(login, bounds.clone(), origin, None)
            .await?;
        let stored = found.as_ref().map(|found| found.password_hash.clone());
        let password = typed_password(&request.password);
        let is_right = place.verify(password, stored).await?;
        match found {
            Some(found) if is_right => self.finish_login(found, bounds, opening).await,
            Some(_) | None => Err(wrong_login()),
        }
    }

    /// Counts the attempt and finds whose login it is, with what the password is checked against: the account's own, or
    /// that of a gateway.
    pub(super) async fn begin_login(
        &self,
        login: Option<LoginName>,
        bounds: Vec<Bound>,
        origin: Origin,
        door: Option<AppDoor>,
    ) -> Result<Option<Credentialed>> {
        let limits = self.ground.config.attempts;
        let now_ms = self.ground.clock.now_ms();
        let network = attempt::network(origin.address);
        let begin = move |tx: &mut Tx<'_>| -> Result<Option<Credentialed>> {
            let mut found = match &login {
                Some(login) => rows::account_by_login(tx, login)?,
                None => None,
            };
            if let (Some(found), Some(door)) = (&mut found, door) {
                found.password_hash =
                    app_password::verifier(tx, found.account.id, door)?.unwrap_or_default();
            }
            let account = found.as_ref().map(|found| found.account.id);
            attempt::begin(tx, &bounds, &limits, now_ms, |tx| {
                let Some(account) = account else {
                    return Ok(false);
                };
                let sessions = rows::sessions(tx, account, None)?;
                Ok(sessions.iter().any(|session| {
                    session
                        .address
                        .parse()
                        .is_ok_and(|address| attempt::network(address) == network)
                }))
            })?;
            Ok(found)
        };
        self.ground.db.write(Lock::None, begin).await
    }

    /// Opens the session, unless the account changed while the password was being checked.
    async fn finish_login(
        &self,
        found: Credentialed,
        bounds: Vec<Bound>,
        opening: Opening,
    ) -> Result<LoggedIn> {
        let ground = self.ground.clone();
        let now_ms = ground.clock.now_ms();
        let finish = move |tx: &mut Tx<'_>| {
            // An update that changes nothing: it holds the row against a change of password until the session stands.
            let unchanged = rows::replace_password(
                tx,
                found.account.id,
                &found.password_hash,
                &found.password_hash,
            )?;
            if !unchanged {
                return Err(wrong_login());
            }
            let account = rows::account(tx, found.account.id)?.ok_or_else(wrong_login)?;
            if account.locked {
                return Err(locked());
            }
            attempt::succeed(tx, &bounds)?;
            opening.open(tx, &ground, account, now_ms)
        };
        self.ground.act(Lock::None, finish).await
    }

    /// Sets another password, ends the account's other sessions and removes its passwords of gateways: whoever got in
    /// by any of them is out.
    ///
    /// # Errors
    /// - `Denied`: the current password is wrong.
    /// - `Invalid`: the new one is outside its bounds.
    /// - `Limited`: too many failures.
    pub async fn change_password(&self, caller: &Caller, request: ChangePassword) -> Result<()> {
        caller.may_write()?;
        let person = *caller.person()?;
        let new = new_password(&request.new)?;
        let limits = self.ground.config.attempts;
        let bounds = attempt::at_password(&limits, person.session);
        let now_ms = self.ground.clock.now_ms();

        let place = self.shared.passwords.place().await?;
        let begun = bounds.clone();
        let begin = move |tx: &mut Tx<'_>| -> Result<String> {
            require_session(tx, person.session)?;
            attempt::begin(tx, &begun, &limits, now_ms, |_| Ok(false))?;
            rows::password_hash(tx, person.account)?.ok_or_else(session_ended)
        };
        let stored = self.ground.db.write(Lock::None, begin).await?;
        let current = typed_password(&request.current);
        if !place.verify(current, Some(stored.clone())).await? {
            return Err(Error::denied("the current password is wrong"));
        }
        let hash = place.hash(new).await?;

        self.revoke(person.account);
        let finish = move |tx: &mut Tx<'_>| {
            require_session(tx, person.session)?;
            if !rows::replace_password(tx, person.account, &stored, &hash)? {
                return Err(Error::denied("the password was changed meanwhile"));
            }
            attempt::succeed(tx, &bounds)?;
            app_password::remove_all(tx, person.account)?;
            let ended = rows::end_sessions(tx, person.account, Some(person.session))?;
            Ok(((), Notices::of_sessions(ended)))
        };
        self.ground.act(Lock::None, finish).await
    }
}

pub(super) fn wrong_login() -> Error {
    Error::new(
        ErrorCode::Unauthenticated,
        "the login or the password is wrong",
    )
}

pub(super) fn locked() -> Error {
    Error::denied("this account is locked: ask the server's operator")
}
