//! What the mouse does. Nothing needs it: every click has a key.

use crossterm::event::{KeyCode, MouseButton, MouseEvent, MouseEventKind};

use crate::tui::effect::Effect;
use crate::tui::layout::{self, PROMPT, first_shown, is_in};
use crate::tui::list;
use crate::tui::model::{Focus, Model, Panel, Tab};
use crate::tui::overlay::{Act, Overlay};
use crate::tui::text::width;
use crate::tui::view::{listed_area, menu_area};

/// Rows that one notch of the wheel scrolls.
const WHEEL_ROWS: isize = 3;

impl Model {
    /// The mouse did something.
    pub(crate) fn mouse(&mut self, event: MouseEvent) -> Vec<Effect> {
        let at = (event.column, event.row);
        let mut effects = match (event.kind, self.overlay.is_some()) {
            (MouseEventKind::Down(MouseButton::Left), true) => self.click_overlay(at),
            (MouseEventKind::Down(MouseButton::Left), false) => self.click(at),
            (MouseEventKind::Down(MouseButton::Right), false) => self.right_click(at),
            (MouseEventKind::ScrollUp, true) => {
                self.overlay_step(KeyCode::Up);
                Vec::new()
            }
            (MouseEventKind::ScrollDown, true) => {
                self.overlay_step(KeyCode::Down);
                Vec::new()
            }
            (MouseEventKind::ScrollUp, false) => self.wheel(at, -WHEEL_ROWS),
            (MouseEventKind::ScrollDown, false) => self.wheel(at, WHEEL_ROWS),
            _ => return Vec::new(),
        };
        self.is_looked_at = true;
        effects.extend(self.settle());
        effects
    }

    fn click(&mut self, at: (u16, u16)) -> Vec<Effect> {
        let areas = layout::areas(self);
        if is_in(areas.tabs, at) {
            // The second name begins after the first one, its count and the space between them.
            let unread = self.unread_total();
            let count = if unread > 0 {
                width(&unread.to_string()) + 1
            } else {
                0
            };
            let is_first = at.0 < areas.tabs.x + 1 + width("Chats") + count + 2;
            self.show_tab(if is_first { Tab::Chats } else { Tab::Contacts });
        } else if is_in(areas.list, at) {
            return self.click_list(at);
        } else if is_in(areas.timeline, at) {
            self.click_timeline(at);
        } else if is_in(areas.composer, at) {
            self.click_composer(at);
        } else if is_in(areas.panel, at) {
            return self.click_panel(at);
        } else if is_in(areas.status, at) && at.0 + 12 > areas.status.right() {
            return self.act(Act::StatusMenu);
        }
        Vec::new()
    }

    fn right_click(&mut self, at: (u16, u16)) -> Vec<Effect> {
        let areas = layout::areas(self);
        if is_in(areas.list, at) {
            self.focus = Focus::List;
            self.point_list(at);
            return self.list_menu();
        }
        if is_in(areas.timeline, at) {
            self.click_timeline(at);
            let selected = self.open.as_ref().and_then(|open| open.selected);
            if let Some(crate::tui::model::Spot::Entry(position)) = selected {
                return self.act(Act::MessageMenu(position));
            }
        }
        Vec::new()
    }

    fn wheel(&mut self, at: (u16, u16), rows: isize) -> Vec<Effect> {
        let areas = layout::areas(self);
        if is_in(areas.list, at) {
            let total: usize = list::rows(self).iter().map(|row| row.height).sum();
            let last = total.saturating_sub(usize::from(areas.list.height));
            self.list.offset = self.list.offset.saturating_add_signed(rows).min(last);
            return Vec::new();
        }
        if is_in(areas.panel, at) {
            let count = self.panel_count();
            if let Some(Panel::Files { selected } | Panel::Members { selected }) = &mut self.panel {
                *selected = selected
                    .saturating_add_signed(rows.signum())
                    .min(count.saturating_sub(1));
            }
            return Vec::new();
        }
        self.scroll(rows)
    }

    /// Selects what the mouse points at in the list.
    fn point_list(&mut self, at: (u16, u16)) -> bool {
        let area = layout::areas(self).list;
        let row = usize::from(at.1 - area.y) + self.list.offset;
        let mut top = 0;
        for item in list::rows(self) {
            top += item.height;
            if row < top {
                self.list.selected = Some(item.key);
                return true;
            }
        }
        false
    }

    fn click_list(&mut self, at: (u16, u16)) -> Vec<Effect> {
        self.focus = Focus::List;
        if self.point_list(at) {
            self.open_selected()
        } else {
            Vec::new()
        }
    }

    fn click_timeline(&mut self, at: (u16, u16)) {
        let area = layout::areas(self).timeline;
        let seen = layout::seen(self, area);
        let blank = usize::from(area.height).saturating_sub(seen.rows.len());
        let row = usize::from(at.1 - area.y).checked_sub(blank);
        let spot = row
            .and_then(|row| seen.rows.get(row))
            .map(|(spot, _)| *spot);
        if let (Some(open), Some(spot)) = (&mut self.open, spot) {
            open.selected = Some(spot);
            self.focus = Focus::Timeline;
        }
    }

    fn click_composer(&mut self, at: (u16, u16)) {
        let area = layout::areas(self).composer;
        let first = layout::composer(self, area).map_or(0, |(_, first)| first);
        let columns = layout::composer_columns(area.width);
        self.focus = Focus::Composer;
        if let Some(open) = &mut self.open {
            let column = at.0.saturating_sub(area.x + PROMPT);
            let row = usize::from(at.1 - area.y) + first;
            open.desk.composer.point(columns, (column, row));
        }
    }

    fn click_panel(&mut self, at: (u16, u16)) -> Vec<Effect> {
        let area = layout::areas(self).panel;
        let count = self.panel_count();
        let was_focus = self.focus == Focus::Panel;
        self.focus = Focus::Panel;
        let Some(Panel::Files { selected } | Panel::Members { selected }) = &mut self.panel else {
            return Vec::new();
        };
        let height = usize::from(area.height.saturating_sub(1)) / 2;
        let first = first_shown(*selected, count, height.max(1));
        let Some(row) = at.1.checked_sub(area.y + 1) else {
            return Vec::new();
        };
        let index = first + usize::from(row) / 2;
        if index >= count {
            return Vec::new();
        }
        let is_again = was_focus && *selected == index;
        *selected = index;
        if is_again {
            self.on_panel('o')
        } else {
            Vec::new()
        }
    }

    fn click_overlay(&mut self, at: (u16, u16)) -> Vec<Effect> {
        let (area, count, selected, rows_each) = match &self.overlay {
            Some(Overlay::Menu(menu)) => {
                (menu_area(self, menu), menu.items.len(), menu.selected, 1)
            }
            Some(Overlay::Jump(jump)) => {
                let count = crate::tui::overlay::jump_targets(self, jump).len();
                (listed_area(self), count, jump.selected, 1)
            }
            _ => return Vec::new(),
        };
        if !is_in(area, at) {
            self.overlay = None;
            return Vec::new();
        }
        let first = first_shown(selected, count, usize::from(area.height));
        let index = first + usize::from(at.1 - area.y) / rows_each;
        if index >= count {
            return Vec::new();
        }
        match &mut self.overlay {
            Some(Overlay::Menu(menu)) => menu.selected = index,
            Some(Overlay::Jump(jump)) => jump.selected = index,
            _ => {}
        }
        self.overlay_enter()
    }
}
