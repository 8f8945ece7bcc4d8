//! `wharf find`: finds by name and tag.

use wharf_client::api::Find;

use super::RoomArg;
use super::ls::Line;
use crate::context::Context;
use crate::exit::Exit;
use crate::session::{Session, page};

/// Find files and folders by name or tag, anywhere in the drive
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A part of the name, in any letter case
    #[arg(value_name = "NAME", required_unless_present = "tag")]
    name: Option<String>,
    /// A tag
    #[arg(long, short, value_name = "TAG")]
    tag: Option<String>,
    #[command(flatten)]
    room: RoomArg,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let session = Session::open(context).await?;
        let drive = session.drive(self.room.get()).await?;
        let mut after = None;
        loop {
            let query = Find {
                name: self.name.clone(),
                tag: self.tag.clone(),
                page: page(after),
            };
            let found = session.api.find(drive.room, &query).await?;
            for node in &found.items {
                if context.output.is_json() {
                    context.output.object(node)?;
                } else {
                    Line::with_path(node).write(&context.output)?;
                }
            }
            after = found.next;
            if after.is_none() {
                return Ok(Exit::Done);
            }
        }
    }
}
