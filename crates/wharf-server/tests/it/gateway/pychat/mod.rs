//! The gateway for clients of PyChat.

#![expect(
    clippy::cognitive_complexity,
    reason = "a test tells its story from the beginning to the end"
)]

mod files;
mod limits;
mod people;
mod quirks;
mod replay;
mod talk;

use std::net::SocketAddr;

use serde_json::{Value, json};
use wharf_server::gateway::{GatewayConfig, GatewayName};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_testkit::gateway::parity::{self, PyChatDriver};
use wharf_testkit::gateway::pychat::PyChat;
use wharf_testkit::server::{Http, Setup, TestServer};
use wharf_types::RoomId;
use wharf_types::api::account::LoggedIn;
use wharf_types::api::log::{Body, Entry, LogPage};

both_engines!(what_it_can_say_is_as_over_http);

async fn what_it_can_say_is_as_over_http(db: TestDb) {
    parity::run::<PyChatDriver>(db).await;
}

/// The gateway's defaults, on a free port.
fn config() -> GatewayConfig {
    GatewayConfig {
        address: SocketAddr::from(([127, 0, 0, 1], 0)),
        ..GatewayConfig::of(GatewayName::PyChat)
    }
}

/// A server with this gateway.
async fn serve(db: TestDb) -> TestServer {
    serve_with(db, config()).await
}

async fn serve_with(db: TestDb, config: GatewayConfig) -> TestServer {
    let mut setup = Setup::default();
    setup.server.gateways.pychat = Some(config);
    TestServer::start_with(db, setup).await
}

/// Somebody with an account and the old program.
struct Somebody {
    login: LoggedIn,
    http: Http,
    chat: PyChat,
}

impl Somebody {
    async fn new(server: &TestServer, name: &str) -> Self {
        let (login, http) = server.member(name).await;
        let chat = PyChat::of(server.gateway(GatewayName::PyChat), &login, &http).await;
        Self { login, http, chat }
    }

    /// The entries of a log.
    async fn log(&self, room: RoomId) -> Vec<Entry> {
        let page = self.http.get(&format!("/api/v1/rooms/{room}/log")).await;
        let page: LogPage = serde_json::from_value(page.expect(200).json()).unwrap();
        page.items
    }

    /// Says something through the API.
    async fn say(&self, room: RoomId, draft: Value) {
        let device = wharf_types::DeviceId::from_bytes(rand_bytes());
        let append = json!({ "device": device, "number": 1, "draft": draft });
        let path = format!("/api/v1/rooms/{room}/log");
        self.http.post(&path, &append).await.expect(200);
    }
}

fn rand_bytes() -> [u8; 16] {
    *uuid::Uuid::now_v7().as_bytes()
}

/// Two friends, and their room.
async fn friends(server: &TestServer) -> (Somebody, Somebody, RoomId) {
    let ada = Somebody::new(server, "ada").await;
    let ben = Somebody::new(server, "ben").await;
    let room = befriend(&ada, &ben).await;
    (ada, ben, room)
}

async fn befriend(one: &Somebody, other: &Somebody) -> RoomId {
    let ask = json!({ "who": other.login.account.username });
    one.http.post("/api/v1/contacts", &ask).await.expect(200);
    let accept = format!("/api/v1/contacts/{}/accept", one.login.account.id);
    let contact = other.http.post(&accept, &Value::Null).await.expect(200);
    serde_json::from_value(contact.json()["room"].clone()).unwrap()
}

/// What an entry says, where it is a text.
fn text_of(entry: &Entry) -> Option<&str> {
    match &entry.body {
        Some(Body::Text(text)) => Some(&text.text),
        _ => None,
    }
}

fn text(text: &str) -> Value {
    json!({ "kind": "text", "text": text })
}
