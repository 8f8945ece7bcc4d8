//! `wharf diary udp undo`: takes back what a key has written.

use jiff::civil::Date;
use serde::Serialize;
use wharf_client::Room as Named;
use wharf_types::api::diary::DiaryQuery;
use wharf_types::api::log::{Draft, Recall};

use super::query::past;
use crate::context::Context;
use crate::conversation::{Conversations, Delivery};
use crate::directory::Where;
use crate::exit::Exit;
use crate::format;
use crate::prompt;

/// Take back what a key has written, as when others have read it
///
/// Remove the key first, so that it writes nothing more; `wharf diary --key KEY` shows what it wrote. The texts are
/// erased, and their places stay.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  wharf diary udp remove nc\n  wharf diary --key nc\n  wharf diary udp undo nc --since 2026-11-21"
)]
pub(super) struct Args {
    /// Its name or id; a key that was removed, too
    #[arg(value_name = "KEY")]
    key: String,
    /// The room that it wrote to: your journal, unless you say another
    #[arg(long, value_name = "WHERE", default_value = "me")]
    room: Where,
    /// Only what was written from this day on
    #[arg(long, value_name = "DAY")]
    since: Option<Date>,
    /// Only what was written up to this day
    #[arg(long, value_name = "DAY")]
    until: Option<Date>,
    /// Do it without being asked
    #[arg(long, short)]
    yes: bool,
}

/// What was taken back, for programs.
#[derive(Debug, Default, Serialize)]
struct Undone {
    recalled: Vec<u64>,
    waiting: u64,
}

impl Args {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let mut conversations = Conversations::open(context).await?;
        let room = conversations.find(&self.room).await?.id;
        let query = DiaryQuery {
            from: self.since.map(|day| day.to_string()),
            to: self.until.map(|day| day.to_string()),
            zone: Some(format::zone()),
            key: Some(self.key.clone()),
            ..DiaryQuery::default()
        };
        let (entries, _) = past(&conversations.session, Named::Id(room), query, 0).await?;
        let output = &context.output;
        let count = format::count(entries.len() as u64, "entry", "entries");
        let mut undone = Undone::default();
        if !entries.is_empty() {
            let question = format!("Erase {count} that the key {} wrote?", self.key);
            prompt::consent(&question, self.yes)?;
        }
        for entry in entries {
            let target = entry.position;
            let draft = Draft::Recall(Recall { target });
            match conversations.send(room, &draft).await? {
                Delivery::Sent(_) => undone.recalled.push(target),
                Delivery::Waits => undone.waiting += 1,
            }
        }
        if output.is_json() {
            output.object(&undone)?;
            return Ok(Exit::Done);
        }
        output.note(format_args!("{count} of the key {} taken back.", self.key));
        if undone.waiting > 0 {
            let waiting = format::count(undone.waiting, "of it waits", "of them wait");
            output.note(format_args!(
                "{waiting} on this device until the server can be reached."
            ));
        }
        Ok(Exit::Done)
    }
}
