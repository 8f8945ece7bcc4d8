//! What records of an archive must be to be taken in.

use wharf_types::api::log::Body;
use wharf_types::api::portage::{EntryRecord, RoomRecord};
use wharf_types::api::room::RoomKind;
use wharf_types::limit::{DRAFT_BYTES_MAX, LABEL_BYTES_MAX, TOPIC_BYTES_MAX};
use wharf_wire::entry::{self as wire, START};

use super::people::{checked_label, has_nul};
use crate::error::{Error, Result};

/// Longest name of a door, and of an address, in bytes.
const DOOR_BYTES_MAX: usize = 255;
const ADDRESS_BYTES_MAX: usize = 64;

/// Checks what a room's record says.
pub(super) fn check_room(record: &RoomRecord) -> Result<()> {
    if record.kind == RoomKind::Group {
        checked_label("a room's name", &record.name)?;
    } else if !record.name.is_empty() {
        return Err(Error::invalid("only a group has a name"));
    }
    if record.topic.len() > TOPIC_BYTES_MAX || has_nul(&record.topic) {
        return Err(Error::invalid(
            "the topic of a room is too long, or is no text",
        ));
    }
    let draft = &record.preferences.draft;
    if draft.len() > DRAFT_BYTES_MAX || has_nul(draft) {
        return Err(Error::invalid(
            "the draft of a room is too long, or is no text",
        ));
    }
    let is_begin = record.floor == 0;
    if is_begin && (record.floor_hash != START || record.floor_countable != 0) {
        return Err(Error::invalid(
            "a log that begins at its beginning has nothing before it",
        ));
    }
    if record.floor_countable > record.floor || i64::try_from(record.floor).is_err() {
        return Err(Error::invalid("the beginning of a log makes no sense"));
    }
    Ok(())
}

/// Checks that an entry agrees with itself and is within its bounds, and returns what its body is chained as.
pub(super) fn check_entry(entry: &EntryRecord) -> Result<[u8; 32]> {
    let origin = &entry.origin;
    let texts = [
        Some(&origin.door),
        entry.name.as_ref(),
        origin.address.as_ref(),
    ];
    let is_long = origin.door.len() > DOOR_BYTES_MAX
        || entry
            .name
            .as_ref()
            .is_some_and(|name| name.len() > LABEL_BYTES_MAX)
        || origin
            .address
            .as_ref()
            .is_some_and(|address| address.len() > ADDRESS_BYTES_MAX);
    if is_long || texts.into_iter().flatten().any(|text| has_nul(text)) {
        return Err(no_sense(entry, "its origin is too long, or is no text"));
    }
    if entry
        .target
        .is_some_and(|target| target == 0 || target >= entry.position)
    {
        return Err(no_sense(
            entry,
            "it is about an entry that does not come before it",
        ));
    }
    let Some(body) = &entry.body else {
        let digest = entry
            .digest
            .ok_or_else(|| no_sense(entry, "it has neither body nor digest"))?;
        if entry.kind > 2 {
            return Err(no_sense(entry, "only what was said can be erased"));
        }
        return Ok(*digest.as_bytes());
    };
    let is_ascending = match body {
        Body::Text(text) => text.mentions.accounts.is_sorted(),
        Body::File(file) => file.mentions.accounts.is_sorted(),
        Body::Edit(edit) => edit.mentions.accounts.is_sorted(),
        Body::Reaction(reaction) => !has_nul(&reaction.emoji),
        Body::Recall(_) | Body::Pin(_) | Body::Member(_) | Body::Settings(_) => true,
    };
    if !is_ascending {
        return Err(no_sense(
            entry,
            "its mentions are not in order, or its emoji is no text",
        ));
    }
    let packed = wire::pack(body);
    match wire::unpack(&packed) {
        Ok(unpacked) if unpacked == *body => {}
        Ok(_) => return Err(no_sense(entry, "its body has more than one form")),
        Err(error) => return Err(no_sense(entry, error)),
    }
    if wire::kind_of(body) != entry.kind || body.target() != entry.target {
        return Err(no_sense(
            entry,
            "its body is of another kind, or about another entry",
        ));
    }
    Ok(wire::digest(&packed))
}

pub(super) fn no_sense(entry: &EntryRecord, why: impl std::fmt::Display) -> Error {
    Error::invalid(format!(
        "entry {} of the archive makes no sense: {why}",
        entry.position
    ))
}
