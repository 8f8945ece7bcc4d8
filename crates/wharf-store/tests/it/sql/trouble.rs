//! Disks that fail and servers that die.

use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::path::Path;
use std::sync::mpsc;

use wharf_store::sql::{Db, Error, Lock, PostgresOptions, Result, SqliteOptions};
use wharf_testkit::postgres::PostgresServer;

use super::{names, put};

/// Puts another file in the place of the log that the connections of this process have open, and keeps the log.
#[expect(
    unsafe_code,
    reason = "only the system can do this to a connection of SQLite's"
)]
fn swap_log(path: &Path, other: &File) -> Vec<(RawFd, OwnedFd)> {
    let log = path.with_extension("db-wal");
    let mut kept = Vec::new();
    for entry in std::fs::read_dir("/proc/self/fd").unwrap().flatten() {
        if std::fs::read_link(entry.path()).is_ok_and(|target| target == log) {
            let number: RawFd = entry.file_name().to_str().unwrap().parse().unwrap();
            // SAFETY: both descriptors are open, and the copy is owned by nobody else.
            let copy = unsafe { OwnedFd::from_raw_fd(libc::dup(number)) };
            // SAFETY: as above; SQLite goes on using the number, which stays open.
            assert_eq!(unsafe { libc::dup2(other.as_raw_fd(), number) }, number);
            kept.push((number, copy));
        }
    }
    assert!(!kept.is_empty(), "nobody has {} open", log.display());
    kept
}

#[expect(unsafe_code, reason = "undoes swap_log")]
fn restore_log(kept: Vec<(RawFd, OwnedFd)>) {
    for (number, copy) in kept {
        // SAFETY: both descriptors are open.
        assert_eq!(unsafe { libc::dup2(copy.as_raw_fd(), number) }, number);
    }
}

fn open_file(folder: &Path) -> (SqliteOptions, Db) {
    let options = SqliteOptions::new(folder.canonicalize().unwrap().join("wharf.db"));
    let db = Db::open_sqlite(&options).unwrap();
    (options, db)
}

/// After a commit that failed on the disk nothing more is accepted, and a restart finds all that was acknowledged.
fn a_broken_log_ends_it(other: &File) {
    let folder = tempfile::tempdir().unwrap();
    let (options, db) = open_file(folder.path());
    db.write_blocking(Lock::None, |tx| put(tx, "acknowledged", ""))
        .unwrap();
    let kept = swap_log(&options.path, other);
    let lost = db.write_blocking(Lock::None, |tx| put(tx, "lost", ""));
    assert!(matches!(lost, Err(Error::Failed(_))), "{lost:?}");
    restore_log(kept);
    // The disk seems to work again, but nobody knows what it holds.
    let refused = db.write_blocking(Lock::None, |tx| put(tx, "later", ""));
    assert!(matches!(refused, Err(Error::Failed(_))), "{refused:?}");
    let read = db.read_blocking(|tx| tx.one("SELECT 1", &[], |row| row.int(0)));
    assert!(matches!(read, Err(Error::Failed(_))), "{read:?}");
    assert!(db.stats().is_failed);
    db.close();
    let db = Db::open_sqlite(&options).unwrap();
    let kept = db.read_blocking(|tx| {
        tx.all("SELECT name FROM setting", &[], |row| {
            row.text(0).map(str::to_owned)
        })
    });
    assert_eq!(kept.unwrap(), ["acknowledged"]);
    assert_eq!(db.check().unwrap(), [""; 0]);
    db.close();
}

#[test]
fn a_failed_fsync_is_the_end() {
    // Takes every write and cannot be synced.
    a_broken_log_ends_it(&File::options().write(true).open("/dev/null").unwrap());
}

#[test]
fn a_failed_write_at_the_commit_is_the_end() {
    // Cannot be written.
    a_broken_log_ends_it(&File::open("/dev/null").unwrap());
}

#[test]
fn a_full_disk_at_the_commit_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let (options, db) = open_file(folder.path());
    db.write_blocking(Lock::None, |tx| put(tx, "before", ""))
        .unwrap();
    // Closed and opened, so that the log is empty and nothing is read from what takes its place.
    db.close();
    let db = Db::open_sqlite(&options).unwrap();
    let kept = swap_log(
        &options.path,
        &File::options().write(true).open("/dev/full").unwrap(),
    );
    for _ in 0..3 {
        let refused = db.write_blocking(Lock::None, |tx| put(tx, "refused", ""));
        assert_eq!(refused, Err(Error::Full));
    }
    restore_log(kept);
    db.write_blocking(Lock::None, |tx| put(tx, "after", ""))
        .unwrap();
    assert!(!db.stats().is_failed);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    assert_eq!(runtime.block_on(names(&db)), ["after", "before"]);
    db.close();
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wharf.db");
    std::fs::write(
        &path,
        "this is not a database, it only looks so".repeat(100),
    )
    .unwrap();
    let refused = Db::open_sqlite(&SqliteOptions::new(&path));
    assert!(matches!(refused, Err(Error::Corrupt(_))), "{refused:?}");
    let refused = Db::open_sqlite(&SqliteOptions::new(folder.path().join("missing/wharf.db")));
    assert!(matches!(refused, Err(Error::Other(_))), "{refused:?}");
}

fn open_database(server: &PostgresServer, name: &str) -> (String, Db) {
    let url = server.create_database(name).unwrap();
    let db = Db::open_postgres(&PostgresOptions {
        writers: 2,
        readers: 2,
        ..PostgresOptions::new(&url)
    });
    (url, db.unwrap())
}

#[test]
fn a_server_that_died_is_found_again() {
    let server = PostgresServer::private().unwrap();
    let (url, db) = open_database(&server, "wharf");
    db.write_blocking(Lock::Global, |tx| put(tx, "before", ""))
        .unwrap();
    db.read_blocking(|tx| tx.one("SELECT 1", &[], |row| row.int(0)))
        .unwrap();
    server.kill().unwrap();
    let refused = db.write_blocking(Lock::Global, |tx| put(tx, "meanwhile", ""));
    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    let refused = db.read_blocking(|tx| tx.one("SELECT 1", &[], |row| row.int(0)));
    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    let refused = Db::open_postgres(&PostgresOptions::new(&url));
    assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
    server.start().unwrap();
    for number in 0..8 {
        let name = format!("after {number}");
        assert_eq!(
            db.write_blocking(Lock::Global, move |tx| put(tx, &name, "")),
            Ok(1)
        );
    }
    let count =
        db.read_blocking(|tx| tx.one("SELECT count(*) FROM setting", &[], |row| row.int(0)));
    assert_eq!(count, Ok(9));
    db.close();
}

/// Runs a statement beside the database's own connections.
fn administer(url: &str, sql: &str) {
    postgres::Client::connect(url, postgres::NoTls)
        .unwrap()
        .batch_execute(sql)
        .unwrap();
}

#[test]
fn a_connection_lost_before_the_commit_is_tried_again() {
    let server = PostgresServer::shared().unwrap();
    let name = format!("test_{}", uuid::Uuid::now_v7().simple());
    let (url, db) = open_database(&server, &name);
    let (started, start) = mpsc::channel();
    let (finish, finished) = mpsc::channel::<()>();
    let handle = db.clone();
    let job = std::thread::spawn(move || -> Result<u64> {
        let mut attempts = 0;
        handle.write_blocking(Lock::Global, move |tx| {
            attempts += 1;
            put(tx, "first", "")?;
            if attempts == 1 {
                started.send(()).unwrap();
                finished.recv().unwrap();
            }
            put(tx, "second", "")?;
            Ok::<_, Error>(attempts)
        })
    });
    start.recv().unwrap();
    administer(
        &url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    finish.send(()).unwrap();
    assert_eq!(job.join().unwrap(), Ok(2));
    assert_eq!(db.stats().retries, 1);
    let count =
        db.read_blocking(|tx| tx.one("SELECT count(*) FROM setting", &[], |row| row.int(0)));
    assert_eq!(count, Ok(2));
    db.close();
    server.drop_database(&name).unwrap();
}

#[test]
fn a_connection_lost_during_the_commit_leaves_it_open() {
    let server = PostgresServer::shared().unwrap();
    let name = format!("test_{}", uuid::Uuid::now_v7().simple());
    let (url, db) = open_database(&server, &name);
    // The server ends the connection while it commits.
    administer(
        &url,
        "CREATE FUNCTION hang_up() RETURNS trigger LANGUAGE plpgsql AS \
         'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'; \
         CREATE CONSTRAINT TRIGGER hang_up AFTER INSERT ON setting DEFERRABLE INITIALLY DEFERRED \
         FOR EACH ROW EXECUTE FUNCTION hang_up()",
    );
    let open = db.write_blocking(Lock::Global, |tx| put(tx, "a", ""));
    assert_eq!(open, Err(Error::Uncertain));
    administer(&url, "DROP TRIGGER hang_up ON setting");
    assert_eq!(
        db.write_blocking(Lock::Global, |tx| put(tx, "a", "")),
        Ok(1)
    );
    db.close();
    server.drop_database(&name).unwrap();
}
