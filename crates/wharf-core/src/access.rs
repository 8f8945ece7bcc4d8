//! Who may enter a room, checked inside the transaction that acts on what it finds.
//!
//! A room that the caller is no member of is answered like a room that does not exist. A writer's session is looked up
//! again here, so a session that was ended on another server process writes nothing more, however long that process's
//! reads may still believe in it.

use wharf_store::sql::{self, Row, Tx};
use wharf_types::api::drive::Retention;
use wharf_types::{AccountId, ErrorCode, NodeId, RoomId, SessionId};

use crate::caller::Caller;
use crate::error::{Error, Result};

/// What a member may do in a room, from little to much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Right {
    /// Look.
    Read,
    /// Change the drive.
    Edit,
    /// Change the room itself: its retention, its members.
    Own,
}

/// A room that the caller was let into with a [`Right`], as it stands in this transaction.
#[derive(Debug, Clone)]
pub(crate) struct Entered {
    /// The room.
    pub(crate) id: RoomId,
    /// Whose quota its drive is charged to.
    pub(crate) owner: AccountId,
    /// The drive's root folder.
    pub(crate) root: NodeId,
    /// The drive's trash.
    pub(crate) trash: NodeId,
    /// The last position of the drive's stream.
    pub(crate) drive_head: u64,
    /// Bytes in the drive, revisions and trash included.
    pub(crate) used_bytes: u64,
    /// How long the drive keeps what is no longer current.
    pub(crate) retention: Retention,
    /// The owner's quota.
    pub(crate) quota_bytes: u64,
    /// Bytes in all drives of the owner.
    pub(crate) owner_used_bytes: u64,
}

/// Lets `caller` into `room` with at least `right`.
///
/// # Errors
/// - `NotFound`: no such room, or the caller is no member of it.
/// - `Denied`: a member without the right, a caller that may only read, or no person.
/// - `Unauthenticated`: for more than reading, the session has ended or the account was locked since the caller was made.
pub(crate) fn enter(
    tx: &mut Tx<'_>,
    caller: &Caller,
    room: RoomId,
    right: Right,
) -> Result<Entered> {
    let person = caller.person()?;
    if right > Right::Read {
        caller.may_write()?;
        require_session(tx, person.session)?;
    }
    let found = tx.opt(
        "SELECT m.role, r.owner_id, r.root_id, r.trash_id, r.drive_head, r.used_bytes, r.revision_days, r.trash_days, \
         o.quota_bytes, o.used_bytes \
         FROM member m JOIN room r ON r.id = m.room_id JOIN account o ON o.id = r.owner_id \
         WHERE m.room_id = ?1 AND m.account_id = ?2",
        &[room.into(), person.account.into()],
        |row| {
            let granted = match row.text(0)? {
                "owner" => Right::Own,
                "editor" => Right::Edit,
                "reader" => Right::Read,
                other => return Err(sql::Error::corrupt(format!("member role {other:?}"))),
            };
            let entered = read_room(row, room, 1)?;
            Ok((granted, entered))
        },
    )?;
    let Some((granted, entered)) = found else {
        return Err(no_such_room());
    };
    if granted < right {
        return Err(Error::denied(match right {
            Right::Read | Right::Edit => "you may only read in this room",
            Right::Own => "only the room's owner may do this",
        }));
    }
    Ok(entered)
}

/// A room as the server itself sees it, for its jobs.
///
/// # Errors
/// `NotFound`: no such room.
pub(crate) fn enter_as_server(tx: &mut Tx<'_>, room: RoomId) -> Result<Entered> {
    tx.opt(
        "SELECT r.owner_id, r.root_id, r.trash_id, r.drive_head, r.used_bytes, r.revision_days, r.trash_days, \
         o.quota_bytes, o.used_bytes \
         FROM room r JOIN account o ON o.id = r.owner_id WHERE r.id = ?1",
        &[room.into()],
        |row| read_room(row, room, 0),
    )?
    .ok_or_else(no_such_room)
}

/// Reads the columns of a room and its owner, in the order of the queries above, from `first` on.
fn read_room(row: &Row<'_>, room: RoomId, first: usize) -> sql::Result<Entered> {
    let days = |column| -> sql::Result<u32> {
        u32::try_from(row.uint(column)?).map_err(|_| sql::Error::corrupt("retention over 32 bits"))
    };
    Ok(Entered {
        id: room,
        owner: row.id(first)?,
        root: row.id(first + 1)?,
        trash: row.id(first + 2)?,
        drive_head: row.uint(first + 3)?,
        used_bytes: row.uint(first + 4)?,
        retention: Retention {
            revision_days: days(first + 5)?,
            trash_days: days(first + 6)?,
        },
        quota_bytes: row.uint(first + 7)?,
        owner_used_bytes: row.uint(first + 8)?,
    })
}

fn no_such_room() -> Error {
    Error::not_found("there is no such room")
}

/// Passes while the session is open and its account is not locked.
///
/// # Errors
/// `Unauthenticated` otherwise.
pub(crate) fn require_session(tx: &mut Tx<'_>, session: SessionId) -> Result<()> {
    let open = tx.opt(
        "SELECT 1 FROM session s JOIN account a ON a.id = s.account_id WHERE s.id = ?1 AND a.locked = 0",
        &[session.into()],
        |_| Ok(()),
    )?;
    open.ok_or_else(session_ended)
}

/// The answer to whoever comes with a session that is none, or none any more.
pub(crate) fn session_ended() -> Error {
    Error::new(
        ErrorCode::Unauthenticated,
        "not logged in, or the session has ended: log in again",
    )
}
