//! A device over a line that is cut.

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
use wharf_core::{Caller, Wharf};
use wharf_server::live::{Session, converse};
use wharf_types::api::log::Entry;
use wharf_types::api::room::Room;
use wharf_types::{DeviceId, RoomId};

use super::line::{Cut, Line, Passed};
use crate::chat::engine::{Closed, Engine, Output, is_wanted};
use crate::chat::event::{Connection, Event};
use crate::chat::shared::Wanted;
use crate::chat::store::{self, Meta, Run, Store};
use crate::database::Durability;

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
    pub(super) is_live: bool,
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
            // Others have their turn, who may have to end what can only fail.
            tokio::task::yield_now().await;
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
    /// server has the first of the rooms then. Their logs are to be stored from these positions on.
    pub(super) async fn settle(&mut self, rooms: &[(RoomId, u64)]) -> Room {
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
                if self.has_nothing_to_say(rooms)
                    && let Some(room) = self.has_everything(rooms).await
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

    /// Whether all that it was to say was said, and the logs are stored from these positions on.
    pub(super) fn has_nothing_to_say(&mut self, rooms: &[(RoomId, u64)]) -> bool {
        let is_live = self.is_live;
        let read = self.store.read(|tx| {
            let is_sent = store::outbox::unanswered_count(tx)? == 0;
            let is_read = store::reading::unsaid_reads(tx)?.is_empty();
            let mut is_whole = true;
            for (room, first) in rooms {
                let run = Run::read(tx, *room)?;
                is_whole &= run.is_some_and(|run| !is_wanted(&run) && run.first <= *first);
            }
            Ok(is_live && is_sent && is_read && is_whole)
        });
        read.unwrap()
    }

    /// How the server has the first of the rooms, if what is stored is all that it has.
    async fn has_everything(&mut self, rooms: &[(RoomId, u64)]) -> Option<Room> {
        let mut first = None;
        for (room, _) in rooms {
            let view = self.wharf.rooms().get(&self.by, RoomRef::Id(*room));
            let view = view.await.unwrap();
            if view.head != self.tail(*room) {
                return None;
            }
            first = first.or(Some(view));
        }
        let meta = self.store.read(|tx| Meta::read(tx)).unwrap();
        let list = self.wharf.rooms().changes(&self.by, meta.account_version);
        let list = list.await.unwrap();
        first.filter(|_| list.items.is_empty())
    }

    /// The last entry that is stored.
    pub(super) fn tail(&mut self, room: RoomId) -> u64 {
        let run = self.store.read(|tx| Run::read(tx, room)).unwrap();
        run.map_or(0, |run| run.tail)
    }

    /// The entries past a position, up to another one.
    pub(super) fn entries(&mut self, room: RoomId, after: u64, to: u64) -> Vec<Entry> {
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
