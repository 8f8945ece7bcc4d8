//! The MD5 of contents, for protocols that name files by it.
//!
//! It is made once for each content, by whichever way that came: while an upload's pieces come in order, or, for what came
//! through other doors, by reading it when somebody asks. It proves nothing here (two contents with one MD5 can be made by
//! anybody): it finds a file among those of one person, never beyond.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use md5::{Digest, Md5};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use wharf_store::sql::{self, Lock, Tx};
use wharf_types::api::drive::At;
use wharf_types::{AccountId, ContentHash, NodeId};

use super::{ContentReader, Transfers};
use crate::access::{Right, enter};
use crate::caller::Caller;
use crate::drive::RoomRef;
use crate::error::{Error, Result};

/// Bytes that are hashed at a time, away from the threads that answer.
const HASH_BYTES: usize = 4 * 1024 * 1024;
/// Contents that are read for their MD5 at the same time.
const READERS: usize = 2;
/// MD5s that are kept in one transaction.
const NOTE_COUNT: usize = 64;
/// The MD5 of a content above this is worth a transaction of its own.
const NOTE_BYTES: u64 = 64 * 1024 * 1024;
/// Uploads whose MD5 is kept between their pieces. Those of others are read again at their end.
const RUNNING_MAX: usize = 256;

/// MD5s that are being made.
#[derive(Clone)]
pub(crate) struct RunningMd5s(Arc<Shared>);

struct Shared {
    /// By upload: of everything before a byte of it.
    running: Mutex<HashMap<(AccountId, u64), Running>>,
    readers: Arc<Semaphore>,
}

/// The MD5 of a stream, so far.
pub(crate) struct Running {
    bytes: u64,
    /// What comes next, until it is worth a task.
    pending: Vec<Bytes>,
    pending_bytes: usize,
    hasher: Option<Md5>,
    /// The task that hashes what came before: one at most.
    hashing: JoinSet<Md5>,
}

impl RunningMd5s {
    pub(super) fn new() -> Self {
        Self(Arc::new(Shared {
            running: Mutex::default(),
            readers: Arc::new(Semaphore::new(READERS)),
        }))
    }

    /// Takes the MD5 of an upload's bytes before `position`, if it is known.
    pub(super) fn running(&self, key: (AccountId, u64), position: u64) -> Option<Running> {
        let kept = self.0.running.lock().remove(&key);
        match kept {
            Some(running) if running.bytes == position => Some(running),
            Some(_) | None if position == 0 => Some(Running::new()),
            Some(_) | None => None,
        }
    }

    /// Keeps it for the next piece.
    pub(super) async fn keep(&self, key: (AccountId, u64), mut running: Running) -> Result<()> {
        running.hash().await?;
        let mut kept = self.0.running.lock();
        if kept.len() < RUNNING_MAX {
            kept.insert(key, running);
        }
        Ok(())
    }

    /// Reads a content for its MD5.
    pub(super) async fn of_content(&self, mut reader: ContentReader) -> Result<[u8; 16]> {
        let mut running = Running::new();
        while let Some(bytes) = reader.next().await? {
            running.push(bytes).await?;
        }
        running.finish().await
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit> {
        let readers = Arc::clone(&self.0.readers);
        let permit = readers.acquire_owned().await;
        permit.map_err(|_| Error::internal("the readers of MD5s are closed"))
    }
}

impl Running {
    fn new() -> Self {
        Self {
            bytes: 0,
            pending: Vec::new(),
            pending_bytes: 0,
            hasher: Some(Md5::new()),
            hashing: JoinSet::new(),
        }
    }

    /// Takes the next bytes. Of no further use after an error or a dropped future.
    pub(super) async fn push(&mut self, bytes: Bytes) -> Result<()> {
        self.bytes += bytes.len() as u64;
        self.pending_bytes += bytes.len();
        self.pending.push(bytes);
        if self.pending_bytes >= HASH_BYTES {
            self.hash().await?;
        }
        Ok(())
    }

    pub(super) async fn finish(mut self) -> Result<[u8; 16]> {
        self.hash().await?;
        let hasher = self.hasher().await?;
        Ok(hasher.finalize().into())
    }

    /// Begins to hash what is pending.
    async fn hash(&mut self) -> Result<()> {
        let mut hasher = self.hasher().await?;
        let pending = std::mem::take(&mut self.pending);
        self.pending_bytes = 0;
        self.hashing.spawn_blocking(move || {
            for bytes in pending {
                hasher.update(&bytes);
            }
            hasher
        });
        Ok(())
    }

    async fn hasher(&mut self) -> Result<Md5> {
        if let Some(hasher) = self.hasher.take() {
            return Ok(hasher);
        }
        let hashed = self.hashing.join_next().await;
        let hashed = hashed.ok_or_else(|| Error::internal("an MD5 lost its state"))?;
        hashed.map_err(|error| Error::internal(format!("hashing broke off: {error}")))
    }
}

impl Transfers {
    /// The MD5s that are known of the files of a drive.
    ///
    /// # Errors
    /// `NotFound`: no such room for the caller.
    pub async fn md5s(&self, by: &Caller, room: RoomRef) -> Result<HashMap<NodeId, [u8; 16]>> {
        let (by, room) = (*by, room.id(by)?);
        let read = move |tx: &mut Tx<'_>| -> Result<HashMap<NodeId, [u8; 16]>> {
            enter(tx, &by, room, Right::Read)?;
            let known = tx.all(
                "SELECT n.id, m.md5 FROM node n JOIN content_md5 m ON m.content = n.content WHERE n.room_id = ?1",
                &[room.into()],
                |row| Ok((row.id(0)?, row.id(1)?)),
            )?;
            Ok(known.into_iter().collect())
        };
        self.ground.db.read(read).await
    }

    /// A file of a drive whose content has this MD5, among those whose MD5 is known.
    ///
    /// # Errors
    /// `NotFound`: no such room for the caller.
    pub async fn find_by_md5(
        &self,
        by: &Caller,
        room: RoomRef,
        md5: [u8; 16],
    ) -> Result<Option<NodeId>> {
        let (by, room) = (*by, room.id(by)?);
        let read = move |tx: &mut Tx<'_>| -> Result<Option<NodeId>> {
            enter(tx, &by, room, Right::Read)?;
            let contents = tx.all(
                "SELECT content FROM content_md5 WHERE md5 = ?1",
                &[(&md5).into()],
                |row| row.id::<ContentHash>(0),
            )?;
            for content in contents {
                let found = tx.opt(
                    "SELECT id FROM node WHERE room_id = ?1 AND content = ?2 AND kind = 1 AND trashed_ms IS NULL LIMIT 1",
                    &[room.into(), (&content).into()],
                    |row| row.id(0),
                )?;
                if found.is_some() {
                    return Ok(found);
                }
            }
            Ok(None)
        };
        self.ground.db.read(read).await
    }

    /// Makes the MD5s of files of a drive that are not known, and keeps them. Files that are gone meanwhile, or damaged,
    /// are passed over. Only a few such calls read at the same time; the others wait.
    ///
    /// # Errors
    /// The database cannot be read or written.
    pub async fn make_md5s(&self, by: &Caller, room: RoomRef, nodes: Vec<NodeId>) -> Result<()> {
        let _permit = self.md5s.permit().await?;
        let mut made = Vec::new();
        for (node, hash) in self.without_md5(by, room, nodes).await? {
            // Whoever changed the file meanwhile has its new content asked for the next time.
            let content = self.content(by, room, At::Id(node), None).await;
            let Some(content) = content.ok().filter(|content| content.hash == hash) else {
                continue;
            };
            match self.md5s.of_content(content.read(0..content.bytes)).await {
                Ok(md5) => made.push((hash, md5)),
                Err(error) => tracing::warn!(%node, %error, "cannot make the MD5 of a file"),
            }
            if made.len() == NOTE_COUNT || content.bytes > NOTE_BYTES {
                self.note_md5s(std::mem::take(&mut made)).await?;
            }
        }
        self.note_md5s(made).await
    }

    /// Those of `nodes` whose content has no MD5 yet: one for each content.
    async fn without_md5(
        &self,
        by: &Caller,
        room: RoomRef,
        nodes: Vec<NodeId>,
    ) -> Result<Vec<(NodeId, ContentHash)>> {
        let (by, room) = (*by, room.id(by)?);
        let wanted: HashSet<NodeId> = nodes.into_iter().collect();
        let read = move |tx: &mut Tx<'_>| -> Result<Vec<(NodeId, ContentHash)>> {
            enter(tx, &by, room, Right::Read)?;
            let rows = tx.all(
                "SELECT n.id, n.content FROM node n LEFT JOIN content_md5 m ON m.content = n.content \
                 WHERE n.room_id = ?1 AND n.kind = 1 AND m.md5 IS NULL",
                &[room.into()],
                |row| Ok((row.id::<NodeId>(0)?, row.id::<ContentHash>(1)?)),
            )?;
            let mut seen = HashSet::new();
            let mut rows = rows;
            rows.retain(|(node, content)| wanted.contains(node) && seen.insert(*content));
            Ok(rows)
        };
        self.ground.db.read(read).await
    }

    async fn note_md5s(&self, made: Vec<(ContentHash, [u8; 16])>) -> Result<()> {
        if made.is_empty() {
            return Ok(());
        }
        let keep = move |tx: &mut Tx<'_>| -> Result<()> {
            for (content, md5) in &made {
                note(tx, content, md5)?;
            }
            Ok(())
        };
        self.ground.db.write(Lock::None, keep).await
    }
}

/// Keeps the MD5 of a content.
pub(super) fn note(tx: &mut Tx<'_>, content: &ContentHash, md5: &[u8; 16]) -> sql::Result<u64> {
    tx.exec(
        "INSERT INTO content_md5 (content, md5) VALUES (?1, ?2) ON CONFLICT (content) DO NOTHING",
        &[content.into(), md5.into()],
    )
}
