//! `wharf ls`: lists folders.

use wharf_client::{Api, ApiError, Room};
use wharf_types::api::drive::{At, Node, NodeKind, TreeEntry};

use crate::context::Context;
use crate::exit::Exit;
use crate::format;
use crate::output::{Output, Paint};
use crate::remote::RemotePath;
use crate::session::{About, Session, page};

/// List folders
///
/// Names that differ only in letter case stand next to each other. With --json there is one object a line.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Folders or files; the whole drive's root when it is left out
    #[arg(value_name = "PATH", default_value = "/", hide_default_value = true)]
    paths: Vec<RemotePath>,
    /// Everything below, too
    #[arg(long, short)]
    recursive: bool,
    /// Names only, one a line
    #[arg(long, short = '1')]
    names: bool,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let session = Session::open(context).await?;
        let several = self.paths.len() > 1;
        for (index, path) in self.paths.iter().enumerate() {
            if several && !context.output.is_json() && !self.names {
                let gap = if index > 0 { "\n" } else { "" };
                context.output.line(format_args!(
                    "{gap}{}:",
                    context.output.name(&path.to_string())
                ))?;
            }
            self.list(&session, path, &context.output).await?;
        }
        Ok(Exit::Done)
    }

    async fn list(
        &self,
        session: &Session,
        path: &RemotePath,
        output: &Output,
    ) -> anyhow::Result<()> {
        let at = At::Path(path.api());
        let room = session.drive_of(path).await?.room;
        let node = session.api.node(room, &at).await.about_path(path)?;
        if node.kind != NodeKind::Folder {
            return self.show(&Line::of(&node), &node, output);
        }
        if self.recursive {
            return self.list_below(session, room, path, output).await;
        }
        let mut after = None;
        loop {
            let nodes = session
                .api
                .list(room, &at, &page(after))
                .await
                .about_path(path)?;
            for node in &nodes.items {
                self.show(&Line::of(node), node, output)?;
            }
            after = nodes.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn list_below(
        &self,
        session: &Session,
        room: Room,
        path: &RemotePath,
        output: &Output,
    ) -> anyhow::Result<()> {
        let at = At::Path(path.api());
        let mut after = None;
        loop {
            let tree = session
                .api
                .tree(room, &at, &page(after), false)
                .await
                .about_path(path)?;
            for entry in &tree.items {
                self.show(&Line::of_tree(entry), entry, output)?;
            }
            after = tree.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    fn show(
        &self,
        line: &Line<'_>,
        item: &impl serde::Serialize,
        output: &Output,
    ) -> anyhow::Result<()> {
        if output.is_json() {
            output.object(item)
        } else if self.names {
            output.line(line.name(output))
        } else {
            line.write(output)
        }
    }
}

/// What a line of a list shows of a node.
#[derive(Debug)]
pub(super) struct Line<'a> {
    name: &'a str,
    kind: NodeKind,
    bytes: u64,
    mtime_ns: Option<i64>,
    executable: bool,
    tags: &'a [String],
}

impl<'a> Line<'a> {
    /// A node by its name.
    pub(super) fn of(node: &'a Node) -> Self {
        Self {
            name: &node.name,
            kind: node.kind,
            bytes: node.bytes,
            mtime_ns: node
                .mtime_ns
                .or_else(|| node.changed_ms.checked_mul(1_000_000)),
            executable: node.executable,
            tags: &node.tags,
        }
    }

    /// A node by its path.
    pub(super) fn with_path(node: &'a Node) -> Self {
        Self {
            name: &node.path,
            ..Self::of(node)
        }
    }

    fn of_tree(entry: &'a TreeEntry) -> Self {
        Self {
            name: &entry.path,
            kind: entry.kind,
            bytes: entry.bytes,
            mtime_ns: entry.mtime_ns,
            executable: entry.executable,
            tags: &[],
        }
    }

    fn name(&self, output: &Output) -> String {
        let name = output.name(self.name);
        match self.kind {
            NodeKind::Folder => output.paint(Paint::Blue, format_args!("{name}/")),
            NodeKind::Link => output.paint(Paint::Cyan, format_args!("{name}@")),
            NodeKind::File if self.executable => {
                output.paint(Paint::Green, format_args!("{name}*"))
            }
            NodeKind::File => name.into_owned(),
        }
    }

    /// Writes size, time, name and tags. Columns have fixed widths, so a folder of any size is listed as it arrives.
    pub(super) fn write(&self, output: &Output) -> anyhow::Result<()> {
        let size = match self.kind {
            NodeKind::Folder => "-".to_owned(),
            NodeKind::File | NodeKind::Link => format::bytes(self.bytes),
        };
        let time = self
            .mtime_ns
            .map_or_else(|| "-".to_owned(), format::time_ns);
        let tags = if self.tags.is_empty() {
            String::new()
        } else {
            output.paint(
                Paint::Dim,
                format_args!("  [{}]", output.name(&self.tags.join(", "))),
            )
        };
        output.line(format_args!(
            "{size:>8}  {time:<16}  {}{tags}",
            self.name(output)
        ))
    }
}

/// The node at a place, or none.
pub(super) async fn node_at(
    api: &Api,
    room: Room,
    path: &RemotePath,
) -> Result<Option<Node>, ApiError> {
    match api.node(room, &At::Path(path.api())).await {
        Ok(node) => Ok(Some(node)),
        Err(error) if error.is(wharf_types::ErrorCode::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}
