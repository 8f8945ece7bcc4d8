//! Messages, both ways, at once and later.

use std::time::Duration;

use http::Method;
use serde_json::json;
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_types::api::live::ServerFrame;
use wharf_wire::gateway::pychat::{Push, Request};

use super::{Somebody, befriend, friends, serve, text, text_of};

both_engines!(
    two_programs_talk,
    a_message_reaches_the_other_doors_and_theirs_the_program,
    what_was_missed_comes_once_one_sender_at_a_time,
    what_is_left_is_given_again_until_it_has_come,
    a_push_shows_the_beginning_and_the_session_the_rest,
    edits_recalls_and_files_are_texts,
    what_one_says_to_oneself_is_in_the_journal,
    a_restart_loses_nothing,
);

async fn two_programs_talk(db: TestDb) {
    let server = serve(db).await;
    let (ada, ben, room) = friends(&server).await;
    let (mut ada_command, _silent) = ada.chat.start().await;
    let mut chat = ada.chat.chat(&ben.chat).await;
    chat.say(&ada.chat.message(&ben.chat, "hi ben 你好")).await;
    assert_eq!(
        chat.text().await,
        format!("{}处于离线状态!", ben.chat.me),
        "to a friend who is away"
    );
    let (mut ben_command, _silent) = ben.chat.start().await;
    assert_eq!(ada_command.push().await, Push::Up(ben.chat.me));
    let left = ben.chat.left().await;
    let (sender, rest) = left.split_once('|').unwrap();
    let (time, said) = rest.split_once('|').unwrap();
    assert_eq!((sender, said), (&*ada.chat.me.to_string(), "hi ben 你好"));
    let shape: String = time
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    assert_eq!(shape, "0000-00-00 00:00:00");
    assert_eq!(ben.chat.left().await, "NONE");
    // Online without a session: a push. With one: the bare text.
    chat.say(&ada.chat.message(&ben.chat, "are you there?"))
        .await;
    let push = Push::NewSession {
        sender: ada.chat.me,
        text: b"are you there?".to_vec(),
    };
    assert_eq!(ben_command.push().await, push);
    let mut bens_chat = ben.chat.chat(&ada.chat).await;
    chat.say(&ada.chat.message(&ben.chat, "yes?")).await;
    assert_eq!(bens_chat.text().await, "yes?");
    bens_chat.say(&ben.chat.message(&ada.chat, "reply")).await;
    assert_eq!(chat.text().await, "reply");
    ben.chat.down().await;
    assert_eq!(ada_command.push().await, Push::Down(ben.chat.me));
    assert_eq!(ben_command.push().await, Push::Down(ben.chat.me), "its own");
    assert_eq!(bens_chat.read(10).await, b"", "its sessions are closed");
    let said: Vec<_> = ada.log(room).await;
    let said: Vec<_> = said.iter().filter_map(text_of).collect();
    assert_eq!(said, ["hi ben 你好", "are you there?", "yes?", "reply"]);
}

async fn a_message_reaches_the_other_doors_and_theirs_the_program(db: TestDb) {
    let server = serve(db).await;
    let (ada, ben, room) = friends(&server).await;
    let mut live = server.live(&ben.login.token).await;
    live.begin().await;
    let (mut command, _silent) = ada.chat.start().await;
    let mut chat = ada.chat.chat(&ben.chat).await;
    chat.say(&ada.chat.message(&ben.chat, "from the old program"))
        .await;
    let entry = live
        .until(|frame| match frame {
            ServerFrame::Entry { room: of, entry } if of == room => Some(*entry),
            _ => None,
        })
        .await;
    assert_eq!(text_of(&entry), Some("from the old program"));
    assert_eq!(entry.origin.door, "pychat");
    let own = ada.log(room).await;
    let own = own.iter().find(|own| own.position == entry.position);
    assert_eq!(own.unwrap().origin.address.as_deref(), Some("127.0.0.1"));
    ben.say(room, text("from the page")).await;
    assert_eq!(chat.text().await, "from the page");
    drop(chat);
    ada.chat.settle().await;
    ben.say(room, text("and again")).await;
    let push = Push::NewSession {
        sender: ben.chat.me,
        text: b"and again".to_vec(),
    };
    assert_eq!(command.push().await, push);
    // What the program itself said on another door is not shown as if the friend had said it.
    let mut chat = ada.chat.chat(&ben.chat).await;
    ada.say(room, text("my own")).await;
    ben.say(room, text("theirs")).await;
    assert_eq!(chat.text().await, "theirs");
}

async fn what_was_missed_comes_once_one_sender_at_a_time(db: TestDb) {
    let server = serve(db).await;
    let (ada, ben, room) = friends(&server).await;
    let cleo = Somebody::new(&server, "cleo").await;
    let other = befriend(&ada, &cleo).await;
    ben.say(room, text("read elsewhere")).await;
    let read = json!({ "position": 50 }).to_string();
    let path = format!("/api/v1/rooms/{room}/read");
    let headers = [("content-type", "application/json")];
    let read = ada.http.send(Method::PUT, &path, &headers, read);
    read.await.expect(204);
    ben.say(room, text("one|1")).await;
    cleo.say(other, text("two")).await;
    ben.say(room, text("three")).await;
    ada.chat.log_in().await;
    let left = ada.chat.left().await;
    let parts: Vec<_> = left.split('|').collect();
    assert_eq!(parts.len(), 5, "{left}");
    assert_eq!(
        (parts[0], parts[2], parts[4]),
        (&*ben.chat.me.to_string(), "one｜1", "three")
    );
    let left = ada.chat.left().await;
    assert!(left.starts_with(&format!("{}|", cleo.chat.me)), "{left}");
    assert!(left.ends_with("|two"), "{left}");
    assert_eq!(ada.chat.left().await, "NONE");
    ada.chat.down().await;
    ada.chat.log_in().await;
    assert_eq!(ada.chat.left().await, "NONE", "after another login");
}

async fn what_is_left_is_given_again_until_it_has_come(db: TestDb) {
    let server = serve(db).await;
    let (ada, ben, room) = friends(&server).await;
    ben.say(room, text("not to be lost")).await;
    ada.chat.log_in().await;
    let who = ada.chat.me;
    let mut ask = ada.chat.stay(&Request::OfflineMessages { who }).await;
    assert!(ask.text().await.ends_with("|not to be lost"));
    ask.reset();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(ada.chat.left().await.ends_with("|not to be lost"));
    assert_eq!(ada.chat.left().await, "NONE");
    // More than one answer holds: the rest comes with the next one, and long texts in parts.
    let long = "one two three four five ".repeat(125);
    ben.say(room, text(&long)).await;
    let mut parts = String::new();
    loop {
        let left = ada.chat.left().await;
        if left == "NONE" {
            break;
        }
        assert!(left.len() <= 2048);
        for part in left.split('|').skip(2).step_by(2) {
            parts.push_str(part.trim_start_matches('…'));
        }
    }
    assert_eq!(parts, long);
}

async fn a_push_shows_the_beginning_and_the_session_the_rest(db: TestDb) {
    let server = serve(db).await;
    let (ada, ben, room) = friends(&server).await;
    let (mut command, _silent) = ada.chat.start().await;
    let head = "好".repeat(16);
    for (said, wanted) in [
        (format!("{head}abcde"), format!("{head}ab")),
        ("short".to_owned(), "short".to_owned()),
    ] {
        ben.say(room, text(&said)).await;
        let push = Push::NewSession {
            sender: ben.chat.me,
            text: wanted.into_bytes(),
        };
        assert_eq!(command.push().await, push);
    }
    ada.chat.settle().await;
    let mut chat = ada.chat.chat(&ben.chat).await;
    assert_eq!(chat.text().await, "…cde");
    assert!(chat.is_silent_for(Duration::from_millis(300)).await);
    // What was only rung for is left for the next login.
    drop(chat);
    ada.chat.settle().await;
    let long = "x".repeat(80);
    ben.say(room, text(&long)).await;
    command.push().await;
    ada.chat.down().await;
    ada.chat.log_in().await;
    assert!(ada.chat.left().await.ends_with(&format!("|{long}")));
}

async fn edits_recalls_and_files_are_texts(db: TestDb) {
    let server = serve(db).await;
    let (ada, ben, room) = friends(&server).await;
    let (_command, _silent) = ada.chat.start().await;
    let mut chat = ada.chat.chat(&ben.chat).await;
    ben.say(room, text("teh")).await;
    assert_eq!(chat.text().await, "teh");
    let position = ben.log(room).await.last().unwrap().position;
    let edit = json!({ "kind": "edit", "target": position, "text": "the" });
    ben.say(room, edit).await;
    assert_eq!(chat.text().await, "[更正] the");
    let reaction = json!({ "kind": "reaction", "target": position, "emoji": "👍", "is_set": true });
    ben.say(room, reaction).await;
    ben.say(room, json!({ "kind": "recall", "target": position }))
        .await;
    assert_eq!(chat.text().await, "[对方撤回了一条消息]");
    drop(chat);
    ada.chat.down().await;
    // Of what was not seen, only what it is now is shown.
    ben.say(room, text("fisrt")).await;
    let position = ben.log(room).await.last().unwrap().position;
    ben.say(
        room,
        json!({ "kind": "edit", "target": position, "text": "first" }),
    )
    .await;
    ben.say(room, text("gone")).await;
    let position = ben.log(room).await.last().unwrap().position;
    ben.say(room, json!({ "kind": "recall", "target": position }))
        .await;
    ada.chat.log_in().await;
    let left = ada.chat.left().await;
    assert!(left.ends_with("|first"), "{left}");
    assert_eq!(left.split('|').count(), 3);
}

async fn what_one_says_to_oneself_is_in_the_journal(db: TestDb) {
    let server = serve(db).await;
    let ada = Somebody::new(&server, "ada").await;
    let (_command, _silent) = ada.chat.start().await;
    let mut chat = ada.chat.chat(&ada.chat).await;
    chat.say(&ada.chat.message(&ada.chat, "it rained")).await;
    assert_eq!(chat.text().await, "it rained");
    let journal = ada.log(ada.login.account.home).await;
    assert_eq!(journal.last().and_then(text_of), Some("it rained"));
}

async fn a_restart_loses_nothing(db: TestDb) {
    let mut server = serve(db).await;
    let (ada, ben, room) = friends(&server).await;
    let (mut command, _silent) = ada.chat.start().await;
    ben.say(room, text("before")).await;
    command.push().await;
    ada.chat.settle().await;
    ben.say(room, text(&"long ".repeat(30))).await;
    command.push().await;
    server.restart().await;
    let again = &ada.chat;
    assert_eq!(again.left().await, "NONE", "nobody is believed any more");
    again.log_in().await;
    let left = again.left().await;
    assert!(left.ends_with(&"long ".repeat(30)), "{left}");
    assert_eq!(again.left().await, "NONE");
}
