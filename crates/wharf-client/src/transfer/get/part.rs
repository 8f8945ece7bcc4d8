//! A big file that is written aside chunk by chunk, and survives crashes of the client.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use rustix::fs::OFlags;
use rustix::io::Errno;
use wharf_types::ChunkHash;
use wharf_wire::manifest::ManifestChunk;

use super::destination::Destination;
use super::want::Want;
use super::writing::{finish, new_mode, place};
use crate::disk::{Folder, Replaced};
use crate::transfer::OnDifferent;

/// How much is written between two flushes.
const FLUSH_BYTES: u64 = 64 * 1024 * 1024;

/// A big file that is being fetched. Its chunks may be written in any order and by several threads.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) want: Want,
    folder: Folder,
    file: File,
    /// Where each chunk begins.
    offsets: Vec<u64>,
    missing_count: AtomicUsize,
    has_failed: AtomicBool,
    written_bytes: AtomicU64,
}

/// A part, and what there is left to fetch.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) part: Part,
    pub(super) missing: Vec<usize>,
    /// Bytes that need not be fetched.
    pub(super) kept_bytes: u64,
}

impl Part {
    /// Opens the part of a file and finds out which of its chunks an earlier run has written. Blocks.
    pub(super) fn open(
        destination: &Destination,
        want: Want,
    ) -> Result<Opened, Box<(Want, Errno)>> {
        let made = destination.open(&want.folder).and_then(|folder| {
            let file = folder.open_part(&want.part, OFlags::RDWR, new_mode(&want))?;
            let was_bytes = crate::disk::stat_open(&file)?.bytes;
            rustix::fs::ftruncate(&file, want.node.bytes)?;
            Ok((folder, file, was_bytes))
        });
        let (folder, file, was_bytes) = match made {
            Ok(made) => made,
            Err(error) => return Err(Box::new((want, error))),
        };
        let mut offsets = Vec::with_capacity(want.manifest.chunks.len());
        let mut missing = Vec::new();
        let (mut offset, mut kept_bytes) = (0, 0);
        let mut room = Vec::new();
        for (index, chunk) in want.manifest.chunks.iter().enumerate() {
            if offset < was_bytes && has(&file, offset, chunk, &mut room) {
                kept_bytes += u64::from(chunk.bytes);
            } else {
                missing.push(index);
            }
            offsets.push(offset);
            offset += u64::from(chunk.bytes);
        }
        let part = Self {
            want,
            folder,
            file,
            offsets,
            missing_count: AtomicUsize::new(missing.len()),
            has_failed: AtomicBool::new(false),
            written_bytes: AtomicU64::new(0),
        };
        Ok(Opened {
            part,
            missing,
            kept_bytes,
        })
    }

    pub(super) fn chunk(&self, index: usize) -> Option<&ManifestChunk> {
        self.want.manifest.chunks.get(index)
    }

    /// Writes a verified chunk; with the last one that was missing the file gets its name.
    pub(super) fn write(
        &self,
        index: usize,
        bytes: &[u8],
        on_different: OnDifferent,
    ) -> Result<Option<Replaced>, Errno> {
        let offset = self.offsets.get(index).copied().ok_or(Errno::INVAL)?;
        self.file
            .write_all_at(bytes, offset)
            .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
        self.flush_in_time(bytes.len() as u64)?;
        if self.missing_count.fetch_sub(1, Ordering::AcqRel) > 1
            || self.has_failed.load(Ordering::Acquire)
        {
            return Ok(None);
        }
        self.complete(on_different).map(Some)
    }

    /// Writes back what has gathered, while other chunks arrive: otherwise the disk would stand idle until the sync at the
    /// end, which would then take as long as all of it.
    fn flush_in_time(&self, bytes: u64) -> Result<(), Errno> {
        let before = self.written_bytes.fetch_add(bytes, Ordering::Relaxed);
        if before / FLUSH_BYTES == (before + bytes) / FLUSH_BYTES {
            return Ok(());
        }
        rustix::fs::fdatasync(&self.file)
    }

    /// Gives the file its name.
    pub(super) fn complete(&self, on_different: OnDifferent) -> Result<Replaced, Errno> {
        finish(&self.file, &self.want)?;
        let replaced = place(&self.folder, &self.want, on_different)?;
        if replaced == Replaced::Changed {
            self.folder.remove(self.want.part.as_str())?;
        }
        Ok(replaced)
    }

    /// Notes that the file will not become whole, and says whether that is news.
    pub(super) fn fail(&self) -> bool {
        !self.has_failed.swap(true, Ordering::AcqRel)
    }
}

/// Whether the file has the chunk at `offset` already.
fn has(file: &File, offset: u64, chunk: &ManifestChunk, room: &mut Vec<u8>) -> bool {
    room.resize(chunk.bytes as usize, 0);
    // What cannot be read is fetched again, and writing it says what is wrong.
    file.read_exact_at(room, offset).is_ok() && ChunkHash::of(room) == chunk.hash
}
