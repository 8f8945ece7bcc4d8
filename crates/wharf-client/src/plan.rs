//! What to do about each path, given what both sides hold. Pure: nothing here looks at a disk or a server.

use std::collections::{HashMap, HashSet};

use wharf_types::api::drive::{Expect, NodeKind, TreeEntry};
use wharf_types::name::{fold, nfc};
use wharf_types::{ContentHash, ErrorCode};
use wharf_wire::manifest;

use crate::disk::{Identity, Kind, PART_PREFIX, Stat};
use crate::transfer::{Compare, Links, NoticeKind, OnDifferent};

const FOLDER_THERE: &str = "the drive has a folder of this name";
/// Also the detail of the notice when that is found only by reading the file.
pub(crate) const DIFFERENT_THERE: &str = "the drive has another content";

/// A node of the drive, as far as planning needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RemoteNode {
    pub(crate) kind: NodeKind,
    pub(crate) revision: u64,
    pub(crate) bytes: u64,
    pub(crate) mtime_ns: Option<i64>,
    pub(crate) executable: bool,
    /// Where it was asked for.
    pub(crate) content: Option<ContentHash>,
}

/// What a drive holds below a folder, by the compared form of the path from there.
#[derive(Debug, Default)]
pub(crate) struct RemoteTree {
    nodes: HashMap<String, RemoteNode>,
}

/// What to do with a local file that is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PutStep {
    /// Nothing: the drive has it.
    Skip,
    /// Read it, send what is missing, commit it.
    Send(Expect),
    /// Read it; where the content is `same`, nothing; otherwise as [`Send`](Self::Send), or leave what the drive has.
    Compare {
        same: ContentHash,
        otherwise: Option<Expect>,
    },
    /// Leave what the drive has.
    Conflict(&'static str),
}

/// What to do when a commit was refused for one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The drive holds the very file by now.
    Settled,
    /// Commit it again with this expectation.
    Again(Expect),
    /// Upload its chunks again, then commit it again.
    Upload,
    /// Leave what the drive has.
    Conflict(&'static str),
    /// The server does not take it.
    Refused,
}

/// What to do with a file of the drive that is got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GetStep {
    /// Nothing: it is there.
    Skip,
    /// Fetch it, to replace what was seen.
    Fetch { planned: Option<Identity> },
    /// Look whether the local content is the same; if not, fetch it.
    Compare { planned: Identity },
    /// Leave what is there.
    Conflict(&'static str),
}

impl RemoteTree {
    pub(crate) fn add(&mut self, entry: TreeEntry) {
        let content = entry
            .manifest
            .and_then(|text| manifest::from_base64(&text).ok())
            .map(|packed| manifest::content_of_packed(&packed));
        let node = RemoteNode {
            kind: entry.kind,
            revision: entry.revision,
            bytes: entry.bytes,
            mtime_ns: entry.mtime_ns,
            executable: entry.executable,
            content,
        };
        let key = if entry.path.is_ascii() {
            entry.path
        } else {
            nfc(&entry.path)
        };
        self.nodes.insert(key, node);
    }

    /// The node at `path`, in whichever spelling.
    pub(crate) fn get(&self, path: &str) -> Option<&RemoteNode> {
        if path.is_ascii() {
            return self.nodes.get(path);
        }
        self.nodes.get(&nfc(path))
    }
}

impl RemoteNode {
    fn looks_like(&self, stat: &Stat) -> bool {
        self.bytes == stat.bytes
            && self.mtime_ns == Some(stat.mtime_ns)
            && self.executable == stat.executable
    }
}

/// Decides about a local file or link.
pub(crate) fn put(
    local: &Stat,
    remote: Option<&RemoteNode>,
    compare: Compare,
    on_different: OnDifferent,
) -> PutStep {
    let expect = match (on_different, remote) {
        (OnDifferent::Overwrite, _) => Some(Expect::Any),
        (_, None) => Some(Expect::Absent),
        (OnDifferent::Replace, Some(node)) => Some(Expect::Revision(node.revision)),
        (OnDifferent::Keep, Some(_)) => None,
    };
    if let Some(node) = remote {
        if node.kind == NodeKind::Folder {
            return PutStep::Conflict(FOLDER_THERE);
        }
        let is_same_kind = (node.kind == NodeKind::Link) == (local.kind == Kind::Link);
        if is_same_kind && node.looks_like(local) {
            match (compare, node.content) {
                (Compare::Stat, _) => return PutStep::Skip,
                (Compare::Content, Some(same)) => {
                    return PutStep::Compare {
                        same,
                        otherwise: expect,
                    };
                }
                (Compare::Content, None) => {}
            }
        }
    }
    expect.map_or(PutStep::Conflict(DIFFERENT_THERE), PutStep::Send)
}

/// Decides about a local folder.
pub(crate) fn put_folder(remote: Option<&RemoteNode>) -> Result<bool, &'static str> {
    match remote.map(|node| node.kind) {
        None => Ok(true),
        Some(NodeKind::Folder) => Ok(false),
        Some(NodeKind::File | NodeKind::Link) => Err("the drive has a file of this name"),
    }
}

/// Decides about a file whose commit was refused with `code`, given what its place holds now.
pub(crate) fn after_refusal(
    code: ErrorCode,
    ours: ContentHash,
    local: &Stat,
    now: Option<&RemoteNode>,
    on_different: OnDifferent,
) -> Refusal {
    match code {
        // Chunks that were there when they were asked for have been collected since.
        ErrorCode::NotFound => return Refusal::Upload,
        ErrorCode::Stale | ErrorCode::Exists => {}
        _ => return Refusal::Refused,
    }
    match now {
        // It was removed meanwhile: an edit wins over a deletion.
        None => Refusal::Again(Expect::Absent),
        Some(node) if node.content == Some(ours) && node.looks_like(local) => Refusal::Settled,
        Some(node) if node.kind == NodeKind::Folder => Refusal::Conflict(FOLDER_THERE),
        Some(_) if on_different == OnDifferent::Overwrite => Refusal::Again(Expect::Any),
        Some(_) => Refusal::Conflict("it was changed in the drive meanwhile"),
    }
}

/// Decides about a file or link of the drive, given what its place on the disk holds.
pub(crate) fn get(
    remote: &RemoteNode,
    local: Option<&Stat>,
    compare: Compare,
    on_different: OnDifferent,
) -> GetStep {
    let Some(local) = local else {
        return GetStep::Fetch { planned: None };
    };
    match local.kind {
        Kind::Folder => return GetStep::Conflict("a folder of this name is there"),
        Kind::Special => {
            return GetStep::Conflict("a device, socket or pipe of this name is there");
        }
        Kind::File | Kind::Link => {}
    }
    let planned = local.identity;
    let is_same_kind = (remote.kind == NodeKind::Link) == (local.kind == Kind::Link);
    if is_same_kind && remote.looks_like(local) {
        return match compare {
            Compare::Stat => GetStep::Skip,
            Compare::Content => GetStep::Compare { planned },
        };
    }
    match on_different {
        OnDifferent::Keep => GetStep::Conflict("another content is there"),
        OnDifferent::Replace | OnDifferent::Overwrite => GetStep::Fetch {
            planned: Some(planned),
        },
    }
}

/// Decides whether a node's kind and name are got at all.
pub(crate) fn is_wanted(
    path: &str,
    kind: NodeKind,
    links: Links,
) -> Result<(), (NoticeKind, &'static str)> {
    let name = path.rsplit('/').next().unwrap_or(path);
    if name.starts_with(PART_PREFIX) {
        return Err((
            NoticeKind::Name,
            "the name is kept for unfinished downloads",
        ));
    }
    if kind == NodeKind::Link && links == Links::LeaveOut {
        return Err((NoticeKind::LeftOut, "a symbolic link"));
    }
    Ok(())
}

/// Keeps names apart that a folding file system would take for one.
#[derive(Debug, Default)]
pub(crate) struct FoldGuard {
    /// The folded form of each path, and the path that has it.
    taken: HashMap<String, String>,
    /// Folders that were refused: what is below them has no place either.
    refused: HashSet<String>,
}

impl FoldGuard {
    /// The path that already has the place of `path`, if one has. To be asked about parents before children.
    pub(crate) fn collision(&mut self, path: &str) -> Option<String> {
        if let Some((parent, _)) = path.rsplit_once('/')
            && self.refused.contains(parent)
        {
            self.refused.insert(path.to_owned());
            return Some(parent.to_owned());
        }
        match self.taken.get(&fold(path)) {
            Some(other) if other != path => {
                self.refused.insert(path.to_owned());
                Some(other.clone())
            }
            Some(_) => None,
            None => {
                self.taken.insert(fold(path), path.to_owned());
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
