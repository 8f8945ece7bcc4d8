//! A file on its way in as plain bytes, cut by the server.

use bytes::{Bytes, BytesMut};
use tokio::task::JoinSet;
use wharf_types::api::drive::{At, Commit, Committed, Expect, Op, OpResult};
use wharf_types::limit::{CHUNK_BYTES_MAX, FILE_BYTES_MAX};
use wharf_types::{AccountId, ChunkHash, CommitId, ErrorCode};
use wharf_wire::cut::chunk_bytes;
use wharf_wire::frame::Frame;
use wharf_wire::manifest::{Manifest, ManifestChunk, to_base64};

use crate::Ground;
use crate::caller::Caller;
use crate::drive::{Drives, RoomRef};
use crate::error::{Error, Result};

/// Bytes that are gathered before they are cut. At least the greatest chunk, so that every cut but the file's last is in
/// its right place.
pub(super) const GATHER_BYTES: usize = 2 * CHUNK_BYTES_MAX;

/// What [`Transfers::open_upload`](super::Transfers::open_upload) puts, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    /// From the root of the drive; folders on the way are made.
    pub path: String,
    /// What is expected there; compared when the upload is committed.
    pub expect: Expect,
    /// The author's time of modification, in nanoseconds since the epoch.
    pub mtime_ns: Option<i64>,
    /// Whether it is a program.
    pub executable: bool,
}

/// An upload under way whose bytes the server cuts.
///
/// Chunks become durable as they fill up; the file is there only after [`Upload::commit`]. Dropping an upload leaves
/// chunks that nothing names, which compaction removes after its grace period, and which make the next attempt cheaper
/// for a client that can ask what is missing. At most three times [`GATHER_BYTES`] are in memory.
pub struct Upload {
    ground: Ground,
    drives: Drives,
    by: Caller,
    account: AccountId,
    room: RoomRef,
    put: Put,
    tags: Vec<String>,
    /// The commit's id, for an upload that may be committed again after a crash; one of its own where it is missing.
    commit: Option<CommitId>,
    manifest: Manifest,
    bytes: u64,
    /// Above this the commit would be over quota, so the upload stops early.
    bytes_max: u64,
    gathered: BytesMut,
    /// The chunks that the store is taking while more bytes come: one task at most.
    storing: JoinSet<Result<()>>,
}

impl Upload {
    pub(super) async fn open(
        ground: Ground,
        drives: Drives,
        by: &Caller,
        room: RoomRef,
        put: Put,
    ) -> Result<Self> {
        let bytes_max = drives.room_for_put(by, room, &put.path).await?;
        Ok(Self {
            ground,
            drives,
            account: by.account()?,
            by: *by,
            room,
            put,
            tags: Vec::new(),
            commit: None,
            manifest: Manifest::default(),
            bytes: 0,
            bytes_max,
            gathered: BytesMut::new(),
            storing: JoinSet::new(),
        })
    }

    /// Tags the file, and commits it under an id that is known beforehand.
    pub(super) fn tagged_as(mut self, tags: Vec<String>, commit: CommitId) -> Self {
        self.tags = tags;
        self.commit = Some(commit);
        self
    }

    /// Takes the next bytes of the file. Waits for the store when several MiB are on their way there.
    ///
    /// After an error or a dropped future the upload is of no further use.
    ///
    /// # Errors
    /// - `TooLarge`: more than [`FILE_BYTES_MAX`].
    /// - `OverQuota`: more than the owner's quota has left.
    pub async fn push(&mut self, mut bytes: Bytes) -> Result<()> {
        self.bytes += bytes.len() as u64;
        if self.bytes > FILE_BYTES_MAX {
            return Err(Error::new(
                ErrorCode::TooLarge,
                format!("a file has at most {FILE_BYTES_MAX} bytes"),
            ));
        }
        if self.bytes > self.bytes_max {
            return Err(Error::new(
                ErrorCode::OverQuota,
                format!(
                    "the quota has {} bytes left, and this is more",
                    self.bytes_max
                ),
            ));
        }
        while !bytes.is_empty() {
            let room = GATHER_BYTES - self.gathered.len();
            self.gathered
                .extend_from_slice(&bytes.split_to(room.min(bytes.len())));
            if self.gathered.len() == GATHER_BYTES {
                self.cut(CHUNK_BYTES_MAX).await?;
            }
        }
        Ok(())
    }

    /// Ends the file and puts it in its place.
    ///
    /// # Errors
    /// As [`Drives::commit`].
    pub async fn commit(self) -> Result<OpResult> {
        let committed = self.finish().await?;
        committed
            .results
            .into_iter()
            .next()
            .ok_or_else(|| Error::internal("a commit of one operation has no result"))
    }

    /// As [`Self::commit`], for a commit whose id may have been applied before.
    pub(super) async fn finish(mut self) -> Result<Committed> {
        self.cut(1).await?;
        self.stored().await?;
        self.manifest
            .check()
            .map_err(|error| Error::new(ErrorCode::TooLarge, error.to_string()))?;
        let tag = (!self.tags.is_empty()).then(|| Op::Tag {
            at: At::Path(self.put.path.clone()),
            add: self.tags,
            remove: Vec::new(),
        });
        let put = Op::Put {
            path: self.put.path,
            manifest: to_base64(&self.manifest.pack()),
            mtime_ns: self.put.mtime_ns,
            executable: self.put.executable,
            link: false,
            expect: self.put.expect,
        };
        let now_ms = self.ground.clock.now_ms();
        let fresh = || self.ground.random.id(CommitId::new, now_ms);
        let commit = Commit {
            id: self.commit.unwrap_or_else(fresh),
            ops: std::iter::once(put).chain(tag).collect(),
        };
        self.drives.commit(&self.by, self.room, commit).await
    }

    /// Cuts what was gathered while at least `rest_bytes_min` are there, and hands the chunks to the store.
    async fn cut(&mut self, rest_bytes_min: usize) -> Result<()> {
        let gathered = std::mem::take(&mut self.gathered);
        let (rest, frames) =
            tokio::task::spawn_blocking(move || seal_chunks(gathered, rest_bytes_min))
                .await
                .map_err(|error| Error::internal(format!("cutting broke off: {error}")))?;
        self.gathered = rest;
        self.manifest
            .chunks
            .extend(frames.iter().map(|frame| ManifestChunk {
                hash: frame.header.hash,
                bytes: frame.header.bytes,
            }));
        self.stored().await?;
        if frames.is_empty() {
            return Ok(());
        }
        let (chunks, account) = (self.ground.chunks.clone(), self.account);
        let now_ms = self.ground.clock.now_ms();
        self.storing.spawn(async move {
            let put = chunks.put(account, frames, now_ms).await?;
            if put.mismatched.is_empty() {
                Ok(())
            } else {
                Err(Error::internal(
                    "chunks that were cut here do not match their hashes",
                ))
            }
        });
        Ok(())
    }

    /// Waits until what was handed to the store is durable.
    async fn stored(&mut self) -> Result<()> {
        while let Some(stored) = self.storing.join_next().await {
            stored.map_err(|error| Error::internal(format!("storing broke off: {error}")))??;
        }
        Ok(())
    }
}

/// Cuts chunks off `gathered` while it has `rest_bytes_min` bytes, and returns what is left.
pub(super) fn seal_chunks(mut gathered: BytesMut, rest_bytes_min: usize) -> (BytesMut, Vec<Frame>) {
    let mut frames = Vec::new();
    while gathered.len() >= rest_bytes_min {
        let length = chunk_bytes(&gathered);
        let chunk = gathered.split_to(length).freeze();
        frames.push(Frame::seal(ChunkHash::of(&chunk), chunk));
    }
    (gathered, frames)
}
