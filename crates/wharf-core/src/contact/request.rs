//! Asking, accepting, declining and removing.

use wharf_store::sql::Tx;
use wharf_types::api::contact::{AskContact, Contact, ContactState};
use wharf_types::limit::{CONTACT_REQUESTS_MAX, CONTACTS_PER_ACCOUNT_MAX, REQUEST_WORD_BYTES_MAX};
use wharf_types::{AccountId, ErrorCode};

use super::rows::{self, Side};
use super::{Contacts, contact, nobody};
use crate::access::{lock, require_writer};
use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::room::{self, Thing, Told};
use crate::text::lines;

impl Contacts {
    /// Asks somebody to become a contact. Whoever was asked by the other one accepts with it. Asking again changes
    /// nothing: a request is told once.
    ///
    /// # Errors
    /// - `NotFound`: nobody is called so.
    /// - `Invalid`: the word is too long, or it is the caller.
    /// - `Denied`: the caller blocked them.
    /// - `TooLarge`: the caller's list is full, or too many requests wait for an answer.
    /// - `Limited`: the caller has looked for too many people lately.
    pub async fn ask(&self, by: &Caller, request: AskContact) -> Result<Contact> {
        let word = lines(
            "what is said with a request",
            &request.word,
            REQUEST_WORD_BYTES_MAX,
        )?;
        let other = self.find(by, &request.who).await?.id;
        if other == by.account()? {
            return Err(Error::invalid(
                "this is you: your own room is there without asking",
            ));
        }
        let (by, ground) = (*by, self.ground.clone());
        let work = move |tx: &mut Tx<'_>| {
            let me = require_writer(tx, &by)?.account;
            let mut told = Told::default();
            let now_ms = ground.clock.now_ms();
            if asks(tx, (me, other), &word, now_ms, &mut told)? == Answer::Agreed {
                room::befriend(tx, &ground, &by, (other, me), &mut told)?;
            }
            let contact = contact(tx, me, other)?.ok_or_else(nobody)?;
            Ok((contact, told.settle(tx)?))
        };
        let both = lock(&[], &[by.account()?, other]);
        self.ground.act(both, work).await
    }

    /// Accepts a request: the two are contacts, and there is a direct room for them. Accepting again changes nothing.
    ///
    /// # Errors
    /// - `NotFound`: no request of theirs waits.
    /// - `TooLarge`: one of the two is in too many rooms.
    pub async fn accept(&self, by: &Caller, other: AccountId) -> Result<Contact> {
        let both = lock(&[], &[by.account()?, other]);
        let (by, ground) = (*by, self.ground.clone());
        let work = move |tx: &mut Tx<'_>| {
            let me = require_writer(tx, &by)?.account;
            let mut told = Told::default();
            let mine = rows::side(tx, me, other)?.ok_or_else(no_such_request)?;
            match mine.state {
                ContactState::Contact => {}
                ContactState::Asking => {
                    agree(tx, (me, other), ground.clock.now_ms(), &mut told)?;
                    room::befriend(tx, &ground, &by, (other, me), &mut told)?;
                }
                ContactState::Asked | ContactState::Stranger => return Err(no_such_request()),
            }
            let contact = contact(tx, me, other)?.ok_or_else(no_such_request)?;
            Ok((contact, told.settle(tx)?))
        };
        self.ground.act(both, work).await
    }

    /// Declines a request. The asker is not told.
    ///
    /// # Errors
    /// `NotFound`: no request of theirs waits.
    pub async fn decline(&self, by: &Caller, other: AccountId) -> Result<()> {
        self.end(by, other, |state| state == ContactState::Asking)
            .await
    }

    /// Ends a contact, withdraws a request, or declines one. Their direct room stays, to be read. A block stays, too.
    ///
    /// # Errors
    /// `NotFound`: they are no contact, and no request waits.
    pub async fn remove(&self, by: &Caller, other: AccountId) -> Result<()> {
        self.end(by, other, |state| state != ContactState::Stranger)
            .await
    }

    async fn end(
        &self,
        by: &Caller,
        other: AccountId,
        may_end: fn(ContactState) -> bool,
    ) -> Result<()> {
        let both = lock(&[], &[by.account()?, other]);
        let (by, ground) = (*by, self.ground.clone());
        let work = move |tx: &mut Tx<'_>| {
            let me = require_writer(tx, &by)?.account;
            let mine = rows::side(tx, me, other)?
                .filter(|side| may_end(side.state))
                .ok_or_else(no_such_request)?;
            let mut told = Told::default();
            part(tx, (me, other), mine, ground.clock.now_ms(), &mut told)?;
            Ok(((), told.settle(tx)?))
        };
        self.ground.act(both, work).await
    }
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// It waits, or nobody will ever see it.
    Waits,
    /// The other one had asked, too.
    Agreed,
}

/// `me` asks `other`.
fn asks(
    tx: &mut Tx<'_>,
    (me, other): (AccountId, AccountId),
    word: &str,
    now_ms: i64,
    told: &mut Told,
) -> Result<Answer> {
    let mine = rows::side(tx, me, other)?;
    let theirs = rows::side(tx, other, me)?;
    match &mine {
        Some(side) if side.is_blocked => {
            return Err(Error::denied(
                "you blocked them: let them be again before you ask",
            ));
        }
        Some(side) if matches!(side.state, ContactState::Asked | ContactState::Contact) => {
            return Ok(Answer::Waits);
        }
        Some(_) | None => {}
    }
    // What the other one asked counts though it was declined here: both want it now.
    if let Some(side) = &theirs
        && side.state == ContactState::Asked
        && !side.is_blocked
    {
        require_space(tx, me, mine.is_none(), false)?;
        agree(tx, (me, other), now_ms, told)?;
        return Ok(Answer::Agreed);
    }
    require_space(tx, me, mine.is_none(), true)?;
    let asked = Side::new(ContactState::Asked, word, now_ms);
    rows::put_side(tx, me, other, Some(&asked))?;
    told.touch(me, Thing::Contact(other));
    let is_full = rows::counts(tx, other)?.0 >= u64::from(CONTACTS_PER_ACCOUNT_MAX);
    if theirs.is_none() && !is_full {
        let asking = Side::new(ContactState::Asking, word, now_ms);
        rows::put_side(tx, other, me, Some(&asking))?;
        told.touch(other, Thing::Contact(me));
    }
    Ok(Answer::Waits)
}

/// Makes the two contacts of each other, with what each has noted of the other.
fn agree(
    tx: &mut Tx<'_>,
    (me, other): (AccountId, AccountId),
    now_ms: i64,
    told: &mut Told,
) -> Result<()> {
    told.notices.standing.extend([me, other]);
    for (account, whom) in [(me, other), (other, me)] {
        let noted = rows::side(tx, account, whom)?;
        let new = Side::new(ContactState::Contact, "", now_ms);
        let side = match noted {
            Some(side) => Side {
                remark: side.remark,
                group: side.group,
                is_blocked: side.is_blocked,
                ..new
            },
            None => new,
        };
        rows::put_side(tx, account, whom, Some(&side))?;
        told.touch(account, Thing::Contact(whom));
    }
    Ok(())
}

/// Ends what is between the two, from `me`'s side, whose row is `mine`.
pub(super) fn part(
    tx: &mut Tx<'_>,
    (me, other): (AccountId, AccountId),
    mine: Side,
    now_ms: i64,
    told: &mut Told,
) -> Result<()> {
    let state = mine.state;
    leave_side(tx, (me, other), mine, now_ms, told)?;
    // Who declined says nothing: the asker's row stays as it is.
    if state != ContactState::Asking
        && let Some(theirs) = rows::side(tx, other, me)?
        && matches!(theirs.state, ContactState::Asking | ContactState::Contact)
    {
        leave_side(tx, (other, me), theirs, now_ms, told)?;
    }
    if state == ContactState::Contact {
        told.notices.standing.extend([me, other]);
        room::touch_direct(tx, me, other, told)?;
    }
    Ok(())
}

/// Takes a row away; of one that blocks, the block stays.
fn leave_side(
    tx: &mut Tx<'_>,
    (account, whom): (AccountId, AccountId),
    side: Side,
    now_ms: i64,
    told: &mut Told,
) -> Result<()> {
    let left = side.is_blocked.then(|| Side {
        is_blocked: true,
        remark: side.remark,
        group: side.group,
        ..Side::new(ContactState::Stranger, "", now_ms)
    });
    rows::put_side(tx, account, whom, left.as_ref())?;
    told.touch(account, Thing::Contact(whom));
    Ok(())
}

/// Refuses what would make a list longer than it may be.
pub(super) fn require_space(
    tx: &mut Tx<'_>,
    account: AccountId,
    is_new: bool,
    is_request: bool,
) -> Result<()> {
    let (contacts, asked) = rows::counts(tx, account)?;
    if is_new && contacts >= u64::from(CONTACTS_PER_ACCOUNT_MAX) {
        return Err(Error::new(
            ErrorCode::TooLarge,
            format!("{CONTACTS_PER_ACCOUNT_MAX} people are in your list already: remove some"),
        ));
    }
    if is_request && asked >= u64::from(CONTACT_REQUESTS_MAX) {
        return Err(Error::new(
            ErrorCode::TooLarge,
            format!("{CONTACT_REQUESTS_MAX} of your requests wait for an answer: withdraw some"),
        ));
    }
    Ok(())
}

fn no_such_request() -> Error {
    Error::not_found("there is no such contact, and no request of theirs waits")
}
