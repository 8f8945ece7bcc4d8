//! Nodes with everything below them, gathered to be handed out together: for archives.
//!
//! All is read in one transaction, so it is one state of the drive, whatever happens meanwhile.

use std::collections::HashSet;

use wharf_store::sql::Tx;
use wharf_types::api::drive::{At, NodeKind};
use wharf_types::limit::{ARCHIVE_ENTRIES_MAX, ARCHIVE_NODES_MAX};
use wharf_types::{ErrorCode, NodeId};

use super::place;
use super::tree;
use crate::access::Entered;
use crate::error::{Error, Result};

/// Nodes with everything below them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gathered {
    /// What to call it: the node's name, or that of the folder which holds them all; `None` where this is the root, or
    /// they stand in several folders.
    pub title: Option<String>,
    /// Depth first, parents before children.
    pub items: Vec<GatheredNode>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatheredNode {
    /// How many of the folders before it it is below, 0 for a node that was asked for.
    pub depth: usize,
    /// As given.
    pub name: String,
    /// Its id.
    pub id: NodeId,
    /// What it is.
    pub kind: NodeKind,
    /// The revision of its content.
    pub revision: u64,
    /// Bytes of its content; 0 for a folder.
    pub bytes: u64,
    /// The author's time of modification, in nanoseconds since the epoch.
    pub mtime_ns: Option<i64>,
    /// Whether it is a program.
    pub executable: bool,
}

/// Gathers the nodes in the order asked; of the root, what it holds.
///
/// # Errors
/// - `NotFound`: one of them is not there; `Invalid`: none was asked for.
/// - `TooLarge`: more than [`ARCHIVE_NODES_MAX`] were asked for, or more than [`ARCHIVE_ENTRIES_MAX`] are below them.
pub(super) fn gather(tx: &mut Tx<'_>, room: &Entered, nodes: &[At]) -> Result<Gathered> {
    if nodes.is_empty() {
        return Err(Error::invalid("name at least one file or folder"));
    }
    if nodes.len() > ARCHIVE_NODES_MAX {
        return Err(too_many(format!(
            "at most {ARCHIVE_NODES_MAX} files and folders can be named at once: take the folder that holds them"
        )));
    }
    let mut items = Vec::new();
    let mut seen = HashSet::new();
    let mut parents = HashSet::new();
    let mut title = None;
    for at in nodes {
        let (row, _) = place::find(tx, room, at)?;
        if !seen.insert(row.id) {
            continue;
        }
        let is_root = row.id == room.root;
        parents.insert(row.parent);
        title = (!is_root).then(|| row.name.clone());
        if row.content.kind == NodeKind::Folder {
            if !is_root {
                items.push(GatheredNode {
                    depth: 0,
                    name: row.name,
                    id: row.id,
                    kind: NodeKind::Folder,
                    revision: row.content.revision,
                    bytes: 0,
                    mtime_ns: None,
                    executable: false,
                });
            }
            below(tx, row.id, usize::from(!is_root), &mut items)?;
        } else {
            items.push(GatheredNode {
                depth: 0,
                name: row.name,
                id: row.id,
                kind: row.content.kind,
                revision: row.content.revision,
                bytes: row.content.bytes,
                mtime_ns: row.content.mtime_ns,
                executable: row.content.executable,
            });
        }
        check_count(&items)?;
    }
    if seen.len() > 1 {
        title = name_of_one(tx, room, &parents)?;
    }
    Ok(Gathered { title, items })
}

/// Adds everything below a folder, whose own nodes have depth `depth`.
fn below(
    tx: &mut Tx<'_>,
    folder: NodeId,
    depth: usize,
    items: &mut Vec<GatheredNode>,
) -> Result<()> {
    let mut walk = tree::Walk::start(folder);
    while let Some(found) = walk.next_node(tx)? {
        items.push(GatheredNode {
            depth: depth + found.depth,
            name: found.name,
            id: found.id,
            kind: found.content.kind,
            revision: found.content.revision,
            bytes: found.content.bytes,
            mtime_ns: found.content.mtime_ns,
            executable: found.content.executable,
        });
        check_count(items)?;
    }
    Ok(())
}

/// The name of the folder, where there is only one and it is in the tree.
fn name_of_one(
    tx: &mut Tx<'_>,
    room: &Entered,
    parents: &HashSet<NodeId>,
) -> Result<Option<String>> {
    let mut parents = parents.iter();
    let (Some(parent), None) = (parents.next(), parents.next()) else {
        return Ok(None);
    };
    if *parent == room.root {
        return Ok(None);
    }
    let folder = super::rows::by_id(tx, room.id, *parent)?;
    Ok(folder
        .map(|folder| folder.name)
        .filter(|name| !name.is_empty()))
}

fn check_count(items: &[GatheredNode]) -> Result<()> {
    if items.len() > ARCHIVE_ENTRIES_MAX {
        return Err(too_many(format!(
            "an archive holds at most {ARCHIVE_ENTRIES_MAX} files and folders"
        )));
    }
    Ok(())
}

fn too_many(text: String) -> Error {
    Error::new(ErrorCode::TooLarge, text)
}
