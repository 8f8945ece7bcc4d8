//! Steps into the trash, out of it, and out of it for ever.

use wharf_types::api::drive::{ChangeKind, Expect, NodeKind, OpResult};
use wharf_types::name::DrivePath;
use wharf_types::{ErrorCode, NodeId};

use super::super::place::{self, Part, Place};
use super::super::reap;
use super::super::rows::{self, NodeRow, key_of_removed};
use super::place::Live;
use super::prepare::{Spot, Target};
use super::work::{Refusal, Taken, Work, compare};

impl Work<'_, '_, '_> {
    pub(super) fn remove(&mut self, at: &Target, expect: Expect) -> Taken<OpResult> {
        let Some(node) = self.find_live(at)? else {
            return Err(Refusal::new(
                ErrorCode::Invalid,
                "the root of the drive cannot be removed",
            )
            .into());
        };
        compare(expect, Some(&node.content))?;
        self.send_to_trash(&node)?;
        Ok(OpResult {
            id: node.id,
            revision: node.content.revision,
            case_conflicts: Vec::new(),
        })
    }

    /// Moves a node, and with it all below it, to the trash: one row.
    pub(super) fn send_to_trash(&mut self, node: &Live) -> Taken<()> {
        self.flush()?;
        self.tx.exec(
            "UPDATE node SET parent_id = ?1, name_key = ?2, trashed_ms = ?3, trash_path = ?4 \
             WHERE room_id = ?5 AND id = ?6",
            &[
                self.room.trash.into(),
                key_of_removed(node.id).as_str().into(),
                self.now_ms.into(),
                (&node.path).into(),
                self.room.id.into(),
                node.id.into(),
            ],
        )?;
        self.change(
            ChangeKind::Removed,
            node.id,
            None,
            node.name.clone(),
            node.content.kind,
        );
        self.names.forget(node.parent, &node.fold);
        if node.content.kind == NodeKind::Folder {
            self.forget_folders();
        }
        Ok(())
    }

    pub(super) fn restore(&mut self, id: NodeId, to: Option<&Spot>) -> Taken<OpResult> {
        let (node, was_at) = self.find_in_trash(id)?;
        let (folder, part) = match to {
            Some(spot) => (self.restore_folder_at(spot)?, spot.part.clone()),
            None => self.restore_folder_of(&was_at)?,
        };
        let found = self.find_at(folder, &part)?;
        if let Some(taken) = &found.node {
            return Err(Refusal::exists(&taken.content).into());
        }
        self.flush()?;
        self.tx.exec(
            "UPDATE node SET parent_id = ?1, name = ?2, name_key = ?3, name_fold = ?4, trashed_ms = NULL, trash_path = NULL \
             WHERE room_id = ?5 AND id = ?6",
            &[
                folder.into(),
                (&part.name).into(),
                (&part.key).into(),
                (&part.fold).into(),
                self.room.id.into(),
                id.into(),
            ],
        )?;
        self.change(
            ChangeKind::Restored,
            id,
            Some(folder),
            part.name,
            node.content.kind,
        );
        self.names.forget(folder, &part.fold);
        Ok(OpResult {
            id,
            revision: node.content.revision,
            case_conflicts: found.case_conflicts,
        })
    }

    pub(super) fn purge(&mut self, id: NodeId) -> Taken<OpResult> {
        let (node, _) = self.find_in_trash(id)?;
        let revision = reap::bury(self.tx, self.room, &node, &mut self.stream)?;
        self.has_purged = true;
        Ok(OpResult {
            id,
            revision,
            case_conflicts: Vec::new(),
        })
    }

    /// A node in the trash, itself removed or below one that was, and where it was.
    fn find_in_trash(&mut self, id: NodeId) -> Taken<(NodeRow, String)> {
        let node = rows::by_id(self.tx, self.room.id, id)?;
        let place = place::place_of(self.tx, self.room, id)?;
        match (node, place) {
            (Some(node), Some(Place::Trash { path, .. })) => Ok((node, path)),
            _ => {
                Err(Refusal::new(ErrorCode::NotFound, "there is no such node in the trash").into())
            }
        }
    }

    fn restore_folder_at(&mut self, spot: &Spot) -> Taken<NodeId> {
        match self.prepared.folders.get(spot.folder) {
            Some(folder) => self.make_path(&folder.parts),
            None => Err(Refusal::not_found().into()),
        }
    }

    fn restore_folder_of(&mut self, was_at: &str) -> Taken<(NodeId, Part)> {
        let path = DrivePath::parse(was_at).ok();
        let Some((folder, name)) = path.as_ref().and_then(DrivePath::split_last) else {
            let detail = "where it was cannot be made again: say where to restore it to";
            return Err(Refusal::new(ErrorCode::Invalid, detail).into());
        };
        let folder: Vec<_> = folder.iter().map(Part::new).collect();
        Ok((self.make_path(&folder)?, Part::new(name)))
    }
}
