//! Runs jobs: one task for each, in its own time, until the house closes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use super::{Job, JobState, JobStatus, Next};
use crate::clock::Clock;
use crate::error::{Error, Result};

/// The pause after a first error; it doubles with each further one in a row.
const RETRY_PAUSE_MIN: Duration = Duration::from_secs(1);
/// The longest pause after an error.
const RETRY_PAUSE_MAX: Duration = Duration::from_mins(10);
/// The longest rest that a pace asks for between two units.
const PACE_PAUSE_MAX: Duration = Duration::from_secs(30);

/// The jobs of a house. Clones share them.
#[derive(Clone)]
pub struct Jobs {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Clock,
    stopping: CancellationToken,
    records: Mutex<Vec<Arc<Record>>>,
    tasks: Mutex<JoinSet<()>>,
}

/// What the runner and whoever looks at a job share.
struct Record {
    name: &'static str,
    pace_percent: AtomicU32,
    /// Whether somebody has set the pace.
    is_paced: AtomicBool,
    /// Rings when the job should look again: its pace was changed, or it was nudged.
    wake: Notify,
    status: Mutex<JobStatus>,
}

/// How one unit ended.
enum Unit {
    Ended(Next),
    Failed { pause: Duration },
}

impl Jobs {
    /// No jobs yet; their times are dated by `clock`.
    pub fn new(clock: Clock) -> Self {
        Self {
            shared: Arc::new(Shared {
                clock,
                stopping: CancellationToken::new(),
                records: Mutex::default(),
                tasks: Mutex::default(),
            }),
        }
    }

    /// Starts a job; it runs until it is done or [`Jobs::stop`]. Needs a tokio runtime.
    pub fn start(&self, job: impl Job) {
        let record = Arc::new(Record::new(job.name(), job.pace_percent()));
        self.shared.records.lock().push(Arc::clone(&record));
        let clock = self.shared.clock.clone();
        let stopping = self.shared.stopping.clone();
        let run = Run {
            job,
            record,
            clock,
            stopping,
        };
        self.shared.tasks.lock().spawn(run.until_done());
    }

    /// What each job is doing, in the order they were started.
    pub fn status(&self) -> Vec<JobStatus> {
        self.shared
            .records
            .lock()
            .iter()
            .map(|record| record.snapshot())
            .collect()
    }

    /// What one job is doing.
    ///
    /// # Errors
    /// `NotFound`: there is no such job.
    pub fn find_status(&self, name: &str) -> Result<JobStatus> {
        Ok(self.find(name)?.snapshot())
    }

    /// Sets the share of its time that a job may work: 1 to 100 percent, or 0 to pause it. Holds from the next unit on.
    ///
    /// # Errors
    /// - `Invalid`: over 100.
    /// - `NotFound`: there is no such job.
    pub fn set_pace(&self, name: &str, percent: u32) -> Result<()> {
        if percent > 100 {
            return Err(Error::invalid("a pace is 0 to 100 percent"));
        }
        let record = self.find(name)?;
        record.pace_percent.store(percent, Ordering::SeqCst);
        record.is_paced.store(true, Ordering::SeqCst);
        record.wake.notify_one();
        Ok(())
    }

    /// Ends a job's wait, so that it looks for work now.
    ///
    /// # Errors
    /// `NotFound`: there is no such job.
    pub fn nudge(&self, name: &str) -> Result<()> {
        self.find(name)?.wake.notify_one();
        Ok(())
    }

    /// Ends every job: those at rest at once, those at work after their unit or at the deadline, whichever comes first.
    /// Returns the names of those that the deadline cut short.
    pub async fn stop(&self, deadline: Duration) -> Vec<&'static str> {
        let until = Instant::now() + deadline;
        self.shared.stopping.cancel();
        let mut tasks = std::mem::take(&mut *self.shared.tasks.lock());
        while let Ok(Some(_ended)) = timeout_at(until, tasks.join_next()).await {}
        let is_over = |state| matches!(state, JobState::Done | JobState::Failed);
        let late = self
            .status()
            .into_iter()
            .filter(|status| !is_over(status.state));
        let late = late.map(|status| status.name).collect();
        tasks.shutdown().await;
        late
    }

    fn find(&self, name: &str) -> Result<Arc<Record>> {
        let records = self.shared.records.lock();
        let found = records.iter().find(|record| record.name == name);
        found
            .cloned()
            .ok_or_else(|| Error::not_found("there is no such job"))
    }
}

impl Record {
    fn new(name: &'static str, pace_percent: u32) -> Self {
        Self {
            name,
            pace_percent: AtomicU32::new(pace_percent),
            is_paced: AtomicBool::new(false),
            wake: Notify::new(),
            status: Mutex::new(JobStatus {
                name,
                state: JobState::Waiting,
                pace_percent,
                units_count: 0,
                errors_count: 0,
                errors_in_row: 0,
                last_error: None,
                last_error_ms: None,
                last_unit_ms: None,
                progress: None,
            }),
        }
    }

    fn snapshot(&self) -> JobStatus {
        let mut status = self.status.lock().clone();
        status.pace_percent = self.pace_percent.load(Ordering::SeqCst);
        status
    }

    fn enter(&self, state: JobState) {
        self.status.lock().state = state;
    }
}

/// One job on its way.
struct Run<J: Job> {
    job: J,
    record: Arc<Record>,
    clock: Clock,
    stopping: CancellationToken,
}

/// Marks a job as failed when its task ends in the middle of something: by a panic, or cut short at the deadline.
struct FailedUnlessDone(Arc<Record>);

impl Drop for FailedUnlessDone {
    fn drop(&mut self) {
        let mut status = self.0.status.lock();
        if status.state != JobState::Done {
            status.state = JobState::Failed;
        }
    }
}

impl<J: Job> Run<J> {
    async fn until_done(mut self) {
        let guard = FailedUnlessDone(Arc::clone(&self.record));
        let delay = self.job.start_delay();
        self.rest(JobState::Waiting, delay).await;
        while !self.stopping.is_cancelled() {
            if self.record.pace_percent.load(Ordering::SeqCst) == 0 {
                self.rest(JobState::Paused, Duration::MAX).await;
                continue;
            }
            let started = Instant::now();
            match self.unit().await {
                Unit::Ended(Next::Again) => {
                    let pause = self.pause_after(started.elapsed());
                    self.rest(JobState::Pacing, pause).await;
                }
                Unit::Ended(Next::Freely) => {
                    let is_paced = self.record.is_paced.load(Ordering::SeqCst);
                    let worked = if is_paced {
                        started.elapsed()
                    } else {
                        Duration::ZERO
                    };
                    self.rest(JobState::Pacing, self.pause_after(worked)).await;
                }
                Unit::Ended(Next::Wait) => self.wait().await,
                Unit::Ended(Next::Done) => break,
                Unit::Failed { pause } => self.rest(JobState::Retrying, pause).await,
            }
        }
        self.record.enter(JobState::Done);
        drop(guard);
    }

    /// Does one unit, uninterrupted, and records how it ended.
    async fn unit(&mut self) -> Unit {
        self.record.enter(JobState::Working);
        let outcome = self.job.work().await;
        let now_ms = self.clock.now_ms();
        let mut status = self.record.status.lock();
        status.progress = self.job.progress();
        match outcome {
            Ok(next) => {
                status.units_count += 1;
                status.errors_in_row = 0;
                status.last_unit_ms = Some(now_ms);
                Unit::Ended(next)
            }
            Err(error) => {
                let doubled = RETRY_PAUSE_MIN.saturating_mul(1 << status.errors_in_row.min(16));
                status.errors_count += 1;
                status.errors_in_row += 1;
                status.last_error = Some(format!("{error:?}"));
                status.last_error_ms = Some(now_ms);
                tracing::warn!(
                    job = self.record.name,
                    in_row = status.errors_in_row,
                    ?error,
                    "job failed"
                );
                Unit::Failed {
                    pause: doubled.min(RETRY_PAUSE_MAX),
                }
            }
        }
    }

    /// The rest that makes `worked` the pace's share of the whole.
    fn pause_after(&self, worked: Duration) -> Duration {
        let percent = self
            .record
            .pace_percent
            .load(Ordering::SeqCst)
            .clamp(1, 100);
        (worked * (100 - percent) / percent).min(PACE_PAUSE_MAX)
    }

    async fn wait(&mut self) {
        self.record.enter(JobState::Waiting);
        tokio::select! {
            () = self.stopping.cancelled() => {}
            () = self.record.wake.notified() => {}
            () = self.job.wait() => {}
        }
    }

    async fn rest(&mut self, state: JobState, pause: Duration) {
        if pause.is_zero() {
            return tokio::task::yield_now().await;
        }
        self.record.enter(state);
        tokio::select! {
            () = self.stopping.cancelled() => {}
            () = self.record.wake.notified() => {}
            () = sleep(pause) => {}
        }
    }
}
