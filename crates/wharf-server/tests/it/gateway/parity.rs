//! The doors held against each other.

use std::path::Path;

use wharf_testkit::both_engines;
use wharf_testkit::db::{Engine, TestDb};
use wharf_testkit::gateway::netdisk::NetdiskDriver;
use wharf_testkit::gateway::parity::{
    Column, DiaryDriver, FilestoredDriver, JournalDriver, PyChatDriver, model_answers, run, table,
};

both_engines!(http_answers_as_the_other_doors_must);

/// What every door is held against: without this, two doors that both fail would be alike.
const ANSWERS: &str = "\
PutAndGet: put, get
Range: put, middle, end
Overwrite: put, get, put, get
Remove: put, put another, remove, get is not_found, get another
MissingFile: get is not_found
MissingParent: put, get
Hidden: get is not_found
OverQuota: put is over_quota, put less
DotDot: put is invalid
EmptyName: put
Nul: put is invalid
TooLong: put is invalid
NonAscii: put, get
Resume: half, is it there, rest, and it is less than the whole
EmptyFile: put, get
List: list
SeenByOthers: put, get by HTTP
SeesOthers: get
Say: say
Hear: listen, hear
Offline: leave, missed
HandOver: hand over
Write: write
WriteSeenByOthers: write, told
Read: write, read
ReadOthers: read
";

async fn http_answers_as_the_other_doors_must(db: TestDb) {
    assert_eq!(model_answers(db).await, ANSWERS);
}

#[test]
fn filestored_does_what_http_does_on_postgres() {
    wharf_testkit::db::run(Engine::Postgres, |db| async {
        run::<FilestoredDriver>(db).await;
    });
}

#[test]
fn the_diary_does_what_http_does_on_postgres() {
    wharf_testkit::db::run(Engine::Postgres, |db| async {
        run::<DiaryDriver>(db).await;
    });
}

#[test]
fn the_journal_over_udp_does_what_http_does_on_postgres() {
    wharf_testkit::db::run(Engine::Postgres, |db| async {
        run::<JournalDriver>(db).await;
    });
}

/// Where the table is kept, between its marks; `cargo xtask gen` writes it.
const PAGE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../docs/protocol/gateways.md"
);
const BEGIN: &str = "<!-- the table of the parity suite: `cargo xtask gen` writes it -->\n";
const END: &str = "<!-- end of the table -->\n";

/// Every gateway's column: `run::<ITSDRIVER>(TestDb::open(Engine::Sqlite)).await`, in the order of their names.
async fn columns() -> Vec<Column> {
    let db = || tokio::task::block_in_place(|| TestDb::open(Engine::Sqlite));
    vec![
        run::<NetdiskDriver>(db()).await,
        run::<PyChatDriver>(db()).await,
        run::<DiaryDriver>(db()).await,
        run::<JournalDriver>(db()).await,
        run::<FilestoredDriver>(db()).await,
    ]
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_methods, reason = "says whether to write the file")]
async fn the_table_of_the_documents_is_current() {
    let made = table(&columns().await);
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (kept, after) = rest.split_once(END).unwrap();
    if std::env::var("WHARF_BLESS").is_ok() {
        std::fs::write(
            Path::new(PAGE),
            format!("{before}{BEGIN}\n{made}\n{END}{after}"),
        )
        .unwrap();
        return;
    }
    assert!(
        kept.trim() == made.trim(),
        "docs/protocol/gateways.md is not current: run `cargo xtask gen`"
    );
}
