//! The finished protocol: its conversation as it was captured, its directories, and what its clients need.

use serde_json::json;
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_testkit::gateway::netdisk::{Netdisk, md5_hex, switch_on};
use wharf_testkit::server::{Setup, TestServer};
use wharf_types::api::account::SignupPolicy;

use super::{bound, of, person, server};

both_engines!(
    the_captured_conversation_is_answered_as_it_was,
    a_second_login_gets_the_same_session_until_logout,
    accounts_are_not_made_where_sign_up_is_not_open,
    directories_are_chosen_and_left,
    folders_are_made_and_removed,
    files_are_removed,
    files_of_other_doors_are_listed,
    requests_in_one_segment_are_answered_in_order,
    a_request_in_many_segments_is_answered,
);

/// What the published client sent and the original server answered, with the session and numbers in braces. Where this
/// server answers otherwise the original's answer is in a comment.
const CONVERSATION: &[(&str, &str)] = &[
    (
        "signup\n{\"username\": \"alice2\", \"password\": \"Abcdefg1\"}\0",
        "signupRes\n{\"error\":0,\"msg\":\"signup success\"}\0",
    ),
    (
        "signup\n{\"username\": \"alice2\", \"password\": \"Abcdefg1\"}\0",
        "signupRes\n{\"error\":1,\"msg\":\"username has been registered\"}\0",
    ),
    (
        "login\n{\"username\": \"alice2\", \"password\": \"wrong\"}\0",
        "loginRes\n{\"error\":1,\"msg\":\"username password not match\"}\0",
    ),
    (
        "login\n{\"username\": \"nobody\", \"password\": \"x\"}\0",
        // `username not exist`: here it tells nobody which names there are.
        "loginRes\n{\"error\":1,\"msg\":\"username password not match\"}\0",
    ),
    (
        "login\n{\"username\": \"alice2\", \"password\": \"Abcdefg1\"}\0",
        "loginRes\n{\"error\":0,\"msg\":\"login success\",\"session\":\"{session}\"}\0",
    ),
    (
        "getbindid\n{\"session\": \"{session}\"}\0",
        "getbindidRes\n{\"bindid\":0,\"error\":1,\"msg\":\"get bindid failed\"}\0",
    ),
    (
        "setbind\n{\"session\": \"{session}\", \"bindid\": 1}\0",
        "setbindRes\n{\"bindid\":1,\"error\":0,\"msg\":\"bind success\"}\0",
    ),
    (
        "getdir\n{\"session\": \"{session}\"}\0",
        "getdirRes\n{\"dir_list\":null,\"error\":0,\"msg\":\"get server file_dir success\"}\0",
    ),
    (
        "uploadFile\n{\"session\": \"{session}\", \"queueid\": 0, \"filename\": \"a.txt\", \"path\": \"//\", \"md5\": \"bccd96885f26075131a29f722c2d2094\", \"size\": 13, \"mtime\": 1795195963}\0",
        "uploadFileRes\n{\"error\":4,\"msg\":\"need to upload\",\"queueid\":0,\"vfile_id\":{vfile}}\0",
    ),
    (
        "uploadChunk\n{\"session\": \"{session}\", \"vfile_id\": {vfile}, \"queueid\": 3, \"chunkid\": 0, \"offset\": 0, \"chunksize\": 13}\0hello netdisk\0",
        "uploadChunkRes\n{\"error\":0,\"msg\":\"upload success\",\"queueid\":3}\0",
    ),
    (
        "uploadChunk\n{\"session\": \"{session}\", \"vfile_id\": {vfile}, \"queueid\": 4, \"chunkid\": 0, \"offset\": 0, \"chunksize\": 13}\0hello netdisk\0",
        "uploadChunkRes\n{\"error\":0,\"msg\":\"this chunk has been uploaded\",\"queueid\":4}\0",
    ),
    (
        "getdir\n{\"session\": \"{session}\"}\0",
        "getdirRes\n{\"dir_list\":[{\"filename\":\"a.txt\",\"md5\":\"bccd96885f26075131a29f722c2d2094\",\"mtime\":1795195963,\"path\":\"//\",\"size\":13}],\"error\":0,\"msg\":\"get server file_dir success\"}\0",
    ),
    (
        "downloadFile\n{\"session\": \"{session}\", \"md5\": \"bccd96885f26075131a29f722c2d2094\", \"queueid\": 5, \"offset\": 0, \"chunksize\": 13}\0",
        "downloadFileRes\n{\"error\":0,\"msg\":\"download success\",\"queueid\":5}\0hello netdisk\0",
    ),
    (
        // What the client sends about a file that it downloaded, by mistake.
        "deleteFile\n{\"session\": \"{session}\", \"filename\": \"a.txt\", \"path\": \"/home/somebody/netdisk/\", \"queueid\": 6}\0",
        "deleteFileRes\n{\"error\":1,\"filename\":\"a.txt\",\"msg\":\"parent dir not exist\",\"path\":\"/home/somebody/netdisk/\",\"queueid\":6}\0",
    ),
    (
        "disbind\n{\"session\": \"{session}\"}\0",
        "disbindRes\n{\"error\":0,\"msg\":\"disbind success\"}\0",
    ),
    (
        "getdir\n{\"session\": \"{session}\"}\0",
        "getdirRes\n{\"error\":3,\"msg\":\"user not bind server dir\"}\0",
    ),
    (
        "getbindid\n{\"session\": \"00000000000000000000000000000000\"}\0",
        "getbindidRes\n{\"bindid\":-1,\"error\":2,\"msg\":\"session has been destroyed, user need to login\"}\0",
    ),
];

async fn the_captured_conversation_is_answered_as_it_was(db: TestDb) {
    let server = server(db).await;
    let mut client = Netdisk::connect(&server).await;
    let (mut session, mut vfile) = (String::new(), String::new());
    for (sent, want) in CONVERSATION {
        let fill = |text: &str, session: &str, vfile: &str| {
            text.replace("{session}", session).replace("{vfile}", vfile)
        };
        client.raw(fill(sent, &session, &vfile).as_bytes()).await;
        // What the client is told first it has to take from the answer.
        let head = want.split(['{']).next().unwrap().len();
        let mut answer = String::from_utf8(client.bytes(head).await).unwrap();
        while !answer.ends_with('\0') {
            answer.push(char::from(client.bytes(1).await[0]));
        }
        if answer.contains("login success") {
            session = between(&answer, "\"session\":\"", "\"");
            assert_eq!(session.len(), 32);
        }
        if answer.contains("need to upload") {
            vfile = between(&answer, "\"vfile_id\":", "}");
        }
        let want = fill(want, &session, &vfile);
        let body = want.len() - answer.len();
        answer.push_str(&String::from_utf8(client.bytes(body).await).unwrap());
        assert_eq!(answer, want, "{sent:?}");
    }
    client.send("logout", &[of(&session)]).await;
    client.closed().await;
}

fn between(text: &str, before: &str, after: &str) -> String {
    let (_, rest) = text.split_once(before).unwrap();
    rest.split_once(after).unwrap().0.to_owned()
}

async fn a_second_login_gets_the_same_session_until_logout(db: TestDb) {
    let server = server(db).await;
    let (_, password) = person(&server, "ada").await;
    let mut first = Netdisk::connect(&server).await;
    let session = first.login("ada", &password).await;
    let mut second = Netdisk::connect(&server).await;
    assert_eq!(second.login("ada", &password).await, session);
    second.send("logout", &[of(&session)]).await;
    second.closed().await;
    let answer = first.call("getdir", &[of(&session)]).await;
    assert_eq!(answer["error"], 2);
    assert_ne!(first.login("ada", &password).await, session);
}

async fn accounts_are_not_made_where_sign_up_is_not_open(db: TestDb) {
    let mut setup = Setup::default();
    switch_on(&mut setup);
    setup.house.signup = SignupPolicy::Invitation;
    let server = TestServer::start_with(db, setup).await;
    let mut client = Netdisk::connect(&server).await;
    let fields = [("username", "eve".into()), ("password", "Abcdefg1".into())];
    let answer = client.call("signup", &fields).await;
    assert_eq!(answer["error"], 1);
    assert!(
        answer["msg"].as_str().unwrap().contains("invitation"),
        "{answer:?}"
    );
}

async fn directories_are_chosen_and_left(db: TestDb) {
    let server = server(db).await;
    let (http, mut client, session) = bound(&server, "ada").await;
    client
        .upload_as_published(&session, "//", "one.txt", b"one")
        .await;
    let answer = client
        .call("setbind", &[of(&session), ("bindid", 2.into())])
        .await;
    assert_eq!(
        (&answer["error"], &answer["bindid"]),
        (&json!(0), &json!(2))
    );
    assert_eq!(
        client.call("getdir", &[of(&session)]).await["dir_list"],
        json!(null)
    );
    client
        .upload_as_published(&session, "//", "two.txt", b"two")
        .await;
    for (path, want) in [("netdisk-1/one.txt", "one"), ("netdisk-2/two.txt", "two")] {
        let url = format!("/api/v1/rooms/home/content/{path}");
        assert_eq!(http.get(&url).await.expect(200).body, want);
    }
    for bad in [0, 4, -1] {
        let answer = client
            .call("setbind", &[of(&session), ("bindid", bad.into())])
            .await;
        assert_eq!(answer["error"], 1, "{bad}");
    }
    assert_eq!(client.call("getbindid", &[of(&session)]).await["bindid"], 2);
}

async fn folders_are_made_and_removed(db: TestDb) {
    let server = server(db).await;
    let (http, mut client, session) = bound(&server, "ada").await;
    let fields = |name: &str| {
        [
            of(&session),
            ("prefix", "//".into()),
            ("dirname", name.into()),
            ("queueid", 9.into()),
        ]
    };
    for (kind, want) in [
        ("createDir", "create dir success"),
        ("createDir", "dir has been created"),
        ("deleteDir", "delete dir success"),
        ("deleteDir", "dir has been deleted"),
    ] {
        let answer = client.call(kind, &fields("sub")).await;
        let want =
            json!({ "error": 0, "msg": want, "prefix": "//", "dirname": "sub", "queueid": 9 });
        assert_eq!(json!(answer), want);
    }
    client.call("createDir", &fields("kept")).await;
    let listed = http.get("/api/v1/rooms/home/list?path=netdisk-1").await;
    assert_eq!(listed.expect(200).json()["items"][0]["name"], "kept");
    let outside = client.call("createDir", &fields("../../x")).await;
    assert_eq!(outside["error"], 1);
}

async fn files_are_removed(db: TestDb) {
    let server = server(db).await;
    let (http, mut client, session) = bound(&server, "ada").await;
    client
        .upload_as_published(&session, "/sub/", "a.txt", b"text")
        .await;
    let fields = |path: &str| {
        [
            of(&session),
            ("filename", "a.txt".into()),
            ("path", path.into()),
            ("queueid", 2.into()),
        ]
    };
    for (path, error, text) in [
        ("/other/", 1, "parent dir not exist"),
        ("//", 1, "file already has been deleted, delete failed"),
        ("/sub/", 0, "delete file success"),
        ("/sub/", 1, "file already has been deleted, delete failed"),
    ] {
        let answer = client.call("deleteFile", &fields(path)).await;
        assert_eq!(
            (&answer["error"], &answer["msg"]),
            (&json!(error), &json!(text))
        );
    }
    let trash = http
        .get("/api/v1/rooms/home/trash")
        .await
        .expect(200)
        .json();
    assert_eq!(trash["items"][0]["name"], "a.txt");
}

async fn files_of_other_doors_are_listed(db: TestDb) {
    let server = server(db).await;
    let (http, mut client, session) = bound(&server, "ada").await;
    for (path, bytes) in [
        ("sub/文件.txt", "from HTTP"),
        ("empty", ""),
        ("twin", "from HTTP"),
    ] {
        let url = format!(
            "/api/v1/rooms/home/content/netdisk-1/{}",
            path.replace("文件", "%E6%96%87%E4%BB%B6")
        );
        http.send(http::Method::PUT, &url, &[], bytes)
            .await
            .expect(201);
    }
    let answer = client.call("getdir", &[of(&session)]).await;
    let files = answer["dir_list"].as_array().unwrap();
    let md5 = md5_hex(b"from HTTP");
    let shown: Vec<_> = files
        .iter()
        .map(|file| {
            (
                file["path"].as_str().unwrap(),
                file["filename"].as_str().unwrap(),
                &file["md5"],
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("/sub/", "文件.txt", &json!(md5)),
            ("//", "twin", &json!(md5))
        ]
    );
    let bytes = client.download(&session, &md5, 9).await;
    assert_eq!(bytes, b"from HTTP");
    let answer = client.announce(&session, "//", "again", b"from HTTP").await;
    assert_eq!(
        (&answer["error"], &answer["msg"]),
        (&json!(0), &json!("lightning transfer success"))
    );
}

async fn requests_in_one_segment_are_answered_in_order(db: TestDb) {
    let server = server(db).await;
    let (_, mut client, session) = bound(&server, "ada").await;
    let one = format!("getbindid\n{{\"session\": \"{session}\"}}\0");
    let bad = "getdir\n{\"session\": oops}\0";
    client.raw(format!("{one}{bad}{one}").as_bytes()).await;
    for _ in 0..2 {
        assert_eq!(client.answer().await.1["bindid"], 1);
    }
}

async fn a_request_in_many_segments_is_answered(db: TestDb) {
    let server = server(db).await;
    let (_, mut client, session) = bound(&server, "ada").await;
    for byte in format!("getbindid\n{{\"session\": \"{session}\"}}\0").as_bytes() {
        client.raw(&[*byte]).await;
    }
    assert_eq!(client.answer().await.1["bindid"], 1);
}
