//! The list on the left.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use wharf_client::chat::RoomView;
use wharf_types::api::contact::{ContactState, Status};
use wharf_types::api::room::{Notify, RoomKind};
use wharf_types::{AccountId, RoomId};

use super::{clipped, ends, paint, presence};
use crate::tui::keymap::Command;
use crate::tui::list::{self, ListKey, ListRow, Preview};
use crate::tui::model::{Focus, Model, Tab};
use crate::tui::text::{Piece, Row, draw, fit, row_width, width};

/// The names of the lists, with what is new in them.
pub(super) fn tabs(model: &Model, buffer: &mut Buffer, area: Rect) {
    if area.height == 0 {
        return;
    }
    let theme = model.theme;
    let look = |tab| {
        if model.tab == tab {
            theme.current()
        } else {
            theme.dim()
        }
    };
    let unread = model.unread_total();
    let (online, all) = list::online_of_all(model);
    let asking = model
        .contacts
        .iter()
        .filter(|view| view.contact.state == ContactState::Asking && !view.contact.is_blocked)
        .count()
        + model.invitations.len();
    let mut row = vec![Piece::plain(" "), Piece::new("Chats", look(Tab::Chats))];
    if unread > 0 {
        row.push(Piece::new(format!(" {}", count(unread)), theme.bold()));
    }
    row.push(Piece::plain("   "));
    row.push(Piece::new("Contacts", look(Tab::Contacts)));
    row.push(Piece::new(format!(" {online}/{all}"), theme.dim()));
    if asking > 0 {
        row.push(Piece::new(format!(" +{asking}"), theme.mention()));
    }
    draw(
        buffer,
        (area.x, area.y),
        area.width,
        &clipped(&row, area.width),
    );
}

/// The items of the list that is shown.
pub(super) fn list(model: &Model, buffer: &mut Buffer, area: Rect) {
    if area.height == 0 {
        return;
    }
    let rows = list::rows(model);
    if rows.is_empty() {
        let key = model.keys.label(&[Command::New]);
        let words = format!("Nothing here yet. {key} adds a contact or makes a room.");
        for (y, row) in (area.top()..area.bottom()).zip(crate::tui::text::wrap(
            &[Piece::new(words, model.theme.dim())],
            area.width.saturating_sub(2),
        )) {
            draw(buffer, (area.x + 1, y), area.width - 1, &row);
        }
        return;
    }
    let mut top = 0_usize;
    for row in &rows {
        let lines = item(model, row, area.width);
        for (index, line) in lines.iter().enumerate() {
            let Some(offset) = (top + index).checked_sub(model.list.offset) else {
                continue;
            };
            let Ok(offset) = u16::try_from(offset) else {
                return;
            };
            if offset >= area.height {
                return;
            }
            let y = area.y + offset;
            draw(buffer, (area.x, y), area.width, line);
            if let Some(look) = look(model, row) {
                paint(buffer, Rect::new(area.x, y, area.width, 1), look);
            }
        }
        top += row.height;
    }
}

/// How an item stands out: keys act on it, or it is the one that is open.
fn look(model: &Model, row: &ListRow) -> Option<Style> {
    let is_selected = model.list.selected == Some(row.key);
    let is_open = match row.key {
        ListKey::Room(room) => model.open.as_ref().is_some_and(|open| open.room == room),
        _ => false,
    };
    if is_selected && model.focus == Focus::List {
        Some(model.theme.selected())
    } else if is_open {
        Some(model.theme.bold())
    } else {
        None
    }
}

fn item(model: &Model, row: &ListRow, columns: u16) -> Vec<Row> {
    match row.key {
        ListKey::Room(id) => model
            .room(id)
            .map_or_else(Vec::new, |view| room(model, view, columns)),
        ListKey::Section(section) => {
            let is_closed = model.list.closed.contains(&section);
            vec![section_row(model, row, is_closed, columns)]
        }
        ListKey::Contact(account) => vec![contact(model, account, columns)],
        ListKey::Invitation(id) => vec![invitation(model, id, columns)],
    }
}

fn room(model: &Model, view: &RoomView, columns: u16) -> Vec<Row> {
    let theme = model.theme;
    let room = &view.room;
    let preferences = &room.preferences;
    let sign = match (room.kind, &room.peer) {
        (RoomKind::Direct, Some(peer)) => presence(model, model.status_of(peer.id)),
        (RoomKind::Direct, None) => presence(model, Status::Offline),
        (RoomKind::Group, _) => Piece::new(theme.signs.group, theme.dim()),
        (RoomKind::Personal, _) => Piece::new(theme.signs.personal, theme.dim()),
    };
    let mark = if preferences.is_pinned {
        theme.signs.pinned
    } else {
        " "
    };
    let is_open = model.open.as_ref().is_some_and(|open| open.room == room.id);
    let left_mark = if is_open { theme.signs.mark } else { mark };
    let style = if room.unread > 0 {
        theme.bold()
    } else {
        Style::new()
    };
    let time = model.now.short(view.active_ms);
    let name_room = columns.saturating_sub(4 + width(&time) + 1);
    let name = fit(&view.title, name_room);
    let blank = usize::from(name_room - width(&name));
    let first = vec![
        Piece::new(left_mark, theme.accent()),
        sign,
        Piece::plain(" "),
        Piece::new(name, style),
        Piece::plain(" ".repeat(blank + 1)),
        Piece::new(time, theme.dim()),
    ];
    let badges = badges(model, view);
    let room_columns = columns.saturating_sub(3 + row_width(&badges));
    let (text, style) = match list::preview(model, view) {
        Preview::Said(text) => (text, theme.dim()),
        Preview::Draft(text) => (format!("[draft] {text}"), theme.danger()),
        Preview::Typing(text) => (text, theme.accent()),
    };
    let text = fit(&text, room_columns);
    let blank = usize::from(room_columns - width(&text));
    let mut second = vec![
        Piece::plain("   "),
        Piece::new(text, style),
        Piece::plain(" ".repeat(blank)),
    ];
    second.extend(badges);
    vec![first, second]
}

/// What is new in a room: mentions apart from the count, muted ones without colour.
fn badges(model: &Model, view: &RoomView) -> Row {
    let theme = model.theme;
    let room = &view.room;
    let mut row = vec![Piece::plain(" ")];
    if view.waiting_count > 0 {
        row.push(Piece::new(
            format!("{}{} ", theme.signs.waiting, view.waiting_count),
            theme.warning(),
        ));
    }
    if room.preferences.notify != Notify::All {
        row.push(Piece::new(theme.signs.muted, theme.dim()));
    }
    if room.mentions > 0 {
        row.push(Piece::new(
            format!("@{}", count(room.mentions)),
            theme.mention(),
        ));
        row.push(Piece::plain(" "));
    }
    let look = if room.preferences.notify == Notify::All {
        theme.badge()
    } else {
        theme.dim()
    };
    if room.unread > 0 {
        row.push(Piece::new(format!(" {} ", count(room.unread)), look));
    } else if room.preferences.is_marked {
        row.push(Piece::new(format!(" {} ", theme.signs.bullet), look));
    }
    row
}

fn count(number: u64) -> String {
    if number > 99 {
        "99+".to_owned()
    } else {
        number.to_string()
    }
}

fn section_row(model: &Model, row: &ListRow, is_closed: bool, columns: u16) -> Row {
    let theme = model.theme;
    let (title, online, all) = row.section.clone().unwrap_or_default();
    let sign = if is_closed {
        theme.signs.closed
    } else {
        theme.signs.open
    };
    let numbers = online.map_or_else(|| format!(" {all}"), |online| format!(" {online}/{all}"));
    vec![
        Piece::new(format!("{sign} "), theme.dim()),
        Piece::new(
            fit(&title, columns.saturating_sub(3 + width(&numbers))),
            theme.bold(),
        ),
        Piece::new(numbers, theme.dim()),
    ]
}

fn contact(model: &Model, account: AccountId, columns: u16) -> Row {
    let theme = model.theme;
    let Some(view) = model.contact(account) else {
        return Row::new();
    };
    let contact = &view.contact;
    let is_there = list::is_there(model, account);
    let mut row = vec![Piece::plain("  ")];
    let tail = match contact.state {
        ContactState::Asking => {
            row.push(Piece::new("? ", theme.mention()));
            contact.word.clone()
        }
        ContactState::Asked => {
            row.push(Piece::new(format!("{} ", theme.signs.waiting), theme.dim()));
            contact.word.clone()
        }
        ContactState::Contact | ContactState::Stranger => {
            row.push(presence(model, model.status_of(account)));
            row.push(Piece::plain(" "));
            contact.person.status_text.clone()
        }
    };
    let style = if is_there || contact.state == ContactState::Asking {
        Style::new()
    } else {
        theme.dim()
    };
    row.push(Piece::new(
        fit(&view.title, columns.saturating_sub(5)),
        style,
    ));
    let unread = contact
        .room
        .and_then(|room| model.room(room))
        .map_or(0, |view| view.room.unread);
    let badge = if unread > 0 {
        format!(" {} ", count(unread))
    } else {
        String::new()
    };
    let left = columns.saturating_sub(row_width(&row) + width(&badge) + 2);
    let tail = fit(&tail, left);
    let blank = left - width(&tail);
    row.push(Piece::new(format!("  {tail}"), theme.dim()));
    row.push(Piece::plain(" ".repeat(usize::from(blank))));
    if unread > 0 {
        row.push(Piece::new(badge, theme.badge()));
    }
    row
}

fn invitation(model: &Model, room: RoomId, columns: u16) -> Row {
    let theme = model.theme;
    let found = model
        .invitations
        .iter()
        .find(|invitation| invitation.room == room);
    found.map_or_else(Row::new, |invitation| {
        let words = format!("{}, by {}", invitation.name, invitation.by.nickname);
        vec![
            Piece::plain("  "),
            Piece::new(format!("{} ", theme.signs.group), theme.mention()),
            Piece::plain(fit(&words, columns.saturating_sub(4))),
        ]
    })
}

/// A title on one row, with something at its right end.
pub(super) fn title_row(
    model: &Model,
    buffer: &mut Buffer,
    area: Rect,
    left: &[Piece],
    right: &[Piece],
) {
    ends(buffer, area, left, right);
    paint(buffer, area, model.theme.bold());
}
