//! Accounts, sessions, invitations, and the operator's view of them.

use http::Method;
use wharf_types::api::account::{
    Account, Accounts, AddAccount, AddedAccount, ChangePassword, CreateInvitation, CreateJwt,
    EditAccount, Invitation, IssuedJwt, LoggedIn, Login, RenameSession, ServerInfo, Session,
    Signup,
};
use wharf_types::api::app_password::{AppDoor, AppPassword, CreateAppPassword};
use wharf_types::api::job::{EditJob, Job};
use wharf_types::{AccountId, SessionId};

use super::{Api, ApiError, number};

impl Api {
    /// What anybody may know of the server.
    pub async fn server(&self) -> Result<ServerInfo, ApiError> {
        self.get(&["server"], &[]).await
    }

    /// Makes an account and logs in with it.
    pub async fn signup(&self, signup: &Signup) -> Result<LoggedIn, ApiError> {
        self.json(
            self.request(Method::POST, &["signup"], &[])
                .with_json(signup)?
                .once(),
        )
        .await
    }

    /// Opens a session.
    pub async fn login(&self, login: &Login) -> Result<LoggedIn, ApiError> {
        self.json(
            self.request(Method::POST, &["login"], &[])
                .with_json(login)?
                .once(),
        )
        .await
    }

    /// Ends the session that asks.
    pub async fn logout(&self) -> Result<(), ApiError> {
        self.done(self.request(Method::POST, &["logout"], &[]))
            .await
    }

    /// Changes the password and ends the account's other sessions.
    pub async fn change_password(&self, change: &ChangePassword) -> Result<(), ApiError> {
        self.done(
            self.request(Method::POST, &["password"], &[])
                .with_json(change)?
                .once(),
        )
        .await
    }

    /// The caller's account.
    pub async fn account(&self) -> Result<Account, ApiError> {
        self.get(&["account"], &[]).await
    }

    /// The account's sessions.
    pub async fn sessions(&self) -> Result<Vec<Session>, ApiError> {
        self.get(&["sessions"], &[]).await
    }

    /// Renames a session's device.
    pub async fn rename_session(
        &self,
        id: SessionId,
        rename: &RenameSession,
    ) -> Result<Session, ApiError> {
        self.json(
            self.request(Method::PATCH, &["sessions", &id.to_string()], &[])
                .with_json(rename)?,
        )
        .await
    }

    /// Makes a JSON Web Token, and the session that it stands for.
    pub async fn create_jwt(&self, create: &CreateJwt) -> Result<IssuedJwt, ApiError> {
        self.json(
            self.request(Method::POST, &["account", "jwt"], &[])
                .with_json(create)?
                .once(),
        )
        .await
    }

    /// Ends a session.
    pub async fn end_session(&self, id: SessionId) -> Result<(), ApiError> {
        self.done(self.request(Method::DELETE, &["sessions", &id.to_string()], &[]))
            .await
    }

    /// The account's passwords of gateways, without the secrets.
    pub async fn app_passwords(&self) -> Result<Vec<AppPassword>, ApiError> {
        self.get(&["account", "app-passwords"], &[]).await
    }

    /// Makes a password for a gateway; its secret is in this answer alone.
    pub async fn create_app_password(&self, door: AppDoor) -> Result<AppPassword, ApiError> {
        self.json(
            self.request(Method::POST, &["account", "app-passwords"], &[])
                .with_json(&CreateAppPassword { door })?
                .once(),
        )
        .await
    }

    /// Removes a password of a gateway.
    pub async fn remove_app_password(&self, door: AppDoor) -> Result<(), ApiError> {
        let path = ["account", "app-passwords", door.text()];
        self.done(self.request(Method::DELETE, &path, &[])).await
    }

    /// The invitations that still hold. For operators.
    pub async fn invitations(&self) -> Result<Vec<Invitation>, ApiError> {
        self.get(&["invitations"], &[]).await
    }

    /// Makes an invitation. For operators.
    pub async fn create_invitation(
        &self,
        create: &CreateInvitation,
    ) -> Result<Invitation, ApiError> {
        self.json(
            self.request(Method::POST, &["invitations"], &[])
                .with_json(create)?
                .once(),
        )
        .await
    }

    /// Ends an invitation. For operators.
    pub async fn end_invitation(&self, id: &str) -> Result<(), ApiError> {
        self.done(self.request(Method::DELETE, &["invitations", id], &[]))
            .await
    }

    /// A page of all accounts, by number. For operators.
    pub async fn admin_accounts(
        &self,
        after: Option<u32>,
        limit: Option<u32>,
    ) -> Result<Accounts, ApiError> {
        self.get(
            &["admin", "accounts"],
            &[
                ("after", number(after).as_deref()),
                ("limit", number(limit).as_deref()),
            ],
        )
        .await
    }

    /// The account of a username, number or e-mail address. For operators.
    pub async fn admin_account(&self, login: &str) -> Result<Account, ApiError> {
        self.get(&["admin", "accounts", login], &[]).await
    }

    /// Makes an account. For operators.
    pub async fn admin_add_account(&self, add: &AddAccount) -> Result<AddedAccount, ApiError> {
        self.json(
            self.request(Method::POST, &["admin", "accounts"], &[])
                .with_json(add)?
                .once(),
        )
        .await
    }

    /// Changes an account. For operators.
    pub async fn admin_edit_account(
        &self,
        id: AccountId,
        edit: &EditAccount,
    ) -> Result<AddedAccount, ApiError> {
        self.json(
            self.request(Method::PATCH, &["admin", "accounts", &id.to_string()], &[])
                .with_json(edit)?
                .once(),
        )
        .await
    }

    /// The background jobs of the server that answers. For operators.
    pub async fn admin_jobs(&self) -> Result<Vec<Job>, ApiError> {
        self.get(&["admin", "jobs"], &[]).await
    }

    /// Paces, pauses or hurries a background job. For operators.
    pub async fn admin_edit_job(&self, name: &str, edit: &EditJob) -> Result<Job, ApiError> {
        self.json(
            self.request(Method::PATCH, &["admin", "jobs", name], &[])
                .with_json(edit)?,
        )
        .await
    }
}
