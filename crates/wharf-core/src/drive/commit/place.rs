//! Finding what a commit's steps are about, in the drive as the steps before have left it.

use std::borrow::Cow;

use wharf_types::NodeId;
use wharf_types::api::drive::NodeKind;

use super::super::place::{self, Part, Place, join};
use super::super::rows::{self, Content};
use super::names::{Found, Named};
use super::prepare::{FolderPath, Spot, Target};
use super::work::{Refusal, Taken, Work};

/// A node in the tree, with its place.
#[derive(Debug, Clone)]
pub(super) struct Live {
    pub(super) id: NodeId,
    pub(super) parent: NodeId,
    pub(super) name: String,
    pub(super) fold: String,
    pub(super) path: String,
    pub(super) content: Content,
}

impl<'p> Work<'_, '_, 'p> {
    /// The folder at `index` of the prepared ones; made where it is missing.
    pub(super) fn make_folder_at(&mut self, index: usize) -> Taken<NodeId> {
        if let Some(folder) = self.folders.get(index).copied().flatten() {
            return Ok(folder);
        }
        let Some(path) = self.prepared.folders.get(index) else {
            return Err(Refusal::not_found().into());
        };
        let mut at = self.room.root;
        for part in &path.parts {
            at = self.make_child_folder(at, Cow::Borrowed(part))?;
        }
        self.enter_folder(index, at)?;
        Ok(at)
    }

    /// The folder with these names; made where it is missing.
    pub(super) fn make_path(&mut self, parts: &[Part]) -> Taken<NodeId> {
        let mut at = self.room.root;
        for part in parts {
            at = self.make_child_folder(at, Cow::Owned(part.clone()))?;
        }
        Ok(at)
    }

    /// The folder at `index` of the prepared ones; `None` where it is missing.
    pub(super) fn find_folder_at(&mut self, index: usize) -> Taken<Option<NodeId>> {
        if let Some(folder) = self.folders.get(index).copied().flatten() {
            return Ok(Some(folder));
        }
        let Some(path) = self.prepared.folders.get(index) else {
            return Ok(None);
        };
        let mut at = self.room.root;
        for part in &path.parts {
            match self.names.find(self.tx, at, part)?.node {
                Some(node) if node.content.kind == NodeKind::Folder => at = node.id,
                Some(_) | None => return Ok(None),
            }
        }
        self.enter_folder(index, at)?;
        Ok(Some(at))
    }

    /// What stands at a spot whose folder is there.
    pub(super) fn find_at(&mut self, folder: NodeId, part: &Part) -> Taken<Found> {
        Ok(self.names.find(self.tx, folder, part)?)
    }

    /// The node in the tree that a step is about. `None` for the root.
    pub(super) fn find_live(&mut self, target: &Target) -> Taken<Option<Live>> {
        match target {
            Target::Root => Ok(None),
            Target::Id(id) if *id == self.room.root => Ok(None),
            Target::Id(id) => self.find_live_by_id(*id).map(Some),
            Target::Spot(spot) => self.find_live_at(spot).map(Some),
        }
    }

    fn find_live_by_id(&mut self, id: NodeId) -> Taken<Live> {
        let node = rows::by_id(self.tx, self.room.id, id)?.ok_or_else(Refusal::not_found)?;
        let Some(Place::Tree { path }) = place::place_of(self.tx, self.room, id)? else {
            return Err(Refusal::not_found().into());
        };
        Ok(Live {
            id,
            parent: node.parent,
            name: node.name,
            fold: node.fold,
            path,
            content: node.content,
        })
    }

    fn find_live_at(&mut self, spot: &Spot) -> Taken<Live> {
        let folder = self
            .find_folder_at(spot.folder)?
            .ok_or_else(Refusal::not_found)?;
        let Named {
            id, name, content, ..
        } = self
            .find_at(folder, &spot.part)?
            .node
            .ok_or_else(Refusal::not_found)?;
        let above = self.prepared.folders.get(spot.folder);
        let path = join(&above.map(FolderPath::text).unwrap_or_default(), &name);
        Ok(Live {
            id,
            parent: folder,
            name,
            fold: spot.part.fold.clone(),
            path,
            content,
        })
    }

    /// Forgets where the folders of the commit are, because one of them may have gone elsewhere.
    pub(super) fn forget_folders(&mut self) {
        self.folders.fill(None);
    }

    /// Remembers where a folder of the commit is, and the first time reads what the steps will ask of it.
    fn enter_folder(&mut self, index: usize, id: NodeId) -> Taken<()> {
        if let Some(known) = self.folders.get_mut(index) {
            *known = Some(id);
        }
        let prepared = self.prepared;
        let Some(folder) = prepared.folders.get(index) else {
            return Ok(());
        };
        if self.is_read_ahead.get(index).copied().unwrap_or(true) {
            return Ok(());
        }
        if let Some(is_read_ahead) = self.is_read_ahead.get_mut(index) {
            *is_read_ahead = true;
        }
        let folds: Vec<_> = folder
            .steps
            .iter()
            .filter_map(|step| prepared.steps.get(*step))
            .filter_map(super::prepare::Step::name_in_folder)
            .map(|part| part.fold.as_str())
            .collect();
        Ok(self.names.read_ahead(self.tx, id, &folds)?)
    }

    fn make_child_folder(&mut self, parent: NodeId, part: Cow<'p, Part>) -> Taken<NodeId> {
        match self.names.find(self.tx, parent, &part)?.node {
            Some(node) if node.content.kind == NodeKind::Folder => Ok(node.id),
            Some(node) => Err(Refusal::no_folder(&node).into()),
            None => Ok(self.add_folder(parent, part)?.id),
        }
    }
}
