//! Who is in a room: coming in, leaving, being removed, roles, and handing the room over.

use std::collections::HashSet;

use wharf_store::sql::Tx;
use wharf_types::api::log::{Body, Member, MemberChange};
use wharf_types::api::room::{History, Role, RoomMember, RoomMembers, SetRole};
use wharf_types::limit::{MEMBERS_PER_ROOM_MAX, ROOMS_PER_ACCOUNT_MAX};
use wharf_types::name::fold;
use wharf_types::{AccountId, ErrorCode, RoomId};

use super::invite::touch_invited;
use super::say::say;
use super::{Rooms, Thing, Told, insert_member, list, require_group, rows};
use crate::Ground;
use crate::access::{Right, enter, lock, no_such_room};
use crate::caller::Caller;
use crate::contact::person_from;
use crate::drive::{RoomRef, hand_over};
use crate::error::{Error, Result};
use crate::live::Membership;
use crate::portage;

/// Somebody about to become a member.
#[derive(Debug, Clone, Copy)]
pub(super) struct Coming {
    pub(super) account: AccountId,
    pub(super) role: Role,
    pub(super) change: MemberChange,
}

impl Rooms {
    /// The people of a room: members by name, then former ones and those that it was imported with.
    pub async fn members(&self, by: &Caller, room: RoomRef) -> Result<RoomMembers> {
        let id = room.id(by)?;
        let by = *by;
        let read = move |tx: &mut Tx<'_>| -> Result<RoomMembers> {
            enter(tx, &by, id, Right::Read)?;
            let mut items = members(tx, id)?;
            let present: HashSet<_> = items.iter().map(|member| member.person.id).collect();
            let past = past_members(tx, id)?;
            items.extend(
                past.into_iter()
                    .filter(|member| !present.contains(&member.person.id)),
            );
            items.extend(
                portage::stand_ins(tx, id)?
                    .into_values()
                    .map(|member| RoomMember {
                        person: member.person,
                        role: None,
                        joined_ms: member.joined_ms,
                    }),
            );
            items.sort_by_cached_key(|member| {
                (
                    member.role.is_none(),
                    fold(&member.person.nickname),
                    member.person.id,
                )
            });
            Ok(RoomMembers { items })
        };
        self.ground.db.read(read).await
    }

    /// Leaves a group.
    ///
    /// # Errors
    /// - `NotFound`: the caller is no member.
    /// - `Denied`: the room is no group, or the caller owns it: it is handed over first.
    pub async fn leave(&self, by: &Caller, room: RoomRef) -> Result<()> {
        let id = room.id(by)?;
        let locked = lock(&[id], &[by.account()?]);
        let (by, ground) = (*by, self.ground.clone());
        let work = move |tx: &mut Tx<'_>| {
            let room = enter(tx, &by, id, Right::Mark)?;
            require_group(&room)?;
            if room.role == Role::Owner {
                return Err(Error::denied(
                    "a room has an owner: hand it over to another member first, or archive it",
                ));
            }
            let mut told = Told::default();
            let gone = (by.account()?, MemberChange::Left);
            go_out(tx, &ground, &by, id, gone, &mut told)?;
            Ok(((), told.settle(tx)?))
        };
        self.ground.act(locked, work).await
    }

    /// Removes a member, who comes back by an invitation only. Owners only.
    ///
    /// # Errors
    /// - `NotFound`: they are no member.
    /// - `Denied`: the room is no group, or it is the caller.
    pub async fn remove_member(
        &self,
        by: &Caller,
        room: RoomRef,
        account: AccountId,
    ) -> Result<()> {
        let id = room.id(by)?;
        let (by, ground) = (*by, self.ground.clone());
        let work = move |tx: &mut Tx<'_>| {
            let room = enter(tx, &by, id, Right::Own)?;
            require_group(&room)?;
            if account == room.owner {
                return Err(Error::denied(
                    "the owner cannot be removed: hand the room over first",
                ));
            }
            role_of(tx, id, account)?.ok_or_else(no_such_member)?;
            let mut told = Told::default();
            let gone = (account, MemberChange::Removed);
            go_out(tx, &ground, &by, id, gone, &mut told)?;
            Ok(((), told.settle(tx)?))
        };
        self.ground.act(lock(&[id], &[account]), work).await
    }

    /// Gives a member another role. `owner` hands the room over with its drive, which counts on the new owner's quota from
    /// then on; the caller becomes an editor. Owners only.
    ///
    /// # Errors
    /// - `NotFound`: they are no member.
    /// - `Denied`: the room is no group, or it is the caller.
    /// - `OverQuota`: the room's drive does not fit the new owner's quota.
    pub async fn set_role(
        &self,
        by: &Caller,
        room: RoomRef,
        account: AccountId,
        request: SetRole,
    ) -> Result<()> {
        let id = room.id(by)?;
        let locked = lock(&[id], &[account, by.account()?]);
        let (by, ground) = (*by, self.ground.clone());
        let work = move |tx: &mut Tx<'_>| {
            let room = enter(tx, &by, id, Right::Own)?;
            require_group(&room)?;
            let mut told = Told::default();
            if account == room.owner {
                return match request.role {
                    Role::Owner => Ok(((), told.settle(tx)?)),
                    Role::Editor | Role::Reader => Err(Error::denied(
                        "a room has an owner: hand it over to another member",
                    )),
                };
            }
            let before = role_of(tx, id, account)?.ok_or_else(no_such_member)?;
            if before == request.role {
                return Ok(((), told.settle(tx)?));
            }
            if request.role == Role::Owner {
                hand_over(tx, &room, account)?;
                give_role(tx, &ground, &by, id, (room.owner, Role::Editor), &mut told)?;
            }
            give_role(tx, &ground, &by, id, (account, request.role), &mut told)?;
            if request.role == Role::Owner {
                list::touch_members(tx, id, &mut told.notices)?;
            } else {
                let mut told = Told::default();
                told.touch(account, Thing::Room(id));
            }
            Ok(((), told.settle(tx)?))
        };
        self.ground.act(locked, work).await
    }
}

/// Makes somebody a member, at the end of the log or from its beginning as the room says, tells it in the log, and takes
/// their invitation. Needs the locks of the room and of the account.
///
/// # Errors
/// `TooLarge`: the room is full, or they are in too many.
pub(super) fn come_in(
    tx: &mut Tx<'_>,
    ground: &Ground,
    by: &Caller,
    room: RoomId,
    coming: Coming,
    told: &mut Told,
) -> Result<()> {
    require_space(tx, room, coming.account)?;
    let now_ms = ground.clock.now_ms();
    let (history, head, countable) = tx
        .opt(
            "SELECT r.history, l.head, l.countable FROM room r JOIN log l ON l.room_id = r.id WHERE r.id = ?1",
            &[room.into()],
            |row| Ok((rows::history_from(row.text(0)?)?, row.uint(1)?, row.uint(2)?)),
        )?
        .ok_or_else(no_such_room)?;
    let floor = match history {
        History::All => 0,
        History::Joined => head,
    };
    insert_member(tx, room, coming.account, coming.role, floor, now_ms)?;
    // What was said before is read, so that nobody comes in to a thousand unread messages.
    tx.exec(
        "UPDATE member SET read_position = ?3, read_countable = ?4 WHERE room_id = ?1 AND account_id = ?2",
        &[room.into(), coming.account.into(), head.into(), countable.into()],
    )?;
    let invited = tx.exec(
        "DELETE FROM room_invitation WHERE account_id = ?1 AND room_id = ?2",
        &[coming.account.into(), room.into()],
    )?;
    if invited > 0 {
        told.touch(coming.account, Thing::Invitation(room));
    }
    let body = Body::Member(Member {
        account: coming.account,
        change: coming.change,
        role: Some(coming.role),
    });
    say(tx, ground, by, room, &body, &mut told.notices)?;
    touch_invited(tx, room, told)?;
    told.touch(coming.account, Thing::Room(room));
    told.notices
        .members
        .push((room, coming.account, Membership::Joined));
    Ok(())
}

/// Ends a membership and tells it in the log.
fn go_out(
    tx: &mut Tx<'_>,
    ground: &Ground,
    by: &Caller,
    room: RoomId,
    (account, change): (AccountId, MemberChange),
    told: &mut Told,
) -> Result<()> {
    let args = [room.into(), account.into()];
    tx.exec(
        "INSERT INTO past_member (room_id, account_id, joined_ms, left_ms, is_removed) \
         SELECT room_id, account_id, joined_ms, CAST(?3 AS BIGINT), CAST(?4 AS BIGINT) FROM member \
         WHERE room_id = ?1 AND account_id = ?2 \
         ON CONFLICT (room_id, account_id) DO UPDATE SET joined_ms = excluded.joined_ms, left_ms = excluded.left_ms, \
         is_removed = excluded.is_removed",
        &[
            room.into(),
            account.into(),
            ground.clock.now_ms().into(),
            (change == MemberChange::Removed).into(),
        ],
    )?;
    tx.exec(
        "DELETE FROM member WHERE room_id = ?1 AND account_id = ?2",
        &args,
    )?;
    tx.exec(
        "DELETE FROM delivered WHERE room_id = ?1 AND account_id = ?2",
        &args,
    )?;
    let body = Body::Member(Member {
        account,
        change,
        role: None,
    });
    say(tx, ground, by, room, &body, &mut told.notices)?;
    touch_invited(tx, room, told)?;
    told.touch(account, Thing::Room(room));
    told.notices.members.push((room, account, Membership::Gone));
    Ok(())
}

/// Sets a member's role and tells it in the log.
fn give_role(
    tx: &mut Tx<'_>,
    ground: &Ground,
    by: &Caller,
    room: RoomId,
    (account, role): (AccountId, Role),
    told: &mut Told,
) -> Result<()> {
    tx.exec(
        "UPDATE member SET role = ?3 WHERE room_id = ?1 AND account_id = ?2",
        &[room.into(), account.into(), rows::role_text(role).into()],
    )?;
    let body = Body::Member(Member {
        account,
        change: MemberChange::Role,
        role: Some(role),
    });
    say(tx, ground, by, room, &body, &mut told.notices)
}

/// A member's role.
pub(super) fn role_of(tx: &mut Tx<'_>, room: RoomId, account: AccountId) -> Result<Option<Role>> {
    Ok(tx.opt(
        "SELECT role FROM member WHERE room_id = ?1 AND account_id = ?2",
        &[room.into(), account.into()],
        |row| rows::role_from(row.text(0)?),
    )?)
}

/// Refuses one member more than a room may have, and one room more than an account may be in.
pub(super) fn require_space(tx: &mut Tx<'_>, room: RoomId, account: AccountId) -> Result<()> {
    let (members, rooms) = tx.one(
        "SELECT (SELECT count(*) FROM member WHERE room_id = ?1), (SELECT count(*) FROM member WHERE account_id = ?2)",
        &[room.into(), account.into()],
        |row| Ok((row.uint(0)?, row.uint(1)?)),
    )?;
    if members >= u64::from(MEMBERS_PER_ROOM_MAX) {
        return Err(Error::new(
            ErrorCode::TooLarge,
            format!("a room has {MEMBERS_PER_ROOM_MAX} members at most"),
        ));
    }
    if rooms >= u64::from(ROOMS_PER_ACCOUNT_MAX) {
        return Err(Error::new(
            ErrorCode::TooLarge,
            format!("an account is in {ROOMS_PER_ACCOUNT_MAX} rooms at most"),
        ));
    }
    Ok(())
}

fn members(tx: &mut Tx<'_>, room: RoomId) -> Result<Vec<RoomMember>> {
    Ok(tx.all(
        "SELECT m.role, m.joined_ms, a.id, a.number, a.username, a.nickname, a.status_text FROM member m \
         JOIN account a ON a.id = m.account_id WHERE m.room_id = ?1",
        &[room.into()],
        |row| {
            Ok(RoomMember {
                role: Some(rows::role_from(row.text(0)?)?),
                joined_ms: row.int(1)?,
                person: person_from(row, 2)?,
            })
        },
    )?)
}

fn past_members(tx: &mut Tx<'_>, room: RoomId) -> Result<Vec<RoomMember>> {
    Ok(tx.all(
        "SELECT p.joined_ms, a.id, a.number, a.username, a.nickname, a.status_text FROM past_member p \
         JOIN account a ON a.id = p.account_id WHERE p.room_id = ?1",
        &[room.into()],
        |row| {
            Ok(RoomMember {
                role: None,
                joined_ms: row.int(0)?,
                person: person_from(row, 1)?,
            })
        },
    )?)
}

fn no_such_member() -> Error {
    Error::not_found("they are no member of this room")
}
