//! `wharf transfers`: the list of puts and gets, and what to do with them.

use clap::Subcommand;
use serde::Serialize;
use wharf_client::task::TaskError;
use wharf_client::transfer::cancel_task;
use wharf_client::{Room, Task, TaskKind, TaskState};

use crate::context::Context;
use crate::directory::PREFIX;
use crate::exit::{Exit, Failure};
use crate::format;
use crate::output::{Align, Output, Paint, Table};
use crate::session::Session;
use crate::transfer::{Failures, Transfers};

/// List, pause, resume and cancel transfers
///
/// Each put and get is a transfer with a number. One whose program was killed continues when it is resumed, or when the same
/// command is run again.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the transfers (what `wharf transfers` does by itself)
    List,
    /// Stop transfers that other programs run; they keep what they have
    Pause {
        /// Their numbers
        #[arg(value_name = "NUMBER", required = true)]
        ids: Vec<i64>,
    },
    /// Run transfers that were paused, interrupted or failed
    Resume {
        /// Their numbers; all of this login's that are not over when none is given
        #[arg(value_name = "NUMBER")]
        ids: Vec<i64>,
    },
    /// Give transfers up, and remove what they have not finished
    Cancel {
        /// Their numbers
        #[arg(value_name = "NUMBER", required = true)]
        ids: Vec<i64>,
    },
    /// Forget the transfers that are over
    Clear,
}

/// A task as programs see it.
#[derive(Serialize)]
struct Shown<'a> {
    transfer: i64,
    state: TaskState,
    server: &'a str,
    login: &'a str,
    /// `home` or a room's id.
    room: Room,
    #[serde(flatten)]
    kind: &'a TaskKind,
    files_total: u64,
    files_done: u64,
    bytes_total: u64,
    bytes_done: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    created_ms: i64,
    updated_ms: i64,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let transfers = Transfers::open(context)?;
        let output = &context.output;
        match self.action.unwrap_or(Action::List) {
            Action::List => list(&transfers.store.list()?, output)?,
            Action::Pause { ids } => {
                for id in ids {
                    let task = transfers.store.pause(id)?;
                    output.note(format_args!("Transfer {id} is {}.", task.state.as_str()));
                }
            }
            Action::Cancel { ids } => {
                for id in ids {
                    let task = cancel_task(&transfers.store, id).await?;
                    output.note(format_args!("Transfer {id} is {}.", task.state.as_str()));
                }
            }
            Action::Clear => {
                let count = transfers.store.forget_finished(i64::MAX)?;
                output.note(format_args!(
                    "Forgot {}.",
                    format::count(count as u64, "transfer", "transfers")
                ));
            }
            Action::Resume { ids } => return resume(context, &transfers, ids).await,
        }
        Ok(Exit::Done)
    }
}

async fn resume(context: &Context, transfers: &Transfers, ids: Vec<i64>) -> anyhow::Result<Exit> {
    let session = Session::open_for_transfer(context).await?;
    let login = session.username().await?;
    let is_ours =
        |task: &Task| task.work.server == session.server.as_str() && task.work.login == login;
    let is_named = !ids.is_empty();
    let ids = if is_named {
        ids
    } else {
        let mut waiting: Vec<_> = transfers.store.list()?;
        waiting.retain(|task| {
            is_ours(task)
                && matches!(
                    task.state,
                    TaskState::Waiting | TaskState::Paused | TaskState::Failed
                )
        });
        waiting.iter().rev().map(|task| task.id).collect()
    };
    if ids.is_empty() {
        context.output.note("There is nothing to resume.");
    }
    let mut exit = Exit::Done;
    let mut failures = Failures::default();
    for id in ids {
        match resume_one(context, transfers, &session, id, is_ours).await {
            Ok(Exit::Done) => {}
            Ok(Exit::Interrupted) => return Ok(failures.interrupted(&context.output)),
            Ok(other) => exit = other,
            // Another program finished it, or runs it: nobody asked for this one.
            Err(error) if !is_named && is_elsewhere(&error) => {}
            Err(error) => failures.add(error, &context.output),
        }
    }
    failures.or(exit)
}

async fn resume_one(
    context: &Context,
    transfers: &Transfers,
    session: &Session,
    id: i64,
    is_ours: impl Fn(&Task) -> bool,
) -> anyhow::Result<Exit> {
    let task = transfers.store.get(id)?;
    if !is_ours(&task) {
        let failure = Failure::usage(format!(
            "Transfer {id} belongs to {} on {}",
            task.work.login, task.work.server
        ))
        .hint("Name that server with --server.");
        return Err(failure.into());
    }
    transfers.store.resume(id)?;
    transfers.run(context, session, id, &what(&task)).await
}

/// Whether a transfer could not be resumed because it is over, stopped or being run by another program.
fn is_elsewhere(error: &anyhow::Error) -> bool {
    matches!(
        error.downcast_ref(),
        Some(TaskError::State { .. } | TaskError::Busy { .. } | TaskError::Missing(_))
    )
}

fn what(task: &Task) -> String {
    let drive = match task.work.room {
        Room::Home => String::new(),
        Room::Id(id) => format!("{PREFIX}{id}"),
    };
    match &task.work.kind {
        TaskKind::Put { source, target, .. } => {
            format!("put {} to {drive}/{target}", source.display())
        }
        TaskKind::Get { source, target, .. } => {
            format!("get {drive}/{source} to {}", target.display())
        }
    }
}

fn list(tasks: &[Task], output: &Output) -> anyhow::Result<()> {
    if output.is_json() {
        return tasks
            .iter()
            .try_for_each(|task| output.object(&shown(task)));
    }
    if tasks.is_empty() {
        output.note("There are no transfers.");
        return Ok(());
    }
    let mut table = Table::new(&[
        ("NUMBER", Align::Right),
        ("STATE", Align::Left),
        ("DONE", Align::Right),
        ("OF", Align::Right),
        ("CHANGED", Align::Left),
        ("WHAT", Align::Left),
    ]);
    for task in tasks {
        let paint = match task.state {
            TaskState::Done => Paint::Green,
            TaskState::Failed => Paint::Red,
            TaskState::Paused | TaskState::Cancelled => Paint::Yellow,
            TaskState::Waiting | TaskState::Running => Paint::Plain,
        };
        let mut text = output.name(&what(task)).into_owned();
        if let Some(error) = &task.error {
            text = format!("{text} ({})", output.name(error));
        }
        table.painted_row([
            (Paint::Plain, task.id.to_string()),
            (paint, task.state.as_str().to_owned()),
            (Paint::Plain, format::bytes(task.progress.bytes_done)),
            (Paint::Plain, format::bytes(task.progress.bytes_total)),
            (Paint::Plain, format::time_ms(task.updated_ms)),
            (Paint::Plain, text),
        ]);
    }
    table.write(output)
}

fn shown(task: &Task) -> Shown<'_> {
    Shown {
        transfer: task.id,
        state: task.state,
        server: &task.work.server,
        login: &task.work.login,
        room: task.work.room,
        kind: &task.work.kind,
        files_total: task.progress.files_total,
        files_done: task.progress.files_done,
        bytes_total: task.progress.bytes_total,
        bytes_done: task.progress.bytes_done,
        error: task.error.as_deref(),
        pid: task.pid,
        created_ms: task.created_ms,
        updated_ms: task.updated_ms,
    }
}
