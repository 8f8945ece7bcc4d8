//! Gets a file or folder of a drive.
//!
//! ```text
//! pages of the tree ─▶ groups: look at the disk, decide ─▶ batches: fetch · verify · write aside · rename
//! (1 ahead)            (2 at once)                          (3 at once)
//! ```
//!
//! A small file is written in one go; a crash leaves at most a part that the next run writes over. A big one is written chunk
//! by chunk into a part whose chunks the next run verifies and keeps. One sync of each file system at the end makes
//! everything durable before the transfer says that it is done.

mod destination;
mod discard;
mod part;
mod want;
mod writing;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use rustix::io::Errno;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use wharf_types::api::drive::{Node, NodeKind, Tree, TreeEntry};
use wharf_types::limit::PAGE_ITEMS_MAX;

use self::destination::{Destination, Group, Placed, group};
use self::part::{Opened, Part};
use self::want::Want;
use self::writing::{Batch, Fetched, Written, refused, write};
use super::fetching::fetch;
use super::sending::{blocking, joined};
use super::{Get, Links, Notice, NoticeKind, Report};
use crate::api::{Api, ApiError, Page};
use crate::disk::Folder;
use crate::error::Error;
use crate::plan::{self, FoldGuard};
use crate::progress::{Phase, Progress};

pub(super) use self::discard::discard;

/// The first page is small, so that the others have something to do early.
const FIRST_PAGE_ITEMS: u32 = 1_000;
/// Groups that are looked at, and big files that are opened, at once.
const PLACING_MAX: usize = 2;
/// Batches on their way at once.
const FETCHES_MAX: usize = 3;
/// Bytes and chunks of one batch; at least one chunk.
const BATCH_BYTES: u64 = 8 * 1024 * 1024;
const BATCH_CHUNKS: usize = 2048;
/// Files that wait to be fetched before more are looked for.
const WAITING_MAX: usize = 3 * BATCH_CHUNKS;
/// Big files that are open at once.
const PARTS_MAX: usize = 8;
/// How often bytes are fetched that do not match their hash.
const ATTEMPTS_MAX: u32 = 4;

/// The state of a get.
struct Getting<'a> {
    get: &'a Get,
    progress: &'a Arc<Progress>,
    destination: Arc<Destination>,
    fold_guard: Option<FoldGuard>,
    report: Report,
    /// Tells those who fetch to stop.
    halt: CancellationToken,
    /// The next page to ask for; none when all are here.
    next_page: Option<Page>,
    groups: VecDeque<Group>,
    small: VecDeque<Want>,
    big: VecDeque<Want>,
    /// Open big files and the chunks that they miss.
    parts: VecDeque<(Arc<Part>, VecDeque<usize>)>,
    paging: JoinSet<Result<Tree, ApiError>>,
    placing: JoinSet<Placed>,
    opening: JoinSet<Result<Opened, Box<(Want, Errno)>>>,
    fetching: JoinSet<Result<Written, Error>>,
}

pub(super) async fn run(
    get: &Get,
    progress: &Arc<Progress>,
    stop: &CancellationToken,
) -> Result<Report, Error> {
    progress.enter(Phase::Looking);
    let mut getting = tokio::select! {
        getting = begin(get, progress) => getting?,
        () = stop.cancelled() => return Err(Error::Stopped),
    };
    getting.work(stop).await?;
    progress.enter(Phase::Syncing);
    let destination = Arc::clone(&getting.destination);
    blocking(move || destination.sync()).await??;
    progress.enter(Phase::Done);
    let mut report = getting.report;
    report.folders_made = getting.destination.folders_made();
    report.bytes_wire = progress.snapshot().bytes_wire;
    Ok(report)
}

/// Looks at what is to be got.
async fn begin<'a>(get: &'a Get, progress: &'a Arc<Progress>) -> Result<Getting<'a>, Error> {
    let node = get.api.node(get.room, &get.source).await?;
    match node.kind {
        NodeKind::Folder if get.options.revision.is_some() => {
            let detail = format!(
                "{} is a folder: only files have revisions to get",
                node.path
            );
            Err(Error::Invalid(detail))
        }
        NodeKind::Folder => Getting::folder(get, progress),
        NodeKind::Link if get.options.links == Links::LeaveOut => {
            let detail = format!(
                "{} is a symbolic link: say that links are to be kept",
                node.path
            );
            Err(Error::Invalid(detail))
        }
        NodeKind::File | NodeKind::Link => Getting::file(get, progress, node).await,
    }
}

impl<'a> Getting<'a> {
    fn new(get: &'a Get, progress: &'a Arc<Progress>, root: Folder) -> Result<Self, Error> {
        let destination = Destination::new(root, get.options, get.tag.clone());
        let fold_guard = destination
            .fold_guard()
            .map_err(|error| Error::local("write to", &get.target, error))?;
        Ok(Self {
            get,
            progress,
            destination: Arc::new(destination),
            fold_guard,
            report: Report::default(),
            halt: CancellationToken::new(),
            next_page: None,
            groups: VecDeque::new(),
            small: VecDeque::new(),
            big: VecDeque::new(),
            parts: VecDeque::new(),
            paging: JoinSet::new(),
            placing: JoinSet::new(),
            opening: JoinSet::new(),
            fetching: JoinSet::new(),
        })
    }

    /// Begins with a folder of the drive.
    fn folder(get: &'a Get, progress: &'a Arc<Progress>) -> Result<Self, Error> {
        let refuse = |error: Errno| Error::local("make", &get.target, error);
        if let Err(error) = std::fs::create_dir(&get.target)
            && error.kind() != std::io::ErrorKind::AlreadyExists
        {
            return Err(Error::local("make", &get.target, error));
        }
        let mut getting = Self::new(get, progress, Folder::open(&get.target).map_err(refuse)?)?;
        getting.next_page = Some(Page {
            after: None,
            limit: Some(FIRST_PAGE_ITEMS),
        });
        Ok(getting)
    }

    /// Begins with a file, as if it were the only one of a folder.
    async fn file(get: &'a Get, progress: &'a Arc<Progress>, node: Node) -> Result<Self, Error> {
        let name = get.target.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| {
            Error::Invalid(format!("{} is no name for a file", get.target.display()))
        })?;
        let parent = get
            .target
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        let root = Folder::open(parent).map_err(|error| Error::local("open", parent, error))?;
        let mut getting = Self::new(get, progress, root)?;
        let manifest = get
            .api
            .manifest(get.room, &get.source, get.options.revision)
            .await?;
        let mtime_ns = match get.options.revision {
            Some(revision) if revision != node.revision => {
                let revisions = get
                    .api
                    .revisions(get.room, &get.source, Some(revision + 1), Some(1))
                    .await?;
                revisions
                    .items
                    .first()
                    .and_then(|revision| revision.mtime_ns)
            }
            _ => node.mtime_ns,
        };
        getting.groups.push_back(Group {
            folder: String::new(),
            entries: vec![TreeEntry {
                path: name.to_owned(),
                id: node.id,
                kind: node.kind,
                revision: manifest.revision,
                bytes: manifest.bytes,
                mtime_ns,
                executable: node.executable,
                manifest: Some(manifest.manifest),
            }],
        });
        Ok(getting)
    }

    /// Works until nothing is left to do. However it ends, nobody writes any more when this returns.
    async fn work(&mut self, stop: &CancellationToken) -> Result<(), Error> {
        let worked = self.work_on(stop).await;
        self.halt.cancel();
        while self.fetching.join_next().await.is_some() {}
        while self.opening.join_next().await.is_some() {}
        worked
    }

    async fn work_on(&mut self, stop: &CancellationToken) -> Result<(), Error> {
        loop {
            self.start();
            let is_idle = self.paging.is_empty()
                && self.placing.is_empty()
                && self.opening.is_empty()
                && self.fetching.is_empty();
            if is_idle {
                return Ok(());
            }
            tokio::select! {
                () = stop.cancelled() => return Err(Error::Stopped),
                Some(page) = self.paging.join_next() => self.paged(joined(page.map(|page| page.map_err(Error::from)))?),
                Some(placed) = self.placing.join_next() => self.placed(joined(placed.map(Ok))?),
                Some(opened) = self.opening.join_next() => self.opened(joined(opened.map(Ok))?).await?,
                Some(written) = self.fetching.join_next() => self.written(joined(written)?),
            }
        }
    }

    /// Starts whatever can be started.
    fn start(&mut self) {
        let waiting = self.small.len() + self.big.len();
        if self.groups.len() <= PLACING_MAX
            && self.paging.is_empty()
            && let Some(page) = self.next_page.take()
        {
            let (api, room, at) = (self.get.api.clone(), self.get.room, self.get.source.clone());
            self.paging
                .spawn(async move { api.tree(room, &at, &page, true).await });
        }
        while waiting < WAITING_MAX
            && self.placing.len() < PLACING_MAX
            && let Some(group) = self.groups.pop_front()
        {
            let destination = Arc::clone(&self.destination);
            self.placing
                .spawn_blocking(move || destination.place(group));
        }
        while self.opening.len() < PLACING_MAX
            && self.parts.len() + self.opening.len() < PARTS_MAX
            && let Some(want) = self.big.pop_front()
        {
            let destination = Arc::clone(&self.destination);
            self.opening
                .spawn_blocking(move || Part::open(&destination, want));
        }
        let is_more_to_come = self.next_page.is_some()
            || !(self.paging.is_empty()
                && self.placing.is_empty()
                && self.opening.is_empty()
                && self.groups.is_empty());
        while self.fetching.len() < FETCHES_MAX {
            let batch = self.next_batch(is_more_to_come && !self.fetching.is_empty());
            let Some(batch) = batch else { break };
            let bringing = Bringing {
                api: self.get.api.clone(),
                destination: Arc::clone(&self.destination),
                progress: Arc::clone(self.progress),
            };
            let halt = self.halt.clone();
            self.fetching
                .spawn(async move { bringing.bring(batch, &halt).await });
        }
    }

    /// Packs what waits into a batch; a small one only if `wants_full` does not say to wait for more.
    fn next_batch(&mut self, wants_full: bool) -> Option<Batch> {
        let mut batch = Batch::default();
        let (mut bytes, mut count) = (0, 0);
        while let Some((part, missing)) = self.parts.front_mut() {
            while bytes < BATCH_BYTES
                && let Some(index) = missing.pop_front()
            {
                bytes += part.chunk(index).map_or(0, |chunk| u64::from(chunk.bytes));
                batch.chunks.push((Arc::clone(part), index));
            }
            if !missing.is_empty() {
                return Some(batch);
            }
            self.parts.pop_front();
        }
        let waiting_bytes: u64 = self
            .small
            .iter()
            .take(BATCH_CHUNKS)
            .map(|want| want.node.bytes)
            .sum();
        if wants_full && self.small.len() < BATCH_CHUNKS && bytes + waiting_bytes < BATCH_BYTES {
            return Some(batch).filter(|batch| !batch.is_empty());
        }
        while let Some(want) = self.small.front() {
            let chunk_count = want.manifest.chunks.len();
            let is_full =
                bytes + want.node.bytes > BATCH_BYTES || count + chunk_count > BATCH_CHUNKS;
            if is_full && !batch.is_empty() {
                break;
            }
            bytes += want.node.bytes;
            count += chunk_count.max(1);
            batch.wholes.extend(self.small.pop_front());
        }
        Some(batch).filter(|batch| !batch.is_empty())
    }

    fn paged(&mut self, page: Tree) {
        self.next_page = page.next.map(|next| Page {
            after: Some(next),
            limit: Some(PAGE_ITEMS_MAX),
        });
        let mut entries = page.items;
        entries.retain(|entry| {
            let refused = match plan::is_wanted(&entry.path, entry.kind, self.get.options.links) {
                Ok(()) => self
                    .fold_guard
                    .as_mut()
                    .and_then(|guard| guard.collision(&entry.path))
                    .map(|other| {
                        let detail = format!("this disk takes its name for that of {other}");
                        Notice::new(entry.path.clone(), NoticeKind::Name, detail)
                    }),
                Err((kind, detail)) => Some(Notice::new(entry.path.clone(), kind, detail)),
            };
            let is_kept = refused.is_none();
            if let Some(notice) = refused {
                self.report.notice(notice);
                self.progress.noticed();
            }
            is_kept
        });
        self.groups.extend(group(entries));
    }

    fn placed(&mut self, placed: Placed) {
        self.progress.found(placed.files, placed.bytes);
        self.progress.files_done(placed.unchanged_files);
        self.progress.bytes_done(placed.unchanged_bytes);
        self.report.files_unchanged += placed.unchanged_files;
        self.notices(placed.notices);
        let (small, big): (Vec<_>, Vec<_>) = placed.wants.into_iter().partition(Want::is_small);
        self.small.extend(small);
        self.big.extend(big);
        if self.next_page.is_none() && self.groups.is_empty() && self.paging.is_empty() {
            self.progress.enter(Phase::Moving);
        }
    }

    async fn opened(&mut self, opened: Result<Opened, Box<(Want, Errno)>>) -> Result<(), Error> {
        let Opened {
            part,
            missing,
            kept_bytes,
        } = match opened {
            Ok(opened) => opened,
            Err(refusal) => {
                let notice = refused(&refusal.0, refusal.1)?;
                self.notices(vec![notice]);
                return Ok(());
            }
        };
        self.progress.bytes_done(kept_bytes);
        if !missing.is_empty() {
            self.parts.push_back((Arc::new(part), missing.into()));
            return Ok(());
        }
        // It was whole when the earlier run was killed: only the name was missing.
        let on_different = self.get.options.on_different;
        let (want, replaced) = blocking(move || {
            let replaced = part.complete(on_different);
            (part.want, replaced)
        })
        .await?;
        let mut written = Written::default();
        match replaced {
            Ok(replaced) => written.placed(&want, replaced),
            Err(error) => written.notices.push(refused(&want, error)?),
        }
        self.written(written);
        Ok(())
    }

    fn written(&mut self, written: Written) {
        self.report.files_moved += written.files;
        self.report.bytes_moved += written.files_bytes;
        self.progress.files_done(written.files);
        self.notices(written.notices);
    }

    fn notices(&mut self, notices: Vec<Notice>) {
        for notice in notices {
            self.progress.noticed();
            self.report.notice(notice);
        }
    }
}

/// Brings batches onto the disk.
struct Bringing {
    api: Api,
    destination: Arc<Destination>,
    progress: Arc<Progress>,
}

impl Bringing {
    async fn bring(self, mut batch: Batch, halt: &CancellationToken) -> Result<Written, Error> {
        let mut all = Written::default();
        for _ in 0..ATTEMPTS_MAX {
            let hashes = batch.hashes();
            let answers = tokio::select! {
                answers = fetch(&self.api, &hashes, &self.progress) => answers?,
                () = halt.cancelled() => return Err(Error::Stopped),
            };
            let fetched = Fetched::new(answers);
            let destination = Arc::clone(&self.destination);
            let mut written = blocking(move || write(&destination, batch, &fetched)).await??;
            self.progress.bytes_done(written.bytes);
            batch = std::mem::take(&mut written.spoiled);
            all.add(written);
            if batch.is_empty() {
                return Ok(all);
            }
        }
        all.notices.extend(batch.into_spoiled_notices());
        Ok(all)
    }
}
