//! Files on their way in by large pieces, at any offsets, over any number of connections.
//!
//! A piece is cut into chunks as it comes, and these are stored like those of any upload; then its row says which stretch of
//! the file they are ([`PieceWriter`]). So a piece is durable when its writer has finished, nothing of it is in memory as a
//! whole, and a file whose stretches have all come is put without being read again: its manifest is theirs, one after
//! another. What has come stays: pieces that overlap it bring only what is missing.
//!
//! Nothing references the chunks until the file is put. They outlive their grace period in no case; so a client that comes back
//! is told as missing what may be gone by the time it has sent the rest, and uploads to which nothing was added for
//! [`KEPT_MS`] are forgotten. What was begun counts against the quota.

mod cutter;
mod finish;
mod rows;
mod writer;

use std::ops::Range;

use wharf_store::sql::{self, Tx};
use wharf_types::api::drive::Commit;
use wharf_types::limit::FILE_BYTES_MAX;
use wharf_types::{AccountId, CommitId, ErrorCode, RoomId};

pub use writer::PieceWriter;

use super::Transfers;
use crate::access::{lock, require_writer};
use crate::caller::Caller;
use crate::drive::RoomRef;
use crate::error::{Error, Result};

/// How long an upload is kept to which nothing is added, and for which one that ended is remembered.
const KEPT_MS: i64 = 7 * 24 * 3_600_000;
/// Most uploads of an account that have not ended.
const OPEN_MAX: u64 = 1_000;
/// Most stretches of one upload.
const PIECES_MAX: usize = 64 * 1024;
/// Numbers are below this, so that every client's integers hold them.
const NUMBER_MAX: u64 = 1 << 31;

/// What [`Transfers::open_assembly`] begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenAssembly {
    /// Where the file will be put, from the root of the drive.
    pub path: String,
    /// Bytes of the whole file.
    pub bytes: u64,
    /// The author's time of modification, in nanoseconds since the epoch.
    pub mtime_ns: Option<i64>,
    /// What the whole must hash to, where the client says it.
    pub md5: Option<[u8; 16]>,
}

/// An upload by pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assembly {
    /// Names it among its account's; from 1.
    pub number: u64,
    /// Where the file will be put.
    pub path: String,
    /// Bytes of the whole file.
    pub bytes: u64,
    /// What the whole must hash to.
    pub md5: Option<[u8; 16]>,
    /// Whether the file was put.
    pub has_ended: bool,
    mtime_ns: Option<i64>,
    room: RoomId,
    commit: CommitId,
    /// What has come: in order, without overlaps.
    pieces: Vec<Range<u64>>,
}

impl Assembly {
    /// Whether every byte has come.
    pub fn is_whole(&self) -> bool {
        self.has_ended || self.gaps(0..self.bytes).is_empty()
    }

    /// The parts of `range` that have not come, in order.
    pub fn gaps(&self, range: Range<u64>) -> Vec<Range<u64>> {
        if self.has_ended {
            return Vec::new();
        }
        let mut gaps = Vec::new();
        let mut from = range.start;
        for piece in &self.pieces {
            let until = piece.start.min(range.end);
            if until > from {
                gaps.push(from..until);
            }
            from = from.max(piece.end);
        }
        if from < range.end {
            gaps.push(from..range.end);
        }
        gaps
    }
}

impl Transfers {
    /// Begins an upload by pieces, or takes up the one that puts the same content at the same place. One that would put
    /// another content there is forgotten.
    ///
    /// # Errors
    /// - `Invalid`: not a path.
    /// - `TooLarge`: more than a file may have; `Limited`: too many uploads that have not ended.
    /// - `OverQuota`: the quota has no room for it beside the others that have not ended.
    /// - `NotFound`: no such room for the caller; `Denied`: the caller may only read there.
    pub async fn open_assembly(
        &self,
        by: &Caller,
        room: RoomRef,
        open: OpenAssembly,
    ) -> Result<Assembly> {
        if open.bytes > FILE_BYTES_MAX {
            let text = format!("a file has at most {FILE_BYTES_MAX} bytes");
            return Err(Error::new(ErrorCode::TooLarge, text));
        }
        let left_bytes = self.drives.room_for_put(by, room, &open.path).await?;
        let room = room.id(by)?;
        let account = by.account()?;
        let found = {
            let open = open.clone();
            let read = move |tx: &mut Tx<'_>| rows::open_at(tx, account, room, &open);
            self.ground.db.read(read).await?
        };
        if let Some(number) = found {
            return self.taken_up(by, number).await;
        }
        let now_ms = self.ground.clock.now_ms();
        let fresh = u64::from(self.ground.random.below(u32::MAX)) % (NUMBER_MAX - 1) + 1;
        let commit = self.ground.random.id(CommitId::new, now_ms);
        let by = *by;
        let work = move |tx: &mut Tx<'_>| -> Result<Assembly> {
            require_writer(tx, &by)?;
            // Another connection may have begun it meanwhile.
            if let Some(number) = rows::open_at(tx, account, room, &open)? {
                return rows::assembly(tx, account, number)?.ok_or_else(no_such_upload);
            }
            rows::forget_at(tx, account, room, &open.path)?;
            let (count, open_bytes) = rows::open_sum(tx, account)?;
            if count >= OPEN_MAX {
                let text = "too many uploads have not ended";
                return Err(Error::new(ErrorCode::Limited, text));
            }
            if open_bytes.saturating_add(open.bytes) > left_bytes {
                let left = left_bytes.saturating_sub(open_bytes);
                let text = format!("the quota has {left} bytes left, and this is more");
                return Err(Error::new(ErrorCode::OverQuota, text));
            }
            let mut number = fresh;
            while rows::assembly(tx, account, number)?.is_some() {
                number = number % (NUMBER_MAX - 1) + 1;
            }
            let assembly = Assembly {
                number,
                path: open.path.clone(),
                bytes: open.bytes,
                md5: open.md5,
                has_ended: false,
                mtime_ns: open.mtime_ns,
                room,
                commit,
                pieces: Vec::new(),
            };
            rows::insert(tx, account, &assembly, now_ms)?;
            Ok(assembly)
        };
        self.ground.db.write(lock(&[], &[account]), work).await
    }

    /// One of the caller's uploads, begun or ended.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn assembly(&self, by: &Caller, number: u64) -> Result<Assembly> {
        let account = by.account()?;
        let read = move |tx: &mut Tx<'_>| rows::assembly(tx, account, number);
        let found = self.ground.db.read(read).await?;
        found.ok_or_else(no_such_upload)
    }

    /// An upload that somebody comes back to: without the stretches whose chunks are gone, or may soon be.
    async fn taken_up(&self, by: &Caller, number: u64) -> Result<Assembly> {
        let account = by.account()?;
        let read = move |tx: &mut Tx<'_>| rows::pieces(tx, account, number);
        let mut lost = Vec::new();
        for (offset_bytes, manifest) in self.ground.db.read(read).await? {
            let manifest = rows::unpack(&manifest)?;
            let hashes = manifest.chunks.iter().map(|chunk| chunk.hash);
            let scopes = [account.into()];
            let now_ms = self.ground.clock.now_ms();
            let chunks = &self.ground.chunks;
            if !chunks
                .missing(&scopes, hashes.collect(), now_ms)
                .await?
                .is_empty()
            {
                lost.push(offset_bytes);
            }
        }
        if !lost.is_empty() {
            let forget = move |tx: &mut Tx<'_>| rows::delete_pieces(tx, account, number, &lost);
            let lock = lock(&[], &[account]);
            self.ground.db.write(lock, forget).await?;
        }
        self.assembly(by, number).await
    }
}

/// Forgets uploads to which nothing was added for long, `rows_max` at most, and says how many.
pub(crate) fn expire(tx: &mut Tx<'_>, now_ms: i64, rows_max: u32) -> sql::Result<u64> {
    rows::expire(tx, now_ms.saturating_sub(KEPT_MS), rows_max)
}

fn no_such_upload() -> Error {
    Error::not_found("there is no such upload")
}

/// Who an upload belongs to, and which it is.
type Key = (AccountId, u64);

/// The one commit that puts an upload's file.
fn commit_of(assembly: &Assembly, op: wharf_types::api::drive::Op) -> Commit {
    Commit {
        id: assembly.commit,
        ops: vec![op],
    }
}

#[cfg(test)]
mod tests {
    use wharf_types::{CommitId, RoomId};

    use super::Assembly;

    fn with(pieces: &[std::ops::Range<u64>]) -> Assembly {
        Assembly {
            number: 1,
            path: "a".to_owned(),
            bytes: 100,
            md5: None,
            has_ended: false,
            mtime_ns: None,
            room: RoomId::from_bytes([0; 16]),
            commit: CommitId::from_bytes([0; 16]),
            pieces: pieces.to_vec(),
        }
    }

    #[test]
    fn gaps_are_what_has_not_come() {
        let gaps = |pieces: &[std::ops::Range<u64>], from, until| -> Vec<(u64, u64)> {
            let gaps = with(pieces).gaps(from..until).into_iter();
            gaps.map(|gap| (gap.start, gap.end)).collect()
        };
        let two = [10..20, 50..60];
        assert_eq!(gaps(&[], 0, 100), [(0, 100)]);
        assert_eq!(gaps(&two, 0, 100), [(0, 10), (20, 50), (60, 100)]);
        assert_eq!(gaps(&two, 15, 55), [(20, 50)]);
        assert_eq!(gaps(&two, 12, 18), []);
        assert_eq!(gaps(&two, 25, 45), [(25, 45)]);
        assert_eq!(gaps(&two, 70, 80), [(70, 80)]);
        assert!(with(&[0..50, 50..100]).is_whole());
        assert!(!with(&[0..50, 51..100]).is_whole());
        assert!(
            Assembly {
                bytes: 0,
                ..with(&[])
            }
            .is_whole()
        );
    }
}
