//! Giving what was said in one room to another one.

use wharf_types::RoomId;
use wharf_types::api::log::Entry;

use crate::tui::effect::Effect;
use crate::tui::model::{Model, text_of};
use crate::tui::overlay::{Act, Jump, Overlay, Purpose};

impl Model {
    /// Asks for the room that a message is to go to.
    pub(super) fn choose_receiver(&mut self, position: u64) {
        let entry = self.open.as_ref().and_then(|open| open.entry(position));
        if entry.is_none_or(|entry| text_of(entry).is_none()) {
            self.complain("There is nothing to forward.");
            return;
        }
        let jump = Jump::new(Purpose::Forward(position));
        self.overlay = Some(Overlay::Jump(Box::new(jump)));
    }

    /// Hands a message's file over in another room, or opens that room with its text in the line that is written, so that
    /// something can be said to it before it goes.
    pub(super) fn forward(&mut self, position: u64, to: RoomId) -> Vec<Effect> {
        let Some(open) = &self.open else {
            return Vec::new();
        };
        let from = open.room;
        let text = open.entry(position).and_then(|entry| self.forwarded(entry));
        let Some(text) = text else {
            return Vec::new();
        };
        if let Some(file) = self.file_at(position) {
            self.tell(format!("Forwarding {}…", file.name));
            return vec![Effect::ForwardFile {
                from,
                file: Box::new(file),
                to,
                text,
            }];
        }
        let effects = self.act(Act::OpenRoom(to));
        if let Some(open) = self.open.as_mut().filter(|open| open.room == to) {
            let composer = &mut open.desk.composer;
            let written = composer.text().trim_end().to_owned();
            composer.set(if written.is_empty() {
                text
            } else {
                format!("{written}\n\n{text}")
            });
        }
        effects
    }

    /// What a message says, for another room: one's own as it is, another person's as a quotation that says whose it is.
    fn forwarded(&self, entry: &Entry) -> Option<String> {
        let text = text_of(entry)?;
        let is_own = entry.account == Some(self.me) && entry.name.is_none();
        if is_own || text.is_empty() {
            return Some(text.to_owned());
        }
        let mut quoted = format!(
            "{}, {}:\n\n",
            self.author(entry),
            self.now.full_date(entry.at_ms)
        );
        for line in text.lines() {
            quoted.push_str(if line.is_empty() { ">" } else { "> " });
            quoted.push_str(line);
            quoted.push('\n');
        }
        // What is written under a quotation is not of it.
        quoted.push('\n');
        Some(quoted)
    }
}
