//! The panel beside the conversation: the room's files, or its members.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use wharf_client::chat::WaitingKind;
use wharf_types::api::log::{Body, File};

use super::{ends, paint, presence};
use crate::format;
use crate::tui::keymap::Command;
use crate::tui::layout::first_shown;
use crate::tui::model::{Conversation, Focus, Model, MovingState, Panel, role_name};
use crate::tui::text::{Piece, Row, draw, fit, width};
use crate::tui::timeline::bar;

/// Draws the panel, where there is one.
pub(super) fn panel(model: &Model, buffer: &mut Buffer, area: Rect) {
    let (Some(panel), Some(open)) = (&model.panel, &model.open) else {
        return;
    };
    if area.height == 0 {
        return;
    }
    let (title, items, selected) = match panel {
        Panel::Files { selected } => (files_title(open), files(model, open, area.width), *selected),
        Panel::Members { selected } => (
            format!(" Members {}", open.present().count()),
            members(model, open, area.width),
            *selected,
        ),
    };
    let close = vec![Piece::new("Esc closes ", model.theme.dim())];
    let head = Rect::new(area.x, area.y, area.width, 1);
    ends(
        buffer,
        head,
        &[Piece::new(title, model.theme.bold())],
        &close,
    );
    if items.is_empty() {
        let key = model.keys.label(&[Command::HandOver]);
        let words = format!(" No file was handed over here yet. {key} does it.");
        let words = Piece::new(words, model.theme.dim());
        draw(buffer, (area.x, area.y + 1), area.width, &[words]);
        return;
    }
    let height = usize::from(area.height - 1) / 2;
    let first = first_shown(selected, items.len(), height.max(1));
    let mut y = area.y + 1;
    for (index, rows) in items.iter().enumerate().skip(first) {
        for row in rows {
            if y >= area.bottom() {
                return;
            }
            draw(buffer, (area.x, y), area.width, row);
            if index == selected {
                let line = Rect::new(area.x, y, area.width, 1);
                let look = if model.focus == Focus::Panel {
                    model.theme.selected()
                } else {
                    model.theme.bold()
                };
                paint(buffer, line, look);
            }
            y += 1;
        }
    }
}

fn files_title(open: &Conversation) -> String {
    let bytes: u64 = open
        .files
        .iter()
        .filter_map(|entry| match &entry.body {
            Some(Body::File(file)) => Some(file.bytes),
            _ => None,
        })
        .sum();
    let count = format::count(open.files.len() as u64, "file", "files");
    format!(" {count}, {}", format::bytes(bytes))
}

/// What is going up first, then what was handed over, newest first.
fn files(model: &Model, open: &Conversation, columns: u16) -> Vec<[Row; 2]> {
    let theme = model.theme;
    let mut items = Vec::new();
    for waiting in &open.waiting {
        if let WaitingKind::Handover(file) = &waiting.what {
            let name = file.target.rsplit('/').next().unwrap_or(&file.target);
            let words = format!(
                " {} of {}",
                format::bytes(file.sent_bytes),
                format::bytes(file.bytes)
            );
            items.push([
                vec![
                    Piece::plain(" "),
                    Piece::plain(fit(name, columns.saturating_sub(2))),
                ],
                vec![
                    Piece::plain("   "),
                    Piece::new(bar(theme, file.sent_bytes, file.bytes, 12), theme.accent()),
                    Piece::new(words, theme.dim()),
                ],
            ]);
        }
    }
    for entry in &open.files {
        let gone = entry.state.recalled.is_some();
        match &entry.body {
            Some(Body::File(file)) if !gone => {
                let by = format!(
                    "   {}  {}  {}",
                    format::bytes(file.bytes),
                    model.author(entry),
                    model.now.short(entry.at_ms)
                );
                items.push([
                    file_name(model, file, columns),
                    file_tail(model, open, file, &by, columns),
                ]);
            }
            _ => items.push([
                vec![Piece::new(" recalled", theme.dim())],
                vec![Piece::new(
                    format!("   {}", model.author(entry)),
                    theme.dim(),
                )],
            ]),
        }
    }
    items
}

fn file_name(model: &Model, file: &File, columns: u16) -> Row {
    vec![
        Piece::new(
            format!(" {} ", model.theme.signs.file),
            model.theme.accent(),
        ),
        Piece::plain(fit(&file.name, columns.saturating_sub(4))),
    ]
}

fn file_tail(model: &Model, open: &Conversation, file: &File, by: &str, columns: u16) -> Row {
    let theme = model.theme;
    let coming = model
        .moving
        .iter()
        .rev()
        .find(|moving| moving.node == file.node && moving.room == open.room);
    match coming.map(|moving| (&moving.state, moving)) {
        None => vec![Piece::new(fit(by, columns), theme.dim())],
        Some((MovingState::Running, moving)) => vec![
            Piece::plain("   "),
            Piece::new(
                bar(theme, moving.done_bytes, moving.total_bytes, 12),
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
        Some((MovingState::Done(path), _)) => {
            vec![Piece::new(
                fit(&format!("   saved as {}", path.display()), columns),
                theme.accent(),
            )]
        }
        Some((MovingState::Failed(why), _)) => {
            vec![Piece::new(
                fit(&format!("   {} {why}", theme.signs.failed), columns),
                theme.danger(),
            )]
        }
    }
}

fn members(model: &Model, open: &Conversation, columns: u16) -> Vec<[Row; 2]> {
    let theme = model.theme;
    open.present()
        .map(|member| {
            let account = member.person.id;
            let role = member.role.map_or("", role_name);
            let name = fit(
                &model.name(account),
                columns.saturating_sub(5 + width(role)),
            );
            let line = vec![
                Piece::plain(" "),
                presence(model, model.status_of(account)),
                Piece::plain(format!(" {name}  ")),
                Piece::new(role, theme.dim()),
            ];
            let number = format!(
                "   {} ({:06})",
                member.person.username, member.person.number
            );
            let words = if member.person.status_text.is_empty() {
                number
            } else {
                format!("{number}  {}", member.person.status_text)
            };
            [line, vec![Piece::new(fit(&words, columns), theme.dim())]]
        })
        .collect()
}
