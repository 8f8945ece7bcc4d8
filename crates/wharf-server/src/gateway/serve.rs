//! Moves the bytes of a gateway's connections: accepts within limits, reads, lets the session work, writes.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use futures_util::future::join_all;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::accept::{Accepted, Listening};
use super::protocol::{Decode, Garbled, Out, Protocol, Session, Step};
use super::{Counters, GatewayConfig, GatewayName};

/// What is read at a time, and what an idle connection keeps. A frame that needs more makes the buffer grow.
const READ_BYTES: usize = 4 * 1024;
/// The most that is read ahead of what was decoded.
const READ_AHEAD_BYTES: usize = 256 * 1024;
/// Most frames of a connection that are done together.
const GATHERED_MAX: usize = 64;
/// How long connections may take to end what they are at, once the server stops.
const DRAIN: Duration = Duration::from_secs(5);

/// A gateway over TCP.
pub(crate) struct TcpGateway<P> {
    name: GatewayName,
    protocol: P,
    config: GatewayConfig,
    counters: Arc<Counters>,
}

/// What the connections of a gateway share.
struct Shared<P> {
    name: GatewayName,
    protocol: P,
    config: GatewayConfig,
    counters: Arc<Counters>,
    addresses: Addresses,
    drain: CancellationToken,
    abort: CancellationToken,
}

/// How many connections each address has.
#[derive(Debug, Default)]
struct Addresses(Mutex<HashMap<IpAddr, usize>>);

/// A connection's place among those of its address.
struct Place<P> {
    shared: Arc<Shared<P>>,
    address: IpAddr,
}

impl<P: Protocol> TcpGateway<P> {
    pub(crate) const fn new(
        name: GatewayName,
        protocol: P,
        config: GatewayConfig,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            name,
            protocol,
            config,
            counters,
        }
    }

    /// Accepts until `cancel`, then lets frames under way end.
    pub(crate) async fn serve(self, tcp: TcpListener, cancel: CancellationToken) {
        self.serve_all(vec![Listening::Tcp(tcp)], cancel).await;
    }

    /// The same at several places, whose connections count together.
    pub(crate) async fn serve_all(self, listening: Vec<Listening>, cancel: CancellationToken) {
        let abort = CancellationToken::new();
        let permits = Arc::new(Semaphore::new(self.config.connections_max));
        let shared = Arc::new(Shared {
            name: self.name,
            protocol: self.protocol,
            config: self.config,
            counters: self.counters,
            addresses: Addresses::default(),
            drain: cancel.clone(),
            abort: abort.clone(),
        });
        let connections = TaskTracker::new();
        let accepting = listening.into_iter().map(|listening| {
            listening.accept_all(&permits, &cancel, |stream, peer, permit| {
                // Here, not in its task, so that the connections that came first are those that stay.
                let Some(place) = Place::take(&shared, peer) else {
                    return;
                };
                connections.spawn(async move {
                    match stream {
                        Accepted::Tcp(stream) => place.shared.connection(stream, peer).await,
                        Accepted::Unix(stream) => place.shared.connection(stream, peer).await,
                        Accepted::Packet(stream) => place.shared.connection(stream, peer).await,
                    }
                    drop(place);
                    drop(permit);
                });
            })
        });
        join_all(accepting).await;
        connections.close();
        if timeout(DRAIN, connections.wait()).await.is_err() {
            abort.cancel();
            connections.wait().await;
        }
    }
}

impl<P: Protocol> Shared<P> {
    /// Serves one connection to its end.
    async fn connection(&self, stream: impl AsyncRead + AsyncWrite + Send + Unpin, peer: IpAddr) {
        let (decoder, session) = self.protocol.open(peer);
        let mut connection = Connection {
            stream,
            decoder,
            session,
            buffer: BytesMut::new(),
            read_bytes: READ_BYTES,
            out: BytesMut::new(),
            not_before: Instant::now(),
            pace: Pace::new(self.config.frames_per_second),
            idle: self.config.idle_timeout,
            counters: &self.counters,
        };
        let ended = tokio::select! {
            ended = connection.run(&self.drain) => ended,
            () = self.abort.cancelled() => Ok(()),
        };
        if let Err(error) = ended {
            tracing::debug!(gateway = %self.name, %peer, %error, "connection ended");
        }
    }
}

/// One connection.
struct Connection<'a, S, D, Se> {
    stream: S,
    decoder: D,
    session: Se,
    /// What has come and was not decoded yet.
    buffer: BytesMut,
    /// How much is read at a time: more while much comes.
    read_bytes: usize,
    /// What waits to be written together.
    out: BytesMut,
    /// Nothing is written before this.
    not_before: Instant,
    pace: Pace,
    idle: Duration,
    counters: &'a Counters,
}

/// What happened to a connection.
enum Event {
    Read(usize),
    Push(Step),
    Drain,
}

impl<S, D, Se> Connection<'_, S, D, Se>
where
    S: AsyncRead + AsyncWrite + Send + Unpin,
    D: Decode,
    Se: Session<Frame = D::Frame>,
{
    async fn run(&mut self, drain: &CancellationToken) -> io::Result<()> {
        loop {
            if self.frames().await? {
                return Ok(());
            }
            let event = self.event(drain).await?;
            let is_last = match event {
                Event::Read(0) => {
                    let step = self.session.finish().await;
                    self.send(step).await?;
                    true
                }
                Event::Read(bytes) => {
                    self.counters.received(bytes);
                    self.adapt(bytes);
                    false
                }
                Event::Push(step) => {
                    let is_last = self.send(step).await?;
                    self.session.pushed();
                    is_last
                }
                Event::Drain => true,
            };
            if is_last {
                return timeout(self.idle, self.stream.shutdown()).await?;
            }
        }
    }

    /// Works off the frames that have come whole. Returns whether the connection is over.
    async fn frames(&mut self) -> io::Result<bool> {
        let mut gathered = Vec::new();
        loop {
            let decoded = self.decoder.decode(&mut self.buffer);
            let is_gathered =
                matches!(&decoded, Ok(Some(frame)) if self.session.is_gathered(frame));
            if matches!(decoded, Ok(Some(_))) {
                self.counters.frame();
                self.pace.wait().await;
            }
            if !gathered.is_empty() && (!is_gathered || gathered.len() >= GATHERED_MAX) {
                let together = std::mem::take(&mut gathered);
                let step = self.session.step_together(together).await;
                if self.end_after(step).await? {
                    return Ok(true);
                }
            }
            let step = match decoded {
                Ok(Some(frame)) if is_gathered => {
                    gathered.push(frame);
                    continue;
                }
                Ok(Some(frame)) => self.session.step(frame).await,
                Ok(None) => return Ok(false),
                Err(fault) => self.give_up(&fault),
            };
            if self.end_after(step).await? {
                return Ok(true);
            }
        }
    }

    /// Sends what a step says, and closes where it was the last one. Returns whether it was.
    async fn end_after(&mut self, step: Step) -> io::Result<bool> {
        let is_last = self.send(step).await?;
        if is_last {
            timeout(self.idle, self.stream.shutdown()).await??;
        }
        Ok(is_last)
    }

    fn give_up(&mut self, fault: &Garbled) -> Step {
        self.counters.garbled();
        tracing::debug!(%fault, "garbled frame");
        self.session.garbled(fault).and_close()
    }

    /// Reads more at a time where the last read was full, and less where it was nearly empty.
    fn adapt(&mut self, read_bytes: usize) {
        if read_bytes >= self.read_bytes {
            self.read_bytes = (2 * self.read_bytes).min(READ_AHEAD_BYTES);
        } else if read_bytes < self.read_bytes / 4 {
            self.read_bytes = (self.read_bytes / 2).max(READ_BYTES);
        }
    }

    /// Waits for bytes, for something to push, or for the end.
    async fn event(&mut self, drain: &CancellationToken) -> io::Result<Event> {
        if self.buffer.is_empty() && self.buffer.capacity() > self.read_bytes {
            self.buffer = BytesMut::new();
        }
        let room = self.read_bytes.max(self.buffer.len());
        self.buffer.reserve(room.min(READ_AHEAD_BYTES));
        let not_before = self.not_before;
        loop {
            let waiting = async {
                tokio::select! {
                    biased;
                    read = self.stream.read_buf(&mut self.buffer) => read.map(Event::Read),
                    step = push_after(not_before, &mut self.session) => Ok(Event::Push(step)),
                    () = drain.cancelled() => Ok(Event::Drain),
                }
            };
            match timeout(self.idle, waiting).await {
                Ok(event) => return event,
                Err(_) if self.session.may_be_silent() => {}
                Err(elapsed) => return Err(elapsed.into()),
            }
        }
    }

    /// Sends what a step says. Returns whether it was the last one.
    async fn send(&mut self, step: Step) -> io::Result<bool> {
        for out in step.out {
            match out {
                Out::Bytes(bytes) => self.out.extend_from_slice(&bytes),
                Out::Alone { bytes, pause } => {
                    self.flush().await?;
                    self.write(&bytes).await?;
                    self.not_before = Instant::now() + pause;
                }
                Out::Content(mut reader) => {
                    self.flush().await?;
                    while let Some(bytes) = reader.next().await.map_err(io::Error::other)? {
                        self.write(&bytes).await?;
                    }
                }
            }
        }
        self.flush().await?;
        Ok(step.is_last)
    }

    async fn flush(&mut self) -> io::Result<()> {
        if self.out.is_empty() {
            return Ok(());
        }
        let bytes = self.out.split();
        self.write(&bytes).await
    }

    /// Writes at once all of `bytes`, not before a pause is over. The other end must take some of it all the time.
    async fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        if self.not_before > Instant::now() {
            sleep_until(self.not_before).await;
        }
        while !bytes.is_empty() {
            let written = timeout(self.idle, self.stream.write(bytes)).await??;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.counters.sent(written);
            bytes = bytes.get(written..).unwrap_or_default();
        }
        Ok(())
    }
}

/// What the session says by itself, once a pause is over. Meanwhile the connection is read.
async fn push_after(not_before: Instant, session: &mut impl Session) -> Step {
    if not_before > Instant::now() {
        sleep_until(not_before).await;
    }
    session.push().await
}

/// Slows a connection down that sends more frames than it may.
struct Pace {
    interval: Duration,
    /// When the next frame is due at that rate.
    due: Instant,
}

/// How far ahead of its rate a connection may be.
const AHEAD: Duration = Duration::from_secs(1);

impl Pace {
    fn new(frames_per_second: u32) -> Self {
        Self {
            interval: Duration::from_secs(1) / frames_per_second.max(1),
            due: Instant::now(),
        }
    }

    async fn wait(&mut self) {
        let now = Instant::now();
        self.due = self.due.max(now) + self.interval;
        if self.due > now + AHEAD {
            sleep_until(self.due - AHEAD).await;
        }
    }
}

impl<P> Place<P> {
    /// A place for another connection of `address`, if it may have one more.
    fn take(shared: &Arc<Shared<P>>, address: IpAddr) -> Option<Self> {
        let mut counts = shared.addresses.0.lock();
        let count = counts.entry(address).or_default();
        if *count >= shared.config.per_address_max {
            shared.counters.refused();
            tracing::debug!(gateway = %shared.name, %address, "too many connections from one address");
            return None;
        }
        *count += 1;
        shared.counters.opened();
        Some(Self {
            shared: Arc::clone(shared),
            address,
        })
    }
}

impl<P> Drop for Place<P> {
    fn drop(&mut self) {
        self.shared.counters.closed();
        let mut counts = self.shared.addresses.0.lock();
        if let Entry::Occupied(mut count) = counts.entry(self.address) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}
