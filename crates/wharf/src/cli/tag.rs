//! `wharf tag`: lists, adds and removes tags.

use wharf_types::api::drive::{At, Op};

use crate::context::Context;
use crate::exit::Exit;
use crate::remote::RemotePath;
use crate::session::{About, Session};

/// List, add and remove the tags of files and folders
///
/// `wharf find --tag TAG` finds what has a tag.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files or folders
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<RemotePath>,
    /// Add this tag; may be given several times
    #[arg(long, short, value_name = "TAG")]
    add: Vec<String>,
    /// Remove this tag; may be given several times
    #[arg(long, short, value_name = "TAG")]
    remove: Vec<String>,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let session = Session::open(context).await?;
        let drive = session.drive_of_all(&self.paths).await?;
        if !self.add.is_empty() || !self.remove.is_empty() {
            let tag = |path: &RemotePath| Op::Tag {
                at: At::Path(path.api()),
                add: self.add.clone(),
                remove: self.remove.clone(),
            };
            session
                .commit(&drive, self.paths.iter().map(tag).collect())
                .await?;
        }
        for path in &self.paths {
            let node = session
                .api
                .node(drive.room, &At::Path(path.api()))
                .await
                .about_path(path)?;
            let shown = serde_json::json!({ "path": node.path, "id": node.id, "tags": node.tags });
            context.output.result(&shown, |_| {
                let tags = if node.tags.is_empty() {
                    "no tags".to_owned()
                } else {
                    node.tags.join(", ")
                };
                let text = format!("{path}: {tags}");
                context.output.name(&text).into_owned()
            })?;
        }
        Ok(Exit::Done)
    }
}
