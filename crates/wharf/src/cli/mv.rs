//! `wharf mv`: moves and renames.

use wharf_types::api::drive::{At, NodeKind, OnExists, Op};

use super::ls::node_at;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::remote::RemotePath;
use crate::session::Session;

/// Move or rename files and folders
///
/// Onto a folder that is there, they move into it; else the last path is the new name. They keep their history, and all
/// of them move, or none.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What to move, and then where to
    #[arg(value_name = "PATH", required = true, num_args = 2..)]
    paths: Vec<RemotePath>,
    /// Replace what is there; it goes to the trash
    #[arg(long)]
    replace: bool,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let Some((target, sources)) = self.paths.split_last() else {
            return Err(Failure::usage("Nothing to move").into());
        };
        let session = Session::open(context).await?;
        let drive = session.drive_of_all(&self.paths).await?;
        let there = node_at(&session.api, drive.room, target).await?;
        let is_into = target.is_folder() || there.is_some_and(|node| node.kind == NodeKind::Folder);
        if sources.len() > 1 && !is_into {
            let failure = Failure::new(Exit::NotFound, format!("{target} is not a folder"))
                .hint(format!("Make it with `wharf mkdir {target}`."));
            return Err(failure.into());
        }
        let mut ops = Vec::with_capacity(sources.len());
        let mut targets = Vec::with_capacity(sources.len());
        for source in sources {
            let to = match source.name() {
                Some(name) if is_into => target.child(name)?,
                Some(_) => target.clone(),
                None => return Err(Failure::usage("The root of the drive cannot be moved").into()),
            };
            ops.push(Op::Move {
                from: At::Path(source.api()),
                to: to.api(),
                on_exists: if self.replace {
                    OnExists::Replace
                } else {
                    OnExists::Refuse
                },
                expect: wharf_types::api::drive::Expect::Any,
            });
            targets.push(to);
        }
        let committed = session.commit(&drive, ops).await?;
        super::warn_of_case(&context.output, &committed, &targets);
        if context.output.is_json() {
            context.output.object(&committed)?;
        }
        Ok(Exit::Done)
    }
}
