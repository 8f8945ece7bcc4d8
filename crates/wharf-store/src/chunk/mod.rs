//! The chunk store: content-addressed chunks, resting in segments of the object store, indexed in the database.
//!
//! A chunk is put before anything refers to it: [`ChunkStore::put`] verifies it, writes it as part of a segment, then its
//! row, and only then acknowledges it. A commit of the house counts its mentions with [`reference()`], inside its own
//! transaction; letting go of a manifest takes them back with [`release`]. What nobody mentions is dropped by compaction
//! when its grace period is over.
//!
//! # Why nothing that is needed is ever deleted
//!
//! Put, commits and maintenance run at the same time, on PostgreSQL in several processes. Three things can be deleted:
//! the row of a chunk, the row of a segment, and an object.
//!
//! **A chunk's row** goes by one statement, which names the conditions: no mentions, not touched since the cutoff, still in
//! the segment that is being compacted. A commit counts its mention by one statement as well, which finds the row or
//! does not. On SQLite transactions run one after another, so one of the two comes first. On PostgreSQL both lock the row,
//! and whichever waited looks at its conditions again on the row as it is after the other has committed; that is what READ
//! COMMITTED means, and why writes here must not run under a stricter level. So either the commit comes first, and the row
//! stays, or the deletion does, and the commit learns that the chunk is missing, before it has committed anything. The
//! client then sends the chunk again. It will hardly ever have to: a put touches the row in the transaction that is
//! acknowledged, and [`ChunkStore::missing`] asks for a chunk again when half of its grace period is over.
//!
//! A put that finds a chunk present relies on the row as well. It touches it by one statement, in its last transaction; if
//! the row has gone in between, that statement finds nothing, and the put writes the chunk after all.
//!
//! **A segment's row** goes when it has been retired for a grace period. It is retired when no row of a chunk points at it.
//! That cannot change afterwards: rows come to point at a segment only in the transaction that inserts its own row, when
//! put or compaction made it, and later they only move away or go. ([`rebuild`] is the exception, and says so.)
//! Compaction moves a row by one statement that names the segment it leaves, so of two compactions one moves it.
//!
//! **An object** goes after its segment's row, and in no other way. An object that never had a row may belong to a put that
//! is under way. It is adopted as a retired segment first. If the put's transaction comes while that row is there, it
//! inserts over it, which takes it back, and from then until it has committed it holds the row's lock, so that the
//! statement that deletes retired rows waits, and then finds it retired no more. If it comes after the row and the object
//! are gone, a grace period has passed since the object could be seen; but the transaction measures, after it has taken the
//! row's lock, the time since before it wrote the object, and gives up when half a grace period is over. The half leaves
//! room for clocks that run differently.
//!
//! **A reader** looks up a place and then reads it, without a lock. A segment that goes in between was retired for a grace
//! period, so this takes a reader that slept for as long; it looks the place up once more, all the same.
//!
//! **A database restored from a backup** names segments that were in use when it was made. Those that have been retired
//! since are kept for a grace period, so a backup younger than that finds everything. Segments made since are orphans to it,
//! which are kept for a grace period from the time they are found, for [`rebuild`] to take in.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;
use wharf_types::{AccountId, ChunkHash, RoomId};
use wharf_wire::frame::Frame;

use crate::blob::{self, Blob};
use crate::sql::{self, Db};

mod bulk;
mod check;
mod compact;
mod read;
pub mod rebuild;
mod recount;
mod refs;
mod rows;
mod seal;
mod segment;
pub mod sweep;
mod totals;
mod verify;
mod walk;

pub use compact::{Compacted, CompactionPlan, CompactionUnit, PlannedSegment};
pub use rebuild::{PlannedRebuild, RebuildPlan};
pub use recount::{Drift, RecountPlan};
pub use refs::{grant, reference, release};
pub use segment::key as segment_key;
pub use sweep::{SweepPlan, Swept};
pub use totals::{Totals, totals};
pub use verify::{Finding, PlannedVerify, Verified, VerifyPlan};

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
    /// Something that should not be possible, or that took too long. Nothing was acknowledged.
    #[error("chunk store: {0}")]
    Fault(Arc<str>),
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
    /// Threads that verify one request's chunks.
    threads: usize,
    queue: seal::Queue,
    /// Chunks in the index that could not be served; the next put of one replaces it.
    damaged: Mutex<HashSet<ChunkHash>>,
    /// Held by whatever moves or deletes. Not needed for safety, but two of a kind would do everything twice.
    maintenance: tokio::sync::Mutex<()>,
}

impl ChunkStore {
    /// Makes the store over its database and its object store.
    pub fn new(db: Db, blob: Arc<dyn Blob>, options: Options) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let shared = Shared {
            db,
            blob,
            options,
            threads,
            queue: seal::Queue::default(),
            damaged: Mutex::default(),
            maintenance: tokio::sync::Mutex::default(),
        };
        Self {
            shared: Arc::new(shared),
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
        let verified = check::verify(frames, self.shared.threads).await?;
        let stored_count = u32::try_from(verified.frames.len()).unwrap_or(u32::MAX);
        if !verified.frames.is_empty() {
            self.shared
                .seal(scope.into(), verified.frames, now_ms)
                .await?;
        }
        Ok(PutOutcome {
            stored_count,
            mismatched: verified.mismatched,
        })
    }

    /// Those of `hashes` that are not there, or that none of `scopes` may know of, in the order given.
    ///
    /// What is not named stays for half the grace period at least, so a commit that follows soon finds it.
    pub async fn missing(
        &self,
        scopes: &[Scope],
        mut hashes: Vec<ChunkHash>,
        now_ms: i64,
    ) -> Result<Vec<ChunkHash>> {
        let expiring_ms = now_ms.saturating_sub(self.shared.options.grace_ms / 2);
        let places = self
            .shared
            .locate_within(scopes.to_vec(), hashes.clone())
            .await?;
        let damaged = self.shared.damaged_of(&hashes);
        hashes.retain(|hash| {
            let stays = places
                .get(hash)
                .is_some_and(|chunk| !chunk.is_dead(expiring_ms));
            !stays || damaged.contains(hash)
        });
        Ok(hashes)
    }

    /// Reads chunks, each verified, in the order asked. The caller has checked that the reader may have them.
    ///
    /// All are in memory at once: ask for a few MiB at a time (manifests say how large chunks are).
    pub async fn read(&self, hashes: &[ChunkHash]) -> Result<Vec<Result<Frame, ReadError>>> {
        self.shared.read(hashes).await
    }

    /// The stored length of each of `hashes` that is within the reach of `scopes`, in the order asked; `None` for the others.
    ///
    /// The lengths let the caller read a few MiB at a time.
    pub async fn within_reach(
        &self,
        scopes: &[Scope],
        hashes: Vec<ChunkHash>,
    ) -> Result<Vec<Option<u32>>> {
        let places = self
            .shared
            .locate_within(scopes.to_vec(), hashes.clone())
            .await?;
        let stored_bytes = |hash| places.get(hash).map(|chunk| chunk.entry.stored_bytes);
        Ok(hashes.iter().map(stored_bytes).collect())
    }
}

impl Shared {
    /// What was last touched before this is over its grace period.
    fn cutoff_ms(&self, now_ms: i64) -> i64 {
        now_ms.saturating_sub(self.options.grace_ms)
    }
}
