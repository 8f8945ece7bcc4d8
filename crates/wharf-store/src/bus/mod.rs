//! How processes on the same database tell each other that something happened.
//!
//! A message is a short text that every other process hears, and the sender too. Nothing is promised of it: it may be
//! lost, and it says nothing that cannot be found out from the database. So a bus that is broken costs latency only.
//!
//! SQLite has one process, and so no bus. On PostgreSQL messages are notifications. They are sent by a connection of the
//! bus's own, outside of the transactions that they are about: a transaction that notifies takes a lock that all of them
//! share when it commits, which would put every commit of the server in a row.

mod postgres;

use crate::sql::{Db, Source};

/// Most bytes of one message: the server refuses payloads of 8,000 bytes and more.
pub const MESSAGE_BYTES_MAX: usize = 7_900;

/// A connection to the other processes, until it is dropped.
#[derive(Debug)]
pub struct Bus(postgres::Notifications);

impl Bus {
    /// Joins the bus of a database; `None` where there can be no other process. `hear` is called on a thread of the bus
    /// for each message, its own included. Needs neither the database nor the server to be there: it tries until they are.
    pub fn open(db: &Db, hear: impl Fn(&str) + Send + 'static) -> Option<Self> {
        match db.source() {
            Source::Sqlite(_) => None,
            Source::Postgres(options) => {
                postgres::Notifications::start(&options.url, Box::new(hear)).map(Self)
            }
        }
    }

    /// Queues messages, each of [`MESSAGE_BYTES_MAX`] at most, and does not wait. Returns whether there was room for them.
    pub fn send(&self, messages: Vec<String>) -> bool {
        self.0.send(messages)
    }
}
