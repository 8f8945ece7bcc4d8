//! The conversation: its title, what was said, what is being written.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use wharf_types::api::contact::Status;
use wharf_types::api::room::{Role, RoomKind};

use super::{clipped, paint, presence};
use crate::tui::keymap::Command;
use crate::tui::layout::{self, Areas, PROMPT};
use crate::tui::model::{About, Conversation, Focus, Model, role_name, status_name, text_of};
use crate::tui::text::{Piece, Row, draw, fit, row_width, width, wrap};

/// Draws the middle of the screen and says where the cursor is.
pub(super) fn conversation(
    model: &Model,
    buffer: &mut Buffer,
    areas: &Areas,
) -> Option<(u16, u16)> {
    let Some(open) = &model.open else {
        welcome(model, buffer, areas);
        return None;
    };
    title(model, buffer, areas.title, open);
    timeline(model, buffer, areas.timeline, open);
    banner(model, buffer, areas.banner, open);
    composer(model, buffer, areas.composer)
}

fn welcome(model: &Model, buffer: &mut Buffer, areas: &Areas) {
    let area = areas.timeline;
    let key = |command| model.keys.label(&[command]);
    let words = [
        "Wharf".to_owned(),
        String::new(),
        format!(
            "Choose a chat with the arrow keys and Enter, or jump with {}.",
            key(Command::Jump)
        ),
        format!(
            "{} adds a contact or makes a room. {} shows all keys.",
            key(Command::New),
            key(Command::Help).replace(", ", " or ")
        ),
    ];
    let rows: Vec<Row> = words
        .into_iter()
        .flat_map(|words| wrap(&[Piece::plain(words)], area.width.saturating_sub(4)))
        .collect();
    let blank = area
        .height
        .saturating_sub(u16::try_from(rows.len()).unwrap_or(0))
        / 2;
    for (y, row) in (area.y + blank..area.bottom()).zip(&rows) {
        let x = area.x + area.width.saturating_sub(row_width(row)) / 2;
        draw(buffer, (x, y), area.width, row);
    }
    if area.height > 0 {
        paint(
            buffer,
            Rect::new(area.x, area.y + blank.min(area.height - 1), area.width, 1),
            model.theme.bold(),
        );
    }
}

fn title(model: &Model, buffer: &mut Buffer, area: Rect, open: &Conversation) {
    let theme = model.theme;
    let Some(view) = model.room(open.room) else {
        return;
    };
    let room = &view.room;
    let mut left = vec![Piece::plain(" ")];
    match (room.kind, &room.peer) {
        (RoomKind::Direct, Some(peer)) => {
            let status = model.status_of(peer.id);
            left.push(presence(model, status));
            left.push(Piece::plain(format!(" {}", view.title)));
            let words = match (
                status,
                model
                    .presence
                    .get(&peer.id)
                    .and_then(|presence| presence.seen_ms),
            ) {
                (Status::Offline, Some(seen)) => format!("  last seen {}", model.now.ago(seen)),
                (status, _) => format!("  {}", status_name(status)),
            };
            left.push(Piece::new(words, theme.dim()));
        }
        (RoomKind::Direct, None) => left.push(Piece::plain(view.title.clone())),
        (RoomKind::Personal, _) => {
            left.push(Piece::plain(format!(
                "{} {}",
                theme.signs.personal, view.title
            )));
        }
        (RoomKind::Group, _) => {
            left.push(Piece::plain(format!(
                "{} {}",
                theme.signs.group, view.title
            )));
            let there = open
                .present()
                .filter(|member| {
                    member.person.id == model.me
                        || crate::tui::list::is_there(model, member.person.id)
                })
                .count();
            let members = match open.present().count() {
                0 => format!("  {} members", room.member_count),
                all => format!("  {there}/{all} there"),
            };
            left.push(Piece::new(members, theme.dim()));
            if !room.topic.is_empty() {
                left.push(Piece::new(format!("  {}", room.topic), theme.dim()));
            }
        }
    }
    let mut right = Row::new();
    if room.archived {
        right.push(Piece::new("archived ", theme.warning()));
    } else if room.role == Role::Reader {
        right.push(Piece::new(
            format!("{} ", role_name(room.role)),
            theme.dim(),
        ));
    }
    super::lists::title_row(model, buffer, area, &left, &right);
}

fn timeline(model: &Model, buffer: &mut Buffer, area: Rect, open: &Conversation) {
    let theme = model.theme;
    let seen = layout::seen(model, area);
    // A conversation that is shorter than the screen stands at its bottom, where it is written.
    let blank = area
        .height
        .saturating_sub(u16::try_from(seen.rows.len()).unwrap_or(area.height));
    for (y, (spot, row)) in (area.y + blank..area.bottom()).zip(&seen.rows) {
        draw(buffer, (area.x, y), area.width, row);
        if open.selected == Some(*spot) {
            let mark = Piece::new(theme.signs.mark, theme.accent());
            draw(buffer, (area.x, y), 1, &[mark]);
            paint(buffer, Rect::new(area.x, y, area.width, 1), theme.bold());
            if model.focus == Focus::Timeline {
                paint(
                    buffer,
                    Rect::new(area.x, y, area.width, 1),
                    theme.selected(),
                );
            }
        }
    }
    if seen.below > 0 && area.height > 0 {
        let key = model.keys.label(&[Command::End]);
        let words = format!(" {} more below ({key}) ", seen.below);
        let columns = width(&words);
        let x = area.right().saturating_sub(columns + 1);
        draw(
            buffer,
            (x, area.bottom() - 1),
            columns,
            &[Piece::new(words, theme.selected())],
        );
    }
    if blank > 0 && open.has_older {
        let words = if open.is_fetching {
            "Looking for earlier messages…"
        } else {
            ""
        };
        draw(
            buffer,
            (area.x, area.y),
            area.width,
            &[Piece::new(words, theme.dim())],
        );
    } else if blank > 1 && seen.rows.is_empty() {
        let words = "Nothing was said here yet.";
        draw(
            buffer,
            (area.x + 1, area.bottom() - 1),
            area.width,
            &[Piece::new(words, theme.dim())],
        );
    }
}

/// What the written text is about, and who else is writing.
fn banner(model: &Model, buffer: &mut Buffer, area: Rect, open: &Conversation) {
    if area.height == 0 {
        return;
    }
    let theme = model.theme;
    let typists = model.typists(open.room);
    let about = match open.desk.about {
        About::Reply(position) => open.entry(position).map(|entry| {
            let said = text_of(entry).unwrap_or_default();
            (
                format!("Reply to {}: {said}", model.author(entry)),
                theme.accent(),
            )
        }),
        About::Edit(_) => Some((
            "Editing; Esc keeps it as it was".to_owned(),
            theme.warning(),
        )),
        About::New => None,
    };
    let (words, style) = match (about, typists.as_slice()) {
        (Some(about), _) => about,
        (None, []) => (String::new(), theme.dim()),
        (None, [one]) => (format!("{one} is typing…"), theme.accent()),
        (None, [one, other]) => (format!("{one} and {other} are typing…"), theme.accent()),
        (None, more) => (format!("{} people are typing…", more.len()), theme.accent()),
    };
    let rule = theme.signs.rule.repeat(usize::from(area.width));
    draw(
        buffer,
        (area.x, area.y),
        area.width,
        &[Piece::new(rule, theme.dim())],
    );
    if !words.is_empty() {
        let words = fit(&words, area.width.saturating_sub(4));
        draw(
            buffer,
            (area.x + 1, area.y),
            area.width - 1,
            &[Piece::new(format!(" {words} "), style)],
        );
    }
}

fn composer(model: &Model, buffer: &mut Buffer, area: Rect) -> Option<(u16, u16)> {
    if area.height == 0 {
        return None;
    }
    let theme = model.theme;
    let view = model.open_room()?;
    if !view.room.can_write {
        let why = if view.room.archived {
            "This room is archived: it can be read."
        } else if view.room.role == Role::Reader {
            "You are a reader here."
        } else {
            "You cannot write here: you are no contacts, or one of you blocked the other."
        };
        draw(
            buffer,
            (area.x + 1, area.y),
            area.width,
            &clipped(&[Piece::new(why, theme.dim())], area.width - 1),
        );
        return None;
    }
    let (laid, first) = layout::composer(model, area)?;
    let has_focus = model.focus == Focus::Composer;
    let style = if has_focus { theme.bold() } else { theme.dim() };
    draw(buffer, (area.x, area.y), PROMPT, &[Piece::new("> ", style)]);
    for (y, row) in (area.top()..area.bottom()).zip(laid.rows.iter().skip(first)) {
        draw(buffer, (area.x + PROMPT, y), area.width - PROMPT, row);
    }
    let is_blank = model
        .open
        .as_ref()
        .is_some_and(|open| open.desk.composer.is_empty());
    if is_blank && !has_focus {
        let words = Piece::new(
            fit("Tab or Enter: write a message", area.width - PROMPT),
            theme.dim(),
        );
        draw(
            buffer,
            (area.x + PROMPT, area.y),
            area.width - PROMPT,
            &[words],
        );
    }
    let (column, row) = laid.cursor;
    let row = u16::try_from(row - first).ok()?;
    has_focus.then(|| (area.x + PROMPT + column, area.y + row))
}
