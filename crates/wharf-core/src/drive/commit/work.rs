//! A commit's steps, taken one after another in its transaction.

use std::borrow::Cow;

use wharf_store::sql::{self, Tx};
use wharf_types::api::drive::{ChangeKind, Expect, FailedOp, NodeKind, OpResult};
use wharf_types::{ChunkHash, ErrorCode, NodeId, RoomId};

use super::super::batch::Batch;
use super::super::place::Part;
use super::super::rows::{Content, kind_value};
use super::super::stream::{Author, NewChange, Stream};
use super::names::{Named, Names};
use super::prepare::{Prepared, Step};
use crate::access::Entered;
use crate::error::{Error, Result};
use crate::random::Random;

/// What taking a step came to.
pub(super) type Taken<T> = std::result::Result<T, Stop>;

/// Why a step was not taken.
#[derive(Debug)]
pub(super) enum Stop {
    /// The step cannot be taken; the others are still looked at.
    Refused(Refusal),
    /// The whole commit has failed.
    Failed(Error),
}

/// Why one step cannot be taken.
#[derive(Debug)]
pub(super) struct Refusal {
    code: ErrorCode,
    detail: Cow<'static, str>,
    /// The revision that the place holds, where it holds a node.
    revision: Option<u64>,
}

/// What the steps came to, before the chunks are referenced and the quota charged.
pub(super) struct Applied<'p> {
    pub(super) stream: Stream<'p>,
    pub(super) results: Vec<OpResult>,
    pub(super) failed: Vec<FailedOp>,
    pub(super) mentions: Vec<Mention>,
    pub(super) added_bytes: u64,
    pub(super) freed_bytes: u64,
    pub(super) has_purged: bool,
}

/// A chunk that new content names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mention {
    pub(super) hash: ChunkHash,
    pub(super) bytes: u32,
    pub(super) step: usize,
}

/// Ids for the nodes of one commit, each greater than the one before, so that their rows are appended to the tables.
#[derive(Debug)]
pub(super) struct NodeIds {
    now_ms: u64,
    random: [u8; 2],
    counter: u64,
}

/// A node to be written.
#[derive(Debug)]
struct NewNode<'p> {
    id: NodeId,
    parent: NodeId,
    part: Cow<'p, Part>,
    content: Content,
}

/// A commit under way.
pub(super) struct Work<'w, 'tx, 'p> {
    pub(super) tx: &'w mut Tx<'tx>,
    pub(super) room: &'w Entered,
    pub(super) prepared: &'p Prepared,
    pub(super) now_ms: i64,
    pub(super) stream: Stream<'p>,
    pub(super) names: Names,
    pub(super) mentions: Vec<Mention>,
    pub(super) added_bytes: u64,
    pub(super) has_purged: bool,
    /// The ids of [`Prepared::folders`], as far as they were found or made.
    pub(super) folders: Vec<Option<NodeId>>,
    /// Whether the names that steps ask of these folders were read together.
    pub(super) is_read_ahead: Vec<bool>,
    ids: NodeIds,
    new_nodes: Vec<NewNode<'p>>,
}

static INSERT_NODES: Batch<13> = Batch::new(
    "INSERT INTO node (room_id, id, parent_id, name, name_key, name_fold, kind, revision, bytes, content, mtime_ns, \
     executable, changed_ms) VALUES ",
);

impl From<sql::Error> for Stop {
    fn from(error: sql::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Refusal {
    /// A refusal that has nothing to do with what a place holds.
    pub(super) fn new(code: ErrorCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            detail: detail.into(),
            revision: None,
        }
    }

    /// A refusal that was worded elsewhere.
    pub(super) fn from_error(error: &Error) -> Self {
        Self::new(error.code(), error.text().to_owned())
    }

    /// The node that a step is about is not there.
    pub(super) fn not_found() -> Self {
        Self::new(ErrorCode::NotFound, "there is no such file or folder")
    }

    /// Something stands at the place.
    pub(super) fn exists(content: &Content) -> Self {
        Self {
            code: ErrorCode::Exists,
            detail: match content.kind {
                NodeKind::Folder => "there is a folder already".into(),
                NodeKind::File => "there is a file already".into(),
                NodeKind::Link => "there is a link already".into(),
            },
            revision: Some(content.revision),
        }
    }

    /// Something that is no folder stands on the way.
    pub(super) fn no_folder(named: &Named) -> Self {
        Self {
            code: ErrorCode::Exists,
            detail: format!("'{}' is not a folder", named.name).into(),
            revision: Some(named.content.revision),
        }
    }

    fn stale(expected: u64, revision: Option<u64>) -> Self {
        Self {
            code: ErrorCode::Stale,
            detail: match revision {
                Some(revision) => {
                    format!("expected revision {expected}, it is at {revision}").into()
                }
                None => format!("expected revision {expected}, there is nothing").into(),
            },
            revision,
        }
    }
}

/// Compares what a step expects with what stands there.
pub(super) fn compare(expect: Expect, found: Option<&Content>) -> std::result::Result<(), Refusal> {
    match (expect, found) {
        (Expect::Any, _) | (Expect::Absent, None) => Ok(()),
        (Expect::Absent, Some(content)) => Err(Refusal::exists(content)),
        (Expect::Revision(expected), Some(content)) if content.revision == expected => Ok(()),
        (Expect::Revision(expected), found) => Err(Refusal::stale(
            expected,
            found.map(|content| content.revision),
        )),
    }
}

impl NodeIds {
    pub(super) fn new(random: &Random, now_ms: i64) -> Self {
        let [first, second, counter @ ..] = random.bytes::<10>();
        Self {
            now_ms: u64::try_from(now_ms).unwrap_or(0),
            random: [first, second],
            // Bits 62 and 63 are the UUID's own, and a zero in bit 61 keeps the counter from running into them.
            counter: u64::from_be_bytes(counter) >> 3,
        }
    }

    fn next(&mut self) -> NodeId {
        self.counter += 1;
        let mut bytes = [0; 10];
        let (random, counter) = bytes.split_at_mut(self.random.len());
        random.copy_from_slice(&self.random);
        counter.copy_from_slice(&self.counter.to_be_bytes());
        NodeId::new(self.now_ms, &bytes)
    }
}

impl<'w, 'tx, 'p> Work<'w, 'tx, 'p> {
    pub(super) fn new(
        tx: &'w mut Tx<'tx>,
        room: &'w Entered,
        prepared: &'p Prepared,
        ids: NodeIds,
        (author, now_ms): (Author, i64),
    ) -> Self {
        Self {
            tx,
            room,
            prepared,
            now_ms,
            stream: Stream::new(room.drive_head, author, now_ms),
            names: Names::default(),
            mentions: Vec::new(),
            added_bytes: 0,
            has_purged: false,
            folders: vec![None; prepared.folders.len()],
            is_read_ahead: vec![false; prepared.folders.len()],
            ids,
            new_nodes: Vec::new(),
        }
    }

    /// Takes every step.
    pub(super) fn apply(mut self) -> Result<Applied<'p>> {
        let mut results = Vec::with_capacity(self.prepared.steps.len());
        let mut failed = Vec::new();
        for (index, step) in self.prepared.steps.iter().enumerate() {
            match self.take(index, step) {
                Ok(result) => results.push(result),
                Err(Stop::Refused(refusal)) => failed.push(FailedOp {
                    index: u32::try_from(index).unwrap_or(u32::MAX),
                    code: refusal.code,
                    detail: refusal.detail.into_owned(),
                    revision: refusal.revision,
                }),
                Err(Stop::Failed(error)) => return Err(error),
            }
        }
        self.flush()?;
        Ok(Applied {
            stream: self.stream,
            results,
            failed,
            mentions: self.mentions,
            added_bytes: self.added_bytes,
            freed_bytes: 0,
            has_purged: self.has_purged,
        })
    }

    fn take(&mut self, index: usize, step: &'p Step) -> Taken<OpResult> {
        if !matches!(step, Step::Put(_) | Step::MakeFolder { .. }) {
            // The other steps read and write rows by themselves.
            self.flush()?;
        }
        match step {
            Step::Put(put) => self.put(index, put),
            Step::MakeFolder { at, expect } => self.make_folder(at, *expect),
            Step::Move {
                from,
                to,
                on_exists,
                expect,
            } => self.move_node(from, to, *on_exists, *expect),
            Step::Remove { at, expect } => self.remove(at, *expect),
            Step::Restore { id, to } => self.restore(*id, to.as_ref()),
            Step::Purge { id } => self.purge(*id),
            Step::Revert {
                at,
                revision,
                expect,
            } => self.revert(index, at, *revision, *expect),
            Step::Tag { at, add, remove } => self.tag(at, add, remove),
        }
    }

    /// Makes a node in `parent`, where nothing has its name.
    pub(super) fn add_node(
        &mut self,
        parent: NodeId,
        part: Cow<'p, Part>,
        content: Content,
        brings: Option<super::super::stream::NewContent<'p>>,
    ) -> sql::Result<Named> {
        let id = self.ids.next();
        let name = match &part {
            Cow::Borrowed(part) => Cow::Borrowed(part.name.as_str()),
            Cow::Owned(part) => Cow::Owned(part.name.clone()),
        };
        let revision = self.stream.append(NewChange {
            kind: ChangeKind::Created,
            node: id,
            parent: Some(parent),
            name,
            node_kind: content.kind,
            content: brings,
        });
        let content = Content {
            revision,
            ..content
        };
        let named = Named {
            id,
            name: part.name.clone(),
            key: part.key.clone(),
            content,
        };
        self.names.note(parent, &part.fold, named.clone());
        self.new_nodes.push(NewNode {
            id,
            parent,
            part,
            content,
        });
        self.flush_if_full()?;
        Ok(named)
    }

    /// Writes what is pending, before anything reads it.
    pub(super) fn flush(&mut self) -> sql::Result<()> {
        let (room, now_ms): (RoomId, _) = (self.room.id, self.now_ms);
        INSERT_NODES.insert(self.tx, &self.new_nodes, |node| {
            [
                room.into(),
                node.id.into(),
                node.parent.into(),
                (&node.part.name).into(),
                (&node.part.key).into(),
                (&node.part.fold).into(),
                kind_value(node.content.kind),
                node.content.revision.into(),
                node.content.bytes.into(),
                node.content.hash.as_ref().into(),
                node.content.mtime_ns.into(),
                node.content.executable.into(),
                now_ms.into(),
            ]
        })?;
        self.new_nodes.clear();
        self.stream.flush(self.tx, self.room)
    }

    /// Writes what is pending if it is enough for a batch.
    pub(super) fn flush_if_full(&mut self) -> sql::Result<()> {
        if self.stream.is_full() || self.new_nodes.len() >= Batch::<13>::ROWS {
            self.flush()?;
        }
        Ok(())
    }

    /// Appends a change of a node that is there.
    pub(super) fn change(
        &mut self,
        kind: ChangeKind,
        node: NodeId,
        parent: Option<NodeId>,
        name: String,
        node_kind: NodeKind,
    ) -> u64 {
        self.stream.append(NewChange {
            kind,
            node,
            parent,
            name: Cow::Owned(name),
            node_kind,
            content: None,
        })
    }

    /// Notes the chunks of new content, to be referenced when every step has been taken.
    pub(super) fn mention(&mut self, step: usize, chunks: impl Iterator<Item = (ChunkHash, u32)>) {
        self.mentions
            .extend(chunks.map(|(hash, bytes)| Mention { hash, bytes, step }));
    }
}
