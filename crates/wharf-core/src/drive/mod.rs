//! The drive of a room: files, folders and links, their revisions, the trash, tags, and the stream of changes.
//!
//! A drive changes by commits only ([`Drives::commit`]): batches of operations that apply together or not at all, in one
//! transaction that also checks membership, charges the owner's quota, raises the chunks' reference counts and appends
//! to the stream. Reads are snapshots. A room that the caller is no member of is not found, like one that does not exist.
//!
//! What a drive uses is the sum of the bytes of every revision whose manifest is kept: current ones, replaced ones
//! within their days, and what is in the trash ([`Drives::recount_usage`] counts it again from the rows).

use wharf_types::RoomId;
mod place;
mod rows;

use wharf_types::api::drive::{
    At, Changes, Commit, Committed, Drive, Manifest, Node, NodePage, Retention, Revisions, Tree,
};

pub(crate) use rows::insert_root;

use crate::{Caller, Error, Ground};

/// Which room a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RoomRef {
    /// The caller's personal room.
    Home,
    /// The room with this id.
    Id(RoomId),
}

/// Which part of a list to return.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// What the page before this one gave as `next`; from the beginning where it is missing.
    pub after: Option<String>,
    /// Most items, [`wharf_types::limit::PAGE_ITEMS_MAX`] at most; the default count where it is missing.
    pub limit: Option<u32>,
}

/// What [`Drives::find`] looks for; what is missing does not restrict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FindQuery {
    /// A part of the name, without regard to letter case.
    pub name: Option<String>,
    /// A tag, exactly.
    pub tag: Option<String>,
}

/// Whether a tree's entries carry their manifests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manifests {
    /// They do not.
    Omit,
    /// They do, so that a client can fetch the content without asking again.
    Include,
}

/// The operations on drives.
#[derive(Clone)]
pub struct Drives {
    ground: Ground,
}

impl Drives {
    pub(crate) const fn new(ground: Ground) -> Self {
        Self { ground }
    }

    /// Describes a drive: its root, position, usage and retention.
    pub async fn summary(&self, by: &Caller, room: RoomRef) -> Result<Drive, Error> {
        todo!()
    }

    /// Returns one node, in the tree or in the trash.
    pub async fn node(&self, by: &Caller, room: RoomRef, at: At) -> Result<Node, Error> {
        todo!()
    }

    /// Lists a folder, ordered by name without regard to letter case, then by name.
    pub async fn list(
        &self,
        by: &Caller,
        room: RoomRef,
        at: At,
        page: Page,
    ) -> Result<NodePage, Error> {
        todo!()
    }

    /// Lists everything below a folder, depth first, parents before children. `after` is the path of an entry, which
    /// need not exist any more. A page ends early when its manifests grow past a few MiB.
    pub async fn tree(
        &self,
        by: &Caller,
        room: RoomRef,
        at: At,
        page: Page,
        manifests: Manifests,
    ) -> Result<Tree, Error> {
        todo!()
    }

    /// Lists the trash: the nodes that were removed, not what is below them (list one by its id for that).
    pub async fn trash(&self, by: &Caller, room: RoomRef, page: Page) -> Result<NodePage, Error> {
        todo!()
    }

    /// Finds nodes outside the trash by a part of their name, by tag, or by both, oldest first.
    pub async fn find(
        &self,
        by: &Caller,
        room: RoomRef,
        query: FindQuery,
        page: Page,
    ) -> Result<NodePage, Error> {
        todo!()
    }

    /// Returns the stream past position `after`.
    pub async fn changes(
        &self,
        by: &Caller,
        room: RoomRef,
        after: u64,
        limit: Option<u32>,
    ) -> Result<Changes, Error> {
        todo!()
    }

    /// Lists the revisions of a file whose content is kept, newest first, older than revision `before`.
    pub async fn revisions(
        &self,
        by: &Caller,
        room: RoomRef,
        at: At,
        before: Option<u64>,
        limit: Option<u32>,
    ) -> Result<Revisions, Error> {
        todo!()
    }

    /// Returns the chunks of a file, at a revision or at its present one.
    pub async fn manifest(
        &self,
        by: &Caller,
        room: RoomRef,
        at: At,
        revision: Option<u64>,
    ) -> Result<Manifest, Error> {
        todo!()
    }

    /// Applies a commit, all of it or nothing.
    ///
    /// The same commit sent again is answered with `repeated` and without results.
    ///
    /// # Errors
    /// - Any code, with `failed` filled in: these operations could not be applied; the error's code is the first one's.
    ///   A `put` that fails with `NotFound` names chunks that are not there: upload them and commit again.
    /// - `Invalid`: the id was used for another commit, or an operation is malformed.
    /// - `TooLarge`: too many operations.
    /// - `OverQuota`: the owner's quota has no room for it.
    /// - `NotFound`: there is no such room for the caller; `Denied`: the caller may only read there.
    pub async fn commit(
        &self,
        by: &Caller,
        room: RoomRef,
        commit: Commit,
    ) -> Result<Committed, Error> {
        todo!()
    }

    /// Sets how long a drive keeps what is no longer current. Owners only.
    pub async fn set_retention(
        &self,
        by: &Caller,
        room: RoomRef,
        retention: Retention,
    ) -> Result<Retention, Error> {
        todo!()
    }

    /// Counts what every drive and every account uses again from the rows, and mends what had drifted.
    /// Returns how many rooms and accounts were wrong, which should be none.
    pub async fn recount_usage(&self) -> Result<u64, Error> {
        todo!()
    }
}
