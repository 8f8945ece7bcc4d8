//! Backups, copies between engines, and the search for damage.

use wharf_store::sql::{
    Db, Engine, Error, Kind, Lock, MIGRATIONS, Result, SqliteOptions, Table, Tx,
};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;

use super::put;

both_engines!(
    a_backup_holds_every_row,
    a_backup_is_of_one_moment,
    a_backup_overwrites_nothing,
    a_sound_database_has_nothing_to_report,
);

/// Rows in tables that refer to one another, with NULLs and empty values, and enough of them for many batches.
fn fill(tx: &mut Tx<'_>) -> Result<()> {
    let (account, room) = ([1; 16], [2; 16]);
    tx.exec(
        "INSERT INTO account (id, number, username, username_key, nickname, password_hash, role, locked, home_id, \
         quota_bytes, used_bytes, created_ms) VALUES (?1, 100001, 'Zoë', 'zoë', '', '-', 'operator', 0, ?2, 0, 0, -5)",
        &[(&account).into(), (&room).into()],
    )?;
    tx.exec(
        "INSERT INTO room (id, kind, owner_id, root_id, trash_id, drive_head, used_bytes, revision_days, trash_days, \
         created_ms) VALUES (?1, 'personal', ?2, ?1, ?1, 0, 0, 30, 30, 0)",
        &[(&room).into(), (&account).into()],
    )?;
    for number in 0..3000_u32 {
        let hash = blake3::hash(&number.to_le_bytes());
        let (text, bytes) = (format!("{hash}'\"?1"), hash.as_bytes());
        put(tx, &text, "a value\nof two lines")?;
        tx.exec(
            "INSERT INTO change (room_id, position, node_id, kind, at_ms, name, node_kind, mtime_ns, manifest) \
             VALUES (?1, ?2, ?1, 0, 0, '', 1, ?3, ?4)",
            &[
                (&room).into(),
                number.into(),
                (number % 2 == 0).then_some(i64::MIN).into(),
                (number % 3 == 0).then_some(&bytes[..(number % 33) as usize]).into(),
            ],
        )?;
    }
    Ok(())
}

/// Everything, in an order that the engines share.
fn dump(db: &Db) -> Vec<String> {
    let mut tables = db.tables().unwrap();
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    tables
        .iter()
        .flat_map(|table| dump_table(db, table))
        .collect()
}

fn dump_table(db: &Db, table: &Table) -> Vec<String> {
    let columns = table.columns.clone();
    let names: Vec<_> = columns
        .iter()
        .map(|column| format!("\"{}\"", column.name))
        .collect();
    let sql: &'static str = format!("SELECT {} FROM \"{}\"", names.join(", "), table.name).leak();
    let rows = db.read_blocking(move |tx| {
        tx.all(sql, &[], |row| {
            let values = columns
                .iter()
                .enumerate()
                .map(|(index, column)| match column.kind {
                    Kind::Int => Ok(format!("{:?}", row.opt_int(index)?)),
                    Kind::Text => Ok(format!("{:?}", row.opt_text(index)?)),
                    Kind::Bytes => Ok(format!("{:?}", row.opt_bytes(index)?)),
                });
            Ok(values.collect::<Result<Vec<_>>>()?.join("|"))
        })
    });
    let mut rows: Vec<_> = rows
        .unwrap()
        .iter()
        .map(|row| format!("{}: {row}", table.name))
        .collect();
    rows.sort();
    rows
}

fn copied(from: Engine, to: Engine) {
    let (source, target) = (TestDb::open(from), TestDb::open(to));
    source.write_blocking(Lock::Global, fill).unwrap();
    assert_eq!(source.copy_to(&target), Ok(6002));
    let (sent, arrived) = (dump(&source), dump(&target));
    assert_eq!(sent.len(), 6002 + MIGRATIONS.len(), "and the migrations");
    assert!(sent == arrived);
}

#[test]
fn from_sqlite_to_postgres() {
    copied(Engine::Sqlite, Engine::Postgres);
}

#[test]
fn from_postgres_to_sqlite() {
    copied(Engine::Postgres, Engine::Sqlite);
}

#[test]
fn a_target_with_rows_is_refused_and_left_alone() {
    for to in [Engine::Sqlite, Engine::Postgres] {
        let (source, target) = (TestDb::open(Engine::Sqlite), TestDb::open(to));
        source.write_blocking(Lock::Global, fill).unwrap();
        target
            .write_blocking(Lock::Global, |tx| put(tx, "mine", ""))
            .unwrap();
        let before = dump(&target);
        let refused = source.copy_to(&target);
        assert!(matches!(refused, Err(Error::Other(_))), "{refused:?}");
        assert_eq!(dump(&target), before);
    }
}

async fn a_backup_holds_every_row(db: TestDb) {
    let check = move || {
        db.write_blocking(Lock::Global, fill).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("backup.db");
        db.backup_to(&path).unwrap();
        let files: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .flatten()
            .collect();
        assert_eq!(files.len(), 1, "one file is the whole of it: {files:?}");
        let backup = Db::open_sqlite(&SqliteOptions::new(&path)).unwrap();
        assert!(dump(&backup) == dump(&db));
        assert_eq!(backup.check().unwrap(), [""; 0]);
        backup.close();
    };
    tokio::task::spawn_blocking(check).await.unwrap();
}

/// A writer keeps two rows equal; every backup taken meanwhile has them so, and the writer is not stopped.
async fn a_backup_is_of_one_moment(db: TestDb) {
    db.write(Lock::Global, |tx| {
        fill(tx)?;
        put(tx, "left", "0")?;
        put(tx, "right", "0")
    })
    .await
    .unwrap();
    let handle = (*db).clone();
    let backups = tokio::task::spawn_blocking(move || {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..3 {
            let path = folder.path().join(format!("{number}.db"));
            handle.backup_to(&path).unwrap();
            let backup = Db::open_sqlite(&SqliteOptions::new(&path)).unwrap();
            let sides = backup.read_blocking(|tx| {
                tx.all(
                    "SELECT value FROM setting WHERE name IN ('left', 'right')",
                    &[],
                    |row| row.text(0).map(str::to_owned),
                )
            });
            let sides = sides.unwrap();
            assert_eq!(sides[0], sides[1]);
            backup.close();
        }
    });
    let mut writes = 0;
    while !backups.is_finished() {
        writes += 1;
        let value = writes.to_string();
        db.write(Lock::Global, move |tx| {
            for side in ["left", "right"] {
                tx.exec(
                    "UPDATE setting SET value = ?1 WHERE name = ?2",
                    &[(&value).into(), side.into()],
                )?;
            }
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
    }
    backups.await.unwrap();
    assert!(writes > 3, "{writes} writes while three backups were taken");
}

async fn a_backup_overwrites_nothing(db: TestDb) {
    let check = move || {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine");
        std::fs::write(&path, "mine").unwrap();
        assert!(db.backup_to(&path).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    };
    tokio::task::spawn_blocking(check).await.unwrap();
}

async fn a_sound_database_has_nothing_to_report(db: TestDb) {
    let check = move || {
        db.write_blocking(Lock::Global, fill).unwrap();
        assert_eq!(db.check().unwrap(), [""; 0]);
    };
    tokio::task::spawn_blocking(check).await.unwrap();
}

#[test]
fn damage_is_reported_and_not_touched() {
    let mut db = TestDb::open(Engine::Sqlite);
    db.write_blocking(Lock::Global, fill).unwrap();
    db.close();
    let path = db.path();
    let mut bytes = std::fs::read(&path).unwrap();
    let page = bytes.len() / 2 / 4096 * 4096;
    bytes[page..page + 2000].fill(0xA5);
    std::fs::write(&path, &bytes).unwrap();
    db.reopen();
    let found = db.check().unwrap();
    assert!(!found.is_empty());
    db.close();
    assert!(std::fs::read(&path).unwrap() == bytes);
}
