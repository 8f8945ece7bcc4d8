//! From the trash to the disk: the jobs together give back the room of what nobody keeps, and of nothing else.

use std::time::Duration;

use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;

use super::house::{DAY_MS, run, segments};
use crate::desk::{Desk, at, frames_of, put, remove};

both_engines!(
    what_is_in_the_trash_keeps_its_place_on_the_disk,
    what_was_removed_leaves_the_disk_when_its_days_are_over
);

/// Two files in one segment, the larger one in the trash; jobs that wait to be told.
async fn desk_with_a_removed_file(db: TestDb, kept: &[u8]) -> (Desk, Vec<String>) {
    let desk = Desk::open(db).await;
    let dropped = noise(2, 200 * 1024);
    let frames = [frames_of(kept), frames_of(&dropped)].concat();
    desk.house
        .wharf
        .transfers()
        .upload(&desk.me.caller, frames)
        .await
        .unwrap();
    desk.commit(vec![put("kept", kept), put("dropped", &dropped)])
        .await;
    desk.act(remove("dropped")).await;
    let segments = segments(&desk.house).await;
    assert_eq!(segments.len(), 1);
    desk.house.wharf.start_jobs();
    (desk, segments)
}

/// Lets days pass, and a job do what is due then.
async fn run_after(desk: &Desk, days: u32, job: &str) {
    (0..days).for_each(|_| desk.house.clock.advance_ms(DAY_MS));
    run(&desk.house.wharf, job).await;
}

async fn what_is_in_the_trash_keeps_its_place_on_the_disk(db: TestDb) {
    let (desk, before) = desk_with_a_removed_file(db, &noise(1, 60 * 1024)).await;
    for job in ["retention", "compaction", "sweep"] {
        run_after(&desk, 9, job).await;
    }
    assert_eq!(segments(&desk.house).await, before);
    assert!(
        desk.house
            .wharf
            .jobs()
            .stop(Duration::from_secs(8))
            .await
            .is_empty()
    );
}

async fn what_was_removed_leaves_the_disk_when_its_days_are_over(db: TestDb) {
    let kept = noise(1, 60 * 1024);
    let (desk, before) = desk_with_a_removed_file(db, &kept).await;
    // 30 days for the trash, two for the chunk, two for the segment.
    run_after(&desk, 31, "retention").await;
    run_after(&desk, 3, "compaction").await;
    assert_eq!(
        segments(&desk.house).await.len(),
        2,
        "rewritten, and not deleted yet"
    );
    run_after(&desk, 3, "sweep").await;
    let after = segments(&desk.house).await;
    assert_eq!(after.len(), 1);
    assert_ne!(after, before);
    assert_eq!(desk.read(at("kept"), None).await.unwrap(), kept);
    assert!(
        desk.house
            .wharf
            .jobs()
            .stop(Duration::from_secs(8))
            .await
            .is_empty()
    );
}

/// Bytes that do not compress.
fn noise(seed: u8, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    blake3::Hasher::new()
        .update(&[seed])
        .finalize_xof()
        .fill(&mut bytes);
    bytes
}
