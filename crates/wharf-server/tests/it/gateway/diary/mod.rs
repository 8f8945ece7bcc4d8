//! The diary's gateway and the journal over UDP, over real sockets.

#![expect(
    clippy::cognitive_complexity,
    reason = "a test tells its story from the beginning to the end"
)]

mod journal;
mod old;

use std::net::SocketAddr;

use serde_json::{Value, json};
use wharf_core::{Clock, MessageLimits};
use wharf_server::gateway::{GatewayConfig, GatewayName, Profile};
use wharf_testkit::db::TestDb;
use wharf_testkit::server::{Http, START_MS, Setup, TestServer};

const LOG: &str = "/api/v1/rooms/home/log";

/// A server with the gateway on a free port, whose clock the test moves, and which has no bounds on sending but its keys'.
fn setup() -> Setup {
    let mut setup = Setup {
        clock: Clock::manual(START_MS),
        ..Setup::default()
    };
    setup.house.messages = MessageLimits {
        account_burst: 1_000_000,
        account_per_minute: 1_000_000,
        address_burst: 1_000_000,
        address_per_minute: 1_000_000,
    };
    let mut config = GatewayConfig::of(GatewayName::Diary);
    config.address = SocketAddr::from(([127, 0, 0, 1], 0));
    setup.server.gateways.diary = Some(config);
    setup.server.gateways.diary_options.profile = Profile::Lan;
    setup
}

/// The same, whose diary goes to the operator's own room.
async fn start(db: TestDb) -> TestServer {
    let mut setup = setup();
    setup.server.gateways.diary_options.room = Some("operator".into());
    TestServer::start_with(db, setup).await
}

fn port(server: &TestServer) -> SocketAddr {
    server.gateway(GatewayName::Diary).parse().unwrap()
}

/// The entries of a room's log.
async fn entries(http: &Http, log: &str) -> Vec<Value> {
    let page = http.get(&format!("{log}?limit=1000")).await.expect(200);
    page.json()["items"].as_array().unwrap().clone()
}

fn text(entry: &Value) -> &str {
    entry["body"]["text"].as_str().unwrap()
}

async fn texts(http: &Http, log: &str) -> Vec<String> {
    let entries = entries(http, log).await;
    entries.iter().map(|entry| text(entry).to_owned()).collect()
}

/// Says something over HTTP.
async fn say(http: &Http, number: u64, text: &str) {
    let append = json!({
        "device": "01890a5d-ac96-774b-bcce-b302099a8057", "number": number,
        "draft": { "kind": "text", "text": text },
    });
    http.post(LOG, &append).await.expect(200);
}

/// Makes a key of a room.
async fn key(http: &Http, room: &str, kind: &str) -> Value {
    let create = json!({ "kind": kind, "name": kind });
    let path = format!("/api/v1/rooms/{room}/journal-keys");
    http.post(&path, &create).await.expect(201).json()
}
