//! Walking the chains of all logs and comparing them with what the rows say.

use wharf_store::sql::{self, Db, Row, Tx};
use wharf_types::api::log::{Body, LogFault};
use wharf_types::{EntryHash, RoomId};
use wharf_wire::entry::{Header, digest, kind_of, link, unpack};

use crate::error::Result;

/// Entries read in one snapshot.
const PAGE_ENTRIES: u32 = 500;

/// What was looked at, and what was wrong: at most one fault for each room, its first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifiedLogs {
    /// Rooms.
    pub rooms: u64,
    /// Entries that are in order.
    pub entries: u64,
    /// What is wrong.
    pub faults: Vec<LogFault>,
}

/// Verifies every log: positions without gaps, each entry's digest and place in the chain, what it counts, and that the
/// chain ends where the log says. It only reads, and a server may go on writing meanwhile.
pub async fn verify(db: &Db) -> Result<VerifiedLogs> {
    let mut verified = VerifiedLogs::default();
    let mut after = RoomId::from_bytes([0; 16]);
    loop {
        let next = db
            .read(move |tx| {
                tx.opt(
                    "SELECT id FROM room WHERE id > ?1 ORDER BY id LIMIT 1",
                    &[after.into()],
                    |row| row.id::<RoomId>(0),
                )
                .map_err(crate::Error::from)
            })
            .await?;
        let Some(room) = next else {
            return Ok(verified);
        };
        verify_room(db, room, &mut verified).await?;
        verified.rooms += 1;
        after = room;
    }
}

async fn verify_room(db: &Db, room: RoomId, verified: &mut VerifiedLogs) -> Result<()> {
    let mut walk = None;
    loop {
        let outcome = db
            .read(move |tx| step(tx, room, walk).map_err(crate::Error::from))
            .await?;
        match outcome {
            Step::More(next) => walk = Some(next),
            Step::End { entries } => {
                verified.entries += entries;
                return Ok(());
            }
            Step::Fault { entries, fault } => {
                verified.entries += entries;
                verified.faults.push(fault);
                return Ok(());
            }
        }
    }
}

/// How far a walk along a chain is.
#[derive(Debug, Clone, Copy)]
struct Walk {
    position: u64,
    hash: EntryHash,
    countable: u64,
    entries: u64,
}

enum Step {
    More(Walk),
    End { entries: u64 },
    Fault { entries: u64, fault: LogFault },
}

/// A room's log has no end: it goes first where a room is taken away, which may be gone since it was found.
fn without_log(tx: &mut Tx<'_>, room: RoomId, walk: Option<Walk>) -> sql::Result<Step> {
    let entries = walk.map_or(0, |walk| walk.entries);
    let stays = tx.opt(
        "SELECT 1 FROM room r WHERE r.id = ?1 AND NOT EXISTS (SELECT 1 FROM abandoned_room a WHERE a.room_id = r.id)",
        &[room.into()],
        |_| Ok(()),
    )?;
    if stays.is_none() {
        return Ok(Step::End { entries });
    }
    let fault = LogFault {
        room,
        position: 0,
        detail: "the room has no log".to_owned(),
    };
    Ok(Step::Fault { entries, fault })
}

/// Walks over one page of entries.
fn step(tx: &mut Tx<'_>, room: RoomId, walk: Option<Walk>) -> sql::Result<Step> {
    let log = tx.opt(
        "SELECT head, hash, countable, floor_position, floor_hash, floor_countable FROM log WHERE room_id = ?1",
        &[room.into()],
        |row| {
            let head = (row.uint(0)?, row.id::<EntryHash>(1)?, row.uint(2)?);
            let floor = Walk {
                position: row.uint(3)?,
                hash: row.id(4)?,
                countable: row.uint(5)?,
                entries: 0,
            };
            Ok((head, floor))
        },
    )?;
    let fault = |position, detail: String| LogFault {
        room,
        position,
        detail,
    };
    let Some((head, floor)) = log else {
        return without_log(tx, room, walk);
    };
    // Retention may have raised the floor past where the walk was.
    let mut walk = match walk {
        Some(walk) if walk.position >= floor.position => walk,
        Some(walk) => Walk {
            entries: walk.entries,
            ..floor
        },
        None => floor,
    };
    let mut found = None;
    let mut count = 0;
    tx.each(
        "SELECT n.position, n.kind, n.at_ms, n.account_id, n.session_id, n.hook_id, n.author_name, n.door, n.client_ms, \
         n.countable, n.hash, n.body, n.body_digest, n.target, \
         CASE WHEN n.recall_position IS NOT NULL OR t.recall_position IS NOT NULL \
         OR n.target <= l.floor_position THEN 1 ELSE 0 END \
         FROM entry n JOIN log l ON l.room_id = n.room_id \
         LEFT JOIN entry t ON t.room_id = n.room_id AND t.position = n.target \
         WHERE n.room_id = ?1 AND n.position > ?2 ORDER BY n.position LIMIT ?3",
        &[room.into(), walk.position.into(), PAGE_ENTRIES.into()],
        |row| {
            count += 1;
            if found.is_none()
                && let Err(detail) = follow(row, room, &mut walk)?
            {
                found = Some(fault(walk.position + 1, detail));
            }
            Ok(())
        },
    )?;
    let entries = walk.entries;
    if let Some(fault) = found {
        return Ok(Step::Fault { entries, fault });
    }
    if count == PAGE_ENTRIES {
        return Ok(Step::More(walk));
    }
    if head != (walk.position, walk.hash, walk.countable) {
        let detail = format!(
            "the log's end is at {} with {} texts and files, its entries end at {} with {}, or the hashes differ",
            head.0, head.2, walk.position, walk.countable
        );
        let fault = fault(walk.position.max(head.0), detail);
        return Ok(Step::Fault { entries, fault });
    }
    Ok(Step::End { entries })
}

/// Compares one entry with where the walk is and moves the walk onto it, or says what is wrong with it.
fn follow(row: &Row<'_>, room: RoomId, walk: &mut Walk) -> sql::Result<Result<(), String>> {
    let position = row.uint(0)?;
    if position != walk.position + 1 {
        return Ok(Err(format!(
            "the entry is missing; the next one is {position}"
        )));
    }
    let (kind, target) = (row.int(1)?, row.opt_uint(13)?);
    let is_countable = kind <= 1;
    let digest = match (row.opt_bytes(11)?, row.opt_id::<[u8; 32]>(12)?) {
        (Some(packed), _) => {
            if let Err(detail) = check_body(packed, kind, target) {
                return Ok(Err(detail));
            }
            digest(packed)
        }
        (None, Some(digest)) if row.flag(14)? => digest,
        (None, Some(_)) => return Ok(Err("its body was erased without a recall".to_owned())),
        (None, None) => return Ok(Err("its body is missing".to_owned())),
    };
    let header = Header {
        room,
        position,
        kind: u8::try_from(kind).unwrap_or(u8::MAX),
        at_ms: row.int(2)?,
        countable: row.uint(9)?,
        account: row.opt_id(3)?,
        session: row.opt_id(4)?,
        hook: row.opt_id(5)?,
        name: row.opt_text(6)?,
        client_ms: row.opt_int(8)?,
        target,
        door: row.text(7)?,
    };
    let countable = walk.countable + u64::from(is_countable);
    if header.countable != countable {
        return Ok(Err(format!(
            "it counts {} texts and files, there are {countable}",
            header.countable
        )));
    }
    let hash = link(&walk.hash, &header, &digest);
    if hash != row.id::<EntryHash>(10)? {
        return Ok(Err("it does not match its hash in the chain".to_owned()));
    }
    *walk = Walk {
        position,
        hash,
        countable,
        entries: walk.entries + 1,
    };
    Ok(Ok(()))
}

fn check_body(packed: &[u8], kind: i64, target: Option<u64>) -> Result<(), String> {
    let body: Body = unpack(packed).map_err(|error| error.to_string())?;
    if i64::from(kind_of(&body)) != kind || body.target() != target {
        return Err(
            "its body is of another kind, or about another entry, than its row says".to_owned(),
        );
    }
    Ok(())
}
