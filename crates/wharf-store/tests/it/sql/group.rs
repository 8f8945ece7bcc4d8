//! How SQLite's writer shares commits: who is in one, who is answered when, and who is hurt by whom.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};

use tokio::task::JoinHandle;
use wharf_store::sql::{Db, Engine, Error, Lock, Result, SqliteOptions, Stats};
use wharf_testkit::db::{TestDb, run};

use super::{names, put};

/// The writer, kept busy by a job inside a transaction.
struct Held {
    job: JoinHandle<Result<u64>>,
    finish: mpsc::Sender<()>,
    before: Stats,
}

impl Held {
    /// Returns once the writer is inside the job. The job writes one row when it is let go, or fails.
    async fn new(db: &Db, row: &'static str, fails: bool) -> Self {
        let before = db.stats();
        let (started, start) = mpsc::channel();
        let (finish, finished) = mpsc::channel();
        let handle = db.clone();
        let job = tokio::spawn(async move {
            let work = handle.write(Lock::None, move |tx| {
                // Who runs again does not wait again.
                if started.send(()).is_ok() && finished.recv().is_err() {
                    return Err(Error::Closed);
                }
                let written = put(tx, row, "")?;
                if fails {
                    Err(Error::Missing)
                } else {
                    Ok(written)
                }
            });
            work.await
        });
        tokio::task::spawn_blocking(move || start.recv().unwrap())
            .await
            .unwrap();
        Self {
            job,
            finish,
            before,
        }
    }

    /// Waits until `count` jobs are queued behind it.
    async fn queue(&self, db: &Db, count: u64) {
        while db.stats().writes_queued < count {
            tokio::task::yield_now().await;
        }
    }

    /// Lets it go and returns its answer.
    async fn finish(self) -> Result<u64> {
        self.finish.send(()).unwrap();
        self.job.await.unwrap()
    }
}

fn spawn_put(db: &Db, name: String) -> JoinHandle<Result<u64>> {
    let db = db.clone();
    tokio::spawn(async move { db.write(Lock::None, move |tx| put(tx, &name, "")).await })
}

#[test]
fn what_queued_up_shares_one_commit() {
    run(Engine::Sqlite, |db| async move {
        let held = Held::new(&db, "first", false).await;
        let before = held.before;
        let writes: Vec<_> = (0..200)
            .map(|number| spawn_put(&db, number.to_string()))
            .collect();
        held.queue(&db, 200).await;
        assert_eq!(held.finish().await, Ok(1));
        for write in writes {
            assert_eq!(write.await.unwrap(), Ok(1));
        }
        let after = db.stats();
        assert_eq!(after.writes - before.writes, 201);
        assert_eq!(after.commits - before.commits, 1);
    });
}

#[test]
fn a_commit_is_bounded() {
    run(Engine::Sqlite, |db| async move {
        let held = Held::new(&db, "first", false).await;
        let before = held.before;
        let writes: Vec<_> = (0..3000)
            .map(|number| spawn_put(&db, number.to_string()))
            .collect();
        held.queue(&db, 3000).await;
        assert_eq!(held.finish().await, Ok(1));
        for write in writes {
            assert_eq!(write.await.unwrap(), Ok(1));
        }
        let after = db.stats();
        assert_eq!(after.writes - before.writes, 3001);
        assert_eq!(after.commits - before.commits, 3);
    });
}

#[test]
fn nothing_is_acknowledged_before_the_commit() {
    run(Engine::Sqlite, |db| async move {
        let held = Held::new(&db, "first", false).await;
        let early = spawn_put(&db, "early".to_owned());
        held.queue(&db, 1).await;
        // A second one that waits inside the same transaction, behind the early one.
        let (started, start) = mpsc::channel();
        let (finish, finished) = mpsc::channel::<()>();
        let handle = (*db).clone();
        let late = tokio::spawn(async move {
            let work = handle.write(Lock::None, move |tx| {
                started.send(()).unwrap();
                finished.recv().unwrap();
                put(tx, "late", "")
            });
            work.await
        });
        held.queue(&db, 2).await;
        held.finish.send(()).unwrap();
        tokio::task::spawn_blocking(move || start.recv().unwrap())
            .await
            .unwrap();
        // The early one has run, but nobody can see it and it is not answered.
        assert_eq!(names(&db).await, [""; 0]);
        assert!(!early.is_finished());
        assert!(!held.job.is_finished());
        finish.send(()).unwrap();
        assert_eq!(early.await.unwrap(), Ok(1));
        // Whoever has its answer finds it, and what shared its commit.
        assert_eq!(names(&db).await, ["early", "first", "late"]);
        assert_eq!(late.await.unwrap(), Ok(1));
    });
}

#[test]
fn a_job_that_fails_does_not_hurt_its_neighbours() {
    run(Engine::Sqlite, |db| async move {
        // The first one of the transaction fails too.
        let held = Held::new(&db, "first", true).await;
        let before = held.before;
        let jobs: Vec<JoinHandle<Result<i64>>> = (0..40)
            .map(|number| {
                let db = (*db).clone();
                tokio::spawn(async move {
                    let work = db.write(Lock::None, move |tx| {
                        let name = format!("{number:02}");
                        put(tx, &name, "")?;
                        match number % 4 {
                            0 => put(tx, &name, "")?,
                            1 => return Err(Error::Missing),
                            2 => panic!("on purpose"),
                            _ => 0,
                        };
                        tx.one("SELECT count(*) FROM setting", &[], |row| row.int(0))
                    });
                    work.await
                })
            })
            .collect();
        held.queue(&db, 40).await;
        assert_eq!(held.finish().await, Err(Error::Missing));
        let mut kept = 0;
        for (number, job) in jobs.into_iter().enumerate() {
            let answer = job.await.unwrap();
            match number % 4 {
                0 => assert_eq!(answer, Err(Error::Unique)),
                1 => assert_eq!(answer, Err(Error::Missing)),
                2 => assert!(matches!(answer, Err(Error::Panicked(_)))),
                _ => {
                    kept += 1;
                    assert!(matches!(answer, Ok(count) if count <= 10), "{answer:?}");
                }
            }
        }
        let after = db.stats();
        assert_eq!(kept, 10);
        assert_eq!(after.writes - before.writes, 10);
        assert_eq!(after.writes_failed - before.writes_failed, 31);
        assert_eq!(after.commits - before.commits, 1);
        assert!(
            names(&db)
                .await
                .iter()
                .all(|name| name.parse::<u32>().unwrap() % 4 == 3)
        );
    });
}

/// A job that counts how often it runs, and may fail, before it has changed something or after.
fn spawn_counted(
    db: &Db,
    name: String,
    fails_late: Option<bool>,
    count: Arc<AtomicU32>,
) -> JoinHandle<Result<u64>> {
    let work = move |tx: &mut wharf_store::sql::Tx<'_>| {
        count.fetch_add(1, Ordering::SeqCst);
        if fails_late == Some(false) {
            return Err(Error::Missing);
        }
        let written = put(tx, &name, "")?;
        fails_late.map_or(Ok(written), |_| Err(Error::Missing))
    };
    let db = db.clone();
    tokio::spawn(async move { db.write(Lock::None, work).await })
}

#[test]
fn jobs_run_again_only_where_one_failed_after_a_change() {
    for (fails_late, runs) in [(false, [1, 1, 1]), (true, [2, 2, 1])] {
        run(Engine::Sqlite, move |db| async move {
            let held = Held::new(&db, "first", false).await;
            let counted: [Arc<AtomicU32>; 3] = std::array::from_fn(|_| Arc::default());
            let mut jobs = Vec::new();
            for (number, count) in counted.iter().enumerate() {
                let fails = (number == 1).then_some(fails_late);
                jobs.push(spawn_counted(
                    &db,
                    number.to_string(),
                    fails,
                    Arc::clone(count),
                ));
                held.queue(&db, number as u64 + 1).await;
            }
            assert_eq!(held.finish().await, Ok(1));
            let mut answers = Vec::new();
            for job in jobs {
                answers.push(job.await.unwrap());
            }
            assert_eq!(answers, [Ok(1), Err(Error::Missing), Ok(1)]);
            assert_eq!(names(&db).await, ["0", "2", "first"]);
            let ran = counted.map(|count| count.load(Ordering::SeqCst));
            assert_eq!(ran, runs, "{fails_late}");
        });
    }
}

#[test]
fn who_fills_the_disk_fails_alone() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions {
        pages_max: Some(300),
        ..SqliteOptions::new(folder.path().join("wharf.db"))
    };
    runtime.block_on(async {
        let db = Db::open_sqlite(&options).unwrap();
        let held = Held::new(&db, "first", false).await;
        let large = "x".repeat(3_000_000);
        let before = spawn_put(&db, "before".to_owned());
        held.queue(&db, 1).await;
        let handle = db.clone();
        let filler = tokio::spawn(async move {
            handle
                .write(Lock::None, move |tx| put(tx, "filler", &large))
                .await
        });
        held.queue(&db, 2).await;
        let after = spawn_put(&db, "after".to_owned());
        held.queue(&db, 3).await;
        assert_eq!(held.finish().await, Ok(1));
        assert_eq!(filler.await.unwrap(), Err(Error::Full));
        assert_eq!(before.await.unwrap(), Ok(1));
        assert_eq!(after.await.unwrap(), Ok(1));
        // The database goes on.
        assert!(!db.stats().is_failed);
        db.write(Lock::None, |tx| put(tx, "later", ""))
            .await
            .unwrap();
        assert_eq!(names(&db).await, ["after", "before", "first", "later"]);
        tokio::task::spawn_blocking(move || db.close())
            .await
            .unwrap();
    });
}

#[test]
fn the_log_stays_short_under_steady_writes() {
    run(Engine::Sqlite, |db: TestDb| async move {
        db.write(Lock::None, |tx| put(tx, "large", ""))
            .await
            .unwrap();
        let mut pages_max = 0;
        // 300 MiB go through the log in all.
        for number in 0..300_u16 {
            let value = char::from(b"ab"[usize::from(number % 2)])
                .to_string()
                .repeat(1024 * 1024);
            db.write(Lock::None, move |tx| {
                tx.exec(
                    "UPDATE setting SET value = ?1 WHERE name = 'large'",
                    &[(&value).into()],
                )
            })
            .await
            .unwrap();
            pages_max = pages_max.max(db.stats().wal_pages);
        }
        assert!(pages_max < 16 * 1024, "{pages_max} pages of 4 KiB");
        let log = std::fs::metadata(db.path().with_extension("db-wal")).unwrap();
        assert!(log.len() < 64 * 1024 * 1024, "{} bytes", log.len());
    });
}
