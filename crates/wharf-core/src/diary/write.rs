//! A journal as a document.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use wharf_store::sql::Tx;
use wharf_types::AccountId;
use wharf_types::api::diary::DiaryFormat;
use wharf_types::api::log::{Body, Entry};
use wharf_types::api::portage::MemberRecord;
use wharf_types::fold::text_of;

use super::View;
use super::gather::Plan;
use crate::error::{Error, Result};
use crate::log;
use crate::portage::stand_ins;
use crate::zone::{Day, Zone};

/// Writes out what `plan` found; what was written before went up to `after`.
pub(super) fn out(
    tx: &mut Tx<'_>,
    view: &View,
    plan: &Plan,
    items: &[Entry],
    (after, format): (Option<u64>, DiaryFormat),
) -> Result<String> {
    let zone = &plan.zone;
    match format {
        DiaryFormat::JsonLines => lines(items),
        DiaryFormat::Markdown => {
            let before = match after {
                Some(position) => log::entry_at(tx, None, view.room, position)?,
                None => None,
            };
            // The heading of its day was written if it was a part of the document.
            let day = before
                .filter(|entry| plan.takes(entry))
                .map(|entry| zone.day_of(entry.at_ms));
            let names = names(tx, view, items)?;
            Ok(markdown(items, day, &names, zone))
        }
    }
}

fn lines(items: &[Entry]) -> Result<String> {
    let mut text = String::new();
    for entry in items {
        let line = serde_json::to_string(entry).map_err(|error| {
            Error::internal("an entry could not be written as JSON").because(error)
        })?;
        text.push_str(&line);
        text.push('\n');
    }
    Ok(text)
}

/// The names of the authors other than the reader, whose journal it is.
fn names(tx: &mut Tx<'_>, view: &View, items: &[Entry]) -> Result<BTreeMap<AccountId, String>> {
    let stand_ins = stand_ins(tx, view.room)?;
    let name_of = |(id, member): (AccountId, MemberRecord)| (id, member.person.nickname);
    let mut names: BTreeMap<AccountId, String> = stand_ins.into_iter().map(name_of).collect();
    for account in items.iter().filter_map(|entry| entry.account) {
        if account == view.reader || names.contains_key(&account) {
            continue;
        }
        let name = tx.opt(
            "SELECT nickname FROM account WHERE id = ?1",
            &[account.into()],
            |row| Ok(row.text(0)?.to_owned()),
        )?;
        names.insert(account, name.unwrap_or_default());
    }
    Ok(names)
}

fn markdown(
    items: &[Entry],
    mut day: Option<Day>,
    names: &BTreeMap<AccountId, String>,
    zone: &Zone,
) -> String {
    let mut text = String::new();
    for entry in items {
        let today = zone.day_of(entry.at_ms);
        if day != Some(today) {
            // Writing to a text cannot fail.
            let _ = write!(text, "# {today}, {}\n\n", today.weekday());
            day = Some(today);
        }
        let _ = write!(text, "**{}**", zone.time_of(entry.at_ms));
        let name = entry.name.as_ref().or_else(|| names.get(&entry.account?));
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            let _ = write!(text, " {}", plain(name));
        }
        text.push_str("\n\n");
        if let Some(Body::File(file)) = &entry.body {
            let _ = write!(text, "*{}* ({} bytes)\n\n", plain(&file.name), file.bytes);
        }
        let said = text_of(entry).unwrap_or_default().trim_end();
        if !said.is_empty() {
            text.push_str(said);
            text.push_str("\n\n");
        }
    }
    text
}

/// A name as Markdown that says just that.
fn plain(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    for char in name.chars() {
        if char.is_ascii_punctuation() && !"-.,() ".contains(char) {
            plain.push('\\');
        }
        plain.push(if char.is_control() { ' ' } else { char });
    }
    plain
}
