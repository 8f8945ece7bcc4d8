//! Accounts, sessions, invitations, and the operator's view of them.

use wharf_types::api::account::{
    Account, Accounts, AddAccount, AddedAccount, ChangePassword, CreateInvitation, EditAccount,
    Invitation, LoggedIn, Login, RenameSession, ServerInfo, Session, Signup,
};
use wharf_types::{AccountId, SessionId};

use super::{Api, ApiError};

impl Api {
    /// What anybody may know of the server.
    pub async fn server(&self) -> Result<ServerInfo, ApiError> {
        todo!()
    }

    /// Makes an account and logs in with it.
    pub async fn signup(&self, _signup: &Signup) -> Result<LoggedIn, ApiError> {
        todo!()
    }

    /// Opens a session.
    pub async fn login(&self, _login: &Login) -> Result<LoggedIn, ApiError> {
        todo!()
    }

    /// Ends the session that asks.
    pub async fn logout(&self) -> Result<(), ApiError> {
        todo!()
    }

    /// Changes the password and ends the account's other sessions.
    pub async fn change_password(&self, _change: &ChangePassword) -> Result<(), ApiError> {
        todo!()
    }

    /// The caller's account.
    pub async fn account(&self) -> Result<Account, ApiError> {
        todo!()
    }

    /// The account's sessions.
    pub async fn sessions(&self) -> Result<Vec<Session>, ApiError> {
        todo!()
    }

    /// Renames a session's device.
    pub async fn rename_session(
        &self,
        _id: SessionId,
        _rename: &RenameSession,
    ) -> Result<Session, ApiError> {
        todo!()
    }

    /// Ends a session.
    pub async fn end_session(&self, _id: SessionId) -> Result<(), ApiError> {
        todo!()
    }

    /// The invitations that still hold. For operators.
    pub async fn invitations(&self) -> Result<Vec<Invitation>, ApiError> {
        todo!()
    }

    /// Makes an invitation. For operators.
    pub async fn create_invitation(
        &self,
        _create: &CreateInvitation,
    ) -> Result<Invitation, ApiError> {
        todo!()
    }

    /// Ends an invitation. For operators.
    pub async fn end_invitation(&self, _id: &str) -> Result<(), ApiError> {
        todo!()
    }

    /// A page of all accounts, by number. For operators.
    pub async fn admin_accounts(
        &self,
        _after: Option<u32>,
        _limit: Option<u32>,
    ) -> Result<Accounts, ApiError> {
        todo!()
    }

    /// The account of a username, number or e-mail address. For operators.
    pub async fn admin_account(&self, _login: &str) -> Result<Account, ApiError> {
        todo!()
    }

    /// Makes an account. For operators.
    pub async fn admin_add_account(&self, _add: &AddAccount) -> Result<AddedAccount, ApiError> {
        todo!()
    }

    /// Changes an account. For operators.
    pub async fn admin_edit_account(
        &self,
        _id: AccountId,
        _edit: &EditAccount,
    ) -> Result<AddedAccount, ApiError> {
        todo!()
    }
}
