//! `wharf mkdir`: makes folders.

use wharf_types::api::drive::{Expect, Op};

use crate::context::Context;
use crate::exit::Exit;
use crate::remote::RemotePath;
use crate::session::Session;

/// Make folders, and the folders on the way to them
///
/// All of them are made, or none. A folder that is there already is no error, except with --new.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folders
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<RemotePath>,
    /// Fail if one of them is there already
    #[arg(long)]
    new: bool,
    // Folders on the way are always made; fingers type it anyway.
    #[arg(short = 'p', hide = true)]
    _parents: bool,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let session = Session::open(context).await?;
        let expect = if self.new {
            Expect::Absent
        } else {
            Expect::Any
        };
        let make = |path: &RemotePath| Op::MakeFolder {
            path: path.api(),
            expect,
        };
        let drive = session.drive_of_all(&self.paths).await?;
        let committed = session
            .commit(&drive, self.paths.iter().map(make).collect())
            .await?;
        super::warn_of_case(&context.output, &committed, &self.paths);
        if context.output.is_json() {
            context.output.object(&committed)?;
        }
        Ok(Exit::Done)
    }
}
