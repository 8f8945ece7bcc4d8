//! Taking entries away, with all that belongs to them.

use wharf_store::sql::{self, Tx};
use wharf_types::RoomId;

/// Entries of one part: a few milliseconds of the writer's time.
pub(super) const PART_ENTRIES_MAX: u32 = 250;

/// Takes a part of a room's log away, its first entries first, and says whether nothing is left of it. The transaction has the
/// room's lock, and nobody can reach the room any more. The log's end goes with the first part, so that nobody takes the rest
/// for a log that is damaged.
pub(crate) fn forget_some(tx: &mut Tx<'_>, room: RoomId) -> sql::Result<bool> {
    for text in [
        "DELETE FROM log WHERE room_id = ?1",
        "DELETE FROM delivered WHERE room_id = ?1",
    ] {
        tx.exec(text, &[room.into()])?;
    }
    let positions = tx.all(
        "SELECT position FROM entry WHERE room_id = ?1 ORDER BY position LIMIT ?2",
        &[room.into(), PART_ENTRIES_MAX.into()],
        |row| row.uint(0),
    )?;
    if let Some(last) = positions.last() {
        delete_up_to(tx, room, *last)?;
        return Ok(false);
    }
    tx.exec("DELETE FROM log_hour WHERE room_id = ?1", &[room.into()])?;
    Ok(true)
}

/// Deletes the rows of the entries up to a position, and of what others said about them.
pub(super) fn delete_up_to(tx: &mut Tx<'_>, room: RoomId, position: u64) -> sql::Result<()> {
    for text in [
        "DELETE FROM entry WHERE room_id = ?1 AND position <= ?2",
        "DELETE FROM reaction WHERE room_id = ?1 AND target <= ?2",
        "DELETE FROM mention WHERE room_id = ?1 AND position <= ?2",
        "DELETE FROM log_hour WHERE room_id = ?1 AND position <= ?2",
    ] {
        tx.exec(text, &[room.into(), position.into()])?;
    }
    Ok(())
}
