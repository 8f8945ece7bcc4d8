//! `wharf df`: how much room there is.

use super::RoomArg;
use crate::context::Context;
use crate::exit::Exit;
use crate::format;
use crate::session::Session;

/// Show how much of the quota is used
///
/// The drives of all rooms that you own count on your quota.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    room: RoomArg,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let session = Session::open(context).await?;
        let drive = session.drive(self.room.get()).await?;
        let drive = session.api.drive(drive.room).await?;
        context.output.result(&drive, |drive| {
            let free = drive.quota_bytes.saturating_sub(drive.owner_used_bytes);
            let percent =
                u128::from(drive.owner_used_bytes) * 100 / u128::from(drive.quota_bytes.max(1));
            format!(
                "Used {} of {} ({percent} %), revisions and trash included; {} are free.",
                format::bytes(drive.owner_used_bytes),
                format::bytes(drive.quota_bytes),
                format::bytes(free),
            )
        })?;
        Ok(Exit::Done)
    }
}
