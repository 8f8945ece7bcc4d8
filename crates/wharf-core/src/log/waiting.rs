//! What waits for a device in its person's direct rooms: for clients that are handed messages and keep no copy of logs.

use wharf_store::sql::{self, Tx, Value};
use wharf_types::api::log::{Append, Appended, Draft};
use wharf_types::api::room::Person;
use wharf_types::{AccountId, DeviceId, RoomId};

use super::Logs;
use crate::caller::Caller;
use crate::contact::person_from;
use crate::drive::RoomRef;
use crate::error::Result;

/// A direct room as a device knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The room.
    pub room: RoomId,
    /// Whose it is beside the caller.
    pub peer: Person,
    /// The device has it up to here, or its person has read so far on another one.
    pub after: u64,
    /// The log's last position.
    pub head: u64,
    /// When the first entry past `after` was recorded that is not the caller's own and says something, in milliseconds
    /// since the epoch; `None` where nothing waits.
    pub first_ms: Option<i64>,
}

impl Logs {
    /// The caller's direct rooms, with what waits in each for one of the caller's devices; in no order.
    pub async fn waiting(&self, by: &Caller, device: DeviceId) -> Result<Vec<Waiting>> {
        let account = by.account()?;
        self.ground
            .db
            .read(move |tx| Ok(waiting(tx, account, device)?))
            .await
    }

    /// Appends what comes through a door whose clients number nothing: each call is one entry, and asking again after an
    /// answer that got lost is another one.
    ///
    /// # Errors
    /// As [`Logs::append`].
    pub async fn append_once(&self, by: &Caller, room: RoomRef, draft: Draft) -> Result<Appended> {
        let now_ms = self.ground.clock.now_ms();
        let append = Append {
            device: self.ground.random.id(DeviceId::new, now_ms),
            number: 1,
            draft,
            client_ms: None,
        };
        self.append(by, room, append).await
    }
}

fn waiting(tx: &mut Tx<'_>, account: AccountId, device: DeviceId) -> sql::Result<Vec<Waiting>> {
    let mut rooms = tx.all(
        "SELECT m.room_id, m.read_position, m.floor_position, d.position, l.head, l.floor_position, \
         a.id, a.number, a.username, a.nickname, a.status_text \
         FROM member m JOIN room r ON r.id = m.room_id AND r.kind = 'direct' JOIN log l ON l.room_id = m.room_id \
         JOIN member o ON o.room_id = m.room_id AND o.account_id <> m.account_id \
         JOIN account a ON a.id = o.account_id \
         LEFT JOIN delivered d ON d.room_id = m.room_id AND d.account_id = m.account_id AND d.device_id = ?2 \
         WHERE m.account_id = ?1",
        &[account.into(), device.into()],
        |row| {
            let floor = row.uint(2)?.max(row.uint(5)?);
            let received = row.opt_uint(3)?.unwrap_or(0);
            Ok(Waiting {
                room: row.id(0)?,
                after: row.uint(1)?.max(received).max(floor),
                head: row.uint(4)?,
                first_ms: None,
                peer: person_from(row, 6)?,
            })
        },
    )?;
    for room in rooms.iter_mut().filter(|room| room.head > room.after) {
        // Texts, files, edits and recalls: see the kinds of entries.
        room.first_ms = tx.opt(
            "SELECT at_ms FROM entry WHERE room_id = ?1 AND position > ?2 AND kind <= 3 AND body IS NOT NULL \
             AND (account_id IS NULL OR account_id <> ?3) ORDER BY position LIMIT 1",
            &[room.room.into(), Value::from(room.after), account.into()],
            |row| row.int(0),
        )?;
    }
    Ok(rooms)
}
