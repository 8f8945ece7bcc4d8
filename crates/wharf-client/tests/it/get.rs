//! Getting: only what is missing travels, and nothing of the person's is lost.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use wharf_client::transfer::{Compare, NoticeKind, OnDifferent};
use wharf_client::{Error, Progress};
use wharf_testkit::proxy::{After, Proxy, Way};

use crate::fixture::{Fixture, login, noise, run_get, run_put};

const MIB: usize = 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_on_the_way_down_costs_no_more_than_the_chunks_that_were_on_the_way() {
    let fixture = Fixture::new().await;
    let content = noise(1, 48 * MIB);
    fixture.write("big", &content);
    run_put(&fixture.put("big", "big")).await.unwrap();
    let proxy = Proxy::start(fixture.server.address()).await;
    let mut get = fixture.get("big", "back");
    get.api = login(proxy.address(), &fixture.server.operator().token).await;
    proxy.cut_after(Way::Down, 24 * MIB as u64, After::Heal);
    run_get(&get).await.unwrap();
    assert_eq!(proxy.cut_count(), 1);
    let passed = proxy.passed_bytes(Way::Down);
    assert!(passed <= (48 + 3 * 4 + 1) * MIB as u64, "{passed}");
    assert!(fixture.read("back") == content);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_get_that_was_stopped_fetches_only_the_rest() {
    let fixture = Fixture::new().await;
    let content = noise(2, 64 * MIB);
    fixture.write("big", &content);
    run_put(&fixture.put("big", "big")).await.unwrap();
    let get = fixture.get("big", "back");
    let (progress, stop) = (Arc::new(Progress::default()), CancellationToken::new());
    let watch = async {
        while progress.snapshot().bytes_done < 32 * MIB as u64 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        stop.cancel();
    };
    let (stopped, ()) = tokio::join!(get.run(&progress, &stop), watch);
    assert!(matches!(stopped, Err(Error::Stopped)), "{stopped:?}");
    let written = progress.snapshot().bytes_done;
    assert!(!fixture.path("back").try_exists().unwrap());

    // A byte of the part is spoiled meanwhile: only its chunk is fetched again.
    let part = fs::read_dir(fixture.temp.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_str().unwrap().contains(".wharf-part-"))
        .unwrap();
    let mut bytes = fs::read(&part).unwrap();
    bytes[0] ^= 1;
    fs::write(&part, bytes).unwrap();
    let report = run_get(&get).await.unwrap();
    let rest = 64 * MIB as u64 - written;
    assert!(
        report.bytes_wire <= rest + 5 * MIB as u64,
        "{report:?} {written}"
    );
    assert!(fixture.read("back") == content);
    assert!(!part.try_exists().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn local_files_that_differ_are_replaced_or_kept_as_asked() {
    let fixture = Fixture::new().await;
    fixture.write("up/file", "from the drive");
    fixture.write("up/new", "new");
    run_put(&fixture.put("up", "up")).await.unwrap();
    fixture.write("down/file", "local");
    fixture.write("down/mine", "mine");
    let mut get = fixture.get("up", "down");
    get.options.on_different = OnDifferent::Keep;
    let report = run_get(&get).await.unwrap();
    assert_eq!((report.files_moved, report.failed), (1, 1));
    assert_eq!(report.notices[0].kind, NoticeKind::Conflict);
    assert_eq!(fixture.read("down/file"), b"local");
    get.options.on_different = OnDifferent::Replace;
    let report = run_get(&get).await.unwrap();
    assert_eq!(
        (report.files_moved, report.files_unchanged, report.failed),
        (1, 1, 0)
    );
    assert_eq!(fixture.read("down/file"), b"from the drive");
    assert_eq!(fixture.read("down/mine"), b"mine");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_through_a_link() {
    let fixture = Fixture::new().await;
    fixture.write("up/sub/file", "file");
    fixture.write("up/other", "other");
    run_put(&fixture.put("up", "up")).await.unwrap();
    fs::create_dir(fixture.path("elsewhere")).unwrap();
    fs::create_dir(fixture.path("down")).unwrap();
    symlink(fixture.path("elsewhere"), fixture.path("down/sub")).unwrap();
    let report = run_get(&fixture.get("up", "down")).await.unwrap();
    assert_eq!(report.files_moved, 1);
    assert!(report.failed >= 1, "{report:?}");
    assert_eq!(fs::read_dir(fixture.path("elsewhere")).unwrap().count(), 0);
    assert_eq!(fixture.read("down/other"), b"other");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_in_the_place_of_a_file_is_kept() {
    let fixture = Fixture::new().await;
    fixture.write("up/file", "file");
    run_put(&fixture.put("up", "up")).await.unwrap();
    fixture.write("down/file/inside", "inside");
    let mut get = fixture.get("up", "down");
    get.options.on_different = OnDifferent::Overwrite;
    let report = run_get(&get).await.unwrap();
    assert_eq!((report.files_moved, report.failed), (0, 1));
    assert_eq!(fixture.read("down/file/inside"), b"inside");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_revision_is_got_with_its_time() {
    let fixture = Fixture::new().await;
    fixture.write("file", "first");
    let time = fs::metadata(fixture.path("file"))
        .unwrap()
        .modified()
        .unwrap();
    run_put(&fixture.put("file", "file")).await.unwrap();
    let at = wharf_types::api::drive::At::Path("file".into());
    let first = fixture
        .api
        .node(wharf_client::Room::Home, &at)
        .await
        .unwrap()
        .revision;
    tokio::time::sleep(Duration::from_millis(20)).await;
    fixture.write("file", "second, longer");
    run_put(&fixture.put("file", "file")).await.unwrap();
    let mut get = fixture.get("file", "back");
    get.options.revision = Some(first);
    run_get(&get).await.unwrap();
    assert_eq!(fixture.read("back"), b"first");
    assert_eq!(
        fs::metadata(fixture.path("back"))
            .unwrap()
            .modified()
            .unwrap(),
        time
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_local_change_that_size_and_time_do_not_show_is_found_by_content() {
    let fixture = Fixture::new().await;
    fixture.write("up/file", "before");
    run_put(&fixture.put("up", "up")).await.unwrap();
    let mut get = fixture.get("up", "down");
    run_get(&get).await.unwrap();
    let time = fs::metadata(fixture.path("down/file"))
        .unwrap()
        .modified()
        .unwrap();
    fixture.write("down/file", "behind");
    fs::File::options()
        .write(true)
        .open(fixture.path("down/file"))
        .unwrap()
        .set_modified(time)
        .unwrap();
    assert_eq!(run_get(&get).await.unwrap().files_moved, 0);
    get.options.compare = Compare::Content;
    assert_eq!(run_get(&get).await.unwrap().files_moved, 1);
    assert_eq!(fixture.read("down/file"), b"before");
    assert_eq!(run_get(&get).await.unwrap().files_moved, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_an_error_that_says_so() {
    let fixture = Fixture::new().await;
    let Err(Error::Api(error)) = run_get(&fixture.get("nowhere", "down")).await else {
        panic!("there is nothing to get");
    };
    assert!(error.is(wharf_types::ErrorCode::NotFound));
    assert!(matches!(
        run_put(&fixture.put("nowhere", "up")).await,
        Err(Error::Local { .. })
    ));
}
