//! Who may enter a room, checked inside the transaction that acts on what it finds.
//!
//! A room that the caller is no member of is answered like a room that does not exist. A writer's session is looked up
//! again here, so a session that was ended on another server process writes nothing more, however long that process's
//! reads may still believe in it.
//!
//! Writing asks for more than the role: the room must not be archived, and in a direct room the two must be contacts of
//! whom neither has blocked the other. Reading stays, whatever has become of them.

use wharf_store::sql::{self, Lock, Row, Tx};
use wharf_types::api::drive::Retention;
use wharf_types::api::room::{Role, RoomKind};
use wharf_types::{AccountId, ErrorCode, NodeId, RoomId, SessionId};

use crate::caller::{Caller, Person};
use crate::error::{Error, Result};
use crate::{contact, room};

/// What a member may do in a room, from little to much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Right {
    /// Look.
    Read,
    /// Look, and change what the member alone sees: cursors, preferences, membership itself.
    Mark,
    /// Write to the log and the drive.
    Edit,
    /// Change the room itself: its retention, its members.
    Own,
}

/// A room that the caller was let into with a [`Right`], as it stands in this transaction.
#[derive(Debug, Clone)]
pub(crate) struct Entered {
    /// The room.
    pub(crate) id: RoomId,
    /// What it is for.
    pub(crate) kind: RoomKind,
    /// Whether it can only be read.
    pub(crate) is_archived: bool,
    /// The caller's role; the server itself counts as an owner.
    pub(crate) role: Role,
    /// The last position of the log that the caller cannot read because it joined later.
    pub(crate) floor: u64,
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
/// - `Denied`: a member without the right, a caller that may only read, or no person; a room that is archived, or a direct
///   one whose two people are not contacts any more, is not written to.
/// - `Unauthenticated`: for more than reading, the session has ended or the account was locked since the caller was made.
pub(crate) fn enter(
    tx: &mut Tx<'_>,
    caller: &Caller,
    room: RoomId,
    right: Right,
) -> Result<Entered> {
    let person = if right > Right::Read {
        require_writer(tx, caller)?
    } else {
        *caller.person()?
    };
    enter_as(tx, &person, room, right)
}

/// As [`enter`], for somebody whom [`require_writer`] has let through in this transaction, or who only reads.
pub(crate) fn enter_as(
    tx: &mut Tx<'_>,
    person: &Person,
    room: RoomId,
    right: Right,
) -> Result<Entered> {
    enter_account(tx, person.account, room, right)
}

/// As [`enter`], for an account that another proof than a session stands for, and that is not locked.
pub(crate) fn enter_account(
    tx: &mut Tx<'_>,
    account: AccountId,
    room: RoomId,
    right: Right,
) -> Result<Entered> {
    let found = tx.opt(
        "SELECT m.role, m.floor_position, r.kind, r.archived, r.owner_id, r.root_id, r.trash_id, r.drive_head, \
         r.used_bytes, r.revision_days, r.trash_days, o.quota_bytes, o.used_bytes, r.direct_key \
         FROM member m JOIN room r ON r.id = m.room_id JOIN account o ON o.id = r.owner_id \
         WHERE m.room_id = ?1 AND m.account_id = ?2",
        &[room.into(), account.into()],
        |row| {
            let mut entered = read_room(row, room, 2)?;
            entered.role = room::role_from(row.text(0)?)?;
            entered.floor = row.uint(1)?;
            Ok((entered, row.opt_id::<[u8; 32]>(13)?))
        },
    )?;
    let Some((entered, direct_key)) = found else {
        return Err(no_such_room());
    };
    require_right(&entered, right)?;
    if let Some(key) = direct_key.filter(|_| right >= Right::Edit)
        && !contact::may_write(tx, &key)?
    {
        return Err(Error::denied(NOT_CONTACTS));
    }
    Ok(entered)
}

/// A room as the server itself sees it, for its jobs.
///
/// # Errors
/// `NotFound`: no such room.
pub(crate) fn enter_as_server(tx: &mut Tx<'_>, room: RoomId) -> Result<Entered> {
    tx.opt(
        "SELECT r.kind, r.archived, r.owner_id, r.root_id, r.trash_id, r.drive_head, r.used_bytes, r.revision_days, \
         r.trash_days, o.quota_bytes, o.used_bytes \
         FROM room r JOIN account o ON o.id = r.owner_id WHERE r.id = ?1",
        &[room.into()],
        |row| read_room(row, room, 0),
    )?
    .ok_or_else(no_such_room)
}

fn require_right(room: &Entered, right: Right) -> Result<()> {
    let granted = match room.role {
        Role::Reader => Right::Mark,
        Role::Editor => Right::Edit,
        Role::Owner => Right::Own,
    };
    if granted < right {
        return Err(Error::denied(match right {
            Right::Read | Right::Mark | Right::Edit => "you may only read in this room",
            Right::Own => "only the room's owner may do this",
        }));
    }
    if right == Right::Edit && room.is_archived {
        return Err(Error::denied("this room is archived: it can only be read"));
    }
    Ok(())
}

/// Reads the columns of a room and its owner, in the order of the queries above, from `first` on.
fn read_room(row: &Row<'_>, id: RoomId, first: usize) -> sql::Result<Entered> {
    let days = |column| -> sql::Result<u32> {
        u32::try_from(row.uint(column)?).map_err(|_| sql::Error::corrupt("retention over 32 bits"))
    };
    Ok(Entered {
        id,
        kind: room::kind_from(row.text(first)?)?,
        is_archived: row.flag(first + 1)?,
        role: Role::Owner,
        floor: 0,
        owner: row.id(first + 2)?,
        root: row.id(first + 3)?,
        trash: row.id(first + 4)?,
        drive_head: row.uint(first + 5)?,
        used_bytes: row.uint(first + 6)?,
        retention: Retention {
            revision_days: days(first + 7)?,
            trash_days: days(first + 8)?,
        },
        quota_bytes: row.uint(first + 9)?,
        owner_used_bytes: row.uint(first + 10)?,
    })
}

/// Why somebody is not written to. It does not tell who ended it, nor how.
pub(crate) const NOT_CONTACTS: &str =
    "you are not contacts of each other, or one of you does not want messages now";

/// The answer to whoever asks for a room that is none, or none of theirs.
pub(crate) fn no_such_room() -> Error {
    Error::not_found("there is no such room")
}

/// What excludes other writes to these rooms and to what these accounts have with each other: contacts, requests, blocks,
/// invitations.
pub(crate) fn lock(rooms: &[RoomId], accounts: &[AccountId]) -> Lock {
    let of_accounts = accounts.iter().map(|account| key_of(*account));
    Lock::Rooms(rooms.iter().copied().chain(of_accounts).collect())
}

/// What an account is locked by: ids of rooms and accounts are drawn from one space.
pub(crate) const fn key_of(account: AccountId) -> RoomId {
    RoomId::from_bytes(*account.as_bytes())
}

/// The person who asks for a change that needs no room: one who may write, in a session that is still open.
///
/// # Errors
/// - `Denied`: a caller that may only read, or no person.
/// - `Unauthenticated`: the session has ended, or the account was locked.
pub(crate) fn require_writer(tx: &mut Tx<'_>, caller: &Caller) -> Result<Person> {
    let person = *caller.person()?;
    caller.may_write()?;
    require_session(tx, person.session)?;
    Ok(person)
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
