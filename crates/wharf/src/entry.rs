//! How entries of a log are shown on a terminal.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;
use wharf_types::api::log::{Body, Entry, File, Member, MemberChange, SetReaction, Settings};
use wharf_types::api::room::{History, Role, RoomKind};
use wharf_types::{AccountId, RoomId};

use crate::format;
use crate::output::{Output, Paint};

/// Columns before the text: position, time, and the gaps around them.
const INDENT: &str = "                ";

/// What people are called.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names(BTreeMap<AccountId, String>);

impl Names {
    /// These.
    pub(crate) fn new(names: BTreeMap<AccountId, String>) -> Self {
        Self(names)
    }

    /// Adds one, unless there is one already.
    pub(crate) fn add(&mut self, account: AccountId, name: &str) {
        self.0.entry(account).or_insert_with(|| name.to_owned());
    }

    /// Whether an account has a name here.
    pub(crate) fn knows(&self, account: AccountId) -> bool {
        self.0.contains_key(&account)
    }

    /// What an account is called; the beginning of its id where nobody said.
    pub(crate) fn of(&self, account: AccountId) -> String {
        self.0.get(&account).cloned().unwrap_or_else(|| {
            let id = account.to_string();
            format!("someone ({})", id.get(..8).unwrap_or_default())
        })
    }

    /// Who wrote an entry.
    pub(crate) fn author(&self, entry: &Entry) -> String {
        match (entry.account, &entry.name) {
            (Some(account), _) => self.of(account),
            (None, Some(name)) => name.clone(),
            (None, None) => "the server".to_owned(),
        }
    }
}

/// An entry and the room that it is in, for programs.
#[derive(Debug, Serialize)]
pub(crate) struct InRoom<'a> {
    /// The room.
    pub(crate) room: RoomId,
    /// The entry's own fields.
    #[serde(flatten)]
    pub(crate) entry: &'a Entry,
}

/// Whether somebody's coming in is told by another entry: of the two who come into a direct room when they become
/// contacts, the one who asked is let in by the other, and that entry stands for both.
pub(crate) fn is_told_already(kind: RoomKind, entry: &Entry) -> bool {
    kind == RoomKind::Direct
        && matches!(&entry.body, Some(Body::Member(member))
            if member.change == MemberChange::Joined && entry.account == Some(member.account))
}

/// Writes entries with a line for each new day between them.
#[derive(Debug)]
pub(crate) struct Printer<'a> {
    output: &'a Output,
    kind: RoomKind,
    names: Names,
    day: Option<Date>,
}

impl<'a> Printer<'a> {
    /// A printer of a room of this kind that has written nothing yet.
    pub(crate) fn new(output: &'a Output, kind: RoomKind, names: Names) -> Self {
        Self {
            output,
            kind,
            names,
            day: None,
        }
    }

    /// What people are called.
    pub(crate) fn names(&mut self) -> &mut Names {
        &mut self.names
    }

    /// Writes an entry.
    pub(crate) fn write(&mut self, room: RoomId, entry: &Entry) -> anyhow::Result<()> {
        if self.output.is_json() {
            return self.output.object(&InRoom { room, entry });
        }
        let (day, time) = local(entry.at_ms);
        if day.is_some() && day != self.day {
            self.day = day;
            if let Some(day) = day {
                let line = format!("── {} ──", day.strftime("%A, %-d %B %Y"));
                self.output.line(self.output.paint(Paint::Dim, line))?;
            }
        }
        self.output.line(self.text(entry, &time))
    }

    /// Writes a line for something whose entry is not here, for people only: it waits, or it was sent to a position.
    pub(crate) fn write_own(&self, what: &str, sent_at: Option<u64>) -> anyhow::Result<()> {
        if self.output.is_json() {
            return Ok(());
        }
        let what = self.output.name(what);
        if let Some(position) = sent_at {
            return self
                .output
                .line(format_args!("{position:>7}   sent  {what}"));
        }
        let mark = self.output.paint(Paint::Yellow, "  waits");
        self.output.line(format_args!("{mark}         {what}"))
    }

    fn text(&self, entry: &Entry, time: &str) -> String {
        let position = self
            .output
            .paint(Paint::Dim, format_args!("{:>7}", entry.position));
        let time = self.output.paint(Paint::Dim, time);
        let author = self.names.author(entry);
        let author = self.output.name(&author).into_owned();
        let said = match &entry.body {
            Some(body) if !body.is_countable() => {
                let what = self.happened(body, entry.account);
                let what = self.output.name(&what).into_owned();
                let line = format!("* {author} {what}");
                return format!(
                    "{position}  {time}  {}",
                    self.output.paint(Paint::Dim, line)
                );
            }
            _ => self.said(entry),
        };
        let author = self.output.paint(Paint::Bold, author);
        let mut text = format!("{position}  {time}  {author}: {said}");
        for note in self.notes(entry) {
            write!(text, "\n{INDENT}{note}").unwrap_or_default();
        }
        text
    }

    /// What somebody did, after their name, for entries that are no texts or files.
    fn happened(&self, body: &Body, author: Option<AccountId>) -> String {
        match body {
            Body::Text(_) | Body::File(_) => "wrote".to_owned(),
            Body::Edit(edit) => format!("edited {}: {}", edit.target, edit.text),
            Body::Recall(recall) => format!("took {} back", recall.target),
            Body::Reaction(reaction) if reaction.is_set => {
                format!("reacted to {} with {}", reaction.target, reaction.emoji)
            }
            Body::Reaction(reaction) => {
                format!("took {} from {}", reaction.emoji, reaction.target)
            }
            Body::Pin(pin) if pin.is_set => format!("pinned {}", pin.target),
            Body::Pin(pin) => format!("unpinned {}", pin.target),
            Body::Member(member) => membership(self.kind, member, author, &self.names),
            Body::Settings(settings) => changed(settings),
        }
    }

    /// The present text of a text or file.
    fn said(&self, entry: &Entry) -> String {
        let dim = |text: &str| self.output.paint(Paint::Dim, text);
        if entry.state.recalled.is_some() {
            return dim("(taken back)");
        }
        let (file, reply_to) = match &entry.body {
            Some(Body::File(file)) => (Some(file), file.reply_to),
            Some(Body::Text(text)) => (None, text.reply_to),
            _ => return dim("(deleted)"),
        };
        let mut said = String::new();
        if let Some(target) = reply_to {
            said.push_str(&dim(&format!("↪{target} ")));
        }
        if let Some(file) = file {
            let shown = format!("[{}, {}]", file.name, format::bytes(file.bytes));
            let shown = self.output.name(&shown).into_owned();
            said.push_str(&self.output.paint(Paint::Cyan, shown));
        }
        let text = present_text(entry);
        if file.is_some() && !text.is_empty() {
            said.push(' ');
        }
        // Lines after the first stand below it; what could command the terminal is shown, not obeyed.
        for (index, line) in text.split('\n').enumerate() {
            if index > 0 {
                said.push('\n');
                said.push_str(INDENT);
            }
            said.push_str(&self.output.name(line.trim_end_matches('\r')));
        }
        if entry.state.edited.is_some() {
            said.push_str(&dim(" (edited)"));
        }
        said
    }

    fn notes(&self, entry: &Entry) -> Vec<String> {
        let mut notes = Vec::new();
        if !entry.state.reactions.is_empty() {
            let text = reactions(&entry.state.reactions, &self.names);
            notes.push(self.output.name(&text).into_owned());
        }
        if entry.state.pinned.is_some() {
            notes.push(self.output.paint(Paint::Yellow, "pinned"));
        }
        notes
    }
}

/// What an entry says now.
pub(crate) fn present_text(entry: &Entry) -> &str {
    if let Some(edited) = &entry.state.edited {
        return &edited.text;
    }
    match &entry.body {
        Some(Body::Text(text)) => &text.text,
        Some(Body::File(File { text, .. })) => text,
        _ => "",
    }
}

/// The day and the time of day in the reader's time zone.
fn local(at_ms: i64) -> (Option<Date>, String) {
    match Timestamp::from_millisecond(at_ms) {
        Ok(time) => {
            let zoned = time.to_zoned(TimeZone::system());
            (Some(zoned.date()), zoned.strftime("%H:%M").to_string())
        }
        // No calendar holds it.
        Err(_) => (None, "--:--".to_owned()),
    }
}

/// `👍 Grace, ada   ❤ ada`, in the order in which they were first set.
fn reactions(reactions: &[SetReaction], names: &Names) -> String {
    let mut by_emoji: Vec<(&str, Vec<String>)> = Vec::new();
    for reaction in reactions {
        let name = names.of(reaction.account);
        match by_emoji
            .iter_mut()
            .find(|(emoji, _)| *emoji == reaction.emoji)
        {
            Some((_, who)) => who.push(name),
            None => by_emoji.push((&reaction.emoji, vec![name])),
        }
    }
    let parts: Vec<_> = by_emoji
        .iter()
        .map(|(emoji, who)| format!("{emoji} {}", who.join(", ")))
        .collect();
    parts.join("   ")
}

fn membership(kind: RoomKind, member: &Member, author: Option<AccountId>, names: &Names) -> String {
    let who = names.of(member.account);
    match (member.change, member.role) {
        (MemberChange::Joined, _) if author == Some(member.account) => "came in".to_owned(),
        (MemberChange::Joined, _) if kind == RoomKind::Direct => {
            format!("and {who} are contacts now")
        }
        (MemberChange::Joined, _) => format!("let {who} in"),
        (MemberChange::Left, _) => "left".to_owned(),
        (MemberChange::Removed, _) => format!("removed {who}"),
        (MemberChange::Role, Some(Role::Owner)) => format!("handed the room over to {who}"),
        (MemberChange::Role, Some(Role::Editor)) => format!("made {who} an editor"),
        (MemberChange::Role, _) => format!("made {who} a reader"),
    }
}

fn changed(settings: &Settings) -> String {
    let mut parts = Vec::new();
    if let Some(name) = &settings.name {
        parts.push(format!("called the room {name}"));
    }
    if let Some(topic) = &settings.topic {
        parts.push(format!("set the topic to {topic}"));
    }
    match settings.history {
        Some(History::All) => parts.push("shows who joins everything".to_owned()),
        Some(History::Joined) => parts.push("shows who joins what comes after".to_owned()),
        None => {}
    }
    match settings.keep_days {
        Some(0) => parts.push("keeps entries for ever".to_owned()),
        Some(days) => parts.push(format!(
            "keeps entries for {}",
            format::count(u64::from(days), "day", "days")
        )),
        None => {}
    }
    match settings.archived {
        Some(true) => parts.push("archived the room".to_owned()),
        Some(false) => parts.push("opened the room again".to_owned()),
        None => {}
    }
    parts.join(", ")
}

/// Most characters of a preview.
const PREVIEW_CHARS_MAX: usize = 60;

/// What an entry says, on one short line.
pub(crate) fn preview(entry: &Entry) -> String {
    let mut text = match &entry.body {
        Some(Body::File(file)) => format!("[{}] ", file.name),
        _ => String::new(),
    };
    text.push_str(present_text(entry));
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(PREVIEW_CHARS_MAX) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}
