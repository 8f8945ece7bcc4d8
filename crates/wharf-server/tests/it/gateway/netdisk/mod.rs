//! netdisk: its three generations over real sockets, as their clients speak them.

mod finished;
mod limits;
mod plain;
mod planned;
mod transfers;

use serde_json::{Value, json};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_testkit::gateway::netdisk::{Netdisk, NetdiskDriver, switch_on};
use wharf_testkit::gateway::parity;
use wharf_testkit::server::{Http, Setup, TestServer};

both_engines!(netdisk_does_what_http_does);

async fn netdisk_does_what_http_does(db: TestDb) {
    parity::run::<NetdiskDriver>(db).await;
}

async fn server(db: TestDb) -> TestServer {
    let mut setup = Setup::default();
    switch_on(&mut setup);
    TestServer::start_with(db, setup).await
}

/// A member with a password for the gateway.
async fn person(server: &TestServer, name: &str) -> (Http, String) {
    let (_, http) = server.member(name).await;
    let door = json!({ "door": "netdisk" });
    let made = http.post("/api/v1/account/app-passwords", &door).await;
    let password = made.expect(201).json()["password"].clone();
    (http, password.as_str().unwrap().to_owned())
}

/// A member who is logged in and has chosen the first directory.
async fn bound(server: &TestServer, name: &str) -> (Http, Netdisk, String) {
    let (http, password) = person(server, name).await;
    let mut client = Netdisk::connect(server).await;
    let session = client.login(name, &password).await;
    let answer = client
        .call("setbind", &[of(&session), ("bindid", 1.into())])
        .await;
    assert_eq!(answer["error"], 0);
    (http, client, session)
}

/// The field of every request after the login.
fn of(session: &str) -> (&'static str, Value) {
    ("session", session.into())
}
