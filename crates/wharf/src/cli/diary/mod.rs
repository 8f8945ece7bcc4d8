//! `wharf diary`: the own room's log as a journal.

mod interactive;
mod query;
mod udp;
mod undo;

use std::io::IsTerminal;
use std::path::PathBuf;

use jiff::civil::Date;
use wharf_client::Room as Named;
use wharf_types::api::diary::DiaryFormat;
use wharf_types::api::log::{Draft, Edit, Mentions, Text};

use super::say;
use crate::context::Context;
use crate::conversation::Conversations;
use crate::directory::Where;
use crate::exit::{Exit, Failure};

/// Write and read your journal
///
/// The journal is the log of your own room (`me`): every entry with its day, its tags (words after a #) and where it came
/// from. With a text, or with something on standard input, that is written into it. On a terminal, without anything, it is
/// interactive: each line is an entry, `?` shows what else there is.
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  wharf diary \"Rain all day. #garden\"\n  wharf diary\n  wharf diary --day 2026-11-21\n  \
                        wharf diary --on-this-day\n  wharf diary --tag garden -n 5\n  \
                        wharf diary --edit 120 \"Rain all morning. #garden\"\n  \
                        wharf diary --export markdown > journal.md\n  wharf diary --udp \"Rain all day.\""
)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    /// What to write; `-` reads standard input
    #[arg(value_name = "TEXT", conflicts_with_all = ["interactive", "Reading", "Listing"])]
    text: Vec<String>,
    /// Read lines as on a terminal, also where there is none
    #[arg(long, short, conflicts_with_all = ["Reading", "Listing"])]
    interactive: bool,
    /// Give the entry at this position TEXT instead of what it says; its history is kept (see `wharf entry show me POSITION`)
    #[arg(long, value_name = "POSITION", requires = "text")]
    edit: Option<u64>,
    /// Write by a sealed datagram, with the key of `wharf diary udp add`; what is not acknowledged waits on this device
    #[arg(long, conflicts_with_all = ["interactive", "edit", "Reading", "Listing"])]
    udp: bool,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    listing: Listing,
    /// Write the entries to this file instead of standard output
    #[arg(long, value_name = "FILE", requires = "export")]
    out: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Udp(udp::Args),
}

/// Which entries to read. One of them is enough to read instead of to write.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "Reading", multiple = true)]
struct Reading {
    /// Read this day, such as 2026-11-21
    #[arg(long, value_name = "DAY", conflicts_with_all = ["since", "until", "on_this_day"])]
    day: Option<Date>,
    /// Read from this day on
    #[arg(long, value_name = "DAY")]
    since: Option<Date>,
    /// Read up to this day
    #[arg(long, value_name = "DAY")]
    until: Option<Date>,
    /// Read this day of every year: today's, or the one that is given as 11-21
    #[arg(long, value_name = "MONTH-DAY", num_args = 0..=1, default_missing_value = "today", conflicts_with_all = ["since", "until"])]
    on_this_day: Option<String>,
    /// Read what has this tag
    #[arg(long, short, value_name = "TAG")]
    tag: Option<String>,
    /// Read what came from here: a device's name, a door or an address, as --origins lists them
    #[arg(long, value_name = "ORIGIN")]
    from: Option<String>,
    /// Read what this key of yours wrote by datagrams: its name or id, as `wharf diary udp list` shows them
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Read the last COUNT entries
    #[arg(long, short = 'n', value_name = "COUNT")]
    last: Option<u32>,
    /// Write everything that is meant to standard output, as a document or as lines of JSON
    #[arg(long, value_name = "FORMAT")]
    export: Option<FormatWord>,
}

/// What to list of a journal as a whole.
#[derive(Debug, Clone, Copy, clap::Args)]
#[group(id = "Listing", multiple = false)]
struct Listing {
    /// List the days that have entries: this year's, or from --since to --until
    #[arg(long)]
    days: bool,
    /// List the tags
    #[arg(long)]
    tags: bool,
    /// List where entries came from
    #[arg(long)]
    origins: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum FormatWord {
    /// Markdown: a heading for each day, the time before each entry
    Markdown,
    /// An entry in JSON on each line
    Jsonl,
}

impl From<FormatWord> for DiaryFormat {
    fn from(word: FormatWord) -> Self {
        match word {
            FormatWord::Markdown => Self::Markdown,
            FormatWord::Jsonl => Self::JsonLines,
        }
    }
}

impl Reading {
    fn is_asked_for(&self) -> bool {
        self.day.is_some()
            || self.since.is_some()
            || self.until.is_some()
            || self.on_this_day.is_some()
            || self.tag.is_some()
            || self.from.is_some()
            || self.key.is_some()
            || self.last.is_some()
            || self.export.is_some()
    }
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        if let Some(Action::Udp(args)) = self.action {
            return args.run(context).await;
        }
        if self.udp {
            return udp::write(context, say::text(&self.text)?).await;
        }
        if self.listing.days {
            query::days(context, &self.reading).await?;
        } else if self.listing.tags {
            query::tags(context).await?;
        } else if self.listing.origins {
            query::origins(context).await?;
        } else if let Some(format) = self.reading.export {
            query::export(context, &self.reading, format.into(), self.out.as_deref()).await?;
        } else if self.reading.is_asked_for() {
            query::read(context, &self.reading).await?;
        } else if self.interactive || (self.text.is_empty() && std::io::stdin().is_terminal()) {
            return interactive::run(context).await;
        } else {
            self.write(context).await?;
        }
        Ok(Exit::Done)
    }

    async fn write(&self, context: &Context) -> anyhow::Result<()> {
        let text = say::text(&self.text)?;
        let mut conversations = Conversations::open(context).await?;
        let room = conversations.find(&Where::Me).await?;
        let draft = match self.edit {
            Some(target) => Draft::Edit(Edit {
                target,
                text,
                mentions: Mentions::default(),
            }),
            None => Draft::Text(Text {
                text,
                ..Text::default()
            }),
        };
        let delivery = conversations.send(room.id, &draft).await?;
        say::tell(context, room.id, &delivery, |position| match self.edit {
            Some(target) => format!("Entry {target} is edited."),
            None => format!("Written as {position}."),
        })
    }
}

/// The room of the journal, for the API.
const JOURNAL: Named = Named::Home;

/// A text that is no day of a year.
fn no_day(text: &str) -> Failure {
    Failure::usage(format!("'{text}' is not a day of the year"))
        .hint("Write month and day, such as 11-21.")
}
