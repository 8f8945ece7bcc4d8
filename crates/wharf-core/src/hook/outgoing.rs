//! Outgoing webhooks: what is to be delivered, by whom, and what becomes of it.
//!
//! A delivery is the entries from the hook's cursor to an end that is written down before the first attempt, so every
//! attempt posts the same entries under the same name, and a receiver that has seen the name has seen the entries. Whoever
//! delivers first moves `next_ms` ahead by the time that it may take; a process that dies leaves a hook that is due then.

use wharf_store::sql::{self, Lock, Tx};
use wharf_types::api::hook::HookDelivery;
use wharf_types::limit::HOOK_DELIVERY_ENTRIES_MAX;
use wharf_types::{HookId, RoomId};

use super::Hooks;
use crate::error::Result;
use crate::{Outgoing, log};

/// How long a claim holds: longer than any attempt takes.
const CLAIM_MS: i64 = 60_000;
/// The pause after a first failure; it doubles with each further one.
const PAUSE_MS_MIN: i64 = 10_000;
/// The longest pause, also where the receiver asks for a longer one.
pub(crate) const PAUSE_MS_MAX: i64 = 3_600_000;
/// How long failures may go on before a hook stops.
const FAILING_MS_MAX: i64 = 3 * 24 * 3_600_000;
/// A delivery ends with the entry that passes this many bytes of bodies.
const DELIVERY_BYTES: u64 = 256 * 1024;
/// Longest reason that is kept, in bytes.
const REASON_BYTES_MAX: usize = 300;

/// Entries to post to a receiver, claimed by whoever holds this.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The webhook.
    pub hook: HookId,
    /// Where to.
    pub url: String,
    /// The key of the signature.
    pub secret: Vec<u8>,
    /// What to post.
    pub body: HookDelivery,
    last: u64,
}

/// Why a delivery was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// For the room's owner.
    pub reason: String,
    /// Seconds that the receiver wants to be left alone.
    pub retry_after_seconds: Option<u64>,
    /// Whether the receiver wants no more, ever.
    pub is_final: bool,
}

/// An outgoing webhook's cursor.
#[derive(Debug, Clone)]
struct Cursor {
    room: RoomId,
    url: String,
    secret: Vec<u8>,
    position: u64,
    sending: u64,
    head: u64,
    floor: u64,
}

impl Delivery {
    /// Names the delivery: the same at each attempt, and no other one's.
    pub fn name(&self) -> String {
        format!("{}:{}", self.hook, self.last)
    }
}

impl Hooks {
    /// Where outgoing webhooks may post to.
    pub fn allowed(&self) -> Outgoing {
        self.ground.config.outgoing_hooks
    }

    /// Returns when something was said in this process since this was awaited last; dropping it loses nothing. What other
    /// processes write does not ring here: look from time to time.
    pub async fn said(&self) {
        self.ground.said.notified().await;
    }

    /// Up to `count_max` outgoing webhooks with something to deliver now, the one that waited longest first.
    pub async fn due(&self, count_max: u32) -> Result<Vec<HookId>> {
        if self.allowed() == Outgoing::Off {
            return Ok(Vec::new());
        }
        let now_ms = self.ground.clock.now_ms();
        self.ground
            .db
            .read(move |tx| {
                // What waits for longer than anything may was written before the clock went back.
                Ok(tx.all(
                    "SELECT h.id FROM hook h JOIN log l ON l.room_id = h.room_id \
                     WHERE h.direction = 'outgoing' AND h.is_stopped = 0 AND (h.next_ms <= ?1 OR h.next_ms > ?2) \
                     AND l.head > h.position ORDER BY h.next_ms, h.id LIMIT ?3",
                    &[
                        now_ms.into(),
                        (now_ms + PAUSE_MS_MAX).into(),
                        count_max.into(),
                    ],
                    |row| row.id(0),
                )?)
            })
            .await
    }

    /// Takes the next delivery of a webhook, if it is due and nobody else has it. Tell its outcome with
    /// [`Hooks::delivered`] or [`Hooks::failed`]; a claim whose outcome is never told ends after a minute.
    pub async fn claim(&self, id: HookId) -> Result<Option<Delivery>> {
        let now_ms = self.ground.clock.now_ms();
        let planned = self.ground.db.read(move |tx| plan(tx, id, now_ms)).await?;
        let Some((cursor, delivery)) = planned else {
            return Ok(None);
        };
        let last = delivery.last;
        let claimed = self
            .ground
            .db
            .write(Lock::None, move |tx| -> sql::Result<u64> {
                tx.exec(
                    "UPDATE hook SET sending = ?2, next_ms = ?3 WHERE id = ?1 AND position = ?4 AND sending = ?5 \
                     AND is_stopped = 0 AND (next_ms <= ?6 OR next_ms > ?7)",
                    &[
                        id.into(),
                        last.into(),
                        (now_ms + CLAIM_MS).into(),
                        cursor.position.into(),
                        cursor.sending.into(),
                        now_ms.into(),
                        (now_ms + PAUSE_MS_MAX).into(),
                    ],
                )
            })
            .await?;
        Ok((claimed > 0).then_some(delivery))
    }

    /// Moves a webhook past what its receiver took.
    pub async fn delivered(&self, delivery: &Delivery) -> Result<()> {
        let (id, last) = (delivery.hook, delivery.last);
        let now_ms = self.ground.clock.now_ms();
        self.ground
            .db
            .write(Lock::None, move |tx| {
                tx.exec(
                    "UPDATE hook SET position = ?2, next_ms = ?3, failed_count = 0, first_failed_ms = NULL, \
                     last_error = NULL WHERE id = ?1 AND sending = ?2 AND position < ?2",
                    &[id.into(), last.into(), now_ms.into()],
                )?;
                Ok(())
            })
            .await
    }

    /// Notes that a delivery was not taken, and when to try it again, if ever.
    pub async fn failed(&self, delivery: &Delivery, failure: Failure) -> Result<()> {
        let Failure {
            mut reason,
            retry_after_seconds,
            is_final,
        } = failure;
        reason.truncate(reason.floor_char_boundary(REASON_BYTES_MAX));
        reason.retain(|c| !c.is_control());
        let (id, last, url) = (delivery.hook, delivery.last, delivery.url.clone());
        let now_ms = self.ground.clock.now_ms();
        let jitter = i64::from(self.ground.random.below(1_000));
        self.ground
            .db
            .write(Lock::None, move |tx| {
                // One that was given another address meanwhile has its fresh start.
                let failures = tx.opt(
                    "SELECT failed_count, first_failed_ms FROM hook \
                     WHERE id = ?1 AND sending = ?2 AND position < ?2 AND url = ?3",
                    &[id.into(), last.into(), (&url).into()],
                    |row| Ok((row.uint(0)?, row.opt_int(1)?)),
                )?;
                let Some((count, first_ms)) = failures else {
                    return Ok(());
                };
                let first_ms = first_ms.map_or(now_ms, |first_ms| first_ms.min(now_ms));
                let is_stopped = is_final || now_ms - first_ms >= FAILING_MS_MAX;
                let pause_ms = pause_ms(count, retry_after_seconds);
                tx.exec(
                    "UPDATE hook SET failed_count = ?2, first_failed_ms = ?3, last_error = ?4, next_ms = ?5, \
                     is_stopped = ?6 WHERE id = ?1",
                    &[
                        id.into(),
                        (count + 1).into(),
                        first_ms.into(),
                        (&reason).into(),
                        // Receivers of many rooms are not asked by all of them in the same moment.
                        (now_ms + pause_ms - pause_ms * jitter / 10_000).into(),
                        is_stopped.into(),
                    ],
                )?;
                Ok(())
            })
            .await
    }
}

/// The pause after a failure that `count` others came before.
pub(crate) fn pause_ms(count: u64, retry_after_seconds: Option<u64>) -> i64 {
    let doublings = u32::try_from(count).unwrap_or(u32::MAX).min(16);
    let own_ms = PAUSE_MS_MIN.saturating_mul(1 << doublings);
    let asked_ms = retry_after_seconds.map_or(0, |seconds| {
        i64::try_from(seconds.saturating_mul(1_000)).unwrap_or(i64::MAX)
    });
    own_ms.max(asked_ms).min(PAUSE_MS_MAX)
}

/// The next delivery of a webhook that is due, and the cursor that it was made from.
fn plan(tx: &mut Tx<'_>, id: HookId, now_ms: i64) -> Result<Option<(Cursor, Delivery)>> {
    let cursor = tx.opt(
        "SELECT h.room_id, h.url, h.secret, h.position, h.sending, l.head, l.floor_position \
         FROM hook h JOIN log l ON l.room_id = h.room_id \
         WHERE h.id = ?1 AND h.direction = 'outgoing' AND h.is_stopped = 0 AND (h.next_ms <= ?2 OR h.next_ms > ?3)",
        &[id.into(), now_ms.into(), (now_ms + PAUSE_MS_MAX).into()],
        |row| {
            Ok(Cursor {
                room: row.id(0)?,
                url: row.text(1)?.to_owned(),
                secret: row.bytes(2)?.to_vec(),
                position: row.uint(3)?,
                sending: row.uint(4)?,
                head: row.uint(5)?,
                floor: row.uint(6)?,
            })
        },
    )?;
    let Some(cursor) = cursor else {
        return Ok(None);
    };
    // What is no longer kept cannot be delivered.
    let after = cursor.position.max(cursor.floor);
    let last = if cursor.sending > after {
        cursor.sending
    } else {
        end_of_next(tx, cursor.room, after)?
    };
    if cursor.head <= after || last <= after {
        return Ok(None);
    }
    let entries = log::told_to_others(tx, cursor.room, after, last)?;
    let delivery = Delivery {
        hook: id,
        url: cursor.url.clone(),
        secret: cursor.secret.clone(),
        body: HookDelivery {
            hook: id,
            room: cursor.room,
            entries,
        },
        last,
    };
    Ok(Some((cursor, delivery)))
}

/// Where a delivery that begins past `after` ends: with a number of entries, or of bytes.
fn end_of_next(tx: &mut Tx<'_>, room: RoomId, after: u64) -> sql::Result<u64> {
    let (mut last, mut bytes) = (after, 0);
    tx.each(
        "SELECT position, CAST(length(body) AS BIGINT) FROM entry WHERE room_id = ?1 AND position > ?2 ORDER BY position LIMIT ?3",
        &[room.into(), after.into(), HOOK_DELIVERY_ENTRIES_MAX.into()],
        |row| {
            if bytes < DELIVERY_BYTES {
                last = row.uint(0)?;
                bytes += row.opt_uint(1)?.unwrap_or(0);
            }
            Ok(())
        },
    )?;
    Ok(last)
}

#[cfg(test)]
mod tests {
    use super::{PAUSE_MS_MAX, PAUSE_MS_MIN, pause_ms};

    #[test]
    fn pauses_double_up_to_an_hour_and_heed_the_receiver() {
        assert_eq!(pause_ms(0, None), PAUSE_MS_MIN);
        assert_eq!(pause_ms(3, None), 8 * PAUSE_MS_MIN);
        assert_eq!(pause_ms(9, None), PAUSE_MS_MAX);
        assert_eq!(pause_ms(u64::MAX, None), PAUSE_MS_MAX);
        assert_eq!(pause_ms(0, Some(60)), 60_000);
        assert_eq!(pause_ms(3, Some(60)), 8 * PAUSE_MS_MIN);
        assert_eq!(pause_ms(0, Some(u64::MAX)), PAUSE_MS_MAX);
    }
}
