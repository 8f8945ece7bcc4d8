//! Connections: their number, their deadlines, and how they end.

use std::time::Duration;

use http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use wharf_server::Config;
use wharf_testkit::db::{Engine, TestDb};
use wharf_testkit::server::{Http, Setup, TestServer};

use crate::noise;
use crate::wait::{PATIENCE, until};

const SHORTLY: Duration = Duration::from_millis(300);

async fn start(change: impl FnOnce(&mut Config)) -> TestServer {
    let db = tokio::task::block_in_place(|| TestDb::open(Engine::Sqlite));
    let mut setup = Setup::default();
    change(&mut setup.server);
    TestServer::start_with(db, setup).await
}

/// Reads what comes until the server closes.
async fn rest(mut stream: TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut rest))
        .await
        .unwrap()
        .unwrap();
    rest
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_over_the_limit_waits_for_another_to_end() {
    let server = start(|config| config.connections_max = 1).await;
    let first = TcpStream::connect(server.address()).await.unwrap();
    let http = Http::new(server.address());
    let mut second = Box::pin(http.get("/health/live"));
    timeout(SHORTLY, &mut second).await.unwrap_err();
    drop(first);
    timeout(PATIENCE, second).await.unwrap().expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_say_nothing_or_half_a_head_are_ended() {
    let server = start(|config| config.idle_timeout = SHORTLY).await;
    let silent = TcpStream::connect(server.address()).await.unwrap();
    let mut slow = TcpStream::connect(server.address()).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
    let mut idle = TcpStream::connect(server.address()).await.unwrap();
    idle.write_all(b"GET /health/live HTTP/1.1\r\nHost: wharf\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(rest(silent).await, b"");
    rest(slow).await;
    assert!(rest(idle).await.starts_with(b"HTTP/1.1 200 OK\r\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_stops_coming_ends_its_connection() {
    let server = start(|config| config.stall_timeout = SHORTLY).await;
    let mut stalled = TcpStream::connect(server.address()).await.unwrap();
    let head = format!(
        "PUT /api/v1/rooms/home/content/a HTTP/1.1\r\nHost: wharf\r\nAuthorization: Bearer {}\r\nContent-Length: 9\r\n\r\nhalf",
        server.operator().token
    );
    stalled.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(rest(stalled).await, b"");
    server
        .http()
        .get("/api/v1/rooms/home/content/a")
        .await
        .expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_under_way_ends_well_while_the_server_drains() {
    let server = start(|_| ()).await;
    let bytes = noise(1, 100_000);
    let mut under_way = TcpStream::connect(server.address()).await.unwrap();
    let head = format!(
        "PUT /api/v1/rooms/home/content/a HTTP/1.1\r\nHost: wharf\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\n\r\n",
        server.operator().token,
        bytes.len()
    );
    under_way.write_all(head.as_bytes()).await.unwrap();
    under_way.write_all(&bytes[..1_000]).await.unwrap();
    tokio::time::sleep(SHORTLY).await;

    let address = server.address();
    let stopping = tokio::spawn(server.stop());
    let refused = async { while TcpStream::connect(address).await.is_ok() {} };
    timeout(PATIENCE, refused).await.unwrap();
    assert!(!stopping.is_finished());
    under_way.write_all(&bytes[1_000..]).await.unwrap();
    let answer = rest(under_way).await;
    assert!(
        answer.starts_with(b"HTTP/1.1 201 Created\r\n"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    timeout(PATIENCE, stopping).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_does_not_end_is_broken_off_at_the_end_of_the_drain() {
    let server = start(|config| config.drain_timeout = SHORTLY).await;
    let mut endless = TcpStream::connect(server.address()).await.unwrap();
    endless
        .write_all(b"POST /api/v1/login HTTP/1.1\r\nHost: wharf\r\n")
        .await
        .unwrap();
    endless
        .write_all(b"Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{")
        .await
        .unwrap();
    tokio::time::sleep(SHORTLY).await;
    timeout(PATIENCE, server.stop()).await.unwrap();
    assert_eq!(rest(endless).await, b"");
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_wait_for_memory_before_they_are_read() {
    let server = start(|config| {
        config.upload_memory_bytes_max = 1024 * 1024;
        config.admission_timeout = SHORTLY;
    })
    .await;
    let mut first = TcpStream::connect(server.address()).await.unwrap();
    let head = format!(
        "PUT /api/v1/rooms/home/content/a HTTP/1.1\r\nHost: wharf\r\nAuthorization: Bearer {}\r\nContent-Length: 8000000\r\n\r\n",
        server.operator().token
    );
    first.write_all(head.as_bytes()).await.unwrap();
    let http = server.http();
    let put = || http.send(Method::PUT, "/api/v1/rooms/home/content/b", &[], "b");
    // As soon as the first is let in, there is nothing left for another.
    until(|| async {
        let reply = put().await;
        reply.status == 503 && reply.header("retry-after").is_some()
    })
    .await;
    drop(first);
    until(|| async { put().await.status.is_success() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_arrives_while_the_request_is_still_sent() {
    let server = start(|_| {}).await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let head = "POST /api/v1/chunks HTTP/1.1\r\nHost: wharf\r\nAuthorization: Bearer of-nobody\r\n\
                Content-Length: 33554432\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    // Many clients look at the answer only when they have sent everything.
    stream.write_all(&vec![0; 33_554_432]).await.unwrap();
    let answer = String::from_utf8(rest(stream).await).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    assert!(answer.ends_with('}'), "{answer}");
}
