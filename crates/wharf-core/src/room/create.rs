//! Making rooms and changing what they are.

use wharf_store::sql::Tx;
use wharf_types::api::log::{Body, MemberChange, Settings};
use wharf_types::api::room::{CreateRoom, EditRoom, History, Role, Room, RoomKind};
use wharf_types::limit::TOPIC_BYTES_MAX;
use wharf_types::{AccountId, RoomId};

use super::invite::{invite, touch_invited};
use super::member::{Coming, come_in};
use super::say::say;
use super::{NewRoom, Rooms, Thing, Told, insert, list, require_group, rows, view};
use crate::Ground;
use crate::access::{Entered, Right, enter, lock, no_such_room, require_writer};
use crate::caller::Caller;
use crate::contact::{direct_key, direct_room};
use crate::drive::RoomRef;
use crate::error::{Error, Result};
use crate::text::{label, line};

const KEEP_DAYS_MAX: u32 = 36_500;

impl Rooms {
    /// Makes a group with the caller as its owner, and invites contacts. The same again with the same id is answered with
    /// the room as it is.
    ///
    /// # Errors
    /// - `Invalid`: a text is outside its bounds, or the id cannot be used.
    /// - `Denied`: one of the invited is no contact.
    /// - `TooLarge`: the caller is in too many rooms, or too many are invited.
    pub async fn create(&self, by: &Caller, request: CreateRoom) -> Result<Room> {
        let name = label("a room's name", &request.name)?;
        let topic = line("a topic", &request.topic, TOPIC_BYTES_MAX)?;
        let now_ms = self.ground.clock.now_ms();
        let id = request
            .id
            .unwrap_or_else(|| self.ground.random.id(RoomId::new, now_ms));
        let mut people = request.invite.clone();
        people.push(by.account()?);
        let locked = lock(&[id], &people);
        let (by, ground) = (*by, self.ground.clone());
        let work = move |tx: &mut Tx<'_>| {
            let me = require_writer(tx, &by)?.account;
            let mut told = Told::default();
            if let Some(made) = made_before(tx, me, id)? {
                return Ok((made, told.settle(tx)?));
            }
            let new = NewRoom {
                id,
                kind: RoomKind::Group,
                owner: me,
                name: &name,
                topic: &topic,
                history: request.history,
                direct_key: None,
                now_ms,
            };
            insert(tx, &ground, &new)?;
            let coming = Coming {
                account: me,
                role: Role::Owner,
                change: MemberChange::Joined,
            };
            come_in(tx, &ground, &by, id, coming, &mut told)?;
            let room = enter(tx, &by, id, Right::Own)?;
            for account in &request.invite {
                invite(tx, &room, me, (*account, Role::Editor), now_ms, &mut told)?;
            }
            let made = view::one(tx, me, id)?.ok_or_else(no_such_room)?;
            Ok((made, told.settle(tx)?))
        };
        self.ground.act(locked, work).await
    }

    /// Changes a room. Owners only.
    ///
    /// # Errors
    /// - `Invalid`: a value is outside its bounds.
    /// - `Denied`: only groups have a name, a topic, a history and an archive.
    pub async fn edit(&self, by: &Caller, room: RoomRef, request: EditRoom) -> Result<Room> {
        let wanted = checked(&request)?;
        let id = room.id(by)?;
        let (by, ground) = (*by, self.ground.clone());
        let work = move |tx: &mut Tx<'_>| {
            let room = enter(tx, &by, id, Right::Own)?;
            let is_of_groups = Settings {
                keep_days: None,
                ..wanted.clone()
            } != Settings::default();
            if is_of_groups {
                require_group(&room)?;
            }
            let mut told = Told::default();
            let changed = set(tx, &room, &wanted)?;
            if changed != Settings::default() {
                say(
                    tx,
                    &ground,
                    &by,
                    id,
                    &Body::Settings(changed),
                    &mut told.notices,
                )?;
                list::touch_members(tx, id, &mut told.notices)?;
                touch_invited(tx, id, &mut told)?;
            }
            let there = view::one(tx, by.account()?, id)?.ok_or_else(no_such_room)?;
            Ok((there, told.settle(tx)?))
        };
        self.ground.act(lock(&[id], &[]), work).await
    }
}

/// Checks what a room is to be changed to.
fn checked(request: &EditRoom) -> Result<Settings> {
    let topic = request.topic.as_deref();
    if request.keep_days.is_some_and(|days| days > KEEP_DAYS_MAX) {
        return Err(Error::invalid(format!(
            "entries are kept for {KEEP_DAYS_MAX} days at most, or for ever with 0"
        )));
    }
    Ok(Settings {
        name: request
            .name
            .as_deref()
            .map(|name| label("a room's name", name))
            .transpose()?,
        topic: topic
            .map(|topic| line("a topic", topic, TOPIC_BYTES_MAX))
            .transpose()?,
        history: request.history,
        keep_days: request.keep_days,
        archived: request.archived,
    })
}

/// Writes what differs, and returns it.
fn set(tx: &mut Tx<'_>, room: &Entered, wanted: &Settings) -> Result<Settings> {
    let now = tx
        .opt(
            "SELECT r.name, r.topic, r.history, l.keep_days, r.archived FROM room r JOIN log l ON l.room_id = r.id \
             WHERE r.id = ?1",
            &[room.id.into()],
            |row| {
                Ok(Settings {
                    name: Some(row.text(0)?.to_owned()),
                    topic: Some(row.text(1)?.to_owned()),
                    history: Some(rows::history_from(row.text(2)?)?),
                    keep_days: u32::try_from(row.uint(3)?).ok(),
                    archived: Some(row.flag(4)?),
                })
            },
        )?
        .ok_or_else(no_such_room)?;
    let changed = Settings {
        name: wanted.name.clone().filter(|_| wanted.name != now.name),
        topic: wanted.topic.clone().filter(|_| wanted.topic != now.topic),
        history: wanted.history.filter(|_| wanted.history != now.history),
        keep_days: wanted
            .keep_days
            .filter(|_| wanted.keep_days != now.keep_days),
        archived: wanted.archived.filter(|_| wanted.archived != now.archived),
    };
    tx.exec(
        "UPDATE room SET name = COALESCE(?2, name), topic = COALESCE(?3, topic), history = COALESCE(?4, history), \
         archived = COALESCE(?5, archived) WHERE id = ?1",
        &[
            room.id.into(),
            changed.name.as_deref().into(),
            changed.topic.as_deref().into(),
            changed.history.map(rows::history_text).into(),
            changed.archived.into(),
        ],
    )?;
    tx.exec(
        "UPDATE log SET keep_days = COALESCE(?2, keep_days) WHERE room_id = ?1",
        &[room.id.into(), changed.keep_days.into()],
    )?;
    Ok(changed)
}

/// The room that `account` made with this id, if it did.
///
/// # Errors
/// `Invalid`: the id is another's: of a room, or of an account, whose chunks a room of that id would reach.
fn made_before(tx: &mut Tx<'_>, account: AccountId, id: RoomId) -> Result<Option<Room>> {
    let found = tx.opt(
        "SELECT owner_id FROM room WHERE id = ?1",
        &[id.into()],
        |row| row.id::<AccountId>(0),
    )?;
    if found == Some(account)
        && let Some(made) = view::one(tx, account, id)?
        && made.kind == RoomKind::Group
    {
        return Ok(Some(made));
    }
    let of_account = tx.opt("SELECT 1 FROM account WHERE id = ?1", &[id.into()], |_| {
        Ok(())
    })?;
    if found.is_some() || of_account.is_some() || id.as_bytes() == &[0; 16] {
        return Err(Error::invalid("this id cannot be used: choose another one"));
    }
    Ok(None)
}

/// Gives two who became contacts their direct room: the one that they had, or a new one of `asker`'s. Needs the locks of
/// both accounts.
pub(crate) fn befriend(
    tx: &mut Tx<'_>,
    ground: &Ground,
    by: &Caller,
    (asker, other): (AccountId, AccountId),
    told: &mut Told,
) -> Result<()> {
    if direct_room(tx, asker, other)?.is_some() {
        return touch_direct(tx, asker, other, told);
    }
    let now_ms = ground.clock.now_ms();
    let id = ground.random.id(RoomId::new, now_ms);
    let key = direct_key(asker, other);
    let new = NewRoom {
        id,
        kind: RoomKind::Direct,
        owner: asker,
        name: "",
        topic: "",
        history: History::All,
        direct_key: Some(&key),
        now_ms,
    };
    insert(tx, ground, &new)?;
    for (account, role) in [(asker, Role::Owner), (other, Role::Editor)] {
        let coming = Coming {
            account,
            role,
            change: MemberChange::Joined,
        };
        come_in(tx, ground, by, id, coming, told)?;
    }
    Ok(())
}

/// Told the direct room of two people in both lists, because they may write in it from now on, or no more.
pub(crate) fn touch_direct(
    tx: &mut Tx<'_>,
    one: AccountId,
    other: AccountId,
    told: &mut Told,
) -> Result<()> {
    if let Some(room) = direct_room(tx, one, other)? {
        told.touch(one, Thing::Room(room));
        told.touch(other, Thing::Room(room));
    }
    Ok(())
}
