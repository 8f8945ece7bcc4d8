//! Appending one entry, in the caller's transaction and under the room's lock.

use std::net::IpAddr;
use std::sync::Arc;

use wharf_store::sql::{self, Tx};
use wharf_types::api::log::{Body, Entry, EntryState, Origin};
use wharf_types::{AccountId, EntryHash, HookId, RoomId, SessionId};
use wharf_wire::entry::{Header, digest, kind_of, link, pack};

use super::effect;
use super::rows::{self, End};
use crate::caller::Caller;
use crate::error::Result;
use crate::live::Notices;

const HOUR_MS: i64 = 3_600_000;

/// Who appends, and how it came. All absent: the server itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Author {
    pub(crate) account: Option<AccountId>,
    pub(crate) session: Option<SessionId>,
    pub(crate) hook: Option<HookId>,
    /// The author's name where there is no account to ask for it.
    pub(crate) name: Option<String>,
    /// The door; empty for the program itself.
    pub(crate) door: String,
    pub(crate) address: Option<String>,
    /// The sender's time.
    pub(crate) client_ms: Option<i64>,
}

impl Author {
    /// The person who asks.
    pub(crate) fn of(by: &Caller) -> Result<Self> {
        let person = by.person()?;
        let origin = by.origin();
        Ok(Self {
            account: Some(person.account),
            session: Some(person.session),
            door: origin.door.text().to_owned(),
            address: Some(address_text(origin.address)),
            ..Self::default()
        })
    }
}

fn address_text(address: IpAddr) -> String {
    address.to_canonical().to_string()
}

/// Appends an entry to a room's log and to `notices`, lets it change the entries that it is about, and, where it is a text or
/// file, moves the author's read cursor to it. The caller has checked that the author may do so, that `body` is within its
/// bounds, and that its target is a text or file that was not recalled; it holds the room's lock.
pub(crate) fn append_in(
    tx: &mut Tx<'_>,
    notices: &mut Notices,
    room: RoomId,
    author: &Author,
    body: &Body,
    now_ms: i64,
) -> sql::Result<Arc<Entry>> {
    let end = rows::end(tx, room)?;
    append_at(tx, notices, room, &end, author, (body, now_ms))
}

/// As [`append_in`], where the end of the log was read in this transaction.
pub(super) fn append_at(
    tx: &mut Tx<'_>,
    notices: &mut Notices,
    room: RoomId,
    end: &End,
    author: &Author,
    (body, now_ms): (&Body, i64),
) -> sql::Result<Arc<Entry>> {
    let packed = pack(body);
    let position = end.head + 1;
    let countable = end.countable + u64::from(body.is_countable());
    let header = Header {
        room,
        position,
        kind: kind_of(body),
        at_ms: now_ms,
        countable,
        account: author.account,
        session: author.session,
        hook: author.hook,
        name: author.name.as_deref(),
        client_ms: author.client_ms,
        target: body.target(),
        door: &author.door,
    };
    let hash = link(&end.hash, &header, &digest(&packed));
    tx.exec(
        "INSERT INTO entry (room_id, position, kind, at_ms, account_id, session_id, hook_id, author_name, door, address, \
         client_ms, countable, hash, body, target) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        &[
            room.into(),
            position.into(),
            header.kind.into(),
            now_ms.into(),
            author.account.into(),
            author.session.into(),
            author.hook.into(),
            author.name.as_deref().into(),
            author.door.as_str().into(),
            author.address.as_deref().into(),
            author.client_ms.into(),
            countable.into(),
            (&hash).into(),
            (&packed).into(),
            header.target.into(),
        ],
    )?;
    move_end(tx, room, end, &header, &hash)?;
    effect::apply(tx, room, author.account, position, body)?;
    if let Some(account) = author.account.filter(|_| body.is_countable()) {
        tx.exec(
            "UPDATE member SET read_position = ?3, read_countable = ?4 WHERE room_id = ?1 AND account_id = ?2",
            &[room.into(), account.into(), position.into(), countable.into()],
        )?;
    }
    let entry = Arc::new(Entry {
        position,
        at_ms: now_ms,
        account: author.account,
        hook: author.hook,
        name: author.name.clone(),
        origin: Origin {
            session: author.session,
            door: author.door.clone(),
            address: None,
        },
        client_ms: author.client_ms,
        countable,
        hash,
        body: Some(body.clone()),
        state: EntryState::default(),
    });
    notices.entries.push((room, Arc::clone(&entry)));
    Ok(entry)
}

/// Moves the log's end onto a new entry. Hours only grow, however the clock steps, so that the first entry of each is
/// found by one search.
fn move_end(
    tx: &mut Tx<'_>,
    room: RoomId,
    end: &End,
    header: &Header<'_>,
    hash: &EntryHash,
) -> sql::Result<()> {
    let hour = header.at_ms.div_euclid(HOUR_MS);
    if hour > end.hour {
        tx.exec(
            "INSERT INTO log_hour (room_id, hour, position) VALUES (?1, ?2, ?3)",
            &[room.into(), hour.into(), header.position.into()],
        )?;
    }
    tx.exec(
        "UPDATE log SET head = ?2, hash = ?3, countable = ?4, hour = ?5 WHERE room_id = ?1",
        &[
            room.into(),
            header.position.into(),
            hash.into(),
            header.countable.into(),
            hour.max(end.hour).into(),
        ],
    )?;
    Ok(())
}
