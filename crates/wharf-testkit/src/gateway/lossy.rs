//! A network that loses, doubles and reorders datagrams, as a seed decides.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// How bad the network is, in hundredths of the datagrams of each direction.
#[derive(Debug, Clone, Copy)]
pub struct Weather {
    /// How many are lost.
    pub lost: u32,
    /// How many come twice.
    pub doubled: u32,
    /// How many are held back until others have overtaken them.
    pub late: u32,
}

/// Held-back datagrams of one direction, at most.
const HELD_MAX: usize = 32;
const QUIET: Duration = Duration::from_millis(20);
const BUFFER_BYTES: usize = 64 * 1024;

/// A proxy on a free port, in front of one server; ends when dropped.
#[derive(Debug)]
pub struct LossyNetwork {
    address: SocketAddr,
    server: Arc<Mutex<SocketAddr>>,
    is_over: Arc<AtomicBool>,
    lost: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

/// What the threads of a network share.
#[derive(Clone)]
struct Shared {
    front: Arc<UdpSocket>,
    server: Arc<Mutex<SocketAddr>>,
    weather: Weather,
    is_over: Arc<AtomicBool>,
    lost: Arc<AtomicU64>,
    random: Arc<Mutex<StdRng>>,
}

impl LossyNetwork {
    /// A network to `server`.
    ///
    /// # Errors
    /// When there is no port or no thread to be had.
    pub fn start(server: SocketAddr, weather: Weather, seed: u64) -> io::Result<Self> {
        let front = UdpSocket::bind("127.0.0.1:0")?;
        front.set_read_timeout(Some(QUIET))?;
        let address = front.local_addr()?;
        let shared = Shared {
            front: Arc::new(front),
            server: Arc::new(Mutex::new(server)),
            weather,
            is_over: Arc::default(),
            lost: Arc::default(),
            random: Arc::new(Mutex::new(StdRng::seed_from_u64(seed))),
        };
        let (server, is_over) = (Arc::clone(&shared.server), Arc::clone(&shared.is_over));
        let lost = Arc::clone(&shared.lost);
        let thread = std::thread::Builder::new().spawn(move || shared.forward())?;
        Ok(Self {
            address,
            server,
            is_over,
            lost,
            thread: Some(thread),
        })
    }

    /// Where clients send to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the server is from now on.
    pub fn move_server(&self, server: SocketAddr) {
        *self.server.lock() = server;
    }

    /// How many datagrams it has lost.
    pub fn lost_count(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

impl Drop for LossyNetwork {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl Shared {
    /// Carries what clients send, each over a socket of its own, and starts a thread for each that carries the answers.
    fn forward(self) {
        let mut backs: HashMap<SocketAddr, Arc<UdpSocket>> = HashMap::new();
        let mut answers = Vec::new();
        let mut held: Vec<(SocketAddr, Vec<u8>)> = Vec::new();
        let mut buffer = vec![0; BUFFER_BYTES];
        while !self.is_over.load(Ordering::Relaxed) {
            let received = self.front.recv_from(&mut buffer);
            let arrived = match received {
                Ok((bytes, client)) => {
                    let datagram = buffer.get(..bytes).unwrap_or_default().to_vec();
                    self.decide(client, datagram, &mut held)
                }
                Err(_) => std::mem::take(&mut held),
            };
            for (client, datagram) in arrived {
                let back = backs.entry(client).or_insert_with(|| {
                    let back = Arc::new(UdpSocket::bind("127.0.0.1:0").expect("a socket"));
                    back.set_read_timeout(Some(QUIET)).expect("a timeout");
                    let (shared, socket) = (self.clone(), Arc::clone(&back));
                    answers.push(std::thread::spawn(move || shared.answer(client, &socket)));
                    back
                });
                // A server that is away loses it, as any network would.
                drop(back.send_to(&datagram, *self.server.lock()));
            }
        }
        for thread in answers {
            drop(thread.join());
        }
    }

    /// Carries a server's answers to one client.
    fn answer(&self, client: SocketAddr, back: &UdpSocket) {
        let mut held = Vec::new();
        let mut buffer = vec![0; BUFFER_BYTES];
        while !self.is_over.load(Ordering::Relaxed) {
            let arrived = match back.recv(&mut buffer) {
                Ok(bytes) => {
                    let datagram = buffer.get(..bytes).unwrap_or_default().to_vec();
                    self.decide(client, datagram, &mut held)
                }
                Err(_) => std::mem::take(&mut held),
            };
            for (client, datagram) in arrived {
                drop(self.front.send_to(&datagram, client));
            }
        }
    }

    /// What arrives now that a datagram was sent.
    fn decide(
        &self,
        client: SocketAddr,
        datagram: Vec<u8>,
        held: &mut Vec<(SocketAddr, Vec<u8>)>,
    ) -> Vec<(SocketAddr, Vec<u8>)> {
        let mut random = self.random.lock();
        let mut is = |hundredths: u32| random.random_range(0..100) < hundredths;
        if is(self.weather.lost) {
            self.lost.fetch_add(1, Ordering::Relaxed);
            return Vec::new();
        }
        let mut arrived = Vec::new();
        if is(self.weather.doubled) {
            arrived.push((client, datagram.clone()));
        }
        if is(self.weather.late) && held.len() < HELD_MAX {
            held.push((client, datagram));
        } else {
            arrived.push((client, datagram));
            // Who was overtaken comes now, the last one first.
            if is(50)
                && let Some(late) = held.pop()
            {
                arrived.push(late);
            }
        }
        arrived
    }
}
