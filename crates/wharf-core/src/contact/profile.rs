//! What others see of a person.

use wharf_store::sql::{Lock, Tx};
use wharf_types::api::account::Account;
use wharf_types::api::contact::EditProfile;
use wharf_types::limit::STATUS_TEXT_BYTES_MAX;

use super::Contacts;
use crate::access::{require_writer, session_ended};
use crate::accounts;
use crate::caller::Caller;
use crate::error::Result;
use crate::room::{Told, touch_who_shows};
use crate::text::{label, line};

impl Contacts {
    /// Changes what others see of the caller, and tells it to everybody who has the caller in their list.
    ///
    /// # Errors
    /// `Invalid`: a text is outside its bounds.
    pub async fn edit_profile(&self, by: &Caller, request: EditProfile) -> Result<Account> {
        let nickname = request
            .nickname
            .as_deref()
            .map(|nickname| label("a nickname", nickname))
            .transpose()?;
        let status_text = request
            .status_text
            .as_deref()
            .map(|text| line("what you say of yourself", text, STATUS_TEXT_BYTES_MAX))
            .transpose()?;
        let by = *by;
        let work = move |tx: &mut Tx<'_>| {
            let me = require_writer(tx, &by)?.account;
            tx.exec(
                "UPDATE account SET nickname = COALESCE(?2, nickname), status_text = COALESCE(?3, status_text) \
                 WHERE id = ?1",
                &[
                    me.into(),
                    nickname.as_deref().into(),
                    status_text.as_deref().into(),
                ],
            )?;
            let mut told = Told::default();
            touch_who_shows(tx, me, &mut told)?;
            let account = accounts::account(tx, me)?.ok_or_else(session_ended)?;
            Ok((account, told.settle(tx)?))
        };
        self.ground.act(Lock::None, work).await
    }
}
