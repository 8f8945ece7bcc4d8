//! Puts a local file or folder onto a drive.
//!
//! ```text
//! scan ─▶ planner ─▶ readers ─▶ batches: hash · ask · upload ─▶ commits
//! (2 threads) (1)     (2 threads)  (3 at once)                  (1 at a time)
//! remote tree ─┘
//! ```
//!
//! Every stage works while the others do. Memory is bounded by the readers' buffers. A crash leaves chunks on the server that
//! no commit names yet: the next run asks for them and need not send them again.

mod books;
mod committing;
mod job;
mod planning;
mod reading;

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval};
use tokio_util::sync::CancellationToken;
use wharf_types::ErrorCode;
use wharf_types::api::drive::{At, NodeKind, TreeEntry};
use wharf_types::limit::PAGE_ITEMS_MAX;

use self::books::Books;
pub(crate) use self::committing::new_commit_id;
use self::committing::{Committer, Outcome, Ready};
use self::job::{BUFFER_BYTES, BUFFER_COUNT, BatchOf, Event, Item, Job};
use self::planning::{Packing, Planner, SourceKind};
use self::reading::Reader;
use super::buffers::Buffers;
use super::sending::{Sent, joined, send};
use super::{Compare, Links, Put, Report};
use crate::api::Page;
use crate::clock::Clock;
use crate::disk::{Folder, Kind};
use crate::error::Error;
use crate::plan::RemoteTree;
use crate::progress::{Phase, Progress};
use crate::scan::{Found, Scanned, scan};

/// Both cores read folders, and both read files.
const THREADS: usize = 2;
/// Batches on their way at once.
const SENDS_MAX: usize = 3;
/// A file that is ready does not wait longer than this for others to share its commit.
const COMMIT_WAIT: Duration = Duration::from_secs(1);
/// Parts of folders that wait for the planner.
const SCANNED_MAX: usize = 256;
/// Jobs that wait for a reader.
const JOBS_MAX: usize = 16;

/// What is put, opened.
enum Source {
    File { folder: Arc<Folder>, found: Found },
    Folder(Arc<Folder>),
}

/// What the drive has where the source is to go.
struct Target {
    tree: RemoteTree,
    is_there: bool,
}

/// The ends of the channels that the one who keeps the books holds.
struct Desk {
    events: UnboundedReceiver<Event>,
    again: Sender<Job>,
    workers: JoinSet<()>,
}

pub(super) async fn run(
    put: &Put,
    progress: &Arc<Progress>,
    stop: &CancellationToken,
) -> Result<Report, Error> {
    progress.enter(Phase::Looking);
    let source = open_source(put)?;
    let (scanned_sender, scanned) = bounded(SCANNED_MAX);
    let mut workers = JoinSet::new();
    start_scan(&source, put.options.links, scanned_sender, &mut workers);
    let target = tokio::select! {
        target = look_at_target(put, &source) => target?,
        () = stop.cancelled() => return Err(Error::Stopped),
    };
    let mut desk = start_workers(put, &source, target, scanned, workers, progress);
    let mut books = Books::new(Arc::clone(progress));
    let kept = keep(put, &mut desk, &mut books, progress, stop).await;
    // Whoever still works finds nobody listening, and ends.
    let Desk {
        events,
        again,
        mut workers,
    } = desk;
    drop((events, again));
    while workers.join_next().await.is_some() {}
    kept?;
    progress.enter(Phase::Done);
    books.report.bytes_wire = progress.snapshot().bytes_wire;
    Ok(books.report)
}

fn open_source(put: &Put) -> Result<Source, Error> {
    let refuse = |error: rustix::io::Errno| Error::local("read", &put.source, error);
    match Folder::open(&put.source) {
        Ok(folder) => return Ok(Source::Folder(Arc::new(folder))),
        Err(rustix::io::Errno::NOTDIR) => {}
        Err(error) => return Err(refuse(error)),
    }
    let mut path = put.source.clone();
    // A link that a person names is followed, as by any other program, unless links are to be kept.
    if put.options.links == Links::LeaveOut {
        path = path
            .canonicalize()
            .map_err(|error| Error::local("read", &put.source, error))?;
    }
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| {
        Error::Invalid(format!("{} has a name that is not UTF-8", path.display()))
    })?;
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let folder = Folder::open(parent.unwrap_or(".".as_ref())).map_err(refuse)?;
    let stat = folder.stat(name).map_err(refuse)?;
    if !matches!(stat.kind, Kind::File | Kind::Link) {
        return Err(Error::Invalid(format!(
            "{} is neither a file nor a folder",
            path.display()
        )));
    }
    let found = Found {
        name: name.to_owned(),
        stat,
    };
    Ok(Source::File {
        folder: Arc::new(folder),
        found,
    })
}

fn start_scan(source: &Source, links: Links, scanned: Sender<Scanned>, workers: &mut JoinSet<()>) {
    match source {
        Source::Folder(folder) => {
            let folder = Arc::clone(folder);
            workers.spawn_blocking(move || {
                scan(&folder, links, THREADS, &|part| match scanned.send(part) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(_) => ControlFlow::Break(()),
                });
            });
        }
        Source::File { found, .. } => {
            let found = Found {
                name: found.name.clone(),
                stat: found.stat,
            };
            workers.spawn_blocking(move || {
                // Where nobody takes it, the transfer has ended already.
                drop(scanned.send(Scanned {
                    is_first: true,
                    files: vec![found],
                    ..Scanned::default()
                }));
            });
        }
    }
}

/// Reads what the drive has where the source is to go.
async fn look_at_target(put: &Put, source: &Source) -> Result<Target, Error> {
    let at = At::Path(put.target.clone());
    let mut tree = RemoteTree::default();
    let node = match put.api.node(put.room, &at).await {
        Ok(node) => node,
        Err(error) if error.is(ErrorCode::NotFound) => {
            return Ok(Target {
                tree,
                is_there: false,
            });
        }
        Err(error) => return Err(error.into()),
    };
    let manifests = put.options.compare == Compare::Content;
    let found = match source {
        Source::File { found, .. } => found,
        Source::Folder(_) if node.kind == NodeKind::Folder => {
            let mut page = Page {
                after: None,
                limit: Some(PAGE_ITEMS_MAX),
            };
            loop {
                let part = put.api.tree(put.room, &at, &page, manifests).await?;
                part.items.into_iter().for_each(|entry| tree.add(entry));
                page.after = part.next;
                if page.after.is_none() {
                    return Ok(Target {
                        tree,
                        is_there: true,
                    });
                }
            }
        }
        Source::Folder(_) => {
            return Err(Error::Invalid(format!(
                "{} is a file in the drive, not a folder",
                put.target
            )));
        }
    };
    // A file is planned like the only entry of a folder.
    let manifest = match node.kind {
        NodeKind::File | NodeKind::Link if manifests => {
            Some(put.api.manifest(put.room, &at, None).await?.manifest)
        }
        _ => None,
    };
    tree.add(TreeEntry {
        path: found.name.clone(),
        id: node.id,
        kind: node.kind,
        revision: node.revision,
        bytes: node.bytes,
        mtime_ns: node.mtime_ns,
        executable: node.executable,
        manifest,
    });
    Ok(Target {
        tree,
        is_there: true,
    })
}

fn start_workers(
    put: &Put,
    source: &Source,
    target: Target,
    scanned: Receiver<Scanned>,
    mut workers: JoinSet<()>,
    progress: &Arc<Progress>,
) -> Desk {
    let (events_sender, events) = unbounded_channel();
    let (jobs_sender, jobs) = bounded(JOBS_MAX);
    let (again_sender, again) = unbounded();
    let (root, kind) = match source {
        Source::File { folder, .. } => (folder, SourceKind::File),
        Source::Folder(folder) => (
            folder,
            SourceKind::Folder {
                is_there: target.is_there,
            },
        ),
    };
    let mut planner = Planner {
        tree: target.tree,
        target: put.target.trim_matches('/').to_owned(),
        source: kind,
        options: put.options,
        jobs: jobs_sender,
        events: events_sender.clone(),
        progress: Arc::clone(progress),
        packing: Packing::default(),
        blocked: HashSet::new(),
    };
    workers.spawn_blocking(move || {
        for part in scanned {
            if planner.plan(part).is_err() {
                return;
            }
        }
        // Nobody listens only when the transfer has ended.
        drop(planner.finish());
    });
    let next_reading = Arc::new(AtomicU64::new(0));
    let buffers = Buffers::new(BUFFER_COUNT, BUFFER_BYTES);
    for _ in 0..THREADS {
        let reader = Reader {
            root: Arc::clone(root),
            buffers: buffers.clone(),
            jobs: jobs.clone(),
            again: again.clone(),
            events: UnboundedSender::clone(&events_sender),
            clock: Clock::system(),
            next_reading: Arc::clone(&next_reading),
        };
        workers.spawn_blocking(move || reader.run());
    }
    Desk {
        events,
        again: again_sender,
        workers,
    }
}

/// Keeps the books until everything has come to an end.
async fn keep(
    put: &Put,
    desk: &mut Desk,
    books: &mut Books,
    progress: &Arc<Progress>,
    stop: &CancellationToken,
) -> Result<(), Error> {
    let committer = Committer {
        api: put.api.clone(),
        room: put.room,
        on_different: put.options.on_different,
    };
    let mut sends: JoinSet<Result<(BatchOf, Sent), Error>> = JoinSet::new();
    let mut commits: JoinSet<Result<Vec<(Ready, Outcome)>, Error>> = JoinSet::new();
    let mut committed_at = Instant::now();
    let mut tick = interval(COMMIT_WAIT / 4);
    loop {
        if commits.is_empty()
            && let Some(ready) = books.next_commit(committed_at.elapsed() >= COMMIT_WAIT)
        {
            committed_at = Instant::now();
            let committer = committer.clone();
            commits.spawn(async move { committer.commit(ready).await });
        }
        if books.is_done() && sends.is_empty() && commits.is_empty() {
            return Ok(());
        }
        tokio::select! {
            () = stop.cancelled() => return Err(Error::Stopped),
            Some(event) = desk.events.recv(), if sends.len() < SENDS_MAX => match event {
                Event::Batch(batch) => {
                    let (api, progress) = (put.api.clone(), Arc::clone(progress));
                    sends.spawn(async move {
                        let sent = send(&api, batch.bytes, batch.chunk_bytes, &progress).await?;
                        Ok((batch.of, sent))
                    });
                }
                other => note(books, other),
            },
            Some(sent) = sends.join_next() => {
                let (of, sent) = joined(sent)?;
                books.sent(of, sent);
            }
            Some(done) = commits.join_next() => {
                for item in books.committed(joined(done)?) {
                    // The readers live as long as this channel.
                    drop(desk.again.send(job_again(item)));
                }
            }
            // A worker that panicked has taken its job with it: nobody must wait for that.
            Some(ended) = desk.workers.join_next() => joined(ended.map(Ok))?,
            _ = tick.tick() => {}
        }
    }
}

fn note(books: &mut Books, event: Event) {
    match event {
        Event::Unchanged { files, bytes } => books.unchanged(files, bytes),
        Event::MakeFolder(path) => books.make_folder(path),
        Event::Notice(notice) => books.notice(notice),
        Event::Planned { items } => books.planned(items),
        Event::Abandoned { reading } => books.abandon(reading),
        Event::Failed(notice) => books.fail(notice),
        Event::Gone => books.settle(),
        Event::Batch(_) => {}
    }
}

fn job_again(item: Item) -> Job {
    if item.is_big() {
        return Job::Big(item);
    }
    Job::Small(vec![item])
}
