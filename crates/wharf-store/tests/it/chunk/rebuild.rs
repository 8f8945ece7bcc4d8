//! The index from the store alone, and a database that is older than the segments beside it.

use std::sync::Arc;

use wharf_store::blob::Blob;
use wharf_store::chunk::Finding;
use wharf_store::sql::Db;
use wharf_testkit::blob::FaultyBlob;
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;

use super::{
    GRACE, Ground, HOUR, NOW, account, assert_served, count, forget, frames, hashes, maintain,
    mention, scope, store,
};

both_engines!(
    a_lost_index_is_rebuilt_from_the_segments,
    what_was_rebuilt_is_in_nobodys_reach_until_it_is_put_again,
    a_segment_whose_index_is_damaged_is_read_whole,
    chunks_of_a_lost_segment_are_found_in_another,
    a_database_from_yesterday_finds_everything,
);

/// Rebuilds and returns how many chunks were added.
async fn rebuild(ground: &Ground, now_ms: i64) -> u64 {
    let mut added = 0;
    for segment in ground.plan_rebuild().await.unwrap().segments {
        let taken = ground.rebuild(&segment, now_ms).await.unwrap();
        assert_eq!(taken, segment.chunk_count);
        added += taken;
    }
    assert_eq!(ground.plan_rebuild().await.unwrap().segments, []);
    added
}

async fn a_lost_index_is_rebuilt_from_the_segments(db: TestDb) {
    let ground = Ground::new(db);
    let put = frames(0..30, 1_000);
    for part in put.chunks(7) {
        ground.put(account(1), part.to_vec(), NOW).await.unwrap();
    }
    assert_eq!(
        ground.plan_rebuild().await.unwrap().segments,
        [],
        "nothing is lacking"
    );
    forget(&ground.db).await;
    let plan = ground.plan_rebuild().await.unwrap();
    assert_eq!((plan.segments.len(), plan.segment_count), (5, 5));
    let lost = ground.read(&hashes(&put)).await.unwrap();
    assert!(lost.iter().all(Result::is_err), "a plan changes nothing");
    assert_eq!(rebuild(&ground, NOW).await, 30);
    assert_served(&ground, &put).await;
    assert_eq!(ground.plan_verify().await.unwrap().findings, []);
}

async fn what_was_rebuilt_is_in_nobodys_reach_until_it_is_put_again(db: TestDb) {
    let ground = Ground::new(db);
    let put = frames(0..30, 1_000);
    ground.put(account(1), put.clone(), NOW).await.unwrap();
    forget(&ground.db).await;
    rebuild(&ground, NOW).await;
    assert_eq!(
        ground
            .missing(&[scope(1)], hashes(&put), NOW)
            .await
            .unwrap()
            .len(),
        30
    );
    ground.put(account(1), put.clone(), NOW).await.unwrap();
    assert_eq!(ground.keys().await.len(), 1, "it takes no room");
    assert_eq!(mention(&ground.db, 1, &put).await, [0; 0]);
}

async fn a_segment_whose_index_is_damaged_is_read_whole(db: TestDb) {
    let ground = Ground::new(db);
    let put = frames(0..10, 1_000);
    ground.put(account(1), put.clone(), NOW).await.unwrap();
    let key = ground.keys().await.remove(0);
    ground
        .blob
        .flip(&key, ground.blob.size(&key).await.unwrap() - 100, 1);
    ground.blob.flip(&key, 8 + 44 + 3 * 1_044 + 5, 1);
    forget(&ground.db).await;
    let plan = ground.plan_rebuild().await.unwrap();
    assert!(plan.segments[0].is_damaged);
    assert_eq!(
        rebuild(&ground, NOW).await,
        9,
        "one of them is damaged itself"
    );
    let good = [&put[..3], &put[4..]].concat();
    assert_served(&ground, &good).await;
}

async fn chunks_of_a_lost_segment_are_found_in_another(db: TestDb) {
    let ground = Ground::new(db);
    let put = frames(0..10, 1_000);
    ground.put(account(1), put.clone(), NOW).await.unwrap();
    mention(&ground.db, 1, &put).await;
    let first = ground.keys().await.remove(0);
    // The same chunks once more, in a segment that the index does not know.
    let other = store(&ground.db, Arc::<FaultyBlob>::clone(&ground.blob), GRACE);
    ground.blob.flip(&first, 60, 0);
    other.read(&hashes(&put)).await.unwrap();
    ground
        .blob
        .fail_put(1, wharf_testkit::blob::PutFault::LostAnswer);
    other
        .put(account(1), put[..1].to_vec(), NOW)
        .await
        .unwrap_err();
    ground.blob.lose(&first);
    assert_eq!(rebuild(&ground, NOW).await, 1);
    assert_served(&ground, &put[..1]).await;
    assert_eq!(
        super::mentions(&ground.db, &put[0]).await,
        Some(1),
        "its mentions are kept"
    );
    let findings = ground.plan_verify().await.unwrap().findings;
    assert!(
        matches!(findings[..], [Finding::SegmentLost { chunk_count: 9, .. }]),
        "{findings:?}"
    );
}

/// A copy of the database as it is now, as a backup makes it.
async fn backup(db: &Db) -> TestDb {
    let db = db.clone();
    let copy = move || {
        let copy = TestDb::open(db.engine());
        db.copy_to(&copy).unwrap();
        copy
    };
    tokio::task::spawn_blocking(copy).await.unwrap()
}

async fn a_database_from_yesterday_finds_everything(db: TestDb) {
    let ground = Ground::new(db);
    let (kept, dead, new) = (
        frames(0..13, 1_000),
        frames(13..20, 1_000),
        frames(20..25, 1_000),
    );
    ground
        .put(account(1), kept[..10].to_vec(), NOW)
        .await
        .unwrap();
    ground
        .put(account(1), [&kept[10..], &dead].concat(), NOW)
        .await
        .unwrap();
    mention(&ground.db, 1, &kept).await;
    let yesterday = backup(&ground.db).await;

    // A day passes: compaction moves and drops, and more is put.
    let today = NOW + GRACE + 24 * HOUR;
    assert_eq!(maintain(&ground, today).await, 7);
    ground.put(account(1), new.clone(), today).await.unwrap();

    // The backup is restored beside today's segments, and nobody notices for a while.
    let blob = Arc::<FaultyBlob>::clone(&ground.blob);
    let restored = Ground {
        store: store(&yesterday, blob, GRACE),
        db: yesterday,
        ..ground
    };
    for hours in [0, 1, 47] {
        maintain(&restored, today + hours * HOUR).await;
        assert_served(&restored, &kept).await;
    }
    let now_ms = today + 47 * HOUR;
    let added = rebuild(&restored, now_ms).await;
    assert_eq!(
        added,
        5 + 7,
        "what was put since, and what compaction had just dropped"
    );
    restored.put(account(1), new.clone(), now_ms).await.unwrap();
    mention(&restored.db, 1, &new).await;
    maintain(&restored, now_ms + 2 * GRACE).await;
    maintain(&restored, now_ms + 4 * GRACE).await;
    assert_served(&restored, &[&kept[..], &new].concat()).await;
    assert_eq!(count(&restored.db, "SELECT count(*) FROM chunk").await, 18);
}
