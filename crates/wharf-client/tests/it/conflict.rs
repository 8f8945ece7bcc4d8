//! Two sides change the same place.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use wharf_client::transfer::{NoticeKind, OnDifferent};
use wharf_client::{Progress, Room};
use wharf_testkit::proxy::{After, Proxy, Way};
use wharf_types::CommitId;
use wharf_types::api::drive::{At, Commit, Expect, Op};

use crate::fixture::{Fixture, login, noise, run_get, run_put};

const MIB: usize = 1024 * 1024;

/// Puts `up/file` through a network that stops while the chunks are on their way, changes the drive meanwhile, and lets the
/// put go on.
async fn put_while(
    fixture: &Fixture,
    on_different: OnDifferent,
    change: impl AsyncFnOnce(),
) -> wharf_client::transfer::Report {
    let proxy = Proxy::start(fixture.server.address()).await;
    let mut put = fixture.put("up", "up");
    put.api = login(proxy.address(), &fixture.server.operator().token).await;
    put.options.on_different = on_different;
    proxy.cut_after(Way::Up, MIB as u64, After::Refuse);
    let running = tokio::spawn(async move {
        put.run(&Arc::new(Progress::default()), &CancellationToken::new())
            .await
    });
    while proxy.cut_count() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    change().await;
    proxy.heal();
    running.await.unwrap().unwrap()
}

async fn theirs(fixture: &Fixture) {
    fixture.write("theirs", "theirs");
    let mut put = fixture.put("theirs", "up/file");
    put.options.on_different = OnDifferent::Overwrite;
    assert_eq!(run_put(&put).await.unwrap().files_moved, 1);
}

async fn in_the_drive(fixture: &Fixture) -> Vec<u8> {
    let name = format!("back{}", rand_name());
    run_get(&fixture.get("up/file", &name)).await.unwrap();
    fixture.read(&name)
}

fn rand_name() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_appeared_in_the_drive_meanwhile_is_not_overwritten() {
    let fixture = Fixture::new().await;
    fixture.write("up/file", noise(1, 2 * MIB));
    fixture.write("up/other", "other");
    let report = put_while(&fixture, OnDifferent::Replace, async || {
        theirs(&fixture).await;
    })
    .await;
    assert_eq!((report.files_moved, report.failed), (1, 1), "{report:?}");
    assert_eq!(report.notices[0].kind, NoticeKind::Conflict);
    assert_eq!(in_the_drive(&fixture).await, b"theirs");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changed_in_the_drive_meanwhile_is_not_overwritten_unless_asked() {
    for (on_different, is_ours) in [
        (OnDifferent::Replace, false),
        (OnDifferent::Overwrite, true),
    ] {
        let fixture = Fixture::new().await;
        fixture.write("up/file", "before");
        run_put(&fixture.put("up", "up")).await.unwrap();
        let ours = noise(2, 2 * MIB);
        fixture.write("up/file", &ours);
        let report = put_while(&fixture, on_different, async || theirs(&fixture).await).await;
        assert_eq!(report.is_complete(), is_ours, "{report:?}");
        let holds_ours = in_the_drive(&fixture).await == ours;
        assert_eq!(holds_ours, is_ours);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_wins_over_a_removal() {
    let fixture = Fixture::new().await;
    fixture.write("up/file", "before");
    run_put(&fixture.put("up", "up")).await.unwrap();
    let ours = noise(3, 2 * MIB);
    fixture.write("up/file", &ours);
    let report = put_while(&fixture, OnDifferent::Replace, async || {
        let commit = Commit {
            id: CommitId::new(1, &[1; 10]),
            ops: vec![Op::Remove {
                at: At::Path("up/file".into()),
                expect: Expect::Any,
            }],
        };
        fixture.api.commit(Room::Home, &commit).await.unwrap();
    })
    .await;
    assert!(report.is_complete(), "{report:?}");
    assert!(in_the_drive(&fixture).await == ours);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_file_put_by_another_device_meanwhile_is_no_conflict() {
    let fixture = Fixture::new().await;
    fixture.write("up/file", noise(4, 2 * MIB));
    let report = put_while(&fixture, OnDifferent::Replace, async || {
        run_put(&fixture.put("up", "up")).await.unwrap();
    })
    .await;
    assert_eq!(
        (report.files_unchanged, report.failed),
        (1, 0),
        "{report:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_differ_in_letter_case_are_kept_apart_and_reported() {
    let fixture = Fixture::new().await;
    fixture.write("up/readme", "lower");
    run_put(&fixture.put("up", "up")).await.unwrap();
    fixture.write("other/README", "upper");
    let report = run_put(&fixture.put("other", "up")).await.unwrap();
    assert!(report.is_complete());
    assert_eq!(
        (report.files_moved, report.notices[0].kind),
        (1, NoticeKind::Case)
    );
    run_get(&fixture.get("up", "down")).await.unwrap();
    assert_eq!(
        (fixture.read("down/readme"), fixture.read("down/README")),
        (b"lower".to_vec(), b"upper".to_vec())
    );
}
