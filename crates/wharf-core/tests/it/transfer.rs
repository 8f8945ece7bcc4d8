//! Content up and down: chunks, streams, ranges, and what is told when bytes are lost.

use bytes::Bytes;
use wharf_core::drive::RoomRef;
use wharf_core::transfer::Put;
use wharf_core::{Caller, Error};
use wharf_store::blob::Blob;
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::api::account::EditAccount;
use wharf_types::api::drive::{Expect, OpResult};
use wharf_types::limit::CHUNKS_PER_REQUEST_MAX;
use wharf_types::{ChunkHash, ErrorCode};
use wharf_wire::frame::{Absence, Answer, Frame};

use crate::desk::{Desk, at, frames_of, manifest_of, put};
use crate::support::code;

both_engines!(
    what_is_missing_is_told_from_the_asker_s_own_reach,
    a_chunk_that_does_not_match_its_hash_is_named_and_not_kept,
    chunks_come_in_the_order_asked_and_those_out_of_reach_are_missing,
    any_range_of_a_long_file_is_the_same_bytes,
    an_empty_file_is_put_and_read,
    a_stream_is_cut_as_a_client_would_cut_it,
    a_stream_is_compared_when_it_ends,
    a_stream_stops_when_the_quota_is_used_up,
    a_stream_needs_a_place_it_may_go_to,
    a_damaged_chunk_is_an_error_and_no_bytes,
    questions_are_bounded
);

/// Bytes that do not repeat, so that they are cut into several chunks.
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut noise = Vec::with_capacity(bytes + 8);
    while noise.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise.extend_from_slice(&state.to_le_bytes());
    }
    noise.truncate(bytes);
    noise
}

fn hashes(frames: &[Frame]) -> Vec<ChunkHash> {
    frames.iter().map(|frame| frame.header.hash).collect()
}

fn put_at(path: &str, expect: Expect) -> Put {
    Put {
        path: path.into(),
        expect,
        mtime_ns: Some(5),
        executable: false,
    }
}

/// Sends `bytes` as they are, in pieces.
async fn stream(desk: &Desk, put: Put, bytes: &[u8], piece: usize) -> Result<OpResult, Error> {
    let transfers = desk.house.wharf.transfers();
    let mut upload = transfers
        .open_upload(&desk.me.caller, RoomRef::Home, put)
        .await?;
    for piece in bytes.chunks(piece) {
        upload.push(Bytes::copy_from_slice(piece)).await?;
    }
    upload.commit().await
}

async fn download(desk: &Desk, caller: &Caller, wanted: Vec<ChunkHash>) -> Vec<Answer> {
    let transfers = desk.house.wharf.transfers();
    let mut download = transfers.download(caller, wanted).await.unwrap();
    let mut answers = Vec::new();
    while let Some(batch) = download.next().await.unwrap() {
        answers.extend(batch);
    }
    answers
}

async fn what_is_missing_is_told_from_the_asker_s_own_reach(db: TestDb) {
    let desk = Desk::open(db).await;
    let eve = desk.house.member("eve").await;
    let frames = frames_of(b"mine");
    let asked = vec![ChunkHash::of(b"nobody's"), frames[0].header.hash];
    let transfers = desk.house.wharf.transfers();
    let missing = async |caller| transfers.missing(caller, asked.clone()).await.unwrap();
    assert_eq!(missing(&desk.me.caller).await, asked);
    transfers
        .upload(&desk.me.caller, frames.clone())
        .await
        .unwrap();
    assert_eq!(missing(&desk.me.caller).await, asked[..1]);
    assert_eq!(
        missing(&eve.caller).await,
        asked,
        "eve is not told what others have"
    );
    transfers.upload(&eve.caller, frames).await.unwrap();
    assert_eq!(missing(&eve.caller).await, asked[..1]);
}

async fn a_chunk_that_does_not_match_its_hash_is_named_and_not_kept(db: TestDb) {
    let desk = Desk::open(db).await;
    let mut frames = frames_of(b"right");
    frames.extend(frames_of(b"wrong"));
    frames[1].stored = Bytes::from_static(b"wrung");
    let wanted = hashes(&frames);
    let transfers = desk.house.wharf.transfers();
    let uploaded = transfers.upload(&desk.me.caller, frames).await.unwrap();
    assert_eq!(
        (uploaded.chunks_stored, &uploaded.mismatched[..]),
        (1, &wanted[1..])
    );
    let missing = transfers
        .missing(&desk.me.caller, wanted.clone())
        .await
        .unwrap();
    assert_eq!(missing, wanted[1..]);
}

async fn chunks_come_in_the_order_asked_and_those_out_of_reach_are_missing(db: TestDb) {
    let desk = Desk::open(db).await;
    let eve = desk.house.member("eve").await;
    let bytes = noise(12_000_000);
    desk.upload(&bytes).await;
    let mut frames = frames_of(&bytes);
    frames.reverse();
    let mut wanted = hashes(&frames);
    wanted.insert(1, ChunkHash::of(b"nowhere"));
    let answers = download(&desk, &desk.me.caller, wanted.clone()).await;
    assert_eq!(answers.len(), wanted.len());
    for (index, answer) in answers.iter().enumerate() {
        match answer {
            Answer::Chunk(frame) => assert_eq!(frame.header.hash, wanted[index]),
            Answer::Absent { hash, absence } => {
                assert_eq!((index, *hash, *absence), (1, wanted[1], Absence::Missing));
            }
        }
    }
    let answers = download(&desk, &eve.caller, wanted).await;
    assert!(
        answers
            .iter()
            .all(|answer| matches!(answer, Answer::Absent { .. }))
    );
}

async fn any_range_of_a_long_file_is_the_same_bytes(db: TestDb) {
    let desk = Desk::open(db).await;
    let bytes = noise(9_000_000);
    desk.write("long", &bytes).await;
    let transfers = desk.house.wharf.transfers();
    let content = transfers
        .content(&desk.me.caller, RoomRef::Home, at("long"), None)
        .await
        .unwrap();
    assert_eq!(content.bytes, 9_000_000);
    let ranges = [
        0..9_000_000,
        0..u64::MAX,
        0..1,
        8_999_999..9_000_000,
        1_000_000..1_000_001,
        3_123_456..7_654_321,
        5..5,
        9_000_000..9_000_010,
        20_000_000..30_000_000,
    ];
    for range in ranges {
        let mut reader = content.read(range.clone());
        let mut read = Vec::new();
        while let Some(part) = reader.next().await.unwrap() {
            assert!(!part.is_empty());
            read.extend_from_slice(&part);
        }
        let index = |offset: u64| usize::try_from(offset.min(9_000_000)).unwrap();
        assert!(
            read == bytes[index(range.start)..index(range.end)],
            "bytes {range:?}"
        );
    }
}

async fn an_empty_file_is_put_and_read(db: TestDb) {
    let desk = Desk::open(db).await;
    desk.act(put("empty", b"")).await;
    assert_eq!(desk.read(at("empty"), None).await.unwrap(), b"");
    stream(&desk, put_at("streamed", Expect::Absent), b"", 1)
        .await
        .unwrap();
    assert_eq!(desk.read(at("streamed"), None).await.unwrap(), b"");
}

async fn a_stream_is_cut_as_a_client_would_cut_it(db: TestDb) {
    let desk = Desk::open(db).await;
    let bytes = noise(21_000_001);
    for (name, piece) in [("small", 65_537), ("large", 20_000_000)] {
        stream(&desk, put_at(name, Expect::Absent), &bytes, piece)
            .await
            .unwrap();
        let drives = desk.drives();
        let manifest = drives
            .manifest(&desk.me.caller, RoomRef::Home, at(name), None)
            .await
            .unwrap();
        assert_eq!(manifest.manifest, manifest_of(&bytes), "in {name} pieces");
        assert_eq!(manifest.bytes, 21_000_001);
    }
    assert!(desk.read(at("small"), None).await.unwrap() == bytes);
    assert_eq!(desk.node(at("small")).await.unwrap().mtime_ns, Some(5));
}

async fn a_stream_is_compared_when_it_ends(db: TestDb) {
    let desk = Desk::open(db).await;
    let transfers = desk.house.wharf.transfers();
    let put = put_at("x", Expect::Absent);
    let mut upload = transfers
        .open_upload(&desk.me.caller, RoomRef::Home, put)
        .await
        .unwrap();
    upload.push(Bytes::from_static(b"slow")).await.unwrap();
    desk.write("x", b"quick").await;
    assert_eq!(code(upload.commit().await), Some(ErrorCode::Exists));
    assert_eq!(desk.read(at("x"), None).await.unwrap(), b"quick");
}

async fn a_stream_stops_when_the_quota_is_used_up(db: TestDb) {
    let desk = Desk::open(db).await;
    let admin = desk.house.wharf.accounts().admin(&desk.me.caller).unwrap();
    let quota = EditAccount {
        quota_bytes: Some(1000),
        ..EditAccount::default()
    };
    admin
        .edit(desk.me.logged_in.account.id, quota)
        .await
        .unwrap();
    let transfers = desk.house.wharf.transfers();
    let put = put_at("x", Expect::Any);
    let mut upload = transfers
        .open_upload(&desk.me.caller, RoomRef::Home, put)
        .await
        .unwrap();
    upload.push(Bytes::from(vec![1; 1000])).await.unwrap();
    let refused = upload.push(Bytes::from_static(b"1")).await;
    assert_eq!(code(refused), Some(ErrorCode::OverQuota));
}

async fn a_stream_needs_a_place_it_may_go_to(db: TestDb) {
    let desk = Desk::open(db).await;
    let eve = desk.house.member("eve").await;
    let transfers = desk.house.wharf.transfers();
    let room = RoomRef::Id(desk.me.logged_in.account.home);
    let refused = transfers
        .open_upload(&eve.caller, room, put_at("x", Expect::Any))
        .await;
    assert_eq!(code(refused), Some(ErrorCode::NotFound));
    for path in ["", "/", "a/../b"] {
        let refused = transfers
            .open_upload(&eve.caller, RoomRef::Home, put_at(path, Expect::Any))
            .await;
        assert_eq!(code(refused), Some(ErrorCode::Invalid), "{path:?}");
    }
}

async fn a_damaged_chunk_is_an_error_and_no_bytes(db: TestDb) {
    let desk = Desk::open(db).await;
    let bytes = noise(300_000);
    desk.write("good", &noise(1000)).await;
    desk.write("bad", &bytes).await;
    let blob = &desk.house.blob;
    for object in blob.list("", None, 10).await.unwrap() {
        if object.bytes < 300_000 {
            continue;
        }
        let mut spoilt = blob
            .get_range(&object.key, 0, object.bytes)
            .await
            .unwrap()
            .to_vec();
        spoilt[1000] ^= 1;
        blob.delete(&object.key).await.unwrap();
        blob.put(&object.key, vec![spoilt.into()]).await.unwrap();
    }
    assert_eq!(
        code(desk.read(at("bad"), None).await),
        Some(ErrorCode::Corrupt)
    );
    assert!(desk.read(at("good"), None).await.unwrap() == noise(1000));
    let answers = download(&desk, &desk.me.caller, hashes(&frames_of(&bytes))).await;
    assert!(matches!(
        answers[..],
        [Answer::Absent {
            absence: Absence::Corrupt,
            ..
        }]
    ));
}

async fn questions_are_bounded(db: TestDb) {
    let desk = Desk::open(db).await;
    let transfers = desk.house.wharf.transfers();
    let many = vec![ChunkHash::of(b"1"); CHUNKS_PER_REQUEST_MAX + 1];
    let missing = transfers.missing(&desk.me.caller, many.clone()).await;
    assert_eq!(code(missing), Some(ErrorCode::TooLarge));
    assert_eq!(
        code(transfers.download(&desk.me.caller, many).await),
        Some(ErrorCode::TooLarge)
    );
    let frames = vec![frames_of(b"1").remove(0); CHUNKS_PER_REQUEST_MAX + 1];
    assert_eq!(
        code(transfers.upload(&desk.me.caller, frames).await),
        Some(ErrorCode::TooLarge)
    );
}
