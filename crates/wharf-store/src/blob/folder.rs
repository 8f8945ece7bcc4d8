//! Objects as files in a folder.
//!
//! An object is put in the order that makes it durable: a temporary name, the content, fsync, rename, fsync of the folder.
//! After a crash there may be files under `.tmp/`, which opening removes, and an object may be there whose put never
//! returned; there is never a part of an object under its key.
//!
//! An fsync that fails is fatal (the kernel may have dropped the pages and call the next one a success), so from then on
//! the store only reads.
//!
//! One process at a time has the folder open; a lock on the file `.lock` sees to it.

use std::collections::{HashSet, VecDeque};
use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;

use super::{Blob, BlobInfo, Disk, EntryKind, Error, RealDisk, Space, check_key, may_hold};

/// Where objects are until they are whole. No key begins with a dot.
const TEMPORARY: &str = ".tmp";
/// The file whose lock says that a process has the folder open.
const LOCK: &str = ".lock";
/// Files kept open for reading: a batch of downloads comes from few segments, over and over.
const OPEN_FILES_MAX: usize = 64;

/// An object store in a folder.
pub struct FolderBlob<D: Disk = RealDisk> {
    shared: Arc<Shared<D>>,
}

struct Shared<D: Disk> {
    disk: D,
    /// Set by an fsync that failed, and where the store is only read.
    is_failed: AtomicBool,
    temporary_next: AtomicU64,
    /// Keys whose put is under way, so that two puts of one key cannot both find it free.
    claimed: Mutex<HashSet<String>>,
    /// Folders whose name is known to be durable in their parent.
    durable_folders: Mutex<HashSet<String>>,
    open_files: Mutex<OpenFiles<D::File>>,
    /// Holds the lock on a real folder.
    _lock: Option<File>,
}

/// The files that were read last.
struct OpenFiles<F> {
    /// The latest at the end.
    files: VecDeque<(String, Arc<F>)>,
    /// Objects deleted so far: a file that was opened before a deletion is not kept after it.
    deletions: u64,
}

impl FolderBlob<RealDisk> {
    /// Opens the store in `root`, making the folder if need be, and removes what an earlier process left unfinished.
    ///
    /// # Errors
    /// - [`Error::InUse`]: another process has it open.
    pub fn open(root: &Path) -> Result<Self, Error> {
        let place = || root.display().to_string();
        std::fs::create_dir_all(root).map_err(|source| Error::Io {
            action: "make the folder",
            key: place(),
            source,
        })?;
        let lock = File::create(root.join(LOCK)).map_err(|source| Error::Io {
            action: "open the lock in",
            key: place(),
            source,
        })?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::InUse { place: place() }),
            Err(TryLockError::Error(source)) => {
                return Err(Error::Io {
                    action: "lock",
                    key: place(),
                    source,
                });
            }
        }
        Self::start(RealDisk::new(root.to_owned()), Some(lock))
    }

    /// Opens the store in `root` for reading alone, beside the process that has it open. Nothing is made or removed, and
    /// puts and deletes answer [`Error::Failed`].
    pub fn open_to_read(root: &Path) -> Self {
        Self::with(RealDisk::new(root.to_owned()), None, true)
    }
}

impl<D: Disk> FolderBlob<D> {
    /// Opens the store on `disk`, of which the caller has sole use.
    pub fn on(disk: D) -> Result<Self, Error> {
        Self::start(disk, None)
    }

    fn start(disk: D, lock: Option<File>) -> Result<Self, Error> {
        match disk.create_folder(TEMPORARY) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(source) => return Err(failed("make the folder", TEMPORARY, source)),
        }
        let left = disk
            .entries(TEMPORARY)
            .map_err(|source| failed("list", TEMPORARY, source))?;
        for entry in left {
            let path = format!("{TEMPORARY}/{}", entry.name);
            disk.remove(&path)
                .map_err(|source| failed("remove", &path, source))?;
        }
        Ok(Self::with(disk, lock, false))
    }

    fn with(disk: D, lock: Option<File>, is_failed: bool) -> Self {
        Self {
            shared: Arc::new(Shared {
                disk,
                is_failed: AtomicBool::new(is_failed),
                temporary_next: AtomicU64::new(0),
                claimed: Mutex::default(),
                durable_folders: Mutex::default(),
                open_files: Mutex::new(OpenFiles {
                    files: VecDeque::new(),
                    deletions: 0,
                }),
                _lock: lock,
            }),
        }
    }

    /// Runs `work` where it may block.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared<D>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let shared = Arc::clone(&self.shared);
        let done = tokio::task::spawn_blocking(move || work(&shared)).await;
        done.map_err(|error| failed("finish the work on", "the folder", io::Error::other(error)))?
    }
}

#[async_trait]
impl<D: Disk> Blob for FolderBlob<D> {
    async fn put(&self, key: &str, parts: Vec<Bytes>) -> Result<(), Error> {
        check_key(key)?;
        let key = key.to_owned();
        self.blocking(move |shared| {
            if !shared.claimed.lock().insert(key.clone()) {
                return Err(Error::Exists { key });
            }
            let done = shared.put(&key, &parts);
            shared.claimed.lock().remove(&key);
            done
        })
        .await
    }

    async fn get_range(&self, key: &str, offset: u64, bytes: u64) -> Result<Bytes, Error> {
        check_key(key)?;
        let key = key.to_owned();
        self.blocking(move |shared| shared.get_range(&key, offset, bytes))
            .await
    }

    async fn size(&self, key: &str) -> Result<u64, Error> {
        check_key(key)?;
        let key = key.to_owned();
        self.blocking(move |shared| {
            let file = shared.file(&key)?;
            shared
                .disk
                .size(&file)
                .map_err(|source| failed("read the size of", &key, source))
        })
        .await
    }

    async fn delete(&self, key: &str) -> Result<(), Error> {
        check_key(key)?;
        let key = key.to_owned();
        self.blocking(move |shared| shared.delete(&key)).await
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<BlobInfo>, Error> {
        let (prefix, after) = (prefix.to_owned(), after.map(str::to_owned));
        self.blocking(move |shared| {
            let mut found = Vec::new();
            shared.list("", &prefix, after.as_deref(), limit, &mut found)?;
            Ok(found)
        })
        .await
    }

    async fn space(&self) -> Result<Option<Space>, Error> {
        self.blocking(|shared| {
            let space = shared.disk.space();
            space.map_err(|source| failed("ask how much room is on", "the disk", source))
        })
        .await
    }
}

impl<D: Disk> Shared<D> {
    fn put(&self, key: &str, parts: &[Bytes]) -> Result<(), Error> {
        self.check()?;
        let folder = parent(key);
        self.make_folder(folder)?;
        match self.disk.open(key) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(failed("look for", key, source)),
            Ok(_) => {
                return Err(Error::Exists {
                    key: key.to_owned(),
                });
            }
        }
        let temporary = format!(
            "{TEMPORARY}/{}",
            self.temporary_next.fetch_add(1, Ordering::Relaxed)
        );
        let done = self.write(&temporary, parts).and_then(|()| {
            self.disk
                .rename(&temporary, key)
                .map_err(|source| failed("name", key, source))
        });
        if let Err(error) = done {
            if let Err(error) = self.disk.remove(&temporary)
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(path = temporary, %error, "an unfinished object stays until the next start");
            }
            return Err(error);
        }
        self.sync(folder, |disk| disk.sync_folder(folder))
    }

    fn write(&self, temporary: &str, parts: &[Bytes]) -> Result<(), Error> {
        let mut file = self
            .disk
            .create_new(temporary)
            .map_err(|source| failed("make", temporary, source))?;
        self.disk
            .write(&mut file, parts)
            .map_err(|source| failed("write", temporary, source))?;
        self.sync(temporary, |disk| disk.sync_file(&file))
    }

    /// Makes a folder and its parents, and their names durable.
    ///
    /// A folder that is there may be the work of a process that crashed before it synced the parent, so each folder's
    /// parent is synced once in a process's life.
    fn make_folder(&self, folder: &str) -> Result<(), Error> {
        if folder.is_empty() || self.durable_folders.lock().contains(folder) {
            return Ok(());
        }
        let above = parent(folder);
        self.make_folder(above)?;
        match self.disk.create_folder(folder) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(source) => return Err(failed("make the folder", folder, source)),
        }
        self.sync(above, |disk| disk.sync_folder(above))?;
        self.durable_folders.lock().insert(folder.to_owned());
        Ok(())
    }

    /// Syncs something; a failure ends all writing.
    fn sync(&self, path: &str, sync: impl FnOnce(&D) -> io::Result<()>) -> Result<(), Error> {
        let done = sync(&self.disk);
        // One that succeeds after another failed proves nothing either.
        if let Err(error) = done {
            tracing::error!(path, %error, "fsync failed: the object store takes nothing more");
            self.is_failed.store(true, Ordering::SeqCst);
        }
        self.check()
    }

    fn check(&self) -> Result<(), Error> {
        if self.is_failed.load(Ordering::SeqCst) {
            Err(Error::Failed)
        } else {
            Ok(())
        }
    }

    fn get_range(&self, key: &str, offset: u64, bytes: u64) -> Result<Bytes, Error> {
        let file = self.file(key)?;
        let end = offset.saturating_add(bytes);
        let short = || Error::Range {
            key: key.to_owned(),
            end,
        };
        // Asked first, so that a damaged length never makes this allocate more than there is.
        if self
            .disk
            .size(&file)
            .map_err(|source| failed("read the size of", key, source))?
            < end
        {
            return Err(short());
        }
        let mut buffer = BytesMut::zeroed(usize::try_from(bytes).map_err(|_| short())?);
        match self.disk.read_at(&file, offset, &mut buffer) {
            Ok(()) => Ok(buffer.freeze()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(short()),
            Err(source) => Err(failed("read", key, source)),
        }
    }

    /// An open file, from those opened lately where it is among them.
    fn file(&self, key: &str) -> Result<Arc<D::File>, Error> {
        let deletions = {
            let mut open = self.open_files.lock();
            if let Some(file) = open.get(key) {
                return Ok(file);
            }
            open.deletions
        };
        let file = Arc::new(
            self.disk
                .open(key)
                .map_err(|source| failed("open", key, source))?,
        );
        self.open_files.lock().put(key, &file, deletions);
        Ok(file)
    }

    fn delete(&self, key: &str) -> Result<(), Error> {
        self.check()?;
        let done = self.disk.remove(key);
        self.open_files.lock().remove(key);
        match done {
            Err(error) if !is_absent(&error) => Err(failed("delete", key, error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Appends to `found` what is under `folder`, which is empty or ends in a slash.
    fn list(
        &self,
        folder: &str,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        found: &mut Vec<BlobInfo>,
    ) -> Result<(), Error> {
        let entries = match self.disk.entries(folder.trim_end_matches('/')) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(|source| failed("list", folder, source))?,
        };
        // A folder's keys go on with a slash after its name; sorting by that gives the order of whole keys.
        let mut keys: Vec<(String, EntryKind)> = entries
            .into_iter()
            .filter(|entry| !entry.name.starts_with('.'))
            .map(|entry| match entry.kind {
                EntryKind::Folder => (format!("{folder}{}/", entry.name), entry.kind),
                EntryKind::File { .. } => (format!("{folder}{}", entry.name), entry.kind),
            })
            .collect();
        keys.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        for (key, kind) in keys {
            if found.len() >= limit {
                break;
            }
            match kind {
                EntryKind::Folder if may_hold(&key, prefix, after) => {
                    self.list(&key, prefix, after, limit, found)?;
                }
                EntryKind::File { bytes }
                    if key.starts_with(prefix)
                        && after.is_none_or(|after| key.as_str() > after) =>
                {
                    found.push(BlobInfo { key, bytes });
                }
                EntryKind::Folder | EntryKind::File { .. } => {}
            }
        }
        Ok(())
    }
}

impl<F> OpenFiles<F> {
    fn get(&mut self, key: &str) -> Option<Arc<F>> {
        let index = self.files.iter().position(|(name, _)| name == key)?;
        let (name, file) = self.files.remove(index)?;
        self.files.push_back((name, Arc::clone(&file)));
        Some(file)
    }

    /// Keeps a file that was opened after so many deletions.
    fn put(&mut self, key: &str, file: &Arc<F>, deletions: u64) {
        if self.deletions == deletions {
            self.files.retain(|(name, _)| name != key);
            if self.files.len() >= OPEN_FILES_MAX {
                self.files.pop_front();
            }
            self.files.push_back((key.to_owned(), Arc::clone(file)));
        }
    }

    /// Forgets a file whose name is gone.
    fn remove(&mut self, key: &str) {
        self.deletions += 1;
        self.files.retain(|(name, _)| name != key);
    }
}

/// The folder of a path; the root's is empty.
fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Says what the system refused in the port's words.
fn failed(action: &'static str, key: &str, source: io::Error) -> Error {
    match source.kind() {
        _ if is_absent(&source) => Error::Missing {
            key: key.to_owned(),
        },
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::Full,
        _ => Error::Io {
            action,
            key: key.to_owned(),
            source,
        },
    }
}

/// Whether there is no such file: nothing by its name, or a file where one of its folders would be.
fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}
