//! A person at work on the drive of the personal room.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use wharf_core::Error;
use wharf_core::drive::{Drives, Manifests, Page, RoomRef};
use wharf_testkit::db::TestDb;
use wharf_types::api::drive::{
    At, Change, Commit, Committed, Expect, Node, OnExists, Op, OpResult, TreeEntry,
};
use wharf_types::{ChunkHash, CommitId, NodeId};
use wharf_wire::cut;
use wharf_wire::frame::Frame;
use wharf_wire::manifest::{Manifest, ManifestChunk, to_base64};

use crate::support::{House, Visitor};

/// A house with one person in it.
pub(crate) struct Desk {
    pub(crate) house: House,
    pub(crate) me: Visitor,
    commits: AtomicU64,
}

/// The packed manifest of `bytes`, in base64.
pub(crate) fn manifest_of(bytes: &[u8]) -> String {
    let chunks = cut::chunks(bytes)
        .map(|chunk| ManifestChunk {
            hash: ChunkHash::of(chunk),
            bytes: u32::try_from(chunk.len()).unwrap(),
        })
        .collect();
    to_base64(&Manifest { chunks }.pack())
}

/// The chunks of `bytes`, ready to be sent.
pub(crate) fn frames_of(bytes: &[u8]) -> Vec<Frame> {
    cut::chunks(bytes)
        .map(|chunk| Frame::seal(ChunkHash::of(chunk), Bytes::copy_from_slice(chunk)))
        .collect()
}

pub(crate) fn put(path: &str, bytes: &[u8]) -> Op {
    Op::Put {
        path: path.into(),
        manifest: manifest_of(bytes),
        mtime_ns: None,
        executable: false,
        link: false,
        expect: Expect::Any,
    }
}

pub(crate) fn put_expecting(path: &str, bytes: &[u8], expect: Expect) -> Op {
    Op::Put {
        path: path.into(),
        manifest: manifest_of(bytes),
        mtime_ns: None,
        executable: false,
        link: false,
        expect,
    }
}

pub(crate) fn make_folder(path: &str) -> Op {
    Op::MakeFolder {
        path: path.into(),
        expect: Expect::Any,
    }
}

pub(crate) fn move_to(from: &str, to: &str) -> Op {
    move_on_exists(from, to, OnExists::Refuse)
}

pub(crate) fn move_on_exists(from: &str, to: &str, on_exists: OnExists) -> Op {
    Op::Move {
        from: at(from),
        to: to.into(),
        on_exists,
        expect: Expect::Any,
    }
}

pub(crate) fn remove(path: &str) -> Op {
    Op::Remove {
        at: at(path),
        expect: Expect::Any,
    }
}

pub(crate) fn at(path: &str) -> At {
    At::Path(path.into())
}

impl Desk {
    pub(crate) async fn open(db: TestDb) -> Self {
        let house = House::open(db).await;
        let me = house.operator().await;
        Self {
            house,
            me,
            commits: AtomicU64::new(0),
        }
    }

    pub(crate) fn drives(&self) -> &Drives {
        self.house.wharf.drive()
    }

    /// Makes the chunks of `bytes` durable.
    pub(crate) async fn upload(&self, bytes: &[u8]) {
        let frames = frames_of(bytes);
        let transfers = self.house.wharf.transfers();
        transfers.upload(&self.me.caller, frames).await.unwrap();
    }

    /// A commit with an id that no other has.
    pub(crate) fn commit_of(&self, ops: Vec<Op>) -> Commit {
        let count = self.commits.fetch_add(1, Ordering::Relaxed);
        let mut id = [0; 16];
        id[8..].copy_from_slice(&count.to_be_bytes());
        Commit {
            id: CommitId::from_bytes(id),
            ops,
        }
    }

    pub(crate) async fn try_commit(&self, ops: Vec<Op>) -> Result<Committed, Error> {
        let commit = self.commit_of(ops);
        self.drives()
            .commit(&self.me.caller, RoomRef::Home, commit)
            .await
    }

    pub(crate) async fn commit(&self, ops: Vec<Op>) -> Committed {
        self.try_commit(ops).await.unwrap()
    }

    /// Applies one operation.
    pub(crate) async fn act(&self, op: Op) -> OpResult {
        self.commit(vec![op]).await.results.remove(0)
    }

    /// Uploads and puts a file.
    pub(crate) async fn write(&self, path: &str, bytes: &[u8]) -> OpResult {
        self.upload(bytes).await;
        self.act(put(path, bytes)).await
    }

    pub(crate) async fn node(&self, at: At) -> Result<Node, Error> {
        self.drives().node(&self.me.caller, RoomRef::Home, at).await
    }

    pub(crate) async fn id_of(&self, path: &str) -> NodeId {
        self.node(at(path)).await.unwrap().id
    }

    /// The bytes of a file at a revision, or now.
    pub(crate) async fn read(&self, at: At, revision: Option<u64>) -> Result<Vec<u8>, Error> {
        let transfers = self.house.wharf.transfers();
        let content = transfers
            .content(&self.me.caller, RoomRef::Home, at, revision)
            .await?;
        let mut reader = content.read(0..u64::MAX);
        let mut bytes = Vec::new();
        while let Some(part) = reader.next().await? {
            bytes.extend_from_slice(&part);
        }
        Ok(bytes)
    }

    /// Everything in the tree, in pages of `limit`.
    pub(crate) async fn tree(&self, limit: u32) -> Vec<TreeEntry> {
        let mut entries = Vec::new();
        let mut after = None;
        loop {
            let page = Page {
                after,
                limit: Some(limit),
            };
            let drives = self.drives();
            let tree = drives
                .tree(
                    &self.me.caller,
                    RoomRef::Home,
                    at(""),
                    page,
                    Manifests::Include,
                )
                .await
                .unwrap();
            assert!(tree.items.len() <= limit as usize);
            entries.extend(tree.items);
            after = tree.next;
            if after.is_none() {
                return entries;
            }
        }
    }

    /// The paths of everything in the tree.
    pub(crate) async fn paths(&self) -> Vec<String> {
        let entries = self.tree(1000).await;
        entries.into_iter().map(|entry| entry.path).collect()
    }

    /// What is in the trash, by where it was.
    pub(crate) async fn trash(&self) -> Vec<Node> {
        let page = Page::default();
        let drives = self.drives();
        let page = drives
            .trash(&self.me.caller, RoomRef::Home, page)
            .await
            .unwrap();
        page.items
    }

    /// The whole stream.
    pub(crate) async fn changes(&self) -> Vec<Change> {
        let drives = self.drives();
        let mut items = Vec::new();
        loop {
            let after = items.len() as u64;
            let changes = drives
                .changes(&self.me.caller, RoomRef::Home, after, Some(100))
                .await
                .unwrap();
            if changes.items.is_empty() {
                assert_eq!(changes.head, after, "positions are dense up to the head");
                return items;
            }
            items.extend(changes.items);
        }
    }

    pub(crate) async fn used_bytes(&self) -> u64 {
        let drives = self.drives();
        let drive = drives
            .summary(&self.me.caller, RoomRef::Home)
            .await
            .unwrap();
        assert_eq!(drive.used_bytes, drive.owner_used_bytes);
        drive.used_bytes
    }
}
