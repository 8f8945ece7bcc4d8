//! Moves datagrams: reads what has come in batches, has the desk look at each, sends what is to be answered.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, timeout};
use tokio_util::sync::CancellationToken;
use wharf_core::Wharf;
use wharf_types::api::journal::JournalKeyId;

use super::DiaryOptions;
use super::desk::{Desk, Diary, Pending, Serves, Wanted};
use super::drops::kernel_drops;
use super::worker::{DiaryWorker, SaveWorker};
use crate::gateway::Counters;

/// What the kernel is asked to hold; it gives what its own bound allows.
const RECEIVE_BUFFER_BYTES: usize = 8 * 1024 * 1024;
/// Most datagrams that are read before the desk looks at them.
const BATCH: usize = 256;
/// The longest datagram that is read whole; a longer one is cut, and then it is no entry of the journal, as with the original.
const DATAGRAM_BYTES_MAX: usize = 4096;
/// Entries and questions that wait for the house. What comes past them is dropped, as the kernel would; who is sending
/// sealed entries sends them again.
const SAVES_WAITING_MAX: usize = 4096;
const DIARY_WAITING_MAX: usize = 4096;
/// Most batches that are still read once the server stops: what had come by then.
const LAST_BATCHES_MAX: usize = 64;
/// How long to wait for the runtime to notice them.
const LAST_WAIT: Duration = Duration::from_millis(20);
/// How often the kernel's count of drops is read.
const DROPS_INTERVAL: Duration = Duration::from_secs(2);

/// Takes an address, with a large buffer.
pub(super) fn open(address: SocketAddr) -> io::Result<(UdpSocket, SocketAddr)> {
    let socket = std::net::UdpSocket::bind(address)?;
    socket.set_nonblocking(true)?;
    if rustix::net::sockopt::set_socket_recv_buffer_size_force(&socket, RECEIVE_BUFFER_BYTES)
        .is_err()
    {
        rustix::net::sockopt::set_socket_recv_buffer_size(&socket, RECEIVE_BUFFER_BYTES)?;
    }
    let granted = rustix::net::sockopt::socket_recv_buffer_size(&socket)?;
    if granted < RECEIVE_BUFFER_BYTES {
        tracing::info!(
            granted,
            wanted = RECEIVE_BUFFER_BYTES,
            "the kernel holds less for the diary's port than is good: raise net.core.rmem_max"
        );
    }
    let address = socket.local_addr()?;
    Ok((UdpSocket::from_std(socket)?, address))
}

/// One port, and what serves it.
pub(super) struct Door {
    socket: Arc<UdpSocket>,
    desk: Desk,
    wharf: Wharf,
    counters: Arc<Counters>,
    saves: mpsc::Sender<Pending>,
    diary: mpsc::Sender<Diary>,
    save_worker: SaveWorker,
    diary_worker: DiaryWorker,
}

/// A datagram as it came.
struct Received {
    from: SocketAddr,
    bytes: Vec<u8>,
}

impl Door {
    pub(super) fn new(
        socket: UdpSocket,
        serves: Serves,
        wharf: Wharf,
        options: &DiaryOptions,
        counters: Arc<Counters>,
    ) -> Self {
        let socket = Arc::new(socket);
        let (saves, waiting_saves) = mpsc::channel(SAVES_WAITING_MAX);
        let (diary, waiting_diary) = mpsc::channel(DIARY_WAITING_MAX);
        Self {
            desk: Desk::new(serves, options),
            save_worker: SaveWorker::new(
                waiting_saves,
                Arc::clone(&socket),
                wharf.clone(),
                Arc::clone(&counters),
            ),
            diary_worker: DiaryWorker::new(
                waiting_diary,
                Arc::clone(&socket),
                wharf.clone(),
                options,
                Arc::clone(&counters),
            ),
            socket,
            wharf,
            counters,
            saves,
            diary,
        }
    }

    /// Serves until `cancel`, then finishes what was taken.
    pub(super) async fn serve(self, cancel: CancellationToken) {
        let Self {
            socket,
            desk,
            wharf,
            counters,
            saves,
            diary,
            save_worker,
            diary_worker,
        } = self;
        let mut reader = Reader {
            socket,
            desk,
            wharf,
            counters,
            saves,
            diary,
            buffer: vec![0; DATAGRAM_BYTES_MAX],
        };
        let read = async move {
            reader.run(&cancel).await;
            // Dropped with it, the queues end, and the workers after what is in them.
            drop(reader);
        };
        tokio::join!(read, save_worker.run(), diary_worker.run());
    }
}

struct Reader {
    socket: Arc<UdpSocket>,
    desk: Desk,
    wharf: Wharf,
    counters: Arc<Counters>,
    saves: mpsc::Sender<Pending>,
    diary: mpsc::Sender<Diary>,
    buffer: Vec<u8>,
}

impl Reader {
    async fn run(&mut self, cancel: &CancellationToken) {
        let mut look = tokio::time::interval(DROPS_INTERVAL);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // What each socket has counted is added up, as there may be two.
        let mut dropped_before = 0;
        loop {
            tokio::select! {
                () = cancel.cancelled() => return self.finish().await,
                _ = look.tick() => {
                    if let Some(dropped) = kernel_drops(&*self.socket) {
                        self.counters.dropped_by_kernel(dropped.saturating_sub(dropped_before));
                        dropped_before = dropped;
                    }
                }
                ready = self.socket.readable() => {
                    if let Err(error) = ready {
                        tracing::error!(%error, "the diary's port cannot be read");
                        return;
                    }
                    let batch = self.read();
                    self.work(batch).await;
                }
            }
        }
    }

    /// Works off what has come, as nobody could know that it was not taken.
    async fn finish(&mut self) {
        for _ in 0..LAST_BATCHES_MAX {
            let ready = timeout(LAST_WAIT, self.socket.readable()).await;
            if !matches!(ready, Ok(Ok(()))) {
                return;
            }
            let batch = self.read();
            self.work(batch).await;
        }
    }

    /// Reads what has come, up to a batch.
    fn read(&mut self) -> Vec<Received> {
        let now_ms = self.wharf.clock().steady_ms();
        let mut batch = Vec::new();
        for _ in 0..BATCH {
            match self.socket.try_recv_from(&mut self.buffer) {
                Ok((bytes, from)) => {
                    self.counters.received(bytes);
                    if !self.desk.admit(from, now_ms) {
                        self.counters.refused();
                        continue;
                    }
                    let bytes = self.buffer.get(..bytes).unwrap_or_default().to_vec();
                    batch.push(Received { from, bytes });
                }
                // What an earlier answer met on its way comes back as an error here; it is nobody's datagram.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                Err(_) => break,
            }
        }
        batch
    }

    /// Has the desk look at each, and once more at those whose keys the house had to be asked for.
    async fn work(&mut self, batch: Vec<Received>) {
        let (again, ids) = self.pass(batch);
        if again.is_empty() {
            return;
        }
        let found = self.wharf.journal().find_keys(ids.clone()).await;
        if let Err(error) = &found {
            tracing::warn!(%error, "keys of the journal could not be read");
        }
        let now_ms = self.wharf.clock().steady_ms();
        self.desk.learn(&ids, found.ok(), now_ms);
        self.pass(again);
    }

    /// Returns those whose keys are not known, and the keys.
    fn pass(&mut self, batch: Vec<Received>) -> (Vec<Received>, Vec<JournalKeyId>) {
        let now_ms = self.wharf.clock().steady_ms();
        let mut again = Vec::new();
        let mut ids = Vec::new();
        for mut received in batch {
            let Received { from, bytes } = &mut received;
            match self.desk.take(*from, bytes, now_ms, &self.counters) {
                Wanted::Nothing => self.counters.garbled(),
                Wanted::Reply(reply) => send(&self.socket, &self.counters, *from, &reply),
                Wanted::Save(pending) => self.counters.count_full(&self.saves.try_send(*pending)),
                Wanted::Diary(asked) => self.counters.count_full(&self.diary.try_send(asked)),
                Wanted::Key(id) => {
                    if !ids.contains(&id) {
                        ids.push(id);
                    }
                    again.push(received);
                }
            }
        }
        (again, ids)
    }
}

impl Counters {
    fn count_full<T>(&self, sent: &Result<(), T>) {
        if sent.is_err() {
            self.dropped();
        }
    }
}

/// Sends an answer. Where the kernel has no room for it, it is lost, as it might be on its way.
pub(super) fn send(socket: &UdpSocket, counters: &Counters, to: SocketAddr, reply: &[u8]) {
    match socket.try_send_to(reply, to) {
        Ok(bytes) => counters.sent(bytes),
        Err(error) => tracing::debug!(%to, %error, "an answer was not sent"),
    }
}
