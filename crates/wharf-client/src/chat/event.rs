//! What a chat tells whoever shows it.

use std::sync::Arc;

use tokio::sync::broadcast;
use wharf_types::RoomId;
use wharf_types::api::contact::Presence;
use wharf_types::api::log::Entry;

/// Most events that wait for one subscriber; past it the subscriber is told to read everything again.
const EVENTS_MAX: usize = 1024;

/// Something that changed. An event says where to look; the state is read with the queries.
#[derive(Debug, Clone)]
pub enum Event {
    /// The connection is another one.
    Connection(Connection),
    /// A room came, or changed in the list: its name, counts, last entry, preferences.
    Room(RoomId),
    /// The account is no member of it any more; what was stored of it is gone.
    RoomGone(RoomId),
    /// What a timeline shows of the room changed: entries, their states, or own items that wait.
    Timeline(RoomId),
    /// A text or file was said just now; for a bell or a line on a terminal. Each once in this process, in their order.
    /// What was missed while away is not told so.
    Said {
        /// Where.
        room: RoomId,
        /// What.
        entry: Arc<Entry>,
    },
    /// Contacts, requests, blocks or groups of contacts changed.
    Contacts,
    /// Invitations into rooms changed.
    Invitations,
    /// Presence of those who are watched.
    Presence(Vec<Presence>),
    /// Who is typing in a room changed.
    Typing(RoomId),
    /// Somebody has read or received further in a room.
    Cursors(RoomId),
    /// A room's drive changed.
    Drive {
        /// Where.
        room: RoomId,
        /// Its last position.
        head: u64,
    },
    /// An own item was sent, was refused, or went on.
    Outbox {
        /// Its number.
        id: i64,
    },
    /// More happened than could be told: read everything again.
    Reload,
}

/// Whether the server can be spoken with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Connection {
    /// Not connected; what is typed waits.
    #[default]
    Offline,
    /// Being opened, or telling what was missed.
    Connecting,
    /// What happens is told as it happens.
    Live,
    /// The session ended: log in again. No further attempt is made.
    LoggedOut {
        /// Why, for a person.
        detail: String,
    },
    /// The server refuses this client, for instance because it is too old; tried again now and then.
    Refused {
        /// Why, for a person.
        detail: String,
    },
}

/// A subscription to events.
#[derive(Debug)]
pub struct Events(broadcast::Receiver<Event>);

impl Events {
    /// The next event; none once the chat is closed. Cancel safe.
    pub async fn next(&mut self) -> Option<Event> {
        match self.0.recv().await {
            Ok(event) => Some(event),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Event::Reload),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }

    /// The next event, if there is one now.
    pub fn try_next(&mut self) -> Option<Event> {
        match self.0.try_recv() {
            Ok(event) => Some(event),
            Err(broadcast::error::TryRecvError::Lagged(_)) => Some(Event::Reload),
            Err(broadcast::error::TryRecvError::Empty | broadcast::error::TryRecvError::Closed) => {
                None
            }
        }
    }
}

/// Where events are told from.
#[derive(Debug, Clone)]
pub(super) struct Teller(broadcast::Sender<Event>);

impl Teller {
    pub(super) fn new() -> Self {
        Self(broadcast::Sender::new(EVENTS_MAX))
    }

    pub(super) fn subscribe(&self) -> Events {
        Events(self.0.subscribe())
    }

    /// Tells it to those who listen; nobody has to.
    pub(super) fn tell(&self, event: Event) {
        drop(self.0.send(event));
    }
}
