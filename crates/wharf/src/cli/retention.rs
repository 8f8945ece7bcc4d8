//! `wharf retention`: how long old contents are kept.

use wharf_types::api::drive::Retention;

use super::RoomArg;
use crate::context::Context;
use crate::exit::Exit;
use crate::session::Session;

/// Show or set how long replaced and removed files are kept
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Days that a replaced revision is kept; 0 for ever
    #[arg(long, value_name = "DAYS")]
    revisions: Option<u32>,
    /// Days that a removed file stays in the trash; 0 for ever
    #[arg(long, value_name = "DAYS")]
    trash: Option<u32>,
    #[command(flatten)]
    room: RoomArg,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let session = Session::open(context).await?;
        let room = session.drive(self.room.get()).await?.room;
        let mut retention = session.api.drive(room).await?.retention;
        if self.revisions.is_some() || self.trash.is_some() {
            let wanted = Retention {
                revision_days: self.revisions.unwrap_or(retention.revision_days),
                trash_days: self.trash.unwrap_or(retention.trash_days),
            };
            retention = session.api.set_retention(room, &wanted).await?;
        }
        context.output.result(&retention, |retention| {
            format!(
                "Replaced revisions are kept {}; removed files stay in the trash {}.",
                days(retention.revision_days),
                days(retention.trash_days)
            )
        })?;
        Ok(Exit::Done)
    }
}

fn days(days: u32) -> String {
    match days {
        0 => "for ever".to_owned(),
        1 => "for 1 day".to_owned(),
        days => format!("for {days} days"),
    }
}
