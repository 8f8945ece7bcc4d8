//! How far accounts have read and devices received. Cursors only move forward.

use wharf_store::sql::Tx;
use wharf_types::api::log::{Cursors, MemberCursor};
use wharf_types::{AccountId, DeviceId, RoomId};

use super::read::View;
use super::rows;
use crate::access::{Right, enter};
use crate::caller::Caller;
use crate::error::Result;
use crate::live::Notices;
use crate::room::{Thing, touch};

/// Moves the account's read cursor forward, and tells its list and the room.
pub(super) fn mark_read(
    tx: &mut Tx<'_>,
    by: &Caller,
    room: RoomId,
    position: u64,
) -> Result<((), Notices)> {
    let mut notices = Notices::default();
    let account = allow(tx, by, room)?;
    let end = rows::end(tx, room)?;
    let position = position.min(end.head);
    let countable = if position <= end.floor {
        Some(end.floor_countable)
    } else {
        tx.opt(
            "SELECT countable FROM entry WHERE room_id = ?1 AND position = ?2",
            &[room.into(), position.into()],
            |row| row.uint(0),
        )?
    };
    let Some(countable) = countable else {
        return Ok(((), notices));
    };
    let moved = tx.exec(
        "UPDATE member SET read_position = ?3, read_countable = ?4 \
         WHERE room_id = ?1 AND account_id = ?2 AND read_position < ?3",
        &[
            room.into(),
            account.into(),
            position.into(),
            countable.into(),
        ],
    )?;
    if moved > 0 {
        let version = touch(tx, account, Thing::Read(room))?;
        notices.accounts.push((account, version));
        notices.read.push((room, account, position));
    }
    Ok(((), notices))
}

/// Moves a device's cursor forward.
pub(super) fn mark_delivered(
    tx: &mut Tx<'_>,
    by: &Caller,
    device: DeviceId,
    room: RoomId,
    position: u64,
) -> Result<((), Notices)> {
    let account = allow(tx, by, room)?;
    let position = position.min(rows::end(tx, room)?.head);
    let moved = tx.exec(
        "INSERT INTO delivered (room_id, account_id, device_id, position) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (room_id, account_id, device_id) DO UPDATE SET position = excluded.position \
         WHERE delivered.position < excluded.position",
        &[room.into(), account.into(), device.into(), position.into()],
    )?;
    let mut notices = Notices::default();
    if moved > 0 {
        notices.delivered.push((room, account, position));
    }
    Ok(((), notices))
}

/// Every member's cursors. Who has read something has received it.
pub(super) fn all(tx: &mut Tx<'_>, view: &View) -> Result<Cursors> {
    let items = tx.all(
        "SELECT m.account_id, m.read_position, \
         (SELECT max(d.position) FROM delivered d WHERE d.room_id = m.room_id AND d.account_id = m.account_id) \
         FROM member m WHERE m.room_id = ?1 ORDER BY m.account_id",
        &[view.room.into()],
        |row| {
            let read = row.uint(1)?;
            Ok(MemberCursor {
                account: row.id(0)?,
                read,
                delivered: row.opt_uint(2)?.unwrap_or(0).max(read),
            })
        },
    )?;
    Ok(Cursors { items })
}

/// Reading is enough to move one's own cursors, but it is writing, so a login that may only read cannot.
fn allow(tx: &mut Tx<'_>, by: &Caller, room: RoomId) -> Result<AccountId> {
    enter(tx, by, room, Right::Mark)?;
    by.account()
}
