//! Whole screens, kept as they were looked at and found good.

use crossterm::event::KeyCode;
use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use wharf_client::chat::{Handover, Timeline, Waiting, WaitingKind, WaitingState, Window};
use wharf_types::ErrorCode;
use wharf_types::api::contact::{ContactState, Status};
use wharf_types::api::log::{Body, Member, MemberChange, Settings};
use wharf_types::api::room::Role;

use super::fixture::*;
use crate::tui::effect::Feed;
use crate::tui::model::{Link, Model};
use crate::tui::theme::Theme;
use crate::tui::view;

#[test]
fn nothing_yet() {
    insta::assert_snapshot!(screen(&empty(80, 24)));
}

#[test]
fn rooms_at_80_by_24() {
    insta::assert_snapshot!(screen(&model(80, 24)));
}

#[test]
fn a_conversation_at_80_by_24() {
    let mut model = talking(80, 24, conversation());
    enter(&mut model, "almost");
    insta::assert_snapshot!(screen(&model));
}

#[test]
fn a_conversation_with_files_beside_it_at_140_by_36() {
    let mut model = talking(140, 36, conversation());
    ctrl(&mut model, 't');
    let files = vec![
        file(44, GRACE, 1, "plan.pdf", 1_468_006),
        file(20, MEI, 60 * 48, "照片.jpg", 88_123),
    ];
    model.feed(Feed::Files(room_id(1), files));
    insta::assert_snapshot!(screen(&model));
}

#[test]
fn one_column_where_there_is_no_room_for_two() {
    let mut model = talking(48, 20, conversation());
    insta::assert_snapshot!("one_column_conversation", screen(&model));
    press(&mut model, KeyCode::Tab);
    press(&mut model, KeyCode::Tab);
    insta::assert_snapshot!("one_column_list", screen(&model));
}

#[test]
fn contacts_by_group_with_counts() {
    let mut model = model(80, 24);
    press(&mut model, KeyCode::F(2));
    insta::assert_snapshot!(screen(&model));
}

#[test]
fn what_waits_and_what_was_refused() {
    let mut model = talking(80, 24, vec![said(36, GRACE, 6, "Are the notes done?")]);
    let refused = WaitingState::Refused {
        code: ErrorCode::Denied,
        detail: "the room is archived".to_owned(),
    };
    let going_up = Waiting {
        what: WaitingKind::Handover(Handover {
            source: "/home/ada/film.mkv".into(),
            target: "film.mkv".to_owned(),
            text: String::new(),
            reply_to: None,
            bytes: 4_000_000_000,
            sent_bytes: 1_000_000_000,
        }),
        ..waiting(3, "", WaitingState::Waiting)
    };
    let told = Timeline {
        waiting: vec![
            waiting(1, "no", refused),
            waiting(2, "on its way", WaitingState::Waiting),
            going_up,
        ],
        ..timeline(vec![said(36, GRACE, 6, "Are the notes done?")])
    };
    model.feed(Feed::Timeline(room_id(1), Window::Last, told));
    model.feed(Feed::Link(Link::Offline("the server is away".to_owned())));
    if let Some(view) = model.rooms.first_mut() {
        view.waiting_count = 3;
    }
    insta::assert_snapshot!(screen(&model));
}

#[test]
fn what_happens_to_the_room_stands_in_the_middle() {
    let change = |change, role| {
        Body::Member(Member {
            account: account(MEI),
            change,
            role,
        })
    };
    let named = Body::Settings(Settings {
        name: Some("Team".to_owned()),
        keep_days: Some(30),
        ..Settings::default()
    });
    let model = talking(
        80,
        24,
        vec![
            entry(30, MEI, 9, change(MemberChange::Joined, Some(Role::Editor))),
            entry(31, ME, 8, named),
            entry(32, ME, 7, change(MemberChange::Role, Some(Role::Reader))),
            entry(33, ME, 6, change(MemberChange::Removed, None)),
        ],
    );
    insta::assert_snapshot!(screen(&model));
}

#[test]
fn help_jump_search_and_menus_lie_over_the_screen() {
    let mut model = talking(80, 24, conversation());
    press(&mut model, KeyCode::F(1));
    insta::assert_snapshot!("help", screen(&model));
    press(&mut model, KeyCode::Esc);
    ctrl(&mut model, 'k');
    enter(&mut model, "g");
    insta::assert_snapshot!("jump", screen(&model));
    press(&mut model, KeyCode::Esc);
    press(&mut model, KeyCode::Esc);
    press(&mut model, KeyCode::Char('m'));
    insta::assert_snapshot!("menu", screen(&model));
}

/// Text of other people, everywhere that it is shown, with what a terminal would act on in it.
#[test]
fn nothing_that_others_write_reaches_the_terminal_as_a_command() {
    let evil = "a\u{1b}[2J\u{9b}31m\u{7}\u{202e}b\u{2066}\u{1b}]52;c;ZXZpbA==\u{7}";
    let mut model = talking(100, 30, vec![said(36, 4, 6, evil), file(37, 4, 5, evil, 1)]);
    if let Some(view) = model.rooms.first_mut() {
        view.title = evil.to_owned();
        view.room.topic = evil.to_owned();
        view.room.last = Some(said(36, 4, 6, evil));
    }
    let mut contact = contact(4, ContactState::Asking, None);
    contact.contact.word = evil.to_owned();
    model.contacts.push(contact);
    model.feed(Feed::Members(room_id(1), vec![member(4, Role::Editor)]));
    model.feed(Feed::Presence(vec![presence(4, Status::Online)]));
    model.feed(Feed::Typing(room_id(1), vec![account(4)]));
    model.feed(Feed::Failed(evil.to_owned()));
    let check = |model: &Model| {
        let shown = screen(model);
        let is_bad = |c: &char| {
            (c.is_control() && *c != '\n')
                || ('\u{2000}'..'\u{2010}').contains(c)
                || ('\u{202a}'..'\u{2070}').contains(c)
        };
        assert_eq!(shown.chars().find(is_bad), None, "{shown}");
        assert!(shown.contains("a␛[2J"), "{shown}");
    };
    check(&model);
    for code in [KeyCode::F(2), KeyCode::F(5)] {
        press(&mut model, code);
        check(&model);
    }
    ctrl(&mut model, 'k');
    check(&model);
}

#[test]
fn without_colours_and_unicode_the_signs_are_plain() {
    let mut model = talking(80, 24, vec![said(36, GRACE, 6, "plain")]);
    model.theme = Theme::new(false, true);
    let shown = screen(&model);
    assert!(shown.contains("* Grace Hopper"), "{shown}");
    let signs = shown.chars().filter(|c| {
        !c.is_ascii()
            && !matches!(
                c,
                '▯' | '王'
                    | '小'
                    | '梅'
                    | '你'
                    | '好'
                    | '，'
                    | '世'
                    | '界'
                    | '！'
                    | '今'
                    | '天'
                    | '的'
                    | '会'
                    | '议'
                    | '…'
                    | '改'
            )
    });
    assert_eq!(signs.collect::<String>(), "");
}

proptest! {
    /// No size and no text makes drawing fail, and a cursor is always on the screen.
    #[test]
    fn any_size_can_be_drawn(columns in 1_u16..160, rows in 1_u16..50, text in any::<String>(), keys in proptest::collection::vec(0_u8..12, 0..12)) {
        let mut model = talking(columns, rows, conversation());
        model.feed(Feed::Timeline(room_id(1), Window::Last, timeline(vec![said(36, GRACE, 6, &text), said(37, ME, 5, &text)])));
        for key in keys {
            match key {
                0 => { ctrl(&mut model, 't'); }
                1 => { ctrl(&mut model, 'k'); }
                2 => { ctrl(&mut model, 'f'); }
                3 => { press(&mut model, KeyCode::F(1)); }
                4 => { press(&mut model, KeyCode::F(5)); }
                5 => { press(&mut model, KeyCode::Esc); }
                6 => { press(&mut model, KeyCode::Tab); }
                7 => { press(&mut model, KeyCode::Up); }
                8 => { press(&mut model, KeyCode::PageUp); }
                9 => { press(&mut model, KeyCode::F(2)); }
                10 => { model.paste(&text); }
                _ => { model.resize(rows, columns); }
            }
            let (columns, rows) = model.size;
            let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
            let mut cursor = None;
            terminal.draw(|frame| cursor = view::screen(&model, frame.buffer_mut())).unwrap();
            if let Some((x, y)) = cursor {
                prop_assert!(x < columns.max(4) && y < rows, "{x},{y} of {columns}x{rows}");
            }
        }
    }
}
