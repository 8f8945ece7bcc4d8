//! What clients do that a server has to bear, and what ended the original one.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_wire::gateway::pychat::{Push, REQUEST_BYTES, Request};

use super::{friends, serve, text, text_of};

both_engines!(
    records_come_however_they_are_cut,
    what_is_no_request_is_answered_and_ends_nothing,
    half_a_character_is_no_fault,
    pushes_and_texts_never_come_together,
    a_dead_command_connection_leaves_messages_where_they_are,
);

/// A record of raw fields.
fn record(fields: [&[u8]; 4]) -> [u8; REQUEST_BYTES] {
    let mut record = [0; REQUEST_BYTES];
    for (at, field) in [0, 50, 100, 150].into_iter().zip(fields) {
        record[at..at + field.len()].copy_from_slice(field);
    }
    record
}

async fn records_come_however_they_are_cut(db: TestDb) {
    let server = serve(db).await;
    let (ada, ben, room) = friends(&server).await;
    let (_command, _silent) = ada.chat.start().await;
    let mut chat = ada.chat.chat(&ben.chat).await;
    let mut bytes = ada.chat.message(&ben.chat, "one").encode().to_vec();
    bytes.extend(ada.chat.message(&ben.chat, "two").encode());
    bytes.extend(&ada.chat.message(&ben.chat, "three").encode()[..100]);
    chat.send(&bytes).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    for byte in &ada.chat.message(&ben.chat, "three").encode()[100..] {
        chat.send(&[*byte]).await;
    }
    // A record and the end at once, and half a record before the end.
    let mut last = ada.chat.silent().await.into_inner();
    let mut bytes = ada.chat.message(&ben.chat, "four").encode().to_vec();
    bytes.extend([0; 100]);
    last.write_all(&bytes).await.unwrap();
    last.shutdown().await.unwrap();
    ada.chat.settle().await;
    let all = async {
        loop {
            let log = ada.log(room).await;
            let said: Vec<_> = log.iter().filter_map(text_of).map(str::to_owned).collect();
            if said.len() == 4 {
                return said;
            }
        }
    };
    let said = tokio::time::timeout(Duration::from_secs(20), all).await;
    let said = said.unwrap();
    let place = |text: &str| said.iter().position(|said| said == text).unwrap();
    assert!(place("one") < place("two") && place("two") < place("three"));
    assert!(place("four") < 4, "it came over another connection");
}

async fn what_is_no_request_is_answered_and_ends_nothing(db: TestDb) {
    let server = serve(db).await;
    let (ada, _, _) = friends(&server).await;
    ada.chat.log_in().await;
    let me = ada.chat.me.to_string();
    let me = me.as_bytes();
    let asks: [([&[u8]; 4], &str); 10] = [
        ([b"LOGIN", b"nobody", b"x", b""], "LOGIN FAIL"),
        ([b"LOGIN", b"99999999999999", b"x", b""], "LOGIN FAIL"),
        ([b"LOGIN", b"999999", b"\xff\xfe", b""], "LOGIN FAIL"),
        ([b"GET_FRIENDS", b"", b"", b""], "号码为空"),
        ([b"GET_FRIENDS", b"12x", b"", b""], "号码为空"),
        ([b"FIND_FRIEND", b"abc", b"", b""], "号码为空"),
        ([b"ADD_FRIEND", me, b"you", b""], "号码为空"),
        ([b"OFFLINE_MSG", b"-1", b"", b""], "NONE"),
        ([b"DOWN_FILE_NAME", me, b"", b""], "NONE"),
        (
            [b"DOWNLOAD", b"no such file", b"RECV_OK", b"0"],
            "FILE_END\r\n",
        ),
    ];
    let mut one = ada.chat.silent().await;
    for (fields, answer) in asks {
        one.send(&record(fields)).await;
        assert_eq!(one.text().await, answer, "{fields:?}");
    }
    for fields in [
        [&b"HELP"[..], b"", b"", b""],
        [b"", b"", b"", b""],
        [b"MESG", b"x", b"y", b"z"],
        [b"MESG", me, b"123", b"to nobody"],
        [b"DOWN", b"999999", b"", b""],
        [b"CMD_SOCKET", b"x", b"", b""],
        [b"NEW_SESSION", me, b"", b""],
        [b"UPLOAD_FINISH", me, b"999999", b"f"],
        [b"login", me, b"", b""],
    ] {
        one.send(&record(fields)).await;
    }
    one.send(&record([b"DOWNLOAD", b"x", b"RECV_OK", b"far"]))
        .await;
    assert_eq!(
        one.text().await,
        "FILE_END\r\n",
        "nothing else was answered"
    );
    one.send(&[0xff; REQUEST_BYTES]).await;
    one.send(&record([b"GET_FRIENDS", me, b"", b""])).await;
    assert!(one.text().await.starts_with("OK|"));
}

async fn half_a_character_is_no_fault(db: TestDb) {
    let server = serve(db).await;
    let (ada, ben, room) = friends(&server).await;
    let (mut command, _silent) = ada.chat.start().await;
    let (_bens, _silent2) = ben.chat.start().await;
    assert_eq!(command.push().await, Push::Up(ben.chat.me));
    let mut chat = ada.chat.chat(&ben.chat).await;
    let mut bens_chat = ben.chat.chat(&ada.chat).await;
    // 200 bytes end inside the 67th character, as the client cuts them.
    let long = "好".repeat(70);
    chat.say(&ada.chat.message(&ben.chat, &long)).await;
    assert_eq!(bens_chat.text().await, "好".repeat(66));
    let (me, friend) = (ada.chat.me.to_string(), ben.chat.me.to_string());
    let bytes = record([b"MESG", me.as_bytes(), friend.as_bytes(), b"a\xffb|c\td"]);
    chat.send(&bytes).await;
    assert_eq!(bens_chat.text().await, "a\u{fffd}b|c\td");
    chat.say(&ada.chat.message(&ben.chat, "FILE\r\n1|forged"))
        .await;
    assert_eq!(bens_chat.text().await, " FILE\r\n1|forged");
    chat.say(&ada.chat.message(&ben.chat, "")).await;
    assert_eq!(chat.text().await, "消息没有送出: 内容无效");
    assert_eq!(ada.log(room).await.iter().filter_map(text_of).count(), 3);
}

async fn pushes_and_texts_never_come_together(db: TestDb) {
    let server = serve(db).await;
    let (ada, ben, room) = friends(&server).await;
    let (mut command, _silent) = ada.chat.start().await;
    // Single reads, each of which must give one record, though they were said at once.
    let sender = ben.chat.me;
    let reading = tokio::spawn(async move {
        for number in 0..10 {
            let text = format!("m{number}").into_bytes();
            assert_eq!(command.push().await, Push::NewSession { sender, text });
        }
    });
    for number in 0..10 {
        ben.say(room, text(&format!("m{number}"))).await;
    }
    reading.await.unwrap();
    let mut chat = ada.chat.chat(&ben.chat).await;
    let reading = tokio::spawn(async move {
        let mut texts = Vec::new();
        for _ in 0..10 {
            texts.push(chat.text().await);
        }
        texts
    });
    for number in 0..10 {
        ben.say(room, text(&format!("n{number}"))).await;
    }
    let wanted: Vec<_> = (0..10).map(|number| format!("n{number}")).collect();
    assert_eq!(reading.await.unwrap(), wanted);
}

async fn a_dead_command_connection_leaves_messages_where_they_are(db: TestDb) {
    let server = serve(db).await;
    let (ada, ben, room) = friends(&server).await;
    let (command, _silent) = ada.chat.start().await;
    command.reset();
    tokio::time::sleep(Duration::from_millis(50)).await;
    ben.say(room, text("anybody?")).await;
    assert!(ada.chat.left().await.ends_with("|anybody?"));
    // The newest command connection gets the pushes.
    let (mut old, _silent) = ada.chat.start().await;
    let who = ada.chat.me;
    let mut new = ada.chat.stay(&Request::CommandSocket { who }).await;
    ada.chat.settle().await;
    ben.say(room, text("again")).await;
    let push = Push::NewSession {
        sender: ben.chat.me,
        text: b"again".to_vec(),
    };
    assert_eq!(new.push().await, push);
    assert!(old.is_silent_for(Duration::from_millis(100)).await);
}
