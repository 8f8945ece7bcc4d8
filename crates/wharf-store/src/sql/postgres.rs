use super::db::{Counters, PostgresOptions};
use super::error::Result;
use super::job::Message;
use crossbeam_channel::Receiver;
use std::sync::Arc;
use std::thread::JoinHandle;
pub(super) fn opt_int(row: &postgres::Row, column: usize) -> Result<Option<i64>> {
    todo!()
}
pub(super) fn start(
    options: &PostgresOptions,
    writes: &Receiver<Message>,
    reads: &Receiver<Message>,
    counters: &Arc<Counters>,
) -> Result<Vec<JoinHandle<()>>> {
    todo!()
}
