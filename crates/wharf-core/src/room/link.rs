//! Links that let people into a group.

use wharf_store::sql::{self, Row, Tx};
use wharf_types::api::log::MemberChange;
use wharf_types::api::room::{CreateLink, JoinRoom, Room, RoomInvitation, RoomLink, RoomLinks};
use wharf_types::limit::LINKS_PER_ROOM_MAX;
use wharf_types::{AccountId, ErrorCode, RoomId};

use super::invite::{from_row as invitation_from, invited_role};
use super::member::{Coming, come_in};
use super::{Rooms, Told, require_group, rows, view};
use crate::access::{Right, enter, lock, no_such_room, require_writer};
use crate::accounts::{code_hash, new_code};
use crate::caller::Caller;
use crate::drive::RoomRef;
use crate::error::{Error, Result};
use crate::live::Notices;

const ID_BYTES: usize = 8;
const USES_MAX: u32 = 10_000;
const EXPIRES_SECONDS_DEFAULT: u64 = 7 * 24 * 3_600;
const EXPIRES_SECONDS_MAX: u64 = 365 * 24 * 3_600;

impl Rooms {
    /// Makes a link into a group. Owners only.
    ///
    /// # Errors
    /// - `Invalid`: the role, the uses or the time are out of bounds.
    /// - `Denied`: the room is no group.
    /// - `TooLarge`: too many links hold already.
    pub async fn create_link(
        &self,
        by: &Caller,
        room: RoomRef,
        request: CreateLink,
    ) -> Result<RoomLink> {
        let role = invited_role(request.role)?;
        let seconds = request.expires_seconds.unwrap_or(EXPIRES_SECONDS_DEFAULT);
        if !(1..=EXPIRES_SECONDS_MAX).contains(&seconds) {
            return Err(Error::invalid("a link holds for a second to a year"));
        }
        if request
            .uses
            .is_some_and(|uses| !(1..=USES_MAX).contains(&uses))
        {
            return Err(Error::invalid(format!(
                "a link lets 1 to {USES_MAX} people in, or any number"
            )));
        }
        let id = room.id(by)?;
        let now_ms = self.ground.clock.now_ms();
        let code = new_code(&self.ground.random);
        let link = RoomLink {
            id: data_encoding::HEXLOWER.encode(&self.ground.random.bytes::<ID_BYTES>()),
            code: Some(code.text),
            role,
            uses_left: request.uses,
            expires_ms: now_ms + i64::try_from(seconds * 1_000).unwrap_or(i64::MAX / 2),
            created_by: by.account()?,
        };
        let by = *by;
        let work = move |tx: &mut Tx<'_>| {
            let room = enter(tx, &by, id, Right::Own)?;
            require_group(&room)?;
            expire_of(tx, id, now_ms)?;
            if held(tx, id, now_ms)?.len() >= LINKS_PER_ROOM_MAX as usize {
                return Err(Error::new(
                    ErrorCode::TooLarge,
                    format!("{LINKS_PER_ROOM_MAX} links hold already: remove some"),
                ));
            }
            insert(tx, id, &link, &code.hash, now_ms)?;
            Ok((link.clone(), Notices::default()))
        };
        self.ground.act(lock(&[id], &[]), work).await
    }

    /// The links into a group that hold, oldest first. Owners only.
    pub async fn links(&self, by: &Caller, room: RoomRef) -> Result<RoomLinks> {
        let id = room.id(by)?;
        let by = *by;
        let now_ms = self.ground.clock.now_ms();
        let read = move |tx: &mut Tx<'_>| -> Result<RoomLinks> {
            enter(tx, &by, id, Right::Own)?;
            Ok(RoomLinks {
                items: held(tx, id, now_ms)?,
            })
        };
        self.ground.db.read(read).await
    }

    /// Ends a link. Owners only.
    ///
    /// # Errors
    /// `NotFound`: the room has no such link.
    pub async fn remove_link(&self, by: &Caller, room: RoomRef, link: &str) -> Result<()> {
        let id = room.id(by)?;
        let (by, link) = (*by, link.to_owned());
        let work = move |tx: &mut Tx<'_>| {
            enter(tx, &by, id, Right::Own)?;
            let removed = tx.exec(
                "DELETE FROM room_link WHERE id = ?1 AND room_id = ?2",
                &[(&link).into(), id.into()],
            )?;
            if removed == 0 {
                return Err(Error::not_found("there is no such link"));
            }
            Ok(((), Notices::default()))
        };
        self.ground.act(lock(&[id], &[]), work).await
    }

    /// Tells what a link's code leads to, without entering. `by` in the answer is who made the link.
    ///
    /// # Errors
    /// `NotFound`: the code is wrong, used up, past its time, or not for the caller.
    pub async fn look(&self, by: &Caller, code: &str) -> Result<RoomInvitation> {
        let account = by.account()?;
        let hash = code_hash(code).ok_or_else(no_such_code)?;
        let now_ms = self.ground.clock.now_ms();
        let read = move |tx: &mut Tx<'_>| -> Result<RoomInvitation> {
            find(tx, &hash, account, now_ms)?.ok_or_else(no_such_code)
        };
        self.ground.db.read(read).await
    }

    /// Enters a group by a link's code. Who is a member already is answered with the room, and the link keeps its use.
    ///
    /// # Errors
    /// - `NotFound`: the code is wrong, used up or past its time, or the caller was removed from the room.
    /// - `TooLarge`: the room is full, or the caller is in too many.
    pub async fn join(&self, by: &Caller, request: JoinRoom) -> Result<Room> {
        by.may_write()?;
        let hash = code_hash(&request.code).ok_or_else(no_such_code)?;
        let room = self.look(by, &request.code).await?.room;
        let locked = lock(&[room], &[by.account()?]);
        let (by, ground) = (*by, self.ground.clone());
        let work = move |tx: &mut Tx<'_>| {
            let me = require_writer(tx, &by)?.account;
            let mut told = Told::default();
            let link = find(tx, &hash, me, ground.clock.now_ms())?.ok_or_else(no_such_code)?;
            if let Some(there) = view::one(tx, me, room)? {
                return Ok((there, told.settle(tx)?));
            }
            tx.exec(
                "UPDATE room_link SET uses_left = uses_left - 1 WHERE code_hash = ?1 AND uses_left IS NOT NULL",
                &[(&hash).into()],
            )?;
            let coming = Coming {
                account: me,
                role: link.role,
                change: MemberChange::Joined,
            };
            come_in(tx, &ground, &by, room, coming, &mut told)?;
            let there = view::one(tx, me, room)?.ok_or_else(no_such_room)?;
            Ok((there, told.settle(tx)?))
        };
        self.ground.act(locked, work).await
    }
}

fn insert(
    tx: &mut Tx<'_>,
    room: RoomId,
    link: &RoomLink,
    hash: &[u8; 32],
    now_ms: i64,
) -> sql::Result<()> {
    tx.exec(
        "INSERT INTO room_link (id, room_id, code_hash, role, uses_left, expires_ms, created_by, created_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        &[
            (&link.id).into(),
            room.into(),
            hash.into(),
            rows::role_text(link.role).into(),
            link.uses_left.into(),
            link.expires_ms.into(),
            link.created_by.into(),
            now_ms.into(),
        ],
    )?;
    Ok(())
}

/// What a code leads `account` to, while it holds. Who was removed from the room is let in by an invitation only.
fn find(
    tx: &mut Tx<'_>,
    hash: &[u8; 32],
    account: AccountId,
    now_ms: i64,
) -> sql::Result<Option<RoomInvitation>> {
    tx.opt(
        "SELECT r.id, r.name, r.topic, (SELECT count(*) FROM member x WHERE x.room_id = r.id), k.role, k.created_ms, \
         a.id, a.number, a.username, a.nickname, a.status_text FROM room_link k JOIN room r ON r.id = k.room_id \
         JOIN account a ON a.id = k.created_by \
         WHERE k.code_hash = ?1 AND k.expires_ms > ?2 AND (k.uses_left IS NULL OR k.uses_left > 0 \
           OR EXISTS (SELECT 1 FROM member m WHERE m.room_id = r.id AND m.account_id = ?3)) \
         AND NOT EXISTS (SELECT 1 FROM past_member p WHERE p.room_id = r.id AND p.account_id = ?3 AND p.is_removed = 1 \
           AND NOT EXISTS (SELECT 1 FROM member m WHERE m.room_id = r.id AND m.account_id = ?3))",
        &[hash.into(), now_ms.into(), account.into()],
        invitation_from,
    )
}

fn held(tx: &mut Tx<'_>, room: RoomId, now_ms: i64) -> sql::Result<Vec<RoomLink>> {
    tx.all(
        "SELECT id, role, uses_left, expires_ms, created_by FROM room_link \
         WHERE room_id = ?1 AND expires_ms > ?2 AND (uses_left IS NULL OR uses_left > 0) ORDER BY created_ms, id",
        &[room.into(), now_ms.into()],
        link_from,
    )
}

fn link_from(row: &Row<'_>) -> sql::Result<RoomLink> {
    let uses_left = row
        .opt_uint(2)?
        .map(|uses| u32::try_from(uses).map_err(|_| sql::Error::corrupt("uses of a link")))
        .transpose()?;
    Ok(RoomLink {
        id: row.text(0)?.to_owned(),
        code: None,
        role: rows::role_from(row.text(1)?)?,
        uses_left,
        expires_ms: row.int(3)?,
        created_by: row.id(4)?,
    })
}

fn expire_of(tx: &mut Tx<'_>, room: RoomId, now_ms: i64) -> sql::Result<()> {
    tx.exec(
        "DELETE FROM room_link WHERE room_id = ?1 AND (uses_left <= 0 OR expires_ms <= ?2)",
        &[room.into(), now_ms.into()],
    )?;
    Ok(())
}

/// Deletes links that hold no more, `rows_max` at most, and says how many those were.
pub(crate) fn expire(tx: &mut Tx<'_>, now_ms: i64, rows_max: u32) -> sql::Result<u64> {
    tx.exec(
        "DELETE FROM room_link WHERE id IN \
         (SELECT id FROM room_link WHERE uses_left <= 0 OR expires_ms <= ?1 LIMIT ?2)",
        &[now_ms.into(), rows_max.into()],
    )
}

fn no_such_code() -> Error {
    Error::not_found("this code is wrong, used up, past its time, or not for you")
}
