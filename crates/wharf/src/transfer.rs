//! Running transfers as tasks, and telling how they went.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use wharf_client::transfer::{Notice, NoticeKind, Ran, Report, run_task};
use wharf_client::{Clock, NewTask, Progress, Room, TaskKind, TaskState, TaskStore};

use crate::context::Context;
use crate::exit::{self, Exit};
use crate::format;
use crate::interrupt::stop_on_interrupt;
use crate::output::{Output, listed, printable};
use crate::progress::TransferBar;
use crate::session::Session;

/// A transfer that a command asks for.
#[derive(Debug)]
pub(crate) struct Work {
    /// Whose drive.
    pub(crate) room: Room,
    pub(crate) kind: TaskKind,
    /// From where to where, for people.
    pub(crate) what: String,
}

/// The tasks of this person on this device.
#[derive(Debug)]
pub(crate) struct Transfers {
    pub(crate) store: TaskStore,
}

/// How one transfer went, for programs.
#[derive(Serialize)]
struct Outcome<'a> {
    transfer: i64,
    state: TaskState,
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<&'a Report>,
}

/// What went wrong with some of several transfers. The first one becomes the command's own error, with its exit code; the
/// others are told as they come.
#[derive(Debug, Default)]
pub(crate) struct Failures(Option<anyhow::Error>);

impl Failures {
    /// Takes one more.
    pub(crate) fn add(&mut self, error: anyhow::Error, output: &Output) {
        if self.0.is_some() {
            exit::Report::of(&error).write(output);
        } else {
            self.0 = Some(error);
        }
    }

    /// How the command ends where nothing interrupted it.
    pub(crate) fn or(self, exit: Exit) -> anyhow::Result<Exit> {
        self.0.map_or(Ok(exit), Err)
    }

    /// How the command ends where somebody interrupted it: what failed before is told, but is not why it ends.
    pub(crate) fn interrupted(self, output: &Output) -> Exit {
        if let Some(error) = self.0 {
            exit::Report::of(&error).write(output);
        }
        Exit::Interrupted
    }
}

impl Transfers {
    /// Opens the list of tasks.
    pub(crate) fn open(context: &Context) -> anyhow::Result<Self> {
        let folder = context.state_folder()?;
        std::fs::create_dir_all(&folder)?;
        Ok(Self {
            store: TaskStore::open(&folder.join("transfers.db"), Clock::system())?,
        })
    }

    /// Runs transfers one after the other; one that cannot be done does not keep the others from it.
    pub(crate) async fn run_all(
        &self,
        context: &Context,
        session: &Session,
        work: Vec<Work>,
    ) -> anyhow::Result<Exit> {
        let login = session.username().await?;
        let mut exit = Exit::Done;
        let mut failures = Failures::default();
        for work in work {
            let task = self.store.submit(&NewTask {
                server: session.server.to_string(),
                login: login.clone(),
                room: work.room,
                kind: work.kind,
            })?;
            match self.run(context, session, task.id, &work.what).await {
                Ok(Exit::Interrupted) => return Ok(failures.interrupted(&context.output)),
                Ok(Exit::Done) => {}
                Ok(other) => exit = other,
                Err(error) => failures.add(error, &context.output),
            }
        }
        failures.or(exit)
    }

    /// Runs one task here and tells how it went.
    pub(crate) async fn run(
        &self,
        context: &Context,
        session: &Session,
        id: i64,
        what: &str,
    ) -> anyhow::Result<Exit> {
        let progress = Arc::new(Progress::default());
        let (stop, _listening) = stop_on_interrupt();
        let clock = Clock::system();
        let began_ms = clock.now_ms();
        let bar = TransferBar::follow(&context.output, &progress);
        let result = run_task(&session.api, &self.store, id, &progress, &stop).await;
        drop(bar);
        let Ran {
            state,
            report,
            error,
        } = result?;
        let took_ms = u64::try_from(clock.now_ms() - began_ms).unwrap_or(0);
        if context.output.is_json() {
            context.output.object(&Outcome {
                transfer: id,
                state,
                report: report.as_ref(),
            })?;
        }
        if let Some(report) = &report {
            warn(&context.output, report);
            let took = format::duration(Duration::from_millis(took_ms));
            context
                .output
                .note(format_args!("{what}: {} in {took}.", told(report)));
        }
        match (state, error, report) {
            (_, Some(error), _) => Err(error.into()),
            (TaskState::Done | TaskState::Failed, None, Some(report)) => Ok(exit_of(&report)),
            (TaskState::Done, None, None) => Ok(Exit::Done),
            (TaskState::Failed, None, None) => Ok(Exit::Failed),
            (TaskState::Cancelled, ..) => {
                context.output.note(format_args!("{what}: cancelled."));
                Ok(Exit::Interrupted)
            }
            (state, ..) => {
                context.output.note(format_args!(
                    "{what}: {}. Run the same command again, or `wharf transfers resume {id}`, to continue.",
                    if state == TaskState::Paused { "paused" } else { "stopped" },
                ));
                Ok(Exit::Interrupted)
            }
        }
    }
}

fn exit_of(report: &Report) -> Exit {
    if report
        .notices
        .iter()
        .any(|notice| notice.kind == NoticeKind::Corrupt)
    {
        Exit::Damaged
    } else if report.is_complete() {
        Exit::Done
    } else {
        Exit::LeftOut
    }
}

fn warn(output: &Output, report: &Report) {
    if output.is_json() {
        return;
    }
    for Notice { path, kind, detail } in &report.notices {
        let (path, detail) = (printable(path), printable(detail));
        if *kind == NoticeKind::LeftOut {
            output.note(format_args!("left out {path}: {detail}"));
            continue;
        }
        output.warn(format_args!("{path}: {detail}"));
    }
    if report.notices_more > 0 {
        let more = format::count(report.notices_more, "path is", "paths are");
        output.warn(format_args!("{more} not listed"));
    }
}

fn told(report: &Report) -> String {
    let mut parts = Vec::new();
    if report.files_moved > 0 || report.files_unchanged == 0 {
        let files = format::count(report.files_moved, "file", "files");
        parts.push(format!("{files} ({})", format::bytes(report.bytes_moved)));
    }
    if report.files_unchanged > 0 {
        parts.push(format!(
            "{} unchanged",
            format::grouped(report.files_unchanged)
        ));
    }
    if report.folders_made > 0 {
        parts.push(format::count(
            report.folders_made,
            "new folder",
            "new folders",
        ));
    }
    if report.failed > 0 {
        parts.push(format!("{} left out", format::grouped(report.failed)));
    }
    parts.push(format!("{} travelled", format::bytes(report.bytes_wire)));
    listed(&parts)
}
