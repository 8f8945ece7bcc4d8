//! The tables of the live side: feeds by room, connections by account.
//!
//! Locks are taken in this order, each for moments: the table of feeds, a feed, a queue. The other tables are taken alone.

use std::collections::hash_map::Entry as Place;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;
use wharf_store::sql::Db;
use wharf_types::api::contact::Status;
use wharf_types::api::log::Entry;
use wharf_types::{AccountId, EntryHash, ErrorCode, RoomId, SessionId};

use super::conn::{Conn, together};
use super::feed::{Feed, Reached};
use super::hint::{Hint, Hints};
use super::outbox::End;
use super::presence::Presences;
use super::task::Tasks;
use super::{HEARTBEAT, LiveStats, too_many};
use crate::clock::Clock;
use crate::config::HouseConfig;
use crate::error::{Error, Result};
use crate::random::Random;

/// What is said when the server stops.
const STOPS: &str = "the server stops: come back in a moment";
/// A connection is pinged in the second that its number falls on.
const BEATS: u64 = HEARTBEAT.as_secs();

/// The tables.
#[derive(Debug)]
pub(super) struct Hub {
    pub(super) db: Db,
    pub(super) clock: Clock,
    pub(super) config: Arc<HouseConfig>,
    feeds: RwLock<HashMap<RoomId, Arc<Mutex<Feed>>>>,
    accounts: RwLock<HashMap<AccountId, Vec<Arc<Conn>>>>,
    addresses: Mutex<HashMap<IpAddr, u32>>,
    /// Connections by the second in which they are pinged.
    beats: Vec<Mutex<Vec<Arc<Conn>>>>,
    sleepers: Mutex<Vec<Arc<Conn>>>,
    pub(super) presence: Presences,
    pub(super) hints: Hints,
    pub(super) tasks: Tasks,
    /// Feeds to be moved on.
    moving: Mutex<HashSet<RoomId>>,
    pub(super) move_on: Arc<Notify>,
    /// Feeds with cursors to be told.
    cursors: Mutex<BTreeSet<RoomId>>,
    is_stopping: AtomicBool,
    next_id: AtomicU64,
    connection_count: AtomicU64,
    frame_count: AtomicU64,
    lag_count: AtomicU64,
    read_count: AtomicU64,
}

impl Hub {
    pub(super) fn new(db: Db, clock: Clock, random: &Random, config: Arc<HouseConfig>) -> Self {
        Self {
            hints: Hints::new(&db, random),
            db,
            clock,
            config,
            feeds: RwLock::default(),
            accounts: RwLock::default(),
            addresses: Mutex::default(),
            beats: (0..BEATS).map(|_| Mutex::default()).collect(),
            sleepers: Mutex::default(),
            presence: Presences::default(),
            tasks: Tasks::default(),
            moving: Mutex::default(),
            move_on: Arc::default(),
            cursors: Mutex::default(),
            is_stopping: AtomicBool::new(false),
            next_id: AtomicU64::new(0),
            connection_count: AtomicU64::new(0),
            frame_count: AtomicU64::new(0),
            lag_count: AtomicU64::new(0),
            read_count: AtomicU64::new(0),
        }
    }

    // --- connections

    pub(super) fn connect(
        &self,
        account: AccountId,
        session: SessionId,
        address: IpAddr,
    ) -> Result<Arc<Conn>> {
        let address = address.to_canonical();
        self.enter_address(address)?;
        let mut accounts = self.accounts.write();
        // Under the table's lock: whoever is in it when the server stops is ended.
        if self.is_stopping.load(Ordering::SeqCst) {
            drop(accounts);
            self.leave_address(address);
            return Err(Error::new(ErrorCode::Unavailable, STOPS).retry_after(5));
        }
        let of_account = accounts.get(&account).map_or(0, Vec::len);
        let is_full = self.connection_count.load(Ordering::Relaxed)
            >= u64::from(self.config.live.connections_max);
        if is_full || of_account >= self.config.live.per_account_max as usize {
            drop(accounts);
            self.leave_address(address);
            return Err(too_many(if is_full {
                "the server has as many live connections as it may"
            } else {
                "the account has as many live connections as it may"
            }));
        }
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let conn = Arc::new(Conn::new(id, account, session, address));
        let of_account = accounts
            .entry(account)
            .or_insert_with(|| Vec::with_capacity(1));
        of_account.push(Arc::clone(&conn));
        drop(accounts);
        self.connection_count.fetch_add(1, Ordering::Relaxed);
        if let Some(beat) = self.beat_of(id) {
            beat.lock().push(Arc::clone(&conn));
        }
        Ok(conn)
    }

    pub(super) fn stop(&self) {
        let accounts = self.accounts.write();
        self.is_stopping.store(true, Ordering::SeqCst);
        for conn in accounts.values().flatten() {
            conn.outbox.end(End {
                code: ErrorCode::Unavailable,
                detail: STOPS,
            });
            conn.outbox.wake();
        }
    }

    pub(super) fn disconnect(&self, conn: &Arc<Conn>) {
        for room in std::mem::take(&mut *conn.rooms.lock()) {
            self.unfollow(conn, room);
        }
        if let Place::Occupied(mut of_account) = self.accounts.write().entry(conn.account) {
            of_account
                .get_mut()
                .retain(|other| !Arc::ptr_eq(other, conn));
            if of_account.get().is_empty() {
                of_account.remove();
            }
        }
        self.connection_count.fetch_sub(1, Ordering::Relaxed);
        self.leave_address(conn.address);
        if let Some(beat) = self.beat_of(conn.id) {
            let mut beat = beat.lock();
            if let Some(index) = beat.iter().position(|other| Arc::ptr_eq(other, conn)) {
                drop(beat.swap_remove(index));
            }
        }
        self.presence.unwatch(conn);
        self.presence.changed(conn.account);
    }

    fn enter_address(&self, address: IpAddr) -> Result<()> {
        let mut addresses = self.addresses.lock();
        let count = addresses.entry(address).or_default();
        if *count >= self.config.live.per_address_max {
            return Err(too_many(
                "the address has as many live connections as it may",
            ));
        }
        *count += 1;
        Ok(())
    }

    fn leave_address(&self, address: IpAddr) {
        if let Place::Occupied(mut count) = self.addresses.lock().entry(address) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }

    fn beat_of(&self, number: u64) -> Option<&Mutex<Vec<Arc<Conn>>>> {
        let beat = usize::try_from(number % BEATS).unwrap_or(0);
        self.beats.get(beat)
    }

    /// Has the connections pinged whose second it is.
    pub(super) fn beat(&self, second: u64) {
        let Some(beat) = self.beat_of(second) else {
            return;
        };
        for conn in beat.lock().iter() {
            conn.outbox.beat();
            conn.outbox.wake();
        }
    }

    pub(super) fn wake_soon(&self, conn: &Arc<Conn>) {
        self.sleepers.lock().push(Arc::clone(conn));
    }

    /// Wakes who asked for it.
    pub(super) fn wake_sleepers(&self) {
        for conn in std::mem::take(&mut *self.sleepers.lock()) {
            conn.outbox.wake();
        }
    }

    /// The connections of an account.
    pub(super) fn conns_of(&self, account: AccountId) -> Vec<Arc<Conn>> {
        self.accounts
            .read()
            .get(&account)
            .cloned()
            .unwrap_or_default()
    }

    /// The accounts that are connected.
    pub(super) fn accounts(&self) -> Vec<AccountId> {
        self.accounts.read().keys().copied().collect()
    }

    /// The sessions that are connected, each once.
    pub(super) fn sessions(&self) -> Vec<SessionId> {
        let accounts = self.accounts.read();
        let sessions = accounts.values().flatten().map(|conn| conn.session);
        sessions.collect::<HashSet<_>>().into_iter().collect()
    }

    /// How the account is by its connections here.
    pub(super) fn status_here(&self, account: AccountId) -> Status {
        let accounts = self.accounts.read();
        let conns = accounts.get(&account).into_iter().flatten();
        together(conns.filter_map(|conn| conn.status()))
    }

    // --- rooms

    pub(super) fn feed(&self, room: RoomId) -> Option<Arc<Mutex<Feed>>> {
        self.feeds.read().get(&room).cloned()
    }

    pub(super) fn follow(&self, conn: &Arc<Conn>, room: RoomId) {
        {
            let mut rooms = conn.rooms.lock();
            if !rooms.contains(&room) {
                rooms.push(room);
            }
        }
        // The table is held meanwhile, so that the feed is not taken away as one that nobody follows.
        if let Some(feed) = self.feeds.read().get(&room) {
            return feed.lock().follow(conn);
        }
        let mut feeds = self.feeds.write();
        let feed = feeds
            .entry(room)
            .or_insert_with(|| Arc::new(Mutex::new(Feed::new(room))));
        feed.lock().follow(conn);
    }

    pub(super) fn begin(&self, conn: &Arc<Conn>, room: RoomId, head: u64, hash: EntryHash) {
        if let Some(feed) = self.feed(room) {
            if feed.lock().begin(conn, head, hash) {
                conn.outbox.wake();
            }
            self.move_on(room);
        }
    }

    pub(super) fn unfollow(&self, conn: &Arc<Conn>, room: RoomId) {
        if let Some(feed) = self.feed(room) {
            feed.lock().unfollow(conn);
        }
        self.let_go(room);
    }

    /// Removes a feed that nobody follows.
    fn let_go(&self, room: RoomId) {
        let mut feeds = self.feeds.write();
        if let Place::Occupied(feed) = feeds.entry(room) {
            let is_unfollowed = feed.get().lock().is_unfollowed();
            if is_unfollowed {
                feed.remove();
            }
        }
    }

    /// The rooms that are followed, with the positions that were told.
    pub(super) fn rooms(&self) -> Vec<RoomId> {
        self.feeds.read().keys().copied().collect()
    }

    pub(super) fn move_on(&self, room: RoomId) {
        self.moving.lock().insert(room);
        self.move_on.notify_one();
    }

    pub(super) fn take_moving(&self) -> HashSet<RoomId> {
        std::mem::take(&mut *self.moving.lock())
    }

    // --- what happened

    pub(super) fn entry(&self, room: RoomId, entry: Arc<Entry>) {
        if let Some(feed) = self.feed(room) {
            feed.lock().announce(entry);
            self.move_on(room);
        }
    }

    /// The log of a room has reached `head`, as somebody else says.
    pub(super) fn hint(&self, room: RoomId, head: u64) {
        if let Some(feed) = self.feed(room) {
            feed.lock().hint(head);
            self.move_on(room);
        }
    }

    pub(super) fn account(&self, account: AccountId, version: u64) {
        for conn in self.conns_of(account) {
            conn.outbox.account_at(version);
            conn.outbox.wake();
        }
    }

    pub(super) fn drive(&self, room: RoomId, head: u64) {
        if let Some(feed) = self.feed(room) {
            let count = feed.lock().drive(head);
            self.count_frames(count);
        }
    }

    pub(super) fn reached(&self, room: RoomId, account: AccountId, reached: Reached) {
        if let Some(feed) = self.feed(room) {
            let is_news = feed.lock().reached(account, reached);
            if is_news {
                self.cursors.lock().insert(room);
            }
        }
    }

    pub(super) fn flush_cursors(&self) {
        for room in std::mem::take(&mut *self.cursors.lock()) {
            if let Some(feed) = self.feed(room) {
                let count = feed.lock().flush_cursors();
                self.count_frames(count);
            }
        }
    }

    pub(super) fn typing(&self, room: RoomId, account: AccountId, stopped: bool) {
        if let Some(feed) = self.feed(room) {
            let count = feed.lock().typing(account, stopped);
            self.count_frames(count);
        }
    }

    /// The account is no member of the room any more.
    pub(super) fn gone(&self, room: RoomId, account: AccountId) {
        for conn in self.conns_of(account) {
            conn.is_gone_from_a_room();
        }
        if let Some(feed) = self.feed(room) {
            feed.lock().unfollow_account(account);
            self.let_go(room);
        }
        self.standing(account);
    }

    /// Others may see the account, or may not any more; or it them.
    pub(super) fn standing(&self, account: AccountId) {
        let of_account = self.conns_of(account);
        for conn in of_account
            .into_iter()
            .chain(self.presence.watchers_of(account))
        {
            conn.outbox.watch_again();
            conn.outbox.wake();
        }
    }

    pub(super) fn end_session(&self, session: SessionId) {
        let accounts = self.accounts.read();
        for conn in accounts.values().flatten() {
            if conn.session == session {
                conn.outbox.end(End {
                    code: ErrorCode::Unauthenticated,
                    detail: "the session has ended: log in again",
                });
                conn.outbox.wake();
            }
        }
    }

    pub(super) fn tell_others(&self, hint: Hint) {
        self.hints.add(hint);
    }

    // --- figures

    pub(super) fn count_frames(&self, count: u64) {
        self.frame_count.fetch_add(count, Ordering::Relaxed);
    }

    pub(super) fn count_lag(&self) {
        self.lag_count.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_read(&self) {
        self.read_count.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn stats(&self) -> LiveStats {
        LiveStats {
            connections: self.connection_count.load(Ordering::Relaxed),
            rooms: self.feeds.read().len() as u64,
            frames: self.frame_count.load(Ordering::Relaxed),
            lags: self.lag_count.load(Ordering::Relaxed),
            reads: self.read_count.load(Ordering::Relaxed),
        }
    }
}
