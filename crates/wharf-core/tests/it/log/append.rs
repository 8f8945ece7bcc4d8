//! Once, in order, by the rules.

use wharf_core::drive::RoomRef;
use wharf_core::log::Range;
use wharf_core::{HouseConfig, MessageLimits};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::ErrorCode;
use wharf_types::api::drive::{At, Commit, Op};
use wharf_types::api::log::{
    AppendOutcome, Body, Draft, Edit, FileDraft, Mentions, Pin, Reaction, Recall, Refused, Text,
};
use wharf_types::limit::{APPENDS_PER_BATCH_MAX, ENTRY_TEXT_BYTES_MAX};
use wharf_types::{CommitId, NodeId};

use super::room::{Talk, device, text, text_to, unlimited};
use crate::desk::{frames_of, put};
use crate::support::{Visitor, code};

both_engines!(
    what_is_said_is_read_in_one_order_by_all,
    the_same_number_is_one_entry_for_ever,
    a_number_used_for_something_else_is_refused,
    numbers_are_dense_over_all_rooms,
    a_refusal_is_remembered_and_the_next_number_goes_on,
    a_batch_is_answered_one_by_one_and_in_order,
    a_batch_that_is_over_the_limit_is_appended_up_to_it,
    strangers_and_readers_append_nothing,
    drafts_are_bounded,
    only_the_author_edits_and_only_in_time,
    a_recall_erases_the_text_and_its_edits,
    the_owner_of_a_group_takes_back_what_others_said,
    reactions_and_pins_are_set_and_taken_away,
    what_is_no_text_and_what_is_not_seen_is_not_acted_on,
    a_file_of_the_drive_is_handed_over,
    two_processes_use_one_number_once
);

fn edit(target: u64, text: &str) -> Draft {
    Draft::Edit(Edit {
        target,
        text: text.to_owned(),
        mentions: Mentions::default(),
    })
}

fn recall(target: u64) -> Draft {
    Draft::Recall(Recall { target })
}

fn react(target: u64, emoji: &str, is_set: bool) -> Draft {
    Draft::Reaction(Reaction {
        target,
        emoji: emoji.to_owned(),
        is_set,
    })
}

fn pin(target: u64, is_set: bool) -> Draft {
    Draft::Pin(Pin { target, is_set })
}

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
    let again = talk.house.second_process().await;
    for (number, first) in (1..).zip(&firsts) {
        let append = wharf_types::api::log::Append {
            device: device(1),
            number,
            draft: text("x"),
            client_ms: Some(5),
        };
        let caller = again
            .accounts()
            .authenticate(
                &talk.owner.logged_in.token,
                crate::support::from("192.0.2.1"),
            )
            .await;
        // The session itself has ended by then; a new login of the same account is the same device still.
        assert_eq!(code(caller), Some(ErrorCode::Unauthenticated));
        let visitor = talk
            .house
            .log_in("root", crate::support::PASSWORD, "192.0.2.1")
            .await
            .unwrap();
        let answer = again
            .logs()
            .append(&visitor.caller, talk.at(), append)
            .await
            .unwrap();
        assert!(answer.repeated);
        assert_eq!(
            (answer.position, answer.at_ms, answer.hash),
            (first.position, first.at_ms, first.hash)
        );
    }
    let visitor = talk
        .house
        .log_in("root", crate::support::PASSWORD, "192.0.2.1")
        .await
        .unwrap();
    let refusal = talk
        .append(&visitor, talk.room, device(1), 6, text(""))
        .await;
    assert_eq!(code(refusal), Some(ErrorCode::Invalid));
    assert_eq!(talk.log(&visitor).await.len(), 5);
    let last = talk
        .house
        .wharf
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

async fn drafts_are_bounded(db: TestDb) {
    let talk = Talk::open(db).await;
    talk.say(&talk.owner, text(&"x".repeat(ENTRY_TEXT_BYTES_MAX)))
        .await;
    let many = Mentions {
        accounts: (0..101)
            .map(|byte| wharf_types::AccountId::from_bytes([byte; 16]))
            .collect(),
        everybody: false,
    };
    let cases = [
        (
            text(&"x".repeat(ENTRY_TEXT_BYTES_MAX + 1)),
            ErrorCode::TooLarge,
        ),
        (text(""), ErrorCode::Invalid),
        (text("a\0b"), ErrorCode::Invalid),
        (text_to("x", many), ErrorCode::TooLarge),
        (edit(1, ""), ErrorCode::Invalid),
        (react(1, "", true), ErrorCode::Invalid),
        (react(1, "a\nb", true), ErrorCode::Invalid),
        (react(1, &"x".repeat(65), true), ErrorCode::TooLarge),
        (
            Draft::Text(Text {
                text: "x".to_owned(),
                reply_to: Some(50),
                ..Text::default()
            }),
            ErrorCode::NotFound,
        ),
    ];
    for (draft, wanted) in cases {
        assert_eq!(
            code(talk.try_say(&talk.owner, draft.clone()).await),
            Some(wanted),
            "{draft:?}"
        );
    }
    for emoji in 0..20 {
        talk.say(&talk.owner, react(1, &emoji.to_string(), true))
            .await;
    }
    assert_eq!(
        code(talk.try_say(&talk.owner, react(1, "20", true)).await),
        Some(ErrorCode::TooLarge)
    );
    // Mentions are put in order, each once.
    let [low, high] = {
        let mut ids = [talk.owner.id(), talk.editor.id()];
        ids.sort_unstable();
        ids
    };
    let mentions = Mentions {
        accounts: vec![high, low, high],
        everybody: false,
    };
    let position = talk.say(&talk.owner, text_to("x", mentions)).await;
    let history = talk
        .house
        .wharf
        .logs()
        .entry(&talk.owner.caller, talk.at(), position)
        .await
        .unwrap();
    assert!(
        matches!(history.entry.body, Some(Body::Text(said)) if said.mentions.accounts == [low, high])
    );
}

async fn only_the_author_edits_and_only_in_time(db: TestDb) {
    let talk = Talk::open_with(
        db,
        HouseConfig {
            edit_minutes: 5,
            recall_minutes: 5,
            ..unlimited()
        },
    )
    .await;
    let said = talk.say(&talk.editor, text("first")).await;
    assert_eq!(
        code(talk.try_say(&talk.owner, edit(said, "x")).await),
        Some(ErrorCode::Denied)
    );
    talk.say(&talk.editor, edit(said, "second")).await;
    talk.house.clock.advance_ms(5 * 60_000);
    talk.say(&talk.editor, edit(said, "third")).await;
    talk.house.clock.advance_ms(1);
    assert_eq!(
        code(talk.try_say(&talk.editor, edit(said, "fourth")).await),
        Some(ErrorCode::Denied)
    );
    assert_eq!(
        code(talk.try_say(&talk.editor, recall(said)).await),
        Some(ErrorCode::Denied)
    );
    let history = talk
        .house
        .wharf
        .logs()
        .entry(&talk.reader.caller, talk.at(), said)
        .await
        .unwrap();
    let texts: Vec<_> = history
        .edits
        .iter()
        .map(|edit| (edit.position, edit.text.as_str()))
        .collect();
    assert_eq!(texts, [(2, "second"), (3, "third")]);
    assert_eq!(history.entry.state.edited, history.edits.last().cloned());
    assert!(matches!(history.entry.body, Some(Body::Text(said)) if said.text == "first"));
    // An owner is not bound by the time for recalling.
    talk.say(&talk.owner, recall(said)).await;
}

async fn a_recall_erases_the_text_and_its_edits(db: TestDb) {
    let talk = Talk::open(db).await;
    let said = talk.say(&talk.editor, text("secret")).await;
    talk.say(&talk.editor, edit(said, "still secret")).await;
    talk.say(&talk.owner, react(said, "👍", true)).await;
    talk.say(&talk.owner, pin(said, true)).await;
    let position = talk.say(&talk.editor, recall(said)).await;
    let log = talk.log(&talk.reader).await;
    assert_eq!((&log[0].body, &log[1].body), (&None, &None));
    assert_eq!(log[0].state.recalled, Some(position));
    assert_eq!((&log[0].state.edited, log[0].state.pinned), (&None, None));
    assert!(log[0].state.reactions.is_empty());
    for draft in [
        edit(said, "x"),
        react(said, "x", true),
        pin(said, true),
        recall(said),
    ] {
        assert_eq!(
            code(talk.try_say(&talk.editor, draft).await),
            Some(ErrorCode::Denied)
        );
    }
    let pins = talk
        .house
        .wharf
        .logs()
        .pins(&talk.owner.caller, talk.at())
        .await
        .unwrap();
    assert!(pins.items.is_empty());
    let history = talk
        .house
        .wharf
        .logs()
        .entry(&talk.owner.caller, talk.at(), said)
        .await
        .unwrap();
    assert!(history.edits.is_empty());
    assert_eq!(
        wharf_core::log::verify(talk.house.wharf.db())
            .await
            .unwrap()
            .faults,
        []
    );
}

async fn the_owner_of_a_group_takes_back_what_others_said(db: TestDb) {
    let talk = Talk::open(db).await;
    let said = talk.say(&talk.owner, text("a")).await;
    assert_eq!(
        code(talk.try_say(&talk.editor, recall(said)).await),
        Some(ErrorCode::Denied)
    );
    let said = talk.say(&talk.editor, text("b")).await;
    talk.say(&talk.owner, recall(said)).await;
    // Who owns a direct room is chance.
    let said = talk.say(&talk.editor, text("c")).await;
    talk.execute("UPDATE room SET kind = 'direct' WHERE id = ?1")
        .await;
    assert_eq!(
        code(talk.try_say(&talk.owner, recall(said)).await),
        Some(ErrorCode::Denied)
    );
}

async fn reactions_and_pins_are_set_and_taken_away(db: TestDb) {
    let talk = Talk::open(db).await;
    let first = talk.say(&talk.owner, text("a")).await;
    let second = talk.say(&talk.owner, text("b")).await;
    for draft in [
        react(first, "👍", true),
        react(first, "👍", true),
        react(first, "🎉", true),
        pin(first, true),
        pin(second, true),
        pin(first, true),
    ] {
        talk.say(&talk.editor, draft).await;
    }
    talk.say(&talk.owner, react(first, "👍", true)).await;
    let log = talk.log(&talk.owner).await;
    let reactions: Vec<_> = log[0]
        .state
        .reactions
        .iter()
        .map(|held| (held.account, held.emoji.as_str(), held.position))
        .collect();
    assert_eq!(
        reactions,
        [
            (talk.editor.id(), "👍", 3),
            (talk.editor.id(), "🎉", 5),
            (talk.owner.id(), "👍", 9)
        ]
    );
    let pins = talk
        .house
        .wharf
        .logs()
        .pins(&talk.reader.caller, talk.at())
        .await
        .unwrap();
    let pinned: Vec<_> = pins
        .items
        .iter()
        .map(|entry| (entry.position, entry.state.pinned))
        .collect();
    assert_eq!(pinned, [(second, Some(7)), (first, Some(6))]);
    talk.say(&talk.editor, react(first, "👍", false)).await;
    talk.say(&talk.owner, pin(first, false)).await;
    talk.say(&talk.owner, react(first, "never", false)).await;
    let log = talk.log(&talk.owner).await;
    assert_eq!(log[0].state.reactions.len(), 2);
    assert_eq!(log[0].state.pinned, None);
}

async fn what_is_no_text_and_what_is_not_seen_is_not_acted_on(db: TestDb) {
    let talk = Talk::open(db).await;
    let before = talk.say(&talk.owner, text("before")).await;
    let reaction = talk.say(&talk.owner, react(before, "👍", true)).await;
    talk.admit(talk.stranger.id(), "editor", reaction).await;
    for position in [0, before, reaction, 77, u64::MAX] {
        for draft in [
            edit(position, "x"),
            recall(position),
            react(position, "x", true),
            pin(position, true),
        ] {
            let outcome = talk.try_say(&talk.stranger, draft).await;
            assert_eq!(code(outcome), Some(ErrorCode::NotFound), "{position}");
        }
        let entry = talk
            .house
            .wharf
            .logs()
            .entry(&talk.stranger.caller, talk.at(), position)
            .await;
        assert_eq!(code(entry), Some(ErrorCode::NotFound));
    }
    for draft in [
        edit(reaction, "x"),
        recall(reaction),
        react(reaction, "x", true),
        pin(reaction, true),
    ] {
        assert_eq!(
            code(talk.try_say(&talk.owner, draft).await),
            Some(ErrorCode::Invalid)
        );
    }
    assert_eq!(talk.log(&talk.stranger).await, []);
}

/// Puts a file into the room's drive.
async fn put_file(talk: &Talk, who: &Visitor, path: &str, bytes: &[u8]) -> (NodeId, u64) {
    let transfers = talk.house.wharf.transfers();
    transfers
        .upload(&who.caller, frames_of(bytes))
        .await
        .unwrap();
    let id = CommitId::new(
        talk.house.clock.now_ms().unsigned_abs(),
        bytes[..10].try_into().unwrap(),
    );
    let commit = Commit {
        id,
        ops: vec![put(path, bytes)],
    };
    let done = talk
        .house
        .wharf
        .drive()
        .commit(&who.caller, talk.at(), commit)
        .await
        .unwrap();
    (done.results[0].id, done.results[0].revision)
}

async fn a_file_of_the_drive_is_handed_over(db: TestDb) {
    let talk = Talk::open(db).await;
    let (node, first) = put_file(&talk, &talk.editor, "photos/a.png", b"the first bytes").await;
    let file = |revision| {
        Draft::File(FileDraft {
            node,
            revision,
            dimensions: Some((3, 4)),
            text: "look".to_owned(),
            reply_to: None,
            mentions: Mentions::default(),
        })
    };
    let handed = talk.say(&talk.editor, file(None)).await;
    let (_, second) = put_file(
        &talk,
        &talk.editor,
        "photos/a.png",
        b"the second ones, longer",
    )
    .await;
    talk.say(&talk.owner, text("between")).await;
    let again = talk.say(&talk.editor, file(None)).await;
    let files = talk
        .house
        .wharf
        .logs()
        .files(&talk.reader.caller, talk.at(), None, None)
        .await
        .unwrap();
    let shown: Vec<_> = files
        .items
        .iter()
        .map(|entry| match &entry.body {
            Some(Body::File(file)) => {
                (entry.position, file.revision, file.bytes, file.name.clone())
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        shown,
        [
            (again, second, 23, "a.png".to_owned()),
            (handed, first, 15, "a.png".to_owned())
        ]
    );
    // The first revision was replaced, and its days are over; but somebody may only now come to fetch it.
    let year = std::iter::repeat_n(86_400_000, 400);
    year.for_each(|day_ms| talk.house.clock.advance_ms(day_ms));
    let owner = talk
        .house
        .log_in("root", crate::support::PASSWORD, "192.0.2.1")
        .await
        .unwrap();
    talk.house.wharf.drive().retain_all().await.unwrap();
    let manifest = talk
        .house
        .wharf
        .drive()
        .manifest(&owner.caller, talk.at(), At::Id(node), Some(first))
        .await;
    assert_eq!(manifest.unwrap().bytes, 15);
    let draft = recall(handed);
    talk.append(&owner, talk.room, device(5), 1, draft)
        .await
        .unwrap();
    talk.house.wharf.drive().retain_all().await.unwrap();
    let manifest = talk
        .house
        .wharf
        .drive()
        .manifest(&owner.caller, talk.at(), At::Id(node), Some(first))
        .await;
    assert_eq!(code(manifest), Some(ErrorCode::NotFound));
    let files = talk
        .house
        .wharf
        .logs()
        .files(&owner.caller, talk.at(), None, None)
        .await
        .unwrap();
    assert_eq!(files.items.len(), 1);
    assert_eq!(
        code(
            talk.append(&owner, talk.room, device(5), 2, file(Some(first)))
                .await
        ),
        Some(ErrorCode::NotFound)
    );
    let root = talk
        .house
        .wharf
        .drive()
        .summary(&owner.caller, talk.at())
        .await
        .unwrap()
        .root;
    let folder = Draft::File(FileDraft {
        node: root,
        revision: None,
        dimensions: None,
        text: String::new(),
        reply_to: None,
        mentions: Mentions::default(),
    });
    assert_eq!(
        code(talk.append(&owner, talk.room, device(5), 3, folder).await),
        Some(ErrorCode::Invalid)
    );
    // A file of another room is none of this one's.
    let home = talk.editor.caller.person().unwrap().home;
    let outcome = talk.append(&owner, home, device(5), 4, file(None)).await;
    assert_eq!(code(outcome), Some(ErrorCode::NotFound));
    let remove = Op::Remove {
        at: At::Id(node),
        expect: wharf_types::api::drive::Expect::Any,
    };
    let commit = Commit {
        id: CommitId::from_bytes([9; 16]),
        ops: vec![remove],
    };
    talk.house
        .wharf
        .drive()
        .commit(&owner.caller, talk.at(), commit)
        .await
        .unwrap();
    assert_eq!(
        code(
            talk.append(&owner, talk.room, device(5), 5, file(None))
                .await
        ),
        Some(ErrorCode::NotFound)
    );
}

async fn two_processes_use_one_number_once(db: TestDb) {
    let talk = Talk::open(db).await;
    let other = talk.house.second_process().await;
    let home = talk.owner.caller.person().unwrap().home;
    let caller = other
        .accounts()
        .authenticate(
            &talk.editor.logged_in.token,
            crate::support::from("192.0.2.1"),
        )
        .await
        .unwrap();
    assert_eq!(home, talk.room);
    let own = RoomRef::Id(talk.editor.caller.person().unwrap().home);
    for number in 1..=20 {
        let append = |draft: &str| wharf_types::api::log::Append {
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
