//! Files, up and down, and from other doors.

use http::Method;
use serde_json::json;
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_testkit::gateway::pychat::piece_of;
use wharf_types::api::log::Body;
use wharf_wire::gateway::pychat::{Push, Request};

use super::{Somebody, friends, serve};
use crate::noise;

both_engines!(
    a_file_goes_over_and_comes_down,
    a_file_of_another_door_is_listed_and_read,
    an_upload_goes_on_in_another_connection,
    names_are_keys_of_fifty_bytes,
    a_download_goes_on_anywhere,
    lists_end_within_what_clients_read,
    what_cannot_be_uploaded_is_not_taken,
);

async fn a_file_goes_over_and_comes_down(db: TestDb) {
    let server = serve(db).await;
    let (ada, ben, room) = friends(&server).await;
    let (_command, _silent) = ada.chat.start().await;
    let (mut bens, _silent2) = ben.chat.start().await;
    let mut chat = ada.chat.chat(&ben.chat).await;
    let mut bens_chat = ben.chat.chat(&ada.chat).await;
    let bytes = noise(1, 3_000);
    assert_eq!(ada.chat.files(&ben.chat).await, "NONE");
    ada.chat.upload(&ben.chat, "up.bin", &bytes).await;
    assert_eq!(chat.text().await, "正在上传...");
    assert_eq!(
        bens_chat.text().await,
        format!("FILE\r\n{}|up.bin", ada.chat.me)
    );
    for (one, other) in [(&ada, &ben), (&ben, &ada)] {
        assert_eq!(one.chat.files(&other.chat).await, "|up.bin\n");
        assert_eq!(one.chat.download("up.bin").await, bytes);
    }
    let content = format!("/api/v1/rooms/{room}/content/up.bin");
    assert_eq!(ben.http.get(&content).await.expect(200).body, bytes);
    let entry = ben.log(room).await.pop().unwrap();
    assert!(matches!(entry.body, Some(Body::File(file)) if file.name == "up.bin"));
    assert_eq!(entry.origin.door, "pychat");
    // Without a session, a push; away, like a message. Again the same name is another revision.
    drop(bens_chat);
    ben.chat.settle().await;
    ada.chat.upload(&ben.chat, "up.bin", b"better").await;
    let push = Push::NewSession {
        sender: ada.chat.me,
        text: format!("{}正在向你传送文件:up.bin", ada.chat.me).into_bytes(),
    };
    assert_eq!(bens.push().await, push);
    assert_eq!(ben.chat.download("up.bin").await, b"better");
    ben.chat.down().await;
    ada.chat.upload(&ben.chat, "empty", b"").await;
    ada.chat.settle().await;
    ben.chat.log_in().await;
    let left = ben.chat.left().await;
    let wanted = format!("|{}正在向你传送文件:empty", ada.chat.me);
    assert!(left.ends_with(&wanted), "{left}");
    assert_eq!(ben.chat.files(&ada.chat).await, "|up.bin\n|empty\n");
    assert_eq!(ben.chat.download("empty").await, b"");
}

/// Hands a file over through the API.
async fn hand_over(from: &Somebody, room: wharf_types::RoomId, name: &str, bytes: &[u8]) {
    let path = format!("/api/v1/rooms/{room}/content/{name}");
    let put = from.http.send(Method::PUT, &path, &[], bytes.to_vec());
    assert!(put.await.status.is_success());
    let node = format!("/api/v1/rooms/{room}/node?path={name}");
    let node = from.http.get(&node).await.expect(200).json();
    from.say(
        room,
        json!({ "kind": "file", "node": node["id"], "text": "look" }),
    )
    .await;
}

async fn a_file_of_another_door_is_listed_and_read(db: TestDb) {
    let server = serve(db).await;
    let (ada, ben, room) = friends(&server).await;
    let (_command, _silent) = ada.chat.start().await;
    let mut chat = ada.chat.chat(&ben.chat).await;
    let bytes = noise(2, 5_000);
    hand_over(&ben, room, "page.bin", &bytes).await;
    assert_eq!(
        chat.text().await,
        format!("FILE\r\n{}|page.bin", ben.chat.me)
    );
    assert_eq!(chat.text().await, "look");
    assert_eq!(ada.chat.download("page.bin").await, bytes);
    // Somebody who does not know the two gets nothing.
    let cleo = Somebody::new(&server, "cleo").await;
    ada.chat.down().await;
    ada.chat.settle().await;
    cleo.chat.log_in().await;
    assert_eq!(cleo.chat.download("page.bin").await, b"");
    assert_eq!(cleo.chat.files(&ada.chat).await, "NONE");
}

async fn an_upload_goes_on_in_another_connection(db: TestDb) {
    let server = serve(db).await;
    let (ada, ben, _) = friends(&server).await;
    let (_command, _silent) = ada.chat.start().await;
    let bytes = noise(3, 1_000);
    let mut up = ada.chat.upload_begin(&ben.chat, "cut.bin").await;
    for piece in bytes[..600].chunks(200) {
        up.say(&piece_of("cut.bin", piece)).await;
        assert_eq!(up.text().await, "RECV_OK");
    }
    up.reset();
    assert_eq!(
        ada.chat.files(&ben.chat).await,
        "NONE",
        "half a file is none"
    );
    let mut up = ada.chat.silent().await;
    for piece in bytes[600..].chunks(200) {
        up.say(&piece_of("cut.bin", piece)).await;
        assert_eq!(up.text().await, "RECV_OK");
    }
    up.say(&ada.chat.upload_end(&ben.chat, "cut.bin")).await;
    up.end().await;
    assert_eq!(ada.chat.download("cut.bin").await, bytes);
    // Begun again, it begins from the beginning.
    ada.chat.upload_begin(&ben.chat, "new").await;
    ada.chat.upload(&ben.chat, "new", b"whole").await;
    ada.chat.settle().await;
    assert_eq!(ada.chat.download("new").await, b"whole");
}

async fn names_are_keys_of_fifty_bytes(db: TestDb) {
    let server = serve(db).await;
    let (ada, ben, room) = friends(&server).await;
    let (_command, _silent) = ada.chat.start().await;
    let long = format!("{}.txt", "n".repeat(80));
    ada.chat.upload(&ben.chat, &long, b"long").await;
    ada.chat.upload(&ben.chat, "../../etc/a|b", b"bar").await;
    ada.chat.settle().await;
    let files = ada.chat.files(&ben.chat).await;
    assert_eq!(files, format!("|{long}\n|a｜b\n"));
    assert_eq!(ada.chat.download(&long).await, b"long");
    assert_eq!(ada.chat.download("a｜b").await, b"bar");
    let tree = format!("/api/v1/rooms/{room}/list");
    let list = ada.http.get(&tree).await.expect(200).json();
    assert_eq!(list["items"].as_array().unwrap().len(), 2, "{list}");
}

async fn a_download_goes_on_anywhere(db: TestDb) {
    let server = serve(db).await;
    let (ada, ben, room) = friends(&server).await;
    let (_command, _silent) = ada.chat.start().await;
    let bytes = noise(4, 3_000_000);
    hand_over(&ben, room, "big.bin", &bytes).await;
    ada.chat.files(&ben.chat).await;
    let mut down = ada.chat.silent().await;
    for offset in [2_999_000, 0, 1_024, 5, 1_500_000, 1_501_024] {
        down.say(&Request::Download {
            name: b"big.bin".to_vec(),
            offset_bytes: offset as u64,
        })
        .await;
        let piece = down.read(1024).await;
        assert!(!piece.is_empty());
        assert_eq!(piece, bytes[offset..offset + piece.len()], "at {offset}");
    }
    down.say(&Request::Download {
        name: b"big.bin".to_vec(),
        offset_bytes: 3_000_000,
    })
    .await;
    assert_eq!(down.read(1024).await, b"FILE_END\r\n");
    assert_eq!(ada.chat.download("big.bin").await, bytes);
}

async fn lists_end_within_what_clients_read(db: TestDb) {
    let server = serve(db).await;
    let (ada, ben, room) = friends(&server).await;
    ada.chat.log_in().await;
    let name = |number: usize| format!("{number:02}-{}", "n".repeat(97));
    for number in 0..24 {
        hand_over(&ben, room, &name(number), b"x").await;
    }
    let files = ada.chat.files(&ben.chat).await;
    let names: Vec<_> = files.split_terminator('\n').collect();
    assert_eq!(names.len(), 2048 / 102);
    assert_eq!(names.first(), Some(&&*format!("|{}", name(4))));
    assert_eq!(names.last(), Some(&&*format!("|{}", name(23))));
}

async fn what_cannot_be_uploaded_is_not_taken(db: TestDb) {
    let server = serve(db).await;
    let (ada, ben, _) = friends(&server).await;
    let (_command, _silent) = ada.chat.start().await;
    let mut chat = ada.chat.chat(&ben.chat).await;
    let begin = |name: &str| Request::UploadBegin {
        who: ada.chat.me,
        friend: ben.chat.me,
        name: name.as_bytes().to_vec(),
    };
    for name in ["..", "", "a/.."] {
        let mut up = ada.chat.stay(&begin(name)).await;
        assert_eq!(up.read(100).await, b"", "{name}");
        assert_eq!(chat.text().await, "文件没有上传: 内容无效");
    }
    let mut up = ada.chat.stay(&piece_of("nothing", b"x")).await;
    assert_eq!(up.read(100).await, b"", "no upload is called so");
    ada.chat
        .tell(&ada.chat.upload_end(&ben.chat, "nothing"))
        .await;
    let mut stranger = ada
        .chat
        .stay(&Request::UploadBegin {
            who: ada.chat.me,
            friend: wharf_wire::gateway::pychat::Number(999_999),
            name: b"x".to_vec(),
        })
        .await;
    assert_eq!(stranger.read(100).await, b"");
    assert_eq!(ada.chat.files(&ben.chat).await, "NONE");
}
