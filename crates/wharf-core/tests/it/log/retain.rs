//! Rooms that keep entries for some days only.

use wharf_core::log::{Range, verify};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::api::log::{Draft, Reaction};

use super::room::{Talk, device, text};

both_engines!(
    what_is_past_its_days_goes_by_whole_hours,
    a_number_is_answered_though_its_entry_is_gone
);

const HOUR_MS: u32 = 3_600_000;

async fn what_is_past_its_days_goes_by_whole_hours(db: TestDb) {
    let talk = Talk::open(db).await;
    let logs = talk.house.wharf.logs();
    // Two entries an hour, for two days; the third one answers with a reaction.
    for hour in 0..48 {
        talk.say(&talk.owner, text(&hour.to_string())).await;
        let reaction = Draft::Reaction(Reaction {
            target: hour * 2 + 1,
            emoji: "x".to_owned(),
            is_set: true,
        });
        talk.say(&talk.editor, reaction).await;
        talk.house.clock.advance_ms(HOUR_MS);
    }
    logs.retain_all().await.unwrap();
    assert_eq!(talk.log(&talk.reader).await.len(), 96);
    talk.execute("UPDATE log SET keep_days = 1 WHERE room_id = ?1")
        .await;
    logs.retain_all().await.unwrap();
    // It is the 48th hour: what was said in the first 24 is a day old or older.
    let page = logs
        .page(&talk.reader.caller, talk.at(), Range::After(0), None)
        .await
        .unwrap();
    assert_eq!((page.floor, page.head), (48, 96));
    assert_eq!(page.items.first().map(|entry| entry.position), Some(49));
    let verified = verify(talk.house.wharf.db()).await.unwrap();
    assert_eq!((verified.entries, verified.faults), (48, vec![]));
    logs.retain_all().await.unwrap();
    assert_eq!(talk.log(&talk.reader).await.len(), 48);
    // Long after the last word nothing is left, and the log goes on where it was.
    for _ in 0..72 {
        talk.house.clock.advance_ms(HOUR_MS);
    }
    logs.retain_all().await.unwrap();
    assert_eq!(talk.log(&talk.reader).await, []);
    assert_eq!(talk.say(&talk.owner, text("again")).await, 97);
    let log = talk.log(&talk.reader).await;
    assert_eq!((log[0].position, log[0].countable), (97, 49));
    let by_time = logs
        .page(
            &talk.reader.caller,
            talk.at(),
            Range::AtTime(log[0].at_ms),
            None,
        )
        .await
        .unwrap();
    assert_eq!(by_time.items, log);
    assert_eq!(verify(talk.house.wharf.db()).await.unwrap().faults, []);
}

async fn a_number_is_answered_though_its_entry_is_gone(db: TestDb) {
    let talk = Talk::open(db).await;
    talk.execute("UPDATE log SET keep_days = 1 WHERE room_id = ?1")
        .await;
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
