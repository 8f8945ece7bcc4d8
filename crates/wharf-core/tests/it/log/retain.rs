//! Rooms that keep entries for some days only.

use wharf_core::log::{Range, verify};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;

use super::room::{Talk, device, react, text};

both_engines!(
    what_is_past_its_days_goes_by_whole_hours,
    a_log_that_nothing_is_left_of_goes_on_where_it_was,
    a_number_is_answered_though_its_entry_is_gone
);

const HOUR_MS: u32 = 3_600_000;

/// Says something and reacts to it, once an hour.
async fn talk_for(talk: &Talk, hours: u64) {
    for hour in 0..hours {
        let said = talk.say(&talk.owner, text(&hour.to_string())).await;
        talk.say(&talk.editor, react(said, "x", true)).await;
        talk.house.clock.advance_ms(HOUR_MS);
    }
}

async fn what_is_past_its_days_goes_by_whole_hours(db: TestDb) {
    let talk = Talk::open(db).await;
    let logs = talk.house.wharf.logs();
    talk_for(&talk, 48).await;
    logs.retain_all().await.unwrap();
    assert_eq!(talk.log(&talk.reader).await.len(), 96);
    talk.keep_days(1).await;
    for _ in 0..2 {
        logs.retain_all().await.unwrap();
        // It is the 49th hour: what was said in the first 24 is a day old or older.
        let page = logs.page(&talk.reader.caller, talk.at(), Range::After(0), None);
        let page = page.await.unwrap();
        assert_eq!((page.floor, page.head, page.items.len()), (48, 97, 49));
        assert_eq!(page.items[0].position, 49);
        let verified = verify(talk.house.wharf.db()).await.unwrap();
        assert_eq!((verified.entries, verified.faults), (49, vec![]));
    }
}

async fn a_log_that_nothing_is_left_of_goes_on_where_it_was(db: TestDb) {
    let talk = Talk::open(db).await;
    let logs = talk.house.wharf.logs();
    talk.keep_days(1).await;
    talk_for(&talk, 3).await;
    for _ in 0..48 {
        talk.house.clock.advance_ms(HOUR_MS);
    }
    logs.retain_all().await.unwrap();
    assert_eq!(talk.log(&talk.reader).await, []);
    assert_eq!(talk.say(&talk.owner, text("again")).await, 8);
    let log = talk.log(&talk.reader).await;
    assert_eq!((log[0].position, log[0].countable), (8, 4));
    let range = Range::AtTime(log[0].at_ms);
    let by_time = logs.page(&talk.reader.caller, talk.at(), range, None).await;
    assert_eq!(by_time.unwrap().items, log);
    assert_eq!(verify(talk.house.wharf.db()).await.unwrap().faults, []);
}

async fn a_number_is_answered_though_its_entry_is_gone(db: TestDb) {
    let talk = Talk::open(db).await;
    talk.keep_days(1).await;
    let first = talk
        .append(&talk.owner, talk.room, device(1), 1, text("x"))
        .await
        .unwrap();
    for _ in 0..49 {
        talk.house.clock.advance_ms(HOUR_MS);
    }
    talk.house.wharf.logs().retain_all().await.unwrap();
    assert_eq!(talk.log(&talk.owner).await, []);
    let again = talk
        .append(&talk.owner, talk.room, device(1), 1, text("x"))
        .await
        .unwrap();
    assert!(again.repeated);
    assert_eq!(
        (again.position, again.at_ms, again.hash),
        (first.position, first.at_ms, first.hash)
    );
}
