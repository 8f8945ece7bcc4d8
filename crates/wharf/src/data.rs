//! The data folder of a server.
//!
//! ```text
//! DATA/wharf.lock    held while a server, or a command that changes the data, is at work; names its process
//! DATA/wharf.db      the database, where it is SQLite, with its log beside it
//! DATA/blob/         the object store: segments of chunks
//! DATA/restoring     there only while a backup is being restored; nothing starts on such a folder
//! ```

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use wharf_core::{Clock, HouseConfig, Random, Wharf};
use wharf_store::blob::{Blob, FolderBlob};
use wharf_store::chunk::{ChunkStore, Options};
use wharf_store::sql::{Db, PostgresOptions, SqliteOptions};

use crate::config::database::DatabaseUrl;
use crate::config::server::DataSettings;
use crate::exit::{Exit, Failure};

/// A data folder that this process has to itself.
#[derive(Debug)]
pub(crate) struct DataFolder {
    path: PathBuf,
    // The lock ends when the file is closed, however the process ends.
    _lock: File,
}

/// Whether a restore that was begun may be found in the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfinished {
    /// Nothing may start on half a restore.
    Refuse,
    /// The restore that is about to run clears it away.
    Accept,
}

/// The database file of a data folder.
pub(crate) fn database_path(data: &Path) -> PathBuf {
    data.join("wharf.db")
}

/// The object store of a data folder.
pub(crate) fn blob_path(data: &Path) -> PathBuf {
    data.join("blob")
}

/// The mark of a restore under way.
pub(crate) fn restoring_path(data: &Path) -> PathBuf {
    data.join("restoring")
}

impl DataFolder {
    /// Makes the folder if it is not there, and takes it for this process alone.
    pub(crate) fn take(path: &Path, unfinished: Unfinished) -> anyhow::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .with_context(|| {
                Failure::usage(format!("Could not make the data folder {}", path.display()))
            })?;
        let lock_path = path.join("wharf.lock");
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&lock_path)
            .with_context(|| Failure::usage(format!("Could not open {}", lock_path.display())))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(path, &mut lock).into()),
            Err(TryLockError::Error(error)) => {
                return Err(error)
                    .with_context(|| format!("Could not lock {}", lock_path.display()));
            }
        }
        lock.set_len(0)?;
        lock.rewind()?;
        writeln!(lock, "{}", std::process::id())?;
        if unfinished == Unfinished::Refuse && restoring_path(path).try_exists()? {
            let failure = Failure::new(
                Exit::Conflict,
                format!("A restore into {} was not finished", path.display()),
            )
            .hint("Run the same `wharf restore-backup` again: it starts anew.");
            return Err(failure.into());
        }
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

fn in_use(path: &Path, lock: &mut File) -> Failure {
    let mut text = String::new();
    // Only for the message: without the number it says the same.
    let process = match lock.read_to_string(&mut text) {
        Ok(_) if !text.trim().is_empty() => format!(" (process {})", text.trim()),
        _ => String::new(),
    };
    Failure::new(
        Exit::Conflict,
        format!("{} is in use by another wharf{process}", path.display()),
    )
    .hint(
        "Stop that server first, or name another folder with --data. \
         Without --data, `wharf admin` works through the running server.",
    )
}

/// Fails unless a server has ever run on the folder: a wrong path must not look like an empty house.
pub(crate) fn must_be_there(settings: &DataSettings) -> anyhow::Result<()> {
    let data = &settings.data;
    let path = match settings.database {
        DatabaseUrl::Sqlite => database_path(data),
        DatabaseUrl::Postgres(_) => blob_path(data),
    };
    match fs::metadata(&path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let failure = Failure::new(Exit::NotFound, format!("No server has its data in {}", data.display()))
                .hint("Name the right folder with --data or WHARF_DATA; `wharf config show` says which is meant.");
            Err(failure.into())
        }
        Err(error) => Err(error).with_context(|| format!("Could not look at {}", path.display())),
    }
}

/// Opens the database, making and migrating it where need be.
pub(crate) async fn open_database(settings: &DataSettings) -> anyhow::Result<Db> {
    let settings = settings.clone();
    tokio::task::spawn_blocking(move || open_database_blocking(&settings)).await?
}

/// As [`open_database`], for a thread that may block.
pub(crate) fn open_database_blocking(settings: &DataSettings) -> anyhow::Result<Db> {
    let opened = match &settings.database {
        DatabaseUrl::Sqlite => Db::open_sqlite(&sqlite(settings)),
        DatabaseUrl::Postgres(url) => Db::open_postgres(&postgres(settings, url)),
    };
    opened.with_context(|| could_not_open(settings))
}

/// Opens a new SQLite database to fill it fast: until it is closed and opened again, a machine that stops loses what it has.
pub(crate) async fn open_database_to_fill(settings: &DataSettings) -> anyhow::Result<Db> {
    let settings = settings.clone();
    let open = move || {
        let options = SqliteOptions {
            is_durable: false,
            ..sqlite(&settings)
        };
        Db::open_sqlite(&options).with_context(|| could_not_open(&settings))
    };
    tokio::task::spawn_blocking(open).await?
}

/// Opens a database that is there for reading alone, beside the server. Blocks.
pub(crate) fn open_database_to_read(settings: &DataSettings) -> anyhow::Result<Db> {
    let opened = match &settings.database {
        DatabaseUrl::Sqlite => Db::open_sqlite_to_read(&sqlite(settings)),
        DatabaseUrl::Postgres(url) => Db::open_postgres_to_read(&postgres(settings, url)),
    };
    opened.with_context(|| could_not_open(settings))
}

fn sqlite(settings: &DataSettings) -> SqliteOptions {
    SqliteOptions::new(database_path(&settings.data))
}

fn postgres(settings: &DataSettings, url: &str) -> PostgresOptions {
    let mut options = PostgresOptions::new(url);
    let half = usize::from(settings.database_connections / 2).max(1);
    (options.readers, options.writers) = (half, half);
    options
}

fn could_not_open(settings: &DataSettings) -> String {
    match &settings.database {
        DatabaseUrl::Sqlite => format!(
            "Could not open the database {}",
            database_path(&settings.data).display()
        ),
        database @ DatabaseUrl::Postgres(_) => format!("Could not open the database {database}"),
    }
}

/// Opens the object store for this process alone.
pub(crate) async fn open_blob(data: &Path) -> anyhow::Result<Arc<dyn Blob>> {
    let path = blob_path(data);
    let open = move || {
        FolderBlob::open(&path)
            .with_context(|| format!("Could not open the object store {}", path.display()))
    };
    let blob: Arc<dyn Blob> = Arc::new(tokio::task::spawn_blocking(open).await??);
    Ok(blob)
}

/// Opens the whole house.
pub(crate) async fn open_house(
    settings: &DataSettings,
    config: HouseConfig,
) -> anyhow::Result<Wharf> {
    let db = open_database(settings).await?;
    let blob = open_blob(&settings.data).await?;
    Wharf::open(config, db, blob, Clock::system(), Random::system())
        .await
        .context("Could not open the server's data")
}

/// The chunk store over a database and an object store, for maintenance.
pub(crate) fn chunks(db: Db, blob: Arc<dyn Blob>) -> ChunkStore {
    let config = HouseConfig::default();
    let random = Random::system();
    let options = Options {
        grace_ms: i64::from(config.chunk_grace_hours) * 3_600_000,
        random: Arc::new(move || random.bytes()),
    };
    ChunkStore::new(db, blob, options)
}

#[cfg(test)]
mod tests {
    use super::{DataFolder, Unfinished, restoring_path};

    #[test]
    fn a_folder_is_taken_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data");
        let first = DataFolder::take(&path, Unfinished::Refuse).unwrap();
        let second = DataFolder::take(&path, Unfinished::Refuse).unwrap_err();
        let process = format!("in use by another wharf (process {})", std::process::id());
        assert!(second.to_string().contains(&process), "{second}");
        drop(first);
        DataFolder::take(&path, Unfinished::Refuse).unwrap();
    }

    #[test]
    fn half_a_restore_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(restoring_path(folder.path()), "").unwrap();
        assert!(DataFolder::take(folder.path(), Unfinished::Refuse).is_err());
        assert!(DataFolder::take(folder.path(), Unfinished::Accept).is_ok());
    }
}
