//! Which databases a program takes, and what it leaves of those that it does not.

use wharf_store::sql::{Error, Lock, MIGRATIONS, Migration};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;

use super::{names, put};

const FIRST: Migration = MIGRATIONS[0];
const SECOND: Migration = Migration {
    name: "9999_second",
    sql: "CREATE TABLE second (id {bytes} NOT NULL PRIMARY KEY, name {text}) {clustered}; \
          ALTER TABLE setting ADD COLUMN note {text}; UPDATE setting SET note = 'old';",
};
const EDITED: Migration = Migration {
    name: FIRST.name,
    sql: "CREATE TABLE setting (name {text}) {clustered};",
};
const BROKEN: Migration = Migration {
    name: "9999_broken",
    sql: "CREATE TABLE half (id {int} NOT NULL PRIMARY KEY) {clustered}; CREATE nonsense;",
};

const NEWER: &[Migration] = &and(SECOND);
const HALF: &[Migration] = &and(BROKEN);

/// The steps of this program and one more.
const fn and(last: Migration) -> [Migration; MIGRATIONS.len() + 1] {
    let mut all = [last; MIGRATIONS.len() + 1];
    let mut index = 0;
    while index < MIGRATIONS.len() {
        all[index] = MIGRATIONS[index];
        index += 1;
    }
    all
}

both_engines!(
    a_further_step_is_applied_to_what_is_there,
    an_edited_step_is_refused,
    a_newer_database_is_refused,
    a_broken_step_leaves_nothing,
    who_opens_at_the_same_time_migrates_once,
);

async fn open_again(
    db: TestDb,
    migrations: &'static [Migration],
) -> (TestDb, Result<wharf_store::sql::Db, Error>) {
    tokio::task::spawn_blocking(move || {
        let again = db.open_again(migrations);
        (db, again)
    })
    .await
    .unwrap()
}

async fn a_further_step_is_applied_to_what_is_there(db: TestDb) {
    db.write(Lock::None, |tx| put(tx, "a", "b")).await.unwrap();
    let (db, newer) = open_again(db, NEWER).await;
    let newer = newer.unwrap();
    let count = newer.read(|tx| tx.one("SELECT count(*) FROM second", &[], |row| row.int(0)));
    assert_eq!(count.await, Ok(0));
    let note = db.read(|tx| {
        tx.one("SELECT note FROM setting", &[], |row| {
            row.opt_text(0).map(|note| note.map(str::to_owned))
        })
    });
    assert_eq!(note.await.unwrap().as_deref(), Some("old"));
    // The second time there is nothing to do.
    let (_db, newer) = open_again(db, NEWER).await;
    assert_eq!(names(&newer.unwrap()).await, ["a"]);
}

async fn an_edited_step_is_refused(db: TestDb) {
    let (db, refused) = open_again(db, &[EDITED]).await;
    assert!(matches!(refused, Err(Error::Migration(_))), "{refused:?}");
    db.write(Lock::None, |tx| put(tx, "a", "b")).await.unwrap();
}

async fn a_newer_database_is_refused(db: TestDb) {
    let (db, newer) = open_again(db, NEWER).await;
    newer.unwrap();
    let (_db, refused) = open_again(db, MIGRATIONS).await;
    assert!(matches!(refused, Err(Error::Migration(_))), "{refused:?}");
}

async fn a_broken_step_leaves_nothing(db: TestDb) {
    let (db, refused) = open_again(db, HALF).await;
    assert!(matches!(refused, Err(Error::Other(_))), "{refused:?}");
    let (_db, again) = open_again(db, MIGRATIONS).await;
    let tables = tokio::task::spawn_blocking(move || again.unwrap().tables().unwrap());
    assert!(
        !tables
            .await
            .unwrap()
            .iter()
            .any(|table| table.name == "half")
    );
}

async fn who_opens_at_the_same_time_migrates_once(db: TestDb) {
    let db = std::sync::Arc::new(db);
    let opened: Vec<_> = (0..4)
        .map(|_| {
            let db = std::sync::Arc::clone(&db);
            tokio::task::spawn_blocking(move || db.open_again(NEWER).map(drop))
        })
        .collect();
    for opened in opened {
        assert_eq!(opened.await.unwrap(), Ok(()));
    }
    let steps = db.read(|tx| tx.one("SELECT count(*) FROM migration", &[], |row| row.int(0)));
    assert_eq!(
        steps.await,
        Ok(i64::try_from(MIGRATIONS.len() + 1).unwrap())
    );
}
