//! How the model changes: by keys, the mouse, pasted text, time, and by what the chat tells.

mod act;
mod ask;
mod compose;
mod feed;
mod forward;
mod keys;
mod list_keys;
mod menu;
mod mouse;
mod overlay_keys;
mod timeline_keys;

use wharf_client::chat::Window;
use wharf_types::RoomId;
use wharf_types::api::room::EditPreferences;

use super::effect::Effect;
use super::layout;
use super::list::{self, ListKey};
use super::model::{Conversation, Focus, Model, Panel, Scroll, Spot, Tab};

/// Entries that are read when a room is opened.
pub(crate) const PAGE: usize = 100;
/// Most entries that stay when the end of the log is looked at.
const KEPT_AT_END: usize = 300;

impl Model {
    /// Lets time pass.
    pub(crate) fn tick(&mut self, now_ms: i64) -> Vec<Effect> {
        self.now.ms = now_ms;
        self.typing.retain(|_, until| *until > now_ms);
        if self
            .told
            .as_ref()
            .is_some_and(|told| told.until_ms <= now_ms)
        {
            self.told = None;
        }
        Vec::new()
    }

    /// The terminal has another size.
    pub(crate) fn resize(&mut self, columns: u16, rows: u16) -> Vec<Effect> {
        self.size = (columns, rows);
        self.show_list_selection();
        self.settle()
    }

    /// The terminal has the person's attention, or lost it.
    pub(crate) fn attention(&mut self, is_looked_at: bool) -> Vec<Effect> {
        self.is_looked_at = is_looked_at;
        self.settle()
    }

    /// What follows from whatever happened: what is seen is read, and whoever is shown is watched.
    fn settle(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        effects.extend(self.mark_read());
        effects.extend(self.fill());
        let wanted = self.to_watch();
        if wanted != self.watched {
            self.watched.clone_from(&wanted);
            effects.push(Effect::Watch(wanted));
        }
        effects
    }

    /// Reading means: the end of the conversation is on the screen of somebody who looks at it.
    fn mark_read(&mut self) -> Option<Effect> {
        let areas = layout::areas(self);
        let open = self.open.as_ref()?;
        let is_seen = self.is_looked_at && !open.has_newer && areas.timeline.height > 0;
        let room = self.room(open.room)?;
        let position = open.items.last()?.entry.position;
        if !is_seen || !layout::seen(self, areas.timeline).is_end {
            return None;
        }
        let room_id = open.room;
        if position > room.room.read {
            // The list shows it at once; the chat says the same in a moment.
            if let Some(view) = self.rooms.iter_mut().find(|view| view.room.id == room_id) {
                view.room.read = position;
                view.room.unread = 0;
                view.room.mentions = 0;
            }
            return Some(Effect::Read {
                room: room_id,
                position,
            });
        }
        None
    }

    /// Asks for more where the screen shows the first or last item that is here.
    fn fill(&mut self) -> Option<Effect> {
        let areas = layout::areas(self);
        let seen = layout::seen(self, areas.timeline);
        let height = usize::from(areas.timeline.height);
        let open = self.open.as_mut()?;
        if open.is_fetching || height == 0 || open.items.is_empty() {
            return None;
        }
        let first = open.items.first()?.entry.position;
        let last = open.items.last()?.entry.position;
        let shows_first = seen.rows.len() < height
            || seen.rows.first().map(|(spot, _)| *spot) == Some(Spot::Entry(first));
        let window = if shows_first && open.has_older {
            Window::Before(first)
        } else if seen.is_end && open.has_newer {
            Window::After(last)
        } else {
            return None;
        };
        open.is_fetching = true;
        Some(Effect::Load {
            room: open.room,
            window,
            count: PAGE,
        })
    }

    /// Reads what is shown of the open room again.
    pub(super) fn reload(&self) -> Option<Effect> {
        let open = self.open.as_ref()?;
        let count = open.items.len();
        let (window, count) = match (open.items.first(), open.has_newer) {
            (Some(first), true) => (Window::After(first.entry.position.saturating_sub(1)), count),
            (Some(_), false) if open.scroll == Scroll::End => {
                (Window::Last, (count + PAGE / 2).clamp(PAGE, KEPT_AT_END))
            }
            (Some(_), false) => (Window::Last, count + PAGE / 2),
            (None, _) => (Window::Last, PAGE),
        };
        Some(Effect::Load {
            room: open.room,
            window,
            count,
        })
    }

    /// Opens a room, at its end or elsewhere.
    fn open_room_at(&mut self, room: RoomId, window: Window) -> Vec<Effect> {
        let mut effects = Vec::new();
        let is_open = self.open.as_ref().is_some_and(|open| open.room == room);
        if !is_open {
            effects.extend(self.leave_desk());
            let Some(view) = self.room(room) else {
                self.complain("That room is not in your list.");
                return effects;
            };
            let (read, draft) = (view.room.read, view.room.preferences.draft.clone());
            let mut desk = self.desks.remove(&room).unwrap_or_default();
            if !desk.has_draft && desk.composer.is_empty() {
                desk.composer.set(draft);
            }
            desk.has_draft = true;
            self.open = Some(Conversation::new(room, read, desk));
            effects.push(Effect::Members(room));
            if matches!(self.panel, Some(Panel::Files { .. })) {
                effects.push(Effect::Files(room));
            }
        }
        self.list.selected = Some(ListKey::Room(room));
        self.tab = Tab::Chats;
        self.show_list_selection();
        self.focus = Focus::Composer;
        if let Some(open) = &mut self.open {
            if !is_open || window != Window::Last {
                open.is_fetching = true;
                effects.push(Effect::Load {
                    room,
                    window,
                    count: PAGE,
                });
            } else {
                open.scroll = Scroll::End;
            }
        }
        effects.extend(self.settle());
        effects
    }

    /// Keeps what is being written in the open room, here and with the account.
    fn leave_desk(&mut self) -> Option<Effect> {
        let open = self.open.take()?;
        let draft = match open.desk.about {
            // A change of something said is no draft of something new.
            super::model::About::Edit(_) => String::new(),
            _ => open.desk.composer.text().to_owned(),
        };
        let room = open.room;
        let was_kept = self
            .room(room)
            .map(|view| view.room.preferences.draft.clone());
        self.desks.insert(room, open.desk);
        (was_kept.is_some_and(|kept| kept != draft)).then_some(Effect::Prefer(
            room,
            EditPreferences {
                draft: Some(draft),
                ..EditPreferences::default()
            },
        ))
    }

    /// Closes the conversation.
    fn close_room(&mut self) -> Vec<Effect> {
        let mut effects: Vec<Effect> = self.leave_desk().into_iter().collect();
        self.panel = None;
        self.focus = Focus::List;
        effects.extend(self.settle());
        effects
    }

    /// Scrolls the list so that what is selected is seen.
    fn show_list_selection(&mut self) {
        let rows = list::rows(self);
        let height = usize::from(layout::areas(self).list.height);
        let total: usize = rows.iter().map(|row| row.height).sum();
        let mut top = 0;
        for row in &rows {
            if Some(row.key) == self.list.selected {
                // The heading of a group comes along with its first member.
                let first = if top <= row.height { 0 } else { top };
                self.list.offset = self
                    .list
                    .offset
                    .min(first)
                    .max((top + row.height).saturating_sub(height));
            }
            top += row.height;
        }
        self.list.offset = self.list.offset.min(total.saturating_sub(height));
    }

    /// Selects an item of the timeline and shows it.
    fn select(&mut self, spot: Spot) {
        let area = layout::areas(self).timeline;
        if let Some(open) = &mut self.open {
            open.selected = Some(spot);
        }
        let scroll =
            layout::scene(self, area).map(|scene| scene.showing(usize::from(area.height), spot));
        if let (Some(open), Some(scroll)) = (&mut self.open, scroll) {
            open.scroll = scroll;
        }
    }

    /// Scrolls the conversation; up where `rows` is negative.
    fn scroll(&mut self, rows: isize) -> Vec<Effect> {
        let area = layout::areas(self).timeline;
        let scroll =
            layout::scene(self, area).map(|scene| scene.scrolled(usize::from(area.height), rows));
        if let (Some(open), Some(scroll)) = (&mut self.open, scroll) {
            open.scroll = scroll;
        }
        self.settle()
    }
}
