//! `wharf restore`: brings back from the trash.

use wharf_types::ErrorCode;
use wharf_types::api::drive::Op;

use super::{RoomArg, trash};
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::remote::RemotePath;
use crate::report::is_refusal;
use crate::session::Session;

/// Bring files and folders back from the trash
///
/// Earlier contents of a file that was not removed are in its history: see `wharf history`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where they were, or their ids; of several that were at one place, the one removed last is meant
    #[arg(value_name = "PATH|ID", required = true)]
    items: Vec<String>,
    /// Where to bring it instead of where it was
    #[arg(long, value_name = "PATH")]
    to: Option<RemotePath>,
    #[command(flatten)]
    room: RoomArg,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        if self.to.is_some() && self.items.len() > 1 {
            return Err(Failure::usage("--to is for one item at a time").into());
        }
        let session = Session::open(context).await?;
        let mut drive = session.drive(self.room.get()).await?;
        let mut ops = Vec::with_capacity(self.items.len());
        let mut places = Vec::with_capacity(self.items.len());
        for (index, item) in self.items.iter().enumerate() {
            let (found, node) = trash::find(&session, &drive, item).await?;
            if index == 0 {
                drive = found;
            } else if found.room != drive.room {
                return Err(trash::elsewhere(item).into());
            }
            if let Some(to) = &self.to
                && to.room().is_some()
                && session.drive_of(to).await?.room != drive.room
            {
                let failure = Failure::usage(format!("{to} is in another drive"))
                    .hint("Restore it in its own drive first.");
                return Err(failure.into());
            }
            let to = match &self.to {
                Some(folder) if folder.is_folder() => Some(folder.child(&node.name)?),
                Some(place) => Some(place.clone()),
                None => None,
            };
            places.push(match &to {
                Some(place) => place.clone(),
                None => drive.path(&node.path)?,
            });
            ops.push(Op::Restore {
                id: node.id,
                to: to.map(|place| place.api()),
            });
        }
        let committed = session.commit(&drive, ops).await.map_err(|error| {
            if !is_refusal(&error, ErrorCode::Exists) {
                return error;
            }
            let failure = Failure::new(Exit::Conflict, "Something else is there now")
                .hint("Choose another place with --to PATH.");
            error.context(failure)
        })?;
        super::warn_of_case(&context.output, &committed, &places);
        if context.output.is_json() {
            context.output.object(&committed)?;
        }
        for place in &places {
            context.output.note(format_args!("Restored {place}."));
        }
        Ok(Exit::Done)
    }
}
