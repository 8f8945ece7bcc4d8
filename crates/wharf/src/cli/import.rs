//! `wharf import`: an archive into one's account.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use wharf_client::Progress;
use wharf_client::portage::{Counts, Imported, import};
use wharf_types::api::portage::ImportedRoom;

use super::export::told;
use super::put::absolute;
use crate::context::Context;
use crate::exit::Exit;
use crate::format;
use crate::progress::TransferBar;
use crate::session::Session;

/// Bring an archive that `wharf export` wrote into your account
///
/// Rooms come as groups that you own; your own room comes into your own room, if nothing is in that yet. Other people's entries
/// keep their authors' names, but nobody becomes a member by an import, and nobody writes in another's name. Each page of the archive
/// is brought in whole or not at all. Run it again after anything: it goes on where it was, and does nothing when it is
/// done.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  wharf import ~/wharf-2026-11-21\n  wharf import --round 1 ~/wharf-2026-11-21"
)]
pub(crate) struct Args {
    /// The folder of the archive
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// Bring the same archive in once more, under this number; the rooms are there twice then
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = 0,
        hide_default_value = true
    )]
    round: u64,
}

/// What came of it, for programs.
#[derive(Serialize)]
struct Outcome<'a> {
    was_done: bool,
    counts: &'a Counts,
    rooms: &'a [ImportedRoom],
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let folder = absolute(&self.folder)?;
        let session = Session::open_for_transfer(context).await?;
        let progress = Arc::new(Progress::default());
        let bar = TransferBar::follow(&context.output, &progress);
        let result = import(&session.api, &folder, self.round, &progress).await;
        drop(bar);
        let Imported {
            summary,
            rooms,
            was_done,
        } = result?;
        let outcome = Outcome {
            was_done,
            counts: &summary.counts,
            rooms: &rooms,
        };
        context.output.result(&outcome, |_| {
            let what = told(&summary, &context.output);
            if was_done {
                format!("It was brought in before. {what}")
            } else {
                format!(
                    "Brought in, as {}. {what}",
                    format::count(rooms.len() as u64, "room", "rooms")
                )
            }
        })?;
        Ok(Exit::Done)
    }
}
