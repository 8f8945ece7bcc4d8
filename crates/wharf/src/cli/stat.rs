//! `wharf stat`: everything about one node.

use std::fmt::Write as _;

use wharf_types::api::drive::{At, Node, NodeKind};

use crate::context::Context;
use crate::exit::Exit;
use crate::format;
use crate::output::Output;
use crate::remote::RemotePath;
use crate::session::{About, Drive, Session};

/// Show everything about a file or folder
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files or folders
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<RemotePath>,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let session = Session::open(context).await?;
        for path in &self.paths {
            let drive = session.drive_of(path).await?;
            let node = session
                .api
                .node(drive.room, &At::Path(path.api()))
                .await
                .about_path(path)?;
            context
                .output
                .result(&node, |node| described(node, &drive, &context.output))?;
        }
        Ok(Exit::Done)
    }
}

fn described(node: &Node, drive: &Drive, output: &Output) -> String {
    let kind = match node.kind {
        NodeKind::File if node.executable => "file, executable",
        NodeKind::File => "file",
        NodeKind::Folder => "folder",
        NodeKind::Link => "link",
    };
    let mut text = String::new();
    let mut line = |word: &str, value: &str| {
        writeln!(text, "{word:<10}{value}").unwrap_or_default();
    };
    line("path", &output.name(&drive.shown(&node.path)));
    line("kind", kind);
    if node.kind != NodeKind::Folder {
        line(
            "size",
            &format!(
                "{} ({} bytes)",
                format::bytes(node.bytes),
                format::grouped(node.bytes)
            ),
        );
    }
    if let Some(mtime_ns) = node.mtime_ns {
        line("modified", &format::time_ns(mtime_ns));
    }
    line("stored", &format::time_ms(node.changed_ms));
    line("revision", &node.revision.to_string());
    if let Some(content) = &node.content {
        line("content", &content.to_string());
    }
    if !node.tags.is_empty() {
        line("tags", &output.name(&node.tags.join(", ")));
    }
    line("id", &node.id.to_string());
    text.truncate(text.trim_end().len());
    text
}
