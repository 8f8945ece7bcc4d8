//! What keys do in the conversation.

use crossterm::event::{KeyCode, KeyEvent};

use crate::tui::effect::Effect;
use crate::tui::keymap::{Command, Place};
use crate::tui::layout;
use crate::tui::model::{Focus, Model, Spot};
use crate::tui::overlay::Act;

impl Model {
    pub(super) fn timeline_key(&mut self, key: KeyEvent) -> Vec<Effect> {
        if let Some(command) = self.keys.command(Place::Message, key) {
            return self.on_selected(command);
        }
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
            KeyCode::Enter => return self.on_selected(Command::Fetch),
            _ => {}
        }
        Vec::new()
    }

    fn on_selected(&mut self, command: Command) -> Vec<Effect> {
        let Some(spot) = self.open.as_ref().and_then(|open| open.selected) else {
            return Vec::new();
        };
        let act = match (spot, command) {
            (Spot::Waiting(id), Command::Retry) => Some(Act::Retry(id)),
            (Spot::Waiting(id), Command::Drop) => Some(Act::Discard(id)),
            (Spot::Waiting(_), _) => None,
            (Spot::Entry(position), command) => match command {
                Command::Retry => self.refused_about(position).map(Act::Retry),
                Command::Drop => self.refused_about(position).map(Act::Discard),
                Command::Reply => Some(Act::Reply(position)),
                Command::Change => Some(Act::Edit(position)),
                Command::Recall => Some(Act::Recall(position)),
                Command::React => Some(Act::ReactionMenu(position)),
                Command::Pin => Some(Act::Pin(position)),
                Command::Copy => Some(Act::Copy(position)),
                Command::Forward => Some(Act::Forward(position)),
                Command::About => Some(Act::About(position)),
                Command::Menu => Some(Act::MessageMenu(position)),
                Command::Fetch => self
                    .file_at(position)
                    .map(|file| Act::Download(Box::new(file))),
                Command::Save => self.file_at(position).map(|file| Act::Save(Box::new(file))),
                _ => None,
            },
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
}
