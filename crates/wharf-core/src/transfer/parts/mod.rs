//! Files on their way in by pieces that are smaller than chunks, in any order, over any number of connections.
//!
//! A piece is durable when it is acknowledged: pieces that wait at the same time share a transaction ([`writer`]). They rest
//! in the database until the file is whole; then it is cut like any other and committed ([`finish`]), and they go. What
//! was begun counts against the quota, and is given up when nothing came for [`KEPT_DAYS`].
//!
//! A crash between the commit and the note that it was made repeats the commit under the same id, which applies it once.

mod finish;
mod rows;
mod writer;

use bytes::Bytes;
use wharf_store::sql::Tx;
use wharf_types::limit::FILE_BYTES_MAX;
use wharf_types::{AccountId, ErrorCode, PartialId, RoomId};

pub(super) use finish::Finishing;
pub(super) use writer::Writer;

use super::Transfers;
use crate::access::{lock, require_writer};
use crate::caller::Caller;
use crate::drive::RoomRef;
use crate::error::{Error, Result};

/// Days for which an upload is kept to which nothing is added, and for which one that ended is remembered.
const KEPT_DAYS: i64 = 7;
/// Most uploads of an account that have not ended.
const OPEN_MAX: u64 = 1_000;
/// Longest key, in bytes.
const KEY_BYTES_MAX: usize = 200;

/// What [`Transfers::open_partial`] begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenPartial {
    /// What the client's protocol names the upload by, unique among those of the account: 1 to 200 bytes.
    pub key: String,
    /// Where the file will be put, from the root of the drive.
    pub path: String,
    /// What it will be tagged with.
    pub tags: Vec<String>,
    /// Bytes of the whole file.
    pub bytes: u64,
    /// What the whole must hash to, where the client says it.
    pub sha256: Option<[u8; 32]>,
}

/// An upload by pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partial {
    /// Its id.
    pub id: PartialId,
    /// Where the file will be put.
    pub path: String,
    /// Bytes of the whole file.
    pub bytes: u64,
    /// Bytes that have come.
    pub received_bytes: u64,
    /// Every byte before this one has come.
    pub whole_bytes: u64,
    /// Whether the file was put.
    pub has_ended: bool,
    /// Whether this call began it.
    pub is_new: bool,
    room: RoomId,
    tags: Vec<String>,
    sha256: Option<[u8; 32]>,
}

/// Where a piece belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// At this byte. The same place is written once; pieces must not overlap otherwise.
    At(u64),
    /// Behind what has come; written once for each mark, which the client chooses.
    Next {
        /// The mark.
        mark: [u8; 16],
        /// The upload among whose pieces the mark is looked for: several that come one after another share one's.
        of: PartialId,
    },
}

/// What became of a piece, and how much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartWritten {
    /// Whether it had not been there.
    pub is_new: bool,
    /// Bytes of the whole file.
    pub bytes: u64,
    /// Bytes that have come.
    pub received_bytes: u64,
    /// Every byte before this one has come.
    pub whole_bytes: u64,
    /// Whether the file was put before.
    pub has_ended: bool,
}

impl PartWritten {
    /// Whether the file can be put.
    pub const fn is_whole(&self) -> bool {
        self.received_bytes == self.bytes
    }
}

impl Transfers {
    /// Begins an upload by pieces, or finds the one of this key; then the rest of the request counts for nothing.
    ///
    /// # Errors
    /// - `Invalid`: not a path, or no key.
    /// - `TooLarge`: more than a file may have; `Limited`: too many uploads that have not ended.
    /// - `OverQuota`: the quota has no room for it beside the others that have not ended.
    /// - `NotFound`: no such room for the caller; `Denied`: the caller may only read there.
    pub async fn open_partial(
        &self,
        by: &Caller,
        room: RoomRef,
        open: OpenPartial,
    ) -> Result<Partial> {
        if open.key.is_empty() || open.key.len() > KEY_BYTES_MAX || open.key.contains('\0') {
            return Err(Error::invalid("an upload's key has 1 to 200 bytes"));
        }
        if open.bytes > FILE_BYTES_MAX {
            let text = format!("a file has at most {FILE_BYTES_MAX} bytes");
            return Err(Error::new(ErrorCode::TooLarge, text));
        }
        if let Some(found) = self.partial(by, &open.key).await? {
            return Ok(found);
        }
        let left_bytes = self.drives.room_for_put(by, room, &open.path).await?;
        let room = room.id(by)?;
        let now_ms = self.ground.clock.now_ms();
        let id = self.ground.random.id(PartialId::new, now_ms);
        let account = by.account()?;
        let by = *by;
        let work = move |tx: &mut Tx<'_>| -> Result<Partial> {
            require_writer(tx, &by)?;
            if let Some(found) = rows::by_key(tx, account, &open.key)? {
                return Ok(found);
            }
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
            Ok(rows::insert(tx, id, account, room, &open, now_ms)?)
        };
        self.ground.db.write(lock(&[], &[account]), work).await
    }

    /// The caller's upload of this key, begun or ended.
    pub async fn partial(&self, by: &Caller, key: &str) -> Result<Option<Partial>> {
        let (account, key): (AccountId, _) = (by.account()?, key.to_owned());
        let read = move |tx: &mut Tx<'_>| rows::by_key(tx, account, &key);
        Ok(self.ground.db.read(read).await?)
    }

    /// Writes a piece; durable when this returns.
    ///
    /// # Errors
    /// - `NotFound`: the caller has no such upload.
    /// - `Invalid`: the piece is empty, or reaches past the end.
    /// - `Unauthenticated`: the session has ended.
    pub async fn write_part(
        &self,
        by: &Caller,
        id: PartialId,
        place: Place,
        data: Bytes,
    ) -> Result<PartWritten> {
        self.writer.write(by, id, place, data).await
    }
}
