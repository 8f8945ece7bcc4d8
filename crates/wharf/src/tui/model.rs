//! What the terminal client knows and shows. It does no I/O and reads no clock: [`super::update`] changes it by keys and
//! events, [`super::view`] draws it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;

use wharf_client::chat::{ContactView, RoomView, TimelineItem, Waiting};
use wharf_types::api::contact::{ContactGroup, ContactState, Presence, Status};
use wharf_types::api::log::{Body, Entry};
use wharf_types::api::room::{Notify, Person, Role, RoomInvitation, RoomMember};
use wharf_types::api::search::Hit;
use wharf_types::{AccountId, ContactGroupId, NodeId, RoomId};

use super::composer::Composer;
use super::keymap::Keymap;
use super::list::ListKey;
use super::overlay::Overlay;
use super::theme::Theme;
use super::when::Now;

/// After how long without a word somebody no longer types.
pub(crate) const TYPING_MS: i64 = 6_000;
/// How long a word of the status line stays.
pub(crate) const TOLD_MS: i64 = 6_000;

/// Everything that the screen is drawn from.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) theme: Theme,
    /// What keys do.
    pub(crate) keys: Keymap,
    pub(crate) now: Now,
    /// Columns and rows of the terminal.
    pub(crate) size: (u16, u16),
    /// Whether the terminal has the person's attention, as far as it says.
    pub(crate) is_looked_at: bool,
    pub(crate) me: AccountId,
    /// What others see of this person's presence.
    pub(crate) status: Status,
    pub(crate) link: Link,
    pub(crate) people: HashMap<AccountId, Person>,
    pub(crate) contacts: Vec<ContactView>,
    pub(crate) groups: Vec<ContactGroup>,
    pub(crate) invitations: Vec<RoomInvitation>,
    pub(crate) presence: HashMap<AccountId, Presence>,
    /// In the order of the list.
    pub(crate) rooms: Vec<RoomView>,
    /// Who types where, and until when.
    pub(crate) typing: BTreeMap<(RoomId, AccountId), i64>,
    pub(crate) tab: Tab,
    pub(crate) list: ListState,
    pub(crate) focus: Focus,
    pub(crate) open: Option<Conversation>,
    /// What is being written in rooms that are not open.
    pub(crate) desks: HashMap<RoomId, Desk>,
    pub(crate) panel: Option<Panel>,
    pub(crate) overlay: Option<Overlay>,
    pub(crate) moving: Vec<Moving>,
    /// The last word of the status line, and until when it stays.
    pub(crate) told: Option<Told>,
    /// Whose presence was asked for last.
    pub(crate) watched: Vec<AccountId>,
    /// When the person was last said to be typing.
    pub(crate) typed_ms: i64,
    /// Until when a second Ctrl-C ends the program.
    pub(crate) quits_until_ms: i64,
    /// Where downloads are offered to go.
    pub(crate) downloads: PathBuf,
}

/// The connection to the server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Link {
    /// Trying for the first time.
    #[default]
    Connecting,
    /// Everything that was missed has come.
    Live,
    /// Not connected; what is written waits.
    Offline(String),
    /// The login has ended: nothing will come any more.
    Ended(String),
}

/// A word for the status line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) text: String,
    pub(crate) is_trouble: bool,
    pub(crate) until_ms: i64,
}

/// Which list is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Tab {
    #[default]
    Chats,
    Contacts,
}

/// Where the list stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct ListState {
    pub(crate) selected: Option<ListKey>,
    /// Screen rows that are scrolled out above.
    pub(crate) offset: usize,
    /// Groups of contacts whose members are out of sight.
    pub(crate) closed: BTreeSet<Section>,
}

/// A part of the list of contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Section {
    /// What waits for the person's word: requests and invitations.
    Asking,
    /// A group that the person made.
    Group(ContactGroupId),
    /// Contacts in no group.
    Others,
    /// Requests of the person's own.
    Asked,
    /// Who was blocked.
    Blocked,
}

/// What keys go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Focus {
    #[default]
    List,
    Timeline,
    Composer,
    Panel,
}

/// The room that is open.
#[derive(Debug, Clone)]
pub(crate) struct Conversation {
    pub(crate) room: RoomId,
    /// What is shown of the log, by position.
    pub(crate) items: Vec<TimelineItem>,
    /// What of this device is not in the log yet, in its order.
    pub(crate) waiting: Vec<Waiting>,
    /// Whether there is something before the first item.
    pub(crate) has_older: bool,
    /// Whether there is something after the last item.
    pub(crate) has_newer: bool,
    /// Whether more was asked for and has not come.
    pub(crate) is_fetching: bool,
    /// The first position when the server was last asked for what is before it: it is not asked the same again.
    pub(crate) fetched_before: Option<u64>,
    pub(crate) members: Vec<RoomMember>,
    /// Up to where each member has read.
    pub(crate) read: HashMap<AccountId, u64>,
    pub(crate) scroll: Scroll,
    pub(crate) selected: Option<Spot>,
    /// What had been read when the room was opened: a line is drawn after it.
    pub(crate) read_before: u64,
    pub(crate) desk: Desk,
    pub(crate) files: Vec<Entry>,
}

/// What is being written, and about what.
#[derive(Debug, Clone, Default)]
pub(crate) struct Desk {
    pub(crate) composer: Composer,
    pub(crate) about: About,
    /// Whether the account's kept draft was taken over.
    pub(crate) has_draft: bool,
}

/// What the written text is going to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum About {
    #[default]
    New,
    Reply(u64),
    Edit(u64),
}

/// A place of the timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Spot {
    Entry(u64),
    Waiting(i64),
}

/// What part of the timeline is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Scroll {
    /// The end, and it stays the end.
    #[default]
    End,
    /// The first row on the screen is this row of that item.
    Top(Spot, usize),
}

/// What stands beside or over the conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Panel {
    Files { selected: usize },
    Members { selected: usize },
}

/// A file on its way to this device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moving {
    /// The number of its task.
    pub(crate) id: i64,
    pub(crate) room: RoomId,
    pub(crate) node: NodeId,
    pub(crate) name: String,
    pub(crate) done_bytes: u64,
    pub(crate) total_bytes: u64,
    pub(crate) state: MovingState,
}

/// How a file on its way stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum MovingState {
    Running,
    /// It is there.
    Done(PathBuf),
    Failed(String),
}

/// What a search found.
#[derive(Debug, Clone, Default)]
pub(crate) struct Finds {
    pub(crate) query: String,
    pub(crate) hits: Vec<Hit>,
    pub(crate) problem: Option<String>,
}

impl Model {
    /// Nothing known yet.
    pub(crate) fn new(theme: Theme, now: Now, me: AccountId) -> Self {
        Self {
            theme,
            keys: Keymap::default(),
            now,
            size: (80, 24),
            is_looked_at: true,
            me,
            status: Status::Online,
            link: Link::Connecting,
            people: HashMap::new(),
            contacts: Vec::new(),
            groups: Vec::new(),
            invitations: Vec::new(),
            presence: HashMap::new(),
            rooms: Vec::new(),
            typing: BTreeMap::new(),
            tab: Tab::Chats,
            list: ListState::default(),
            focus: Focus::List,
            open: None,
            desks: HashMap::new(),
            panel: None,
            overlay: None,
            moving: Vec::new(),
            told: None,
            watched: Vec::new(),
            typed_ms: 0,
            quits_until_ms: 0,
            downloads: PathBuf::new(),
        }
    }

    /// What somebody is called: the person's own name for them, or the one they chose.
    pub(crate) fn name(&self, account: AccountId) -> String {
        if account == self.me {
            return "You".to_owned();
        }
        if let Some(contact) = self.contact(account) {
            return contact.title.clone();
        }
        self.people
            .get(&account)
            .map_or_else(|| "somebody".to_owned(), |person| person.nickname.clone())
    }

    /// Who wrote an entry, for people.
    pub(crate) fn author(&self, entry: &Entry) -> String {
        match (entry.account, &entry.name) {
            (Some(account), None) => self.name(account),
            (_, Some(name)) => name.clone(),
            (None, None) => "Wharf".to_owned(),
        }
    }

    /// A contact, request or blocked person.
    pub(crate) fn contact(&self, account: AccountId) -> Option<&ContactView> {
        self.contacts
            .iter()
            .find(|view| view.contact.person.id == account)
    }

    /// How somebody is there, as far as this device was told.
    pub(crate) fn status_of(&self, account: AccountId) -> Status {
        if account == self.me {
            return self.status;
        }
        self.presence
            .get(&account)
            .map_or(Status::Offline, |presence| presence.status)
    }

    /// A room of the list.
    pub(crate) fn room(&self, id: RoomId) -> Option<&RoomView> {
        self.rooms.iter().find(|view| view.room.id == id)
    }

    /// The room that is open.
    pub(crate) fn open_room(&self) -> Option<&RoomView> {
        self.open.as_ref().and_then(|open| self.room(open.room))
    }

    /// Who types in a room now, by name.
    pub(crate) fn typists(&self, room: RoomId) -> Vec<String> {
        self.typing
            .iter()
            .filter(|((at, _), until)| *at == room && **until > self.now.ms)
            .map(|((_, account), _)| self.name(*account))
            .collect()
    }

    /// Unread entries that make a noise, over all rooms.
    pub(crate) fn unread_total(&self) -> u64 {
        self.rooms
            .iter()
            .map(|view| match view.room.preferences.notify {
                Notify::All => view.room.unread,
                Notify::Mentions => view.room.mentions,
                Notify::Nothing => 0,
            })
            .sum()
    }

    /// Everybody whose presence is on the screen or one key away.
    pub(crate) fn to_watch(&self) -> Vec<AccountId> {
        let contacts = self
            .contacts
            .iter()
            .map(|view| &view.contact)
            .filter(|contact| contact.state == ContactState::Contact && !contact.is_blocked)
            .map(|contact| contact.person.id);
        let members = self
            .open
            .iter()
            .flat_map(|open| &open.members)
            .filter(|member| member.role.is_some())
            .map(|member| member.person.id);
        let mut seen = BTreeSet::from([self.me]);
        contacts
            .chain(members)
            .filter(|account| seen.insert(*account))
            .take(wharf_types::limit::LIVE_WATCHED_MAX)
            .collect()
    }

    /// Says something on the status line.
    pub(crate) fn tell(&mut self, text: impl Into<String>) {
        self.told = Some(Told {
            text: text.into(),
            is_trouble: false,
            until_ms: self.now.ms + TOLD_MS,
        });
    }

    /// Says what went wrong on the status line.
    pub(crate) fn complain(&mut self, text: impl Into<String>) {
        self.told = Some(Told {
            text: text.into(),
            is_trouble: true,
            until_ms: self.now.ms + 2 * TOLD_MS,
        });
    }
}

impl Conversation {
    /// A room with nothing of it known yet.
    pub(crate) fn new(room: RoomId, read: u64, desk: Desk) -> Self {
        Self {
            room,
            items: Vec::new(),
            waiting: Vec::new(),
            has_older: false,
            has_newer: false,
            is_fetching: false,
            fetched_before: None,
            members: Vec::new(),
            read: HashMap::new(),
            scroll: Scroll::End,
            selected: None,
            read_before: read,
            desk,
            files: Vec::new(),
        }
    }

    /// An entry that is here.
    pub(crate) fn entry(&self, position: u64) -> Option<&Entry> {
        self.item(position).map(|item| &item.entry)
    }

    /// An entry that is here, with what waits about it.
    pub(crate) fn item(&self, position: u64) -> Option<&TimelineItem> {
        self.items
            .binary_search_by_key(&position, |item| item.entry.position)
            .ok()
            .and_then(|index| self.items.get(index))
    }

    /// The members at present.
    pub(crate) fn present(&self) -> impl Iterator<Item = &RoomMember> {
        self.members.iter().filter(|member| member.role.is_some())
    }

    /// The first entry of somebody else that was not read when the room was opened.
    pub(crate) fn first_new(&self, me: AccountId) -> Option<u64> {
        self.items
            .iter()
            .map(|item| &item.entry)
            .find(|entry| {
                entry.position > self.read_before
                    && entry.account != Some(me)
                    && matches!(entry.body, Some(Body::Text(_) | Body::File(_)))
            })
            .map(|entry| entry.position)
    }

    /// Whether somebody said something after an entry: then they have read it, whatever was told.
    fn has_spoken_since(&self, account: AccountId, position: u64) -> bool {
        self.items
            .iter()
            .rev()
            .take_while(|item| item.entry.position > position)
            .any(|item| item.entry.account == Some(account) && item.entry.hook.is_none())
    }

    /// Who of the others has read an entry, and of how many.
    pub(crate) fn readers(&self, me: AccountId, position: u64) -> (usize, usize) {
        let others = self.present().filter(|member| member.person.id != me);
        others.fold((0, 0), |(read, all), member| {
            let has = self
                .read
                .get(&member.person.id)
                .is_some_and(|read| *read >= position)
                || self.has_spoken_since(member.person.id, position);
            (read + usize::from(has), all + 1)
        })
    }
}

/// What an entry says now: the last edit, or what it said first.
pub(crate) fn text_of(entry: &Entry) -> Option<&str> {
    if entry.state.recalled.is_some() {
        return None;
    }
    if let Some(edited) = &entry.state.edited {
        return Some(&edited.text);
    }
    match entry.body.as_ref()? {
        Body::Text(text) => Some(&text.text),
        Body::File(file) => Some(&file.text),
        Body::Edit(_)
        | Body::Recall(_)
        | Body::Reaction(_)
        | Body::Pin(_)
        | Body::Member(_)
        | Body::Settings(_) => None,
    }
}

/// Whether an entry mentions somebody, as it is now.
pub(crate) fn mentions(entry: &Entry, account: AccountId) -> bool {
    if entry.account == Some(account) || entry.state.recalled.is_some() {
        return false;
    }
    if let Some(edited) = &entry.state.edited {
        return edited.mentions.includes(account);
    }
    match &entry.body {
        Some(Body::Text(text)) => text.mentions.includes(account),
        Some(Body::File(file)) => file.mentions.includes(account),
        _ => false,
    }
}

/// What a role is called.
pub(crate) fn role_name(role: Role) -> &'static str {
    match role {
        Role::Reader => "reader",
        Role::Editor => "editor",
        Role::Owner => "owner",
    }
}

/// What a status is called.
pub(crate) fn status_name(status: Status) -> &'static str {
    match status {
        Status::Online => "online",
        Status::Away => "away",
        Status::Busy => "busy",
        Status::Offline => "offline",
        Status::Invisible => "invisible",
    }
}
