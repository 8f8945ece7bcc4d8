//! Files as bytes: ranges, conditions, HEAD, and PUT.

use std::sync::Arc;

use http::Method;
use serde_json::json;
use wharf_store::blob::{Blob, MemoryBlob};
use wharf_testkit::blob::FaultyBlob;
use wharf_testkit::both_engines;
use wharf_testkit::db::{Engine, TestDb};
use wharf_testkit::server::{Http, Reply, Setup, TestServer};

use crate::noise;

both_engines!(
    a_file_goes_up_by_put_and_comes_back,
    ranges_are_served_alone,
    conditions_decide_about_get_and_put,
    a_revision_stays_readable,
);

const FILE: &str = "/api/v1/rooms/home/content/notes/caf%C3%A9.txt";

async fn put(http: &Http, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    http.send(Method::PUT, path, headers, body.to_vec()).await
}

async fn a_file_goes_up_by_put_and_comes_back(db: TestDb) {
    let server = TestServer::start(db).await;
    let http = server.http();
    let bytes = noise(7, 5_000_000);
    put(&http, FILE, &[], &bytes).await.expect(201);

    let whole = http.get(FILE).await.expect(200);
    assert!(whole.body == bytes);
    assert_eq!(whole.header("content-length"), Some("5000000"));
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    assert_eq!(
        whole.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    assert_eq!(
        whole.header("content-disposition"),
        Some("inline; filename*=UTF-8''caf%C3%A9.txt")
    );
    assert_eq!(whole.header("x-content-type-options"), Some("nosniff"));
    assert!(
        whole
            .header("content-security-policy")
            .unwrap()
            .contains("sandbox")
    );
}

async fn ranges_are_served_alone(db: TestDb) {
    let server = TestServer::start(db).await;
    let http = server.http();
    let bytes = noise(7, 5_000_000);
    put(&http, FILE, &[], &bytes).await.expect(201);
    let whole = http.send(Method::HEAD, FILE, &[], "").await.expect(200);
    for (range, want) in [
        ("bytes=0-0", 0..1),
        ("bytes=4999990-", 4_999_990..5_000_000),
        ("bytes=-3", 4_999_997..5_000_000),
        ("bytes=1000000-3999999", 1_000_000..4_000_000),
        ("bytes=10-99999999", 10..5_000_000),
    ] {
        let part = http.get_with(FILE, &[("range", range)]).await.expect(206);
        assert!(part.body == bytes[want.clone()], "{range}");
        let content_range = format!("bytes {}-{}/5000000", want.start, want.end - 1);
        assert_eq!(part.header("content-range"), Some(content_range.as_str()));
        assert_eq!(part.header("etag"), whole.header("etag"));
    }
    let past = http
        .get_with(FILE, &[("range", "bytes=5000000-")])
        .await
        .expect(416);
    assert_eq!(past.header("content-range"), Some("bytes */5000000"));
    assert_eq!(past.json()["status"], 416);
    http.get_with(FILE, &[("range", "bytes=0-1,3-4")])
        .await
        .expect(200);

    let head = http
        .send(Method::HEAD, FILE, &[("range", "bytes=0-9")], "")
        .await
        .expect(206);
    assert_eq!(
        (head.header("content-length"), head.body.len()),
        (Some("10"), 0)
    );
}

async fn conditions_decide_about_get_and_put(db: TestDb) {
    let server = TestServer::start(db).await;
    let http = server.http();
    put(&http, FILE, &[("if-match", "*")], b"one")
        .await
        .expect(412);
    put(&http, FILE, &[("if-none-match", "*")], b"one")
        .await
        .expect(201);
    put(&http, FILE, &[("if-none-match", "*")], b"two")
        .await
        .expect(412);
    let one = http.get(FILE).await.expect(200);
    let tag = one.header("etag").unwrap();

    let same = http
        .get_with(FILE, &[("if-none-match", tag)])
        .await
        .expect(304);
    assert_eq!((same.header("etag"), same.body.len()), (Some(tag), 0));
    http.get_with(FILE, &[("if-match", "\"other\"")])
        .await
        .expect(412);
    let date = one.header("last-modified").unwrap();
    http.get_with(FILE, &[("if-modified-since", date)])
        .await
        .expect(304);
    let range = ("range", "bytes=1-");
    assert_eq!(
        http.get_with(FILE, &[range, ("if-range", tag)])
            .await
            .expect(206)
            .body,
        "ne"
    );
    assert_eq!(
        http.get_with(FILE, &[range, ("if-range", "\"other\"")])
            .await
            .expect(200)
            .body,
        "one"
    );

    put(&http, FILE, &[("if-match", tag)], b"two")
        .await
        .expect(200);
    put(&http, FILE, &[("if-match", tag)], b"three")
        .await
        .expect(412);
    assert_eq!(http.get(FILE).await.expect(200).body, "two");
}

async fn a_revision_stays_readable(db: TestDb) {
    let server = TestServer::start(db).await;
    let http = server.http();
    let first = put(&http, FILE, &[], b"first").await.expect(201).json();
    let second = put(&http, FILE, &[], b"second").await.expect(200).json();
    assert_eq!(first["id"], second["id"]);
    let old = http
        .get(&format!("{FILE}?revision={}", first["revision"]))
        .await
        .expect(200);
    assert_eq!(old.body, "first");
    let id = first["id"].as_str().unwrap();
    assert_eq!(
        http.get(&format!("/api/v1/rooms/home/content?id={id}"))
            .await
            .expect(200)
            .body,
        "second"
    );
    http.get(&format!("{FILE}?revision=999")).await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_file_has_no_bytes() {
    let server = TestServer::on(Engine::Sqlite).await;
    let http = server.http();
    put(&http, FILE, &[], b"").await.expect(201);
    let empty = http.get(FILE).await.expect(200);
    assert_eq!(
        (empty.header("content-length"), empty.body.len()),
        (Some("0"), 0)
    );
    http.get_with(FILE, &[("range", "bytes=0-")])
        .await
        .expect(416);
    http.get("/api/v1/rooms/home/content/notes")
        .await
        .expect(400);
    http.get("/api/v1/rooms/home/content/nowhere")
        .await
        .expect(404);
    http.get("/api/v1/rooms/home/content/a%00b")
        .await
        .expect(400);
    http.get("/api/v1/rooms/home/content/%FF").await.expect(400);
    put(&http, "/api/v1/rooms/home/content/a/../b", &[], b"x")
        .await
        .expect(400);
    let (session, _) = server.member("ada").await;
    http.get(&format!("/api/v1/rooms/{}/content/x", session.account.home))
        .await
        .expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_put_over_the_quota_is_refused_and_leaves_nothing() {
    let server = TestServer::on(Engine::Sqlite).await;
    let (session, ada) = server.member("ada").await;
    let path = format!("/api/v1/admin/accounts/{}", session.account.id);
    server
        .http()
        .json(Method::PATCH, &path, &json!({ "quota_bytes": 10 }))
        .await
        .expect(200);
    let problem = put(&ada, FILE, &[], &[7; 11]).await.expect(413).json();
    assert_eq!(problem["code"], "over_quota");
    ada.get(FILE).await.expect(404);
    put(&ada, FILE, &[], &[7; 10]).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_damaged_is_refused_in_words_or_by_breaking_off() {
    let blob = Arc::new(FaultyBlob::new(Arc::new(MemoryBlob::default())));
    let db = tokio::task::block_in_place(|| TestDb::open(Engine::Sqlite));
    let setup = Setup {
        blob: Arc::<FaultyBlob>::clone(&blob),
        ..Setup::default()
    };
    let server = TestServer::start_with(db, setup).await;
    let http = server.http();
    put(&http, FILE, &[], &noise(1, 10_000_000))
        .await
        .expect(201);
    let segments = blob.list("segment/", None, 100).await.unwrap();
    assert!(segments.len() > 1, "the file rests in several segments");

    // With one segment damaged the answer either cannot begin, or breaks off where the damage is.
    let (mut refused, mut broken_off) = (0, 0);
    for segment in &segments {
        blob.flip(&segment.key, segment.bytes / 2, 3);
        match http.try_send(Method::GET, FILE, &[], "").await {
            Err(_) => broken_off += 1,
            Ok(reply) => {
                assert_eq!(reply.expect(500).json()["code"], "corrupt");
                refused += 1;
            }
        }
        // The same bit again mends it.
        blob.flip(&segment.key, segment.bytes / 2, 3);
        http.get(FILE).await.expect(200);
    }
    assert!(broken_off > 0, "refused {refused}, broken off {broken_off}");
    for segment in &segments {
        blob.lose(&segment.key);
    }
    assert_eq!(http.get(FILE).await.expect(500).json()["code"], "corrupt");
}
