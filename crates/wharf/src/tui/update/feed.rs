//! What the chat tells.

use wharf_client::chat::{Timeline, TimelineItem, Window};
use wharf_types::api::contact::Status;
use wharf_types::api::log::{Body, Entry, EntryHistory};
use wharf_types::api::room::Notify;
use wharf_types::{AccountId, RoomId};

use super::PAGE;
use crate::entry::is_told_already;
use crate::tui::effect::{Effect, Feed};
use crate::tui::layout;
use crate::tui::list::ListKey;
use crate::tui::markdown;
use crate::tui::model::{Model, Scroll, Spot, TYPING_MS, Tab, mentions, text_of};
use crate::tui::overlay::{Act, Overlay};
use crate::tui::text::{Piece, Row, fit, wrap};

impl Model {
    /// Takes in something that was told.
    pub(crate) fn feed(&mut self, feed: Feed) -> Vec<Effect> {
        let mut effects = match feed {
            Feed::Timeline(room, window, mut timeline) => {
                if let Some(view) = self.room(room) {
                    let kind = view.room.kind;
                    timeline
                        .items
                        .retain(|item| !is_told_already(kind, &item.entry));
                }
                self.timeline(room, window, timeline)
            }
            Feed::Older(room, result) => self.older(room, result),
            Feed::AtTime(room, position) => self.at_time(room, position),
            Feed::Reached(room, position, result) => self.reached(room, position, result),
            Feed::Said(room, entry) => self.said(room, &entry),
            Feed::Rooms(rooms) => {
                self.rooms = rooms;
                self.rooms_changed()
            }
            Feed::Joined(room) => self.open_room_at(room, Window::Last),
            other => {
                self.note(other);
                Vec::new()
            }
        };
        effects.extend(self.settle());
        effects
    }

    /// What only has to be remembered.
    fn note(&mut self, feed: Feed) {
        match feed {
            Feed::Link(link) => self.link = link,
            Feed::Contacts(view) => {
                for item in &view.items {
                    let person = item.contact.person.clone();
                    self.people.insert(person.id, person);
                    if let Some(presence) = &item.presence {
                        self.presence.insert(presence.account, presence.clone());
                    }
                }
                self.contacts = view.items;
                self.groups = view.groups;
                self.show_list_selection();
            }
            Feed::Invitations(invitations) => self.invitations = invitations,
            Feed::Presence(items) => {
                for presence in items {
                    self.presence.insert(presence.account, presence);
                }
                self.show_list_selection();
            }
            Feed::Typing(room, accounts) => self.typing_in(room, accounts),
            Feed::People(people) => {
                self.people
                    .extend(people.into_iter().map(|person| (person.id, person)));
            }
            Feed::Found(finds) => {
                if let Some(Overlay::Find(find)) = &mut self.overlay {
                    find.finds = finds;
                    find.selected = 0;
                    find.is_waiting = false;
                }
            }
            Feed::History(room, history) => self.show_history(room, &history),
            Feed::Moving(moving) => self.moving = moving,
            Feed::Done(text) => self.tell(text),
            Feed::Failed(text) => self.complain(text),
            Feed::Members(room, members) => {
                let people = members
                    .iter()
                    .map(|member| (member.person.id, member.person.clone()));
                self.people.extend(people);
                if let Some(open) = self.open.as_mut().filter(|open| open.room == room) {
                    open.members = members;
                }
            }
            Feed::Cursors(room, read) => {
                if let Some(open) = self.open.as_mut().filter(|open| open.room == room) {
                    open.read = read.into_iter().collect();
                }
            }
            Feed::Files(room, files) => {
                if let Some(open) = self.open.as_mut().filter(|open| open.room == room) {
                    open.files = files;
                }
            }
            Feed::Rooms(_)
            | Feed::Timeline(..)
            | Feed::Older(..)
            | Feed::AtTime(..)
            | Feed::Reached(..)
            | Feed::Said(..)
            | Feed::Joined(_)
            | Feed::Nothing => {}
        }
    }

    fn typing_in(&mut self, room: RoomId, accounts: Vec<AccountId>) {
        self.typing.retain(|(at, _), _| *at != room);
        let until = self.now.ms + TYPING_MS;
        for account in accounts {
            if account != self.me {
                self.typing.insert((room, account), until);
            }
        }
    }

    fn rooms_changed(&mut self) -> Vec<Effect> {
        for view in &self.rooms {
            if let Some(peer) = &view.room.peer {
                self.people.insert(peer.id, peer.clone());
            }
        }
        let is_gone = self
            .open
            .as_ref()
            .is_some_and(|open| self.room(open.room).is_none());
        let mut effects = Vec::new();
        if is_gone {
            self.complain("You are no member of that room any more.");
            effects.extend(self.close_room());
        }
        if self.list.selected.is_none() && self.tab == Tab::Chats {
            self.list.selected = self.rooms.first().map(|view| ListKey::Room(view.room.id));
        }
        // Where the list moved under the selection, the selection stays what it is.
        self.show_list_selection();
        effects
    }

    fn timeline(&mut self, room: RoomId, window: Window, timeline: Timeline) -> Vec<Effect> {
        let area = layout::areas(self).timeline;
        let anchor = match (&self.open, window) {
            (Some(open), Window::Before(_)) if open.scroll != Scroll::End => {
                layout::scene(self, area).and_then(|scene| scene.anchor(usize::from(area.height)))
            }
            _ => None,
        };
        let (me, is_looked_at) = (self.me, self.is_looked_at);
        let Some(open) = self.open.as_mut().filter(|open| open.room == room) else {
            return Vec::new();
        };
        // What comes while somebody looks at the end is not new to them.
        let is_watched = is_looked_at
            && open.scroll == Scroll::End
            && !open.items.is_empty()
            && open.first_new(me).is_none();
        open.is_fetching = false;
        let mut effects = Vec::new();
        // Somebody came, went or has another role: the members are others now.
        let last_change = last_member_change(&open.items);
        match window {
            Window::Last | Window::Around(_) => {
                open.items = timeline.items;
                open.has_older = timeline.has_older;
                open.has_newer = timeline.has_newer;
                open.waiting = timeline.waiting;
            }
            Window::Before(position) => {
                open.items.retain(|item| item.entry.position >= position);
                let is_bare = timeline.items.is_empty();
                let mut items = timeline.items;
                items.append(&mut open.items);
                open.items = items;
                open.has_older = timeline.has_older;
                if is_bare {
                    // Nothing here, and nothing there when it was asked for: that is the beginning.
                    let is_new = timeline.needs_fetch && open.fetched_before != Some(position);
                    open.has_older = is_new;
                    open.is_fetching = is_new;
                    if is_new {
                        open.fetched_before = Some(position);
                        effects.push(Effect::FetchOlder(room));
                    }
                }
            }
            Window::After(position) => {
                open.items.retain(|item| item.entry.position <= position);
                open.items.extend(timeline.items);
                open.has_newer = timeline.has_newer;
                if !timeline.has_newer {
                    open.waiting = timeline.waiting;
                }
            }
        }
        if let (true, Some(last)) = (is_watched, open.items.last()) {
            open.read_before = open.read_before.max(last.entry.position);
        }
        if last_member_change(&open.items) > last_change {
            effects.push(Effect::Members(room));
        }
        if let Window::Around(position) = window {
            effects.extend(self.show_around(room, position));
        }
        // The first item lost its day and perhaps its name to those before it; the screen stays where it was.
        let scroll = layout::scene(self, area)
            .zip(anchor)
            .map(|(scene, anchor)| scene.anchored(anchor));
        if let (Some(open), Some(scroll)) = (&mut self.open, scroll) {
            open.scroll = scroll;
        }
        effects
    }

    /// Shows the entry that was asked for. What is older than all that is here is fetched first, once.
    fn show_around(&mut self, room: RoomId, position: u64) -> Option<Effect> {
        let open = self.open.as_mut()?;
        let first = open.items.first().map(|item| item.entry.position);
        if first.is_some_and(|first| position < first) && open.fetched_before != first {
            open.fetched_before = first;
            open.is_fetching = true;
            self.tell("Fetching what was said then…");
            return Some(Effect::FetchTo { room, position });
        }
        // What is no item of its own, such as an edit, is shown by what comes after it.
        let shown = open
            .items
            .iter()
            .find(|item| item.entry.position >= position)
            .or(open.items.last());
        let spot = shown.map(|item| Spot::Entry(item.entry.position))?;
        self.select(spot);
        None
    }

    /// What a day begins with is known: it is shown.
    fn at_time(&mut self, room: RoomId, position: Option<u64>) -> Vec<Effect> {
        if self.open.as_ref().is_none_or(|open| open.room != room) {
            return Vec::new();
        }
        if let Some(position) = position {
            return self.act(Act::OpenAt(room, Window::Around(position)));
        }
        self.tell("Nothing was said on that day or after it.");
        self.go_end()
    }

    /// What was to be shown is here.
    fn reached(&mut self, room: RoomId, position: u64, result: Result<(), String>) -> Vec<Effect> {
        let Some(open) = self.open.as_mut().filter(|open| open.room == room) else {
            return Vec::new();
        };
        open.is_fetching = false;
        if let Err(problem) = result {
            open.fetched_before = None;
            self.complain(problem);
            return Vec::new();
        }
        self.told = None;
        self.act(Act::OpenAt(room, Window::Around(position)))
    }

    fn older(&mut self, room: RoomId, result: Result<(), String>) -> Vec<Effect> {
        let Some(open) = self.open.as_mut().filter(|open| open.room == room) else {
            return Vec::new();
        };
        match (result, open.items.first()) {
            (Ok(()), Some(first)) => vec![Effect::Load {
                room,
                window: Window::Before(first.entry.position),
                count: PAGE,
            }],
            (Ok(()), None) => self.reload().into_iter().collect(),
            (Err(problem), _) => {
                open.is_fetching = false;
                // What cannot be had now is asked for again when the room is opened again.
                open.has_older = false;
                self.complain(problem);
                Vec::new()
            }
        }
    }

    fn said(&mut self, room: RoomId, entry: &Entry) -> Vec<Effect> {
        if let Some(account) = entry.account {
            self.typing.remove(&(room, account));
        }
        let Some(view) = self.room(room) else {
            return Vec::new();
        };
        let is_wanted = match view.room.preferences.notify {
            Notify::All => true,
            Notify::Mentions => mentions(entry, self.me),
            Notify::Nothing => false,
        };
        let is_seen = self.is_looked_at
            && self
                .open
                .as_ref()
                .is_some_and(|open| open.room == room && open.scroll == Scroll::End);
        if entry.account == Some(self.me) || !is_wanted || is_seen || self.status == Status::Busy {
            return Vec::new();
        }
        let author = self.author(entry);
        let title = if author == view.title {
            author
        } else {
            format!("{author} in {}", view.title)
        };
        let text = match (&entry.body, text_of(entry)) {
            (Some(Body::File(file)), Some("")) => format!("file {}", file.name),
            (_, text) => text.unwrap_or_default().to_owned(),
        };
        vec![Effect::Notify {
            title: fit(&title, 60),
            text: fit(&text, 160),
        }]
    }

    /// Everything about one message on a page.
    fn show_history(&mut self, room: RoomId, history: &EntryHistory) {
        let theme = self.theme;
        let entry = &history.entry;
        let line = |label: &str, words: String| -> Vec<Row> {
            let label = format!("{label:<10}");
            wrap(&[Piece::new(label, theme.dim()), Piece::plain(words)], 72)
        };
        let mut rows = Vec::new();
        rows.extend(line("From", self.author(entry)));
        rows.extend(line("Sent", self.now.full(entry.at_ms)));
        let address = entry
            .origin
            .address
            .as_ref()
            .map_or_else(String::new, |address| format!(" from {address}"));
        rows.extend(line("Door", format!("{}{address}", entry.origin.door)));
        if let Some(Body::File(file)) = &entry.body {
            let size = crate::format::bytes(file.bytes);
            rows.extend(line("File", format!("{} ({size})", file.name)));
        }
        let readers: Vec<String> = history
            .read_by
            .iter()
            .filter(|account| Some(**account) != entry.account)
            .map(|account| self.name(*account))
            .collect();
        let read_by = if readers.is_empty() {
            "nobody yet".to_owned()
        } else {
            readers.join(", ")
        };
        rows.extend(line("Read by", read_by));
        for reaction in &entry.state.reactions {
            let who = self.name(reaction.account);
            rows.extend(line("Reaction", format!("{} {who}", reaction.emoji)));
        }
        rows.push(Row::new());
        match text_of(entry) {
            Some(text) => rows.extend(markdown::rows(text, 72, theme)),
            None => rows.push(vec![Piece::new("recalled", theme.dim())]),
        }
        if !history.edits.is_empty() {
            let first = match &entry.body {
                Some(Body::Text(text)) => text.text.as_str(),
                Some(Body::File(file)) => file.text.as_str(),
                _ => "",
            };
            let before = std::iter::once((entry.at_ms, first)).chain(
                history
                    .edits
                    .iter()
                    .map(|edit| (edit.at_ms, edit.text.as_str())),
            );
            rows.push(Row::new());
            rows.push(vec![Piece::new("What it said before", theme.bold())]);
            for (at_ms, text) in before.take(history.edits.len()) {
                rows.push(vec![Piece::new(self.now.full(at_ms), theme.dim())]);
                rows.extend(markdown::rows(text, 72, theme));
            }
        }
        let room = self
            .room(room)
            .map_or_else(String::new, |view| view.title.clone());
        self.overlay = Some(Overlay::Paper {
            title: format!("Message in {room}"),
            rows,
            offset: 0,
        });
    }
}

/// The last entry that changed who is in the room.
fn last_member_change(items: &[TimelineItem]) -> Option<u64> {
    items
        .iter()
        .rev()
        .find(|item| matches!(item.entry.body, Some(Body::Member(_))))
        .map(|item| item.entry.position)
}
