//! The oldest generation: one file a connection, and no login.

use serde_json::Value;
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_testkit::gateway::netdisk::{Netdisk, switch_on};
use wharf_testkit::server::{Setup, TestServer};

use super::server;
use crate::noise;

both_engines!(
    the_oldest_client_puts_and_gets_a_file,
    nothing_is_served_without_a_login_unless_the_operator_says_so,
    names_lead_nowhere_else,
);

async fn open(db: TestDb) -> TestServer {
    let mut setup = Setup::default();
    switch_on(&mut setup);
    if let Some(config) = &mut setup.server.gateways.netdisk {
        config.anonymous = Some("operator".to_owned());
    }
    TestServer::start_with(db, setup).await
}

fn upload(name: &str, size: usize) -> [(&'static str, Value); 2] {
    [("filename", name.into()), ("size", size.into())]
}

/// Sends a file and closes at once, as the client does.
async fn put(server: &TestServer, name: &str, bytes: &[u8]) {
    let mut client = Netdisk::connect(server).await;
    client.send_json("upload", &upload(name, bytes.len())).await;
    client.raw(bytes).await;
}

/// The header as the client takes it: one read, and the last byte is not looked at.
async fn header(client: &mut Netdisk, name: &str) -> Value {
    client
        .send_json("download", &[("filename", name.into())])
        .await;
    let header = client.one_read(1024).await;
    let (last, json) = header.split_last().unwrap();
    assert_eq!(*last, 0);
    serde_json::from_slice(json).unwrap()
}

async fn the_oldest_client_puts_and_gets_a_file(db: TestDb) {
    let server = open(db).await;
    let bytes = noise(7, 100_000);
    put(&server, "测试.bin", &bytes).await;
    let mut size = Value::Null;
    let mut client = Netdisk::connect(&server).await;
    // It has no answer to wait for.
    for _ in 0..200 {
        let mut asking = Netdisk::connect(&server).await;
        let header = header(&mut asking, "测试.bin").await;
        if header.get("error").is_none() {
            size = header["size"].clone();
            client = asking;
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    assert_eq!(size, bytes.len());
    assert_eq!(client.bytes(bytes.len()).await, bytes);
    let url = "/api/v1/rooms/home/content/netdisk-0/%E6%B5%8B%E8%AF%95.bin";
    assert_eq!(server.http().get(url).await.expect(200).body, bytes);
    let missing = header(&mut Netdisk::connect(&server).await, "none").await;
    assert_eq!(
        (&missing["error"], &missing["size"]),
        (&1.into(), &0.into())
    );
}

async fn nothing_is_served_without_a_login_unless_the_operator_says_so(db: TestDb) {
    let server = server(db).await;
    let url = "/api/v1/rooms/home/content/netdisk-0/a.txt";
    let operator = server.http();
    operator
        .send(http::Method::PUT, url, &[], "secret")
        .await
        .expect(201);
    let mut client = Netdisk::connect(&server).await;
    client.send_json("upload", &upload("a.txt", 3)).await;
    client.raw(b"new").await;
    assert_eq!(header(&mut client, "a.txt").await["error"], 1);
    assert_eq!(operator.get(url).await.expect(200).body, "secret");
}

async fn names_lead_nowhere_else(db: TestDb) {
    let server = open(db).await;
    let operator = server.http();
    let url = "/api/v1/rooms/home/content/private.txt";
    operator
        .send(http::Method::PUT, url, &[], "secret")
        .await
        .expect(201);
    for name in [
        "../private.txt",
        "/../private.txt",
        "x/../../private.txt",
        "a\0",
    ] {
        let mut client = Netdisk::connect(&server).await;
        client.send_json("upload", &upload(name, 3)).await;
        client.raw(b"new").await;
        assert_eq!(header(&mut client, name).await["error"], 1, "{name:?}");
    }
    assert_eq!(operator.get(url).await.expect(200).body, "secret");
}
