//! How fast the chunk store is on this machine's disk: `cargo bench -p wharf-store --bench chunks [-- FOLDER]`.
//!
//! Everything is durable. The database and the object store are in a temporary folder, or in FOLDER.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement prints, reads the clock, and stops at the first surprise"
)]

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::task::JoinSet;
use wharf_store::blob::FolderBlob;
use wharf_store::chunk::{self, ChunkStore, Options, Scope};
use wharf_store::sql::{self, Db, Lock, SqliteOptions};
use wharf_types::{AccountId, ChunkHash};
use wharf_wire::frame::Frame;

const MIB: usize = 1024 * 1024;
const ACCOUNT: AccountId = AccountId::from_bytes([1; 16]);

fn main() {
    let folder = std::env::args()
        .skip(1)
        .find(|arg| !arg.starts_with('-'))
        .map(PathBuf::from);
    let place = tempfile::tempdir_in(folder.unwrap_or_else(std::env::temp_dir)).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let db = Db::open_sqlite(&SqliteOptions::new(place.path().join("wharf.db"))).unwrap();
    let blob = Arc::new(FolderBlob::open(&place.path().join("blob")).unwrap());
    let next = AtomicU64::new(0);
    let random = move || {
        noise(next.fetch_add(1, Ordering::Relaxed), 10)[..]
            .try_into()
            .unwrap()
    };
    let options = Options {
        grace_ms: 86_400_000,
        random: Arc::new(random),
    };
    let store = ChunkStore::new(db.clone(), blob, options);
    runtime.block_on(async {
        one_small_chunk_each(&store).await;
        many_small_files(&store, &db).await;
        one_large_file(&store).await;
    });
    db.close();
}

fn noise(seed: u64, bytes: usize) -> Bytes {
    let mut noise = vec![0; bytes];
    blake3::Hasher::new()
        .update(&seed.to_le_bytes())
        .finalize_xof()
        .fill(&mut noise);
    noise.into()
}

fn frame(seed: u64, bytes: usize) -> Frame {
    let noise = noise(seed, bytes);
    Frame::seal(ChunkHash::of(&noise), noise)
}

async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration, Duration) {
    let (start, cpu) = (Instant::now(), cpu_time());
    let done = work.await;
    (done, start.elapsed(), cpu_time().saturating_sub(cpu))
}

/// What this process has spent on all cores, the kernel's work for it included: much of a write is that.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit(')').next().unwrap();
    let ticks = after_name.split_whitespace().skip(11).take(2);
    Duration::from_millis(
        10 * ticks
            .map(|ticks| ticks.parse::<u64>().unwrap())
            .sum::<u64>(),
    )
}

async fn one_small_chunk_each(store: &ChunkStore) {
    const CLIENTS: u32 = 64;
    const EACH: u32 = 300;
    let work = async {
        let mut clients = JoinSet::new();
        for client in 0..CLIENTS {
            let store = store.clone();
            clients.spawn(async move {
                for number in 0..EACH {
                    let put = vec![frame(u64::from(client) << 32 | u64::from(number), 4096)];
                    store.put(ACCOUNT, put, 0).await.unwrap();
                }
            });
        }
        clients.join_all().await;
    };
    let ((), time, cpu) = timed(work).await;
    let puts_a_second = f64::from(CLIENTS * EACH) / time.as_secs_f64();
    println!("64 clients, a chunk of 4 KiB each: {puts_a_second:.0} puts/s ({cpu:?} CPU)");
}

async fn put_all(store: &ChunkStore, batches: Vec<Vec<Frame>>) {
    let mut puts = JoinSet::new();
    for batch in batches {
        if puts.len() == 3 {
            puts.join_next().await.unwrap().unwrap();
        }
        let store = store.clone();
        puts.spawn(async move { drop(store.put(ACCOUNT, batch, 0).await.unwrap()) });
    }
    puts.join_all().await;
}

async fn read_all(store: &ChunkStore, batches: &[Vec<ChunkHash>]) {
    let mut reads = JoinSet::new();
    for batch in batches {
        if reads.len() == 2 {
            reads.join_next().await.unwrap().unwrap();
        }
        let (store, batch) = (store.clone(), batch.clone());
        reads.spawn(async move {
            assert!(store.read(&batch).await.unwrap().iter().all(Result::is_ok));
        });
    }
    reads.join_all().await;
}

async fn many_small_files(store: &ChunkStore, db: &Db) {
    const FILES: usize = 20_000;
    let sizes = (1..16).map(|kib| kib * 1024).cycle();
    let frames: Vec<Frame> = (1 << 48..)
        .zip(sizes)
        .take(FILES)
        .map(|(seed, bytes)| frame(seed, bytes))
        .collect();
    let hashes: Vec<ChunkHash> = frames.iter().map(|frame| frame.header.hash).collect();
    let scope: Scope = ACCOUNT.into();
    let (missing, time, _) = timed(store.missing(&[scope], hashes.clone(), 0)).await;
    println!(
        "20,000 files: which are missing: {time:?} ({} are)",
        missing.unwrap().len()
    );
    let batches = frames.chunks(1_000).map(<[Frame]>::to_vec).collect();
    let ((), time, cpu) = timed(put_all(store, batches)).await;
    println!("20,000 files of 1-15 KiB, put: {time:?} ({cpu:?} CPU)");
    let chunks: Vec<(ChunkHash, u32)> = frames
        .iter()
        .map(|frame| (frame.header.hash, frame.header.bytes))
        .collect();
    let write = db.write(Lock::None, move |tx| {
        chunk::reference(tx, &[scope], &chunks)
    });
    let (absent, time, _): (sql::Result<Vec<usize>>, _, _) = timed(write).await;
    println!(
        "20,000 mentions: {time:?} ({} absent)",
        absent.unwrap().len()
    );
    let batches: Vec<Vec<ChunkHash>> = hashes.chunks(1_000).map(<[ChunkHash]>::to_vec).collect();
    let ((), time, cpu) = timed(read_all(store, &batches)).await;
    println!("20,000 files, read: {time:?} ({cpu:?} CPU)");
}

async fn one_large_file(store: &ChunkStore) {
    const CHUNKS: u64 = 1024;
    let frames: Vec<Frame> = (0..CHUNKS)
        .map(|seed| frame((2 << 48) + seed, MIB))
        .collect();
    let hashes: Vec<Vec<ChunkHash>> = frames
        .chunks(16)
        .map(|frames| frames.iter().map(|frame| frame.header.hash).collect())
        .collect();
    let batches = frames.chunks(16).map(<[Frame]>::to_vec).collect();
    drop(frames);
    let ((), time, cpu) = timed(put_all(store, batches)).await;
    println!(
        "1 GiB, put: {time:?}, {cpu:?} CPU: {:.2} GB a second of CPU",
        f64::from(1 << 30) / 1e9 / cpu.as_secs_f64()
    );
    let ((), time, cpu) = timed(read_all(store, &hashes)).await;
    println!("1 GiB, read: {time:?}, {cpu:?} CPU");
}
