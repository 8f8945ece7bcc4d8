//! Clients of the diary: one that does what the published one does, and datagrams by hand.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::timeout;

/// What the published client reads of an answer.
const BUFFER_BYTES: usize = 4096;
/// The published client waits for ever; a test says after this that nothing came.
const DEADLINE: Duration = Duration::from_secs(20);
/// How long a test waits before it says that nothing comes.
const SILENCE: Duration = Duration::from_millis(150);

/// The published client: its first datagram is `r`, it waits for one answer to that and to each later `r` or `sync`, reads
/// it with one call into 4,096 bytes, and reads nothing at any other time.
#[derive(Debug)]
pub struct DiaryClient {
    socket: UdpSocket,
    server: SocketAddr,
}

/// A socket that sends and receives what a test says.
#[derive(Debug)]
pub struct Datagrams {
    socket: UdpSocket,
    server: SocketAddr,
}

impl DiaryClient {
    /// Starts, and prints the log.
    ///
    /// # Panics
    /// If there is no answer, which would hang the published one.
    pub async fn start(server: SocketAddr) -> (Self, Vec<u8>) {
        Self::start_at(Ipv4Addr::LOCALHOST.into(), server).await
    }

    /// As [`DiaryClient::start`], at an address of this machine.
    ///
    /// # Panics
    /// If there is no answer.
    pub async fn start_at(address: IpAddr, server: SocketAddr) -> (Self, Vec<u8>) {
        let client = Self {
            socket: UdpSocket::bind((address, 0)).await.expect("a socket"),
            server,
        };
        let log = client.line("r").await.expect("an answer");
        (client, log)
    }

    /// Types a line. `None` where the client reads nothing.
    ///
    /// # Panics
    /// If there is no answer where it reads one.
    pub async fn line(&self, text: &str) -> Option<Vec<u8>> {
        if matches!(text, "h" | "help" | "?" | "q" | "quit") {
            return None;
        }
        let sent = self.socket.send_to(text.as_bytes(), self.server).await;
        sent.expect("a datagram that fits");
        if !matches!(text, "r" | "sync") {
            return None;
        }
        let mut buffer = [0; BUFFER_BYTES];
        let (bytes, _) = timeout(DEADLINE, self.socket.recv_from(&mut buffer))
            .await
            .expect("the client hangs without an answer")
            .expect("an answer");
        Some(buffer.get(..bytes).unwrap_or_default().to_vec())
    }

    /// Where it sends from.
    ///
    /// # Panics
    /// If its socket is gone.
    pub fn address(&self) -> SocketAddr {
        self.socket.local_addr().expect("a bound socket")
    }
}

impl Datagrams {
    /// A new socket, on a port of its own.
    ///
    /// # Panics
    /// If there is none.
    pub async fn new(server: SocketAddr) -> Self {
        Self {
            socket: UdpSocket::bind("127.0.0.1:0").await.expect("a socket"),
            server,
        }
    }

    /// Sends a datagram.
    ///
    /// # Panics
    /// If the kernel does not take it.
    pub async fn send(&self, datagram: &[u8]) {
        let sent = self.socket.send_to(datagram, self.server).await;
        sent.expect("a datagram that fits");
    }

    /// The next datagram that comes, or nothing when none does for a moment.
    pub async fn receive(&self) -> Option<Vec<u8>> {
        let mut buffer = vec![0; 64 * 1024];
        let received = timeout(SILENCE, self.socket.recv_from(&mut buffer)).await;
        let (bytes, _) = received.ok()?.ok()?;
        buffer.truncate(bytes);
        Some(buffer)
    }

    /// Sends a datagram and waits for its answer.
    ///
    /// # Panics
    /// If there is none.
    pub async fn ask(&self, datagram: &[u8]) -> Vec<u8> {
        self.send(datagram).await;
        let mut buffer = vec![0; 64 * 1024];
        let (bytes, _) = timeout(DEADLINE, self.socket.recv_from(&mut buffer))
            .await
            .expect("an answer in time")
            .expect("an answer");
        buffer.truncate(bytes);
        buffer
    }

    /// As [`Datagrams::ask`], for texts.
    pub async fn ask_text(&self, datagram: &str) -> String {
        String::from_utf8_lossy(&self.ask(datagram.as_bytes()).await).into_owned()
    }

    /// Where it sends from.
    ///
    /// # Panics
    /// If its socket is gone.
    pub fn address(&self) -> SocketAddr {
        self.socket.local_addr().expect("a bound socket")
    }
}
