//! Where nodes stand: from a path down to a node, and from a node up to its path.

use wharf_store::sql::{self, Tx};
use wharf_types::api::drive::{At, NodeKind};
use wharf_types::name::{self, DrivePath, InvalidName, Name};
use wharf_types::{NodeId, RoomId};

use super::rows::{self, NO_PARENT, NodeRow};
use crate::access::Entered;
use crate::error::{Error, Result};

/// A name with what it is compared and sorted by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) key: String,
    pub(super) fold: String,
}

impl Part {
    /// Takes a checked name.
    pub(super) fn new(name: &Name) -> Self {
        Self::of(name.as_str())
    }

    /// Takes a name that was checked before, or that only serves to find a place in a list.
    pub(super) fn of(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            key: name::nfc(name),
            fold: name::fold(name),
        }
    }
}

/// Where a node stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// In the tree, at this path from the root.
    Tree { path: String },
    /// In the trash: removed itself, or below a node that was.
    Trash {
        /// Where it was.
        path: String,
        /// When the removed node went there.
        since_ms: i64,
    },
}

impl Place {
    /// Where it is, or was.
    pub(super) fn path(&self) -> &str {
        match self {
            Self::Tree { path } | Self::Trash { path, .. } => path,
        }
    }

    /// When it went to the trash, if it did.
    pub(super) const fn trashed_ms(&self) -> Option<i64> {
        match self {
            Self::Tree { .. } => None,
            Self::Trash { since_ms, .. } => Some(*since_ms),
        }
    }
}

/// A node on the way from a node up to the top.
#[derive(Debug)]
struct Ancestor {
    id: NodeId,
    parent: NodeId,
    name: String,
    trashed_ms: Option<i64>,
    trash_path: Option<String>,
}

/// The refusal of a malformed path.
pub(super) fn invalid_path(error: InvalidName) -> Error {
    Error::invalid(format!("this is no path in a drive: {error}"))
}

/// Joins a path and a name below it.
pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        return name.to_owned();
    }
    format!("{path}/{name}")
}

/// Finds the node that a request names: by path in the tree only, by id in the trash too.
///
/// # Errors
/// `NotFound`, or `Invalid` for a malformed path.
pub(super) fn find(tx: &mut Tx<'_>, room: &Entered, at: &At) -> Result<(NodeRow, Place)> {
    let found = match at {
        At::Id(id) => match rows::by_id(tx, room.id, *id)? {
            Some(node) => place_of(tx, room, *id)?.map(|place| (node, place)),
            None => None,
        },
        At::Path(path) => descend(tx, room, &DrivePath::parse(path).map_err(invalid_path)?)?,
    };
    found.ok_or_else(|| Error::not_found("there is no such file or folder"))
}

/// Finds a folder of the tree or the trash.
///
/// # Errors
/// As [`find`], and `Invalid` where the node is no folder.
pub(super) fn find_folder(tx: &mut Tx<'_>, room: &Entered, at: &At) -> Result<(NodeRow, Place)> {
    let found = find(tx, room, at)?;
    if found.0.content.kind != NodeKind::Folder {
        return Err(Error::invalid("this is a file, not a folder"));
    }
    Ok(found)
}

fn descend(
    tx: &mut Tx<'_>,
    room: &Entered,
    path: &DrivePath,
) -> sql::Result<Option<(NodeRow, Place)>> {
    let Some(mut node) = rows::by_id(tx, room.id, room.root)? else {
        return Err(sql::Error::corrupt("a drive has no root"));
    };
    let mut at = String::new();
    for name in path.names() {
        match rows::by_key(tx, node.id, &name.fold(), &name.key())? {
            Some(child) => node = child,
            None => return Ok(None),
        }
        at = join(&at, &node.name);
    }
    Ok(Some((node, Place::Tree { path: at })))
}

/// Where the node with this id stands; `None` if it was purged or never was.
pub(super) fn place_of(tx: &mut Tx<'_>, room: &Entered, id: NodeId) -> sql::Result<Option<Place>> {
    let line = ancestors(tx, room.id, id)?;
    let Some((top, below)) = line.split_last() else {
        return Ok(None);
    };
    let path = |start: &str| {
        below
            .iter()
            .rev()
            .fold(start.to_owned(), |path, node| join(&path, &node.name))
    };
    if top.parent == NO_PARENT {
        return Ok(Some(Place::Tree { path: path("") }));
    }
    if top.parent == room.trash {
        let was_at = top.trash_path.as_deref().unwrap_or(&top.name);
        return Ok(Some(Place::Trash {
            path: path(was_at),
            since_ms: top.trashed_ms.unwrap_or_default(),
        }));
    }
    Ok(None)
}

/// Whether `id` is `ancestor` or below it.
pub(super) fn is_within(
    tx: &mut Tx<'_>,
    room: RoomId,
    id: NodeId,
    ancestor: NodeId,
) -> sql::Result<bool> {
    Ok(id == ancestor
        || ancestors(tx, room, id)?
            .iter()
            .any(|node| node.id == ancestor))
}

/// The node and what holds it, from the node up to the last one that is a row.
fn ancestors(tx: &mut Tx<'_>, room: RoomId, id: NodeId) -> sql::Result<Vec<Ancestor>> {
    tx.all(
        "WITH RECURSIVE up (id, parent_id, name, trashed_ms, trash_path, height) AS (\
           SELECT n.id, n.parent_id, n.name, n.trashed_ms, n.trash_path, CAST(0 AS BIGINT) \
           FROM node n WHERE n.room_id = ?1 AND n.id = ?2 \
           UNION ALL \
           SELECT n.id, n.parent_id, n.name, n.trashed_ms, n.trash_path, u.height + 1 \
           FROM up u JOIN node n ON n.room_id = ?1 AND n.id = u.parent_id\
         ) SELECT id, parent_id, name, trashed_ms, trash_path FROM up ORDER BY height",
        &[room.into(), id.into()],
        |row| {
            Ok(Ancestor {
                id: row.id(0)?,
                parent: row.id(1)?,
                name: row.text(2)?.to_owned(),
                trashed_ms: row.opt_int(3)?,
                trash_path: row.opt_text(4)?.map(str::to_owned),
            })
        },
    )
}
