//! Contacts: who knows whom, in the groups that each person made, and what others see of a person.
//!
//! How two accounts stand is two rows of `contact`, one for each side, which change together under the lock of both
//! accounts ([`crate::access::lock`]). What the one side does shows on the other as little as it must: a request that was
//! declined, or that somebody who blocked the asker never saw, looks to the asker like one that waits; and a block shows
//! only in that nothing can be written any more, as after the end of the contact.

mod edit;
mod group;
mod profile;
mod request;
mod rows;
mod sight;

use wharf_store::sql::Tx;
use wharf_types::api::contact::{Contact, Contacts as ContactList};
use wharf_types::api::room::Person;
use wharf_types::name::fold;

pub(crate) use rows::{
    contact, contacts, direct_key, direct_room, group, groups, person, person_from,
};
pub(crate) use sight::{are_contacts, may_write, visible_to};

use crate::Ground;
use crate::access::require_writer;
use crate::accounts;
use crate::caller::Caller;
use crate::error::{Error, Result};

/// The operations on contacts. Clones are the same.
#[derive(Clone)]
pub struct Contacts {
    ground: Ground,
}

impl Contacts {
    pub(crate) const fn new(ground: Ground) -> Self {
        Self { ground }
    }

    /// Finds somebody by number, username or e-mail address, exactly. Counted, so that nobody tries all numbers.
    ///
    /// # Errors
    /// - `NotFound`: nobody is called so.
    /// - `Limited`: the caller has looked for too many people lately.
    pub async fn find(&self, by: &Caller, who: &str) -> Result<Person> {
        let (by, who) = (*by, who.to_owned());
        let ground = self.ground.clone();
        let work = move |tx: &mut Tx<'_>| -> Result<Result<Person>> {
            let me = require_writer(tx, &by)?;
            accounts::find_by_login(tx, &ground, me.account, &who)
        };
        self.ground
            .db
            .write(wharf_store::sql::Lock::None, work)
            .await?
    }

    /// Everybody in the caller's list, by remark or nickname, and the groups.
    pub async fn list(&self, by: &Caller) -> Result<ContactList> {
        let account = by.account()?;
        let read = move |tx: &mut Tx<'_>| -> Result<ContactList> {
            let mut items = contacts(tx, account)?;
            items.sort_by_cached_key(|contact| (fold(shown_name(contact)), contact.person.id));
            Ok(ContactList {
                items,
                groups: groups(tx, account)?,
            })
        };
        self.ground.db.read(read).await
    }
}

/// What a contact is called in its owner's list.
fn shown_name(contact: &Contact) -> &str {
    if contact.remark.is_empty() {
        &contact.person.nickname
    } else {
        &contact.remark
    }
}

fn nobody() -> Error {
    Error::not_found("there is nobody by this name")
}
