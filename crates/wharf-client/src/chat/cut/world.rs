//! A device over a line that is cut, another person, and the house between them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{FutureExt, SinkExt, StreamExt};
use parking_lot::Mutex;
use tempfile::TempDir;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;
use wharf_core::drive::RoomRef;
use wharf_core::live::Connection as Presence;
use wharf_core::log::Range;
use wharf_core::{Caller, Origin, Wharf};
use wharf_server::live::{Session, converse};
use wharf_testkit::server::TestServer;
use wharf_types::api::contact::AskContact;
use wharf_types::api::log::{Append, Body, Draft, Entry, LogPage, Text};
use wharf_types::api::room::Room;
use wharf_types::{DeviceId, RoomId};

use super::line::{Cut, Line, Passed};
use crate::chat::engine::{Closed, Engine, Output};
use crate::chat::event::{Connection, Event};
use crate::chat::shared::Wanted;
use crate::chat::store::{self, Durability, Meta, Run, Store};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long nothing may come before time goes by.
const IDLE: Duration = Duration::from_millis(5);
/// How much time goes by then for a device that comes to rest.
const IDLE_MS: i64 = 50;
/// What a line holds, each way.
const LINE_BYTES: usize = 1024 * 1024;

/// The line was cut, which ends a scene.
#[derive(Debug)]
pub(super) struct WasCut;

/// A person's device: the driver of the program, without its thread and its clock.
pub(super) struct Device {
    pub(super) store: Store,
    pub(super) wanted: Wanted,
    /// Its time, which others move.
    pub(super) now_ms: i64,
    engine: Engine,
    line: Option<WebSocketStream<Line>>,
    passed: Arc<Mutex<Passed>>,
    came: BTreeMap<String, usize>,
    is_live: bool,
    wharf: Arc<Wharf>,
    by: Caller,
    _folder: TempDir,
}

impl Device {
    pub(super) fn new(wharf: &Wharf, by: Caller) -> Self {
        let folder = TempDir::new().unwrap();
        Self {
            store: open_store(&folder),
            engine: Engine::new("here".to_owned(), rand::random()),
            wanted: Wanted::default(),
            now_ms: 1_790_000_000_000,
            line: None,
            passed: Arc::default(),
            came: BTreeMap::new(),
            is_live: false,
            wharf: Arc::new(wharf.clone()),
            by,
            _folder: folder,
        }
    }

    pub(super) fn caller(&self) -> Caller {
        self.by
    }

    pub(super) fn passed(&self) -> &Mutex<Passed> {
        &self.passed
    }

    /// Begins a scene, in which the line is to be cut there.
    pub(super) fn arm(&mut self, cut: Option<Cut>) {
        self.came.clear();
        self.passed.lock().arm(cut);
    }

    /// How many frames of a kind have come in the scene.
    pub(super) fn came(&self, kind: &str) -> usize {
        self.came.get(kind).copied().unwrap_or_default()
    }

    pub(super) fn hang_up(&mut self) {
        self.line = None;
        self.break_off();
    }

    fn break_off(&mut self) {
        self.line = None;
        self.engine
            .closed(&mut self.store, self.now_ms, Closed::Lost)
            .unwrap();
        self.is_live = false;
    }

    /// Does what is due.
    pub(super) async fn work(&mut self) {
        self.now_ms += 1;
        let typing = std::mem::take(&mut self.wanted.typing);
        let wanted = Wanted {
            typing,
            ..self.wanted.clone()
        };
        self.engine
            .tick(&mut self.store, self.now_ms, wanted)
            .unwrap();
        self.carry_out().await;
    }

    async fn carry_out(&mut self) {
        while let Some(output) = self.engine.output() {
            match output {
                Output::Dial => self.dial().await,
                Output::HangUp => self.line = None,
                Output::Send(frame) => self.say(serde_json::to_string(&frame).unwrap()).await,
                Output::Tell(Event::Connection(connection)) => {
                    self.is_live = connection == Connection::Live;
                }
                Output::Tell(_) | Output::Presence(_) | Output::NoPresence | Output::Typing(_) => {}
            }
        }
        if let Some(line) = &mut self.line
            && line.flush().await.is_err()
        {
            self.break_off();
        }
    }

    async fn dial(&mut self) {
        let session = Session::new(Arc::clone(&self.wharf), self.by).unwrap();
        let (near, far) = tokio::io::duplex(LINE_BYTES);
        tokio::spawn(converse(far, Bytes::new(), session));
        let near = Line::new(near, Arc::clone(&self.passed));
        let socket = WebSocketStream::from_raw_socket(near, Role::Client, None).await;
        self.line = Some(socket);
        self.engine.opened(&mut self.store, self.now_ms).unwrap();
    }

    async fn say(&mut self, text: String) {
        if let Some(line) = &mut self.line
            && line.feed(Message::text(text)).await.is_err()
        {
            // The reading side will see the end of it.
            self.line = None;
            self.break_off();
        }
    }

    /// Takes what comes. Where nothing does, says so; where nothing can, lets time go by until it is dialled again.
    async fn listen(&mut self) -> bool {
        let Some(line) = &mut self.line else {
            self.now_ms = self.now_ms.max(self.engine.next_ms());
            return true;
        };
        let Ok(mut next) = timeout(IDLE, line.next()).await else {
            return false;
        };
        // What has come with it is taken at once.
        loop {
            match next {
                Some(Ok(Message::Text(text))) => self.receive(&text).await,
                Some(Ok(_)) => self.engine.heard(self.now_ms),
                Some(Err(_)) | None => self.break_off(),
            }
            let more = self
                .line
                .as_mut()
                .and_then(|line| line.next().now_or_never());
            match more {
                Some(more) => next = more,
                None => return true,
            }
        }
    }

    async fn receive(&mut self, text: &str) {
        let frame = serde_json::from_str(text).unwrap();
        let kind = text.split('"').nth(3).unwrap_or_default();
        *self.came.entry(kind.to_owned()).or_default() += 1;
        self.engine
            .received(&mut self.store, self.now_ms, frame)
            .unwrap();
        self.carry_out().await;
    }

    /// Goes on until something holds.
    pub(super) async fn until(&mut self, what: impl Fn(&mut Self) -> bool) -> Result<(), WasCut> {
        let goes_on = async {
            loop {
                self.work().await;
                if self.passed.lock().is_cut() {
                    return Err(WasCut);
                }
                if what(self) {
                    return Ok(());
                }
                self.listen().await;
            }
        };
        let done = timeout(PATIENCE, goes_on).await;
        done.unwrap_or_else(|_| panic!("{:?} in {:?}", self.engine, self.passed))
    }

    /// Waits until so many frames of a kind have come in the scene.
    pub(super) async fn until_came(&mut self, kind: &str, count: usize) -> Result<(), WasCut> {
        self.until(|device| device.came(kind) >= count).await
    }

    /// Goes on until the device has all that the server has, and the server all that the device has. Returns how the
    /// server has the room then. The log is to be stored from `first` on.
    pub(super) async fn settle(&mut self, room: RoomId, first: u64) -> Room {
        let goes_on = async {
            loop {
                if self
                    .line
                    .as_ref()
                    .is_some_and(|line| line.get_ref().is_cut())
                {
                    self.break_off();
                }
                self.work().await;
                if self.has_nothing_to_say(room, first)
                    && let Some(room) = self.has_everything(room).await
                {
                    return room;
                }
                if !self.listen().await {
                    self.now_ms += IDLE_MS;
                }
            }
        };
        let done = timeout(PATIENCE, goes_on).await;
        done.unwrap_or_else(|_| panic!("no rest: {:?}", self.engine))
    }

    /// Whether all that it was to say was said, and the log is stored from `first` on.
    fn has_nothing_to_say(&mut self, room: RoomId, first: u64) -> bool {
        let is_live = self.is_live;
        let read = self.store.read(|tx| {
            let is_sent = store::outbox::unanswered_count(tx)? == 0;
            let is_read = store::reading::unsaid_reads(tx)?.is_empty();
            let run = Run::read(tx, room)?;
            let is_whole = run.is_some_and(|run| !run.has_gap() && run.first <= first);
            Ok(is_live && is_sent && is_read && is_whole)
        });
        read.unwrap()
    }

    async fn has_everything(&mut self, room: RoomId) -> Option<Room> {
        let (run, meta) = self
            .store
            .read(|tx| Ok((Run::read(tx, room)?.unwrap(), Meta::read(tx)?)))
            .unwrap();
        let view = self
            .wharf
            .rooms()
            .get(&self.by, RoomRef::Id(room))
            .await
            .unwrap();
        let list = self.wharf.rooms().changes(&self.by, meta.account_version);
        let is_there = view.head == run.tail && list.await.unwrap().items.is_empty();
        is_there.then_some(view)
    }

    /// The last entry that is stored.
    pub(super) fn tail(&mut self, room: RoomId) -> u64 {
        let run = self.store.read(|tx| Run::read(tx, room)).unwrap();
        run.map_or(0, |run| run.tail)
    }

    /// The entries past a position, up to another one.
    fn entries(&mut self, room: RoomId, after: u64, to: u64) -> Vec<Entry> {
        let entries = self.store.read(|tx| {
            let run = Run::read(tx, room)?.unwrap();
            let mut entries = Vec::new();
            for position in run.first.max(after + 1)..=run.tail.min(to) {
                entries.extend(store::query::entry(tx, room, position)?);
            }
            Ok(entries)
        });
        entries.unwrap()
    }
}

fn open_store(folder: &TempDir) -> Store {
    let path = folder.path().join("store");
    let device = DeviceId::from_bytes(rand::random());
    Store::open(&path, Durability::Never, device).unwrap()
}

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
    /// What either said in the scene, in order.
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
        let mut world = Self {
            device: Device::new(&wharf, by),
            other: Other {
                by: other,
                connection,
            },
            wharf,
            room: contact.room.unwrap(),
            said: Vec::new(),
            others_said: Vec::new(),
            said_count: 0,
            begin: 0,
            title: String::new(),
        };
        let room = world.room;
        let is_known = |device: &mut Device| device.is_live && device.has_nothing_to_say(room, 1);
        world.device.until(is_known).await.unwrap();
        world.device.settle(world.room, 1).await;
        world
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
        let append = Append {
            device: DeviceId::from_bytes(rand::random()),
            number: 1,
            draft: draft(text),
            client_ms: None,
        };
        let room = RoomRef::Id(self.room);
        let appended = self.wharf.logs().append(&self.other.by, room, append);
        appended.await.unwrap().position
    }

    /// Compares the device with the house, which has the room so: entries, their states and order, what was said, and the
    /// counts.
    pub(super) async fn compare(&mut self, real: &Room) {
        let entries = self.compare_after(self.begin).await;
        for (by, said) in [
            (self.device.by, &self.said),
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

    /// Compares all entries past a position, and returns them.
    pub(super) async fn compare_after(&mut self, after: u64) -> Vec<Entry> {
        let page = self.page(after).await;
        let positions: Vec<_> = page.items.iter().map(|entry| entry.position).collect();
        let dense: Vec<_> = (after + 1..=page.head).take(positions.len()).collect();
        assert_eq!(positions, dense, "{}: positions are dense", self.title);
        let last = positions.last().copied().unwrap_or(after);
        let stored = self.device.entries(self.room, after, last);
        let stored: Vec<_> = stored.into_iter().map(public).collect();
        let real: Vec<_> = page.items.into_iter().map(public).collect();
        assert_eq!(
            stored, real,
            "{}: the device has what the house has",
            self.title
        );
        real
    }

    /// Compares all that is stored of the log.
    pub(super) async fn compare_all(&mut self) {
        let room = self.room;
        let run = self.device.store.read(|tx| Run::read(tx, room));
        let mut after = run.unwrap().unwrap().first - 1;
        while let Some(last) = self.compare_after(after).await.last() {
            after = last.position;
        }
        assert_eq!(after, self.device.tail(self.room), "all of it");
    }

    async fn page(&mut self, after: u64) -> LogPage {
        let room = RoomRef::Id(self.room);
        let page = self
            .wharf
            .logs()
            .page(&self.device.by, room, Range::After(after), Some(1000));
        page.await.unwrap()
    }
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
