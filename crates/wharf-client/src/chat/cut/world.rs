//! A device over a line that is cut, another person, and the house between them.

use wharf_core::drive::RoomRef;
use wharf_core::live::Connection as Presence;
use wharf_core::log::Range;
use wharf_core::{Caller, Origin, Wharf};
use wharf_testkit::server::TestServer;
use wharf_types::api::contact::AskContact;
use wharf_types::api::log::{Append, Body, Draft, Entry, LogPage, Text};
use wharf_types::api::room::{CreateLink, CreateRoom, History, JoinRoom, Room};
use wharf_types::{DeviceId, RoomId};

use super::device::Device;
use super::scene::Scene;
use crate::chat::store::{self, Run};

/// How many of the group's last entries are compared after each scene.
const GROUP_ENTRIES_COMPARED: u64 = 20;

/// The other person.
pub(super) struct Other {
    pub(super) by: Caller,
    /// Where the person types.
    pub(super) connection: Presence,
}

/// A device, another person and their room.
pub(super) struct World {
    pub(super) device: Device,
    pub(super) other: Other,
    pub(super) wharf: Wharf,
    pub(super) room: RoomId,
    /// A group of the other person's, which shows who joins what comes from then on.
    pub(super) group: RoomId,
    /// What either said in the room in the scene, in order.
    said: Vec<String>,
    others_said: Vec<String>,
    said_count: u32,
    /// Where the log stood when the scene began.
    pub(super) begin: u64,
    /// What is played, for whoever reads of a failure.
    title: String,
}

impl World {
    pub(super) async fn new(server: &TestServer, name: &str) -> Self {
        let wharf = server.wharf().clone();
        let mut people = Vec::new();
        for person in ["a", "b"] {
            let (person, _) = server.member(&format!("{person}{name}")).await;
            let authenticated = wharf
                .accounts()
                .authenticate(&person.token, Origin::internal());
            people.push((person.account, authenticated.await.unwrap()));
        }
        let [(ada, by), (bob, other)] = people.try_into().unwrap();
        let ask = AskContact {
            who: bob.username,
            word: String::new(),
        };
        wharf.contacts().ask(&by, ask).await.unwrap();
        let contact = wharf.contacts().accept(&other, ada.id).await.unwrap();
        let connection = wharf.live().connect(&other).unwrap();
        let group = group_of_both(&wharf, &other, &by).await;
        let mut world = Self {
            device: Device::new(&wharf, by),
            other: Other {
                by: other,
                connection,
            },
            wharf,
            group,
            room: contact.room.unwrap(),
            said: Vec::new(),
            others_said: Vec::new(),
            said_count: 0,
            begin: 0,
            title: String::new(),
        };
        let rooms = world.rooms();
        let is_known = |device: &mut Device| device.is_live && device.has_nothing_to_say(&rooms);
        world.device.until(is_known).await.unwrap();
        world.device.settle(&rooms).await;
        world
    }

    /// The rooms, and from where on their logs are to be stored at rest.
    fn rooms(&self) -> [(RoomId, u64); 2] {
        [(self.room, self.begin + 1), (self.group, u64::MAX)]
    }

    /// Lets everything that a scene is about come to rest; returns how the server has the room then.
    pub(super) async fn settle(&mut self, scene: Scene) -> Room {
        let rooms = self.rooms();
        let rooms = if scene.is_in_group() {
            &rooms[..]
        } else {
            &rooms[..1]
        };
        self.device.settle(rooms).await
    }

    /// Remembers where the log stands.
    pub(super) fn begin(&mut self, title: String) {
        self.title = title;
        self.said.clear();
        self.others_said.clear();
        self.begin = self.device.tail(self.room);
    }

    fn next_text(&mut self) -> String {
        self.said_count += 1;
        format!("{:07}", self.said_count)
    }

    /// The device's person writes something.
    pub(super) fn say(&mut self) {
        let text = self.next_text();
        self.said.push(text.clone());
        self.write(&draft(text));
    }

    /// The text that was said last is not to be there in the end: it is taken back.
    pub(super) fn forget_last(&mut self) {
        self.said.pop();
    }

    pub(super) fn write(&mut self, draft: &Draft) {
        let (room, now_ms) = (self.room, self.device.now_ms);
        self.device
            .store
            .change(|tx| store::outbox::enqueue(tx, room, draft, now_ms))
            .unwrap();
    }

    /// The other person says something; returns its position.
    pub(super) async fn other_says(&mut self) -> u64 {
        let text = self.next_text();
        self.others_said.push(text.clone());
        self.append(self.other.by, self.room, text).await
    }

    /// The device's person says something on another device; returns its position.
    pub(super) async fn says_elsewhere(&mut self) -> u64 {
        let text = self.next_text();
        self.said.push(text.clone());
        self.append(self.device.caller(), self.room, text).await
    }

    async fn append(&mut self, by: Caller, room: RoomId, text: String) -> u64 {
        let append = Append {
            device: DeviceId::from_bytes(rand::random()),
            number: 1,
            draft: draft(text),
            client_ms: None,
        };
        let appended = self.wharf.logs().append(&by, RoomRef::Id(room), append);
        appended.await.unwrap().position
    }

    /// Compares the device with the house, which has the room so: entries, their states and order, what was said, and the
    /// counts.
    pub(super) async fn compare(&mut self, real: &Room) {
        let entries = self.compare_after(self.room, self.begin).await;
        for (by, said) in [
            (self.device.caller(), &self.said),
            (self.other.by, &self.others_said),
        ] {
            let author = Some(by.account().unwrap());
            let texts = entries.iter().filter(|entry| entry.account == author);
            let texts: Vec<_> = texts.filter_map(original_text).collect();
            assert_eq!(texts, *said, "{}: each once, in order", self.title);
        }
        let id = self.room;
        let view = self.device.store.read(|tx| store::query::room(tx, id));
        let stored = view.unwrap().unwrap().room;
        let counts = |room: &Room| (room.read, room.unread, room.mentions);
        assert_eq!(
            counts(&stored),
            counts(real),
            "{}: read, unread, mentions",
            self.title
        );
    }

    /// Compares what is stored of the group's last entries, which is what came since the person joined, or was missed since.
    pub(super) async fn compare_group(&mut self) {
        let group = self.group;
        let run = self.device.store.read(|tx| Run::read(tx, group));
        let run = run.unwrap().unwrap();
        let recent = run.tail.saturating_sub(GROUP_ENTRIES_COMPARED);
        self.compare_after(group, recent.max(run.first - 1)).await;
    }

    /// Compares all entries of a room past a position, and returns them.
    async fn compare_after(&mut self, room: RoomId, after: u64) -> Vec<Entry> {
        let page = self.page(room, after).await;
        let positions: Vec<_> = page.items.iter().map(|entry| entry.position).collect();
        let dense: Vec<_> = (after + 1..=page.head).take(positions.len()).collect();
        assert_eq!(positions, dense, "{}: positions are dense", self.title);
        let last = positions.last().copied().unwrap_or(after);
        let stored = self.device.entries(room, after, last);
        let stored: Vec<_> = stored.into_iter().map(public).collect();
        let real: Vec<_> = page.items.into_iter().map(public).collect();
        assert_eq!(
            stored, real,
            "{}: the device has what the house has",
            self.title
        );
        real
    }

    /// Compares all that is stored of the logs.
    pub(super) async fn compare_all(&mut self) {
        for room in [self.room, self.group] {
            let run = self.device.store.read(|tx| Run::read(tx, room));
            let mut after = run.unwrap().unwrap().first - 1;
            while let Some(last) = self.compare_after(room, after).await.last() {
                after = last.position;
            }
            assert_eq!(after, self.device.tail(room), "all of it");
        }
    }

    async fn page(&mut self, room: RoomId, after: u64) -> LogPage {
        let logs = self.wharf.logs();
        let by = self.device.caller();
        let page = logs.page(&by, RoomRef::Id(room), Range::After(after), Some(1000));
        page.await.unwrap()
    }
}

/// A group of one person's that another one has joined.
async fn group_of_both(wharf: &Wharf, owner: &Caller, member: &Caller) -> RoomId {
    let create = CreateRoom {
        id: None,
        name: "group".to_owned(),
        topic: String::new(),
        history: History::Joined,
        invite: Vec::new(),
    };
    let rooms = wharf.rooms();
    let group = rooms.create(owner, create).await.unwrap().id;
    let link = CreateLink {
        role: None,
        uses: None,
        expires_seconds: None,
    };
    let link = rooms.create_link(owner, RoomRef::Id(group), link).await;
    let code = link.unwrap().code.unwrap();
    rooms.join(member, JoinRoom { code }).await.unwrap();
    group
}

/// The author alone is told the address.
fn public(mut entry: Entry) -> Entry {
    entry.origin.address = None;
    entry
}

fn draft(text: String) -> Draft {
    Draft::Text(Text {
        text,
        ..Text::default()
    })
}

/// What it said at first; nothing where it was taken back.
fn original_text(entry: &Entry) -> Option<&str> {
    match &entry.body {
        Some(Body::Text(text)) => Some(text.text.as_str()),
        _ => None,
    }
}
