//! What waits to be told to one connection.
//!
//! The queue is bounded. When it overflows it is dropped whole, and the rooms whose entries were in it are remembered
//! in its place: the connection is told where their logs stand and fetches what it wants. So a connection that does not
//! read costs a bounded amount of memory and loses nothing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, OnceLock};
use std::task::Waker;

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use parking_lot::Mutex;
use wharf_types::api::contact::Presence;
use wharf_types::api::live::ServerFrame;
use wharf_types::limit::{LIVE_QUEUE_BYTES_MAX, LIVE_QUEUE_FRAMES_MAX};
use wharf_types::{AccountId, ErrorCode, RoomId};

/// Frames that any number of connections are told, made into bytes by the first of them.
#[derive(Debug)]
pub struct Told {
    frames: Vec<ServerFrame>,
    /// About how long the frames are as text.
    weight_bytes: usize,
    encoded: OnceLock<Bytes>,
}

/// What frames are about: what becomes of them when the queue overflows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum About {
    /// Entries of a room.
    Entries(RoomId),
    /// The end of a drive's stream.
    Drive(RoomId),
    /// What is over soon: typing, cursors.
    Passing,
}

/// Why a connection is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// The kind.
    pub code: ErrorCode,
    /// For a person.
    pub detail: &'static str,
}

/// What a connection is to be told, as [`super::Connection::take`] gives it.
#[derive(Debug, Default)]
pub struct Taken {
    /// Frames, in order.
    pub told: VecDeque<Arc<Told>>,
    /// Where the logs of rooms stand whose entries were dropped, to be told after `told`; likewise drives.
    pub own: Vec<ServerFrame>,
    /// Accounts whose presence changed.
    pub presence: Vec<Presence>,
    /// The version that the account's list has reached; 0 where nothing was heard of it.
    pub account_version: u64,
    /// Who is watched has to be asked for again: what may be seen has changed.
    pub must_watch_again: bool,
}

/// What waits for one connection.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: Mutex<Waiting>,
    waker: AtomicWaker,
}

#[derive(Debug, Default)]
struct Waiting {
    queue: VecDeque<(About, Arc<Told>)>,
    frame_count: usize,
    bytes: usize,
    dropped: BTreeSet<About>,
    presence: BTreeMap<AccountId, Presence>,
    account_version: u64,
    must_watch_again: bool,
    beat: bool,
    end: Option<End>,
}

impl About {
    pub(super) fn room(self) -> Option<RoomId> {
        match self {
            Self::Entries(room) | Self::Drive(room) => Some(room),
            Self::Passing => None,
        }
    }
}

impl Told {
    pub(super) fn new(frames: Vec<ServerFrame>, weight_bytes: usize) -> Arc<Self> {
        Arc::new(Self {
            frames,
            weight_bytes,
            encoded: OnceLock::new(),
        })
    }

    /// The frames, in order.
    pub fn frames(&self) -> &[ServerFrame] {
        &self.frames
    }

    /// The frames as bytes: what `encode` made of them the first time that anybody asked. There is one door to a
    /// connection that follows rooms, so there is one encoding.
    pub fn encoded(&self, encode: impl FnOnce(&[ServerFrame]) -> Bytes) -> &Bytes {
        self.encoded.get_or_init(|| encode(&self.frames))
    }
}

impl Outbox {
    /// Queues frames. Does not wake the connection, so that frames which are told together are written together.
    pub(super) fn push(&self, about: About, told: &Arc<Told>) {
        let mut waiting = self.waiting.lock();
        if waiting.dropped.contains(&about) {
            return;
        }
        if about == About::Passing && waiting.frame_count >= LIVE_QUEUE_FRAMES_MAX / 2 {
            return;
        }
        waiting.frame_count += told.frames.len();
        waiting.bytes += told.weight_bytes;
        waiting.queue.push_back((about, Arc::clone(told)));
        let is_over =
            waiting.frame_count > LIVE_QUEUE_FRAMES_MAX || waiting.bytes > LIVE_QUEUE_BYTES_MAX;
        if is_over {
            waiting.overflow();
        }
    }

    /// Has the connection told where a room or drive stands, without its frames.
    pub(super) fn drop_frames(&self, about: About) {
        self.waiting.lock().remember(about);
    }

    pub(super) fn push_presence(&self, presence: Presence) {
        let mut waiting = self.waiting.lock();
        waiting.presence.insert(presence.account, presence);
    }

    pub(super) fn account_at(&self, version: u64) {
        let mut waiting = self.waiting.lock();
        waiting.account_version = waiting.account_version.max(version);
    }

    pub(super) fn watch_again(&self) {
        self.waiting.lock().must_watch_again = true;
    }

    pub(super) fn beat(&self) {
        self.waiting.lock().beat = true;
    }

    /// Ends the connection; the first reason counts.
    pub(super) fn end(&self, end: End) {
        self.waiting.lock().end.get_or_insert(end);
    }

    pub(super) fn wake(&self) {
        self.waker.wake();
    }

    pub(super) fn register(&self, waker: &Waker) {
        self.waker.register(waker);
    }

    /// Takes everything that waits, and says what was dropped. Of those things nothing is queued before they are
    /// [forgotten](Outbox::forget).
    pub(super) fn take(&self) -> (Taken, BTreeSet<About>) {
        let mut waiting = self.waiting.lock();
        let dropped = waiting.dropped.clone();
        let rest = Waiting {
            dropped: std::mem::take(&mut waiting.dropped),
            beat: waiting.beat,
            end: waiting.end,
            ..Waiting::default()
        };
        let waiting = std::mem::replace(&mut *waiting, rest);
        let taken = Taken {
            told: waiting.queue.into_iter().map(|(_, told)| told).collect(),
            own: Vec::new(),
            presence: waiting.presence.into_values().collect(),
            account_version: waiting.account_version,
            must_watch_again: waiting.must_watch_again,
        };
        (taken, dropped)
    }

    pub(super) fn take_urgent(&self) -> (bool, Option<End>) {
        let mut waiting = self.waiting.lock();
        (std::mem::take(&mut waiting.beat), waiting.end)
    }

    /// Lets things be queued again that were dropped.
    pub(super) fn forget(&self, about: About) {
        self.waiting.lock().dropped.remove(&about);
    }
}

impl Waiting {
    fn overflow(&mut self) {
        for (about, _) in std::mem::take(&mut self.queue) {
            self.remember(about);
        }
        self.frame_count = 0;
        self.bytes = 0;
    }

    fn remember(&mut self, about: About) {
        if about != About::Passing {
            self.dropped.insert(about);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use wharf_types::RoomId;
    use wharf_types::api::live::ServerFrame;
    use wharf_types::limit::{LIVE_QUEUE_BYTES_MAX, LIVE_QUEUE_FRAMES_MAX};

    use super::{About, Outbox, Told};

    fn room(number: u8) -> RoomId {
        RoomId::from_bytes([number; 16])
    }

    fn told(weight_bytes: usize) -> Arc<Told> {
        Told::new(vec![ServerFrame::Ready], weight_bytes)
    }

    #[test]
    fn an_overflow_drops_the_queue_and_remembers_the_rooms() {
        let outbox = Outbox::default();
        outbox.push(About::Entries(room(1)), &told(10));
        outbox.push(About::Drive(room(3)), &told(10));
        for _ in 0..LIVE_QUEUE_FRAMES_MAX {
            outbox.push(About::Entries(room(2)), &told(10));
        }
        outbox.push(About::Entries(room(4)), &told(10));
        outbox.push(About::Entries(room(2)), &told(10));
        let (taken, dropped) = outbox.take();
        let wanted = [
            About::Entries(room(1)),
            About::Entries(room(2)),
            About::Drive(room(3)),
        ];
        assert_eq!(dropped, BTreeSet::from(wanted));
        assert_eq!(taken.told.len(), 1, "what came after for another room");
        outbox.push(About::Entries(room(1)), &told(10));
        assert!(
            outbox.take().0.told.is_empty(),
            "before it was told where the log stands"
        );
        for about in dropped {
            outbox.forget(about);
        }
        outbox.push(About::Entries(room(1)), &told(10));
        let (taken, dropped) = outbox.take();
        assert_eq!((taken.told.len(), dropped.len()), (1, 0));
    }

    #[test]
    fn many_bytes_overflow_too() {
        let outbox = Outbox::default();
        outbox.push(About::Entries(room(1)), &told(LIVE_QUEUE_BYTES_MAX));
        assert!(outbox.take().1.is_empty());
        outbox.push(About::Entries(room(1)), &told(LIVE_QUEUE_BYTES_MAX));
        outbox.push(About::Entries(room(1)), &told(1));
        let (taken, dropped) = outbox.take();
        assert_eq!(dropped, BTreeSet::from([About::Entries(room(1))]));
        assert!(taken.told.is_empty());
    }

    #[test]
    fn what_is_over_soon_never_pushes_out_what_is_not() {
        let outbox = Outbox::default();
        outbox.push(About::Entries(room(1)), &told(1));
        for _ in 0..LIVE_QUEUE_FRAMES_MAX * 2 {
            outbox.push(About::Passing, &told(1));
        }
        let (taken, dropped) = outbox.take();
        assert_eq!(taken.told.len(), LIVE_QUEUE_FRAMES_MAX / 2);
        assert!(dropped.is_empty());
    }
}
