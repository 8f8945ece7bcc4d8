//! What the desk has passed, brought to the house in batches: one transaction, one fsync, many answers.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use wharf_core::Wharf;
use wharf_core::journal::{DiaryFilter, DiaryLine, DiaryRoom, DiaryWrite, Fallback, SaveOutcome};
use wharf_wire::gateway::diary::{Condition, line, newest, origin, page};
use wharf_wire::gateway::journal::Answer;

use super::desk::{Asked, Diary, Pending, Tell};
use super::socket::send;
use super::{DiaryOptions, map};
use crate::gateway::Counters;

/// Most entries in one transaction.
const SAVES_AT_ONCE: usize = 512;
const DIARY_AT_ONCE: usize = 256;

/// Saves what keys have proved to be theirs.
pub(super) struct SaveWorker {
    waiting: mpsc::Receiver<Pending>,
    socket: Arc<UdpSocket>,
    wharf: Wharf,
    counters: Arc<Counters>,
}

impl SaveWorker {
    pub(super) const fn new(
        waiting: mpsc::Receiver<Pending>,
        socket: Arc<UdpSocket>,
        wharf: Wharf,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            waiting,
            socket,
            wharf,
            counters,
        }
    }

    /// Works until the queue ends.
    pub(super) async fn run(mut self) {
        let mut batch = Vec::new();
        while self.waiting.recv_many(&mut batch, SAVES_AT_ONCE).await > 0 {
            let saves = batch.iter().map(|pending| pending.save.clone()).collect();
            match self.wharf.journal().save(saves).await {
                Ok(outcomes) => {
                    for (pending, outcome) in batch.drain(..).zip(outcomes) {
                        self.tell(&pending, Some(&outcome));
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, entries = batch.len(), "the journal could not be written");
                    for pending in batch.drain(..) {
                        self.tell(&pending, None);
                    }
                }
            }
        }
    }

    fn tell(&self, pending: &Pending, outcome: Option<&SaveOutcome>) {
        let reply = match &pending.tell {
            Tell::Line { bytes_max } => outcome
                .map_or(Answer::Later, |outcome| {
                    map::answer_of(outcome, &pending.save.text)
                })
                .render(*bytes_max)
                .map(String::into_bytes),
            Tell::Ack { key, entry } => {
                let ack = outcome.map_or_else(
                    || map::later(*entry),
                    |outcome| map::ack_of(*entry, outcome),
                );
                Some(key.acknowledge(&ack))
            }
        };
        if let Some(reply) = reply {
            send(&self.socket, &self.counters, pending.from, &reply);
        }
    }
}

/// Answers diary clients, each datagram after those before it.
pub(super) struct DiaryWorker {
    waiting: mpsc::Receiver<Diary>,
    socket: Arc<UdpSocket>,
    wharf: Wharf,
    fallback: Option<Fallback>,
    counters: Arc<Counters>,
}

/// The rooms of the addresses of one batch, and the entries that wait to be written to one of them.
#[derive(Default)]
struct Batch {
    rooms: HashMap<IpAddr, Option<DiaryRoom>>,
    entries: Option<(DiaryRoom, Vec<DiaryWrite>)>,
}

impl DiaryWorker {
    pub(super) fn new(
        waiting: mpsc::Receiver<Diary>,
        socket: Arc<UdpSocket>,
        wharf: Wharf,
        options: &DiaryOptions,
        counters: Arc<Counters>,
    ) -> Self {
        let fallback = options.room.as_ref().map(|room| Fallback {
            room: room.clone(),
            show: options.show,
        });
        Self {
            waiting,
            socket,
            wharf,
            fallback,
            counters,
        }
    }

    /// Works until the queue ends.
    pub(super) async fn run(mut self) {
        let mut asked = Vec::new();
        while self.waiting.recv_many(&mut asked, DIARY_AT_ONCE).await > 0 {
            let mut batch = Batch::default();
            for asked in asked.drain(..) {
                self.one(&mut batch, asked).await;
            }
            self.write(&mut batch).await;
        }
    }

    async fn one(&self, batch: &mut Batch, Diary { from, what }: Diary) {
        let Some(room) = self.room_of(batch, from.ip()).await else {
            // Nobody wants this diary. Saying nothing keeps its client from believing that its entries are kept.
            return;
        };
        let reply = match what {
            Asked::Entry(text) => {
                if batch.entries.as_ref().is_some_and(|(to, _)| *to != room) {
                    self.write(batch).await;
                }
                let (_, entries) = batch.entries.get_or_insert_with(|| (room, Vec::new()));
                entries.push(DiaryWrite { text, from });
                return;
            }
            Asked::Sync => {
                self.write(batch).await;
                self.sync(room).await
            }
            Asked::Where(condition) => {
                self.write(batch).await;
                self.page(room, &condition).await
            }
            Asked::List => {
                self.write(batch).await;
                self.clients(room).await
            }
            Asked::WhoAmI => format!("whoami {}\n", origin(from)).into_bytes(),
        };
        send(&self.socket, &self.counters, from, &reply);
    }

    async fn room_of(&self, batch: &mut Batch, address: IpAddr) -> Option<DiaryRoom> {
        let vacant = match batch.rooms.entry(address) {
            Entry::Occupied(found) => return *found.get(),
            Entry::Vacant(vacant) => vacant,
        };
        let journal = self.wharf.journal();
        let room = match journal.diary_of(address, self.fallback.clone()).await {
            Ok(room) => room,
            Err(error) => {
                tracing::warn!(%error, "the room of a diary could not be read");
                None
            }
        };
        *vacant.insert(room)
    }

    /// Writes the entries that wait.
    async fn write(&self, batch: &mut Batch) {
        let Some((room, entries)) = batch.entries.take() else {
            return;
        };
        let count = entries.len() as u64;
        match self.wharf.journal().diary_write(room, entries).await {
            Ok(written) if written == count => {}
            Ok(written) => {
                tracing::warn!(room = %room.room, lost = count - written, "entries of a diary came too fast");
            }
            Err(error) => {
                tracing::warn!(room = %room.room, lost = count, %error, "entries of a diary were not written");
            }
        }
    }

    async fn sync(&self, room: DiaryRoom) -> Vec<u8> {
        match self
            .wharf
            .journal()
            .diary_read(room, DiaryFilter::default())
            .await
        {
            Ok(found) => {
                let lines: Vec<String> = found.lines.iter().map(line_of).collect();
                newest(&lines)
            }
            Err(error) => unreadable(&error),
        }
    }

    async fn page(&self, room: DiaryRoom, condition: &Condition) -> Vec<u8> {
        let filter = DiaryFilter {
            client: condition.client.map(|client| (client.address, client.port)),
            since: condition.since,
        };
        match self.wharf.journal().diary_read(room, filter).await {
            Ok(found) => {
                let lines: Vec<(u64, String)> = found
                    .lines
                    .iter()
                    .map(|line| (line.position, line_of(line)))
                    .collect();
                page(&lines, found.head, condition.since.is_some())
            }
            Err(error) => unreadable(&error),
        }
    }

    async fn clients(&self, room: DiaryRoom) -> Vec<u8> {
        let clients = match self.wharf.journal().diary_clients(room).await {
            Ok(clients) => clients,
            Err(error) => return unreadable(&error),
        };
        let line_of = |client: &wharf_core::journal::DiaryClient| {
            let count = client.entries_count.to_string();
            line(client.last_ms, &origin(client.client), &count)
        };
        let lines: Vec<String> = clients.iter().rev().map(line_of).collect();
        newest(&lines)
    }
}

fn line_of(entry: &DiaryLine) -> String {
    let from: String = match &entry.from {
        Ok(client) => origin(SocketAddr::clone(client)),
        Err(name) => name.clone(),
    };
    // An entry without a text is a blank in the house.
    let text = if entry.text == " " { "" } else { &entry.text };
    line(entry.at_ms, &from, text)
}

/// What is answered where the log cannot be read: a client without an answer would wait for ever.
fn unreadable(error: &wharf_core::Error) -> Vec<u8> {
    tracing::warn!(%error, "a diary could not be read");
    b"the diary cannot be read now\n".to_vec()
}
