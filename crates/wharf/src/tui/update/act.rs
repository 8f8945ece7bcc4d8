//! What can be done with contacts, rooms, messages and files, and the menus that offer it.

use wharf_client::chat::Window;
use wharf_types::AccountId;
use wharf_types::api::contact::{ContactState, Status};
use wharf_types::api::log::{Body, Draft, File, Pin, Reaction, Recall};
use wharf_types::api::room::Role;
use wharf_types::api::search::Hit;

use crate::tui::effect::Effect;
use crate::tui::model::{Model, MovingState, Panel, status_name, text_of};
use crate::tui::overlay::{Act, Asking, Overlay, position_of};

impl Model {
    /// Does something that a key or a menu asked for.
    pub(crate) fn act(&mut self, act: Act) -> Vec<Effect> {
        let room = self.open.as_ref().map(|open| open.room);
        match act {
            Act::OpenRoom(room) => self.open_room_at(room, Window::Last),
            Act::OpenAt(room, window) => self.open_room_at(room, window),
            Act::OpenContact(account) => self.open_contact(account),
            Act::Status(status) => {
                self.status = status;
                self.tell(format!("You are shown as {}.", shown_as(status)));
                vec![Effect::Status(status)]
            }
            Act::Prefer(room, edit) => vec![Effect::Prefer(room, edit)],
            Act::Answer(account, accepts) => vec![Effect::Answer(account, accepts)],
            Act::AnswerRoom(room, accepts) => vec![Effect::AnswerRoom(room, accepts)],
            Act::EditContact(account, edit) => vec![Effect::EditContact(account, edit)],
            Act::RemoveContact(account) => vec![Effect::RemoveContact(account)],
            Act::Invite(room, account) => vec![Effect::Invite { room, account }],
            Act::Leave(room) => vec![Effect::Leave(room)],
            Act::Retry(id) => vec![Effect::Retry(id)],
            Act::Discard(id) => vec![Effect::Discard(id)],
            Act::Close => Vec::new(),
            Act::Reply(position) => {
                self.begin_reply(position);
                Vec::new()
            }
            Act::Edit(position) => {
                self.begin_edit(position);
                Vec::new()
            }
            Act::Recall(position) => self.recall(position),
            Act::React(position, emoji) => self.react(position, emoji),
            Act::Pin(position) => self.pin(position),
            Act::Copy(position) => self.copy(position),
            Act::Forward(position) => {
                self.choose_receiver(position);
                Vec::new()
            }
            Act::ForwardTo(position, to) => self.forward(position, to),
            Act::About(position) => {
                room.map_or_else(Vec::new, |room| vec![Effect::History { room, position }])
            }
            Act::Download(file) => room.map_or_else(Vec::new, |room| {
                self.ask(Asking::Folder(room, file));
                Vec::new()
            }),
            Act::Save(file) => room.map_or_else(Vec::new, |room| {
                vec![Effect::Save {
                    room,
                    node: file.node,
                    revision: file.revision,
                    name: file.name.clone(),
                }]
            }),
            Act::Ask(asking) => {
                self.ask(asking);
                Vec::new()
            }
            menu => {
                self.overlay = self.menu(&menu).map(Overlay::Menu);
                Vec::new()
            }
        }
    }

    fn open_contact(&mut self, account: AccountId) -> Vec<Effect> {
        let Some(contact) = self.contact(account).map(|view| view.contact.clone()) else {
            return Vec::new();
        };
        let room = contact.room.filter(|room| self.room(*room).is_some());
        match (contact.state, room) {
            (ContactState::Contact, Some(room)) => self.open_room_at(room, Window::Last),
            _ => self.act(Act::ContactMenu(account)),
        }
    }

    // --- messages

    fn recall(&mut self, position: u64) -> Vec<Effect> {
        let Some(open) = &self.open else {
            return Vec::new();
        };
        let Some(entry) = open.entry(position) else {
            return Vec::new();
        };
        let is_owner = self
            .room(open.room)
            .is_some_and(|view| view.room.role == Role::Owner);
        if entry.account != Some(self.me) && !is_owner {
            self.complain("Only what you said yourself can be recalled.");
            return Vec::new();
        }
        if entry.state.recalled.is_some() {
            return Vec::new();
        }
        let (room, draft) = (open.room, Draft::Recall(Recall { target: position }));
        vec![Effect::Send { room, draft }]
    }

    pub(super) fn react(&mut self, position: u64, emoji: String) -> Vec<Effect> {
        let me = self.me;
        let Some(open) = &self.open else {
            return Vec::new();
        };
        let is_set = open.entry(position).is_some_and(|entry| {
            let mut own = entry
                .state
                .reactions
                .iter()
                .filter(|reaction| reaction.account == me);
            own.any(|reaction| reaction.emoji == emoji)
        });
        let draft = Draft::Reaction(Reaction {
            target: position,
            emoji,
            is_set: !is_set,
        });
        vec![Effect::Send {
            room: open.room,
            draft,
        }]
    }

    fn pin(&mut self, position: u64) -> Vec<Effect> {
        let Some(open) = &self.open else {
            return Vec::new();
        };
        let is_pinned = open
            .entry(position)
            .is_some_and(|entry| entry.state.pinned.is_some());
        let draft = Draft::Pin(Pin {
            target: position,
            is_set: !is_pinned,
        });
        vec![Effect::Send {
            room: open.room,
            draft,
        }]
    }

    fn copy(&mut self, position: u64) -> Vec<Effect> {
        let text = self
            .open
            .as_ref()
            .and_then(|open| open.entry(position))
            .and_then(text_of)
            .map(str::to_owned);
        match text {
            Some(text) => {
                self.tell("Copied, where the terminal lets programs do that.");
                vec![Effect::Copy(text)]
            }
            None => Vec::new(),
        }
    }

    /// The file that an entry hands over.
    pub(super) fn file_at(&self, position: u64) -> Option<File> {
        let entry = self.open.as_ref()?.entry(position)?;
        match &entry.body {
            Some(Body::File(file)) if entry.state.recalled.is_none() => Some(file.clone()),
            _ => None,
        }
    }

    /// Shows what a search found.
    pub(super) fn open_hit(&mut self, hit: &Hit) -> Vec<Effect> {
        if let Some(position) = position_of(hit) {
            return self.open_room_at(hit.room, Window::Around(position));
        }
        let mut effects = self.open_room_at(hit.room, Window::Last);
        self.panel = Some(Panel::Files { selected: 0 });
        effects.push(Effect::Files(hit.room));
        effects
    }

    // --- the panel

    /// How many items the panel shows.
    pub(super) fn panel_count(&self) -> usize {
        let Some(open) = &self.open else { return 0 };
        match self.panel {
            Some(Panel::Files { .. }) => handovers(open).count() + open.files.len(),
            Some(Panel::Members { .. }) => open.present().count(),
            None => 0,
        }
    }

    /// A key on the panel's selected item.
    pub(super) fn on_panel(&mut self, letter: char) -> Vec<Effect> {
        let Some(open) = &self.open else {
            return Vec::new();
        };
        let act = match self.panel {
            Some(Panel::Members { selected }) => open
                .present()
                .nth(selected)
                .filter(|member| member.person.id != self.me)
                .map(|member| Act::OpenContact(member.person.id)),
            Some(Panel::Files { selected }) => {
                let going_up = handovers(open).count();
                match selected.checked_sub(going_up) {
                    None => handovers(open)
                        .nth(selected)
                        .filter(|_| letter == 'x')
                        .map(Act::Discard),
                    Some(index) => open.files.get(index).and_then(|entry| {
                        let file = match &entry.body {
                            Some(Body::File(file)) if entry.state.recalled.is_none() => file,
                            _ => return None,
                        };
                        match letter {
                            'o' => Some(Act::Download(Box::new(file.clone()))),
                            's' => Some(Act::Save(Box::new(file.clone()))),
                            'g' => Some(Act::OpenAt(open.room, Window::Around(entry.position))),
                            _ => None,
                        }
                    }),
                }
            }
            None => None,
        };
        if letter == 'x' && act.is_none() {
            return self.stop_fetch();
        }
        if letter == 'g' && act.is_some() {
            self.close_panel();
        }
        act.map_or_else(Vec::new, |act| self.act(act))
    }

    /// Stops the fetch of the file that is selected in the panel.
    fn stop_fetch(&mut self) -> Vec<Effect> {
        let (Some(open), Some(Panel::Files { selected })) = (&self.open, &self.panel) else {
            return Vec::new();
        };
        let entry = selected
            .checked_sub(handovers(open).count())
            .and_then(|index| open.files.get(index));
        let node = match entry.and_then(|entry| entry.body.as_ref()) {
            Some(Body::File(file)) => file.node,
            _ => return Vec::new(),
        };
        self.moving
            .iter()
            .filter(|moving| moving.node == node && moving.state == MovingState::Running)
            .map(|moving| Effect::StopFetch(moving.id))
            .collect()
    }
}

fn shown_as(status: Status) -> &'static str {
    match status {
        Status::Invisible => "offline",
        status => status_name(status),
    }
}

/// Files that are going up, by their numbers.
fn handovers(open: &crate::tui::model::Conversation) -> impl Iterator<Item = i64> {
    open.waiting
        .iter()
        .filter(|waiting| matches!(waiting.what, wharf_client::chat::WaitingKind::Handover(_)))
        .map(|waiting| waiting.id)
}
