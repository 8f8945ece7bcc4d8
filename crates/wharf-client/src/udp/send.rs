//! Sending what waits, until it is answered or patience is over.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs, UdpSocket};
use std::time::Duration;

use tokio::time::Instant;
use wharf_wire::gateway::journal::{Ack, AckStatus, DATAGRAM_BYTES_MAX, SealedKey, part_count};

use super::spool::{Item, Refusal, Spool};
use super::{UdpError, Way};

/// Entries that are under way at once.
const WINDOW: usize = 64;
/// Answers that are taken before they are settled on the disk.
const ANSWERS_MAX: usize = 256;
/// A pause that is never longer: the deadline is looked at after it.
const PAUSE_MAX: Duration = Duration::from_millis(500);

/// How long to try.
#[derive(Debug, Clone)]
pub struct Patience {
    /// How long to wait after each sending of an entry before the next; after the last one it rests for hours.
    pub waits: Vec<Duration>,
    /// When to stop though there are entries under way; they stay in the spool.
    pub deadline: Duration,
    /// Whether entries that rest are sent too.
    pub is_eager: bool,
}

/// What came of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flushed {
    /// Entries that the server has said are durable.
    pub saved_count: u64,
    /// The position of the last one in the room's log.
    pub last_position: Option<u64>,
    /// Entries that the server will never take.
    pub refused_count: u64,
    /// Entries that were sent and not answered, or not sent.
    pub waiting_count: u64,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            waits: [500, 1_000, 2_000, 4_000, 8_000]
                .map(Duration::from_millis)
                .to_vec(),
            deadline: Duration::from_hours(1),
            is_eager: false,
        }
    }
}

/// An entry under way.
struct Flight {
    item: Item,
    /// How often it was sent.
    sent: usize,
    /// When it is sent next.
    due: Instant,
    /// The parts that the server lacks, as far as is known.
    missing: u64,
}

/// Answers that are not on the disk yet.
#[derive(Default)]
struct Answers {
    saved: Vec<i64>,
    refused: Vec<(i64, Refusal)>,
    unanswered: Vec<i64>,
}

/// Sends what waits under a way's key. Blocks. `now_ms` gives the time of the machine.
///
/// # Errors
/// When the spool, the server's name or a socket cannot be had. A server that does not answer is none.
pub fn flush(
    spool: &mut Spool,
    way: &Way,
    patience: &Patience,
    now_ms: impl Fn() -> i64,
) -> Result<Flushed, UdpError> {
    let socket = connect(way)?;
    let key = SealedKey::new(way.key, &way.secret);
    let mut sender = Sender {
        socket,
        key,
        patience,
        flights: BTreeMap::new(),
        answers: Answers::default(),
        flushed: Flushed::default(),
        pause_until: Instant::now(),
    };
    let deadline = Instant::now() + patience.deadline;
    let due_ms = if patience.is_eager {
        i64::MAX
    } else {
        now_ms()
    };
    let mut after = 0;
    loop {
        let room = WINDOW.saturating_sub(sender.flights.len());
        if room > 0 {
            let items = spool.waiting(way.key, after, due_ms, room)?;
            after = items.last().map_or(after, |item| item.id);
            for item in items {
                sender.begin(item);
            }
        }
        if sender.flights.is_empty() || Instant::now() >= deadline {
            break;
        }
        sender.send_due();
        sender.receive(deadline)?;
        sender.settle(spool, now_ms())?;
    }
    sender.flushed.waiting_count = spool.waiting_count()?;
    Ok(sender.flushed)
}

fn connect(way: &Way) -> Result<UdpSocket, UdpError> {
    let host = way.host.trim_matches(['[', ']']);
    let unknown = |source| UdpError::Host {
        host: way.host.clone(),
        source,
    };
    let addresses = (host, way.port).to_socket_addrs().map_err(unknown)?;
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        let local = match address {
            SocketAddr::V4(_) => "0.0.0.0:0",
            SocketAddr::V6(_) => "[::]:0",
        };
        match UdpSocket::bind(local).and_then(|socket| socket.connect(address).map(|()| socket)) {
            Ok(socket) => return Ok(socket),
            Err(error) => last = error,
        }
    }
    Err(UdpError::Socket(last))
}

struct Sender<'a> {
    socket: UdpSocket,
    key: SealedKey,
    patience: &'a Patience,
    flights: BTreeMap<[u8; 16], Flight>,
    answers: Answers,
    flushed: Flushed,
    /// The server has asked for a pause until then.
    pause_until: Instant,
}

impl Sender<'_> {
    fn begin(&mut self, item: Item) {
        let flight = Flight {
            sent: 0,
            due: Instant::now(),
            missing: u64::MAX,
            item,
        };
        self.flights.insert(flight.item.entry, flight);
    }

    /// Sends the entries whose time it is, as they were written, and gives up on those that were sent often enough.
    fn send_due(&mut self) {
        let now = Instant::now();
        if now < self.pause_until {
            return;
        }
        // The journal has entries in the order in which they come, and their ids are drawn at random.
        let mut due: Vec<_> = self
            .flights
            .values_mut()
            .filter(|flight| flight.due <= now)
            .collect();
        due.sort_unstable_by_key(|flight| flight.item.id);
        let mut given_up = Vec::new();
        for flight in due {
            let Some(wait) = self.patience.waits.get(flight.sent) else {
                given_up.push(flight.item.entry);
                continue;
            };
            send_parts(&self.socket, &self.key, flight);
            flight.sent += 1;
            flight.due = now + *wait;
        }
        for entry in given_up {
            if let Some(flight) = self.flights.remove(&entry) {
                self.answers.unanswered.push(flight.item.id);
            }
        }
    }

    /// Waits for answers until something is due, and takes those that have come.
    fn receive(&mut self, deadline: Instant) -> Result<(), UdpError> {
        let now = Instant::now();
        let dues = self.flights.values().map(|flight| flight.due);
        let next = dues
            .min()
            .unwrap_or(now)
            .max(self.pause_until)
            .min(deadline);
        let wait = next
            .saturating_duration_since(now)
            .clamp(Duration::from_millis(1), PAUSE_MAX);
        self.socket
            .set_read_timeout(Some(wait))
            .map_err(UdpError::Socket)?;
        let mut buffer = [0; DATAGRAM_BYTES_MAX];
        for index in 0..ANSWERS_MAX {
            match self.socket.recv(&mut buffer) {
                Ok(bytes) => {
                    let datagram = buffer.get(..bytes).unwrap_or_default();
                    if let Some(ack) = self.key.read_ack(datagram) {
                        self.answer(&ack);
                    }
                }
                // Nobody listens there now: the same as no answer, but it comes at once.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                Err(_) => break,
            }
            if index == 0 {
                // What has come besides is taken without waiting for more.
                let soon = Some(Duration::from_micros(1));
                self.socket
                    .set_read_timeout(soon)
                    .map_err(UdpError::Socket)?;
            }
        }
        Ok(())
    }

    fn answer(&mut self, ack: &Ack) {
        let Some(flight) = self.flights.get_mut(&ack.entry) else {
            return;
        };
        let id = flight.item.id;
        match ack.status {
            AckStatus::Saved | AckStatus::Repeated => {
                self.answers.saved.push(id);
                self.flushed.saved_count += 1;
                self.flushed.last_position = Some(ack.position);
            }
            AckStatus::Invalid => self.refuse(id, Refusal::Invalid),
            AckStatus::Closed => self.refuse(id, Refusal::Closed),
            AckStatus::Partial => {
                // It was heard, so it has not been sent in vain.
                flight.missing = ack.missing;
                flight.sent = flight.sent.min(1);
                return;
            }
            AckStatus::Slow => {
                let wait = u64::try_from(ack.at_ms).unwrap_or(0).clamp(10, 60_000);
                self.pause_until = Instant::now() + Duration::from_millis(wait);
                flight.due = self.pause_until;
                flight.sent = flight.sent.min(1);
                return;
            }
            AckStatus::Later => return,
        }
        self.flights.remove(&ack.entry);
    }

    fn refuse(&mut self, id: i64, refusal: Refusal) {
        self.answers.refused.push((id, refusal));
        self.flushed.refused_count += 1;
    }

    fn settle(&mut self, spool: &mut Spool, now_ms: i64) -> Result<(), UdpError> {
        let Answers {
            saved,
            refused,
            unanswered,
        } = std::mem::take(&mut self.answers);
        spool.settle(&saved, &refused, &unanswered, now_ms)
    }
}

/// Sends the parts of an entry that are not known to be there.
fn send_parts(socket: &UdpSocket, key: &SealedKey, flight: &Flight) {
    let item = &flight.item;
    let text = item.text.as_bytes();
    for index in 0..part_count(text.len()).unwrap_or(0) {
        if flight.missing & (1 << index) == 0 {
            continue;
        }
        if let Some(datagram) = key.seal(item.entry, item.client_ms, index, text)
            && let Err(error) = socket.send(&datagram)
        {
            // Whatever the network says, the entry is sent again.
            tracing::debug!(%error, "a datagram was not sent");
        }
    }
}

#[cfg(test)]
mod tests {
    use wharf_types::api::journal::JournalKeyId;
    use wharf_wire::gateway::journal::header;

    use super::*;

    #[test]
    fn what_waited_is_sent_in_the_order_in_which_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::open(&folder.path().join("udp.sqlite")).unwrap();
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let way = Way {
            key: JournalKeyId::from_bytes([1; 8]),
            secret: [2; 32],
            host: "127.0.0.1".to_owned(),
            port: server.local_addr().unwrap().port(),
        };
        spool.add(way.key, &["line"; WINDOW], 5).unwrap();
        let written = spool.waiting(way.key, 0, i64::MAX, WINDOW).unwrap();
        let written: Vec<_> = written.iter().map(|item| item.entry).collect();
        // Each is sent once, and nobody answers.
        let patience = Patience {
            waits: vec![Duration::from_millis(1)],
            ..Patience::default()
        };
        let flushed = flush(&mut spool, &way, &patience, || 10).unwrap();
        assert_eq!(flushed.waiting_count, WINDOW as u64);
        let mut datagram = [0; DATAGRAM_BYTES_MAX];
        let mut next = || {
            let bytes = server.recv(&mut datagram).unwrap();
            header(&datagram[..bytes]).unwrap().entry
        };
        let sent: Vec<_> = written.iter().map(|_| next()).collect();
        assert_eq!(sent, written);
    }
}
