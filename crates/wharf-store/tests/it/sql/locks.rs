//! What writes exclude, what reads see, and what an error leaves.

use std::sync::mpsc;

use wharf_store::sql::{Error, Lock, Result, Tx};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::RoomId;

use super::{names, put};

both_engines!(
    an_error_ends_the_transaction,
    an_err_undoes_what_was_written,
    a_contended_counter_counts_every_write,
    a_room_is_written_by_one_at_a_time,
    rooms_are_locked_in_any_order,
    workers_claim_each_job_once,
    a_reader_sees_one_moment,
    writers_in_each_others_way_both_get_on,
    a_dropped_future_is_no_undo,
    a_panic_stays_in_its_job,
    blocking_calls_need_no_runtime,
    what_was_written_is_there_after_a_restart,
    a_closed_database_says_so,
);

async fn an_error_ends_the_transaction(db: TestDb) {
    let written: Result<()> = db
        .write(Lock::Global, |tx| {
            put(tx, "a", "1")?;
            assert_eq!(put(tx, "a", "2"), Err(Error::Unique));
            assert_eq!(put(tx, "b", "3"), Err(Error::Poisoned));
            let read = tx.one("SELECT count(*) FROM setting", &[], |row| row.int(0));
            assert_eq!(read, Err(Error::Poisoned));
            // The work does not mind, but its first row must not be kept without the others.
            Ok(())
        })
        .await;
    assert_eq!(written, Err(Error::Poisoned));
    assert_eq!(names(&db).await, [""; 0]);
    assert_eq!(db.stats().writes, 0);
}

async fn an_err_undoes_what_was_written(db: TestDb) {
    let failed: Result<()> = db
        .write(Lock::Global, |tx| {
            put(tx, "a", "b")?;
            Err(Error::Missing)
        })
        .await;
    assert_eq!(failed, Err(Error::Missing));
    assert_eq!(names(&db).await, [""; 0]);
}

/// Reads and writes a counter in two statements, which only the lock keeps together.
async fn count_up(db: &TestDb, lock: Lock) {
    db.write(Lock::None, |tx| put(tx, "counter", "0"))
        .await
        .unwrap();
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let (db, lock) = ((**db).clone(), lock.clone());
            tokio::spawn(async move {
                db.write(lock, |tx| {
                    let count = tx.one("SELECT value FROM setting", &[], |row| {
                        Ok(row.text(0)?.parse::<u32>().unwrap())
                    })?;
                    tx.exec(
                        "UPDATE setting SET value = ?1",
                        &[(&(count + 1).to_string()).into()],
                    )
                })
                .await
                .unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let count = db.read(|tx| {
        tx.one("SELECT value FROM setting", &[], |row| {
            row.text(0).map(str::to_owned)
        })
    });
    assert_eq!(count.await.unwrap(), "100");
}

async fn a_contended_counter_counts_every_write(db: TestDb) {
    count_up(&db, Lock::Global).await;
    assert_eq!(
        db.stats().retries,
        0,
        "the lock leaves nothing to try again"
    );
}

async fn a_room_is_written_by_one_at_a_time(db: TestDb) {
    count_up(&db, Lock::Room(RoomId::from_bytes([9; 16]))).await;
}

async fn rooms_are_locked_in_any_order(db: TestDb) {
    let rooms = [1, 2, 3].map(|byte| RoomId::from_bytes([byte; 16]));
    let tasks: Vec<_> = (0..60)
        .map(|number| {
            let db = (*db).clone();
            let mut rooms = rooms.to_vec();
            rooms.rotate_left(number % 3);
            // The same room twice is locked once.
            rooms.push(rooms[0]);
            tokio::spawn(async move {
                db.write(Lock::Rooms(rooms), move |tx| {
                    put(tx, &number.to_string(), "")
                })
                .await
            })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), Ok(1));
    }
    assert_eq!(db.stats().retries, 0);
}

async fn workers_claim_each_job_once(db: TestDb) {
    db.write(Lock::None, |tx| {
        for number in 0..40 {
            tx.exec(
                "INSERT INTO attempt (subject, window_ms, failed_count) VALUES (?1, 0, 0)",
                &[(&format!("job {number}")).into()],
            )?;
        }
        Ok::<_, Error>(())
    })
    .await
    .unwrap();
    let workers: Vec<_> = (1..=8_i64)
        .map(|worker| {
            let db = (*db).clone();
            tokio::spawn(async move {
                let mut claimed = Vec::new();
                loop {
                    let claim = db.write(Lock::None, move |tx| {
                        let claimed = tx.opt(
                            "UPDATE attempt SET window_ms = ?1 WHERE window_ms = 0 AND subject = \
                             (SELECT subject FROM attempt WHERE window_ms = 0 ORDER BY subject LIMIT 1) \
                             RETURNING subject",
                            &[worker.into()],
                            |row| row.text(0).map(str::to_owned),
                        )?;
                        let left = tx.one("SELECT count(*) FROM attempt WHERE window_ms = 0", &[], |row| row.int(0))?;
                        Ok::<_, Error>((claimed, left))
                    });
                    match claim.await.unwrap() {
                        (Some(job), _) => claimed.push(job),
                        // Another worker was quicker with that one.
                        (None, left) if left > 0 => {}
                        (None, _) => return claimed,
                    }
                }
            })
        })
        .collect();
    let mut claimed = Vec::new();
    for worker in workers {
        claimed.extend(worker.await.unwrap());
    }
    claimed.sort();
    claimed.dedup();
    assert_eq!(claimed.len(), 40);
    let unclaimed = db.read(|tx| {
        tx.one(
            "SELECT count(*) FROM attempt WHERE window_ms = 0",
            &[],
            |row| row.int(0),
        )
    });
    assert_eq!(unclaimed.await, Ok(0));
}

async fn a_reader_sees_one_moment(db: TestDb) {
    let (started, start) = mpsc::channel();
    let (finish, finished) = mpsc::channel::<()>();
    let reader = {
        let db = (*db).clone();
        tokio::spawn(async move {
            db.read(move |tx| {
                let count =
                    |tx: &mut Tx<'_>| tx.one("SELECT count(*) FROM setting", &[], |row| row.int(0));
                let before = count(tx)?;
                started.send(()).unwrap();
                finished.recv().unwrap();
                Ok::<_, Error>((before, count(tx)?))
            })
            .await
        })
    };
    tokio::task::spawn_blocking(move || start.recv().unwrap())
        .await
        .unwrap();
    db.write(Lock::None, |tx| put(tx, "a", "b")).await.unwrap();
    finish.send(()).unwrap();
    assert_eq!(reader.await.unwrap(), Ok((0, 0)));
    assert_eq!(names(&db).await, ["a"]);
}

fn lengthen(tx: &mut Tx<'_>, names: [&str; 2]) -> Result<u64> {
    let mut rows = 0;
    for name in names {
        rows += tx.exec(
            "UPDATE setting SET value = value || 'x' WHERE name = ?1",
            &[name.into()],
        )?;
    }
    Ok(rows)
}

/// Two writers update the same two rows in opposite order: on PostgreSQL one of them meets a deadlock and runs again.
async fn writers_in_each_others_way_both_get_on(db: TestDb) {
    db.write(Lock::None, |tx| {
        put(tx, "a", "")?;
        put(tx, "b", "")
    })
    .await
    .unwrap();
    let tasks: Vec<_> = [["a", "b"], ["b", "a"]]
        .into_iter()
        .map(|order| {
            let db = (*db).clone();
            tokio::spawn(async move {
                for _ in 0..50 {
                    let updated = db.write(Lock::None, move |tx| lengthen(tx, order));
                    assert_eq!(updated.await, Ok(2));
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let lengths = db.read(|tx| {
        tx.all(
            "SELECT CAST(length(value) AS BIGINT) FROM setting",
            &[],
            |row| row.int(0),
        )
    });
    assert_eq!(lengths.await.unwrap(), [100, 100]);
}

async fn a_dropped_future_is_no_undo(db: TestDb) {
    let (started, start) = mpsc::channel();
    let (finish, finished) = mpsc::channel::<()>();
    let handle = (*db).clone();
    let asker = tokio::spawn(async move {
        let write = handle.write(Lock::Global, move |tx| {
            started.send(()).unwrap();
            finished.recv().unwrap();
            put(tx, "a", "b")
        });
        write.await
    });
    tokio::task::spawn_blocking(move || start.recv().unwrap())
        .await
        .unwrap();
    asker.abort();
    assert!(asker.await.unwrap_err().is_cancelled());
    finish.send(()).unwrap();
    // The lock orders this after it.
    db.write(Lock::Global, |tx| put(tx, "c", "d"))
        .await
        .unwrap();
    assert_eq!(names(&db).await, ["a", "c"]);
}

async fn a_panic_stays_in_its_job(db: TestDb) {
    for _ in 0..20 {
        let panicked: Result<()> = db
            .write(Lock::Global, |tx| {
                put(tx, "a", "b")?;
                panic!("on purpose");
            })
            .await;
        assert_eq!(panicked, Err(Error::Panicked("on purpose".into())));
        let panicked: Result<()> = db.read(|_| panic!("on {}", "purpose")).await;
        assert_eq!(panicked, Err(Error::Panicked("on purpose".into())));
    }
    db.write(Lock::Global, |tx| put(tx, "c", "d"))
        .await
        .unwrap();
    assert_eq!(names(&db).await, ["c"]);
}

async fn blocking_calls_need_no_runtime(db: TestDb) {
    let thread = std::thread::spawn(move || {
        db.write_blocking(Lock::Global, |tx| put(tx, "a", "b"))
            .unwrap();
        db.read_blocking(|tx| tx.one("SELECT count(*) FROM setting", &[], |row| row.int(0)))
    });
    assert_eq!(thread.join().unwrap(), Ok(1));
}

async fn what_was_written_is_there_after_a_restart(mut db: TestDb) {
    db.write(Lock::Global, |tx| put(tx, "a", "b"))
        .await
        .unwrap();
    let db = tokio::task::spawn_blocking(move || {
        db.reopen();
        db
    });
    assert_eq!(names(&db.await.unwrap()).await, ["a"]);
}

async fn a_closed_database_says_so(db: TestDb) {
    let writes: Vec<_> = (0..20)
        .map(|number| {
            let db = (*db).clone();
            tokio::spawn(async move {
                db.write(Lock::Global, move |tx| put(tx, &number.to_string(), ""))
                    .await
            })
        })
        .collect();
    let closing = (*db).clone();
    tokio::task::spawn_blocking(move || closing.close())
        .await
        .unwrap();
    for write in writes {
        // Each was either let in, and then done, or told.
        let answer = write.await.unwrap();
        assert!(matches!(answer, Ok(1) | Err(Error::Closed)), "{answer:?}");
    }
    assert_eq!(
        db.write(Lock::Global, |tx| put(tx, "a", "b")).await,
        Err(Error::Closed)
    );
    let read = db
        .read(|tx| tx.one("SELECT 1", &[], |row| row.int(0)))
        .await;
    assert_eq!(read, Err(Error::Closed));
}
