//! `wharf restore-backup`: brings a backup back.

use std::path::PathBuf;

use crate::backup;
use crate::config::server::DataArgs;
use crate::context::Context;
use crate::exit::Exit;
use crate::format;

/// Bring a backup back into an empty data folder
///
/// Every byte is verified on the way. The server gets a new epoch, by which clients notice that it went back in time. A
/// restore that was interrupted is started anew by running it again.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder of the backup
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    #[command(flatten)]
    data: DataArgs,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let settings = context.data_settings(&self.data)?;
        let summary = backup::restore(&self.folder, &settings, &context.output).await?;
        context.output.result(&summary, |summary| {
            let data = settings.data.display();
            format!(
                "Restored {} into {data}. Start the server with: wharf serve --data {data}",
                format::bytes(summary.bytes)
            )
        })?;
        Ok(Exit::Done)
    }
}
