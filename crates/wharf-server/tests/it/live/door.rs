//! The handshake, the first frames, and how connections end.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Error as SocketError;
use wharf_core::live::LiveLimits;
use wharf_testkit::both_engines;
use wharf_testkit::db::{Engine, TestDb};
use wharf_testkit::server::{Live, Setup, TestServer};
use wharf_types::ErrorCode;
use wharf_types::api::account::ServerInfo;
use wharf_types::api::live::{ClientFrame, Hello, ServerFrame, VERSION};
use wharf_types::api::room::AccountItem;

use super::{come, hello, send};
use crate::wait::{PATIENCE, until};

both_engines!(
    a_hello_is_answered_with_what_the_connection_is_and_what_the_account_has,
    a_session_that_ends_takes_its_connections_along,
);

/// The code of the last frame, after whatever comes before.
async fn bye(live: &mut Live) -> ErrorCode {
    let code = live
        .until(|frame| match frame {
            ServerFrame::Bye { code, .. } => Some(code),
            _ => None,
        })
        .await;
    assert!(live.try_next().await.is_none(), "it is the last frame");
    code
}

async fn a_hello_is_answered_with_what_the_connection_is_and_what_the_account_has(db: TestDb) {
    let server = TestServer::start(db).await;
    let (member, _) = server.member("lin").await;
    let info: ServerInfo =
        serde_json::from_value(server.http().get("/api/v1/server").await.expect(200).json())
            .unwrap();
    let (_live, told) = come(&server, &member, 1).await;
    let ServerFrame::Welcome(welcome) = &told[0] else {
        panic!("{told:?}");
    };
    assert_eq!(welcome.epoch, info.epoch);
    assert_eq!(welcome.account, member.account.id);
    assert_eq!(welcome.session, member.session.id);
    assert_eq!(welcome.number, 0);
    let home = told.iter().any(|frame| match frame {
        ServerFrame::Account { items, .. } => items
            .iter()
            .any(|item| matches!(item, AccountItem::Room(room) if room.id == member.account.home)),
        _ => false,
    });
    assert!(home, "{told:?}");
}

async fn a_session_that_ends_takes_its_connections_along(db: TestDb) {
    let server = TestServer::start(db).await;
    let (member, http) = server.member("lin").await;
    let (mut live, _) = come(&server, &member, 1).await;
    http.post("/api/v1/logout", &serde_json::json!({}))
        .await
        .expect(204);
    assert_eq!(bye(&mut live).await, ErrorCode::Unauthenticated);
}

async fn start_with(limits: LiveLimits) -> TestServer {
    let db = tokio::task::block_in_place(|| TestDb::open(Engine::Sqlite));
    let mut setup = Setup::default();
    setup.house.live = limits;
    TestServer::start_with(db, setup).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_logged_in_gets_no_socket() {
    let server = TestServer::on(Engine::Sqlite).await;
    let refused = Live::connect(server.address(), "wharf_nonsense").await;
    let SocketError::Http(response) = *refused.unwrap_err() else {
        panic!("no answer");
    };
    assert_eq!(response.status(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_no_upgrade_is_told_what_to_ask_for() {
    let server = TestServer::on(Engine::Sqlite).await;
    let reply = server.http().get("/api/v1/live").await.expect(426);
    assert_eq!(reply.header("upgrade"), Some("websocket"));
    assert_eq!(reply.header("sec-websocket-version"), Some("13"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_gives_its_token_as_a_subprotocol() {
    let server = TestServer::on(Engine::Sqlite).await;
    let token = &server.operator().token;
    let mut stream = tokio::net::TcpStream::connect(server.address())
        .await
        .unwrap();
    let request = format!(
        "GET /api/v1/live HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: wharf.v1, wharf.token.{token}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = vec![0; 1024];
    let read = stream.read(&mut head).await.unwrap();
    let head = String::from_utf8_lossy(&head[..read]).to_lowercase();
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    assert!(
        head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="),
        "{head}"
    );
    assert!(
        head.contains("sec-websocket-protocol: wharf.v1\r\n"),
        "{head}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_the_protocol_ends_the_connection() {
    let server = TestServer::on(Engine::Sqlite).await;
    let token = &server.operator().token;
    let home = server.operator().account.home;
    for text in [
        "{}",
        "hello",
        r#"{"type":"jump"}"#,
        "[]",
        r#"{"type":"ping","number":1}"#,
    ] {
        let mut live = server.live(token).await;
        live.say(text).await;
        assert_eq!(bye(&mut live).await, ErrorCode::Invalid, "{text}");
    }
    let mut twice = server.live(token).await;
    twice.hello(hello(1)).await;
    twice.send(&ClientFrame::Hello(hello(1))).await;
    assert_eq!(bye(&mut twice).await, ErrorCode::Invalid);

    let mut newer = server.live(token).await;
    newer
        .send(&ClientFrame::Hello(Hello {
            version: VERSION + 1,
            ..hello(1)
        }))
        .await;
    assert_eq!(bye(&mut newer).await, ErrorCode::Unsupported);

    let mut nobody = server.live(token).await;
    nobody.begin().await;
    nobody.send(&send(1, home, "without a device")).await;
    assert_eq!(bye(&mut nobody).await, ErrorCode::Invalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn pings_are_answered_in_both_layers() {
    let server = TestServer::on(Engine::Sqlite).await;
    let mut live = server.live(&server.operator().token).await;
    live.begin().await;
    live.send(&ClientFrame::Ping { number: 7 }).await;
    let number = live
        .until(|frame| match frame {
            ServerFrame::Pong { number, .. } => Some(number),
            _ => None,
        })
        .await;
    assert_eq!(number, 7);
    let mut bare = live.into_inner();
    bare.write_all(&[0x89, 0x82, 0, 0, 0, 0, b'h', b'i'])
        .await
        .unwrap();
    let mut pong = [0; 4];
    timeout(PATIENCE, bare.read_exact(&mut pong))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(&pong, &[0x8A, 2, b'h', b'i']);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_bounded_by_account_and_address() {
    let server = start_with(LiveLimits {
        per_account_max: 1,
        per_address_max: 2,
        ..LiveLimits::default()
    })
    .await;
    let (lin, _) = server.member("lin").await;
    let (mei, _) = server.member("mei").await;
    let status = |refused: Result<Live, Box<SocketError>>| match refused.map(drop) {
        Err(error) => match *error {
            SocketError::Http(response) => response.status().as_u16(),
            other => panic!("{other}"),
        },
        Ok(()) => 101,
    };
    let connect = |token: &str| Live::connect(server.address(), &token.to_owned().leak()[..]);
    let first = connect(&lin.token).await.unwrap();
    assert_eq!(status(connect(&lin.token).await), 429, "by account");
    let second = connect(&mei.token).await.unwrap();
    assert_eq!(
        status(connect(&server.operator().token).await),
        429,
        "by address"
    );
    drop(first);
    drop(second);
    until(|| async { connect(&lin.token).await.is_ok() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_says_so() {
    let server = TestServer::on(Engine::Sqlite).await;
    let mut live = server.live(&server.operator().token).await;
    live.begin().await;
    let stopped = tokio::spawn(server.stop());
    assert_eq!(bye(&mut live).await, ErrorCode::Unavailable);
    timeout(PATIENCE, stopped).await.unwrap().unwrap();
}
