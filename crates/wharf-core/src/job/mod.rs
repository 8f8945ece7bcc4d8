//! Background work under one contract.
//!
//! A [`Job`] is a struct with its progress in it. The runner calls [`Job::work`] for one bounded unit at a time and
//! never interrupts it; between units it may stop, slow down, or sit in [`Job::wait`], whose future may be dropped at any
//! await. Errors are counted, shown in [`JobStatus`] and answered with growing pauses; they never end a job. On
//! [`Jobs::stop`] the unit under way may finish until the deadline.

mod compaction;
mod expiry;
mod imports;
mod lease;
mod operate;
mod retention;
mod runner;
mod scrub;
mod sweep;

use std::future::Future;
use std::time::Duration;

pub use runner::Jobs;
pub use wharf_types::api::job::JobState;

use crate::Wharf;
use crate::error::Result;
use crate::search::Follow;
use crate::thumbnail::Follow as Thumbnailing;
use compaction::Compaction;
use expiry::Expiry;
use imports::Imports;
use lease::Exclusive;
use retention::{LogRetention, Retention};
use scrub::Scrub;
pub(crate) use scrub::round as scrub_round;
use sweep::Sweep;

/// What a job wants after a unit of work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// There is more to do now.
    Again,
    /// There is more to do now, and nobody is held up by it: it rests only if an operator set its pace.
    Freely,
    /// Nothing until [`Job::wait`] returns.
    Wait,
    /// Nothing ever again.
    Done,
}

/// Work that the program does by itself.
pub trait Job: Send + 'static {
    /// Names it in status, logs and metrics: one lower-case word or two with `_`.
    fn name(&self) -> &'static str;

    /// Does one bounded unit (aim below a second). It is not interrupted, so what it began it ends.
    fn work(&mut self) -> impl Future<Output = Result<Next>> + Send;

    /// Returns when there may be work again. May be dropped at any await and called anew.
    fn wait(&mut self) -> impl Future<Output = ()> + Send;

    /// How long after the house's start it first looks for work: other things are more urgent then.
    fn start_delay(&self) -> Duration {
        Duration::from_mins(1)
    }

    /// Share of the time that it may work, in percent, as long as no operator has set another.
    fn pace_percent(&self) -> u32 {
        25
    }

    /// How far it is, in words, for the operator.
    fn progress(&self) -> Option<String> {
        None
    }
}

/// A job as the operator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobStatus {
    /// Its name.
    pub name: &'static str,
    /// What it is doing.
    pub state: JobState,
    /// Share of the time that it may work, 1 to 100; 0 when it is paused.
    pub pace_percent: u32,
    /// Units done since the start.
    pub units_count: u64,
    /// Errors since the start.
    pub errors_count: u64,
    /// Errors since the last unit that succeeded.
    pub errors_in_row: u32,
    /// The last error, for the operator.
    pub last_error: Option<String>,
    /// When it was, in milliseconds since the epoch.
    pub last_error_ms: Option<i64>,
    /// When the last unit ended well, in milliseconds since the epoch.
    pub last_unit_ms: Option<i64>,
    /// How far it is, in its own words.
    pub progress: Option<String>,
}

/// Starts the jobs of a house.
pub(crate) fn start_all(wharf: &Wharf) {
    let Wharf {
        ground,
        accounts,
        logs,
        drive: drives,
        transfers,
        thumbnails,
        portage,
        jobs,
        ..
    } = wharf;
    jobs.start(Exclusive::new(
        Expiry::new(accounts.clone(), transfers.clone()),
        ground.clone(),
    ));
    jobs.start(Exclusive::new(
        Retention::new(drives.clone()),
        ground.clone(),
    ));
    jobs.start(Exclusive::new(
        LogRetention::new(logs.clone()),
        ground.clone(),
    ));
    jobs.start(Exclusive::new(
        Imports::new(portage.clone()),
        ground.clone(),
    ));
    jobs.start(Exclusive::new(
        Compaction::new(ground.clone()),
        ground.clone(),
    ));
    jobs.start(Exclusive::new(Sweep::new(ground.clone()), ground.clone()));
    jobs.start(Exclusive::new(Follow::new(ground.clone()), ground.clone()));
    jobs.start(Exclusive::new(
        Thumbnailing::new(thumbnails.clone()),
        ground.clone(),
    ));
    if ground.config.scrub_days > 0 {
        jobs.start(Exclusive::new(Scrub::new(ground.clone()), ground.clone()));
    }
}
