//! Retention: what is no longer current goes when its days are over, a bounded unit at a time.

use wharf_store::sql::{self, Lock, Tx, Value};
use wharf_types::{CommitId, RoomId};

use super::reap::{self, Reaped};
use super::rows::{NodeRow, grave_of, select_node};
use super::stream::{Author, Stream};
use super::{Drives, usage};
use crate::access::{Entered, enter_as_server};
use crate::error::Result;

/// Nodes and revisions of one unit: some milliseconds of the writer's time.
const UNIT_ITEMS_MAX: u32 = 50;
/// Rooms that one unit looks at.
const UNIT_ROOMS_MAX: u32 = 200;
/// Remembered commits that one unit looks at.
const UNIT_COMMITS_MAX: u32 = 500;
/// Commits are remembered for this long; one that is sent again later meets its own expectations.
const COMMIT_MEMORY_MS: i64 = 90 * DAY_MS;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Where a round of retention is: see [`Drives::retain`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RetentionCursor {
    /// Among the rooms: nothing is due up to this one.
    Rooms(Option<RoomId>),
    /// Among the remembered commits: those up to this one were looked at.
    Commits(RoomId, CommitId),
}

impl Default for RetentionCursor {
    fn default() -> Self {
        Self::Rooms(None)
    }
}

impl Drives {
    /// Does a whole round of retention, as its job does in units spread over time.
    pub async fn retain_all(&self) -> Result<()> {
        let mut cursor = RetentionCursor::default();
        while let Some(next) = self.retain(cursor).await? {
            cursor = next;
        }
        Ok(())
    }

    /// Does one bounded unit of a round through all rooms and returns where to go on, or `None` at the end of the round.
    ///
    /// Frees what was purged, purges what was in the trash for its days, frees revisions that were replaced longer ago than
    /// theirs, and forgets commits that nobody will send again. Present revisions outside the trash are never touched.
    pub(crate) async fn retain(&self, cursor: RetentionCursor) -> Result<Option<RetentionCursor>> {
        let now_ms = self.ground.clock.now_ms();
        match cursor {
            RetentionCursor::Rooms(after) => self.retain_rooms(after, now_ms).await,
            RetentionCursor::Commits(room, commit) => {
                self.forget_commits((room, commit), now_ms).await
            }
        }
    }

    async fn retain_rooms(
        &self,
        after: Option<RoomId>,
        now_ms: i64,
    ) -> Result<Option<RetentionCursor>> {
        let after = after.unwrap_or_else(|| RoomId::from_bytes([0; 16]));
        let look = self
            .ground
            .db
            .read(move |tx| look_for_due(tx, after, now_ms))
            .await?;
        if let Some(room) = look.due {
            let reaped = self
                .ground
                .db
                .write(Lock::Room(room), move |tx| work_on(tx, room, now_ms))
                .await?;
            // A room that turned out to have nothing is passed over, so that a round always ends.
            let at = if reaped.items == 0 {
                Some(room)
            } else {
                look.last_clear.or(Some(after))
            };
            return Ok(Some(RetentionCursor::Rooms(at)));
        }
        Ok(Some(match look.last_clear {
            Some(room) => RetentionCursor::Rooms(Some(room)),
            None => {
                RetentionCursor::Commits(RoomId::from_bytes([0; 16]), CommitId::from_bytes([0; 16]))
            }
        }))
    }

    async fn forget_commits(
        &self,
        after: (RoomId, CommitId),
        now_ms: i64,
    ) -> Result<Option<RetentionCursor>> {
        let seen = self
            .ground
            .db
            .read(move |tx| {
                tx.all(
                    "SELECT room_id, id, at_ms FROM applied_commit WHERE (room_id, id) > (?1, ?2) \
                     ORDER BY room_id, id LIMIT ?3",
                    &[after.0.into(), after.1.into(), UNIT_COMMITS_MAX.into()],
                    |row| Ok((row.id::<RoomId>(0)?, row.id::<CommitId>(1)?, row.int(2)?)),
                )
            })
            .await?;
        let Some((room, commit, _)) = seen.last().copied() else {
            return Ok(None);
        };
        let old: Vec<_> = seen
            .into_iter()
            .filter(|(_, _, at_ms)| *at_ms < now_ms - COMMIT_MEMORY_MS)
            .collect();
        if !old.is_empty() {
            self.ground
                .db
                .write(Lock::None, move |tx| forget(tx, &old))
                .await?;
        }
        Ok(Some(RetentionCursor::Commits(room, commit)))
    }
}

/// What a look through rooms found.
struct Look {
    /// The last room before the due one, or of all that were looked at, in which nothing is due.
    last_clear: Option<RoomId>,
    due: Option<RoomId>,
}

fn look_for_due(tx: &mut Tx<'_>, after: RoomId, now_ms: i64) -> Result<Look> {
    let rooms = tx.all(
        "SELECT r.id FROM room r WHERE r.id > ?1 \
         AND NOT EXISTS (SELECT 1 FROM abandoned_room a WHERE a.room_id = r.id) ORDER BY r.id LIMIT ?2",
        &[after.into(), UNIT_ROOMS_MAX.into()],
        |row| row.id::<RoomId>(0),
    )?;
    let mut last_clear = None;
    for id in rooms {
        let room = enter_as_server(tx, id)?;
        if is_due(tx, &room, now_ms)? {
            return Ok(Look {
                last_clear,
                due: Some(id),
            });
        }
        last_clear = Some(id);
    }
    Ok(Look {
        last_clear,
        due: None,
    })
}

fn is_due(tx: &mut Tx<'_>, room: &Entered, now_ms: i64) -> sql::Result<bool> {
    if any(
        tx,
        "SELECT 1 FROM node WHERE parent_id = ?1 LIMIT 1",
        &[grave_of(room.trash).into()],
    )? {
        return Ok(true);
    }
    let trash = cutoff_ms(room.retention.trash_days, now_ms);
    if let Some(before_ms) = trash
        && any(
            tx,
            "SELECT 1 FROM node WHERE room_id = ?1 AND trashed_ms < ?2 AND trashed_ms IS NOT NULL LIMIT 1",
            &[room.id.into(), before_ms.into()],
        )?
    {
        return Ok(true);
    }
    let Some(before_ms) = cutoff_ms(room.retention.revision_days, now_ms) else {
        return Ok(false);
    };
    any(
        tx,
        "SELECT 1 FROM change WHERE room_id = ?1 AND superseded_ms < ?2 AND superseded_ms IS NOT NULL \
         AND handed_count = 0 LIMIT 1",
        &[room.id.into(), before_ms.into()],
    )
}

fn any(tx: &mut Tx<'_>, text: &'static str, args: &[Value<'_>]) -> sql::Result<bool> {
    Ok(tx.opt(text, args, |_| Ok(()))?.is_some())
}

/// The time before which things are past their days; `None` when they are kept for ever.
fn cutoff_ms(days: u32, now_ms: i64) -> Option<i64> {
    (days > 0).then(|| now_ms - i64::from(days) * DAY_MS)
}

/// One unit in one room.
fn work_on(tx: &mut Tx<'_>, room: RoomId, now_ms: i64) -> Result<Reaped> {
    let room = enter_as_server(tx, room)?;
    let mut done = Reaped::default();
    if let Some(before_ms) = cutoff_ms(room.retention.trash_days, now_ms) {
        done.items += empty_trash(tx, &room, before_ms, now_ms)?;
    }
    if let Some(before_ms) = cutoff_ms(room.retention.revision_days, now_ms) {
        let reaped = reap::expire_revisions(tx, &room, before_ms, UNIT_ITEMS_MAX, now_ms)?;
        done.items += reaped.items;
        done.freed_bytes += reaped.freed_bytes;
    }
    let reaped = reap::reap(tx, &room, UNIT_ITEMS_MAX, now_ms)?;
    done.items += reaped.items;
    done.freed_bytes += reaped.freed_bytes;
    usage::charge(tx, &room, 0, done.freed_bytes)?;
    Ok(done)
}

/// Purges what has been in the trash for longer than its days.
fn empty_trash(tx: &mut Tx<'_>, room: &Entered, before_ms: i64, now_ms: i64) -> sql::Result<u32> {
    let expired = tx.all(
        select_node!(
            "WHERE n.room_id = ?1 AND n.trashed_ms < ?2 AND n.trashed_ms IS NOT NULL ORDER BY n.trashed_ms, n.id LIMIT ?3"
        ),
        &[room.id.into(), before_ms.into(), UNIT_ITEMS_MAX.into()],
        NodeRow::read,
    )?;
    let mut stream = Stream::new(room.drive_head, Author::default(), now_ms);
    for node in &expired {
        reap::bury(tx, room, node, &mut stream)?;
    }
    stream.finish(tx, room)?;
    Ok(u32::try_from(expired.len()).unwrap_or(u32::MAX))
}

fn forget(tx: &mut Tx<'_>, commits: &[(RoomId, CommitId, i64)]) -> Result<()> {
    for (room, commit, _) in commits {
        tx.exec(
            "DELETE FROM applied_commit WHERE room_id = ?1 AND id = ?2",
            &[room.into(), commit.into()],
        )?;
    }
    Ok(())
}
