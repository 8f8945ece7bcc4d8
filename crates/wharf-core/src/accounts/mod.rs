//! Accounts, sessions, invitations, and the operator's view of them.

mod admin;

use std::sync::Arc;

use wharf_types::SessionId;
use wharf_types::api::account::{
    Account, ChangePassword, LoggedIn, Login, RenameSession, ServerInfo, Session, Signup,
};

pub use admin::Admin;

use crate::Ground;
use crate::caller::{Caller, Origin};
use crate::error::Result;

/// Accounts, sessions and invitations of a house.
#[derive(Clone)]
pub struct Accounts {
    parts: Arc<Parts>,
}

struct Parts {
    ground: Ground,
}

impl Accounts {
    pub(crate) async fn open(ground: Ground) -> Result<Self> {
        Ok(Self {
            parts: Arc::new(Parts { ground }),
        })
    }

    /// What anybody may know of the server.
    pub async fn info(&self) -> Result<ServerInfo> {
        todo!()
    }

    /// The one-time code that makes the operator's account, until it is used. Made anew at each start: only its hash
    /// is stored.
    pub fn setup_code(&self) -> Option<String> {
        todo!()
    }

    /// Makes an account with its personal room, and opens its first session.
    ///
    /// # Errors
    /// - `Invalid`: a value is outside its bounds.
    /// - `Denied`: sign-up is closed, or the code is missing, wrong, used up or past its time.
    /// - `Exists`: the username or e-mail address is taken.
    /// - `Limited`: too many sign-ups from this address.
    pub async fn signup(&self, request: Signup, origin: Origin) -> Result<LoggedIn> {
        todo!()
    }

    /// Opens a session. An unknown login takes as long, counts as much, and is answered in the same words as a wrong
    /// password.
    ///
    /// # Errors
    /// - `Unauthenticated`: the login is unknown or the password wrong.
    /// - `Denied`: the password is right and the account is locked.
    /// - `Limited`: too many failures; carries the seconds to wait.
    pub async fn login(&self, request: Login, origin: Origin) -> Result<LoggedIn> {
        todo!()
    }

    /// Tells who holds `token`. Cheap: most calls touch memory only.
    ///
    /// # Errors
    /// `Unauthenticated`: no such session, it has ended, or its account is locked.
    pub async fn authenticate(&self, token: &str, origin: Origin) -> Result<Caller> {
        todo!()
    }

    /// Ends the caller's session.
    pub async fn logout(&self, caller: &Caller) -> Result<()> {
        todo!()
    }

    /// Sets another password and ends the account's other sessions.
    ///
    /// # Errors
    /// - `Denied`: the current password is wrong.
    /// - `Invalid`: the new one is outside its bounds.
    /// - `Limited`: too many failures.
    pub async fn change_password(&self, caller: &Caller, request: ChangePassword) -> Result<()> {
        todo!()
    }

    /// The caller's account.
    pub async fn account(&self, caller: &Caller) -> Result<Account> {
        todo!()
    }

    /// The sessions of the caller's account, the one used last first.
    pub async fn sessions(&self, caller: &Caller) -> Result<Vec<Session>> {
        todo!()
    }

    /// Renames the device of one of the caller's sessions.
    ///
    /// # Errors
    /// - `NotFound`: the caller has no such session.
    /// - `Invalid`: the name is empty or too long.
    pub async fn rename_session(
        &self,
        caller: &Caller,
        session: SessionId,
        request: RenameSession,
    ) -> Result<Session> {
        todo!()
    }

    /// Ends one of the caller's sessions.
    ///
    /// # Errors
    /// `NotFound`: the caller has no such session.
    pub async fn end_session(&self, caller: &Caller, session: SessionId) -> Result<()> {
        todo!()
    }

    /// What operators may do. Each operation checks again, in its transaction, that the caller still is one.
    ///
    /// # Errors
    /// `Denied`: the caller is no operator.
    pub fn admin(&self, caller: &Caller) -> Result<Admin<'_>> {
        todo!()
    }
}
