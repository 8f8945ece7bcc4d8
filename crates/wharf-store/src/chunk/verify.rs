//! Looking for damage. Nothing here writes; what is found to be damaged is remembered by the running process, so that the
//! next put of it replaces the bad copy.
//!
//! A plan compares the rows with the list of objects; then every segment is read whole, one unit each, so that a scrub can
//! go round at any pace and still cover everything.

use std::collections::{HashMap, HashSet};

use wharf_types::{ChunkHash, SegmentId};

use super::rows::Chunk;
use super::segment::Index;
use super::{ChunkStore, ReadError, Result};

/// Findings kept of one kind; a disk that lost everything must not fill the memory as well.
const FINDINGS_MAX: usize = 10_000;
/// What is read and verified at once.
const READ_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// A segment in use has no object.
    SegmentLost {
        /// The segment.
        segment: SegmentId,
        /// Chunks that rest in it.
        chunk_count: u64,
    },
    /// An object that no row names. A put under way shows up like this as well.
    Orphan {
        /// The segment it looks like.
        segment: SegmentId,
        /// Its size.
        bytes: u64,
    },
    /// An object among the segments that is none.
    Foreign {
        /// Its key.
        key: String,
    },
    /// The index at the end of a segment is damaged. The chunks may well be whole.
    IndexDamaged {
        /// The segment.
        segment: SegmentId,
    },
    /// A chunk cannot be served.
    ChunkDamaged {
        /// The chunk.
        hash: ChunkHash,
        /// Where it should be.
        segment: SegmentId,
        /// Why not.
        error: ReadError,
    },
    /// Rows point at chunks of a segment that its own index does not have there.
    Misplaced {
        /// The segment.
        segment: SegmentId,
        /// How many.
        chunk_count: u64,
    },
}

/// What there is to verify, and what is wrong at first sight.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifyPlan {
    /// Segments in use whose object is there.
    pub segments: Vec<PlannedVerify>,
    /// What comparing rows with objects has shown.
    pub findings: Vec<Finding>,
}

/// A segment to be verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlannedVerify {
    /// The segment.
    pub id: SegmentId,
    /// The size of its object.
    pub bytes: u64,
    /// Rows that pointed at it when the plan was made.
    pub chunk_count: u64,
}

/// What verifying one segment has shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// Chunks that were read and are whole.
    pub chunks_good: u64,
    /// What was read.
    pub bytes: u64,
}

impl ChunkStore {
    /// Compares the rows with the objects.
    pub async fn plan_verify(&self) -> Result<VerifyPlan> {
        let shared = &self.shared;
        let mut chunk_counts: HashMap<SegmentId, u64> = HashMap::new();
        shared
            .each_chunk(|chunk| *chunk_counts.entry(chunk.segment).or_default() += 1)
            .await?;
        let mut retired = HashSet::new();
        let mut named = HashSet::new();
        shared
            .each_segment(|segment| {
                named.insert(segment.id);
                if segment.retired_ms.is_some() {
                    retired.insert(segment.id);
                }
            })
            .await?;
        let objects = shared.objects().await?;
        let mut plan = VerifyPlan::default();
        for (id, bytes) in objects.segments {
            let chunk_count = chunk_counts.remove(&id).unwrap_or(0);
            if !named.remove(&id) && plan.findings.len() < FINDINGS_MAX {
                plan.findings.push(Finding::Orphan { segment: id, bytes });
            }
            if chunk_count > 0 || !retired.contains(&id) {
                plan.segments.push(PlannedVerify {
                    id,
                    bytes,
                    chunk_count,
                });
            }
        }
        // Segments made since the list was begun are named by rows and not in the list; look for them by name.
        let absent = named.into_iter().filter(|id| !retired.contains(id));
        let absent: HashSet<SegmentId> = absent.chain(chunk_counts.keys().copied()).collect();
        let mut lost = HashSet::new();
        for id in absent {
            if matches!(shared.read_index(id).await?, Index::Lost) {
                lost.insert(id);
                let chunk_count = chunk_counts.get(&id).copied().unwrap_or(0);
                if plan.findings.len() < FINDINGS_MAX {
                    plan.findings.push(Finding::SegmentLost {
                        segment: id,
                        chunk_count,
                    });
                }
            }
        }
        if !lost.is_empty() {
            let note = |chunk: &Chunk| {
                if lost.contains(&chunk.segment) {
                    shared.note_damage(chunk.entry.hash, ReadError::Missing);
                }
            };
            shared.each_chunk(note).await?;
        }
        plan.findings.extend(
            objects
                .foreign
                .into_iter()
                .map(|key| Finding::Foreign { key }),
        );
        Ok(plan)
    }

    /// Reads a segment whole and verifies every chunk that the index has in it.
    pub async fn verify(&self, planned: &PlannedVerify) -> Result<Verified> {
        let shared = &self.shared;
        let segment = planned.id;
        let mut verified = Verified::default();
        let entries = match shared.read_index(segment).await? {
            Index::Whole(entries) => entries,
            Index::Damaged => {
                verified.findings.push(Finding::IndexDamaged { segment });
                shared.scan(segment).await?
            }
            // Compacted and deleted since the plan was made, or lost: then the next plan says so.
            Index::Lost => return Ok(verified),
        };
        let places = shared
            .locate(entries.iter().map(|entry| entry.hash).collect())
            .await?;
        let mut resting: Vec<Chunk> = places
            .into_values()
            .filter(|chunk| chunk.segment == segment)
            .collect();
        if planned.chunk_count > resting.len() as u64 {
            // Unless they have only moved away since the plan was made.
            let mut strays = shared.pointing_at(segment).await?;
            let known: HashSet<ChunkHash> = resting.iter().map(|chunk| chunk.entry.hash).collect();
            strays.retain(|chunk| !known.contains(&chunk.entry.hash));
            if !strays.is_empty() {
                let chunk_count = strays.len() as u64;
                verified.findings.push(Finding::Misplaced {
                    segment,
                    chunk_count,
                });
                resting.extend(strays);
            }
        }
        for chunks in batches(resting) {
            for (hash, frame) in shared.fetch(chunks).await? {
                match frame {
                    Ok(frame) => {
                        verified.chunks_good += 1;
                        verified.bytes += u64::from(frame.header.stored_bytes);
                    }
                    Err(error) => {
                        shared.note_damage(hash, error);
                        verified.findings.push(Finding::ChunkDamaged {
                            hash,
                            segment,
                            error,
                        });
                    }
                }
            }
        }
        Ok(verified)
    }
}

/// Divides chunks, in the order they rest, into what is read at once.
fn batches(mut chunks: Vec<Chunk>) -> Vec<Vec<Chunk>> {
    chunks.sort_unstable_by_key(|chunk| chunk.entry.offset);
    let mut batches = vec![Vec::new()];
    let mut bytes = 0;
    for chunk in chunks {
        bytes += u64::from(chunk.entry.stored_bytes);
        if bytes > READ_BYTES_MAX {
            batches.push(Vec::new());
            bytes = u64::from(chunk.entry.stored_bytes);
        }
        if let Some(batch) = batches.last_mut() {
            batch.push(chunk);
        }
    }
    batches
}
