//! `wharf send`: hands files over in a room.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use serde::Serialize;
use tokio::time::{Instant, timeout};
use wharf_client::chat::{WaitingKind, WaitingState};
use wharf_types::RoomId;

use super::put::absolute;
use crate::context::Context;
use crate::conversation::{Conversations, PATIENCE};
use crate::directory::Where;
use crate::exit::{Exit, Failure};
use crate::format;
use crate::interrupt::stop_on_interrupt;

/// How often it is looked how far an upload is.
const LOOK: Duration = Duration::from_millis(500);

/// Hand files over in a room
///
/// Each file goes into the room's drive, and an entry of its log hands it over: it waits there for everybody who is away.
/// A file can be of any size; an upload that is stopped, by Ctrl-C, a crash or the network, goes on with the next command
/// that speaks with the server (see `wharf outbox`), as long as the file is where it was. Folders are put, not sent: see
/// `wharf put FOLDER room:NAME/`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  wharf send Team plan.pdf\n  wharf send @grace *.jpg --text \"From Sunday\""
)]
pub(crate) struct Args {
    /// The room
    #[arg(value_name = "WHERE")]
    room: Where,
    /// The files
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// What to say with the first one
    #[arg(
        long,
        short,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    text: String,
    /// The entry that they answer
    #[arg(long, short, value_name = "POSITION")]
    reply: Option<u64>,
    /// Write them into the outbox and leave; the next command that speaks with the server goes on
    #[arg(long)]
    later: bool,
}

/// What became of a file, for programs.
#[derive(Serialize)]
struct Outcome<'a> {
    /// `sent` or `waiting`.
    state: &'static str,
    room: RoomId,
    file: &'a Path,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<u64>,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let files = self.checked()?;
        let mut conversations = Conversations::open(context).await?;
        let room = conversations.find(&self.room).await?;
        let mut items = Vec::with_capacity(files.len());
        for (index, file) in files.into_iter().enumerate() {
            let text = if index == 0 { self.text.as_str() } else { "" };
            let id = conversations
                .chat
                .hand_over(room.id, &file, text, self.reply)?;
            items.push((id, file));
        }
        let (stop, _listening) = stop_on_interrupt();
        let mut exit = Exit::Done;
        let mut is_stopped = self.later;
        for (id, file) in &items {
            let position = if is_stopped {
                None
            } else {
                tokio::select! {
                    position = upload(context, &mut conversations, *id, file) => position?,
                    () = stop.cancelled() => {
                        is_stopped = true;
                        exit = Exit::Interrupted;
                        None
                    }
                }
            };
            self.tell(context, room.id, file, position)?;
        }
        conversations.chat.close().await;
        Ok(exit)
    }

    /// The files by their whole paths, all of which can be handed over.
    fn checked(&self) -> anyhow::Result<Vec<PathBuf>> {
        let mut files = Vec::with_capacity(self.files.len());
        for file in &self.files {
            let metadata = std::fs::metadata(file).with_context(|| {
                Failure::new(Exit::NotFound, format!("Could not read {}", file.display()))
            })?;
            if !metadata.is_file() {
                let failure = Failure::usage(format!("{} is not a file", file.display()))
                    .hint("Put folders into the room's drive: wharf put FOLDER room:NAME/");
                return Err(failure.into());
            }
            files.push(absolute(file)?);
        }
        Ok(files)
    }

    fn tell(
        &self,
        context: &Context,
        room: RoomId,
        file: &Path,
        position: Option<u64>,
    ) -> anyhow::Result<()> {
        let output = &context.output;
        let state = if position.is_some() {
            "sent"
        } else {
            "waiting"
        };
        if output.is_json() {
            return output.object(&Outcome {
                state,
                room,
                file,
                position,
            });
        }
        let name = file.display().to_string();
        let name = output.name(&name);
        match position {
            Some(position) => output.note(format_args!(
                "Handed over {name} in {} as {position}.",
                self.room
            )),
            None => output.note(format_args!(
                "{name} waits in the outbox and goes on with the next command (see `wharf outbox`)."
            )),
        }
        Ok(())
    }
}

/// Waits until a file is handed over; none when the server stays away.
async fn upload(
    context: &Context,
    conversations: &mut Conversations,
    id: i64,
    file: &Path,
) -> anyhow::Result<Option<u64>> {
    let mut moved = Instant::now();
    let mut sent_before = 0;
    let shows_progress = context.output.shows_progress();
    loop {
        if let Ok(settled) = timeout(LOOK, conversations.chat.settle(id)).await {
            return match settled?.state {
                WaitingState::Sent { position } => Ok(Some(position)),
                WaitingState::Waiting => Ok(None),
                WaitingState::Refused { code, detail } => {
                    conversations.chat.discard(id)?;
                    let failure = Failure::refused(code, detail);
                    Err(anyhow::Error::from(failure).context(file.display().to_string()))
                }
            };
        }
        let item = conversations.chat.waiting(id)?;
        if let Some(WaitingKind::Handover(handover)) = item.map(|item| item.what)
            && handover.sent_bytes > sent_before
        {
            (sent_before, moved) = (handover.sent_bytes, Instant::now());
            if shows_progress {
                let (sent, all) = (format::bytes(sent_before), format::bytes(handover.bytes));
                context
                    .output
                    .note(format_args!("{}: {sent} of {all}", file.display()));
            }
        }
        // As long as bytes move or the line is there, it takes as long as it takes.
        if moved.elapsed() > PATIENCE && !conversations.is_live().await? {
            return Ok(None);
        }
    }
}
