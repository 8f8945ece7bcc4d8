//! Datagrams of the journal: entries that are new, that come again, and that are refused.
//!
//! Each sender is a thread with a socket and a key of its own. It sends a few datagrams, waits for the answer to each, and sends
//! those again whose answer does not come. Sealed acknowledgements are verified.

use std::collections::HashMap;
use std::io;
use std::net::UdpSocket;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail, ensure};
use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use load::sum::{percentiles, round};
use rand::RngExt;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use wharf_client::{Api, Room};
use wharf_types::api::journal::{CreateJournalKey, JournalKeyId, JournalKeyKind};
use wharf_wire::gateway::journal::{AckStatus, SealedKey, sign};

use crate::account::Server;

/// Bytes of an entry's text.
const TEXT_BYTES: usize = 100;
/// How long an answer may take before its datagram is sent again, and how often that is tried.
const PATIENCE: Duration = Duration::from_millis(500);
const ATTEMPTS: usize = 20;

#[derive(Clone, Copy, clap::Args)]
pub(crate) struct Options {
    /// What is sent.
    #[arg(value_enum)]
    work: Work,
    /// How it is proved.
    #[arg(long, value_enum, default_value = "sealed")]
    way: Way,
    /// Senders, each with a key.
    #[arg(long, default_value_t = 8)]
    senders: usize,
    /// Datagrams that a sender has on the way.
    #[arg(long, default_value_t = 64)]
    window: usize,
    /// How long.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Work {
    /// New entries, acknowledged when they are durable.
    New,
    /// Entries that were saved before, as when an answer was lost.
    Again,
    /// Entries whose tag is wrong, each window closed by one that was saved before: datagrams are worked off in order, so its
    /// answer says that the others were looked at.
    Forged,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Way {
    /// Sealed datagrams.
    Sealed,
    /// Lines with an HMAC.
    Signed,
}

/// How an answer says which entry it is about.
type Name = [u8; 16];

/// What a sender proves its entries with.
enum Key {
    Sealed(SealedKey),
    Signed(JournalKeyId, String),
}

struct Sender {
    socket: UdpSocket,
    key: Key,
    options: Options,
    counted: Counted,
}

#[derive(Default)]
struct Counted {
    verified: u64,
    sent_again: u64,
    times: Vec<u64>,
}

struct Datagram {
    name: Name,
    bytes: Vec<u8>,
}

pub(crate) async fn run(server: &Server, gateway: &str, options: Options) -> Result<Value> {
    ensure!(
        (options.work, options.way) != (Work::Forged, Way::Signed),
        "forged lines are answered on a private network"
    );
    let api = server.operator().await?.api;
    for key in api.journal_keys().await?.items {
        api.remove_journal_key(key.id).await?;
    }
    let mut senders = Vec::new();
    for number in 0..options.senders {
        let key = Key::make(&api, options.way, number).await?;
        let mut sender = Sender::open(gateway, key, options)?;
        // The server looks the key up.
        let first = sender.entries(1)?;
        sender.exchange(&first, false)?;
        sender.counted = Counted::default();
        senders.push(sender);
    }
    let start = Instant::now();
    let end = start + Duration::from_secs(options.seconds);
    let mut sending = JoinSet::new();
    for sender in senders {
        sending.spawn_blocking(move || sender.work(end));
    }
    let mut sum = Counted::default();
    while let Some(sent) = sending.join_next().await {
        let counted = sent??;
        sum.verified += counted.verified;
        sum.sent_again += counted.sent_again;
        sum.times.extend(counted.times);
    }
    let seconds = start.elapsed().as_secs_f64();
    Ok(json!({
        "datagrams": sum.verified,
        "sent_again": sum.sent_again,
        "datagrams_per_second": round(sum.verified as f64 / seconds),
        "sent_to_answered": percentiles(sum.times),
    }))
}

impl Key {
    async fn make(api: &Api, way: Way, number: usize) -> Result<Self> {
        let create = CreateJournalKey {
            kind: match way {
                Way::Sealed => JournalKeyKind::Sealed,
                Way::Signed => JournalKeyKind::Signed,
            },
            name: format!("load {number}"),
        };
        let made = api.create_journal_key(Room::Home, &create).await?;
        let secret = made.secret.context("a key without a secret")?;
        Ok(match way {
            Way::Signed => Self::Signed(made.id, secret),
            Way::Sealed => {
                let secret = HEXLOWER.decode(secret.as_bytes())?;
                let secret = secret.as_slice().try_into()?;
                Self::Sealed(SealedKey::new(made.id, &secret))
            }
        })
    }
}

impl Sender {
    fn open(gateway: &str, key: Key, options: Options) -> Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect(gateway)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            socket,
            key,
            options,
            counted: Counted::default(),
        })
    }

    fn work(mut self, end: Instant) -> Result<Counted> {
        let known = self.entries(self.options.window)?;
        if self.options.work != Work::New {
            self.exchange(&known, false)?;
            self.counted = Counted::default();
        }
        let forged: Vec<_> = known.iter().map(Datagram::forged).collect();
        while Instant::now() < end {
            match self.options.work {
                Work::New => {
                    let new = self.entries(self.options.window)?;
                    self.exchange(&new, false)?;
                }
                Work::Again => self.exchange(&known, true)?,
                Work::Forged => {
                    let (_, refused) = forged.split_first().context("an empty window")?;
                    for datagram in refused {
                        self.send(&datagram.bytes)?;
                    }
                    let before = self.counted.sent_again;
                    self.exchange(known.get(..1).unwrap_or_default(), true)?;
                    if self.counted.sent_again == before {
                        self.counted.verified += refused.len() as u64;
                    }
                }
            }
        }
        Ok(self.counted)
    }

    /// New entries.
    fn entries(&self, count: usize) -> Result<Vec<Datagram>> {
        (0..count).map(|_| self.entry()).collect()
    }

    fn entry(&self) -> Result<Datagram> {
        let random: [u8; 16] = rand::rng().random();
        let text = format!("{:x<TEXT_BYTES$}", HEXLOWER.encode(&random));
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
        Ok(match &self.key {
            Key::Sealed(key) => {
                let now_ms = i64::try_from(now.as_millis())?;
                let sealed = key.seal(random, now_ms, 0, text.as_bytes());
                Datagram {
                    name: random,
                    bytes: sealed.context("a text that is too long")?,
                }
            }
            Key::Signed(key, secret) => {
                let now_s = i64::try_from(now.as_secs())?;
                Datagram {
                    name: name_of_hash(digest(&SHA256, text.as_bytes()).as_ref()),
                    bytes: sign(*key, secret, now_s, &text).into_bytes(),
                }
            }
        })
    }

    /// Sends datagrams and waits until all are answered as saved: before, where `is_known`, or now.
    fn exchange(&mut self, datagrams: &[Datagram], is_known: bool) -> Result<()> {
        let mut open: HashMap<Name, &[u8]> = HashMap::with_capacity(datagrams.len());
        let sent = Instant::now();
        for datagram in datagrams {
            self.send(&datagram.bytes)?;
            open.insert(datagram.name, &datagram.bytes);
        }
        let mut answer = [0; 4096];
        let mut attempts = 0;
        while !open.is_empty() {
            match self.socket.recv(&mut answer) {
                Ok(length) => {
                    let answer = answer.get(..length).unwrap_or_default();
                    let (name, was_known) = self.read(answer)?;
                    if open.remove(&name).is_some() {
                        ensure!(!is_known || was_known, "a known entry was saved as new");
                        self.counted.verified += 1;
                        let time_ns = u64::try_from(sent.elapsed().as_nanos())?;
                        self.counted.times.push(time_ns);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    attempts += 1;
                    ensure!(attempts < ATTEMPTS, "{} are not answered", open.len());
                    self.counted.sent_again += open.len() as u64;
                    for bytes in open.values() {
                        self.send(bytes)?;
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    fn send(&self, bytes: &[u8]) -> Result<()> {
        self.socket.send(bytes)?;
        Ok(())
    }

    /// Which entry an answer is about, and whether it had been saved before.
    fn read(&self, answer: &[u8]) -> Result<(Name, bool)> {
        match &self.key {
            Key::Sealed(key) => {
                let ack = key
                    .read_ack(answer)
                    .context("an answer that is not sealed")?;
                match ack.status {
                    AckStatus::Saved => Ok((ack.entry, false)),
                    AckStatus::Repeated => Ok((ack.entry, true)),
                    status => bail!("{status:?}"),
                }
            }
            Key::Signed(..) => {
                let line = std::str::from_utf8(answer)?.trim_end();
                let (before, rest) = line.split_once('#').context("not saved")?;
                ensure!(before.starts_with("OK "), "{line}");
                let mut words = rest.split(' ').skip(1);
                let hash = words.next().context("no hash")?;
                let name = name_of_hash(&HEXLOWER.decode(hash.as_bytes())?);
                Ok((name, words.next().is_some()))
            }
        }
    }
}

impl Datagram {
    /// The same with another tag.
    fn forged(&self) -> Self {
        let mut bytes = self.bytes.clone();
        if let Some(last) = bytes.last_mut() {
            *last ^= 1;
        }
        Self {
            name: self.name,
            bytes,
        }
    }
}

/// A name that begins with four bytes of a hash, as answers tell them.
fn name_of_hash(hash: &[u8]) -> Name {
    let mut name = [0; 16];
    for (to, from) in name.iter_mut().zip(hash.iter().take(4)) {
        *to = *from;
    }
    name
}
