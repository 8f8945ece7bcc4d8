//! What a person notes of somebody: a remark, a group, a block.

use wharf_store::sql::Tx;
use wharf_types::AccountId;
use wharf_types::api::contact::{Contact, ContactState, EditContact};
use wharf_types::limit::LABEL_BYTES_MAX;

use super::request::{part, require_space};
use super::rows::{self, Side};
use super::{Contacts, contact};
use crate::access::{lock, require_writer};
use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::room::{self, Thing, Told};
use crate::text::line;

impl Contacts {
    /// Sets the remark and the group of somebody in the caller's list, and blocks whomever the caller wants to hear nothing
    /// of. A block ends a request that waits between the two, and invitations of the other one; a contact it leaves as it
    /// is, and nobody can write in the direct room meanwhile.
    ///
    /// # Errors
    /// - `NotFound`: they are not in the caller's list (a block puts them there), or there is no such group.
    /// - `Invalid`: the remark is too long, or it is the caller.
    /// - `TooLarge`: the list is full.
    pub async fn edit(
        &self,
        by: &Caller,
        other: AccountId,
        request: EditContact,
    ) -> Result<Contact> {
        let me = by.account()?;
        if me == other {
            return Err(Error::invalid("this is you"));
        }
        let remark = request
            .remark
            .as_deref()
            .map(|remark| line("a remark", remark, LABEL_BYTES_MAX))
            .transpose()?;
        let (by, ground) = (*by, self.ground.clone());
        let work = move |tx: &mut Tx<'_>| {
            let me = require_writer(tx, &by)?.account;
            let person = rows::person(tx, other)?.ok_or_else(not_in_list)?;
            let now_ms = ground.clock.now_ms();
            let mut told = Told::default();
            let mut side = block(tx, (me, other), request.is_blocked, now_ms, &mut told)?;
            if let Some(remark) = &remark {
                side.remark.clone_from(remark);
            }
            if request.ungroup {
                side.group = None;
            }
            if let Some(group) = request.group {
                rows::group(tx, me, group)?
                    .ok_or_else(|| Error::not_found("there is no such group"))?;
                side.group = Some(group);
            }
            let is_kept = side.is_blocked || side.state != ContactState::Stranger;
            rows::put_side(tx, me, other, is_kept.then_some(&side))?;
            told.touch(me, Thing::Contact(other));
            let shown = match contact(tx, me, other)? {
                Some(contact) => contact,
                None => side.into_contact(person, None),
            };
            Ok((shown, told.settle(tx)?))
        };
        self.ground.act(lock(&[], &[me, other]), work).await
    }
}

/// Sets or takes away the block, where one is asked for, and returns the row as it is to be.
fn block(
    tx: &mut Tx<'_>,
    (me, other): (AccountId, AccountId),
    is_blocked: Option<bool>,
    now_ms: i64,
    told: &mut Told,
) -> Result<Side> {
    let found = rows::side(tx, me, other)?;
    let Some(is_blocked) = is_blocked else {
        return found.ok_or_else(not_in_list);
    };
    told.notices.standing.extend([me, other]);
    if !is_blocked {
        let side = found.ok_or_else(not_in_list)?;
        if side.is_blocked && side.state == ContactState::Contact {
            room::touch_direct(tx, me, other, told)?;
        }
        return Ok(Side {
            is_blocked: false,
            ..side
        });
    }
    room::drop_invitations(tx, me, other, told)?;
    let side = match found {
        None => {
            require_space(tx, me, true, false)?;
            Side::new(ContactState::Stranger, "", now_ms)
        }
        Some(side) if side.state == ContactState::Contact => {
            if !side.is_blocked {
                room::touch_direct(tx, me, other, told)?;
            }
            side
        }
        Some(side) if side.state == ContactState::Stranger => side,
        Some(side) => {
            part(tx, (me, other), side.clone(), now_ms, told)?;
            Side {
                remark: side.remark,
                group: side.group,
                ..Side::new(ContactState::Stranger, "", now_ms)
            }
        }
    };
    Ok(Side {
        is_blocked: true,
        ..side
    })
}

fn not_in_list() -> Error {
    Error::not_found("they are not in your list")
}
