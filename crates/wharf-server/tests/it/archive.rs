//! Archives, taken apart by other programs: Info-ZIP's `unzip` and Python's `zipfile`.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use wharf_store::blob::{Blob, MemoryBlob};
use wharf_testkit::blob::FaultyBlob;
use wharf_testkit::both_engines;
use wharf_testkit::db::{Engine, TestDb};
use wharf_testkit::server::{Http, Reply, Setup, TestServer};

use crate::{framed, manifest, noise};

both_engines!(
    folders_and_files_come_as_one_archive_that_others_unpack,
    only_what_was_asked_for_is_in_it,
);

const ROOM: &str = "/api/v1/rooms/home";
/// Says of each entry its name, whether its checksum holds, its time and its mode.
const LIST: &str = "import json, sys, zipfile\n\
    archive = zipfile.ZipFile(sys.argv[1])\n\
    assert archive.testzip() is None\n\
    print(json.dumps({i.filename: [i.file_size, list(i.date_time), i.external_attr >> 16] for i in archive.infolist()}))";

async fn put(http: &Http, path: &str, body: &[u8]) {
    let path = format!("{ROOM}/content/{path}");
    http.send(Method::PUT, &path, &[], body.to_vec())
        .await
        .expect(201);
}

async fn commit(http: &Http, ops: Value) -> Value {
    let id = uuid::Uuid::now_v7();
    http.post(&format!("{ROOM}/commit"), &json!({ "id": id, "ops": ops }))
        .await
        .expect(200)
        .json()
}

/// Makes a link, or a file under any name.
async fn put_chunk(http: &Http, path: &str, content: &[u8], link: bool) {
    let headers = [("content-type", "application/octet-stream")];
    http.send(Method::POST, "/api/v1/chunks", &headers, framed(&[content]))
        .await
        .expect(200);
    let put = json!({ "op": "put", "path": path, "manifest": manifest(&[content]), "link": link });
    commit(http, json!([put])).await;
}

async fn archive(http: &Http, query: &str) -> Reply {
    let reply = http
        .get(&format!("{ROOM}/drive/archive{query}"))
        .await
        .expect(200);
    let announced = reply.header("content-length").unwrap().to_owned();
    assert_eq!(announced, reply.body.len().to_string());
    reply
}

/// Unpacks with `unzip`, which warns of nothing.
fn unzip(reply: &Reply) -> TempDir {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("archive.zip");
    fs::write(&file, &reply.body).unwrap();
    let output = Command::new("unzip")
        .args(["-q", "archive.zip", "-d", "out"])
        .current_dir(folder.path())
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.is_empty(), "{said}");
    folder
}

/// What Python's `zipfile` finds: size, time and mode of each entry.
fn listed(reply: &Reply) -> BTreeMap<String, (u64, Vec<u32>, u32)> {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("archive.zip");
    fs::write(&file, &reply.body).unwrap();
    let output = Command::new("python3")
        .args(["-c", LIST])
        .arg(&file)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn folders_and_files_come_as_one_archive_that_others_unpack(db: TestDb) {
    let server = TestServer::start(db).await;
    let http = server.http();
    let large = noise(9, 6_000_000);
    put(&http, "trip/photos/large.bin", &large).await;
    put(
        &http,
        "trip/notes/caf%C3%A9%20%E4%B8%AD%E6%96%87.txt?mtime_ns=1709251199500000000",
        b"hello",
    )
    .await;
    put(&http, "trip/run.sh?executable=true", b"#!/bin/sh\n").await;
    put(&http, "trip/empty.txt", b"").await;
    put_chunk(&http, "trip/notes/link", b"../run.sh", true).await;
    put_chunk(&http, "trip/notes/out", b"../../../etc/passwd", true).await;
    commit(
        &http,
        json!([{ "op": "make_folder", "path": "trip/nothing here" }]),
    )
    .await;

    let reply = archive(&http, "?path=trip").await;
    assert_eq!(reply.header("content-type"), Some("application/zip"));
    assert_eq!(
        reply.header("content-disposition"),
        Some("attachment; filename*=UTF-8''trip.zip")
    );
    check_unpacked(&unzip(&reply).path().join("out/trip"), &large);
    let listed = listed(&reply);
    assert_eq!(listed.len(), 10);
    let (bytes, time, mode) = &listed["trip/notes/café 中文.txt"];
    assert_eq!((*bytes, *mode), (5, 0o100_644));
    assert_eq!(*time, [2024, 2, 29, 23, 59, 58]);
    let again = archive(&http, "?path=trip").await;
    assert_eq!(again.body.len(), reply.body.len());
}

/// What [`folders_and_files_come_as_one_archive_that_others_unpack`] put, on a disk.
fn check_unpacked(top: &Path, large: &[u8]) {
    assert!(fs::read(top.join("photos/large.bin")).unwrap() == large);
    assert_eq!(fs::read(top.join("notes/café 中文.txt")).unwrap(), b"hello");
    assert_eq!(fs::read(top.join("empty.txt")).unwrap(), b"");
    assert!(top.join("nothing here").is_dir());
    let mode = fs::metadata(top.join("run.sh"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o111, 0o111);
    assert_eq!(
        fs::read_link(top.join("notes/link")).unwrap(),
        Path::new("../run.sh")
    );
    let out = fs::symlink_metadata(top.join("notes/out")).unwrap();
    assert!(out.is_file(), "a link that leads out is a file");
    let modified = fs::metadata(top.join("notes/café 中文.txt"))
        .unwrap()
        .modified()
        .unwrap();
    let since = modified.duration_since(std::time::UNIX_EPOCH).unwrap();
    assert_eq!(since.as_secs(), 1_709_251_199);
}

async fn only_what_was_asked_for_is_in_it(db: TestDb) {
    let server = TestServer::start(db).await;
    let http = server.http();
    for path in ["a/x.txt", "a/y.txt", "a/z.txt", "b/X.txt"] {
        put(&http, path, path.as_bytes()).await;
    }
    let id = |node: Reply| node.expect(200).json()["id"].as_str().unwrap().to_owned();
    let x = id(http.get(&format!("{ROOM}/node?path=a/x.txt")).await);
    let y = id(http.get(&format!("{ROOM}/node?path=a/y.txt")).await);
    let other = id(http.get(&format!("{ROOM}/node?path=b/X.txt")).await);
    let b = id(http.get(&format!("{ROOM}/node?path=b")).await);

    let two = archive(&http, &format!("?ids={x},{y},{x}")).await;
    assert!(listed(&two).keys().eq(["x.txt", "y.txt"]));
    assert_eq!(
        two.header("content-disposition"),
        Some("attachment; filename*=UTF-8''a.zip")
    );
    let mixed = archive(&http, &format!("?ids={x},{other},{b}")).await;
    assert!(
        listed(&mixed)
            .keys()
            .eq(["X (2).txt", "b/", "b/X.txt", "x.txt"])
    );
    let all = archive(&http, "").await;
    assert_eq!(listed(&all).len(), 6);
    let head = http
        .send(Method::HEAD, &format!("{ROOM}/drive/archive"), &[], "")
        .await
        .expect(200);
    assert_eq!(head.header("content-length"), all.header("content-length"));

    check_refusals(&server, &http, &x).await;
}

async fn check_refusals(server: &TestServer, http: &Http, x: &str) {
    http.get(&format!("{ROOM}/drive/archive?path=nowhere"))
        .await
        .expect(404);
    http.get(&format!("{ROOM}/drive/archive?ids="))
        .await
        .expect(400);
    http.get(&format!("{ROOM}/drive/archive?ids={x}&path=a"))
        .await
        .expect(400);
    let (_, ada) = server.member("ada").await;
    ada.get(&format!("{ROOM}/drive/archive?ids={x}"))
        .await
        .expect(404);
    let many = vec![x; 201].join(",");
    http.get(&format!("{ROOM}/drive/archive?ids={many}"))
        .await
        .expect(413);
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_are_unpacked_where_they_belong() {
    let server = TestServer::on(Engine::Sqlite).await;
    let http = server.http();
    for name in [
        "..\\..\\evil",
        "C:evil",
        "a\u{1b}[31m",
        "NUL",
        "é",
        "A",
        "a",
    ] {
        put_chunk(&http, &format!("in/{name}"), name.as_bytes(), false).await;
    }
    let folder = unzip(&archive(&http, "?path=in").await);
    let mut names: Vec<_> = fs::read_dir(folder.path().join("out/in"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort_unstable();
    let top: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(top.len(), 2, "the archive and what is in it");
    assert_eq!(
        names,
        [".._.._evil", "A", "C_evil", "_NUL", "a (2)", "a_[31m", "é"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_damaged_breaks_the_archive_off() {
    let blob = Arc::new(FaultyBlob::new(Arc::new(MemoryBlob::default())));
    let db = tokio::task::block_in_place(|| TestDb::open(Engine::Sqlite));
    let setup = Setup {
        blob: Arc::<FaultyBlob>::clone(&blob),
        ..Setup::default()
    };
    let server = TestServer::start_with(db, setup).await;
    let http = server.http();
    for number in 0..4 {
        put(&http, &format!("{number}.bin"), &noise(number, 3_000_000)).await;
    }
    let address = format!("{ROOM}/drive/archive");
    http.get(&address).await.expect(200);
    let (mut refused, mut broken_off) = (0, 0);
    for segment in &blob.list("segment/", None, 100).await.unwrap() {
        blob.flip(&segment.key, segment.bytes / 2, 3);
        match http.try_send(Method::GET, &address, &[], "").await {
            Err(_) => broken_off += 1,
            Ok(reply) => {
                assert_eq!(reply.expect(500).json()["code"], "corrupt");
                refused += 1;
            }
        }
        blob.flip(&segment.key, segment.bytes / 2, 3);
    }
    assert!(broken_off > 0, "refused {refused}, broken off {broken_off}");
    listed(&http.get(&address).await.expect(200));
}
