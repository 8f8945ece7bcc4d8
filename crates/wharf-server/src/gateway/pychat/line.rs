//! From a seat to a connection that stays open: texts in order, each noted once it was written.

use bytes::Bytes;
use tokio::sync::mpsc::{self, Receiver, Sender};
use wharf_types::RoomId;
use wharf_wire::gateway::pychat::Push;

/// Texts that wait for one connection. A text of the greatest length is less.
const WAITING_MAX: usize = 128;

/// The end of a line at the seat.
#[derive(Debug)]
pub(super) struct Line {
    /// Which connection it leads to.
    pub(super) id: u64,
    items: Sender<Item>,
}

/// What is written by itself.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) bytes: Bytes,
    /// What was shown once it is written.
    pub(super) mark: Option<Mark>,
}

/// That an entry of a direct room was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) room: RoomId,
    pub(super) position: u64,
    pub(super) shown: Shown,
}

/// How much of an entry was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// All of it, and everything before it.
    Through,
    /// All of it.
    Whole,
    /// So many bytes of its text.
    Part(usize),
}

impl Line {
    /// A line, and the end of it at the connection.
    pub(super) fn new(id: u64) -> (Self, Receiver<Item>) {
        let (items, queue) = mpsc::channel(WAITING_MAX);
        (Self { id, items }, queue)
    }

    /// Whether there is place for `count` texts.
    pub(super) fn has_room(&self, count: usize) -> bool {
        self.items.capacity() >= count
    }

    /// Queues a push. Returns whether there was place.
    pub(super) fn push(&self, push: &Push, mark: Option<Mark>) -> bool {
        self.say(push.encode().to_vec(), mark)
    }

    /// Queues a text. Returns whether there was place.
    pub(super) fn say(&self, bytes: impl Into<Bytes>, mark: Option<Mark>) -> bool {
        let bytes = bytes.into();
        self.items.try_send(Item { bytes, mark }).is_ok()
    }
}
