//! What a transaction of the house does with chunks.

use wharf_types::ChunkHash;

use super::Scope;
use crate::sql::{Result, Tx};

/// Counts one more mention of each chunk, for a manifest that is being committed, and returns the indexes of those that
/// are not there with that length or that none of `scopes` may know of. If there are any, the transaction must not commit.
///
/// A chunk that is mentioned twice is counted twice.
pub fn reference(
    tx: &mut Tx<'_>,
    scopes: &[Scope],
    chunks: &[(ChunkHash, u32)],
) -> Result<Vec<usize>> {
    todo!()
}

/// Takes back what [`reference`] counted, for a manifest that is let go. A chunk that nobody mentions any more is kept for
/// the grace period from `now_ms`.
pub fn release(tx: &mut Tx<'_>, chunks: &[ChunkHash], now_ms: i64) -> Result<()> {
    todo!()
}

/// Lets `scope` know of chunks that the caller may read.
pub fn grant(tx: &mut Tx<'_>, scope: Scope, chunks: &[ChunkHash]) -> Result<()> {
    todo!()
}
