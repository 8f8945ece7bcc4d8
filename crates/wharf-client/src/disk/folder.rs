//! A folder that is held open.

use std::ffi::CStr;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT};
use rustix::io::{Errno, Result};

use super::stat::{Kind, Stat};

const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// A folder that is held open: what becomes of its path meanwhile does not matter.
#[derive(Debug)]
pub(crate) struct Folder(OwnedFd);

/// A name in a folder.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) name: &'a CStr,
    /// `None` where the file system does not tell without a look at the file.
    pub(crate) kind: Option<Kind>,
}

impl Folder {
    /// Opens the folder that a person named; links on the way to it are followed, as people expect.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let flags = FOLDER.difference(OFlags::NOFOLLOW);
        rustix::fs::openat(CWD, path, flags, Mode::empty()).map(Self)
    }

    /// Opens a folder below this one, by names with `/` between them. No link is followed.
    pub(crate) fn below(&self, relative: &str) -> Result<Self> {
        if relative.is_empty() {
            return self.child(".");
        }
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::{ResolveFlags, openat2};
            let confined = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
            match openat2(&self.0, relative, FOLDER, Mode::empty(), confined) {
                // An older kernel, or a sandbox that does not know the call.
                Err(Errno::NOSYS | Errno::PERM) => {}
                opened => return opened.map(Self),
            }
        }
        self.walk(relative, Self::child)
    }

    /// Opens a folder below this one, making what is missing on the way, and says how many that were. No link is followed.
    pub(crate) fn make_below(&self, relative: &str) -> Result<(Self, u64)> {
        let mut made_count = 0;
        let opened = match self.below(relative) {
            Err(Errno::NOENT) => self.walk(relative, |folder, name| {
                made_count += u64::from(folder.make(name)?);
                folder.child(name)
            }),
            opened => opened,
        };
        opened.map(|folder| (folder, made_count))
    }

    fn walk(
        &self,
        relative: &str,
        mut step: impl FnMut(&Self, &str) -> Result<Self>,
    ) -> Result<Self> {
        let mut folder = self.child(".")?;
        for name in relative.split('/').filter(|name| !name.is_empty()) {
            // Names come from a server: none may mean a place.
            if name == "." || name == ".." {
                return Err(Errno::INVAL);
            }
            folder = step(&folder, name)?;
        }
        Ok(folder)
    }

    fn child(&self, name: &str) -> Result<Self> {
        rustix::fs::openat(&self.0, name, FOLDER, Mode::empty()).map(Self)
    }

    /// Makes a folder in this one unless it is there, and says whether it did.
    pub(crate) fn make(&self, name: &str) -> Result<bool> {
        match rustix::fs::mkdirat(&self.0, name, Mode::from_raw_mode(0o777)) {
            Ok(()) => Ok(true),
            Err(Errno::EXIST) if self.stat(name)?.kind == Kind::Folder => Ok(false),
            Err(Errno::EXIST) => Err(Errno::NOTDIR),
            Err(error) => Err(error),
        }
    }

    /// Calls `each` for every name in the folder, in no order.
    pub(crate) fn each(&self, mut each: impl FnMut(Entry<'_>)) -> Result<()> {
        for entry in Dir::read_from(&self.0)? {
            let entry = entry?;
            let name = entry.file_name();
            if name != c"." && name != c".." {
                let kind = Kind::of(entry.file_type());
                each(Entry { name, kind });
            }
        }
        Ok(())
    }

    /// A name's metadata; that of a link itself.
    pub(crate) fn stat(&self, name: impl rustix::path::Arg) -> Result<Stat> {
        rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW).map(|stat| Stat::of(&stat))
    }

    /// Opens a file for reading. A link is an error, and a pipe that took the file's place does not hang the transfer.
    pub(crate) fn open_file(&self, name: impl rustix::path::Arg) -> Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        rustix::fs::openat(&self.0, name, flags, Mode::empty())
    }

    /// Opens a part: a file that is written aside. `flags` say what becomes of an earlier one.
    pub(crate) fn open_part(&self, name: &str, flags: OFlags, mode: u32) -> Result<File> {
        let flags = flags | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(&self.0, name, flags, Mode::from_raw_mode(mode))?;
        Ok(File::from(opened))
    }

    /// Sets the time of modification of a file or link.
    pub(crate) fn set_mtime(&self, name: &str, mtime_ns: i64) -> Result<()> {
        rustix::fs::utimensat(&self.0, name, &times(mtime_ns), AtFlags::SYMLINK_NOFOLLOW)
    }

    /// Where a link points.
    pub(crate) fn read_link(&self, name: impl rustix::path::Arg) -> Result<Vec<u8>> {
        rustix::fs::readlinkat(&self.0, name, Vec::new()).map(std::ffi::CString::into_bytes)
    }

    /// Makes a link.
    pub(crate) fn make_link(&self, name: &str, target: &[u8]) -> Result<()> {
        rustix::fs::symlinkat(target, &self.0, name)
    }

    /// Removes a file or link.
    pub(crate) fn remove(&self, name: impl rustix::path::Arg) -> Result<()> {
        rustix::fs::unlinkat(&self.0, name, AtFlags::empty())
    }

    /// Makes everything durable that was written to this folder's file system.
    #[cfg(target_os = "linux")]
    pub(crate) fn sync_file_system(&self) -> Result<()> {
        rustix::fs::syncfs(&self.0)
    }

    /// The number of its file system.
    pub(crate) fn device(&self) -> Result<u64> {
        stat_open(&self.0).map(|stat| stat.device)
    }

    pub(super) fn fd(&self) -> &OwnedFd {
        &self.0
    }
}

impl Entry<'_> {
    /// What the name stands for, with a look at the file where the file system has not told.
    pub(crate) fn kind(&self, folder: &Folder) -> Result<Kind> {
        match self.kind {
            Some(kind) => Ok(kind),
            None => folder.stat(self.name).map(|stat| stat.kind),
        }
    }
}

/// Sets the time of modification of an open file.
pub(crate) fn set_mtime_open(file: impl AsFd, mtime_ns: i64) -> Result<()> {
    rustix::fs::futimens(file, &times(mtime_ns))
}

/// Times that leave that of the last access as it is.
fn times(mtime_ns: i64) -> Timestamps {
    Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: Timespec {
            tv_sec: mtime_ns.div_euclid(1_000_000_000),
            tv_nsec: mtime_ns.rem_euclid(1_000_000_000),
        },
    }
}

/// The metadata of an open file.
pub(crate) fn stat_open(file: impl AsFd) -> Result<Stat> {
    rustix::fs::fstat(file).map(|stat| Stat::of(&stat))
}
