//! Keeps the books of a put: what is planned, sent, ready to be committed and settled.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use wharf_types::ChunkHash;
use wharf_types::limit::COMMIT_OPS_MAX;
use wharf_wire::manifest::{Manifest, ManifestChunk, content_of_packed};

use super::committing::{Outcome, Ready};
use super::job::{BatchOf, Item};
use crate::plan;
use crate::progress::{Phase, Progress};
use crate::transfer::sending::Sent;
use crate::transfer::{Notice, NoticeKind, Report};

/// A commit begins when so many files are ready; later ones take all that became ready while one before was under way.
const COMMIT_FILES_MIN: usize = 1_000;
/// About as many bytes go into one commit.
const COMMIT_BYTES_MAX: usize = 32 * 1024 * 1024;

/// The state of a put.
pub(super) struct Books {
    pub(super) report: Report,
    progress: Arc<Progress>,
    /// How many items there are, once that is known.
    planned: Option<u64>,
    /// Items that came to an end, one way or another.
    settled: u64,
    ready: Vec<Ready>,
    ready_items: u64,
    stretches: HashMap<u64, Stretches>,
    abandoned: HashSet<u64>,
}

/// A file of which not all is sent.
#[derive(Default)]
struct Stretches {
    chunks: BTreeMap<usize, Vec<ManifestChunk>>,
    spoiled: HashSet<ChunkHash>,
    /// The number of stretches and the file, once all of it is read.
    end: Option<(usize, Box<Item>)>,
}

impl Books {
    pub(super) fn new(progress: Arc<Progress>) -> Self {
        Self {
            report: Report::default(),
            progress,
            planned: None,
            settled: 0,
            ready: Vec::new(),
            ready_items: 0,
            stretches: HashMap::new(),
            abandoned: HashSet::new(),
        }
    }

    pub(super) fn unchanged(&mut self, files: u64, bytes: u64) {
        self.report.files_unchanged += files;
        self.progress.files_done(files);
        self.progress.bytes_done(bytes);
    }

    pub(super) fn make_folder(&mut self, path: String) {
        self.ready.push(Ready::Folder(path));
    }

    pub(super) fn notice(&mut self, notice: Notice) {
        self.progress.noticed();
        self.report.notice(notice);
    }

    pub(super) fn planned(&mut self, items: u64) {
        self.planned = Some(items);
        self.progress.enter(Phase::Moving);
    }

    /// An item has come to its end.
    pub(super) fn settle(&mut self) {
        self.settled += 1;
    }

    pub(super) fn fail(&mut self, notice: Notice) {
        self.notice(notice);
        self.settle();
    }

    pub(super) fn abandon(&mut self, reading: u64) {
        self.stretches.remove(&reading);
        self.abandoned.insert(reading);
    }

    /// A batch is on the server.
    pub(super) fn sent(&mut self, of: BatchOf, sent: Sent) {
        match of {
            BatchOf::Files(files) => {
                let mut chunks = sent.chunks.into_iter();
                for (item, chunk_count) in files {
                    let chunks = chunks.by_ref().take(chunk_count).collect();
                    self.read(Box::new(item), chunks, &sent.spoiled);
                }
            }
            BatchOf::Stretch { reading, .. } if self.abandoned.contains(&reading) => {}
            BatchOf::Stretch {
                reading,
                index,
                end,
            } => {
                let stretches = self.stretches.entry(reading).or_default();
                stretches.chunks.insert(index, sent.chunks);
                stretches.spoiled.extend(sent.spoiled);
                if let Some(item) = end {
                    stretches.end = Some((index + 1, item));
                }
                let is_whole = stretches
                    .end
                    .as_ref()
                    .is_some_and(|(count, _)| *count == stretches.chunks.len());
                if is_whole
                    && let Some(stretches) = self.stretches.remove(&reading)
                    && let Some((_, item)) = stretches.end
                {
                    let chunks = stretches.chunks.into_values().flatten().collect();
                    self.read(item, chunks, &stretches.spoiled);
                }
            }
        }
    }

    /// All of a file is on the server.
    fn read(&mut self, item: Box<Item>, chunks: Vec<ManifestChunk>, spoiled: &HashSet<ChunkHash>) {
        if !spoiled.is_empty() && chunks.iter().any(|chunk| spoiled.contains(&chunk.hash)) {
            let detail = "its bytes arrived damaged each time they were sent";
            return self.fail(Notice::new(item.path(), NoticeKind::Refused, detail));
        }
        let packed = Manifest { chunks }.pack();
        if item
            .same
            .is_some_and(|same| same == content_of_packed(&packed))
        {
            self.report.files_unchanged += 1;
            self.progress.files_done(1);
            return self.settle();
        }
        if item.expect.is_none() {
            return self.fail(Notice::new(
                item.path(),
                NoticeKind::Conflict,
                plan::DIFFERENT_THERE,
            ));
        }
        self.ready.push(Ready::File { item, packed });
        self.ready_items += 1;
    }

    /// What to commit now, if anything: enough is ready, it has waited long enough, or nothing else is under way.
    pub(super) fn next_commit(&mut self, has_waited: bool) -> Option<Vec<Ready>> {
        let is_last = self
            .planned
            .is_some_and(|planned| planned == self.settled + self.ready_items);
        if self.ready.is_empty() || !(is_last || has_waited || self.ready.len() >= COMMIT_FILES_MIN)
        {
            return None;
        }
        let mut bytes = 0;
        let fitting = self
            .ready
            .iter()
            .take(COMMIT_OPS_MAX)
            .take_while(|ready| {
                bytes += ready.commit_bytes();
                bytes <= COMMIT_BYTES_MAX
            })
            .count()
            .max(1);
        let rest = self.ready.split_off(fitting);
        let commit = std::mem::replace(&mut self.ready, rest);
        self.ready_items -= commit
            .iter()
            .filter(|ready| matches!(ready, Ready::File { .. }))
            .count() as u64;
        Some(commit)
    }

    /// A commit is over. Gives back what must be uploaded again.
    pub(super) fn committed(&mut self, done: Vec<(Ready, Outcome)>) -> Vec<Item> {
        let mut again = Vec::new();
        for (ready, outcome) in done {
            match ready {
                Ready::Folder(path) => self.committed_folder(path, outcome),
                Ready::File { item, .. } => {
                    if let Some(item) = self.committed_file(*item, outcome) {
                        again.push(item);
                    }
                }
            }
        }
        again
    }

    fn committed_folder(&mut self, path: String, outcome: Outcome) {
        match outcome {
            Outcome::Committed(cases) => {
                self.report.folders_made += 1;
                self.notice_cases(&path, &cases);
            }
            Outcome::Left(kind, detail) => self.notice(Notice { path, kind, detail }),
            Outcome::Same | Outcome::Upload => {}
        }
    }

    fn committed_file(&mut self, item: Item, outcome: Outcome) -> Option<Item> {
        match outcome {
            Outcome::Upload => return Some(item),
            Outcome::Committed(cases) => {
                self.report.files_moved += 1;
                self.report.bytes_moved += item.stat.bytes;
                self.progress.files_done(1);
                self.notice_cases(&item.path(), &cases);
            }
            Outcome::Same => {
                self.report.files_unchanged += 1;
                self.progress.files_done(1);
            }
            Outcome::Left(kind, detail) => self.notice(Notice::new(item.path(), kind, detail)),
        }
        self.settle();
        None
    }

    fn notice_cases(&mut self, path: &str, cases: &[String]) {
        if !cases.is_empty() {
            let detail = format!("the drive keeps it apart from {}", cases.join(", "));
            self.notice(Notice::new(path, NoticeKind::Case, detail));
        }
    }

    /// Whether everything has come to an end.
    pub(super) fn is_done(&self) -> bool {
        self.planned == Some(self.settled) && self.ready.is_empty()
    }
}
