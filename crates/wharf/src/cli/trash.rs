//! `wharf trash`: what was removed.

use clap::Subcommand;
use wharf_client::Room;
use wharf_types::NodeId;
use wharf_types::api::drive::{Node, NodeKind, Op};

use super::RoomArg;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::format;
use crate::output::{Align, Output, Table};
use crate::prompt;
use crate::remote::RemotePath;
use crate::session::{Drive, Session, node_id, page};

/// Most nodes that one commit purges; a folder among them may hold many.
const PURGE_BATCH: usize = 100;

/// List and empty the trash
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    #[command(flatten)]
    room: RoomArg,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List what is in the trash (what `wharf trash` does by itself)
    List,
    /// Delete everything in the trash for ever
    Empty {
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Delete something in the trash for ever
    Purge {
        /// Where it was, or its id
        #[arg(value_name = "PATH|ID", required = true)]
        items: Vec<String>,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let session = Session::open(context).await?;
        let drive = session.drive(self.room.get()).await?;
        match self.action.unwrap_or(Action::List) {
            Action::List => list(&all(&session, drive.room).await?, &drive, &context.output)?,
            Action::Empty { yes } => {
                let ids: Vec<_> = all(&session, drive.room)
                    .await?
                    .iter()
                    .map(|node| node.id)
                    .collect();
                purge(context, &session, &drive, &ids, yes).await?;
            }
            Action::Purge { items, yes } => {
                let mut ids = Vec::with_capacity(items.len());
                for item in &items {
                    let (at, node) = find(&session, &drive, item).await?;
                    if at.room != drive.room {
                        return Err(elsewhere(item).into());
                    }
                    ids.push(node.id);
                }
                purge(context, &session, &drive, &ids, yes).await?;
            }
        }
        Ok(Exit::Done)
    }
}

async fn purge(
    context: &Context,
    session: &Session,
    drive: &Drive,
    ids: &[NodeId],
    yes: bool,
) -> anyhow::Result<()> {
    if ids.is_empty() {
        context.output.note("The trash is empty.");
        return Ok(());
    }
    let count = format::count(ids.len() as u64, "item", "items");
    prompt::consent(
        &format!("Delete {count} for ever, with all revisions?"),
        yes,
    )?;
    for batch in ids.chunks(PURGE_BATCH) {
        session
            .commit(
                drive,
                batch.iter().map(|id| Op::Purge { id: *id }).collect(),
            )
            .await?;
    }
    context
        .output
        .note(format_args!("Deleted {count} for ever."));
    Ok(())
}

fn list(nodes: &[Node], drive: &Drive, output: &Output) -> anyhow::Result<()> {
    if output.is_json() {
        return nodes.iter().try_for_each(|node| output.object(node));
    }
    if nodes.is_empty() {
        output.note("The trash is empty.");
        return Ok(());
    }
    let mut table = Table::new(&[
        ("ID", Align::Left),
        ("REMOVED", Align::Left),
        ("SIZE", Align::Right),
        ("WAS AT", Align::Left),
    ]);
    for node in nodes {
        let is_folder = node.kind == NodeKind::Folder;
        table.row([
            node.id.to_string(),
            node.trashed_ms
                .map_or_else(|| "-".to_owned(), format::time_ms),
            if is_folder {
                "-".to_owned()
            } else {
                format::bytes(node.bytes)
            },
            output
                .name(&format!(
                    "{}{}",
                    drive.shown(&node.path),
                    if is_folder { "/" } else { "" }
                ))
                .into_owned(),
        ]);
    }
    table.write(output)
}

/// Everything in the trash.
async fn all(session: &Session, room: Room) -> anyhow::Result<Vec<Node>> {
    let mut nodes = Vec::new();
    let mut after = None;
    loop {
        let found = session.api.trash(room, &page(after)).await?;
        nodes.extend(found.items);
        after = found.next;
        if after.is_none() {
            return Ok(nodes);
        }
    }
}

/// The node in the trash that an id or the place where it was names, and the drive that it is in; of several, the one
/// removed last. An id is looked for in `drive`.
pub(super) async fn find(
    session: &Session,
    drive: &Drive,
    item: &str,
) -> anyhow::Result<(Drive, Node)> {
    let missing = || {
        Failure::new(Exit::NotFound, format!("{item} is not in the trash"))
            .hint("See what is there with `wharf trash`.")
    };
    if let Some(id) = node_id(item) {
        let nodes = all(session, drive.room).await?;
        let node = nodes.into_iter().find(|node| node.id == id);
        return Ok((drive.clone(), node.ok_or_else(missing)?));
    }
    let path: RemotePath = item.parse()?;
    let drive = match path.room() {
        Some(room) => session.drive(Some(room)).await?,
        None => drive.clone(),
    };
    let nodes = all(session, drive.room).await?.into_iter();
    let was_there = nodes.filter(|node| node.path == path.api());
    let node = was_there.max_by_key(|node| node.trashed_ms);
    Ok((drive, node.ok_or_else(missing)?))
}

/// Items of several drives in one command.
pub(super) fn elsewhere(item: &str) -> Failure {
    Failure::usage(format!("{item} is in the trash of another drive"))
        .hint("Name one room with --room, and run the command once for each.")
}
