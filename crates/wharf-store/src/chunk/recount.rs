//! Counting the mentions of chunks again, from the manifests that mention them.
//!
//! Each pass counts the chunks of one part of the hash space, in one snapshot with the counts it compares with, so commits
//! may go on: what it finds to be wrong is wrong whatever happens at the same time. A correction is made only if the count
//! is still the one that was seen, and starts the chunk's grace period, so that a mistake could be mended.

use std::collections::HashMap;

use wharf_types::ChunkHash;
use wharf_wire::manifest::Manifest;

use super::{ChunkStore, Result, rows};
use crate::sql::{self, Lock, Tx};

/// Chunks counted in one pass: what bounds the memory.
const CHUNKS_PER_PASS: u64 = 250_000;
/// Corrections in one transaction.
const ROWS_PER_WRITE: usize = 512;

/// What a recount found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecountPlan {
    /// Counts that are wrong.
    pub drifts: Vec<Drift>,
    /// Chunks that a manifest mentions and the index does not have: they are lost.
    pub lost: Vec<ChunkHash>,
    /// Chunks whose count was compared.
    pub chunk_count: u64,
}

/// A count that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drift {
    /// The chunk.
    pub hash: ChunkHash,
    /// What its row says.
    pub stored: u64,
    /// What the manifests say.
    pub counted: u64,
}

impl ChunkStore {
    /// Counts again and says which counts are wrong. Reads every manifest, more than once where there are very many chunks.
    pub async fn plan_recount(&self) -> Result<RecountPlan> {
        let db = &self.shared.db;
        let count = |tx: &mut Tx<'_>| tx.one("SELECT count(*) FROM chunk", &[], |row| row.uint(0));
        let chunk_count: u64 = db.read(count).await?;
        // Parts are told apart by the first byte of the hash.
        let pass_count = chunk_count.div_ceil(CHUNKS_PER_PASS).clamp(1, 256);
        let mut plan = RecountPlan::default();
        for pass in 0..pass_count {
            let first = |pass: u64| u8::try_from(pass * 256 / pass_count).ok();
            let (from, to) = (first(pass).unwrap_or(0), first(pass + 1));
            let part = db.read(move |tx| count_part(tx, from, to)).await?;
            plan.drifts.extend(part.drifts);
            plan.lost.extend(part.lost);
            plan.chunk_count += part.chunk_count;
        }
        Ok(plan)
    }

    /// Corrects the counts of a plan, and returns how many. The others have changed since; count again.
    pub async fn recount(&self, plan: &RecountPlan, now_ms: i64) -> Result<u64> {
        let _alone = self.shared.maintenance.lock().await;
        let mut corrected = 0;
        for drifts in plan.drifts.chunks(ROWS_PER_WRITE) {
            let drifts = drifts.to_vec();
            let work = move |tx: &mut Tx<'_>| {
                let mut corrected = 0;
                for drift in &drifts {
                    let Drift {
                        hash,
                        stored,
                        counted,
                    } = drift;
                    corrected +=
                        u64::from(rows::correct_mentions(tx, hash, *stored, *counted, now_ms)?);
                }
                Ok::<u64, sql::Error>(corrected)
            };
            corrected += self.shared.db.write(Lock::None, work).await?;
        }
        Ok(corrected)
    }
}

/// Compares the counts of chunks whose hash begins with `from` or more, and less than `to`.
fn count_part(tx: &mut Tx<'_>, from: u8, to: Option<u8>) -> sql::Result<RecountPlan> {
    let is_in_part = |hash: &ChunkHash| {
        let first = hash.as_bytes()[0];
        first >= from && to.is_none_or(|to| first < to)
    };
    let mut counts: HashMap<ChunkHash, u64> = HashMap::new();
    tx.each(
        "SELECT manifest FROM change WHERE manifest IS NOT NULL",
        &[],
        |row| {
            let manifest = Manifest::unpack(row.bytes(0)?).map_err(|error| {
                sql::Error::corrupt(format!("a manifest cannot be read: {error}"))
            })?;
            for chunk in manifest
                .chunks
                .iter()
                .filter(|chunk| is_in_part(&chunk.hash))
            {
                *counts.entry(chunk.hash).or_default() += 1;
            }
            Ok(())
        },
    )?;
    let mut plan = RecountPlan::default();
    // No hash is as long as this bound, so it is above all of them.
    let end = to.map_or(vec![u8::MAX; 33], |to| vec![to]);
    tx.each(
        "SELECT hash, ref_count FROM chunk WHERE hash >= ?1 AND hash < ?2 ORDER BY hash",
        &[[from].as_slice().into(), (&end).into()],
        |row| {
            let hash = row.id(0)?;
            let stored = row.uint(1)?;
            let counted = counts.remove(&hash).unwrap_or(0);
            plan.chunk_count += 1;
            if stored != counted {
                plan.drifts.push(Drift {
                    hash,
                    stored,
                    counted,
                });
            }
            Ok(())
        },
    )?;
    plan.lost = counts.into_keys().collect();
    plan.lost.sort_unstable();
    Ok(plan)
}
