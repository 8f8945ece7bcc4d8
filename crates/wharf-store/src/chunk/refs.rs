//! What a transaction of the house does with chunks.

use std::collections::HashSet;

use wharf_types::ChunkHash;

use super::{Scope, rows};
use crate::sql::{Result, Tx};

/// From this many different chunks on, [`reference()`] looks for many in one statement.
const TOGETHER_MIN: usize = 8;

/// Counts one more mention of each chunk, for manifests that are being committed, and returns the indexes of those that
/// are not there with that length or that none of `scopes` may know of. If there are any, the transaction must not commit.
///
/// Give the likeliest scope first: the account that commits. A chunk that is mentioned twice is counted twice.
pub fn reference(
    tx: &mut Tx<'_>,
    scopes: &[Scope],
    chunks: &[(ChunkHash, u32)],
) -> Result<Vec<usize>> {
    let mut order: Vec<usize> = (0..chunks.len()).collect();
    order.sort_unstable_by_key(|&index| (chunks[index], index));
    let mut rest: Vec<&[usize]> = order.chunk_by(|&a, &b| chunks[a] == chunks[b]).collect();
    if let (Some(&likeliest), TOGETHER_MIN..) = (scopes.first(), rest.len()) {
        let is_once = |same: &&[usize]| same.len() == 1;
        let mut once: Vec<_> = rest
            .iter()
            .copied()
            .filter(is_once)
            .map(|same| chunks[same[0]].0)
            .collect();
        once.dedup();
        let mut found = HashSet::with_capacity(once.len());
        rows::add_one_mention_each(tx, &once, likeliest, |hash, bytes| {
            found.insert((hash, bytes));
        })?;
        rest.retain(|same| !(is_once(same) && found.contains(&chunks[same[0]])));
    }
    let mut absent = Vec::new();
    for same in rest {
        let (hash, bytes) = &chunks[same[0]];
        let mentions = count(same);
        let mut is_found = false;
        for &scope in scopes {
            is_found = rows::add_mentions(tx, hash, *bytes, scope, mentions)?;
            if is_found {
                break;
            }
        }
        if !is_found {
            absent.extend_from_slice(same);
        }
    }
    absent.sort_unstable();
    Ok(absent)
}

/// Takes back what [`reference()`] counted, for manifests that are let go. A chunk that nobody mentions any more is kept
/// for the grace period from `now_ms`.
pub fn release(tx: &mut Tx<'_>, chunks: &[ChunkHash], now_ms: i64) -> Result<()> {
    for same in sorted(chunks).chunk_by(|a, b| a == b) {
        rows::take_mentions(tx, &same[0], count(same), now_ms)?;
    }
    Ok(())
}

/// Lets `scope` know of chunks that the caller may read.
pub fn grant(tx: &mut Tx<'_>, scope: Scope, chunks: &[ChunkHash]) -> Result<()> {
    for same in sorted(chunks).chunk_by(|a, b| a == b) {
        rows::insert_reach(tx, scope, &same[0])?;
    }
    Ok(())
}

fn sorted(chunks: &[ChunkHash]) -> Vec<ChunkHash> {
    let mut chunks = chunks.to_vec();
    chunks.sort_unstable();
    chunks
}

/// A commit names far fewer chunks than `u32` counts.
fn count<T>(same: &[T]) -> u32 {
    u32::try_from(same.len()).unwrap_or(u32::MAX)
}
