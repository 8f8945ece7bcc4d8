//! `wharf rm`: removes to the trash.

use wharf_types::api::drive::{At, Expect, Op};

use crate::context::Context;
use crate::exit::Exit;
use crate::format;
use crate::prompt;
use crate::remote::RemotePath;
use crate::session::Session;

/// Remove files and folders to the trash
///
/// `wharf restore` brings them back until the trash is emptied or its days are over. All of them are removed, or none.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What to remove
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<RemotePath>,
    /// Delete for ever instead, with all revisions
    #[arg(long)]
    purge: bool,
    /// Do not ask before deleting for ever
    #[arg(long, short)]
    yes: bool,
    // Folders are removed whole, since they can be restored; fingers type these anyway.
    #[arg(short = 'r', hide = true)]
    _recursive: bool,
    #[arg(short = 'f', hide = true)]
    _force: bool,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let session = Session::open(context).await?;
        let count = format::count(self.paths.len() as u64, "item", "items");
        if self.purge {
            prompt::consent(
                &format!("Delete {count} for ever, with all revisions?"),
                self.yes,
            )?;
        }
        let remove = |path: &RemotePath| Op::Remove {
            at: At::Path(path.api()),
            expect: Expect::Any,
        };
        let drive = session.drive_of_all(&self.paths).await?;
        let mut committed = session
            .commit(&drive, self.paths.iter().map(remove).collect())
            .await?;
        if self.purge {
            let purge = committed
                .results
                .iter()
                .map(|result| Op::Purge { id: result.id })
                .collect();
            committed = session.commit(&drive, purge).await?;
            context
                .output
                .note(format_args!("Deleted {count} for ever."));
        } else {
            context.output.note(format_args!(
                "Moved {count} to the trash; `wharf restore` brings it back."
            ));
        }
        if context.output.is_json() {
            context.output.object(&committed)?;
        }
        Ok(Exit::Done)
    }
}
