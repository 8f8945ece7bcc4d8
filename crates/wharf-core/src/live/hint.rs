//! What one process tells the others on the same database: that something happened, never what. Whoever follows it reads
//! it from the database. Hints are gathered for a moment and sent outside of any transaction; one that is lost costs
//! latency and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use wharf_store::bus::{Bus, MESSAGE_BYTES_MAX};
use wharf_store::sql::{Db, Engine};
use wharf_types::api::contact::Status;
use wharf_types::{AccountId, RoomId, SessionId};

use crate::random::Random;

/// Most hints that wait; more are let go of, for what they would say is found by looking.
const WAITING_MAX: usize = 10_000;

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Hint {
    /// The log of a room has this position.
    #[serde(rename = "e")]
    Entries(RoomId, u64),
    /// The list of an account has this version.
    #[serde(rename = "a")]
    Account(AccountId, u64),
    /// The drive of a room has this position.
    #[serde(rename = "d")]
    Drive(RoomId, u64),
    /// A member has read up to here.
    #[serde(rename = "r")]
    Read(RoomId, AccountId, u64),
    /// A device of a member has stored up to here.
    #[serde(rename = "v")]
    Delivered(RoomId, AccountId, u64),
    /// An account is no member any more.
    #[serde(rename = "g")]
    Gone(RoomId, AccountId),
    /// Who sees an account has changed.
    #[serde(rename = "c")]
    Standing(AccountId),
    /// A session has ended.
    #[serde(rename = "s")]
    Session(SessionId),
    /// Somebody types, or has stopped.
    #[serde(rename = "t")]
    Typing(RoomId, AccountId, bool),
    /// How an account is at the sender; to be repeated before it is believed no longer.
    #[serde(rename = "p")]
    Presence(AccountId, Status),
}

/// What goes over the bus.
#[derive(Debug, Serialize, Deserialize)]
struct Message {
    /// The sending process.
    from: u64,
    hints: Vec<Hint>,
}

/// Hints on their way to other processes.
#[derive(Debug)]
pub(super) struct Hints {
    process: u64,
    /// Whether there can be other processes.
    has_others: bool,
    waiting: Mutex<Waiting>,
    pub(super) some_wait: Arc<Notify>,
    bus: OnceLock<Option<Bus>>,
}

#[derive(Debug, Default)]
struct Waiting {
    entries: BTreeMap<RoomId, u64>,
    accounts: BTreeMap<AccountId, u64>,
    drives: BTreeMap<RoomId, u64>,
    read: BTreeMap<(RoomId, AccountId), u64>,
    delivered: BTreeMap<(RoomId, AccountId), u64>,
    presence: BTreeMap<AccountId, Status>,
    standing: BTreeSet<AccountId>,
    others: Vec<Hint>,
    count: usize,
}

impl Hints {
    pub(super) fn new(db: &Db, random: &Random) -> Self {
        Self {
            process: u64::from_le_bytes(random.bytes()),
            has_others: db.engine() == Engine::Postgres,
            waiting: Mutex::default(),
            some_wait: Arc::default(),
            bus: OnceLock::new(),
        }
    }

    pub(super) fn has_others(&self) -> bool {
        self.has_others
    }

    /// Begins to hear: `hear` is called for each hint of another process, with that process, on a thread of the bus.
    pub(super) fn listen(&self, db: &Db, hear: impl Fn(u64, Hint) + Send + 'static) {
        let process = self.process;
        self.bus.get_or_init(|| {
            Bus::open(db, move |text| {
                match serde_json::from_str::<Message>(text) {
                    Ok(message) if message.from == process => {}
                    Ok(message) => message
                        .hints
                        .into_iter()
                        .for_each(|hint| hear(message.from, hint)),
                    Err(error) => tracing::debug!(%error, "a hint of another kind of process"),
                }
            })
        });
    }

    /// Gathers a hint.
    pub(super) fn add(&self, hint: Hint) {
        if !self.has_others {
            return;
        }
        let mut waiting = self.waiting.lock();
        if waiting.count >= WAITING_MAX {
            return;
        }
        waiting.count += 1;
        waiting.add(hint);
        drop(waiting);
        self.some_wait.notify_one();
    }

    /// Sends what was gathered.
    pub(super) fn flush(&self) {
        let waiting = std::mem::take(&mut *self.waiting.lock());
        let Some(Some(bus)) = self.bus.get() else {
            return;
        };
        let texts = pack(self.process, waiting.into_hints());
        if !texts.is_empty() && !bus.send(texts) {
            tracing::debug!("hints were let go of: the bus is behind");
        }
    }
}

impl Waiting {
    fn add(&mut self, hint: Hint) {
        fn raise<K: Ord>(heads: &mut BTreeMap<K, u64>, key: K, head: u64) {
            let known = heads.entry(key).or_default();
            *known = (*known).max(head);
        }
        match hint {
            Hint::Entries(room, head) => raise(&mut self.entries, room, head),
            Hint::Account(account, version) => raise(&mut self.accounts, account, version),
            Hint::Drive(room, head) => raise(&mut self.drives, room, head),
            Hint::Read(room, account, position) => raise(&mut self.read, (room, account), position),
            Hint::Delivered(room, account, position) => {
                raise(&mut self.delivered, (room, account), position);
            }
            Hint::Presence(account, status) => {
                self.presence.insert(account, status);
            }
            Hint::Standing(account) => {
                self.standing.insert(account);
            }
            Hint::Gone(..) | Hint::Session(_) | Hint::Typing(..) => self.others.push(hint),
        }
    }

    /// Who is gone comes first, so that nobody is told what follows.
    fn into_hints(self) -> impl Iterator<Item = Hint> {
        let entries = self.entries.into_iter();
        let accounts = self.accounts.into_iter();
        let drives = self.drives.into_iter();
        let read = self.read.into_iter();
        let delivered = self.delivered.into_iter();
        let presence = self.presence.into_iter();
        self.others
            .into_iter()
            .chain(self.standing.into_iter().map(Hint::Standing))
            .chain(entries.map(|(room, head)| Hint::Entries(room, head)))
            .chain(accounts.map(|(account, version)| Hint::Account(account, version)))
            .chain(drives.map(|(room, head)| Hint::Drive(room, head)))
            .chain(read.map(|((room, account), position)| Hint::Read(room, account, position)))
            .chain(
                delivered
                    .map(|((room, account), position)| Hint::Delivered(room, account, position)),
            )
            .chain(presence.map(|(account, status)| Hint::Presence(account, status)))
    }
}

/// Texts of messages, none over what the bus carries.
fn pack(from: u64, hints: impl Iterator<Item = Hint>) -> Vec<String> {
    let mut texts = Vec::new();
    let start = format!("{{\"from\":{from},\"hints\":[");
    let mut text = start.clone();
    for hint in hints {
        let Ok(hint) = serde_json::to_string(&hint) else {
            continue;
        };
        if text.len() + hint.len() + 3 > MESSAGE_BYTES_MAX {
            text.push_str("]}");
            texts.push(std::mem::replace(&mut text, start.clone()));
        }
        if text.len() > start.len() {
            text.push(',');
        }
        text.push_str(&hint);
    }
    if text.len() > start.len() {
        text.push_str("]}");
        texts.push(text);
    }
    texts
}

#[cfg(test)]
mod tests {
    use wharf_store::bus::MESSAGE_BYTES_MAX;
    use wharf_types::api::contact::Status;
    use wharf_types::{AccountId, RoomId, SessionId};

    use super::{Hint, Message, Waiting, pack};

    fn unpack(texts: &[String]) -> Vec<Hint> {
        let messages = texts.iter().map(|text| {
            assert!(text.len() <= MESSAGE_BYTES_MAX, "{}", text.len());
            serde_json::from_str::<Message>(text).unwrap()
        });
        messages
            .flat_map(|message| {
                assert_eq!(message.from, 7);
                message.hints
            })
            .collect()
    }

    #[test]
    fn hints_arrive_as_they_were_sent_in_messages_that_fit() {
        let account = AccountId::from_bytes([1; 16]);
        let room = RoomId::from_bytes([2; 16]);
        let mut hints = vec![
            Hint::Gone(room, account),
            Hint::Session(SessionId::from_bytes([3; 16])),
            Hint::Typing(room, account, true),
            Hint::Standing(account),
            Hint::Account(account, 9),
            Hint::Drive(room, 8),
            Hint::Read(room, account, 7),
            Hint::Delivered(room, account, 6),
            Hint::Presence(account, Status::Invisible),
        ];
        hints.extend((0..1000).map(|position| Hint::Entries(room, position)));
        let texts = pack(7, hints.iter().copied());
        assert!(texts.len() > 1);
        assert_eq!(unpack(&texts), hints);
        assert!(pack(7, std::iter::empty()).is_empty());
    }

    #[test]
    fn of_what_only_grows_the_greatest_is_sent() {
        let room = RoomId::from_bytes([2; 16]);
        let mut waiting = Waiting::default();
        for position in [3, 9, 5] {
            waiting.add(Hint::Entries(room, position));
        }
        assert_eq!(
            waiting.into_hints().collect::<Vec<_>>(),
            [Hint::Entries(room, 9)]
        );
    }
}
