//! Steps of following: each is planned by reading, and written by one short transaction.
//!
//! Each room is followed by itself, from the positions in its row of `search_room`. Who plans a step reads a snapshot and
//! holds nobody up, however long it takes. Who writes it locks the rows of its rooms first and compares them with what was
//! read: every step moves them on, so where they are the same the index is as it was, and where they are not somebody else
//! followed meanwhile and nothing is written. The logs and drives are not locked at all. A step is small, because on SQLite
//! all other writers wait for it.

use wharf_store::search::Changes;
use wharf_store::sql::{self, Tx};
use wharf_types::RoomId;

use super::index::{Change, Followed, Heads, Key, Pass};

/// What one step changes, worked out.
#[derive(Debug, Default)]
pub(super) struct Step {
    rooms: Vec<Moved>,
    docs: Vec<Change>,
    blocks: Changes,
    /// Rooms that there is more to do in, in the order of their ids.
    pub(super) more: Vec<RoomId>,
}

/// How far a room's index is before and after a step.
#[derive(Debug)]
struct Moved {
    room: RoomId,
    before: Followed,
    after: Followed,
}

/// The rooms whose index is behind, `limit` at most past `after`, in the order of their ids. One without members is still
/// being brought in, or is on its way out.
pub(super) fn behind(
    tx: &mut Tx<'_>,
    after: Option<RoomId>,
    limit: u32,
) -> sql::Result<Vec<RoomId>> {
    let after = after.unwrap_or(RoomId::from_bytes([0; 16]));
    tx.all(
        "SELECT l.room_id FROM log l JOIN room r ON r.id = l.room_id LEFT JOIN search_room s ON s.room_id = l.room_id \
         WHERE l.room_id > ?1 AND (l.head > COALESCE(s.log_position, 0) OR r.drive_head > COALESCE(s.drive_position, 0) \
         OR l.floor_position > COALESCE(s.floor_position, 0)) \
         AND EXISTS (SELECT 1 FROM member m WHERE m.room_id = l.room_id) ORDER BY l.room_id LIMIT ?2",
        &[after.into(), limit.into()],
        |row| row.id(0),
    )
}

impl Step {
    /// Plans a step in some rooms, in the order of their ids.
    pub(super) fn plan(tx: &mut Tx<'_>, rooms: &[RoomId]) -> sql::Result<Self> {
        let mut pass = Pass::default();
        let mut step = Self::default();
        for room in rooms {
            if pass.is_full() {
                step.more.push(*room);
                continue;
            }
            let Some(heads) = heads(tx, *room)? else {
                continue;
            };
            let before = followed(tx, *room)?;
            let mut after = before;
            if pass.follow_room(tx, *room, &mut after, heads)? {
                step.more.push(*room);
            }
            if after != before {
                let room = *room;
                step.rooms.push(Moved {
                    room,
                    before,
                    after,
                });
            }
        }
        step.blocks = Changes::plan(tx, &pass.edits)?;
        step.docs = pass.changes;
        Ok(step)
    }

    /// Whether there is nothing to write.
    pub(super) fn is_empty(&self) -> bool {
        self.rooms.is_empty()
    }

    /// The rooms that it is about.
    pub(super) fn rooms(&self) -> impl Iterator<Item = RoomId> {
        self.rooms.iter().map(|moved| moved.room)
    }

    /// Writes the step; `false` where somebody else followed one of its rooms meanwhile, and nothing was written.
    pub(super) fn write(&self, tx: &mut Tx<'_>) -> sql::Result<bool> {
        for moved in &self.rooms {
            if lock(tx, moved.room)? != moved.before {
                return Ok(false);
            }
        }
        for change in &self.docs {
            write_doc(tx, change)?;
        }
        self.blocks.write(tx)?;
        for Moved { room, after, .. } in &self.rooms {
            tx.exec(
                "UPDATE search_room SET log_position = ?2, drive_position = ?3, floor_position = ?4, entry_doc = ?5, \
                 node_doc = ?6 WHERE room_id = ?1",
                &[
                    room.into(),
                    after.log_position.into(),
                    after.drive_position.into(),
                    after.floor_position.into(),
                    after.entry_doc.into(),
                    after.node_doc.into(),
                ],
            )?;
        }
        Ok(true)
    }
}

fn write_doc(tx: &mut Tx<'_>, change: &Change) -> sql::Result<()> {
    match change {
        Change::Insert {
            room,
            doc,
            key,
            terms,
        } => {
            let (position, node) = match key {
                Key::Entry(position) => (Some(*position), None),
                Key::Node(node) => (None, Some(*node)),
            };
            tx.exec(
                "INSERT INTO search_doc (room_id, doc, position, node_id, terms) VALUES (?1, ?2, ?3, ?4, ?5)",
                &[
                    room.into(),
                    (*doc).into(),
                    position.into(),
                    node.into(),
                    terms.into(),
                ],
            )?;
        }
        Change::Update { room, doc, terms } => {
            tx.exec(
                "UPDATE search_doc SET terms = ?3 WHERE room_id = ?1 AND doc = ?2",
                &[room.into(), (*doc).into(), terms.into()],
            )?;
        }
        Change::Delete { room, doc } => {
            tx.exec(
                "DELETE FROM search_doc WHERE room_id = ?1 AND doc = ?2",
                &[room.into(), (*doc).into()],
            )?;
        }
    }
    Ok(())
}

/// How far a room's index is; before the first time it is nowhere.
fn followed(tx: &mut Tx<'_>, room: RoomId) -> sql::Result<Followed> {
    let found = tx.opt(
        "SELECT log_position, drive_position, floor_position, entry_doc, node_doc FROM search_room WHERE room_id = ?1",
        &[room.into()],
        read_followed,
    )?;
    Ok(found.unwrap_or(Followed {
        log_position: 0,
        drive_position: 0,
        floor_position: 0,
        entry_doc: 0,
        node_doc: 1,
    }))
}

/// Keeps others from following this room, and reads how far it is.
fn lock(tx: &mut Tx<'_>, room: RoomId) -> sql::Result<Followed> {
    tx.one(
        "INSERT INTO search_room (room_id, log_position, drive_position, floor_position, entry_doc, node_doc) \
         VALUES (?1, 0, 0, 0, 0, 1) \
         ON CONFLICT (room_id) DO UPDATE SET log_position = search_room.log_position \
         RETURNING log_position, drive_position, floor_position, entry_doc, node_doc",
        &[room.into()],
        read_followed,
    )
}

fn read_followed(row: &sql::Row<'_>) -> sql::Result<Followed> {
    Ok(Followed {
        log_position: row.uint(0)?,
        drive_position: row.uint(1)?,
        floor_position: row.uint(2)?,
        entry_doc: row.uint(3)?,
        node_doc: row.uint(4)?,
    })
}

fn heads(tx: &mut Tx<'_>, room: RoomId) -> sql::Result<Option<Heads>> {
    tx.opt(
        "SELECT l.head, r.drive_head, l.floor_position FROM log l JOIN room r ON r.id = l.room_id WHERE l.room_id = ?1",
        &[room.into()],
        |row| {
            Ok(Heads {
                log: row.uint(0)?,
                drive: row.uint(1)?,
                floor: row.uint(2)?,
            })
        },
    )
}
