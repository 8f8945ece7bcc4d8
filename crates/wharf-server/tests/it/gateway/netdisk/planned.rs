//! The planned types: JSON objects with a session.

use serde_json::{Value, json};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_testkit::gateway::netdisk::{Fields, Netdisk, md5_hex};
use wharf_types::CommitId;

use super::{of, server};

both_engines!(
    a_person_signs_up_and_logs_out,
    a_password_is_changed,
    a_whole_file_goes_up_is_listed_and_comes_down,
    a_file_goes_up_and_down_by_the_chunk,
);

fn person(password: &str) -> [(&'static str, Value); 2] {
    [("username", "eve".into()), ("password", password.into())]
}

async fn a_person_signs_up_and_logs_out(db: TestDb) {
    let server = server(db).await;
    let mut client = Netdisk::connect(&server).await;
    let answer = client.call_json("signup", &person("Abcdefg1")).await;
    assert_eq!(
        json!(answer),
        json!({ "error": 0, "msg": "signup success" })
    );
    let answer = client.call_json("signup", &person("Abcdefg1")).await;
    assert_eq!(answer["error"], 1);
    let session = logged_in(&mut client).await;
    let answer = client.call_json("logout", &[of(&session)]).await;
    assert_eq!(answer["msg"], "log out success");
    let answer = client.call_json("dirinfo", &[of(&session)]).await;
    assert_eq!(answer["error"], 2);
    let answer = client.call_json("dirinfo", &[]).await;
    assert_eq!(answer["error"], 1, "{answer:?}");
}

async fn logged_in(client: &mut Netdisk) -> String {
    let answer = client.call_json("login", &person("Abcdefg1")).await;
    answer["session"].as_str().unwrap().to_owned()
}

async fn a_password_is_changed(db: TestDb) {
    let server = server(db).await;
    let mut client = Netdisk::connect(&server).await;
    client.call_json("signup", &person("Abcdefg1")).await;
    let session = logged_in(&mut client).await;
    for (old, error) in [("wrong", 1), ("Abcdefg1", 0)] {
        let change = [
            of(&session),
            ("password", "Abcdefg2".into()),
            ("oldpassword", old.into()),
        ];
        let answer = client.call_json("changepwd", &change).await;
        assert_eq!(answer["error"], error, "{old}");
    }
    let answer = client.call_json("login", &person("Abcdefg1")).await;
    assert_eq!(answer["error"], 1);
    let answer = client.call_json("login", &person("Abcdefg2")).await;
    assert_eq!(answer["session"], session);
}

async fn a_whole_file_goes_up_is_listed_and_comes_down(db: TestDb) {
    let server = server(db).await;
    let (_, mut client, session) = super::bound(&server, "ada").await;
    let upload = [
        of(&session),
        ("filename", "a.txt".into()),
        ("size", 5.into()),
        ("path", "/docs/".into()),
        ("mtime", 1_700_000_000.into()),
    ];
    client.send_json("upload", &upload).await;
    client.raw(b"hello").await;
    let answer = client.answer().await.1;
    let whole = json!([{ "offset": 0, "size": 5, "done": true }]);
    assert_eq!(answer["chunks"], whole);
    let file = answer["vfile_id"].clone();

    let info = client.call_json("dirinfo", &[of(&session)]).await;
    let want = json!([{
        "vfile_id": file,
        "vfile_dir_id": directory(&info, "/docs/"),
        "vfile_name": "a.txt",
        "vfile_size": 5,
        "vfile_md5": md5_hex(b"hello"),
        "vfile_server_mtime": 1_700_000_000,
    }]);
    assert_eq!(info["files"], want);
    let by_id = [of(&session), ("vfile_id", file)];
    assert_eq!(client.call_json("download", &by_id).await["size"], 5);
    assert_eq!(client.bytes(5).await, b"hello");
    let missing = [of(&session), ("filename", "none".into())];
    let answer = client.call_json("download", &missing).await;
    assert_eq!(answer["error"], 5);
}

/// The number of a directory.
fn directory(info: &Fields, path: &str) -> Value {
    let mut dirs = info["dirs"].as_array().unwrap().iter();
    let found = dirs.find(|dir| dir["dir_path"] == path);
    found.unwrap()["dir_id"].clone()
}

async fn a_file_goes_up_and_down_by_the_chunk(db: TestDb) {
    let server = server(db).await;
    let (http, mut client, session) = super::bound(&server, "ada").await;
    let folder = json!({ "id": CommitId::from_bytes([1; 16]), "ops": [{ "op": "make_folder", "path": "netdisk-1/docs" }] });
    let made = http.post("/api/v1/rooms/home/commit", &folder).await;
    made.expect(200);
    let info = client.call_json("dirinfo", &[of(&session)]).await;
    let docs = directory(&info, "/docs/");
    for (offset, bytes, want) in [
        (
            4,
            "ef",
            json!([{ "offset": 0, "size": 4, "done": false }, { "offset": 4, "size": 2, "done": true }]),
        ),
        (0, "abcd", json!([{ "offset": 0, "size": 6, "done": true }])),
    ] {
        let part = [
            of(&session),
            ("filename", "b.txt".into()),
            ("dir_id", docs.clone()),
            ("total", 6.into()),
            ("offset", offset.into()),
            ("chunksize", bytes.len().into()),
        ];
        client.send_json("upload", &part).await;
        client.raw(bytes.as_bytes()).await;
        assert_eq!(client.answer().await.1["chunks"], want);
    }
    let by_name = [
        of(&session),
        ("filename", "docs/b.txt".into()),
        ("offset", 2.into()),
        ("chunksize", 3.into()),
    ];
    assert_eq!(client.call_json("download", &by_name).await["size"], 3);
    assert_eq!(client.bytes(3).await, b"cde");
}
