//! What an entry changes of the entries before it: the same as [`wharf_types::fold`] says, in rows.

use wharf_store::sql::{self, Tx};
use wharf_types::api::log::{Body, Edit, Mentions, Pin, Reaction, Recall};
use wharf_types::{AccountId, RoomId};
use wharf_wire::entry::digest;

use super::rows;

/// Stands for everybody in the mentions.
const EVERYBODY: AccountId = AccountId::from_bytes([0; 16]);

/// Applies the entry at `position`, which is in its row.
pub(super) fn apply(
    tx: &mut Tx<'_>,
    room: RoomId,
    author: Option<AccountId>,
    position: u64,
    body: &Body,
) -> sql::Result<()> {
    match body {
        Body::Text(text) => mention(tx, room, position, &text.mentions),
        Body::File(file) => {
            keep_revision(tx, room, file.revision)?;
            mention(tx, room, position, &file.mentions)
        }
        Body::Edit(edit) => apply_edit(tx, room, position, edit),
        Body::Recall(Recall { target }) => apply_recall(tx, room, position, *target),
        Body::Reaction(reaction) => match author {
            Some(author) => apply_reaction(tx, room, author, position, reaction),
            None => Ok(()),
        },
        Body::Pin(pin) => apply_pin(tx, room, position, pin),
        Body::Member(_) | Body::Settings(_) => Ok(()),
    }
}

fn mention(tx: &mut Tx<'_>, room: RoomId, position: u64, mentions: &Mentions) -> sql::Result<()> {
    let everybody = mentions.everybody.then_some(EVERYBODY);
    for account in mentions.accounts.iter().chain(everybody.as_ref()) {
        tx.exec(
            "INSERT INTO mention (room_id, account_id, position) VALUES (?1, ?2, ?3) \
             ON CONFLICT (room_id, account_id, position) DO NOTHING",
            &[room.into(), account.into(), position.into()],
        )?;
    }
    Ok(())
}

/// Takes back what the texts at `position` mentioned.
fn forget_mentions(
    tx: &mut Tx<'_>,
    room: RoomId,
    position: u64,
    mentions: &Mentions,
) -> sql::Result<()> {
    let everybody = mentions.everybody.then_some(EVERYBODY);
    for account in mentions.accounts.iter().chain(everybody.as_ref()) {
        tx.exec(
            "DELETE FROM mention WHERE room_id = ?1 AND account_id = ?2 AND position = ?3",
            &[room.into(), account.into(), position.into()],
        )?;
    }
    Ok(())
}

/// Whom the entry at `target` mentions now.
fn mentions_now(tx: &mut Tx<'_>, room: RoomId, target: u64) -> sql::Result<Mentions> {
    let entry = rows::entry_at(tx, None, room, target)?;
    let mentions = entry.as_ref().and_then(wharf_types::fold::mentions_of);
    Ok(mentions.cloned().unwrap_or_default())
}

fn apply_edit(tx: &mut Tx<'_>, room: RoomId, position: u64, edit: &Edit) -> sql::Result<()> {
    let before = mentions_now(tx, room, edit.target)?;
    if before != edit.mentions {
        forget_mentions(tx, room, edit.target, &before)?;
        mention(tx, room, edit.target, &edit.mentions)?;
    }
    tx.exec(
        "UPDATE entry SET edit_position = ?3 WHERE room_id = ?1 AND position = ?2",
        &[room.into(), edit.target.into(), position.into()],
    )?;
    Ok(())
}

fn apply_recall(tx: &mut Tx<'_>, room: RoomId, position: u64, target: u64) -> sql::Result<()> {
    let entry = rows::entry_at(tx, None, room, target)?;
    if let Some(mentions) = entry.as_ref().and_then(wharf_types::fold::mentions_of) {
        forget_mentions(tx, room, target, mentions)?;
    }
    if let Some(Body::File(file)) = entry.and_then(|entry| entry.body) {
        let_revision_go(tx, room, file.revision)?;
    }
    let erased = tx.all(
        "SELECT position, body FROM entry WHERE room_id = ?1 AND kind = 2 AND target = ?2 AND body IS NOT NULL \
         UNION ALL SELECT position, body FROM entry WHERE room_id = ?1 AND position = ?2 AND body IS NOT NULL",
        &[room.into(), target.into()],
        |row| Ok((row.uint(0)?, digest(row.bytes(1)?))),
    )?;
    for (erased, digest) in erased {
        tx.exec(
            "UPDATE entry SET body = NULL, body_digest = ?3 WHERE room_id = ?1 AND position = ?2",
            &[room.into(), erased.into(), (&digest).into()],
        )?;
    }
    tx.exec(
        "UPDATE entry SET recall_position = ?3, edit_position = NULL, pin_position = NULL \
         WHERE room_id = ?1 AND position = ?2",
        &[room.into(), target.into(), position.into()],
    )?;
    tx.exec(
        "DELETE FROM reaction WHERE room_id = ?1 AND target = ?2",
        &[room.into(), target.into()],
    )?;
    Ok(())
}

fn apply_reaction(
    tx: &mut Tx<'_>,
    room: RoomId,
    author: AccountId,
    position: u64,
    reaction: &Reaction,
) -> sql::Result<()> {
    let emoji = reaction.emoji.as_str();
    if reaction.is_set {
        tx.exec(
            "INSERT INTO reaction (room_id, target, account_id, emoji, position) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT (room_id, target, account_id, emoji) DO NOTHING",
            &[
                room.into(),
                reaction.target.into(),
                author.into(),
                emoji.into(),
                position.into(),
            ],
        )?;
    } else {
        tx.exec(
            "DELETE FROM reaction WHERE room_id = ?1 AND target = ?2 AND account_id = ?3 AND emoji = ?4",
            &[
                room.into(),
                reaction.target.into(),
                author.into(),
                emoji.into(),
            ],
        )?;
    }
    Ok(())
}

fn apply_pin(tx: &mut Tx<'_>, room: RoomId, position: u64, pin: &Pin) -> sql::Result<()> {
    let pin_position = pin.is_set.then_some(position);
    let sql = if pin.is_set {
        "UPDATE entry SET pin_position = ?3 WHERE room_id = ?1 AND position = ?2 AND pin_position IS NULL"
    } else {
        "UPDATE entry SET pin_position = ?3 WHERE room_id = ?1 AND position = ?2"
    };
    tx.exec(sql, &[room.into(), pin.target.into(), pin_position.into()])?;
    Ok(())
}

/// While an entry hands it over, the drive's retention lets a revision be.
fn keep_revision(tx: &mut Tx<'_>, room: RoomId, revision: u64) -> sql::Result<()> {
    tx.exec(
        "UPDATE change SET handed_count = handed_count + 1 WHERE room_id = ?1 AND position = ?2",
        &[room.into(), revision.into()],
    )?;
    Ok(())
}

/// An entry that handed a revision over is no more.
pub(super) fn let_revision_go(tx: &mut Tx<'_>, room: RoomId, revision: u64) -> sql::Result<()> {
    tx.exec(
        "UPDATE change SET handed_count = handed_count - 1 WHERE room_id = ?1 AND position = ?2 AND handed_count > 0",
        &[room.into(), revision.into()],
    )?;
    Ok(())
}
