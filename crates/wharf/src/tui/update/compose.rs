//! Writing: sending, mentioning, changing what was said.

use wharf_types::api::log::{Body, Draft, Edit, Text};
use wharf_types::api::room::{EditPreferences, RoomKind};
use wharf_types::limit::ENTRY_TEXT_BYTES_MAX;

use crate::format;
use crate::mention::mentions;
use crate::tui::effect::Effect;
use crate::tui::model::{About, Focus, Model, Scroll, Spot, text_of};

/// Between two words that the person types.
const TYPING_EVERY_MS: i64 = 3_000;
/// What mentions everybody.
const EVERYBODY: [&str; 2] = ["all", "everybody"];

impl Model {
    /// Sends what is written.
    pub(super) fn send(&mut self) -> Vec<Effect> {
        let kind = self.open_room().map(|view| view.room.kind);
        let can_write = self.open_room().is_some_and(|view| view.room.can_write);
        let Some(open) = &mut self.open else {
            return Vec::new();
        };
        let bytes = open.desk.composer.text().len();
        if !can_write || open.desk.composer.text().trim().is_empty() {
            return Vec::new();
        }
        if bytes > ENTRY_TEXT_BYTES_MAX {
            let most = format::bytes(ENTRY_TEXT_BYTES_MAX as u64);
            self.complain(format!(
                "That is {}; a message has {most} at most. Hand it over as a file.",
                format::bytes(bytes as u64)
            ));
            return Vec::new();
        }
        let text = open.desk.composer.take();
        let text = text.trim_end().trim_start_matches('\n').to_owned();
        let members: Vec<_> = open.present().map(|member| &member.person).collect();
        let mut mentions = mentions(&text, &members);
        mentions.everybody &= kind == Some(RoomKind::Group);
        let about = std::mem::take(&mut open.desk.about);
        let room = open.room;
        let draft = match about {
            About::Edit(target) => Draft::Edit(Edit {
                target,
                text,
                mentions,
            }),
            About::New | About::Reply(_) => {
                open.scroll = Scroll::End;
                open.selected = None;
                let reply_to = match about {
                    About::Reply(position) => Some(position),
                    About::New | About::Edit(_) => None,
                };
                Draft::Text(Text {
                    text,
                    reply_to,
                    mentions,
                })
            }
        };
        // The line above what is new has done its work once the person answers.
        if let (Draft::Text(_), Some(last)) = (&draft, open.items.last()) {
            open.read_before = last.entry.position;
        }
        self.typed_ms = 0;
        let mut effects = Vec::new();
        if self.open.as_ref().is_some_and(|open| open.has_newer) {
            effects.push(Effect::Load {
                room,
                window: wharf_client::chat::Window::Last,
                count: super::PAGE,
            });
        }
        effects.push(Effect::Send { room, draft });
        effects.extend(self.forget_draft(room));
        effects
    }

    /// The account's kept draft goes once it was sent.
    fn forget_draft(&mut self, room: wharf_types::RoomId) -> Option<Effect> {
        let view = self.rooms.iter_mut().find(|view| view.room.id == room)?;
        if view.room.preferences.draft.is_empty() {
            return None;
        }
        view.room.preferences.draft.clear();
        Some(Effect::Prefer(
            room,
            EditPreferences {
                draft: Some(String::new()),
                ..EditPreferences::default()
            },
        ))
    }

    /// The text changed: says so to the others, now and then.
    pub(super) fn typed(&mut self) -> Option<Effect> {
        let view = self.open_room()?;
        let (room, kind, can_write) = (view.room.id, view.room.kind, view.room.can_write);
        let open = self.open.as_ref()?;
        let is_telling = can_write && kind != RoomKind::Personal;
        if !is_telling || matches!(open.desk.about, About::Edit(_)) {
            return None;
        }
        if open.desk.composer.is_empty() {
            let was_typing = std::mem::take(&mut self.typed_ms) > 0;
            return was_typing.then_some(Effect::Typing {
                room,
                stopped: true,
            });
        }
        if self.now.ms - self.typed_ms < TYPING_EVERY_MS {
            return None;
        }
        self.typed_ms = self.now.ms;
        Some(Effect::Typing {
            room,
            stopped: false,
        })
    }

    /// Completes a mention before the cursor; `false` where there is none to complete.
    pub(super) fn complete(&mut self) -> bool {
        let me = self.me;
        let Some(open) = &mut self.open else {
            return false;
        };
        let (start, word) = open.desk.composer.word_before();
        let Some(begun) = word.strip_prefix('@') else {
            return false;
        };
        let begun = begun.to_lowercase();
        let names = open
            .present()
            .filter(|member| member.person.id != me)
            .map(|member| (&member.person.username, &member.person.nickname));
        let found = names
            .filter(|(username, nickname)| {
                username.to_lowercase().starts_with(&begun)
                    || nickname.to_lowercase().starts_with(&begun)
            })
            .map(|(username, _)| username.clone())
            .min();
        let found = found.or_else(|| {
            EVERYBODY
                .iter()
                .find(|name| name.starts_with(&begun))
                .map(|name| (*name).to_owned())
        });
        if let Some(found) = found {
            open.desk
                .composer
                .replace_from(start, &format!("@{found} "));
        }
        true
    }

    /// Begins to answer an entry.
    pub(super) fn begin_reply(&mut self, position: u64) {
        if let Some(open) = &mut self.open {
            open.desk.about = About::Reply(position);
        }
        self.focus = Focus::Composer;
    }

    /// Begins to change an own entry.
    pub(super) fn begin_edit(&mut self, position: u64) {
        let me = self.me;
        let Some(open) = &mut self.open else { return };
        let Some(entry) = open.entry(position) else {
            return;
        };
        if entry.account != Some(me) {
            self.complain("Only what you said yourself can be changed.");
            return;
        }
        let Some(text) = text_of(entry).map(str::to_owned) else {
            self.complain("There is no text to change.");
            return;
        };
        open.desk.composer.set(text);
        open.desk.about = About::Edit(position);
        self.focus = Focus::Composer;
    }

    /// Begins to change what this person said last.
    pub(super) fn edit_last(&mut self) {
        let me = self.me;
        let last = self.open.as_ref().and_then(|open| {
            open.items
                .iter()
                .rev()
                .map(|item| &item.entry)
                .find(|entry| {
                    entry.account == Some(me)
                        && entry.state.recalled.is_none()
                        && matches!(entry.body, Some(Body::Text(_)))
                })
                .map(|entry| entry.position)
        });
        if let Some(position) = last {
            self.begin_edit(position);
            self.select(Spot::Entry(position));
        }
    }

    /// Takes back what the written text was to be; `false` where it is simply new.
    pub(super) fn stop_about(&mut self) -> bool {
        let Some(open) = &mut self.open else {
            return false;
        };
        match std::mem::take(&mut open.desk.about) {
            About::New => false,
            About::Reply(_) => true,
            About::Edit(_) => {
                open.desk.composer.set("");
                true
            }
        }
    }
}
