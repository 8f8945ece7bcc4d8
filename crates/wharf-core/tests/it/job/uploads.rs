//! Uploads by pieces: kept for seven days after their last piece, remembered for seven days after their end.

use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use wharf_core::drive::RoomRef;
use wharf_core::transfer::{Assembly, OpenAssembly, OpenPartial, Partial, Place};
use wharf_core::{Error, Wharf};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::ErrorCode;
use wharf_types::api::account::EditAccount;

use super::house::{DAY_MS, count, run};
use crate::desk::{Desk, at};
use crate::support::code;

both_engines!(
    large_pieces_are_kept_for_seven_days_after_the_last_one,
    small_pieces_are_kept_for_seven_days_after_the_last_one,
    an_upload_that_ended_is_remembered_for_seven_days_and_its_file_stays,
    what_has_expired_gives_its_room_back,
    a_piece_that_comes_as_an_upload_expires_keeps_it_whole_or_is_refused
);

const BYTES: &[u8] = b"0123456789";

/// A house whose jobs wait to be told.
async fn desk(db: TestDb) -> Desk {
    let desk = Desk::open(db).await;
    desk.house.wharf.start_jobs();
    desk
}

fn wharf(desk: &Desk) -> &Wharf {
    &desk.house.wharf
}

/// Lets time pass, and the job do what is due then.
async fn pass(desk: &Desk, days: u32, ms: u32) {
    (0..days).for_each(|_| desk.house.clock.advance_ms(DAY_MS));
    desk.house.clock.advance_ms(ms);
    run(wharf(desk), "expiry").await;
}

async fn open_large(desk: &Desk, path: &str, bytes: u64) -> Result<Assembly, Error> {
    let open = OpenAssembly {
        path: path.into(),
        bytes,
        mtime_ns: None,
        md5: None,
    };
    let transfers = wharf(desk).transfers();
    transfers
        .open_assembly(&desk.me.caller, RoomRef::Home, open)
        .await
}

async fn write_large(desk: &Desk, assembly: &Assembly, range: Range<usize>) {
    let transfers = wharf(desk).transfers();
    let stretch = range.start as u64..range.end as u64;
    let mut writer = transfers
        .write_piece(&desk.me.caller, assembly, stretch)
        .unwrap();
    writer
        .push(Bytes::from_static(&BYTES[range]))
        .await
        .unwrap();
    writer.finish().await.unwrap();
}

/// The only stretch that has not come.
fn gap(assembly: &Assembly) -> Option<Range<u64>> {
    let mut gaps = assembly.gaps(0..10).into_iter();
    gaps.next().filter(|_| gaps.next().is_none())
}

async fn open_small(desk: &Desk, key: &str) -> Partial {
    let open = OpenPartial {
        key: key.into(),
        path: format!("{key}.txt"),
        tags: Vec::new(),
        bytes: BYTES.len() as u64,
        sha256: None,
    };
    let transfers = wharf(desk).transfers();
    let opened = transfers.open_partial(&desk.me.caller, RoomRef::Home, open);
    opened.await.unwrap()
}

async fn write_small(desk: &Desk, partial: &Partial, range: Range<usize>) {
    let place = Place::At(range.start as u64);
    let data = Bytes::from_static(&BYTES[range]);
    let transfers = wharf(desk).transfers();
    let written = transfers.write_part(&desk.me.caller, partial.id, place, data);
    written.await.unwrap();
}

async fn large(desk: &Desk, number: u64) -> Result<Assembly, Error> {
    let transfers = wharf(desk).transfers();
    transfers.assembly(&desk.me.caller, number).await
}

async fn small(desk: &Desk, key: &str) -> Option<Partial> {
    let transfers = wharf(desk).transfers();
    transfers.partial(&desk.me.caller, key).await.unwrap()
}

async fn large_pieces_are_kept_for_seven_days_after_the_last_one(db: TestDb) {
    let desk = desk(db).await;
    let left = open_large(&desk, "left.bin", 10).await.unwrap();
    let slow = open_large(&desk, "slow.bin", 10).await.unwrap();
    write_large(&desk, &left, 0..4).await;
    write_large(&desk, &slow, 0..4).await;
    pass(&desk, 6, DAY_MS - 1).await;
    write_large(&desk, &slow, 6..10).await;
    pass(&desk, 0, 1).await;
    let kept = large(&desk, left.number).await.unwrap();
    assert_eq!(gap(&kept), Some(4..10), "seven days are not over");
    pass(&desk, 0, 1).await;
    assert_eq!(
        code(large(&desk, left.number).await),
        Some(ErrorCode::NotFound)
    );
    let kept = large(&desk, slow.number).await.unwrap();
    assert_eq!(gap(&kept), Some(4..6), "it was added to");
    pass(&desk, 7, 0).await;
    assert_eq!(
        code(large(&desk, slow.number).await),
        Some(ErrorCode::NotFound)
    );
    let pieces = count(&desk.house, "SELECT count(*) FROM assembly_piece").await;
    assert_eq!(pieces, 0);
}

async fn small_pieces_are_kept_for_seven_days_after_the_last_one(db: TestDb) {
    let desk = desk(db).await;
    let left = open_small(&desk, "left").await;
    let slow = open_small(&desk, "slow").await;
    write_small(&desk, &left, 0..4).await;
    write_small(&desk, &slow, 0..4).await;
    pass(&desk, 6, DAY_MS - 1).await;
    write_small(&desk, &slow, 6..10).await;
    pass(&desk, 0, 1).await;
    let kept = small(&desk, "left").await.unwrap();
    assert_eq!(kept.received_bytes, 4, "seven days are not over");
    pass(&desk, 0, 1).await;
    assert_eq!(small(&desk, "left").await, None);
    let kept = small(&desk, "slow").await.unwrap();
    assert_eq!(kept.received_bytes, 8, "it was added to");
    pass(&desk, 7, 0).await;
    assert_eq!(small(&desk, "slow").await, None);
    assert_eq!(count(&desk.house, "SELECT count(*) FROM part").await, 0);
}

async fn an_upload_that_ended_is_remembered_for_seven_days_and_its_file_stays(db: TestDb) {
    let desk = desk(db).await;
    let by = desk.me.caller;
    let assembly = open_large(&desk, "large.txt", 10).await.unwrap();
    write_large(&desk, &assembly, 0..10).await;
    let transfers = wharf(&desk).transfers();
    transfers
        .finish_assembly(&by, assembly.number)
        .await
        .unwrap();
    let partial = open_small(&desk, "small").await;
    write_small(&desk, &partial, 0..10).await;
    transfers.finish_partial(&by, partial.id).await.unwrap();
    pass(&desk, 7, 0).await;
    assert!(large(&desk, assembly.number).await.unwrap().has_ended);
    assert!(small(&desk, "small").await.unwrap().has_ended);
    pass(&desk, 0, 1).await;
    assert_eq!(
        code(large(&desk, assembly.number).await),
        Some(ErrorCode::NotFound)
    );
    assert_eq!(small(&desk, "small").await, None);
    for path in ["large.txt", "small.txt"] {
        assert_eq!(desk.read(at(path), None).await.unwrap(), BYTES);
    }
}

async fn what_has_expired_gives_its_room_back(db: TestDb) {
    let desk = desk(db).await;
    let quota = EditAccount {
        quota_bytes: Some(100),
        locked: None,
        reset_password: false,
    };
    let me = desk.me.logged_in.account.id;
    let admin = wharf(&desk).accounts().admin(&desk.me.caller).unwrap();
    admin.edit(me, quota).await.unwrap();
    open_large(&desk, "first.bin", 60).await.unwrap();
    let second = || open_large(&desk, "second.bin", 60);
    assert_eq!(code(second().await), Some(ErrorCode::OverQuota));
    pass(&desk, 7, 0).await;
    assert_eq!(code(second().await), Some(ErrorCode::OverQuota));
    pass(&desk, 0, 1).await;
    second().await.unwrap();
}

async fn a_piece_that_comes_as_an_upload_expires_keeps_it_whole_or_is_refused(db: TestDb) {
    let desk = desk(db).await;
    let transfers = wharf(&desk).transfers();
    let by = &desk.me.caller;
    let mut uploads = Vec::new();
    for number in 0..60_u32 {
        let key = format!("late {number}");
        let partial = open_small(&desk, &key).await;
        write_small(&desk, &partial, 0..4).await;
        uploads.push((number, key, partial.id));
    }
    (0..7).for_each(|_| desk.house.clock.advance_ms(DAY_MS));
    desk.house.clock.advance_ms(1);
    // The uploads expire one after the other, and their pieces come one after the other meanwhile.
    let writes = uploads.iter().map(|(number, _, id)| async move {
        tokio::time::sleep(Duration::from_millis(1) * *number).await;
        let rest = Bytes::from_static(&BYTES[4..]);
        transfers.write_part(by, *id, Place::At(4), rest).await
    });
    let (_, written) = tokio::join!(
        run(wharf(&desk), "expiry"),
        futures_util::future::join_all(writes)
    );
    for ((_, key, id), written) in uploads.iter().zip(written) {
        match written {
            Ok(written) => {
                assert!(written.is_whole(), "{key}");
                transfers.finish_partial(by, *id).await.unwrap();
                let path = format!("{key}.txt");
                assert_eq!(desk.read(at(&path), None).await.unwrap(), BYTES);
            }
            Err(error) => assert_eq!(error.code(), ErrorCode::NotFound, "{key}"),
        }
        // What is begun again under the same key begins at nothing, or is the file that was put.
        let again = open_small(&desk, key).await;
        assert_eq!(again.received_bytes, if again.has_ended { 10 } else { 0 });
    }
    let pieces = "SELECT count(*) FROM part";
    assert_eq!(count(&desk.house, pieces).await, 0);
}
