//! `wharf export`: everything one owns, in a folder.

use std::path::PathBuf;
use std::sync::Arc;

use wharf_client::portage::{Summary, export};
use wharf_client::{Clock, Progress};

use super::put::absolute;
use crate::context::Context;
use crate::exit::Exit;
use crate::format;
use crate::output::Output;
use crate::progress::TransferBar;
use crate::session::Session;

/// Write everything that you own into a folder
///
/// The rooms that you own and those of you and a contact: their logs with every edit, their drives with revisions and trash;
/// your contacts and groups, and how far you have read. Contents are kept as verified chunks, each once. Run it again after
/// anything: it goes on where it was. `wharf import` brings the folder into an account of this or another server.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  wharf export ~/wharf-2026-11-21\n  wharf --server family export /backup/family"
)]
pub(crate) struct Args {
    /// The folder; made where it is not there
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let folder = absolute(&self.folder)?;
        let session = Session::open_for_transfer(context).await?;
        let progress = Arc::new(Progress::default());
        let bar = TransferBar::follow(&context.output, &progress);
        let result = export(&session.api, &folder, &Clock::system(), &progress).await;
        drop(bar);
        let summary = result?;
        context
            .output
            .result(&summary, |summary| told(summary, &context.output))?;
        Ok(Exit::Done)
    }
}

/// What an archive holds, in a sentence.
pub(super) fn told(summary: &Summary, output: &Output) -> String {
    let counts = &summary.counts;
    format!(
        "{} of {}: {}, {}, {} ({}).",
        output.name(&summary.username),
        output.name(&summary.server),
        format::count(counts.rooms, "room", "rooms"),
        format::count(counts.entries, "entry", "entries"),
        format::count(counts.contents, "content of a file", "contents of files"),
        format::bytes(counts.content_bytes),
    )
}
