//! Reads files into buffers and finds where their chunks end.
//!
//! A file counts as read when its metadata after reading equals that before: size, times of modification and of change,
//! inode. Otherwise it was written to meanwhile and is read again, so that no mixture of two contents is ever committed.
//! A system's file times move in steps of some milliseconds, within which a write leaves no trace: a file that was written
//! to only just now is therefore left alone for a moment first. The same keeps a later run from taking a file for
//! unchanged that was written to again in the same step.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, select};
use rustix::io::Errno;
use tokio::sync::mpsc::UnboundedSender;

use super::job::{ATTEMPTS_MAX, Batch, BatchOf, Event, Item, Job, SMALL_BYTES_MAX};
use crate::clock::Clock;
use crate::disk::{Folder, Kind, stat_open};
use crate::transfer::buffers::{Buffer, Buffers};
use crate::transfer::cutting::{push_sure_chunks, read_full};
use crate::transfer::{Notice, NoticeKind};

/// More than the steps in which any system's file times move.
const TIME_STEP_MS: i64 = 25;

/// One of the threads that read.
pub(super) struct Reader {
    pub(super) root: Arc<Folder>,
    pub(super) buffers: Buffers,
    pub(super) jobs: Receiver<Job>,
    /// Files that have to be read once more.
    pub(super) again: Receiver<Job>,
    pub(super) events: UnboundedSender<Event>,
    pub(super) clock: Clock,
    /// Tells readings apart, also those of the other readers.
    pub(super) next_reading: Arc<AtomicU64>,
}

/// Nobody listens any more: the transfer has ended.
struct Ended;

/// What became of an attempt to read a file.
enum Looked {
    /// Read into the buffer up to here.
    Read(usize),
    /// Written to meanwhile.
    Changed,
    /// It does not fit what is left of the buffer.
    TooBig,
}

impl Reader {
    /// Works until there are no more jobs, or nobody listens.
    pub(super) fn run(&self) {
        let mut jobs = Some(&self.jobs);
        let never = crossbeam_channel::never();
        loop {
            let job = select! {
                recv(self.again) -> job => match job {
                    Ok(job) => job,
                    Err(_) => return,
                },
                recv(jobs.unwrap_or(&never)) -> job => {
                    let Ok(job) = job else {
                        jobs = None;
                        continue;
                    };
                    job
                }
            };
            let done = match job {
                Job::Small(items) => self.read_small(items),
                Job::Big(item) => self.read_big(item),
            };
            if done.is_err() {
                return;
            }
        }
    }

    fn tell(&self, event: Event) -> Result<(), Ended> {
        self.events.send(event).map_err(|_| Ended)
    }

    fn fail(&self, item: &Item, error: Errno) -> Result<(), Ended> {
        if error == Errno::NOENT {
            return self.tell(Event::Gone);
        }
        let kind = match error {
            // A link, pipe or folder took its place.
            Errno::LOOP | Errno::NOTDIR | Errno::ISDIR => NoticeKind::Changing,
            _ => NoticeKind::Local,
        };
        let detail = io::Error::from(error).to_string();
        self.tell(Event::Failed(Notice::new(item.path(), kind, detail)))
    }

    fn fail_changing(&self, item: &Item) -> Result<(), Ended> {
        let detail = "it kept changing while it was read";
        self.tell(Event::Failed(Notice::new(
            item.path(),
            NoticeKind::Changing,
            detail,
        )))
    }

    /// Reads files one after another into one buffer.
    fn read_small(&self, items: Vec<Item>) -> Result<(), Ended> {
        let mut buffer = self.buffers.take();
        let mut filled_bytes = 0;
        let mut chunk_bytes = Vec::with_capacity(items.len());
        let mut read = Vec::with_capacity(items.len());
        let mut outgrown = Vec::new();
        let mut folder: Option<(Arc<str>, Folder)> = None;
        for mut item in items {
            let opened = match folder.take() {
                Some(open) if open.0 == item.folder => Ok(open.1),
                _ => self.root.below(&item.folder),
            };
            let opened = match opened {
                Ok(opened) => opened,
                Err(error) => {
                    self.fail(&item, error)?;
                    continue;
                }
            };
            let room = buffer.get_mut(filled_bytes..).unwrap_or_default();
            match look_patiently(&opened, &mut item, room, &self.clock) {
                Ok(Looked::Read(bytes)) => {
                    let before = chunk_bytes.len();
                    push_sure_chunks(
                        &mut chunk_bytes,
                        room.get(..bytes).unwrap_or_default(),
                        true,
                    );
                    filled_bytes += bytes;
                    read.push((item, chunk_bytes.len() - before));
                    folder = Some((Arc::clone(&read[read.len() - 1].0.folder), opened));
                }
                Ok(Looked::Changed) => self.fail_changing(&item)?,
                Ok(Looked::TooBig) => outgrown.push(item),
                Err(error) => self.fail(&item, error)?,
            }
        }
        self.tell(Event::Batch(Batch {
            bytes: buffer.freeze(filled_bytes),
            chunk_bytes,
            of: BatchOf::Files(read),
        }))?;
        outgrown
            .into_iter()
            .try_for_each(|item| self.read_big(item))
    }

    /// Reads a file stretch by stretch, anew when it changes.
    fn read_big(&self, mut item: Item) -> Result<(), Ended> {
        for _ in 0..ATTEMPTS_MAX {
            let reading = self.next_reading.fetch_add(1, Ordering::Relaxed);
            match self.read_stretches(reading, item)? {
                None => return Ok(()),
                Some((back, Ok(()))) => item = back,
                Some((back, Err(error))) => {
                    self.tell(Event::Abandoned { reading })?;
                    return self.fail(&back, error);
                }
            }
            self.tell(Event::Abandoned { reading })?;
        }
        self.fail_changing(&item)
    }

    /// Reads a file once. Gives the item back when it changed (`Ok`) or could not be read.
    #[expect(
        clippy::type_complexity,
        reason = "the item must come back, whichever way it went"
    )]
    fn read_stretches(
        &self,
        reading: u64,
        mut item: Item,
    ) -> Result<Option<(Item, Result<(), Errno>)>, Ended> {
        let opened = self
            .root
            .below(&item.folder)
            .and_then(|folder| open(&folder, &mut item, &self.clock));
        let file = match opened {
            Ok(file) => file,
            Err(error) => return Ok(Some((item, Err(error)))),
        };
        let mut left_bytes = item.stat.bytes;
        let mut carried = bytes::Bytes::new();
        for index in 0.. {
            let mut buffer = self.buffers.take();
            let filled = match fill(&file, &mut buffer, &carried, left_bytes) {
                Ok(filled) => filled,
                Err(error) => return Ok(Some((item, Err(error)))),
            };
            let read_bytes = (filled - carried.len()) as u64;
            left_bytes -= read_bytes.min(left_bytes);
            let is_end = left_bytes == 0;
            if !is_end && filled < buffer.len() {
                // The file ended before its time.
                return Ok(Some((item, Ok(()))));
            }
            let mut chunk_bytes = Vec::new();
            let cut_bytes = push_sure_chunks(
                &mut chunk_bytes,
                buffer.get(..filled).unwrap_or_default(),
                is_end,
            );
            let whole = buffer.freeze(filled);
            carried = whole.slice(cut_bytes..);
            if is_end && !is_unchanged(&file, &item) {
                return Ok(Some((item, Ok(()))));
            }
            let bytes = whole.slice(..cut_bytes);
            if is_end {
                let of = BatchOf::Stretch {
                    reading,
                    index,
                    end: Some(Box::new(item)),
                };
                self.tell(Event::Batch(Batch {
                    bytes,
                    chunk_bytes,
                    of,
                }))?;
                return Ok(None);
            }
            let of = BatchOf::Stretch {
                reading,
                index,
                end: None,
            };
            self.tell(Event::Batch(Batch {
                bytes,
                chunk_bytes,
                of,
            }))?;
        }
        Ok(None)
    }
}

/// Reads a small file or a link, a few times if it changes.
fn look_patiently(
    folder: &Folder,
    item: &mut Item,
    room: &mut [u8],
    clock: &Clock,
) -> Result<Looked, Errno> {
    for _ in 1..ATTEMPTS_MAX {
        match look(folder, item, room, clock)? {
            Looked::Changed => {}
            looked => return Ok(looked),
        }
    }
    look(folder, item, room, clock)
}

fn look(folder: &Folder, item: &mut Item, room: &mut [u8], clock: &Clock) -> Result<Looked, Errno> {
    if item.stat.kind == Kind::Link {
        return read_link(folder, item, room);
    }
    let file = open(folder, item, clock)?;
    // More than was planned for would leave no room for the files that were planned to follow.
    let Some(room) = usize::try_from(item.stat.bytes)
        .ok()
        .and_then(|bytes| room.get_mut(..bytes))
    else {
        return Ok(Looked::TooBig);
    };
    if item.stat.bytes > SMALL_BYTES_MAX {
        return Ok(Looked::TooBig);
    }
    let read_bytes = read_full(&file, room)?;
    if read_bytes < room.len() || !is_unchanged(&file, item) {
        return Ok(Looked::Changed);
    }
    Ok(Looked::Read(read_bytes))
}

fn read_link(folder: &Folder, item: &mut Item, room: &mut [u8]) -> Result<Looked, Errno> {
    item.stat = folder.stat(item.name.as_str())?;
    let target = folder.read_link(item.name.as_str())?;
    if item.stat.bytes != target.len() as u64 {
        return Ok(Looked::Changed);
    }
    let Some(room) = room.get_mut(..target.len()) else {
        return Ok(Looked::TooBig);
    };
    room.copy_from_slice(&target);
    Ok(Looked::Read(target.len()))
}

/// Opens a file and takes its metadata.
fn open(folder: &Folder, item: &mut Item, clock: &Clock) -> Result<OwnedFd, Errno> {
    let file = folder.open_file(item.name.as_str())?;
    item.stat = stat_open(&file)?;
    let age_ms = clock.now_ms() - item.stat.identity.ctime_ms();
    if (0..TIME_STEP_MS).contains(&age_ms) {
        rest(TIME_STEP_MS - age_ms);
        item.stat = stat_open(&file)?;
    }
    if item.stat.kind != Kind::File {
        return Err(Errno::LOOP);
    }
    Ok(file)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a reader has a thread of its own"
)]
fn rest(pause_ms: i64) {
    std::thread::sleep(Duration::from_millis(pause_ms.unsigned_abs()));
}

fn is_unchanged(file: &OwnedFd, item: &Item) -> bool {
    stat_open(file).is_ok_and(|now| now.identity == item.stat.identity)
}

/// Puts what was carried over at the front of the buffer and fills the rest from the file, up to `left_bytes`.
fn fill(
    file: &OwnedFd,
    buffer: &mut Buffer,
    carried: &[u8],
    left_bytes: u64,
) -> Result<usize, Errno> {
    let (front, rest) = buffer.split_at_mut(carried.len());
    front.copy_from_slice(carried);
    let wanted = rest
        .len()
        .min(usize::try_from(left_bytes).unwrap_or(usize::MAX));
    let read_bytes = read_full(file, rest.get_mut(..wanted).unwrap_or_default())?;
    Ok(carried.len() + read_bytes)
}
