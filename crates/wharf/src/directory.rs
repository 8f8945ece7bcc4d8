//! Rooms and people by the names that one calls them by: how `WHERE` and `WHO` on the command line are read and found.
//!
//! What is named must be one thing. A name that fits several is refused with how to say which, because what is said in the
//! wrong room cannot be unsaid.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use unicode_normalization::UnicodeNormalization as _;
use wharf_types::api::contact::{Contact, ContactState};
use wharf_types::api::room::{Person, Room, RoomKind};
use wharf_types::{AccountId, RoomId};

use crate::exit::{Exit, Failure};
use crate::output::printable;

/// What begins the name of a room, and of a path in its drive.
pub(crate) const PREFIX: &str = "room:";
/// The word for the own personal room.
const ME: &str = "me";
/// Most candidates that a refusal lists.
const CANDIDATES_SHOWN: usize = 5;

/// A room, as it is written on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Where {
    /// `me`: the own personal room.
    Me,
    /// A room's id.
    Id(RoomId),
    /// `@WHO`: the direct room with somebody.
    Person(String),
    /// `room:NAME`: a group; where there is none of that name, a direct room.
    Room(String),
    /// `NAME`: a group or a direct room.
    Name(String),
}

/// Why a text names no room.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidWhere {
    /// Nothing after `room:` or `@`, or nothing at all.
    #[error("it names no room: write a group's name, @USERNAME, or me")]
    Empty,
    /// A path in a drive.
    #[error("a room is meant here, not a path in its drive: write {PREFIX}{0}")]
    Path(String),
}

impl Where {
    /// Reads what stands after `room:` in front of a path.
    pub(crate) fn of_path(name: &str) -> Result<Self, InvalidWhere> {
        match name {
            "" => Err(InvalidWhere::Empty),
            ME => Ok(Self::Me),
            name => match (name.strip_prefix('@'), name.parse()) {
                (Some(""), _) => Err(InvalidWhere::Empty),
                (Some(who), _) => Ok(Self::Person(who.to_owned())),
                (None, Ok(id)) => Ok(Self::Id(id)),
                (None, Err(_)) => Ok(Self::Room(name.to_owned())),
            },
        }
    }

    /// The same as the first part of a path.
    pub(crate) fn as_prefix(&self) -> String {
        match self {
            Self::Room(name) | Self::Name(name) => format!("{PREFIX}{name}"),
            other => format!("{PREFIX}{other}"),
        }
    }
}

impl fmt::Display for Where {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Me => f.write_str(ME),
            Self::Id(id) => id.fmt(f),
            Self::Person(who) => write!(f, "@{who}"),
            Self::Room(name) => write!(f, "{PREFIX}{name}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl FromStr for Where {
    type Err = InvalidWhere;

    fn from_str(text: &str) -> Result<Self, InvalidWhere> {
        if let Some(named) = text.strip_prefix(PREFIX) {
            let name = named.strip_suffix('/').unwrap_or(named);
            return match name.split_once('/') {
                Some((name, _)) => Err(InvalidWhere::Path(name.to_owned())),
                None => Self::of_path(name),
            };
        }
        Ok(match Self::of_path(text)? {
            Self::Room(name) => Self::Name(name),
            other => other,
        })
    }
}

/// The caller's rooms and contacts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Directory {
    rooms: Vec<Room>,
    contacts: Vec<Contact>,
}

impl Directory {
    /// Of these rooms and contacts.
    pub(crate) fn new(rooms: Vec<Room>, contacts: Vec<Contact>) -> Self {
        Self { rooms, contacts }
    }

    /// The rooms, in the order they came in.
    pub(crate) fn rooms(&self) -> &[Room] {
        &self.rooms
    }

    /// The contacts.
    pub(crate) fn contacts(&self) -> &[Contact] {
        &self.contacts
    }

    /// The room of this id.
    pub(crate) fn room_of(&self, id: RoomId) -> Option<&Room> {
        self.rooms.iter().find(|room| room.id == id)
    }

    /// The one room that is meant.
    ///
    /// # Errors
    /// `NotFound` when there is none, `Usage` when there are several; both say what to write instead.
    pub(crate) fn find(&self, meant: &Where) -> Result<&Room, Failure> {
        match meant {
            Where::Me => {
                let mut rooms = self.rooms.iter();
                rooms
                    .find(|room| room.kind == RoomKind::Personal)
                    .ok_or_else(|| Self::no_room(meant))
            }
            Where::Id(id) => self.room_of(*id).ok_or_else(|| Self::no_room(meant)),
            Where::Person(who) => self.direct_room(who),
            Where::Room(name) => match self.groups(name).as_slice() {
                [] => self.direct_room(name).map_err(|failure| {
                    if self.people(name).is_empty() {
                        Self::no_room(meant)
                    } else {
                        failure
                    }
                }),
                [room] => Ok(room),
                several => Err(several_groups(name, several)),
            },
            Where::Name(name) => {
                match (self.groups(name).as_slice(), self.people(name).is_empty()) {
                    ([], true) => Err(Self::no_room(meant)),
                    ([], false) => self.direct_room(name),
                    ([room], true) => Ok(room),
                    ([_], false) => Err(group_or_person(name)),
                    (several, _) => Err(several_groups(name, several)),
                }
            }
        }
    }

    /// The one person in the list that is meant: by number, username, own remark or nickname, an `@` before it or not.
    ///
    /// # Errors
    /// As [`Directory::find`].
    pub(crate) fn contact(&self, who: &str) -> Result<&Contact, Failure> {
        let known = self.contacts.iter();
        let known = known.map(|contact| (&contact.person, contact.remark.as_str(), contact));
        person(who, known).map_err(|several| {
            several.unwrap_or_else(|| {
                let name = who.strip_prefix('@').unwrap_or(who);
                let name = printable(name);
                Failure::new(
                    Exit::NotFound,
                    format!("Nobody in your contacts is called {name}"),
                )
                .hint(format!(
                    "See them with `wharf contacts`, or ask: `wharf contacts ask {name}`."
                ))
            })
        })
    }

    /// The caller's own name for somebody; may be empty.
    pub(crate) fn remark(&self, account: AccountId) -> &str {
        let mut contacts = self.contacts.iter();
        contacts
            .find(|contact| contact.person.id == account)
            .map_or("", |contact| contact.remark.as_str())
    }

    /// What the caller calls somebody: the remark, or else the nickname.
    pub(crate) fn name_of<'a>(&'a self, person: &'a Person) -> &'a str {
        let remark = self.remark(person.id);
        if !remark.is_empty() {
            remark
        } else if !person.nickname.is_empty() {
            &person.nickname
        } else {
            &person.username
        }
    }

    /// What the caller calls a room.
    pub(crate) fn title(&self, room: &Room) -> String {
        match (room.kind, &room.peer) {
            (RoomKind::Personal, _) => ME.to_owned(),
            (RoomKind::Direct, Some(peer)) => self.name_of(peer).to_owned(),
            (RoomKind::Direct | RoomKind::Group, _) => room.name.clone(),
        }
    }

    /// What to write on the command line to mean a room and no other.
    pub(crate) fn written(&self, room: &Room) -> String {
        let written = match (room.kind, &room.peer) {
            (RoomKind::Personal, _) => return ME.to_owned(),
            (RoomKind::Direct, Some(peer)) => Where::Person(peer.username.clone()),
            (RoomKind::Direct | RoomKind::Group, _) => Where::Room(room.name.clone()),
        };
        let text = written.to_string();
        let is_it = |found: Result<&Room, Failure>| found.is_ok_and(|found| found.id == room.id);
        if text
            .parse()
            .is_ok_and(|parsed: Where| is_it(self.find(&parsed)))
        {
            text
        } else {
            room.id.to_string()
        }
    }

    /// Everybody that the directory has a name for.
    pub(crate) fn names(&self) -> BTreeMap<AccountId, String> {
        let peers = self.rooms.iter().filter_map(|room| room.peer.as_ref());
        let people = self.contacts.iter().map(|contact| &contact.person);
        peers
            .chain(people)
            .map(|person| (person.id, self.name_of(person).to_owned()))
            .collect()
    }

    fn groups(&self, name: &str) -> Vec<&Room> {
        let groups = self
            .rooms
            .iter()
            .filter(|room| room.kind == RoomKind::Group);
        let exact: Vec<_> = groups.clone().filter(|room| room.name == name).collect();
        if !exact.is_empty() {
            return exact;
        }
        let folded = fold(name);
        groups.filter(|room| fold(&room.name) == folded).collect()
    }

    /// The people of the contacts and the direct rooms that a name fits best.
    fn people(&self, name: &str) -> Vec<&Person> {
        let known = self.contacts.iter().map(|contact| {
            (
                &contact.person,
                contact.remark.as_str(),
                contact.person.id,
                &contact.person,
            )
        });
        let peers = self.rooms.iter().filter_map(|room| room.peer.as_ref());
        let peers = peers.map(|person| (person, "", person.id, person));
        let mut all: BTreeMap<AccountId, _> = BTreeMap::new();
        for (person, remark, id, found) in known.chain(peers) {
            all.entry(id).or_insert((person, remark, found));
        }
        best(name, all.into_values())
    }

    fn direct_room(&self, who: &str) -> Result<&Room, Failure> {
        let people = self.people(who);
        let person = match people.as_slice() {
            [] => {
                return Err(self
                    .contact(who)
                    .err()
                    .unwrap_or_else(|| Self::no_room(&Where::Person(who.to_owned()))));
            }
            [person] => *person,
            several => return Err(several_people(who, several)),
        };
        let is_theirs = |room: &&Room| room.peer.as_ref().is_some_and(|peer| peer.id == person.id);
        self.rooms.iter().find(is_theirs).ok_or_else(|| {
            let contact = self
                .contacts
                .iter()
                .find(|contact| contact.person.id == person.id);
            not_yet(&person.username, contact.map(|contact| contact.state))
        })
    }

    fn no_room(meant: &Where) -> Failure {
        let text = meant.to_string();
        let text = printable(&text);
        Failure::new(Exit::NotFound, format!("You are in no room {text}"))
            .hint("See your rooms with `wharf room` and your contacts with `wharf contacts`.")
    }
}

fn not_yet(username: &str, state: Option<ContactState>) -> Failure {
    let name = printable(username);
    match state {
        Some(ContactState::Asked) => Failure::new(
            Exit::NotFound,
            format!("You asked {name}, who has not accepted yet"),
        )
        .hint("You can write to each other from when they do."),
        Some(ContactState::Asking) => Failure::new(
            Exit::NotFound,
            format!("It is your turn: {name} asked and waits for your word"),
        )
        .hint(format!("Accept with `wharf contacts accept {name}`.")),
        Some(ContactState::Contact | ContactState::Stranger) | None => {
            Failure::new(Exit::NotFound, format!("You have no contact {name}"))
                .hint(format!("Ask with `wharf contacts ask {name}`."))
        }
    }
}

fn several_groups(name: &str, rooms: &[&Room]) -> Failure {
    let ids: Vec<_> = rooms
        .iter()
        .take(CANDIDATES_SHOWN)
        .map(|room| room.id.to_string())
        .collect();
    Failure::usage(format!("You are in several rooms {}", printable(name)))
        .hint(format!("Name one by its id: {}.", ids.join(", ")))
}

fn several_people(name: &str, people: &[&Person]) -> Failure {
    let names: Vec<_> = people
        .iter()
        .take(CANDIDATES_SHOWN)
        .map(|person| format!("@{}", person.username))
        .collect();
    Failure::usage(format!("Several people are called {}", printable(name)))
        .hint(format!("Name one by the username: {}.", names.join(", ")))
}

fn group_or_person(name: &str) -> Failure {
    let name = printable(name);
    Failure::usage(format!("Both a group and a person are called {name}")).hint(format!(
        "Write {PREFIX}{name} for the group or @{name} for the person."
    ))
}

/// The one thing of the person whom `who` names, an `@` before it or not; each comes with the caller's remark.
///
/// # Errors
/// None when nobody is meant, what to write instead when several are.
pub(crate) fn person<'a, T>(
    who: &str,
    people: impl IntoIterator<Item = (&'a Person, &'a str, T)>,
) -> Result<T, Option<Failure>> {
    let name = who.strip_prefix('@').unwrap_or(who);
    let people = people
        .into_iter()
        .map(|(person, remark, thing)| (person, remark, (person, thing)));
    let mut found = best(name, people);
    match (found.pop(), found.is_empty()) {
        (None, _) => Err(None),
        (Some((_, thing)), true) => Ok(thing),
        (Some(last), false) => {
            found.push(last);
            let people: Vec<_> = found.iter().map(|(person, _)| *person).collect();
            Err(Some(several_people(name, &people)))
        }
    }
}

/// The things of those whom a name fits best. What somebody cannot choose freely goes before what they can, so that nobody
/// gets another's messages by taking their name: number and username, then the caller's remark, then the nickname.
fn best<'a, T>(name: &str, people: impl IntoIterator<Item = (&'a Person, &'a str, T)>) -> Vec<T> {
    let folded = fold(name);
    let mut found = Vec::new();
    let mut grade_best = u8::MAX;
    for (person, remark, thing) in people {
        let number = format!("{:06}", person.number);
        let grade = if number == name || fold(&person.username) == folded {
            0
        } else if !remark.is_empty() && fold(remark) == folded {
            1
        } else if fold(&person.nickname) == folded {
            2
        } else {
            continue;
        };
        if grade < grade_best {
            found.clear();
            grade_best = grade;
        }
        if grade == grade_best {
            found.push(thing);
        }
    }
    found
}

/// Names are compared without regard to letter case and to how an accent is encoded.
pub(crate) fn fold(name: &str) -> String {
    name.nfc().flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use wharf_types::api::contact::{Contact, ContactState};
    use wharf_types::api::room::{History, Person, Preferences, Role, Room, RoomKind};
    use wharf_types::{AccountId, EntryHash, RoomId};

    use super::{Directory, InvalidWhere, Where};

    fn person(index: u8, username: &str, nickname: &str) -> Person {
        Person {
            id: AccountId::from_bytes([index; 16]),
            number: 100_000 + u32::from(index),
            username: username.to_owned(),
            nickname: nickname.to_owned(),
            status_text: String::new(),
        }
    }

    fn contact(person: Person, remark: &str, state: ContactState) -> Contact {
        Contact {
            person,
            state,
            is_blocked: false,
            remark: remark.to_owned(),
            group: None,
            word: String::new(),
            room: None,
            since_ms: 0,
        }
    }

    fn room(index: u8, kind: RoomKind, name: &str, peer: Option<Person>) -> Room {
        Room {
            id: RoomId::from_bytes([index; 16]),
            kind,
            name: name.to_owned(),
            topic: String::new(),
            peer,
            owner: AccountId::from_bytes([0; 16]),
            role: Role::Owner,
            can_write: true,
            member_count: 1,
            history: History::All,
            keep_days: 0,
            archived: false,
            created_ms: 0,
            joined_ms: 0,
            head: 0,
            head_hash: EntryHash::from_bytes([0; 32]),
            floor: 0,
            drive_head: 0,
            read: 0,
            unread: 0,
            mentions: 0,
            last: None,
            preferences: Preferences::default(),
        }
    }

    fn directory() -> Directory {
        let grace = person(1, "grace", "Amazing Grace");
        let eve = person(2, "eve", "grace");
        let linus = person(3, "linus", "Linus");
        let kay = person(4, "kay", "Kay");
        Directory::new(
            vec![
                room(10, RoomKind::Personal, "", None),
                room(11, RoomKind::Direct, "", Some(grace.clone())),
                room(12, RoomKind::Direct, "", Some(eve.clone())),
                room(13, RoomKind::Group, "Team", None),
                room(14, RoomKind::Group, "linus", None),
                room(15, RoomKind::Group, "Twins", None),
                room(16, RoomKind::Group, "Twins", None),
                room(17, RoomKind::Direct, "", Some(linus.clone())),
                room(18, RoomKind::Group, "Café/Bar", None),
            ],
            vec![
                contact(grace, "", ContactState::Contact),
                contact(eve, "Evil", ContactState::Contact),
                contact(linus, "", ContactState::Contact),
                contact(kay, "", ContactState::Asked),
            ],
        )
    }

    fn found(text: &str) -> u8 {
        let directory = directory();
        directory
            .find(&text.parse().unwrap())
            .unwrap()
            .id
            .as_bytes()[0]
    }

    fn refused(text: &str) -> (String, String) {
        let directory = directory();
        let failure = directory.find(&text.parse().unwrap()).unwrap_err();
        (failure.to_string(), failure.parts().1.unwrap())
    }

    #[test]
    fn every_way_of_writing_a_room_is_read() {
        let id = RoomId::from_bytes([13; 16]);
        assert_eq!("me".parse(), Ok(Where::Me));
        assert_eq!("room:me".parse(), Ok(Where::Me));
        assert_eq!("@grace".parse(), Ok(Where::Person("grace".into())));
        assert_eq!("room:@grace".parse(), Ok(Where::Person("grace".into())));
        assert_eq!(id.to_string().parse(), Ok(Where::Id(id)));
        assert_eq!("room:Team/".parse(), Ok(Where::Room("Team".into())));
        assert_eq!("R&D/Ops".parse(), Ok(Where::Name("R&D/Ops".into())));
        assert_eq!("".parse::<Where>(), Err(InvalidWhere::Empty));
        assert_eq!("room:".parse::<Where>(), Err(InvalidWhere::Empty));
        assert_eq!("@".parse::<Where>(), Err(InvalidWhere::Empty));
        assert_eq!(
            "room:Team/docs".parse::<Where>(),
            Err(InvalidWhere::Path("Team".into()))
        );
    }

    #[test]
    fn a_room_is_found_by_what_one_calls_it() {
        assert_eq!(found("me"), 10);
        assert_eq!(found("Team"), 13);
        assert_eq!(found("TEAM"), 13);
        assert_eq!(found("room:team"), 13);
        assert_eq!(found("cafe\u{301}/bar"), 18);
        assert_eq!(found("@100001"), 11);
        assert_eq!(found("amazing grace"), 11);
        assert_eq!(found("room:evil"), 12);
        assert_eq!(found(&RoomId::from_bytes([16; 16]).to_string()), 16);
    }

    #[test]
    fn nobody_gets_another_s_messages_by_taking_their_name() {
        // Eve's nickname is the username of Grace.
        assert_eq!(found("grace"), 11);
        assert_eq!(found("@grace"), 11);
    }

    #[test]
    fn a_name_that_fits_several_is_refused_with_what_to_write() {
        let (message, hint) = refused("linus");
        assert_eq!(message, "Both a group and a person are called linus");
        assert!(
            hint.contains("room:linus") && hint.contains("@linus"),
            "{hint}"
        );
        assert_eq!((found("room:linus"), found("@linus")), (14, 17));
        let (message, hint) = refused("Twins");
        assert_eq!(message, "You are in several rooms Twins");
        assert!(
            hint.contains(&RoomId::from_bytes([15; 16]).to_string()),
            "{hint}"
        );
    }

    #[test]
    fn what_is_not_there_says_why() {
        assert_eq!(refused("Nowhere").0, "You are in no room Nowhere");
        assert_eq!(refused("room:Nowhere").0, "You are in no room room:Nowhere");
        assert_eq!(
            refused("@nobody").0,
            "Nobody in your contacts is called nobody"
        );
        assert_eq!(refused("kay").0, "You asked kay, who has not accepted yet");
        assert_eq!(
            refused("room:kay").0,
            "You asked kay, who has not accepted yet"
        );
    }

    #[test]
    fn what_is_written_for_a_room_finds_it_again() {
        let directory = directory();
        for room in directory.rooms() {
            let written: Where = directory.written(room).parse().unwrap();
            assert_eq!(directory.find(&written).unwrap().id, room.id, "{written}");
        }
    }
}
