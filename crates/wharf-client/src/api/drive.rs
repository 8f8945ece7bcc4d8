//! Nodes, commits and the change stream of a room's drive.

use wharf_types::api::drive::{
    At, Changes, Commit, Committed, Drive, Manifest, Node, NodePage, Retention, Revisions, Tree,
};

use super::{Api, ApiError, Page, Room};

/// What to find: nodes with such a name, such a tag, or both.
#[derive(Debug, Clone, Default)]
pub struct Find {
    /// A part of the name, without regard to letter case.
    pub name: Option<String>,
    /// A whole tag.
    pub tag: Option<String>,
    /// Which page.
    pub page: Page,
}

impl Api {
    /// The drive as a whole: position, usage, retention.
    pub async fn drive(&self, _room: Room) -> Result<Drive, ApiError> {
        todo!()
    }

    /// Sets how long the drive keeps what is no longer current.
    pub async fn set_retention(
        &self,
        _room: Room,
        _retention: &Retention,
    ) -> Result<Drive, ApiError> {
        todo!()
    }

    /// One node.
    pub async fn node(&self, _room: Room, _at: &At) -> Result<Node, ApiError> {
        todo!()
    }

    /// A page of a folder's nodes.
    pub async fn list(&self, _room: Room, _at: &At, _page: &Page) -> Result<NodePage, ApiError> {
        todo!()
    }

    /// A page of everything below a folder, parents before children; with packed manifests where asked for.
    pub async fn tree(
        &self,
        _room: Room,
        _at: &At,
        _page: &Page,
        _manifests: bool,
    ) -> Result<Tree, ApiError> {
        todo!()
    }

    /// A page of the trash.
    pub async fn trash(&self, _room: Room, _page: &Page) -> Result<NodePage, ApiError> {
        todo!()
    }

    /// A page of the nodes that match.
    pub async fn find(&self, _room: Room, _find: &Find) -> Result<NodePage, ApiError> {
        todo!()
    }

    /// What changed after a position.
    pub async fn changes(
        &self,
        _room: Room,
        _after: u64,
        _limit: Option<u32>,
    ) -> Result<Changes, ApiError> {
        todo!()
    }

    /// A page of a file's revisions, newest first.
    pub async fn revisions(
        &self,
        _room: Room,
        _at: &At,
        _before: Option<u64>,
        _limit: Option<u32>,
    ) -> Result<Revisions, ApiError> {
        todo!()
    }

    /// The manifest of a file, now or at a revision.
    pub async fn manifest(
        &self,
        _room: Room,
        _at: &At,
        _revision: Option<u64>,
    ) -> Result<Manifest, ApiError> {
        todo!()
    }

    /// Applies operations together or not at all.
    ///
    /// # Errors
    /// A refusal's problem document lists the operations that failed.
    pub async fn commit(&self, _room: Room, _commit: &Commit) -> Result<Committed, ApiError> {
        todo!()
    }
}
