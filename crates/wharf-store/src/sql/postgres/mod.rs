//! PostgreSQL: threads that write and threads that read, each with a connection of its own.
//!
//! A write runs at READ COMMITTED and takes its advisory locks with its first statement, so that what it reads afterwards
//! is what the last holder of the lock committed; under a stricter level its snapshot would be older than its lock.
//! A read runs at REPEATABLE READ, on one snapshot.

mod connection;
mod worker;

use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::Receiver;

pub(super) use self::connection::opt_int;
use self::connection::{Connection, Connector};
use self::worker::{Mode, Worker};
use super::db::{PostgresOptions, spawn};
use super::error::{Error, Result};
use super::job::Message;
use super::stats::Counters;

/// Migrates the database and starts the threads that serve the two queues. They connect when they first have work.
pub(super) fn start(
    options: &PostgresOptions,
    writes: &Receiver<Message>,
    reads: &Receiver<Message>,
    counters: &Arc<Counters>,
) -> Result<Vec<JoinHandle<()>>> {
    let connector = Arc::new(Connector::new(&options.url)?);
    // On a thread of its own: the client blocks, which a runtime's worker does not allow.
    let prepared = std::thread::scope(|threads| {
        let prepare = || {
            let mut connection = connector.connect()?;
            require_utf8(&mut connection)?;
            worker::migrate(&mut connection, options.migrations)
        };
        threads.spawn(prepare).join()
    });
    prepared.unwrap_or_else(|_| Err(Error::other("the migration panicked")))?;
    let mut threads = start_to_read(options, reads, counters)?;
    let writers = (Mode::Write, options.writers);
    threads.extend(workers(writers, &connector, writes, counters)?);
    Ok(threads)
}

/// Starts the threads that serve reads of a database that is there. They connect when they first have work.
pub(super) fn start_to_read(
    options: &PostgresOptions,
    reads: &Receiver<Message>,
    counters: &Arc<Counters>,
) -> Result<Vec<JoinHandle<()>>> {
    let connector = Arc::new(Connector::new(&options.url)?);
    workers((Mode::Read, options.readers), &connector, reads, counters)
}

fn workers(
    (mode, count): (Mode, usize),
    connector: &Arc<Connector>,
    queue: &Receiver<Message>,
    counters: &Arc<Counters>,
) -> Result<Vec<JoinHandle<()>>> {
    let start = |_| {
        let worker = Worker::new(mode, Arc::clone(connector), Arc::clone(counters));
        let queue = queue.clone();
        spawn(mode.thread_name(), move || worker.run(&queue))
    };
    (0..count.max(1)).map(start).collect()
}

fn require_utf8(connection: &mut Connection) -> Result<()> {
    let encoding = connection.setting("server_encoding")?;
    if encoding == "UTF8" {
        return Ok(());
    }
    Err(Error::Migration(
        format!("its encoding is {encoding}, it must be UTF8").into(),
    ))
}
