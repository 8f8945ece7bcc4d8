//! What keys, the mouse and events do.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use wharf_client::chat::{Timeline, Window};
use wharf_types::api::contact::{ContactState, Status};
use wharf_types::api::log::{Body, Draft, Text};
use wharf_types::api::room::{Notify, Role};

use super::fixture::*;
use crate::tui::effect::{Effect, Feed};
use crate::tui::list::{self, ListKey};
use crate::tui::model::{About, Focus, Model, Scroll, Section, Spot, Tab};
use crate::tui::overlay::Overlay;

fn key(model: &mut Model, code: KeyCode, modifiers: KeyModifiers) -> Vec<Effect> {
    model.key(KeyEvent::new(code, modifiers))
}

fn click(model: &mut Model, column: u16, row: u16) -> Vec<Effect> {
    model.mouse(MouseEvent {
        kind: MouseEventKind::Down(MouseButton::Left),
        column,
        row,
        modifiers: KeyModifiers::NONE,
    })
}

/// The drafts among effects.
fn drafts(effects: Vec<Effect>) -> Vec<Draft> {
    let draft = |effect| match effect {
        Effect::Send { draft, .. } => Some(draft),
        _ => None,
    };
    effects.into_iter().filter_map(draft).collect()
}

/// The entries of a long conversation.
fn long(count: u64) -> Vec<wharf_types::api::log::Entry> {
    (1..=count)
        .map(|position| {
            let author = if position % 3 == 0 { ME } else { GRACE };
            said(position, author, 0, &format!("line {position}"))
        })
        .collect()
}

#[test]
fn enter_sends_and_newlines_stay_in_the_text() {
    let mut model = talking(80, 24, conversation());
    enter(&mut model, "one");
    ctrl(&mut model, 'j');
    enter(&mut model, "two");
    key(&mut model, KeyCode::Enter, KeyModifiers::ALT);
    enter(&mut model, "three");
    let sent = drafts(press(&mut model, KeyCode::Enter));
    let [Draft::Text(text)] = sent.as_slice() else {
        panic!("{sent:?}");
    };
    assert_eq!(text.text, "one\ntwo\nthree");
    assert!(
        drafts(press(&mut model, KeyCode::Enter)).is_empty(),
        "nothing is left to send"
    );
    key(&mut model, KeyCode::Up, KeyModifiers::CONTROL);
    assert!(screen(&model).contains("three▯"));
}

#[test]
fn a_paste_is_one_text_and_is_not_sent() {
    let mut model = talking(80, 24, conversation());
    let effects = model.paste("a\r\nb\n");
    assert!(drafts(effects).is_empty());
    let sent = drafts(press(&mut model, KeyCode::Enter));
    assert!(
        matches!(&sent[..], [Draft::Text(text)] if text.text == "a\nb"),
        "{sent:?}"
    );
}

#[test]
fn a_name_is_completed_and_mentions_its_member() {
    let mut model = talking(80, 24, conversation());
    enter(&mut model, "hi @gr");
    press(&mut model, KeyCode::Tab);
    assert_eq!(model.focus, Focus::Composer);
    enter(&mut model, "and @all, not mail@mei");
    let sent = drafts(press(&mut model, KeyCode::Enter));
    let [Draft::Text(text)] = sent.as_slice() else {
        panic!("{sent:?}");
    };
    assert_eq!(text.text, "hi @grace and @all, not mail@mei");
    assert_eq!(text.mentions.accounts, [account(GRACE)]);
    assert!(text.mentions.everybody);
}

#[test]
fn a_selected_message_is_answered_changed_recalled_and_reacted_to() {
    let mut model = talking(80, 24, conversation());
    press(&mut model, KeyCode::Esc);
    assert_eq!(model.open.as_ref().unwrap().selected, Some(Spot::Entry(44)));
    press(&mut model, KeyCode::Up);
    press(&mut model, KeyCode::Char('r'));
    enter(&mut model, "yes");
    let sent = drafts(press(&mut model, KeyCode::Enter));
    assert!(
        matches!(
            &sent[..],
            [Draft::Text(Text {
                reply_to: Some(40),
                ..
            })]
        ),
        "{sent:?}"
    );

    // An empty line and Up: what this person said last.
    press(&mut model, KeyCode::Up);
    assert_eq!(model.open.as_ref().unwrap().desk.about, About::Edit(37));
    enter(&mut model, "!");
    let sent = drafts(press(&mut model, KeyCode::Enter));
    assert!(
        matches!(&sent[..], [Draft::Edit(edit)] if edit.target == 37 && edit.text.ends_with("docs!")),
        "{sent:?}"
    );

    press(&mut model, KeyCode::Esc);
    model.open.as_mut().unwrap().selected = Some(Spot::Entry(38));
    press(&mut model, KeyCode::Char('+'));
    let sent = drafts(press(&mut model, KeyCode::Enter));
    assert!(
        matches!(&sent[..], [Draft::Reaction(reaction)] if !reaction.is_set && reaction.emoji == "👍"),
        "{sent:?}"
    );
    let sent = drafts(press(&mut model, KeyCode::Char('p')));
    assert!(
        matches!(&sent[..], [Draft::Pin(pin)] if pin.is_set && pin.target == 38),
        "{sent:?}"
    );
    model.open.as_mut().unwrap().selected = Some(Spot::Entry(37));
    let sent = drafts(press(&mut model, KeyCode::Char('d')));
    assert!(
        matches!(&sent[..], [Draft::Recall(recall)] if recall.target == 37),
        "{sent:?}"
    );
}

#[test]
fn others_words_are_not_changed_or_recalled_by_an_editor() {
    let mut model = talking(80, 24, conversation());
    model.rooms[0].room.role = Role::Editor;
    press(&mut model, KeyCode::Esc);
    model.open.as_mut().unwrap().selected = Some(Spot::Entry(36));
    assert!(drafts(press(&mut model, KeyCode::Char('d'))).is_empty());
    press(&mut model, KeyCode::Char('e'));
    assert_eq!(model.open.as_ref().unwrap().desk.about, About::New);
    assert!(model.told.as_ref().unwrap().is_trouble);
}

#[test]
fn escape_keeps_what_was_said_as_it_was() {
    let mut model = talking(80, 24, conversation());
    press(&mut model, KeyCode::Up);
    enter(&mut model, "oops");
    press(&mut model, KeyCode::Esc);
    assert!(model.open.as_ref().unwrap().desk.composer.is_empty());
    assert!(drafts(press(&mut model, KeyCode::Enter)).is_empty());
}

#[test]
fn only_what_is_on_the_screen_is_read() {
    let mut model = model(80, 24);
    press(&mut model, KeyCode::Enter);
    model.attention(false);
    let told = Feed::Timeline(room_id(1), Window::Last, timeline(conversation()));
    let reads = |effects: &[Effect]| {
        effects
            .iter()
            .filter(|effect| matches!(effect, Effect::Read { position: 44, .. }))
            .count()
    };
    assert_eq!(reads(&model.feed(told)), 0, "nobody looks");
    assert_eq!(reads(&model.attention(true)), 1);
    assert_eq!(model.rooms[0].room.unread, 0);
    assert_eq!(reads(&model.attention(true)), 0, "it is said once");
}

#[test]
fn scrolled_up_nothing_is_read_and_the_screen_stays() {
    let mut model = talking(80, 24, long(60));
    press(&mut model, KeyCode::PageUp);
    let before = screen(&model);
    assert!(before.contains("more below"), "{before}");
    let mut more = long(61);
    more[60] = said(61, GRACE, 0, "breaking news");
    let effects = model.feed(Feed::Timeline(room_id(1), Window::Last, timeline(more)));
    assert!(
        !effects
            .iter()
            .any(|effect| matches!(effect, Effect::Read { .. }))
    );
    let after = screen(&model);
    assert_eq!(before.lines().nth(5), after.lines().nth(5));
    key(&mut model, KeyCode::End, KeyModifiers::CONTROL);
    assert!(screen(&model).contains("breaking news"));
    assert_eq!(model.open.as_ref().unwrap().scroll, Scroll::End);
}

#[test]
fn what_comes_while_somebody_looks_is_not_set_apart_as_new() {
    let told = |count| Feed::Timeline(room_id(1), Window::Last, timeline(long(count)));
    let mut model = talking(80, 24, Vec::new());
    model.feed(told(50));
    assert!(screen(&model).contains("─ new ─"), "38 were read before");
    ctrl(&mut model, 'k');
    press(&mut model, KeyCode::Esc);
    enter(&mut model, "answer");
    press(&mut model, KeyCode::Enter);
    assert!(!screen(&model).contains("─ new ─"));
    model.feed(told(52));
    assert!(!screen(&model).contains("─ new ─"));
    model.attention(false);
    model.feed(told(56));
    assert!(screen(&model).contains("─ new ─"));
}

#[test]
fn every_row_is_passed_when_scrolling_up_and_down_again() {
    let mut model = talking(80, 24, long(60));
    let mut seen = std::collections::BTreeSet::new();
    let mut note = |model: &Model| {
        let shown = screen(model);
        seen.extend((1..=60_u64).filter(|number| shown.contains(&format!("line {number}"))));
    };
    note(&model);
    let wheel = |kind| MouseEvent {
        kind,
        column: 40,
        row: 10,
        modifiers: KeyModifiers::NONE,
    };
    for _ in 0..60 {
        model.mouse(wheel(MouseEventKind::ScrollUp));
        note(&model);
    }
    assert_eq!(seen.len(), 60);
    assert!(screen(&model).contains("line 1\n"));
    for _ in 0..60 {
        model.mouse(wheel(MouseEventKind::ScrollDown));
    }
    assert_eq!(model.open.as_ref().unwrap().scroll, Scroll::End);
}

#[test]
fn at_the_top_what_was_before_is_asked_for_and_the_screen_stays() {
    let mut model = talking(80, 24, Vec::new());
    let entries: Vec<_> = long(200).split_off(100);
    let told = Timeline {
        has_older: true,
        ..timeline(entries)
    };
    model.feed(Feed::Timeline(room_id(1), Window::Last, told));
    let mut asked = Vec::new();
    for _ in 0..10 {
        asked.extend(press(&mut model, KeyCode::PageUp));
    }
    let before: Vec<_> = asked
        .iter()
        .filter(|effect| {
            matches!(
                effect,
                Effect::Load {
                    window: Window::Before(101),
                    ..
                }
            )
        })
        .collect();
    assert_eq!(before.len(), 1, "{asked:?}");
    let shown = screen(&model);
    let older: Vec<_> = long(100);
    model.feed(Feed::Timeline(
        room_id(1),
        Window::Before(101),
        timeline(older),
    ));
    assert_eq!(shown.lines().nth(8), screen(&model).lines().nth(8));
    for _ in 0..10 {
        press(&mut model, KeyCode::PageUp);
    }
    assert!(screen(&model).contains("line 1\n"));
}

#[test]
fn what_the_server_has_is_fetched_where_this_device_has_no_more() {
    let mut model = talking(80, 24, Vec::new());
    let told = Timeline {
        has_older: true,
        ..timeline(long(200).split_off(190))
    };
    let effects = model.feed(Feed::Timeline(room_id(1), Window::Last, told));
    assert!(
        effects.iter().any(|effect| matches!(
            effect,
            Effect::Load {
                window: Window::Before(191),
                ..
            }
        )),
        "{effects:?}"
    );
    let bare = Timeline {
        has_older: true,
        needs_fetch: true,
        ..Timeline::default()
    };
    let effects = model.feed(Feed::Timeline(room_id(1), Window::Before(191), bare));
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::FetchOlder(_))),
        "{effects:?}"
    );
    let effects = model.feed(Feed::Older(room_id(1), Ok(())));
    assert!(
        effects.iter().any(|effect| matches!(
            effect,
            Effect::Load {
                window: Window::Before(191),
                ..
            }
        )),
        "{effects:?}"
    );
}

#[test]
fn the_beginning_is_found_even_where_nobody_says_so() {
    let mut model = talking(80, 24, Vec::new());
    let told = || Timeline {
        has_older: true,
        needs_fetch: true,
        ..Timeline::default()
    };
    let first = Timeline {
        has_older: true,
        ..timeline(long(3))
    };
    let mut effects = model.feed(Feed::Timeline(room_id(1), Window::Last, first));
    let mut steps = 0;
    while let Some(effect) = effects.pop() {
        steps += 1;
        assert!(steps < 20, "{effects:?}");
        effects.extend(match effect {
            Effect::Load { window, .. } => model.feed(Feed::Timeline(room_id(1), window, told())),
            Effect::FetchOlder(room) => model.feed(Feed::Older(room, Ok(()))),
            _ => Vec::new(),
        });
    }
    assert!(!model.open.as_ref().unwrap().has_older);
}

#[test]
fn coming_and_going_moves_the_counts_and_the_order() {
    let mut model = model(80, 24);
    press(&mut model, KeyCode::F(2));
    let section = |model: &Model, wanted| {
        let rows = list::rows(model);
        rows.into_iter()
            .find(|row| row.key == ListKey::Section(wanted))
            .and_then(|row| row.section)
            .unwrap()
    };
    assert_eq!(
        section(&model, Section::Others),
        ("Contacts".to_owned(), Some(0), 1)
    );
    model.feed(Feed::Presence(vec![
        presence(MEI, Status::Away),
        presence(GRACE, Status::Offline),
    ]));
    assert_eq!(
        section(&model, Section::Others),
        ("Contacts".to_owned(), Some(1), 1)
    );
    assert_eq!(
        section(&model, Section::Group(group_id(1))),
        ("Work".to_owned(), Some(0), 1)
    );
    assert!(screen(&model).contains("Contacts 1/2"));
    // A group that is folded keeps its counts.
    model.list.selected = Some(ListKey::Section(Section::Others));
    press(&mut model, KeyCode::Enter);
    let shown = screen(&model);
    assert!(
        shown.contains("▸ Contacts 1/1") && !shown.contains("王小梅"),
        "{shown}"
    );
}

#[test]
fn a_request_is_shown_first_and_answered_from_its_menu() {
    let mut model = model(80, 24);
    let mut asking = contact(4, ContactState::Asking, None);
    asking.contact.word = "it is me".to_owned();
    model.contacts.push(asking);
    press(&mut model, KeyCode::F(2));
    let shown = screen(&model);
    assert!(
        shown.contains("Waiting for you") && shown.contains("it is me"),
        "{shown}"
    );
    model.list.selected = Some(ListKey::Contact(account(4)));
    press(&mut model, KeyCode::Enter);
    assert!(matches!(model.overlay, Some(Overlay::Menu(_))));
    let effects = press(&mut model, KeyCode::Enter);
    assert!(
        matches!(&effects[..], [Effect::Answer(who, true), ..] if *who == account(4)),
        "{effects:?}"
    );
}

#[test]
fn what_is_written_stays_with_its_room() {
    let mut model = talking(80, 24, conversation());
    enter(&mut model, "for the team");
    let effects = key(&mut model, KeyCode::Down, KeyModifiers::ALT);
    let kept = effects.iter().any(|effect| {
        matches!(effect, Effect::Prefer(room, edit) if *room == room_id(1) && edit.draft.as_deref() == Some("for the team"))
    });
    assert!(kept, "{effects:?}");
    assert_eq!(model.open.as_ref().unwrap().room, room_id(GRACE));
    assert!(screen(&model).contains("[draft] for the team"));
    enter(&mut model, "for grace");
    key(&mut model, KeyCode::Up, KeyModifiers::ALT);
    assert_eq!(
        model.open.as_ref().unwrap().desk.composer.text(),
        "for the team"
    );
}

#[test]
fn typing_is_told_now_and_then_and_stops_with_the_text() {
    let mut model = talking(80, 24, conversation());
    let told = |effects: &[Effect]| {
        effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Typing { stopped, .. } => Some(*stopped),
                _ => None,
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(told(&enter(&mut model, "hello")), [false]);
    model.tick(NOW_MS + 3_500);
    assert_eq!(told(&enter(&mut model, "x")), [false]);
    assert_eq!(told(&ctrl(&mut model, 'u')), [true]);
    model.feed(Feed::Typing(room_id(1), vec![account(GRACE)]));
    assert!(screen(&model).contains("Grace Hopper is typing…"));
    model.tick(NOW_MS + 20_000);
    assert!(!screen(&model).contains("is typing"));
}

#[test]
fn a_notice_comes_only_for_what_is_not_seen_and_wanted() {
    let news = || Box::new(said(50, GRACE, 0, "news"));
    let is_told = |effects: Vec<Effect>| {
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Notify { .. }))
    };
    let mut model = talking(80, 24, conversation());
    assert!(
        !is_told(model.feed(Feed::Said(room_id(1), news()))),
        "it is on the screen"
    );
    model.attention(false);
    assert!(is_told(model.feed(Feed::Said(room_id(1), news()))));
    assert!(is_told(model.feed(Feed::Said(room_id(GRACE), news()))));
    let own = Box::new(said(51, ME, 0, "own"));
    assert!(!is_told(model.feed(Feed::Said(room_id(1), own))));
    model.rooms[0].room.preferences.notify = Notify::Mentions;
    assert!(!is_told(model.feed(Feed::Said(room_id(1), news()))));
    let mut mention = news();
    if let Some(Body::Text(text)) = &mut mention.body {
        text.mentions.everybody = true;
    }
    assert!(is_told(model.feed(Feed::Said(room_id(1), mention))));
    model.status = Status::Busy;
    assert!(!is_told(model.feed(Feed::Said(room_id(GRACE), news()))));
}

#[test]
fn the_mouse_opens_selects_and_places_the_cursor() {
    let mut model = talking(80, 24, conversation());
    click(&mut model, 5, 3);
    assert_eq!(model.open.as_ref().unwrap().room, room_id(GRACE));
    click(&mut model, 5, 1);
    model.feed(Feed::Timeline(
        room_id(1),
        Window::Last,
        timeline(conversation()),
    ));
    let shown = screen(&model);
    let row = shown
        .lines()
        .position(|line| line.contains("better words"))
        .unwrap();
    click(&mut model, 40, u16::try_from(row).unwrap());
    assert_eq!(model.open.as_ref().unwrap().selected, Some(Spot::Entry(38)));
    assert_eq!(model.focus, Focus::Timeline);
    click(&mut model, 30, 22);
    enter(&mut model, "abc");
    click(&mut model, 30, 22);
    enter(&mut model, "x");
    assert_eq!(model.open.as_ref().unwrap().desk.composer.text(), "axbc");
    let contacts = shown.lines().next().unwrap().find("Contacts").unwrap();
    click(&mut model, u16::try_from(contacts).unwrap(), 0);
    assert_eq!(model.tab, Tab::Contacts);
}

#[test]
fn a_jump_opens_what_was_typed() {
    let mut model = model(80, 24);
    ctrl(&mut model, 'k');
    enter(&mut model, "梅");
    press(&mut model, KeyCode::Enter);
    assert_eq!(model.open.as_ref().unwrap().room, room_id(MEI));
    assert_eq!(model.focus, Focus::Composer);
}

#[test]
fn a_search_asks_once_and_opens_what_it_found_at_its_place() {
    use wharf_types::api::search::{Hit, HitKind};

    let mut model = model(80, 24);
    ctrl(&mut model, 'f');
    enter(&mut model, "from:grace ship");
    let effects = press(&mut model, KeyCode::Enter);
    assert!(
        matches!(&effects[..], [Effect::Search { query }] if query == "from:grace ship"),
        "{effects:?}"
    );
    model.feed(Feed::Found(crate::tui::model::Finds {
        query: "from:grace ship".to_owned(),
        hits: vec![Hit {
            room: room_id(1),
            what: HitKind::Entry(Box::new(said(40, GRACE, 2, "ship it?"))),
            snippet: "ship it?".to_owned(),
            matches: vec![(0, 4)],
        }],
        problem: None,
    }));
    assert!(screen(&model).contains("ship it?"));
    let effects = press(&mut model, KeyCode::Enter);
    assert!(
        effects.iter().any(|effect| matches!(
            effect,
            Effect::Load {
                window: Window::Around(40),
                ..
            }
        )),
        "{effects:?}"
    );
}

#[test]
fn files_are_fetched_and_saved_from_the_panel() {
    let mut model = talking(80, 24, conversation());
    model.downloads = "/home/ada/Downloads".into();
    ctrl(&mut model, 't');
    model.feed(Feed::Files(
        room_id(1),
        vec![file(44, GRACE, 1, "../plan.pdf", 10)],
    ));
    press(&mut model, KeyCode::Enter);
    let effects = press(&mut model, KeyCode::Enter);
    assert!(
        matches!(&effects[..], [Effect::Fetch { to, .. }] if to.as_path() == std::path::Path::new("/home/ada/Downloads/plan.pdf")),
        "{effects:?}"
    );
    let effects = press(&mut model, KeyCode::Char('s'));
    assert!(
        matches!(&effects[..], [Effect::Save { revision: 3, .. }]),
        "{effects:?}"
    );
}

#[test]
fn files_are_handed_over_by_their_paths() {
    let mut model = talking(80, 24, conversation());
    ctrl(&mut model, 'o');
    model.paste("'/tmp/a b.txt' ~/c.txt");
    let effects = press(&mut model, KeyCode::Enter);
    let [Effect::HandOver { paths, .. }] = effects.as_slice() else {
        panic!("{effects:?}");
    };
    assert_eq!(
        paths,
        &[std::path::PathBuf::from("/tmp/a b.txt"), "~/c.txt".into()]
    );
}

#[test]
fn a_room_that_is_gone_is_closed() {
    let mut model = talking(80, 24, conversation());
    let rest = model.rooms.split_off(1);
    model.feed(Feed::Rooms(rest));
    assert!(model.open.is_none());
    assert_eq!(model.focus, Focus::List);
}

#[test]
fn ctrl_c_empties_the_line_and_twice_leaves() {
    let mut model = talking(80, 24, conversation());
    enter(&mut model, "hello");
    assert!(
        !ctrl(&mut model, 'c')
            .iter()
            .any(|effect| matches!(effect, Effect::Quit))
    );
    assert!(model.open.as_ref().unwrap().desk.composer.is_empty());
    ctrl(&mut model, 'c');
    assert!(
        ctrl(&mut model, 'c')
            .iter()
            .any(|effect| matches!(effect, Effect::Quit))
    );
}

#[test]
fn whoever_is_shown_is_watched_and_asked_for_once() {
    let mut model = empty(80, 24);
    let contacts = wharf_client::chat::ContactsView {
        items: vec![
            contact(GRACE, ContactState::Contact, None),
            contact(4, ContactState::Asking, None),
        ],
        groups: Vec::new(),
    };
    let effects = model.feed(Feed::Contacts(contacts.clone()));
    assert!(
        matches!(&effects[..], [Effect::Watch(who)] if who == &[account(GRACE)]),
        "{effects:?}"
    );
    assert!(model.feed(Feed::Contacts(contacts)).is_empty());
}

#[test]
fn a_letter_in_the_list_is_written_in_the_open_chat() {
    let mut model = talking(80, 24, conversation());
    press(&mut model, KeyCode::F(2));
    press(&mut model, KeyCode::F(2));
    assert_eq!(model.focus, Focus::List);
    enter(&mut model, "just a moment");
    assert_eq!(model.focus, Focus::Composer);
    let written = |model: &Model| {
        model
            .open
            .as_ref()
            .map(|open| open.desk.composer.text().to_owned())
    };
    assert_eq!(written(&model).as_deref(), Some("just a moment"));

    press(&mut model, KeyCode::F(2));
    press(&mut model, KeyCode::F(2));
    press(&mut model, KeyCode::Char('m'));
    assert!(matches!(model.overlay, Some(Overlay::Menu(_))));
    press(&mut model, KeyCode::Esc);
    press(&mut model, KeyCode::Up);
    assert_eq!(model.focus, Focus::List);
    assert_eq!(written(&model).as_deref(), Some("just a moment"));
}

#[test]
fn a_letter_in_the_list_does_nothing_while_no_chat_is_open() {
    let mut model = model(80, 24);
    assert!(enter(&mut model, "x").is_empty());
    assert_eq!(model.focus, Focus::List);
}

#[test]
fn a_direct_room_begins_with_one_line_about_both() {
    let joined = |position, author, who, role| {
        let member = wharf_types::api::log::Member {
            account: account(who),
            change: wharf_types::api::log::MemberChange::Joined,
            role: Some(role),
        };
        entry(position, author, 9, Body::Member(member))
    };
    for (asked, let_in) in [(ME, GRACE), (GRACE, ME)] {
        let mut model = model(80, 24);
        press(&mut model, KeyCode::Down);
        press(&mut model, KeyCode::Enter);
        model.feed(Feed::Timeline(
            room_id(GRACE),
            Window::Last,
            timeline(vec![
                joined(1, let_in, asked, Role::Owner),
                joined(2, let_in, let_in, Role::Editor),
            ]),
        ));
        let shown = screen(&model);
        assert!(
            shown.contains("You and Grace Hopper are contacts now"),
            "{shown}"
        );
        assert!(!shown.contains("joined"), "{shown}");
    }
}
