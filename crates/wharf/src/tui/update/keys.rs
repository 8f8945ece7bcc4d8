//! What keys do.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::tui::composer::{Composer, Erase, Move};
use crate::tui::effect::Effect;
use crate::tui::layout;
use crate::tui::list::{self, ListKey};
use crate::tui::model::{Focus, Model, Panel, Scroll, Spot, Tab};
use crate::tui::overlay::{Act, Asking, Find, Overlay, jump_targets};
use crate::tui::view::help_rows;

/// Within this time a second Ctrl-C ends the program.
const QUIT_TWICE_MS: i64 = 2_000;

impl Model {
    /// A key was pressed.
    pub(crate) fn key(&mut self, key: KeyEvent) -> Vec<Effect> {
        if key.kind == KeyEventKind::Release {
            return Vec::new();
        }
        // Whoever types looks at the screen, whatever the terminal said.
        self.is_looked_at = true;
        let mut effects = if self.overlay.is_some() {
            self.overlay_key(key)
        } else if let Some(effects) = self.global_key(key) {
            effects
        } else {
            match self.focus {
                Focus::List => self.list_key(key),
                Focus::Timeline => self.timeline_key(key),
                Focus::Composer => self.composer_key(key),
                Focus::Panel => self.panel_key(key),
            }
        };
        effects.extend(self.settle());
        effects
    }

    /// Text was pasted: into the line that is being written, wherever that is.
    pub(crate) fn paste(&mut self, text: &str) -> Vec<Effect> {
        if let Some(line) = self.overlay.as_mut().and_then(Overlay::line) {
            line.insert(&crate::tui::text::one_line(text));
            self.query_changed();
            return Vec::new();
        }
        let Some(open) = &mut self.open else {
            return Vec::new();
        };
        self.focus = Focus::Composer;
        open.desk.composer.insert(text);
        self.typed().into_iter().collect()
    }

    fn global_key(&mut self, key: KeyEvent) -> Option<Vec<Effect>> {
        let KeyEvent {
            code, modifiers, ..
        } = key;
        let is_ctrl = modifiers.contains(KeyModifiers::CONTROL);
        let is_alt = modifiers.contains(KeyModifiers::ALT);
        let is_shift = modifiers.contains(KeyModifiers::SHIFT);
        match code {
            KeyCode::Char('c') if is_ctrl => Some(self.interrupt()),
            KeyCode::Char('q') if is_ctrl => Some(self.quit()),
            KeyCode::Char('k') if is_ctrl => {
                let query = Composer::default();
                self.overlay = Some(Overlay::Jump { query, selected: 0 });
                Some(Vec::new())
            }
            KeyCode::Char('f') if is_ctrl => Some(self.begin_search()),
            KeyCode::F(3) => Some(self.begin_search()),
            KeyCode::Char('n') if is_ctrl => Some(self.act(Act::NewMenu)),
            KeyCode::Char('o') if is_ctrl => Some(self.ask_for_files()),
            KeyCode::Char('t') if is_ctrl => Some(self.toggle_files()),
            KeyCode::F(5) => Some(self.toggle_members()),
            KeyCode::F(4) => Some(self.act(Act::StatusMenu)),
            KeyCode::F(2) => {
                self.show_tab(match self.tab {
                    Tab::Chats => Tab::Contacts,
                    Tab::Contacts => Tab::Chats,
                });
                Some(Vec::new())
            }
            // Terminals send Ctrl-/ as the byte that is also Ctrl-_ and Ctrl-7.
            KeyCode::Char('/' | '_' | '7' | '?') if is_ctrl => Some(self.help()),
            KeyCode::F(1) => Some(self.help()),
            KeyCode::Char('l') if is_ctrl => Some(vec![Effect::Redraw]),
            KeyCode::Up if is_alt => Some(self.go_chat(false, is_shift)),
            KeyCode::Down if is_alt => Some(self.go_chat(true, is_shift)),
            KeyCode::PageUp => Some(self.scroll_page(-1)),
            KeyCode::PageDown => Some(self.scroll_page(1)),
            KeyCode::Home if is_ctrl => Some(self.go_first_new()),
            KeyCode::End if is_ctrl => Some(self.go_end()),
            KeyCode::Tab if self.focus == Focus::Composer && self.complete() => {
                Some(self.typed().into_iter().collect())
            }
            KeyCode::Tab | KeyCode::F(6) => {
                self.go_focus(true);
                Some(Vec::new())
            }
            KeyCode::BackTab => {
                self.go_focus(false);
                Some(Vec::new())
            }
            _ => None,
        }
    }

    /// Ctrl-C: empties what is being written; twice, it leaves.
    fn interrupt(&mut self) -> Vec<Effect> {
        let has_text = self.focus == Focus::Composer
            && self
                .open
                .as_ref()
                .is_some_and(|open| !open.desk.composer.is_empty());
        if self.now.ms < self.quits_until_ms {
            return self.quit();
        }
        if has_text {
            self.stop_about();
            if let Some(open) = &mut self.open {
                open.desk.composer.take();
            }
            self.tell("Emptied; Ctrl-Up brings it back.");
            return self.typed().into_iter().collect();
        }
        self.quits_until_ms = self.now.ms + QUIT_TWICE_MS;
        self.tell("Ctrl-C again leaves. What waits is sent the next time.");
        Vec::new()
    }

    fn quit(&mut self) -> Vec<Effect> {
        let mut effects: Vec<Effect> = self.leave_desk().into_iter().collect();
        effects.push(Effect::Quit);
        effects
    }

    fn help(&mut self) -> Vec<Effect> {
        self.overlay = Some(Overlay::Help { offset: 0 });
        Vec::new()
    }

    fn begin_search(&mut self) -> Vec<Effect> {
        self.overlay = Some(Overlay::Find(Box::default()));
        Vec::new()
    }

    fn ask_for_files(&mut self) -> Vec<Effect> {
        match self
            .open_room()
            .map(|view| (view.room.id, view.room.can_write))
        {
            Some((room, true)) => self.act(Act::Ask(Asking::Paths(room))),
            Some((_, false)) => {
                self.complain("You cannot write here.");
                Vec::new()
            }
            None => {
                self.complain("Open a chat first.");
                Vec::new()
            }
        }
    }

    fn toggle_files(&mut self) -> Vec<Effect> {
        let Some(room) = self.open.as_ref().map(|open| open.room) else {
            return Vec::new();
        };
        if matches!(self.panel, Some(Panel::Files { .. })) {
            self.close_panel();
            return Vec::new();
        }
        self.panel = Some(Panel::Files { selected: 0 });
        self.focus = Focus::Panel;
        vec![Effect::Files(room)]
    }

    fn toggle_members(&mut self) -> Vec<Effect> {
        let Some(room) = self.open.as_ref().map(|open| open.room) else {
            return Vec::new();
        };
        if matches!(self.panel, Some(Panel::Members { .. })) {
            self.close_panel();
            return Vec::new();
        }
        self.panel = Some(Panel::Members { selected: 0 });
        self.focus = Focus::Panel;
        vec![Effect::Members(room)]
    }

    pub(super) fn close_panel(&mut self) {
        self.panel = None;
        self.focus = Focus::Composer;
    }

    /// The next part of the screen that there is.
    fn go_focus(&mut self, is_forward: bool) {
        let mut parts = vec![Focus::List];
        if self.open.is_some() {
            parts.extend([Focus::Composer, Focus::Timeline]);
        }
        if self.panel.is_some() {
            parts.push(Focus::Panel);
        }
        let at = parts
            .iter()
            .position(|part| *part == self.focus)
            .unwrap_or(0);
        let step = if is_forward { 1 } else { parts.len() - 1 };
        self.focus = parts
            .get((at + step) % parts.len())
            .copied()
            .unwrap_or_default();
        if self.focus == Focus::Timeline {
            self.select_last();
        }
    }

    /// The chat before or after the open one in the list; of those with something new where that is asked for.
    fn go_chat(&mut self, is_down: bool, is_unread: bool) -> Vec<Effect> {
        let open = self.open.as_ref().map(|open| open.room);
        let rooms: Vec<_> = self
            .rooms
            .iter()
            .filter(|view| {
                let is_shown = !view.room.preferences.is_hidden || view.room.unread > 0;
                Some(view.room.id) == open || (is_shown && (!is_unread || view.room.unread > 0))
            })
            .map(|view| view.room.id)
            .collect();
        let at = rooms.iter().position(|room| Some(*room) == open);
        let next = match (at, is_down) {
            (None, _) => Some(0),
            (Some(at), true) => Some(at + 1),
            (Some(at), false) => at.checked_sub(1),
        };
        match next.and_then(|next| rooms.get(next)) {
            Some(room) => self.act(Act::OpenRoom(*room)),
            None => Vec::new(),
        }
    }

    fn scroll_page(&mut self, direction: isize) -> Vec<Effect> {
        let height = layout::areas(self).timeline.height.saturating_sub(2).max(1);
        self.scroll(direction * isize::try_from(height).unwrap_or(1))
    }

    fn go_first_new(&mut self) -> Vec<Effect> {
        let area = layout::areas(self).timeline;
        let first = layout::scene(self, area).and_then(|scene| scene.first_new());
        let oldest = self
            .open
            .as_ref()
            .and_then(|open| open.items.first())
            .map(|item| Spot::Entry(item.entry.position));
        if let (Some(open), Some(spot)) = (&mut self.open, first.or(oldest)) {
            open.scroll = Scroll::Top(spot, 0);
        }
        self.settle()
    }

    pub(super) fn go_end(&mut self) -> Vec<Effect> {
        let Some(open) = &mut self.open else {
            return Vec::new();
        };
        open.scroll = Scroll::End;
        open.selected = None;
        let (room, has_newer) = (open.room, open.has_newer);
        let mut effects = Vec::new();
        if has_newer {
            effects.push(Effect::Load {
                room,
                window: wharf_client::chat::Window::Last,
                count: super::PAGE,
            });
        }
        effects
    }

    // --- the list

    pub(super) fn show_tab(&mut self, tab: Tab) {
        self.tab = tab;
        self.focus = Focus::List;
        self.list.offset = 0;
        let rows = list::rows(self);
        let is_there = rows.iter().any(|row| Some(row.key) == self.list.selected);
        if !is_there {
            let open = self.open.as_ref().map(|open| ListKey::Room(open.room));
            self.list.selected = rows
                .iter()
                .map(|row| row.key)
                .find(|key| Some(*key) == open)
                .or_else(|| rows.first().map(|row| row.key));
        }
        self.show_list_selection();
    }

    fn list_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        match key.code {
            KeyCode::Up => self.go_list(-1),
            KeyCode::Down => self.go_list(1),
            KeyCode::Home => self.go_list(isize::MIN),
            KeyCode::End => self.go_list(isize::MAX),
            KeyCode::Left => self.show_tab(Tab::Chats),
            KeyCode::Right => self.show_tab(Tab::Contacts),
            KeyCode::Enter | KeyCode::Char(' ') => return self.open_selected(),
            KeyCode::Char('m') => return self.list_menu(),
            KeyCode::Esc if self.open.is_some() => self.focus = Focus::Composer,
            // Whoever types means to write.
            KeyCode::Char(_) if self.open.is_some() && is_typed(key) => {
                self.focus = Focus::Composer;
                return self.composer_key(key);
            }
            _ => {}
        }
        Vec::new()
    }

    fn go_list(&mut self, step: isize) {
        let rows = list::rows(self);
        let at = rows
            .iter()
            .position(|row| Some(row.key) == self.list.selected);
        let next = match at {
            Some(at) => at
                .saturating_add_signed(step)
                .min(rows.len().saturating_sub(1)),
            None => 0,
        };
        self.list.selected = rows.get(next).map(|row| row.key);
        self.show_list_selection();
    }

    /// Enter on what is selected in the list.
    pub(super) fn open_selected(&mut self) -> Vec<Effect> {
        match self.list.selected {
            Some(ListKey::Room(room)) => self.act(Act::OpenRoom(room)),
            Some(ListKey::Contact(account)) => self.act(Act::OpenContact(account)),
            Some(ListKey::Invitation(_)) => self.list_menu(),
            Some(ListKey::Section(section)) => {
                if !self.list.closed.remove(&section) {
                    self.list.closed.insert(section);
                }
                self.show_list_selection();
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    /// What can be done with what is selected in the list.
    pub(super) fn list_menu(&mut self) -> Vec<Effect> {
        match self.list.selected {
            Some(ListKey::Room(room)) => self.act(Act::RoomMenu(room)),
            Some(ListKey::Contact(account)) => self.act(Act::ContactMenu(account)),
            Some(ListKey::Invitation(room)) => self.act(Act::InvitationMenu(room)),
            Some(ListKey::Section(_)) | None => Vec::new(),
        }
    }

    // --- the conversation

    fn timeline_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        match key.code {
            KeyCode::Up | KeyCode::Char('k') => self.go_item(-1),
            KeyCode::Down | KeyCode::Char('j') => self.go_item(1),
            KeyCode::Home => self.go_item(isize::MIN),
            KeyCode::End => self.go_item(isize::MAX),
            KeyCode::Esc => {
                if let Some(open) = &mut self.open {
                    open.selected = None;
                }
                self.focus = Focus::Composer;
                return self.go_end();
            }
            KeyCode::Char(letter) if is_typed(key) => {
                return self.on_selected(letter);
            }
            KeyCode::Enter => return self.on_selected('o'),
            _ => {}
        }
        Vec::new()
    }

    fn on_selected(&mut self, letter: char) -> Vec<Effect> {
        let Some(spot) = self.open.as_ref().and_then(|open| open.selected) else {
            return Vec::new();
        };
        let act = match (spot, letter) {
            (Spot::Waiting(id), 't') => Some(Act::Retry(id)),
            (Spot::Waiting(id), 'x') => Some(Act::Discard(id)),
            (Spot::Entry(position), 't' | 'x') => self.refused_about(position).map(|id| {
                if letter == 't' {
                    Act::Retry(id)
                } else {
                    Act::Discard(id)
                }
            }),
            (Spot::Entry(position), letter) => match letter {
                'r' => Some(Act::Reply(position)),
                'e' => Some(Act::Edit(position)),
                'd' => Some(Act::Recall(position)),
                '+' => Some(Act::ReactionMenu(position)),
                'p' => Some(Act::Pin(position)),
                'y' => Some(Act::Copy(position)),
                'i' => Some(Act::About(position)),
                'm' => Some(Act::MessageMenu(position)),
                'o' => self
                    .file_at(position)
                    .map(|file| Act::Download(Box::new(file))),
                's' => self.file_at(position).map(|file| Act::Save(Box::new(file))),
                _ => None,
            },
            (Spot::Waiting(_), _) => None,
        };
        act.map_or_else(Vec::new, |act| self.act(act))
    }

    /// A change of an entry that was refused.
    fn refused_about(&self, position: u64) -> Option<i64> {
        let item = self.open.as_ref()?.item(position)?;
        item.waiting
            .iter()
            .find(|waiting| {
                matches!(
                    waiting.state,
                    wharf_client::chat::WaitingState::Refused { .. }
                )
            })
            .map(|waiting| waiting.id)
    }

    pub(super) fn select_last(&mut self) {
        let area = layout::areas(self).timeline;
        let is_selected = self
            .open
            .as_ref()
            .is_some_and(|open| open.selected.is_some());
        let last = layout::seen(self, area).rows.last().map(|(spot, _)| *spot);
        if let (false, Some(last)) = (is_selected, last) {
            self.select(last);
        }
    }

    fn go_item(&mut self, step: isize) {
        let area = layout::areas(self).timeline;
        let Some(open) = &self.open else { return };
        let selected = open.selected;
        let next = layout::scene(self, area).and_then(|scene| {
            let last = scene.count().checked_sub(1)?;
            let at = selected
                .and_then(|spot| scene.index_of(spot))
                .unwrap_or(last);
            scene.spot(at.saturating_add_signed(step).min(last))
        });
        if let Some(next) = next {
            self.select(next);
        }
    }

    // --- writing

    fn composer_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        let columns = layout::composer_columns(layout::areas(self).composer.width);
        let is_blank = self
            .open
            .as_ref()
            .is_none_or(|open| open.desk.composer.is_empty());
        let is_ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        let is_plain = key.modifiers.difference(KeyModifiers::SHIFT).is_empty();
        match key.code {
            KeyCode::Enter if is_plain && !key.modifiers.contains(KeyModifiers::SHIFT) => {
                return self.send();
            }
            KeyCode::Esc => {
                if !self.stop_about() {
                    self.focus = Focus::Timeline;
                    self.select_last();
                }
                return Vec::new();
            }
            KeyCode::Up if is_blank && is_plain => {
                self.edit_last();
                return Vec::new();
            }
            _ => {}
        }
        let Some(open) = &mut self.open else {
            return Vec::new();
        };
        let composer = &mut open.desk.composer;
        match key.code {
            KeyCode::Enter => composer.insert("\n"),
            KeyCode::Char('j') if is_ctrl => composer.insert("\n"),
            KeyCode::Up if is_ctrl => composer.recall(true),
            KeyCode::Down if is_ctrl => composer.recall(false),
            KeyCode::Up => {
                composer.go_row(columns, false);
            }
            KeyCode::Down => {
                composer.go_row(columns, true);
            }
            _ => {
                line_key(composer, key);
            }
        }
        self.typed().into_iter().collect()
    }

    // --- the panel

    fn panel_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        let count = self.panel_count();
        match (&mut self.panel, key.code) {
            (_, KeyCode::Esc) => self.close_panel(),
            (
                Some(Panel::Files { selected } | Panel::Members { selected }),
                KeyCode::Up | KeyCode::Down | KeyCode::Home | KeyCode::End,
            ) => *selected = stepped(*selected, count, key.code),
            (Some(_), KeyCode::Enter | KeyCode::Char('o')) => return self.on_panel('o'),
            (Some(_), KeyCode::Char(letter)) => return self.on_panel(letter),
            _ => {}
        }
        Vec::new()
    }

    // --- what lies over the screen

    fn overlay_key(&mut self, key: KeyEvent) -> Vec<Effect> {
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

    fn query_changed(&mut self) {
        if let Some(Overlay::Jump { selected, .. }) = &mut self.overlay {
            *selected = 0;
        }
    }

    pub(super) fn overlay_step(&mut self, code: KeyCode) {
        let count = match &self.overlay {
            Some(Overlay::Help { .. }) => help_rows(self).len(),
            Some(Overlay::Paper { rows, .. }) => rows.len(),
            Some(Overlay::Jump { query, .. }) => jump_targets(self, query.text()).len(),
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
            Some(Overlay::Jump { selected, .. }) => *selected = stepped(*selected, count, code),
            Some(Overlay::Find(find)) => find.selected = stepped(find.selected, count, code),
            Some(Overlay::Menu(menu)) => menu.selected = stepped(menu.selected, count, code),
            Some(Overlay::Ask(_)) | None => {}
        }
    }

    /// Enter, or a click on what is selected.
    pub(super) fn overlay_enter(&mut self) -> Vec<Effect> {
        match self.overlay.take() {
            Some(Overlay::Jump { query, selected }) => {
                let target = jump_targets(self, query.text()).into_iter().nth(selected);
                target.map_or_else(Vec::new, |(_, act)| self.act(act))
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

/// Whether a key writes its letter.
fn is_typed(key: KeyEvent) -> bool {
    key.modifiers.difference(KeyModifiers::SHIFT).is_empty()
}

/// A key in a line of text; `false` where the text stays as it is.
fn line_key(line: &mut Composer, key: KeyEvent) -> bool {
    let is_ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
    let is_alt = key.modifiers.contains(KeyModifiers::ALT);
    let is_far = is_ctrl || is_alt;
    match key.code {
        KeyCode::Left if is_far => line.go(Move::WordLeft),
        KeyCode::Right if is_far => line.go(Move::WordRight),
        KeyCode::Left => line.go(Move::Left),
        KeyCode::Right => line.go(Move::Right),
        KeyCode::Home => line.go(Move::LineStart),
        KeyCode::End => line.go(Move::LineEnd),
        KeyCode::Backspace if is_far => line.erase(Erase::WordBefore),
        KeyCode::Backspace => line.erase(Erase::Before),
        KeyCode::Delete => line.erase(Erase::After),
        KeyCode::Char(letter) if is_ctrl => match letter {
            'a' => line.go(Move::LineStart),
            'e' => line.go(Move::LineEnd),
            'b' => line.go(Move::Left),
            'w' => line.erase(Erase::WordBefore),
            'u' => line.erase(Erase::ToLineStart),
            'h' => line.erase(Erase::Before),
            'd' => line.erase(Erase::After),
            _ => return false,
        },
        KeyCode::Char('b') if is_alt => line.go(Move::WordLeft),
        KeyCode::Char('f') if is_alt => line.go(Move::WordRight),
        KeyCode::Char('<') if is_alt => line.go(Move::Start),
        KeyCode::Char('>') if is_alt => line.go(Move::End),
        KeyCode::Char(_) if is_alt => return false,
        KeyCode::Char(letter) => line.insert(&letter.to_string()),
        _ => return false,
    }
    true
}

/// A step in a list of `count`.
pub(super) fn stepped(at: usize, count: usize, code: KeyCode) -> usize {
    let last = count.saturating_sub(1);
    match code {
        KeyCode::Up => at.saturating_sub(1),
        KeyCode::Down => (at + 1).min(last),
        KeyCode::PageUp => at.saturating_sub(8),
        KeyCode::PageDown => (at + 8).min(last),
        KeyCode::Home => 0,
        KeyCode::End => last,
        _ => at.min(last),
    }
}
