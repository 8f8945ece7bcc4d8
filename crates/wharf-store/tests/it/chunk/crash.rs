//! A crash, an error and a full disk at every step of a short history, from the put to the swept segment.

use std::io::ErrorKind;
use std::sync::Arc;

use wharf_store::blob::FolderBlob;
use wharf_store::chunk::{ChunkStore, Finding, ReadError};
use wharf_store::sql::{Db, Engine};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_testkit::disk::{Fault, SimDisk, Survival};
use wharf_wire::frame::Frame;

use super::{GRACE, HOUR, NOW, account, assert_served, forget, frames, mention, store};

// Emptying the tables is quicker than another database for each of hundreds of histories.
both_engines!(
    a_crash_at_any_step_loses_nothing_that_was_acknowledged,
    an_error_at_any_step_loses_nothing_that_was_acknowledged,
    a_disk_that_is_full_at_any_byte_loses_nothing_that_was_acknowledged,
);

const LATER: i64 = NOW + GRACE + HOUR;

/// Puts twice, mentions some of it, lets the grace period pass, compacts, puts again and sweeps. Returns the chunks
/// that must be there whatever happened: acknowledged, and mentioned or put lately.
async fn history(db: &Db, disk: &SimDisk) -> Vec<Frame> {
    let mut kept = Vec::new();
    let Ok(blob) = FolderBlob::on(disk.clone()) else {
        return kept;
    };
    let store = store(db, Arc::new(blob), GRACE);
    let (first, second, third) = (frames(0..4, 300), frames(3..8, 300), frames(6..10, 300));
    if store.put(account(1), first.clone(), NOW).await.is_ok() {
        mention(db, 1, &first[..1]).await;
        kept.extend_from_slice(&first[..1]);
    }
    if store.put(account(1), second.clone(), NOW).await.is_ok() {
        mention(db, 1, &second[1..2]).await;
        kept.extend_from_slice(&second[1..2]);
    }
    // What fails here leaves its work for the next time.
    compact(&store, LATER).await;
    if store.put(account(1), third.clone(), LATER).await.is_ok() {
        kept.extend(third);
    }
    sweep(&store, LATER).await;
    sweep(&store, LATER + GRACE - HOUR).await;
    compact(&store, LATER + GRACE - HOUR).await;
    kept
}

async fn compact(store: &ChunkStore, now_ms: i64) {
    if let Ok(plan) = store.plan_compaction(now_ms).await {
        for unit in plan.units {
            if store.compact(&unit, now_ms).await.is_err() {
                break;
            }
        }
    }
}

async fn sweep(store: &ChunkStore, now_ms: i64) {
    let Ok(plan) = store.plan_sweep(now_ms).await else {
        return;
    };
    if store.adopt(&plan, now_ms).await.is_ok() {
        for id in plan.expired {
            if store.sweep(id, now_ms).await.is_err() {
                break;
            }
        }
    }
}

/// Checks what came up after the history, and that the store goes on.
async fn check(db: &Db, disk: SimDisk, kept: &[Frame], context: &str) {
    let store = store(db, Arc::new(FolderBlob::on(disk).unwrap()), GRACE);
    assert_served(&store, kept).await;
    // Of everything else: the right bytes, or nothing.
    let all = frames(0..10, 300);
    for (want, got) in all
        .iter()
        .zip(store.read(&super::hashes(&all)).await.unwrap())
    {
        assert!(
            got == Err(ReadError::Missing) || got.as_ref() == Ok(want),
            "{context}: {got:?}"
        );
    }
    let plan = store.plan_verify().await.unwrap();
    let is_harmless = |finding: &Finding| matches!(finding, Finding::Orphan { .. });
    assert!(
        plan.findings.iter().all(is_harmless),
        "{context}: {:?}",
        plan.findings
    );
    for segment in &plan.segments {
        assert_eq!(
            store.verify(segment).await.unwrap().findings,
            [],
            "{context}"
        );
    }
    store
        .put(account(1), all.clone(), LATER + GRACE)
        .await
        .unwrap();
    assert_served(&store, &all).await;
    assert_eq!(mention(db, 1, &all).await, [0; 0], "{context}");
    for round in 1..3 {
        let now_ms = LATER + 2 * round * GRACE;
        compact(&store, now_ms).await;
        sweep(&store, now_ms).await;
    }
    assert_served(&store, &all).await;
    assert_eq!(
        store.plan_verify().await.unwrap().findings,
        [],
        "{context}: orphans are gone"
    );
}

/// The number of steps of the history when nothing goes wrong.
async fn steps(db: &Db) -> u64 {
    let disk = SimDisk::new();
    assert_eq!(history(db, &disk).await.len(), 6);
    forget(db).await;
    assert!(disk.steps() > 20, "{}", disk.steps());
    disk.steps()
}

async fn a_crash_at_any_step_loses_nothing_that_was_acknowledged(db: TestDb) {
    // On PostgreSQL a history takes much longer, and what a disk forgets is the same. The tests of the object store go
    // through all that a disk can do.
    let survivals: &[Survival] = match db.engine() {
        Engine::Sqlite => &[
            Survival::Nothing,
            Survival::Everything,
            Survival::Any(1),
            Survival::Any(2),
        ],
        Engine::Postgres => &[Survival::Nothing],
    };
    for step in 0..=steps(&db).await {
        for &survival in survivals {
            let disk = SimDisk::new();
            disk.fail_at(step, Fault::Crash);
            let kept = history(&db, &disk).await;
            let context = format!("crash at step {step}, then {survival:?}");
            check(&db, disk.crash(survival), &kept, &context).await;
            forget(&db).await;
        }
    }
}

async fn an_error_at_any_step_loses_nothing_that_was_acknowledged(db: TestDb) {
    for step in 0..steps(&db).await {
        let disk = SimDisk::new();
        disk.fail_at(step, Fault::Error(ErrorKind::Other));
        let kept = history(&db, &disk).await;
        let context = format!("error at step {step}");
        check(&db, disk.crash(Survival::Nothing), &kept, &context).await;
        forget(&db).await;
    }
}

async fn a_disk_that_is_full_at_any_byte_loses_nothing_that_was_acknowledged(db: TestDb) {
    for room in (0..6_000).step_by(500) {
        let disk = SimDisk::new();
        disk.set_room(Some(room));
        let kept = history(&db, &disk).await;
        disk.set_room(None);
        let context = format!("full after {room} bytes");
        check(&db, disk.crash(Survival::Nothing), &kept, &context).await;
        forget(&db).await;
    }
}
