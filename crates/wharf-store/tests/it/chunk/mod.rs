//! The chunk store: what it promises, on both engines, when everything goes wrong that can.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use wharf_store::blob::{Blob, MemoryBlob};
use wharf_store::chunk::{self, ChunkStore, Options, ReadError, Scope};
use wharf_store::sql::{self, Db, Lock, Tx};
use wharf_testkit::blob::FaultyBlob;
use wharf_testkit::db::TestDb;
use wharf_types::{AccountId, ChunkHash};
use wharf_wire::frame::Frame;

mod crash;
mod maintain;
mod model;
mod put;
mod read;
mod rebuild;
mod verify;

/// The time at which tests begin, long after the epoch so that there is a past.
const NOW: i64 = 1_700_000_000_000;
const HOUR: i64 = 3_600_000;
const GRACE: i64 = 48 * HOUR;

/// A chunk store over a memory that fails on demand.
struct Ground {
    db: TestDb,
    blob: Arc<FaultyBlob>,
    store: ChunkStore,
}

impl Ground {
    fn new(db: TestDb) -> Self {
        let blob = Arc::new(FaultyBlob::new(Arc::new(MemoryBlob::default())));
        let store = store(&db, Arc::<FaultyBlob>::clone(&blob), GRACE);
        Self { db, blob, store }
    }

    /// The same data under a new process.
    fn restarted(self) -> Self {
        let store = store(&self.db, Arc::<FaultyBlob>::clone(&self.blob), GRACE);
        Self { store, ..self }
    }

    /// The keys of all objects.
    async fn keys(&self) -> Vec<String> {
        let page = self.blob.list("", None, 10_000).await.unwrap();
        page.into_iter().map(|info| info.key).collect()
    }
}

impl Deref for Ground {
    type Target = ChunkStore;

    fn deref(&self) -> &ChunkStore {
        &self.store
    }
}

fn store(db: &Db, blob: Arc<dyn Blob>, grace_ms: i64) -> ChunkStore {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let random = || {
        let mut bytes = [0; 10];
        bytes[2..].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        bytes
    };
    ChunkStore::new(
        db.clone(),
        blob,
        Options {
            grace_ms,
            random: Arc::new(random),
        },
    )
}

fn account(number: u8) -> AccountId {
    AccountId::from_bytes([number; 16])
}

fn scope(number: u8) -> Scope {
    account(number).into()
}

/// Bytes that nothing shrinks, the same for the same seed.
fn noise(seed: u64, bytes: usize) -> Bytes {
    let mut noise = vec![0; bytes];
    blake3::Hasher::new()
        .update(&seed.to_le_bytes())
        .finalize_xof()
        .fill(&mut noise);
    noise.into()
}

fn frame_of(content: Bytes) -> Frame {
    Frame::seal(ChunkHash::of(&content), content)
}

fn frame(seed: u64, bytes: usize) -> Frame {
    frame_of(noise(seed, bytes))
}

fn frames(seeds: impl IntoIterator<Item = u64>, bytes: usize) -> Vec<Frame> {
    seeds.into_iter().map(|seed| frame(seed, bytes)).collect()
}

fn hashes(frames: &[Frame]) -> Vec<ChunkHash> {
    frames.iter().map(|frame| frame.header.hash).collect()
}

/// The same frame with other bytes.
fn spoiled(frame: &Frame) -> Frame {
    let mut stored = frame.stored.to_vec();
    stored[0] ^= 1;
    Frame {
        header: frame.header,
        stored: stored.into(),
    }
}

/// Asserts that all of `frames` are served as they were put.
async fn assert_served(store: &ChunkStore, frames: &[Frame]) {
    let read = store.read(&hashes(frames)).await.unwrap();
    for (want, got) in frames.iter().zip(read) {
        assert_eq!(got.as_ref(), Ok(want));
    }
}

async fn read_one(store: &ChunkStore, frame: &Frame) -> Result<Frame, ReadError> {
    store.read(&[frame.header.hash]).await.unwrap().remove(0)
}

async fn write<T: Send + 'static>(
    db: &Db,
    work: impl FnMut(&mut Tx<'_>) -> sql::Result<T> + Send + 'static,
) -> T {
    db.write(Lock::None, work).await.unwrap()
}

/// Mentions chunks as a commit of `who` does, and returns the indexes of those that are missing.
async fn mention(db: &Db, who: u8, frames: &[Frame]) -> Vec<usize> {
    let chunks: Vec<_> = frames
        .iter()
        .map(|frame| (frame.header.hash, frame.header.bytes))
        .collect();
    write(db, move |tx| chunk::reference(tx, &[scope(who)], &chunks)).await
}

async fn release(db: &Db, frames: &[Frame], now_ms: i64) {
    let hashes = hashes(frames);
    write(db, move |tx| chunk::release(tx, &hashes, now_ms)).await;
}

/// Forgets all chunks and segments, as a database that was lost.
async fn forget(db: &Db) {
    write(db, |tx| {
        tx.exec("DELETE FROM chunk", &[])?;
        tx.exec("DELETE FROM reach", &[])?;
        tx.exec("DELETE FROM segment", &[])
    })
    .await;
}

async fn count(db: &Db, sql: &'static str) -> i64 {
    db.read(move |tx| tx.one(sql, &[], |row| row.int(0)))
        .await
        .unwrap()
}

async fn mentions(db: &Db, frame: &Frame) -> Option<i64> {
    let hash = frame.header.hash;
    let sql = "SELECT ref_count FROM chunk WHERE hash = ?1";
    let work = move |tx: &mut Tx<'_>| tx.opt(sql, &[(&hash).into()], |row| row.int(0));
    db.read(work).await.unwrap()
}

/// Compacts and sweeps everything there is to, and returns how many chunks were dropped.
async fn maintain(store: &ChunkStore, now_ms: i64) -> u64 {
    let mut dropped = 0;
    for unit in store.plan_compaction(now_ms).await.unwrap().units {
        dropped += store.compact(&unit, now_ms).await.unwrap().chunks_dropped;
    }
    let plan = store.plan_sweep(now_ms).await.unwrap();
    store.adopt(&plan, now_ms).await.unwrap();
    for id in plan.expired {
        store.sweep(id, now_ms).await.unwrap();
    }
    dropped
}
