//! Drawing the model. Nothing here changes anything.

mod conversation;
mod help;
mod lists;
mod overlay;
mod panel;

pub(crate) use help::help_rows;
pub(crate) use overlay::{listed_area, menu_area};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use wharf_types::api::contact::Status;

use super::keymap::Command;
use super::layout::{self, Areas};
use super::model::{Link, Model, status_name};
use super::text::{Piece, Row, draw, fit, row_width, width};

/// Draws everything and says where the cursor is, where it is to be seen.
pub(crate) fn screen(model: &Model, buffer: &mut Buffer) -> Option<(u16, u16)> {
    let (columns, rows) = model.size;
    if columns < layout::COLUMNS_MIN || rows < layout::ROWS_MIN {
        let words = Piece::plain("Too small a window");
        draw(buffer, (0, 0), columns, &[words]);
        return None;
    }
    let areas = layout::areas(model);
    lists::tabs(model, buffer, areas.tabs);
    lists::list(model, buffer, areas.list);
    for wall in [areas.wall, areas.panel_wall] {
        for y in wall.top()..wall.bottom() {
            let sign = Piece::new(model.theme.signs.wall, model.theme.dim());
            draw(buffer, (wall.x, y), 1, &[sign]);
        }
    }
    let mut cursor = conversation::conversation(model, buffer, &areas);
    panel::panel(model, buffer, areas.panel);
    status(model, buffer, &areas);
    if let Some(over) = &model.overlay {
        cursor = overlay::overlay(model, over, buffer);
    }
    cursor
}

fn status(model: &Model, buffer: &mut Buffer, areas: &Areas) {
    let theme = model.theme;
    let waiting: u32 = model.rooms.iter().map(|view| view.waiting_count).sum();
    let waiting = match waiting {
        0 => String::new(),
        1 => ", 1 message waiting".to_owned(),
        count => format!(", {count} messages waiting"),
    };
    // Without a connection nobody sees the status that was chosen.
    let shown = match model.link {
        Link::Live => model.status,
        Link::Connecting | Link::Offline(_) | Link::Ended(_) => Status::Offline,
    };
    let (sign, look) = theme.presence(shown);
    let right = vec![
        Piece::new(format!("{sign} "), look),
        Piece::new(status_name(shown), theme.dim()),
    ];
    let left = match (&model.link, &model.told) {
        (Link::Ended(why), _) => vec![Piece::new(format!("Logged out: {why}"), theme.danger())],
        (_, Some(told)) if told.until_ms > model.now.ms => {
            let style = if told.is_trouble {
                theme.danger()
            } else {
                Style::new()
            };
            vec![Piece::new(told.text.clone(), style)]
        }
        (Link::Connecting, _) => vec![Piece::new(format!("Connecting{waiting}…"), theme.warning())],
        (Link::Offline(why), _) => {
            let why = if why.is_empty() {
                String::new()
            } else {
                format!(" ({why})")
            };
            vec![Piece::new(
                format!("Offline{why}{waiting}"),
                theme.warning(),
            )]
        }
        (Link::Live, _) if !waiting.is_empty() => {
            vec![Piece::new(format!("Sending{waiting}"), theme.warning())]
        }
        (Link::Live, _) => hints(model),
    };
    ends(buffer, areas.status, &left, &right);
}

/// What can be done here, in a few words.
fn hints(model: &Model) -> Row {
    use super::model::Focus;

    let key = |command| model.keys.short(command);
    let some = |commands: &[(Command, &str)]| {
        let words = commands
            .iter()
            .filter_map(|(command, what)| Some(format!("{} {what}", key(*command)?)));
        words.collect::<Vec<_>>().join("  ")
    };
    let words = match model.focus {
        Focus::List => format!(
            "Enter open  Tab to the chat  {}",
            some(&[
                (Command::Lists, "contacts"),
                (Command::Jump, "jump"),
                (Command::New, "new"),
                (Command::Help, "help"),
            ])
        ),
        Focus::Timeline => format!(
            "{}  Esc back",
            some(&[
                (Command::Reply, "reply"),
                (Command::Change, "edit"),
                (Command::Recall, "recall"),
                (Command::React, "react"),
                (Command::Pin, "pin"),
                (Command::Fetch, "file"),
                (Command::About, "info"),
            ])
        ),
        Focus::Panel => "Enter fetch  s save to my drive  g show in chat  Esc back".to_owned(),
        Focus::Composer => format!(
            "Enter send  {}  Tab select  {}",
            some(&[(Command::NewLine, "new line"), (Command::HandOver, "file")]),
            some(&[(Command::Jump, "jump"), (Command::Help, "help")])
        ),
    };
    vec![Piece::new(words, model.theme.dim())]
}

/// A row with something at both ends; the left one gives way.
fn ends(buffer: &mut Buffer, area: Rect, left: &[Piece], right: &[Piece]) {
    if area.height == 0 || area.width == 0 {
        return;
    }
    let mut right_columns = row_width(right);
    if right_columns + 12 > area.width {
        right_columns = 0;
    }
    let room = area
        .width
        .saturating_sub(right_columns + u16::from(right_columns > 0));
    draw(buffer, (area.x, area.y), room, &clipped(left, room));
    if right_columns > 0 {
        draw(
            buffer,
            (area.right() - right_columns, area.y),
            right_columns,
            right,
        );
    }
}

/// A row that fits, with an ellipsis where it did not.
fn clipped(row: &[Piece], columns: u16) -> Row {
    let mut left = columns;
    let mut clipped = Row::new();
    for piece in row {
        let text = fit(&piece.text, left);
        left = left.saturating_sub(width(&text));
        let is_cut = text != piece.text;
        clipped.push(Piece::new(text, piece.style));
        if is_cut && left == 0 {
            break;
        }
    }
    clipped
}

/// Gives a whole row of the screen a look, over what was drawn there.
fn paint(buffer: &mut Buffer, area: Rect, style: Style) {
    buffer.set_style(area.intersection(buffer.area), style);
}

/// Empties an area.
fn clear(buffer: &mut Buffer, area: Rect) {
    let area = area.intersection(buffer.area);
    for y in area.top()..area.bottom() {
        for x in area.left()..area.right() {
            if let Some(cell) = buffer.cell_mut((x, y)) {
                cell.reset();
            }
        }
    }
}

/// Sign and look of somebody's presence.
fn presence(model: &Model, status: Status) -> Piece {
    let (sign, look) = model.theme.presence(status);
    Piece::new(sign, look)
}
