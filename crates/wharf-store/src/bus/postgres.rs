//! The bus over `LISTEN` and `NOTIFY`: a thread that listens and one that sends, each with a connection of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError};
use postgres::fallible_iterator::FallibleIterator;
use postgres::{Client, Config, NoTls};

/// The channel of the server's notifications.
const CHANNEL: &str = "wharf";
/// Batches that wait to be sent.
const WAITING_MAX: usize = 256;
/// How often the listener looks whether it is to end.
const LOOK: Duration = Duration::from_millis(200);
/// A pause after a connection that broke or could not be made.
const PAUSE: Duration = Duration::from_secs(1);
const CONNECT_WAIT: Duration = Duration::from_secs(10);
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// The two threads.
pub(super) struct Notifications {
    outgoing: Option<Sender<Vec<String>>>,
    ending: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

type Hear = Box<dyn Fn(&str) + Send>;

impl Notifications {
    /// Starts the threads; `None` where the address is none or a thread cannot be had, which is logged.
    pub(super) fn start(url: &str, hear: Hear) -> Option<Self> {
        let started = config(url)
            .map_err(|error| error.to_string())
            .and_then(|config| {
                let (outgoing, waiting) = crossbeam_channel::bounded(WAITING_MAX);
                let ending = Arc::<AtomicBool>::default();
                let listener = Ears {
                    config: config.clone(),
                    ending: Arc::clone(&ending),
                    hear,
                };
                let sender = Mouth {
                    config,
                    ending: Arc::clone(&ending),
                    waiting,
                };
                let spawn = |name: &str, body: Box<dyn FnOnce() + Send>| {
                    std::thread::Builder::new()
                        .name(name.to_owned())
                        .spawn(body)
                        .map_err(|error| error.to_string())
                };
                let threads = vec![
                    spawn("bus-listen", Box::new(move || listener.run()))?,
                    spawn("bus-send", Box::new(move || sender.run()))?,
                ];
                Ok(Self {
                    outgoing: Some(outgoing),
                    ending,
                    threads,
                })
            });
        started
            .inspect_err(|error| tracing::error!(error, "no bus: others are heard late"))
            .ok()
    }

    pub(super) fn send(&self, messages: Vec<String>) -> bool {
        match self
            .outgoing
            .as_ref()
            .map(|outgoing| outgoing.try_send(messages))
        {
            Some(Ok(())) => true,
            Some(Err(TrySendError::Full(_) | TrySendError::Disconnected(_))) | None => false,
        }
    }
}

impl std::fmt::Debug for Notifications {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Notifications")
    }
}

impl Drop for Notifications {
    /// Lets the threads end by themselves: one of them may be dropping this.
    fn drop(&mut self) {
        self.ending.store(true, Ordering::SeqCst);
        self.outgoing = None;
        self.threads.clear();
    }
}

fn config(url: &str) -> Result<Config, postgres::Error> {
    let mut config: Config = url.parse()?;
    config
        .keepalives_idle(SILENCE_MAX)
        .tcp_user_timeout(SILENCE_MAX)
        .connect_timeout(CONNECT_WAIT)
        .application_name("wharf bus");
    Ok(config)
}

struct Ears {
    config: Config,
    ending: Arc<AtomicBool>,
    hear: Hear,
}

impl Ears {
    fn run(&self) {
        while !self.ending.load(Ordering::SeqCst) {
            if let Err(error) = self.listen() {
                tracing::warn!(%error, "the bus cannot be heard; trying again");
            }
            pause(&self.ending);
        }
    }

    /// Hears until the end or until the connection breaks.
    fn listen(&self) -> Result<(), postgres::Error> {
        let mut client = self.config.connect(NoTls)?;
        client.batch_execute(&format!("LISTEN {CHANNEL}"))?;
        while !self.ending.load(Ordering::SeqCst) {
            {
                let mut notifications = client.notifications();
                let mut heard = notifications.timeout_iter(LOOK);
                while let Some(notification) = heard.next()? {
                    (self.hear)(notification.payload());
                }
            }
            if client.is_closed() {
                return Ok(());
            }
        }
        Ok(())
    }
}

struct Mouth {
    config: Config,
    ending: Arc<AtomicBool>,
    waiting: Receiver<Vec<String>>,
}

impl Mouth {
    fn run(&self) {
        let mut client = None;
        loop {
            match self.waiting.recv_timeout(PAUSE) {
                Ok(mut messages) => {
                    // What piled up goes in one transaction.
                    messages.extend(self.waiting.try_iter().take(WAITING_MAX).flatten());
                    if let Err(error) = self.say(&mut client, &messages) {
                        tracing::warn!(%error, "the bus cannot be spoken to; hints are lost");
                        client = None;
                        pause(&self.ending);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn say(&self, client: &mut Option<Client>, messages: &[String]) -> Result<(), postgres::Error> {
        let client = match client {
            Some(client) => client,
            None => client.insert(self.config.connect(NoTls)?),
        };
        let mut transaction = client.transaction()?;
        let statement = transaction.prepare("SELECT pg_notify($1, $2)")?;
        for message in messages {
            transaction.execute(&statement, &[&CHANNEL, message])?;
        }
        transaction.commit()
    }
}

/// Waits a little, or less if it is the end.
fn pause(ending: &AtomicBool) {
    let mut left = PAUSE;
    while !ending.load(Ordering::SeqCst) && !left.is_zero() {
        std::thread::park_timeout(LOOK);
        left = left.saturating_sub(LOOK);
    }
}
