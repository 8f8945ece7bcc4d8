//! The object store: every form under the suite, and the folder form on a disk that fails at each step.

use std::io::ErrorKind;
use std::sync::Arc;

use bytes::Bytes;
use wharf_store::blob::{Blob, BlobInfo, Error, FolderBlob, MemoryBlob};
use wharf_testkit::blob::FaultyBlob;
use wharf_testkit::blob_suite;
use wharf_testkit::disk::{Fault, SimDisk, Survival};

blob_suite!(memory, (MemoryBlob::default(), ()));
blob_suite!(
    faulty_without_faults,
    (FaultyBlob::new(Arc::new(MemoryBlob::default())), ())
);
blob_suite!(folder, {
    let folder = tempfile::tempdir().unwrap();
    (FolderBlob::open(folder.path()).unwrap(), folder)
});
blob_suite!(
    folder_on_a_simulated_disk,
    (FolderBlob::on(SimDisk::new()).unwrap(), ())
);

const ALL: [Survival; 4] = [
    Survival::Nothing,
    Survival::Everything,
    Survival::NamesOnly,
    Survival::ContentOnly,
];

fn content(number: u8) -> Bytes {
    Bytes::from(vec![number + 1; 3_000])
}

/// Puts three objects in two folders, deletes one, and returns what was acknowledged: put, and deleted.
async fn history(disk: &SimDisk) -> (Vec<u8>, bool) {
    let mut acknowledged = Vec::new();
    let Ok(blob) = FolderBlob::on(disk.clone()) else {
        return (acknowledged, false);
    };
    for number in 0..3 {
        let key = format!("{}/{number}", number % 2);
        let parts = vec![
            content(number).slice(..1_000),
            content(number).slice(1_000..),
        ];
        if blob.put(&key, parts).await.is_ok() {
            acknowledged.push(number);
        }
    }
    let is_deleted = blob.delete("1/1").await.is_ok();
    (acknowledged, is_deleted)
}

/// Checks that what was acknowledged is there and nothing else is, but for what was under way.
async fn check(disk: SimDisk, acknowledged: &[u8], is_deleted: bool, context: &str) {
    let blob = FolderBlob::on(disk.clone()).unwrap();
    let listed = blob.list("", None, 100).await.unwrap();
    for BlobInfo { key, bytes } in &listed {
        let number: u8 = key[2..].parse().unwrap();
        assert_eq!(
            blob.get_range(key, 0, *bytes).await.unwrap(),
            content(number),
            "{context}: {key}"
        );
    }
    for number in acknowledged {
        let key = format!("{}/{number}", number % 2);
        let is_there = listed.iter().any(|info| info.key == key);
        assert!(
            is_there || (*number == 1 && is_deleted),
            "{context}: {key} was acknowledged"
        );
    }
    assert_eq!(
        disk.paths(".tmp/"),
        [""; 0],
        "{context}: opening removes what was left unfinished"
    );
    // And the store goes on.
    blob.put("0/new", vec![content(9)]).await.unwrap();
    assert_eq!(
        blob.get_range("0/new", 0, 3_000).await.unwrap(),
        content(9),
        "{context}"
    );
}

#[tokio::test]
async fn a_crash_at_any_step_keeps_what_was_acknowledged() {
    let disk = SimDisk::new();
    assert_eq!(history(&disk).await, (vec![0, 1, 2], true));
    let steps = disk.steps();
    assert!(steps > 15, "{steps}");
    for step in 0..=steps {
        for survival in ALL.into_iter().chain((0..20).map(Survival::Any)) {
            let disk = SimDisk::new();
            disk.fail_at(step, Fault::Crash);
            let (acknowledged, is_deleted) = history(&disk).await;
            let context = format!("crash at step {step}, then {survival:?}");
            check(disk.crash(survival), &acknowledged, is_deleted, &context).await;
        }
    }
}

#[tokio::test]
async fn an_error_at_any_step_loses_nothing_that_was_acknowledged() {
    for kind in [
        ErrorKind::Other,
        ErrorKind::StorageFull,
        ErrorKind::PermissionDenied,
    ] {
        for step in 0..30 {
            let disk = SimDisk::new();
            disk.fail_at(step, Fault::Error(kind));
            let (acknowledged, is_deleted) = history(&disk).await;
            let context = format!("{kind:?} at step {step}");
            check(
                disk.crash(Survival::Nothing),
                &acknowledged,
                is_deleted,
                &context,
            )
            .await;
        }
    }
}

#[tokio::test]
async fn an_fsync_that_fails_ends_all_writing() {
    // The steps of a first put: two folders and their parents' sync, the file, its content, its sync.
    for (step, what) in [
        (2, "sync of the root"),
        (5, "sync of the file"),
        (7, "sync of the folder"),
    ] {
        let disk = SimDisk::new();
        let blob = FolderBlob::on(disk.clone()).unwrap();
        disk.fail_at(step, Fault::Error(ErrorKind::Other));
        let put = blob.put("0/0", vec![content(0)]).await;
        assert!(matches!(put, Err(Error::Failed)), "{what}: {put:?}");
        let next = blob.put("0/1", vec![content(1)]).await;
        assert!(matches!(next, Err(Error::Failed)), "{what}: {next:?}");
        let delete = blob.delete("0/0").await;
        assert!(matches!(delete, Err(Error::Failed)), "{what}: {delete:?}");
        let listed = blob.list("", None, 10).await.unwrap();
        assert!(listed.len() <= 1, "{what}: reading goes on");
        // Opening it again starts from what is durable.
        drop(blob);
        let blob = FolderBlob::on(disk.crash(Survival::Nothing)).unwrap();
        blob.put("0/0", vec![content(0)]).await.unwrap();
    }
}

#[tokio::test]
async fn a_full_disk_refuses_and_goes_on() {
    for room in [0, 1, 2_999] {
        let disk = SimDisk::new();
        let blob = FolderBlob::on(disk.clone()).unwrap();
        blob.put("0/0", vec![content(0)]).await.unwrap();
        disk.set_room(Some(room));
        let put = blob.put("0/1", vec![content(1)]).await;
        assert!(matches!(put, Err(Error::Full)), "{put:?}");
        assert_eq!(disk.paths(".tmp/"), [""; 0], "nothing of it is kept");
        assert_eq!(blob.list("", None, 10).await.unwrap().len(), 1);
        disk.set_room(None);
        blob.put("0/1", vec![content(1)]).await.unwrap();
        assert_eq!(blob.get_range("0/1", 0, 3_000).await.unwrap(), content(1));
    }
}

#[tokio::test]
async fn a_folder_is_open_once() {
    let folder = tempfile::tempdir().unwrap();
    let first = FolderBlob::open(folder.path()).unwrap();
    first.put("a", vec![content(1)]).await.unwrap();
    let second = FolderBlob::open(folder.path()).err();
    assert!(matches!(second, Some(Error::InUse { .. })), "{second:?}");
    drop(first);
    let again = FolderBlob::open(folder.path()).unwrap();
    assert_eq!(again.size("a").await.unwrap(), 3_000);
}

#[tokio::test]
async fn more_files_than_are_kept_open_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let blob = FolderBlob::open(folder.path()).unwrap();
    for number in 0..200_u8 {
        blob.put(&format!("f/{number}"), vec![Bytes::from(vec![number; 10])])
            .await
            .unwrap();
    }
    for _ in 0..2 {
        for number in 0..200_u8 {
            let read = blob.get_range(&format!("f/{number}"), 2, 5).await.unwrap();
            assert_eq!(read, vec![number; 5]);
        }
    }
    let open = std::fs::read_dir("/proc/self/fd").unwrap().count();
    assert!(open < 120, "{open} files are open");
}
