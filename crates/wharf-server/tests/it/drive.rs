//! Drives over HTTP: commits, lists and the stream of changes.

use http::Method;
use serde_json::{Value, json};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_testkit::server::{Http, TestServer};
use wharf_types::CommitId;
use wharf_types::api::transfer::CHUNKS_TYPE;

use crate::{framed, manifest};

both_engines!(
    a_commit_applies_once,
    what_was_put_shows_everywhere,
    a_commit_that_cannot_apply_names_what_failed,
    lists_come_in_pages,
    a_node_goes_to_the_trash_and_comes_back,
);

/// A commit of these operations; the same `number` is the same commit.
fn commit(number: u8, ops: &Value) -> Value {
    json!({ "id": CommitId::from_bytes([number; 16]), "ops": ops })
}

async fn upload(http: &Http, chunks: &[&[u8]]) {
    let headers = [("content-type", CHUNKS_TYPE)];
    http.send(Method::POST, "/api/v1/chunks", &headers, framed(chunks))
        .await
        .expect(200);
}

/// Puts `docs/a.txt` of two chunks, tagged `draft`, and returns the commit's answer.
async fn put_a_draft(http: &Http) -> Value {
    upload(http, &[b"one", b"two"]).await;
    let ops = json!([
        { "op": "put", "path": "docs/a.txt", "manifest": manifest(&[b"one", b"two"]), "mtime_ns": 5, "expect": "absent" },
        { "op": "tag", "at": { "path": "docs/a.txt" }, "add": ["draft"] },
    ]);
    http.post("/api/v1/rooms/home/commit", &commit(1, &ops))
        .await
        .expect(200)
        .json()
}

/// GETs something below the personal room.
async fn get(http: &Http, path: &str) -> Value {
    http.get(&format!("/api/v1/rooms/home/{path}"))
        .await
        .expect(200)
        .json()
}

async fn a_commit_applies_once(db: TestDb) {
    let server = TestServer::start(db).await;
    let http = server.http();
    let committed = put_a_draft(&http).await;
    let again = put_a_draft(&http).await;
    assert_eq!(
        (&again["repeated"], &again["position"]),
        (&json!(true), &committed["position"])
    );
    let changes = get(&http, "changes?after=1").await;
    assert_eq!(
        (&changes["head"], &changes["items"][0]["position"]),
        (&committed["position"], &json!(2))
    );
}

async fn what_was_put_shows_everywhere(db: TestDb) {
    let server = TestServer::start(db).await;
    let http = server.http();
    let committed = put_a_draft(&http).await;
    let node = get(&http, "node?path=docs/a.txt").await;
    assert_eq!(
        (&node["bytes"], &node["mtime_ns"], &node["tags"]),
        (&json!(6), &json!(5), &json!(["draft"]))
    );
    let packed = json!(manifest(&[b"one", b"two"]));
    assert_eq!(
        get(&http, "manifest?path=docs/a.txt").await["manifest"],
        packed
    );
    assert_eq!(
        get(&http, "tree?manifests=true").await["items"][1]["manifest"],
        packed
    );
    assert_eq!(
        get(&http, "find?tag=draft").await["items"][0]["id"],
        node["id"]
    );
    assert_eq!(
        get(&http, "revisions?path=docs/a.txt").await["items"][0]["revision"],
        node["revision"]
    );
    let drive = get(&http, "drive").await;
    assert_eq!(
        (&drive["position"], &drive["used_bytes"]),
        (&committed["position"], &json!(6))
    );
    assert_eq!(
        http.get("/api/v1/rooms/home/content/docs/a.txt")
            .await
            .expect(200)
            .body,
        "onetwo"
    );
}

async fn a_commit_that_cannot_apply_names_what_failed(db: TestDb) {
    let server = TestServer::start(db).await;
    let http = server.http();
    let folder = json!([{ "op": "make_folder", "path": "a" }]);
    http.post("/api/v1/rooms/home/commit", &commit(1, &folder))
        .await
        .expect(200);
    let ops = json!([
        { "op": "make_folder", "path": "b" },
        { "op": "make_folder", "path": "a", "expect": "absent" },
    ]);
    let problem = http
        .post("/api/v1/rooms/home/commit", &commit(2, &ops))
        .await
        .expect(409)
        .json();
    assert_eq!(
        (&problem["code"], &problem["failed"][0]["index"]),
        (&json!("exists"), &json!(1))
    );
    http.get("/api/v1/rooms/home/node?path=b").await.expect(404);

    let absent = json!([{ "op": "put", "path": "c", "manifest": manifest(&[b"never uploaded"]) }]);
    let problem = http
        .post("/api/v1/rooms/home/commit", &commit(3, &absent))
        .await
        .expect(404)
        .json();
    assert_eq!(problem["failed"][0]["code"], "not_found");
    let unknown = json!([{ "op": "explode" }]);
    http.post("/api/v1/rooms/home/commit", &commit(4, &unknown))
        .await
        .expect(400);
    http.post("/api/v1/rooms/nowhere/commit", &commit(5, &folder))
        .await
        .expect(400);
    let strange = format!("/api/v1/rooms/{}/commit", CommitId::from_bytes([9; 16]));
    http.post(&strange, &commit(6, &folder)).await.expect(404);
}

async fn lists_come_in_pages(db: TestDb) {
    let server = TestServer::start(db).await;
    let http = server.http();
    // Past the number of items from which an answer is written on a thread of its own.
    let ops: Vec<Value> = (0..1_200)
        .map(|number| json!({ "op": "make_folder", "path": format!("f{number:04}") }))
        .collect();
    http.post("/api/v1/rooms/home/commit", &commit(1, &json!(ops)))
        .await
        .expect(200);

    let mut names = Vec::new();
    let mut path = "/api/v1/rooms/home/list?limit=500".to_owned();
    loop {
        let page = http.get(&path).await.expect(200).json();
        names.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|node| node["name"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = format!("/api/v1/rooms/home/list?limit=500&after={next}");
    }
    assert_eq!(
        names,
        (0..1_200)
            .map(|number| format!("f{number:04}"))
            .collect::<Vec<_>>()
    );
    let tree = http
        .get("/api/v1/rooms/home/tree?limit=10000")
        .await
        .expect(200)
        .json();
    assert_eq!(tree["items"].as_array().unwrap().len(), 1_200);
    http.get("/api/v1/rooms/home/list?limit=10001")
        .await
        .expect(400);
    http.get("/api/v1/rooms/home/list?limit=many")
        .await
        .expect(400);
}

async fn a_node_goes_to_the_trash_and_comes_back(db: TestDb) {
    let server = TestServer::start(db).await;
    let http = server.http();
    http.send(
        Method::PUT,
        "/api/v1/rooms/home/content/a/b.txt",
        &[],
        "kept",
    )
    .await
    .expect(201);
    let remove = json!([{ "op": "remove", "at": { "path": "a" } }]);
    let removed = http
        .post("/api/v1/rooms/home/commit", &commit(1, &remove))
        .await
        .expect(200)
        .json();
    http.get("/api/v1/rooms/home/content/a/b.txt")
        .await
        .expect(404);
    let trash = http
        .get("/api/v1/rooms/home/trash")
        .await
        .expect(200)
        .json();
    assert_eq!(trash["items"][0]["id"], removed["results"][0]["id"]);
    let restore = json!([{ "op": "restore", "id": trash["items"][0]["id"] }]);
    http.post("/api/v1/rooms/home/commit", &commit(2, &restore))
        .await
        .expect(200);
    assert_eq!(
        http.get("/api/v1/rooms/home/content/a/b.txt")
            .await
            .expect(200)
            .body,
        "kept"
    );
    let retention = json!({ "revision_days": 7, "trash_days": 1 });
    let path = "/api/v1/rooms/home/drive/retention";
    assert_eq!(
        http.json(Method::PUT, path, &retention)
            .await
            .expect(200)
            .json(),
        retention
    );
}
