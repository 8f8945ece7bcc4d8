//! A database that is opened for reading alone, as by a check beside the running server.

use wharf_store::sql::{Error, Lock, Result, Tx};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;

both_engines!(
    a_reader_beside_the_writer_sees_commits_and_writes_nothing,
    a_database_without_the_schema_is_not_read
);

async fn a_reader_beside_the_writer_sees_commits_and_writes_nothing(db: TestDb) {
    let reader = db.open_to_read().unwrap();
    db.write(Lock::Global, put).await.unwrap();
    assert_eq!(reader.read(count).await, Ok(1));
    assert_eq!(reader.write(Lock::Global, put).await, Err(Error::Closed));
    assert!(reader.read(put).await.is_err());
    assert_eq!(db.read(count).await, Ok(1));
    reader.close();
}

async fn a_database_without_the_schema_is_not_read(db: TestDb) {
    db.write(Lock::Global, |tx| tx.exec("DELETE FROM migration", &[]))
        .await
        .unwrap();
    assert!(matches!(db.open_to_read(), Err(Error::Migration(_))));
}

fn put(tx: &mut Tx<'_>) -> Result<u64> {
    tx.exec("INSERT INTO setting (name, value) VALUES ('a', 'b')", &[])
}

fn count(tx: &mut Tx<'_>) -> Result<i64> {
    tx.one("SELECT count(*) FROM setting", &[], |row| row.int(0))
}
