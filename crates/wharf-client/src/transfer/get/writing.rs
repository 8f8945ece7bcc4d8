//! Writes what was fetched: small files whole, chunks of big ones into their parts.

use std::collections::{HashMap, HashSet};
use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use rustix::fs::OFlags;
use rustix::io::Errno;
use wharf_types::ChunkHash;
use wharf_types::api::drive::NodeKind;
use wharf_wire::frame::{Absence, Answer, Frame};

use super::destination::{Destination, refused_by_disk};
use super::part::Part;
use super::want::Want;
use crate::disk::{Folder, Identity, Replaced, replace, set_mtime_open};
use crate::error::Error;
use crate::transfer::{Notice, NoticeKind, OnDifferent};

/// How often a name is tried to be taken from whoever keeps changing it, with [`OnDifferent::Overwrite`].
const OVERWRITE_ATTEMPTS_MAX: u32 = 8;

/// What one request is to bring.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) wholes: Vec<Want>,
    pub(super) chunks: Vec<(Arc<Part>, usize)>,
}

/// What became of a batch.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// Files that are in place, and their bytes.
    pub(super) files: u64,
    pub(super) files_bytes: u64,
    /// Bytes of content that were written, also to files that are not whole yet.
    pub(super) bytes: u64,
    pub(super) notices: Vec<Notice>,
    /// What has to be fetched again, because its bytes were not those that the hash names.
    pub(super) spoiled: Batch,
}

/// Chunks as they came.
#[derive(Debug, Default)]
pub(super) struct Fetched(HashMap<ChunkHash, Result<Frame, Absence>>);

/// Why a file cannot be written.
enum Trouble {
    Absent(Absence),
    Spoiled,
    Disk(Errno),
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.wholes.is_empty() && self.chunks.is_empty()
    }

    /// The chunks that it needs, each once.
    pub(super) fn hashes(&self) -> Vec<ChunkHash> {
        let mut seen = HashSet::new();
        let wholes = self.wholes.iter().flat_map(|want| &want.manifest.chunks);
        let chunks = self
            .chunks
            .iter()
            .filter_map(|(part, index)| part.chunk(*index));
        wholes
            .chain(chunks)
            .map(|chunk| chunk.hash)
            .filter(|hash| seen.insert(*hash))
            .collect()
    }
}

impl Batch {
    /// What to report when the bytes stay wrong however often they are fetched.
    pub(super) fn into_spoiled_notices(self) -> Vec<Notice> {
        let parts = self
            .chunks
            .iter()
            .map(|(part, _)| part)
            .filter(|part| part.fail());
        self.wholes
            .iter()
            .chain(parts.map(|part| &part.want))
            .map(|want| {
                let detail = "its bytes arrived damaged each time they were fetched";
                Notice::new(want.path(), NoticeKind::Corrupt, detail)
            })
            .collect()
    }
}

impl Fetched {
    pub(super) fn new(answers: Vec<Answer>) -> Self {
        Self(
            answers
                .into_iter()
                .map(|answer| match answer {
                    Answer::Chunk(frame) => (frame.header.hash, Ok(frame)),
                    Answer::Absent { hash, absence } => (hash, Err(absence)),
                })
                .collect(),
        )
    }

    /// A chunk's bytes, verified.
    fn open(&self, hash: ChunkHash) -> Result<Bytes, Trouble> {
        match self.0.get(&hash) {
            Some(Ok(frame)) => frame.open().map_err(|_| Trouble::Spoiled),
            Some(Err(absence)) => Err(Trouble::Absent(*absence)),
            None => Err(Trouble::Spoiled),
        }
    }
}

/// Writes a batch. Blocks.
///
/// # Errors
/// Only what ends the transfer: a full disk.
pub(super) fn write(
    destination: &Destination,
    batch: Batch,
    fetched: &Fetched,
) -> Result<Written, Error> {
    let mut written = Written::default();
    let mut folder: Option<(Arc<str>, Folder)> = None;
    for want in batch.wholes {
        let opened = match folder.take() {
            Some(open) if open.0 == want.folder => Ok(open.1),
            _ => destination.open(&want.folder),
        };
        let done = opened.map_err(Trouble::Disk).and_then(|opened| {
            let done = write_whole(&opened, &want, destination.options.on_different, fetched);
            folder = Some((Arc::clone(&want.folder), opened));
            done
        });
        match done {
            Ok(replaced) => {
                written.bytes += want.node.bytes;
                written.placed(&want, replaced);
            }
            Err(Trouble::Spoiled) => written.spoiled.wholes.push(want),
            Err(Trouble::Absent(absence)) => written.notices.push(absent(&want, absence)),
            Err(Trouble::Disk(error)) => written.notices.push(refused(&want, error)?),
        }
    }
    for (part, index) in batch.chunks {
        write_chunk(
            &part,
            index,
            destination.options.on_different,
            fetched,
            &mut written,
        )?;
    }
    Ok(written)
}

impl Written {
    pub(super) fn add(&mut self, other: Self) {
        self.files += other.files;
        self.files_bytes += other.files_bytes;
        self.bytes += other.bytes;
        self.notices.extend(other.notices);
    }

    /// Counts a file that was to get its name.
    pub(super) fn placed(&mut self, want: &Want, replaced: Replaced) {
        match replaced {
            Replaced::Done => {
                self.files += 1;
                self.files_bytes += want.node.bytes;
            }
            Replaced::Changed => {
                let detail = "it was changed here meanwhile";
                self.notices
                    .push(Notice::new(want.path(), NoticeKind::Conflict, detail));
            }
        }
    }
}

/// Writes a file or link aside and gives it its name.
fn write_whole(
    folder: &Folder,
    want: &Want,
    on_different: OnDifferent,
    fetched: &Fetched,
) -> Result<Replaced, Trouble> {
    // Everything is verified before the disk is touched.
    let chunks = want
        .manifest
        .chunks
        .iter()
        .map(|chunk| fetched.open(chunk.hash))
        .collect::<Result<Vec<_>, _>>()?;
    let placed =
        write_aside(folder, want, &chunks).and_then(|()| place(folder, want, on_different));
    match placed {
        Ok(Replaced::Done) => Ok(Replaced::Done),
        other => {
            // What is left aside is of no use.
            if let Err(error) = folder.remove(want.part.as_str()) {
                tracing::debug!(%error, part = want.part, "a part stays behind");
            }
            other.map_err(Trouble::Disk)
        }
    }
}

fn write_aside(folder: &Folder, want: &Want, chunks: &[Bytes]) -> Result<(), Errno> {
    if want.node.kind == NodeKind::Link {
        let target = chunks.concat();
        match folder.make_link(&want.part, &target) {
            Err(Errno::EXIST) => {
                folder.remove(want.part.as_str())?;
                folder.make_link(&want.part, &target)?;
            }
            made => made?,
        }
        return want
            .node
            .mtime_ns
            .map_or(Ok(()), |mtime_ns| folder.set_mtime(&want.part, mtime_ns));
    }
    let mut file = folder.open_part(&want.part, OFlags::WRONLY | OFlags::TRUNC, new_mode(want))?;
    for chunk in chunks {
        file.write_all(chunk)
            .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    }
    finish(&file, want)
}

/// What a file gets when all its bytes are written.
pub(super) fn finish(file: &std::fs::File, want: &Want) -> Result<(), Errno> {
    if let Some(mode) = want.mode {
        let kept = mode & 0o666;
        // Whoever may read a program may run it.
        let run = if want.node.executable {
            (kept & 0o444) >> 2
        } else {
            0
        };
        rustix::fs::fchmod(file, rustix::fs::Mode::from_raw_mode(kept | run))?;
    }
    if let Some(mtime_ns) = want.node.mtime_ns {
        set_mtime_open(file, mtime_ns)?;
    }
    #[cfg(not(target_os = "linux"))]
    rustix::fs::fsync(file)?;
    Ok(())
}

/// The permissions of a file that is made, before the process's mask.
pub(super) fn new_mode(want: &Want) -> u32 {
    if want.node.executable { 0o777 } else { 0o666 }
}

/// Gives what was written aside its name.
pub(super) fn place(
    folder: &Folder,
    want: &Want,
    on_different: OnDifferent,
) -> Result<Replaced, Errno> {
    let mut planned: Option<Identity> = want.planned;
    for _ in 0..OVERWRITE_ATTEMPTS_MAX {
        let replaced = replace(folder, &want.part, &want.name, planned.as_ref())?;
        if replaced == Replaced::Done || on_different != OnDifferent::Overwrite {
            return Ok(replaced);
        }
        planned = folder
            .stat(want.name.as_str())
            .ok()
            .map(|stat| stat.identity);
    }
    Ok(Replaced::Changed)
}

fn write_chunk(
    part: &Arc<Part>,
    index: usize,
    on_different: OnDifferent,
    fetched: &Fetched,
    written: &mut Written,
) -> Result<(), Error> {
    let Some(chunk) = part.chunk(index) else {
        return Ok(());
    };
    let done = fetched.open(chunk.hash).and_then(|bytes| {
        written.bytes += bytes.len() as u64;
        part.write(index, &bytes, on_different)
            .map_err(Trouble::Disk)
    });
    match done {
        Ok(Some(replaced)) => written.placed(&part.want, replaced),
        Ok(None) => {}
        Err(Trouble::Spoiled) => written.spoiled.chunks.push((Arc::clone(part), index)),
        Err(trouble) => {
            // What went wrong first is reported; the rest of the file is of no use after that.
            let is_news = part.fail();
            let notice = match trouble {
                Trouble::Disk(error) => refused(&part.want, error)?,
                Trouble::Absent(absence) => absent(&part.want, absence),
                Trouble::Spoiled => return Ok(()),
            };
            if is_news {
                written.notices.push(notice);
            }
        }
    }
    Ok(())
}

fn absent(want: &Want, absence: Absence) -> Notice {
    let detail = match absence {
        Absence::Corrupt => "its bytes are damaged on the server, and no good copy is left",
        Absence::Missing => "its bytes are missing on the server",
    };
    Notice::new(want.path(), NoticeKind::Corrupt, detail)
}

/// A notice, or the error that ends the transfer.
pub(super) fn refused(want: &Want, error: Errno) -> Result<Notice, Error> {
    match error {
        Errno::NOSPC | Errno::DQUOT => Err(Error::local("write", want.path(), error)),
        error => Ok(refused_by_disk(want.path(), error)),
    }
}
