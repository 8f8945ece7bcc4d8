//! Rows of contacts and their groups, and people as others see them.

use std::collections::HashMap;

use wharf_store::sql::{self, Row, Tx};
use wharf_types::api::contact::{Contact, ContactGroup, ContactState};
use wharf_types::api::room::Person;
use wharf_types::{AccountId, ContactGroupId, RoomId};

/// How two accounts stand, from one side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Side {
    pub(super) state: ContactState,
    pub(super) is_blocked: bool,
    pub(super) remark: String,
    pub(super) group: Option<ContactGroupId>,
    pub(super) word: String,
    pub(super) since_ms: i64,
}

impl Side {
    pub(super) fn new(state: ContactState, word: &str, now_ms: i64) -> Self {
        Self {
            state,
            is_blocked: false,
            remark: String::new(),
            group: None,
            word: word.to_owned(),
            since_ms: now_ms,
        }
    }

    /// Reads six columns from `first` on.
    fn read(row: &Row<'_>, first: usize) -> sql::Result<Self> {
        Ok(Self {
            state: state_from(row.text(first)?)?,
            is_blocked: row.flag(first + 1)?,
            remark: row.text(first + 2)?.to_owned(),
            group: row.opt_id(first + 3)?,
            word: row.text(first + 4)?.to_owned(),
            since_ms: row.int(first + 5)?,
        })
    }

    pub(super) fn into_contact(self, person: Person, room: Option<RoomId>) -> Contact {
        Contact {
            person,
            state: self.state,
            is_blocked: self.is_blocked,
            remark: self.remark,
            group: self.group,
            word: self.word,
            room,
            since_ms: self.since_ms,
        }
    }
}

/// Reads a person from five columns: id, number, username, nickname, `status_text`.
pub(crate) fn person_from(row: &Row<'_>, first: usize) -> sql::Result<Person> {
    Ok(Person {
        id: row.id(first)?,
        number: u32::try_from(row.int(first + 1)?)
            .map_err(|_| sql::Error::corrupt("account number"))?,
        username: row.text(first + 2)?.to_owned(),
        nickname: row.text(first + 3)?.to_owned(),
        status_text: row.text(first + 4)?.to_owned(),
    })
}

/// An account as others see it.
pub(crate) fn person(tx: &mut Tx<'_>, account: AccountId) -> sql::Result<Option<Person>> {
    tx.opt(
        "SELECT id, number, username, nickname, status_text FROM account WHERE id = ?1",
        &[account.into()],
        |row| person_from(row, 0),
    )
}

/// What `account` notes of `other`.
pub(super) fn side(
    tx: &mut Tx<'_>,
    account: AccountId,
    other: AccountId,
) -> sql::Result<Option<Side>> {
    tx.opt(
        "SELECT state, is_blocked, remark, group_id, word, since_ms FROM contact \
         WHERE account_id = ?1 AND other_id = ?2",
        &[account.into(), other.into()],
        |row| Side::read(row, 0),
    )
}

/// Writes what `account` notes of `other`, or takes it away.
pub(super) fn put_side(
    tx: &mut Tx<'_>,
    account: AccountId,
    other: AccountId,
    side: Option<&Side>,
) -> sql::Result<()> {
    let Some(side) = side else {
        tx.exec(
            "DELETE FROM contact WHERE account_id = ?1 AND other_id = ?2",
            &[account.into(), other.into()],
        )?;
        return Ok(());
    };
    tx.exec(
        "INSERT INTO contact (account_id, other_id, state, is_blocked, remark, group_id, word, since_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (account_id, other_id) DO UPDATE SET \
         state = excluded.state, is_blocked = excluded.is_blocked, remark = excluded.remark, \
         group_id = excluded.group_id, word = excluded.word, since_ms = excluded.since_ms",
        &[
            account.into(),
            other.into(),
            state_text(side.state).into(),
            side.is_blocked.into(),
            (&side.remark).into(),
            side.group.into(),
            (&side.word).into(),
            side.since_ms.into(),
        ],
    )?;
    Ok(())
}

/// How many people are in an account's list, and how many of them it has asked and has no answer from.
pub(super) fn counts(tx: &mut Tx<'_>, account: AccountId) -> sql::Result<(u64, u64)> {
    tx.one(
        "SELECT count(*), count(CASE WHEN state = 'asked' THEN 1 END) FROM contact WHERE account_id = ?1",
        &[account.into()],
        |row| Ok((row.uint(0)?, row.uint(1)?)),
    )
}

/// One of an account's contacts as the API shows it.
pub(crate) fn contact(
    tx: &mut Tx<'_>,
    account: AccountId,
    other: AccountId,
) -> sql::Result<Option<Contact>> {
    let Some(side) = side(tx, account, other)? else {
        return Ok(None);
    };
    let room = direct_room(tx, account, other)?;
    Ok(person(tx, other)?.map(|person| side.into_contact(person, room)))
}

/// Everybody in an account's list.
pub(crate) fn contacts(tx: &mut Tx<'_>, account: AccountId) -> sql::Result<Vec<Contact>> {
    let mut rooms = HashMap::<AccountId, RoomId>::new();
    tx.each(
        "SELECT o.account_id, r.id FROM member m JOIN room r ON r.id = m.room_id \
         JOIN member o ON o.room_id = r.id AND o.account_id <> m.account_id \
         WHERE m.account_id = ?1 AND r.kind = 'direct'",
        &[account.into()],
        |row| {
            rooms.insert(row.id(0)?, row.id(1)?);
            Ok(())
        },
    )?;
    tx.all(
        "SELECT c.state, c.is_blocked, c.remark, c.group_id, c.word, c.since_ms, a.id, a.number, a.username, a.nickname, \
         a.status_text FROM contact c JOIN account a ON a.id = c.other_id WHERE c.account_id = ?1 ORDER BY a.id",
        &[account.into()],
        |row| {
            let person = person_from(row, 6)?;
            let room = rooms.get(&person.id).copied();
            Ok(Side::read(row, 0)?.into_contact(person, room))
        },
    )
}

/// The direct room of two accounts, if there is one.
pub(crate) fn direct_room(
    tx: &mut Tx<'_>,
    one: AccountId,
    other: AccountId,
) -> sql::Result<Option<RoomId>> {
    tx.opt(
        "SELECT id FROM room WHERE direct_key = ?1",
        &[(&direct_key(one, other)).into()],
        |row| row.id(0),
    )
}

/// What the direct room of two accounts is found by.
pub(crate) fn direct_key(one: AccountId, other: AccountId) -> [u8; 32] {
    let (first, second) = (one.min(other), one.max(other));
    let mut key = [0; 32];
    let (head, tail) = key.split_at_mut(16);
    head.copy_from_slice(first.as_bytes());
    tail.copy_from_slice(second.as_bytes());
    key
}

/// One of an account's groups.
pub(crate) fn group(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: ContactGroupId,
) -> sql::Result<Option<ContactGroup>> {
    tx.opt(
        "SELECT id, name, sort FROM contact_group WHERE account_id = ?1 AND id = ?2",
        &[account.into(), id.into()],
        group_from,
    )
}

/// An account's groups, in their order.
pub(crate) fn groups(tx: &mut Tx<'_>, account: AccountId) -> sql::Result<Vec<ContactGroup>> {
    tx.all(
        "SELECT id, name, sort FROM contact_group WHERE account_id = ?1 ORDER BY sort, name_key",
        &[account.into()],
        group_from,
    )
}

fn group_from(row: &Row<'_>) -> sql::Result<ContactGroup> {
    Ok(ContactGroup {
        id: row.id(0)?,
        name: row.text(1)?.to_owned(),
        order: u32::try_from(row.uint(2)?).map_err(|_| sql::Error::corrupt("order of a group"))?,
    })
}

const fn state_text(state: ContactState) -> &'static str {
    match state {
        ContactState::Asked => "asked",
        ContactState::Asking => "asking",
        ContactState::Contact => "contact",
        ContactState::Stranger => "stranger",
    }
}

fn state_from(text: &str) -> sql::Result<ContactState> {
    match text {
        "asked" => Ok(ContactState::Asked),
        "asking" => Ok(ContactState::Asking),
        "contact" => Ok(ContactState::Contact),
        "stranger" => Ok(ContactState::Stranger),
        other => Err(sql::Error::corrupt(format!("state of a contact {other:?}"))),
    }
}
