//! The steps that [`FolderBlob`](super::FolderBlob) asks of a disk, one method each.
//!
//! They are a trait so that a test can put a simulated disk underneath, which forgets what was not synced, tears writes
//! and fails at any step. [`RealDisk`] is the one for use: plain calls of the standard library, nothing cached.

use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice, Write};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use bytes::Bytes;

use super::Space;

/// Slices in one vectored write; the least that POSIX systems in use take (`IOV_MAX` on Linux).
const SLICES_MAX: usize = 1024;

/// What a name in a folder stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A folder.
    Folder,
    /// A file and its size.
    File {
        /// Its size.
        bytes: u64,
    },
}

/// A name in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name; one that is not UTF-8 is left out of lists.
    pub name: String,
    /// What it stands for.
    pub kind: EntryKind,
}

/// A folder's worth of disk. Paths are relative to its root, with `/` between names, and already checked.
pub trait Disk: Send + Sync + 'static {
    /// An open file.
    type File: Send + Sync + 'static;

    /// Makes a folder whose parent is there. Fails with `AlreadyExists` if it is there.
    fn create_folder(&self, path: &str) -> io::Result<()>;
    /// Makes a file that is not there yet.
    fn create_new(&self, path: &str) -> io::Result<Self::File>;
    /// Appends all of `parts` to a file that [`Disk::create_new`] made.
    fn write(&self, file: &mut Self::File, parts: &[Bytes]) -> io::Result<()>;
    /// Makes the file's content and size durable.
    fn sync_file(&self, file: &Self::File) -> io::Result<()>;
    /// Moves a file to a name that is free.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Makes the names in a folder durable; the root is the empty path.
    fn sync_folder(&self, path: &str) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &str) -> io::Result<()>;
    /// Opens a file to read.
    fn open(&self, path: &str) -> io::Result<Self::File>;
    /// The size of an open file.
    fn size(&self, file: &Self::File) -> io::Result<u64>;
    /// Fills `buffer` from `offset`, or fails with `UnexpectedEof`.
    fn read_at(&self, file: &Self::File, offset: u64, buffer: &mut [u8]) -> io::Result<()>;
    /// The names in a folder, in no order.
    fn entries(&self, path: &str) -> io::Result<Vec<Entry>>;
    /// The space on the disk. `None`: this disk is none of the system's.
    fn space(&self) -> io::Result<Option<Space>> {
        Ok(None)
    }
}

/// A folder of the system's disk.
#[derive(Debug)]
pub struct RealDisk {
    root: PathBuf,
}

impl RealDisk {
    /// Takes `root`, which must be there, as the root of all paths.
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }
}

impl Disk for RealDisk {
    type File = File;

    fn create_folder(&self, path: &str) -> io::Result<()> {
        std::fs::create_dir(self.path(path))
    }

    fn create_new(&self, path: &str) -> io::Result<File> {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(self.path(path))
    }

    fn write(&self, file: &mut File, parts: &[Bytes]) -> io::Result<()> {
        for parts in parts.chunks(SLICES_MAX) {
            let mut slices: Vec<IoSlice<'_>> =
                parts.iter().map(|part| IoSlice::new(part)).collect();
            write_all_vectored(file, &mut slices)?;
        }
        Ok(())
    }

    fn sync_file(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the caller syncs the file before and the folder after"
    )]
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.path(from), self.path(to))
    }

    fn sync_folder(&self, path: &str) -> io::Result<()> {
        File::open(self.path(path))?.sync_all()
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        std::fs::remove_file(self.path(path))
    }

    fn open(&self, path: &str) -> io::Result<File> {
        File::open(self.path(path))
    }

    fn size(&self, file: &File) -> io::Result<u64> {
        Ok(file.metadata()?.len())
    }

    fn read_at(&self, file: &File, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        file.read_exact_at(buffer, offset)
    }

    fn entries(&self, path: &str) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(self.path(path))? {
            let entry = entry?;
            let metadata = match entry.metadata() {
                Ok(metadata) => metadata,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            let kind = if metadata.is_dir() {
                EntryKind::Folder
            } else {
                EntryKind::File {
                    bytes: metadata.len(),
                }
            };
            if let Ok(name) = entry.file_name().into_string() {
                entries.push(Entry { name, kind });
            }
        }
        Ok(entries)
    }

    fn space(&self) -> io::Result<Option<Space>> {
        let found = rustix::fs::statvfs(&self.root)?;
        Ok(Some(Space {
            all_bytes: found.f_blocks.saturating_mul(found.f_frsize),
            free_bytes: found.f_bavail.saturating_mul(found.f_frsize),
        }))
    }
}

/// `Write::write_all_vectored`, which is not stable yet.
fn write_all_vectored(file: &mut File, mut slices: &mut [IoSlice<'_>]) -> io::Result<()> {
    IoSlice::advance_slices(&mut slices, 0);
    while !slices.is_empty() {
        match file.write_vectored(slices) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(bytes) => IoSlice::advance_slices(&mut slices, bytes),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
