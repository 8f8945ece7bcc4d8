//! The protocol of the README.

use serde_json::{Value, json};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_testkit::gateway::filestored::Filestored;

use super::{address, read, server, token};

both_engines!(
    a_batch_goes_on_in_another_connection_and_no_piece_is_doubled,
    a_batch_needs_a_token_that_is_signed_and_room,
);

fn begin(token: &str, files: &Value) -> Value {
    json!({ "message-id": "a", "token": token, "fid": "batch-1", "tags": ["trip"], "files": files })
}

fn piece(chunk: &str, bytes: &[u8]) -> Value {
    json!({ "message-id": "t", "chunk": chunk, "data": bytes })
}

#[expect(clippy::cognitive_complexity, reason = "one story, step by step")]
async fn a_batch_goes_on_in_another_connection_and_no_piece_is_doubled(db: TestDb) {
    let mut server = server(db).await;
    let http = server.http();
    let (token, _) = token(&http).await;
    let files = json!([
        { "name": "one.txt", "size": 6 },
        { "name": "empty", "size": 0 },
        { "name": "two.txt", "size": 5, "tags": ["late"] },
    ]);
    let ok = json!({ "message-id": "t", "response": "Ok" });
    let mut client = Filestored::tcp(address(&server)).await;
    let begun = client.ask_json(1, &begin(&token, &files)).await;
    assert_eq!(
        (begun.user_type, &begun.body["response"]),
        (2, &json!("Ok"))
    );
    assert_eq!(client.ask_json(3, &piece("1", b"abc")).await.body, ok);
    server.restart().await;

    let mut client = Filestored::tcp(address(&server)).await;
    let begun = client.ask_json(1, &begin(&token, &files)).await;
    assert_eq!(
        begun.body["received"][0],
        json!({ "name": "one.txt", "size": 6, "received": 3 })
    );
    for (chunk, bytes) in [("1", b"abc"), ("2", b"def"), ("2", b"def"), ("3", b"ghi")] {
        assert_eq!(client.ask_json(3, &piece(chunk, bytes)).await.body, ok);
    }
    let base64 = json!({ "mid": "t", "chunk": "4", "data": "amw=" });
    let answered = client.ask_json(3, &base64).await;
    assert_eq!(answered.body, json!({ "mid": "t", "response": "Ok" }));
    assert_eq!(client.ask_json(3, &piece("4", b"jl")).await.body, ok);
    assert_eq!(read(&http, "one.txt").await, b"abcdef");
    assert_eq!(read(&http, "two.txt").await, b"ghijl");
    assert_eq!(read(&http, "empty").await, b"");
    let node = "/api/v1/rooms/home/node?path=filestored/two.txt";
    let node = http.get(node).await.expect(200).json();
    assert_eq!(node["tags"], json!(["late", "trip"]));
    let other = json!([{ "name": "one.txt", "size": 7 }]);
    let other = client.ask_json(1, &begin(&token, &other)).await;
    assert_eq!(
        other.body["reason"],
        "this batch was begun with other files"
    );
}

#[expect(clippy::cognitive_complexity, reason = "one story, step by step")]
async fn a_batch_needs_a_token_that_is_signed_and_room(db: TestDb) {
    let server = server(db).await;
    let (ada, http) = server.member("ada").await;
    let (token, _) = token(&http).await;
    let mut client = Filestored::tcp(address(&server)).await;
    let early = client.ask_json(3, &piece("1", b"abc")).await;
    assert_eq!(early.body["reason"], "not authenticated");
    let bare = json!({ "mid": "a", "token": { "uid": 1, "login": "ada" }, "files": [] });
    let bare = client.ask_json(1, &bare).await;
    assert_eq!(
        bare.body["reason"],
        "a token that is not signed is not believed"
    );
    let wrong = client.ask_json(1, &begin("a.b.c", &json!([]))).await;
    assert_eq!(wrong.body["reason"], "not authenticated");
    let edit = json!({ "quota_bytes": 4 });
    let path = format!("/api/v1/admin/accounts/{}", ada.account.id);
    let edited = server.http().json(http::Method::PATCH, &path, &edit).await;
    edited.expect(200);
    let large = json!([{ "name": "large", "size": 5 }]);
    let large = client.ask_json(1, &begin(&token, &large)).await;
    assert_eq!(large.body["reason"], "quota exceeded");
    let small = json!([{ "name": "small", "size": 4 }]);
    let small = client.ask_json(1, &begin(&token, &small)).await;
    assert_eq!(small.body["response"], "Ok", "{small:?}");
    let long = client.ask_json(3, &piece("1", b"abcde")).await;
    assert_eq!(long.body["reason"], "the piece reaches past the end");
    assert_eq!(
        client.ask_json(3, &piece("2", b"abcd")).await.body["response"],
        "Ok"
    );
    assert_eq!(read(&http, "small").await, b"abcd");
}
