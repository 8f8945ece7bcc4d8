//! Bad input, and clients that want too much.

use std::time::Duration;

use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_testkit::gateway::netdisk::{Netdisk, switch_on};
use wharf_testkit::server::{Setup, TestServer};

use super::{bound, of, server};

both_engines!(
    what_the_original_closes_on_is_closed_on,
    who_says_nothing_is_closed,
    an_address_has_a_bounded_number_of_connections,
    a_thousand_clients_are_answered,
    a_login_that_is_guessed_is_refused_for_a_while,
);

async fn what_the_original_closes_on_is_closed_on(db: TestDb) {
    let server = server(db).await;
    let long = format!("getdir\n{{\"session\": \"{}", "x".repeat(70_000));
    for bad in [
        "\u{1}\u{2}",
        "a type line that is too long\n{}\0",
        "unheardOf\n{}\0",
        "getdir\n{}\0",
        "getdir\n{\"session\": 7}\0",
        "uploadChunk\n{}\0",
        "uploadChunk\n{\"chunksize\": -5}\0",
        "uploadFile\n{\"session\": \"x\"}\0",
        "{]",
        "{\"type\": \"upload\", \"filename\": \"x\"}",
        "{\"type\": \"upload\", \"filename\": \"x\", \"size\": -1}",
        &long,
    ] {
        let mut client = Netdisk::connect(&server).await;
        client.raw(bad.as_bytes()).await;
        client.closed().await;
    }
    let (_, mut client, session) = bound(&server, "ada").await;
    client.raw(b"getdir\n{oops}\0").await;
    assert_eq!(client.call("getbindid", &[of(&session)]).await["bindid"], 1);
}

fn short(change: impl FnOnce(&mut wharf_server::gateway::GatewayConfig)) -> Setup {
    let mut setup = Setup::default();
    switch_on(&mut setup);
    if let Some(config) = &mut setup.server.gateways.netdisk {
        change(config);
    }
    setup
}

async fn who_says_nothing_is_closed(db: TestDb) {
    let setup = short(|config| config.idle_timeout = Duration::from_millis(300));
    let server = TestServer::start_with(db, setup).await;
    let mut silent = Netdisk::connect(&server).await;
    silent.closed().await;
    let mut half = Netdisk::connect(&server).await;
    half.raw(b"{\"type\": \"upload\", \"filename\": \"x\", \"size\": 10}12345")
        .await;
    half.closed().await;
}

async fn an_address_has_a_bounded_number_of_connections(db: TestDb) {
    let setup = short(|config| config.per_address_max = 2);
    let server = TestServer::start_with(db, setup).await;
    let (_, mut first, session) = bound(&server, "ada").await;
    let mut second = Netdisk::connect(&server).await;
    assert_eq!(second.call("getbindid", &[of(&session)]).await["bindid"], 1);
    let mut third = Netdisk::connect(&server).await;
    third.closed().await;
    assert_eq!(first.call("getbindid", &[of(&session)]).await["bindid"], 1);
    let metrics = server.http().get("/metrics").await.expect(200);
    let text = String::from_utf8(metrics.body.to_vec()).unwrap();
    let line = text
        .lines()
        .find(|line| line.contains("refused") && line.contains("netdisk"))
        .unwrap_or_else(|| panic!("no figure: {text}"));
    assert!(line.ends_with(" 1"), "{line}");
}

async fn a_thousand_clients_are_answered(db: TestDb) {
    let server = server(db).await;
    let (_, _, session) = bound(&server, "ada").await;
    let mut clients = Vec::new();
    for _ in 0..1_000 {
        clients.push(Netdisk::connect(&server).await);
    }
    for client in &mut clients {
        client.send("getbindid", &[of(&session)]).await;
    }
    for client in &mut clients {
        assert_eq!(client.answer().await.1["bindid"], 1);
    }
}

async fn a_login_that_is_guessed_is_refused_for_a_while(db: TestDb) {
    let mut setup = short(|_| ());
    setup.house.attempts.per_login_and_address = 3;
    let server = TestServer::start_with(db, setup).await;
    let (_, password) = super::person(&server, "ada").await;
    let mut client = Netdisk::connect(&server).await;
    let fields = |password: &str| [("username", "ada".into()), ("password", password.into())];
    for _ in 0..3 {
        client.call("login", &fields("wrong")).await;
    }
    let answer = client.call("login", &fields(&password)).await;
    assert_eq!(answer["error"], 1);
    assert!(
        answer["msg"]
            .as_str()
            .unwrap()
            .contains("too many attempts"),
        "{answer:?}"
    );
}
