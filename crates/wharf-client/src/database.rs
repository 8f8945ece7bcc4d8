//! Opening an SQLite file that all processes of a profile share.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rusqlite::{Connection, ErrorCode};

/// How long a step waits for other processes.
const BUSY_DEADLINE: Duration = Duration::from_secs(10);
/// How long to rest where SQLite does not wait by itself.
const BUSY_PAUSE: Duration = Duration::from_millis(10);

/// Held while a file is made. Closing any descriptor of a file takes away every lock that the process has on it, those of
/// SQLite's connections too (<https://www.sqlite.org/howtocorrupt.html>, 2.2): another process would then take itself for
/// the last user, and remove a log that is still written.
static MAKING: Mutex<()> = Mutex::new(());

/// When what a transaction wrote is on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// When it ends.
    Now,
    /// After the next transaction of a connection that is [`Durability::Now`], or soon.
    Soon,
    /// Nobody cares.
    #[cfg(test)]
    Never,
}

/// Why a file could not be opened.
#[derive(Debug)]
pub(crate) enum OpenError {
    Io(io::Error),
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// Opens the file in write-ahead mode, making it where there is none, for nobody else on the machine to read. The folder
/// must be there.
pub(crate) fn open(path: &Path, durability: Durability) -> Result<Connection, OpenError> {
    make(path).map_err(OpenError::Io)?;
    let db = Connection::open(path)?;
    db.busy_timeout(BUSY_DEADLINE)?;
    write_ahead(&db)?;
    let synchronous = match durability {
        Durability::Now => "FULL",
        Durability::Soon => "NORMAL",
        #[cfg(test)]
        Durability::Never => "OFF",
    };
    db.pragma_update(None, "synchronous", synchronous)?;
    Ok(db)
}

/// Makes an empty file that only its owner may read. One that is there is not touched.
fn make(path: &Path) -> io::Result<()> {
    let _making = MAKING.lock();
    let mut options = OpenOptions::new();
    match options.create_new(true).write(true).mode(0o600).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Of several that give a new file its write-ahead log at once, SQLite refuses all but one without waiting, since each
/// could be in the way of the others.
#[expect(
    clippy::disallowed_methods,
    reason = "what is waited for is other processes, which have no other clock; callers expect this to block"
)]
fn write_ahead(db: &Connection) -> rusqlite::Result<()> {
    let deadline = Instant::now() + BUSY_DEADLINE;
    loop {
        match db.pragma_update(None, "journal_mode", "WAL") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && Instant::now() < deadline =>
            {
                std::thread::sleep(BUSY_PAUSE);
            }
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::sync::Barrier;

    use rusqlite::TransactionBehavior;

    use super::*;

    #[test]
    fn a_new_file_is_opened_by_many_at_once() {
        let folder = tempfile::tempdir().unwrap();
        for round in 0..20 {
            let path = folder.path().join(format!("{round}.db"));
            let start = Barrier::new(8);
            let add = || {
                start.wait();
                add_a_row(&path);
            };
            std::thread::scope(|scope| (0..8).for_each(|_| drop(scope.spawn(add))));
            let db = open(&path, Durability::Never).unwrap();
            let rows: i64 = db
                .query_row("SELECT count(*) FROM t", [], |row| row.get(0))
                .unwrap();
            assert_eq!(rows, 8);
        }
    }

    fn add_a_row(path: &Path) {
        let mut db = open(path, Durability::Never).unwrap();
        let tx = db
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .unwrap();
        tx.execute_batch("CREATE TABLE IF NOT EXISTS t (n); INSERT INTO t VALUES (1)")
            .unwrap();
        tx.commit().unwrap();
    }

    #[test]
    fn the_file_is_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new.db");
        let db = open(&path, Durability::Now).unwrap();
        db.execute_batch("CREATE TABLE t (n)").unwrap();
        for file in std::fs::read_dir(folder.path()).unwrap() {
            let mode = file.unwrap().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    /// Without its lock on the file, another process that ends takes the log away from under this one.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_second_connection_leaves_the_lock_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shared.db");
        let first = open(&path, Durability::Now).unwrap();
        first.execute_batch("CREATE TABLE t (n)").unwrap();
        let inode = std::fs::metadata(&path).unwrap().ino();
        let own = format!(" {} ", std::process::id());
        let file = format!(":{inode} ");
        let locks = || {
            let locks = std::fs::read_to_string("/proc/locks").unwrap();
            locks
                .lines()
                .filter(|line| line.contains(&own) && line.contains(&file))
                .count()
        };
        assert_eq!(locks(), 1);
        let _second = open(&path, Durability::Soon).unwrap();
        assert_eq!(locks(), 1);
    }
}
