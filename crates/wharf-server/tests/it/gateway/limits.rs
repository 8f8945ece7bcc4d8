//! What every gateway over connections allows, tried on one of them.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};
use wharf_server::gateway::{GatewayConfig, GatewayName};
use wharf_testkit::db::{Engine, TestDb};
use wharf_testkit::gateway::filestored::{Filestored, by_name, sha256};
use wharf_testkit::server::{Setup, TestServer};
use wharf_wire::gateway::filestored::message::{Asked, Request};
use wharf_wire::gateway::filestored::{Frame, Generation};

/// How long anything may take that must happen at last.
const PATIENCE: Duration = Duration::from_secs(20);

async fn server(change: impl FnOnce(&mut GatewayConfig)) -> (TestServer, SocketAddr) {
    let mut config = GatewayConfig::of(GatewayName::Filestored);
    config.address.set_port(0);
    change(&mut config);
    let mut setup = Setup::default();
    setup.server.gateways.filestored = Some(config);
    let server = TestServer::start_with(TestDb::open(Engine::Sqlite), setup).await;
    let address = server.gateway(GatewayName::Filestored).parse().unwrap();
    (server, address)
}

async fn token(server: &TestServer) -> String {
    let made = server.http().post("/api/v1/account/jwt", &json!({})).await;
    made.expect(200).json()["token"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Whether the other end closes, in order or not, before patience is over.
async fn is_closed(stream: &mut TcpStream) -> bool {
    let mut bytes = vec![0; 64 * 1024];
    let closed = async { while stream.read(&mut bytes).await.is_ok_and(|read| read > 0) {} };
    timeout(PATIENCE, closed).await.is_ok()
}

fn question() -> Vec<u8> {
    Frame::data(99, &b"{}"[..]).encode(Generation::New).to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_is_closed_and_who_says_little_is_not() {
    let (_server, address) = server(|config| config.idle_timeout = Duration::from_secs(1)).await;
    let mut silent = TcpStream::connect(address).await.unwrap();
    let mut half = TcpStream::connect(address).await.unwrap();
    half.write_all(b"\x00\x00").await.unwrap();
    let mut slow = Filestored::over(TcpStream::connect(address).await.unwrap(), Generation::New);
    let writing = async {
        for byte in question() {
            slow.send(&[byte]).await;
            sleep(Duration::from_millis(400)).await;
        }
        slow.next().await
    };
    let (silent, half, answered) =
        tokio::join!(is_closed(&mut silent), is_closed(&mut half), writing);
    assert!(silent && half);
    assert_eq!(
        answered.unwrap().user_type,
        200,
        "it took three seconds to ask"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_is_closed_and_holds_nobody_up() {
    let (server, address) = server(|config| config.idle_timeout = Duration::from_secs(1)).await;
    let token = token(&server).await;
    let file = vec![7; 60_000];
    let mut client = Filestored::tcp(address).await;
    client.login(&token).await;
    client.put("large", &file, &[]).await;
    drop(client);

    let mut deaf = TcpStream::connect(address).await.unwrap();
    let mid = String::new();
    let login = Asked {
        mid: mid.clone(),
        id: None,
        request: Request::Login {
            token: token.clone(),
        },
    };
    let login = Frame::data(0, login.encode().unwrap()).encode(Generation::New);
    deaf.write_all(&login).await.unwrap();
    let request = Request::GetChunk {
        filedigest: sha256(&file),
        n: 3,
    };
    let ask = Asked {
        mid,
        id: None,
        request,
    }
    .encode()
    .unwrap();
    let ask = Frame::data(41, ask).encode(Generation::New);
    let flood = async {
        // As many as it takes until nobody reads them any more, and then until the connection ends.
        while deaf.write_all(&ask).await.is_ok() {}
    };
    let other = async {
        let mut client = Filestored::tcp(address).await;
        client.login(&token).await;
        client.get(by_name("large")).await.unwrap().1
    };
    let (ended, bytes) = tokio::join!(timeout(PATIENCE, flood), other);
    assert!(ended.is_ok());
    assert_eq!(bytes, file);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_slowed_down_to_its_pace() {
    let (_server, address) = server(|config| config.frames_per_second = 20).await;
    let mut client = Filestored::over(TcpStream::connect(address).await.unwrap(), Generation::New);
    let begin = Instant::now();
    client.send(&question().repeat(60)).await;
    for _ in 0..60 {
        assert_eq!(client.next().await.unwrap().user_type, 200);
    }
    // A second's worth may come at once.
    let took = begin.elapsed();
    assert!(took >= Duration::from_millis(1_800), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_so_many_connections_and_further_ones_are_closed() {
    let (_server, address) = server(|config| config.per_address_max = 2).await;
    let connect = || async { TcpStream::connect(address).await.unwrap() };
    let mut client = Filestored::over(connect().await, Generation::New);
    client.send(&question()).await;
    client.next().await.unwrap();
    let second = connect().await;
    assert!(is_closed(&mut connect().await).await);
    drop(second);
    let again = async {
        loop {
            let mut stream = connect().await;
            let asked = stream.write_all(&question()).await;
            if asked.is_ok() && stream.read_u8().await.is_ok() {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, again).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_over_the_limit_wait_for_their_turn() {
    let (_server, address) = server(|config| config.connections_max = 2).await;
    let first = Filestored::tcp(address).await;
    let _second = Filestored::tcp(address).await;
    let third = Filestored::tcp(address);
    tokio::pin!(third);
    let early = timeout(Duration::from_millis(300), &mut third).await;
    assert!(early.is_err());
    drop(first);
    timeout(PATIENCE, third).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_answers_what_was_asked_and_closes_the_rest() {
    let (server, address) = server(|_| {}).await;
    let token = token(&server).await;
    let mut busy = Filestored::tcp(address).await;
    busy.login(&token).await;
    let file = vec![1; 900];
    busy.upload("f", &file, &[]).await;
    let mut idle = TcpStream::connect(address).await.unwrap();
    let begin = Instant::now();
    let asking = async { busy.put_chunk(&file, 0).await.user_type };
    let stopping = async {
        sleep(Duration::from_millis(1)).await;
        server.stop().await;
    };
    let (answered, ()) = tokio::join!(asking, stopping);
    assert_eq!(answered, 40);
    assert_eq!(busy.next().await, None);
    assert!(is_closed(&mut idle).await);
    assert!(begin.elapsed() < PATIENCE);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metrics_count_what_came() {
    let (server, address) = server(|_| {}).await;
    let mut client = Filestored::tcp(address).await;
    client.send(&question()).await;
    client.next().await.unwrap();
    let mut garbled = TcpStream::connect(address).await.unwrap();
    garbled.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
    assert!(is_closed(&mut garbled).await);
    let metrics = server.http().get("/metrics").await.expect(200);
    let metrics = String::from_utf8(metrics.body.to_vec()).unwrap();
    let value = |name: &str| {
        let line = metrics
            .lines()
            .find(|line| line.starts_with(name) && line.contains("filestored"));
        line.and_then(|line| line.rsplit(' ').next())
            .map(str::to_owned)
    };
    let names: Vec<&str> = metrics
        .lines()
        .filter(|line| line.contains("filestored"))
        .collect();
    assert_eq!(
        value("wharf_gateway_frames_total").as_deref(),
        Some("2"),
        "{names:#?}"
    );
    assert_eq!(
        value("wharf_gateway_frames_garbled_total").as_deref(),
        Some("1"),
        "{names:#?}"
    );
}
