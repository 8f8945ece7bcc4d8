//! filestoraged's clients.

mod bad;
mod batch;
mod files;
mod published;
mod sockets;
mod tokens;

use std::net::SocketAddr;

use serde_json::{Value, json};
use wharf_server::gateway::{GatewayConfig, GatewayName};
use wharf_testkit::db::TestDb;
use wharf_testkit::gateway::filestored::Filestored;
use wharf_testkit::server::{Http, Setup, TestServer};

/// A server with the gateway.
async fn server(db: TestDb) -> TestServer {
    TestServer::start_with(db, setup()).await
}

fn setup() -> Setup {
    let mut setup = Setup::default();
    let mut config = GatewayConfig::of(GatewayName::Filestored);
    config.address.set_port(0);
    setup.server.gateways.filestored = Some(config);
    setup
}

fn address(server: &TestServer) -> SocketAddr {
    server.gateway(GatewayName::Filestored).parse().unwrap()
}

/// A token of the account that `http` is logged in as, and the session that it stands for.
async fn token(http: &Http) -> (String, Value) {
    let made = http.post("/api/v1/account/jwt", &json!({})).await;
    let made = made.expect(200).json();
    let token = made["token"].as_str().unwrap().to_owned();
    (token, made["session"].clone())
}

/// A connection of `http`'s account.
async fn client(server: &TestServer, http: &Http) -> Filestored {
    let (token, _) = token(http).await;
    let mut client = Filestored::tcp(address(server)).await;
    client.login(&token).await;
    client
}

/// What is in a file, over HTTP.
async fn read(http: &Http, path: &str) -> Vec<u8> {
    let path = format!("/api/v1/rooms/home/content/filestored/{path}");
    http.get(&path).await.expect(200).body.to_vec()
}
