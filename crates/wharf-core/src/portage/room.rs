//! Bringing in one room: its drive, its log, its people.
//!
//! The personal room of the archive becomes the importer's, if nothing is in it yet; every other room becomes a new group
//! that the importer owns alone, and is not among its rooms until it is whole.

use wharf_store::sql::Tx;
use wharf_types::api::log::Body;
use wharf_types::api::portage::{
    ChangeRecord, DeliveredRecord, EntryRecord, MemberRecord, RoomEndRecord, RoomRecord,
};
use wharf_types::api::room::{Role, RoomKind};
use wharf_types::limit::{LABEL_BYTES_MAX, ROOMS_PER_ACCOUNT_MAX};
use wharf_types::{AccountId, EntryHash, ErrorCode, ImportId, NodeId, RoomId};
use wharf_wire::entry::{self as wire, Header};

use super::check::{check_entry, check_room, no_sense};
use super::ids::Ids;
use super::people::{self, from_json, to_json};
use crate::Ground;
use crate::access::enter_as_server;
use crate::caller::Person;
use crate::drive::{CarryingDrive, close_carried};
use crate::error::{Error, Result};
use crate::log::{Author, Carried, Carrying};
use crate::room::{self, NewRoom, Thing, Told};

/// A room on its way in.
pub(super) struct RoomWork {
    ids: Ids,
    person: Person,
    record: RoomRecord,
    to: RoomId,
    root: NodeId,
    /// The end of the archive's chain so far.
    source_hash: EntryHash,
    log: Carrying,
    drive: CarryingDrive,
}

impl RoomWork {
    /// Makes the room, or takes the importer's own.
    pub(super) fn begin(
        tx: &mut Tx<'_>,
        ground: &Ground,
        person: &Person,
        ids: Ids,
        import: ImportId,
        record: &RoomRecord,
    ) -> Result<Self> {
        check_room(record)?;
        let is_home = record.kind == RoomKind::Personal && is_untouched(tx, person.home)?;
        let to = if is_home {
            person.home
        } else {
            ids.room(record.id)
        };
        let there = tx.opt(
            "SELECT 1 FROM import_room WHERE account_id = ?1 AND import_id = ?2 AND from_id = ?3",
            &[person.account.into(), import.into(), record.id.into()],
            |_| Ok(()),
        )?;
        if there.is_some() {
            return Err(Error::invalid("a room is in the archive twice"));
        }
        if !is_home {
            make_room(tx, ground, person, to, record)?;
        }
        // Nothing is let go of for its age while it is still coming in.
        tx.exec(
            "UPDATE room SET created_ms = ?2, revision_days = 0, trash_days = 0 WHERE id = ?1",
            &[to.into(), record.created_ms.into()],
        )?;
        let mut log = Carrying::begin(tx, to)?;
        log.set_floor(tx, record.floor, record.floor_hash, record.floor_countable)?;
        tx.exec(
            "INSERT INTO import_room (account_id, import_id, from_id, to_id, source_hash, record) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            &[
                person.account.into(),
                import.into(),
                record.id.into(),
                to.into(),
                (&record.floor_hash).into(),
                to_json(record)?.as_str().into(),
            ],
        )?;
        let entered = enter_as_server(tx, to)?;
        Ok(Self {
            ids,
            person: *person,
            root: entered.root,
            source_hash: record.floor_hash,
            record: record.clone(),
            to,
            log,
            drive: CarryingDrive::begin(entered, *person),
        })
    }

    /// Goes on where the batch before ended.
    pub(super) fn resume(
        tx: &mut Tx<'_>,
        person: &Person,
        ids: Ids,
        import: ImportId,
        from: RoomId,
    ) -> Result<Self> {
        let (to, source_hash, record) = tx.one(
            "SELECT to_id, source_hash, record FROM import_room \
             WHERE account_id = ?1 AND import_id = ?2 AND from_id = ?3 AND record IS NOT NULL",
            &[person.account.into(), import.into(), from.into()],
            |row| {
                Ok((
                    row.id(0)?,
                    row.id(1)?,
                    from_json::<RoomRecord>(row.text(2)?)?,
                ))
            },
        )?;
        let entered = enter_as_server(tx, to)?;
        Ok(Self {
            ids,
            person: *person,
            record,
            to,
            root: entered.root,
            source_hash,
            log: Carrying::begin(tx, to)?,
            drive: CarryingDrive::begin(entered, *person),
        })
    }

    /// Writes what is not written yet, until the next batch.
    pub(super) fn pause(self, tx: &mut Tx<'_>, import: ImportId) -> Result<()> {
        tx.exec(
            "UPDATE import_room SET source_hash = ?4 WHERE account_id = ?1 AND import_id = ?2 AND from_id = ?3",
            &[
                self.person.account.into(),
                import.into(),
                self.record.id.into(),
                (&self.source_hash).into(),
            ],
        )?;
        self.log.finish(tx)?;
        self.drive.finish(tx)
    }

    pub(super) fn take_member(&self, tx: &mut Tx<'_>, member: &MemberRecord) -> Result<()> {
        people::take_member(tx, &self.ids, self.to, member)
    }

    pub(super) fn take_change(&mut self, tx: &mut Tx<'_>, change: &ChangeRecord) -> Result<()> {
        self.require_untouched(self.drive.head(), change.position)?;
        let mut here = change.clone();
        here.node = self.node(change.node);
        here.parent = change.parent.map(|parent| self.node(parent));
        if let Some(state) = &mut here.state {
            state.parent = state.parent.map(|parent| self.node(parent));
        }
        let account = change.account.map(|account| self.ids.account(account));
        self.drive.bring_in(tx, &here, account)
    }

    pub(super) fn take_entry(&mut self, tx: &mut Tx<'_>, entry: &EntryRecord) -> Result<()> {
        self.require_untouched(self.log.head(), entry.position)?;
        if entry.position != self.log.head() + 1 {
            return Err(no_sense(
                entry,
                format_args!("it does not come after {}", self.log.head()),
            ));
        }
        let digest = check_entry(entry)?;
        self.check_chain(entry, &digest)?;
        let is_own = entry.account == Some(self.ids.archive_account);
        let author = Author {
            account: entry.account.map(|account| self.ids.account(account)),
            session: entry.origin.session,
            hook: entry.hook,
            name: entry.name.clone(),
            door: entry.origin.door.clone(),
            address: entry.origin.address.clone().filter(|_| is_own),
            client_ms: entry.client_ms,
        };
        let body = entry.body.as_ref().map(|body| self.body(body));
        let carried = Carried {
            author,
            at_ms: entry.at_ms,
            kind: entry.kind,
            target: entry.target,
            body: body.as_ref().ok_or(digest),
        };
        self.log.bring_in(tx, &carried)?;
        Ok(())
    }

    pub(super) fn take_delivered(
        &self,
        tx: &mut Tx<'_>,
        delivered: &DeliveredRecord,
    ) -> Result<()> {
        tx.exec(
            "INSERT INTO delivered (room_id, account_id, device_id, position) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (room_id, account_id, device_id) DO UPDATE SET position = excluded.position",
            &[
                self.to.into(),
                self.person.account.into(),
                delivered.device.into(),
                delivered.position.min(self.log.head()).into(),
            ],
        )?;
        Ok(())
    }

    /// Opens the room: it is whole.
    pub(super) fn end(
        self,
        tx: &mut Tx<'_>,
        import: ImportId,
        end: &RoomEndRecord,
        told: &mut Told,
    ) -> Result<()> {
        let (head, drive_head) = (self.log.head(), self.drive.head());
        if end.id != self.record.id || end.head != head || end.drive_head != drive_head {
            return Err(Error::invalid(format!(
                "a room of the archive ends at {} and {}, and its records at {head} and {drive_head}",
                end.head, end.drive_head
            )));
        }
        let (to, account, record) = (self.to, self.person.account, self.record.clone());
        let is_home = to == self.person.home;
        self.pause(tx, import)?;
        let entered = enter_as_server(tx, to)?;
        close_carried(tx, &entered)?;
        tx.exec(
            "UPDATE room SET revision_days = ?2, trash_days = ?3, archived = ?4 WHERE id = ?1",
            &[
                to.into(),
                record.retention.revision_days.into(),
                record.retention.trash_days.into(),
                (record.archived && !is_home).into(),
            ],
        )?;
        tx.exec(
            "UPDATE log SET keep_days = ?2 WHERE room_id = ?1",
            &[to.into(), record.keep_days.into()],
        )?;
        if !is_home {
            name_room(tx, to, &record)?;
            room::insert_member(tx, to, account, Role::Owner, 0, record.joined_ms)?;
        }
        set_member(tx, to, account, &record, head)?;
        tx.exec(
            "UPDATE import_room SET record = NULL WHERE account_id = ?1 AND import_id = ?2 AND from_id = ?3",
            &[account.into(), import.into(), record.id.into()],
        )?;
        told.touch(account, Thing::Room(to));
        told.notices.drives.push((to, drive_head));
        Ok(())
    }

    /// Who has the personal room could write to it meanwhile.
    fn require_untouched(&self, head: u64, position: u64) -> Result<()> {
        if self.to == self.person.home && head >= position {
            return Err(Error::new(
                ErrorCode::Stale,
                "the personal room was written to while it was imported: begin again, and it becomes a group",
            ));
        }
        Ok(())
    }

    fn node(&self, id: NodeId) -> NodeId {
        if id == self.record.root {
            return self.root;
        }
        self.ids.node(self.record.id, id)
    }

    fn body(&self, body: &Body) -> Body {
        self.ids.body(self.record.id, body)
    }

    /// Whether an entry fits the chain of the log that it comes from.
    fn check_chain(&mut self, entry: &EntryRecord, digest: &[u8; 32]) -> Result<()> {
        let header = Header {
            room: self.record.id,
            position: entry.position,
            kind: entry.kind,
            at_ms: entry.at_ms,
            countable: self.log.countable_with(entry.kind),
            account: entry.account,
            session: entry.origin.session,
            hook: entry.hook,
            name: entry.name.as_deref(),
            client_ms: entry.client_ms,
            target: entry.target,
            door: &entry.origin.door,
        };
        let hash = wire::link(&self.source_hash, &header, digest);
        if hash != entry.hash {
            return Err(Error::new(
                ErrorCode::Corrupt,
                format!(
                    "entry {} of the archive does not fit the chain of its log",
                    entry.position
                ),
            ));
        }
        self.source_hash = hash;
        Ok(())
    }
}

/// Whether nothing was ever written to a room.
fn is_untouched(tx: &mut Tx<'_>, room: RoomId) -> Result<bool> {
    let heads = tx.one(
        "SELECT l.head, r.drive_head FROM log l JOIN room r ON r.id = l.room_id WHERE l.room_id = ?1",
        &[room.into()],
        |row| Ok((row.uint(0)?, row.uint(1)?)),
    )?;
    Ok(heads == (0, 0))
}

fn make_room(
    tx: &mut Tx<'_>,
    ground: &Ground,
    person: &Person,
    id: RoomId,
    record: &RoomRecord,
) -> Result<()> {
    let room_count = tx.one(
        "SELECT count(*) FROM room WHERE owner_id = ?1",
        &[person.account.into()],
        |row| row.uint(0),
    )?;
    if room_count >= u64::from(ROOMS_PER_ACCOUNT_MAX) {
        return Err(Error::new(ErrorCode::TooLarge, "there are too many rooms"));
    }
    let new = NewRoom {
        id,
        kind: RoomKind::Group,
        owner: person.account,
        name: &record.name,
        topic: &record.topic,
        history: record.history,
        direct_key: None,
        now_ms: record.created_ms,
    };
    Ok(room::insert(tx, ground, &new)?)
}

/// Gives a room a name that was called after who is in it, and remembers what it was.
fn name_room(tx: &mut Tx<'_>, room: RoomId, record: &RoomRecord) -> Result<()> {
    let is_named = record.kind == RoomKind::Group;
    let given = if is_named && !record.name.is_empty() {
        record.name.clone()
    } else {
        let people = people::stand_ins(tx, room)?;
        let mut name = people.values().next().map_or_else(
            || "Imported journal".to_owned(),
            |member| member.person.nickname.replace(char::is_control, " "),
        );
        let mut bytes = name.len().min(LABEL_BYTES_MAX);
        while !name.is_char_boundary(bytes) {
            bytes -= 1;
        }
        name.truncate(bytes);
        if name.is_empty() {
            "Imported".to_owned()
        } else {
            name
        }
    };
    tx.exec(
        "UPDATE room SET name = ?2 WHERE id = ?1",
        &[room.into(), (&given).into()],
    )?;
    if !is_named || given != record.name {
        tx.exec(
            "INSERT INTO imported_room (room_id, kind, name, given_name) VALUES (?1, ?2, ?3, ?4)",
            &[
                room.into(),
                room::kind_text(record.kind).into(),
                (&record.name).into(),
                (&given).into(),
            ],
        )?;
    }
    Ok(())
}

/// Gives the importer what it had in the room.
fn set_member(
    tx: &mut Tx<'_>,
    room: RoomId,
    account: AccountId,
    record: &RoomRecord,
    head: u64,
) -> Result<()> {
    let read = record.read.min(head);
    let countable = tx.opt(
        "SELECT countable FROM entry WHERE room_id = ?1 AND position = ?2",
        &[room.into(), read.into()],
        |row| row.uint(0),
    )?;
    let preferences = &record.preferences;
    tx.exec(
        "UPDATE member SET joined_ms = ?3, read_position = ?4, read_countable = ?5, notify = ?6, is_pinned = ?7, \
         is_marked = ?8, is_hidden = ?9, draft = ?10 WHERE room_id = ?1 AND account_id = ?2",
        &[
            room.into(),
            account.into(),
            record.joined_ms.into(),
            read.into(),
            countable.unwrap_or(record.floor_countable).into(),
            room::notify_text(preferences.notify).into(),
            preferences.is_pinned.into(),
            preferences.is_marked.into(),
            preferences.is_hidden.into(),
            (&preferences.draft).into(),
        ],
    )?;
    Ok(())
}
