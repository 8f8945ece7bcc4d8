//! `wharf entry`: one entry of a log, and what can be done to it.

use clap::Subcommand;
use wharf_types::api::log::{Draft, Edit, EntryHistory, Pin, Reaction, Recall};
use wharf_types::api::room::Room;

use super::say;
use crate::context::Context;
use crate::conversation::{Conversations, named};
use crate::directory::Where;
use crate::entry::{Names, Printer};
use crate::exit::Exit;
use crate::format;
use crate::output::Output;
use crate::prompt;
use crate::session::About;

/// Show an entry of a room's log, edit it, take it back, react to it, pin it
///
/// An entry is named by its room and the position that `wharf tail` shows. What is done here goes through the outbox, as
/// what is said does.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  wharf entry show Team 120\n  wharf entry edit Team 120 \"Lunch at one\"\n  \
                        wharf entry react Team 120 👍\n  wharf entry recall Team 120"
)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Args)]
struct Named {
    /// The room
    #[arg(value_name = "WHERE")]
    room: Where,
    /// The entry's position
    position: u64,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show an entry with its edits, and who has read it
    Show {
        #[command(flatten)]
        entry: Named,
    },
    /// Give an entry of yours another text; the ones before stay readable
    Edit {
        #[command(flatten)]
        entry: Named,
        /// What it says from now on; `-` reads standard input
        text: Vec<String>,
    },
    /// Take an entry back: its text is erased. An owner can take back any
    Recall {
        #[command(flatten)]
        entry: Named,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// React to an entry
    React {
        #[command(flatten)]
        entry: Named,
        /// An emoji, or any short text
        emoji: String,
    },
    /// Take a reaction away
    Unreact {
        #[command(flatten)]
        entry: Named,
        /// The emoji
        emoji: String,
    },
    /// Pin an entry
    Pin {
        #[command(flatten)]
        entry: Named,
    },
    /// Take the pin away
    Unpin {
        #[command(flatten)]
        entry: Named,
    },
    /// List the pinned entries of a room, the one pinned last first
    Pins {
        /// The room
        #[arg(value_name = "WHERE")]
        room: Where,
    },
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        match self.action {
            Action::Show { entry } => show(context, &entry).await?,
            Action::Pins { room } => pins(context, &room).await?,
            Action::Edit { entry, text } => edit(context, &entry, &text).await?,
            Action::Recall { entry, yes } => {
                let question = format!("Erase entry {} of {}?", entry.position, entry.room);
                prompt::consent(&question, yes)?;
                let draft = Draft::Recall(Recall {
                    target: entry.position,
                });
                change(context, &entry, draft, "taken back").await?;
            }
            Action::React { entry, emoji } => react(context, &entry, emoji, true).await?,
            Action::Unreact { entry, emoji } => react(context, &entry, emoji, false).await?,
            Action::Pin { entry } => pin(context, &entry, true).await?,
            Action::Unpin { entry } => pin(context, &entry, false).await?,
        }
        Ok(Exit::Done)
    }
}

async fn edit(context: &Context, entry: &Named, text: &[String]) -> anyhow::Result<()> {
    let text = say::text(text)?;
    let mut conversations = Conversations::open(context).await?;
    let room = conversations.find(&entry.room).await?;
    let mentions = conversations.mentions(&room, &text).await?;
    let draft = Draft::Edit(Edit {
        target: entry.position,
        text,
        mentions,
    });
    send(context, &mut conversations, &room, entry, draft, "edited").await
}

async fn react(
    context: &Context,
    entry: &Named,
    emoji: String,
    is_set: bool,
) -> anyhow::Result<()> {
    let draft = Draft::Reaction(Reaction {
        target: entry.position,
        emoji,
        is_set,
    });
    let done = if is_set {
        "reacted to"
    } else {
        "without that reaction"
    };
    change(context, entry, draft, done).await
}

async fn pin(context: &Context, entry: &Named, is_set: bool) -> anyhow::Result<()> {
    let draft = Draft::Pin(Pin {
        target: entry.position,
        is_set,
    });
    let done = if is_set {
        "pinned"
    } else {
        "not pinned any more"
    };
    change(context, entry, draft, done).await
}

async fn change(context: &Context, entry: &Named, draft: Draft, done: &str) -> anyhow::Result<()> {
    let mut conversations = Conversations::open(context).await?;
    let room = conversations.find(&entry.room).await?;
    send(context, &mut conversations, &room, entry, draft, done).await
}

async fn send(
    context: &Context,
    conversations: &mut Conversations,
    room: &Room,
    entry: &Named,
    draft: Draft,
    done: &str,
) -> anyhow::Result<()> {
    let delivery = conversations.send(room.id, &draft).await?;
    say::tell(context, room.id, &delivery, |_| {
        format!("Entry {} of {} is {done}.", entry.position, entry.room)
    })
}

async fn show(context: &Context, entry: &Named) -> anyhow::Result<()> {
    let mut conversations = Conversations::open(context).await?;
    let room = conversations.find(&entry.room).await?;
    let api = &conversations.session.api;
    let history = api
        .entry(named(&room), entry.position)
        .await
        .about(format_args!("entry {} of {}", entry.position, entry.room))?;
    let output = &context.output;
    if output.is_json() {
        return output.object(&history);
    }
    let names = conversations.names(room.id).await?;
    Printer::new(output, room.kind, names.clone()).write(room.id, &history.entry)?;
    details(&history, &names, output)
}

fn details(history: &EntryHistory, names: &Names, output: &Output) -> anyhow::Result<()> {
    let line = |word: &str, value: &str| output.line(format_args!("{word:<10}{value}"));
    let entry = &history.entry;
    line("at", &format::time_ms(entry.at_ms))?;
    let origin = match &entry.origin.address {
        Some(address) => format!("{} from {address}", entry.origin.door),
        None => entry.origin.door.clone(),
    };
    line("came by", &output.name(&origin))?;
    line("hash", &entry.hash.to_string())?;
    for edit in &history.edits {
        let what = format!("{}: {}", format::time_ms(edit.at_ms), edit.text);
        line("edited", &output.name(&what))?;
    }
    if !history.read_by.is_empty() {
        let readers: Vec<_> = history.read_by.iter().map(|id| names.of(*id)).collect();
        line("read by", &output.name(&readers.join(", ")))?;
    }
    Ok(())
}

async fn pins(context: &Context, meant: &Where) -> anyhow::Result<()> {
    let mut conversations = Conversations::open(context).await?;
    let room = conversations.find(meant).await?;
    let api = &conversations.session.api;
    let pins = api.pins(named(&room)).await.about(meant)?;
    if pins.items.is_empty() {
        context.output.note("Nothing is pinned.");
    }
    let names = conversations.names(room.id).await?;
    let mut printer = Printer::new(&context.output, room.kind, names);
    pins.items
        .iter()
        .try_for_each(|entry| printer.write(room.id, entry))
}
