//! What the search has to know of nodes.

use wharf_store::sql::{self, Tx};
use wharf_types::api::drive::{Node, NodeKind};
use wharf_types::{NodeId, RoomId};

use super::place::{self, Place};
use super::rows;
use crate::access::Entered;
use crate::error::Result;

/// Nodes that a stretch of a drive's stream is about.
#[derive(Debug)]
pub(crate) struct Changed {
    /// Each once.
    pub(crate) nodes: Vec<NodeId>,
    /// The last position of the stretch.
    pub(crate) position: u64,
}

/// What a node is found by.
#[derive(Debug)]
pub(crate) struct Looked {
    pub(crate) name: String,
    pub(crate) kind: NodeKind,
    pub(crate) tags: Vec<String>,
    pub(crate) changed_ms: i64,
}

/// The nodes that `limit` changes past position `after` are about.
pub(crate) fn changed_nodes(
    tx: &mut Tx<'_>,
    room: RoomId,
    after: u64,
    limit: u32,
) -> sql::Result<Changed> {
    let mut changed = Changed {
        nodes: Vec::new(),
        position: after,
    };
    tx.each(
        "SELECT position, node_id FROM change WHERE room_id = ?1 AND position > ?2 ORDER BY position LIMIT ?3",
        &[room.into(), after.into(), limit.into()],
        |row| {
            changed.position = row.uint(0)?;
            changed.nodes.push(row.id(1)?);
            Ok(())
        },
    )?;
    changed.nodes.sort_unstable();
    changed.nodes.dedup();
    Ok(changed)
}

/// A node as it is now; `None` for one that was removed itself, or is no more.
pub(crate) fn look(tx: &mut Tx<'_>, room: RoomId, id: NodeId) -> sql::Result<Option<Looked>> {
    let Some(row) = rows::by_id(tx, room, id)? else {
        return Ok(None);
    };
    // A purged node that is still to be freed has its id for a name.
    let is_purged = row.key == rows::key_of_removed(id);
    if row.trashed_ms.is_some() || row.name.is_empty() || is_purged {
        return Ok(None);
    }
    Ok(Some(Looked {
        tags: rows::tags_of(tx, id)?,
        name: row.name,
        kind: row.content.kind,
        changed_ms: row.changed_ms,
    }))
}

/// A node that is in the tree, neither in the trash itself nor below something that is.
pub(crate) fn node_in_tree(tx: &mut Tx<'_>, room: &Entered, id: NodeId) -> Result<Option<Node>> {
    let Some(row) = rows::by_id(tx, room.id, id)? else {
        return Ok(None);
    };
    match place::place_of(tx, room, id)? {
        Some(Place::Tree { path }) => {
            let tags = rows::tags_of(tx, id)?;
            Ok(Some(row.into_node(path, tags)))
        }
        Some(Place::Trash { .. }) | None => Ok(None),
    }
}
