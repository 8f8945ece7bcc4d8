//! The list on the left as rows: rooms with what was said last in them, or contacts by group with how many are there.

use wharf_client::chat::{ContactView, RoomView};
use wharf_types::api::contact::{Contact, ContactState, Status};
use wharf_types::api::log::{Body, MemberChange};
use wharf_types::api::room::RoomKind;
use wharf_types::{AccountId, RoomId};

use super::model::{Model, Section, Tab, text_of};
use super::text::one_line;

/// One item of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListRow {
    pub(crate) key: ListKey,
    /// Rows of the screen that it takes.
    pub(crate) height: usize,
    /// A section's name and how many of its people are there, where that says something, of how many.
    pub(crate) section: Option<(String, Option<usize>, usize)>,
}

/// What an item of the list is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ListKey {
    Room(RoomId),
    Section(Section),
    Contact(AccountId),
    Invitation(RoomId),
}

/// The list as it stands.
pub(crate) fn rows(model: &Model) -> Vec<ListRow> {
    match model.tab {
        Tab::Chats => chats(model),
        Tab::Contacts => contacts(model),
    }
}

fn chats(model: &Model) -> Vec<ListRow> {
    model
        .rooms
        .iter()
        .filter(|view| is_listed(model, view))
        .map(|view| ListRow {
            key: ListKey::Room(view.room.id),
            height: 2,
            section: None,
        })
        .collect()
}

/// Rooms that were put out of sight come back when there is something new.
fn is_listed(model: &Model, view: &RoomView) -> bool {
    let room = &view.room;
    let is_open = model.open.as_ref().is_some_and(|open| open.room == room.id);
    !room.preferences.is_hidden || room.unread > 0 || is_open
}

fn contacts(model: &Model) -> Vec<ListRow> {
    let mut rows = Vec::new();
    let asking: Vec<ListKey> = model
        .contacts
        .iter()
        .map(|view| &view.contact)
        .filter(|contact| contact.state == ContactState::Asking && !contact.is_blocked)
        .map(|contact| ListKey::Contact(contact.person.id))
        .chain(
            model
                .invitations
                .iter()
                .map(|invitation| ListKey::Invitation(invitation.room)),
        )
        .collect();
    if !asking.is_empty() {
        let count = asking.len();
        push_section(
            model,
            &mut rows,
            Section::Asking,
            ("Waiting for you", count),
            asking,
        );
    }
    for group in &model.groups {
        let members = people(model, |contact| {
            is_friend(contact) && contact.group == Some(group.id)
        });
        push_people(
            model,
            &mut rows,
            Section::Group(group.id),
            &group.name,
            &members,
        );
    }
    let others = people(model, |contact| {
        is_friend(contact)
            && !contact
                .group
                .is_some_and(|id| model.groups.iter().any(|group| group.id == id))
    });
    if !others.is_empty() || model.groups.is_empty() {
        push_people(model, &mut rows, Section::Others, "Contacts", &others);
    }
    let asked = people(model, |contact| {
        contact.state == ContactState::Asked && !contact.is_blocked
    });
    if !asked.is_empty() {
        push_people(
            model,
            &mut rows,
            Section::Asked,
            "Asked, no answer yet",
            &asked,
        );
    }
    let blocked = people(model, |contact| contact.is_blocked);
    if !blocked.is_empty() {
        push_people(model, &mut rows, Section::Blocked, "Blocked", &blocked);
    }
    rows
}

fn is_friend(contact: &Contact) -> bool {
    contact.state == ContactState::Contact && !contact.is_blocked
}

/// Contacts of a kind: who is there first, then by name.
fn people(model: &Model, wanted: impl Fn(&Contact) -> bool) -> Vec<&ContactView> {
    let mut people: Vec<&ContactView> = model
        .contacts
        .iter()
        .filter(|view| wanted(&view.contact))
        .collect();
    people.sort_by_cached_key(|view| {
        let account = view.contact.person.id;
        (
            !is_there(model, account),
            view.title.to_lowercase(),
            account,
        )
    });
    people
}

/// Whether somebody is seen to be connected.
pub(crate) fn is_there(model: &Model, account: AccountId) -> bool {
    match model.status_of(account) {
        Status::Online | Status::Away | Status::Busy => true,
        Status::Offline | Status::Invisible => false,
    }
}

fn push_people(
    model: &Model,
    rows: &mut Vec<ListRow>,
    section: Section,
    title: &str,
    people: &[&ContactView],
) {
    let online = people
        .iter()
        .filter(|view| is_there(model, view.contact.person.id))
        .count();
    let keys = people
        .iter()
        .map(|view| ListKey::Contact(view.contact.person.id))
        .collect();
    push_section(model, rows, section, (title, online), keys);
}

fn push_section(
    model: &Model,
    rows: &mut Vec<ListRow>,
    section: Section,
    (title, online): (&str, usize),
    keys: Vec<ListKey>,
) {
    rows.push(ListRow {
        key: ListKey::Section(section),
        height: 1,
        section: Some((
            title.to_owned(),
            (section != Section::Asking).then_some(online),
            keys.len(),
        )),
    });
    if model.list.closed.contains(&section) {
        return;
    }
    rows.extend(keys.into_iter().map(|key| ListRow {
        key,
        height: 1,
        section: None,
    }));
}

/// How many contacts are there, of how many.
pub(crate) fn online_of_all(model: &Model) -> (usize, usize) {
    let friends = model
        .contacts
        .iter()
        .map(|view| &view.contact)
        .filter(|contact| is_friend(contact));
    friends.fold((0, 0), |(online, all), contact| {
        let is_there = is_there(model, contact.person.id);
        (online + usize::from(is_there), all + 1)
    })
}

/// What was said last in a room, in one line: a draft or somebody typing comes first.
pub(crate) fn preview(model: &Model, view: &RoomView) -> Preview {
    let room = &view.room;
    let typists = model.typists(room.id);
    if let Some(first) = typists.first() {
        return Preview::Typing(if room.kind == RoomKind::Direct {
            "is typing…".to_owned()
        } else {
            format!("{first} is typing…")
        });
    }
    let is_open = model.open.as_ref().is_some_and(|open| open.room == room.id);
    let desk = model.desks.get(&room.id).map(|desk| desk.composer.text());
    let draft = desk.unwrap_or(&room.preferences.draft);
    if !is_open && !draft.trim().is_empty() {
        return Preview::Draft(one_line(draft).into_owned());
    }
    let Some(last) = &room.last else {
        return Preview::Said(String::new());
    };
    let text = if last.state.recalled.is_some() {
        "recalled".to_owned()
    } else {
        let said = one_line(text_of(last).unwrap_or_default()).into_owned();
        match &last.body {
            Some(Body::File(file)) if said.is_empty() => format!("file {}", file.name),
            Some(Body::File(file)) => format!("file {}: {said}", file.name),
            _ => said,
        }
    };
    let says_who = room.kind == RoomKind::Group || last.account == Some(model.me);
    if says_who && room.kind != RoomKind::Personal {
        Preview::Said(format!("{}: {text}", model.author(last)))
    } else {
        Preview::Said(text)
    }
}

/// The second row of a room in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Preview {
    Said(String),
    Draft(String),
    Typing(String),
}

/// What happened to a membership, after the name of who it is about.
pub(crate) fn change_words(change: MemberChange) -> &'static str {
    match change {
        MemberChange::Joined => "joined",
        MemberChange::Left => "left",
        MemberChange::Removed => "was removed",
        MemberChange::Role => "is now",
    }
}
