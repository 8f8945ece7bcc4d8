//! Steps that bring content: put and revert; and making folders.

use std::borrow::Cow;

use wharf_store::sql;
use wharf_types::ErrorCode;
use wharf_types::NodeId;
use wharf_types::api::drive::{ChangeKind, Expect, NodeKind, OpResult};
use wharf_wire::manifest::Manifest;

use super::super::place::Part;
use super::super::read::stored_revision;
use super::super::rows::{Content, kind_value};
use super::super::stream::{NewChange, NewContent};
use super::names::Named;
use super::place::Live;
use super::prepare::{Put, Target};
use super::work::{Refusal, Taken, Work, compare};
use crate::error::Error;

impl<'p> Work<'_, '_, 'p> {
    pub(super) fn put(&mut self, step: usize, put: &'p Put) -> Taken<OpResult> {
        let folder = self.make_folder_at(put.spot.folder)?;
        let found = self.find_at(folder, &put.spot.part)?;
        let present = found.node.as_ref();
        if let Some(Named { content, .. }) = present
            && content.kind == NodeKind::Folder
        {
            return Err(Refusal::exists(content).into());
        }
        compare(put.expect, present.map(|named| &named.content))?;
        let content = Content {
            kind: put.kind,
            revision: 0,
            bytes: put.bytes,
            hash: Some(put.hash),
            mtime_ns: put.mtime_ns,
            executable: put.executable,
        };
        let brings = NewContent {
            bytes: put.bytes,
            hash: put.hash,
            mtime_ns: put.mtime_ns,
            packed: Cow::Borrowed(&put.packed),
        };
        let is_new = present.is_none_or(|named| named.content.hash != Some(put.hash));
        if is_new {
            self.added_bytes += put.bytes;
            self.mention(step, put.chunks.iter().copied());
        }
        let (id, revision) = match found.node {
            None => {
                let part = Cow::Borrowed(&put.spot.part);
                let node = self.add_node(folder, part, content, Some(brings))?;
                (node.id, node.content.revision)
            }
            Some(named) => {
                let id = named.id;
                let fold = &put.spot.part.fold;
                (
                    id,
                    self.replace_content(folder, fold, named, content, brings)?,
                )
            }
        };
        Ok(OpResult {
            id,
            revision,
            case_conflicts: found.case_conflicts,
        })
    }

    pub(super) fn make_folder(&mut self, at: &'p Target, expect: Expect) -> Taken<OpResult> {
        let Target::Spot(spot) = at else {
            let root = super::super::rows::by_id(self.tx, self.room.id, self.room.root)?
                .ok_or_else(Refusal::not_found)?;
            compare(expect, Some(&root.content))?;
            return Ok(OpResult {
                id: root.id,
                revision: 0,
                case_conflicts: Vec::new(),
            });
        };
        let folder = self.make_folder_at(spot.folder)?;
        let found = self.find_at(folder, &spot.part)?;
        if let Some(Named { content, .. }) = &found.node
            && content.kind != NodeKind::Folder
        {
            return Err(Refusal::exists(content).into());
        }
        compare(expect, found.node.as_ref().map(|named| &named.content))?;
        let node = match found.node {
            Some(node) => node,
            None => self.add_folder(folder, Cow::Borrowed(&spot.part))?,
        };
        Ok(OpResult {
            id: node.id,
            revision: node.content.revision,
            case_conflicts: found.case_conflicts,
        })
    }

    pub(super) fn add_folder(&mut self, parent: NodeId, part: Cow<'p, Part>) -> sql::Result<Named> {
        let content = Content {
            kind: NodeKind::Folder,
            revision: 0,
            bytes: 0,
            hash: None,
            mtime_ns: None,
            executable: false,
        };
        let folder = self.add_node(parent, part, content, None)?;
        self.names.note_new_folder(folder.id);
        Ok(folder)
    }

    pub(super) fn revert(
        &mut self,
        step: usize,
        at: &Target,
        revision: u64,
        expect: Expect,
    ) -> Taken<OpResult> {
        let Some(Live {
            id,
            parent,
            name,
            fold,
            content,
            ..
        }) = self.find_live(at)?
        else {
            return Err(Refusal::new(ErrorCode::Invalid, "a folder has no revisions").into());
        };
        compare(expect, Some(&content))?;
        let stored = stored_revision(self.tx, self.room, id, revision)?.ok_or_else(|| {
            Refusal::new(
                ErrorCode::NotFound,
                "this revision is not kept, or never was",
            )
        })?;
        let named = Named {
            id,
            key: wharf_types::name::nfc(&name),
            name,
            content,
        };
        if content.hash != Some(stored.hash) {
            let manifest = Manifest::unpack(&stored.packed)
                .map_err(|error| Error::internal(format!("stored manifest of {id}: {error}")))?;
            self.added_bytes += stored.bytes;
            self.mention(
                step,
                manifest
                    .chunks
                    .iter()
                    .map(|chunk| (chunk.hash, chunk.bytes)),
            );
        }
        let reverted = Content {
            kind: stored.kind,
            revision: 0,
            bytes: stored.bytes,
            hash: Some(stored.hash),
            mtime_ns: stored.mtime_ns,
            executable: content.executable,
        };
        let brings = NewContent {
            bytes: stored.bytes,
            hash: stored.hash,
            mtime_ns: stored.mtime_ns,
            packed: Cow::Owned(stored.packed),
        };
        let revision = self.replace_content(parent, &fold, named, reverted, brings)?;
        Ok(OpResult {
            id,
            revision,
            case_conflicts: Vec::new(),
        })
    }

    /// Gives a file new content and returns its revision. Nothing changes where the content and all about it is the same.
    ///
    /// The content that is replaced stays as a revision. Where it is the same content under another time, the new
    /// revision takes its manifest over instead, so that a touched file is not charged twice.
    fn replace_content(
        &mut self,
        folder: NodeId,
        fold: &str,
        named: Named,
        content: Content,
        brings: NewContent<'p>,
    ) -> Taken<u64> {
        let old = named.content;
        let is_same_content = old.hash == content.hash;
        if is_same_content
            && (Content {
                revision: old.revision,
                ..content
            }) == old
        {
            return Ok(old.revision);
        }
        if old.revision > self.room.drive_head {
            // The old revision may be one that this commit makes.
            self.flush()?;
        }
        let room = self.room.id;
        if is_same_content {
            self.tx.exec(
                "UPDATE change SET manifest = NULL WHERE room_id = ?1 AND position = ?2",
                &[room.into(), old.revision.into()],
            )?;
        } else {
            self.tx.exec(
                "UPDATE change SET superseded_ms = ?1 WHERE room_id = ?2 AND position = ?3",
                &[self.now_ms.into(), room.into(), old.revision.into()],
            )?;
        }
        let revision = self.stream.append(NewChange {
            kind: ChangeKind::Updated,
            node: named.id,
            parent: Some(folder),
            name: Cow::Owned(named.name.clone()),
            node_kind: content.kind,
            content: Some(brings),
        });
        self.tx.exec(
            "UPDATE node SET kind = ?1, revision = ?2, bytes = ?3, content = ?4, mtime_ns = ?5, executable = ?6, \
             changed_ms = ?7 WHERE room_id = ?8 AND id = ?9",
            &[
                kind_value(content.kind),
                revision.into(),
                content.bytes.into(),
                content.hash.as_ref().into(),
                content.mtime_ns.into(),
                content.executable.into(),
                self.now_ms.into(),
                room.into(),
                named.id.into(),
            ],
        )?;
        self.flush_if_full()?;
        let content = Content {
            revision,
            ..content
        };
        self.names.note(folder, fold, Named { content, ..named });
        Ok(revision)
    }
}
