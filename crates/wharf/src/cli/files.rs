//! `wharf files`: what was handed over in a room.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use wharf_client::transfer::{Compare, GetOptions, GetStream, Links, OnDifferent};
use wharf_client::{Progress, Room as Named, TaskKind};
use wharf_types::api::drive::At;
use wharf_types::api::log::{Body, Entry, File};
use wharf_types::{ErrorCode, RoomId};

use super::put::absolute;
use crate::context::Context;
use crate::directory::Where;
use crate::entry::{InRoom, Names, present_text};
use crate::exit::{Exit, Failure};
use crate::format;
use crate::output::{Align, Output, Paint, Table};
use crate::session::{About, Session};
use crate::transfer::{Transfers, Work};

/// List the files that were handed over in a room, and fetch them
///
/// All of them, past and present, the last one first. Each can be fetched as it was when it was handed over, as long as the
/// room's drive keeps that revision; what is in the drive now is in `wharf ls room:NAME/`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  wharf files Team\n  wharf files Team --get 120 121 --to ~/downloads"
)]
pub(crate) struct Args {
    /// The room
    #[arg(value_name = "WHERE")]
    room: Where,
    /// Fetch the files of these entries
    #[arg(long, value_name = "POSITION", num_args = 1..)]
    get: Vec<u64>,
    /// The local folder to fetch them into
    #[arg(long, value_name = "FOLDER", default_value = ".", requires = "get")]
    to: PathBuf,
    /// Most files to list; all of them with 0
    #[arg(
        long,
        short = 'n',
        value_name = "COUNT",
        default_value_t = 100,
        conflicts_with = "get"
    )]
    limit: u32,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let session = Session::open_for_transfer(context).await?;
        let room = session.directory().await?.find(&self.room)?.id;
        if self.get.is_empty() {
            self.list(context, &session, room).await?;
            return Ok(Exit::Done);
        }
        self.fetch(context, &session, room).await
    }

    async fn list(&self, context: &Context, session: &Session, room: RoomId) -> anyhow::Result<()> {
        let output = &context.output;
        let names = Names::new(session.directory().await?.names());
        let names = session.names_of_members(room, names).await?;
        let limit = if self.limit == 0 {
            u32::MAX
        } else {
            self.limit
        };
        let mut entries: Vec<Entry> = Vec::new();
        let mut before = None;
        loop {
            let left = limit.saturating_sub(u32::try_from(entries.len()).unwrap_or(u32::MAX));
            let page = session
                .api
                .files(Named::Id(room), before, Some(left.min(1_000)))
                .await
                .about(&self.room)?;
            before = page.items.last().map(|entry| entry.position);
            let is_empty = page.items.is_empty();
            entries.extend(page.items);
            if is_empty || entries.len() >= usize::try_from(limit).unwrap_or(usize::MAX) {
                break;
            }
        }
        if output.is_json() {
            return entries
                .iter()
                .try_for_each(|entry| output.object(&InRoom { room, entry }));
        }
        if entries.is_empty() {
            output.note("No file was handed over here. Hand one over with `wharf send`.");
            return Ok(());
        }
        table(&entries, &names, output)
    }

    async fn fetch(
        &self,
        context: &Context,
        session: &Session,
        room: RoomId,
    ) -> anyhow::Result<Exit> {
        let folder = absolute(&self.to)?;
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("Could not make {}", folder.display()))?;
        let named = Named::Id(room);
        let mut work = Vec::new();
        let mut exit = Exit::Done;
        for position in &self.get {
            let entry = session
                .api
                .entry(named, *position)
                .await
                .about(format_args!("entry {position} of {}", self.room))?
                .entry;
            let Some(Body::File(file)) = entry.body else {
                let failure =
                    Failure::usage(format!("Entry {position} of {} is no file", self.room))
                        .hint(format!("See the files with `wharf files {}`.", self.room));
                return Err(failure.into());
            };
            match session.api.node(named, &At::Id(file.node)).await {
                Ok(node) if node.trashed_ms.is_none() => work.push(Work {
                    room: named,
                    what: format!("{} to {}", file.name, folder.display()),
                    kind: TaskKind::Get {
                        source: node.path,
                        target: folder.join(local_name(&file)?),
                        options: GetOptions {
                            on_different: OnDifferent::Keep,
                            compare: Compare::Content,
                            links: Links::LeaveOut,
                            revision: Some(file.revision),
                        },
                    },
                }),
                // It was removed from the drive, and its revision may still be kept.
                Ok(_) => exit = stream(context, session, named, &file, &folder).await?,
                Err(error) if error.is(ErrorCode::NotFound) => return Err(gone(&file).into()),
                Err(error) => return Err(error.into()),
            }
        }
        match Transfers::open(context)?
            .run_all(context, session, work)
            .await?
        {
            Exit::Done => Ok(exit),
            other => Ok(other),
        }
    }
}

/// A file that is in the trash of the drive has no path there, so it is read by its id.
async fn stream(
    context: &Context,
    session: &Session,
    room: Named,
    file: &File,
    folder: &Path,
) -> anyhow::Result<Exit> {
    let target = folder.join(local_name(file)?);
    let aside = target.with_extension("wharf-part");
    if target.symlink_metadata().is_ok() {
        let failure = Failure::new(
            Exit::Conflict,
            format!("{} is there already", target.display()),
        )
        .hint("Choose another folder with --to.");
        return Err(failure.into());
    }
    let local = tokio::fs::File::create(&aside)
        .await
        .with_context(|| format!("Could not write {}", aside.display()))?;
    let get = GetStream {
        api: session.api.clone(),
        room,
        source: At::Id(file.node),
        revision: Some(file.revision),
        range: None,
    };
    let result = get.run(local, &Arc::new(Progress::default())).await;
    let bytes = match result {
        Ok(bytes) => bytes,
        Err(error) => {
            tokio::fs::remove_file(&aside).await?;
            return Err(anyhow::Error::from(error).context(file.name.clone()));
        }
    };
    tokio::fs::rename(&aside, &target).await?;
    let (name, bytes) = (context.output.name(&file.name), format::bytes(bytes));
    context
        .output
        .note(format_args!("{name} to {}: {bytes}.", folder.display()));
    Ok(Exit::Done)
}

/// The name of a file as a local one; a name of a drive holds no slash, but what others send is not trusted to.
fn local_name(file: &File) -> anyhow::Result<&str> {
    wharf_types::Name::new(&file.name)
        .map(|_| file.name.as_str())
        .map_err(|error| {
            Failure::usage(format!("'{}' is no name for a file: {error}", file.name)).into()
        })
}

fn gone(file: &File) -> Failure {
    Failure::new(
        Exit::NotFound,
        format!("The file {} is not kept any more", file.name),
    )
    .hint("It was removed from the room's drive, and its time in the trash is over. Ask for it again.")
}

fn table(entries: &[Entry], names: &Names, output: &Output) -> anyhow::Result<()> {
    let mut table = Table::new(&[
        ("POSITION", Align::Right),
        ("WHEN", Align::Left),
        ("SIZE", Align::Right),
        ("FROM", Align::Left),
        ("NAME", Align::Left),
    ]);
    for entry in entries {
        let Some(Body::File(file)) = &entry.body else {
            continue;
        };
        let text = present_text(entry);
        let name = if text.is_empty() {
            file.name.clone()
        } else {
            format!(
                "{}  ({})",
                file.name,
                text.lines().next().unwrap_or_default()
            )
        };
        table.painted_row([
            (Paint::Dim, entry.position.to_string()),
            (Paint::Plain, format::time_ms(entry.at_ms)),
            (Paint::Plain, format::bytes(file.bytes)),
            (Paint::Plain, output.name(&names.author(entry)).into_owned()),
            (Paint::Plain, output.name(&name).into_owned()),
        ]);
    }
    table.write(output)
}
