//! `wharf outbox`: what was written on this device and is not on the server yet.

use clap::Subcommand;
use serde::Serialize;
use wharf_client::chat::{Waiting, WaitingKind, WaitingState, Window};
use wharf_types::api::log::Draft;
use wharf_types::{ErrorCode, RoomId};

use crate::context::Context;
use crate::conversation::{Conversations, Delivery, PATIENCE};
use crate::exit::{Exit, Failure};
use crate::format;
use crate::output::{Align, Paint, Table};

/// List, send and discard what was written and is not on the server yet
///
/// What is written goes into the outbox of this device, and from there to the server once and in order, by whichever
/// command is running when the server can be reached.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List what waits and what the server refused (what `wharf outbox` does by itself)
    List,
    /// Send what waits, and wait until it is sent
    Send,
    /// Send something that the server refused once more
    Retry {
        /// Its number
        #[arg(value_name = "NUMBER")]
        id: i64,
    },
    /// Discard what was not sent yet or was refused
    Discard {
        /// Their numbers
        #[arg(value_name = "NUMBER", required = true)]
        ids: Vec<i64>,
    },
}

/// An item for programs.
#[derive(Serialize)]
struct Shown<'a> {
    id: i64,
    room: RoomId,
    /// `waiting` or `refused`.
    state: &'static str,
    at_ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    draft: Option<&'a Draft>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a std::path::Path>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<ErrorCode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let mut conversations = Conversations::open(context).await?;
        match self.action.unwrap_or(Action::List) {
            Action::List => list(context, &conversations)?,
            Action::Send => return send(context, &mut conversations).await,
            Action::Retry { id } => {
                let new = conversations.chat.retry(id)?;
                match conversations.settle(new, PATIENCE).await? {
                    Delivery::Sent(position) => {
                        context.output.note(format_args!("Sent, as {position}."));
                    }
                    Delivery::Waits => crate::conversation::note_waiting(context),
                }
            }
            Action::Discard { ids } => {
                for id in &ids {
                    conversations.chat.discard(*id)?;
                }
                let count = format::count(ids.len() as u64, "item", "items");
                context.output.note(format_args!("Discarded {count}."));
            }
        }
        Ok(Exit::Done)
    }
}

/// Everything in the outbox that is not in a log, by when it was written.
fn items(conversations: &Conversations) -> anyhow::Result<Vec<Waiting>> {
    let mut items = Vec::new();
    for view in conversations.chat.rooms()? {
        let timeline = conversations
            .chat
            .timeline(view.room.id, Window::Last, usize::MAX >> 1)?;
        items.extend(timeline.waiting);
        items.extend(timeline.items.into_iter().flat_map(|item| item.waiting));
    }
    items.retain(|item| !matches!(item.state, WaitingState::Sent { .. }));
    items.sort_by_key(|item| item.id);
    Ok(items)
}

async fn send(context: &Context, conversations: &mut Conversations) -> anyhow::Result<Exit> {
    let waiting: Vec<_> = items(conversations)?
        .into_iter()
        .filter(|item| item.state == WaitingState::Waiting)
        .collect();
    if waiting.is_empty() {
        context.output.note("Nothing waits.");
        return Ok(Exit::Done);
    }
    if !conversations.is_live().await? {
        let count = format::count(waiting.len() as u64, "item waits", "items wait");
        let failure = Failure::new(
            Exit::Unavailable,
            format!("The server cannot be reached; {count}"),
        )
        .hint("Nothing is lost. Try again later.");
        return Err(failure.into());
    }
    let mut sent = 0_u64;
    let mut refused = 0_u64;
    for item in waiting {
        // The line is there, so each takes as long as it takes; what is refused stays to be looked at.
        match conversations.chat.settle(item.id).await?.state {
            WaitingState::Refused { detail, .. } => {
                refused += 1;
                let detail = context.output.name(&detail).into_owned();
                context
                    .output
                    .warn(format_args!("{} was refused: {detail}", item.id));
            }
            WaitingState::Sent { .. } | WaitingState::Waiting => sent += 1,
        }
    }
    context.output.note(format_args!(
        "Sent {}.",
        format::count(sent, "item", "items")
    ));
    Ok(if refused > 0 {
        Exit::LeftOut
    } else {
        Exit::Done
    })
}

fn list(context: &Context, conversations: &Conversations) -> anyhow::Result<()> {
    let output = &context.output;
    let items = items(conversations)?;
    if output.is_json() {
        return items
            .iter()
            .try_for_each(|item| output.object(&shown(item)));
    }
    if items.is_empty() {
        output.note("Nothing waits.");
        return Ok(());
    }
    let directory = conversations.directory()?;
    let mut table = Table::new(&[
        ("NUMBER", Align::Right),
        ("WRITTEN", Align::Left),
        ("ROOM", Align::Left),
        ("STATE", Align::Left),
        ("WHAT", Align::Left),
    ]);
    for item in &items {
        let room = directory.room_of(item.room);
        let room = room.map_or_else(|| item.room.to_string(), |room| directory.written(room));
        let (paint, state) = match &item.state {
            WaitingState::Refused { detail, .. } => (Paint::Red, format!("refused: {detail}")),
            WaitingState::Waiting | WaitingState::Sent { .. } => {
                (Paint::Yellow, "waits".to_owned())
            }
        };
        table.painted_row([
            (Paint::Plain, item.id.to_string()),
            (Paint::Plain, format::time_ms(item.at_ms)),
            (Paint::Plain, output.name(&room).into_owned()),
            (paint, output.name(&state).into_owned()),
            (Paint::Plain, output.name(&what(item)).into_owned()),
        ]);
    }
    table.write(output)
}

fn shown(item: &Waiting) -> Shown<'_> {
    let (draft, file) = match &item.what {
        WaitingKind::Draft(draft) => (Some(draft), None),
        WaitingKind::Handover(handover) => (None, Some(handover.source.as_path())),
    };
    let (state, code, detail) = match &item.state {
        WaitingState::Refused { code, detail } => ("refused", Some(*code), Some(detail.as_str())),
        WaitingState::Waiting | WaitingState::Sent { .. } => ("waiting", None, None),
    };
    Shown {
        id: item.id,
        room: item.room,
        state,
        at_ms: item.at_ms,
        draft,
        file,
        code,
        detail,
    }
}

/// The first line of what waits.
pub(super) fn what(item: &Waiting) -> String {
    let first = |text: &str| text.lines().next().unwrap_or_default().to_owned();
    match &item.what {
        WaitingKind::Draft(Draft::Text(text)) => first(&text.text),
        WaitingKind::Draft(Draft::File(file)) => format!("a file {}", first(&file.text)),
        WaitingKind::Draft(Draft::Edit(edit)) => {
            format!("edit of {}: {}", edit.target, first(&edit.text))
        }
        WaitingKind::Draft(Draft::Recall(recall)) => format!("takes {} back", recall.target),
        WaitingKind::Draft(Draft::Reaction(reaction)) => {
            format!("{} to {}", reaction.emoji, reaction.target)
        }
        WaitingKind::Draft(Draft::Pin(pin)) => format!("pin of {}", pin.target),
        WaitingKind::Handover(handover) => format!(
            "{} ({} of {})",
            handover.source.display(),
            format::bytes(handover.sent_bytes),
            format::bytes(handover.bytes)
        ),
    }
}
