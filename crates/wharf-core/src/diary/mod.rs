//! A log as a journal: by day, by origin, by tag.

use wharf_types::ErrorCode;
use wharf_types::api::diary::{
    DaysQuery, DiaryDays, DiaryFormat, DiaryOrigins, DiaryPage, DiaryQuery, DiaryTags, DiaryText,
};

use crate::Ground;
use crate::caller::Caller;
use crate::drive::RoomRef;
use crate::error::{Error, Result};

/// The operations on journals. Clones are the same.
#[derive(Clone)]
pub struct Diaries {
    #[expect(dead_code, reason = "filled in by the next commit")]
    ground: Ground,
}

#[expect(clippy::unused_async, reason = "filled in by the next commit")]
impl Diaries {
    pub(crate) const fn new(ground: Ground) -> Self {
        Self { ground }
    }

    /// Counts the entries of each day of a span.
    pub async fn days(&self, by: &Caller, room: RoomRef, query: DaysQuery) -> Result<DiaryDays> {
        drop((room.id(by)?, query));
        Err(not_yet())
    }

    /// Reads entries: of a span of days, of a day of every year, with a tag, or from an origin.
    pub async fn page(&self, by: &Caller, room: RoomRef, query: DiaryQuery) -> Result<DiaryPage> {
        drop((room.id(by)?, query));
        Err(not_yet())
    }

    /// Lists the tags, the most used ones first.
    pub async fn tags(&self, by: &Caller, room: RoomRef) -> Result<DiaryTags> {
        room.id(by)?;
        Err(not_yet())
    }

    /// Lists the places that the caller's own entries came from, the most used ones first.
    pub async fn origins(&self, by: &Caller, room: RoomRef) -> Result<DiaryOrigins> {
        room.id(by)?;
        Err(not_yet())
    }

    /// Writes out what [`Diaries::page`] would read, a part at a time.
    pub async fn export(
        &self,
        by: &Caller,
        room: RoomRef,
        query: DiaryQuery,
        format: DiaryFormat,
    ) -> Result<DiaryText> {
        drop((room.id(by)?, query, format));
        Err(not_yet())
    }
}

fn not_yet() -> Error {
    Error::new(ErrorCode::Unsupported, "journals are not there yet")
}
