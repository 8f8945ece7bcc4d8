//! One live connection, as the hub knows it and as its door holds it.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};
use std::task::Waker;

use parking_lot::Mutex;
use wharf_types::api::contact::Status;
use wharf_types::{AccountId, EntryHash, RoomId, SessionId};

use super::Live;
use super::outbox::{End, Outbox, Taken};

/// What the hub knows of a connection.
#[derive(Debug)]
pub(super) struct Conn {
    pub(super) id: u64,
    pub(super) account: AccountId,
    pub(super) session: SessionId,
    pub(super) address: IpAddr,
    pub(super) outbox: Outbox,
    /// Rooms that it was registered with, to be let go of when it ends. Some may have let go of it before.
    pub(super) rooms: Mutex<Vec<RoomId>>,
    /// Whose presence it shows.
    pub(super) watched: Mutex<Box<[AccountId]>>,
    /// Where its person types, since when it was told last.
    pub(super) typed: Mutex<Option<(RoomId, i64)>>,
    /// Grows when its account ceases to be a member of some room.
    gone_count: AtomicU32,
    /// Whether it was greeted: only then is its account there.
    is_present: AtomicBool,
    wants_entries: AtomicBool,
    status: AtomicU8,
}

/// A live connection, until it is dropped.
#[derive(Debug)]
pub struct Connection {
    live: Live,
    conn: Arc<Conn>,
}

impl Conn {
    pub(super) fn new(id: u64, account: AccountId, session: SessionId, address: IpAddr) -> Self {
        Self {
            id,
            account,
            session,
            address,
            outbox: Outbox::default(),
            rooms: Mutex::default(),
            watched: Mutex::default(),
            typed: Mutex::default(),
            gone_count: AtomicU32::new(0),
            is_present: AtomicBool::new(false),
            wants_entries: AtomicBool::new(true),
            status: AtomicU8::new(rank(Status::Online)),
        }
    }

    pub(super) fn wants_entries(&self) -> bool {
        self.wants_entries.load(Ordering::Relaxed)
    }

    pub(super) fn set_wants_entries(&self, wants_entries: bool) {
        self.wants_entries.store(wants_entries, Ordering::Relaxed);
    }

    /// How its account is here; `None` before it was greeted.
    pub(super) fn status(&self) -> Option<Status> {
        let status = of_rank(self.status.load(Ordering::Relaxed));
        self.is_present.load(Ordering::Relaxed).then_some(status)
    }

    /// Its account is there from now on.
    pub(super) fn become_present(&self) {
        self.is_present.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_gone_from_a_room(&self) {
        self.gone_count.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn gone_count(&self) -> u32 {
        self.gone_count.load(Ordering::SeqCst)
    }
}

impl Connection {
    pub(super) fn new(live: Live, conn: Arc<Conn>) -> Self {
        Self { live, conn }
    }

    pub(super) fn conn(&self) -> &Arc<Conn> {
        &self.conn
    }

    pub(super) fn live(&self) -> &Live {
        &self.live
    }

    /// Has `waker` woken when there is something to [`Connection::take`]. Register first, then take.
    pub fn register(&self, waker: &Waker) {
        self.conn.outbox.register(waker);
    }

    /// Takes what the connection is to be told.
    pub fn take(&self) -> Taken {
        self.live.take(&self.conn)
    }

    /// Takes what does not wait its turn: whether the other end is to be pinged, and whether the connection is to end.
    pub fn take_urgent(&self) -> (bool, Option<End>) {
        self.conn.outbox.take_urgent()
    }

    /// Has the waker woken within about a second, whatever happens.
    pub fn wake_soon(&self) {
        self.live.wake_soon(&self.conn);
    }

    /// Says whether entries are wanted; without, the connection is told where logs stand instead.
    pub(super) fn want_entries(&self, wants_entries: bool) {
        self.conn.set_wants_entries(wants_entries);
    }

    /// Sets how the account is here.
    pub fn set_status(&self, status: Status) {
        self.conn.status.store(rank(status), Ordering::Relaxed);
        self.live.presence_changed(self.conn.account);
    }

    /// Registers the connection with rooms; what happens in them from now on will not be missed. It is told nothing of a
    /// room before [`Connection::begin`].
    pub(super) fn follow(&self, rooms: impl IntoIterator<Item = RoomId>) {
        for room in rooms {
            self.live.follow(&self.conn, room);
        }
    }

    /// Has the connection told what comes after `head`, of a room that it was registered with.
    pub(super) fn begin(&self, room: RoomId, head: u64, hash: EntryHash) {
        self.live.begin(&self.conn, room, head, hash);
    }

    /// Lets go of a room.
    pub(super) fn unfollow(&self, room: RoomId) {
        self.live.unfollow(&self.conn, room);
    }

    /// Whether the connection follows a room.
    pub fn follows(&self, room: RoomId) -> bool {
        self.live.follows(&self.conn, room)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.live.disconnect(&self.conn);
    }
}

const fn rank(status: Status) -> u8 {
    match status {
        Status::Offline => 0,
        Status::Away => 1,
        Status::Online => 2,
        Status::Busy => 3,
        Status::Invisible => 4,
    }
}

const fn of_rank(rank: u8) -> Status {
    match rank {
        0 => Status::Offline,
        1 => Status::Away,
        2 => Status::Online,
        3 => Status::Busy,
        _ => Status::Invisible,
    }
}

/// What an account is whose connections are `statuses`: invisible if one is, then busy if one is, then online if one is.
pub(super) fn together(statuses: impl IntoIterator<Item = Status>) -> Status {
    let greatest = statuses.into_iter().map(rank).max();
    of_rank(greatest.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use wharf_types::api::contact::Status;

    use super::together;

    #[test]
    fn the_devices_of_an_account_make_one_status() {
        assert_eq!(together([]), Status::Offline);
        assert_eq!(together([Status::Away, Status::Online]), Status::Online);
        assert_eq!(together([Status::Busy, Status::Online]), Status::Busy);
        assert_eq!(
            together([Status::Online, Status::Invisible]),
            Status::Invisible
        );
    }
}
