//! `wharf put`: files, folders and standard input onto the drive.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use wharf_client::transfer::{Compare, Links, OnDifferent, PutOptions, PutStream};
use wharf_client::{Progress, Room, TaskKind};
use wharf_types::api::drive::NodeKind;

use super::ls::node_at;
use crate::context::Context;
use crate::directory::PREFIX;
use crate::exit::{Exit, Failure};
use crate::format;
use crate::progress::TransferBar;
use crate::remote::RemotePath;
use crate::session::{About, Session};
use crate::transfer::{Transfers, Work};

/// Put files and folders onto the drive
///
/// Run it again after anything: what is there already does not travel again. A folder becomes the remote path; with a slash
/// at the end of the remote path, or with several things to put, each goes into it by its own name. `-` puts standard input.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  wharf put photos                  # becomes /photos\n  \
                        wharf put photos /backup/2026     # becomes /backup/2026\n  \
                        wharf put photos notes.txt /docs/ # become /docs/photos and /docs/notes.txt\n  \
                        wharf put plan.pdf room:Team/     # into the drive of the room Team\n  \
                        tar c src | wharf put - /src.tar"
)]
pub(crate) struct Args {
    /// What to put, and then where: the last path is remote when there are several
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    how: HowArgs,
}

/// How two sides are brought together, up or down.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(super) struct HowArgs {
    /// Leave what is there and differs as it is, and report it
    #[arg(long)]
    keep: bool,
    /// Replace what is there, even if somebody changes it meanwhile
    #[arg(long, conflicts_with = "keep")]
    overwrite: bool,
    /// Compare contents, not size, time and executable bit
    #[arg(long)]
    checksum: bool,
    /// Transfer symbolic links as links, instead of leaving them out
    #[arg(long)]
    links: bool,
}

impl HowArgs {
    pub(super) fn on_different(self) -> OnDifferent {
        match (self.keep, self.overwrite) {
            (true, _) => OnDifferent::Keep,
            (_, true) => OnDifferent::Overwrite,
            _ => OnDifferent::Replace,
        }
    }

    pub(super) fn compare(self) -> Compare {
        if self.checksum {
            Compare::Content
        } else {
            Compare::Stat
        }
    }

    pub(super) fn links(self) -> Links {
        if self.links {
            Links::Keep
        } else {
            Links::LeaveOut
        }
    }
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let (sources, target) = self.places()?;
        if sources == [Path::new("-")] {
            return self.put_stream(target, context).await;
        }
        let session = Session::open_for_transfer(context).await?;
        let mut work = Vec::with_capacity(sources.len());
        for source in &sources {
            let local = absolute(source)?;
            let room = session
                .drive(target.as_ref().and_then(RemotePath::room))
                .await?
                .room;
            let place = place(&session, room, &local, target.as_ref(), sources.len() > 1).await?;
            let options = PutOptions {
                on_different: self.how.on_different(),
                compare: self.how.compare(),
                links: self.how.links(),
            };
            work.push(Work {
                room,
                kind: TaskKind::Put {
                    source: local,
                    target: place.api(),
                    options,
                },
                what: format!("{} to {place}", source.display()),
            });
        }
        Transfers::open(context)?
            .run_all(context, &session, work)
            .await
    }

    /// Divides the paths into what to put and where.
    fn places(&self) -> anyhow::Result<(Vec<PathBuf>, Option<RemotePath>)> {
        let Some((last, before)) = self.paths.split_last() else {
            return Err(Failure::usage("Nothing to put").into());
        };
        if before.is_empty() {
            return Ok((vec![last.clone()], None));
        }
        // `wharf put *.jpg` must not take the last picture for the place to put the others.
        let text = last.to_str().ok_or_else(|| {
            Failure::usage(format!("{} is not valid UTF-8", last.display()))
                .hint("Names in a drive are.")
        })?;
        let is_remote = text.starts_with('/') || text.ends_with('/') || text.starts_with(PREFIX);
        if !is_remote && last.symlink_metadata().is_ok() {
            let failure = Failure::usage(format!("It is not clear whether {text} is to be put or is where to put"))
                .hint(format!("Write remote paths with a slash before them: `/{text}`, or `/` for the drive's root."));
            return Err(failure.into());
        }
        let target = text.parse()?;
        if before.iter().any(|source| source.as_os_str() == "-") && before.len() > 1 {
            return Err(Failure::usage("Standard input cannot be put together with files").into());
        }
        Ok((before.to_vec(), Some(target)))
    }

    async fn put_stream(
        &self,
        target: Option<RemotePath>,
        context: &Context,
    ) -> anyhow::Result<Exit> {
        let target = target.filter(|target| !target.is_folder()).ok_or_else(|| {
            Failure::usage("Standard input needs a name")
                .hint("For example: wharf put - /notes.txt")
        })?;
        let session = Session::open_for_transfer(context).await?;
        let put = PutStream {
            api: session.api.clone(),
            room: session.drive_of(&target).await?.room,
            target: target.api(),
            on_different: self.how.on_different(),
            executable: false,
        };
        let progress = Arc::new(Progress::default());
        let bar = TransferBar::follow(&context.output, &progress);
        let result = put
            .run(tokio::io::stdin(), &progress)
            .await
            .with_context(|| target.to_string())?;
        drop(bar);
        if context.output.is_json() {
            context.output.object(&result)?;
        }
        let bytes = format::bytes(progress.snapshot().bytes_done);
        context
            .output
            .note(format_args!("Put {bytes} to {target}."));
        Ok(Exit::Done)
    }
}

/// The path in the drive that a local file or folder becomes. The same command gives the same answer when it is run again,
/// so that it continues what it began.
async fn place(
    session: &Session,
    room: Room,
    local: &Path,
    target: Option<&RemotePath>,
    is_one_of_many: bool,
) -> anyhow::Result<RemotePath> {
    let metadata = local.symlink_metadata().with_context(|| {
        Failure::new(
            Exit::NotFound,
            format!("Could not read {}", local.display()),
        )
    })?;
    let name = local.file_name().and_then(|name| name.to_str());
    let named = |folder: &RemotePath| -> anyhow::Result<RemotePath> {
        let failure = || {
            Failure::usage(format!(
                "{} has no name that a drive can hold",
                local.display()
            ))
            .hint("Say what it becomes: wharf put FOLDER /NAME")
        };
        Ok(folder.child(name.ok_or_else(failure)?)?)
    };
    let root = RemotePath::root();
    let Some(target) = target else {
        return named(&root);
    };
    if target.is_folder() || is_one_of_many {
        return named(target);
    }
    if metadata.is_dir() {
        return Ok(target.clone());
    }
    let there = node_at(&session.api, room, target)
        .await
        .about_path(target)?;
    if there.is_some_and(|node| node.kind == NodeKind::Folder) {
        return named(target);
    }
    Ok(target.clone())
}

/// The absolute form of a local path, links kept.
pub(super) fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(path)
        .with_context(|| Failure::usage(format!("'{}' is not a local path", path.display())))
}
