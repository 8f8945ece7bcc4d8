//! The drive of a room: files, folders and links, their revisions, the trash, tags, and the stream of changes.
//!
//! A drive changes by commits only ([`Drives::commit`]): batches of operations that apply together or not at all, in one
//! transaction that also checks membership, charges the owner's quota, raises the chunks' reference counts and appends
//! to the stream. Reads are snapshots. A room that the caller is no member of is not found, like one that does not exist.
//!
//! What a drive uses is the sum of the bytes of every revision whose manifest is kept: current ones, replaced ones
//! within their days, and what is in the trash ([`Drives::recount_usage`] counts it again from the rows).

mod batch;
mod carry;
mod commit;
mod find;
mod forget;
mod gather;
mod look;
mod mention;
mod place;
mod read;
mod reap;
mod retention;
mod rows;
mod stream;
mod tags;
mod tree;
mod usage;

use wharf_store::sql::{Lock, Tx};
use wharf_types::api::drive::{
    At, Changes, Drive, Manifest, Node, NodePage, Retention, Revisions, Tree,
};
use wharf_types::name::DrivePath;
use wharf_types::{AccountId, RoomId};

pub(crate) use carry::{CarryingDrive, close_carried, take_out};
pub(crate) use commit::{save, scopes_of};
pub(crate) use forget::forget_some;
pub(crate) use look::{Looked, changed_nodes, look, node_in_tree};
pub(crate) use read::{StoredContent, file_to_hand_over, kept_content};
pub(crate) use retention::RetentionCursor;
pub(crate) use rows::insert_root;
pub(crate) use usage::hand_over;

use crate::Ground;
use crate::access::{Entered, Right, enter, lock};
use crate::caller::Caller;
use crate::error::{Error, Result};

pub use gather::{Gathered, GatheredNode};
pub use mention::{Mention, mentions};

/// Which room a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RoomRef {
    /// The caller's personal room.
    Home,
    /// The room with this id.
    Id(RoomId),
}

impl RoomRef {
    /// The room's id.
    ///
    /// # Errors
    /// `Denied` for a caller without an account, which has no home.
    pub(crate) fn id(self, by: &Caller) -> Result<RoomId> {
        match self {
            Self::Home => Ok(by.person()?.home),
            Self::Id(room) => Ok(room),
        }
    }
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
    pub async fn summary(&self, by: &Caller, room: RoomRef) -> Result<Drive> {
        self.read(by, room, |_, room| Ok(read::summary(room))).await
    }

    /// Returns one node, in the tree or in the trash.
    pub async fn node(&self, by: &Caller, room: RoomRef, at: At) -> Result<Node> {
        self.read(by, room, move |tx, room| read::node(tx, room, &at))
            .await
    }

    /// Lists a folder, ordered by name without regard to letter case, then by name.
    pub async fn list(&self, by: &Caller, room: RoomRef, at: At, page: Page) -> Result<NodePage> {
        self.read(by, room, move |tx, room| read::list(tx, room, &at, &page))
            .await
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
    ) -> Result<Tree> {
        self.read(by, room, move |tx, room| {
            tree::page(tx, room, &at, &page, manifests)
        })
        .await
    }

    /// Lists the trash: the nodes that were removed, not what is below them (list one by its id for that).
    pub async fn trash(&self, by: &Caller, room: RoomRef, page: Page) -> Result<NodePage> {
        self.read(by, room, move |tx, room| read::trash(tx, room, &page))
            .await
    }

    /// Finds nodes outside the trash by a part of their name, by tag, or by both, in the order they were made.
    pub async fn find(
        &self,
        by: &Caller,
        room: RoomRef,
        query: FindQuery,
        page: Page,
    ) -> Result<NodePage> {
        self.read(by, room, move |tx, room| {
            find::page(tx, room, &query, &page)
        })
        .await
    }

    /// Gathers nodes with everything below them, as one state of the drive.
    ///
    /// # Errors
    /// - `NotFound`: one of them is not there; `Invalid`: none was asked for.
    /// - `TooLarge`: over [`wharf_types::limit::ARCHIVE_NODES_MAX`] or [`wharf_types::limit::ARCHIVE_ENTRIES_MAX`].
    pub async fn gather(&self, by: &Caller, room: RoomRef, nodes: Vec<At>) -> Result<Gathered> {
        self.read(by, room, move |tx, room| gather::gather(tx, room, &nodes))
            .await
    }

    /// Returns the stream past position `after`.
    pub async fn changes(
        &self,
        by: &Caller,
        room: RoomRef,
        after: u64,
        limit: Option<u32>,
    ) -> Result<Changes> {
        let limit = read::page_limit(limit);
        self.read(by, room, move |tx, room| {
            stream::read(tx, room, after, limit)
        })
        .await
    }

    /// Lists the revisions of a file whose content is kept, newest first, older than revision `before`.
    pub async fn revisions(
        &self,
        by: &Caller,
        room: RoomRef,
        at: At,
        before: Option<u64>,
        limit: Option<u32>,
    ) -> Result<Revisions> {
        self.read(by, room, move |tx, room| {
            read::revisions(tx, room, &at, before, limit)
        })
        .await
    }

    /// Returns the chunks of a file, at a revision or at its present one.
    pub async fn manifest(
        &self,
        by: &Caller,
        room: RoomRef,
        at: At,
        revision: Option<u64>,
    ) -> Result<Manifest> {
        self.read(by, room, move |tx, room| {
            read::manifest(tx, room, &at, revision)
        })
        .await
    }

    /// Sets how long a drive keeps what is no longer current. Owners only.
    pub async fn set_retention(
        &self,
        by: &Caller,
        room: RoomRef,
        retention: Retention,
    ) -> Result<Retention> {
        let by = *by;
        let room = room.id(&by)?;
        self.ground
            .db
            .write(Lock::Room(room), move |tx| {
                let room = enter(tx, &by, room, Right::Own)?;
                tx.exec(
                    "UPDATE room SET revision_days = ?1, trash_days = ?2 WHERE id = ?3",
                    &[
                        retention.revision_days.into(),
                        retention.trash_days.into(),
                        room.id.into(),
                    ],
                )?;
                Ok(retention)
            })
            .await
    }

    /// Counts what every drive and every account uses again from the rows, and mends what had drifted. Returns how many
    /// figures were wrong, which should be none.
    pub async fn recount_usage(&self) -> Result<u64> {
        let mut mended = 0;
        let mut after: Option<AccountId> = None;
        loop {
            let next = self
                .ground
                .db
                .read(move |tx| usage::next_owner(tx, after))
                .await?;
            let Some((account, rooms)) = next else {
                return Ok(mended);
            };
            after = Some(account);
            mended += self
                .ground
                .db
                .write(lock(&rooms, &[account]), move |tx| {
                    usage::recount(tx, account, &rooms)
                })
                .await?;
        }
    }

    /// A file's content as the database has it, for the transfers.
    pub(crate) async fn content(
        &self,
        by: &Caller,
        room: RoomRef,
        at: At,
        revision: Option<u64>,
    ) -> Result<StoredContent> {
        self.read(by, room, move |tx, room| {
            read::content(tx, room, &at, revision)
        })
        .await
    }

    /// Checks that the caller may put a file at `path`, and returns how many bytes the owner's quota has left.
    pub(crate) async fn room_for_put(&self, by: &Caller, room: RoomRef, path: &str) -> Result<u64> {
        let path = DrivePath::parse(path).map_err(place::invalid_path)?;
        if path.is_root() {
            return Err(Error::invalid("the root of the drive cannot be replaced"));
        }
        let by = *by;
        let room = room.id(&by)?;
        self.ground
            .db
            .read(move |tx| {
                let room = enter(tx, &by, room, Right::Edit)?;
                Ok(room.quota_bytes.saturating_sub(room.owner_used_bytes))
            })
            .await
    }

    async fn read<T: Send + 'static>(
        &self,
        by: &Caller,
        room: RoomRef,
        mut work: impl FnMut(&mut Tx<'_>, &Entered) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let by = *by;
        let room = room.id(&by)?;
        self.ground
            .db
            .read(move |tx| {
                let room = enter(tx, &by, room, Right::Read)?;
                work(tx, &room)
            })
            .await
    }
}
