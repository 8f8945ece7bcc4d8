//! What lies over the screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use wharf_types::api::search::{Hit, HitKind};

use super::help::help_rows;
use super::{clear, clipped, ends, paint};
use crate::tui::composer::Composer;
use crate::tui::layout::{first_shown, middle};
use crate::tui::model::Model;
use crate::tui::overlay::{Ask, Find, Menu, Overlay, Purpose, jump_targets};
use crate::tui::text::{Piece, Row, draw, fit, one_line, width, wrap};

/// Draws it and says where the cursor is.
pub(super) fn overlay(model: &Model, overlay: &Overlay, buffer: &mut Buffer) -> Option<(u16, u16)> {
    match overlay {
        Overlay::Help { offset } => {
            paper(model, buffer, "Keys", &help_rows(model), *offset);
            None
        }
        Overlay::Paper {
            title,
            rows,
            offset,
        } => {
            paper(model, buffer, title, rows, *offset);
            None
        }
        Overlay::Jump(jump) => {
            let targets = jump_targets(model, jump);
            let items: Vec<Row> = targets
                .iter()
                .map(|(label, _)| vec![Piece::plain(label.as_str())])
                .collect();
            let (words, none) = match jump.purpose {
                Purpose::Open => (
                    ("Jump to", "Enter opens, Esc closes"),
                    "No chat or contact of that name.",
                ),
                Purpose::Forward(_) => (
                    ("Forward to", "Enter chooses, Esc closes"),
                    "No other chat of that name to write in.",
                ),
            };
            let cursor = listed(model, buffer, words, &jump.query, &items, jump.selected);
            if items.is_empty() {
                let area = listed_area(model);
                let row = [Piece::new(none, model.theme.dim())];
                draw(buffer, (area.x, area.y), area.width, &row);
            }
            cursor
        }
        Overlay::Find(find) => found(model, buffer, find),
        Overlay::Menu(menu) => {
            menu_box(model, buffer, menu);
            None
        }
        Overlay::Ask(ask) => asked(model, buffer, ask),
    }
}

/// The inside of a page to read.
pub(crate) fn paper_area(model: &Model, count: usize) -> Rect {
    let rows = u16::try_from(count).unwrap_or(u16::MAX).saturating_add(2);
    middle(model, 78, rows)
}

fn paper(model: &Model, buffer: &mut Buffer, title: &str, rows: &[Row], offset: usize) {
    let area = paper_area(model, rows.len());
    let inner = frame(model, buffer, area, title, "Esc closes, arrows scroll");
    for (y, row) in (inner.top()..inner.bottom()).zip(rows.iter().skip(offset)) {
        draw(buffer, (inner.x, y), inner.width, row);
    }
}

fn menu_box(model: &Model, buffer: &mut Buffer, menu: &Menu) {
    let widest = menu
        .items
        .iter()
        .map(|(label, _)| width(label))
        .max()
        .unwrap_or(0);
    let columns = widest.max(width(&menu.title)).saturating_add(6).max(28);
    let rows = u16::try_from(menu.items.len())
        .unwrap_or(u16::MAX)
        .saturating_add(2);
    let area = middle(model, columns, rows);
    let inner = frame(model, buffer, area, &menu.title, "");
    let items: Vec<Row> = menu
        .items
        .iter()
        .map(|(label, _)| vec![Piece::plain(format!(" {label}"))])
        .collect();
    choices(model, buffer, inner, &items, menu.selected);
}

/// The area of a menu's items, for the mouse.
pub(crate) fn menu_area(model: &Model, menu: &Menu) -> Rect {
    let widest = menu
        .items
        .iter()
        .map(|(label, _)| width(label))
        .max()
        .unwrap_or(0);
    let columns = widest.max(width(&menu.title)).saturating_add(6).max(28);
    let rows = u16::try_from(menu.items.len())
        .unwrap_or(u16::MAX)
        .saturating_add(2);
    inside(middle(model, columns, rows))
}

fn choices(model: &Model, buffer: &mut Buffer, area: Rect, items: &[Row], selected: usize) {
    let first = first_shown(selected, items.len(), usize::from(area.height));
    for (y, (index, row)) in (area.top()..area.bottom()).zip(items.iter().enumerate().skip(first)) {
        draw(buffer, (area.x, y), area.width, &clipped(row, area.width));
        if index == selected {
            paint(
                buffer,
                Rect::new(area.x, y, area.width, 1),
                model.theme.selected(),
            );
        }
    }
}

/// A line that is typed into, and a list under it.
fn listed(
    model: &Model,
    buffer: &mut Buffer,
    (title, foot): (&str, &str),
    line: &Composer,
    items: &[Row],
    selected: usize,
) -> Option<(u16, u16)> {
    let area = middle(model, 70, 18);
    let inner = frame(model, buffer, area, title, foot);
    let head = Rect::new(inner.x, inner.y, inner.width, inner.height.min(1));
    let cursor = typed(model, buffer, head, line);
    let rest = Rect::new(
        inner.x,
        inner.y + 1,
        inner.width,
        inner.height.saturating_sub(1),
    );
    choices(model, buffer, rest, items, selected);
    cursor
}

/// The area of the items under a line, for the mouse.
pub(crate) fn listed_area(model: &Model) -> Rect {
    let inner = inside(middle(model, 70, 18));
    Rect::new(
        inner.x,
        inner.y + 1,
        inner.width,
        inner.height.saturating_sub(1),
    )
}

fn found(model: &Model, buffer: &mut Buffer, find: &Find) -> Option<(u16, u16)> {
    let area = middle(model, 76, 22);
    let inner = frame(
        model,
        buffer,
        area,
        "Search",
        "from: in: has:file before: after:",
    );
    let head = Rect::new(inner.x, inner.y, inner.width, inner.height.min(1));
    let cursor = typed(model, buffer, head, &find.query);
    let theme = model.theme;
    let word = if find.is_waiting {
        Some(("Searching…".to_owned(), theme.dim()))
    } else if let Some(problem) = &find.finds.problem {
        Some((problem.clone(), theme.danger()))
    } else if find.finds.query.is_empty() {
        Some(("Type what to look for, then Enter.".to_owned(), theme.dim()))
    } else if find.finds.hits.is_empty() {
        Some(("Nothing was found.".to_owned(), theme.dim()))
    } else {
        None
    };
    let rest = Rect::new(
        inner.x,
        inner.y + 1,
        inner.width,
        inner.height.saturating_sub(1),
    );
    if let Some((word, style)) = word {
        for (y, row) in
            (rest.top()..rest.bottom()).zip(wrap(&[Piece::new(word, style)], rest.width))
        {
            draw(buffer, (rest.x, y), rest.width, &row);
        }
        return cursor;
    }
    let height = usize::from(rest.height) / 2;
    let first = first_shown(find.selected, find.finds.hits.len(), height.max(1));
    let mut y = rest.y;
    for (index, hit) in find.finds.hits.iter().enumerate().skip(first) {
        for row in [
            hit_head(model, hit, rest.width),
            hit_text(model, hit, rest.width),
        ] {
            if y >= rest.bottom() {
                return cursor;
            }
            draw(buffer, (rest.x, y), rest.width, &row);
            if index == find.selected {
                paint(
                    buffer,
                    Rect::new(rest.x, y, rest.width, 1),
                    theme.selected(),
                );
            }
            y += 1;
        }
    }
    cursor
}

fn hit_head(model: &Model, hit: &Hit, columns: u16) -> Row {
    let room = model
        .room(hit.room)
        .map_or("a room", |view| view.title.as_str());
    let words = match &hit.what {
        HitKind::Entry(entry) => {
            format!(
                "{}  {}  {}",
                model.author(entry),
                room,
                model.now.short(entry.at_ms)
            )
        }
        HitKind::Node(node) => format!("{}  in the files of {room}", node.name),
    };
    vec![Piece::new(fit(&words, columns), model.theme.bold())]
}

/// The snippet with its matches.
fn hit_text(model: &Model, hit: &Hit, columns: u16) -> Row {
    let mut row = vec![Piece::plain("  ")];
    let mut at = 0;
    let mut push = |from: usize, to: usize, style: Style| {
        if let Some(text) = hit.snippet.get(from..to) {
            row.push(Piece::new(one_line(text).into_owned(), style));
        }
    };
    for (from, to) in &hit.matches {
        let (from, to) = (*from as usize, *to as usize);
        if from >= at {
            push(at, from, model.theme.dim());
            push(from, to, model.theme.hit());
            at = to;
        }
    }
    push(at, hit.snippet.len(), model.theme.dim());
    clipped(&row, columns)
}

fn asked(model: &Model, buffer: &mut Buffer, ask: &Ask) -> Option<(u16, u16)> {
    let hint = wrap(&[Piece::new(ask.hint.as_str(), model.theme.dim())], 60);
    let rows = u16::try_from(hint.len()).unwrap_or(1).saturating_add(4);
    let area = middle(model, 64, rows);
    let inner = frame(
        model,
        buffer,
        area,
        &ask.title,
        "Enter does it, Esc does not",
    );
    for (y, row) in (inner.top()..inner.bottom()).zip(&hint) {
        draw(buffer, (inner.x, y), inner.width, row);
    }
    let line = Rect::new(inner.x, inner.bottom().saturating_sub(1), inner.width, 1);
    typed(model, buffer, line, &ask.line)
}

/// A line that is typed into: its end is seen.
fn typed(model: &Model, buffer: &mut Buffer, area: Rect, line: &Composer) -> Option<(u16, u16)> {
    if area.height == 0 {
        return None;
    }
    draw(
        buffer,
        (area.x, area.y),
        2,
        &[Piece::new("> ", model.theme.accent())],
    );
    let laid = line.lay(area.width.saturating_sub(3));
    let row = laid.rows.get(laid.cursor.1)?;
    draw(
        buffer,
        (area.x + 2, area.y),
        area.width.saturating_sub(2),
        row,
    );
    Some((area.x + 2 + laid.cursor.0, area.y))
}

fn inside(area: Rect) -> Rect {
    Rect::new(
        area.x + 2,
        area.y + 1,
        area.width.saturating_sub(4),
        area.height.saturating_sub(2),
    )
}

/// A box with a title and a word at its foot.
fn frame(model: &Model, buffer: &mut Buffer, area: Rect, title: &str, foot: &str) -> Rect {
    clear(buffer, area);
    let theme = model.theme;
    let is_ascii = theme.signs.wall == "|";
    let corners = if is_ascii {
        ["+"; 4]
    } else {
        ["╭", "╮", "╰", "╯"]
    };
    let rule = theme
        .signs
        .rule
        .repeat(usize::from(area.width.saturating_sub(2)));
    let dim = theme.dim();
    let edge = |left: &str, right: &str| vec![Piece::new(format!("{left}{rule}{right}"), dim)];
    draw(
        buffer,
        (area.x, area.y),
        area.width,
        &edge(corners[0], corners[1]),
    );
    let bottom = area.bottom().saturating_sub(1);
    draw(
        buffer,
        (area.x, bottom),
        area.width,
        &edge(corners[2], corners[3]),
    );
    for y in area.y + 1..bottom {
        for x in [area.x, area.right().saturating_sub(1)] {
            draw(buffer, (x, y), 1, &[Piece::new(theme.signs.wall, dim)]);
        }
    }
    let room = area.width.saturating_sub(4);
    let title = vec![Piece::new(fit(&format!(" {title} "), room), theme.bold())];
    draw(buffer, (area.x + 2, area.y), room, &title);
    if !foot.is_empty() {
        let foot = fit(&format!(" {foot} "), room);
        let line = Rect::new(area.x + 2, bottom, room, 1);
        ends(buffer, line, &[], &[Piece::new(foot, dim)]);
    }
    inside(area)
}
