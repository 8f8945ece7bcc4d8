//! Rooms and memberships: making them, joining, leaving, roles, invitations, links, and the account's own list.
//!
//! What happens to a room is told in its log, in the transaction in which it happens; what it changes of an account's own
//! list is told there ([`list`]). Membership changes under the locks of the room and of the account that it is about.

mod create;
mod invite;
mod link;
mod list;
mod make;
mod member;
mod preferences;
mod rows;
mod say;
mod view;

use wharf_store::sql::Tx;
use wharf_types::api::drive::Node;
use wharf_types::api::room::{AccountChanges, Room, RoomKind, Rooms as RoomList, SaveToDrive};

pub(crate) use create::{befriend, touch_direct};
pub(crate) use invite::drop_invitations;
pub(crate) use link::expire as expire_links;
pub(crate) use list::{Thing, Told, changes, touch, touch_who_shows};
pub(crate) use make::{NewRoom, insert, insert_member};
pub(crate) use rows::{kind_from, kind_text, notify_text, role_from};
pub(crate) use view::one as room_of;

use crate::Ground;
use crate::access::{Entered, Right, enter, lock, no_such_room};
use crate::caller::Caller;
use crate::drive::{RoomRef, save};
use crate::error::{Error, Result};
use crate::live::Notices;

/// The operations on rooms. Clones are the same.
#[derive(Clone)]
pub struct Rooms {
    ground: Ground,
}

impl Rooms {
    pub(crate) const fn new(ground: Ground) -> Self {
        Self { ground }
    }

    /// The caller's rooms: pinned ones first, then by their last entry, newest first.
    pub async fn list(&self, by: &Caller) -> Result<RoomList> {
        let account = by.account()?;
        let read = move |tx: &mut Tx<'_>| -> Result<RoomList> {
            Ok(RoomList {
                items: view::all(tx, account)?,
            })
        };
        self.ground.db.read(read).await
    }

    /// A room as the caller sees it.
    ///
    /// # Errors
    /// `NotFound`: there is no such room for the caller.
    pub async fn get(&self, by: &Caller, room: RoomRef) -> Result<Room> {
        let account = by.account()?;
        let room = room.id(by)?;
        let read = move |tx: &mut Tx<'_>| view::one(tx, account, room)?.ok_or_else(no_such_room);
        self.ground.db.read(read).await
    }

    /// What changed of the caller's own list past version `after`: contacts, groups, rooms, invitations, read positions.
    /// From 0 it is all of the list. Where more has changed than goes into one answer, its version is that of the last item;
    /// ask again from there.
    ///
    /// # Errors
    /// `Stale`: the list has not come to that version, because the server's data went back in time: read it from 0.
    pub async fn changes(&self, by: &Caller, after: u64) -> Result<AccountChanges> {
        let account = by.account()?;
        self.ground
            .db
            .read(move |tx| changes(tx, account, after))
            .await
    }

    /// Saves a file of a room in the caller's own drive, and returns it there. No bytes move; they count on the caller's
    /// quota. Saving the same again under the same name changes nothing.
    ///
    /// # Errors
    /// - `NotFound`: there is no such room for the caller, or no such file or revision in it.
    /// - `Invalid`: it is a folder, or the folder or name cannot be one.
    /// - `OverQuota`: the caller's quota has no room for it.
    pub async fn save(&self, by: &Caller, room: RoomRef, request: SaveToDrive) -> Result<Node> {
        let from = room.id(by)?;
        let home = by.person()?.home;
        let (by, ground) = (*by, self.ground.clone());
        let work = move |tx: &mut Tx<'_>| {
            let from = enter(tx, &by, from, Right::Read)?;
            let to = enter(tx, &by, home, Right::Edit)?;
            let node = save(tx, &ground, by.person()?, (&from, &to), &request)?;
            let mut notices = Notices::default();
            if node.revision > to.drive_head {
                notices.drives.push((home, node.revision));
            }
            Ok((node, notices))
        };
        self.ground.act(lock(&[home], &[]), work).await
    }
}

/// Refuses what only groups have.
fn require_group(room: &Entered) -> Result<()> {
    match room.kind {
        RoomKind::Group => Ok(()),
        RoomKind::Personal | RoomKind::Direct => Err(Error::denied("this room is not a group")),
    }
}
