//! From what a member asks to append to what the entry says: bounds, and the rules about the entries it is about.

use std::borrow::Cow;

use wharf_store::sql::Tx;
use wharf_types::api::log::{Body, Draft, Edit, File, FileDraft, Mentions, Pin, Reaction, Recall};
use wharf_types::limit::{
    ENTRY_TEXT_BYTES_MAX, MENTIONS_PER_ENTRY_MAX, PINS_PER_ROOM_MAX, REACTION_BYTES_MAX,
    REACTIONS_PER_ACCOUNT_MAX,
};
use wharf_types::{AccountId, ErrorCode};

use super::read::View;
use crate::access::Entered;
use crate::config::HouseConfig;
use crate::drive;
use crate::error::{Error, Result};

const MINUTE_MS: i64 = 60_000;

/// Puts a draft into the form in which it is compared and packed: mentions ascending, each once.
pub(super) fn normalise(draft: &mut Draft) {
    let mentions = match draft {
        Draft::Text(text) => &mut text.mentions,
        Draft::File(file) => &mut file.mentions,
        Draft::Edit(edit) => &mut edit.mentions,
        Draft::Recall(_) | Draft::Reaction(_) | Draft::Pin(_) => return,
    };
    mentions.accounts.sort_unstable();
    mentions.accounts.dedup();
}

/// Checks what needs no database.
///
/// # Errors
/// `Invalid` or `TooLarge`.
pub(crate) fn check(draft: &Draft) -> Result<()> {
    match draft {
        Draft::Text(text) => {
            check_text(&text.text, &text.mentions)?;
            if text.text.is_empty() {
                return Err(Error::invalid("there is nothing in this text"));
            }
            Ok(())
        }
        Draft::File(file) => check_text(&file.text, &file.mentions),
        Draft::Edit(edit) => check_text(&edit.text, &edit.mentions),
        Draft::Reaction(reaction) => check_emoji(&reaction.emoji),
        Draft::Recall(_) | Draft::Pin(_) => Ok(()),
    }
}

fn check_text(text: &str, mentions: &Mentions) -> Result<()> {
    if text.len() > ENTRY_TEXT_BYTES_MAX {
        return Err(too_large(format!(
            "a text has {ENTRY_TEXT_BYTES_MAX} bytes at most, this one has {}",
            text.len()
        )));
    }
    // PostgreSQL's texts, which the search is made of, have none.
    if text.contains('\0') {
        return Err(Error::invalid("a text has no NUL characters"));
    }
    if mentions.accounts.len() > MENTIONS_PER_ENTRY_MAX {
        return Err(too_large(format!(
            "an entry mentions {MENTIONS_PER_ENTRY_MAX} people at most"
        )));
    }
    Ok(())
}

fn check_emoji(emoji: &str) -> Result<()> {
    if emoji.is_empty() || emoji.chars().any(char::is_control) {
        return Err(Error::invalid(
            "a reaction is an emoji or a short text in one line",
        ));
    }
    if emoji.len() > REACTION_BYTES_MAX {
        return Err(too_large(format!(
            "a reaction has {REACTION_BYTES_MAX} bytes at most"
        )));
    }
    Ok(())
}

fn too_large(text: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorCode::TooLarge, text)
}

/// What is known where a draft becomes an entry.
pub(super) struct Context<'a> {
    pub(super) room: &'a Entered,
    pub(super) view: &'a View,
    pub(super) config: &'a HouseConfig,
    pub(super) now_ms: i64,
}

/// Makes the entry's body of a checked draft, by the rules about what it answers, hands over or changes.
///
/// # Errors
/// See [`super::Logs::append`].
pub(super) fn body_of(tx: &mut Tx<'_>, context: &Context<'_>, draft: &Draft) -> Result<Body> {
    match draft {
        Draft::Text(text) => {
            check_reply(context, text.reply_to)?;
            Ok(Body::Text(text.clone()))
        }
        Draft::File(file) => {
            check_reply(context, file.reply_to)?;
            Ok(Body::File(hand_over(tx, context, file)?))
        }
        Draft::Edit(edit) => {
            may_edit(tx, context, edit)?;
            Ok(Body::Edit(edit.clone()))
        }
        Draft::Recall(recall) => {
            may_recall(tx, context, recall)?;
            Ok(Body::Recall(recall.clone()))
        }
        Draft::Reaction(reaction) => {
            may_react(tx, context, reaction)?;
            Ok(Body::Reaction(reaction.clone()))
        }
        Draft::Pin(pin) => {
            may_pin(tx, context, pin)?;
            Ok(Body::Pin(pin.clone()))
        }
    }
}

fn no_entry() -> Error {
    Error::not_found("there is no such entry in this room")
}

fn check_reply(context: &Context<'_>, reply_to: Option<u64>) -> Result<()> {
    match reply_to {
        Some(position) if !context.view.shows(position) => Err(no_entry()),
        _ => Ok(()),
    }
}

fn hand_over(tx: &mut Tx<'_>, context: &Context<'_>, draft: &FileDraft) -> Result<File> {
    let file = drive::file_to_hand_over(tx, context.room, draft.node, draft.revision)?;
    Ok(File {
        node: draft.node,
        revision: file.revision,
        name: file.name,
        bytes: file.bytes,
        content: file.hash,
        dimensions: draft.dimensions,
        text: draft.text.clone(),
        reply_to: draft.reply_to,
        mentions: draft.mentions.clone(),
    })
}

/// A text or file that an entry is about.
struct Target {
    is_file: bool,
    author: Option<AccountId>,
    at_ms: i64,
}

/// Finds the entry that another one is about: one that the caller can see, a text or file, not recalled.
fn target(tx: &mut Tx<'_>, context: &Context<'_>, position: u64) -> Result<Target> {
    if !context.view.shows(position) {
        return Err(no_entry());
    }
    let found = tx.opt(
        "SELECT kind, account_id, at_ms, recall_position FROM entry WHERE room_id = ?1 AND position = ?2",
        &[context.room.id.into(), position.into()],
        |row| {
            let target = Target {
                is_file: row.int(0)? == 1,
                author: row.opt_id(1)?,
                at_ms: row.int(2)?,
            };
            Ok((target, row.int(0)?, row.opt_uint(3)?))
        },
    )?;
    let (target, kind, recalled) = found.ok_or_else(no_entry)?;
    if kind > 1 {
        return Err(Error::invalid("this entry is neither a text nor a file"));
    }
    if recalled.is_some() {
        return Err(Error::denied("this entry was taken back"));
    }
    Ok(target)
}

fn is_within(context: &Context<'_>, target: &Target, minutes: u32) -> bool {
    minutes == 0 || context.now_ms - target.at_ms <= i64::from(minutes) * MINUTE_MS
}

fn may_edit(tx: &mut Tx<'_>, context: &Context<'_>, edit: &Edit) -> Result<()> {
    let target = target(tx, context, edit.target)?;
    if target.author != Some(context.view.account) {
        return Err(Error::denied("only who said this can change it"));
    }
    let minutes = context.config.edit_minutes;
    if !is_within(context, &target, minutes) {
        return Err(Error::denied(format!(
            "what was said can be changed for {minutes} minutes"
        )));
    }
    if edit.text.is_empty() && !target.is_file {
        return Err(Error::invalid(
            "there is nothing in this text: take the entry back instead",
        ));
    }
    Ok(())
}

fn may_recall(tx: &mut Tx<'_>, context: &Context<'_>, recall: &Recall) -> Result<()> {
    let target = target(tx, context, recall.target)?;
    let is_nobodys = context.view.is_personal && target.author.is_none();
    if context.view.may_recall_any || is_nobodys {
        return Ok(());
    }
    if target.author != Some(context.view.account) {
        return Err(Error::denied(
            "only who said this, or the owner of the group, can take it back",
        ));
    }
    let minutes = context.config.recall_minutes;
    if !is_within(context, &target, minutes) {
        return Err(Error::denied(format!(
            "what was said can be taken back for {minutes} minutes"
        )));
    }
    Ok(())
}

fn may_react(tx: &mut Tx<'_>, context: &Context<'_>, reaction: &Reaction) -> Result<()> {
    target(tx, context, reaction.target)?;
    if !reaction.is_set {
        return Ok(());
    }
    let count = tx.one(
        "SELECT count(*) FROM reaction WHERE room_id = ?1 AND target = ?2 AND account_id = ?3",
        &[
            context.room.id.into(),
            reaction.target.into(),
            context.view.account.into(),
        ],
        |row| row.uint(0),
    )?;
    if count >= u64::from(REACTIONS_PER_ACCOUNT_MAX) {
        return Err(too_large(format!(
            "one person has {REACTIONS_PER_ACCOUNT_MAX} reactions to an entry at most"
        )));
    }
    Ok(())
}

fn may_pin(tx: &mut Tx<'_>, context: &Context<'_>, pin: &Pin) -> Result<()> {
    target(tx, context, pin.target)?;
    if !pin.is_set {
        return Ok(());
    }
    let count = tx.one(
        "SELECT count(*) FROM entry WHERE room_id = ?1 AND pin_position IS NOT NULL AND position > ?2",
        &[context.room.id.into(), context.view.end.floor.into()],
        |row| row.uint(0),
    )?;
    if count >= u64::from(PINS_PER_ROOM_MAX) {
        return Err(too_large(format!(
            "a room has {PINS_PER_ROOM_MAX} pins at most: take one away first"
        )));
    }
    Ok(())
}
