//! Taking out: which records come after a place in the archive.

use wharf_store::sql::{self, Tx};
use wharf_types::api::portage::{
    Archive, DeliveredRecord, EntryRecord, ExportPage, Record, RoomEndRecord, RoomRecord, VERSION,
};
use wharf_types::api::room::{Room, RoomKind};
use wharf_types::{EntryHash, ErrorCode, RoomId};
use wharf_wire::entry::START;

use super::people;
use crate::access::{self, Entered};
use crate::caller::Person;
use crate::error::{Error, Result};
use crate::room::{kind_from, room_of};
use crate::{contact, drive, log};

/// Records after which a page ends, and bytes of texts and manifests, about.
const PAGE_RECORDS: usize = 2_000;
const PAGE_BYTES: usize = 1024 * 1024;
/// Entries and changes that are read at once.
const STEP_RECORDS: u32 = 500;
const STEP_CONTACTS: usize = 500;

/// A place in the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cursor {
    Begin,
    /// Past the contacts up to this number.
    Contacts(u32),
    /// Past the room that was made then.
    Rooms(i64, RoomId),
    /// Within a room's drive, past a position. The log is taken to where it stood when the room began.
    Drive {
        room: RoomId,
        after: u64,
        log_head: u64,
    },
    /// Within a room's log.
    Log {
        room: RoomId,
        after: u64,
        log_head: u64,
        drive_head: u64,
    },
}

impl Cursor {
    /// Reads where a page ended.
    ///
    /// # Errors
    /// `Invalid`: it is not that.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut parts = text.split('.');
        let kind = parts.next();
        let parts: Vec<&str> = parts.collect();
        let cursor = match (kind, parts.as_slice()) {
            (Some("contacts"), [number]) => number.parse().ok().map(Self::Contacts),
            (Some("rooms"), [made_ms, room]) => made_ms
                .parse()
                .ok()
                .zip(room.parse().ok())
                .map(|(made_ms, room)| Self::Rooms(made_ms, room)),
            (Some("drive"), [room, numbers @ ..]) => match (room.parse(), numbers_of(numbers)) {
                (Ok(room), Some([after, log_head])) => Some(Self::Drive {
                    room,
                    after,
                    log_head,
                }),
                _ => None,
            },
            (Some("log"), [room, numbers @ ..]) => match (room.parse(), numbers_of(numbers)) {
                (Ok(room), Some([after, log_head, drive_head])) => Some(Self::Log {
                    room,
                    after,
                    log_head,
                    drive_head,
                }),
                _ => None,
            },
            _ => None,
        };
        cursor.ok_or_else(|| Error::invalid("this is not where a page of an export ended"))
    }

    fn show(&self) -> String {
        match self {
            Self::Begin => String::new(),
            Self::Contacts(number) => format!("contacts.{number}"),
            Self::Rooms(made_ms, room) => format!("rooms.{made_ms}.{room}"),
            Self::Drive {
                room,
                after,
                log_head,
            } => format!("drive.{room}.{after}.{log_head}"),
            Self::Log {
                room,
                after,
                log_head,
                drive_head,
            } => format!("log.{room}.{after}.{log_head}.{drive_head}"),
        }
    }
}

/// As many positions as are wanted, all of which a database can have.
fn numbers_of<const N: usize>(parts: &[&str]) -> Option<[u64; N]> {
    let numbers: Vec<u64> = parts
        .iter()
        .map(|part| {
            part.parse()
                .ok()
                .filter(|number| i64::try_from(*number).is_ok())
        })
        .collect::<Option<_>>()?;
    numbers.try_into().ok()
}

/// What one step brings: records and where it goes on, or the end.
type Stepped = (Vec<Record>, Option<Cursor>);

/// Records past a place.
pub(super) fn page(
    tx: &mut Tx<'_>,
    person: &Person,
    begin: Cursor,
    now_ms: i64,
) -> Result<ExportPage> {
    let mut records = Vec::new();
    let mut cursor = Some(begin);
    let mut bytes = 0;
    while let Some(at) = cursor.take_if(|_| records.len() < PAGE_RECORDS && bytes < PAGE_BYTES) {
        let (step, next) = match at {
            Cursor::Begin => begin_archive(tx, person, now_ms)?,
            Cursor::Contacts(number) => contacts(tx, person, number)?,
            Cursor::Rooms(made_ms, room) => next_room(tx, person, made_ms, room)?,
            Cursor::Drive {
                room,
                after,
                log_head,
            } => drive_step(tx, person, room, after, log_head)?,
            Cursor::Log {
                room,
                after,
                log_head,
                drive_head,
            } => log_step(tx, person, room, after, (log_head, drive_head))?,
        };
        bytes += step.iter().map(bytes_of).sum::<usize>();
        records.extend(step);
        cursor = next;
    }
    Ok(ExportPage {
        records,
        next: cursor.map(|cursor| cursor.show()),
    })
}

fn begin_archive(tx: &mut Tx<'_>, person: &Person, now_ms: i64) -> Result<Stepped> {
    let account = contact::person(tx, person.account)?
        .ok_or_else(|| Error::internal("an account that asks is not there"))?;
    let mut records = vec![Record::Archive(Archive {
        version: VERSION,
        account,
        at_ms: now_ms,
    })];
    let groups = people::groups(tx, person.account)?;
    records.extend(groups.into_iter().map(Record::Group));
    Ok((records, Some(Cursor::Contacts(0))))
}

fn contacts(tx: &mut Tx<'_>, person: &Person, after: u32) -> Result<Stepped> {
    let contacts = people::contacts(tx, person.account)?;
    let mut rest: Vec<_> = contacts
        .into_iter()
        .filter(|contact| contact.person.number > after)
        .collect();
    // Two can have one number: somebody here and one who was imported. They come on one page.
    let end = rest.get(STEP_CONTACTS).map(|next| next.person.number);
    let next = match end {
        Some(end) => {
            let count = rest.partition_point(|contact| contact.person.number < end);
            rest.truncate(if count == 0 { rest.len() } else { count });
            rest.last().map(|last| Cursor::Contacts(last.person.number))
        }
        None => None,
    };
    let records = rest
        .into_iter()
        .map(|contact| Record::Contact(Box::new(contact)));
    let first_room = Cursor::Rooms(i64::MIN, RoomId::from_bytes([0; 16]));
    Ok((records.collect(), Some(next.unwrap_or(first_room))))
}

/// The room after another one, with its people.
fn next_room(tx: &mut Tx<'_>, person: &Person, made_ms: i64, after: RoomId) -> Result<Stepped> {
    let next = tx.opt(
        "SELECT r.id FROM member m JOIN room r ON r.id = m.room_id \
         WHERE m.account_id = ?1 AND (r.owner_id = ?1 OR r.kind = 'direct') AND (r.created_ms, r.id) > (?2, ?3) \
         ORDER BY r.created_ms, r.id LIMIT 1",
        &[person.account.into(), made_ms.into(), after.into()],
        |row| row.id::<RoomId>(0),
    )?;
    let Some(id) = next else {
        return Ok((vec![Record::End], None));
    };
    let room = room_of(tx, person.account, id)?.ok_or_else(gone)?;
    let cursor = Cursor::Drive {
        room: id,
        after: 0,
        log_head: room.head,
    };
    let record = room_record(tx, room)?;
    let mut records = vec![Record::Room(Box::new(record))];
    let members = people::members(tx, person.account, id)?;
    records.extend(
        members
            .into_iter()
            .map(|member| Record::Member(Box::new(member))),
    );
    Ok((records, Some(cursor)))
}

fn room_record(tx: &mut Tx<'_>, room: Room) -> Result<RoomRecord> {
    let entered = access::enter_as_server(tx, room.id)?;
    let (floor_hash, floor_countable) = floor_of(tx, room.id, room.floor)?;
    let (kind, name) = origin_of(tx, &room)?;
    Ok(RoomRecord {
        id: room.id,
        kind,
        name,
        topic: room.topic,
        history: room.history,
        archived: room.archived,
        keep_days: room.keep_days,
        retention: entered.retention,
        created_ms: room.created_ms,
        joined_ms: room.joined_ms,
        floor: room.floor,
        floor_hash,
        floor_countable,
        read: room.read,
        preferences: room.preferences,
        root: entered.root,
    })
}

/// What a room was before it was imported, where it could not stay that, and was not renamed since.
fn origin_of(tx: &mut Tx<'_>, room: &Room) -> sql::Result<(RoomKind, String)> {
    let origin = tx.opt(
        "SELECT kind, name FROM imported_room WHERE room_id = ?1 AND given_name = ?2",
        &[room.id.into(), (&room.name).into()],
        |row| Ok((kind_from(row.text(0)?)?, row.text(1)?.to_owned())),
    )?;
    Ok(origin.unwrap_or_else(|| (room.kind, room.name.clone())))
}

/// The chain's end at a floor, and how many texts and files there are up to it.
fn floor_of(tx: &mut Tx<'_>, room: RoomId, floor: u64) -> sql::Result<(EntryHash, u64)> {
    if floor == 0 {
        return Ok((START, 0));
    }
    let of_log = tx.opt(
        "SELECT floor_hash, floor_countable FROM log WHERE room_id = ?1 AND floor_position = ?2",
        &[room.into(), floor.into()],
        |row| Ok((row.id(0)?, row.uint(1)?)),
    )?;
    match of_log {
        Some(found) => Ok(found),
        None => tx.one(
            "SELECT hash, countable FROM entry WHERE room_id = ?1 AND position = ?2",
            &[room.into(), floor.into()],
            |row| Ok((row.id(0)?, row.uint(1)?)),
        ),
    }
}

fn drive_step(
    tx: &mut Tx<'_>,
    person: &Person,
    room: RoomId,
    after: u64,
    log_head: u64,
) -> Result<Stepped> {
    let (entered, view) = enter(tx, person, room)?;
    let changes = drive::take_out(tx, &entered, after, STEP_RECORDS)?;
    let at = changes.last().map_or(after, |last| last.position);
    let next = if at < entered.drive_head {
        Cursor::Drive {
            room,
            after: at,
            log_head,
        }
    } else {
        Cursor::Log {
            room,
            after: view.floor,
            log_head,
            drive_head: at,
        }
    };
    let records = changes
        .into_iter()
        .map(|change| Record::Change(Box::new(change)));
    Ok((records.collect(), Some(next)))
}

fn log_step(
    tx: &mut Tx<'_>,
    person: &Person,
    room: RoomId,
    after: u64,
    (log_head, drive_head): (u64, u64),
) -> Result<Stepped> {
    let (_, view) = enter(tx, person, room)?;
    if view.floor > after {
        return Err(Error::new(
            ErrorCode::Stale,
            "a room let go of entries while it was exported: begin again",
        ));
    }
    let entries = log::take_out(tx, person.account, room, (after, log_head), STEP_RECORDS)?;
    let at = entries.last().map_or(after, |last| last.position);
    let record = |entry: EntryRecord| Record::Entry(Box::new(entry));
    let mut records: Vec<Record> = entries.into_iter().map(record).collect();
    if at < log_head && !records.is_empty() {
        let next = Cursor::Log {
            room,
            after: at,
            log_head,
            drive_head,
        };
        return Ok((records, Some(next)));
    }
    tx.each(
        "SELECT device_id, position FROM delivered WHERE room_id = ?1 AND account_id = ?2 ORDER BY device_id",
        &[room.into(), person.account.into()],
        |row| {
            records.push(Record::Delivered(DeliveredRecord {
                device: row.id(0)?,
                position: row.uint(1)?.min(at),
            }));
            Ok(())
        },
    )?;
    records.push(Record::RoomEnd(RoomEndRecord {
        id: room,
        head: at,
        drive_head,
    }));
    Ok((records, Some(Cursor::Rooms(view.created_ms, room))))
}

/// A room whose records are on their way, if it is still the person's.
fn enter(tx: &mut Tx<'_>, person: &Person, room: RoomId) -> Result<(Entered, Room)> {
    let view = room_of(tx, person.account, room)?.ok_or_else(gone)?;
    if view.owner != person.account && view.kind != RoomKind::Direct {
        return Err(gone());
    }
    Ok((access::enter_as_server(tx, room)?, view))
}

fn gone() -> Error {
    Error::new(
        ErrorCode::Stale,
        "a room is not yours any more since the export began: begin again",
    )
}

/// About what a record takes.
fn bytes_of(record: &Record) -> usize {
    let own = match record {
        Record::Entry(entry) => match &entry.body {
            Some(wharf_types::api::log::Body::Text(text)) => text.text.len(),
            Some(wharf_types::api::log::Body::File(file)) => file.text.len(),
            Some(wharf_types::api::log::Body::Edit(edit)) => edit.text.len(),
            _ => 0,
        },
        Record::Change(change) => {
            let content = change.content.as_ref();
            let manifest = content.and_then(|content| content.manifest.as_ref());
            manifest.map_or(0, String::len)
        }
        _ => 0,
    };
    own + 300
}
