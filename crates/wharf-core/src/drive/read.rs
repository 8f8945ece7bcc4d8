//! Reading a drive: one node, lists, revisions and manifests.

use std::collections::HashMap;

use wharf_store::sql::{self, Tx};
use wharf_types::api::drive::{At, Drive, Manifest, Node, NodeKind, NodePage, Revision, Revisions};
use wharf_types::limit::{PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX};
use wharf_types::{ContentHash, ErrorCode, NodeId, RoomId};
use wharf_wire::manifest::to_base64;

use super::Page;
use super::place::{self, Part, Place, join};
use super::rows::{self, NameCursor, NodeRow};
use crate::access::{Entered, enter_as_server};
use crate::error::{Error, Result};

/// A file's content at one revision, as the database has it.
#[derive(Debug, Clone)]
pub(crate) struct StoredContent {
    /// The node, as it is now.
    pub(crate) node: Node,
    pub(crate) revision: u64,
    pub(crate) bytes: u64,
    pub(crate) hash: ContentHash,
    pub(crate) mtime_ns: Option<i64>,
    pub(crate) at_ms: i64,
    pub(crate) packed: Vec<u8>,
}

/// How many items a page has, from what the request says.
pub(super) fn page_limit(limit: Option<u32>) -> u32 {
    limit.unwrap_or(PAGE_ITEMS_DEFAULT).clamp(1, PAGE_ITEMS_MAX)
}

/// The drive as a whole.
pub(super) fn summary(room: &Entered) -> Drive {
    Drive {
        room: room.id,
        root: room.root,
        position: room.drive_head,
        used_bytes: room.used_bytes,
        quota_bytes: room.quota_bytes,
        owner_used_bytes: room.owner_used_bytes,
        retention: room.retention,
    }
}

/// One node.
pub(super) fn node(tx: &mut Tx<'_>, room: &Entered, at: &At) -> Result<Node> {
    let (row, place) = place::find(tx, room, at)?;
    let tags = rows::tags_of(tx, row.id)?;
    Ok(show(row, &place, tags))
}

/// A page of a folder.
pub(super) fn list(tx: &mut Tx<'_>, room: &Entered, at: &At, page: &Page) -> Result<NodePage> {
    let (folder, place) = place::find_folder(tx, room, at)?;
    let after = page
        .after
        .as_deref()
        .map(Part::of)
        .map_or_else(NameCursor::default, |part| NameCursor {
            fold: part.fold,
            key: part.key,
        });
    let (nodes, next) = page_of(tx, folder.id, &after, page_limit(page.limit))?;
    let items = nodes
        .into_iter()
        .map(|(row, tags)| {
            let path = join(place.path(), &row.name);
            let mut node = row.into_node(path, tags);
            node.trashed_ms = place.trashed_ms();
            node
        })
        .collect();
    Ok(NodePage {
        items,
        next: next.map(|last| last.name),
    })
}

/// A page of the trash. Names repeat there, so a page's end is the last name and, past a slash, the node's id.
pub(super) fn trash(tx: &mut Tx<'_>, room: &Entered, page: &Page) -> Result<NodePage> {
    let after = match page.after.as_deref() {
        None => NameCursor::default(),
        Some(after) => {
            let (name, key) = after
                .split_once('/')
                .ok_or_else(|| Error::invalid("this is not where a page of the trash ended"))?;
            NameCursor {
                fold: Part::of(name).fold,
                key: key.to_owned(),
            }
        }
    };
    let (nodes, next) = page_of(tx, room.trash, &after, page_limit(page.limit))?;
    let items = nodes
        .into_iter()
        .map(|(mut row, tags)| {
            let path = row.trash_path.take().unwrap_or_else(|| row.name.clone());
            row.into_node(path, tags)
        })
        .collect();
    Ok(NodePage {
        items,
        next: next.map(|last| join(&last.name, &last.key)),
    })
}

/// The revisions of a file that are kept, newest first.
pub(super) fn revisions(
    tx: &mut Tx<'_>,
    room: &Entered,
    at: &At,
    before: Option<u64>,
    limit: Option<u32>,
) -> Result<Revisions> {
    let (file, _) = find_file(tx, room, at)?;
    let limit = page_limit(limit);
    let before = before.unwrap_or(u64::MAX).min(room.drive_head + 1);
    let mut items = tx.all(
        "SELECT position, at_ms, account_id, bytes, content, mtime_ns FROM change \
         WHERE node_id = ?1 AND position < ?2 AND manifest IS NOT NULL ORDER BY position DESC LIMIT ?3",
        &[
            file.id.into(),
            before.into(),
            (limit + 1).into(),
        ],
        |row| {
            Ok(Revision {
                revision: row.uint(0)?,
                at_ms: row.int(1)?,
                account: row.opt_id(2)?,
                bytes: row.uint(3)?,
                content: row.id(4)?,
                mtime_ns: row.opt_int(5)?,
            })
        },
    )?;
    let is_more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let next = items.last().filter(|_| is_more).map(|last| last.revision);
    Ok(Revisions { items, next })
}

/// The chunks of a file.
pub(super) fn manifest(
    tx: &mut Tx<'_>,
    room: &Entered,
    at: &At,
    revision: Option<u64>,
) -> Result<Manifest> {
    let content = content(tx, room, at, revision)?;
    Ok(Manifest {
        id: content.node.id,
        revision: content.revision,
        bytes: content.bytes,
        content: content.hash,
        manifest: to_base64(&content.packed),
    })
}

/// A file's content at `revision`, or at its present one.
pub(super) fn content(
    tx: &mut Tx<'_>,
    room: &Entered,
    at: &At,
    revision: Option<u64>,
) -> Result<StoredContent> {
    let (row, place) = find_file(tx, room, at)?;
    let revision = revision.unwrap_or(row.content.revision);
    let kept = stored_revision(tx, room, row.id, revision)?;
    let tags = rows::tags_of(tx, row.id)?;
    kept.map(|kept| StoredContent {
        node: show(row, &place, tags),
        revision,
        bytes: kept.bytes,
        hash: kept.hash,
        mtime_ns: kept.mtime_ns,
        at_ms: kept.at_ms,
        packed: kept.packed,
    })
    .ok_or_else(|| Error::not_found("this revision is not kept, or never was"))
}

/// The content of a revision as the server itself sees it; `None` where it is kept no longer.
pub(crate) fn kept_content(
    tx: &mut Tx<'_>,
    room: RoomId,
    revision: u64,
) -> Result<Option<StoredContent>> {
    let node = tx.opt(
        "SELECT node_id FROM change WHERE room_id = ?1 AND position = ?2 AND manifest IS NOT NULL",
        &[room.into(), revision.into()],
        |row| row.id(0),
    )?;
    let Some(node) = node else {
        return Ok(None);
    };
    let room = enter_as_server(tx, room)?;
    match content(tx, &room, &At::Id(node), Some(revision)) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A file of the drive, as an entry of the log hands it over.
#[derive(Debug, Clone)]
pub(crate) struct HandedOver {
    pub(crate) name: String,
    pub(crate) revision: u64,
    pub(crate) bytes: u64,
    pub(crate) hash: ContentHash,
}

/// Finds a file, outside the trash, at `revision` or at its present one, to be handed over.
///
/// # Errors
/// `NotFound`: no such file in this drive, or its revision is not kept; `Invalid`: it is something else.
pub(crate) fn file_to_hand_over(
    tx: &mut Tx<'_>,
    room: &Entered,
    node: NodeId,
    revision: Option<u64>,
) -> Result<HandedOver> {
    let (row, place) = place::find(tx, room, &At::Id(node))?;
    if matches!(place, Place::Trash { .. }) {
        return Err(Error::not_found("this file is in the trash"));
    }
    if row.content.kind != NodeKind::File {
        return Err(Error::invalid("only files can be handed over"));
    }
    let revision = revision.unwrap_or(row.content.revision);
    let kept = stored_revision(tx, room, node, revision)?
        .ok_or_else(|| Error::not_found("this revision is not kept, or never was"))?;
    Ok(HandedOver {
        name: row.name,
        revision,
        bytes: kept.bytes,
        hash: kept.hash,
    })
}

/// What a change brought, while it is kept.
#[derive(Debug)]
pub(super) struct StoredRevision {
    pub(super) bytes: u64,
    pub(super) hash: ContentHash,
    pub(super) mtime_ns: Option<i64>,
    pub(super) at_ms: i64,
    pub(super) kind: NodeKind,
    pub(super) packed: Vec<u8>,
}

/// Reads a revision of a node, if its content is kept.
pub(super) fn stored_revision(
    tx: &mut Tx<'_>,
    room: &Entered,
    node: NodeId,
    revision: u64,
) -> sql::Result<Option<StoredRevision>> {
    if revision > room.drive_head {
        return Ok(None);
    }
    tx.opt(
        "SELECT bytes, content, mtime_ns, at_ms, node_kind, manifest FROM change \
         WHERE room_id = ?1 AND position = ?2 AND node_id = ?3 AND manifest IS NOT NULL",
        &[room.id.into(), revision.into(), node.into()],
        |row| {
            Ok(StoredRevision {
                bytes: row.uint(0)?,
                hash: row.id(1)?,
                mtime_ns: row.opt_int(2)?,
                at_ms: row.int(3)?,
                kind: rows::kind_from_row(row, 4)?,
                packed: row.bytes(5)?.to_vec(),
            })
        },
    )
}

fn find_file(tx: &mut Tx<'_>, room: &Entered, at: &At) -> Result<(NodeRow, Place)> {
    let found = place::find(tx, room, at)?;
    if found.0.content.kind == NodeKind::Folder {
        return Err(Error::invalid("this is a folder, not a file"));
    }
    Ok(found)
}

fn show(row: NodeRow, place: &Place, tags: Vec<String>) -> Node {
    let mut node = row.into_node(place.path().to_owned(), tags);
    node.trashed_ms = place.trashed_ms();
    node
}

/// A page's nodes with their tags, and the last one's place where there are more after it.
type NodesOfPage = (Vec<(NodeRow, Vec<String>)>, Option<Part>);

fn page_of(
    tx: &mut Tx<'_>,
    parent: NodeId,
    after: &NameCursor,
    limit: u32,
) -> sql::Result<NodesOfPage> {
    let mut nodes = rows::children(tx, parent, after, limit + 1)?;
    let is_more = nodes.len() > limit as usize;
    nodes.truncate(limit as usize);
    let Some(last) = nodes.last().map(|node| Part {
        name: node.name.clone(),
        key: node.key.clone(),
        fold: node.fold.clone(),
    }) else {
        return Ok((Vec::new(), None));
    };
    let mut tags = tags_between(tx, parent, after, &last)?;
    let nodes = nodes
        .into_iter()
        .map(|node| {
            let tags = tags.remove(&node.id).unwrap_or_default();
            (node, tags)
        })
        .collect();
    Ok((nodes, is_more.then_some(last)))
}

/// The tags of the nodes in `parent` past `after` up to `last`, in one statement for the whole page.
fn tags_between(
    tx: &mut Tx<'_>,
    parent: NodeId,
    after: &NameCursor,
    last: &Part,
) -> sql::Result<HashMap<NodeId, Vec<String>>> {
    let mut tags = HashMap::<NodeId, Vec<String>>::new();
    tx.each(
        "SELECT n.id, t.tag FROM node n JOIN tag t ON t.node_id = n.id \
         WHERE n.parent_id = ?1 AND (n.name_fold, n.name_key) > (?2, ?3) AND (n.name_fold, n.name_key) <= (?4, ?5) \
         ORDER BY t.tag",
        &[
            parent.into(),
            (&after.fold).into(),
            (&after.key).into(),
            (&last.fold).into(),
            (&last.key).into(),
        ],
        |row| {
            tags.entry(row.id(0)?).or_default().push(row.text(1)?.to_owned());
            Ok(())
        },
    )?;
    Ok(tags)
}
