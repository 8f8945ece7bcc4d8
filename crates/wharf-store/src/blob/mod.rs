//! The port to the object store: immutable objects, each put once and whole.
//!
//! The port promises four things, and `wharf_testkit::blob` holds every form to them:
//! - an object is durable when [`Blob::put`] returns, and no part of it is visible earlier;
//! - an object never changes: putting a key again is refused, and so there is nothing to overwrite;
//! - a range is read exactly, or not at all;
//! - keys are listed in the order of their bytes, in pages.
//!
//! Deleting is not promised to be durable: an object may come back with a crash, and whoever deletes must be able to
//! find it again. The chunk store does, because it looks for objects that no row names.

use async_trait::async_trait;
use bytes::Bytes;

mod disk;
mod folder;
mod memory;

pub use disk::{Disk, Entry, EntryKind, RealDisk};
pub use folder::FolderBlob;
pub use memory::MemoryBlob;

/// Longest key, in bytes.
pub const KEY_BYTES_MAX: usize = 255;

/// An object's key and size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobInfo {
    /// The key it was put under.
    pub key: String,
    /// Its size.
    pub bytes: u64,
}

/// The space on the device that an object store is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// All of it, in bytes.
    pub all_bytes: u64,
    /// What the program may still fill, in bytes.
    pub free_bytes: u64,
}

/// What an object store can refuse or fail to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such object.
    #[error("there is no object {key}")]
    Missing {
        /// The key that was asked for.
        key: String,
    },
    /// An object has this key already.
    #[error("there is an object {key} already")]
    Exists {
        /// The key that was to be put.
        key: String,
    },
    /// The object ends before the range does.
    #[error("object {key} ends before byte {end}")]
    Range {
        /// The object.
        key: String,
        /// Where the range ends.
        end: u64,
    },
    /// The key is empty, too long, or has parts other than lower-case letters, digits, `-`, `_` and `.`.
    #[error("not a key: {key:?}")]
    Key {
        /// The text that was given as a key.
        key: String,
    },
    /// There is no room for the object. Nothing of it was kept, and the store goes on.
    #[error("the object store is full")]
    Full,
    /// The store could not make something durable, and puts nothing more until it is opened again.
    #[error(
        "the object store failed to make data durable and takes nothing more until it is opened again"
    )]
    Failed,
    /// Somebody else has the store open.
    #[error("the object store in {place} is in use by another process")]
    InUse {
        /// Where the store is.
        place: String,
    },
    /// The system refused an operation.
    #[error("cannot {action} {key}")]
    Io {
        /// What was to be done.
        action: &'static str,
        /// With which object.
        key: String,
        /// Why not.
        source: std::io::Error,
    },
}

/// A place for immutable objects.
#[async_trait]
pub trait Blob: Send + Sync {
    /// Puts the object that `parts` make up one after another. It is durable when this returns.
    ///
    /// A dropped future may leave the object put or not put, but never a part of it.
    ///
    /// # Errors
    /// - [`Error::Exists`]: the key is taken.
    /// - [`Error::Full`]: no room; nothing was kept.
    /// - [`Error::Failed`]: an earlier or this put could not be made durable. The object may be there or not.
    async fn put(&self, key: &str, parts: Vec<Bytes>) -> Result<(), Error>;

    /// Reads `bytes` bytes from `offset`, all of them.
    ///
    /// # Errors
    /// - [`Error::Missing`]: no such object.
    /// - [`Error::Range`]: the object ends earlier.
    async fn get_range(&self, key: &str, offset: u64, bytes: u64) -> Result<Bytes, Error>;

    /// The size of an object.
    ///
    /// # Errors
    /// - [`Error::Missing`]: no such object.
    async fn size(&self, key: &str) -> Result<u64, Error>;

    /// Deletes an object. One that is not there is deleted already.
    async fn delete(&self, key: &str) -> Result<(), Error>;

    /// Lists at most `limit` objects whose keys begin with `prefix` and come after `after`, in the order of their bytes.
    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<BlobInfo>, Error>;

    /// The space on its device. `None`: the store is on none that it could ask.
    async fn space(&self) -> Result<Option<Space>, Error> {
        Ok(None)
    }
}

/// Checks a key: parts of `a-z 0-9 - _ .` between single slashes, none of them beginning with a dot.
pub fn check_key(key: &str) -> Result<(), Error> {
    let is_part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.'))
    };
    if key.len() <= KEY_BYTES_MAX && key.split('/').all(is_part) {
        Ok(())
    } else {
        Err(Error::Key {
            key: key.to_owned(),
        })
    }
}

/// Whether the part of the key space under `folder` (which ends in a slash) can hold keys with `prefix` past `after`.
fn may_hold(folder: &str, prefix: &str, after: Option<&str>) -> bool {
    let within = folder.starts_with(prefix) || prefix.starts_with(folder);
    within && after.is_none_or(|after| after.starts_with(folder) || folder > after)
}

#[cfg(test)]
mod tests {
    use super::{check_key, may_hold};

    #[test]
    fn keys_that_could_leave_the_folder_are_refused() {
        for key in [
            "", "/", "/a", "a/", "a//b", "..", "a/../b", ".tmp", "A", "a\0", "a b", "ä",
        ] {
            assert!(check_key(key).is_err(), "{key:?}");
        }
        assert!(check_key(&"a".repeat(256)).is_err());
        for key in ["a", "a/b", "segment/0f/01-_.x"] {
            assert!(check_key(key).is_ok(), "{key:?}");
        }
    }

    #[test]
    fn only_folders_that_can_hold_the_page_are_walked() {
        assert!(may_hold("segment/0a/", "segment/", Some("segment/0a/1")));
        assert!(!may_hold("segment/0a/", "segment/", Some("segment/0b/1")));
        assert!(may_hold("segment/0c/", "segment/", Some("segment/0b/1")));
        assert!(may_hold("segment/", "segment/0b", None));
        assert!(!may_hold("other/", "segment/", None));
    }
}
