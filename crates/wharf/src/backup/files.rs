//! Copying and replacing files so that what is done is durable.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context as _;

use super::Entry;

const PIECE_BYTES: usize = 1024 * 1024;

/// The size and the hash of a file.
pub(super) fn hashed(path: &Path) -> anyhow::Result<(u64, String)> {
    let mut source =
        File::open(path).with_context(|| format!("Could not open {}", path.display()))?;
    pass(&mut source, &mut io::sink()).with_context(|| format!("Could not read {}", path.display()))
}

/// Copies a file to a place where there is none, durably, and returns its size and hash.
pub(super) fn copy(from: &Path, to: &Path) -> anyhow::Result<(u64, String)> {
    let mut source =
        File::open(from).with_context(|| format!("Could not open {}", from.display()))?;
    let mut copy = || -> io::Result<(u64, String)> {
        let mut target = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(to)?;
        let passed = pass(&mut source, &mut target)?;
        target.sync_all()?;
        Ok(passed)
    };
    copy().with_context(|| format!("Could not copy {} to {}", from.display(), to.display()))
}

/// Replaces a file whole: after a crash there is the old one or the new one.
#[expect(
    clippy::disallowed_methods,
    reason = "the file and its folder are synced here, around the rename"
)]
pub(super) fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let aside = path.with_extension("new");
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&aside)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&aside, path)?;
        sync_parent(path)
    };
    write().with_context(|| format!("Could not write {}", path.display()))
}

/// Makes names in the folder of `path` durable.
pub(super) fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Whether a file is what the manifest says.
pub(super) fn is_entry(entry: &Entry, (bytes, hash): &(u64, String)) -> bool {
    entry.bytes == *bytes && entry.blake3 == *hash
}

fn pass(source: &mut impl Read, target: &mut impl Write) -> io::Result<(u64, String)> {
    let mut hasher = blake3::Hasher::new();
    let mut piece = vec![0; PIECE_BYTES];
    let mut bytes = 0;
    loop {
        let count = match source.read(&mut piece) {
            Ok(0) => return Ok((bytes, hasher.finalize().to_hex().to_string())),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let read = piece.get(..count).unwrap_or_default();
        hasher.update(read);
        target.write_all(read)?;
        bytes += count as u64;
    }
}
