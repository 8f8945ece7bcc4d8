//! Runs tasks: ties the transfers to the list that all processes share.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, interval};
use tokio_util::sync::CancellationToken;
use wharf_types::api::drive::At;

use super::get::discard;
use super::sending::blocking;
use super::{Get, NoticeKind, Put, Report};
use crate::api::Api;
use crate::error::Error;
use crate::progress::Progress;
use crate::task::{Task, TaskError, TaskKind, TaskRun, TaskState, TaskStore, Wanted};

/// How often a running task asks what is wanted of it.
const ASK_EVERY: Duration = Duration::from_millis(250);
/// How often it records its progress, which also renews its lease.
const RECORD_EVERY: Duration = Duration::from_secs(1);

/// How a run of a task ended.
#[derive(Debug)]
pub struct Ran {
    /// The state that the task is in now.
    pub state: TaskState,
    /// What it did, where it came to an end.
    pub report: Option<Report>,
    /// Why it failed.
    pub error: Option<Error>,
}

/// Runs a task in this process: takes it, records its progress, obeys pauses and cancellations from other processes, and
/// records how it ended. Cancelling `stop` leaves the task waiting.
///
/// A task whose report is not complete has failed, and looks at what is left when it is run again.
///
/// # Errors
/// Only what concerns the list of tasks; why the transfer itself failed is in [`Ran::error`].
pub async fn run_task(
    api: &Api,
    store: &TaskStore,
    id: i64,
    progress: &Arc<Progress>,
    stop: &CancellationToken,
) -> Result<Ran, TaskError> {
    let task = store.get(id)?;
    let run = store.begin(id)?;
    let halt = stop.child_token();
    let (done, wanted) = {
        let transferring = transfer(api, &task, progress, &halt);
        tokio::pin!(transferring);
        let mut watch = Watch::new(&run, progress);
        let watched = loop {
            tokio::select! {
                done = &mut transferring => break Ok((done, watch.wanted)),
                watched = watch.tick() => match watched {
                    Ok(true) => {}
                    Ok(false) => halt.cancel(),
                    Err(error) => break Err(error),
                },
            }
        };
        match watched {
            Ok(done) => done,
            Err(error) => {
                // The right to run is lost or unknown: whoever has it must not find this process at work.
                halt.cancel();
                drop(transferring.await);
                return Err(error);
            }
        }
    };
    let (state, error, report) = match done {
        Ok(report) if report.is_complete() => (TaskState::Done, None, Some(report)),
        Ok(report) => (TaskState::Failed, None, Some(report)),
        Err(Error::Stopped) => match wanted {
            Wanted::Pause => (TaskState::Paused, None, None),
            Wanted::Cancel => (TaskState::Cancelled, remove_parts(&task).await.err(), None),
            Wanted::Run => (TaskState::Waiting, None, None),
        },
        Err(error) => (TaskState::Failed, Some(error), None),
    };
    let text = match (&error, &report) {
        (Some(error), _) => Some(error.to_string()),
        (None, Some(report)) => summary(report),
        (None, None) => None,
    };
    run.finish(state, progress.snapshot(), text.as_deref())?;
    Ok(Ran {
        state,
        report,
        error,
    })
}

/// Gives a task up. What it has written aside is removed: by the process that runs it, or else here.
///
/// # Errors
/// [`TaskError::State`] when it is over; [`Error::Local`] when something cannot be removed, the task being cancelled all
/// the same.
pub async fn cancel_task(store: &TaskStore, id: i64) -> Result<Task, Error> {
    let task = store.cancel(id)?;
    if task.state == TaskState::Cancelled {
        remove_parts(&task).await?;
    }
    Ok(task)
}

async fn transfer(
    api: &Api,
    task: &Task,
    progress: &Arc<Progress>,
    stop: &CancellationToken,
) -> Result<Report, Error> {
    let (api, room) = (api.clone(), task.work.room);
    match task.work.kind.clone() {
        TaskKind::Put {
            source,
            target,
            options,
        } => {
            let put = Put {
                api,
                room,
                source,
                target,
                options,
            };
            put.run(progress, stop).await
        }
        TaskKind::Get {
            source,
            target,
            options,
        } => {
            let get = Get {
                api,
                room,
                source: At::Path(source),
                target,
                options,
                tag: task.tag.clone(),
            };
            get.run(progress, stop).await
        }
    }
}

async fn remove_parts(task: &Task) -> Result<(), Error> {
    let TaskKind::Get { target, .. } = &task.work.kind else {
        return Ok(());
    };
    let (target, tag): (PathBuf, String) = (target.clone(), task.tag.clone());
    blocking(move || discard(&target, &tag)).await?
}

/// Looks after a running task.
struct Watch<'a> {
    run: &'a TaskRun,
    progress: &'a Progress,
    ticks: tokio::time::Interval,
    recorded_at: Instant,
    wanted: Wanted,
}

impl<'a> Watch<'a> {
    fn new(run: &'a TaskRun, progress: &'a Progress) -> Self {
        Self {
            run,
            progress,
            ticks: interval(ASK_EVERY),
            recorded_at: Instant::now(),
            wanted: Wanted::Run,
        }
    }

    /// Waits for the next moment to ask, and says whether to go on. Dropping it loses no more than the moment.
    async fn tick(&mut self) -> Result<bool, TaskError> {
        self.ticks.tick().await;
        if self.recorded_at.elapsed() >= RECORD_EVERY {
            self.recorded_at = Instant::now();
            self.run.renew(self.progress.snapshot())?;
        }
        self.wanted = self.run.wanted()?;
        Ok(self.wanted == Wanted::Run)
    }
}

/// What an incomplete report says in one line.
fn summary(report: &Report) -> Option<String> {
    let first = report
        .notices
        .iter()
        .find(|notice| !matches!(notice.kind, NoticeKind::LeftOut | NoticeKind::Case))?;
    let rest = match report.failed {
        0 | 1 => String::new(),
        more => format!(" (and {} more)", more - 1),
    };
    Some(format!("{}: {}{rest}", first.path, first.detail))
}
