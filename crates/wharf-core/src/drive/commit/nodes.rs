//! Steps that leave content alone: move and tag.

use wharf_types::ErrorCode;
use wharf_types::api::drive::{ChangeKind, Expect, NodeKind, OnExists, OpResult};
use wharf_types::limit::TAGS_PER_NODE_MAX;

use super::super::place::{is_within, join};
use super::super::rows;
use super::place::Live;
use super::prepare::{FolderPath, Spot, Target, too_many_tags};
use super::work::{Refusal, Taken, Work, compare};

impl Work<'_, '_, '_> {
    pub(super) fn move_node(
        &mut self,
        from: &Target,
        to: &Spot,
        on_exists: OnExists,
        expect: Expect,
    ) -> Taken<OpResult> {
        let Some(node) = self.find_live(from)? else {
            return Err(
                Refusal::new(ErrorCode::Invalid, "the root of the drive cannot move").into(),
            );
        };
        compare(expect, Some(&node.content))?;
        let Some(folder) = self.find_folder_at(to.folder)? else {
            return Err(
                Refusal::new(ErrorCode::NotFound, "there is no such folder to move to").into(),
            );
        };
        let is_folder = node.content.kind == NodeKind::Folder;
        if is_folder && is_within(self.tx, self.room.id, folder, node.id)? {
            return Err(Refusal::new(ErrorCode::Invalid, "a folder cannot go into itself").into());
        }
        let mut found = self.find_at(folder, &to.part)?;
        if let Some(taken) = found.node.filter(|taken| taken.id != node.id) {
            if on_exists == OnExists::Refuse {
                return Err(Refusal::exists(&taken.content).into());
            }
            if is_within(self.tx, self.room.id, node.parent, taken.id)? {
                let detail = "a node cannot replace a folder that holds it";
                return Err(Refusal::new(ErrorCode::Invalid, detail).into());
            }
            let above = self.prepared.folders.get(to.folder).map(FolderPath::text);
            self.send_to_trash(&Live {
                id: taken.id,
                parent: folder,
                path: join(&above.unwrap_or_default(), &taken.name),
                name: taken.name,
                fold: to.part.fold.clone(),
                content: taken.content,
            })?;
        }
        if node.parent == folder {
            // A name that changes only in letter case does not conflict with itself.
            found.case_conflicts.retain(|name| *name != node.name);
        }
        if node.parent != folder || node.name != to.part.name {
            self.hang(&node, folder, to)?;
        }
        Ok(OpResult {
            id: node.id,
            revision: node.content.revision,
            case_conflicts: found.case_conflicts,
        })
    }

    fn hang(&mut self, node: &Live, folder: wharf_types::NodeId, to: &Spot) -> Taken<()> {
        self.tx.exec(
            "UPDATE node SET parent_id = ?1, name = ?2, name_key = ?3, name_fold = ?4 WHERE room_id = ?5 AND id = ?6",
            &[
                folder.into(),
                (&to.part.name).into(),
                (&to.part.key).into(),
                (&to.part.fold).into(),
                self.room.id.into(),
                node.id.into(),
            ],
        )?;
        self.change(
            ChangeKind::Moved,
            node.id,
            Some(folder),
            to.part.name.clone(),
            node.content.kind,
        );
        self.names.forget(node.parent, &node.fold);
        self.names.forget(folder, &to.part.fold);
        if node.content.kind == NodeKind::Folder {
            self.forget_folders();
        }
        Ok(())
    }

    pub(super) fn tag(
        &mut self,
        at: &Target,
        add: &[String],
        remove: &[String],
    ) -> Taken<OpResult> {
        let (id, name, kind, parent, revision) = match self.find_live(at)? {
            Some(node) => {
                let content = node.content;
                (
                    node.id,
                    node.name,
                    content.kind,
                    Some(node.parent),
                    content.revision,
                )
            }
            None => (self.room.root, String::new(), NodeKind::Folder, None, 0),
        };
        let present = rows::tags_of(self.tx, id)?;
        let added: Vec<_> = add
            .iter()
            .filter(|tag| !present.contains(tag) && !remove.contains(tag))
            .collect();
        let removed: Vec<_> = remove.iter().filter(|tag| present.contains(tag)).collect();
        if (present.len() + added.len()).saturating_sub(removed.len()) > TAGS_PER_NODE_MAX {
            return Err(Refusal::from_error(&too_many_tags()).into());
        }
        for tag in &removed {
            self.tx.exec(
                "DELETE FROM tag WHERE node_id = ?1 AND tag = ?2",
                &[id.into(), (*tag).into()],
            )?;
        }
        for tag in &added {
            self.tx.exec(
                "INSERT INTO tag (node_id, tag, room_id) VALUES (?1, ?2, ?3) ON CONFLICT (node_id, tag) DO NOTHING",
                &[id.into(), (*tag).into(), self.room.id.into()],
            )?;
        }
        if !added.is_empty() || !removed.is_empty() {
            self.change(ChangeKind::Tagged, id, parent, name, kind);
        }
        Ok(OpResult {
            id,
            revision,
            case_conflicts: Vec::new(),
        })
    }
}
