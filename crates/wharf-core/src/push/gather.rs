//! Who is to be told of what was said.

use wharf_store::sql::{self, Lock, Tx};
use wharf_types::api::contact::Status;
use wharf_types::{AccountId, RoomId, SessionId};

use super::Pushes;
use super::spoken::Stretch;
use crate::error::Result;

/// Everybody, as a mention has it.
pub(super) const EVERYBODY: AccountId = AccountId::from_bytes([0; 16]);
/// How long somebody who looks at a room may take to read: nobody is told before.
pub(super) const GRACE_MS: i64 = 4_000;
/// Notices that wait for one session; what else is said meanwhile makes none.
const WAITING_MAX: u32 = 200;

/// What entry `e` must be to be worth telling to member `m`. ?1 is everybody, ?2 the room, ?3 the first and ?4 the last
/// position.
macro_rules! worth_telling {
    () => {
        "e.room_id = ?2 AND e.position >= ?3 AND e.position <= ?4 AND e.position > m.read_position \
         AND e.position > m.floor_position AND e.kind <= 1 AND e.body IS NOT NULL AND e.recall_position IS NULL \
         AND (e.account_id IS NULL OR e.account_id <> m.account_id) AND m.is_hidden = 0 \
         AND (m.notify = 'all' OR m.notify = 'mentions' AND EXISTS (SELECT 1 FROM mention n \
         WHERE n.room_id = e.room_id AND n.account_id IN (m.account_id, ?1) AND n.position = e.position)) \
         AND NOT EXISTS (SELECT 1 FROM contact c WHERE c.account_id = m.account_id AND c.other_id = e.account_id \
         AND c.is_blocked = 1)"
    };
}
pub(super) use worth_telling;

/// A notice to be made.
#[derive(Debug, Clone, Copy)]
struct New {
    session: SessionId,
    account: AccountId,
    room: RoomId,
    stretch: Stretch,
}

impl Pushes {
    /// Returns when something was said in this process since this was awaited last; dropping it loses nothing.
    pub async fn spoken(&self) {
        self.ground.spoken.rung().await;
    }

    /// Makes notices of what was said in this process, and returns how many sessions are concerned.
    pub async fn gather(&self) -> Result<usize> {
        let taken = self.ground.spoken.take();
        if taken.is_empty() {
            return Ok(0);
        }
        let gathered = self.try_gather(taken.clone()).await;
        if gathered.is_err() {
            self.ground.spoken.note(taken.into_iter());
        }
        gathered
    }

    async fn try_gather(&self, said: Vec<(RoomId, Stretch)>) -> Result<usize> {
        let find = move |tx: &mut Tx<'_>| -> Result<Vec<New>> {
            let mut concerned = Vec::new();
            for (room, stretch) in &said {
                concerned.append(&mut find(tx, *room, *stretch)?);
            }
            Ok(concerned)
        };
        let mut concerned = self.ground.db.read(find).await?;
        // Who is busy wants to be left alone on all devices.
        concerned.retain(|new| self.ground.live.status_of(new.account) != Status::Busy);
        let count = concerned.len();
        if count > 0 {
            let due_ms = self.ground.clock.now_ms() + GRACE_MS;
            let note = move |tx: &mut Tx<'_>| -> Result<()> {
                for new in &concerned {
                    insert(tx, new, due_ms)?;
                }
                Ok(())
            };
            self.ground.db.write(Lock::None, note).await?;
        }
        Ok(count)
    }
}

/// The sessions that what was said in a room concerns.
fn find(tx: &mut Tx<'_>, room: RoomId, stretch: Stretch) -> sql::Result<Vec<New>> {
    tx.all(
        concat!(
            "SELECT s.session_id, s.account_id FROM member m \
             JOIN room r ON r.id = m.room_id AND r.kind <> 'personal' \
             JOIN push_subscription s ON s.account_id = m.account_id \
             JOIN account a ON a.id = m.account_id AND a.locked = 0 \
             WHERE m.room_id = ?2 AND EXISTS (SELECT 1 FROM entry e WHERE ",
            worth_telling!(),
            ") ORDER BY s.session_id"
        ),
        &[
            EVERYBODY.into(),
            room.into(),
            stretch.first.into(),
            stretch.last.into(),
        ],
        |row| {
            Ok(New {
                session: row.id(0)?,
                account: row.id(1)?,
                room,
                stretch,
            })
        },
    )
}

/// Makes a notice, or lets the one that waits go on to the new end.
fn insert(tx: &mut Tx<'_>, new: &New, due_ms: i64) -> sql::Result<()> {
    tx.exec(
        "INSERT INTO push_notice (session_id, room_id, first_position, last_position, due_ms, begun_count, failed_count) \
         SELECT s.session_id, ?2, ?3, ?4, ?5, 0, 0 FROM push_subscription s WHERE s.session_id = ?1 \
         AND (SELECT count(*) FROM push_notice n WHERE n.session_id = ?1 AND n.room_id <> ?2) < ?6 \
         ON CONFLICT (session_id, room_id) DO UPDATE SET last_position = \
         CASE WHEN push_notice.last_position < excluded.last_position THEN excluded.last_position \
         ELSE push_notice.last_position END",
        &[
            new.session.into(),
            new.room.into(),
            new.stretch.first.into(),
            new.stretch.last.into(),
            due_ms.into(),
            WAITING_MAX.into(),
        ],
    )?;
    Ok(())
}
