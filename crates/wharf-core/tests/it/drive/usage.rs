//! Quota and retention.

use wharf_core::drive::{Page, RoomRef};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::ErrorCode;
use wharf_types::api::account::EditAccount;
use wharf_types::api::drive::{At, Op, Retention};

use crate::desk::{Desk, at, put, remove};
use crate::support::code;

both_engines!(
    over_quota_is_refused_and_nothing_kept,
    freeing_is_allowed_over_quota,
    revisions_and_trash_count,
    replaced_revisions_go_after_their_days_and_the_present_stays,
    the_trash_is_emptied_after_its_days,
    nothing_goes_where_days_are_without_end,
    only_an_owner_sets_retention,
    drift_is_mended_by_a_recount
);

const DAY_MS: u32 = 24 * 60 * 60 * 1000;

async fn set_quota(desk: &Desk, quota_bytes: u64) {
    let admin = desk.house.wharf.accounts().admin(&desk.me.caller).unwrap();
    let edit = EditAccount {
        quota_bytes: Some(quota_bytes),
        ..EditAccount::default()
    };
    admin
        .edit(desk.me.logged_in.account.id, edit)
        .await
        .unwrap();
}

async fn set_days(desk: &Desk, revision_days: u32, trash_days: u32) {
    let retention = Retention {
        revision_days,
        trash_days,
    };
    let drives = desk.drives();
    drives
        .set_retention(&desk.me.caller, RoomRef::Home, retention)
        .await
        .unwrap();
}

async fn over_quota_is_refused_and_nothing_kept(db: TestDb) {
    let desk = Desk::open(db).await;
    set_quota(&desk, 10).await;
    desk.write("a", b"12345").await;
    desk.upload(b"123456").await;
    let refused = desk
        .try_commit(vec![put("b", b"123456")])
        .await
        .unwrap_err();
    assert_eq!(refused.code(), ErrorCode::OverQuota);
    assert!(
        refused.text().contains("needs 6 bytes"),
        "{}",
        refused.text()
    );
    assert_eq!(desk.paths().await, ["a"]);
    assert_eq!(desk.used_bytes().await, 5);
    desk.write("b", b"54321").await;
    assert_eq!(desk.used_bytes().await, 10);
}

async fn freeing_is_allowed_over_quota(db: TestDb) {
    let desk = Desk::open(db).await;
    let file = desk.write("a", b"12345").await;
    desk.write("b", b"12345").await;
    set_quota(&desk, 3).await;
    desk.commit(vec![remove("a"), Op::Purge { id: file.id }])
        .await;
    assert_eq!(desk.used_bytes().await, 5);
    assert_eq!(
        code(desk.try_commit(vec![put("c", b"12345")]).await),
        Some(ErrorCode::OverQuota)
    );
}

async fn revisions_and_trash_count(db: TestDb) {
    let desk = Desk::open(db).await;
    desk.write("a", b"1").await;
    desk.write("a", b"22").await;
    assert_eq!(desk.used_bytes().await, 3);
    desk.act(remove("a")).await;
    assert_eq!(desk.used_bytes().await, 3);
}

async fn replaced_revisions_go_after_their_days_and_the_present_stays(db: TestDb) {
    let desk = Desk::open(db).await;
    set_days(&desk, 2, 0).await;
    let first = desk.write("a", b"1").await;
    desk.write("a", b"22").await;
    desk.house.clock.advance_ms(DAY_MS);
    let third = desk.write("a", b"333").await;
    desk.house.clock.advance_ms(DAY_MS + 1);
    desk.drives().retain_all().await.unwrap();
    assert_eq!(
        code(desk.read(at("a"), Some(first.revision)).await),
        Some(ErrorCode::NotFound)
    );
    assert_eq!(desk.used_bytes().await, 5);
    desk.house.clock.advance_ms(30 * DAY_MS);
    desk.drives().retain_all().await.unwrap();
    assert_eq!(desk.used_bytes().await, 3);
    assert_eq!(desk.read(At::Id(third.id), None).await.unwrap(), b"333");
    assert_eq!(desk.changes().await.len(), 3, "the stream stays dense");
}

async fn the_trash_is_emptied_after_its_days(db: TestDb) {
    let desk = Desk::open(db).await;
    set_days(&desk, 0, 3).await;
    desk.write("a/x", b"1").await;
    desk.write("b/y", b"22").await;
    desk.act(remove("a")).await;
    desk.house.clock.advance_ms(2 * DAY_MS);
    desk.act(remove("b")).await;
    desk.house.clock.advance_ms(DAY_MS + 1);
    desk.drives().retain_all().await.unwrap();
    let page = desk
        .drives()
        .trash(&desk.me.caller, RoomRef::Home, Page::default())
        .await
        .unwrap();
    assert_eq!(page.items.len(), 1);
    assert_eq!(desk.used_bytes().await, 2);
    let last = desk.changes().await.pop().unwrap();
    assert_eq!(
        (last.account, last.session),
        (None, None),
        "the server did it"
    );
}

async fn nothing_goes_where_days_are_without_end(db: TestDb) {
    let desk = Desk::open(db).await;
    set_days(&desk, 0, 0).await;
    desk.write("a", b"1").await;
    desk.write("a", b"2").await;
    desk.act(remove("a")).await;
    for _ in 0..40 {
        desk.house.clock.advance_ms(49 * DAY_MS);
    }
    desk.drives().retain_all().await.unwrap();
    assert_eq!(desk.used_bytes().await, 2);
}

async fn only_an_owner_sets_retention(db: TestDb) {
    let desk = Desk::open(db).await;
    let eve = desk.house.member("eve").await;
    let room = RoomRef::Id(desk.me.logged_in.account.home);
    let retention = Retention {
        revision_days: 1,
        trash_days: 1,
    };
    let refused = desk
        .drives()
        .set_retention(&eve.caller, room, retention)
        .await;
    assert_eq!(code(refused), Some(ErrorCode::NotFound));
}

async fn drift_is_mended_by_a_recount(db: TestDb) {
    let desk = Desk::open(db).await;
    desk.write("a", b"12345").await;
    desk.write("a", b"1").await;
    let spoil = |tx: &mut wharf_store::sql::Tx<'_>| -> wharf_store::sql::Result<()> {
        tx.exec("UPDATE room SET used_bytes = used_bytes + 100", &[])?;
        tx.exec("UPDATE account SET used_bytes = 3", &[])?;
        Ok(())
    };
    let db = desk.house.wharf.db();
    db.write(wharf_store::sql::Lock::Global, spoil)
        .await
        .unwrap();
    assert_eq!(desk.drives().recount_usage().await.unwrap(), 2);
    assert_eq!(desk.used_bytes().await, 6);
    assert_eq!(desk.drives().recount_usage().await.unwrap(), 0);
}
