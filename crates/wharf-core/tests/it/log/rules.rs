//! Who may say what about which entry, and the bounds on it.

use wharf_core::HouseConfig;
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::ErrorCode;
use wharf_types::api::log::{Body, Draft, EntryState, Mentions, Text};
use wharf_types::limit::ENTRY_TEXT_BYTES_MAX;

use super::room::{Talk, edit, pin, react, recall, text, text_to, unlimited};
use crate::support::code;

both_engines!(
    drafts_are_bounded,
    only_the_author_edits_and_only_in_time,
    a_recall_erases_the_text_and_its_edits,
    the_owner_of_a_group_takes_back_what_others_said,
    reactions_and_pins_are_set_and_taken_away,
    what_is_no_text_and_what_is_not_seen_is_not_acted_on
);

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
    let only_recalled = EntryState {
        recalled: Some(position),
        ..EntryState::default()
    };
    assert_eq!(log[0].state, only_recalled);
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
    let (logs, owner) = (talk.house.wharf.logs(), &talk.owner.caller);
    assert_eq!(logs.pins(owner, talk.at()).await.unwrap().items, []);
    let history = logs.entry(owner, talk.at(), said).await.unwrap();
    assert_eq!(history.edits, []);
    let verified = wharf_core::log::verify(talk.house.wharf.db()).await;
    assert_eq!(verified.unwrap().faults, []);
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
