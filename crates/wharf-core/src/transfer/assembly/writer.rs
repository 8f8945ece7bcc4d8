//! One piece on its way in.

use std::collections::VecDeque;
use std::ops::Range;

use bytes::Bytes;
use wharf_store::sql::Tx;
use wharf_types::ErrorCode;

use super::cutter::Cutter;
use super::{Assembly, Key, PIECES_MAX, no_such_upload, rows};
use crate::Ground;
use crate::access::{lock, require_writer};
use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::transfer::Transfers;
use crate::transfer::md5::{Running, RunningMd5s};

/// What a long piece has brought is noted each time after so many bytes, so that a connection that breaks loses no more.
const NOTE_BYTES: u64 = 64 * 1024 * 1024;

/// A piece of an upload, while it comes.
///
/// What is there already is passed over. Dropping the writer keeps what was noted so far.
pub struct PieceWriter {
    ground: Ground,
    by: Caller,
    key: Key,
    /// Where the next byte belongs.
    position: u64,
    end: u64,
    /// What is missing of the rest of the piece.
    gaps: VecDeque<Range<u64>>,
    /// Where the stretch in the cutter begins.
    begun: u64,
    cutter: Cutter,
    running: Option<Running>,
    md5s: RunningMd5s,
}

impl Transfers {
    /// Begins to write a piece at `range` of an upload.
    ///
    /// # Errors
    /// - `Invalid`: it reaches past the end of the file.
    /// - `Limited`: the upload has too many stretches.
    pub fn write_piece(
        &self,
        by: &Caller,
        assembly: &Assembly,
        range: Range<u64>,
    ) -> Result<PieceWriter> {
        if range.start > range.end || range.end > assembly.bytes {
            return Err(Error::invalid("the piece reaches past the end of the file"));
        }
        if assembly.pieces.len() >= PIECES_MAX {
            let text = "the upload has too many pieces: begin it again with larger ones";
            return Err(Error::new(ErrorCode::Limited, text));
        }
        let account = by.account()?;
        let key = (account, assembly.number);
        let gaps: VecDeque<_> = assembly.gaps(range.clone()).into();
        let from = gaps.front().map_or(range.end, |gap| gap.start);
        Ok(PieceWriter {
            ground: self.ground.clone(),
            by: *by,
            key,
            position: range.start,
            end: range.end,
            running: self.md5s.running(key, from),
            md5s: self.md5s.clone(),
            gaps,
            begun: from,
            cutter: Cutter::new(self.ground.clone(), account),
        })
    }
}

impl PieceWriter {
    /// Takes the next bytes. After an error or a dropped future the writer is of no further use.
    ///
    /// # Errors
    /// `Invalid`: more bytes than the piece has.
    pub async fn push(&mut self, mut bytes: Bytes) -> Result<()> {
        if bytes.len() as u64 > self.end - self.position {
            return Err(Error::invalid("more bytes than the piece has"));
        }
        while !bytes.is_empty() {
            let Some(gap) = self.gaps.front().cloned() else {
                self.position += bytes.len() as u64;
                return Ok(());
            };
            if self.position < gap.start {
                let passed = cut_off(&mut bytes, gap.start - self.position);
                self.position += passed.len() as u64;
                continue;
            }
            let taken = cut_off(&mut bytes, gap.end - self.position);
            self.position += taken.len() as u64;
            if let Some(running) = &mut self.running {
                running.push(taken.clone()).await?;
            }
            self.cutter.push(taken).await?;
            if self.position == gap.end {
                self.note().await?;
                self.gaps.pop_front();
                self.begun = self.gaps.front().map_or(self.end, |gap| gap.start);
                // The MD5 goes on only where nothing was passed over.
                self.running = self.running.take().filter(|_| self.gaps.is_empty());
            } else if self.position - self.begun >= NOTE_BYTES {
                self.note().await?;
                if let Some(gap) = self.gaps.front_mut() {
                    gap.start = self.position;
                }
                self.begun = self.position;
            }
        }
        Ok(())
    }

    /// How many bytes of the piece have not come.
    pub fn left_bytes(&self) -> u64 {
        self.end - self.position
    }

    /// Ends the piece, whole or not: what has come of it is durable when this returns.
    ///
    /// # Errors
    /// - `Unavailable`: another connection brought a part of it meanwhile. It is to be sent again.
    /// - `NotFound`: the upload was forgotten meanwhile.
    /// - `Unauthenticated`: the session has ended.
    pub async fn finish(mut self) -> Result<()> {
        if self
            .gaps
            .front()
            .is_some_and(|gap| self.position > gap.start)
        {
            self.note().await?;
        }
        if let Some(running) = self.running {
            self.md5s.keep(self.key, running).await?;
        }
        Ok(())
    }

    /// Makes the stretch that was cut durable, and notes it.
    async fn note(&mut self) -> Result<()> {
        let manifest = self.cutter.end().await?;
        let (by, key, begun) = (self.by, self.key, self.begun);
        let now_ms = self.ground.clock.now_ms();
        let note = move |tx: &mut Tx<'_>| -> Result<()> {
            require_writer(tx, &by)?;
            let (account, number) = key;
            let assembly = rows::assembly(tx, account, number)?.ok_or_else(no_such_upload)?;
            // Another connection may have brought all of it meanwhile, and then its stretch stays.
            let stretch = begun..begun.saturating_add(manifest.bytes());
            let gaps = assembly.gaps(stretch.clone());
            if gaps == [stretch] {
                rows::insert_piece(tx, key, begun, &manifest, now_ms)?;
            } else if !gaps.is_empty() {
                let text = "another connection brings a part of this piece: send it again";
                return Err(Error::new(ErrorCode::Unavailable, text));
            }
            Ok(())
        };
        let lock = lock(&[], &[self.key.0]);
        self.ground.db.write(lock, note).await
    }
}

fn cut_off(bytes: &mut Bytes, at_most: u64) -> Bytes {
    let length = usize::try_from(at_most).map_or(bytes.len(), |most| most.min(bytes.len()));
    bytes.split_to(length)
}
