//! What operators may do with accounts and invitations.

use wharf_types::AccountId;
use wharf_types::api::account::{
    Account, Accounts as AccountPage, AddAccount, AddedAccount, CreateInvitation, EditAccount,
    Invitation,
};

use super::Accounts;
use crate::caller::Caller;
use crate::error::Result;

/// The operator's hands: there is none without the check that [`Accounts::admin`] makes.
pub struct Admin<'a> {
    accounts: &'a Accounts,
    caller: Caller,
}

impl Admin<'_> {
    /// Makes an account with its personal room. Chooses the password where none is given.
    ///
    /// # Errors
    /// - `Invalid`: a value is outside its bounds.
    /// - `Exists`: the username or e-mail address is taken.
    pub async fn add(&self, request: AddAccount) -> Result<AddedAccount> {
        todo!()
    }

    /// Lists accounts by number, those after number `after`, at most `limit` of them.
    pub async fn list(&self, after: Option<u32>, limit: Option<u32>) -> Result<AccountPage> {
        todo!()
    }

    /// Finds an account by username, number or e-mail address.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn find(&self, login: &str) -> Result<Account> {
        todo!()
    }

    /// Locks or unlocks an account, sets its quota, gives it a new password.
    ///
    /// # Errors
    /// - `NotFound`: no such account.
    /// - `Denied`: operators may not lock themselves out.
    /// - `Invalid`: the quota is out of bounds.
    pub async fn edit(&self, account: AccountId, request: EditAccount) -> Result<AddedAccount> {
        todo!()
    }

    /// Makes an invitation. Its code is in this answer only.
    ///
    /// # Errors
    /// `Invalid`: the uses or the time are out of bounds.
    pub async fn create_invitation(&self, request: CreateInvitation) -> Result<Invitation> {
        todo!()
    }

    /// The invitations that still hold, the newest first.
    pub async fn invitations(&self) -> Result<Vec<Invitation>> {
        todo!()
    }

    /// Ends an invitation.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn end_invitation(&self, id: &str) -> Result<()> {
        todo!()
    }
}
