//! The chunk store: content-addressed chunks, resting in segments of the object store, indexed in the database.

use std::sync::Arc;

use wharf_types::{AccountId, ChunkHash, RoomId, SegmentId};
use wharf_wire::frame::Frame;

use crate::blob::{self, Blob};
use crate::sql::{self, Db, Tx};

mod refs;

pub use refs::{grant, reference, release};

/// The result of everything in this module, unless it says otherwise.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Who may know of a chunk and read it: an account or a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope([u8; 16]);

impl Scope {
    /// The scope of chunks whose uploader is not known; nobody is in it.
    pub const NOBODY: Self = Self([0; 16]);

    /// The 16 bytes as they are stored.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl From<AccountId> for Scope {
    fn from(id: AccountId) -> Self {
        Self(*id.as_bytes())
    }
}

impl From<RoomId> for Scope {
    fn from(id: RoomId) -> Self {
        Self(*id.as_bytes())
    }
}

/// What can go wrong with the store as a whole. One fault of a shared segment answers everybody who shared it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The database.
    #[error(transparent)]
    Sql(#[from] sql::Error),
    /// The object store.
    #[error(transparent)]
    Blob(Arc<blob::Error>),
    /// The program is stopping, or the work on it broke off. Nothing was acknowledged.
    #[error("the chunk store is stopping")]
    Stopping,
}

impl From<blob::Error> for Error {
    fn from(error: blob::Error) -> Self {
        Self::Blob(Arc::new(error))
    }
}

/// Why one chunk cannot be read. Other chunks are not affected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It is not in the index, or the segment it rests in is lost.
    #[error("the chunk is missing")]
    Missing,
    /// What is stored is not the chunk.
    #[error("the stored chunk is damaged")]
    Corrupt,
    /// The disk refused to read it.
    #[error("the chunk cannot be read")]
    Unreadable,
}

/// What became of a put.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PutOutcome {
    /// Chunks of the put that are durable now, whether they were new or not.
    pub stored_count: u32,
    /// Chunks whose bytes do not match their hash. They were not stored.
    pub mismatched: Vec<ChunkHash>,
}

/// How a chunk store behaves.
#[derive(Clone)]
pub struct Options {
    /// For how long an unreferenced chunk is kept after it was last put or released, and a retired segment after it was
    /// retired. Backups of the database that are older than this may name chunks that are gone.
    pub grace_ms: i64,
    /// Ten random bytes for the id of a segment.
    pub random: Arc<dyn Fn() -> [u8; 10] + Send + Sync>,
}

/// The chunk store. Clones share it.
#[derive(Clone)]
pub struct ChunkStore {
    shared: Arc<Shared>,
}

struct Shared {
    db: Db,
    blob: Arc<dyn Blob>,
    options: Options,
}

impl ChunkStore {
    /// Makes the store over its database and its object store.
    pub fn new(db: Db, blob: Arc<dyn Blob>, options: Options) -> Self {
        Self {
            shared: Arc::new(Shared { db, blob, options }),
        }
    }

    /// Stores chunks that `scope` uploaded, and answers when they are durable.
    ///
    /// Each is verified; those that fail are named in the outcome and the rest is stored. Small puts of concurrent callers
    /// share a segment and its fsyncs. Once queued the chunks are stored even if the future is dropped.
    pub async fn put(
        &self,
        scope: AccountId,
        frames: Vec<Frame>,
        now_ms: i64,
    ) -> Result<PutOutcome> {
        todo!()
    }

    /// Those of `hashes` that are not there, or that none of `scopes` may know of, in the order given.
    ///
    /// What is not named stays for half the grace period at least, so a commit that follows soon finds it.
    pub async fn missing(
        &self,
        scopes: &[Scope],
        hashes: Vec<ChunkHash>,
        now_ms: i64,
    ) -> Result<Vec<ChunkHash>> {
        todo!()
    }

    /// Reads chunks, each verified, in the order asked. The caller has checked that the reader may have them.
    ///
    /// All are in memory at once: ask for a few MiB at a time (manifests say how large chunks are).
    pub async fn read(&self, hashes: &[ChunkHash]) -> Result<Vec<Result<Frame, ReadError>>> {
        todo!()
    }

    /// The stored length of each of `hashes` that is within the reach of `scopes`, in the order asked; `None` for the others.
    ///
    /// The lengths let the caller read a few MiB at a time.
    pub async fn within_reach(
        &self,
        scopes: &[Scope],
        hashes: Vec<ChunkHash>,
    ) -> Result<Vec<Option<u32>>> {
        todo!()
    }
}
