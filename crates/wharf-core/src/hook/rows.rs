//! How webhooks stand in their rows.

use data_encoding::BASE64URL_NOPAD;
use wharf_store::sql::{self, Row, Tx};
use wharf_types::api::hook::{Hook, HookDirection};
use wharf_types::{AccountId, HookId, RoomId};

use crate::error::{Error, Result};
use crate::random::Random;

/// What every secret begins with, so that people and scanners for leaked secrets know one when they see it.
const SECRET_PREFIX: &str = "wharf_hook_";
const SECRET_BYTES: usize = 32;

/// A webhook's secret, and what is stored of it.
pub(super) struct Secret {
    pub(super) text: String,
    pub(super) stored: Vec<u8>,
}

impl Secret {
    /// Makes one. What others prove to us is stored as its hash; what we prove to others, as it is.
    pub(super) fn new(random: &Random, direction: HookDirection) -> Self {
        let bytes: [u8; SECRET_BYTES] = random.bytes();
        let text = format!("{SECRET_PREFIX}{}", BASE64URL_NOPAD.encode(&bytes));
        let stored = match direction {
            HookDirection::Incoming => secret_hash(&text).to_vec(),
            HookDirection::Outgoing => text.clone().into_bytes(),
        };
        Self { text, stored }
    }
}

/// What the database knows an incoming webhook's secret by.
pub(super) fn secret_hash(text: &str) -> [u8; 32] {
    *blake3::hash(text.as_bytes()).as_bytes()
}

/// What a webhook is made from, checked.
pub(super) struct NewHook<'a> {
    pub(super) id: HookId,
    pub(super) room: RoomId,
    pub(super) direction: HookDirection,
    pub(super) name: &'a str,
    pub(super) url: Option<&'a str>,
    pub(super) secret: &'a [u8],
    pub(super) created_by: AccountId,
    pub(super) now_ms: i64,
}

/// Makes a webhook whose cursor is at the end of the room's log.
pub(super) fn insert(tx: &mut Tx<'_>, hook: &NewHook<'_>) -> sql::Result<()> {
    tx.exec(
        "INSERT INTO hook (id, room_id, direction, name, url, secret, position, sending, next_ms, failed_count, \
         is_stopped, created_by, created_ms) \
         SELECT ?1, room_id, ?3, ?4, ?5, ?6, head, head, 0, 0, 0, ?7, ?8 FROM log WHERE room_id = ?2",
        &[
            hook.id.into(),
            hook.room.into(),
            direction_text(hook.direction).into(),
            hook.name.into(),
            hook.url.into(),
            hook.secret.into(),
            hook.created_by.into(),
            hook.now_ms.into(),
        ],
    )?;
    Ok(())
}

pub(super) fn count(tx: &mut Tx<'_>, room: RoomId) -> sql::Result<u64> {
    tx.one(
        "SELECT count(*) FROM hook WHERE room_id = ?1",
        &[room.into()],
        |row| row.uint(0),
    )
}

pub(super) fn list(tx: &mut Tx<'_>, room: RoomId) -> sql::Result<Vec<Hook>> {
    tx.all(
        "SELECT id, direction, name, url, position, last_error, is_stopped, created_ms FROM hook \
         WHERE room_id = ?1 ORDER BY created_ms, id",
        &[room.into()],
        from_row,
    )
}

/// # Errors
/// `NotFound`: the room has no such webhook.
pub(super) fn get(tx: &mut Tx<'_>, room: RoomId, id: HookId) -> Result<Hook> {
    tx.opt(
        "SELECT id, direction, name, url, position, last_error, is_stopped, created_ms FROM hook \
         WHERE id = ?1 AND room_id = ?2",
        &[id.into(), room.into()],
        from_row,
    )?
    .ok_or_else(no_such_hook)
}

pub(super) fn rename(tx: &mut Tx<'_>, id: HookId, name: &str) -> sql::Result<()> {
    tx.exec(
        "UPDATE hook SET name = ?2 WHERE id = ?1",
        &[id.into(), name.into()],
    )?;
    Ok(())
}

/// Gives an outgoing webhook an address, and a fresh start.
pub(super) fn redirect(tx: &mut Tx<'_>, id: HookId, url: &str) -> sql::Result<()> {
    tx.exec(
        "UPDATE hook SET url = ?2, next_ms = 0, failed_count = 0, first_failed_ms = NULL, last_error = NULL, \
         is_stopped = 0 WHERE id = ?1",
        &[id.into(), url.into()],
    )?;
    Ok(())
}

/// # Errors
/// `NotFound`: the room has no such webhook.
pub(super) fn delete(tx: &mut Tx<'_>, room: RoomId, id: HookId) -> Result<()> {
    let deleted = tx.exec(
        "DELETE FROM hook WHERE id = ?1 AND room_id = ?2",
        &[id.into(), room.into()],
    )?;
    if deleted == 0 {
        return Err(no_such_hook());
    }
    tx.exec("DELETE FROM hook_message WHERE hook_id = ?1", &[id.into()])?;
    Ok(())
}

pub(super) fn no_such_hook() -> Error {
    Error::not_found("there is no such webhook")
}

fn from_row(row: &Row<'_>) -> sql::Result<Hook> {
    let direction = direction_of(row.text(1)?)?;
    Ok(Hook {
        id: row.id(0)?,
        direction,
        name: row.text(2)?.to_owned(),
        url: row.opt_text(3)?.map(str::to_owned),
        secret: None,
        delivered: match direction {
            HookDirection::Incoming => None,
            HookDirection::Outgoing => Some(row.uint(4)?),
        },
        last_error: row.opt_text(5)?.map(str::to_owned),
        is_stopped: row.flag(6)?,
        created_ms: row.int(7)?,
    })
}

pub(super) const fn direction_text(direction: HookDirection) -> &'static str {
    match direction {
        HookDirection::Incoming => "incoming",
        HookDirection::Outgoing => "outgoing",
    }
}

fn direction_of(text: &str) -> sql::Result<HookDirection> {
    match text {
        "incoming" => Ok(HookDirection::Incoming),
        "outgoing" => Ok(HookDirection::Outgoing),
        other => Err(sql::Error::corrupt(format!("hook direction {other:?}"))),
    }
}
