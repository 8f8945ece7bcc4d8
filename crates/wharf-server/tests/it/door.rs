//! What holds for every route: problems, ids, health, figures, and the end of a server.

use http::Method;
use serde_json::json;
use wharf_testkit::both_engines;
use wharf_testkit::db::{Engine, TestDb};
use wharf_testkit::server::{Http, TestServer};

both_engines!(a_restarted_server_knows_its_sessions);

async fn a_restarted_server_knows_its_sessions(db: TestDb) {
    let mut server = TestServer::start(db).await;
    let (_, http) = server.member("ada").await;
    let before = http.get("/api/v1/account").await.expect(200).json();
    server.restart().await;
    assert_eq!(http.get("/api/v1/account").await.expect(200).json(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_route_is_a_problem_with_the_request_s_id() {
    let server = TestServer::on(Engine::Sqlite).await;
    let stranger = Http::new(server.address());
    let reply = stranger
        .get_with("/api/v1/nowhere", &[("x-request-id", "here-1")])
        .await
        .expect(404);
    assert_eq!(reply.header("x-request-id"), Some("here-1"));
    assert_eq!(
        reply.header("content-type"),
        Some("application/problem+json")
    );
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    let problem = reply.json();
    assert_eq!(
        (&problem["code"], &problem["request_id"]),
        (&json!("not_found"), &json!("here-1"))
    );

    let reply = stranger
        .send(Method::DELETE, "/api/v1/server", &[], "")
        .await
        .expect(405);
    assert_eq!(reply.json()["status"], 405);
    assert!(reply.header("allow").unwrap().contains("GET"));
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_of_their_type_in_their_bounds_and_in_their_form() {
    let server = TestServer::on(Engine::Sqlite).await;
    let stranger = Http::new(server.address());
    let json_type = [("content-type", "application/json")];
    let login = "/api/v1/login";
    stranger
        .send(Method::POST, login, &[], "{}")
        .await
        .expect(415);
    stranger
        .send(Method::POST, login, &json_type, "{")
        .await
        .expect(400);
    stranger
        .send(Method::POST, login, &json_type, r#"{"login":"a"}"#)
        .await
        .expect(400);
    stranger
        .send(Method::POST, login, &json_type, vec![b' '; 70_000])
        .await
        .expect(413);
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_figures_are_told() {
    let server = TestServer::on(Engine::Sqlite).await;
    let stranger = Http::new(server.address());
    stranger.get("/health/live").await.expect(200);
    stranger.get("/health/ready").await.expect(200);
    stranger.get("/api/v1/server").await.expect(200);
    let figures = stranger.get("/metrics").await.expect(200);
    let text = String::from_utf8(figures.body.to_vec()).unwrap();
    let want = r#"wharf_http_requests_total{method="GET",route="/api/v1/server",status="200"} 1"#;
    assert!(text.contains(want), "{text}");
    assert!(text.contains("\nwharf_db_failed 0\n"), "{text}");
    assert!(text.ends_with("# EOF\n"), "{text}");

    // A proxy on this machine speaks for somebody else.
    let through_proxy = [("x-forwarded-for", "192.0.2.1")];
    stranger
        .get_with("/metrics", &through_proxy)
        .await
        .expect(401);
    server
        .http()
        .get_with("/metrics", &through_proxy)
        .await
        .expect(200);
    let (_, member) = server.member("ada").await;
    member
        .get_with("/metrics", &through_proxy)
        .await
        .expect(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_is_served_as_it_is_checked_in() {
    let server = TestServer::on(Engine::Sqlite).await;
    let reply = Http::new(server.address())
        .get("/api/v1/openapi.json")
        .await
        .expect(200);
    assert_eq!(reply.body, wharf_server::openapi_json().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_server_gives_up_its_address() {
    let server = TestServer::on(Engine::Sqlite).await;
    let address = server.address();
    server.stop().await;
    tokio::net::TcpListener::bind(address).await.unwrap();
}
