//! Files up and down: any order, several at once, over cuts and restarts, and what the other doors see of it.

use serde_json::json;
use wharf_testkit::both_engines;
use wharf_testkit::db::{Engine, TestDb};
use wharf_testkit::gateway::filestored::{by_digest, by_name, by_tags, chunk_of, sha256};
use wharf_testkit::server::TestServer;
use wharf_types::api::live::ServerFrame;
use wharf_wire::gateway::filestored::message::{Asked, Request};
use wharf_wire::gateway::filestored::{Frame, Generation};

use super::{client, read, server};
use crate::noise;

both_engines!(
    chunks_come_in_any_order_of_several_files_over_two_connections,
    chunks_that_come_together_are_answered_in_their_order,
    an_upload_goes_on_after_a_restart_of_the_server,
    a_file_is_found_by_its_tags_from_every_door,
    a_file_of_another_door_is_read_and_hashed_once,
    the_same_content_under_another_name_needs_no_chunk,
    a_replaced_file_is_still_found_by_its_digest,
    what_the_quota_has_no_room_for_is_too_big,
);

#[expect(clippy::cognitive_complexity, reason = "one story, step by step")]
async fn chunks_come_in_any_order_of_several_files_over_two_connections(db: TestDb) {
    let server = server(db).await;
    let http = server.http();
    let mut first = client(&server, &http).await;
    let mut second = client(&server, &http).await;
    let files = [noise(1, 5_500), noise(2, 3_001), noise(3, 999)];
    for (index, file) in files.iter().enumerate() {
        let answered = first.upload(&format!("f{index}"), file, &[]).await;
        assert_eq!(answered.user_type, 20, "{answered:?}");
    }
    let again = second.upload("f0", &files[0], &[]).await;
    assert_eq!(
        (again.user_type, &again.body["next_chunk"]),
        (204, &json!(0))
    );
    for (file, n) in [(0, 5), (1, 3), (0, 2), (0, 0), (1, 0), (0, 4)] {
        assert_eq!(first.put_chunk(&files[file], n).await.user_type, 40);
    }
    let again = second.put_chunk(&files[0], 5).await;
    assert_eq!(
        (again.user_type, &again.body["next_chunk"]),
        (202, &json!(1))
    );
    let known = second.upload("f0", &files[0], &[]).await;
    assert_eq!(
        (known.user_type, &known.body["next_chunk"]),
        (204, &json!(1))
    );
    for (file, n) in [(2, 0), (1, 2), (0, 1), (1, 1), (0, 3)] {
        assert_eq!(second.put_chunk(&files[file], n).await.user_type, 40);
    }
    for (index, file) in files.iter().enumerate() {
        let name = format!("f{index}");
        assert!(read(&http, &name).await == *file);
        let again = first.upload(&name, file, &[]).await;
        assert_eq!(again.user_type, 206);
        let (info, bytes) = second.get(by_digest(&sha256(file))).await.unwrap();
        assert_eq!((info.name, info.size), (name, file.len() as u64));
        assert!(bytes == *file);
    }
    let late = first.put_chunk(&files[0], 0).await;
    assert_eq!(late.user_type, 202, "{late:?}");
}

async fn chunks_that_come_together_are_answered_in_their_order(db: TestDb) {
    let server = server(db).await;
    let http = server.http();
    let mut client = client(&server, &http).await;
    let file = noise(4, 4_500);
    assert_eq!(client.upload("together", &file, &[]).await.user_type, 20);
    let mut past_the_end = chunk_of(&file, 1);
    let mut wrong = chunk_of(&file, 2);
    if let Request::PutChunk { chunk, .. } = &mut past_the_end {
        chunk.n = 9;
    }
    if let Request::PutChunk { data, .. } = &mut wrong {
        data.insert(0, 'A');
    }
    let of = |n| chunk_of(&file, n);
    let login = Request::Login {
        token: "none".to_owned(),
    };
    let requests = [
        (of(0), 40),
        (of(3), 40),
        (of(0), 202),
        (past_the_end, 200),
        (of(1), 40),
        (wrong, 200),
        (of(4), 40),
        (of(2), 40),
        (of(2), 202),
        (login, 200),
        (of(1), 200),
    ];
    let mut together = Vec::new();
    for (index, (request, _)) in requests.iter().enumerate() {
        let asked = Asked {
            mid: index.to_string(),
            id: None,
            request: request.clone(),
        };
        let frame = Frame::data(asked.user_type(), asked.encode().unwrap());
        together.extend_from_slice(&frame.encode(Generation::New));
    }
    client.send(&together).await;
    for (index, (_, expected)) in requests.iter().enumerate() {
        let answered = client.next().await.unwrap();
        assert_eq!(answered.body["mid"], index.to_string(), "{answered:?}");
        assert_eq!(answered.user_type, *expected, "{index}: {answered:?}");
    }
    assert!(read(&http, "together").await == file);
}

#[expect(clippy::cognitive_complexity, reason = "one story, step by step")]
async fn an_upload_goes_on_after_a_restart_of_the_server(db: TestDb) {
    let mut server = server(db).await;
    let http = server.http();
    let file = noise(4, 10_000);
    let mut cut = client(&server, &http).await;
    cut.upload("big", &file, &["kept"]).await;
    for n in 0..6 {
        assert_eq!(cut.put_chunk(&file, n).await.user_type, 40);
    }
    server.restart().await;
    assert_eq!(cut.next().await, None);
    let mut back = client(&server, &http).await;
    let known = back.upload("big", &file, &["kept"]).await;
    assert_eq!(
        (known.user_type, &known.body["next_chunk"]),
        (204, &json!(6))
    );
    for n in 6..10 {
        assert_eq!(back.put_chunk(&file, n).await.user_type, 40);
    }
    server.restart().await;
    assert!(read(&http, "big").await == file);
    let mut again = client(&server, &http).await;
    let (info, bytes) = again.get(by_digest(&sha256(&file))).await.unwrap();
    assert_eq!(info.tags, ["kept"]);
    assert!(bytes == file);
}

async fn a_file_is_found_by_its_tags_from_every_door(db: TestDb) {
    let server = server(db).await;
    let http = server.http();
    let mut live = server.live(&server.operator().token).await;
    live.begin().await;
    let mut client = client(&server, &http).await;
    client
        .put("a/map.bin", &noise(5, 2_500), &["sea", "old"])
        .await;
    let home = server.operator().account.home;
    live.until(|frame| {
        matches!(frame, ServerFrame::Drive { room, .. } if room == home).then_some(())
    })
    .await;
    let found = http
        .get("/api/v1/rooms/home/find?tag=sea")
        .await
        .expect(200)
        .json();
    assert_eq!(found["items"][0]["path"], "filestored/a/map.bin");
    assert_eq!(found["items"][0]["tags"], json!(["old", "sea"]));
    let (info, _) = client.get(by_tags(&["old", "sea"])).await.unwrap();
    assert_eq!(info.name, "map.bin");
    let none = client.get(by_tags(&["old", "new"])).await.unwrap_err();
    assert_eq!(
        none.body["reason"],
        "File not found with provided parameters."
    );
    let nothing = client.get(by_tags(&[])).await.unwrap_err();
    assert_eq!(nothing.user_type, 200);
}

async fn a_file_of_another_door_is_read_and_hashed_once(db: TestDb) {
    let server = server(db).await;
    let http = server.http();
    let file = noise(6, 150_000);
    let put = "/api/v1/rooms/home/content/elsewhere/plan.bin";
    http.send(http::Method::PUT, put, &[], file.clone())
        .await
        .expect(201);
    let mut client = client(&server, &http).await;
    let unknown = client.get(by_digest(&sha256(&file))).await.unwrap_err();
    assert_eq!(unknown.user_type, 200, "nobody has asked for its digest");
    let (info, bytes) = client.get(by_name("plan.bin")).await.unwrap();
    assert_eq!((info.digest, info.nb_chunks), (sha256(&file), 150));
    assert!(bytes == file);
    client.get(by_digest(&sha256(&file))).await.unwrap();
}

async fn the_same_content_under_another_name_needs_no_chunk(db: TestDb) {
    let server = server(db).await;
    let http = server.http();
    let file = noise(7, 2_000);
    let mut client = client(&server, &http).await;
    client.put("one", &file, &[]).await;
    let copied = client.upload("two", &file, &["copy"]).await;
    assert_eq!(copied.user_type, 206);
    assert!(read(&http, "two").await == file);
    let (info, _) = client.get(by_tags(&["copy"])).await.unwrap();
    assert_eq!(info.name, "two");
    let (_, stranger) = server.member("mallory").await;
    let mut stranger = super::client(&server, &stranger).await;
    let new = stranger.upload("one", &file, &[]).await;
    assert_eq!(new.user_type, 20, "nobody learns what another has");
}

async fn a_replaced_file_is_still_found_by_its_digest(db: TestDb) {
    let server = server(db).await;
    let http = server.http();
    let (old, new) = (noise(8, 1_500), noise(9, 1_600));
    let mut client = client(&server, &http).await;
    client.put("plan", &old, &[]).await;
    client.put("plan", &new, &[]).await;
    let (_, bytes) = client.get(by_digest(&sha256(&old))).await.unwrap();
    assert!(bytes == old);
    assert!(read(&http, "plan").await == new);
    let remove = json!({ "id": uuid::Uuid::now_v7(), "ops": [{ "op": "remove", "at": { "path": "filestored/plan" } }] });
    http.post("/api/v1/rooms/home/commit", &remove)
        .await
        .expect(200);
    let gone = client.get(by_digest(&sha256(&new))).await.unwrap_err();
    assert_eq!(gone.user_type, 200);
}

async fn what_the_quota_has_no_room_for_is_too_big(db: TestDb) {
    let server = server(db).await;
    let (ada, http) = server.member("ada").await;
    let edit = json!({ "quota_bytes": 10_000 });
    let path = format!("/api/v1/admin/accounts/{}", ada.account.id);
    let edited = server.http().json(http::Method::PATCH, &path, &edit).await;
    edited.expect(200);
    let mut client = client(&server, &http).await;
    let first = noise(10, 6_000);
    assert_eq!(client.upload("one", &first, &[]).await.user_type, 20);
    let second = client.upload("two", &noise(11, 6_000), &[]).await;
    assert_eq!(second.user_type, 207, "what has begun counts: {second:?}");
    assert_eq!(second.body["limit"], 10_000);
    client.put("one", &first, &[]).await;
    let second = client.upload("two", &noise(11, 6_000), &[]).await;
    assert_eq!(
        (second.user_type, &second.body["limit"]),
        (207, &json!(4_000))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_connections_put_files_at_once() {
    let server: TestServer = server(TestDb::open(Engine::Sqlite)).await;
    let http = server.http();
    let (token, _) = super::token(&http).await;
    let address = super::address(&server);
    let mut tasks = tokio::task::JoinSet::new();
    for index in 0..1_000_usize {
        let token = token.clone();
        tasks.spawn(async move {
            let mut client = super::Filestored::tcp(address).await;
            client.login(&token).await;
            let file = format!("{index} ").repeat(400).into_bytes();
            let put = client.put(&format!("f{index:04}"), &file, &[]).await;
            assert_eq!(put.user_type, 20, "{put:?}");
            client
        });
    }
    let clients = tasks.join_all().await;
    assert_eq!(clients.len(), 1_000);
    let list = "/api/v1/rooms/home/list?path=filestored&limit=10000";
    let list = http.get(list).await.expect(200).json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1_000);
}
