//! Groups of contacts.

use wharf_store::sql::Tx;
use wharf_types::api::contact::{ContactGroup, EditContactGroup};
use wharf_types::limit::CONTACT_GROUPS_MAX;
use wharf_types::name::fold;
use wharf_types::{AccountId, ContactGroupId, ErrorCode};

use super::{Contacts, group, groups};
use crate::access::{lock, require_writer};
use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::live::Notices;
use crate::room::{Thing, Told};
use crate::text::label;

impl Contacts {
    /// Makes a group. Where no order is given it stands after the others.
    ///
    /// # Errors
    /// - `Invalid`: the name is empty or too long.
    /// - `Exists`: there is a group of this name.
    /// - `TooLarge`: there are too many groups.
    pub async fn create_group(
        &self,
        by: &Caller,
        request: EditContactGroup,
    ) -> Result<ContactGroup> {
        let name = label("a group's name", request.name.as_deref().unwrap_or(""))?;
        let (by, ground) = (*by, self.ground.clone());
        let work = move |tx: &mut Tx<'_>| {
            let me = require_writer(tx, &by)?.account;
            let there = groups(tx, me)?;
            if there.len() >= CONTACT_GROUPS_MAX as usize {
                return Err(Error::new(
                    ErrorCode::TooLarge,
                    format!("there are {CONTACT_GROUPS_MAX} groups already: remove some"),
                ));
            }
            let after = there.last().map_or(0, |last| last.order.saturating_add(1));
            let group = ContactGroup {
                id: ground.random.id(ContactGroupId::new, ground.clock.now_ms()),
                name: name.clone(),
                order: request.order.unwrap_or(after),
            };
            put(tx, me, &group)?;
            let notices = touched(tx, me, Thing::Group(group.id))?;
            Ok((group, notices))
        };
        self.ground.act(lock(&[], &[by.account()?]), work).await
    }

    /// Renames a group or gives it another place.
    ///
    /// # Errors
    /// - `NotFound`: the caller has no such group.
    /// - `Invalid`: the name is empty or too long.
    /// - `Exists`: there is another group of this name.
    pub async fn edit_group(
        &self,
        by: &Caller,
        id: ContactGroupId,
        request: EditContactGroup,
    ) -> Result<ContactGroup> {
        let name = request
            .name
            .as_deref()
            .map(|name| label("a group's name", name))
            .transpose()?;
        let by = *by;
        let work = move |tx: &mut Tx<'_>| {
            let me = require_writer(tx, &by)?.account;
            let found = group(tx, me, id)?.ok_or_else(no_such_group)?;
            let group = ContactGroup {
                id,
                name: name.clone().unwrap_or(found.name),
                order: request.order.unwrap_or(found.order),
            };
            put(tx, me, &group)?;
            let notices = touched(tx, me, Thing::Group(id))?;
            Ok((group, notices))
        };
        self.ground.act(lock(&[], &[by.account()?]), work).await
    }

    /// Removes a group. Who was in it is in none afterwards.
    ///
    /// # Errors
    /// `NotFound`: the caller has no such group.
    pub async fn remove_group(&self, by: &Caller, id: ContactGroupId) -> Result<()> {
        let by = *by;
        let work = move |tx: &mut Tx<'_>| {
            let me = require_writer(tx, &by)?.account;
            let args = [me.into(), id.into()];
            let removed = tx.exec(
                "DELETE FROM contact_group WHERE account_id = ?1 AND id = ?2",
                &args,
            )?;
            if removed == 0 {
                return Err(no_such_group());
            }
            let were_in = tx.all(
                "UPDATE contact SET group_id = NULL WHERE account_id = ?1 AND group_id = ?2 RETURNING other_id",
                &args,
                |row| row.id::<AccountId>(0),
            )?;
            let mut told = Told::default();
            for other in were_in {
                told.touch(me, Thing::Contact(other));
            }
            told.touch(me, Thing::Group(id));
            Ok(((), told.settle(tx)?))
        };
        self.ground.act(lock(&[], &[by.account()?]), work).await
    }
}

fn touched(tx: &mut Tx<'_>, account: AccountId, thing: Thing) -> Result<Notices> {
    let mut told = Told::default();
    told.touch(account, thing);
    Ok(told.settle(tx)?)
}

/// Writes a group, under its account's lock.
fn put(tx: &mut Tx<'_>, account: AccountId, group: &ContactGroup) -> Result<()> {
    let key = fold(&group.name);
    let taken = tx.opt(
        "SELECT id FROM contact_group WHERE account_id = ?1 AND name_key = ?2",
        &[account.into(), (&key).into()],
        |row| row.id::<ContactGroupId>(0),
    )?;
    if taken.is_some_and(|id| id != group.id) {
        return Err(Error::new(
            ErrorCode::Exists,
            "there is a group of this name",
        ));
    }
    tx.exec(
        "INSERT INTO contact_group (account_id, id, name, name_key, sort) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (account_id, id) DO UPDATE SET name = excluded.name, name_key = excluded.name_key, \
         sort = excluded.sort",
        &[
            account.into(),
            group.id.into(),
            (&group.name).into(),
            (&key).into(),
            group.order.into(),
        ],
    )?;
    Ok(())
}

fn no_such_group() -> Error {
    Error::not_found("there is no such group")
}
