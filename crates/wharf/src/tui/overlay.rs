//! What lies over the screen until it is answered: help, the jump, a search, a menu, a question.

use wharf_client::chat::Window;
use wharf_types::api::contact::EditContact;
use wharf_types::api::log::File;
use wharf_types::api::room::{EditPreferences, RoomKind};
use wharf_types::api::search::Hit;
use wharf_types::{AccountId, RoomId};

use super::composer::Composer;
use super::model::{Finds, Model};
use super::text::Row;

/// What lies over the screen. It takes all keys.
#[derive(Debug, Clone)]
pub(crate) enum Overlay {
    /// What keys do.
    Help { offset: usize },
    /// Typing a name chooses its room.
    Jump(Box<Jump>),
    /// Typing words finds messages and files.
    Find(Box<Find>),
    /// Things to do with something.
    Menu(Menu),
    /// A line that is asked for.
    Ask(Box<Ask>),
    /// Something to read.
    Paper {
        title: String,
        rows: Vec<Row>,
        offset: usize,
    },
}

/// A room that is being chosen.
#[derive(Debug, Clone)]
pub(crate) struct Jump {
    pub(crate) query: Composer,
    pub(crate) selected: usize,
    pub(crate) purpose: Purpose,
}

/// What a room is chosen for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To be opened.
    Open,
    /// To be given a message of the open room.
    Forward(u64),
}

/// A search under way.
#[derive(Debug, Clone, Default)]
pub(crate) struct Find {
    pub(crate) query: Composer,
    pub(crate) finds: Finds,
    pub(crate) selected: usize,
    pub(crate) is_waiting: bool,
}

/// Things to do with something.
#[derive(Debug, Clone)]
pub(crate) struct Menu {
    pub(crate) title: String,
    pub(crate) items: Vec<(String, Act)>,
    pub(crate) selected: usize,
}

/// A line that is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) title: String,
    pub(crate) hint: String,
    pub(crate) line: Composer,
    pub(crate) what: Asking,
}

/// What an answer is for.
#[derive(Debug, Clone)]
pub(crate) enum Asking {
    /// Number, username or e-mail of a new contact.
    Contact,
    /// The name of a new room.
    Room,
    /// The own name for a contact.
    Remark(AccountId),
    /// The name of a new group for a contact.
    Group(AccountId),
    /// Paths of files to hand over.
    Paths(RoomId),
    /// Where a file is to go.
    Folder(RoomId, Box<File>),
    /// A reaction.
    Reaction(u64),
    /// A day of a room's log.
    Day(RoomId),
}

/// Something to do, from a menu or a key.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    OpenRoom(RoomId),
    OpenAt(RoomId, Window),
    OpenContact(AccountId),
    ContactMenu(AccountId),
    RoomMenu(RoomId),
    GroupMenu(AccountId),
    InviteMenu(RoomId),
    StatusMenu,
    NewMenu,
    InvitationMenu(RoomId),
    MessageMenu(u64),
    ReactionMenu(u64),
    Status(wharf_types::api::contact::Status),
    Prefer(RoomId, EditPreferences),
    Answer(AccountId, bool),
    AnswerRoom(RoomId, bool),
    EditContact(AccountId, EditContact),
    RemoveContact(AccountId),
    Invite(RoomId, AccountId),
    Leave(RoomId),
    Ask(Asking),
    Reply(u64),
    Edit(u64),
    Recall(u64),
    React(u64, String),
    Pin(u64),
    Copy(u64),
    /// Asks for the room that a message is to go to.
    Forward(u64),
    /// Gives it to that room.
    ForwardTo(u64, RoomId),
    About(u64),
    Download(Box<File>),
    Save(Box<File>),
    Retry(i64),
    Discard(i64),
    /// Nothing after all.
    Close,
}

impl Overlay {
    /// The line that is typed into, where there is one.
    pub(crate) fn line(&mut self) -> Option<&mut Composer> {
        match self {
            Self::Jump(jump) => Some(&mut jump.query),
            Self::Find(find) => Some(&mut find.query),
            Self::Ask(ask) => Some(&mut ask.line),
            Self::Help { .. } | Self::Menu(_) | Self::Paper { .. } => None,
        }
    }
}

/// The position of a hit in its room's log.
pub(crate) fn position_of(hit: &Hit) -> Option<u64> {
    match &hit.what {
        wharf_types::api::search::HitKind::Entry(entry) => Some(entry.position),
        wharf_types::api::search::HitKind::Node(_) => None,
    }
}

impl Jump {
    /// Nothing typed yet.
    pub(crate) fn new(purpose: Purpose) -> Self {
        Self {
            query: Composer::default(),
            selected: 0,
            purpose,
        }
    }
}

/// Rooms and people whose name or username holds the letters that were typed in their order; the nearest first. A message
/// goes to other rooms, where the person may write.
pub(crate) fn jump_targets(model: &Model, jump: &Jump) -> Vec<(String, Act)> {
    let query = jump.query.text().trim().to_lowercase();
    let open = model.open.as_ref().map(|open| open.room);
    let mut targets: Vec<(usize, usize, String, Act)> = Vec::new();
    let mut add = |names: &[&str], label: String, act: Act| {
        let best = names
            .iter()
            .filter_map(|name| distance(&query, &name.to_lowercase()))
            .min();
        if let Some(best) = best {
            targets.push((best, targets.len(), label, act));
        }
    };
    for view in &model.rooms {
        let act = match jump.purpose {
            Purpose::Open => Act::OpenRoom(view.room.id),
            Purpose::Forward(_) if !view.room.can_write || Some(view.room.id) == open => continue,
            Purpose::Forward(position) => Act::ForwardTo(position, view.room.id),
        };
        let sign = match view.room.kind {
            RoomKind::Group => format!("{} ", model.theme.signs.group),
            RoomKind::Personal => format!("{} ", model.theme.signs.personal),
            RoomKind::Direct => String::new(),
        };
        let unread = match view.room.unread {
            0 => String::new(),
            count => format!("  ({count} new)"),
        };
        let username = view.room.peer.as_ref().map_or("", |peer| &peer.username);
        add(
            &[&view.title, username],
            format!("{sign}{}{unread}", view.title),
            act,
        );
    }
    let people = match jump.purpose {
        Purpose::Open => model.contacts.as_slice(),
        Purpose::Forward(_) => &[],
    };
    for view in people {
        let person = &view.contact.person;
        let has_room = view
            .contact
            .room
            .is_some_and(|room| model.room(room).is_some());
        if !has_room {
            add(
                &[&view.title, &person.username, &person.nickname],
                format!("{} (contact)", view.title),
                Act::ContactMenu(person.id),
            );
        }
    }
    targets.sort_by_key(|(distance, order, ..)| (*distance, *order));
    targets
        .into_iter()
        .map(|(_, _, label, act)| (label, act))
        .collect()
}

/// How far apart the letters of `query` are in `name`; none where they are not there in this order.
fn distance(query: &str, name: &str) -> Option<usize> {
    if let Some(at) = name.find(query) {
        return Some(at.min(9));
    }
    let mut last = None;
    let mut gaps = 10;
    let mut letters = name.chars().enumerate();
    for wanted in query.chars() {
        let (at, _) = letters.find(|(_, letter)| *letter == wanted)?;
        gaps += last.map_or(at, |last: usize| at - last - 1);
        last = Some(at);
    }
    Some(gaps)
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn names_are_found_by_their_letters_in_order() {
        assert_eq!(distance("gra", "grace"), Some(0));
        assert_eq!(distance("小", "王小明"), Some(3));
        assert!(distance("gc", "grace") > distance("ace", "grace"));
        assert_eq!(distance("cg", "grace"), None);
        assert_eq!(distance("", "grace"), Some(0));
    }
}
