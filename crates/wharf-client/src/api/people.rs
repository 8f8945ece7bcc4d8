//! Contacts, requests, groups of contacts, and the own profile.

use http::Method;
use wharf_types::api::account::Account;
use wharf_types::api::contact::{
    AskContact, Contact, ContactGroup, Contacts, EditContact, EditContactGroup, EditProfile,
};
use wharf_types::api::room::Person;
use wharf_types::{AccountId, ContactGroupId};

use super::{Api, ApiError};

impl Api {
    /// The contacts, requests and blocks, and the groups.
    pub async fn contacts(&self) -> Result<Contacts, ApiError> {
        self.get(&["contacts"], &[]).await
    }

    /// The person of exactly this number, username or e-mail address.
    pub async fn find_person(&self, who: &str) -> Result<Person, ApiError> {
        self.get(&["people"], &[("who", Some(who))]).await
    }

    /// Asks somebody to become a contact.
    pub async fn ask_contact(&self, ask: &AskContact) -> Result<Contact, ApiError> {
        self.json(
            self.request(Method::POST, &["contacts"], &[])
                .with_json(ask)?,
        )
        .await
    }

    /// Accepts who asked.
    pub async fn accept_contact(&self, id: AccountId) -> Result<Contact, ApiError> {
        self.json(self.request(Method::POST, &["contacts", &id.to_string(), "accept"], &[]))
            .await
    }

    /// Declines who asked.
    pub async fn decline_contact(&self, id: AccountId) -> Result<(), ApiError> {
        self.done(self.request(Method::POST, &["contacts", &id.to_string(), "decline"], &[]))
            .await
    }

    /// Changes what the caller notes of somebody, or blocks them.
    pub async fn edit_contact(
        &self,
        id: AccountId,
        edit: &EditContact,
    ) -> Result<Contact, ApiError> {
        self.json(
            self.request(Method::PATCH, &["contacts", &id.to_string()], &[])
                .with_json(edit)?,
        )
        .await
    }

    /// Ends a contact, or takes a request back.
    pub async fn remove_contact(&self, id: AccountId) -> Result<(), ApiError> {
        self.done(self.request(Method::DELETE, &["contacts", &id.to_string()], &[]))
            .await
    }

    /// Makes a group of contacts.
    pub async fn create_contact_group(
        &self,
        edit: &EditContactGroup,
    ) -> Result<ContactGroup, ApiError> {
        self.json(
            self.request(Method::POST, &["contact-groups"], &[])
                .with_json(edit)?
                .once(),
        )
        .await
    }

    /// Changes a group of contacts.
    pub async fn edit_contact_group(
        &self,
        id: ContactGroupId,
        edit: &EditContactGroup,
    ) -> Result<ContactGroup, ApiError> {
        self.json(
            self.request(Method::PATCH, &["contact-groups", &id.to_string()], &[])
                .with_json(edit)?,
        )
        .await
    }

    /// Removes a group of contacts; those in it stay.
    pub async fn remove_contact_group(&self, id: ContactGroupId) -> Result<(), ApiError> {
        self.done(self.request(Method::DELETE, &["contact-groups", &id.to_string()], &[]))
            .await
    }

    /// Changes what others see of the caller.
    pub async fn edit_profile(&self, edit: &EditProfile) -> Result<Account, ApiError> {
        self.json(
            self.request(Method::PATCH, &["account"], &[])
                .with_json(edit)?,
        )
        .await
    }
}
