//! Who is let in.

use serde_json::json;
use wharf_core::accounts::SharedKey;
use wharf_server::gateway::FilestoredConfig;
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_testkit::gateway::filestored::{Filestored, by_name};
use wharf_testkit::server::{Http, TestServer};
use wharf_wire::gateway::filestored::message::Request;

use super::{address, read, server, setup, token};

both_engines!(
    a_token_ends_with_its_session_and_opens_no_other_door,
    tokens_of_a_shared_key_are_believed_for_their_login,
);

async fn is_let_in(server: &TestServer, token: &str) -> bool {
    let mut client = Filestored::tcp(address(server)).await;
    let token = token.to_owned();
    client.ask(Request::Login { token }).await.user_type == 5
}

async fn a_token_ends_with_its_session_and_opens_no_other_door(db: TestDb) {
    let server = server(db).await;
    let (_, http) = server.member("ada").await;
    let (jwt, session) = token(&http).await;
    assert_eq!(jwt.split('.').count(), 3);
    assert_eq!(session["device"], "token");
    let with_jwt = Http::new(server.address()).with_token(&jwt);
    with_jwt.get("/api/v1/account").await.expect(401);
    let mut client = Filestored::tcp(address(&server)).await;
    client.login(&jwt).await;
    client.put("f", b"hers", &[]).await;
    assert_eq!(read(&http, "f").await, b"hers");
    for wrong in [
        "",
        "a.b.c",
        &jwt.to_uppercase(),
        jwt.rsplit_once('.').unwrap().0,
    ] {
        assert!(!is_let_in(&server, wrong).await, "{wrong}");
    }
    let end = format!("/api/v1/sessions/{}", session["id"].as_str().unwrap());
    http.send(http::Method::DELETE, &end, &[], "")
        .await
        .expect(204);
    assert!(!is_let_in(&server, &jwt).await);
    let after = client.ask(by_name("f")).await;
    assert_eq!(
        after.user_type, 201,
        "a connection that stands is let in no more: {after:?}"
    );
}

#[expect(clippy::cognitive_complexity, reason = "one story, step by step")]
async fn tokens_of_a_shared_key_are_believed_for_their_login(db: TestDb) {
    const KEY: &[u8] = b"thirty-two bytes that two services know";
    let folder = tempfile::tempdir().unwrap();
    let key_file = folder.path().join("authd.key");
    std::fs::write(&key_file, [KEY, b"\n"].concat()).unwrap();
    let mut setup = setup();
    setup.server.gateways.filestored_own = FilestoredConfig {
        key_file: Some(key_file),
        ..FilestoredConfig::default()
    };
    let server = TestServer::start_with(db, setup).await;
    let (ada, http) = server.member("ada").await;
    let key = SharedKey::new(KEY).unwrap();
    let foreign = key.sign("ada", 1000).unwrap();
    let mut client = Filestored::tcp(address(&server)).await;
    client.login(&foreign).await;
    client.put("f", b"hers", &[]).await;
    assert_eq!(read(&http, "f").await, b"hers");
    assert!(is_let_in(&server, &foreign).await);
    let sessions = http.get("/api/v1/sessions").await.expect(200).json();
    let shared = |session: &&serde_json::Value| session["device"] == "tokens of another service";
    let count = sessions.as_array().unwrap().iter().filter(shared).count();
    assert_eq!(count, 1, "one for all of them");
    assert!(!is_let_in(&server, &key.sign("nobody", 1).unwrap()).await);
    let other = SharedKey::new(b"thirty-two bytes that nobody knows..").unwrap();
    assert!(!is_let_in(&server, &other.sign("ada", 1000).unwrap()).await);
    let path = format!("/api/v1/admin/accounts/{}", ada.account.id);
    let lock = json!({ "locked": true });
    let locked = server.http().json(http::Method::PATCH, &path, &lock).await;
    locked.expect(200);
    assert!(!is_let_in(&server, &foreign).await);
    assert_eq!(client.ask(by_name("f")).await.user_type, 201);
}
