//! From puts to segments: what queued up while the last segment was written goes into the next one.
//!
//! A put hands its verified frames over and waits. A worker takes what is queued, up to a segment's worth, writes it as one
//! object, then its rows in one transaction, and only then answers the puts. With nothing under way a put starts a worker
//! at once, so one caller alone never waits for company; small puts share one worker, so that they share its fsyncs; further
//! workers start only when whole segments are waiting.
//!
//! Crash: before the transaction commits there is at most an object that no row names, which
//! [`sweep`](super::sweep) removes; afterwards everything is there.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::Instant;
use wharf_types::{ChunkHash, SegmentId};
use wharf_wire::frame::{FRAME_HEADER_BYTES, Frame};
use wharf_wire::segment::IndexEntry;

use super::segment::Written;
use super::{Error, Result, Scope, Shared, bulk, rows};
use crate::sql::{self, Lock, Tx};

/// A worker takes no further put once it has this much.
const SEGMENT_BYTES_TARGET: u64 = 32 * 1024 * 1024;
/// Segments written at once: while one is synced, the next is put together.
const WORKERS_MAX: usize = 3;
/// Times that chunks are written again because they were deleted in between; once is rare.
const ROUNDS_MAX: usize = 8;

/// Puts that wait for a segment.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    batches: VecDeque<Batch>,
    bytes: u64,
    worker_count: usize,
    workers: JoinSet<()>,
}

/// The verified frames of one put.
struct Batch {
    scope: Scope,
    frames: Vec<Frame>,
    bytes: u64,
    now_ms: i64,
    done: oneshot::Sender<Result<()>>,
}

/// One chunk of a segment in the making, and all who put it.
struct Item {
    frame: Frame,
    scopes: Vec<Scope>,
}

/// What one transaction has to write.
struct Rows {
    segments: Vec<(SegmentId, u64, usize)>,
    /// Before the first of the segments could be seen as an object.
    started: Option<Instant>,
    started_limit: Duration,
    /// In the order of their hashes.
    chunks: Vec<ChunkRow>,
    now_ms: i64,
}

struct ChunkRow {
    hash: ChunkHash,
    scopes: Vec<Scope>,
    /// Where it was written, unless the index had it already.
    written: Option<(SegmentId, IndexEntry)>,
    /// Whether the copy that the index has is known to be bad.
    is_replacement: bool,
}

impl Shared {
    /// Stores frames that were verified, together with what others put meanwhile.
    pub(super) async fn seal(
        self: &Arc<Self>,
        scope: Scope,
        frames: Vec<Frame>,
        now_ms: i64,
    ) -> Result<()> {
        let bytes = frames.iter().map(framed_bytes).sum();
        let (done, answer) = oneshot::channel();
        self.queue_batch(Batch {
            scope,
            frames,
            bytes,
            now_ms,
            done,
        });
        answer.await.map_err(|_| Error::Stopping)?
    }

    fn queue_batch(self: &Arc<Self>, batch: Batch) {
        let mut state = self.queue.state.lock();
        state.bytes += batch.bytes;
        state.batches.push_back(batch);
        let has_whole_segment = state.bytes >= SEGMENT_BYTES_TARGET;
        if state.worker_count == 0 || (has_whole_segment && state.worker_count < WORKERS_MAX) {
            state.worker_count += 1;
            while state.workers.try_join_next().is_some() {}
            let worker = Worker {
                shared: Arc::clone(self),
            };
            state.workers.spawn(worker.run_task());
        }
    }

    /// Makes the chunks of some puts durable.
    async fn store(&self, batches: &[Batch]) -> Result<()> {
        let now_ms = batches.iter().map(|batch| batch.now_ms).max().unwrap_or(0);
        let items = gather(batches);
        let hashes: Vec<ChunkHash> = items.iter().map(|item| item.frame.header.hash).collect();
        let damaged = self.damaged_of(&hashes);
        let mut fresh = self.absent(hashes, &items, &damaged).await?;
        let mut rest: Vec<usize> = (0..items.len()).collect();
        for _ in 0..ROUNDS_MAX {
            let frames: Vec<&Frame> = fresh.iter().map(|&index| &items[index].frame).collect();
            let written = if frames.is_empty() {
                Vec::new()
            } else {
                self.write_segments(&frames, now_ms).await?
            };
            let rows = self.rows(&items, &rest, &written, &damaged, now_ms);
            let vanished = self.write_rows(rows, &written).await?;
            if vanished.is_empty() {
                self.forget_damage(&damaged);
                return Ok(());
            }
            rest = (0..items.len())
                .filter(|&index| vanished.contains(&items[index].frame.header.hash))
                .collect();
            fresh.clone_from(&rest);
        }
        Err(sql::Error::Retry.into())
    }

    /// The indexes of the items that have to be written.
    async fn absent(
        &self,
        mut hashes: Vec<ChunkHash>,
        items: &[Item],
        damaged: &HashSet<ChunkHash>,
    ) -> Result<Vec<usize>> {
        hashes.sort_unstable();
        let present: HashSet<ChunkHash> = self
            .db
            .read(move |tx| {
                let mut present = HashSet::new();
                rows::find(tx, &hashes, |chunk| {
                    present.insert(chunk.entry.hash);
                })?;
                Ok::<_, sql::Error>(present)
            })
            .await?;
        let is_absent = |index: &usize| {
            let hash = &items[*index].frame.header.hash;
            !present.contains(hash) || damaged.contains(hash)
        };
        Ok((0..items.len()).filter(is_absent).collect())
    }

    fn rows(
        &self,
        items: &[Item],
        which: &[usize],
        written: &[Written],
        damaged: &HashSet<ChunkHash>,
        now_ms: i64,
    ) -> Rows {
        let mut places: HashMap<ChunkHash, (SegmentId, IndexEntry)> = HashMap::new();
        for segment in written {
            places.extend(
                segment
                    .entries
                    .iter()
                    .map(|entry| (entry.hash, (segment.id, *entry))),
            );
        }
        let mut chunks: Vec<ChunkRow> = which
            .iter()
            .map(|&index| {
                let hash = items[index].frame.header.hash;
                ChunkRow {
                    hash,
                    scopes: items[index].scopes.clone(),
                    written: places.get(&hash).copied(),
                    is_replacement: damaged.contains(&hash),
                }
            })
            .collect();
        chunks.sort_unstable_by_key(|chunk| chunk.hash);
        Rows {
            segments: written
                .iter()
                .map(|segment| (segment.id, segment.bytes, segment.entries.len()))
                .collect(),
            started: written.iter().map(|segment| segment.started).min(),
            started_limit: self.put_limit(),
            chunks,
            now_ms,
        }
    }

    /// Writes rows in one transaction and returns the chunks that were deleted before it.
    async fn write_rows(&self, rows: Rows, written: &[Written]) -> Result<HashSet<ChunkHash>> {
        let done = self.db.write(Lock::None, move |tx| rows.write(tx)).await;
        if let Err(Error::Sql(sql::Error::Full | sql::Error::Retry | sql::Error::Unavailable(_))) =
            &done
        {
            self.discard(written).await;
        }
        done
    }

    /// For how long an object may be without its row and still get one. Half the grace period: see
    /// [the argument](super#why-nothing-that-is-needed-is-ever-deleted).
    pub(super) fn put_limit(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.options.grace_ms / 2).unwrap_or(0))
    }

    fn forget_damage(&self, mended: &HashSet<ChunkHash>) {
        if !mended.is_empty() {
            self.damaged.lock().retain(|hash| !mended.contains(hash));
        }
    }
}

/// A worker's share of the count, given back however it ends.
struct Worker {
    shared: Arc<Shared>,
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.shared.queue.state.lock().worker_count -= 1;
    }
}

impl Worker {
    /// Writes segments until nothing is queued.
    async fn run_task(self) {
        loop {
            let batches = self.shared.queue.state.lock().take();
            if batches.is_empty() {
                break;
            }
            let done = self.shared.store(&batches).await;
            for batch in batches {
                // A put whose future was dropped does not ask any more.
                drop(batch.done.send(done.clone()));
            }
        }
    }
}

impl State {
    /// Takes as many puts as make a segment, one at least.
    fn take(&mut self) -> Vec<Batch> {
        let mut bytes = 0;
        let mut taken = Vec::new();
        while let Some(batch) = self.batches.front() {
            if !taken.is_empty() && bytes + batch.bytes > SEGMENT_BYTES_TARGET {
                break;
            }
            bytes += batch.bytes;
            taken.extend(self.batches.pop_front());
        }
        self.bytes -= bytes;
        taken
    }
}

impl Rows {
    /// Writes everything and returns the chunks that the index had when it was asked and has no more.
    fn write(&self, tx: &mut Tx<'_>) -> Result<HashSet<ChunkHash>> {
        for &(id, bytes, chunk_count) in &self.segments {
            rows::insert_segment(tx, id, bytes, chunk_count)?;
        }
        // Now that the segment's row is locked, nobody can delete the object; that nobody has done it already follows
        // from the time.
        if self
            .started
            .is_some_and(|started| started.elapsed() > self.started_limit)
        {
            return Err(Error::Fault("writing a segment took too long".into()));
        }
        let added = self.insert_many(tx)?;
        let mut vanished = HashSet::new();
        for chunk in &self.chunks {
            if !chunk.write(tx, added.contains(&chunk.hash), self.now_ms)? {
                vanished.insert(chunk.hash);
            }
        }
        Ok(vanished)
    }

    /// Adds chunks that lie together in their order, and were written to one segment for one account, many at a time, and
    /// returns them. That is nearly all of a large put; small puts of many accounts are added one by one.
    fn insert_many(&self, tx: &mut Tx<'_>) -> Result<HashSet<ChunkHash>> {
        let mut added = HashSet::new();
        let key = |chunk: &ChunkRow| Some((chunk.written?.0, *chunk.scopes.first()?));
        for alike in self.chunks.chunk_by(|a, b| key(a) == key(b)) {
            let Some((segment, scope)) = alike.first().and_then(key) else {
                continue;
            };
            let entries: Vec<IndexEntry> = alike
                .iter()
                .filter_map(|chunk| Some(chunk.written?.1))
                .collect();
            for entries in entries
                .chunks(bulk::MANY)
                .filter(|entries| entries.len() >= bulk::MANY_MIN)
            {
                added.extend(bulk::insert(tx, segment, entries, scope, self.now_ms)?);
            }
        }
        Ok(added)
    }
}

impl ChunkRow {
    /// Returns whether the chunk is in the index now. It may have been added already.
    fn write(&self, tx: &mut Tx<'_>, is_added: bool, now_ms: i64) -> sql::Result<bool> {
        let mut owner = self.scopes.first().copied().unwrap_or(Scope::NOBODY);
        let is_new = is_added
            || match &self.written {
                Some((segment, entry)) => rows::insert(tx, *segment, entry, owner, now_ms)?,
                None => false,
            };
        if !is_new {
            if let (Some((segment, entry)), true) = (&self.written, self.is_replacement) {
                rows::repoint(tx, None, *segment, entry)?;
            }
            match rows::touch(tx, &self.hash, now_ms)? {
                Some(scope) => owner = scope,
                None => return Ok(false),
            }
        }
        for &scope in self.scopes.iter().filter(|scope| **scope != owner) {
            rows::insert_reach(tx, scope, &self.hash)?;
        }
        Ok(true)
    }
}

/// The distinct chunks of some puts, in the order they came, which is how they will be read.
fn gather(batches: &[Batch]) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let mut indexes: HashMap<ChunkHash, usize> = HashMap::new();
    for batch in batches {
        for frame in &batch.frames {
            let index = *indexes.entry(frame.header.hash).or_insert_with(|| {
                items.push(Item {
                    frame: frame.clone(),
                    scopes: Vec::new(),
                });
                items.len() - 1
            });
            if !items[index].scopes.contains(&batch.scope) {
                items[index].scopes.push(batch.scope);
            }
        }
    }
    items
}

fn framed_bytes(frame: &Frame) -> u64 {
    (FRAME_HEADER_BYTES + frame.stored.len()) as u64
}
