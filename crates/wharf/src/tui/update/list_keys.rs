//! What keys do in the list.

use crossterm::event::{KeyCode, KeyEvent};

use super::keys::is_typed;
use crate::tui::effect::Effect;
use crate::tui::keymap::{Command, Place};
use crate::tui::list::{self, ListKey};
use crate::tui::model::{Focus, Model, Tab};
use crate::tui::overlay::Act;

impl Model {
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

    pub(super) fn list_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        if self.keys.command(Place::List, key) == Some(Command::ListMenu) {
            return self.list_menu();
        }
        match key.code {
            KeyCode::Up => self.go_list(-1),
            KeyCode::Down => self.go_list(1),
            KeyCode::Home => self.go_list(isize::MIN),
            KeyCode::End => self.go_list(isize::MAX),
            KeyCode::Left => self.show_tab(Tab::Chats),
            KeyCode::Right => self.show_tab(Tab::Contacts),
            KeyCode::Enter | KeyCode::Char(' ') => return self.open_selected(),
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
}
