//! How fast the database is: `cargo run --release -p wharf-store --example sql_speed [FOLDER | POSTGRES-URL]`.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measurement for people"
)]

use std::time::{Duration, Instant};

use wharf_store::sql::{Db, Lock, PostgresOptions, Result, SqliteOptions};

const STATEMENTS: u64 = 50_000;
const WRITERS: u64 = 64;
const READERS: u64 = 16;
const SECONDS: u64 = 3;

#[tokio::main]
async fn main() {
    let place = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let mut file = None;
    let db = if place.contains("dbname=") || place.starts_with("postgres") {
        Db::open_postgres(&PostgresOptions::new(place)).unwrap()
    } else {
        let folder = tempfile::tempdir_in(place).unwrap();
        let db = Db::open_sqlite(&SqliteOptions::new(folder.path().join("speed.db"))).unwrap();
        file = Some(folder);
        db
    };
    big_job(&db, "insert a chunk", |tx, number| {
        let hash = blake3::hash(&number.to_le_bytes());
        tx.exec(
            "INSERT INTO chunk (hash, segment_id, offset_bytes, stored_bytes, bytes, codec, scope_id, ref_count, touched_ms) \
             VALUES (?1, ?2, ?3, 1000, 1000, 0, ?4, 0, 0)",
            &[hash.as_bytes().into(), (&[1; 16]).into(), number.into(), (&[2; 16]).into()],
        )
    })
    .await;
    big_job(&db, "refer to a chunk", |tx, number| {
        let hash = blake3::hash(&number.to_le_bytes());
        tx.exec(
            "UPDATE chunk SET ref_count = ref_count + 1 WHERE hash = ?1 AND bytes = ?2",
            &[hash.as_bytes().into(), 1000_u32.into()],
        )
    })
    .await;
    big_job(&db, "look up a chunk", |tx, number| {
        let hash = blake3::hash(&number.to_le_bytes());
        tx.one(
            "SELECT bytes FROM chunk WHERE hash = ?1",
            &[hash.as_bytes().into()],
            |row| row.uint(0),
        )
    })
    .await;
    small_writes(&db).await;
    small_reads(&db).await;
    println!("{:?}", db.stats());
    db.close();
    drop(file);
}

async fn big_job(
    db: &Db,
    what: &str,
    statement: impl Fn(&mut wharf_store::sql::Tx<'_>, u64) -> Result<u64> + Send + 'static,
) {
    let start = Instant::now();
    db.write(Lock::None, move |tx| {
        for number in 0..STATEMENTS {
            statement(tx, number)?;
        }
        Ok::<(), wharf_store::sql::Error>(())
    })
    .await
    .unwrap();
    let rate = per_second(STATEMENTS, start.elapsed());
    println!("{what}: {rate} statements/s in one job of {STATEMENTS}");
}

async fn small_writes(db: &Db) {
    let before = db.stats();
    let start = Instant::now();
    let tasks: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let db = db.clone();
            tokio::spawn(async move {
                let mut number = 0_u64;
                while start.elapsed() < Duration::from_secs(SECONDS) {
                    number += 1;
                    let name = format!("{writer}-{number}");
                    db.write(Lock::None, move |tx| {
                        tx.exec(
                            "INSERT INTO setting (name, value) VALUES (?1, ?2)",
                            &[(&name).into(), "value".into()],
                        )
                    })
                    .await
                    .unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let after = db.stats();
    let (writes, commits) = (after.writes - before.writes, after.commits - before.commits);
    println!(
        "{WRITERS} writers: {} durable writes/s, {} writes a commit, {} commits/s",
        per_second(writes, start.elapsed()),
        writes / commits.max(1),
        per_second(commits, start.elapsed()),
    );
}

async fn small_reads(db: &Db) {
    let start = Instant::now();
    let tasks: Vec<_> = (0..READERS)
        .map(|reader| {
            let db = db.clone();
            tokio::spawn(async move {
                let mut number = reader;
                while start.elapsed() < Duration::from_secs(SECONDS) {
                    number = (number + READERS) % STATEMENTS;
                    let hash = blake3::hash(&number.to_le_bytes());
                    db.read(move |tx| {
                        tx.one(
                            "SELECT bytes FROM chunk WHERE hash = ?1",
                            &[hash.as_bytes().into()],
                            |row| row.uint(0),
                        )
                    })
                    .await
                    .unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    println!(
        "{READERS} readers: {} reads/s",
        per_second(db.stats().reads, start.elapsed())
    );
}

fn per_second(count: u64, time: Duration) -> u128 {
    u128::from(count) * 1000 / time.as_millis().max(1)
}
