//! `wharf say`: says something in a room.

use std::io::{IsTerminal, Read};

use anyhow::Context as _;
use serde::Serialize;
use wharf_types::RoomId;
use wharf_types::api::log::{Draft, Text};
use wharf_types::limit::ENTRY_TEXT_BYTES_MAX;

use crate::context::Context;
use crate::conversation::{Conversations, Delivery, note_waiting};
use crate::directory::Where;
use crate::exit::{Exit, Failure};

/// Say something in a room
///
/// The text is CommonMark, of 64 KiB at most; `-`, or no text with something on standard input, reads it from there.
/// @USERNAME mentions a member and @everybody all of them. It is written down on this device first: when the server cannot be
/// reached it waits in the outbox and is sent later, once, after what was written before it. That is no error, so that no
/// script says it twice.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  wharf say Team \"Lunch at *noon*?\"\n  wharf say @grace Hello\n  \
                        wharf say Team --reply 120 Yes\n  make 2>&1 | tail -20 | wharf say Team -"
)]
pub(crate) struct Args {
    /// The room: a group's name, @USERNAME, `me`, or a room's id
    #[arg(value_name = "WHERE")]
    room: Where,
    /// What to say; several words are joined by spaces
    #[arg(value_name = "TEXT")]
    text: Vec<String>,
    /// The entry that it answers
    #[arg(long, short, value_name = "POSITION")]
    reply: Option<u64>,
}

/// What became of something that was written, for programs.
#[derive(Debug, Serialize)]
pub(super) struct Outcome {
    /// `sent` or `waiting`.
    state: &'static str,
    room: RoomId,
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<u64>,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let text = text(&self.text)?;
        let mut conversations = Conversations::open(context).await?;
        let room = conversations.find(&self.room).await?;
        let mentions = conversations.mentions(&room, &text).await?;
        let draft = Draft::Text(Text {
            text,
            reply_to: self.reply,
            mentions,
        });
        let delivery = conversations.send(room.id, &draft).await?;
        let title = conversations.directory()?.title(&room);
        tell(context, room.id, &delivery, |position| {
            format!("Said in {} as {position}.", context.output.name(&title))
        })?;
        Ok(Exit::Done)
    }
}

/// Tells what became of something that was written.
pub(super) fn tell(
    context: &Context,
    room: RoomId,
    delivery: &Delivery,
    people: impl FnOnce(u64) -> String,
) -> anyhow::Result<()> {
    let (state, position) = match delivery {
        Delivery::Sent(position) => ("sent", Some(*position)),
        Delivery::Waits => ("waiting", None),
    };
    if context.output.is_json() {
        context.output.object(&Outcome {
            state,
            room,
            position,
        })?;
    }
    match position {
        Some(position) => context.output.note(people(position)),
        None => note_waiting(context),
    }
    Ok(())
}

/// The words of the command line, or what is on standard input.
pub(super) fn text(words: &[String]) -> anyhow::Result<String> {
    let text = match words {
        [only] if only == "-" => from_stdin()?,
        [] if !std::io::stdin().is_terminal() => from_stdin()?,
        words => words.join(" "),
    };
    if text.trim().is_empty() {
        let failure = Failure::usage("There is nothing to say")
            .hint("Give a text, or `-` to read it from standard input.");
        return Err(failure.into());
    }
    if text.len() > ENTRY_TEXT_BYTES_MAX {
        let failure = Failure::usage(format!(
            "A text has at most {ENTRY_TEXT_BYTES_MAX} bytes; this one has more"
        ))
        .hint("Hand it over as a file: wharf send WHERE FILE");
        return Err(failure.into());
    }
    Ok(text)
}

/// Standard input without the newline at its end; not more of it than is needed to see that it is too long.
fn from_stdin() -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .lock()
        .take(ENTRY_TEXT_BYTES_MAX as u64 + 2)
        .read_to_end(&mut bytes)
        .context("Could not read standard input")?;
    let text = String::from_utf8(bytes).map_err(|_| {
        Failure::usage("Standard input is not valid UTF-8")
            .hint("Hand it over as a file: wharf send WHERE FILE")
    })?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}
