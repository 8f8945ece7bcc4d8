//! What happens now: who is connected, who follows which room, and what is told to whom after each commit.
//!
//! Nothing here is the truth: that is in the database. What is announced here is told to the connections that follow; a
//! connection that missed something, for whatever reason, finds out from the positions and reads it again.
//!
//! A transaction that is durable is announced with [`Live::announce`]. Its entries go to the room's [`feed`], which puts
//! them into the order of their positions; a task ([`task`]) moves the feeds on, so that whoever commits does not wait for
//! a thousand queues, and entries that pile up meanwhile are told, encoded and written together. Each connection has a
//! bounded queue ([`outbox`]). Other processes on the same database are told by hints ([`hint`]), and find out by a
//! look at the heads every two seconds what no hint said.

mod conn;
mod feed;
mod greet;
mod hint;
mod hub;
mod notice;
mod outbox;
mod presence;
mod rows;
mod show;
mod task;

use std::sync::Arc;
use std::time::Duration;

use wharf_store::sql::Db;
use wharf_types::api::contact::Status;
use wharf_types::api::live::ServerFrame;
use wharf_types::{AccountId, EntryHash, ErrorCode, RoomId};

pub use conn::Connection;
pub use greet::{Greeting, ListChange};
pub(crate) use notice::{Membership, Notices};
pub use outbox::{End, Taken, Told};

use crate::caller::Caller;
use crate::clock::Clock;
use crate::config::HouseConfig;
use crate::error::{Error, Result};
use crate::random::Random;
use conn::Conn;
use feed::Reached;
use hint::Hint;
use hub::Hub;
use outbox::About;

/// How many connections there may be.
#[derive(Debug, Clone, Copy)]
pub struct LiveLimits {
    /// In this process.
    pub connections_max: u32,
    /// Of one account.
    pub per_account_max: u32,
    /// From one address.
    pub per_address_max: u32,
}

impl Default for LiveLimits {
    fn default() -> Self {
        Self {
            connections_max: 20_000,
            per_account_max: 50,
            per_address_max: 2_000,
        }
    }
}

/// How often each connection is pinged. One that is silent for three times as long has ended; so has the presence of an
/// account that another process told of.
pub const HEARTBEAT: Duration = Duration::from_secs(15);

/// Figures of the live side, since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LiveStats {
    /// Connections now.
    pub connections: u64,
    /// Rooms that somebody follows now.
    pub rooms: u64,
    /// Frames queued, counted once for each connection.
    pub frames: u64,
    /// Times that a connection was told where a log stands in place of its entries.
    pub lags: u64,
    /// Times that entries were read from the log because no announcement had brought them in time.
    pub reads: u64,
}

/// The live side of a house. Clones share it.
#[derive(Debug, Clone)]
pub struct Live(Arc<Hub>);

impl Live {
    pub(crate) fn new(db: Db, clock: Clock, random: &Random, config: Arc<HouseConfig>) -> Self {
        Self(Arc::new(Hub::new(db, clock, random, config)))
    }

    fn hub(&self) -> &Hub {
        &self.0
    }

    /// Tells the connections of this process, and the other processes, what a transaction changed. Call it once the
    /// transaction is durable, in any order.
    pub(crate) fn announce(&self, notices: Notices) {
        let Notices {
            entries,
            accounts,
            drives,
            members,
            read,
            delivered,
            standing,
            sessions,
        } = notices;
        let hub = &self.0;
        for (room, account, membership) in members {
            if membership == Membership::Gone {
                hub.gone(room, account);
                hub.tell_others(Hint::Gone(room, account));
            }
        }
        for (room, entry) in entries {
            hub.tell_others(Hint::Entries(room, entry.position));
            hub.entry(room, entry);
        }
        for (account, version) in accounts {
            hub.account(account, version);
            hub.tell_others(Hint::Account(account, version));
        }
        for (room, head) in drives {
            hub.drive(room, head);
            hub.tell_others(Hint::Drive(room, head));
        }
        for (room, account, position) in read {
            hub.reached(room, account, read_up_to(position));
            hub.tell_others(Hint::Read(room, account, position));
        }
        for (room, account, position) in delivered {
            hub.reached(room, account, delivered_up_to(position));
            hub.tell_others(Hint::Delivered(room, account, position));
        }
        for account in standing {
            hub.standing(account);
            hub.tell_others(Hint::Standing(account));
        }
        for session in sessions {
            hub.end_session(session);
            hub.tell_others(Hint::Session(session));
        }
    }

    /// Takes a connection of the caller's. Needs a tokio runtime.
    ///
    /// # Errors
    /// - `Denied`: no person asks.
    /// - `Limited`: the account, its address or the server has as many connections as may be.
    /// - `Unavailable`: after [`Live::stop`].
    pub fn connect(&self, by: &Caller) -> Result<Connection> {
        let person = by.person()?;
        let conn = self
            .0
            .connect(person.account, person.session, by.origin().address)?;
        task::ensure(&self.0);
        Ok(Connection::new(self.clone(), conn))
    }

    /// Begins to hear other processes and to tell them what happens here, before anybody is connected. Needs a tokio
    /// runtime.
    pub(crate) fn start(&self) {
        task::ensure(&self.0);
    }

    /// The figures.
    pub fn stats(&self) -> LiveStats {
        self.0.stats()
    }

    /// Ends every connection and takes no more.
    pub fn stop(&self) {
        self.0.stop();
    }

    /// Records since when accounts are away that were here until now. Call it when all connections have ended.
    pub async fn close(&self) {
        task::close(&self.0).await;
    }

    /// Tells those who follow a room that an account types there, or has stopped.
    pub(super) fn typing(&self, room: RoomId, account: AccountId, stopped: bool) {
        self.0.typing(room, account, stopped);
        self.0.tell_others(Hint::Typing(room, account, stopped));
    }

    /// How an account is, as it sees itself, as far as this process has heard.
    pub(crate) fn status_of(&self, account: AccountId) -> Status {
        self.0.presence.status(&self.0, account, account)
    }

    fn take(&self, conn: &Arc<Conn>) -> Taken {
        let (mut taken, dropped) = conn.outbox.take();
        for about in dropped {
            if let Some(frame) = self.stand(conn, about) {
                taken.own.push(frame);
            }
        }
        taken
    }

    /// Where a log or drive stands whose frames were dropped.
    fn stand(&self, conn: &Arc<Conn>, about: About) -> Option<ServerFrame> {
        let room = about.room()?;
        let Some(feed) = self.0.feed(room) else {
            conn.outbox.forget(about);
            return None;
        };
        // Under the feed's lock nothing comes between the position that is told and what is queued after it.
        let mut feed = feed.lock();
        conn.outbox.forget(about);
        match about {
            About::Entries(_) => {
                let (head, hash) = feed.catch_up(conn)?;
                self.0.count_lag();
                Some(ServerFrame::Lag { room, head, hash })
            }
            About::Drive(_) => {
                let head = feed.drive_head();
                (head > 0 && feed.follows(conn)).then_some(ServerFrame::Drive { room, head })
            }
            About::Passing => None,
        }
    }

    fn wake_soon(&self, conn: &Arc<Conn>) {
        self.0.wake_soon(conn);
    }

    fn follow(&self, conn: &Arc<Conn>, room: RoomId) {
        self.0.follow(conn, room);
    }

    fn begin(&self, conn: &Arc<Conn>, room: RoomId, head: u64, hash: EntryHash) {
        self.0.begin(conn, room, head, hash);
    }

    fn unfollow(&self, conn: &Arc<Conn>, room: RoomId) {
        self.0.unfollow(conn, room);
    }

    fn follows(&self, conn: &Arc<Conn>, room: RoomId) -> bool {
        self.0
            .feed(room)
            .is_some_and(|feed| feed.lock().follows(conn))
    }

    fn presence_changed(&self, account: AccountId) {
        self.0.presence.changed(account);
    }

    fn disconnect(&self, conn: &Arc<Conn>) {
        self.0.disconnect(conn);
    }
}

fn read_up_to(position: u64) -> Reached {
    Reached {
        read: Some(position),
        delivered: None,
    }
}

fn delivered_up_to(position: u64) -> Reached {
    Reached {
        read: None,
        delivered: Some(position),
    }
}

/// What an account shows to others that is `status`.
fn shown(status: Status) -> Status {
    match status {
        Status::Invisible => Status::Offline,
        status => status,
    }
}

fn too_many(of: &'static str) -> Error {
    Error::new(ErrorCode::Limited, of).retry_after(30)
}
