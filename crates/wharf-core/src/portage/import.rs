//! Bringing in: batches in their order, and which room their records are of.

use wharf_store::sql::{self, Lock, Tx};
use wharf_types::api::portage::{
    Archive, ImportBatch, ImportProgress, ImportedRoom, Record, VERSION,
};
use wharf_types::{AccountId, ErrorCode, ImportId, RoomId};

use super::abandoned;
use super::ids::Ids;
use super::people;
use super::room::RoomWork;
use crate::Ground;
use crate::access::require_writer;
use crate::caller::{Caller, Person};
use crate::error::{Error, Result};
use crate::live::Notices;
use crate::room::Told;

/// Imports that an account can have begun.
const IMPORTS_MAX: u64 = 100;

/// How far an import is.
#[derive(Debug, Clone, Copy)]
struct State {
    number: u64,
    secret: [u8; 32],
    given_up_count: u64,
    archive_account: Option<AccountId>,
    /// The room, in the archive, whose records are coming.
    room_from: Option<RoomId>,
    is_done: bool,
    /// Whether the records that are coming are of a room that was whole before the import began anew.
    is_kept: bool,
}

impl State {
    fn ids(&self, importer: AccountId) -> Result<Ids> {
        Ok(Ids {
            secret: self.secret,
            given_up_count: self.given_up_count,
            archive_account: self
                .archive_account
                .ok_or_else(|| Error::invalid("an archive begins with a record of what it is"))?,
            importer,
        })
    }
}

fn load(tx: &mut Tx<'_>, account: AccountId, import: ImportId) -> sql::Result<Option<State>> {
    tx.opt(
        "SELECT i.number, i.secret, i.archive_account, i.room_from, i.is_done, COALESCE(r.is_kept, 0), i.given_up_count \
         FROM import i \
         LEFT JOIN import_room r ON r.account_id = i.account_id AND r.import_id = i.id AND r.from_id = i.room_from \
         WHERE i.account_id = ?1 AND i.id = ?2",
        &[account.into(), import.into()],
        |row| {
            Ok(State {
                number: row.uint(0)?,
                secret: row.id(1)?,
                archive_account: row.opt_id(2)?,
                room_from: row.opt_id(3)?,
                is_done: row.flag(4)?,
                is_kept: row.flag(5)?,
                given_up_count: row.uint(6)?,
            })
        },
    )
}

/// The rooms that a batch will write to, so that they can be locked; begins the import with its first batch.
pub(super) async fn rooms_of(
    ground: &Ground,
    by: &Caller,
    batch: &ImportBatch,
) -> Result<Vec<RoomId>> {
    let (by, import, number) = (*by, batch.import, batch.number);
    let secret: [u8; 32] = ground.random.bytes();
    let now_ms = ground.clock.now_ms();
    let begin = move |tx: &mut Tx<'_>| -> Result<State> {
        let person = require_writer(tx, &by)?;
        if let Some(state) = load(tx, person.account, import)? {
            return Ok(state);
        }
        if number != 1 {
            return Err(expected(1));
        }
        let begun_count = tx.one(
            "SELECT count(*) FROM import WHERE account_id = ?1 AND is_done = 0 AND (number > 0 OR touched_ms IS NOT NULL)",
            &[person.account.into()],
            |row| row.uint(0),
        )?;
        if begun_count >= IMPORTS_MAX {
            return Err(Error::new(
                ErrorCode::TooLarge,
                "too many imports were begun and not ended",
            ));
        }
        tx.exec(
            "INSERT INTO import (account_id, id, number, secret, is_done, touched_ms) VALUES (?1, ?2, 0, ?3, 0, ?4)",
            &[
                person.account.into(),
                import.into(),
                (&secret).into(),
                now_ms.into(),
            ],
        )?;
        Ok(State {
            number: 0,
            secret,
            given_up_count: 0,
            archive_account: None,
            room_from: None,
            is_done: false,
            is_kept: false,
        })
    };
    let state = ground.db.write(Lock::Global, begin).await?;
    let person = by.person()?;
    // Ids of rooms do not depend on whose archive it is.
    let ids = Ids {
        secret: state.secret,
        given_up_count: state.given_up_count,
        archive_account: person.account,
        importer: person.account,
    };
    let named = batch.records.iter().filter_map(|record| match record {
        Record::Room(room) => Some(room.id),
        _ => None,
    });
    let mut rooms = vec![person.home];
    rooms.extend(
        state
            .room_from
            .into_iter()
            .chain(named)
            .map(|room| ids.room(room)),
    );
    Ok(rooms)
}

/// Takes in a batch, whose rooms are locked.
pub(super) fn take_in(
    tx: &mut Tx<'_>,
    ground: &Ground,
    by: &Caller,
    batch: &ImportBatch,
) -> Result<(ImportProgress, Notices)> {
    let person = require_writer(tx, by)?;
    let mut state = load(tx, person.account, batch.import)?
        .ok_or_else(|| Error::internal("an import that was begun is not there"))?;
    if batch.number == state.number && batch.number > 0 {
        return Ok((
            progress(tx, person.account, batch.import)?,
            Notices::default(),
        ));
    }
    if batch.number != state.number + 1 || state.is_done {
        return Err(expected(state.number + 1));
    }
    state.number = batch.number;
    let mut taking = Taking {
        ground,
        person,
        import: batch.import,
        state,
        room: None,
        told: Told::default(),
    };
    for record in &batch.records {
        taking.take(tx, record)?;
    }
    let told = taking.finish(tx)?;
    let progress = progress(tx, person.account, batch.import)?;
    Ok((progress, told.settle(tx)?))
}

/// How far an import has come.
pub(super) fn progress(
    tx: &mut Tx<'_>,
    account: AccountId,
    import: ImportId,
) -> sql::Result<ImportProgress> {
    let state = load(tx, account, import)?;
    let rooms = tx.all(
        "SELECT from_id, to_id, record FROM import_room WHERE account_id = ?1 AND import_id = ?2 ORDER BY from_id",
        &[account.into(), import.into()],
        |row| {
            Ok(ImportedRoom {
                from: row.id(0)?,
                to: row.id(1)?,
                is_whole: row.opt_text(2)?.is_none(),
            })
        },
    )?;
    Ok(ImportProgress {
        number: state.map_or(0, |state| state.number),
        is_done: state.is_some_and(|state| state.is_done),
        rooms,
    })
}

fn expected(number: u64) -> Error {
    Error::new(
        ErrorCode::Stale,
        format!("batch {number} of this import is expected next"),
    )
}

/// A batch on its way in.
struct Taking<'g> {
    ground: &'g Ground,
    person: Person,
    import: ImportId,
    state: State,
    room: Option<RoomWork>,
    told: Told,
}

impl Taking<'_> {
    fn take(&mut self, tx: &mut Tx<'_>, record: &Record) -> Result<()> {
        if self.state.is_done {
            return Err(Error::invalid("records come after the end of the archive"));
        }
        if self.passes_over(tx, record)? {
            return Ok(());
        }
        match record {
            Record::Archive(archive) => self.begin_archive(archive),
            Record::Group(group) => {
                let ids = self.outside_rooms()?;
                people::take_group(tx, &ids, self.import, group, &mut self.told)
            }
            Record::Contact(contact) => {
                let ids = self.outside_rooms()?;
                people::take_contact(tx, &ids, self.import, contact, &mut self.told)
            }
            Record::Room(room) => {
                let ids = self.outside_rooms()?;
                let work = RoomWork::begin(tx, self.ground, &self.person, ids, self.import, room)?;
                self.state.room_from = Some(room.id);
                self.room = Some(work);
                Ok(())
            }
            Record::Member(member) => self.room(tx)?.take_member(tx, member),
            Record::Change(change) => self.room(tx)?.take_change(tx, change),
            Record::Entry(entry) => self.room(tx)?.take_entry(tx, entry),
            Record::Delivered(delivered) => self.room(tx)?.take_delivered(tx, delivered),
            Record::RoomEnd(end) => {
                self.room(tx)?;
                if let Some(work) = self.room.take() {
                    work.end(tx, self.import, end, &mut self.told)?;
                }
                self.state.room_from = None;
                Ok(())
            }
            Record::End => {
                self.outside_rooms()?;
                self.state.is_done = true;
                Ok(())
            }
        }
    }

    /// Passes over what is of a room that was whole when the import was given up; says whether it did.
    fn passes_over(&mut self, tx: &mut Tx<'_>, record: &Record) -> Result<bool> {
        let (account, import) = (self.person.account, self.import);
        match record {
            Record::Room(room) if self.state.room_from.is_none() => {
                self.state.is_kept = abandoned::is_kept(tx, account, import, room.id)?;
                if self.state.is_kept {
                    self.outside_rooms()?;
                    self.state.room_from = Some(room.id);
                }
            }
            Record::Member(_) | Record::Change(_) | Record::Entry(_) | Record::Delivered(_) => {}
            Record::RoomEnd(end) if self.state.is_kept => {
                if self.state.room_from.take() != Some(end.id) {
                    return Err(Error::invalid("another room of the archive ends"));
                }
                abandoned::passed_over(tx, account, import, end.id)?;
                self.state.is_kept = false;
                return Ok(true);
            }
            _ => return Ok(false),
        }
        Ok(self.state.is_kept)
    }

    fn begin_archive(&mut self, archive: &Archive) -> Result<()> {
        if self.state.archive_account.is_some() {
            return Err(Error::invalid("an archive begins once"));
        }
        if archive.version != VERSION {
            return Err(Error::new(
                ErrorCode::Unsupported,
                format!(
                    "the archive has version {}, and this server reads version {VERSION}",
                    archive.version
                ),
            ));
        }
        self.state.archive_account = Some(archive.account.id);
        Ok(())
    }

    /// The ids of an archive that is between two rooms.
    fn outside_rooms(&self) -> Result<Ids> {
        if self.state.room_from.is_some() {
            return Err(Error::invalid("a room of the archive does not end"));
        }
        self.state.ids(self.person.account)
    }

    /// The room whose records are coming.
    fn room(&mut self, tx: &mut Tx<'_>) -> Result<&mut RoomWork> {
        let work = if let Some(work) = self.room.take() {
            work
        } else {
            let from = self
                .state
                .room_from
                .ok_or_else(|| Error::invalid("a record of a room comes before its room"))?;
            let ids = self.state.ids(self.person.account)?;
            RoomWork::resume(tx, &self.person, ids, self.import, from)?
        };
        Ok(self.room.insert(work))
    }

    /// Writes how far the import has come.
    fn finish(mut self, tx: &mut Tx<'_>) -> Result<Told> {
        if let Some(work) = self.room.take() {
            work.pause(tx, self.import)?;
        }
        tx.exec(
            "UPDATE import SET number = ?3, archive_account = ?4, room_from = ?5, is_done = ?6, touched_ms = ?7 \
             WHERE account_id = ?1 AND id = ?2",
            &[
                self.person.account.into(),
                self.import.into(),
                self.state.number.into(),
                self.state.archive_account.into(),
                self.state.room_from.into(),
                self.state.is_done.into(),
                self.ground.clock.now_ms().into(),
            ],
        )?;
        Ok(self.told)
    }
}
