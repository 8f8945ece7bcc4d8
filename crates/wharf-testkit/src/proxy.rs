//! A TCP proxy whose connections break where a test says.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the client to the server.
    Up,
    /// From the server to the client.
    Down,
}

/// What happens to connections made after a cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// They pass: the network is whole again.
    Heal,
    /// They are closed at once, until [`Proxy::heal`].
    Refuse,
}

/// A proxy on a free port, in front of one server; ends when dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    _accepting: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Counts cuts; every connection ends when it changes.
    cuts: watch::Sender<u64>,
}

#[derive(Debug)]
struct State {
    server: SocketAddr,
    cut: Option<Cut>,
    is_refusing: bool,
    up_bytes: u64,
    down_bytes: u64,
    connection_count: u64,
}

#[derive(Debug, Clone, Copy)]
struct Cut {
    way: Way,
    left_bytes: u64,
    after: After,
}

impl Proxy {
    /// Starts one in front of `server`.
    ///
    /// # Panics
    /// If there is no free port.
    pub async fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("an address");
        let state = State {
            server,
            cut: None,
            is_refusing: false,
            up_bytes: 0,
            down_bytes: 0,
            connection_count: 0,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            cuts: watch::Sender::new(0),
        });
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, Arc::clone(&shared)));
        Self {
            address,
            shared,
            _accepting: accepting,
        }
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Leads new connections to another server.
    pub fn lead_to(&self, server: SocketAddr) {
        self.shared.state.lock().server = server;
    }

    /// Lets exactly `bytes` more pass that way, over all connections together, and then breaks every connection.
    pub fn cut_after(&self, way: Way, bytes: u64, after: After) {
        self.shared.state.lock().cut = Some(Cut {
            way,
            left_bytes: bytes,
            after,
        });
    }

    /// Breaks every connection now.
    pub fn cut_now(&self, after: After) {
        let mut state = self.shared.state.lock();
        self.shared.cut(&mut state, after);
    }

    /// Forgets a cut to come, and lets connections pass again.
    pub fn heal(&self) {
        let mut state = self.shared.state.lock();
        state.cut = None;
        state.is_refusing = false;
    }

    /// How many cuts there were.
    pub fn cut_count(&self) -> u64 {
        *self.shared.cuts.borrow()
    }

    /// How many connections were led to the server.
    pub fn connection_count(&self) -> u64 {
        self.shared.state.lock().connection_count
    }

    /// Bytes that passed that way so far.
    pub fn passed_bytes(&self, way: Way) -> u64 {
        let state = self.shared.state.lock();
        match way {
            Way::Up => state.up_bytes,
            Way::Down => state.down_bytes,
        }
    }
}

impl Shared {
    /// Says how many of `bytes` may pass.
    fn admit(&self, way: Way, bytes: usize) -> usize {
        let mut state = self.state.lock();
        let admitted = match state.cut {
            Some(cut) if cut.way == way => {
                bytes.min(usize::try_from(cut.left_bytes).unwrap_or(usize::MAX))
            }
            _ => bytes,
        };
        match way {
            Way::Up => state.up_bytes += admitted as u64,
            Way::Down => state.down_bytes += admitted as u64,
        }
        if let Some(cut) = state.cut.as_mut().filter(|cut| cut.way == way) {
            cut.left_bytes -= admitted as u64;
        }
        admitted
    }

    /// Breaks every connection if what may pass that way has passed.
    fn cut_if_due(&self, way: Way) -> bool {
        let mut state = self.state.lock();
        match state.cut {
            Some(cut) if cut.way == way && cut.left_bytes == 0 => {
                self.cut(&mut state, cut.after);
                true
            }
            _ => false,
        }
    }

    fn cut(&self, state: &mut State, after: After) {
        state.cut = None;
        state.is_refusing = after == After::Refuse;
        self.cuts.send_modify(|count| *count += 1);
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((client, _)) = listener.accept() => {
                connections.spawn(lead(client, Arc::clone(&shared)));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Leads one connection until either end closes or a cut.
async fn lead(client: TcpStream, shared: Arc<Shared>) {
    let mut cuts = shared.cuts.subscribe();
    cuts.mark_unchanged();
    let server = {
        let mut state = shared.state.lock();
        if state.is_refusing {
            return;
        }
        state.connection_count += 1;
        state.server
    };
    let Ok(server) = TcpStream::connect(server).await else {
        return;
    };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let both = async {
        tokio::join!(
            pump(from_client, to_server, Way::Up, &shared),
            pump(from_server, to_client, Way::Down, &shared)
        )
    };
    tokio::select! {
        _ = both => {}
        _ = cuts.changed() => {}
    }
}

async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    way: Way,
    shared: &Shared,
) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        let admitted = shared.admit(way, read);
        to.write_all(&buffer[..admitted]).await?;
        if shared.cut_if_due(way) {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::{After, Proxy, Way};

    /// A server that sends back what it gets.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let (mut read, mut write) = stream.split();
                    let _end = tokio::io::copy(&mut read, &mut write).await;
                });
            }
        });
        address
    }

    /// Sends `bytes` and returns what comes back until the connection ends.
    async fn exchange(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let mut back = Vec::new();
        if stream.write_all(bytes).await.is_ok() && stream.shutdown().await.is_ok() {
            let _end = stream.read_to_end(&mut back).await;
        }
        back
    }

    #[tokio::test]
    async fn exactly_what_is_admitted_passes_and_then_it_heals() {
        let proxy = Proxy::start(echo().await).await;
        assert_eq!(exchange(proxy.address(), b"hello").await, b"hello");
        proxy.cut_after(Way::Down, 3, After::Heal);
        assert_eq!(exchange(proxy.address(), b"hello").await, b"hel");
        assert_eq!(proxy.cut_count(), 1);
        assert_eq!(exchange(proxy.address(), b"hello").await, b"hello");
        assert_eq!(
            (proxy.passed_bytes(Way::Up), proxy.passed_bytes(Way::Down)),
            (15, 13)
        );
    }

    #[tokio::test]
    async fn a_network_that_is_down_refuses_until_it_heals() {
        let proxy = Proxy::start(echo().await).await;
        proxy.cut_after(Way::Up, 2, After::Refuse);
        exchange(proxy.address(), b"hello").await;
        assert_eq!(proxy.passed_bytes(Way::Up), 2);
        assert_eq!(exchange(proxy.address(), b"hello").await, b"");
        proxy.heal();
        assert_eq!(exchange(proxy.address(), b"hello").await, b"hello");
        assert_eq!(proxy.connection_count(), 2);
    }
}
