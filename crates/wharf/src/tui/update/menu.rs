//! The menus that offer what can be done.

use wharf_types::api::contact::{ContactState, EditContact, Status};
use wharf_types::api::log::Body;
use wharf_types::api::room::{EditPreferences, Notify, Role, RoomKind};
use wharf_types::{AccountId, RoomId};

use crate::tui::model::{Model, status_name};
use crate::tui::overlay::{Act, Asking, Menu};

/// Reactions that are one key away.
const REACTIONS: [&str; 8] = ["👍", "❤", "😂", "🎉", "😮", "😢", "✅", "👀"];

impl Model {
    pub(super) fn menu(&self, act: &Act) -> Option<Menu> {
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
            items.push(item("Forward…", Act::Forward(position)));
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
