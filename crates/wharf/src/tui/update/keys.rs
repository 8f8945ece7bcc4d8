//! What keys do.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::tui::composer::{Composer, Erase, Move};
use crate::tui::effect::Effect;
use crate::tui::keymap::{Command, Place};
use crate::tui::layout;
use crate::tui::model::{Focus, Model, Panel, Scroll, Spot, Tab};
use crate::tui::overlay::{Act, Asking, Jump, Overlay, Purpose};

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
        if let Some(command) = self.keys.command(Place::Everywhere, key) {
            return Some(self.command(command));
        }
        let is_ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c') if is_ctrl => Some(self.interrupt()),
            KeyCode::Tab if self.focus == Focus::Composer && self.complete() => {
                Some(self.typed().into_iter().collect())
            }
            KeyCode::Tab => {
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

    /// What can be done wherever the person is.
    fn command(&mut self, command: Command) -> Vec<Effect> {
        match command {
            Command::Jump => {
                let jump = Jump::new(Purpose::Open);
                self.overlay = Some(Overlay::Jump(Box::new(jump)));
            }
            Command::Search => self.overlay = Some(Overlay::Find(Box::default())),
            Command::Day => return self.ask_for_day(),
            Command::New => return self.act(Act::NewMenu),
            Command::HandOver => return self.ask_for_files(),
            Command::Files => return self.toggle_files(),
            Command::Members => return self.toggle_members(),
            Command::Status => return self.act(Act::StatusMenu),
            Command::Lists => self.show_tab(match self.tab {
                Tab::Chats => Tab::Contacts,
                Tab::Contacts => Tab::Chats,
            }),
            Command::Help => self.overlay = Some(Overlay::Help { offset: 0 }),
            Command::Redraw => return vec![Effect::Redraw],
            Command::ChatBefore => return self.go_chat(false, false),
            Command::ChatAfter => return self.go_chat(true, false),
            Command::UnreadBefore => return self.go_chat(false, true),
            Command::UnreadAfter => return self.go_chat(true, true),
            Command::PageUp => return self.scroll_page(-1),
            Command::PageDown => return self.scroll_page(1),
            Command::FirstNew => return self.go_first_new(),
            Command::End => return self.go_end(),
            Command::Leave => return self.quit(),
            _ => {}
        }
        Vec::new()
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
            let key = self.keys.label(&[Command::SentBefore]);
            self.tell(format!("Emptied; {key} brings it back."));
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

    fn ask_for_day(&mut self) -> Vec<Effect> {
        if let Some(room) = self.open.as_ref().map(|open| open.room) {
            return self.act(Act::Ask(Asking::Day(room)));
        }
        self.complain("Open a chat first.");
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

    // --- writing

    pub(super) fn composer_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        let columns = layout::composer_columns(layout::areas(self).composer.width);
        let is_blank = self
            .open
            .as_ref()
            .is_none_or(|open| open.desk.composer.is_empty());
        let command = self.keys.command(Place::Writing, key);
        let is_plain = key.modifiers.difference(KeyModifiers::SHIFT).is_empty();
        match key.code {
            _ if command.is_some() => {}
            KeyCode::Enter if key.modifiers.is_empty() => return self.send(),
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
        match (command, key.code) {
            (Some(Command::NewLine), _) => composer.insert("\n"),
            (Some(Command::SentBefore), _) => composer.recall(true),
            (Some(Command::SentAfter), _) => composer.recall(false),
            (_, KeyCode::Up) => {
                composer.go_row(columns, false);
            }
            (_, KeyCode::Down) => {
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
}

/// Whether a key writes its letter.
pub(super) fn is_typed(key: KeyEvent) -> bool {
    key.modifiers.difference(KeyModifiers::SHIFT).is_empty()
}

/// A key in a line of text; `false` where the text stays as it is.
pub(super) fn line_key(line: &mut Composer, key: KeyEvent) -> bool {
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
