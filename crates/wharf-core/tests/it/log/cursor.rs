//! Pages, cursors and what is unread.

use wharf_core::log::Range;
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::api::log::LogPage;
use wharf_types::limit::ENTRY_TEXT_BYTES_MAX;
use wharf_types::{AccountId, ErrorCode};

use super::room::{Talk, device, text};
use crate::support::{START_MS, Visitor, code};

both_engines!(
    pages_go_both_ways_and_begin_at_a_time,
    a_page_ends_at_its_bytes,
    who_joined_later_reads_from_there,
    cursors_move_forward_only,
    a_stranger_has_no_cursor,
    who_says_something_has_read_up_to_it
);

fn positions(page: &LogPage) -> Vec<u64> {
    page.items.iter().map(|entry| entry.position).collect()
}

async fn page(talk: &Talk, who: &Visitor, range: Range, limit: u32) -> LogPage {
    let logs = talk.house.wharf.logs();
    logs.page(&who.caller, talk.at(), range, Some(limit))
        .await
        .unwrap()
}

async fn pages_go_both_ways_and_begin_at_a_time(db: TestDb) {
    let talk = Talk::open(db).await;
    let empty = page(&talk, &talk.owner, Range::Last, 10).await;
    assert_eq!((empty.head, empty.floor, empty.items.len()), (0, 0, 0));
    assert_eq!(
        page(&talk, &talk.owner, Range::AtTime(0), 10).await.items,
        []
    );
    // Ten entries, twenty minutes apart; before the sixth the clock steps back two hours.
    for index in 0..10 {
        if index == 5 {
            talk.house
                .clock
                .set_wall_ms(talk.house.clock.now_ms() - 2 * 3_600_000);
        }
        talk.say(&talk.owner, text(&index.to_string())).await;
        talk.house.clock.advance_ms(20 * 60_000);
    }
    let reader = &talk.reader;
    let cases = [
        (Range::After(0), 3, vec![1, 2, 3]),
        (Range::After(8), 5, vec![9, 10]),
        (Range::After(10), 5, vec![]),
        (Range::After(u64::MAX), 5, vec![]),
        (Range::Before(4), 2, vec![2, 3]),
        (Range::Before(1), 2, vec![]),
        (Range::Before(0), 2, vec![]),
        (Range::Before(u64::MAX), 2, vec![9, 10]),
        (Range::Last, 4, vec![7, 8, 9, 10]),
        (Range::AtTime(i64::MIN), 2, vec![1, 2]),
        (Range::AtTime(START_MS + 1), 2, vec![2, 3]),
        (Range::AtTime(START_MS + 65 * 60_000), 2, vec![5, 6]),
        (Range::AtTime(i64::MAX), 2, vec![]),
    ];
    for (range, limit, wanted) in cases {
        let page = page(&talk, reader, range, limit).await;
        assert_eq!(positions(&page), wanted, "{range:?}");
        assert_eq!(page.head, 10);
    }
    let whole = page(&talk, reader, Range::Last, 0).await;
    assert_eq!(positions(&whole), [10]);
    assert_eq!(whole.head_hash, whole.items[0].hash);
}

async fn a_page_ends_at_its_bytes(db: TestDb) {
    let talk = Talk::open(db).await;
    for _ in 0..10 {
        talk.say(&talk.owner, text(&"x".repeat(ENTRY_TEXT_BYTES_MAX)))
            .await;
    }
    let first = page(&talk, &talk.owner, Range::After(0), 1_000).await;
    assert_eq!(positions(&first), [1, 2, 3]);
    let last = page(&talk, &talk.owner, Range::Last, 1_000).await;
    assert_eq!(positions(&last), [8, 9, 10]);
    assert_eq!(talk.log(&talk.owner).await.len(), 10);
}

async fn who_joined_later_reads_from_there(db: TestDb) {
    let talk = Talk::open(db).await;
    for _ in 0..4 {
        talk.say(&talk.owner, text("x")).await;
    }
    talk.admit(talk.stranger.id(), "reader", 3).await;
    for range in [
        Range::After(0),
        Range::Last,
        Range::Before(9),
        Range::AtTime(0),
    ] {
        let page = page(&talk, &talk.stranger, range, 10).await;
        assert_eq!((page.floor, page.head, positions(&page)), (3, 4, vec![4]));
    }
    assert_eq!(
        positions(&page(&talk, &talk.stranger, Range::Before(4), 10).await),
        Vec::<u64>::new()
    );
}

async fn cursors_move_forward_only(db: TestDb) {
    let talk = Talk::open(db).await;
    let logs = talk.house.wharf.logs();
    for _ in 0..5 {
        talk.say(&talk.owner, text("x")).await;
    }
    let reader = &talk.reader.caller;
    for position in [3, 1, 0] {
        logs.mark_read(reader, talk.at(), position).await.unwrap();
    }
    for (which, position) in [(1, 4), (2, 2), (1, 3)] {
        logs.mark_delivered(reader, device(which), talk.at(), position)
            .await
            .unwrap();
    }
    let account = talk.reader.id();
    assert_eq!(cursor_of(&talk, account).await, (3, 4));
    // Past the end is the end; who has read it has it.
    logs.mark_read(reader, talk.at(), u64::MAX).await.unwrap();
    assert_eq!(cursor_of(&talk, account).await, (5, 5));
    let all = logs.mark_delivered(reader, device(1), talk.at(), u64::MAX);
    all.await.unwrap();
    talk.say(&talk.owner, text("x")).await;
    assert_eq!(cursor_of(&talk, account).await, (5, 5));
    let history = logs.entry(reader, talk.at(), 4).await.unwrap();
    assert_eq!(history.read_by, [account]);
}

/// How far an account has read and received.
async fn cursor_of(talk: &Talk, account: AccountId) -> (u64, u64) {
    let logs = talk.house.wharf.logs();
    let cursors = logs.cursors(&talk.owner.caller, talk.at()).await.unwrap();
    let mut items = cursors.items.into_iter();
    let found = items.find(|cursor| cursor.account == account).unwrap();
    (found.read, found.delivered)
}

async fn a_stranger_has_no_cursor(db: TestDb) {
    let talk = Talk::open(db).await;
    let (logs, stranger) = (talk.house.wharf.logs(), &talk.stranger.caller);
    let outcomes = [
        code(logs.mark_read(stranger, talk.at(), 1).await),
        code(logs.mark_delivered(stranger, device(1), talk.at(), 1).await),
        code(logs.cursors(stranger, talk.at()).await),
    ];
    assert_eq!(outcomes, [Some(ErrorCode::NotFound); 3]);
}

async fn who_says_something_has_read_up_to_it(db: TestDb) {
    let talk = Talk::open(db).await;
    let logs = talk.house.wharf.logs();
    talk.say(&talk.owner, text("x")).await;
    talk.say(&talk.owner, text("y")).await;
    talk.say(&talk.editor, text("z")).await;
    let cursors = logs.cursors(&talk.owner.caller, talk.at()).await.unwrap();
    let read = |who: &Visitor| {
        cursors
            .items
            .iter()
            .find(|cursor| cursor.account == who.id())
            .map(|cursor| cursor.read)
    };
    assert_eq!(
        (read(&talk.owner), read(&talk.editor), read(&talk.reader)),
        (Some(2), Some(3), Some(0))
    );
}
