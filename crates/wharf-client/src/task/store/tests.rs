use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tempfile::TempDir;

use super::TaskStore;
use crate::api::Room;
use crate::clock::Clock;
use crate::progress::Snapshot;
use crate::task::{NewTask, TaskError, TaskKind, TaskState, Wanted};
use crate::transfer::{OnDifferent, PutOptions};

struct Fixture {
    folder: TempDir,
    now_ms: Arc<AtomicI64>,
}

impl Fixture {
    fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
            now_ms: Arc::new(AtomicI64::new(1_000_000)),
        }
    }

    /// Each store has a connection of its own, as each process has.
    fn store(&self) -> TaskStore {
        let now_ms = Arc::clone(&self.now_ms);
        let clock = Clock::from_fn(move || now_ms.load(Ordering::Relaxed));
        TaskStore::open(&self.folder.path().join("tasks.db"), clock).unwrap()
    }
}

fn put(source: &str) -> NewTask {
    NewTask {
        server: "http://localhost:1".into(),
        login: "ada".into(),
        room: Room::Home,
        kind: TaskKind::Put {
            source: PathBuf::from(source),
            target: "docs".into(),
            options: PutOptions::default(),
        },
    }
}

#[test]
fn the_same_work_submitted_again_is_the_same_task_with_the_new_options() {
    let fixture = Fixture::new();
    let first = fixture.store().submit(&put("/a")).unwrap();
    let mut again = put("/a");
    if let TaskKind::Put { options, .. } = &mut again.kind {
        options.on_different = OnDifferent::Keep;
    }
    let second = fixture.store().submit(&again).unwrap();
    assert_eq!((second.id, &second.tag), (first.id, &first.tag));
    assert_eq!(second.work, again);
    let other = fixture.store().submit(&put("/b")).unwrap();
    assert_ne!(other.id, first.id);
}

#[test]
fn finished_work_submitted_again_is_a_new_task() {
    let fixture = Fixture::new();
    let store = fixture.store();
    let first = store.submit(&put("/a")).unwrap();
    let run = store.begin(first.id).unwrap();
    run.finish(TaskState::Done, Snapshot::default(), None)
        .unwrap();
    assert_ne!(store.submit(&put("/a")).unwrap().id, first.id);
}

#[test]
fn a_running_task_cannot_be_begun_by_another_process() {
    let fixture = Fixture::new();
    let (here, there) = (fixture.store(), fixture.store());
    let task = here.submit(&put("/a")).unwrap();
    let run = here.begin(task.id).unwrap();
    assert!(matches!(there.begin(task.id), Err(TaskError::Busy { .. })));
    assert_eq!(there.get(task.id).unwrap().pid, Some(std::process::id()));
    run.finish(TaskState::Failed, Snapshot::default(), Some("no route"))
        .unwrap();
    assert_eq!(
        there.get(task.id).unwrap().error.as_deref(),
        Some("no route")
    );
    assert!(there.begin(task.id).is_ok());
}

#[test]
fn without_marks_a_lease_that_was_not_renewed_is_lost_to_the_next_process() {
    let fixture = Fixture::new();
    let (here, there) = (fixture.store(), fixture.store());
    let task = here.submit(&put("/a")).unwrap();
    let run = here.begin(task.id).unwrap();
    here.db
        .lock()
        .execute("UPDATE task SET process_mark = NULL", [])
        .unwrap();
    fixture
        .now_ms
        .fetch_add(super::LEASE_MS - 1, Ordering::Relaxed);
    run.renew(Snapshot::default()).unwrap();
    fixture
        .now_ms
        .fetch_add(super::LEASE_MS - 1, Ordering::Relaxed);
    assert_eq!(there.get(task.id).unwrap().state, TaskState::Running);
    fixture.now_ms.fetch_add(1, Ordering::Relaxed);
    assert_eq!(there.get(task.id).unwrap().state, TaskState::Waiting);
    let taken = there.begin(task.id).unwrap();
    assert!(matches!(
        run.renew(Snapshot::default()),
        Err(TaskError::Lost(_))
    ));
    assert!(matches!(run.wanted(), Err(TaskError::Lost(_))));
    assert!(matches!(
        run.finish(TaskState::Done, Snapshot::default(), None),
        Err(TaskError::Lost(_))
    ));
    taken.renew(Snapshot::default()).unwrap();
}

#[test]
#[cfg(target_os = "linux")]
fn a_process_that_slept_keeps_its_task() {
    let fixture = Fixture::new();
    let (here, there) = (fixture.store(), fixture.store());
    let task = here.submit(&put("/a")).unwrap();
    let run = here.begin(task.id).unwrap();
    fixture
        .now_ms
        .fetch_add(1_000 * super::LEASE_MS, Ordering::Relaxed);
    assert!(matches!(there.begin(task.id), Err(TaskError::Busy { .. })));
    run.renew(Snapshot::default()).unwrap();
}

#[test]
fn a_process_that_lost_its_task_cannot_record_anything() {
    let fixture = Fixture::new();
    let store = fixture.store();
    let task = store.submit(&put("/a")).unwrap();
    let run = store.begin(task.id).unwrap();
    store
        .db
        .lock()
        .execute("UPDATE task SET process_mark = 'gone'", [])
        .unwrap();
    assert_eq!(store.pause(task.id).unwrap().state, TaskState::Paused);
    assert!(matches!(run.wanted(), Err(TaskError::Lost(_))));
    assert!(matches!(
        run.finish(TaskState::Done, Snapshot::default(), None),
        Err(TaskError::Lost(_))
    ));
    assert_eq!(store.get(task.id).unwrap().state, TaskState::Paused);
}

#[test]
fn the_task_of_a_process_that_is_gone_waits_at_once() {
    let fixture = Fixture::new();
    let store = fixture.store();
    let task = store.submit(&put("/a")).unwrap();
    let run = store.begin(task.id).unwrap();
    let mut child = std::process::Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    store
        .db
        .lock()
        .execute("UPDATE task SET pid = ?1", [child.id()])
        .unwrap();
    assert_eq!(store.get(task.id).unwrap().state, TaskState::Waiting);
    drop(run);
}

#[test]
fn a_running_task_hears_what_another_process_wants() {
    let fixture = Fixture::new();
    let (here, there) = (fixture.store(), fixture.store());
    let task = here.submit(&put("/a")).unwrap();
    let run = here.begin(task.id).unwrap();
    assert_eq!(run.wanted().unwrap(), Wanted::Run);
    there.pause(task.id).unwrap();
    assert_eq!(run.wanted().unwrap(), Wanted::Pause);
    there.resume(task.id).unwrap();
    assert_eq!(run.wanted().unwrap(), Wanted::Run);
    there.cancel(task.id).unwrap();
    assert_eq!(run.wanted().unwrap(), Wanted::Cancel);
}

#[test]
fn a_task_that_nobody_runs_is_paused_resumed_and_cancelled_at_once() {
    let fixture = Fixture::new();
    let store = fixture.store();
    let id = store.submit(&put("/a")).unwrap().id;
    assert_eq!(store.pause(id).unwrap().state, TaskState::Paused);
    assert!(matches!(
        store.begin(id),
        Err(TaskError::State {
            state: TaskState::Paused,
            ..
        })
    ));
    assert_eq!(store.resume(id).unwrap().state, TaskState::Waiting);
    assert_eq!(store.cancel(id).unwrap().state, TaskState::Cancelled);
    assert!(matches!(store.resume(id), Err(TaskError::State { .. })));
    assert_eq!(store.forget_finished(2_000_000).unwrap(), 1);
    assert!(matches!(store.get(id), Err(TaskError::Missing(_))));
}

#[test]
fn many_processes_that_submit_the_same_work_share_one_task() {
    let fixture = Fixture::new();
    fixture.store();
    let ids: Vec<i64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| fixture.store().submit(&put("/a")).unwrap().id))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]));
}
