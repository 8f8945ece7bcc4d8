//! What the old diary's clients write and are shown.

use std::net::{IpAddr, SocketAddr};

use wharf_store::sql::{self, Lock, Row, Tx};
use wharf_types::api::journal::DiaryShow;
use wharf_types::api::log::{Body, Text};
use wharf_types::{AccountId, RoomId};
use wharf_wire::entry::{InvalidBody, unpack};

use super::{Journal, address};
use crate::Ground;
use crate::access::{Right, enter_account};
use crate::caller::Door;
use crate::error::{Error, Result};
use crate::live::Notices;
use crate::log::{Author, Sender, append_in};

/// Most entries that one read gives.
const LINES_MAX: u32 = 200;
/// Most clients in one list.
const CLIENTS_MAX: u32 = 100;

/// Where entries go whose address nobody has claimed: the operator's choice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fallback {
    /// `ACCOUNT`, for its personal room, or `ACCOUNT/ROOM`, for the one group of this name that it may write to.
    pub room: String,
    /// What the clients are shown.
    pub show: DiaryShow,
}

/// A room that diary clients write to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DiaryRoom {
    /// The room.
    pub room: RoomId,
    /// Who answers for it: while this account may not write there, nobody is let in by it.
    pub account: AccountId,
    /// What the clients are shown.
    pub show: DiaryShow,
}

/// An entry to write.
#[derive(Debug, Clone)]
pub struct DiaryWrite {
    /// What it says; an empty one is an entry too.
    pub text: String,
    /// Where it came from.
    pub from: SocketAddr,
}

/// Which entries to read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DiaryFilter {
    /// Those of this address, and of this port if there is one.
    pub client: Option<(IpAddr, Option<u16>)>,
    /// The first ones past this position; the last ones without.
    pub since: Option<u64>,
}

/// An entry as a diary client is shown it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiaryLine {
    /// Its position in the room's log.
    pub position: u64,
    /// When it was recorded, in milliseconds since the epoch.
    pub at_ms: i64,
    /// Who wrote it: a diary client, or else a name.
    pub from: Result<SocketAddr, String>,
    /// What it says now.
    pub text: String,
}

/// Entries, ascending, and the last position that there is for these clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiaryLines {
    /// The entries.
    pub lines: Vec<DiaryLine>,
    /// The position of the last entry that the filter takes; 0 where it takes none.
    pub head: u64,
}

/// A client that has written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiaryClient {
    /// Its address and port.
    pub client: SocketAddr,
    /// How many entries it has written.
    pub entries_count: u64,
    /// When it wrote the last one, in milliseconds since the epoch.
    pub last_ms: i64,
}

pub(super) async fn room_of(
    ground: &Ground,
    address: IpAddr,
    fallback: Option<Fallback>,
) -> Result<Option<DiaryRoom>> {
    let address = address.to_canonical().to_string();
    let now_ms = ground.clock.now_ms();
    ground
        .db
        .read(move |tx| {
            let claimed = tx.opt(
                "SELECT room_id, account_id, show FROM diary_address WHERE address = ?1 AND expires_ms > ?2",
                &[(&address).into(), now_ms.into()],
                |row| {
                    Ok(DiaryRoom {
                        room: row.id(0)?,
                        account: row.id(1)?,
                        show: address::show_of(row.text(2)?)?,
                    })
                },
            )?;
            match (claimed, &fallback) {
                (Some(claimed), _) => Ok(Some(claimed)),
                (None, Some(fallback)) => Ok(named_room(tx, fallback)?),
                (None, None) => Ok(None),
            }
        })
        .await
}

/// The room that the operator named, if there is exactly one.
fn named_room(tx: &mut Tx<'_>, fallback: &Fallback) -> sql::Result<Option<DiaryRoom>> {
    let (username, group) = match fallback.room.split_once('/') {
        Some((username, group)) => (username, Some(group)),
        None => (fallback.room.as_str(), None),
    };
    let key = username.to_lowercase();
    let rooms: Vec<(RoomId, AccountId)> = match group {
        None => tx.all(
            "SELECT home_id, id FROM account WHERE username_key = ?1 AND locked = 0",
            &[(&key).into()],
            |row| Ok((row.id(0)?, row.id(1)?)),
        )?,
        Some(group) => tx.all(
            "SELECT r.id, a.id FROM account a JOIN member m ON m.account_id = a.id JOIN room r ON r.id = m.room_id \
             WHERE a.username_key = ?1 AND a.locked = 0 AND r.kind = 'group' AND r.name = ?2 AND r.archived = 0 LIMIT 2",
            &[(&key).into(), group.into()],
            |row| Ok((row.id(0)?, row.id(1)?)),
        )?,
    };
    Ok(match rooms[..] {
        [(room, account)] => Some(DiaryRoom {
            room,
            account,
            show: fallback.show,
        }),
        _ => None,
    })
}

pub(super) async fn write(journal: &Journal, to: DiaryRoom, items: Vec<DiaryWrite>) -> Result<u64> {
    let Some(first) = items.first() else {
        return Ok(0);
    };
    let (sender, address) = (Sender::Diary(to.room), first.from.ip());
    let (count, _) = journal.logs.admit(sender, address, items.len() as u64);
    let take = usize::try_from(count).unwrap_or(usize::MAX);
    let clock = journal.ground.clock.clone();
    let outcome = journal
        .ground
        .act(Lock::Room(to.room), move |tx| {
            let mut notices = Notices::default();
            require_open(tx, to)?;
            let now_ms = clock.now_ms();
            for item in items.iter().take(take) {
                write_one(tx, &mut notices, to.room, item, now_ms)?;
            }
            Ok(((), notices))
        })
        .await;
    if outcome.is_err() {
        journal.logs.refund(sender, address, count);
    }
    outcome.map(|()| count)
}

/// Passes while the account that answers for a diary may write to the room.
fn require_open(tx: &mut Tx<'_>, to: DiaryRoom) -> Result<()> {
    let is_locked = tx.opt(
        "SELECT locked FROM account WHERE id = ?1",
        &[to.account.into()],
        |row| row.flag(0),
    )?;
    if is_locked != Some(false) {
        return Err(Error::denied(
            "the account that claimed this diary is locked",
        ));
    }
    enter_account(tx, to.account, to.room, Right::Edit)?;
    Ok(())
}

fn write_one(
    tx: &mut Tx<'_>,
    notices: &mut Notices,
    room: RoomId,
    item: &DiaryWrite,
    now_ms: i64,
) -> Result<()> {
    let address = item.from.ip().to_canonical();
    // A text is never empty in the house; a blank says as little.
    let text = match item.text.replace('\0', "") {
        text if text.is_empty() => " ".to_owned(),
        text => text,
    };
    let author = Author {
        name: Some(SocketAddr::new(address, item.from.port()).to_string()),
        door: Door::Diary.text().to_owned(),
        address: Some(address.to_string()),
        ..Author::default()
    };
    let body = Body::Text(Text {
        text,
        ..Text::default()
    });
    let entry = append_in(tx, notices, room, &author, &body, now_ms)?;
    let (address, port) = (address.to_string(), i64::from(item.from.port()));
    tx.exec(
        "INSERT INTO diary_line (room_id, position, address, port) VALUES (?1, ?2, ?3, ?4)",
        &[
            room.into(),
            entry.position.into(),
            (&address).into(),
            port.into(),
        ],
    )?;
    tx.exec(
        "INSERT INTO diary_client (room_id, address, port, entries_count, last_position, last_ms) \
         VALUES (?1, ?2, ?3, 1, ?4, ?5) ON CONFLICT (room_id, address, port) DO UPDATE SET \
         entries_count = diary_client.entries_count + 1, last_position = excluded.last_position, \
         last_ms = excluded.last_ms",
        &[
            room.into(),
            (&address).into(),
            port.into(),
            entry.position.into(),
            now_ms.into(),
        ],
    )?;
    Ok(())
}

/// The columns of an entry as [`line_from`] takes them: `n` is the entry, `e` its last edit, `l` where it came from, `a` its
/// author.
macro_rules! lines {
    ($rest:literal) => {
        concat!(
            "SELECT n.position, n.at_ms, n.body, e.body, l.address, l.port, a.username, n.author_name \
             FROM entry n LEFT JOIN entry e ON e.room_id = n.room_id AND e.position = n.edit_position ",
            $rest
        )
    };
}

pub(super) fn read(tx: &mut Tx<'_>, of: DiaryRoom, filter: DiaryFilter) -> Result<DiaryLines> {
    enter_account(tx, of.account, of.room, Right::Read)?;
    let address = filter
        .client
        .map(|(address, _)| address.to_canonical().to_string());
    let port = filter
        .client
        .and_then(|(_, port)| port)
        .map_or(-1, i64::from);
    let since = filter.since.unwrap_or(0);
    let address = address.as_deref().unwrap_or_default();
    let mut args = vec![of.room.into(), since.into(), LINES_MAX.into()];
    let is_filtered = filter.client.is_some();
    if is_filtered {
        args.push(address.into());
        args.push(port.into());
    }
    let statement = match (is_filtered, of.show, filter.since.is_some()) {
        (true, _, false) => lines!(
            "JOIN diary_line l ON l.room_id = n.room_id AND l.position = n.position \
             LEFT JOIN account a ON a.id = n.account_id WHERE l.room_id = ?1 AND l.position > ?2 AND n.body IS NOT NULL \
             AND n.recall_position IS NULL AND l.address = ?4 AND (l.port = ?5 OR ?5 < 0) ORDER BY l.position DESC LIMIT ?3"
        ),
        (true, _, true) => lines!(
            "JOIN diary_line l ON l.room_id = n.room_id AND l.position = n.position \
             LEFT JOIN account a ON a.id = n.account_id WHERE l.room_id = ?1 AND l.position > ?2 AND n.body IS NOT NULL \
             AND n.recall_position IS NULL AND l.address = ?4 AND (l.port = ?5 OR ?5 < 0) ORDER BY l.position LIMIT ?3"
        ),
        (false, DiaryShow::Diary, false) => lines!(
            "JOIN diary_line l ON l.room_id = n.room_id AND l.position = n.position \
             LEFT JOIN account a ON a.id = n.account_id WHERE l.room_id = ?1 AND l.position > ?2 AND n.body IS NOT NULL \
             AND n.recall_position IS NULL ORDER BY l.position DESC LIMIT ?3"
        ),
        (false, DiaryShow::Diary, true) => lines!(
            "JOIN diary_line l ON l.room_id = n.room_id AND l.position = n.position \
             LEFT JOIN account a ON a.id = n.account_id WHERE l.room_id = ?1 AND l.position > ?2 AND n.body IS NOT NULL \
             AND n.recall_position IS NULL ORDER BY l.position LIMIT ?3"
        ),
        (false, DiaryShow::All, false) => lines!(
            "LEFT JOIN diary_line l ON l.room_id = n.room_id AND l.position = n.position \
             LEFT JOIN account a ON a.id = n.account_id WHERE n.room_id = ?1 AND n.position > ?2 AND n.kind = 0 \
             AND n.body IS NOT NULL AND n.recall_position IS NULL ORDER BY n.position DESC LIMIT ?3"
        ),
        (false, DiaryShow::All, true) => lines!(
            "LEFT JOIN diary_line l ON l.room_id = n.room_id AND l.position = n.position \
             LEFT JOIN account a ON a.id = n.account_id WHERE n.room_id = ?1 AND n.position > ?2 AND n.kind = 0 \
             AND n.body IS NOT NULL AND n.recall_position IS NULL ORDER BY n.position LIMIT ?3"
        ),
    };
    let mut lines = tx.all(statement, &args, line_from)?;
    let mut head = lines.last().map_or(since, |line| line.position);
    if filter.since.is_none() {
        lines.reverse();
        head = lines.last().map_or(0, |line| line.position);
    } else if lines.len() == LINES_MAX as usize {
        // There may be more: the one who asks cannot be at the end yet.
        head += 1;
    }
    Ok(DiaryLines { lines, head })
}

fn line_from(row: &Row<'_>) -> sql::Result<DiaryLine> {
    let corrupt = |error: InvalidBody| sql::Error::corrupt(error.to_string());
    let packed = match row.opt_bytes(3)? {
        Some(edited) => edited,
        None => row.bytes(2)?,
    };
    let text = match unpack(packed).map_err(corrupt)? {
        Body::Text(text) => text.text,
        Body::Edit(edit) => edit.text,
        _ => String::new(),
    };
    let from = match (row.opt_text(4)?, row.opt_int(5)?) {
        (Some(address), Some(port)) => {
            let damaged = || sql::Error::corrupt(format!("diary client {address:?}"));
            let address: IpAddr = address.parse().map_err(|_| damaged())?;
            let port = u16::try_from(port).map_err(|_| damaged())?;
            Ok(SocketAddr::new(address, port))
        }
        _ => Err(row
            .opt_text(6)?
            .or(row.opt_text(7)?)
            .unwrap_or_default()
            .to_owned()),
    };
    Ok(DiaryLine {
        position: row.uint(0)?,
        at_ms: row.int(1)?,
        from,
        text,
    })
}

pub(super) fn clients(tx: &mut Tx<'_>, of: DiaryRoom) -> Result<Vec<DiaryClient>> {
    enter_account(tx, of.account, of.room, Right::Read)?;
    let clients = tx.all(
        "SELECT address, port, entries_count, last_ms FROM diary_client WHERE room_id = ?1 \
         ORDER BY last_position DESC LIMIT ?2",
        &[of.room.into(), CLIENTS_MAX.into()],
        |row| {
            let address = row.text(0)?;
            let damaged = || sql::Error::corrupt(format!("diary client {address:?}"));
            let port = u16::try_from(row.int(1)?).map_err(|_| damaged())?;
            Ok(DiaryClient {
                client: SocketAddr::new(address.parse().map_err(|_| damaged())?, port),
                entries_count: row.uint(2)?,
                last_ms: row.int(3)?,
            })
        },
    )?;
    Ok(clients)
}
