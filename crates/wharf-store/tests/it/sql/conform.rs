//! The subset of SQL that both engines understand alike, and the rules of transactions.

use wharf_store::sql::{Error, Lock, Result};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;

both_engines!(what_was_written_is_read_back, a_failed_write_leaves_nothing);

async fn what_was_written_is_read_back(db: TestDb) {
    db.write(Lock::Global, |tx| {
        tx.exec(
            "INSERT INTO setting (name, value) VALUES (?1, ?2)",
            &["epoch".into(), "é".into()],
        )
    })
    .await
    .unwrap();
    let value = db
        .read(|tx| {
            tx.one(
                "SELECT value FROM setting WHERE name = ?1",
                &["epoch".into()],
                |row| row.text(0).map(str::to_owned),
            )
        })
        .await
        .unwrap();
    assert_eq!(value, "é");
}

async fn a_failed_write_leaves_nothing(db: TestDb) {
    let failed: Result<()> = db
        .write(Lock::Global, |tx| {
            tx.exec("INSERT INTO setting (name, value) VALUES ('a', 'b')", &[])?;
            Err(Error::Missing)
        })
        .await;
    assert_eq!(failed, Err(Error::Missing));
    let count = db
        .read(|tx| tx.one("SELECT count(*) FROM setting", &[], |row| row.int(0)))
        .await;
    assert_eq!(count, Ok(0));
}
