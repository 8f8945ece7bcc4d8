//! Drives on their way out of a server and into one.
//!
//! A drive travels as its stream: each change with the content that it brought, and, with the last change of each node that
//! is still there, the node as it is. A drive that is written to while it is taken out comes out as it is at the last page:
//! whatever changes a node adds a change, with which the node comes again. Brought in, nodes may come before their folders, and
//! meet the name of one that moves on later; so one that is in the way waits in limbo for its next state.

use wharf_store::chunk;
use wharf_store::sql::{self, Row, Tx};
use wharf_types::api::drive::{ChangeKind, NodeKind};
use wharf_types::api::portage::{ChangeRecord, ContentRecord, NodeRecord};
use wharf_types::limit::TAGS_PER_NODE_MAX;
use wharf_types::name::{DrivePath, Name};
use wharf_types::{AccountId, ChunkHash, ContentHash, ErrorCode, NodeId};
use wharf_wire::manifest::{Manifest, content_of_packed, from_base64, to_base64};

use super::place::{self, Part};
use super::rows::{self, change_kind_value, key_of_removed, kind_value};
use super::tags::checked_tag;
use super::{scopes_of, usage};
use crate::access::Entered;
use crate::caller::Person;
use crate::error::{Error, Result};

/// Bytes of manifests after which a page ends.
const PAGE_BYTES: usize = 1024 * 1024;

/// Changes past a position, with the last change of each node that is there the node itself. Some of `limit`.
pub(crate) fn take_out(
    tx: &mut Tx<'_>,
    room: &Entered,
    after: u64,
    limit: u32,
) -> sql::Result<Vec<ChangeRecord>> {
    let mut bytes = 0;
    let mut changes = Vec::new();
    while bytes < PAGE_BYTES && changes.len() < limit as usize {
        let after = changes
            .last()
            .map_or(after, |last: &ChangeRecord| last.position);
        // Few at a time: one manifest can be as large as a page.
        let read = tx.all(
            "SELECT position, node_id, kind, at_ms, account_id, session_id, parent_id, name, node_kind, bytes, content, \
             mtime_ns, superseded_ms, manifest FROM change WHERE room_id = ?1 AND position > ?2 ORDER BY position LIMIT 20",
            &[room.id.into(), after.into()],
            read_change,
        )?;
        if read.is_empty() {
            break;
        }
        for mut change in read {
            let manifest = change
                .content
                .as_ref()
                .and_then(|content| content.manifest.as_ref());
            bytes += manifest.map_or(0, String::len) + 300;
            change.state = state_after(tx, room, &change)?;
            changes.push(change);
        }
    }
    Ok(changes)
}

fn read_change(row: &Row<'_>) -> sql::Result<ChangeRecord> {
    let content = match (row.opt_uint(9)?, row.opt_id::<ContentHash>(10)?) {
        (Some(bytes), Some(content)) => Some(ContentRecord {
            bytes,
            content,
            mtime_ns: row.opt_int(11)?,
            superseded_ms: row.opt_int(12)?,
            manifest: row.opt_bytes(13)?.map(to_base64),
        }),
        _ => None,
    };
    Ok(ChangeRecord {
        position: row.uint(0)?,
        node: row.id(1)?,
        kind: rows::change_kind_from_row(row, 2)?,
        at_ms: row.int(3)?,
        account: row.opt_id(4)?,
        session: row.opt_id(5)?,
        parent: row.opt_id(6)?,
        name: row.text(7)?.to_owned(),
        node_kind: rows::kind_from_row(row, 8)?,
        content,
        state: None,
    })
}

/// The node of a change, if that was its last one and the node is still there.
fn state_after(
    tx: &mut Tx<'_>,
    room: &Entered,
    change: &ChangeRecord,
) -> sql::Result<Option<NodeRecord>> {
    let last = tx.one(
        "SELECT max(position) FROM change WHERE node_id = ?1",
        &[change.node.into()],
        |row| row.uint(0),
    )?;
    if last != change.position || change.kind == ChangeKind::Purged {
        return Ok(None);
    }
    let Some(row) = rows::by_id(tx, room.id, change.node)? else {
        return Ok(None);
    };
    Ok(Some(NodeRecord {
        parent: (row.parent != room.trash).then_some(row.parent),
        tags: rows::tags_of(tx, change.node)?,
        name: row.name,
        revision: row.content.revision,
        executable: row.content.executable,
        changed_ms: row.changed_ms,
        trashed_ms: row.trashed_ms,
        trash_path: row.trash_path,
    }))
}

/// A drive that changes are brought into. The transaction has the room's lock.
pub(crate) struct CarryingDrive {
    room: Entered,
    person: Person,
    head: u64,
    added_bytes: u64,
    chunks: Vec<(ChunkHash, u32)>,
}

impl CarryingDrive {
    /// Goes on at a drive's end.
    pub(crate) const fn begin(room: Entered, person: Person) -> Self {
        Self {
            head: room.drive_head,
            room,
            person,
            added_bytes: 0,
            chunks: Vec::new(),
        }
    }

    /// The position of the last change.
    pub(crate) const fn head(&self) -> u64 {
        self.head
    }

    /// Writes the next change, with the ids that its node, folders and author have here.
    ///
    /// # Errors
    /// `Invalid`: it does not come next, or makes no sense.
    pub(crate) fn bring_in(
        &mut self,
        tx: &mut Tx<'_>,
        change: &ChangeRecord,
        account: Option<AccountId>,
    ) -> Result<()> {
        if change.position != self.head + 1 {
            return Err(Error::invalid(format!(
                "change {} of a drive does not come after {}",
                change.position, self.head
            )));
        }
        self.head = change.position;
        Name::new(change.name.clone()).map_err(|error| no_sense(change, error))?;
        let packed = match &change.content {
            Some(content) => self.take_content(tx, change, content)?,
            None => None,
        };
        let content = change.content.as_ref();
        tx.exec(
            "INSERT INTO change (room_id, position, node_id, kind, at_ms, account_id, session_id, parent_id, name, \
             node_kind, bytes, content, mtime_ns, superseded_ms, manifest) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
            &[
                self.room.id.into(),
                change.position.into(),
                change.node.into(),
                change_kind_value(change.kind),
                change.at_ms.into(),
                account.into(),
                change.session.into(),
                change.parent.into(),
                (&change.name).into(),
                kind_value(change.node_kind),
                content.map(|content| content.bytes).into(),
                content.map(|content| &content.content).into(),
                content.and_then(|content| content.mtime_ns).into(),
                content.and_then(|content| content.superseded_ms).into(),
                packed.as_deref().into(),
            ],
        )?;
        match &change.state {
            Some(state) => self.put_node(tx, change, state),
            None => Ok(()),
        }
    }

    /// References the chunks of what was brought in, charges the quota and writes the drive's end.
    ///
    /// # Errors
    /// - `NotFound`: chunks are not within the person's reach.
    /// - `OverQuota`: the owner's quota has no room.
    pub(crate) fn finish(mut self, tx: &mut Tx<'_>) -> Result<()> {
        // In one order everywhere, so that two who share chunks do not wait for each other in a circle.
        self.chunks.sort_unstable();
        let scopes = scopes_of(tx, &self.person)?;
        let missing = chunk::reference(tx, &scopes, &self.chunks)?;
        if !missing.is_empty() {
            return Err(Error::new(
                ErrorCode::NotFound,
                format!(
                    "{} chunks of the archive are not on the server: upload them and send these records again",
                    missing.len()
                ),
            ));
        }
        let hashes: Vec<ChunkHash> = self.chunks.iter().map(|(hash, _)| *hash).collect();
        chunk::grant(tx, self.room.id.into(), &hashes)?;
        usage::charge(tx, &self.room, self.added_bytes, 0)?;
        tx.exec(
            "UPDATE room SET drive_head = ?1 WHERE id = ?2",
            &[self.head.into(), self.room.id.into()],
        )?;
        Ok(())
    }

    /// Checks the content that a change brings, and returns the packed manifest, if it is kept.
    fn take_content(
        &mut self,
        tx: &mut Tx<'_>,
        change: &ChangeRecord,
        content: &ContentRecord,
    ) -> Result<Option<Vec<u8>>> {
        let brings = matches!(change.kind, ChangeKind::Created | ChangeKind::Updated);
        if !brings || change.node_kind == NodeKind::Folder {
            return Err(no_sense(change, "it brings no content"));
        }
        let Some(text) = &content.manifest else {
            return Ok(None);
        };
        let packed = from_base64(text).map_err(|error| no_sense(change, error))?;
        let manifest = Manifest::unpack(&packed).map_err(|error| no_sense(change, error))?;
        if manifest.bytes() != content.bytes || content_of_packed(&packed) != content.content {
            return Err(no_sense(change, "its manifest is of another content"));
        }
        // What was replaced while the archive was made did not know it yet.
        tx.exec(
            "UPDATE change SET superseded_ms = ?1 \
             WHERE room_id = ?2 AND node_id = ?3 AND manifest IS NOT NULL AND superseded_ms IS NULL",
            &[change.at_ms.into(), self.room.id.into(), change.node.into()],
        )?;
        self.added_bytes += content.bytes;
        let chunks = manifest.chunks.iter();
        self.chunks
            .extend(chunks.map(|chunk| (chunk.hash, chunk.bytes)));
        Ok(Some(packed))
    }

    /// Writes the node of a change as it is afterwards.
    fn put_node(&self, tx: &mut Tx<'_>, change: &ChangeRecord, state: &NodeRecord) -> Result<()> {
        let name = Name::new(state.name.clone()).map_err(|error| no_sense(change, error))?;
        let part = Part::new(&name);
        let is_trashed = state.parent.is_none();
        if let Some(path) = &state.trash_path {
            DrivePath::parse(path).map_err(|error| no_sense(change, error))?;
        }
        let parent = state.parent.unwrap_or(self.room.trash);
        let key = if is_trashed {
            key_of_removed(change.node)
        } else {
            part.key
        };
        if place::is_within(tx, self.room.id, parent, change.node)? {
            return Err(no_sense(change, "its node would be within itself"));
        }
        let content = self.content_at(tx, change, state.revision)?;
        self.evict(tx, change.node, parent, &part.fold, &key)?;
        tx.exec(
            "INSERT INTO node (room_id, id, parent_id, name, name_key, name_fold, kind, revision, bytes, content, mtime_ns, \
             executable, changed_ms, trashed_ms, trash_path) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) \
             ON CONFLICT (room_id, id) DO UPDATE SET parent_id = excluded.parent_id, name = excluded.name, \
             name_key = excluded.name_key, name_fold = excluded.name_fold, kind = excluded.kind, \
             revision = excluded.revision, bytes = excluded.bytes, content = excluded.content, \
             mtime_ns = excluded.mtime_ns, executable = excluded.executable, changed_ms = excluded.changed_ms, \
             trashed_ms = excluded.trashed_ms, trash_path = excluded.trash_path",
            &[
                self.room.id.into(),
                change.node.into(),
                parent.into(),
                (&part.name).into(),
                (&key).into(),
                (&part.fold).into(),
                kind_value(change.node_kind),
                state.revision.into(),
                content.as_ref().map_or(0, |content| content.bytes).into(),
                content.as_ref().map(|content| &content.content).into(),
                content.as_ref().and_then(|content| content.mtime_ns).into(),
                (state.executable && content.is_some()).into(),
                state.changed_ms.into(),
                // A node in the trash says since when.
                is_trashed.then(|| state.trashed_ms.unwrap_or(change.at_ms)).into(),
                state.trash_path.as_deref().filter(|_| is_trashed).into(),
            ],
        )?;
        self.put_tags(tx, change, state)
    }

    /// The content that a node has: what one of its changes brought.
    fn content_at(
        &self,
        tx: &mut Tx<'_>,
        change: &ChangeRecord,
        revision: u64,
    ) -> Result<Option<ContentRecord>> {
        let found = tx.opt(
            "SELECT bytes, content, mtime_ns, manifest FROM change WHERE room_id = ?1 AND position = ?2 AND node_id = ?3",
            &[self.room.id.into(), revision.into(), change.node.into()],
            |row| {
                let content = match (row.opt_uint(0)?, row.opt_id(1)?) {
                    (Some(bytes), Some(content)) => Some(ContentRecord {
                        bytes,
                        content,
                        mtime_ns: row.opt_int(2)?,
                        superseded_ms: None,
                        manifest: None,
                    }),
                    _ => None,
                };
                Ok((content, row.opt_bytes(3)?.is_some()))
            },
        )?;
        match found {
            Some((None, _)) if change.node_kind == NodeKind::Folder => Ok(None),
            Some((Some(content), true)) if change.node_kind != NodeKind::Folder => {
                Ok(Some(content))
            }
            _ => Err(no_sense(
                change,
                "its node has a content that no change of it brought",
            )),
        }
    }

    /// Puts another node that has this place into limbo, until its next state comes.
    fn evict(
        &self,
        tx: &mut Tx<'_>,
        node: NodeId,
        parent: NodeId,
        fold: &str,
        key: &str,
    ) -> sql::Result<()> {
        let Some(other) = rows::by_key(tx, parent, fold, key)?.filter(|other| other.id != node)
        else {
            return Ok(());
        };
        tx.exec(
            "UPDATE node SET parent_id = ?1, name_key = ?2 WHERE room_id = ?3 AND id = ?4",
            &[
                limbo_of(&self.room).into(),
                key_of_removed(other.id).as_str().into(),
                self.room.id.into(),
                other.id.into(),
            ],
        )?;
        Ok(())
    }

    fn put_tags(&self, tx: &mut Tx<'_>, change: &ChangeRecord, state: &NodeRecord) -> Result<()> {
        if state.tags.len() > TAGS_PER_NODE_MAX {
            return Err(no_sense(change, "its node has too many tags"));
        }
        tx.exec("DELETE FROM tag WHERE node_id = ?1", &[change.node.into()])?;
        for tag in &state.tags {
            tx.exec(
                "INSERT INTO tag (node_id, tag, room_id) VALUES (?1, ?2, ?3) ON CONFLICT (node_id, tag) DO NOTHING",
                &[change.node.into(), checked_tag(tag)?.as_str().into(), self.room.id.into()],
            )?;
        }
        Ok(())
    }
}

/// Ends the bringing in of a drive: what lost its folder to a purge meanwhile is freed like the rest of that folder.
///
/// # Errors
/// `Invalid`: a node waits for a state that never came.
pub(crate) fn close_carried(tx: &mut Tx<'_>, room: &Entered) -> Result<()> {
    if !rows::children(tx, limbo_of(room), &rows::NameCursor::default(), 1)?.is_empty() {
        return Err(Error::invalid(
            "two nodes of the archive's drive have the same place",
        ));
    }
    let lost = tx.all(
        "SELECT n.id FROM node n WHERE n.room_id = ?1 AND n.parent_id <> ?2 AND n.parent_id <> ?3 AND NOT EXISTS \
         (SELECT 1 FROM node p WHERE p.room_id = n.room_id AND p.id = n.parent_id AND p.kind = 0)",
        &[room.id.into(), room.trash.into(), rows::NO_PARENT.into()],
        |row| row.id::<NodeId>(0),
    )?;
    for node in lost {
        super::reap::hang_under_grave(tx, room, node)?;
    }
    Ok(())
}

/// The parent of nodes that are in the way of others: no node has this id.
fn limbo_of(room: &Entered) -> NodeId {
    let mut bytes = *room.trash.as_bytes();
    bytes.reverse();
    NodeId::from_bytes(bytes.map(|byte| !byte))
}

fn no_sense(change: &ChangeRecord, why: impl std::fmt::Display) -> Error {
    Error::invalid(format!(
        "change {} of a drive makes no sense: {why}",
        change.position
    ))
}
