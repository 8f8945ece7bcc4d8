//! Walking over all rows, a page and a short transaction at a time.

use wharf_types::SegmentId;

use super::rows::{self, Chunk, Segment};
use super::{Result, Shared};

/// Rows read in one transaction.
const ROWS_PER_PAGE: u32 = 4 * 1024;

impl Shared {
    /// Calls `take` with every chunk's row, in the order of their hashes. Others may write meanwhile: a row is seen as it is
    /// when its page is read.
    pub(super) async fn each_chunk(&self, mut take: impl FnMut(&Chunk)) -> Result<()> {
        let mut after = None;
        loop {
            let page = self
                .db
                .read(move |tx| rows::page(tx, after, ROWS_PER_PAGE))
                .await?;
            page.iter().for_each(&mut take);
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = Some(last.entry.hash);
        }
    }

    /// The rows that point at a segment, whatever its own index says: all rows are looked at.
    pub(super) async fn pointing_at(&self, segment: SegmentId) -> Result<Vec<Chunk>> {
        let mut found = Vec::new();
        let take = |chunk: &Chunk| {
            if chunk.segment == segment {
                found.push(*chunk);
            }
        };
        self.each_chunk(take).await?;
        Ok(found)
    }

    /// Calls `take` with every segment's row, in the order of their ids.
    pub(super) async fn each_segment(&self, mut take: impl FnMut(&Segment)) -> Result<()> {
        let mut after = None;
        loop {
            let page = self
                .db
                .read(move |tx| rows::segment_page(tx, after, ROWS_PER_PAGE))
                .await?;
            page.iter().for_each(&mut take);
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = Some(last.id);
        }
    }
}
