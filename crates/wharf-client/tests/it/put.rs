//! Putting: only what is missing travels, and nothing torn is committed.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use wharf_client::transfer::{Compare, Links, NoticeKind, OnDifferent, PutOptions};
use wharf_client::{Error, Progress, Room};
use wharf_testkit::proxy::{After, Proxy, Way};
use wharf_types::api::drive::{At, NodeKind};

use crate::fixture::{Fixture, login, noise, run_get, run_put};

const MIB: usize = 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn a_small_change_in_a_big_file_moves_a_few_chunks() {
    let fixture = Fixture::new().await;
    let mut content = noise(1, 40 * MIB);
    fixture.write("big", &content);
    let put = fixture.put("big", "folder/big");
    let report = run_put(&put).await.unwrap();
    assert!(report.bytes_wire >= 40 * MIB as u64);

    content[20 * MIB] ^= 1;
    fixture.write("big", &content);
    let report = run_put(&put).await.unwrap();
    assert!(
        report.bytes_wire > 0 && report.bytes_wire <= 5 * MIB as u64,
        "{report:?}"
    );

    content.insert(0, 7);
    fixture.write("big", &content);
    let report = run_put(&put).await.unwrap();
    assert!(
        report.bytes_wire > 0 && report.bytes_wire <= 8 * MIB as u64,
        "{report:?}"
    );

    run_get(&fixture.get("folder/big", "back")).await.unwrap();
    assert!(fixture.read("back") == content);
}

#[tokio::test(flavor = "multi_thread")]
async fn cuts_on_the_way_up_cost_no_more_than_the_chunks_that_were_on_the_way() {
    let fixture = Fixture::new().await;
    let proxy = Proxy::start(fixture.server.address()).await;
    let content = noise(2, 48 * MIB);
    fixture.write("big", &content);
    let mut put = fixture.put("big", "big");
    put.api = login(proxy.address(), &fixture.server.operator().token).await;
    for mib in [5, 11, 16] {
        proxy.cut_after(Way::Up, mib * MIB as u64, After::Heal);
        // The client notices nothing but a pause; a cut that was not reached yet is still to come.
        if mib == 5 {
            let cuts = proxy.cut_count();
            assert_eq!(cuts, 0);
            run_put(&put).await.unwrap();
            assert_eq!(proxy.cut_count(), 1);
        }
    }
    // At most one unfinished chunk on each of the connections travels twice.
    let passed = proxy.passed_bytes(Way::Up);
    assert!(passed <= (48 + 3 * 4) * MIB as u64, "{passed}");
    run_get(&fixture.get("big", "back")).await.unwrap();
    assert!(fixture.read("back") == content);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_that_was_stopped_sends_only_the_rest() {
    let fixture = Fixture::new().await;
    let content = noise(3, 64 * MIB);
    fixture.write("big", &content);
    let put = fixture.put("big", "big");
    let (progress, stop) = (Arc::new(Progress::default()), CancellationToken::new());
    let watch = async {
        while progress.snapshot().bytes_done < 32 * MIB as u64 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        stop.cancel();
    };
    let (stopped, ()) = tokio::join!(put.run(&progress, &stop), watch);
    assert!(matches!(stopped, Err(Error::Stopped)), "{stopped:?}");
    assert!(
        fixture
            .api
            .node(Room::Home, &At::Path("big".into()))
            .await
            .is_err()
    );
    let first = progress.snapshot().bytes_wire;
    assert!(first > 0 && first < 64 * MIB as u64);

    // What was on the way when it stopped may have arrived in part.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let report = run_put(&put).await.unwrap();
    assert!(
        report.bytes_wire < 64 * MIB as u64 - 8 * MIB as u64,
        "{report:?}"
    );
    run_get(&fixture.get("big", "back")).await.unwrap();
    assert!(fixture.read("back") == content);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_the_server_in_the_middle_is_survived() {
    let mut fixture = Fixture::new().await;
    for index in 0..300 {
        fixture.write(&format!("up/{}/{index}", index % 7), noise(index, 2_000));
    }
    fixture.write("up/big", noise(900, 40 * MIB));
    let put = fixture.put("up", "up");
    let progress = Arc::new(Progress::default());
    let stop = CancellationToken::new();
    let running = {
        let (progress, stop) = (Arc::clone(&progress), stop.clone());
        tokio::spawn(async move { put.run(&progress, &stop).await })
    };
    while progress.snapshot().bytes_wire < 10 * MIB as u64 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    fixture.server.restart().await;
    let report = running.await.unwrap().unwrap();
    assert_eq!((report.failed, report.files_moved), (0, 301), "{report:?}");
    run_get(&fixture.get("up", "down")).await.unwrap();
    assert_eq!(
        crate::fixture::listing(&fixture.path("down")),
        crate::fixture::listing(&fixture.path("up"))
    );
}

/// Fills a file from front to back with one byte, again and again, each time with the next one.
fn refill(path: &Path, bytes: usize, is_over: &AtomicBool) {
    let file = fs::File::options().write(true).open(path).unwrap();
    for byte in (0..=u8::MAX)
        .cycle()
        .take_while(|_| !is_over.load(Ordering::Relaxed))
    {
        let block = vec![byte; 64 * 1024];
        for offset in (0..bytes).step_by(block.len()) {
            file.write_all_at(&block, offset as u64).unwrap();
        }
    }
}

/// At any moment the file is of one byte up to some place, and of the byte before from there on. A mixture of several
/// moments is not.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changes_while_it_is_read_is_never_committed_torn() {
    for bytes in [3 * MIB, 20 * MIB] {
        let fixture = Fixture::new().await;
        fixture.write("file", vec![0; bytes]);
        let is_over = Arc::new(AtomicBool::new(false));
        let writer = {
            let (is_over, path) = (Arc::clone(&is_over), fixture.path("file"));
            std::thread::spawn(move || refill(&path, bytes, &is_over))
        };
        let report = run_put(&fixture.put("file", "file")).await.unwrap();
        is_over.store(true, Ordering::Relaxed);
        writer.join().unwrap();
        if report.files_moved == 0 {
            assert_eq!(report.notices[0].kind, NoticeKind::Changing);
            assert!(
                fixture
                    .api
                    .node(Room::Home, &At::Path("file".into()))
                    .await
                    .is_err()
            );
        } else {
            run_get(&fixture.get("file", "back")).await.unwrap();
            let back = fixture.read("back");
            assert_eq!(back.len(), bytes);
            let steps: Vec<_> = back.array_windows().filter(|[a, b]| a != b).collect();
            assert!(
                steps.iter().all(|[a, b]| b.wrapping_add(1) == *a),
                "{steps:?}"
            );
            assert!(steps.len() <= 1, "{steps:?}");
        }
        // Left alone, it goes up.
        let report = run_put(&fixture.put("file", "file")).await.unwrap();
        assert_eq!(report.failed, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_size_and_time_do_not_show_is_found_by_content() {
    let fixture = Fixture::new().await;
    fixture.write("up/file", "before");
    fixture.write("up/other", "other");
    let time = fs::metadata(fixture.path("up/file"))
        .unwrap()
        .modified()
        .unwrap();
    let mut put = fixture.put("up", "up");
    run_put(&put).await.unwrap();
    fixture.write("up/file", "behind");
    fs::File::options()
        .write(true)
        .open(fixture.path("up/file"))
        .unwrap()
        .set_modified(time)
        .unwrap();
    let report = run_put(&put).await.unwrap();
    assert_eq!((report.files_moved, report.files_unchanged), (0, 2));
    put.options.compare = Compare::Content;
    let report = run_put(&put).await.unwrap();
    assert_eq!((report.files_moved, report.files_unchanged), (1, 1));
    let mut single = fixture.put("up/file", "up/file");
    single.options.compare = Compare::Content;
    let report = run_put(&single).await.unwrap();
    assert_eq!((report.files_moved, report.files_unchanged), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn links_are_left_out_unless_they_are_asked_for() {
    let fixture = Fixture::new().await;
    fixture.write("up/file", "file");
    std::os::unix::fs::symlink("file", fixture.path("up/link")).unwrap();
    let mut put = fixture.put("up", "up");
    let report = run_put(&put).await.unwrap();
    assert!(report.is_complete());
    assert_eq!(
        (report.files_moved, report.notices[0].kind),
        (1, NoticeKind::LeftOut)
    );
    put.options.links = Links::Keep;
    assert_eq!(run_put(&put).await.unwrap().files_moved, 1);
    let node = fixture
        .api
        .node(Room::Home, &At::Path("up/link".into()))
        .await
        .unwrap();
    assert_eq!((node.kind, node.bytes), (NodeKind::Link, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_folders_and_files_are_put_and_a_folder_into_the_root() {
    let fixture = Fixture::new().await;
    fs::create_dir_all(fixture.path("up/empty/deep")).unwrap();
    fixture.write("up/nothing", "");
    let report = run_put(&fixture.put("up", "")).await.unwrap();
    assert_eq!(
        (report.files_moved, report.folders_made, report.failed),
        (1, 2, 0)
    );
    let report = run_put(&fixture.put("up", "/")).await.unwrap();
    assert_eq!((report.files_unchanged, report.folders_made), (1, 0));
    run_get(&fixture.get("", "down")).await.unwrap();
    assert!(fixture.path("down/empty/deep").is_dir());
    assert_eq!(fixture.read("down/nothing"), b"");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_unreadable_place_does_not_stop_the_rest() {
    let fixture = Fixture::new().await;
    fixture.write("up/file", "file");
    // Whoever runs the tests may be allowed to read everything; nobody can read a folder of this name as text.
    let odd = std::ffi::OsStr::from_bytes(b"up/\xff\xfe");
    fs::create_dir(fixture.temp.path().join(odd)).unwrap();
    let report = run_put(&fixture.put("up", "up")).await.unwrap();
    assert_eq!((report.files_moved, report.failed), (1, 1));
    assert_eq!(report.notices[0].kind, NoticeKind::Name);
    assert!(!report.is_complete());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_uses_the_connections_that_were_opened_first() {
    let fixture = Fixture::new().await;
    for index in 0..50 {
        fixture.write(&format!("up/{index}"), noise(index, 300_000));
    }
    assert_eq!(fixture.api.connections().opened_count(), 4);
    run_put(&fixture.put("up", "up")).await.unwrap();
    run_get(&fixture.get("up", "down")).await.unwrap();
    assert_eq!(fixture.api.connections().opened_count(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_up_quota_ends_the_transfer_with_its_message() {
    use wharf_types::api::account::EditAccount;
    let fixture = Fixture::new().await;
    let edit = EditAccount {
        quota_bytes: Some(1_000),
        ..EditAccount::default()
    };
    fixture
        .api
        .admin_edit_account(fixture.server.operator().account.id, &edit)
        .await
        .unwrap();
    fixture.write("file", noise(1, 5_000));
    let error = run_put(&fixture.put("file", "file")).await.unwrap_err();
    let Error::Api(error) = error else {
        panic!("{error}")
    };
    assert!(error.is(wharf_types::ErrorCode::OverQuota), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_does_not_replace_a_file() {
    let fixture = Fixture::new().await;
    fixture.write("file", "file");
    run_put(&fixture.put("file", "up")).await.unwrap();
    fixture.write("up/in/file", "file");
    assert!(matches!(
        run_put(&fixture.put("up", "up")).await,
        Err(Error::Invalid(_))
    ));
    run_put(&fixture.put("file", "there/in")).await.unwrap();
    let mut put = fixture.put("up", "there");
    put.options = PutOptions {
        on_different: OnDifferent::Overwrite,
        ..PutOptions::default()
    };
    let report = run_put(&put).await.unwrap();
    assert_eq!((report.files_moved, report.failed), (0, 1), "{report:?}");
    assert_eq!(report.notices[0].kind, NoticeKind::Conflict);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_drive_can_hold_is_reported_and_the_rest_is_put() {
    let fixture = Fixture::new().await;
    fixture.write("up/file", "file");
    fixture.write("up/huge", "");
    fs::File::options()
        .write(true)
        .open(fixture.path("up/huge"))
        .unwrap()
        .set_len(2 << 40)
        .unwrap();
    let deep = ["d"; 250].join("/");
    fixture.write("up/1/2/3/4/5/6/7/deep", "deep");
    let report = run_put(&fixture.put("up", &deep)).await.unwrap();
    assert_eq!((report.files_moved, report.failed), (1, 2), "{report:?}");
}
