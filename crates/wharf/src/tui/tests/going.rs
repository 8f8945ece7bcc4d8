//! Going to a day, and giving a message to another room.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use wharf_client::chat::{Timeline, Window};

use super::fixture::*;
use crate::tui::effect::{Effect, Feed};
use crate::tui::model::{Focus, Model, Spot};
use crate::tui::overlay::Overlay;

/// 2026-11-18, midnight, where the made-up person is.
const WEDNESDAY_MS: i64 = NOW_MS - (2 * 24 + 22) * 3_600_000 - 13 * 60_000 - 20_000;

fn go_to(model: &mut Model, day: &str) -> Vec<Effect> {
    ctrl(model, 'g');
    enter(model, day);
    press(model, KeyCode::Enter)
}

fn selected(model: &Model) -> Option<Spot> {
    model.open.as_ref().unwrap().selected
}

/// Entries that are here, and whether there are older ones.
fn around(positions: std::ops::RangeInclusive<u64>) -> Timeline {
    let entries = positions.map(|position| said(position, GRACE, 0, &format!("line {position}")));
    Timeline {
        has_older: true,
        has_newer: true,
        ..timeline(entries.collect())
    }
}

#[test]
fn a_day_is_asked_for_and_shown_from_its_first_message_on() {
    let mut model = talking(80, 24, conversation());
    ctrl(&mut model, 'g');
    insta::assert_snapshot!("a_day_is_asked_for", screen(&model));
    enter(&mut model, "2026-11-18");
    let effects = press(&mut model, KeyCode::Enter);
    assert!(
        matches!(&effects[..], [Effect::FindTime { room, at_ms }] if *room == room_id(1) && *at_ms == WEDNESDAY_MS),
        "{effects:?}"
    );
    let effects = model.feed(Feed::AtTime(room_id(1), Some(12)));
    assert!(
        matches!(
            &effects[..],
            [Effect::Load {
                window: Window::Around(12),
                ..
            }]
        ),
        "{effects:?}"
    );
    model.feed(Feed::Timeline(
        room_id(1),
        Window::Around(12),
        around(2..=22),
    ));
    assert_eq!(selected(&model), Some(Spot::Entry(12)));
    assert!(screen(&model).contains("line 12"));
}

#[test]
fn what_is_older_than_all_that_is_here_is_fetched_first_and_once() {
    let mut model = talking(80, 24, conversation());
    model.feed(Feed::AtTime(room_id(1), Some(3)));
    let effects = model.feed(Feed::Timeline(
        room_id(1),
        Window::Around(3),
        around(20..=40),
    ));
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::FetchTo { position: 3, .. })),
        "{effects:?}"
    );
    let effects = model.feed(Feed::Reached(room_id(1), 3, Ok(())));
    assert!(
        effects.iter().any(|effect| matches!(
            effect,
            Effect::Load {
                window: Window::Around(3),
                ..
            }
        )),
        "{effects:?}"
    );
    // The entry itself is no message: the first one after it is shown, and nothing is asked for again.
    let effects = model.feed(Feed::Timeline(
        room_id(1),
        Window::Around(3),
        around(4..=24),
    ));
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::FetchTo { .. })),
        "another beginning: {effects:?}"
    );
    model.feed(Feed::Reached(room_id(1), 3, Ok(())));
    let effects = model.feed(Feed::Timeline(
        room_id(1),
        Window::Around(3),
        around(4..=24),
    ));
    assert!(
        !effects
            .iter()
            .any(|effect| matches!(effect, Effect::FetchTo { .. })),
        "{effects:?}"
    );
    assert_eq!(selected(&model), Some(Spot::Entry(4)));
}

#[test]
fn what_cannot_be_fetched_is_said_and_can_be_asked_for_again() {
    let mut model = talking(80, 24, conversation());
    model.feed(Feed::AtTime(room_id(1), Some(3)));
    for _ in 0..2 {
        let effects = model.feed(Feed::Timeline(
            room_id(1),
            Window::Around(3),
            around(20..=40),
        ));
        assert!(
            effects
                .iter()
                .any(|effect| matches!(effect, Effect::FetchTo { .. })),
            "{effects:?}"
        );
        model.feed(Feed::Reached(
            room_id(1),
            3,
            Err("The server is away".to_owned()),
        ));
        assert!(screen(&model).contains("The server is away"));
    }
}

#[test]
fn no_day_and_an_empty_day_are_said() {
    let mut model = talking(80, 24, conversation());
    assert!(go_to(&mut model, "someday").is_empty());
    assert!(screen(&model).contains("someday is no day"));
    go_to(&mut model, "yesterday");
    model.feed(Feed::AtTime(room_id(1), None));
    assert!(screen(&model).contains("Nothing was said on that day"));
    // The answer for a room that is not open any more moves nothing.
    let before = screen(&model);
    assert!(model.feed(Feed::AtTime(room_id(MEI), Some(1))).is_empty());
    assert_eq!(screen(&model), before);
}

#[test]
fn another_persons_words_go_on_as_a_quotation_that_can_be_changed_before_it_is_sent() {
    let mut model = talking(80, 24, conversation());
    press(&mut model, KeyCode::Esc);
    press(&mut model, KeyCode::Up);
    press(&mut model, KeyCode::Char('f'));
    insta::assert_snapshot!("the_receiver_is_chosen", screen(&model));
    enter(&mut model, "mei");
    let effects = press(&mut model, KeyCode::Enter);
    assert!(
        !effects
            .iter()
            .any(|effect| matches!(effect, Effect::Send { .. }))
    );
    let open = model.open.as_ref().unwrap();
    assert_eq!(open.room, room_id(MEI));
    assert_eq!(model.focus, Focus::Composer);
    assert_eq!(
        open.desk.composer.text(),
        "Grace Hopper, 20 November 2026:\n\n> @ada ship it?\n\n"
    );
    enter(&mut model, "what do you say?");
    insta::assert_snapshot!("a_quotation_before_it_is_sent", screen(&model));
}

#[test]
fn own_words_go_on_as_they_are_after_what_was_begun_there() {
    let mut model = talking(80, 24, conversation());
    press(&mut model, KeyCode::Esc);
    let room = room_id(GRACE);
    model.desks.entry(room).or_default().composer.set("begun");
    for _ in 0..4 {
        press(&mut model, KeyCode::Up);
    }
    assert_eq!(selected(&model), Some(Spot::Entry(37)));
    press(&mut model, KeyCode::Char('f'));
    enter(&mut model, "grace");
    press(&mut model, KeyCode::Enter);
    let open = model.open.as_ref().unwrap();
    assert_eq!(open.room, room);
    assert_eq!(
        open.desk.composer.text(),
        "begun\n\nYes. See `notes.md`:\n\n- tests\n- docs"
    );
}

#[test]
fn a_file_goes_on_without_leaving_the_room() {
    let mut model = talking(80, 24, conversation());
    press(&mut model, KeyCode::Esc);
    press(&mut model, KeyCode::Char('f'));
    enter(&mut model, "mei");
    let effects = press(&mut model, KeyCode::Enter);
    let [
        Effect::ForwardFile {
            from,
            file,
            to,
            text,
        },
    ] = &effects[..]
    else {
        panic!("{effects:?}");
    };
    assert_eq!((*from, *to), (room_id(1), room_id(MEI)));
    assert_eq!((file.name.as_str(), text.as_str()), ("plan.pdf", ""));
    assert_eq!(model.open.as_ref().unwrap().room, room_id(1));
}

#[test]
fn what_was_recalled_and_rooms_to_read_only_take_no_part() {
    let mut model = talking(80, 24, conversation());
    press(&mut model, KeyCode::Esc);
    press(&mut model, KeyCode::Up);
    press(&mut model, KeyCode::Up);
    assert_eq!(selected(&model), Some(Spot::Entry(39)));
    press(&mut model, KeyCode::Char('f'));
    assert!(model.overlay.is_none());
    assert!(screen(&model).contains("nothing to forward"));
    for view in &mut model.rooms {
        view.room.can_write = view.room.id == room_id(1);
    }
    press(&mut model, KeyCode::Up);
    press(&mut model, KeyCode::Char('f'));
    assert!(matches!(model.overlay, Some(Overlay::Jump(_))));
    let effects = press(&mut model, KeyCode::Enter);
    assert!(effects.is_empty(), "{effects:?}");
    assert_eq!(model.open.as_ref().unwrap().room, room_id(1));
}

#[test]
fn a_jump_to_what_is_not_known_yet_waits_for_it() {
    let mut model = talking(80, 24, conversation());
    let (rooms, contacts) = (
        std::mem::take(&mut model.rooms),
        std::mem::take(&mut model.contacts),
    );
    ctrl(&mut model, 'k');
    enter(&mut model, "mei");
    assert!(screen(&model).contains("No chat or contact of that name."));
    press(&mut model, KeyCode::Enter);
    assert!(matches!(model.overlay, Some(Overlay::Jump(_))));
    (model.rooms, model.contacts) = (rooms, contacts);
    assert!(!screen(&model).contains("No chat or contact of that name."));
    press(&mut model, KeyCode::Enter);
    assert!(model.overlay.is_none());
    assert_eq!(model.open.as_ref().unwrap().room, room_id(MEI));
}

#[test]
fn shift_enter_is_a_new_line_where_the_terminal_tells_it() {
    let mut model = talking(80, 24, conversation());
    enter(&mut model, "one");
    model.key(KeyEvent::new(KeyCode::Enter, KeyModifiers::SHIFT));
    enter(&mut model, "two");
    let composer = &model.open.as_ref().unwrap().desk.composer;
    assert_eq!(composer.text(), "one\ntwo");
}
