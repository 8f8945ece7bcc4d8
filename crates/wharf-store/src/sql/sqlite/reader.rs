//! A thread that reads: each job on a snapshot of its own, which no writer waits for.

use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::connection::Connection;
use crate::sql::error::Result;
use crate::sql::job::{Message, Task, Verdict};
use crate::sql::stats::{Count, Counters};
use crate::sql::tx::Tx;

/// After this long without a job a thread gives its memory back.
pub(super) const IDLE: Duration = Duration::from_secs(20);

pub(super) fn run(raw: &rusqlite::Connection, queue: &Receiver<Message>, counters: &Counters) {
    let mut connection = Connection::new(raw);
    let mut has_read = false;
    loop {
        let message = if has_read {
            queue.recv_timeout(IDLE)
        } else {
            queue.recv().map_err(|_| RecvTimeoutError::Disconnected)
        };
        match message {
            Ok(Message::Task(task)) => {
                serve(&mut connection, task, counters);
                has_read = true;
            }
            Err(RecvTimeoutError::Timeout) => {
                connection.shrink();
                has_read = false;
            }
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

fn serve(connection: &mut Connection<'_>, mut task: Task, counters: &Counters) {
    let outcome = match counters.failure() {
        Some(failure) => Err(failure),
        None => snapshot(connection, &mut task),
    };
    let is_read = matches!(outcome, Ok(Verdict::Keep));
    counters.add(
        if is_read {
            Count::Reads
        } else {
            Count::ReadsFailed
        },
        1,
    );
    task.answer(outcome.map(drop));
}

fn snapshot(connection: &mut Connection<'_>, task: &mut Task) -> Result<Verdict> {
    connection.control("BEGIN")?;
    let verdict = task.job.attempt(&mut Tx::new(connection));
    if !connection.is_idle() {
        connection.control("ROLLBACK")?;
    }
    Ok(verdict)
}
