//! What keys do in what lies over the screen.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::keys::{line_key, stepped};
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::overlay::{Find, Overlay, jump_targets};
use crate::tui::view::help_rows;

impl Model {
    pub(super) fn overlay_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        let is_ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        if key.code == KeyCode::Esc || (is_ctrl && key.code == KeyCode::Char('c')) {
            self.overlay = None;
            return Vec::new();
        }
        match key.code {
            KeyCode::Enter => return self.overlay_enter(),
            KeyCode::Up | KeyCode::Down | KeyCode::PageUp | KeyCode::PageDown => {
                self.overlay_step(key.code);
            }
            KeyCode::Home | KeyCode::End
                if self.overlay.as_mut().and_then(Overlay::line).is_none() =>
            {
                self.overlay_step(key.code);
            }
            _ => {
                let line = self.overlay.as_mut().and_then(Overlay::line);
                if line.is_some_and(|line| line_key(line, key)) {
                    self.query_changed();
                }
            }
        }
        Vec::new()
    }

    pub(super) fn query_changed(&mut self) {
        if let Some(Overlay::Jump(jump)) = &mut self.overlay {
            jump.selected = 0;
        }
    }

    pub(super) fn overlay_step(&mut self, code: KeyCode) {
        let count = match &self.overlay {
            Some(Overlay::Help { .. }) => help_rows(self).len(),
            Some(Overlay::Paper { rows, .. }) => rows.len(),
            Some(Overlay::Jump(jump)) => jump_targets(self, jump).len(),
            Some(Overlay::Find(find)) => find.finds.hits.len(),
            Some(Overlay::Menu(menu)) => menu.items.len(),
            Some(Overlay::Ask(_)) | None => 0,
        };
        let page = usize::from(self.size.1.saturating_sub(6)).max(1);
        match &mut self.overlay {
            Some(Overlay::Help { offset } | Overlay::Paper { offset, .. }) => {
                let height = usize::from(self.size.1.saturating_sub(4)).max(1);
                let last = count.saturating_sub(height);
                *offset = match code {
                    KeyCode::PageUp => offset.saturating_sub(page),
                    KeyCode::PageDown => (*offset + page).min(last),
                    code => stepped(*offset, last + 1, code),
                };
            }
            Some(Overlay::Jump(jump)) => jump.selected = stepped(jump.selected, count, code),
            Some(Overlay::Find(find)) => find.selected = stepped(find.selected, count, code),
            Some(Overlay::Menu(menu)) => menu.selected = stepped(menu.selected, count, code),
            Some(Overlay::Ask(_)) | None => {}
        }
    }

    /// Enter, or a click on what is selected.
    pub(super) fn overlay_enter(&mut self) -> Vec<Effect> {
        match self.overlay.take() {
            Some(Overlay::Jump(jump)) => {
                let target = jump_targets(self, &jump).into_iter().nth(jump.selected);
                let Some((_, act)) = target else {
                    // It may only be typed wrongly, or not be known yet.
                    self.overlay = Some(Overlay::Jump(jump));
                    return Vec::new();
                };
                self.act(act)
            }
            Some(Overlay::Menu(menu)) => match menu.items.into_iter().nth(menu.selected) {
                Some((_, act)) => self.act(act),
                None => Vec::new(),
            },
            Some(Overlay::Ask(ask)) => self.answered(*ask),
            Some(Overlay::Find(find)) => self.search_entered(find),
            Some(Overlay::Help { .. } | Overlay::Paper { .. }) | None => Vec::new(),
        }
    }

    /// Enter in a search: it is searched for, or what is selected is shown.
    fn search_entered(&mut self, mut find: Box<Find>) -> Vec<Effect> {
        let query = find.query.text().trim().to_owned();
        if query == find.finds.query {
            let hit = find.finds.hits.get(find.selected).cloned();
            if let Some(hit) = hit {
                return self.open_hit(&hit);
            }
        }
        let is_blank = query.is_empty();
        find.is_waiting = !is_blank;
        self.overlay = Some(Overlay::Find(find));
        if is_blank {
            Vec::new()
        } else {
            vec![Effect::Search { query }]
        }
    }
}
