//! What the people of the demonstration are called, and what they did: a small boat club, and a year of it.

mod drives;
mod journal;
mod talk;

use super::draw::Scene;

/// Somebody who has an account.
pub(super) struct Person {
    pub(super) username: &'static str,
    pub(super) nickname: &'static str,
    pub(super) says: &'static str,
    /// The first person's group for this one.
    pub(super) group: Option<&'static str>,
    /// The first person's own name for this one.
    pub(super) remark: &'static str,
}

/// A group room.
pub(super) struct Group {
    pub(super) name: &'static str,
    pub(super) topic: &'static str,
    /// The owner comes first.
    pub(super) members: &'static [usize],
    pub(super) days_ago: i64,
}

/// When something happened.
#[derive(Debug, Clone, Copy)]
pub(super) enum When {
    /// So many days before today, at this hour and minute.
    Day(i64, i64, i64),
    /// On this day so many years ago, at this hour and minute.
    Years(i64, i64, i64),
    /// So many minutes ago.
    Ago(i64),
}

/// Where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// In the personal room of who did it.
    Home,
    /// In a group.
    In(usize),
    /// In the direct room with somebody.
    With(usize),
}

/// With what somebody writes their journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Desk {
    Laptop,
    Phone,
    /// A box aboard, over UDP.
    Boat,
}

/// What somebody did. Texts are counted from the last one of the room backwards, from 0.
#[derive(Debug, Clone, Copy)]
pub(super) enum Deed {
    Say(&'static str),
    Reply(usize, &'static str),
    React(usize, &'static str),
    Edit(usize, &'static str),
    Pin(usize),
    /// Hands over a file of the drive, with some words.
    Share(&'static str, &'static str),
    /// Writes a journal.
    Note(Desk, &'static str),
    Put(&'static str, Content),
    Folder(&'static str),
    Rename(&'static str, &'static str),
    Remove(&'static str),
    Tag(&'static str, &'static [&'static str]),
    /// Has seen all there is.
    Read,
}

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Content {
    Text(&'static str),
    Jpeg(Scene),
    Png(Scene),
    Pdf(&'static [&'static [&'static str]]),
    Bell,
}

/// One thing that happened.
pub(super) struct Event(
    pub(super) When,
    pub(super) usize,
    pub(super) Place,
    pub(super) Deed,
);

pub(super) const PEOPLE: [Person; 8] = [
    person("mara", "Mara", "At the harbour until Sunday", None, ""),
    person(
        "jonas",
        "Jonas",
        "Varnish on everything",
        Some("Boat club"),
        "",
    ),
    person(
        "ines",
        "Ines",
        "Counting buoys",
        Some("Boat club"),
        "Ines (regatta)",
    ),
    person("theo", "Theo", "", Some("Family"), "Theo, my brother"),
    person("lena", "Lena", "Alto, second row", Some("Friends"), ""),
    person(
        "amir",
        "Amir",
        "It works on my machine",
        Some("Friends"),
        "",
    ),
    person("mei", "Mei 美", "在路上", Some("Boat club"), ""),
    person("paula", "Paula", "", None, ""),
];

const fn person(
    username: &'static str,
    nickname: &'static str,
    says: &'static str,
    group: Option<&'static str>,
    remark: &'static str,
) -> Person {
    Person {
        username,
        nickname,
        says,
        group,
        remark,
    }
}

pub(super) const MARA: usize = 0;
pub(super) const JONAS: usize = 1;
pub(super) const INES: usize = 2;
pub(super) const THEO: usize = 3;
pub(super) const LENA: usize = 4;
pub(super) const AMIR: usize = 5;
pub(super) const MEI: usize = 6;

/// Who asked the first person to be a contact and waits, and with what words.
pub(super) const ASKING: (usize, &str) = (
    7,
    "Hello, it is Paula from the fuel jetty. Shall we share the tide table?",
);

pub(super) const GROUPS: [Group; 5] = [
    Group {
        name: "Boat club",
        topic: "Moorings, keys, and who brings the cake",
        members: &[MARA, JONAS, INES, THEO, LENA, AMIR, MEI],
        days_ago: 60,
    },
    Group {
        name: "Autumn regatta",
        topic: "First start at ten, whatever the forecast says",
        members: &[INES, MARA, JONAS, MEI],
        days_ago: 30,
    },
    Group {
        name: "Website",
        topic: "The club's page, without a build step",
        members: &[AMIR, MARA, THEO, MEI],
        days_ago: 21,
    },
    Group {
        name: "Island trip",
        topic: "Three boats, four days, one tent too few",
        members: &[JONAS, MARA, INES, THEO],
        days_ago: 90,
    },
    Group {
        name: "Choir on Tuesdays",
        topic: "Scores and lifts",
        members: &[LENA, MEI],
        days_ago: 15,
    },
];

/// The group that is over, and the one that the first person is invited to.
pub(super) const ARCHIVED: usize = 3;
pub(super) const INVITING: usize = 4;

pub(super) const CLUB: Place = Place::In(0);
pub(super) const REGATTA: Place = Place::In(1);
pub(super) const SITE: Place = Place::In(2);
pub(super) const TRIP: Place = Place::In(3);
pub(super) const CHOIR: Place = Place::In(4);

/// Everything that happened. It need not be in order.
pub(super) fn events() -> Vec<Event> {
    [
        drives::DRIVES,
        talk::ISLAND_TALK,
        talk::CLUB_TALK,
        talk::REGATTA_TALK,
        talk::SITE_TALK,
        talk::DIRECT,
        journal::JOURNAL,
    ]
    .into_iter()
    .flatten()
    .map(|(when, who, place, deed)| Event(*when, *who, *place, *deed))
    .collect()
}

/// When, who, where and what.
type Line = (When, usize, Place, Deed);
