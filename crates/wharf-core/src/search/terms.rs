//! The terms that entries and nodes are listed under: their words, and what else can be asked for.
//!
//! Terms that are no words begin with a byte that no word has.

use std::collections::BTreeSet;

use wharf_types::AccountId;
use wharf_types::api::drive::NodeKind;
use wharf_types::api::log::{Body, Entry};
use wharf_types::fold;

use super::query::Has;
use super::words;
use crate::drive::Looked;

/// The term of everything.
pub(super) const ALL: &str = "\u{1}a";

/// What the terms of an entry's tags begin with, and what comes after all of them.
pub(crate) const ENTRY_TAGS: (&str, &str) = ("\u{1}t", "\u{1}u");

/// The term of an author.
pub(super) fn author(account: AccountId) -> String {
    format!(
        "\u{1}f{}",
        data_encoding::HEXLOWER.encode(account.as_bytes())
    )
}

/// The term of an author who has no account.
pub(super) fn author_name(name: &str) -> String {
    format!(
        "\u{1}n{}",
        words::fold(name.trim()).replace(char::is_control, " ")
    )
}

/// The term of a property.
pub(super) fn property(has: Has) -> String {
    format!("\u{1}h{}", has.word())
}

/// The term of an entry's tag.
pub(crate) fn entry_tag(tag: &str) -> String {
    format!("{}{tag}", ENTRY_TAGS.0)
}

/// The term of a node's tag.
pub(super) fn node_tag(tag: &str) -> String {
    format!("\u{1}g{tag}")
}

/// What an entry is searched in: what it says now, after the name of the file that it hands over. `None` for one that is
/// not to be found: of another kind, or taken back.
pub(super) fn text_of_entry(entry: &Entry) -> Option<String> {
    if entry.state.recalled.is_some() {
        return None;
    }
    let text = fold::text_of(entry)?;
    match &entry.body {
        Some(Body::Text(_)) => Some(text.to_owned()),
        Some(Body::File(file)) if text.is_empty() => Some(file.name.clone()),
        Some(Body::File(file)) => Some(format!("{}\n{text}", file.name)),
        _ => None,
    }
}

/// The terms of an entry; `None` for one that is not to be found.
pub(super) fn terms_of_entry(entry: &Entry) -> Option<BTreeSet<String>> {
    let text = text_of_entry(entry)?;
    let mut terms = BTreeSet::from([ALL.to_owned()]);
    terms.extend(entry.account.map(author));
    terms.extend(entry.name.as_deref().map(author_name));
    if let Some(Body::File(file)) = &entry.body {
        terms.insert(property(Has::File));
        terms.extend(kind_of_file(&file.name).map(property));
    }
    let said = fold::text_of(entry).unwrap_or_default();
    if said.contains("http://") || said.contains("https://") {
        terms.insert(property(Has::Link));
    }
    let tags = words::tags(said);
    if !tags.is_empty() {
        terms.insert(property(Has::Tag));
    }
    terms.extend(tags.iter().map(|tag| entry_tag(tag)));
    words::add_terms(&mut terms, &text);
    Some(terms)
}

/// The terms of a node.
pub(super) fn terms_of_node(node: &Looked) -> BTreeSet<String> {
    terms_of_name(&node.name, node.kind, &node.tags)
}

/// As [`terms_of_node`].
pub(super) fn terms_of_name(name: &str, kind: NodeKind, tags: &[String]) -> BTreeSet<String> {
    let mut terms = BTreeSet::from([ALL.to_owned()]);
    if kind != NodeKind::Folder {
        terms.insert(property(Has::File));
        terms.extend(kind_of_file(name).map(property));
    }
    if !tags.is_empty() {
        terms.insert(property(Has::Tag));
    }
    terms.extend(
        tags.iter()
            .map(|tag| node_tag(&words::tag_key(tag)).replace('\n', " ")),
    );
    words::add_terms(&mut terms, name);
    terms
}

/// What a file is, as its name says.
fn kind_of_file(name: &str) -> Option<Has> {
    let (_, ending) = name.rsplit_once('.')?;
    Some(match ending.to_lowercase().as_str() {
        "jpg" | "jpeg" | "png" | "gif" | "webp" | "avif" | "heic" | "heif" | "svg" | "bmp"
        | "tif" | "tiff" | "jxl" => Has::Image,
        "mp4" | "m4v" | "mov" | "mkv" | "webm" | "avi" | "mpg" | "mpeg" | "wmv" | "3gp" => {
            Has::Film
        }
        "mp3" | "m4a" | "aac" | "ogg" | "oga" | "opus" | "flac" | "wav" | "wma" | "aiff" => {
            Has::Sound
        }
        _ => return None,
    })
}
