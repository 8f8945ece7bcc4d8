//! Where a search may look, and who is meant by a name: all within what the searcher sees anyway.

use std::collections::BTreeMap;

use wharf_store::sql::{self, Tx};
use wharf_types::{AccountId, RoomId};

use super::words::fold;
use crate::caller::Person;
use crate::error::{Error, Result};
use crate::portage::stand_ins_called;

/// How far back a member sees a room's log, by room.
pub(super) type Floors = BTreeMap<RoomId, u64>;

/// The rooms that a search looks in: all of the person's, or those that are called so.
///
/// # Errors
/// `NotFound`: there is none.
pub(super) fn searched(
    tx: &mut Tx<'_>,
    person: &Person,
    room: Option<RoomId>,
    called: Option<&str>,
) -> Result<Floors> {
    let mut floors = Floors::new();
    let mut names = BTreeMap::new();
    tx.each(
        "SELECT m.room_id, m.floor_position, l.floor_position, r.name FROM member m \
         JOIN room r ON r.id = m.room_id JOIN log l ON l.room_id = m.room_id WHERE m.account_id = ?1",
        &[person.account.into()],
        |row| {
            let id: RoomId = row.id(0)?;
            floors.insert(id, row.uint(1)?.max(row.uint(2)?));
            if called.is_some() {
                names.insert(id, fold(row.text(3)?));
            }
            Ok(())
        },
    )?;
    if let Some(room) = room {
        floors.retain(|id, _| *id == room);
        if floors.is_empty() {
            return Err(Error::not_found("there is no such room"));
        }
    }
    let Some(called) = called else {
        return Ok(floors);
    };
    let wanted = fold(called.trim());
    let peers = peers_called(tx, person.account, called)?;
    let is_home = ["home", "me"].contains(&wanted.as_str());
    floors.retain(|id, _| {
        let is_named = !wanted.is_empty() && names.get(id) == Some(&wanted);
        is_named || peers.contains(id) || (is_home && *id == person.home)
    });
    if floors.is_empty() {
        return Err(Error::not_found(format!(
            "you are in no room called '{called}'"
        )));
    }
    Ok(floors)
}

/// The direct rooms with those who are called so.
fn peers_called(tx: &mut Tx<'_>, account: AccountId, called: &str) -> sql::Result<Vec<RoomId>> {
    let wanted = fold(called.trim());
    let mut rooms = Vec::new();
    tx.each(
        "SELECT r.id, a.username, a.number, a.nickname, c.remark \
         FROM member m JOIN room r ON r.id = m.room_id AND r.kind = 'direct' \
         JOIN member o ON o.room_id = m.room_id AND o.account_id <> m.account_id \
         JOIN account a ON a.id = o.account_id \
         LEFT JOIN contact c ON c.account_id = m.account_id AND c.other_id = a.id WHERE m.account_id = ?1",
        &[account.into()],
        |row| {
            let number = format!("{:06}", row.uint(2)?);
            let remark = row.opt_text(4)?.unwrap_or_default();
            let names = [row.text(1)?, &number, row.text(3)?, remark];
            if names.iter().any(|name| !name.is_empty() && fold(name) == wanted) {
                rooms.push(row.id(0)?);
            }
            Ok(())
        },
    )?;
    Ok(rooms)
}

/// The accounts that the person may mean by a name: its own, a username or number, or a contact's name. One that is nobody's
/// finds nothing, and so does one of somebody who wrote nothing where the person can read.
pub(super) fn authors(tx: &mut Tx<'_>, person: &Person, name: &str) -> sql::Result<Vec<AccountId>> {
    let name = name.trim().trim_start_matches('@');
    let wanted = fold(name);
    if wanted == "me" {
        return Ok(vec![person.account]);
    }
    let number: u64 = name.parse().unwrap_or(0);
    let mut accounts = tx.all(
        "SELECT id FROM account WHERE username_key = ?1 OR number = ?2",
        &[name.to_lowercase().as_str().into(), number.into()],
        |row| row.id(0),
    )?;
    tx.each(
        "SELECT a.id, a.nickname, c.remark FROM contact c JOIN account a ON a.id = c.other_id WHERE c.account_id = ?1",
        &[person.account.into()],
        |row| {
            if fold(row.text(1)?) == wanted || fold(row.text(2)?) == wanted {
                accounts.push(row.id(0)?);
            }
            Ok(())
        },
    )?;
    accounts.extend(stand_ins_called(tx, person.account, &name.to_lowercase())?);
    accounts.sort_unstable();
    accounts.dedup();
    Ok(accounts)
}
