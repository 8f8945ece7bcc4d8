//! The UNIX sockets in the folder that clients look in.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use tokio::net::UnixListener;

use crate::gateway::packet::PacketListener;

/// The socket of streams.
const STREAM: &str = "filestorage";
/// The socket of packets, as it was called while there were such.
const PACKET: &str = "filestorage-0-0";
/// Held by whoever serves in the folder.
const LOCK: &str = "filestorage.lock";
/// The group may connect, which is how an operator says who may.
const MODE: u32 = 0o660;

/// The folder, locked. Its sockets go when this is dropped.
pub(super) struct RunDir {
    path: PathBuf,
    _lock: File,
}

impl RunDir {
    /// Makes the folder if it is not there, and locks it.
    pub(super) fn take(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join(LOCK))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
            io::Error::new(
                io::ErrorKind::AddrInUse,
                "another server holds filestorage.lock",
            )
        })?;
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn stream(&self) -> io::Result<UnixListener> {
        let path = self.path.join(STREAM);
        remove_socket(&path)?;
        let listener = UnixListener::bind(&path)?;
        fs::set_permissions(&path, Permissions::from_mode(MODE))?;
        Ok(listener)
    }

    pub(super) fn packet(&self) -> io::Result<PacketListener> {
        let path = self.path.join(PACKET);
        remove_socket(&path)?;
        let listener = PacketListener::bind(&path)?;
        fs::set_permissions(&path, Permissions::from_mode(MODE))?;
        Ok(listener)
    }
}

impl Drop for RunDir {
    fn drop(&mut self) {
        for name in [STREAM, PACKET] {
            if let Err(error) = remove_socket(&self.path.join(name)) {
                tracing::warn!(name, %error, "cannot remove a socket");
            }
        }
    }
}

/// Removes a socket, which nobody serves: the lock is held. What is no socket is left alone, and in the way.
fn remove_socket(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => fs::remove_file(path),
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}
