//! Letting content go: purged nodes with all below them, and revisions past their days.
//!
//! A purge takes a node out of the trash at once, whatever its size, by hanging it under the room's grave; its subtree is
//! freed from there in bounded steps, the first of them in the purging commit. A crash leaves the rest under the
//! grave, still charged, for the retention job.

use wharf_store::chunk;
use wharf_store::sql::{self, Tx};
use wharf_types::api::drive::{ChangeKind, NodeKind};
use wharf_types::{ChunkHash, NodeId};
use wharf_wire::manifest::Manifest;

use super::rows::{self, NodeRow, grave_of, key_of_removed};
use super::stream::{NewChange, Stream};
use crate::access::Entered;

/// Chunks of a revision that are one more item of work.
const CHUNKS_PER_ITEM: usize = 64;

/// What a step let go.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reaped {
    /// The work it was: nodes and revisions, those with many chunks counted for more.
    pub(super) items: u32,
    /// What the room no longer uses; still to be charged.
    pub(super) freed_bytes: u64,
}

/// Takes a node out of the trash for ever. Its content is freed by [`reap`].
pub(super) fn bury(
    tx: &mut Tx<'_>,
    room: &Entered,
    node: &NodeRow,
    stream: &mut Stream<'_>,
) -> sql::Result<u64> {
    hang_under_grave(tx, room, node.id)?;
    Ok(stream.append(NewChange {
        kind: ChangeKind::Purged,
        node: node.id,
        parent: None,
        name: node.name.clone().into(),
        node_kind: node.content.kind,
        content: None,
    }))
}

/// Frees nodes under the grave until there are none or `items_max` nodes and revisions were dealt with.
pub(super) fn reap(
    tx: &mut Tx<'_>,
    room: &Entered,
    items_max: u32,
    now_ms: i64,
) -> sql::Result<Reaped> {
    let mut reaped = Reaped::default();
    while reaped.items < items_max {
        let Some((node, kind)) = first_child(tx, grave_of(room.trash))? else {
            break;
        };
        match kind {
            NodeKind::Folder => empty_folder(tx, room, node, items_max, &mut reaped, now_ms)?,
            NodeKind::File | NodeKind::Link => {
                free_file(tx, room, node, items_max, &mut reaped, now_ms)?;
            }
        }
    }
    Ok(reaped)
}

/// Lets go of revisions that were replaced before `before_ms`, `items_max` at most. Present ones are never among them, nor
/// those that the log hands over.
pub(super) fn expire_revisions(
    tx: &mut Tx<'_>,
    room: &Entered,
    before_ms: i64,
    items_max: u32,
    now_ms: i64,
) -> sql::Result<Reaped> {
    let expired = tx.all(
        "SELECT position, bytes FROM change \
         WHERE room_id = ?1 AND superseded_ms < ?2 AND superseded_ms IS NOT NULL AND handed_count = 0 \
         AND manifest IS NOT NULL \
         ORDER BY superseded_ms, position LIMIT ?3",
        &[room.id.into(), before_ms.into(), items_max.into()],
        KeptRevision::read,
    )?;
    let (reaped, _) = free_revisions(tx, room, &expired, items_max, now_ms)?;
    Ok(reaped)
}

/// A revision whose content is to be freed.
pub(super) struct KeptRevision {
    pub(super) position: u64,
    pub(super) bytes: u64,
}

impl KeptRevision {
    fn read(row: &sql::Row<'_>) -> sql::Result<Self> {
        Ok(Self {
            position: row.uint(0)?,
            bytes: row.uint(1)?,
        })
    }
}

/// The chunks that a stored manifest names.
fn chunks_of(packed: &[u8]) -> sql::Result<Vec<ChunkHash>> {
    let manifest = Manifest::unpack(packed)
        .map_err(|error| sql::Error::corrupt(format!("stored manifest: {error}")))?;
    Ok(manifest.chunks.iter().map(|chunk| chunk.hash).collect())
}

fn free_file(
    tx: &mut Tx<'_>,
    room: &Entered,
    node: NodeId,
    items_max: u32,
    reaped: &mut Reaped,
    now_ms: i64,
) -> sql::Result<()> {
    let limit = items_max.saturating_sub(reaped.items).max(1);
    let revisions = tx.all(
        "SELECT position, bytes FROM change \
         WHERE node_id = ?1 AND manifest IS NOT NULL ORDER BY position LIMIT ?2",
        &[node.into(), limit.into()],
        KeptRevision::read,
    )?;
    let (freed, freed_count) = free_revisions(tx, room, &revisions, limit, now_ms)?;
    reaped.items += freed.items + 1;
    reaped.freed_bytes += freed.freed_bytes;
    if freed_count == revisions.len() && revisions.len() < limit as usize {
        delete_node(tx, room, node)?;
    }
    Ok(())
}

/// Frees the files of a buried folder and buries its folders, then deletes it once it is empty.
fn empty_folder(
    tx: &mut Tx<'_>,
    room: &Entered,
    folder: NodeId,
    items_max: u32,
    reaped: &mut Reaped,
    now_ms: i64,
) -> sql::Result<()> {
    while reaped.items < items_max {
        match first_child(tx, folder)? {
            None => {
                delete_node(tx, room, folder)?;
                reaped.items += 1;
                return Ok(());
            }
            Some((child, NodeKind::Folder)) => {
                hang_under_grave(tx, room, child)?;
                reaped.items += 1;
            }
            Some((child, NodeKind::File | NodeKind::Link)) => {
                free_file(tx, room, child, items_max, reaped, now_ms)?;
            }
        }
    }
    Ok(())
}

fn first_child(tx: &mut Tx<'_>, parent: NodeId) -> sql::Result<Option<(NodeId, NodeKind)>> {
    tx.opt(
        "SELECT id, kind FROM node WHERE parent_id = ?1 ORDER BY name_fold, name_key LIMIT 1",
        &[parent.into()],
        |row| Ok((row.id(0)?, rows::kind_from_row(row, 1)?)),
    )
}

pub(super) fn hang_under_grave(tx: &mut Tx<'_>, room: &Entered, node: NodeId) -> sql::Result<()> {
    tx.exec(
        "UPDATE node SET parent_id = ?1, name_key = ?2, trashed_ms = NULL, trash_path = NULL \
         WHERE room_id = ?3 AND id = ?4",
        &[
            grave_of(room.trash).into(),
            key_of_removed(node).as_str().into(),
            room.id.into(),
            node.into(),
        ],
    )?;
    Ok(())
}

fn delete_node(tx: &mut Tx<'_>, room: &Entered, node: NodeId) -> sql::Result<()> {
    tx.exec("DELETE FROM tag WHERE node_id = ?1", &[node.into()])?;
    tx.exec(
        "DELETE FROM node WHERE room_id = ?1 AND id = ?2",
        &[room.id.into(), node.into()],
    )?;
    Ok(())
}

/// Frees revisions from the first on until all are or it was `items_max` of work, and returns how many.
pub(super) fn free_revisions(
    tx: &mut Tx<'_>,
    room: &Entered,
    revisions: &[KeptRevision],
    items_max: u32,
    now_ms: i64,
) -> sql::Result<(Reaped, usize)> {
    let mut reaped = Reaped::default();
    let mut chunks = Vec::new();
    let mut freed_count = 0;
    for revision in revisions {
        if reaped.items >= items_max {
            break;
        }
        let key = [room.id.into(), revision.position.into()];
        let freed = tx.one(
            "SELECT manifest FROM change WHERE room_id = ?1 AND position = ?2",
            &key,
            |row| chunks_of(row.bytes(0)?),
        )?;
        tx.exec(
            "UPDATE change SET manifest = NULL, superseded_ms = NULL WHERE room_id = ?1 AND position = ?2",
            &key,
        )?;
        reaped.items += 1 + u32::try_from(freed.len() / CHUNKS_PER_ITEM).unwrap_or(items_max);
        reaped.freed_bytes += revision.bytes;
        freed_count += 1;
        chunks.extend(freed);
    }
    // In one order everywhere, so that two rooms that share chunks do not wait for each other in a circle.
    chunks.sort_unstable();
    chunk::release(tx, &chunks, now_ms)?;
    Ok((reaped, freed_count))
}
