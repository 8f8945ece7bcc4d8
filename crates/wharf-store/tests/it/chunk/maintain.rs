//! Compaction, sweep and recount, also while others commit.

use std::sync::Arc;
use std::time::Duration;

use wharf_store::chunk::{self, Drift, SweepPlan, Swept};
use wharf_store::sql::{self, Lock, Tx, Value};
use wharf_testkit::blob::{Call, FaultyBlob};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_wire::frame::Frame;
use wharf_wire::manifest::{Manifest, ManifestChunk};

use super::{
    GRACE, Ground, HOUR, NOW, account, assert_served, count, frame, frames, maintain, mention,
    mentions, release, scope, store, write,
};

both_engines!(
    what_is_dead_goes_and_what_lives_moves,
    what_is_within_its_grace_period_stays,
    what_was_released_has_its_grace_period_from_then,
    small_segments_are_merged,
    a_mention_after_the_plan_keeps_the_chunk,
    of_two_compactions_at_once_one_moves_a_chunk,
    a_damaged_chunk_keeps_its_segment,
    a_retired_segment_is_deleted_after_its_grace_period,
    an_orphan_is_kept_for_a_grace_period,
    a_put_takes_its_segment_back_from_the_sweep,
    a_segment_that_is_needed_is_never_swept,
    what_is_no_segment_is_left_alone,
    wrong_counts_are_found,
    wrong_counts_are_corrected_unless_they_changed,
    commits_race_compaction_and_lose_nothing,
);

const LATER: i64 = NOW + GRACE + HOUR;

async fn what_is_dead_goes_and_what_lives_moves(db: TestDb) {
    let ground = Ground::new(db);
    let all = frames(0..30, 10_000);
    for part in all.chunks(10) {
        ground.put(account(1), part.to_vec(), NOW).await.unwrap();
    }
    // The first segment lives, the second mostly not, the third not at all.
    let live = [&all[..10], &all[10..13]].concat();
    mention(&ground.db, 1, &live).await;
    let plan = ground.plan_compaction(LATER).await.unwrap();
    assert_eq!(plan.units.len(), 1);
    assert_eq!(plan.units[0].segments.len(), 2);
    assert!(
        plan.bytes > 300_000 && plan.live_bytes < 140_000,
        "{plan:?}"
    );
    assert_eq!(
        plan,
        ground.plan_compaction(LATER).await.unwrap(),
        "a plan changes nothing"
    );
    let done = ground.compact(&plan.units[0], LATER).await.unwrap();
    assert_eq!(
        (
            done.chunks_moved,
            done.chunks_dropped,
            done.segments_retired
        ),
        (3, 17, 2)
    );
    assert_served(&ground, &live).await;
    assert_eq!(count(&ground.db, "SELECT count(*) FROM chunk").await, 13);
    assert_eq!(ground.plan_compaction(LATER).await.unwrap().units, []);
    let again = ground.compact(&plan.units[0], LATER).await.unwrap();
    assert_eq!(
        (again.chunks_moved, again.chunks_dropped),
        (0, 0),
        "doing it twice does nothing"
    );
}

async fn what_is_within_its_grace_period_stays(db: TestDb) {
    let ground = Ground::new(db);
    let put = frames(0..10, 1_000);
    ground.put(account(1), put.clone(), NOW).await.unwrap();
    ground
        .put(account(1), put[..2].to_vec(), NOW + HOUR)
        .await
        .unwrap();
    assert_eq!(maintain(&ground, NOW + GRACE).await, 0);
    assert_served(&ground, &put).await;
    assert_eq!(
        maintain(&ground, NOW + GRACE + 1).await,
        8,
        "two were put again an hour later"
    );
    assert_served(&ground, &put[..2]).await;
}

async fn what_was_released_has_its_grace_period_from_then(db: TestDb) {
    let ground = Ground::new(db);
    let put = frames(0..4, 1_000);
    ground.put(account(1), put.clone(), NOW).await.unwrap();
    mention(&ground.db, 1, &put).await;
    release(&ground.db, &put, LATER).await;
    assert_eq!(maintain(&ground, LATER + GRACE).await, 0);
    assert_served(&ground, &put).await;
    assert_eq!(maintain(&ground, LATER + GRACE + 1).await, 4);
}

async fn small_segments_are_merged(db: TestDb) {
    let ground = Ground::new(db);
    let put = frames(0..20, 1_000);
    for frame in &put {
        ground
            .put(account(1), vec![frame.clone()], NOW)
            .await
            .unwrap();
    }
    mention(&ground.db, 1, &put).await;
    let plan = ground.plan_compaction(LATER).await.unwrap();
    let done = ground.compact(&plan.units[0], LATER).await.unwrap();
    assert_eq!((done.chunks_moved, done.segments_retired), (20, 20));
    let calls = ground.blob.calls(Call::GetRange);
    assert_served(&ground, &put).await;
    assert_eq!(ground.blob.calls(Call::GetRange) - calls, 1);
}

async fn a_mention_after_the_plan_keeps_the_chunk(db: TestDb) {
    let ground = Ground::new(db);
    let put = frames(0..10, 1_000);
    ground.put(account(1), put.clone(), NOW).await.unwrap();
    let plan = ground.plan_compaction(LATER).await.unwrap();
    assert_eq!(mention(&ground.db, 1, &put[4..5]).await, [0; 0]);
    let done = ground.compact(&plan.units[0], LATER).await.unwrap();
    assert_eq!((done.chunks_moved, done.chunks_dropped), (1, 9));
    assert_served(&ground, &put[4..5]).await;
    assert_eq!(
        mention(&ground.db, 1, &put[..5]).await,
        [0, 1, 2, 3],
        "the others are missing now"
    );
}

async fn of_two_compactions_at_once_one_moves_a_chunk(db: TestDb) {
    let ground = Ground::new(db);
    let put = frames(0..10, 1_000);
    ground.put(account(1), put.clone(), NOW).await.unwrap();
    mention(&ground.db, 1, &put[..3]).await;
    let plan = ground.plan_compaction(LATER).await.unwrap();
    // The first one, of another process, has looked up what to move when the second one does it all.
    let other = store(&ground.db, Arc::<FaultyBlob>::clone(&ground.blob), GRACE);
    ground.blob.hold_read(1);
    let slow = {
        let unit = plan.units[0].clone();
        tokio::spawn(async move { other.compact(&unit, LATER).await.unwrap() })
    };
    while ground.blob.calls(Call::GetRange) < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let quick = ground.compact(&plan.units[0], LATER).await.unwrap();
    ground.blob.go_on_reading();
    let slow = slow.await.unwrap();
    assert_eq!((quick.chunks_moved, quick.chunks_dropped), (3, 7));
    assert_eq!((slow.chunks_moved, slow.chunks_dropped), (0, 0));
    assert_served(&ground, &put[..3]).await;
}

async fn a_damaged_chunk_keeps_its_segment(db: TestDb) {
    let ground = Ground::new(db);
    let put = frames(0..10, 1_000);
    ground.put(account(1), put.clone(), NOW).await.unwrap();
    mention(&ground.db, 1, &put[..3]).await;
    let key = ground.keys().await.remove(0);
    ground.blob.flip(&key, 8 + 44 + 1_044 + 10, 0);
    let plan = ground.plan_compaction(LATER).await.unwrap();
    let done = ground.compact(&plan.units[0], LATER).await.unwrap();
    assert_eq!(
        (
            done.chunks_moved,
            done.chunks_damaged,
            done.segments_retired
        ),
        (2, 1, 0)
    );
    assert_served(&ground, &[put[0].clone(), put[2].clone()]).await;
    maintain(&ground, LATER + 3 * GRACE).await;
    assert!(
        ground.keys().await.contains(&key),
        "what is left of it may yet be wanted"
    );
    // A segment whose index cannot be read is left alone altogether.
    let bytes = wharf_store::blob::Blob::size(&*ground.blob, &key)
        .await
        .unwrap();
    ground.blob.flip(&key, bytes - 1, 0);
    let done = ground.compact(&plan.units[0], LATER).await.unwrap();
    assert_eq!((done.segments_damaged, done.segments_retired), (1, 0));
}

async fn a_retired_segment_is_deleted_after_its_grace_period(db: TestDb) {
    let ground = Ground::new(db);
    ground
        .put(account(1), frames(0..4, 1_000), NOW)
        .await
        .unwrap();
    assert_eq!(maintain(&ground, LATER).await, 4);
    let keys = ground.keys().await;
    assert_eq!(keys.len(), 1);
    assert_eq!(
        ground.plan_sweep(LATER + GRACE).await.unwrap(),
        SweepPlan::default()
    );
    let plan = ground.plan_sweep(LATER + GRACE + 1).await.unwrap();
    assert_eq!(plan.expired.len(), 1);
    assert_eq!(
        ground.sweep(plan.expired[0], LATER + GRACE).await.unwrap(),
        Swept::Kept
    );
    assert_eq!(ground.keys().await, keys);
    let swept = ground
        .sweep(plan.expired[0], LATER + GRACE + 1)
        .await
        .unwrap();
    assert_eq!(swept, Swept::Deleted);
    assert_eq!(ground.keys().await.len(), 0);
    assert_eq!(count(&ground.db, "SELECT count(*) FROM segment").await, 0);
}

async fn an_orphan_is_kept_for_a_grace_period(db: TestDb) {
    let ground = Ground::new(db);
    ground
        .blob
        .fail_put(0, wharf_testkit::blob::PutFault::LostAnswer);
    ground
        .put(account(1), frames(0..4, 1_000), NOW)
        .await
        .unwrap_err();
    // However old it is by its id: a database restored from a backup finds old orphans as well.
    maintain(&ground, LATER).await;
    maintain(&ground, LATER + GRACE).await;
    assert_eq!(ground.keys().await.len(), 1);
    maintain(&ground, LATER + GRACE + 1).await;
    assert_eq!(ground.keys().await.len(), 0);
}

async fn a_put_takes_its_segment_back_from_the_sweep(db: TestDb) {
    let ground = Ground::new(db);
    let put = frames(0..4, 1_000);
    ground.blob.hold_answers();
    let putting = {
        let (store, put) = (ground.store.clone(), put.clone());
        tokio::spawn(async move { store.put(account(1), put, NOW).await })
    };
    while ground.keys().await.is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let plan = ground.plan_sweep(NOW).await.unwrap();
    assert_eq!(plan.orphans.len(), 1);
    ground.adopt(&plan, NOW).await.unwrap();
    let expired = ground.plan_sweep(LATER).await.unwrap().expired;
    assert_eq!(
        expired.len(),
        1,
        "adopted, and its grace period would be over"
    );
    ground.blob.give_answers();
    putting.await.unwrap().unwrap();
    assert_eq!(
        ground.plan_sweep(LATER).await.unwrap(),
        SweepPlan::default()
    );
    assert_eq!(ground.sweep(expired[0], LATER).await.unwrap(), Swept::Kept);
    assert_eq!(
        ground.plan_sweep(LATER + GRACE).await.unwrap(),
        SweepPlan::default()
    );
    assert_served(&ground, &put).await;
}

async fn a_segment_that_is_needed_is_never_swept(db: TestDb) {
    let ground = Ground::new(db);
    let put = frames(0..4, 1_000);
    ground.put(account(1), put.clone(), NOW).await.unwrap();
    // As nothing here does it, but a mistake might.
    write(&ground.db, |tx| {
        tx.exec("UPDATE segment SET retired_ms = 1", &[])
    })
    .await;
    let plan = ground.plan_sweep(LATER).await.unwrap();
    assert_eq!(
        ground.sweep(plan.expired[0], LATER).await.unwrap(),
        Swept::Kept
    );
    assert_served(&ground, &put).await;
    assert_eq!(
        ground.plan_sweep(LATER).await.unwrap(),
        SweepPlan::default()
    );
}

async fn what_is_no_segment_is_left_alone(db: TestDb) {
    let ground = Ground::new(db);
    let blob: &dyn wharf_store::blob::Blob = &*ground.blob;
    blob.put("segment/00/readme", Vec::new()).await.unwrap();
    let plan = ground.plan_sweep(NOW).await.unwrap();
    assert_eq!(plan.foreign, ["segment/00/readme"]);
    maintain(&ground, LATER).await;
    maintain(&ground, LATER + 2 * GRACE).await;
    assert_eq!(ground.keys().await.len(), 1);
}

/// Adds a change that brought a file of these chunks, as the drive would, but counts nothing.
async fn add_manifest(ground: &Ground, position: u8, frames: &[Frame]) {
    let chunks = frames
        .iter()
        .map(|frame| ManifestChunk {
            hash: frame.header.hash,
            bytes: frame.header.bytes,
        })
        .collect();
    let manifest = Manifest { chunks }.pack();
    write(&ground.db, move |tx| {
        tx.exec(
            "INSERT INTO change (room_id, position, node_id, kind, at_ms, name, node_kind, manifest) \
             VALUES (?1, ?2, ?1, 0, 0, ?3, 1, ?4)",
            &[(&[1; 16]).into(), position.into(), Value::Text("a"), (&manifest).into()],
        )
    })
    .await;
}

/// Puts twelve chunks, of which two manifests mention four, and counts wrongly: 1 and 3 are right, 0 is mentioned twice
/// and not counted, 2 counted once too often, and 4 counted though nobody mentions it. Also returns a lost chunk.
async fn miscounted(ground: &Ground) -> (Vec<Frame>, Frame) {
    let put = frames(0..12, 1_000);
    ground.put(account(1), put.clone(), NOW).await.unwrap();
    let lost = frame(99, 1_000);
    add_manifest(ground, 1, &[&put[..3], &put[..1]].concat()).await;
    add_manifest(
        ground,
        2,
        &[&put[2..4], std::slice::from_ref(&lost)].concat(),
    )
    .await;
    let counted = [&put[1..5], &put[2..3], &put[2..3]].concat();
    mention(&ground.db, 1, &counted).await;
    (put, lost)
}

fn drift(frame: &Frame, stored: u64, counted: u64) -> Drift {
    Drift {
        hash: frame.header.hash,
        stored,
        counted,
    }
}

async fn wrong_counts_are_found(db: TestDb) {
    let ground = Ground::new(db);
    let (put, lost) = miscounted(&ground).await;
    let plan = ground.plan_recount().await.unwrap();
    let mut want = [
        drift(&put[0], 0, 2),
        drift(&put[2], 3, 2),
        drift(&put[4], 1, 0),
    ];
    want.sort_by_key(|drift| drift.hash);
    assert_eq!(plan.drifts, want);
    assert_eq!((plan.lost, plan.chunk_count), (vec![lost.header.hash], 12));
    assert_eq!(
        mentions(&ground.db, &put[0]).await,
        Some(0),
        "a plan changes nothing"
    );
}

async fn wrong_counts_are_corrected_unless_they_changed(db: TestDb) {
    let ground = Ground::new(db);
    let (put, _) = miscounted(&ground).await;
    let plan = ground.plan_recount().await.unwrap();
    mention(&ground.db, 1, &put[4..5]).await;
    assert_eq!(ground.recount(&plan, LATER).await.unwrap(), 2);
    let again = ground.plan_recount().await.unwrap();
    assert_eq!(again.drifts, [drift(&put[4], 2, 0)]);
    ground.recount(&again, LATER).await.unwrap();
    assert_eq!(ground.plan_recount().await.unwrap().drifts, []);
    assert_eq!(maintain(&ground, LATER + GRACE + 1).await, 8);
    assert_served(&ground, &put[..4]).await;
}

/// Commits a file of these chunks, if none is missing, and returns whether it did.
async fn commit(ground: &Ground, frames: &[Frame]) -> bool {
    let chunks: Vec<_> = frames
        .iter()
        .map(|frame| (frame.header.hash, frame.header.bytes))
        .collect();
    let work = move |tx: &mut Tx<'_>| match chunk::reference(tx, &[scope(1)], &chunks)?[..] {
        [] => Ok(()),
        [..] => Err(sql::Error::Missing),
    };
    let done = ground.db.write(Lock::None, work).await;
    assert!(
        matches!(done, Ok(()) | Err(sql::Error::Missing)),
        "{done:?}"
    );
    done.is_ok()
}

/// Commits and compactions as fast as they can, on chunks that are always at the end of their grace period.
async fn commits_race_compaction_and_lose_nothing(db: TestDb) {
    let ground = Ground::new(db);
    let all = frames(0..40, 500);
    let mut held: Vec<&[Frame]> = Vec::new();
    for round in 0..12_i64 {
        let now_ms = NOW + round * 3 * GRACE;
        ground.put(account(1), all.clone(), now_ms).await.unwrap();
        let plan = ground.plan_compaction(now_ms + GRACE + 1).await.unwrap();
        let compactions = async {
            for unit in &plan.units {
                ground.compact(unit, now_ms + GRACE + 1).await.unwrap();
            }
        };
        let commits = async {
            let mut committed = Vec::new();
            for part in all.chunks(4) {
                if commit(&ground, part).await {
                    committed.push(part);
                }
            }
            committed
        };
        let ((), committed) = tokio::join!(compactions, commits);
        for part in &committed {
            assert_served(&ground, part).await;
        }
        held.extend(committed);
        // Let go of the oldest, so that there is always something to drop.
        while held.len() > 5 {
            release(&ground.db, held.remove(0), now_ms).await;
        }
    }
    for part in &held {
        assert_served(&ground, part).await;
    }
}
