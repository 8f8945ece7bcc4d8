//! The parts of what is said in a conversation, as rows.

use ratatui::style::Style;
use wharf_client::chat::Handover;
use wharf_types::api::log::Body;
use wharf_types::api::log::{Entry, EntryState, File, Member, MemberChange, Settings};
use wharf_types::api::room::{History, RoomKind};

use super::{INDENT, Scene};
use crate::format;
use crate::tui::list::change_words;
use crate::tui::markdown;
use crate::tui::model::{MovingState, role_name, text_of};
use crate::tui::text::{Piece, Row, fit, row_width, width, wrap};
use crate::tui::theme::Theme;

impl Scene<'_> {
    pub(super) fn handover(&self, file: &Handover) -> Vec<Row> {
        let theme = self.model.theme;
        let name = file.target.rsplit('/').next().unwrap_or(&file.target);
        let mut rows = vec![self.file_row(name, file.bytes)];
        rows.push(indented(vec![
            Piece::new(bar(theme, file.sent_bytes, file.bytes, 20), theme.accent()),
            Piece::new(
                format!(
                    " {} of {}",
                    format::bytes(file.sent_bytes),
                    format::bytes(file.bytes)
                ),
                theme.dim(),
            ),
        ]));
        if !file.text.is_empty() {
            rows.extend(self.text(&file.text));
        }
        rows
    }

    pub(super) fn file(&self, file: &File) -> Vec<Row> {
        let theme = self.model.theme;
        let mut rows = vec![self.file_row(&file.name, file.bytes)];
        let coming = self
            .model
            .moving
            .iter()
            .rev()
            .find(|moving| moving.node == file.node && moving.room == self.open.room);
        if let Some(moving) = coming {
            let row = match &moving.state {
                MovingState::Running => vec![
                    Piece::new(
                        bar(theme, moving.done_bytes, moving.total_bytes, 20),
                        theme.accent(),
                    ),
                    Piece::new(
                        format!(
                            " {} of {}",
                            format::bytes(moving.done_bytes),
                            format::bytes(moving.total_bytes)
                        ),
                        theme.dim(),
                    ),
                ],
                MovingState::Done(path) => {
                    vec![Piece::new(
                        format!("saved as {}", path.display()),
                        theme.dim(),
                    )]
                }
                MovingState::Failed(why) => {
                    vec![Piece::new(
                        format!("{} {why}", theme.signs.failed),
                        theme.danger(),
                    )]
                }
            };
            rows.extend(wrap(&row, self.columns - INDENT).into_iter().map(indented));
        }
        rows
    }

    pub(super) fn file_row(&self, name: &str, bytes: u64) -> Row {
        let theme = self.model.theme;
        let size = format!("  {}", format::bytes(bytes));
        let room = self.columns.saturating_sub(INDENT + 2 + width(&size));
        indented(vec![
            Piece::new(format!("{} ", theme.signs.file), theme.accent()),
            Piece::new(fit(name, room), theme.bold()),
            Piece::new(size, theme.dim()),
        ])
    }

    pub(super) fn text(&self, text: &str) -> Vec<Row> {
        markdown::rows(text, self.columns - INDENT, self.model.theme)
            .into_iter()
            .map(indented)
            .collect()
    }

    /// What an entry answers.
    pub(super) fn quote(&self, position: u64) -> Row {
        let theme = self.model.theme;
        let text = match self.open.entry(position) {
            None => "an earlier message".to_owned(),
            Some(entry) => {
                let said = match (&entry.body, text_of(entry)) {
                    (Some(Body::File(file)), Some("")) => file.name.clone(),
                    (_, Some(text)) => text.to_owned(),
                    (_, None) => "recalled".to_owned(),
                };
                format!("{}: {said}", self.model.author(entry))
            }
        };
        let sign = format!("{} ", theme.signs.quote);
        let room = self.columns - INDENT - width(&sign);
        indented(vec![
            Piece::new(sign, theme.accent()),
            Piece::new(fit(&text, room), theme.dim()),
        ])
    }

    pub(super) fn reactions(&self, state: &EntryState) -> Vec<Row> {
        let theme = self.model.theme;
        let mut counts: Vec<(&str, usize, bool)> = Vec::new();
        for reaction in &state.reactions {
            let is_own = reaction.account == self.model.me;
            match counts
                .iter_mut()
                .find(|(emoji, ..)| *emoji == reaction.emoji)
            {
                Some((_, count, has_own)) => {
                    *count += 1;
                    *has_own |= is_own;
                }
                None => counts.push((&reaction.emoji, 1, is_own)),
            }
        }
        if counts.is_empty() {
            return Vec::new();
        }
        let pieces: Vec<Piece> = counts
            .into_iter()
            .flat_map(|(emoji, count, has_own)| {
                let style = if has_own { theme.bold() } else { theme.dim() };
                [
                    Piece::plain(fit(emoji, 16)),
                    Piece::new(format!(" {count}   "), style),
                ]
            })
            .collect();
        wrap(&pieces, self.columns - INDENT)
            .into_iter()
            .map(indented)
            .collect()
    }

    pub(super) fn heading(&self, name: &str, style: Style, sign: &str, at_ms: i64) -> Row {
        let time = format!("  {}", self.model.now.clock(at_ms));
        let room = self.columns.saturating_sub(1 + width(&time) + width(sign));
        vec![
            // The column of the mark.
            Piece::plain(" "),
            Piece::new(fit(name, room), style),
            Piece::new(format!("{sign}{time}"), self.model.theme.dim()),
        ]
    }

    /// Puts signs at the end of the last row, or below it.
    pub(super) fn close(&self, rows: &mut Vec<Row>, tail: Vec<Piece>) {
        if tail.is_empty() {
            return;
        }
        let mut signs = Row::new();
        for piece in tail {
            signs.push(Piece::plain("  "));
            signs.push(piece);
        }
        match rows.last_mut() {
            Some(last) if row_width(last) + row_width(&signs) <= self.columns => last.extend(signs),
            _ => rows.push(signs),
        }
    }

    /// A line with words in its middle.
    pub(super) fn rule(&self, words: &str, style: Style) -> Row {
        let sign = self.model.theme.signs.rule;
        let words = fit(words, self.columns.saturating_sub(6));
        let left = usize::from(self.columns - width(&words) - 2);
        let (before, after) = (left / 2, left - left / 2);
        vec![Piece::new(
            format!("{} {words} {}", sign.repeat(before), sign.repeat(after)),
            style,
        )]
    }

    /// What happened to the room, in the middle.
    pub(super) fn event(&self, words: &str) -> Vec<Row> {
        wrap(&[Piece::new(words, self.model.theme.dim())], self.columns)
            .into_iter()
            .map(|row| {
                let blank = self.columns.saturating_sub(row_width(&row)) / 2;
                let mut centred = vec![Piece::plain(" ".repeat(usize::from(blank)))];
                centred.extend(row);
                centred
            })
            .collect()
    }

    pub(super) fn member_words(&self, entry: &Entry, member: &Member) -> String {
        if let Some(words) = self.befriended_words(entry, member) {
            return words;
        }
        let who = self.model.name(member.account);
        let change = change_words(member.change);
        let is_own_doing = entry.account == Some(member.account);
        let by = if is_own_doing || entry.account.is_none() {
            String::new()
        } else {
            let author = self.model.author(entry);
            let author = if entry.account == Some(self.model.me) {
                "you"
            } else {
                &author
            };
            format!(" (by {author})")
        };
        match (member.change, member.role) {
            (MemberChange::Role, Some(role)) => {
                let verb = if member.account == self.model.me {
                    "are now"
                } else {
                    change
                };
                format!("{who} {verb} {}{by}", role_name(role))
            }
            (MemberChange::Removed, _) if member.account == self.model.me => {
                format!("You were removed{by}")
            }
            _ => format!("{who} {change}{by}"),
        }
    }

    /// Two who became contacts come into their direct room.
    fn befriended_words(&self, entry: &Entry, member: &Member) -> Option<String> {
        let is_direct = self.model.room(self.open.room)?.room.kind == RoomKind::Direct;
        let other = entry.account.filter(|other| *other != member.account)?;
        if !is_direct || member.change != MemberChange::Joined {
            return None;
        }
        let other = if other == self.model.me {
            member.account
        } else {
            other
        };
        Some(format!(
            "You and {} are contacts now",
            self.model.name(other)
        ))
    }

    pub(super) fn settings_words(&self, entry: &Entry, settings: &Settings) -> String {
        let who = self.model.author(entry);
        let mut parts = Vec::new();
        if let Some(name) = &settings.name {
            parts.push(format!("named the room “{name}”"));
        }
        if let Some(topic) = &settings.topic {
            parts.push(if topic.is_empty() {
                "took the topic away".to_owned()
            } else {
                format!("set the topic: {topic}")
            });
        }
        match settings.history {
            Some(History::All) => parts.push("let who joins read everything".to_owned()),
            Some(History::Joined) => parts.push("let who joins read what comes after".to_owned()),
            None => {}
        }
        match settings.keep_days {
            Some(0) => parts.push("set messages to be kept for ever".to_owned()),
            Some(days) => parts.push(format!("set messages to be kept for {days} days")),
            None => {}
        }
        match settings.archived {
            Some(true) => parts.push("archived the room".to_owned()),
            Some(false) => parts.push("opened the room again".to_owned()),
            None => {}
        }
        if parts.is_empty() {
            parts.push("changed the room".to_owned());
        }
        format!("{who} {}", parts.join(", "))
    }
}

/// A row with the blanks before what is said.
pub(super) fn indented(row: Row) -> Row {
    let mut indented = vec![Piece::plain(" ".repeat(usize::from(INDENT)))];
    indented.extend(row);
    indented
}

/// A bar that is as full as `done` of `total`.
pub(crate) fn bar(theme: Theme, done: u64, total: u64, columns: usize) -> String {
    let full = if total == 0 {
        columns
    } else {
        let part = u128::from(done.min(total)) * columns as u128 / u128::from(total);
        usize::try_from(part).unwrap_or(columns)
    };
    format!(
        "{}{}",
        theme.signs.full.repeat(full),
        theme.signs.empty.repeat(columns - full)
    )
}
