//! Entries on their way out of a server and into one.
//!
//! An entry that is brought in was appended elsewhere: its time, author and origin are what they were there, and it is chained
//! anew, because the chain names the room and the author. What it makes of the entries before it is worked out as if
//! it were appended.

use wharf_store::sql::{self, Row, Tx};
use wharf_types::api::log::{Body, Origin};
use wharf_types::api::portage::EntryRecord;
use wharf_types::{AccountId, ContentHash, EntryHash, RoomId};
use wharf_wire::entry::{Header, digest, link, pack};

use super::append::Author;
use super::{effect, rows};

const HOUR_MS: i64 = 3_600_000;

/// An entry to be brought in, with the ids that it has here.
pub(crate) struct Carried<'a> {
    pub(crate) author: Author,
    pub(crate) at_ms: i64,
    pub(crate) kind: u8,
    pub(crate) target: Option<u64>,
    /// What it says, or, where that was erased, what it was chained as.
    pub(crate) body: Result<&'a Body, [u8; 32]>,
}

/// Entries past a position and up to another, as `viewer` may take them out.
pub(crate) fn take_out(
    tx: &mut Tx<'_>,
    viewer: AccountId,
    room: RoomId,
    (after, last): (u64, u64),
    limit: u32,
) -> sql::Result<Vec<EntryRecord>> {
    tx.all(
        "SELECT position, at_ms, account_id, hook_id, author_name, session_id, door, address, client_ms, kind, target, \
         hash, body, body_digest FROM entry WHERE room_id = ?1 AND position > ?2 AND position <= ?3 \
         ORDER BY position LIMIT ?4",
        &[room.into(), after.into(), last.into(), limit.into()],
        |row| read(row, viewer),
    )
}

fn read(row: &Row<'_>, viewer: AccountId) -> sql::Result<EntryRecord> {
    let account: Option<AccountId> = row.opt_id(2)?;
    Ok(EntryRecord {
        position: row.uint(0)?,
        at_ms: row.int(1)?,
        account,
        hook: row.opt_id(3)?,
        name: row.opt_text(4)?.map(str::to_owned),
        origin: Origin {
            session: row.opt_id(5)?,
            door: row.text(6)?.to_owned(),
            address: row
                .opt_text(7)?
                .filter(|_| account == Some(viewer))
                .map(str::to_owned),
        },
        client_ms: row.opt_int(8)?,
        kind: u8::try_from(row.int(9)?).map_err(|_| sql::Error::corrupt("kind of entry"))?,
        target: row.opt_uint(10)?,
        hash: row.id(11)?,
        body: row.opt_bytes(12)?.map(rows::body_of).transpose()?,
        digest: row.opt_id::<ContentHash>(13)?,
    })
}

/// The end of a log that entries are brought into.
pub(crate) struct Carrying {
    room: RoomId,
    end: rows::End,
}

impl Carrying {
    /// Goes on at a log's end. The transaction has the room's lock.
    pub(crate) fn begin(tx: &mut Tx<'_>, room: RoomId) -> sql::Result<Self> {
        let end = rows::end(tx, room)?;
        Ok(Self { room, end })
    }

    /// The position of the last entry.
    pub(crate) fn head(&self) -> u64 {
        self.end.head
    }

    /// How many texts and files there are with one more entry of this kind.
    pub(crate) fn countable_with(&self, kind: u8) -> u64 {
        self.end.countable + u64::from(kind <= 1)
    }

    /// Sets where a log without entries begins.
    pub(crate) fn set_floor(
        &mut self,
        tx: &mut Tx<'_>,
        floor: u64,
        hash: EntryHash,
        countable: u64,
    ) -> sql::Result<()> {
        tx.exec(
            "UPDATE log SET head = ?2, hash = ?3, countable = ?4, floor_position = ?2, floor_hash = ?3, \
             floor_countable = ?4 WHERE room_id = ?1",
            &[self.room.into(), floor.into(), (&hash).into(), countable.into()],
        )?;
        self.end = rows::end(tx, self.room)?;
        Ok(())
    }

    /// Writes the next entry.
    pub(crate) fn bring_in(&mut self, tx: &mut Tx<'_>, entry: &Carried<'_>) -> sql::Result<()> {
        let position = self.end.head + 1;
        let countable = self.countable_with(entry.kind);
        let packed = entry.body.map(pack);
        let digest = packed
            .as_ref()
            .map_or_else(|digest| *digest, |packed| digest(packed));
        let author = &entry.author;
        let header = Header {
            room: self.room,
            position,
            kind: entry.kind,
            at_ms: entry.at_ms,
            countable,
            account: author.account,
            session: author.session,
            hook: author.hook,
            name: author.name.as_deref(),
            client_ms: author.client_ms,
            target: entry.target,
            door: &author.door,
        };
        let hash = link(&self.end.hash, &header, &digest);
        tx.exec(
            "INSERT INTO entry (room_id, position, kind, at_ms, account_id, session_id, hook_id, author_name, door, \
             address, client_ms, countable, hash, body, body_digest, target) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
            &[
                self.room.into(),
                position.into(),
                entry.kind.into(),
                entry.at_ms.into(),
                author.account.into(),
                author.session.into(),
                author.hook.into(),
                author.name.as_deref().into(),
                author.door.as_str().into(),
                author.address.as_deref().into(),
                author.client_ms.into(),
                countable.into(),
                (&hash).into(),
                packed.as_deref().ok().into(),
                entry.body.err().as_ref().map(<[u8; 32]>::as_slice).into(),
                entry.target.into(),
            ],
        )?;
        self.end.head = position;
        self.end.hash = hash;
        self.end.countable = countable;
        self.note_hour(tx, entry.at_ms)?;
        match entry.body {
            Ok(body) if self.is_apt(tx, body)? => {
                effect::apply(tx, self.room, author.account, position, body)
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Writes the log's end.
    pub(crate) fn finish(self, tx: &mut Tx<'_>) -> sql::Result<()> {
        tx.exec(
            "UPDATE log SET head = ?2, hash = ?3, countable = ?4, hour = ?5 WHERE room_id = ?1",
            &[
                self.room.into(),
                self.end.head.into(),
                (&self.end.hash).into(),
                self.end.countable.into(),
                self.end.hour.into(),
            ],
        )?;
        Ok(())
    }

    fn note_hour(&mut self, tx: &mut Tx<'_>, at_ms: i64) -> sql::Result<()> {
        let hour = at_ms.div_euclid(HOUR_MS);
        if hour > self.end.hour {
            tx.exec(
                "INSERT INTO log_hour (room_id, hour, position) VALUES (?1, ?2, ?3)",
                &[self.room.into(), hour.into(), self.end.head.into()],
            )?;
            self.end.hour = hour;
        }
        Ok(())
    }

    /// Whether what a body is about is there: one that is about something that is not kept any more, or was taken back
    /// already, changes nothing.
    fn is_apt(&self, tx: &mut Tx<'_>, body: &Body) -> sql::Result<bool> {
        let Some(target) = body.target() else {
            return Ok(true);
        };
        let found = tx.opt(
            "SELECT 1 FROM entry WHERE room_id = ?1 AND position = ?2 AND kind <= 1 AND recall_position IS NULL",
            &[self.room.into(), target.into()],
            |_| Ok(()),
        )?;
        Ok(found.is_some())
    }
}
