//! Reading chunks: where they rest, in few reads in the order of the disk, each verified.

use std::collections::{HashMap, HashSet};

use tokio::task::JoinSet;
use wharf_types::{ChunkHash, SegmentId};
use wharf_wire::frame::Frame;
use wharf_wire::segment::IndexEntry;

use super::rows::{self, Chunk};
use super::segment::key;
use super::{ReadError, Result, Scope, Shared, check};
use crate::blob;
use crate::sql;

/// Chunks with less than this between them are read together: a seek or a request costs more than the bytes.
const GAP_BYTES_MAX: u64 = 64 * 1024;
/// What is read together, at most; while one range is read, the one before is verified.
const RANGE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Chunks known to be bad that are remembered.
const DAMAGED_MAX: usize = 100_000;

/// A chunk that was asked for, and what was found.
pub(super) type Found = (ChunkHash, Result<Frame, ReadError>);

/// Chunks of one segment that are read at once.
#[derive(Debug, PartialEq, Eq)]
struct Range {
    segment: SegmentId,
    start: u64,
    end: u64,
    entries: Vec<IndexEntry>,
}

impl Shared {
    /// The rows of chunks.
    pub(super) async fn locate(
        &self,
        mut hashes: Vec<ChunkHash>,
    ) -> Result<HashMap<ChunkHash, Chunk>> {
        hashes.sort_unstable();
        hashes.dedup();
        let work = move |tx: &mut sql::Tx<'_>| {
            let mut found = HashMap::with_capacity(hashes.len());
            rows::find(tx, &hashes, |chunk| {
                found.insert(chunk.entry.hash, chunk);
            })?;
            Ok::<_, sql::Error>(found)
        };
        Ok(self.db.read(work).await?)
    }

    /// The rows of those chunks that one of `scopes` may know of.
    pub(super) async fn locate_within(
        &self,
        scopes: Vec<Scope>,
        mut hashes: Vec<ChunkHash>,
    ) -> Result<HashMap<ChunkHash, Chunk>> {
        hashes.sort_unstable();
        hashes.dedup();
        let work = move |tx: &mut sql::Tx<'_>| {
            let mut found = HashMap::with_capacity(hashes.len());
            let mut others = HashMap::new();
            rows::find(tx, &hashes, |chunk| {
                let known = if scopes.contains(&chunk.scope) {
                    &mut found
                } else {
                    &mut others
                };
                known.insert(chunk.entry.hash, chunk);
            })?;
            for &scope in &scopes {
                let mut hashes: Vec<ChunkHash> = others.keys().copied().collect();
                hashes.sort_unstable();
                rows::find_in_reach(tx, scope, &hashes, |hash| {
                    found.extend(others.remove_entry(&hash));
                })?;
            }
            Ok::<_, sql::Error>(found)
        };
        Ok(self.db.read(work).await?)
    }

    /// Reads chunks wherever they rest, in the order asked.
    pub(super) async fn read(&self, hashes: &[ChunkHash]) -> Result<Vec<Result<Frame, ReadError>>> {
        let places = self.locate(hashes.to_vec()).await?;
        let mut found: HashMap<ChunkHash, Result<Frame, ReadError>> = self
            .fetch(places.values().copied().collect())
            .await?
            .into_iter()
            .collect();
        // Compaction may have moved a chunk after its place was looked up: look again, once.
        let moved: Vec<ChunkHash> = found
            .iter()
            .filter(|(_, frame)| matches!(frame, Err(ReadError::Missing)))
            .map(|(hash, _)| *hash)
            .collect();
        if !moved.is_empty() {
            let again = self.locate(moved.clone()).await?;
            let is_elsewhere = |chunk: &&Chunk| {
                places
                    .get(&chunk.entry.hash)
                    .is_none_or(|old| old.segment != chunk.segment)
            };
            let elsewhere = again.values().filter(is_elsewhere).copied().collect();
            found.extend(self.fetch(elsewhere).await?);
            // One that has no row has gone since, and nobody misses it.
            found.retain(|hash, frame| {
                *frame != Err(ReadError::Missing) || again.contains_key(hash)
            });
        }
        for (hash, frame) in &found {
            if let Err(error) = frame {
                self.note_damage(*hash, *error);
            }
        }
        Ok(hashes
            .iter()
            .map(|hash| found.get(hash).cloned().unwrap_or(Err(ReadError::Missing)))
            .collect())
    }

    /// Reads chunks from the places given, in no order.
    pub(super) async fn fetch(&self, mut chunks: Vec<Chunk>) -> Result<Vec<Found>> {
        chunks.sort_unstable_by_key(|chunk| (chunk.segment, chunk.entry.offset));
        let mut found = Vec::with_capacity(chunks.len());
        let mut checks = JoinSet::new();
        for range in coalesce(&chunks) {
            match self.frames(&range).await {
                Ok(frames) => {
                    checks.spawn_blocking(move || verdicts(frames));
                }
                Err(error) if range.entries.len() == 1 => {
                    found.extend(range.entries.iter().map(|entry| (entry.hash, Err(error))));
                }
                // Something in this range cannot be read: find out what, so that the rest can.
                Err(_) => found.extend(self.fetch_apart(range).await?),
            }
        }
        while let Some(verdicts) = checks.join_next().await {
            found.extend(verdicts.map_err(|_| super::Error::Stopping)?);
        }
        Ok(found)
    }

    /// Reads the chunks of a range one by one.
    async fn fetch_apart(&self, range: Range) -> Result<Vec<Found>> {
        let mut found = Vec::with_capacity(range.entries.len());
        for one in range.apart() {
            match self.frames(&one).await {
                Ok(frames) => found.extend(check::blocking(move || verdicts(frames)).await?),
                Err(error) => {
                    found.extend(one.entries.iter().map(|entry| (entry.hash, Err(error))));
                }
            }
        }
        Ok(found)
    }

    /// Reads a range and takes it apart; nothing is verified yet.
    async fn frames(&self, range: &Range) -> Result<Vec<Frame>, ReadError> {
        let key = key(range.segment);
        let bytes = match self
            .blob
            .get_range(&key, range.start, range.end - range.start)
            .await
        {
            Ok(bytes) => bytes,
            Err(blob::Error::Missing { .. }) => return Err(ReadError::Missing),
            Err(blob::Error::Range { .. }) => return Err(ReadError::Corrupt),
            Err(error) => {
                tracing::error!(key, offset = range.start, %error, "cannot read from a segment");
                return Err(ReadError::Unreadable);
            }
        };
        let frame = |entry: &IndexEntry| {
            let start =
                usize::try_from(entry.offset - range.start).map_err(|_| ReadError::Corrupt)?;
            let end = start + entry.stored_bytes as usize;
            Ok(Frame {
                header: entry.header(),
                stored: bytes.slice(start..end),
            })
        };
        range.entries.iter().map(frame).collect()
    }

    /// Remembers a chunk whose copy is bad, so that the next put of it replaces the copy.
    pub(super) fn note_damage(&self, hash: ChunkHash, error: ReadError) {
        let mut damaged = self.damaged.lock();
        if damaged.len() < DAMAGED_MAX && damaged.insert(hash) {
            tracing::error!(chunk = %hash, %error, "a chunk in the index cannot be served");
        }
    }

    /// Those of `hashes` whose copy is known to be bad.
    pub(super) fn damaged_of(&self, hashes: &[ChunkHash]) -> HashSet<ChunkHash> {
        let damaged = self.damaged.lock();
        if damaged.is_empty() {
            return HashSet::new();
        }
        hashes
            .iter()
            .filter(|hash| damaged.contains(*hash))
            .copied()
            .collect()
    }
}

impl Range {
    fn of(chunk: &Chunk) -> Self {
        Self {
            segment: chunk.segment,
            start: chunk.entry.offset,
            end: end_of(&chunk.entry),
            entries: vec![chunk.entry],
        }
    }

    /// Adds a chunk that follows, if reading it together is worth it.
    fn try_add(&mut self, chunk: &Chunk) -> bool {
        let end = end_of(&chunk.entry);
        let is_near = chunk.segment == self.segment
            && chunk.entry.offset >= self.end
            && chunk.entry.offset - self.end <= GAP_BYTES_MAX
            && end - self.start <= RANGE_BYTES_MAX;
        if is_near {
            self.end = end;
            self.entries.push(chunk.entry);
        }
        is_near
    }

    /// The same chunks, each by itself.
    fn apart(self) -> impl Iterator<Item = Self> {
        let segment = self.segment;
        self.entries.into_iter().map(move |entry| Self {
            segment,
            start: entry.offset,
            end: end_of(&entry),
            entries: vec![entry],
        })
    }
}

/// Joins neighbours; `chunks` are in the order of segment and offset.
fn coalesce(chunks: &[Chunk]) -> Vec<Range> {
    let mut ranges: Vec<Range> = Vec::new();
    for chunk in chunks {
        if !ranges.last_mut().is_some_and(|range| range.try_add(chunk)) {
            ranges.push(Range::of(chunk));
        }
    }
    ranges
}

fn end_of(entry: &IndexEntry) -> u64 {
    entry.offset.saturating_add(u64::from(entry.stored_bytes))
}

fn verdicts(frames: Vec<Frame>) -> Vec<Found> {
    let verdict = |frame: Frame| {
        let is_whole = frame.open().is_ok();
        (
            frame.header.hash,
            if is_whole {
                Ok(frame)
            } else {
                Err(ReadError::Corrupt)
            },
        )
    };
    frames.into_iter().map(verdict).collect()
}
