//! `wharf room save`: files of a room into one's own drive.

use wharf_types::api::drive::{At, NodeKind};
use wharf_types::api::room::SaveToDrive;

use crate::context::Context;
use crate::exit::Failure;
use crate::remote::RemotePath;
use crate::session::{About, Session};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Files of rooms, such as room:Team/plan.pdf
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<RemotePath>,
    /// The folder of your own drive, made where it is not there; its root when it is left out
    #[arg(
        long,
        value_name = "FOLDER",
        default_value = "/",
        hide_default_value = true
    )]
    to: RemotePath,
    /// What to call it there; its own name when it is left out. A name that is taken gets a number
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// An earlier revision of the file; see `wharf history`
    #[arg(long, value_name = "REVISION")]
    revision: Option<u64>,
}

impl Args {
    pub(super) async fn run(self, context: &Context, session: &Session) -> anyhow::Result<()> {
        if self.to.room().is_some() {
            return Err(Failure::usage("--to is a folder of your own drive")
                .hint("For example: --to /saved")
                .into());
        }
        if self.paths.len() > 1 && (self.name.is_some() || self.revision.is_some()) {
            return Err(Failure::usage("--name and --revision are for one file at a time").into());
        }
        for path in &self.paths {
            if path.room().is_none() {
                return Err(
                    Failure::usage(format!("{path} is in your own drive already"))
                        .hint("Name a file of a room: room:NAME/PATH.")
                        .into(),
                );
            }
            let room = session.drive_of(path).await?.room;
            let node = session
                .api
                .node(room, &At::Path(path.api()))
                .await
                .about_path(path)?;
            if node.kind != NodeKind::File {
                return Err(Failure::usage(format!("{path} is not a file"))
                    .hint("Save its files one by one, or get it and put it.")
                    .into());
            }
            let save = SaveToDrive {
                node: node.id,
                revision: self.revision,
                folder: self.to.api(),
                name: self.name.clone(),
            };
            let saved = session
                .api
                .save_to_drive(room, &save)
                .await
                .about_path(path)?;
            let output = &context.output;
            output.result(&saved, |saved| {
                format!(
                    "Saved {path} as {}.",
                    output.name(&format!("/{}", saved.path))
                )
            })?;
        }
        Ok(())
    }
}
