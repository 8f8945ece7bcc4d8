//! What is known at a seat, and what becomes of what happens.

use std::collections::{BTreeSet, HashMap, HashSet};

use tokio::sync::mpsc::Receiver;
use wharf_types::api::contact::{Contact, ContactState, Presence};
use wharf_types::api::live::ServerFrame;
use wharf_types::api::log::Entry;
use wharf_types::api::room::{AccountItem, Room, RoomKind};
use wharf_types::{AccountId, ContactGroupId, RoomId};
use wharf_wire::gateway::pychat::{Number, Push, item};

use super::line::{Item, Line, Mark};
use super::map;
use super::track::{Offered, Track};

/// A friend, or somebody who asks or was asked to be one.
#[derive(Debug, Clone)]
pub(super) struct Friend {
    pub(super) account: AccountId,
    pub(super) number: Number,
    /// What the seat's person calls them, without what the protocol takes apart.
    pub(super) name: String,
    pub(super) state: ContactState,
    pub(super) is_blocked: bool,
    pub(super) group: Option<ContactGroupId>,
    pub(super) room: Option<RoomId>,
}

/// Whose seat it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Own {
    pub(super) me: Number,
    pub(super) account: AccountId,
    pub(super) home: RoomId,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) friends: HashMap<Number, Friend>,
    pub(super) groups: HashMap<ContactGroupId, u32>,
    pub(super) tracks: HashMap<RoomId, Track>,
    pub(super) online: HashSet<AccountId>,
    /// Who the client believes is online; `None` before it asked.
    pub(super) told_online: Option<HashSet<Number>>,
    pub(super) command: Option<Line>,
    pub(super) sessions: HashMap<Number, Line>,
    /// Rooms whose session is to be given what was not shown.
    pub(super) behind: BTreeSet<RoomId>,
    pub(super) list_version: u64,
    pub(super) next_line: u64,
    pub(super) must_watch: bool,
}

impl Friend {
    /// Whether the client has them in its list: asked people look to it like friends who are away.
    pub(super) fn is_listed(&self) -> bool {
        match self.state {
            ContactState::Contact | ContactState::Asked => !self.is_blocked,
            ContactState::Asking | ContactState::Stranger => false,
        }
    }

    /// Whether their presence is told.
    pub(super) fn is_shown(&self) -> bool {
        self.state == ContactState::Contact && !self.is_blocked
    }
}

impl From<Contact> for Friend {
    fn from(contact: Contact) -> Self {
        let name = if contact.remark.is_empty() {
            &contact.person.nickname
        } else {
            &contact.remark
        };
        Self {
            account: contact.person.id,
            number: Number(contact.person.number),
            name: item(name),
            state: contact.state,
            is_blocked: contact.is_blocked,
            group: contact.group,
            room: contact.room,
        }
    }
}

impl State {
    pub(super) fn new_line(&mut self) -> (Line, Receiver<Item>) {
        self.next_line += 1;
        Line::new(self.next_line)
    }

    /// Takes in what the account's list says.
    pub(super) fn list(&mut self, frame: ServerFrame) {
        let ServerFrame::Account { items, .. } = frame else {
            return;
        };
        for item in items {
            match item {
                AccountItem::Contact(contact) => {
                    let friend = Friend::from(*contact);
                    self.friends.insert(friend.number, friend);
                }
                AccountItem::ContactGone { account } => {
                    self.friends.retain(|_, friend| friend.account != account);
                }
                AccountItem::Group(group) => {
                    self.groups.insert(group.id, group.order);
                }
                AccountItem::GroupGone { group } => {
                    self.groups.remove(&group);
                }
                AccountItem::Room(room) if room.kind == RoomKind::Direct => self.room(&room),
                AccountItem::RoomGone { room } => {
                    self.tracks.remove(&room);
                }
                AccountItem::Room(_)
                | AccountItem::Invitation(_)
                | AccountItem::InvitationGone { .. }
                | AccountItem::Read { .. } => {}
            }
        }
    }

    /// Takes in a direct room.
    fn room(&mut self, room: &Room) {
        let Some(peer) = &room.peer else {
            return;
        };
        let friend = Number(peer.number);
        let after = room.read.max(room.floor);
        let track = || Track::new(room.id, friend, after, room.head);
        self.tracks.entry(room.id).or_insert_with(track);
        if let Some(friend) = self.friends.get_mut(&friend) {
            friend.room = Some(room.id);
        }
    }

    /// What is known of the room with a friend.
    pub(super) fn track_with(&mut self, friend: Number) -> Option<&mut Track> {
        let room = self.friends.get(&friend)?.room?;
        self.tracks.get_mut(&room)
    }

    /// Takes in what happened in a room.
    pub(super) fn frame(&mut self, who: Own, frame: &ServerFrame) {
        match frame {
            ServerFrame::Entry { room, entry } if *room == who.home => {
                self.own_entry(who.me, entry);
            }
            ServerFrame::Entry { room, entry } => self.entry(who.account, *room, entry),
            ServerFrame::Skip { room, to, .. } => self.missed(*room, *to),
            ServerFrame::Lag { room, head, .. } => self.missed(*room, *head),
            _ => {}
        }
    }

    fn entry(&mut self, me: AccountId, room: RoomId, entry: &Entry) {
        let Some(track) = self.tracks.get_mut(&room) else {
            return;
        };
        let Some(session) = self.sessions.get(&track.friend) else {
            return track.show_on_command(self.command.as_ref(), entry, me);
        };
        let is_next = track.queued + 1 == entry.position && !self.behind.contains(&room);
        if !is_next || track.show_on_session(session, entry, me, track.queued) == Offered::Full {
            track.told = track.told.max(entry.position);
            self.behind.insert(room);
        }
    }

    /// Positions up to `head` were not told of, or cannot be seen.
    fn missed(&mut self, room: RoomId, head: u64) {
        if let Some(track) = self.tracks.get_mut(&room) {
            if !self.sessions.contains_key(&track.friend) {
                track.told = track.told.max(head);
            }
            self.behind.insert(room);
        }
    }

    /// What one says to oneself comes back to the session with oneself.
    fn own_entry(&self, me: Number, entry: &Entry) {
        let session = self.sessions.get(&me);
        let said = map::said(entry, entry.position);
        if let (Some(session), Some(said)) = (session, said) {
            for text in said.on_session(me, 0) {
                session.say(text.into_bytes(), None);
            }
        }
    }

    /// Where to read on for a session that is behind; `None` where there is none.
    pub(super) fn position_of(&self, room: RoomId) -> Option<u64> {
        let track = self.tracks.get(&room)?;
        let has_session = self.sessions.contains_key(&track.friend);
        has_session.then_some(track.queued)
    }

    pub(super) fn offer(
        &mut self,
        me: AccountId,
        room: RoomId,
        entry: &Entry,
        after: u64,
    ) -> Offered {
        let Some(track) = self.tracks.get_mut(&room) else {
            return Offered::Full;
        };
        let Some(session) = self.sessions.get(&track.friend) else {
            return Offered::Full;
        };
        track.show_on_session(session, entry, me, after)
    }

    pub(super) fn present(&mut self, presences: Vec<Presence>) {
        for presence in presences {
            if map::is_online(presence.status) {
                self.online.insert(presence.account);
            } else {
                self.online.remove(&presence.account);
            }
        }
        self.tell_presence();
    }

    pub(super) fn online_friends(&self) -> impl Iterator<Item = Number> {
        let friends = self.friends.values();
        friends
            .filter(|friend| friend.is_shown() && self.online.contains(&friend.account))
            .map(|friend| friend.number)
    }

    /// Tells the client who came and went since it was told last.
    pub(super) fn tell_presence(&mut self) {
        let now: HashSet<_> = self.online_friends().collect();
        let (Some(command), Some(told)) = (&self.command, &mut self.told_online) else {
            return;
        };
        let came = now.difference(told).map(|number| Push::Up(*number));
        let went = told.difference(&now).map(|number| Push::Down(*number));
        for push in came.chain(went) {
            command.push(&push, None);
        }
        *told = now;
    }

    /// What was queued for a command connection is gone with it.
    pub(super) fn stop_ringing(&mut self) {
        for track in self.tracks.values_mut() {
            track.stop_ringing();
        }
    }

    pub(super) fn asking(&self) -> impl Iterator<Item = Number> {
        let friends = self.friends.values();
        friends
            .filter(|friend| friend.state == ContactState::Asking && !friend.is_blocked)
            .map(|friend| friend.number)
    }

    /// Says who asks for friendship: from oneself, whom every client has in its list.
    pub(super) fn tell_requests(&self, me: Number, asking: Vec<Number>) {
        let Some(command) = &self.command else {
            return;
        };
        for who in asking {
            let push = Push::NewSession {
                sender: me,
                text: map::asks(who).into_bytes(),
            };
            command.push(&push, None);
        }
    }

    /// Notes that a text was written, and returns whether the seat has something to do for that.
    pub(super) fn written(&mut self, mark: Mark) -> bool {
        let Some(track) = self.tracks.get_mut(&mark.room) else {
            return false;
        };
        let was_dirty = track.is_dirty();
        track.written(mark);
        let is_behind = track.told > track.queued && self.sessions.contains_key(&track.friend);
        if is_behind {
            self.behind.insert(mark.room);
        }
        is_behind || !was_dirty
    }
}
