//! Once, in order, by the rules.

use wharf_core::drive::RoomRef;
use wharf_core::log::Range;
use wharf_core::{HouseConfig, MessageLimits};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::ErrorCode;
use wharf_types::api::log::{
    Append, AppendOutcome, Appended, Body, Draft, Mentions, Refused, Text,
};
use wharf_types::limit::APPENDS_PER_BATCH_MAX;

use super::room::{Talk, device, edit, pin, react, recall, text, unlimited};
use crate::support::{PASSWORD, code, from};

both_engines!(
    what_is_said_is_read_in_one_order_by_all,
    the_same_number_is_one_entry_for_ever,
    a_number_used_for_something_else_is_refused,
    numbers_are_dense_over_all_rooms,
    a_refusal_is_remembered_and_the_next_number_goes_on,
    a_batch_is_answered_one_by_one_and_in_order,
    a_batch_that_is_over_the_limit_is_appended_up_to_it,
    strangers_and_readers_append_nothing,
    two_processes_use_one_number_once
);

fn refused(outcome: &AppendOutcome) -> &Refused {
    match outcome {
        AppendOutcome::Refused(refused) => refused,
        AppendOutcome::Appended(appended) => panic!("appended: {appended:?}"),
    }
}

async fn what_is_said_is_read_in_one_order_by_all(db: TestDb) {
    let talk = Talk::open(db).await;
    let first = talk.try_say(&talk.owner, text("hello")).await.unwrap();
    assert_eq!(
        (first.position, first.room, first.repeated),
        (1, talk.room, false)
    );
    // The wall clock steps back a day; the order is what it is.
    talk.house.clock.set_wall_ms(first.at_ms - 86_400_000);
    let reply = Draft::Text(Text {
        text: "hi".to_owned(),
        reply_to: Some(1),
        mentions: Mentions::default(),
    });
    talk.say(&talk.editor, reply).await;
    let log = talk.log(&talk.reader).await;
    let said: Vec<_> = log
        .iter()
        .map(|entry| {
            (
                entry.position,
                entry.account,
                entry.countable,
                entry.client_ms,
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            (1, Some(talk.owner.id()), 1, Some(5)),
            (2, Some(talk.editor.id()), 2, Some(5))
        ]
    );
    assert_eq!(log[0].hash, first.hash);
    assert_eq!(log[0].origin.door, "http");
    assert_eq!(log[0].origin.address, None);
    assert_eq!(
        talk.log(&talk.owner).await[0].origin.address.as_deref(),
        Some("192.0.2.1")
    );
    assert!(matches!(&log[1].body, Some(Body::Text(said)) if said.reply_to == Some(1)));
}

async fn the_same_number_is_one_entry_for_ever(db: TestDb) {
    let talk = Talk::open(db).await;
    let mut firsts = Vec::new();
    for number in 1..=5 {
        let said = talk
            .append(&talk.owner, talk.room, device(1), number, text("x"))
            .await;
        firsts.push(said.unwrap());
    }
    let refusal = talk
        .append(&talk.owner, talk.room, device(1), 6, text(""))
        .await;
    assert_eq!(code(refusal), Some(ErrorCode::Invalid));
    // A year later, after a restart, the whole outbox of a restored backup comes again.
    let year = std::iter::repeat_n(86_400_000, 365);
    year.for_each(|day_ms| talk.house.clock.advance_ms(day_ms));
    // The session itself has ended by then; a new login of the same account is the same device still.
    let accounts = talk.house.wharf.accounts();
    let caller = accounts.authenticate(&talk.owner.logged_in.token, from("192.0.2.1"));
    assert_eq!(code(caller.await), Some(ErrorCode::Unauthenticated));
    let visitor = talk
        .house
        .log_in("root", PASSWORD, "192.0.2.1")
        .await
        .unwrap();
    let restarted = talk.house.second_process().await;
    for (number, first) in (1..).zip(&firsts) {
        let append = Append {
            device: device(1),
            number,
            draft: text("x"),
            client_ms: Some(5),
        };
        let answer = restarted
            .logs()
            .append(&visitor.caller, talk.at(), append)
            .await;
        let wanted = Appended {
            repeated: true,
            ..first.clone()
        };
        assert_eq!(answer.unwrap(), wanted);
    }
    let refusal = talk
        .append(&visitor, talk.room, device(1), 6, text(""))
        .await;
    assert_eq!(code(refusal), Some(ErrorCode::Invalid));
    assert_eq!(talk.log(&visitor).await.len(), 5);
    let last = restarted
        .logs()
        .last_number(&visitor.caller, device(1))
        .await;
    assert_eq!(last.unwrap(), 6);
}

async fn a_number_used_for_something_else_is_refused(db: TestDb) {
    let talk = Talk::open(db).await;
    let home = talk.editor.caller.person().unwrap().home;
    talk.append(&talk.editor, talk.room, device(1), 1, text("x"))
        .await
        .unwrap();
    for outcome in [
        talk.append(&talk.editor, talk.room, device(1), 1, text("y"))
            .await,
        talk.append(&talk.editor, home, device(1), 1, text("x"))
            .await,
    ] {
        assert_eq!(code(outcome), Some(ErrorCode::Stale));
    }
    let outcomes = talk.batch(&talk.editor, device(1), &[(1, text("x"))]).await;
    // Another time of the sender's is another message.
    assert_eq!(
        (refused(&outcomes[0]).code, refused(&outcomes[0]).expected),
        (ErrorCode::Stale, None)
    );
    // Another account's device of the same id has its own numbers.
    talk.append(&talk.owner, talk.room, device(1), 1, text("z"))
        .await
        .unwrap();
    assert_eq!(talk.log(&talk.owner).await.len(), 2);
}

async fn numbers_are_dense_over_all_rooms(db: TestDb) {
    let talk = Talk::open(db).await;
    let home = talk.editor.caller.person().unwrap().home;
    talk.append(&talk.editor, talk.room, device(1), 1, text("a"))
        .await
        .unwrap();
    talk.append(&talk.editor, home, device(1), 2, text("b"))
        .await
        .unwrap();
    let gap = talk.batch(&talk.editor, device(1), &[(4, text("d"))]).await;
    assert_eq!(
        (refused(&gap[0]).code, refused(&gap[0]).expected),
        (ErrorCode::Stale, Some(3))
    );
    talk.append(&talk.editor, talk.room, device(1), 3, text("c"))
        .await
        .unwrap();
    let zero = talk
        .append(&talk.editor, talk.room, device(1), 0, text("e"))
        .await;
    assert_eq!(code(zero), Some(ErrorCode::Invalid));
    let last = talk
        .house
        .wharf
        .logs()
        .last_number(&talk.editor.caller, device(1))
        .await;
    assert_eq!(last.unwrap(), 3);
    let none = talk
        .house
        .wharf
        .logs()
        .last_number(&talk.editor.caller, device(2))
        .await;
    assert_eq!(none.unwrap(), 0);
}

async fn a_refusal_is_remembered_and_the_next_number_goes_on(db: TestDb) {
    let talk = Talk::open(db).await;
    let nothing = || recall(99);
    for _ in 0..2 {
        let outcome = talk
            .append(&talk.editor, talk.room, device(1), 1, nothing())
            .await;
        assert_eq!(code(outcome), Some(ErrorCode::NotFound));
    }
    let said = talk
        .append(&talk.editor, talk.room, device(1), 2, text("x"))
        .await
        .unwrap();
    assert_eq!(said.position, 1);
}

async fn a_batch_is_answered_one_by_one_and_in_order(db: TestDb) {
    let talk = Talk::open(db).await;
    let outcomes = talk
        .batch(
            &talk.editor,
            device(1),
            &[
                (1, text("a")),
                (2, edit(1, "b")),
                (3, text("")),
                (4, recall(1)),
                (1, text("a")),
                (6, text("gap")),
                (5, edit(1, "too late")),
            ],
        )
        .await;
    let shown: Vec<_> = outcomes
        .iter()
        .map(|outcome| match outcome {
            AppendOutcome::Appended(appended) => Ok((appended.position, appended.repeated)),
            AppendOutcome::Refused(refused) => Err((refused.code, refused.expected)),
        })
        .collect();
    assert_eq!(
        shown,
        [
            Ok((1, false)),
            Ok((2, false)),
            Err((ErrorCode::Invalid, None)),
            Ok((3, false)),
            Ok((1, true)),
            Err((ErrorCode::Stale, Some(5))),
            Err((ErrorCode::Denied, None)),
        ]
    );
    let many = vec![(6, text("x")); APPENDS_PER_BATCH_MAX + 1];
    let outcomes = talk.batch(&talk.editor, device(1), &many).await;
    assert!(
        outcomes
            .iter()
            .all(|outcome| refused(outcome).code == ErrorCode::TooLarge)
    );
    assert_eq!(outcomes.len(), many.len());
}

async fn a_batch_that_is_over_the_limit_is_appended_up_to_it(db: TestDb) {
    let config = HouseConfig {
        messages: MessageLimits {
            account_burst: 3,
            account_per_minute: 60,
            address_burst: 5,
            address_per_minute: 60,
        },
        ..unlimited()
    };
    let talk = Talk::open_with(db, config).await;
    let items: Vec<_> = (1..=5).map(|number| (number, text("x"))).collect();
    let outcomes = talk.batch(&talk.editor, device(1), &items).await;
    let limited = refused(&outcomes[3]);
    assert_eq!(
        (limited.code, limited.retry_after_ms),
        (ErrorCode::Limited, Some(1_000))
    );
    assert_eq!(refused(&outcomes[4]).code, ErrorCode::Limited);
    assert_eq!(talk.log(&talk.editor).await.len(), 3);
    // The address has two left, for whoever comes from there; what is repeated costs nothing.
    talk.house.clock.advance_ms(999);
    assert_eq!(
        refused(&talk.batch(&talk.editor, device(1), &items[3..]).await[0]).code,
        ErrorCode::Limited
    );
    for number in 1..=2 {
        talk.append(&talk.owner, talk.room, device(9), number, text("y"))
            .await
            .unwrap();
    }
    let error = talk
        .append(&talk.owner, talk.room, device(9), 3, text("y"))
        .await
        .unwrap_err();
    assert_eq!(
        (error.code(), error.retry_after_seconds()),
        (ErrorCode::Limited, Some(1))
    );
    talk.house.clock.advance_ms(2_000);
    for _ in 0..10 {
        let again = talk
            .append(&talk.owner, talk.room, device(9), 1, text("y"))
            .await
            .unwrap();
        assert!(again.repeated);
    }
    let outcomes = talk.batch(&talk.editor, device(1), &items).await;
    let appended = outcomes
        .iter()
        .filter(|outcome| matches!(outcome, AppendOutcome::Appended(_)));
    assert_eq!(appended.count(), 5, "{outcomes:?}");
}

async fn strangers_and_readers_append_nothing(db: TestDb) {
    let talk = Talk::open(db).await;
    talk.say(&talk.owner, text("x")).await;
    let outcome = talk.try_say(&talk.stranger, text("x")).await;
    assert_eq!(code(outcome), Some(ErrorCode::NotFound));
    for draft in [text("x"), react(1, "👍", true), pin(1, true)] {
        let outcome = talk.try_say(&talk.reader, draft).await;
        assert_eq!(code(outcome), Some(ErrorCode::Denied));
    }
    let page = talk
        .house
        .wharf
        .logs()
        .page(&talk.stranger.caller, talk.at(), Range::Last, None)
        .await;
    assert_eq!(code(page), Some(ErrorCode::NotFound));
    talk.house
        .wharf
        .accounts()
        .logout(&talk.editor.caller)
        .await
        .unwrap();
    let outcome = talk.try_say(&talk.editor, text("x")).await;
    assert_eq!(code(outcome), Some(ErrorCode::Unauthenticated));
    assert_eq!(talk.log(&talk.owner).await.len(), 1);
}

async fn two_processes_use_one_number_once(db: TestDb) {
    let talk = Talk::open(db).await;
    let other = talk.house.second_process().await;
    let home = talk.owner.caller.person().unwrap().home;
    let caller = other
        .accounts()
        .authenticate(&talk.editor.logged_in.token, from("192.0.2.1"))
        .await
        .unwrap();
    assert_eq!(home, talk.room);
    let own = RoomRef::Id(talk.editor.caller.person().unwrap().home);
    for number in 1..=20 {
        let append = |draft: &str| Append {
            device: device(1),
            number,
            draft: text(draft),
            client_ms: None,
        };
        // A copied profile: two programs, one device id, two rooms.
        let (one, two) = tokio::join!(
            talk.house
                .wharf
                .logs()
                .append(&talk.editor.caller, talk.at(), append("one")),
            other.logs().append(&caller, own, append("two"))
        );
        let codes = [code(one), code(two)];
        assert!(
            codes == [None, Some(ErrorCode::Stale)] || codes == [Some(ErrorCode::Stale), None],
            "{codes:?}"
        );
    }
    let last = talk
        .house
        .wharf
        .logs()
        .last_number(&talk.editor.caller, device(1))
        .await;
    assert_eq!(last.unwrap(), 20);
}
