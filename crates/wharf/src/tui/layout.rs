//! Where what is on the screen: one place for whoever draws it and for whoever is told where the mouse was.

use ratatui::layout::Rect;

use super::composer::Laid;
use super::model::{Focus, Model};
use super::timeline::{Scene, Seen};

/// Below these nothing useful can be shown.
pub(crate) const COLUMNS_MIN: u16 = 24;
/// As [`COLUMNS_MIN`].
pub(crate) const ROWS_MIN: u16 = 6;
/// Below this width there is one column: the list, or the conversation.
pub(crate) const ONE_COLUMN_BELOW: u16 = 60;
/// From this width on the panel stands beside the conversation.
const PANEL_BESIDE_FROM: u16 = 110;
const PANEL_COLUMNS: u16 = 38;
/// Columns of the sign before what is written.
pub(crate) const PROMPT: u16 = 2;

/// The parts of the screen. What is not shown has no area.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Areas {
    /// The names of the two lists.
    pub(crate) tabs: Rect,
    pub(crate) list: Rect,
    /// The line between the list and the conversation.
    pub(crate) wall: Rect,
    pub(crate) title: Rect,
    pub(crate) timeline: Rect,
    /// What is being answered or edited, and who types.
    pub(crate) banner: Rect,
    pub(crate) composer: Rect,
    pub(crate) panel: Rect,
    /// The line before the panel, where it stands beside the conversation.
    pub(crate) panel_wall: Rect,
    pub(crate) status: Rect,
}

/// The parts of the screen as the model is.
pub(crate) fn areas(model: &Model) -> Areas {
    let (columns, rows) = model.size;
    let body = rows.saturating_sub(1);
    let mut areas = Areas {
        status: Rect::new(0, body, columns, rows.min(1)),
        ..Areas::default()
    };
    let is_narrow = columns < ONE_COLUMN_BELOW;
    let is_list = !is_narrow || model.open.is_none() || model.focus == Focus::List;
    let mut left = 0;
    if is_list {
        let list_columns = if is_narrow {
            columns
        } else {
            (columns / 3).clamp(24, 36)
        };
        areas.tabs = Rect::new(0, 0, list_columns, body.min(1));
        areas.list = Rect::new(0, 1, list_columns, body.saturating_sub(1));
        if is_narrow {
            return areas;
        }
        areas.wall = Rect::new(list_columns, 0, 1, body);
        left = list_columns + 1;
    }
    let mut right = columns;
    areas.title = Rect::new(left, 0, columns - left, body.min(1));
    if model.panel.is_some() {
        if columns >= PANEL_BESIDE_FROM {
            right -= PANEL_COLUMNS + 1;
            areas.panel_wall = Rect::new(right, 1, 1, body.saturating_sub(1));
            areas.panel = Rect::new(right + 1, 1, PANEL_COLUMNS, body.saturating_sub(1));
        } else {
            areas.panel = Rect::new(left, 1, columns - left, body.saturating_sub(1));
            return areas;
        }
    }
    conversation(model, &mut areas, (left, right), body);
    areas
}

fn conversation(model: &Model, areas: &mut Areas, (left, right): (u16, u16), body: u16) {
    let columns = right - left;
    let rows_max = (body / 3).clamp(1, 8);
    let written = composer_columns(columns);
    let composer_rows = model.open.as_ref().map_or(1, |open| {
        let rows = open.desk.composer.lay(written).rows.len();
        u16::try_from(rows).unwrap_or(u16::MAX).clamp(1, rows_max)
    });
    let composer_top = body.saturating_sub(composer_rows).max(1);
    let banner_top = composer_top.saturating_sub(1).max(1);
    areas.composer = Rect::new(
        left,
        composer_top,
        columns,
        body.saturating_sub(composer_top),
    );
    areas.banner = Rect::new(left, banner_top, columns, composer_top - banner_top);
    areas.timeline = Rect::new(left, 1, columns, banner_top.saturating_sub(1));
}

/// The columns that text is written over in a composer of this width.
pub(crate) fn composer_columns(columns: u16) -> u16 {
    columns.saturating_sub(PROMPT + 1).max(2)
}

/// The composer's rows, and which one is the first on the screen.
pub(crate) fn composer(model: &Model, area: Rect) -> Option<(Laid, usize)> {
    let open = model.open.as_ref()?;
    let laid = open.desk.composer.lay(composer_columns(area.width));
    let first = (laid.cursor.1 + 1).saturating_sub(usize::from(area.height));
    Some((laid, first))
}

/// The open conversation, laid out for an area.
pub(crate) fn scene(model: &Model, area: Rect) -> Option<Scene<'_>> {
    let open = model.open.as_ref()?;
    Some(Scene::new(model, open, area.width.saturating_sub(1)))
}

/// What of the conversation is on the screen.
pub(crate) fn seen(model: &Model, area: Rect) -> Seen {
    scene(model, area).map_or_else(Seen::default, |scene| scene.seen(usize::from(area.height)))
}

/// Whether a place is in an area.
pub(crate) fn is_in(area: Rect, (x, y): (u16, u16)) -> bool {
    x >= area.left() && x < area.right() && y >= area.top() && y < area.bottom()
}

/// A box of at most this size in the middle of the screen.
pub(crate) fn middle(model: &Model, columns: u16, rows: u16) -> Rect {
    let (width, height) = model.size;
    let columns = columns.min(width.saturating_sub(2)).max(width.min(10));
    let rows = rows.min(height.saturating_sub(2)).max(height.min(3));
    Rect::new((width - columns) / 2, (height - rows) / 2, columns, rows)
}

/// The first item that a list of `count` shows over `rows`, so that the selected one is seen.
pub(crate) fn first_shown(selected: usize, count: usize, rows: usize) -> usize {
    let last_first = count.saturating_sub(rows);
    (selected + 1).saturating_sub(rows).min(last_first)
}
