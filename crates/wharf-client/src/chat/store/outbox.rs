//! The outbox: what was written for the server, each under the number that it is sent with.
//!
//! An item gets its device and number in the transaction that writes it, and keeps them until the server has answered: so
//! however often it is sent, by whichever process, from this file, a copy or a backup of it, the server sees that it is
//! the same. Only an answer that says that the number stands for something else (a copy of this profile used it) proves
//! that the item is not in the log, and moves it to a new device. What was written after it moves with it, once its numbers
//! are used up by nothing, so that no copy can send it under them. The new device and number follow from the old ones, so
//! another copy of the same item finds the same, and meets it there.

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use wharf_types::api::log::{Draft, FileDraft, Mentions, Recall};
use wharf_types::{DeviceId, ErrorCode, NodeId, RoomId};

use super::{ChatError, Meta, Touched, json, room_at, signed, unsigned};
use crate::chat::view::{Handover, Waiting, WaitingKind, WaitingState};

/// How long answered items are remembered, for other processes that wait for their answer.
const ANSWERED_MS: i64 = 24 * 3600 * 1000;

/// Items whose numbers are in one block of so many go on under one device.
const BLOCK: u64 = 32;

/// An item to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::chat) struct Outgoing {
    pub(in crate::chat) id: i64,
    pub(in crate::chat) room: RoomId,
    pub(in crate::chat) number: u64,
    pub(in crate::chat) draft: Draft,
    pub(in crate::chat) client_ms: i64,
    /// It says nothing, and only uses the number up.
    pub(in crate::chat) is_void: bool,
}

/// What names an item to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::chat) struct Number {
    pub(in crate::chat) device: DeviceId,
    pub(in crate::chat) number: u64,
}

/// Why a device cannot go on under its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::chat) enum Lost {
    /// A copy of it has used its numbers, up to this one as far as is known.
    Shared(u64),
    /// The server has forgotten numbers past this one.
    Forgotten(u64),
}

/// Writes something for the server, and returns its number in the outbox.
pub(in crate::chat) fn enqueue(
    tx: &Transaction<'_>,
    room: RoomId,
    draft: &Draft,
    now_ms: i64,
) -> Result<i64, ChatError> {
    let meta = Meta::read(tx)?;
    let number = meta.number + 1;
    tx.prepare_cached("UPDATE meta SET number = ?1")?
        .execute([signed(number)])?;
    tx.prepare_cached(
        "INSERT INTO outbox (room, target, draft, client_ms, device, number, state, changed_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'waiting', ?4)",
    )?
    .execute(params![
        room.as_bytes(),
        target(draft).map(signed),
        json(draft)?,
        now_ms,
        meta.device.as_bytes(),
        signed(number)
    ])?;
    Ok(tx.last_insert_rowid())
}

/// Writes a file to be uploaded and handed over. It goes by a device of its own, since what is written after it need not
/// wait for it.
pub(in crate::chat) fn enqueue_handover(
    tx: &Transaction<'_>,
    room: RoomId,
    handover: &Handover,
    device: DeviceId,
    now_ms: i64,
) -> Result<i64, ChatError> {
    tx.prepare_cached(
        "INSERT INTO outbox (room, handover, client_ms, device, number, state, changed_ms) \
         VALUES (?1, ?2, ?3, ?4, 1, 'uploading', ?3)",
    )?
    .execute(params![
        room.as_bytes(),
        json(handover)?,
        now_ms,
        device.as_bytes()
    ])?;
    Ok(tx.last_insert_rowid())
}

/// Which items are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::chat) enum Scope {
    /// All that wait.
    All,
    /// Those up to a number, which the server may have.
    Asked(u64),
    /// All that wait: those up to a number as they are, and for those past it nothing under their numbers, so that
    /// nobody else can use these.
    Closed(u64),
}

/// What a device has not been answered for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::chat) struct Pending {
    /// The first number.
    pub(in crate::chat) first: u64,
    /// The first one that stands for something else.
    pub(in crate::chat) first_taken: Option<u64>,
    /// Whether there are others, which may be on the server or come there.
    pub(in crate::chat) has_open: bool,
}

/// What a device has not been answered for.
pub(in crate::chat) fn pending(
    tx: &Connection,
    device: DeviceId,
) -> Result<Option<Pending>, ChatError> {
    let (first, first_taken, has_open): (Option<i64>, Option<i64>, Option<bool>) = tx
        .prepare_cached(
            "SELECT min(number), min(CASE WHEN is_taken = 1 THEN number END), max(is_taken = 0) FROM outbox \
             WHERE device = ?1 AND state IN ('waiting', 'withdrawn')",
        )?
        .query_row([device.as_bytes()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    Ok(first.map(|first| Pending {
        first: first.unsigned_abs(),
        first_taken: first_taken.map(i64::unsigned_abs),
        has_open: has_open == Some(true),
    }))
}

/// The next items of a device past a number, in their order, noted as tried before they are.
pub(in crate::chat) fn take(
    tx: &Transaction<'_>,
    device: DeviceId,
    past: u64,
    scope: Scope,
    limit: usize,
) -> Result<Vec<Outgoing>, ChatError> {
    let (last, real) = match scope {
        Scope::All => (i64::MAX, u64::MAX),
        Scope::Asked(used) => (signed(used), used),
        Scope::Closed(used) => (i64::MAX, used),
    };
    let mut statement = tx.prepare_cached(
        "SELECT id, room, number, draft, client_ms, state FROM outbox WHERE device = ?1 AND number > ?2 \
         AND state IN ('waiting', 'withdrawn') AND is_taken = 0 AND number <= ?3 ORDER BY number LIMIT ?4",
    )?;
    let mut rows = statement.query(params![
        device.as_bytes(),
        signed(past),
        last,
        i64::try_from(limit).unwrap_or(i64::MAX)
    ])?;
    let mut taken = Vec::new();
    while let Some(row) = rows.next()? {
        let number = unsigned(row, 2)?;
        let is_withdrawn = row
            .get_ref(5)?
            .as_str()
            .is_ok_and(|state| state == "withdrawn");
        let is_void = number > real;
        let draft = if is_withdrawn || is_void {
            nothing()
        } else {
            serde_json::from_str(row.get_ref(3)?.as_str().map_err(rusqlite::Error::from)?)?
        };
        taken.push(Outgoing {
            id: row.get(0)?,
            room: room_at(row, 1)?,
            number,
            draft,
            client_ms: row.get(4)?,
            is_void,
        });
    }
    for item in &taken {
        tx.prepare_cached("UPDATE outbox SET is_tried = 1 WHERE id = ?1 AND is_tried = 0")?
            .execute([item.id])?;
    }
    Ok(taken)
}

/// Notes that the server has an item, at a position of its room.
pub(in crate::chat) fn sent(
    tx: &Transaction<'_>,
    by: Number,
    position: u64,
    now_ms: i64,
    touched: &mut Touched,
) -> Result<(), ChatError> {
    let Some((id, room)) = find(tx, by)? else {
        return Ok(());
    };
    tx.prepare_cached(
        "UPDATE outbox SET state = 'sent', position = ?2, is_taken = 0, code = NULL, detail = NULL, changed_ms = ?3 WHERE id = ?1",
    )?
    .execute(params![id, signed(position), now_ms])?;
    tx.prepare_cached("DELETE FROM outbox WHERE state = 'sent' AND changed_ms < ?1")?
        .execute([now_ms - ANSWERED_MS])?;
    touch(touched, id, room);
    Ok(())
}

/// Notes that the server will not have an item. One that was withdrawn is gone with that.
pub(in crate::chat) fn refused(
    tx: &Transaction<'_>,
    by: Number,
    code: ErrorCode,
    detail: &str,
    now_ms: i64,
    touched: &mut Touched,
) -> Result<(), ChatError> {
    let Some((id, room)) = find(tx, by)? else {
        return Ok(());
    };
    tx.prepare_cached("DELETE FROM outbox WHERE id = ?1 AND state = 'withdrawn'")?
        .execute([id])?;
    tx.prepare_cached(
        "UPDATE outbox SET state = 'refused', code = ?2, detail = ?3, changed_ms = ?4 WHERE id = ?1",
    )?
    .execute(params![id, code.as_str(), detail, now_ms])?;
    touch(touched, id, room);
    Ok(())
}

/// Notes that an item's number stands for something else: it is not in the log, and will need another one.
pub(in crate::chat) fn taken(tx: &Transaction<'_>, by: Number) -> Result<(), ChatError> {
    let key = params![by.device.as_bytes(), signed(by.number)];
    tx.prepare_cached(
        "DELETE FROM outbox WHERE device = ?1 AND number = ?2 AND state = 'withdrawn'",
    )?
    .execute(key)?;
    tx.prepare_cached("UPDATE outbox SET is_taken = 1 WHERE device = ?1 AND number = ?2")?
        .execute(params![by.device.as_bytes(), signed(by.number)])?;
    Ok(())
}

/// The device that is to be sent under now: that of the first item that is not answered.
pub(in crate::chat) fn current_device(tx: &Connection) -> Result<DeviceId, ChatError> {
    let first: Option<[u8; 16]> = tx
        .prepare_cached(
            "SELECT device FROM outbox WHERE state IN ('waiting', 'withdrawn') ORDER BY id LIMIT 1",
        )?
        .query_row([], |row| row.get(0))
        .optional()?;
    match first {
        Some(device) => Ok(DeviceId::from_bytes(device)),
        None => Ok(Meta::read(tx)?.device),
    }
}

/// Goes on under other device ids. The new name of an item, device and number, follows from its old one alone, so a copy of
/// this store that has more or less of them gives those that both have the same names. Nothing happens when another
/// process did it already.
pub(in crate::chat) fn move_device(
    tx: &Transaction<'_>,
    device: DeviceId,
    why: Lost,
    now_ms: i64,
) -> Result<(), ChatError> {
    let meta = Meta::read(tx)?;
    let epoch = meta.epoch.as_deref().unwrap_or_default();
    let mut statement = tx.prepare_cached(
        "SELECT id, number FROM outbox WHERE device = ?1 AND state IN ('waiting', 'withdrawn') ORDER BY number",
    )?;
    let items: Vec<(i64, u64)> = statement
        .query_map([device.as_bytes()], |row| {
            Ok((row.get(0)?, unsigned(row, 1)?))
        })?
        .collect::<Result<_, _>>()?;
    let first = match why {
        Lost::Shared(_) => 0,
        Lost::Forgotten(_) => items.first().map_or(0, |(_, number)| *number),
    };
    let unused = match why {
        Lost::Shared(used) => used / BLOCK + 1,
        Lost::Forgotten(_) => 0,
    };
    let mut last = (next_device(device, epoch, why, unused), 0);
    for (index, (id, number)) in items.into_iter().enumerate() {
        let place = number - first;
        let next = next_device(device, epoch, why, place / BLOCK);
        if index == 0 || last.0 != next {
            last = (next, 0);
        }
        let number = place % BLOCK + 1;
        // Numbers are dense: what is not there any more is used up by nothing.
        for missing in last.1 + 1..number {
            tx.prepare_cached(
                "INSERT INTO outbox (room, target, draft, client_ms, device, number, state, changed_ms) \
                 VALUES (zeroblob(16), 0, ?1, 0, ?2, ?3, 'withdrawn', ?4)",
            )?
            .execute(params![json(&nothing())?, next.as_bytes(), signed(missing), now_ms])?;
        }
        tx.prepare_cached(
            "UPDATE outbox SET device = ?2, number = ?3, is_tried = 0, is_taken = 0 WHERE id = ?1",
        )?
        .execute(params![id, next.as_bytes(), signed(number)])?;
        last = (next, number);
    }
    if meta.device == device {
        tx.prepare_cached("UPDATE meta SET device = ?1, number = ?2")?
            .execute(params![last.0.as_bytes(), signed(last.1)])?;
    }
    Ok(())
}

/// The device that another one goes on as, for the items of a block of its numbers.
fn next_device(device: DeviceId, epoch: &str, why: Lost, block: u64) -> DeviceId {
    let mut hasher = blake3::Hasher::new_derive_key("wharf device that goes on as another");
    hasher
        .update(device.as_bytes())
        .update(&block.to_le_bytes());
    if let Lost::Forgotten(number) = why {
        hasher
            .update(&number.to_le_bytes())
            .update(epoch.as_bytes());
    }
    let mut bytes = [0; 16];
    hasher.finalize_xof().fill(&mut bytes);
    DeviceId::from_bytes(bytes)
}

/// Takes an item back that was never on its way, or discards a refused one. A file is on its way once its entry may be in
/// the log: what is only uploaded is not said.
pub(in crate::chat) fn withdraw(
    tx: &Transaction<'_>,
    id: i64,
    now_ms: i64,
) -> Result<RoomId, ChatError> {
    let (room, state, is_tried) = tx
        .prepare_cached("SELECT room, state, is_tried FROM outbox WHERE id = ?1")?
        .query_row([id], |row| {
            Ok((
                room_at(row, 0)?,
                row.get::<_, String>(1)?,
                row.get::<_, bool>(2)?,
            ))
        })
        .optional()?
        .ok_or(ChatError::Missing(id))?;
    match (state.as_str(), is_tried) {
        // Its number stays in the order, and is used up by a draft that no server takes.
        ("waiting", false) => {
            tx.prepare_cached(
                "UPDATE outbox SET state = 'withdrawn', changed_ms = ?2 WHERE id = ?1",
            )?
            .execute(params![id, now_ms])?;
        }
        ("refused", _) | ("uploading", false) => {
            tx.prepare_cached("DELETE FROM outbox WHERE id = ?1")?
                .execute([id])?;
        }
        _ => return Err(ChatError::TooLate),
    }
    Ok(room)
}

/// Takes a refused item out, to be written again.
pub(in crate::chat) fn reclaim(
    tx: &Transaction<'_>,
    id: i64,
) -> Result<(RoomId, WaitingKind), ChatError> {
    let item = one(tx, id)?.ok_or(ChatError::Missing(id))?;
    if !matches!(item.state, WaitingState::Refused { .. }) {
        return Err(ChatError::TooLate);
    }
    tx.prepare_cached("DELETE FROM outbox WHERE id = ?1")?
        .execute([id])?;
    Ok((item.room, item.what))
}

/// A draft that is refused by every server, for a number that stands for nothing.
fn nothing() -> Draft {
    Draft::Recall(Recall { target: 0 })
}

const COLUMNS: &str = "id, room, draft, handover, client_ms, state, position, code, detail";

/// One item.
pub(in crate::chat) fn one(tx: &Connection, id: i64) -> Result<Option<Waiting>, ChatError> {
    let mut statement =
        tx.prepare_cached(&format!("SELECT {COLUMNS} FROM outbox WHERE id = ?1"))?;
    let mut rows = statement.query([id])?;
    rows.next()?.map(waiting).transpose()
}

/// A room's items that are to be shown: what is in the log here already is not, nor what was taken back.
pub(in crate::chat) fn shown(
    tx: &Connection,
    room: RoomId,
    tail: u64,
) -> Result<Vec<Waiting>, ChatError> {
    let mut statement = tx.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM outbox WHERE room = ?1 AND state <> 'withdrawn' \
         AND (position IS NULL OR position > ?2) ORDER BY id"
    ))?;
    let mut rows = statement.query(params![room.as_bytes(), signed(tail)])?;
    let mut items = Vec::new();
    while let Some(row) = rows.next()? {
        items.push(waiting(row)?);
    }
    Ok(items)
}

/// How many texts and files of a room are not on the server.
pub(in crate::chat) fn waiting_count(tx: &Connection, room: RoomId) -> Result<u32, ChatError> {
    Ok(tx
        .prepare_cached(
            "SELECT count(*) FROM outbox WHERE room = ?1 AND target IS NULL AND state IN ('uploading', 'waiting', 'refused')",
        )?
        .query_row([room.as_bytes()], |row| row.get(0))?)
}

/// Items that were not answered, of all rooms.
pub(in crate::chat) fn unanswered_count(tx: &Connection) -> Result<u32, ChatError> {
    Ok(tx
        .prepare_cached("SELECT count(*) FROM outbox WHERE state IN ('uploading', 'waiting')")?
        .query_row([], |row| row.get(0))?)
}

/// The items that changed at or after a time, and their rooms; for what other processes did.
pub(in crate::chat) fn changed_since(
    tx: &Connection,
    since_ms: i64,
) -> Result<Vec<(i64, RoomId)>, ChatError> {
    let mut statement =
        tx.prepare_cached("SELECT id, room FROM outbox WHERE changed_ms >= ?1 ORDER BY id")?;
    let found = statement
        .query_map([since_ms], |row| Ok((row.get(0)?, room_at(row, 1)?)))?
        .collect::<Result<_, _>>()?;
    Ok(found)
}

/// A file that is still to be handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::chat) struct Upload {
    pub(in crate::chat) id: i64,
    pub(in crate::chat) room: RoomId,
    pub(in crate::chat) handover: Handover,
    pub(in crate::chat) device: DeviceId,
    pub(in crate::chat) client_ms: i64,
}

/// The files that are still to be handed over, in their order.
pub(in crate::chat) fn uploads(tx: &Connection) -> Result<Vec<(i64, RoomId)>, ChatError> {
    let mut statement =
        tx.prepare_cached("SELECT id, room FROM outbox WHERE state = 'uploading' ORDER BY id")?;
    let found = statement
        .query_map([], |row| Ok((row.get(0)?, room_at(row, 1)?)))?
        .collect::<Result<_, _>>()?;
    Ok(found)
}

/// A file, if it is still to be handed over.
pub(in crate::chat) fn upload(tx: &Connection, id: i64) -> Result<Option<Upload>, ChatError> {
    let mut statement = tx.prepare_cached(
        "SELECT id, room, handover, device, client_ms FROM outbox WHERE id = ?1 AND state = 'uploading'",
    )?;
    let mut rows = statement.query([id])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let handover = row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?;
    Ok(Some(Upload {
        id: row.get(0)?,
        room: room_at(row, 1)?,
        handover: serde_json::from_str(handover)?,
        device: DeviceId::from_bytes(row.get(3)?),
        client_ms: row.get(4)?,
    }))
}

/// Notes that a file's entry is about to be appended, before it is. Says whether it is still wanted; from then on it cannot
/// be taken back.
pub(in crate::chat) fn try_append(tx: &Transaction<'_>, id: i64) -> Result<bool, ChatError> {
    let changed = tx
        .prepare_cached("UPDATE outbox SET is_tried = 1 WHERE id = ?1 AND state = 'uploading'")?
        .execute([id])?;
    Ok(changed > 0)
}

/// Notes how far an upload is. Says whether it is still wanted.
pub(in crate::chat) fn put_handover(
    tx: &Transaction<'_>,
    id: i64,
    handover: &Handover,
    now_ms: i64,
) -> Result<bool, ChatError> {
    let changed = tx
        .prepare_cached(
            "UPDATE outbox SET handover = ?2, changed_ms = ?3 WHERE id = ?1 AND state = 'uploading'",
        )?
        .execute(params![id, json(handover)?, now_ms])?;
    Ok(changed > 0)
}

/// The draft that hands a file over once it is uploaded.
pub(in crate::chat) fn file_draft(node: NodeId, revision: u64, handover: &Handover) -> Draft {
    Draft::File(FileDraft {
        node,
        revision: Some(revision),
        dimensions: None,
        text: handover.text.clone(),
        reply_to: handover.reply_to,
        mentions: Mentions::default(),
    })
}

fn find(tx: &Connection, by: Number) -> Result<Option<(i64, RoomId)>, ChatError> {
    let found = tx
        .prepare_cached("SELECT id, room FROM outbox WHERE device = ?1 AND number = ?2")?
        .query_row(params![by.device.as_bytes(), signed(by.number)], |row| {
            Ok((row.get(0)?, room_at(row, 1)?))
        })
        .optional()?;
    Ok(found)
}

fn touch(touched: &mut Touched, id: i64, room: RoomId) {
    touched.outbox.insert(id);
    touched.timelines.insert(room);
    touched.rooms.insert(room);
}

fn waiting(row: &Row<'_>) -> Result<Waiting, ChatError> {
    let draft: Option<String> = row.get(2)?;
    let handover: Option<String> = row.get(3)?;
    let what = match (handover, draft) {
        (Some(handover), _) => WaitingKind::Handover(serde_json::from_str(&handover)?),
        (None, Some(draft)) => WaitingKind::Draft(serde_json::from_str(&draft)?),
        (None, None) => return Err(ChatError::Unknown("an item that says nothing".to_owned())),
    };
    let state = match row.get::<_, String>(5)?.as_str() {
        "sent" => WaitingState::Sent {
            position: unsigned(row, 6)?,
        },
        "refused" => WaitingState::Refused {
            code: serde_json::from_value(row.get::<_, String>(7)?.into())?,
            detail: row.get(8)?,
        },
        _ => WaitingState::Waiting,
    };
    Ok(Waiting {
        id: row.get(0)?,
        room: room_at(row, 1)?,
        what,
        at_ms: row.get(4)?,
        state,
    })
}

/// The entry that a draft is about.
pub(in crate::chat) fn target(draft: &Draft) -> Option<u64> {
    match draft {
        Draft::Edit(edit) => Some(edit.target),
        Draft::Recall(recall) => Some(recall.target),
        Draft::Reaction(reaction) => Some(reaction.target),
        Draft::Pin(pin) => Some(pin.target),
        Draft::Text(_) | Draft::File(_) => None,
    }
}

#[cfg(test)]
mod tests;
