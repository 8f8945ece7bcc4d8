//! The index from the store alone, and a database that is older than the segments beside it.

use std::sync::Arc;

use wharf_store::blob::Blob;
use wharf_store::chunk::Finding;
use wharf_testkit::blob::FaultyBlob;
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;

use super::{
    GRACE, Ground, NOW, account, assert_served, forget, frames, hashes, mention, scope, store,
};

both_engines!(
    a_lost_index_is_rebuilt_from_the_segments,
    what_was_rebuilt_is_in_nobodys_reach_until_it_is_put_again,
    a_segment_whose_index_is_damaged_is_read_whole,
    chunks_of_a_lost_segment_are_found_in_another,
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
