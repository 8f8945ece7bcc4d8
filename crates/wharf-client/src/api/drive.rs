//! Nodes, commits and the change stream of a room's drive.

use http::Method;
use wharf_types::api::drive::{
    At, Changes, Commit, Committed, Drive, Manifest, Node, NodePage, Retention, Revisions, Tree,
};

use super::{Api, ApiError, Page, Room, number, place};

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
    pub async fn drive(&self, room: Room) -> Result<Drive, ApiError> {
        self.get(&["rooms", &room.to_string(), "drive"], &[]).await
    }

    /// Sets how long the drive keeps what is no longer current.
    pub async fn set_retention(
        &self,
        room: Room,
        retention: &Retention,
    ) -> Result<Retention, ApiError> {
        self.json(
            self.request(
                Method::PUT,
                &["rooms", &room.to_string(), "drive", "retention"],
                &[],
            )
            .with_json(retention)?,
        )
        .await
    }

    /// One node.
    pub async fn node(&self, room: Room, at: &At) -> Result<Node, ApiError> {
        let (by, place) = place(at);
        self.get(&["rooms", &room.to_string(), "node"], &[(by, Some(&place))])
            .await
    }

    /// A page of a folder's nodes.
    pub async fn list(&self, room: Room, at: &At, page: &Page) -> Result<NodePage, ApiError> {
        let (by, place) = place(at);
        self.get(
            &["rooms", &room.to_string(), "list"],
            &[
                (by, Some(&place)),
                ("after", page.after.as_deref()),
                ("limit", number(page.limit).as_deref()),
            ],
        )
        .await
    }

    /// A page of everything below a folder, parents before children; with packed manifests where asked for.
    pub async fn tree(
        &self,
        room: Room,
        at: &At,
        page: &Page,
        manifests: bool,
    ) -> Result<Tree, ApiError> {
        let (by, place) = place(at);
        let manifests = manifests.then_some("true");
        self.get(
            &["rooms", &room.to_string(), "tree"],
            &[
                (by, Some(&place)),
                ("after", page.after.as_deref()),
                ("limit", number(page.limit).as_deref()),
                ("manifests", manifests),
            ],
        )
        .await
    }

    /// A page of the trash.
    pub async fn trash(&self, room: Room, page: &Page) -> Result<NodePage, ApiError> {
        self.get(
            &["rooms", &room.to_string(), "trash"],
            &[
                ("after", page.after.as_deref()),
                ("limit", number(page.limit).as_deref()),
            ],
        )
        .await
    }

    /// A page of the nodes that match.
    pub async fn find(&self, room: Room, find: &Find) -> Result<NodePage, ApiError> {
        self.get(
            &["rooms", &room.to_string(), "find"],
            &[
                ("name", find.name.as_deref()),
                ("tag", find.tag.as_deref()),
                ("after", find.page.after.as_deref()),
                ("limit", number(find.page.limit).as_deref()),
            ],
        )
        .await
    }

    /// What changed after a position.
    pub async fn changes(
        &self,
        room: Room,
        after: u64,
        limit: Option<u32>,
    ) -> Result<Changes, ApiError> {
        self.get(
            &["rooms", &room.to_string(), "changes"],
            &[
                ("after", Some(&after.to_string())),
                ("limit", number(limit).as_deref()),
            ],
        )
        .await
    }

    /// A page of a file's revisions, newest first.
    pub async fn revisions(
        &self,
        room: Room,
        at: &At,
        before: Option<u64>,
        limit: Option<u32>,
    ) -> Result<Revisions, ApiError> {
        let (by, place) = place(at);
        self.get(
            &["rooms", &room.to_string(), "revisions"],
            &[
                (by, Some(&place)),
                ("before", number(before).as_deref()),
                ("limit", number(limit).as_deref()),
            ],
        )
        .await
    }

    /// The manifest of a file, now or at a revision.
    pub async fn manifest(
        &self,
        room: Room,
        at: &At,
        revision: Option<u64>,
    ) -> Result<Manifest, ApiError> {
        let (by, place) = place(at);
        self.get(
            &["rooms", &room.to_string(), "manifest"],
            &[
                (by, Some(&place)),
                ("revision", number(revision).as_deref()),
            ],
        )
        .await
    }

    /// Applies operations together or not at all.
    ///
    /// # Errors
    /// A refusal's problem document lists the operations that failed.
    pub async fn commit(&self, room: Room, commit: &Commit) -> Result<Committed, ApiError> {
        self.json(
            self.request(Method::POST, &["rooms", &room.to_string(), "commit"], &[])
                .with_json(commit)?,
        )
        .await
    }
}
