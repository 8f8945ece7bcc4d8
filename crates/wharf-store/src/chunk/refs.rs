//! What a transaction of the house does with chunks.

use wharf_types::ChunkHash;

use super::{Scope, bulk, rows};
use crate::sql::{Result, Tx};

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
    let groups: Vec<&[usize]> = order.chunk_by(|&a, &b| chunks[a] == chunks[b]).collect();
    let rest = match scopes.first() {
        Some(&likeliest) => reference_many(tx, likeliest, chunks, groups)?,
        None => groups,
    };
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

/// Counts what is mentioned once and was uploaded by `scope`, and returns the rest.
fn reference_many<'a>(
    tx: &mut Tx<'_>,
    scope: Scope,
    chunks: &[(ChunkHash, u32)],
    groups: Vec<&'a [usize]>,
) -> Result<Vec<&'a [usize]>> {
    let (once, mut rest): (Vec<_>, Vec<_>) = groups.into_iter().partition(|same| same.len() == 1);
    for part in once.chunks(bulk::MANY) {
        if part.len() < bulk::MANY_MIN {
            rest.extend_from_slice(part);
            continue;
        }
        let hashes: Vec<ChunkHash> = part.iter().map(|same| chunks[same[0]].0).collect();
        let mut counted = bulk::add_mention(tx, scope, &hashes)?;
        counted.sort_unstable();
        // One whose length is another was counted and is in the rest: it will be absent, and the transaction undone.
        let is_left = |same: &&&[usize]| counted.binary_search(&chunks[same[0]]).is_err();
        rest.extend(part.iter().filter(is_left));
    }
    Ok(rest)
}

/// Takes back what [`reference()`] counted, for manifests that are let go. A chunk that nobody mentions any more is kept
/// for the grace period from `now_ms`.
pub fn release(tx: &mut Tx<'_>, chunks: &[ChunkHash], now_ms: i64) -> Result<()> {
    let chunks = sorted(chunks);
    let groups = chunks.chunk_by(|a, b| a == b);
    let (once, rest): (Vec<_>, Vec<_>) = groups.partition(|same| same.len() == 1);
    for part in once.concat().chunks(bulk::MANY) {
        if part.len() < bulk::MANY_MIN {
            part.iter()
                .try_for_each(|hash| rows::take_mentions(tx, hash, 1, now_ms))?;
        } else {
            bulk::take_mention(tx, part, now_ms)?;
        }
    }
    rest.iter()
        .try_for_each(|same| rows::take_mentions(tx, &same[0], count(same), now_ms))
}

/// Lets `scope` know of chunks that the caller may read.
pub fn grant(tx: &mut Tx<'_>, scope: Scope, chunks: &[ChunkHash]) -> Result<()> {
    let mut chunks = sorted(chunks);
    chunks.dedup();
    for part in chunks.chunks(bulk::MANY) {
        if part.len() < bulk::MANY_MIN {
            part.iter()
                .try_for_each(|hash| rows::insert_reach(tx, scope, hash))?;
        } else {
            bulk::insert_reach(tx, scope, part)?;
        }
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
