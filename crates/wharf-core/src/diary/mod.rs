//! A log as a journal: by day, by origin, by tag.
//!
//! Days are days in the time zone that a request names. Entries of a day are found by `log_hour`, which knows where each hour of
//! a log begins; tags by the search's index, which is brought up to date for the room first, so that what was just
//! written is there. What was recalled is in no journal.

mod days;
mod gather;
mod write;

use wharf_store::sql::Tx;
use wharf_types::api::diary::{
    DaysQuery, DiaryDays, DiaryFormat, DiaryOrigin, DiaryOrigins, DiaryPage, DiaryQuery, DiaryTag,
    DiaryTags, DiaryText,
};
use wharf_types::limit::{DIARY_ENTRIES_DEFAULT, DIARY_ENTRIES_MAX};
use wharf_types::{AccountId, RoomId};

use crate::Ground;
use crate::access::{Right, enter};
use crate::caller::{Caller, Door};
use crate::drive::RoomRef;
use crate::error::Result;
use crate::search::{ENTRY_TAGS, follow_room};
use crate::zone::Zone;
use gather::{Plan, Step};

/// Most tags and origins that are listed.
const LISTED_MAX: u32 = 1_000;
/// Steps for which a request itself brings the index up to date; the job does the rest.
const FOLLOW_STEPS_MAX: u32 = 400;
/// Pages of a journal that a part of an export may go through without finding anything to write.
const EMPTY_PAGES_MAX: u32 = 20;

/// The operations on journals. Clones are the same.
#[derive(Clone)]
pub struct Diaries {
    ground: Ground,
}

/// What a reader sees of a journal.
#[derive(Debug, Clone, Copy)]
struct View {
    room: RoomId,
    reader: AccountId,
    head: u64,
    /// The last position that the reader cannot read.
    floor: u64,
    now_ms: i64,
}

impl Diaries {
    pub(crate) const fn new(ground: Ground) -> Self {
        Self { ground }
    }

    /// Counts the entries of each day of a span.
    ///
    /// # Errors
    /// - `Invalid`: a day or the time zone is none, or the span is longer than a year.
    /// - `NotFound`: there is no such room for the caller.
    pub async fn days(&self, by: &Caller, room: RoomRef, query: DaysQuery) -> Result<DiaryDays> {
        let zone = Zone::parse(query.zone.as_deref())?;
        let span = days::Span::of_days(&query.from, &query.to, &zone)?;
        self.read(by, room, move |tx, view| days::count(tx, view, span, &zone))
            .await
    }

    /// Reads entries: of a span of days, of a day of every year, with a tag, or from an origin.
    ///
    /// One call looks at a bounded number of entries: where few of them are asked for the page is short, and `next` says
    /// where to go on.
    ///
    /// # Errors
    /// - `Invalid`: a day or the time zone is none.
    /// - `NotFound`: there is no such room for the caller.
    pub async fn page(&self, by: &Caller, room: RoomRef, query: DiaryQuery) -> Result<DiaryPage> {
        let limit = query
            .limit
            .unwrap_or(DIARY_ENTRIES_DEFAULT)
            .clamp(1, DIARY_ENTRIES_MAX);
        if query.tag.is_some() {
            self.follow(by, room).await?;
        }
        self.read(by, room, move |tx, view| {
            let plan = Plan::make(tx, view, &query)?;
            let Step { items, next } = gather::run(tx, view, &plan, query.after, limit)?;
            Ok(DiaryPage {
                head: view.head,
                items,
                next,
            })
        })
        .await
    }

    /// Lists the tags, the most used ones first.
    ///
    /// # Errors
    /// `NotFound`: there is no such room for the caller.
    pub async fn tags(&self, by: &Caller, room: RoomRef) -> Result<DiaryTags> {
        self.follow(by, room).await?;
        self.read(by, room, tags).await
    }

    /// Lists the places that the caller's own entries and those of old diary clients came from, the most used ones first.
    ///
    /// # Errors
    /// `NotFound`: there is no such room for the caller.
    pub async fn origins(&self, by: &Caller, room: RoomRef) -> Result<DiaryOrigins> {
        self.read(by, room, origins).await
    }

    /// Writes out what [`Diaries::page`] would read, a part at a time.
    ///
    /// # Errors
    /// As [`Diaries::page`].
    pub async fn export(
        &self,
        by: &Caller,
        room: RoomRef,
        query: DiaryQuery,
        format: DiaryFormat,
    ) -> Result<DiaryText> {
        let limit = query
            .limit
            .unwrap_or(DIARY_ENTRIES_MAX)
            .clamp(1, DIARY_ENTRIES_MAX);
        if query.tag.is_some() && query.after.is_none() {
            self.follow(by, room).await?;
        }
        let begun_after = query.after;
        let mut after = query.after;
        for _ in 0..EMPTY_PAGES_MAX {
            let query = query.clone();
            let (text, next) = self
                .read(by, room, move |tx, view| {
                    let plan = Plan::make(tx, view, &query)?;
                    let step = gather::run(tx, view, &plan, after, limit)?;
                    if step.items.is_empty() {
                        return Ok((String::new(), step.next));
                    }
                    let how = (begun_after, format);
                    let text = write::out(tx, view, &plan, &step.items, how)?;
                    // The next part begins after an entry that was written, whose day has its heading.
                    let last = step.items.last().map(|last| last.position);
                    Ok((text, step.next.and(last)))
                })
                .await?;
            if !text.is_empty() || next.is_none() {
                return Ok(DiaryText { text, next });
            }
            after = next;
        }
        Ok(DiaryText {
            text: String::new(),
            next: after,
        })
    }

    /// Brings the index of the room up to date, for who may read it.
    async fn follow(&self, by: &Caller, room: RoomRef) -> Result<()> {
        self.read(by, room, |_, _| Ok(())).await?;
        follow_room(&self.ground, room.id(by)?, FOLLOW_STEPS_MAX).await
    }

    async fn read<T: Send + 'static>(
        &self,
        by: &Caller,
        room: RoomRef,
        mut work: impl FnMut(&mut Tx<'_>, &View) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let by = *by;
        let room = room.id(&by)?;
        let now_ms = self.ground.clock.now_ms();
        self.ground
            .db
            .read(move |tx| {
                let entered = enter(tx, &by, room, Right::Read)?;
                let (head, log_floor) = tx.one(
                    "SELECT head, floor_position FROM log WHERE room_id = ?1",
                    &[room.into()],
                    |row| Ok((row.uint(0)?, row.uint(1)?)),
                )?;
                let view = View {
                    room,
                    reader: by.account()?,
                    head,
                    floor: entered.floor.max(log_floor),
                    now_ms,
                };
                work(tx, &view)
            })
            .await
    }
}

/// Counts tags by the index, and, for a member who does not see all of the log, one by one.
fn tags(tx: &mut Tx<'_>, view: &View) -> Result<DiaryTags> {
    let (begin, end) = ENTRY_TAGS;
    let first_doc = gather::doc_past(tx, view.room, view.floor)?;
    let mut items = Vec::new();
    let counted = tx.all(
        "SELECT term, CAST(sum(doc_count) AS BIGINT) FROM search_block \
         WHERE room_id = ?1 AND term >= ?2 AND term < ?3 GROUP BY term",
        &[view.room.into(), begin.into(), end.into()],
        |row| Ok((row.text(0)?.to_owned(), row.uint(1)?)),
    )?;
    for (term, count) in counted {
        let count = if view.floor == 0 {
            count
        } else {
            let docs = wharf_store::search::docs(tx, view.room, &term)?;
            (docs.len() - docs.partition_point(|doc| *doc < first_doc)) as u64
        };
        if count > 0 {
            items.push(DiaryTag {
                tag: term.trim_start_matches(begin).to_owned(),
                count: u32::try_from(count).unwrap_or(u32::MAX),
            });
        }
    }
    items.sort_by(|one, other| (other.count, &one.tag).cmp(&(one.count, &other.tag)));
    items.truncate(LISTED_MAX as usize);
    Ok(DiaryTags { items })
}

fn origins(tx: &mut Tx<'_>, view: &View) -> Result<DiaryOrigins> {
    let items = tx.all(
        "SELECT s.device, e.door, e.address, count(*) AS entry_count FROM entry e \
         LEFT JOIN session s ON s.id = e.session_id AND s.account_id = e.account_id \
         WHERE e.room_id = ?1 AND e.position > ?2 AND (e.account_id = ?3 OR (e.account_id IS NULL AND e.door = ?5)) AND e.kind <= 1 \
         AND e.recall_position IS NULL AND e.body IS NOT NULL \
         GROUP BY s.device, e.door, e.address ORDER BY entry_count DESC, s.device, e.door, e.address LIMIT ?4",
        &[
            view.room.into(),
            view.floor.into(),
            view.reader.into(),
            LISTED_MAX.into(),
            Door::Diary.text().into(),
        ],
        |row| {
            Ok(DiaryOrigin {
                device: row.opt_text(0)?.map(str::to_owned),
                door: row.text(1)?.to_owned(),
                address: row.opt_text(2)?.map(str::to_owned),
                count: u32::try_from(row.uint(3)?).unwrap_or(u32::MAX),
            })
        },
    )?;
    Ok(DiaryOrigins { items })
}
