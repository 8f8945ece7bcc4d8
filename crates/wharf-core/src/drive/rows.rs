//! Reading rows of `node`, and the two ids that stand where no node is.

use wharf_store::sql::{self, Row, Tx, Value};
use wharf_types::api::drive::{ChangeKind, ImageSize, Node, NodeKind};
use wharf_types::{ContentHash, NodeId, RoomId};

use crate::thumbnail;

/// The parent of every root.
pub(super) const NO_PARENT: NodeId = NodeId::from_bytes([0; 16]);

/// The parent of a room's purged nodes that are still to be freed: no node has this id.
pub(super) fn grave_of(trash: NodeId) -> NodeId {
    NodeId::from_bytes(trash.as_bytes().map(|byte| !byte))
}

/// The key of a node among those that stand together under the trash or the grave, where names may repeat.
pub(super) fn key_of_removed(id: NodeId) -> String {
    id.to_string()
}

/// A row of `node`.
#[derive(Debug, Clone)]
pub(super) struct NodeRow {
    pub(super) id: NodeId,
    pub(super) parent: NodeId,
    pub(super) name: String,
    pub(super) key: String,
    pub(super) fold: String,
    pub(super) content: Content,
    pub(super) changed_ms: i64,
    pub(super) trashed_ms: Option<i64>,
    pub(super) trash_path: Option<String>,
    /// Of an image that was looked at.
    pub(super) image: Option<ImageSize>,
}

/// What a node is and holds, apart from its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) kind: NodeKind,
    pub(super) revision: u64,
    pub(super) bytes: u64,
    pub(super) hash: Option<ContentHash>,
    pub(super) mtime_ns: Option<i64>,
    pub(super) executable: bool,
}

/// Selects what [`NodeRow::read`] reads; `$rest` follows `FROM node n`.
macro_rules! select_node {
    ($rest:literal) => {
        concat!(
            "SELECT n.id, n.parent_id, n.name, n.name_key, n.name_fold, n.kind, n.revision, n.bytes, n.content, ",
            "n.mtime_ns, n.executable, n.changed_ms, n.trashed_ms, n.trash_path, ",
            "(SELECT i.width FROM image i WHERE i.room_id = n.room_id AND i.position = n.revision), ",
            "(SELECT i.height FROM image i WHERE i.room_id = n.room_id AND i.position = n.revision) FROM node n ",
            $rest
        )
    };
}
pub(super) use select_node;

impl NodeRow {
    /// Reads a row of [`select_node!`].
    pub(super) fn read(row: &Row<'_>) -> sql::Result<Self> {
        Ok(Self {
            id: row.id(0)?,
            parent: row.id(1)?,
            name: row.text(2)?.to_owned(),
            key: row.text(3)?.to_owned(),
            fold: row.text(4)?.to_owned(),
            content: Content {
                kind: kind_from_row(row, 5)?,
                revision: row.uint(6)?,
                bytes: row.uint(7)?,
                hash: row.opt_id(8)?,
                mtime_ns: row.opt_int(9)?,
                executable: row.flag(10)?,
            },
            changed_ms: row.int(11)?,
            trashed_ms: row.opt_int(12)?,
            trash_path: row.opt_text(13)?.map(str::to_owned),
            image: thumbnail::size_from(row, 14)?,
        })
    }

    /// The node as the API shows it.
    pub(super) fn into_node(self, path: String, tags: Vec<String>) -> Node {
        Node {
            id: self.id,
            parent: (self.parent != NO_PARENT && self.trashed_ms.is_none()).then_some(self.parent),
            name: self.name,
            path,
            kind: self.content.kind,
            revision: self.content.revision,
            bytes: self.content.bytes,
            content: self.content.hash,
            mtime_ns: self.content.mtime_ns,
            executable: self.content.executable,
            tags,
            image: self.image,
            changed_ms: self.changed_ms,
            trashed_ms: self.trashed_ms,
        }
    }
}

/// Makes the root folder of a new room's drive.
pub(crate) fn insert_root(
    tx: &mut Tx<'_>,
    room: RoomId,
    root: NodeId,
    now_ms: i64,
) -> sql::Result<()> {
    let key = key_of_removed(root);
    tx.exec(
        "INSERT INTO node (room_id, id, parent_id, name, name_key, name_fold, kind, revision, bytes, executable, changed_ms) \
         VALUES (?1, ?2, ?3, '', ?4, ?4, 0, 0, 0, 0, ?5)",
        &[room.into(), root.into(), NO_PARENT.into(), (&key).into(), now_ms.into()],
    )?;
    Ok(())
}

/// The node with this id, wherever it stands.
pub(super) fn by_id(tx: &mut Tx<'_>, room: RoomId, id: NodeId) -> sql::Result<Option<NodeRow>> {
    tx.opt(
        select_node!("WHERE n.room_id = ?1 AND n.id = ?2"),
        &[room.into(), id.into()],
        NodeRow::read,
    )
}

/// The node whose name in `parent` has this key.
pub(super) fn by_key(
    tx: &mut Tx<'_>,
    parent: NodeId,
    fold: &str,
    key: &str,
) -> sql::Result<Option<NodeRow>> {
    tx.opt(
        select_node!("WHERE n.parent_id = ?1 AND n.name_fold = ?2 AND n.name_key = ?3"),
        &[parent.into(), fold.into(), key.into()],
        NodeRow::read,
    )
}

/// The nodes in `parent` whose names differ from one with this fold in letter case at most.
pub(super) fn by_fold(tx: &mut Tx<'_>, parent: NodeId, fold: &str) -> sql::Result<Vec<NodeRow>> {
    tx.all(
        select_node!("WHERE n.parent_id = ?1 AND n.name_fold = ?2 ORDER BY n.name_key"),
        &[parent.into(), fold.into()],
        NodeRow::read,
    )
}

/// A place in a list of names: past every name with this fold and a lesser or equal key. Empty texts are before the first.
#[derive(Debug, Clone, Default)]
pub(super) struct NameCursor {
    pub(super) fold: String,
    pub(super) key: String,
}

/// The next nodes in `parent`, by fold and key.
pub(super) fn children(
    tx: &mut Tx<'_>,
    parent: NodeId,
    after: &NameCursor,
    limit: u32,
) -> sql::Result<Vec<NodeRow>> {
    tx.all(
        select_node!(
            "WHERE n.parent_id = ?1 AND (n.name_fold, n.name_key) > (?2, ?3) ORDER BY n.name_fold, n.name_key LIMIT ?4"
        ),
        &[parent.into(), (&after.fold).into(), (&after.key).into(), limit.into()],
        NodeRow::read,
    )
}

/// The tags of one node, sorted.
pub(super) fn tags_of(tx: &mut Tx<'_>, id: NodeId) -> sql::Result<Vec<String>> {
    tx.all(
        "SELECT tag FROM tag WHERE node_id = ?1 ORDER BY tag",
        &[id.into()],
        |row| Ok(row.text(0)?.to_owned()),
    )
}

/// How `node.kind` and `change.node_kind` write a kind of node.
pub(super) const fn kind_value(kind: NodeKind) -> Value<'static> {
    Value::Int(match kind {
        NodeKind::Folder => 0,
        NodeKind::File => 1,
        NodeKind::Link => 2,
    })
}

/// Reads what [`kind_value`] wrote.
pub(super) fn kind_from_row(row: &Row<'_>, column: usize) -> sql::Result<NodeKind> {
    match row.int(column)? {
        0 => Ok(NodeKind::Folder),
        1 => Ok(NodeKind::File),
        2 => Ok(NodeKind::Link),
        other => Err(sql::Error::corrupt(format!("kind of node {other}"))),
    }
}

/// How `change.kind` writes a kind of change.
pub(super) const fn change_kind_value(kind: ChangeKind) -> Value<'static> {
    Value::Int(match kind {
        ChangeKind::Created => 0,
        ChangeKind::Updated => 1,
        ChangeKind::Moved => 2,
        ChangeKind::Removed => 3,
        ChangeKind::Restored => 4,
        ChangeKind::Purged => 5,
        ChangeKind::Tagged => 6,
    })
}

/// Reads what [`change_kind_value`] wrote.
pub(super) fn change_kind_from_row(row: &Row<'_>, column: usize) -> sql::Result<ChangeKind> {
    Ok(match row.int(column)? {
        0 => ChangeKind::Created,
        1 => ChangeKind::Updated,
        2 => ChangeKind::Moved,
        3 => ChangeKind::Removed,
        4 => ChangeKind::Restored,
        5 => ChangeKind::Purged,
        6 => ChangeKind::Tagged,
        other => return Err(sql::Error::corrupt(format!("kind of change {other}"))),
    })
}
