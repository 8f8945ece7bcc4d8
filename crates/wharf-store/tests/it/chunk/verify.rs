//! Looking for damage without doing any.

use wharf_store::blob::Blob;
use wharf_store::chunk::{ChunkStore, Finding, ReadError};
use wharf_testkit::blob::{Call, PutFault};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::SegmentId;
use wharf_wire::frame::Frame;

use super::{
    GRACE, Ground, NOW, account, assert_served, frames, hashes, maintain, mention, scope, write,
};

both_engines!(
    what_verifying_finds_is_mended_by_the_next_put,
    a_whole_store_has_no_findings,
    every_kind_of_damage_is_found,
    verifying_never_writes
);

/// Everything that verifying finds, and how many chunks are good.
async fn verify(store: &ChunkStore) -> (Vec<Finding>, u64) {
    let plan = store.plan_verify().await.unwrap();
    let mut findings = plan.findings.clone();
    let mut good = 0;
    for segment in &plan.segments {
        let verified = store.verify(segment).await.unwrap();
        findings.extend(verified.findings);
        good += verified.chunks_good;
    }
    (findings, good)
}

async fn a_whole_store_has_no_findings(db: TestDb) {
    let ground = Ground::new(db);
    let put = frames(0..100, 3_000);
    for part in put.chunks(30) {
        ground.put(account(1), part.to_vec(), NOW).await.unwrap();
    }
    mention(&ground.db, 1, &put[..40]).await;
    assert_eq!(verify(&ground).await, (vec![], 100));
    maintain(&ground, NOW + GRACE + 1).await;
    assert_eq!(
        verify(&ground).await,
        (vec![], 40),
        "retired segments are none of its business"
    );
}

/// Puts ten chunks into a segment of its own, and returns its key.
async fn put_segment(ground: &Ground, put: &[Frame]) -> String {
    let before = ground.keys().await;
    ground.put(account(1), put.to_vec(), NOW).await.unwrap();
    ground
        .keys()
        .await
        .into_iter()
        .find(|key| !before.contains(key))
        .unwrap()
}

fn id(key: &str) -> SegmentId {
    key.rsplit('/').next().unwrap().parse().unwrap()
}

/// Moves the row of a chunk to where it is not.
async fn misplace(ground: &Ground, frame: &Frame, segment: SegmentId, shift: i64) {
    let hash = frame.header.hash;
    write(&ground.db, move |tx| {
        tx.exec(
            "UPDATE chunk SET segment_id = ?2, offset_bytes = offset_bytes + ?3 WHERE hash = ?1",
            &[(&hash).into(), segment.into(), shift.into()],
        )
    })
    .await;
}

async fn every_kind_of_damage_is_found(db: TestDb) {
    let ground = Ground::new(db);
    let put = frames(0..50, 3_000);
    let mut keys = Vec::new();
    for part in put.chunks(10) {
        keys.push(put_segment(&ground, part).await);
    }
    ground.blob.lose(&keys[1]);
    ground.blob.flip(&keys[2], 8 + 44 + 4 * 3_044, 0);
    ground
        .blob
        .flip(&keys[3], ground.blob.size(&keys[3]).await.unwrap() - 1, 0);
    misplace(&ground, &put[45], id(&keys[4]), 1).await;
    misplace(&ground, &put[0], id(&keys[4]), 0).await;
    ground.blob.fail_put(5, PutFault::LostAnswer);
    ground
        .put(account(1), frames(90..91, 3_000), NOW)
        .await
        .unwrap_err();
    ground
        .blob
        .put("segment/00/readme", Vec::new())
        .await
        .unwrap();

    let (findings, good) = verify(&ground).await;
    let damaged = |index: usize, segment: usize| Finding::ChunkDamaged {
        hash: put[index].header.hash,
        segment: id(&keys[segment]),
        error: ReadError::Corrupt,
    };
    let want = [
        Finding::SegmentLost {
            segment: id(&keys[1]),
            chunk_count: 10,
        },
        Finding::Foreign {
            key: "segment/00/readme".to_owned(),
        },
        damaged(24, 2),
        Finding::IndexDamaged {
            segment: id(&keys[3]),
        },
        Finding::Misplaced {
            segment: id(&keys[4]),
            chunk_count: 1,
        },
        damaged(45, 4),
        damaged(0, 4),
    ];
    for finding in &want {
        assert!(
            findings.contains(finding),
            "{finding:?} is not among {findings:#?}"
        );
    }
    assert!(
        findings
            .iter()
            .any(|finding| matches!(finding, Finding::Orphan { .. }))
    );
    assert_eq!(findings.len(), want.len() + 1, "{findings:#?}");
    assert_eq!(good, 9 + 9 + 10 + 9);
}

async fn what_verifying_finds_is_mended_by_the_next_put(db: TestDb) {
    let ground = Ground::new(db);
    let put = frames(0..30, 3_000);
    let mut keys = Vec::new();
    for part in put.chunks(10) {
        keys.push(put_segment(&ground, part).await);
    }
    mention(&ground.db, 1, &put).await;
    ground.blob.lose(&keys[0]);
    ground.blob.flip(&keys[1], 8 + 44 + 4 * 3_044, 0);
    let (findings, good) = verify(&ground).await;
    assert_eq!((findings.len(), good), (2, 19));
    let missing = ground
        .missing(&[scope(1)], hashes(&put), NOW)
        .await
        .unwrap();
    assert_eq!(missing, hashes(&[&put[..10], &put[14..15]].concat()));
    // Whoever it is that still has them.
    ground.put(account(2), put.clone(), NOW).await.unwrap();
    assert_served(&ground, &put).await;
    // Of the lost segment only its row is left, which goes in time.
    let (findings, good) = verify(&ground).await;
    assert!(
        matches!(findings[..], [Finding::SegmentLost { chunk_count: 0, .. }]),
        "{findings:?}"
    );
    assert_eq!(good, 30);
    maintain(&ground, NOW + GRACE + 1).await;
    assert_eq!(verify(&ground).await, (vec![], 30));
}

async fn verifying_never_writes(db: TestDb) {
    let ground = Ground::new(db);
    ground
        .put(account(1), frames(0..10, 3_000), NOW)
        .await
        .unwrap();
    ground.blob.fail_put(1, PutFault::Torn);
    ground
        .put(account(1), frames(10..20, 3_000), NOW)
        .await
        .unwrap();
    let rows = async || {
        ground
            .db
            .read(|tx| {
                tx.all(
                    "SELECT hash, segment_id, ref_count, touched_ms FROM chunk ORDER BY hash",
                    &[],
                    |row| {
                        Ok((
                            row.bytes(0)?.to_vec(),
                            row.bytes(1)?.to_vec(),
                            row.int(2)?,
                            row.int(3)?,
                        ))
                    },
                )
            })
            .await
            .unwrap()
    };
    let before = (rows().await, ground.keys().await);
    let calls = ground.db.stats().writes;
    let (findings, _) = verify(&ground).await;
    assert!(!findings.is_empty());
    assert_eq!((rows().await, ground.keys().await), before);
    assert_eq!(ground.db.stats().writes, calls);
    assert_eq!(
        (
            ground.blob.calls(Call::Put),
            ground.blob.calls(Call::Delete)
        ),
        (2, 0)
    );
}
