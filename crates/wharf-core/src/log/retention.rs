//! Retention: in rooms that keep entries for some days only, the beginning of the log goes, a bounded unit at a time.
//!
//! Entries go by whole hours, as the log counts them: an hour goes when all of it is past the days. What stays begins
//! after the floor, whose place in the chain is kept, so that the rest still verifies. Numbers of devices are kept
//! whatever happens to their entries.

use wharf_store::sql::{self, Lock, Tx};
use wharf_types::api::log::Body;
use wharf_types::{AccountId, EntryHash, RoomId};

use super::{Logs, effect, forget, rows};
use crate::error::Result;
use crate::live::Notices;
use crate::room::{Thing, touch};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const HOUR_MS: i64 = 60 * 60 * 1000;

impl Logs {
    /// Does a whole round of retention, as its job does in units spread over time.
    pub async fn retain_all(&self) -> Result<()> {
        let mut after = None;
        loop {
            after = self.retain(after).await?;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// Does one bounded unit of a round through the rooms past `after` that do not keep everything, and returns where to
    /// go on, or `None` at the end of the round.
    pub(crate) async fn retain(&self, after: Option<RoomId>) -> Result<Option<RoomId>> {
        let after = after.unwrap_or_else(|| RoomId::from_bytes([0; 16]));
        let next = self
            .ground
            .db
            .read(move |tx| {
                tx.opt(
                    "SELECT room_id FROM log WHERE room_id > ?1 AND keep_days > 0 ORDER BY room_id LIMIT 1",
                    &[after.into()],
                    |row| row.id::<RoomId>(0),
                )
                .map_err(crate::Error::from)
            })
            .await?;
        let Some(room) = next else {
            return Ok(None);
        };
        let now_ms = self.ground.clock.now_ms();
        let is_done = self
            .ground
            .act(Lock::Room(room), move |tx| work_on(tx, room, now_ms))
            .await?;
        Ok(Some(if is_done { room } else { after }))
    }
}

/// One unit in one room; says whether nothing is left to do there.
fn work_on(tx: &mut Tx<'_>, room: RoomId, now_ms: i64) -> Result<(bool, Notices)> {
    let mut notices = Notices::default();
    let days = tx.opt(
        "SELECT keep_days FROM log WHERE room_id = ?1",
        &[room.into()],
        |row| row.int(0),
    )?;
    // It is being taken away since it was found.
    let Some(days) = days else {
        return Ok((true, notices));
    };
    let end = rows::end(tx, room)?;
    let due = if days > 0 {
        floor_due(tx, room, end.head, now_ms - days * DAY_MS)?
    } else {
        end.floor
    };
    if due <= end.floor {
        return Ok((true, notices));
    }
    let floor = due.min(end.floor + u64::from(forget::PART_ENTRIES_MAX));
    raise_floor(tx, room, floor)?;
    let is_done = floor == due;
    if is_done {
        // What members see of the room has changed: told once, at the end.
        let members = tx.all(
            "SELECT account_id FROM member WHERE room_id = ?1 ORDER BY account_id",
            &[room.into()],
            |row| row.id::<AccountId>(0),
        )?;
        for account in members {
            let version = touch(tx, account, Thing::Room(room))?;
            notices.accounts.push((account, version));
        }
    }
    Ok((is_done, notices))
}

/// The last position of the hours that ended before `cutoff_ms`.
fn floor_due(tx: &mut Tx<'_>, room: RoomId, head: u64, cutoff_ms: i64) -> sql::Result<u64> {
    let first_kept = tx.opt(
        "SELECT position FROM log_hour WHERE room_id = ?1 AND hour >= ?2 ORDER BY hour LIMIT 1",
        &[room.into(), cutoff_ms.div_euclid(HOUR_MS).into()],
        |row| row.uint(0),
    )?;
    Ok(first_kept.unwrap_or(head + 1).saturating_sub(1))
}

/// Lets go of the entries up to `floor` and of all that belongs to them.
fn raise_floor(tx: &mut Tx<'_>, room: RoomId, floor: u64) -> sql::Result<()> {
    let (hash, countable) = tx.one(
        "SELECT hash, countable FROM entry WHERE room_id = ?1 AND position = ?2",
        &[room.into(), floor.into()],
        |row| Ok((row.id::<EntryHash>(0)?, row.uint(1)?)),
    )?;
    let revisions = tx.all(
        "SELECT body FROM entry WHERE room_id = ?1 AND position <= ?2 AND kind = 1 AND body IS NOT NULL",
        &[room.into(), floor.into()],
        |row| match rows::body_of(row.bytes(0)?)? {
            Body::File(file) => Ok(file.revision),
            _ => Err(sql::Error::corrupt("an entry of kind 1 is no file")),
        },
    )?;
    for revision in revisions {
        effect::let_revision_go(tx, room, revision)?;
    }
    forget::delete_up_to(tx, room, floor)?;
    tx.exec(
        "UPDATE log SET floor_position = ?2, floor_hash = ?3, floor_countable = ?4 WHERE room_id = ?1",
        &[
            room.into(),
            floor.into(),
            (&hash).into(),
            countable.into(),
        ],
    )?;
    Ok(())
}
