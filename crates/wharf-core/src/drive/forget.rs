//! Taking a drive away with its room, a bounded part at a time.

use wharf_store::sql::Tx;
use wharf_types::NodeId;

use super::reap::{KeptRevision, free_revisions};
use super::usage;
use crate::access::Entered;
use crate::error::Result;

/// Changes and revisions of one part: some milliseconds of the writer's time.
const PART_CHANGES_MAX: u32 = 50;
/// Nodes of one part.
const PART_NODES_MAX: u32 = 500;

/// Takes a part of a room's drive away, its contents first, and says whether nothing is left of it. The transaction has the
/// room's lock, and nobody can reach the room any more.
pub(crate) fn forget_some(tx: &mut Tx<'_>, room: &Entered, now_ms: i64) -> Result<bool> {
    Ok(!forget_changes(tx, room, now_ms)? && !forget_nodes(tx, room)?)
}

/// Takes the first changes away, as many as are a part; says whether there were any.
fn forget_changes(tx: &mut Tx<'_>, room: &Entered, now_ms: i64) -> Result<bool> {
    let changes = tx.all(
        "SELECT position, CASE WHEN manifest IS NULL THEN NULL ELSE bytes END FROM change \
         WHERE room_id = ?1 ORDER BY position LIMIT ?2",
        &[room.id.into(), PART_CHANGES_MAX.into()],
        |row| Ok((row.uint(0)?, row.opt_uint(1)?)),
    )?;
    let Some((mut last, _)) = changes.last().copied() else {
        return Ok(false);
    };
    let kept: Vec<_> = changes
        .into_iter()
        .filter_map(|(position, bytes)| bytes.map(|bytes| KeptRevision { position, bytes }))
        .collect();
    let (freed, freed_count) = free_revisions(tx, room, &kept, PART_CHANGES_MAX, now_ms)?;
    if let Some(next) = kept.get(freed_count) {
        last = next.position - 1;
    }
    usage::charge(tx, room, 0, freed.freed_bytes)?;
    for text in [
        "DELETE FROM change WHERE room_id = ?1 AND position <= ?2",
        "DELETE FROM image WHERE room_id = ?1 AND position <= ?2",
    ] {
        tx.exec(text, &[room.id.into(), last.into()])?;
    }
    Ok(true)
}

/// Takes some nodes away, whose contents are gone; says whether there were any.
fn forget_nodes(tx: &mut Tx<'_>, room: &Entered) -> Result<bool> {
    let nodes = tx.all(
        "SELECT id FROM node WHERE room_id = ?1 ORDER BY id LIMIT ?2",
        &[room.id.into(), PART_NODES_MAX.into()],
        |row| row.id::<NodeId>(0),
    )?;
    let Some(last) = nodes.last().copied() else {
        return Ok(false);
    };
    for text in [
        "DELETE FROM tag WHERE node_id IN (SELECT id FROM node WHERE room_id = ?1 AND id <= ?2)",
        "DELETE FROM node WHERE room_id = ?1 AND id <= ?2",
    ] {
        tx.exec(text, &[room.id.into(), last.into()])?;
    }
    Ok(true)
}
