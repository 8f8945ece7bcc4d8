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

use crossbeam_channel::Receiver;

use self::wal::Wal;
use super::db::{Counters, SqliteOptions, spawn};
use super::error::Result;
use super::job::Message;

pub(super) use self::connection::{Access, error_of, open};

/// Opens and migrates the file, and starts the threads that serve the two queues.
pub(super) fn start(
    options: &SqliteOptions,
    writes: Receiver<Message>,
    reads: &Receiver<Message>,
    counters: &Arc<Counters>,
) -> Result<Vec<JoinHandle<()>>> {
    let mut writer = open(&options.path, Access::Write)?;
    writer::migrate(&writer, options.migrations)?;
    let copier = open(&options.path, Access::Write)?;
    let (wal, checkpointer) = Wal::watch(&mut writer, copier, counters)?;
    let mut threads = start_to_read(options, reads, counters)?;
    threads.push(spawn("sql-checkpoint", move || checkpointer.run())?);
    let counters = Arc::clone(counters);
    threads.push(spawn("sql-write", move || {
        writer::run(&writer, wal, &writes, counters)
    })?);
    Ok(threads)
}

/// Starts threads that read a file which is there.
pub(super) fn start_to_read(
    options: &SqliteOptions,
    reads: &Receiver<Message>,
    counters: &Arc<Counters>,
) -> Result<Vec<JoinHandle<()>>> {
    let mut threads = Vec::with_capacity(options.readers + 2);
    for _ in 0..options.readers.max(1) {
        let connection = open(&options.path, Access::Read)?;
        let (reads, counters) = (reads.clone(), Arc::clone(counters));
        threads.push(spawn("sql-read", move || {
            reader::run(&connection, &reads, &counters)
        })?);
    }
    Ok(threads)
}
