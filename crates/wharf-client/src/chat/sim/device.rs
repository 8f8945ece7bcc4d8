//! A device: a process with an engine, a store, and a line that is not to be relied on.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;
use wharf_types::api::live::{ClientFrame, ServerFrame};
use wharf_types::api::log::{Draft, Edit, Entry, Mentions, Pin, Reaction, Recall, Text};
use wharf_types::{AccountId, DeviceId, RoomId};

use super::{Random, Server};
use crate::chat::engine::{Closed, Engine, Output};
use crate::chat::shared::Wanted;
use crate::chat::store::{self, Store};
use crate::chat::view::{RoomView, WaitingKind, WaitingState, Window};
use crate::database::Durability;

/// A process and its machine.
pub(super) struct Device {
    pub(super) account: AccountId,
    folder: Arc<TempDir>,
    name: String,
    store: Store,
    engine: Engine,
    line: Option<Line>,
    backup: Option<PathBuf>,
    /// What was written since the backup.
    since_backup: Vec<String>,
    /// What was taken back.
    pub(super) given_up: Vec<String>,
}

/// A line, with what travels on it. Nothing overtakes; all of it is lost in a cut.
struct Line {
    conn: u64,
    up: VecDeque<ClientFrame>,
    down: VecDeque<ServerFrame>,
}

impl Device {
    pub(super) fn new(account: AccountId, random: u64) -> Self {
        let folder = Arc::new(TempDir::new().unwrap());
        Self::open(account, folder, "0".to_owned(), random)
    }

    fn open(account: AccountId, folder: Arc<TempDir>, name: String, random: u64) -> Self {
        let path = folder.path().join(&name);
        Self {
            account,
            store: open_store(&path, random),
            engine: Engine::new(format!("{random:x}"), random),
            folder,
            name,
            line: None,
            backup: None,
            since_backup: Vec::new(),
            given_up: Vec::new(),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join(&self.name)
    }

    /// Some frames travel, and what is due is done.
    pub(super) fn work(
        &mut self,
        server: &mut impl Server,
        random: &mut Random,
        now_ms: i64,
        is_quiet: bool,
    ) {
        self.engine
            .tick(&mut self.store, now_ms, Wanted::default())
            .unwrap();
        self.carry_out(server, random, now_ms, is_quiet);
        for _ in 0..random.below(6) {
            let Some(line) = &mut self.line else { return };
            line.down.extend(server.take(line.conn));
            if random.chance(500) {
                if let Some(frame) = line.up.pop_front() {
                    server.receive(line.conn, frame, now_ms, random);
                }
            } else if let Some(frame) = line.down.pop_front() {
                self.engine
                    .received(&mut self.store, now_ms, frame)
                    .unwrap();
                self.carry_out(server, random, now_ms, is_quiet);
            }
        }
    }

    fn carry_out(
        &mut self,
        server: &mut impl Server,
        random: &mut Random,
        now_ms: i64,
        is_quiet: bool,
    ) {
        while let Some(output) = self.engine.output() {
            match output {
                Output::Dial if is_quiet || random.chance(800) => {
                    self.line = Some(Line {
                        conn: server.connect(self.account),
                        up: VecDeque::new(),
                        down: VecDeque::new(),
                    });
                    self.engine.opened(&mut self.store, now_ms).unwrap();
                }
                Output::Dial => {
                    self.engine
                        .closed(&mut self.store, now_ms, Closed::Lost)
                        .unwrap();
                }
                Output::Send(frame) => {
                    if let Some(line) = &mut self.line {
                        line.up.push_back(frame);
                    }
                }
                Output::HangUp => self.hang_up(server, random, now_ms),
                Output::Tell(_) | Output::Presence(_) | Output::NoPresence | Output::Typing(_) => {}
            }
        }
    }

    /// The line is gone. The server may still get what was on the way, and act on it, in its own time: before, or long
    /// after the next line is there. Here it gets some of it at once.
    fn hang_up(&mut self, server: &mut impl Server, random: &mut Random, now_ms: i64) {
        if let Some(mut line) = self.line.take() {
            for _ in 0..random.index(line.up.len() + 1) {
                if let Some(frame) = line.up.pop_front() {
                    server.receive(line.conn, frame, now_ms, random);
                }
            }
            server.disconnect(line.conn);
        }
    }

    pub(super) fn cut(&mut self, server: &mut impl Server, random: &mut Random, now_ms: i64) {
        if self.line.is_some() {
            self.hang_up(server, random, now_ms);
            self.engine
                .closed(&mut self.store, now_ms, Closed::Lost)
                .unwrap();
        }
    }

    /// A person does something; returns the token of a text that must be there in the end, unless it may be lost.
    pub(super) fn act(
        &mut self,
        room: RoomId,
        number: usize,
        others: &[AccountId],
        random: &mut Random,
        now_ms: i64,
    ) -> Option<(String, bool)> {
        let tail = self
            .store
            .read(|tx| store::Run::read(tx, room))
            .unwrap()
            .map_or(0, |run| run.tail);
        let target = 1 + random.below(tail.max(1));
        let draft = match random.below(12) {
            0..=5 => {
                let token = format!("text {number}");
                let mentions = Mentions {
                    accounts: others
                        .iter()
                        .filter(|_| random.chance(200))
                        .copied()
                        .collect(),
                    everybody: random.chance(50),
                };
                let text = Text {
                    text: token.clone(),
                    reply_to: None,
                    mentions,
                };
                self.enqueue(room, &Draft::Text(text), now_ms);
                self.since_backup.push(token.clone());
                return Some((token, false));
            }
            6 => Draft::Edit(Edit {
                target,
                text: format!("edit {}", random.below(1000)),
                mentions: Mentions {
                    accounts: others
                        .iter()
                        .filter(|_| random.chance(300))
                        .copied()
                        .collect(),
                    everybody: false,
                },
            }),
            7 if random.chance(300) => Draft::Recall(Recall { target }),
            7 | 8 => Draft::Reaction(Reaction {
                target,
                emoji: ["a", "b"][random.index(2)].to_owned(),
                is_set: random.chance(600),
            }),
            9 => Draft::Pin(Pin {
                target,
                is_set: random.chance(600),
            }),
            10 => {
                let position = random.below(tail + 1);
                self.store
                    .change(|tx| store::reading::mark_read(tx, room, position))
                    .unwrap();
                return None;
            }
            _ => {
                self.take_back(room, now_ms);
                return None;
            }
        };
        self.enqueue(room, &draft, now_ms);
        None
    }

    /// A person writes a text.
    pub(super) fn say(&mut self, room: RoomId, text: &str, now_ms: i64) {
        let text = Text {
            text: text.to_owned(),
            reply_to: None,
            mentions: Mentions::default(),
        };
        self.enqueue(room, &Draft::Text(text), now_ms);
    }

    fn enqueue(&mut self, room: RoomId, draft: &Draft, now_ms: i64) {
        self.store
            .change(|tx| store::outbox::enqueue(tx, room, draft, now_ms))
            .unwrap();
    }

    /// Takes back the last thing that waits, if it is not too late.
    fn take_back(&mut self, room: RoomId, now_ms: i64) {
        let timeline = self
            .store
            .read(|tx| store::query::timeline(tx, room, Window::Last, 1))
            .unwrap();
        let Some(last) = timeline.waiting.last() else {
            return;
        };
        let is_waiting = last.state == WaitingState::Waiting;
        let WaitingKind::Draft(Draft::Text(text)) = &last.what else {
            return;
        };
        let id = last.id;
        if is_waiting
            && self
                .store
                .change(|tx| store::outbox::withdraw(tx, id, now_ms))
                .is_ok()
        {
            self.given_up.push(text.text.clone());
        }
    }

    /// The process dies and is started again. What it had begun to say is lost on the way.
    pub(super) fn crash(&mut self, server: &mut impl Server, random: u64) {
        if let Some(line) = self.line.take() {
            server.disconnect(line.conn);
        }
        let path = self.path();
        self.store = open_store(&path, random);
        self.engine = Engine::new(format!("{random:x}"), random);
    }

    pub(super) fn back_up(&mut self) {
        let path = self.folder.path().join(fresh_name());
        self.copy_store(&path);
        self.backup = Some(path);
        self.since_backup.clear();
    }

    /// The machine comes back from a backup; returns what was written since, and may be lost.
    pub(super) fn restore(&mut self, server: &mut impl Server, random: u64) -> Vec<String> {
        let Some(backup) = self.backup.clone() else {
            return Vec::new();
        };
        if let Some(line) = self.line.take() {
            server.disconnect(line.conn);
        }
        self.name = fresh_name();
        std::fs::copy(&backup, self.path()).unwrap();
        let path = self.path();
        self.store = open_store(&path, random);
        self.engine = Engine::new(format!("{random:x}"), random);
        std::mem::take(&mut self.since_backup)
    }

    /// Another machine with a copy of this one's files.
    pub(super) fn copy(&mut self, random: u64) -> Self {
        let name = fresh_name();
        self.copy_store(&self.folder.path().join(&name));
        Self::open(self.account, Arc::clone(&self.folder), name, random)
    }

    /// Another process on the same store.
    pub(super) fn another_process(&mut self, random: u64) -> Self {
        Self::open(
            self.account,
            Arc::clone(&self.folder),
            self.name.clone(),
            random,
        )
    }

    fn copy_store(&self, to: &Path) {
        self.store.copy(to).unwrap();
    }

    /// Nothing is left to be said on either side.
    pub(super) fn is_at_rest(&mut self) -> bool {
        let waiting = self
            .store
            .read(|tx| store::outbox::unanswered_count(tx))
            .unwrap();
        let unsaid = self
            .store
            .read(|tx| store::reading::unsaid_reads(tx))
            .unwrap();
        let is_line_quiet = self
            .line
            .as_ref()
            .is_some_and(|line| line.up.is_empty() && line.down.is_empty());
        waiting == 0 && unsaid.is_empty() && is_line_quiet && self.engine.is_open()
    }

    pub(super) fn describe(&mut self) -> String {
        let waiting = self
            .store
            .read(|tx| store::outbox::unanswered_count(tx))
            .unwrap();
        let unsaid = self
            .store
            .read(|tx| store::reading::unsaid_reads(tx))
            .unwrap();
        let line = self
            .line
            .as_ref()
            .map(|line| (line.up.len(), line.down.len()));
        format!(
            "waiting {waiting}, unsaid {unsaid:?}, line {line:?}, {:?}",
            self.engine
        )
    }

    /// The entries of a room that are stored, and whether they are to be all.
    pub(super) fn stored(&mut self, room: RoomId) -> (Vec<Entry>, bool) {
        let engine = format!("{:?}", self.engine);
        self.store
            .read(|tx| {
                let run = store::Run::read(tx, room)?.unwrap();
                let mut entries = Vec::new();
                for position in run.first..=run.tail {
                    entries.extend(store::query::entry(tx, room, position)?);
                }
                assert_eq!(entries.len() as u64, run.len(), "a hole");
                assert!(!run.has_gap(), "a gap was not read: {run:?}, {engine}");
                Ok((entries, false))
            })
            .unwrap()
    }

    /// Whether a part of a room's log was passed over and is still to be read.
    pub(super) fn has_gap(&mut self, room: RoomId) -> bool {
        let run = self.store.read(|tx| store::Run::read(tx, room)).unwrap();
        run.is_some_and(|run| run.has_gap())
    }

    pub(super) fn view(&mut self, room: RoomId) -> Option<RoomView> {
        self.store.read(|tx| store::query::room(tx, room)).unwrap()
    }
}

/// The name of a file that is not there yet. What follows from the seed does not depend on it.
fn fresh_name() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed).to_string()
}

fn open_store(path: &Path, random: u64) -> Store {
    let mut device = [0; 16];
    device[..8].copy_from_slice(&random.to_le_bytes());
    Store::open(path, Durability::Never, DeviceId::from_bytes(device)).unwrap()
}
