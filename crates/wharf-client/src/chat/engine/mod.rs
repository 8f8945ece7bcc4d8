//! The protocol of the live socket, as a state machine without sockets, clocks or randomness of its own.
//!
//! It is told what happened (a connection was opened, a frame came, time went by) and answers with what to do. What it
//! learns it writes into the store at once, each step in one transaction, so it can be stopped at any point and another
//! one goes on from the store. All that it keeps itself is about the connection of the moment.

mod fetching;
mod receiving;
mod sending;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use wharf_types::api::contact::{Presence, Status};
use wharf_types::api::live::{ClientFrame, Hello, KnownHead, Reached, Typing, VERSION};
use wharf_types::{AccountId, DeviceId, ErrorCode, RoomId};

use self::fetching::Fetching;
#[cfg(test)]
pub(in crate::chat) use self::fetching::is_wanted;
use self::sending::Sender;
use super::error::ChatError;
use super::event::{Connection, Event};
use super::shared::Wanted;
use super::store::account::Stage;
use super::store::{self, Meta, Store, Touched};

/// Pauses before dialling again: the first, and the longest.
const RETRY_MS_FIRST: i64 = 250;
const RETRY_MS_MAX: i64 = 30_000;
/// The pause after a refusal that will hardly change by itself.
const REFUSED_MS: i64 = 5 * 60_000;
/// How long dialling and the answer to `hello` may take.
const OPENING_MS: i64 = 30_000;
/// A heartbeat until the server has said its own.
const HEARTBEAT_MS: i64 = 30_000;
/// Least time between two words about typing in a room.
const TYPING_MS: i64 = 3_000;
/// Least time between two rounds of telling what is stored.
const DELIVERED_MS: i64 = 1_000;
/// Most rooms in `hello`, so that the frame stays small; the server takes the others for unknown.
const HELLO_ROOMS_MAX: usize = 4_000;

/// What is to be done.
#[derive(Debug, Clone)]
pub(super) enum Output {
    /// Open a connection.
    Dial,
    /// Say this on it.
    Send(ClientFrame),
    /// Close it. Nothing that comes on it after this counts.
    HangUp,
    /// Tell whoever listens.
    Tell(Event),
    /// The presence of these is known now.
    Presence(Vec<Presence>),
    /// Nothing is known of anybody's presence.
    NoPresence,
    /// Somebody types, or stopped.
    Typing(Typing),
}

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Closed {
    /// It could not be opened, or broke.
    Lost,
    /// The session is not one any more.
    LoggedOut {
        /// Why, for a person.
        detail: String,
    },
    /// The server will not speak with this client.
    Refused {
        /// Why, for a person.
        detail: String,
    },
}

/// The state machine.
#[derive(Debug)]
pub(super) struct Engine {
    /// Names this process among those that share the store.
    holder: String,
    random: u64,
    me: Option<AccountId>,
    phase: Phase,
    failed_count: u32,
    /// Up to where entries were told as said just now.
    said: BTreeMap<RoomId, u64>,
    shown: Connection,
    out: VecDeque<Output>,
}

#[derive(Debug)]
enum Phase {
    /// Waiting until it is time to dial; never again without a time.
    Down { dial_ms: Option<i64> },
    /// Dialling.
    Opening { give_up_ms: i64 },
    /// Connected.
    Open(Box<Link>),
}

/// One connection.
#[derive(Debug)]
struct Link {
    /// What was missed has been told.
    is_live: bool,
    is_welcome: bool,
    is_other_epoch: bool,
    /// The version of the list that was brought up to date on this connection.
    list_version: u64,
    opened_ms: i64,
    heard_ms: i64,
    pinged_ms: i64,
    heartbeat_ms: i64,
    sender: Sender,
    fetching: Fetching,
    reads: BTreeMap<RoomId, u64>,
    delivered: BTreeMap<RoomId, u64>,
    undelivered: BTreeSet<RoomId>,
    delivered_ms: i64,
    status: Option<Status>,
    watch: BTreeSet<AccountId>,
    typing: BTreeMap<RoomId, i64>,
}

impl Engine {
    /// A machine that dials at its first [`tick`](Self::tick). `random` spreads the pauses between attempts.
    pub(super) fn new(holder: String, random: u64) -> Self {
        Self {
            holder,
            random,
            me: None,
            phase: Phase::Down { dial_ms: Some(0) },
            failed_count: 0,
            said: BTreeMap::new(),
            shown: Connection::Offline,
            out: VecDeque::new(),
        }
    }

    /// The next thing to be done; empty it after each input.
    pub(super) fn output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// Whether a connection is open.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open(_))
    }

    /// The connection that was asked for is there.
    pub(super) fn opened(&mut self, store: &mut Store, now_ms: i64) -> Result<(), ChatError> {
        let (meta, device, heads) = store.read(|tx| {
            let heads = store::account::known_heads(tx, HELLO_ROOMS_MAX)?;
            Ok((Meta::read(tx)?, store::outbox::current_device(tx)?, heads))
        })?;
        let rooms = heads
            .into_iter()
            .filter(|(_, run)| run.is_known())
            .map(|(room, run)| {
                let known = KnownHead {
                    position: run.tail,
                    hash: run.tail_hash,
                };
                (room, known)
            })
            .collect();
        self.phase = Phase::Open(Box::new(Link::new(device, meta.account_version, now_ms)));
        self.say(ClientFrame::Hello(Hello {
            version: VERSION,
            device: Some(device),
            epoch: meta.epoch,
            account_version: meta.account_version,
            rooms,
            entries: true,
        }));
        self.show(Connection::Connecting);
        Ok(())
    }

    /// The connection is gone, or could not be opened.
    pub(super) fn closed(
        &mut self,
        store: &mut Store,
        now_ms: i64,
        why: Closed,
    ) -> Result<(), ChatError> {
        if self.is_open() {
            self.out.push_back(Output::NoPresence);
        }
        let pause_ms = match &why {
            Closed::Lost => Some(self.pause()),
            Closed::LoggedOut { .. } => None,
            Closed::Refused { .. } => Some(REFUSED_MS),
        };
        self.phase = Phase::Down {
            dial_ms: pause_ms.map(|pause_ms| now_ms + pause_ms),
        };
        self.show(match why {
            Closed::Lost => Connection::Offline,
            Closed::LoggedOut { detail } => Connection::LoggedOut { detail },
            Closed::Refused { detail } => Connection::Refused { detail },
        });
        let holder = self.holder.clone();
        store.change(|tx| store::lease::give_back(tx, &holder))
    }

    /// Something came over the connection, if only a ping.
    pub(super) fn heard(&mut self, now_ms: i64) {
        if let Phase::Open(link) = &mut self.phase {
            link.heard_ms = now_ms;
        }
    }

    /// Does what it is time for, and passes on what the person wants. Call it after each input and when
    /// [`next_ms`](Self::next_ms) has come.
    pub(super) fn tick(
        &mut self,
        store: &mut Store,
        now_ms: i64,
        wanted: Wanted,
    ) -> Result<(), ChatError> {
        match &mut self.phase {
            Phase::Down {
                dial_ms: Some(dial_ms),
            } if *dial_ms <= now_ms || *dial_ms - now_ms > REFUSED_MS => {
                self.phase = Phase::Opening {
                    give_up_ms: now_ms + OPENING_MS,
                };
                self.out.push_back(Output::Dial);
                Ok(())
            }
            Phase::Opening { give_up_ms } if *give_up_ms <= now_ms => {
                self.hang_up(store, now_ms, Closed::Lost)
            }
            Phase::Down { .. } | Phase::Opening { .. } => Ok(()),
            Phase::Open(link) if link.is_silent(now_ms) => {
                self.hang_up(store, now_ms, Closed::Lost)
            }
            Phase::Open(_) => self.tick_open(store, now_ms, wanted),
        }
    }

    /// When [`tick`](Self::tick) has something to do by itself; what happens in the store is to be looked for besides.
    pub(super) fn next_ms(&self) -> i64 {
        match &self.phase {
            Phase::Down { dial_ms } => dial_ms.unwrap_or(i64::MAX),
            Phase::Opening { give_up_ms } => *give_up_ms,
            Phase::Open(link) => link.next_ms(),
        }
    }

    fn tick_open(
        &mut self,
        store: &mut Store,
        now_ms: i64,
        wanted: Wanted,
    ) -> Result<(), ChatError> {
        let Phase::Open(link) = &mut self.phase else {
            return Ok(());
        };
        if !link.is_welcome {
            return Ok(());
        }
        let mut frames = Vec::new();
        if now_ms - link.heard_ms.max(link.pinged_ms) >= link.heartbeat_ms {
            link.pinged_ms = now_ms;
            let number = u64::try_from(now_ms).unwrap_or_default();
            frames.push(ClientFrame::Ping { number });
        }
        link.fetching.look_at(&wanted.shown);
        link.say_wanted(wanted, now_ms, &mut frames);
        link.say_cursors(store, now_ms, &mut frames)?;
        if link.is_live {
            link.fetching.ask(store, &mut frames)?;
        }
        let is_useless = link.sender.work(store, &self.holder, now_ms, &mut frames)?;
        for frame in frames {
            self.say(frame);
        }
        if is_useless {
            self.redial(store, now_ms)?;
        }
        Ok(())
    }

    fn say(&mut self, frame: ClientFrame) {
        self.out.push_back(Output::Send(frame));
    }

    fn tell(&mut self, event: Event) {
        self.out.push_back(Output::Tell(event));
    }

    fn tell_all(&mut self, touched: Touched) {
        self.out.extend(touched.into_events().map(Output::Tell));
    }

    fn show(&mut self, connection: Connection) {
        if self.shown != connection {
            self.shown = connection.clone();
            self.tell(Event::Connection(connection));
        }
    }

    fn hang_up(&mut self, store: &mut Store, now_ms: i64, why: Closed) -> Result<(), ChatError> {
        self.out.push_back(Output::HangUp);
        self.closed(store, now_ms, why)
    }

    /// Begins a new connection, since this one is of no more use.
    fn redial(&mut self, store: &mut Store, now_ms: i64) -> Result<(), ChatError> {
        self.hang_up(store, now_ms, Closed::Lost)
    }

    /// How long to wait before dialling again: doubling, spread over the upper half.
    fn pause(&mut self) -> i64 {
        let full = (RETRY_MS_FIRST << self.failed_count.min(10)).min(RETRY_MS_MAX);
        self.failed_count = self.failed_count.saturating_add(1);
        // SplitMix64: it need not be hard to guess, only spread.
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let half = u64::try_from(full / 2).unwrap_or(1).max(1);
        full - i64::try_from(mixed % half).unwrap_or_default()
    }

    /// What the end of a connection means.
    fn meaning(code: ErrorCode, detail: String) -> Closed {
        match code {
            ErrorCode::Unauthenticated => Closed::LoggedOut { detail },
            ErrorCode::Invalid
            | ErrorCode::TooLarge
            | ErrorCode::Unsupported
            | ErrorCode::Denied => Closed::Refused { detail },
            _ => Closed::Lost,
        }
    }
}

impl Link {
    fn new(device: DeviceId, list_version: u64, now_ms: i64) -> Self {
        Self {
            is_live: false,
            is_welcome: false,
            is_other_epoch: false,
            list_version,
            opened_ms: now_ms,
            heard_ms: now_ms,
            pinged_ms: now_ms,
            heartbeat_ms: HEARTBEAT_MS,
            sender: Sender::new(device),
            fetching: Fetching::default(),
            reads: BTreeMap::new(),
            delivered: BTreeMap::new(),
            undelivered: BTreeSet::new(),
            delivered_ms: now_ms,
            status: None,
            watch: BTreeSet::new(),
            typing: BTreeMap::new(),
        }
    }

    fn stage(&self) -> Stage {
        if self.is_live {
            Stage::Live
        } else {
            let is_other_epoch = self.is_other_epoch;
            Stage::CatchingUp { is_other_epoch }
        }
    }

    /// Whether the other side seems to be gone.
    fn is_silent(&self, now_ms: i64) -> bool {
        let is_late = !self.is_welcome && now_ms - self.opened_ms >= OPENING_MS;
        is_late || now_ms - self.heard_ms >= 3 * self.heartbeat_ms
    }

    fn next_ms(&self) -> i64 {
        let mut next_ms = self.heard_ms.max(self.pinged_ms) + self.heartbeat_ms;
        if !self.is_welcome {
            next_ms = next_ms.min(self.opened_ms + OPENING_MS);
        }
        if !self.undelivered.is_empty() {
            next_ms = next_ms.min(self.delivered_ms + DELIVERED_MS);
        }
        next_ms
            .min(self.heard_ms + 3 * self.heartbeat_ms)
            .min(self.sender.next_ms())
    }

    /// What the person wants and the server does not know yet.
    fn say_wanted(&mut self, wanted: Wanted, now_ms: i64, frames: &mut Vec<ClientFrame>) {
        if let Some(status) = wanted.status
            && self.status != Some(status)
        {
            self.status = Some(status);
            frames.push(ClientFrame::Status { status });
        }
        if self.watch != wanted.watch {
            let accounts = wanted.watch.iter().copied().collect();
            self.watch = wanted.watch;
            frames.push(ClientFrame::Watch { accounts });
        }
        for (room, is_typing) in wanted.typing {
            let said_ms = self.typing.get(&room).copied();
            let is_due = said_ms.is_none_or(|said_ms| (now_ms - said_ms).abs() >= TYPING_MS);
            if is_typing && is_due {
                self.typing.insert(room, now_ms);
            } else if is_typing || said_ms.is_none() {
                continue;
            } else {
                self.typing.remove(&room);
            }
            frames.push(ClientFrame::Typing(Typing {
                room,
                account: None,
                stopped: !is_typing,
            }));
        }
    }

    /// How far the account has read, and what this device has stored.
    fn say_cursors(
        &mut self,
        store: &mut Store,
        now_ms: i64,
        frames: &mut Vec<ClientFrame>,
    ) -> Result<(), ChatError> {
        for (room, position) in store.read(|tx| store::reading::unsaid_reads(tx))? {
            if self.reads.get(&room).is_none_or(|said| *said < position) {
                self.reads.insert(room, position);
                frames.push(ClientFrame::Read(Reached { room, position }));
            }
        }
        if self.undelivered.is_empty() || (now_ms - self.delivered_ms).abs() < DELIVERED_MS {
            return Ok(());
        }
        self.delivered_ms = now_ms;
        for room in std::mem::take(&mut self.undelivered) {
            let Some(run) = store.read(|tx| store::Run::read(tx, room))? else {
                continue;
            };
            if self
                .delivered
                .get(&room)
                .is_none_or(|said| *said < run.tail)
            {
                self.delivered.insert(room, run.tail);
                let position = run.tail;
                frames.push(ClientFrame::Delivered(Reached { room, position }));
            }
        }
        Ok(())
    }
}

/// An entry, to be shared by those who are told of it.
fn said(room: RoomId, entry: wharf_types::api::log::Entry) -> Event {
    Event::Said {
        room,
        entry: Arc::new(entry),
    }
}
