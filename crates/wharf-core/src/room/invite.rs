//! Invitations into groups.

use wharf_store::sql::{self, Row, Tx};
use wharf_types::api::log::MemberChange;
use wharf_types::api::room::{InviteToRoom, Role, Room, RoomInvitation};
use wharf_types::limit::INVITATIONS_PER_ROOM_MAX;
use wharf_types::{AccountId, ErrorCode, RoomId};

use super::member::{Coming, come_in};
use super::{Rooms, Thing, Told, require_group, rows, view};
use crate::access::{Entered, Right, enter, lock, no_such_room, require_writer};
use crate::caller::Caller;
use crate::contact;
use crate::drive::RoomRef;
use crate::error::{Error, Result};
use crate::live::Notices;

/// Selects what [`from_row`] reads; `$rest` follows the joins.
macro_rules! select_invitation {
    ($rest:literal) => {
        concat!(
            "SELECT r.id, r.name, r.topic, (SELECT count(*) FROM member x WHERE x.room_id = r.id), i.role, i.at_ms, ",
            "a.id, a.number, a.username, a.nickname, a.status_text FROM room_invitation i ",
            "JOIN room r ON r.id = i.room_id JOIN account a ON a.id = i.by_id ",
            $rest
        )
    };
}

/// Reads a room's id, name, topic and member count, a role, a time, and a person.
pub(super) fn from_row(row: &Row<'_>) -> sql::Result<RoomInvitation> {
    Ok(RoomInvitation {
        room: row.id(0)?,
        name: row.text(1)?.to_owned(),
        topic: row.text(2)?.to_owned(),
        member_count: u32::try_from(row.uint(3)?)
            .map_err(|_| sql::Error::corrupt("count of members"))?,
        role: rows::role_from(row.text(4)?)?,
        at_ms: row.int(5)?,
        by: contact::person_from(row, 6)?,
    })
}

/// The invitations that wait for an account's word, oldest first.
pub(super) fn of_account(tx: &mut Tx<'_>, account: AccountId) -> sql::Result<Vec<RoomInvitation>> {
    tx.all(
        select_invitation!("WHERE i.account_id = ?1 ORDER BY i.at_ms, i.room_id"),
        &[account.into()],
        from_row,
    )
}

/// The invitation of an account into a room.
pub(super) fn of_account_and_room(
    tx: &mut Tx<'_>,
    account: AccountId,
    room: RoomId,
) -> sql::Result<Option<RoomInvitation>> {
    tx.opt(
        select_invitation!("WHERE i.account_id = ?1 AND i.room_id = ?2"),
        &[account.into(), room.into()],
        from_row,
    )
}

impl Rooms {
    /// Invites a contact into a group; again with another role, which holds then. Owners only.
    ///
    /// # Errors
    /// - `Denied`: they are not contacts, or the room is no group.
    /// - `Exists`: they are a member already.
    /// - `Invalid`: an invitation makes readers and editors.
    /// - `TooLarge`: too many invitations wait for an answer.
    pub async fn invite(&self, by: &Caller, room: RoomRef, request: InviteToRoom) -> Result<()> {
        let role = invited_role(request.role)?;
        let id = room.id(by)?;
        let locked = lock(&[id], &[by.account()?, request.account]);
        let (by, ground) = (*by, self.ground.clone());
        let work = move |tx: &mut Tx<'_>| {
            let room = enter(tx, &by, id, Right::Own)?;
            require_group(&room)?;
            let mut told = Told::default();
            let now_ms = ground.clock.now_ms();
            let invited = (request.account, role);
            invite(tx, &room, by.account()?, invited, now_ms, &mut told)?;
            Ok(((), told.settle(tx)?))
        };
        self.ground.act(locked, work).await
    }

    /// Withdraws an invitation. Owners only.
    ///
    /// # Errors
    /// `NotFound`: no invitation of theirs waits.
    pub async fn withdraw(&self, by: &Caller, room: RoomRef, account: AccountId) -> Result<()> {
        let id = room.id(by)?;
        let by = *by;
        let work = move |tx: &mut Tx<'_>| {
            enter(tx, &by, id, Right::Own)?;
            Ok(((), take(tx, account, id)?))
        };
        self.ground.act(lock(&[id], &[account]), work).await
    }

    /// The invitations that wait for the caller's word, oldest first.
    pub async fn invitations(&self, by: &Caller) -> Result<Vec<RoomInvitation>> {
        let account = by.account()?;
        let read = move |tx: &mut Tx<'_>| of_account(tx, account);
        Ok(self.ground.db.read(read).await?)
    }

    /// Accepts an invitation and enters the room. Who is a member already is answered with the room.
    ///
    /// # Errors
    /// - `NotFound`: there is no such invitation, or it was withdrawn.
    /// - `TooLarge`: the room is full, or the caller is in too many.
    pub async fn accept(&self, by: &Caller, room: RoomId) -> Result<Room> {
        let locked = lock(&[room], &[by.account()?]);
        let (by, ground) = (*by, self.ground.clone());
        let work = move |tx: &mut Tx<'_>| {
            let me = require_writer(tx, &by)?.account;
            let mut told = Told::default();
            if let Some(there) = view::one(tx, me, room)? {
                return Ok((there, told.settle(tx)?));
            }
            let invitation = of_account_and_room(tx, me, room)?.ok_or_else(no_such_invitation)?;
            let coming = Coming {
                account: me,
                role: invitation.role,
                change: MemberChange::Joined,
            };
            come_in(tx, &ground, &by, room, coming, &mut told)?;
            let there = view::one(tx, me, room)?.ok_or_else(no_such_room)?;
            Ok((there, told.settle(tx)?))
        };
        self.ground.act(locked, work).await
    }

    /// Declines an invitation.
    ///
    /// # Errors
    /// `NotFound`: there is no such invitation.
    pub async fn decline(&self, by: &Caller, room: RoomId) -> Result<()> {
        let locked = lock(&[room], &[by.account()?]);
        let by = *by;
        let work = move |tx: &mut Tx<'_>| {
            let me = require_writer(tx, &by)?.account;
            Ok(((), take(tx, me, room)?))
        };
        self.ground.act(locked, work).await
    }
}

/// The role that an invitation or a link gives.
pub(super) fn invited_role(role: Option<Role>) -> Result<Role> {
    match role.unwrap_or(Role::Editor) {
        Role::Owner => Err(Error::invalid(
            "people come in as readers or editors: hand the room over afterwards",
        )),
        role @ (Role::Editor | Role::Reader) => Ok(role),
    }
}

/// Notes an invitation by `by`, who may make it.
pub(super) fn invite(
    tx: &mut Tx<'_>,
    room: &Entered,
    by: AccountId,
    (account, role): (AccountId, Role),
    now_ms: i64,
    told: &mut Told,
) -> Result<()> {
    if !contact::are_contacts(tx, by, account)? {
        return Err(Error::denied("only contacts can be invited"));
    }
    let is_member = tx.opt(
        "SELECT 1 FROM member WHERE room_id = ?1 AND account_id = ?2",
        &[room.id.into(), account.into()],
        |_| Ok(()),
    )?;
    if is_member.is_some() {
        return Err(Error::new(ErrorCode::Exists, "they are a member already"));
    }
    let waiting = tx.one(
        "SELECT count(*) FROM room_invitation WHERE room_id = ?1",
        &[room.id.into()],
        |row| row.uint(0),
    )?;
    if waiting >= u64::from(INVITATIONS_PER_ROOM_MAX) {
        return Err(Error::new(
            ErrorCode::TooLarge,
            format!("{INVITATIONS_PER_ROOM_MAX} invitations wait for an answer already"),
        ));
    }
    tx.exec(
        "INSERT INTO room_invitation (account_id, room_id, by_id, role, at_ms) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (account_id, room_id) DO UPDATE SET by_id = excluded.by_id, role = excluded.role, \
         at_ms = excluded.at_ms",
        &[
            account.into(),
            room.id.into(),
            by.into(),
            rows::role_text(role).into(),
            now_ms.into(),
        ],
    )?;
    told.touch(account, Thing::Invitation(room.id));
    Ok(())
}

/// Takes away what `other` has invited `account` to, because it blocked them.
pub(crate) fn drop_invitations(
    tx: &mut Tx<'_>,
    account: AccountId,
    other: AccountId,
    told: &mut Told,
) -> sql::Result<()> {
    let rooms = tx.all(
        "DELETE FROM room_invitation WHERE account_id = ?1 AND by_id = ?2 RETURNING room_id",
        &[account.into(), other.into()],
        |row| row.id(0),
    )?;
    for room in rooms {
        told.touch(account, Thing::Invitation(room));
    }
    Ok(())
}

/// Touches the invitations into a room, which show its name and how many are in it.
pub(super) fn touch_invited(tx: &mut Tx<'_>, room: RoomId, told: &mut Told) -> sql::Result<()> {
    tx.each(
        "SELECT account_id FROM room_invitation WHERE room_id = ?1",
        &[room.into()],
        |row| {
            told.touch(row.id(0)?, Thing::Invitation(room));
            Ok(())
        },
    )
}

/// Takes an invitation away.
fn take(tx: &mut Tx<'_>, account: AccountId, room: RoomId) -> Result<Notices> {
    let taken = tx.exec(
        "DELETE FROM room_invitation WHERE account_id = ?1 AND room_id = ?2",
        &[account.into(), room.into()],
    )?;
    if taken == 0 {
        return Err(no_such_invitation());
    }
    let mut told = Told::default();
    told.touch(account, Thing::Invitation(room));
    Ok(told.settle(tx)?)
}

fn no_such_invitation() -> Error {
    Error::not_found("there is no such invitation, or it was withdrawn")
}
