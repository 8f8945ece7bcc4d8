//! A made-up chat.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use wharf_client::chat::{
    ContactView, ContactsView, RoomView, Timeline, TimelineItem, Waiting, WaitingKind,
    WaitingState, Window,
};
use wharf_types::api::contact::{Contact, ContactGroup, ContactState, Presence, Status};
use wharf_types::api::log::{Body, Draft, Entry, EntryState, File, Mentions, Origin, Text};
use wharf_types::api::room::{History, Person, Preferences, Role, Room, RoomKind, RoomMember};
use wharf_types::{AccountId, ContactGroupId, ContentHash, EntryHash, NodeId, RoomId};

use crate::tui::effect::{Effect, Feed};
use crate::tui::model::{Link, Model};
use crate::tui::theme::Theme;
use crate::tui::view;
use crate::tui::when::Now;

/// 2026-11-20 22:13:20 UTC, a Friday.
pub(super) const NOW_MS: i64 = 1_795_212_800_000;
const MINUTE: i64 = 60_000;

/// The person at the terminal, and the others.
pub(super) const ME: u8 = 1;
pub(super) const GRACE: u8 = 2;
pub(super) const MEI: u8 = 3;

pub(super) fn account(number: u8) -> AccountId {
    AccountId::from_bytes([number; 16])
}

pub(super) fn room_id(number: u8) -> RoomId {
    RoomId::from_bytes([number; 16])
}

pub(super) fn group_id(number: u8) -> ContactGroupId {
    ContactGroupId::from_bytes([number; 16])
}

pub(super) fn person(number: u8) -> Person {
    let (username, nickname, status_text) = match number {
        ME => ("ada", "Ada", ""),
        GRACE => ("grace", "Grace Hopper", "debugging"),
        MEI => ("mei", "王小梅", "在路上"),
        _ => ("eve", "Eve\u{202e}\u{1b}[2J", "\u{7}"),
    };
    Person {
        id: account(number),
        number: 100_000 + u32::from(number),
        username: username.to_owned(),
        nickname: nickname.to_owned(),
        status_text: status_text.to_owned(),
    }
}

pub(super) fn entry(position: u64, author: u8, minutes_ago: i64, body: Body) -> Entry {
    Entry {
        position,
        at_ms: NOW_MS - minutes_ago * MINUTE,
        account: Some(account(author)),
        hook: None,
        name: None,
        origin: Origin {
            session: None,
            door: "http".to_owned(),
            address: None,
        },
        client_ms: None,
        countable: position,
        hash: EntryHash::from_bytes([0; 32]),
        body: Some(body),
        state: EntryState::default(),
    }
}

pub(super) fn said(position: u64, author: u8, minutes_ago: i64, text: &str) -> Entry {
    let text = Text {
        text: text.to_owned(),
        ..Text::default()
    };
    entry(position, author, minutes_ago, Body::Text(text))
}

pub(super) fn file(position: u64, author: u8, minutes_ago: i64, name: &str, bytes: u64) -> Entry {
    let file = File {
        node: NodeId::from_bytes([9; 16]),
        revision: 3,
        name: name.to_owned(),
        bytes,
        content: ContentHash::from_bytes([0; 32]),
        dimensions: None,
        text: String::new(),
        reply_to: None,
        mentions: Mentions::default(),
    };
    entry(position, author, minutes_ago, Body::File(file))
}

pub(super) fn item(entry: Entry) -> TimelineItem {
    TimelineItem {
        entry,
        waiting: Vec::new(),
    }
}

pub(super) fn waiting(id: i64, text: &str, state: WaitingState) -> Waiting {
    Waiting {
        id,
        room: room_id(1),
        what: WaitingKind::Draft(Draft::Text(Text {
            text: text.to_owned(),
            ..Text::default()
        })),
        at_ms: NOW_MS,
        state,
    }
}

/// A room with what was said last in it.
pub(super) fn room(number: u8, kind: RoomKind, title: &str, last: Option<Entry>) -> RoomView {
    let peer = (kind == RoomKind::Direct).then(|| person(number));
    RoomView {
        active_ms: last.as_ref().map_or(NOW_MS, |entry| entry.at_ms),
        room: Room {
            id: room_id(number),
            kind,
            name: title.to_owned(),
            topic: String::new(),
            peer,
            owner: account(ME),
            role: Role::Owner,
            can_write: true,
            member_count: 2,
            history: History::All,
            keep_days: 0,
            archived: false,
            created_ms: NOW_MS,
            joined_ms: NOW_MS,
            head: last.as_ref().map_or(0, |entry| entry.position),
            head_hash: EntryHash::from_bytes([0; 32]),
            floor: 0,
            drive_head: 0,
            read: last.as_ref().map_or(0, |entry| entry.position),
            unread: 0,
            mentions: 0,
            last,
            preferences: Preferences::default(),
        },
        title: title.to_owned(),
        waiting_count: 0,
    }
}

pub(super) fn contact(number: u8, state: ContactState, group: Option<u8>) -> ContactView {
    let person = person(number);
    ContactView {
        title: person.nickname.clone(),
        contact: Contact {
            room: (state == ContactState::Contact).then(|| room_id(number)),
            person,
            state,
            is_blocked: false,
            remark: String::new(),
            group: group.map(group_id),
            word: String::new(),
            since_ms: NOW_MS,
        },
        presence: None,
    }
}

pub(super) fn presence(number: u8, status: Status) -> Presence {
    Presence {
        account: account(number),
        status,
        seen_ms: (status == Status::Offline).then_some(NOW_MS - 90 * MINUTE),
    }
}

pub(super) fn member(number: u8, role: Role) -> RoomMember {
    RoomMember {
        person: person(number),
        role: Some(role),
        joined_ms: NOW_MS,
    }
}

pub(super) fn timeline(entries: Vec<Entry>) -> Timeline {
    Timeline {
        items: entries.into_iter().map(item).collect(),
        ..Timeline::default()
    }
}

/// A client with nothing known yet.
pub(super) fn empty(columns: u16, rows: u16) -> Model {
    let now = Now {
        ms: NOW_MS,
        zone: TimeZone::UTC,
    };
    let mut model = Model::new(Theme::new(true, false), now, account(ME));
    model.resize(columns, rows);
    model.feed(Feed::Link(Link::Live));
    model
}

/// A client of somebody with three rooms and two contacts; nothing is open.
pub(super) fn model(columns: u16, rows: u16) -> Model {
    let mut model = empty(columns, rows);
    let mut team = room(
        1,
        RoomKind::Group,
        "Team",
        Some(said(40, GRACE, 2, "ship it?")),
    );
    team.room.read = 38;
    team.room.unread = 2;
    team.room.mentions = 1;
    team.room.member_count = 3;
    team.room.topic = "the release".to_owned();
    let direct = room(
        GRACE,
        RoomKind::Direct,
        "Grace Hopper",
        Some(said(7, ME, 60 * 26, "see you **tomorrow**")),
    );
    let mei = room(
        MEI,
        RoomKind::Direct,
        "王小梅",
        Some(said(
            3,
            MEI,
            60 * 24 * 3,
            "你好，世界！今天的会议改到下午三点",
        )),
    );
    model.feed(Feed::Contacts(ContactsView {
        items: vec![
            contact(GRACE, ContactState::Contact, Some(1)),
            contact(MEI, ContactState::Contact, None),
        ],
        groups: vec![ContactGroup {
            id: group_id(1),
            name: "Work".to_owned(),
            order: 0,
        }],
    }));
    model.feed(Feed::Rooms(vec![team, direct, mei]));
    model.feed(Feed::Presence(vec![
        presence(GRACE, Status::Online),
        presence(MEI, Status::Offline),
    ]));
    model
}

/// The same with the first room open and a conversation in it.
pub(super) fn talking(columns: u16, rows: u16, entries: Vec<Entry>) -> Model {
    let mut model = model(columns, rows);
    press(&mut model, KeyCode::Enter);
    model.feed(Feed::Members(
        room_id(1),
        vec![
            member(ME, Role::Owner),
            member(GRACE, Role::Editor),
            member(MEI, Role::Editor),
        ],
    ));
    model.feed(Feed::Timeline(room_id(1), Window::Last, timeline(entries)));
    model
}

/// A conversation with something of everything.
pub(super) fn conversation() -> Vec<Entry> {
    let mut reply = said(37, ME, 5, "Yes. See `notes.md`:\n\n- tests\n- docs");
    if let Some(Body::Text(text)) = &mut reply.body {
        text.reply_to = Some(36);
    }
    let mut edited = said(38, GRACE, 4, "first words");
    edited.state.edited = Some(wharf_types::api::log::Edited {
        position: 41,
        at_ms: NOW_MS,
        text: "better words".to_owned(),
        mentions: Mentions::default(),
    });
    edited.state.reactions = [(ME, "👍"), (MEI, "👍"), (MEI, "🎉")]
        .map(|(who, emoji)| wharf_types::api::log::SetReaction {
            account: account(who),
            emoji: emoji.to_owned(),
            position: 42,
        })
        .into();
    let mut recalled = said(39, MEI, 3, "");
    recalled.body = None;
    recalled.state.recalled = Some(43);
    let mut mention = said(40, GRACE, 2, "@ada ship it?");
    if let Some(Body::Text(text)) = &mut mention.body {
        text.mentions.accounts = vec![account(ME)];
    }
    vec![
        said(
            35,
            MEI,
            60 * 25,
            "你好，世界！今天的会议改到下午三点，大家都可以吗？",
        ),
        said(36, GRACE, 6, "Are the notes done?"),
        reply,
        edited,
        recalled,
        mention,
        file(44, GRACE, 1, "plan.pdf", 1_468_006),
    ]
}

/// Presses a key.
pub(super) fn press(model: &mut Model, code: KeyCode) -> Vec<Effect> {
    model.key(KeyEvent::from(code))
}

/// Presses a key with Ctrl.
pub(super) fn ctrl(model: &mut Model, letter: char) -> Vec<Effect> {
    model.key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL))
}

/// Types a text.
pub(super) fn enter(model: &mut Model, text: &str) -> Vec<Effect> {
    let letters = text.chars();
    letters
        .flat_map(|letter| press(model, KeyCode::Char(letter)))
        .collect()
}

/// The screen as text, with `▯` where the cursor is.
pub(super) fn screen(model: &Model) -> String {
    let (columns, rows) = model.size;
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    let mut cursor = None;
    terminal
        .draw(|frame| cursor = view::screen(model, frame.buffer_mut()))
        .unwrap();
    let buffer = terminal.backend().buffer();
    let mut text = String::new();
    for y in 0..rows {
        let mut line = String::new();
        let mut skip = 0;
        for x in 0..columns {
            if skip > 0 {
                skip -= 1;
                continue;
            }
            let symbol = buffer[(x, y)].symbol();
            skip = crate::tui::text::width(symbol).saturating_sub(1);
            if cursor == Some((x, y)) {
                line.push('▯');
            } else {
                line.push_str(symbol);
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
