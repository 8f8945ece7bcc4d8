//! SQLite in this process: one thread that writes, some that read, one that moves the log into the file.
//!
//! The file is in WAL mode with `synchronous=FULL`: a commit is answered when it is on the disk, and after a crash the
//! database is as of the last commit that reached it, which is never earlier than the last one answered.

mod connection;
mod reader;
mod wal;
mod writer;

use std::sync::Arc;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender};

use self::wal::Wal;
use super::db::{SqliteOptions, spawn};
use super::error::Result;
use super::job::Message;
use super::stats::Counters;

pub(super) use self::connection::{Access, error_of, open};

/// Opens and migrates the file, and starts the threads that serve the two queues.
pub(super) fn start(
    options: &SqliteOptions,
    writes: Receiver<Message>,
    reads: &Receiver<Message>,
    counters: &Arc<Counters>,
) -> Result<Vec<JoinHandle<()>>> {
    let mut writer = open(&options.path, Access::Write)?;
    if let Some(pages) = options.pages_max {
        writer
            .pragma_update(None, "max_page_count", pages)
            .map_err(error_of)?;
    }
    writer::migrate(&writer, options.migrations)?;
    let copier = open(&options.path, Access::Write)?;
    if !options.is_durable {
        for connection in [&writer, &copier] {
            connection
                .pragma_update(None, "synchronous", "OFF")
                .map_err(error_of)?;
        }
    }
    let (wal, checkpointer) = Wal::watch(&mut writer, copier, counters)?;
    // The writer's connection closes last: only then does SQLite move the whole log into the file and remove it.
    let (open_connection, others_closed) = crossbeam_channel::bounded(0);
    let mut threads = start_readers(options, reads, counters, &open_connection)?;
    threads.push(spawn("sql-checkpoint", move || {
        checkpointer.run();
        drop(open_connection);
    })?);
    let counters = Arc::clone(counters);
    threads.push(spawn("sql-write", move || {
        writer::run(&writer, wal, &writes, counters);
        // Nothing is ever sent: this ends when the others have.
        while others_closed.recv().is_ok() {}
    })?);
    Ok(threads)
}

/// Starts threads that read a file which is there.
pub(super) fn start_to_read(
    options: &SqliteOptions,
    reads: &Receiver<Message>,
    counters: &Arc<Counters>,
) -> Result<Vec<JoinHandle<()>>> {
    let (open_connection, _) = crossbeam_channel::bounded(0);
    start_readers(options, reads, counters, &open_connection)
}

/// Starts the threads that read. Each holds a clone of `open_connection` until its connection is closed.
fn start_readers(
    options: &SqliteOptions,
    reads: &Receiver<Message>,
    counters: &Arc<Counters>,
    open_connection: &Sender<()>,
) -> Result<Vec<JoinHandle<()>>> {
    let mut threads = Vec::with_capacity(options.readers + 2);
    for _ in 0..options.readers.max(1) {
        let connection = open(&options.path, Access::Read)?;
        let (reads, counters) = (reads.clone(), Arc::clone(counters));
        let open_connection = open_connection.clone();
        threads.push(spawn("sql-read", move || {
            reader::run(&connection, &reads, &counters);
            drop((connection, open_connection));
        })?);
    }
    Ok(threads)
}
