//! Nodes, commits and the change stream of a room's drive.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{AccountId, CommitId, ContentHash, ErrorCode, NodeId, RoomId, SessionId};

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NodeKind {
    /// Bytes.
    File,
    /// Nodes.
    Folder,
    /// A symbolic link; its content is the target's bytes. The server never follows it.
    Link,
}

/// A file, folder or link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Node {
    /// Kept through renames and moves.
    pub id: NodeId,
    /// The folder that holds it; absent for the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<NodeId>,
    /// As given; empty for the root.
    pub name: String,
    /// From the root of the drive, without a leading slash; for a node in the trash, where it was.
    pub path: String,
    /// What it is.
    pub kind: NodeKind,
    /// The position of the change that gave it its present content; for a folder, that made it.
    pub revision: u64,
    /// Bytes of its content; 0 for a folder.
    pub bytes: u64,
    /// Names its content; absent for a folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<ContentHash>,
    /// The author's time of modification, in nanoseconds since the epoch; may be any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtime_ns: Option<i64>,
    /// Whether it is a program.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub executable: bool,
    /// Sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Of an image, once the server has looked at it: how large it is. Then it has thumbnails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<ImageSize>,
    /// When the server recorded the present content, in milliseconds since the epoch.
    pub changed_ms: i64,
    /// When it was removed to the trash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trashed_ms: Option<i64>,
}

/// How large an image is, in pixels, as it is to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImageSize {
    /// From left to right.
    pub width: u32,
    /// From top to bottom.
    pub height: u32,
}

/// A page of a folder's nodes or of the trash, ordered by name without regard to letter case, then by name.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct NodePage {
    /// The nodes.
    pub items: Vec<Node>,
    /// What to send as `after` for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One node of a tree, in the compact form of [`Tree`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TreeEntry {
    /// From the folder that was asked for, without a leading slash.
    pub path: String,
    /// Its id.
    pub id: NodeId,
    /// What it is.
    pub kind: NodeKind,
    /// As in [`Node`].
    pub revision: u64,
    /// As in [`Node`].
    #[serde(default)]
    pub bytes: u64,
    /// As in [`Node`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtime_ns: Option<i64>,
    /// As in [`Node`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub executable: bool,
    /// The packed manifest in base64, where `manifests` was asked for and the node is no folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
}

/// A page of everything below a folder, parents before children.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Tree {
    /// The position of the drive's stream that the page was read at.
    pub position: u64,
    /// The nodes.
    pub items: Vec<TreeEntry>,
    /// What to send as `after` for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A file's content, as chunks.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Manifest {
    /// The node.
    pub id: NodeId,
    /// The revision that it belongs to.
    pub revision: u64,
    /// Bytes of the content.
    pub bytes: u64,
    /// Names the content.
    pub content: ContentHash,
    /// The packed manifest in base64 (docs/protocol/http.md says how it is packed).
    pub manifest: String,
}

/// What the place that an operation changes is expected to hold; compared when the commit is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expect {
    /// Anything or nothing: the last writer wins.
    #[default]
    Any,
    /// Nothing.
    Absent,
    /// The node at this revision.
    Revision(u64),
}

/// Which node an operation is about: by id, or by path from the root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum At {
    /// The node's id.
    Id(NodeId),
    /// A path from the root of the drive.
    Path(String),
}

/// What a move does when its target is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnExists {
    /// The commit is refused.
    #[default]
    Refuse,
    /// What is there goes to the trash.
    Replace,
}

/// One operation of a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Op {
    /// Makes a file or link, or gives it new content. Its chunks must have been uploaded or be within the
    /// caller's reach. Folders on the way are made. The node keeps its id, and the old content stays as a revision.
    Put {
        /// From the root of the drive.
        path: String,
        /// The packed manifest in base64.
        manifest: String,
        /// As in [`Node`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mtime_ns: Option<i64>,
        /// As in [`Node`].
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        executable: bool,
        /// Whether it is a link, its content being the target.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        link: bool,
        /// What is expected at the path.
        #[serde(default)]
        expect: Expect,
    },
    /// Makes a folder, and folders on the way. A folder that is there already is no error.
    MakeFolder {
        /// From the root of the drive.
        path: String,
        /// [`Expect::Absent`] makes a folder that is there already an error.
        #[serde(default)]
        expect: Expect,
    },
    /// Gives a node another name, another folder, or both. Its id, content and revisions stay.
    Move {
        /// The node.
        from: At,
        /// Its new path; the folder must be there.
        to: String,
        /// What happens when the new path is taken.
        #[serde(default)]
        on_exists: OnExists,
        /// What is expected of the node that moves.
        #[serde(default)]
        expect: Expect,
    },
    /// Moves a node, and all below it, to the trash.
    Remove {
        /// The node.
        at: At,
        /// What is expected of it.
        #[serde(default)]
        expect: Expect,
    },
    /// Brings a node back from the trash.
    Restore {
        /// The node.
        id: NodeId,
        /// Where to; where it was when this is missing. Folders on the way are made.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<String>,
    },
    /// Deletes a node in the trash, with all below it and all revisions, for ever.
    Purge {
        /// The node.
        id: NodeId,
    },
    /// Gives a file the content of one of its earlier revisions, as a new revision.
    Revert {
        /// The node.
        at: At,
        /// The earlier revision.
        revision: u64,
        /// What is expected of the node.
        #[serde(default)]
        expect: Expect,
    },
    /// Adds and removes tags.
    Tag {
        /// The node.
        at: At,
        /// Tags to add.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        add: Vec<String>,
        /// Tags to remove; one that is not there is no error.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        remove: Vec<String>,
    },
}

/// Operations that apply together or not at all, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Commit {
    /// Chosen by the author. A commit that is sent again with its id is applied once and answered alike.
    pub id: CommitId,
    /// 1 to 10,000 operations.
    #[schema(min_items = 1, max_items = 10_000)]
    pub ops: Vec<Op>,
}

/// What became of one operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpResult {
    /// The node.
    pub id: NodeId,
    /// Its revision after the operation.
    pub revision: u64,
    /// Names in the same folder that differ from this one only in letter case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub case_conflicts: Vec<String>,
}

/// An applied commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Committed {
    /// The drive's position after it.
    pub position: u64,
    /// One for each operation, in order. Empty in the answer to a repeated commit.
    pub results: Vec<OpResult>,
    /// Whether this commit had been applied before, and this answer repeats it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeated: bool,
}

/// Why one operation of a commit could not be applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FailedOp {
    /// Which one, from 0.
    pub index: u32,
    /// The kind of refusal. Of a put, `not_found` says that chunks of it are not on the server: upload them and commit again.
    pub code: ErrorCode,
    /// In words.
    pub detail: String,
    /// The revision that the place holds, where it holds a node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
}

/// What a change did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// A node was made; for a file, with its first content.
    Created,
    /// A file's content was replaced.
    Updated,
    /// A node got another name or folder.
    Moved,
    /// A node went to the trash.
    Removed,
    /// A node came back from the trash.
    Restored,
    /// A node left the trash for ever.
    Purged,
    /// A node's tags changed.
    Tagged,
}

/// One item of a drive's stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// Dense: 1, 2, 3 …
    pub position: u64,
    /// When the server recorded it, in milliseconds since the epoch.
    pub at_ms: i64,
    /// What it did.
    pub kind: ChangeKind,
    /// The node.
    pub node: NodeId,
    /// Whose commit it was; absent when the server did it, as retention does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// The device it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The folder that held the node after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<NodeId>,
    /// The node's name after it.
    pub name: String,
    /// What the node is.
    pub node_kind: NodeKind,
    /// For new content: its size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// For new content: its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<ContentHash>,
}

/// A stretch of a drive's stream.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Changes {
    /// The stream's last position.
    pub head: u64,
    /// In order of position, without gaps.
    pub items: Vec<Change>,
}

/// One version of a file's content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Revision {
    /// The position of the change that made it.
    pub revision: u64,
    /// When, in milliseconds since the epoch.
    pub at_ms: i64,
    /// By whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// Bytes of the content.
    pub bytes: u64,
    /// Names the content.
    pub content: ContentHash,
    /// As in [`Node`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtime_ns: Option<i64>,
}

/// A page of a file's revisions, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Revisions {
    /// The revisions whose content is kept.
    pub items: Vec<Revision>,
    /// What to send as `before` for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// How long a drive keeps what is no longer current.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Days that a replaced revision is kept; 0 keeps it for ever.
    pub revision_days: u32,
    /// Days that a removed node stays in the trash; 0 keeps it for ever.
    pub trash_days: u32,
}

/// A room's drive as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Drive {
    /// The room.
    pub room: RoomId,
    /// The root folder.
    pub root: NodeId,
    /// The stream's last position.
    pub position: u64,
    /// Bytes of all content, revisions and trash included.
    pub used_bytes: u64,
    /// The most that its owner may use, in all drives together.
    pub quota_bytes: u64,
    /// What its owner uses, in all drives together.
    pub owner_used_bytes: u64,
    /// How long it keeps what is no longer current.
    pub retention: Retention,
}
