//! What can be done with contacts, rooms, messages and files, and the menus that offer it.

use std::path::PathBuf;

use wharf_client::chat::Window;
use wharf_types::api::contact::{ContactState, EditContact, Status};
use wharf_types::api::log::{Body, Draft, File, Pin, Reaction, Recall};
use wharf_types::api::room::{CreateRoom, EditPreferences, Notify, Role, RoomKind};
use wharf_types::api::search::Hit;
use wharf_types::{AccountId, RoomId};

use crate::tui::composer::Composer;
use crate::tui::effect::Effect;
use crate::tui::model::{Model, MovingState, Panel, status_name, text_of};
use crate::tui::overlay::{Act, Ask, Asking, Menu, Overlay, position_of};

/// Reactions that are one key away.
const REACTIONS: [&str; 8] = ["👍", "❤", "😂", "🎉", "😮", "😢", "✅", "👀"];

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

    fn react(&mut self, position: u64, emoji: String) -> Vec<Effect> {
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

    // --- questions

    fn ask(&mut self, what: Asking) {
        let mut line = Composer::default();
        let (title, hint) = match &what {
            Asking::Contact => (
                "Add a contact",
                "A six-digit number, a username or an e-mail address. They see your request and answer it. After the name you may say something: ada Hello, it is me.",
            ),
            Asking::Room => (
                "Make a room",
                "Its name. You are its owner; invite people with m in the list.",
            ),
            Asking::Remark(account) => {
                let remark = self
                    .contact(*account)
                    .map(|view| view.contact.remark.clone());
                line.set(remark.unwrap_or_default());
                (
                    "Your name for them",
                    "Only you see it. Nothing: the name that they chose.",
                )
            }
            Asking::Group(_) => ("A new group of contacts", "Its name."),
            Asking::Paths(_) => (
                "Hand over files",
                "Paths, each in quotes where it has spaces. Dropping files onto the terminal writes them here.",
            ),
            Asking::Folder(_, file) => {
                line.set(
                    self.downloads
                        .join(file_name(&file.name))
                        .display()
                        .to_string(),
                );
                (
                    "Fetch the file to",
                    "A file that is there already is not touched: the new one gets a number.",
                )
            }
            Asking::Reaction(_) => ("React", "An emoji, or a short word."),
        };
        self.overlay = Some(Overlay::Ask(Box::new(Ask {
            title: title.to_owned(),
            hint: hint.to_owned(),
            line,
            what,
        })));
    }

    /// The line was answered.
    pub(super) fn answered(&mut self, ask: Ask) -> Vec<Effect> {
        let answer = ask.line.text().trim().to_owned();
        if answer.is_empty() && !matches!(ask.what, Asking::Remark(_)) {
            return Vec::new();
        }
        match ask.what {
            Asking::Contact => {
                let (who, word) = answer
                    .split_once(char::is_whitespace)
                    .unwrap_or((&answer, ""));
                vec![Effect::Ask {
                    who: who.to_owned(),
                    word: word.trim().to_owned(),
                }]
            }
            Asking::Room => vec![Effect::MakeRoom(CreateRoom {
                name: answer,
                ..CreateRoom::default()
            })],
            Asking::Remark(account) => vec![Effect::EditContact(
                account,
                EditContact {
                    remark: Some(answer),
                    ..EditContact::default()
                },
            )],
            Asking::Group(with) => vec![Effect::MakeGroup { name: answer, with }],
            Asking::Paths(room) => {
                let reply_to = match self.open.as_ref().map(|open| open.desk.about) {
                    Some(crate::tui::model::About::Reply(position)) => Some(position),
                    _ => None,
                };
                if reply_to.is_some() {
                    self.stop_about();
                }
                vec![Effect::HandOver {
                    room,
                    paths: paths_in(&answer),
                    text: String::new(),
                    reply_to,
                }]
            }
            Asking::Folder(room, file) => vec![Effect::Fetch {
                room,
                file: *file,
                to: PathBuf::from(answer),
            }],
            Asking::Reaction(position) => self.react(position, answer),
        }
    }

    // --- menus

    fn menu(&self, act: &Act) -> Option<Menu> {
        let (title, items) = match act {
            Act::ContactMenu(account) => self.contact_menu(*account)?,
            Act::RoomMenu(room) => self.room_menu(*room)?,
            Act::GroupMenu(account) => self.group_menu(*account),
            Act::InviteMenu(room) => self.invite_menu(*room),
            Act::InvitationMenu(room) => {
                let invitation = self
                    .invitations
                    .iter()
                    .find(|invitation| invitation.room == *room)?;
                (
                    format!(
                        "{} invites you into {}",
                        invitation.by.nickname, invitation.name
                    ),
                    vec![
                        item("Enter the room", Act::AnswerRoom(*room, true)),
                        item("Decline", Act::AnswerRoom(*room, false)),
                    ],
                )
            }
            Act::StatusMenu => {
                let statuses = [
                    Status::Online,
                    Status::Away,
                    Status::Busy,
                    Status::Invisible,
                ];
                let items = statuses.map(|status| item(status_name(status), Act::Status(status)));
                ("Show yourself as".to_owned(), items.into())
            }
            Act::NewMenu => (
                "New".to_owned(),
                vec![
                    item("Add a contact", Act::Ask(Asking::Contact)),
                    item("Make a room", Act::Ask(Asking::Room)),
                ],
            ),
            Act::MessageMenu(position) => self.message_menu(*position)?,
            Act::ReactionMenu(position) => {
                let mut items: Vec<_> = REACTIONS
                    .iter()
                    .map(|emoji| item(*emoji, Act::React(*position, (*emoji).to_owned())))
                    .collect();
                items.push(item(
                    "Something else…",
                    Act::Ask(Asking::Reaction(*position)),
                ));
                ("React".to_owned(), items)
            }
            _ => return None,
        };
        Some(Menu {
            title,
            items,
            selected: 0,
        })
    }

    fn contact_menu(&self, account: AccountId) -> Option<(String, Vec<(String, Act)>)> {
        let view = self.contact(account)?;
        let contact = &view.contact;
        let block = |is_blocked| EditContact {
            is_blocked: Some(is_blocked),
            ..EditContact::default()
        };
        let mut items = Vec::new();
        match contact.state {
            ContactState::Asking => {
                items.push(item("Accept", Act::Answer(account, true)));
                items.push(item("Decline", Act::Answer(account, false)));
            }
            ContactState::Contact => {
                items.push(item("Open the chat", Act::OpenContact(account)));
                items.push(item(
                    "Your name for them…",
                    Act::Ask(Asking::Remark(account)),
                ));
                items.push(item("Put into a group…", Act::GroupMenu(account)));
                items.push(item(
                    "Remove from your contacts",
                    Act::RemoveContact(account),
                ));
            }
            ContactState::Asked => {
                items.push(item("Take the request back", Act::RemoveContact(account)));
            }
            ContactState::Stranger => {}
        }
        items.push(if contact.is_blocked {
            item("Unblock", Act::EditContact(account, block(false)))
        } else {
            item("Block", Act::EditContact(account, block(true)))
        });
        if contact.room.is_none_or(|room| self.room(room).is_none()) {
            items.retain(|(_, act)| !matches!(act, Act::OpenContact(_)));
        }
        let person = &contact.person;
        let title = format!("{} ({}, {:06})", view.title, person.username, person.number);
        Some((title, items))
    }

    fn group_menu(&self, account: AccountId) -> (String, Vec<(String, Act)>) {
        let into = |group| {
            Act::EditContact(
                account,
                EditContact {
                    group: Some(group),
                    ..EditContact::default()
                },
            )
        };
        let mut items: Vec<_> = self
            .groups
            .iter()
            .map(|group| item(&group.name, into(group.id)))
            .collect();
        let out = EditContact {
            ungroup: true,
            ..EditContact::default()
        };
        items.push(item("No group", Act::EditContact(account, out)));
        items.push(item("A new group…", Act::Ask(Asking::Group(account))));
        (format!("Put {} into", self.name(account)), items)
    }

    fn room_menu(&self, id: RoomId) -> Option<(String, Vec<(String, Act)>)> {
        let view = self.room(id)?;
        let (room, set) = (&view.room, &view.room.preferences);
        let prefer = |edit: EditPreferences| Act::Prefer(id, edit);
        let mut items = vec![item("Open", Act::OpenRoom(id))];
        items.push(item(
            if set.is_pinned {
                "Take from the top"
            } else {
                "Keep at the top"
            },
            prefer(EditPreferences {
                is_pinned: Some(!set.is_pinned),
                ..EditPreferences::default()
            }),
        ));
        for (notify, words) in [
            (Notify::All, "Tell everything"),
            (Notify::Mentions, "Tell mentions only"),
            (Notify::Nothing, "Tell nothing"),
        ] {
            if notify != set.notify {
                items.push(item(
                    words,
                    prefer(EditPreferences {
                        notify: Some(notify),
                        ..EditPreferences::default()
                    }),
                ));
            }
        }
        items.push(item(
            if set.is_marked {
                "Mark as read"
            } else {
                "Mark as unread"
            },
            prefer(EditPreferences {
                is_marked: Some(!set.is_marked),
                ..EditPreferences::default()
            }),
        ));
        items.push(item(
            if set.is_hidden {
                "Show in the list"
            } else {
                "Hide until there is something new"
            },
            prefer(EditPreferences {
                is_hidden: Some(!set.is_hidden),
                ..EditPreferences::default()
            }),
        ));
        if room.kind == RoomKind::Group {
            if room.role == Role::Owner {
                items.push(item("Invite a contact…", Act::InviteMenu(id)));
            } else {
                items.push(item("Leave the room", Act::Leave(id)));
            }
        }
        if let Some(peer) = &room.peer {
            items.push(item("The contact…", Act::ContactMenu(peer.id)));
        }
        Some((view.title.clone(), items))
    }

    fn invite_menu(&self, room: RoomId) -> (String, Vec<(String, Act)>) {
        let inside: Vec<AccountId> = self
            .open
            .iter()
            .filter(|open| open.room == room)
            .flat_map(crate::tui::model::Conversation::present)
            .map(|member| member.person.id)
            .collect();
        let mut items: Vec<_> = self
            .contacts
            .iter()
            .filter(|view| view.contact.state == ContactState::Contact && !view.contact.is_blocked)
            .map(|view| (view.title.as_str(), view.contact.person.id))
            .filter(|(_, account)| !inside.contains(account))
            .map(|(title, account)| item(title, Act::Invite(room, account)))
            .collect();
        if items.is_empty() {
            items.push(item("All your contacts are here", Act::Close));
        }
        ("Invite".to_owned(), items)
    }

    fn message_menu(&self, position: u64) -> Option<(String, Vec<(String, Act)>)> {
        let open = self.open.as_ref()?;
        let entry = open.entry(position)?;
        let is_said = matches!(entry.body, Some(Body::Text(_) | Body::File(_)))
            && entry.state.recalled.is_none();
        let mut items = Vec::new();
        if is_said {
            items.push(item("Reply", Act::Reply(position)));
            items.push(item("React…", Act::ReactionMenu(position)));
            if entry.account == Some(self.me) {
                items.push(item("Change", Act::Edit(position)));
            }
            let is_owner = self
                .room(open.room)
                .is_some_and(|view| view.room.role == Role::Owner);
            if entry.account == Some(self.me) || is_owner {
                items.push(item("Recall", Act::Recall(position)));
            }
            let pin = if entry.state.pinned.is_some() {
                "Take the pin away"
            } else {
                "Pin"
            };
            items.push(item(pin, Act::Pin(position)));
            items.push(item("Copy the text", Act::Copy(position)));
            if let Some(file) = self.file_at(position) {
                items.push(item(
                    "Fetch the file…",
                    Act::Download(Box::new(file.clone())),
                ));
                items.push(item("Save to my drive", Act::Save(Box::new(file))));
            }
        }
        items.push(item(
            "Who has read it, what it said before",
            Act::About(position),
        ));
        Some((format!("Message of {}", self.author(entry)), items))
    }
}

fn item(label: impl Into<String>, act: Act) -> (String, Act) {
    (label.into(), act)
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

/// The last part of a name that somebody else chose: it must not lead out of the folder.
fn file_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let plain: String = last.chars().filter(|c| !c.is_control()).collect();
    if plain.is_empty() || plain == "." || plain == ".." {
        "file".to_owned()
    } else {
        plain
    }
}

/// Paths as a shell or a terminal writes them: apart by blanks, with quotes, backslashes, or `file://`.
fn paths_in(line: &str) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    let mut path = String::new();
    let mut quote = None;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            ('\'' | '"', None) => quote = Some(letter),
            (letter, Some(open)) if letter == open => quote = None,
            ('\\', None) => path.extend(letters.next()),
            (letter, None) if letter.is_whitespace() => {
                if !path.is_empty() {
                    paths.push(std::mem::take(&mut path));
                }
            }
            (letter, _) => path.push(letter),
        }
    }
    if !path.is_empty() {
        paths.push(path);
    }
    paths
        .into_iter()
        .map(|path| {
            url::Url::parse(&path)
                .ok()
                .filter(|url| url.scheme() == "file")
                .and_then(|url| url.to_file_path().ok())
                .unwrap_or_else(|| PathBuf::from(path))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{file_name, paths_in};

    #[test]
    fn paths_are_read_as_shells_and_terminals_write_them() {
        let paths = paths_in(r#"a.txt 'b c.txt' "d e" f\ g file:///tmp/h%20i"#);
        let wanted = ["a.txt", "b c.txt", "d e", "f g", "/tmp/h i"];
        assert_eq!(paths, wanted.map(PathBuf::from));
        assert!(paths_in("  ").is_empty());
    }

    #[test]
    fn a_name_cannot_lead_out_of_the_folder() {
        assert_eq!(file_name("../../etc/passwd"), "passwd");
        assert_eq!(file_name(".."), "file");
        assert_eq!(file_name("a\u{1b}b"), "ab");
    }
}
