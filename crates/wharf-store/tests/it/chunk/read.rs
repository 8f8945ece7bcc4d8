//! Reading: few calls, and never wrong bytes.

use std::time::Duration;

use wharf_store::chunk::ReadError;
use wharf_testkit::blob::{Call, PutFault};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::ChunkHash;

use super::{
    GRACE, Ground, NOW, account, assert_served, frame, frames, hashes, maintain, mention, read_one,
    scope,
};

both_engines!(
    neighbours_are_read_together_in_the_order_of_the_disk,
    what_lies_far_apart_is_not_read,
    a_flipped_bit_spoils_one_chunk_until_it_is_put_again,
    a_lost_segment_is_missing_until_its_chunks_are_put_again,
    a_torn_segment_serves_what_is_whole,
    what_cannot_be_read_does_not_stop_the_rest,
    a_chunk_that_was_moved_is_found_where_it_is,
    a_chunk_that_moves_while_it_is_read_is_looked_up_again,
    what_was_never_put_is_missing,
);

/// The key of the only segment.
async fn segment(ground: &Ground) -> String {
    let mut keys = ground.keys().await;
    assert_eq!(keys.len(), 1);
    keys.remove(0)
}

/// Where in its segment a frame's stored bytes begin, if only frames like it precede it.
fn offset(index: u64, bytes: u64) -> u64 {
    8 + 44 + index * (44 + bytes)
}

async fn neighbours_are_read_together_in_the_order_of_the_disk(db: TestDb) {
    let ground = Ground::new(db);
    let put = frames(0..4_000, 1_000);
    ground.put(account(1), put.clone(), NOW).await.unwrap();
    let mut shuffled = put;
    shuffled.sort_by_key(|frame| frame.header.hash);
    assert_served(&ground, &shuffled).await;
    assert_eq!(ground.blob.calls(Call::GetRange), 1, "4 MB in one call");
    let large = frames(5_000..5_012, 1024 * 1024);
    ground.put(account(1), large.clone(), NOW).await.unwrap();
    assert_served(&ground, &large).await;
    assert_eq!(
        ground.blob.calls(Call::GetRange),
        5,
        "what is read at once is bounded"
    );
}

async fn what_lies_far_apart_is_not_read(db: TestDb) {
    let ground = Ground::new(db);
    let put = frames(0..3, 1_000_000);
    ground.put(account(1), put.clone(), NOW).await.unwrap();
    assert_served(&ground, &[put[0].clone(), put[2].clone()]).await;
    assert_eq!(ground.blob.calls(Call::GetRange), 2);
}

async fn a_flipped_bit_spoils_one_chunk_until_it_is_put_again(db: TestDb) {
    let ground = Ground::new(db);
    let put = frames(0..20, 1_000);
    ground.put(account(1), put.clone(), NOW).await.unwrap();
    ground
        .blob
        .flip(&segment(&ground).await, offset(7, 1_000) + 500, 3);
    let read = ground.read(&hashes(&put)).await.unwrap();
    for (index, (want, got)) in put.iter().zip(read).enumerate() {
        let want = if index == 7 {
            Err(ReadError::Corrupt)
        } else {
            Ok(want.clone())
        };
        assert_eq!(got, want, "chunk {index}");
    }
    // Whoever may have it is asked for it again, and what they send takes the place of the bad copy.
    let missing = ground
        .missing(&[scope(1)], hashes(&put), NOW)
        .await
        .unwrap();
    assert_eq!(missing, [put[7].header.hash]);
    ground
        .put(account(1), put[6..8].to_vec(), NOW)
        .await
        .unwrap();
    assert_served(&ground, &put).await;
    assert_eq!(
        ground
            .missing(&[scope(1)], hashes(&put), NOW)
            .await
            .unwrap(),
        []
    );
    assert_served(&ground.restarted(), &put).await;
}

async fn a_lost_segment_is_missing_until_its_chunks_are_put_again(db: TestDb) {
    let ground = Ground::new(db);
    let lost = frames(0..3, 1_000);
    ground.put(account(1), lost.clone(), NOW).await.unwrap();
    let key = segment(&ground).await;
    let kept = frames(3..6, 1_000);
    ground.put(account(1), kept.clone(), NOW).await.unwrap();
    ground.blob.lose(&key);
    for got in ground.read(&hashes(&lost)).await.unwrap() {
        assert_eq!(got, Err(ReadError::Missing));
    }
    assert_served(&ground, &kept).await;
    assert_eq!(
        ground
            .missing(&[scope(1)], hashes(&lost), NOW)
            .await
            .unwrap(),
        hashes(&lost)
    );
    ground.put(account(1), lost.clone(), NOW).await.unwrap();
    assert_served(&ground, &lost).await;
}

async fn a_torn_segment_serves_what_is_whole(db: TestDb) {
    let ground = Ground::new(db);
    let put = frames(0..10, 1_000);
    ground.blob.fail_put(0, PutFault::Torn);
    ground.put(account(1), put.clone(), NOW).await.unwrap();
    let read = ground.read(&hashes(&put)).await.unwrap();
    let good = read.iter().take_while(|got| got.is_ok()).count();
    assert!(
        (4..7).contains(&good),
        "about half of the object is there, {good} chunks"
    );
    assert_eq!(
        read[..good].iter().flatten().collect::<Vec<_>>(),
        put[..good].iter().collect::<Vec<_>>()
    );
    assert!(
        read[good..]
            .iter()
            .all(|got| *got == Err(ReadError::Corrupt))
    );
    ground.put(account(1), put.clone(), NOW).await.unwrap();
    assert_served(&ground, &put).await;
}

async fn what_cannot_be_read_does_not_stop_the_rest(db: TestDb) {
    let ground = Ground::new(db);
    let (bad, good) = (frame(0, 1_000), frame(1, 1_000));
    ground
        .put(account(1), vec![bad.clone()], NOW)
        .await
        .unwrap();
    ground.blob.make_unreadable(&segment(&ground).await);
    ground
        .put(account(1), vec![good.clone()], NOW)
        .await
        .unwrap();
    let read = ground.read(&hashes(&[bad, good.clone()])).await.unwrap();
    assert_eq!(read, [Err(ReadError::Unreadable), Ok(good.clone())]);
    // A call that fails once is tried again, chunk by chunk.
    let more = frames(2..5, 1_000);
    ground.put(account(1), more.clone(), NOW).await.unwrap();
    ground
        .blob
        .fail_call(Call::GetRange, ground.blob.calls(Call::GetRange));
    assert_served(&ground, &more).await;
}

async fn a_chunk_that_was_moved_is_found_where_it_is(db: TestDb) {
    let ground = Ground::new(db);
    let (live, dead) = (frames(0..3, 1_000), frames(3..10, 1_000));
    ground
        .put(account(1), [&live[..], &dead].concat(), NOW)
        .await
        .unwrap();
    mention(&ground.db, 1, &live).await;
    let key = segment(&ground).await;
    let later = NOW + GRACE + 1;
    assert_eq!(maintain(&ground, later).await, 7);
    // Even without the old copy.
    ground.blob.lose(&key);
    assert_served(&ground, &live).await;
    for got in ground.read(&hashes(&dead)).await.unwrap() {
        assert_eq!(got, Err(ReadError::Missing));
    }
}

async fn a_chunk_that_moves_while_it_is_read_is_looked_up_again(db: TestDb) {
    let ground = Ground::new(db);
    let (live, dead) = (frames(0..3, 1_000), frames(3..10, 1_000));
    ground
        .put(account(1), [&live[..], &dead].concat(), NOW)
        .await
        .unwrap();
    mention(&ground.db, 1, &live).await;
    let key = segment(&ground).await;
    ground.blob.hold_read(ground.blob.calls(Call::GetRange));
    let read = {
        let (store, hashes) = (ground.store.clone(), hashes(&live));
        tokio::spawn(async move { store.read(&hashes).await.unwrap() })
    };
    while ground.blob.calls(Call::GetRange) == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    maintain(&ground, NOW + GRACE + 1).await;
    ground.blob.lose(&key);
    ground.blob.go_on_reading();
    let want: Vec<_> = live.iter().cloned().map(Ok).collect();
    assert_eq!(read.await.unwrap(), want);
}

async fn what_was_never_put_is_missing(db: TestDb) {
    let ground = Ground::new(db);
    assert_eq!(ground.read(&[]).await.unwrap(), []);
    let read = ground.read(&[ChunkHash::of(b"nothing")]).await.unwrap();
    assert_eq!(read, [Err(ReadError::Missing)]);
    let known = ground
        .missing(&[scope(1)], vec![ChunkHash::of(b"nothing"); 2], NOW)
        .await
        .unwrap();
    assert_eq!(known.len(), 2);
    assert_eq!(
        read_one(&ground, &frame(1, 1)).await,
        Err(ReadError::Missing)
    );
}
