//! Thumbnails of images, behind the drives.
//!
//! [`Follow`] looks at what comes into the drives and makes two thumbnails of each image, and whoever asks for one that is
//! not there yet has it made. They belong to a revision: the row says how large the image is, or that it is none, and the objects
//! `thumbnail/ROOM/REVISION-SIZE` hold the pictures. The objects can be lost; they are made again from the content. What
//! another account has is never looked at, so the time until a thumbnail is there tells nothing about others.
//!
//! Pictures from strangers are decoded one at a time, on a thread where it may take its time, within bounds of bytes, pixels
//! and memory. One that fails, or takes too long, is remembered as none and not tried again.

mod follow;
mod make;
mod rows;

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wharf_store::blob;
use wharf_store::sql::Lock;
use wharf_types::api::drive::{At, ImageSize, NodeKind};
use wharf_types::{ErrorCode, RoomId};

pub(crate) use follow::Follow;
pub(crate) use rows::size_from;

use crate::Ground;
use crate::caller::Caller;
use crate::drive::{Drives, RoomRef, StoredContent, kept_content};
use crate::error::{Error, Result};
use crate::transfer::read_packed;
use make::Made;
use rows::Known;

/// Largest file that is decoded.
const SOURCE_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// How long an image may take; a good one takes two seconds at most.
const DECODE_TIME_MAX: Duration = Duration::from_secs(20);
/// How long whoever asks waits for images of others.
const TURN_TIME_MAX: Duration = Duration::from_secs(30);
/// What whoever waited in vain is told to wait.
const RETRY_AFTER_SECONDS: u64 = 10;
/// Endings of the names of what can be decoded.
const ENDINGS: [&str; 5] = ["gif", "jpeg", "jpg", "png", "webp"];

/// How large a thumbnail is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// For lists and grids: no side is longer than 320 pixels.
    Small,
    /// For conversations and viewers: no side is longer than 1280 pixels.
    Large,
}

impl Size {
    /// The size for a picture that is shown with sides of up to `pixels`.
    pub const fn for_pixels(pixels: u32) -> Self {
        if pixels <= Self::Small.side() {
            Self::Small
        } else {
            Self::Large
        }
    }

    /// The longest side, in pixels.
    pub const fn side(self) -> u32 {
        match self {
            Self::Small => 320,
            Self::Large => 1280,
        }
    }
}

/// A thumbnail.
#[derive(Debug, Clone)]
pub struct Thumbnail {
    /// The picture, JPEG or PNG.
    pub bytes: Bytes,
    /// What it is.
    pub media_type: &'static str,
    /// The revision that it shows.
    pub revision: u64,
    /// The size of the original, as it is to be shown.
    pub original: ImageSize,
}

/// The operations on thumbnails. Clones share the turns.
#[derive(Clone)]
pub struct Thumbnails {
    ground: Ground,
    drives: Drives,
    /// One image is decoded at a time.
    turns: Arc<Semaphore>,
}

/// A revision of a file.
#[derive(Debug, Clone, Copy)]
struct Source {
    room: RoomId,
    revision: u64,
}

impl Thumbnails {
    pub(crate) fn new(ground: Ground, drives: Drives) -> Self {
        Self {
            ground,
            drives,
            turns: Arc::new(Semaphore::new(1)),
        }
    }

    /// The thumbnail of a file at a revision, or at its present one; it is made if it is not there.
    ///
    /// # Errors
    /// - `NotFound`: no such file for the caller, or it is no image of which thumbnails are made.
    /// - `Corrupt`: the file is damaged; `Unavailable`: others' images took too long.
    pub async fn get(
        &self,
        by: &Caller,
        room: RoomRef,
        at: At,
        revision: Option<u64>,
        size: Size,
    ) -> Result<Thumbnail> {
        let content = self.drives.content(by, room, at, revision).await?;
        let source = Source {
            room: room.id(by)?,
            revision: content.revision,
        };
        if let Some(thumbnail) = self.find(source, size).await? {
            return Ok(thumbnail);
        }
        if content.node.kind != NodeKind::File || !is_candidate(&content.node.name, content.bytes) {
            return Err(no_thumbnail());
        }
        let turn = tokio::time::timeout(TURN_TIME_MAX, self.turn()).await;
        let turn = turn.map_err(|_| busy())??;
        // Somebody else may have made it meanwhile.
        if let Some(thumbnail) = self.find(source, size).await? {
            return Ok(thumbnail);
        }
        self.make(source, &content, turn).await?;
        self.find(source, size).await?.ok_or_else(no_thumbnail)
    }

    /// A thumbnail that is there. `None`: it is to be made.
    ///
    /// # Errors
    /// `NotFound`: it is known that there is none.
    async fn find(&self, source: Source, size: Size) -> Result<Option<Thumbnail>> {
        let Source { room, revision } = source;
        let known = self
            .ground
            .db
            .read(move |tx| Ok::<_, Error>(rows::known(tx, room, revision)?))
            .await?;
        let original = match known {
            Known::Nothing => return Ok(None),
            Known::NoImage => return Err(no_thumbnail()),
            Known::Image(original) => original,
        };
        let bytes = match self.read_object(&source.key(size)).await {
            Ok(bytes) => bytes,
            // Objects may be lost: they are made again.
            Err(blob::Error::Missing { .. } | blob::Error::Range { .. }) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let media_type = if bytes.starts_with(b"\x89PNG") {
            "image/png"
        } else {
            "image/jpeg"
        };
        Ok(Some(Thumbnail {
            bytes,
            media_type,
            revision,
            original,
        }))
    }

    async fn read_object(&self, key: &str) -> std::result::Result<Bytes, blob::Error> {
        let bytes = self.ground.blob.size(key).await?;
        self.ground.blob.get_range(key, 0, bytes).await
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit> {
        Arc::clone(&self.turns)
            .acquire_owned()
            .await
            .map_err(|error| Error::internal("turns ended").because(error))
    }

    /// Makes the thumbnails of a revision, or remembers that it has none.
    async fn make(
        &self,
        source: Source,
        content: &StoredContent,
        turn: OwnedSemaphorePermit,
    ) -> Result<()> {
        let mut reader = read_packed(&self.ground.chunks, &content.packed, content.bytes)?;
        let mut bytes = BytesMut::new();
        while let Some(piece) = reader.next().await? {
            bytes.extend_from_slice(&piece);
        }
        let made = decode(bytes.freeze(), turn).await;
        let size = made.as_ref().map(|made| made.size);
        let Source { room, revision } = source;
        // The row first: whatever object there is can be found by it, and be deleted with it.
        let is_kept = self
            .ground
            .db
            .write(Lock::None, move |tx| {
                Ok::<_, Error>(rows::remember(tx, room, revision, size)?)
            })
            .await?;
        if !is_kept {
            return Ok(());
        }
        for (size, picture) in made.map(|made| made.thumbnails).unwrap_or_default() {
            match self
                .ground
                .blob
                .put(&source.key(size), vec![Bytes::from(picture)])
                .await
            {
                Ok(()) | Err(blob::Error::Exists { .. }) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(())
    }

    /// Looks at one new content, for the job.
    async fn look(&self, room: RoomId, new: &rows::NewContent) -> Result<()> {
        if !is_candidate(&new.name, new.bytes) {
            return Ok(());
        }
        let source = Source {
            room,
            revision: new.position,
        };
        let turn = self.turn().await?;
        let revision = new.position;
        let found = self
            .ground
            .db
            .read(move |tx| match rows::known(tx, room, revision)? {
                Known::Nothing => kept_content(tx, room, revision),
                Known::NoImage | Known::Image(_) => Ok(None),
            })
            .await?;
        match found {
            Some(content) => self.make(source, &content, turn).await,
            None => Ok(()),
        }
    }

    /// Deletes thumbnails whose revisions are kept no longer, and says how many there were.
    async fn sweep(&self, limit: u32) -> Result<usize> {
        let dead = self
            .ground
            .db
            .read(move |tx| Ok::<_, Error>(rows::dead(tx, limit)?))
            .await?;
        for (room, revision) in &dead {
            let source = Source {
                room: *room,
                revision: *revision,
            };
            for size in [Size::Small, Size::Large] {
                let deleted = self.ground.blob.delete(&source.key(size)).await;
                deleted.map_err(failed)?;
            }
        }
        let count = dead.len();
        if count > 0 {
            self.ground
                .db
                .write(Lock::None, move |tx| {
                    Ok::<_, Error>(rows::forget(tx, &dead)?)
                })
                .await?;
        }
        Ok(count)
    }
}

impl Source {
    fn key(&self, size: Size) -> String {
        format!("thumbnail/{}/{}-{}", self.room, self.revision, size.side())
    }
}

/// Decodes on a thread of its own. The turn is given back when the thread ends, also where nobody waits for it any more.
async fn decode(bytes: Bytes, turn: OwnedSemaphorePermit) -> Option<Made> {
    let work = tokio::task::spawn_blocking(move || {
        let made = make::make(&bytes);
        drop(turn);
        made
    });
    match tokio::time::timeout(DECODE_TIME_MAX, work).await {
        Ok(Ok(made)) => made,
        Ok(Err(error)) => {
            tracing::warn!(%error, "decoding an image broke off");
            None
        }
        Err(_) => {
            tracing::warn!("decoding an image takes too long");
            None
        }
    }
}

/// Whether a file may be an image of which thumbnails are made.
fn is_candidate(name: &str, bytes: u64) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    (1..=SOURCE_BYTES_MAX).contains(&bytes)
        && ending.is_some_and(|ending| {
            ENDINGS
                .iter()
                .any(|known| known.eq_ignore_ascii_case(ending))
        })
}

fn no_thumbnail() -> Error {
    Error::not_found("there is no thumbnail of this")
}

fn busy() -> Error {
    Error::new(
        ErrorCode::Unavailable,
        "other images are being looked at; try again shortly",
    )
    .retry_after(RETRY_AFTER_SECONDS)
}

fn failed(error: blob::Error) -> Error {
    Error::new(
        ErrorCode::Unavailable,
        "the server's store of objects does not work now",
    )
    .because(error)
}
