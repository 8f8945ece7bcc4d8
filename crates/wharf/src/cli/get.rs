//! `wharf get`: files and folders of the drive onto this device.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use wharf_client::transfer::{GetOptions, GetStream};
use wharf_client::{Progress, Room, TaskKind};
use wharf_types::api::drive::{At, NodeKind};

use super::cat;
use super::put::{HowArgs, absolute};
use crate::context::Context;
use crate::directory::PREFIX;
use crate::exit::{Exit, Failure};
use crate::remote::RemotePath;
use crate::session::{About, Session};
use crate::transfer::{Transfers, Work};

/// Get files and folders from the drive
///
/// Run it again after anything: what is there already does not travel again. Files are written aside, verified, and
/// renamed when they are whole. A folder becomes the local path; with a slash at the end of the local path, or with several
/// things to get, each goes into it by its own name. `-` writes a file to standard output.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  wharf get /photos            # becomes ./photos\n  \
                        wharf get /photos ~/pictures # becomes ~/pictures\n  \
                        wharf get / ~/drive          # the whole drive becomes ~/drive\n  \
                        wharf get /src.tar - | tar x"
)]
pub(crate) struct Args {
    /// What to get, and then where: the last path is local when there are several
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<String>,
    /// An earlier revision of the file; see `wharf history`
    #[arg(long, value_name = "REVISION")]
    revision: Option<u64>,
    #[command(flatten)]
    how: HowArgs,
}

impl Args {
    pub(crate) async fn run(self, context: &Context) -> anyhow::Result<Exit> {
        let (sources, target) = self.places()?;
        if self.revision.is_some() && sources.len() > 1 {
            return Err(Failure::usage("--revision is for one file at a time").into());
        }
        let session = Session::open_for_transfer(context).await?;
        if target.as_deref() == Some("-") {
            return self.get_stream(&sources, session, context).await;
        }
        let mut work = Vec::with_capacity(sources.len());
        for source in &sources {
            let room = session.drive_of(source).await?.room;
            let place = place(&session, room, source, target.as_deref(), sources.len() > 1).await?;
            let options = GetOptions {
                on_different: self.how.on_different(),
                compare: self.how.compare(),
                links: self.how.links(),
                revision: self.revision,
            };
            work.push(Work {
                room,
                what: format!("{source} to {}", place.display()),
                kind: TaskKind::Get {
                    source: source.api(),
                    target: place,
                    options,
                },
            });
        }
        Transfers::open(context)?
            .run_all(context, &session, work)
            .await
    }

    fn places(&self) -> anyhow::Result<(Vec<RemotePath>, Option<String>)> {
        let (sources, target) = match self.paths.as_slice() {
            [one] => (std::slice::from_ref(one), None),
            [.., target] if target.starts_with(PREFIX) => {
                let failure = Failure::usage(format!(
                    "The last path is where to get things to, and {target} is not on this device"
                ))
                .hint("Write ./ after it to get things into this folder.");
                return Err(failure.into());
            }
            [sources @ .., target] => (sources, Some(target.clone())),
            [] => return Err(Failure::usage("Nothing to get").into()),
        };
        let sources = sources
            .iter()
            .map(|source| source.parse())
            .collect::<Result<_, _>>()?;
        Ok((sources, target))
    }

    async fn get_stream(
        &self,
        sources: &[RemotePath],
        session: Session,
        context: &Context,
    ) -> anyhow::Result<Exit> {
        let [source] = sources else {
            return Err(Failure::usage("Only one file at a time goes to standard output").into());
        };
        let stream = GetStream {
            room: session.drive_of(source).await?.room,
            api: session.api,
            source: At::Path(source.api()),
            revision: self.revision,
            range: None,
        };
        let result = stream
            .run(cat::Stdout::new(context), &Arc::new(Progress::default()))
            .await;
        cat::ended(result.with_context(|| source.to_string()))
    }
}

/// The local path that a file or folder of the drive becomes.
async fn place(
    session: &Session,
    room: Room,
    source: &RemotePath,
    target: Option<&str>,
    is_one_of_many: bool,
) -> anyhow::Result<PathBuf> {
    let node = session
        .api
        .node(room, &At::Path(source.api()))
        .await
        .about_path(source)?;
    let target_text = target.unwrap_or("./");
    let target = absolute(target_text.as_ref())?;
    let is_into = if is_one_of_many || target_text.ends_with('/') {
        true
    } else {
        // A file goes into a folder that is there; a folder becomes what was named.
        node.kind != NodeKind::Folder && target.is_dir()
    };
    let place = match source.name() {
        Some(name) if is_into => target.join(name),
        None if is_into && target_text == "./" => {
            let failure = Failure::usage("Say where the whole drive is to go")
                .hint("For example: wharf get / ./drive");
            return Err(failure.into());
        }
        _ => target,
    };
    make_parent(&place)?;
    Ok(place)
}

fn make_parent(place: &Path) -> anyhow::Result<()> {
    let Some(parent) = place.parent() else {
        return Ok(());
    };
    std::fs::create_dir_all(parent).with_context(|| format!("Could not make {}", parent.display()))
}
