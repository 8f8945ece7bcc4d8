//! A commit made ready before its transaction: texts parsed, names folded, manifests decoded and named.
//!
//! All that costs time and needs no database happens here, once, so that the one writer of SQLite is held for as short as
//! possible and a transaction that has to start again does not repeat it.

use std::collections::HashMap;
use std::io::BufWriter;

use wharf_types::api::drive::{At, Commit, Expect, FailedOp, NodeKind, OnExists, Op};
use wharf_types::limit::{COMMIT_OPS_MAX, PATH_BYTES_MAX, PATH_DEPTH_MAX, TAGS_PER_NODE_MAX};
use wharf_types::name::{DrivePath, InvalidName, Name};
use wharf_types::{ChunkHash, CommitId, ContentHash, ErrorCode, NodeId};
use wharf_wire::manifest::{Manifest, content_of_packed, from_base64};

use super::super::place::Part;
use super::super::read::StoredContent;
use super::super::tags::checked_tag;
use crate::error::{Error, Result};

/// Longest target of a link, in bytes.
const LINK_BYTES_MAX: u64 = PATH_BYTES_MAX as u64;

/// A commit, ready to be applied.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) id: CommitId,
    /// Tells whether a commit that comes with the same id is the same.
    pub(super) digest: [u8; 32],
    /// Every folder that operations name as the one that holds something, once.
    pub(super) folders: Vec<FolderPath>,
    pub(super) steps: Vec<Step>,
}

/// The path of a folder.
#[derive(Debug)]
pub(super) struct FolderPath {
    pub(super) parts: Vec<Part>,
    /// The steps that look for a name in it.
    pub(super) steps: Vec<usize>,
}

/// A name in one of [`Prepared::folders`].
#[derive(Debug)]
pub(super) struct Spot {
    pub(super) folder: usize,
    pub(super) part: Part,
}

/// The node that a step is about.
#[derive(Debug)]
pub(super) enum Target {
    Id(NodeId),
    Root,
    Spot(Spot),
}

/// The content of a put.
#[derive(Debug)]
pub(super) struct Put {
    pub(super) spot: Spot,
    pub(super) kind: NodeKind,
    pub(super) bytes: u64,
    pub(super) hash: ContentHash,
    pub(super) packed: Vec<u8>,
    pub(super) chunks: Vec<(ChunkHash, u32)>,
    pub(super) mtime_ns: Option<i64>,
    pub(super) executable: bool,
    pub(super) expect: Expect,
}

/// One operation.
#[derive(Debug)]
pub(super) enum Step {
    Put(Put),
    MakeFolder {
        at: Target,
        expect: Expect,
    },
    Move {
        from: Target,
        to: Spot,
        on_exists: OnExists,
        expect: Expect,
    },
    Remove {
        at: Target,
        expect: Expect,
    },
    Restore {
        id: NodeId,
        to: Option<Spot>,
    },
    Purge {
        id: NodeId,
    },
    Revert {
        at: Target,
        revision: u64,
        expect: Expect,
    },
    Tag {
        at: Target,
        add: Vec<String>,
        remove: Vec<String>,
    },
}

impl Step {
    /// The name that the step looks for in one of [`Prepared::folders`].
    pub(super) fn name_in_folder(&self) -> Option<&Part> {
        match self {
            Self::Put(put) => Some(&put.spot.part),
            Self::MakeFolder { at, .. }
            | Self::Remove { at, .. }
            | Self::Revert { at, .. }
            | Self::Tag { at, .. } => match at {
                Target::Spot(spot) => Some(&spot.part),
                Target::Id(_) | Target::Root => None,
            },
            Self::Move { .. } | Self::Restore { .. } | Self::Purge { .. } => None,
        }
    }
}

impl FolderPath {
    /// As it is shown.
    pub(super) fn text(&self) -> String {
        let names: Vec<_> = self.parts.iter().map(|part| part.name.as_str()).collect();
        names.join("/")
    }
}

/// Whether an operation is made ready in less time than another thread's turn takes.
pub(super) fn is_quick(op: &Op) -> bool {
    match op {
        Op::Put { manifest, .. } => manifest.len() <= 16 * 1024,
        Op::MakeFolder { .. }
        | Op::Move { .. }
        | Op::Remove { .. }
        | Op::Restore { .. }
        | Op::Purge { .. }
        | Op::Revert { .. }
        | Op::Tag { .. } => true,
    }
}

/// Makes a commit ready.
///
/// # Errors
/// `Invalid` with the operations that are malformed, or `TooLarge`.
pub(super) fn prepare(commit: &Commit) -> Result<Prepared> {
    if commit.ops.is_empty() {
        return Err(Error::invalid("a commit has at least one operation"));
    }
    if commit.ops.len() > COMMIT_OPS_MAX {
        return Err(Error::new(
            ErrorCode::TooLarge,
            format!("a commit has at most {COMMIT_OPS_MAX} operations: send several"),
        ));
    }
    let mut folders = Folders::default();
    let mut steps = Vec::with_capacity(commit.ops.len());
    let mut failed = Vec::new();
    for (index, op) in commit.ops.iter().enumerate() {
        match folders.step(op, index) {
            Ok(step) => steps.push(step),
            Err(error) => failed.push(FailedOp {
                index: u32::try_from(index).unwrap_or(u32::MAX),
                code: error.code(),
                detail: error.text().to_owned(),
                revision: None,
            }),
        }
    }
    if !failed.is_empty() {
        return Err(Error::invalid("the commit has malformed operations").with_failed(failed));
    }
    Ok(Prepared {
        id: commit.id,
        digest: digest(&commit.ops)?,
        folders: folders.paths,
        steps,
    })
}

/// Makes ready what puts content that is stored already at a path where nothing is.
///
/// # Errors
/// `Invalid` for a path that cannot be one.
pub(super) fn prepare_saved(id: CommitId, path: &str, content: &StoredContent) -> Result<Prepared> {
    let manifest = Manifest::unpack(&content.packed)
        .map_err(|error| Error::internal(format!("stored manifest: {error}")))?;
    let mut folders = Folders::default();
    let put = Put {
        spot: folders.spot(path, 0)?,
        kind: NodeKind::File,
        bytes: content.bytes,
        hash: content.hash,
        packed: content.packed.clone(),
        chunks: manifest
            .chunks
            .iter()
            .map(|chunk| (chunk.hash, chunk.bytes))
            .collect(),
        mtime_ns: content.mtime_ns,
        executable: content.node.executable,
        expect: Expect::Absent,
    };
    Ok(Prepared {
        id,
        digest: *content.hash.as_bytes(),
        folders: folders.paths,
        steps: vec![Step::Put(put)],
    })
}

fn digest(ops: &[Op]) -> Result<[u8; 32]> {
    let mut writer = BufWriter::new(blake3::Hasher::new());
    serde_json::to_writer(&mut writer, ops).map_err(|error| Error::internal(error.to_string()))?;
    let hasher = writer
        .into_inner()
        .map_err(|error| Error::internal(error.to_string()))?;
    Ok(*hasher.finalize().as_bytes())
}

/// Collects the folders that a commit names.
#[derive(Default)]
struct Folders<'o> {
    paths: Vec<FolderPath>,
    /// By the text that was given: files of one folder follow each other in most commits.
    by_text: HashMap<&'o str, usize>,
    /// By the keys, so that two spellings of a folder are one.
    by_keys: HashMap<String, usize>,
}

impl<'o> Folders<'o> {
    fn step(&mut self, op: &'o Op, index: usize) -> Result<Step> {
        Ok(match op {
            Op::Put { .. } => Step::Put(self.put(op, index)?),
            Op::MakeFolder { path, expect } => Step::MakeFolder {
                at: self.path_target(path, index)?,
                expect: *expect,
            },
            Op::Move {
                from,
                to,
                on_exists,
                expect,
            } => Step::Move {
                from: self.target(from, index)?,
                to: self.spot(to, index)?,
                on_exists: *on_exists,
                expect: *expect,
            },
            Op::Remove { at, expect } => Step::Remove {
                at: self.target(at, index)?,
                expect: *expect,
            },
            Op::Restore { id, to } => Step::Restore {
                id: *id,
                to: to.as_deref().map(|to| self.spot(to, index)).transpose()?,
            },
            Op::Purge { id } => Step::Purge { id: *id },
            Op::Revert {
                at,
                revision,
                expect,
            } => Step::Revert {
                at: self.target(at, index)?,
                revision: *revision,
                expect: *expect,
            },
            Op::Tag { at, add, remove } => Step::Tag {
                at: self.target(at, index)?,
                add: checked_tags(add)?,
                remove: checked_tags(remove)?,
            },
        })
    }

    fn put(&mut self, op: &'o Op, index: usize) -> Result<Put> {
        let Op::Put {
            path,
            manifest,
            mtime_ns,
            executable,
            link,
            expect,
        } = op
        else {
            return Err(Error::internal("not a put"));
        };
        let packed = from_base64(manifest).map_err(invalid_manifest)?;
        let unpacked = Manifest::unpack(&packed).map_err(invalid_manifest)?;
        let bytes = unpacked.bytes();
        if *link && (bytes == 0 || bytes > LINK_BYTES_MAX) {
            return Err(Error::invalid(format!(
                "the target of a link has 1 to {LINK_BYTES_MAX} bytes"
            )));
        }
        Ok(Put {
            spot: self.spot(path, index)?,
            kind: if *link {
                NodeKind::Link
            } else {
                NodeKind::File
            },
            bytes,
            hash: content_of_packed(&packed),
            chunks: unpacked
                .chunks
                .iter()
                .map(|chunk| (chunk.hash, chunk.bytes))
                .collect(),
            packed,
            mtime_ns: *mtime_ns,
            executable: *executable,
            expect: *expect,
        })
    }

    fn target(&mut self, at: &'o At, index: usize) -> Result<Target> {
        match at {
            At::Id(id) => Ok(Target::Id(*id)),
            At::Path(path) => self.path_target(path, index),
        }
    }

    fn path_target(&mut self, path: &'o str, index: usize) -> Result<Target> {
        if path.bytes().all(|byte| byte == b'/') {
            return Ok(Target::Root);
        }
        self.spot(path, index).map(Target::Spot)
    }

    fn spot(&mut self, path: &'o str, index: usize) -> Result<Spot> {
        if path.len() > PATH_BYTES_MAX {
            return Err(invalid_path(InvalidName::PathTooLong));
        }
        let path = path.trim_matches('/');
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        if name.is_empty() {
            return Err(Error::invalid("the root of the drive cannot be replaced"));
        }
        let name = Name::new(name).map_err(invalid_path)?;
        let folder = match self.by_text.get(folder) {
            Some(folder) => *folder,
            None => self.add(folder)?,
        };
        if let Some(folder) = self.paths.get_mut(folder) {
            if folder.parts.len() >= PATH_DEPTH_MAX {
                return Err(invalid_path(InvalidName::PathTooLong));
            }
            folder.steps.push(index);
        }
        Ok(Spot {
            folder,
            part: Part::new(&name),
        })
    }

    fn add(&mut self, text: &'o str) -> Result<usize> {
        let path = DrivePath::parse(text).map_err(invalid_path)?;
        let parts: Vec<_> = path.names().iter().map(Part::new).collect();
        let keys: Vec<_> = parts.iter().map(|part| part.key.as_str()).collect();
        let folder = *self
            .by_keys
            .entry(keys.join("/"))
            .or_insert(self.paths.len());
        if folder == self.paths.len() {
            self.paths.push(FolderPath {
                parts,
                steps: Vec::new(),
            });
        }
        self.by_text.insert(text, folder);
        Ok(folder)
    }
}

fn checked_tags(tags: &[String]) -> Result<Vec<String>> {
    if tags.len() > TAGS_PER_NODE_MAX {
        return Err(too_many_tags());
    }
    tags.iter().map(|tag| checked_tag(tag)).collect()
}

/// The refusal of more tags than a node has room for.
pub(super) fn too_many_tags() -> Error {
    Error::new(
        ErrorCode::TooLarge,
        format!("a node has at most {TAGS_PER_NODE_MAX} tags"),
    )
}

fn invalid_path(error: InvalidName) -> Error {
    super::super::place::invalid_path(error)
}

fn invalid_manifest(error: impl std::fmt::Display) -> Error {
    Error::invalid(format!("not a manifest: {error}"))
}
