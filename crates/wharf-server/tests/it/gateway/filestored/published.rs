//! What a published client and server said to each other, said again.

use std::collections::HashMap;

use serde_json::Value;
use wharf_server::gateway::FilestoredConfig;
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_testkit::gateway::filestored::Filestored;
use wharf_testkit::server::TestServer;

use super::{address, read, setup, token};

both_engines!(a_published_client_is_answered_as_it_was);

const RECORDED: &str = include_str!("published.txt");

async fn a_published_client_is_answered_as_it_was(db: TestDb) {
    let mut setup = setup();
    setup.server.gateways.filestored_own = FilestoredConfig {
        file_bytes_max: 20_000,
        ..FilestoredConfig::default()
    };
    let server = TestServer::start_with(db, setup).await;
    let http = server.http();
    let (token, _) = token(&http).await;
    let mut clients: HashMap<&str, Filestored> = HashMap::new();
    let mut count = 0;
    let mut mid = Value::Null;
    for line in RECORDED.lines().filter(|line| !line.starts_with('#')) {
        let mut fields = line.splitn(4, ' ');
        let mut field = || fields.next().unwrap();
        let (connection, who, user_type) = (field(), field(), field().parse::<u8>().unwrap());
        let mut message: Value = serde_json::from_str(field()).unwrap();
        if !clients.contains_key(connection) {
            clients.insert(connection, Filestored::tcp(address(&server)).await);
        }
        let client = clients.get_mut(connection).unwrap();
        if who == "client" {
            mid = message["mid"].clone();
            if user_type == 0 {
                // The key that authd is published with is believed by no server that means it.
                message["token"] = token.clone().into();
            }
            client.say(user_type, message.to_string().as_bytes()).await;
            continue;
        }
        let answered = client.read_one().await;
        if user_type == 207 {
            // The original forgot the id here; a client that looks at it is only helped.
            message["mid"] = mid.clone();
        }
        assert_eq!((answered.user_type, &answered.body), (user_type, &message));
        count += 1;
    }
    assert_eq!(count, 11);
    assert_eq!(read(&http, "small.txt").await, b"hello filestoraged");
    assert_eq!(read(&http, "empty.bin").await, b"");
}
