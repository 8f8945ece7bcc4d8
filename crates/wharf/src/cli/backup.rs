//! `wharf backup`: a consistent copy of a server's data.

use std::path::PathBuf;

use crate::backup;
use crate::config::server::DataArgs;
use crate::context::Context;
use crate::data;
use crate::exit::Exit;
use crate::format;

/// Copy a server's data into a folder, while the server runs or not
///
/// For the operator, on the server's machine. A later backup into the same folder copies only what is new. Everything that
/// is copied is verified first; the exit code is 10 when something in the data is damaged.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A new or empty folder, or that of an earlier backup
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    #[command(flatten)]
    data: DataArgs,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let settings = context.data_settings(&self.data)?;
        data::must_be_there(&settings)?;
        let summary = backup::take(&settings, &self.folder, &context.output).await?;
        context.output.result(&summary, |summary| {
            format!(
                "The backup in {} has {} in {} ({} of them new); {} were copied.",
                self.folder.display(),
                format::bytes(summary.bytes),
                format::count(summary.segments, "segment", "segments"),
                format::grouped(summary.segments_copied),
                format::bytes(summary.bytes_copied),
            )
        })?;
        for damage in &summary.damaged {
            context
                .output
                .warn(format_args!("the data is damaged: {damage}"));
        }
        Ok(if summary.damaged.is_empty() {
            Exit::Done
        } else {
            Exit::Damaged
        })
    }
}
