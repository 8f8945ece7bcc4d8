//! Holds what the scan finds against what the drive has, and packs what is to be sent into jobs.

use std::collections::HashSet;
use std::sync::Arc;

use crossbeam_channel::Sender;
use tokio::sync::mpsc::UnboundedSender;
use wharf_types::limit::FILE_BYTES_MAX;

use super::job::{Event, Item, Job, SMALL_BYTES_MAX};
use crate::plan::{self, PutStep, RemoteTree};
use crate::progress::Progress;
use crate::scan::{Found, Scanned, is_too_long, join};
use crate::transfer::{Notice, NoticeKind, PutOptions};

/// The first jobs are small, so that the server has something to do early.
const FIRST_JOB_BYTES: u64 = 1024 * 1024;
/// Most files of one job: what is asked about in one question.
const JOB_FILES_MAX: usize = 4096;

const PATH_TOO_LONG: &str = "its path in the drive would be too long or too deep";

/// Plans a put.
pub(super) struct Planner {
    pub(super) tree: RemoteTree,
    /// What the source becomes in the drive.
    pub(super) target: String,
    pub(super) source: SourceKind,
    pub(super) options: PutOptions,
    pub(super) jobs: Sender<Job>,
    pub(super) events: UnboundedSender<Event>,
    pub(super) progress: Arc<Progress>,
    pub(super) packing: Packing,
    /// Folders whose place in the drive is taken by something else.
    pub(super) blocked: HashSet<String>,
}

/// What is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SourceKind {
    /// A file, which becomes the target.
    File,
    /// A folder; whether the drive has the target already.
    Folder { is_there: bool },
}

/// The job that is being packed.
#[derive(Debug, Default)]
pub(super) struct Packing {
    items: Vec<Item>,
    bytes: u64,
    job_count: u32,
    item_count: u64,
}

/// Nobody listens any more: the transfer has ended.
pub(super) struct Ended;

impl Planner {
    /// Decides about some of what a folder holds.
    pub(super) fn plan(&mut self, scanned: Scanned) -> Result<(), Ended> {
        for notice in scanned.notices {
            self.tell(Event::Notice(notice))?;
        }
        if self.is_blocked(&scanned.folder) {
            return Ok(());
        }
        if scanned.is_first && !self.plan_folder(&scanned.folder)? {
            return Ok(());
        }
        let bytes = scanned.files.iter().map(|found| found.stat.bytes).sum();
        self.progress.found(scanned.files.len() as u64, bytes);
        let folder: Arc<str> = scanned.folder.into();
        let (mut unchanged_files, mut unchanged_bytes) = (0, 0);
        for found in scanned.files {
            let path = join(&folder, &found.name);
            let remote = self.tree.get(&path);
            let step = plan::put(
                &found.stat,
                remote,
                self.options.compare,
                self.options.on_different,
            );
            let (expect, same) = match step {
                PutStep::Skip => {
                    unchanged_files += 1;
                    unchanged_bytes += found.stat.bytes;
                    continue;
                }
                PutStep::Conflict(detail) => {
                    self.tell(Event::Notice(Notice::new(
                        path,
                        NoticeKind::Conflict,
                        detail,
                    )))?;
                    continue;
                }
                PutStep::Send(expect) => (Some(expect), None),
                PutStep::Compare { same, otherwise } => (otherwise, Some(same)),
            };
            let Found { name, stat } = found;
            let remote = self.remote(&path);
            if let Some(notice) = cannot_hold(&path, &remote, stat.bytes) {
                self.tell(Event::Notice(notice))?;
                continue;
            }
            self.pack(Item {
                remote,
                folder: Arc::clone(&folder),
                name,
                stat,
                expect,
                same,
                attempt_count: 0,
            })?;
        }
        if unchanged_files > 0 {
            self.tell(Event::Unchanged {
                files: unchanged_files,
                bytes: unchanged_bytes,
            })?;
        }
        Ok(())
    }

    /// Hands out the last job and says how many items there were.
    pub(super) fn finish(mut self) -> Result<(), Ended> {
        self.hand_out()?;
        let items = self.packing.item_count;
        self.tell(Event::Planned { items })
    }

    /// Whether the folder has its place in the drive, or gets it.
    fn plan_folder(&mut self, path: &str) -> Result<bool, Ended> {
        let planned = match self.source {
            SourceKind::File => return Ok(true),
            SourceKind::Folder { is_there } if path.is_empty() => Ok(!is_there),
            SourceKind::Folder { .. } => plan::put_folder(self.tree.get(path)),
        };
        let remote = self.remote(path);
        let refused = match planned {
            Ok(_) if is_too_long(&remote) => (NoticeKind::Name, PATH_TOO_LONG),
            Ok(is_missing) => {
                if is_missing && !remote.is_empty() {
                    self.tell(Event::MakeFolder(remote))?;
                }
                return Ok(true);
            }
            Err(detail) => (NoticeKind::Conflict, detail),
        };
        self.blocked.insert(path.to_owned());
        self.tell(Event::Notice(Notice::new(path, refused.0, refused.1)))?;
        Ok(false)
    }

    fn is_blocked(&self, path: &str) -> bool {
        let mut path = Some(path);
        while let Some(folder) = path.filter(|_| !self.blocked.is_empty()) {
            if self.blocked.contains(folder) {
                return true;
            }
            path = folder.rsplit_once('/').map(|(parent, _)| parent);
        }
        false
    }

    fn remote(&self, path: &str) -> String {
        match self.source {
            SourceKind::File => self.target.clone(),
            SourceKind::Folder { .. } => join(&self.target, path),
        }
    }

    fn pack(&mut self, item: Item) -> Result<(), Ended> {
        self.packing.item_count += 1;
        if item.is_big() {
            return self.jobs.send(Job::Big(item)).map_err(|_| Ended);
        }
        let job_bytes_max = (FIRST_JOB_BYTES << self.packing.job_count.min(8)).min(SMALL_BYTES_MAX);
        let is_full = self.packing.bytes + item.stat.bytes > job_bytes_max
            || self.packing.items.len() >= JOB_FILES_MAX;
        if is_full {
            self.hand_out()?;
        }
        self.packing.bytes += item.stat.bytes;
        self.packing.items.push(item);
        Ok(())
    }

    fn hand_out(&mut self) -> Result<(), Ended> {
        if self.packing.items.is_empty() {
            return Ok(());
        }
        self.packing.bytes = 0;
        self.packing.job_count += 1;
        let items = std::mem::take(&mut self.packing.items);
        self.jobs.send(Job::Small(items)).map_err(|_| Ended)
    }

    fn tell(&self, event: Event) -> Result<(), Ended> {
        self.events.send(event).map_err(|_| Ended)
    }
}

/// Why no drive can hold a file. The server would refuse all that is committed with it.
fn cannot_hold(path: &str, remote: &str, bytes: u64) -> Option<Notice> {
    if is_too_long(remote) {
        return Some(Notice::new(path, NoticeKind::Name, PATH_TOO_LONG));
    }
    (bytes > FILE_BYTES_MAX).then(|| {
        let detail = "it is larger than the largest file that a drive holds";
        Notice::new(path, NoticeKind::Refused, detail)
    })
}
