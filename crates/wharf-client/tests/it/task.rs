//! Tasks: run, paused and cancelled from elsewhere, continued.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use wharf_client::transfer::{GetOptions, PutOptions, Ran, cancel_task, run_task};
use wharf_client::{Api, Clock, NewTask, Progress, Room, TaskKind, TaskState, TaskStore};
use wharf_testkit::proxy::{After, Proxy, Way};

use crate::fixture::{Fixture, login, noise, run_put};

const MIB: usize = 1024 * 1024;

/// Each store has a connection of its own, as each process has.
fn store(fixture: &Fixture) -> TaskStore {
    TaskStore::open(&fixture.path("tasks.db"), Clock::system()).unwrap()
}

fn work(kind: TaskKind) -> NewTask {
    NewTask {
        server: "http://somewhere".into(),
        login: "operator".into(),
        room: Room::Home,
        kind,
    }
}

fn put_work(fixture: &Fixture) -> NewTask {
    work(TaskKind::Put {
        source: fixture.path("up"),
        target: "up".into(),
        options: PutOptions::default(),
    })
}

fn get_work(fixture: &Fixture) -> NewTask {
    work(TaskKind::Get {
        source: "up".into(),
        target: fixture.path("down"),
        options: GetOptions::default(),
    })
}

async fn run(api: &Api, store: &TaskStore, id: i64) -> Ran {
    run_task(
        api,
        store,
        id,
        &Arc::new(Progress::default()),
        &CancellationToken::new(),
    )
    .await
    .unwrap()
}

/// Waits until a task is in a state.
async fn reach(store: &TaskStore, id: i64, state: TaskState) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while store.get(id).unwrap().state != state {
        assert!(
            tokio::time::Instant::now() < deadline,
            "task {id} never was {state:?}"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn parts(fixture: &Fixture) -> usize {
    let names = fs::read_dir(fixture.path("down"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    names
        .filter(|name| name.to_str().unwrap().starts_with(".wharf-part-"))
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_and_a_get_run_to_their_end() {
    let fixture = Fixture::new().await;
    fixture.write("up/a/file", "file");
    let store = store(&fixture);
    for work in [put_work(&fixture), get_work(&fixture)] {
        let id = store.submit(&work).unwrap().id;
        let ran = run(&fixture.api, &store, id).await;
        assert_eq!(
            (ran.state, ran.report.unwrap().files_moved),
            (TaskState::Done, 1)
        );
        let task = store.get(id).unwrap();
        assert_eq!(
            (task.state, task.progress.files_done, task.pid),
            (TaskState::Done, 1, None)
        );
    }
    assert_eq!(fixture.read("down/a/file"), b"file");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_put_is_paused_from_elsewhere_and_goes_on_when_resumed() {
    let fixture = Fixture::new().await;
    fixture.write("up/file", noise(1, 16 * MIB));
    let proxy = Proxy::start(fixture.server.address()).await;
    let api = login(proxy.address(), &fixture.server.operator().token).await;
    let (here, there) = (store(&fixture), store(&fixture));
    let id = here.submit(&put_work(&fixture)).unwrap().id;
    proxy.cut_after(Way::Up, 6 * MIB as u64, After::Refuse);
    let running = tokio::spawn({
        let (api, here) = (api.clone(), here.clone());
        async move { run(&api, &here, id).await }
    });
    reach(&there, id, TaskState::Running).await;
    while proxy.cut_count() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    there.pause(id).unwrap();
    reach(&there, id, TaskState::Paused).await;
    assert_eq!(running.await.unwrap().state, TaskState::Paused);
    proxy.heal();
    there.resume(id).unwrap();
    let ran = run(&api, &there, id).await;
    assert_eq!(ran.state, TaskState::Done);
    assert!(ran.report.unwrap().bytes_wire < 13 * MIB as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_get_cancelled_from_elsewhere_leaves_nothing_aside() {
    let fixture = Fixture::new().await;
    fixture.write("up/file", noise(2, 24 * MIB));
    run_put(&fixture.put("up", "up")).await.unwrap();
    let proxy = Proxy::start(fixture.server.address()).await;
    let api = login(proxy.address(), &fixture.server.operator().token).await;
    let (here, there) = (store(&fixture), store(&fixture));
    let id = here.submit(&get_work(&fixture)).unwrap().id;
    proxy.cut_after(Way::Down, 20 * MIB as u64, After::Refuse);
    let running = tokio::spawn({
        let (api, here) = (api.clone(), here.clone());
        async move { run(&api, &here, id).await }
    });
    while proxy.cut_count() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(parts(&fixture), 1);
    cancel_task(&there, id).await.unwrap();
    assert_eq!(running.await.unwrap().state, TaskState::Cancelled);
    assert_eq!(parts(&fixture), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_get_waits_keeps_its_part_and_is_tidied_up_when_cancelled() {
    let fixture = Fixture::new().await;
    fixture.write("up/file", noise(3, 64 * MIB));
    run_put(&fixture.put("up", "up")).await.unwrap();
    let store = store(&fixture);
    let id = store.submit(&get_work(&fixture)).unwrap().id;
    let (progress, stop) = (Arc::new(Progress::default()), CancellationToken::new());
    let watch = async {
        while progress.snapshot().bytes_done < 8 * MIB as u64 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        stop.cancel();
    };
    let (ran, ()) = tokio::join!(run_task(&fixture.api, &store, id, &progress, &stop), watch);
    assert_eq!(ran.unwrap().state, TaskState::Waiting);
    assert_eq!(parts(&fixture), 1);
    cancel_task(&store, id).await.unwrap();
    assert_eq!(parts(&fixture), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_task_says_why_and_may_be_run_again() {
    let fixture = Fixture::new().await;
    let store = store(&fixture);
    let id = store.submit(&put_work(&fixture)).unwrap().id;
    let ran = run(&fixture.api, &store, id).await;
    assert_eq!(ran.state, TaskState::Failed);
    assert!(
        store
            .get(id)
            .unwrap()
            .error
            .unwrap()
            .contains("cannot read")
    );
    fixture.write("up/file", "file");
    assert_eq!(run(&fixture.api, &store, id).await.state, TaskState::Done);
}
