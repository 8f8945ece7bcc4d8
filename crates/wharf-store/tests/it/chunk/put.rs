//! Putting, mentioning and asking what is missing.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use wharf_store::blob::{self, MemoryBlob};
use wharf_store::chunk::{self, Error, ReadError, Scope, SweepPlan};
use wharf_store::sql::{self, Db, Lock, SqliteOptions, Tx};
use wharf_testkit::blob::{Call, FaultyBlob, PutFault};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::ChunkHash;

use super::{
    GRACE, Ground, NOW, account, assert_served, count, frame, frame_of, frames, hashes, mention,
    mentions, read_one, release, scope, spoiled, store, write,
};

both_engines!(
    what_was_put_is_read_back,
    bytes_that_do_not_match_are_named_and_the_rest_is_stored,
    a_chunk_that_is_there_is_not_written_again,
    nobody_learns_what_another_has,
    the_bytes_or_a_grant_give_reach,
    small_puts_at_once_share_a_segment,
    a_put_whose_caller_went_away_is_stored,
    large_puts_at_once_are_all_stored,
    a_full_store_refuses_and_goes_on,
    a_failed_store_acknowledges_nothing,
    an_answer_that_was_lost_is_no_acknowledgement,
    a_put_that_took_longer_than_half_the_grace_period_is_refused,
    a_chunk_that_vanishes_during_a_put_is_written_after_all,
    mentions_are_counted_and_taken_back,
    a_mention_needs_the_length_and_the_reach,
    many_at_once_are_counted_as_few_are,
    many_at_once_are_stored_and_given_as_few_are,
    half_the_grace_period_before_the_end_a_chunk_is_asked_for_again,
);

async fn what_was_put_is_read_back(db: TestDb) {
    let ground = Ground::new(db);
    let mut put = frames(0..40, 5_000);
    put.push(frame(40, 3 * 1024 * 1024));
    put.push(frame_of(vec![b'a'; 1_000_000].into()));
    put.push(frame_of(vec![b'b'; 1].into()));
    put.push(put[3].clone());
    let outcome = ground.put(account(1), put.clone(), NOW).await.unwrap();
    assert_eq!((outcome.stored_count, outcome.mismatched), (44, vec![]));
    assert_served(&ground, &put).await;
    let backwards: Vec<_> = put.iter().rev().cloned().collect();
    assert_served(&ground.restarted(), &backwards).await;
}

async fn bytes_that_do_not_match_are_named_and_the_rest_is_stored(db: TestDb) {
    let ground = Ground::new(db);
    // Few are checked where they are, many on other threads.
    for (first, count, bytes) in [(0, 4, 1_000), (10, 40, 200_000)] {
        let good = frames(first..first + count, bytes);
        let mut put = good.clone();
        put[1] = spoiled(&put[1]);
        let last = put.len() - 1;
        put[last] = spoiled(&put[last]);
        let outcome = ground.put(account(1), put, NOW).await.unwrap();
        assert_eq!(u64::from(outcome.stored_count), count - 2);
        assert_eq!(
            outcome.mismatched,
            [good[1].header.hash, good[last].header.hash]
        );
        assert_eq!(read_one(&ground, &good[1]).await, Err(ReadError::Missing));
        assert_served(&ground, &good[2..last]).await;
    }
    let calls = ground.blob.calls(Call::Put);
    let outcome = ground
        .put(account(1), vec![spoiled(&frame(99, 10))], NOW)
        .await
        .unwrap();
    assert_eq!((outcome.stored_count, outcome.mismatched.len()), (0, 1));
    assert_eq!(
        ground.blob.calls(Call::Put),
        calls,
        "nothing is written for nothing"
    );
}

async fn a_chunk_that_is_there_is_not_written_again(db: TestDb) {
    let ground = Ground::new(db);
    let put = frames(0..10, 1_000);
    ground.put(account(1), put.clone(), NOW).await.unwrap();
    let calls = ground.blob.calls(Call::Put);
    ground.put(account(1), put.clone(), NOW).await.unwrap();
    ground
        .put(account(2), put[2..5].to_vec(), NOW)
        .await
        .unwrap();
    assert_eq!(ground.blob.calls(Call::Put), calls);
    assert_eq!(count(&ground.db, "SELECT count(*) FROM segment").await, 1);
}

async fn nobody_learns_what_another_has(db: TestDb) {
    let ground = Ground::new(db);
    let put = frames(0..3, 1_000);
    let all = hashes(&put);
    ground.put(account(1), put.clone(), NOW).await.unwrap();
    let missing = async |who: u8| {
        ground
            .missing(&[scope(who)], all.clone(), NOW)
            .await
            .unwrap()
    };
    assert_eq!(missing(1).await, []);
    assert_eq!(missing(2).await, all, "another account has to send it");
    // Naming it without having its bytes gives nothing.
    ground
        .put(account(2), vec![spoiled(&put[0])], NOW)
        .await
        .unwrap();
    assert_eq!(missing(2).await, all);
    assert_eq!(mention(&ground.db, 2, &put).await, [0, 1, 2]);
}

async fn the_bytes_or_a_grant_give_reach(db: TestDb) {
    let ground = Ground::new(db);
    let put = frames(0..3, 1_000);
    let all = hashes(&put);
    ground.put(account(1), put.clone(), NOW).await.unwrap();
    ground
        .put(account(2), put[1..2].to_vec(), NOW)
        .await
        .unwrap();
    let missing = async |scopes: &[Scope]| ground.missing(scopes, all.clone(), NOW).await.unwrap();
    assert_eq!(missing(&[scope(2)]).await, [all[0], all[2]]);
    let lengths = ground.within_reach(&[scope(2)], all.clone()).await.unwrap();
    assert_eq!(lengths, [None, Some(put[1].header.stored_bytes), None]);
    let given = vec![all[2], all[2]];
    write(&ground.db, move |tx| chunk::grant(tx, scope(3), &given)).await;
    assert_eq!(missing(&[scope(3)]).await, all[..2]);
    assert_eq!(missing(&[scope(3), scope(2)]).await, all[..1]);
}

async fn small_puts_at_once_share_a_segment(db: TestDb) {
    let ground = Ground::new(db);
    ground.blob.close_gate();
    let mut puts = JoinSet::new();
    for seed in 0..64 {
        let store = ground.store.clone();
        puts.spawn(async move {
            store
                .put(account(1), vec![frame(seed % 60, 100)], NOW)
                .await
        });
    }
    while ground.blob.calls(Call::Put) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    ground.blob.open_gate();
    for done in puts.join_all().await {
        assert_eq!(done.unwrap().stored_count, 1);
    }
    assert!(
        ground.blob.calls(Call::Put) <= 3,
        "{} segments",
        ground.blob.calls(Call::Put)
    );
    assert_served(&ground, &frames(0..60, 100)).await;
}

async fn a_put_whose_caller_went_away_is_stored(db: TestDb) {
    let ground = Ground::new(db);
    let put = frames(0..2, 1_000);
    ground.blob.close_gate();
    let caller = {
        let (store, put) = (ground.store.clone(), put.clone());
        tokio::spawn(async move { store.put(account(1), put, NOW).await })
    };
    while ground.blob.calls(Call::Put) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    caller.abort();
    assert!(caller.await.is_err());
    ground.blob.open_gate();
    while !ground
        .missing(&[scope(1)], hashes(&put), NOW)
        .await
        .unwrap()
        .is_empty()
    {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_served(&ground, &put).await;
}

async fn large_puts_at_once_are_all_stored(db: TestDb) {
    let ground = Ground::new(db);
    let mut puts = JoinSet::new();
    for number in 0..8 {
        let store = ground.store.clone();
        // Neighbours share half of their chunks.
        let put = frames(number * 4..number * 4 + 8, 1024 * 1024);
        puts.spawn(async move { store.put(account(1), put, NOW).await });
    }
    for done in puts.join_all().await {
        assert_eq!(done.unwrap().stored_count, 8);
    }
    assert_served(&ground, &frames(0..36, 1024 * 1024)).await;
    assert_eq!(count(&ground.db, "SELECT count(*) FROM chunk").await, 36);
}

async fn a_full_store_refuses_and_goes_on(db: TestDb) {
    let ground = Ground::new(db);
    ground.blob.set_room(Some(3_000));
    ground
        .put(account(1), frames(0..2, 1_000), NOW)
        .await
        .unwrap();
    let refused = ground.put(account(1), frames(2..4, 1_000), NOW).await;
    let is_full =
        matches!(&refused, Err(Error::Blob(error)) if matches!(**error, blob::Error::Full));
    assert!(is_full, "{refused:?}");
    assert_eq!(
        ground
            .missing(&[scope(1)], hashes(&frames(0..4, 1_000)), NOW)
            .await
            .unwrap()
            .len(),
        2
    );
    assert_eq!(count(&ground.db, "SELECT count(*) FROM segment").await, 1);
    ground.blob.set_room(None);
    ground
        .put(account(1), frames(2..4, 1_000), NOW)
        .await
        .unwrap();
    assert_served(&ground, &frames(0..4, 1_000)).await;
}

#[tokio::test]
async fn a_full_database_refuses_gives_the_room_back_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let open = |pages_max| {
        let path = folder.path().join("wharf.db");
        Db::open_sqlite(&SqliteOptions {
            pages_max,
            ..SqliteOptions::new(path)
        })
        .unwrap()
    };
    let blob = Arc::new(FaultyBlob::new(Arc::new(MemoryBlob::default())));
    let db = open(Some(120));
    let small = store(&db, Arc::<FaultyBlob>::clone(&blob), GRACE);
    let mut acknowledged = Vec::new();
    let refused = loop {
        let first = acknowledged.len() as u64;
        let put = frames(first..first + 200, 10);
        match small.put(account(1), put.clone(), NOW).await {
            Ok(_) => acknowledged.extend(put),
            Err(error) => break error,
        }
    };
    assert!(
        matches!(refused, Error::Sql(sql::Error::Full)),
        "{refused:?}"
    );
    assert_eq!(
        blob.calls(Call::Delete),
        1,
        "a segment without rows would fill the object store too"
    );
    assert_served(&small, &acknowledged).await;
    db.close();
    let roomy = store(&open(None), blob, GRACE);
    assert_eq!(roomy.plan_sweep(NOW).await.unwrap(), SweepPlan::default());
    roomy
        .put(account(1), frames(90_000..90_200, 10), NOW)
        .await
        .unwrap();
    assert_served(&roomy, &acknowledged).await;
}

async fn a_failed_store_acknowledges_nothing(db: TestDb) {
    let ground = Ground::new(db);
    ground
        .put(account(1), frames(0..2, 1_000), NOW)
        .await
        .unwrap();
    ground.blob.fail_put(1, PutFault::Failed);
    for _ in 0..3 {
        let refused = ground.put(account(1), frames(1..4, 1_000), NOW).await;
        let is_failed =
            matches!(&refused, Err(Error::Blob(error)) if matches!(**error, blob::Error::Failed));
        assert!(is_failed, "{refused:?}");
    }
    assert_eq!(
        read_one(&ground, &frame(3, 1_000)).await,
        Err(ReadError::Missing)
    );
    assert_served(&ground, &frames(0..2, 1_000)).await;
}

async fn an_answer_that_was_lost_is_no_acknowledgement(db: TestDb) {
    let ground = Ground::new(db);
    ground.blob.fail_put(0, PutFault::LostAnswer);
    ground
        .put(account(1), frames(0..2, 1_000), NOW)
        .await
        .unwrap_err();
    assert_eq!(
        read_one(&ground, &frame(0, 1_000)).await,
        Err(ReadError::Missing)
    );
    ground
        .put(account(1), frames(0..2, 1_000), NOW)
        .await
        .unwrap();
    assert_served(&ground, &frames(0..2, 1_000)).await;
    assert_eq!(ground.keys().await.len(), 2, "the first try left an object");
    assert_eq!(ground.plan_sweep(NOW).await.unwrap().orphans.len(), 1);
}

async fn a_put_that_took_longer_than_half_the_grace_period_is_refused(db: TestDb) {
    let mut ground = Ground::new(db);
    ground.store = store(&ground.db, Arc::<FaultyBlob>::clone(&ground.blob), 40);
    ground.blob.hold_answers();
    let put = {
        let store = ground.store.clone();
        tokio::spawn(async move { store.put(account(1), frames(0..2, 1_000), NOW).await })
    };
    while ground.keys().await.is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    tokio::time::sleep(Duration::from_millis(25)).await;
    ground.blob.give_answers();
    let refused = put.await.unwrap();
    assert!(matches!(refused, Err(Error::Fault(_))), "{refused:?}");
    assert_eq!(count(&ground.db, "SELECT count(*) FROM chunk").await, 0);
}

async fn a_chunk_that_vanishes_during_a_put_is_written_after_all(db: TestDb) {
    let ground = Ground::new(db);
    let (old, new) = (frames(0..5, 1_000), frames(5..6, 1_000));
    ground.put(account(1), old.clone(), NOW).await.unwrap();
    let later = NOW + GRACE + 1;
    let plan = ground.plan_compaction(later).await.unwrap();
    // The put finds the old chunks present and waits with writing the new one; meanwhile the old ones go.
    ground.blob.close_gate();
    let put = {
        let (store, both) = (ground.store.clone(), [&old[..], &new].concat());
        tokio::spawn(async move { store.put(account(2), both, later).await })
    };
    while ground.blob.calls(Call::Put) < 2 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let compacted = ground.compact(&plan.units[0], later).await.unwrap();
    assert_eq!((compacted.chunks_dropped, compacted.chunks_moved), (5, 0));
    ground.blob.open_gate();
    assert_eq!(put.await.unwrap().unwrap().stored_count, 6);
    assert_served(&ground, &[&old[..], &new].concat()).await;
    assert_eq!(
        ground
            .missing(&[scope(1)], hashes(&old), later)
            .await
            .unwrap()
            .len(),
        5
    );
    assert_eq!(
        ground
            .missing(&[scope(2)], hashes(&old), later)
            .await
            .unwrap(),
        []
    );
}

async fn mentions_are_counted_and_taken_back(db: TestDb) {
    let ground = Ground::new(db);
    let put = frames(0..3, 1_000);
    ground.put(account(1), put.clone(), NOW).await.unwrap();
    let twice = [&put[..], &put[1..2]].concat();
    assert_eq!(mention(&ground.db, 1, &twice).await, [0; 0]);
    assert_eq!(mention(&ground.db, 1, &put[1..]).await, [0; 0]);
    let counts = async || {
        let mut counts = Vec::new();
        for frame in &put {
            counts.push(mentions(&ground.db, frame).await.unwrap());
        }
        counts
    };
    assert_eq!(counts().await, [1, 3, 2]);
    release(&ground.db, &twice, NOW).await;
    assert_eq!(counts().await, [0, 1, 1]);
    release(&ground.db, &put, NOW).await;
    release(&ground.db, &put, NOW).await;
    assert_eq!(counts().await, [0, 0, 0], "a count never goes below zero");
}

async fn a_mention_needs_the_length_and_the_reach(db: TestDb) {
    let ground = Ground::new(db);
    let put = frames(0..3, 1_000);
    ground.put(account(1), put.clone(), NOW).await.unwrap();
    ground
        .put(account(2), put[2..].to_vec(), NOW)
        .await
        .unwrap();
    let mut chunks: Vec<_> = put.iter().map(|frame| (frame.header.hash, 1_000)).collect();
    chunks[1].1 = 999;
    chunks.push((ChunkHash::of(b"never put"), 9));
    let asked = chunks.clone();
    let absent = write(&ground.db, move |tx| {
        chunk::reference(tx, &[scope(1)], &asked)
    })
    .await;
    assert_eq!(absent, [1, 3]);
    let asked = chunks.clone();
    let absent = write(&ground.db, move |tx| {
        chunk::reference(tx, &[scope(2)], &asked)
    })
    .await;
    assert_eq!(
        absent,
        [0, 1, 3],
        "the second account put only the third chunk"
    );
    let absent = write(&ground.db, move |tx| {
        chunk::reference(tx, &[scope(9), scope(2), scope(1)], &chunks)
    });
    assert_eq!(absent.await, [1, 3]);
    assert_eq!(
        mentions(&ground.db, &put[2]).await,
        Some(3),
        "one scope is enough, and counts once"
    );
}

async fn half_the_grace_period_before_the_end_a_chunk_is_asked_for_again(db: TestDb) {
    let ground = Ground::new(db);
    let put = frames(0..2, 1_000);
    ground.put(account(1), put.clone(), NOW).await.unwrap();
    mention(&ground.db, 1, &put[..1]).await;
    let missing = async |now_ms| {
        ground
            .missing(&[scope(1)], hashes(&put), now_ms)
            .await
            .unwrap()
    };
    assert_eq!(missing(NOW + GRACE / 2).await, []);
    let later = NOW + GRACE / 2 + 1;
    assert_eq!(
        missing(later).await,
        [put[1].header.hash],
        "what is mentioned stays"
    );
    ground
        .put(account(1), put[1..].to_vec(), later)
        .await
        .unwrap();
    assert_eq!(missing(later).await, []);
    assert_eq!(super::maintain(&ground, later + GRACE).await, 0);
    assert_served(&ground, &put).await;
}

/// Why a commit of this test was undone.
#[derive(Debug, PartialEq, Eq)]
struct Absent(Vec<usize>);

impl From<sql::Error> for Absent {
    fn from(_: sql::Error) -> Self {
        Self(Vec::new())
    }
}

async fn many_at_once_are_counted_as_few_are(db: TestDb) {
    let ground = Ground::new(db);
    let put = frames(0..300, 100);
    ground
        .put(account(1), put[..200].to_vec(), NOW)
        .await
        .unwrap();
    ground
        .put(account(2), put[100..].to_vec(), NOW)
        .await
        .unwrap();
    let commit = async |chunks: Vec<(ChunkHash, u32)>| {
        let work = move |tx: &mut Tx<'_>| match chunk::reference(tx, &[scope(2)], &chunks)? {
            absent if absent.is_empty() => Ok(()),
            absent => Err(Absent(absent)),
        };
        ground.db.write(Lock::None, work).await
    };
    let mut chunks: Vec<_> = put.iter().map(|frame| (frame.header.hash, 100)).collect();
    chunks[150].1 = 99;
    let mut absent: Vec<usize> = (0..100).collect();
    absent.push(150);
    assert_eq!(commit(chunks.clone()).await, Err(Absent(absent)));
    let total = "SELECT CAST(sum(ref_count) AS BIGINT) FROM chunk";
    assert_eq!(
        count(&ground.db, total).await,
        0,
        "what was refused is undone"
    );
    chunks[150].1 = 100;
    chunks.push(chunks[250]);
    assert_eq!(commit(chunks[100..].to_vec()).await, Ok(()));
    assert_eq!(count(&ground.db, total).await, 201);
    assert_eq!(mentions(&ground.db, &put[250]).await, Some(2));
    release(&ground.db, &put[120..], NOW + 1).await;
    assert_eq!(count(&ground.db, total).await, 21);
    let touched = "SELECT count(*) FROM chunk WHERE touched_ms = 1700000000001";
    assert_eq!(count(&ground.db, touched).await, 180);
}

async fn many_at_once_are_stored_and_given_as_few_are(db: TestDb) {
    let ground = Ground::new(db);
    let put = frames(0..300, 100);
    ground
        .put(account(1), put[..200].to_vec(), NOW)
        .await
        .unwrap();
    ground
        .put(account(2), put[100..].to_vec(), NOW + 1)
        .await
        .unwrap();
    assert_served(&ground, &put).await;
    let missing = async |who| {
        ground
            .missing(&[scope(who)], hashes(&put), NOW)
            .await
            .unwrap()
    };
    assert_eq!(missing(1).await, hashes(&put[200..]));
    assert_eq!(missing(2).await, hashes(&put[..100]));
    let given = hashes(&[&put[..], &put[..10]].concat());
    write(&ground.db, move |tx| chunk::grant(tx, scope(3), &given)).await;
    assert_eq!(missing(3).await, []);
    let touched = "SELECT count(*) FROM chunk WHERE touched_ms = 1700000000001";
    assert_eq!(
        count(&ground.db, touched).await,
        200,
        "those that were there are touched"
    );
}
