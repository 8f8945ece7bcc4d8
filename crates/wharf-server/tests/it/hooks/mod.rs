//! Webhooks over HTTP: posting into a room with a secret, and being posted to.

mod receiver;

use std::collections::HashSet;

use aws_lc_rs::hmac;
use http::Method;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use wharf_core::{Clock, HouseConfig, Outgoing, Random, Wharf};
use wharf_server::Server;
use wharf_store::sql::MIGRATIONS;
use wharf_testkit::both_engines;
use wharf_testkit::db::{Engine, TestDb};
use wharf_testkit::server::{Http, START_MS, Setup, TestServer};
use wharf_types::DeviceId;
use wharf_types::api::account::SignupPolicy;

use receiver::{Posted, Receiver};

use crate::wait::until;

both_engines!(
    whoever_has_the_address_posts_and_nobody_else,
    a_message_with_an_id_is_posted_once,
    webhooks_are_listed_changed_and_ended,
    entries_are_posted_in_order_signed_and_once,
    a_delivery_that_failed_is_made_again_as_it_was,
    a_receiver_that_is_gone_stops_its_webhook_until_it_has_an_address,
    what_fails_for_days_stops,
    a_large_backlog_comes_in_bounded_pieces,
    only_public_addresses_are_posted_to_unless_the_operator_says_so,
);

const HOOKS: &str = "/api/v1/rooms/home/hooks";
const LOG: &str = "/api/v1/rooms/home/log";

/// A server that may post to this machine, and whose clock the test moves.
async fn start(db: TestDb) -> TestServer {
    let mut setup = Setup::default();
    setup.house.outgoing_hooks = Outgoing::Anywhere;
    setup.clock = Clock::manual(START_MS);
    TestServer::start_with(db, setup).await
}

async fn outgoing(http: &Http, url: &str) -> Value {
    let create = json!({ "direction": "outgoing", "name": "bot", "url": url });
    http.post(HOOKS, &create).await.expect(201).json()
}

async fn incoming(http: &Http) -> (Value, String) {
    let create = json!({ "direction": "incoming", "name": "build" });
    let hook = http.post(HOOKS, &create).await.expect(201).json();
    let path = format!(
        "/api/v1/hooks/{}/{}",
        hook["id"].as_str().unwrap(),
        hook["secret"].as_str().unwrap()
    );
    (hook, path)
}

async fn say(http: &Http, number: u8, text: &str) {
    let append = json!({
        "device": DeviceId::from_bytes([7; 16]), "number": number, "draft": { "kind": "text", "text": text },
    });
    http.post(LOG, &append).await.expect(200);
}

/// The webhook as it is listed.
async fn listed(http: &Http, hook: &Value) -> Value {
    let hooks = http.get(HOOKS).await.expect(200).json();
    let items = hooks["items"].as_array().unwrap();
    items
        .iter()
        .find(|item| item["id"] == hook["id"])
        .unwrap()
        .clone()
}

fn assert_signed(posted: &Posted, secret: &Value) {
    let (time, signature) = posted
        .header("wharf-signature")
        .strip_prefix("t=")
        .unwrap()
        .split_once(",v1=")
        .unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_str().unwrap().as_bytes());
    let signed = [time.as_bytes(), b".", posted.body.as_ref()].concat();
    let signature: Vec<u8> = (0..signature.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&signature[at..at + 2], 16).unwrap())
        .collect();
    hmac::verify(&key, &signed, &signature).unwrap();
}

async fn whoever_has_the_address_posts_and_nobody_else(db: TestDb) {
    let server = start(db).await;
    let owner = server.http();
    let (hook, path) = incoming(&owner).await;
    let stranger = Http::new(server.address());
    let posted = stranger
        .post(&path, &json!({ "text": "the build is green" }))
        .await
        .expect(200)
        .json();
    let page = owner.get(LOG).await.expect(200).json();
    let entry = &page["items"][0];
    assert_eq!(
        (
            &entry["position"],
            &entry["hash"],
            &entry["hook"],
            &entry["name"]
        ),
        (
            &posted["position"],
            &posted["hash"],
            &hook["id"],
            &json!("build")
        )
    );
    assert_eq!(entry["body"]["text"], "the build is green");
    assert_eq!(entry.get("account"), None);

    let text = json!({ "text": "x" });
    stranger
        .post(&path[..path.len() - 1], &text)
        .await
        .expect(404);
    let other = path.replace(
        hook["id"].as_str().unwrap(),
        &DeviceId::from_bytes([1; 16]).to_string(),
    );
    stranger.post(&other, &text).await.expect(404);
    stranger
        .post(&path, &json!({ "text": "" }))
        .await
        .expect(400);
    stranger
        .post(&path, &json!({ "text": "a\u{0}b" }))
        .await
        .expect(400);
    stranger
        .post(&path, &json!({ "text": "x".repeat(65_537) }))
        .await
        .expect(413);
    let one = format!("{HOOKS}/{}", hook["id"].as_str().unwrap());
    owner.send(Method::DELETE, &one, &[], "").await.expect(204);
    stranger.post(&path, &text).await.expect(404);
    let page = owner.get(LOG).await.expect(200).json();
    assert_eq!(page["head"], 1, "nothing else was posted, what was stays");
}

async fn a_message_with_an_id_is_posted_once(db: TestDb) {
    let server = start(db).await;
    let (_, path) = incoming(&server.http()).await;
    let stranger = Http::new(server.address());
    let message = json!({ "text": "deployed", "id": "run-17" });
    let first = stranger.post(&path, &message).await.expect(200).json();
    let again = stranger.post(&path, &message).await.expect(200).json();
    assert_eq!(again["repeated"], true);
    assert_eq!(
        (&again["position"], &again["hash"], &again["at_ms"]),
        (&first["position"], &first["hash"], &first["at_ms"])
    );
    let other = json!({ "text": "rolled back", "id": "run-17" });
    stranger.post(&path, &other).await.expect(409);
    let page = server.http().get(LOG).await.expect(200).json();
    assert_eq!(page["head"], 1);
}

#[expect(clippy::cognitive_complexity, reason = "one story, step by step")]
async fn webhooks_are_listed_changed_and_ended(db: TestDb) {
    let server = start(db).await;
    let owner = server.http();
    let receiver = Receiver::start().await;
    let (in_hook, _) = incoming(&owner).await;
    let out_hook = outgoing(&owner, &receiver.url()).await;
    let listed = owner.get(HOOKS).await.expect(200).json();
    let items = listed["items"].as_array().unwrap();
    assert_eq!(
        items.iter().map(|hook| &hook["id"]).collect::<HashSet<_>>(),
        HashSet::from([&in_hook["id"], &out_hook["id"]])
    );
    assert!(items.iter().all(|hook| hook.get("secret").is_none()));

    let path = |hook: &Value| format!("{HOOKS}/{}", hook["id"].as_str().unwrap());
    let renamed = owner
        .json(Method::PATCH, &path(&in_hook), &json!({ "name": "ci" }))
        .await
        .expect(200)
        .json();
    assert_eq!(renamed["name"], "ci");
    let url = json!({ "url": receiver.url() });
    owner
        .json(Method::PATCH, &path(&in_hook), &url)
        .await
        .expect(400);
    for refused in [
        json!({ "direction": "outgoing", "name": "x" }),
        json!({ "direction": "incoming", "name": "x", "url": receiver.url() }),
        json!({ "direction": "incoming", "name": " " }),
        json!({ "direction": "outgoing", "name": "x", "url": "ftp://example.org" }),
        json!({ "direction": "sideways", "name": "x" }),
    ] {
        owner.post(HOOKS, &refused).await.expect(400);
    }
    let (_, stranger) = server.member("bob").await;
    let home = server.operator().account.home;
    let theirs = format!("/api/v1/rooms/{home}/hooks");
    stranger.get(&theirs).await.expect(404);
    let create = json!({ "direction": "incoming", "name": "x" });
    stranger.post(&theirs, &create).await.expect(404);
    let one = format!("{theirs}/{}", in_hook["id"].as_str().unwrap());
    stranger
        .send(Method::DELETE, &one, &[], "")
        .await
        .expect(404);
    // By way of a room of one's own it is not there either.
    stranger
        .send(Method::DELETE, &path(&in_hook), &[], "")
        .await
        .expect(404);

    for _ in 0..18 {
        owner.post(HOOKS, &create).await.expect(201);
    }
    owner.post(HOOKS, &create).await.expect(413);
}

async fn entries_are_posted_in_order_signed_and_once(db: TestDb) {
    let server = start(db).await;
    let owner = server.http();
    let receiver = Receiver::start().await;
    say(&owner, 1, "before").await;
    let hook = outgoing(&owner, &receiver.url()).await;
    for number in 2..=40 {
        say(&owner, number, &format!("message {number}")).await;
    }
    until(|| async { listed(&owner, &hook).await["delivered"] == 40 }).await;
    let posted = receiver.posted();
    let positions: Vec<u64> = posted.iter().flat_map(Posted::positions).collect();
    assert_eq!(positions, (2..=40).collect::<Vec<_>>());
    let names: HashSet<&str> = posted
        .iter()
        .map(|posted| posted.header("wharf-delivery"))
        .collect();
    assert_eq!(names.len(), posted.len(), "each delivery has its name");
    for posted in &posted {
        assert_signed(posted, &hook["secret"]);
        assert_eq!(posted.path, "/hook?room=1");
        assert_eq!(posted.header("content-type"), "application/json");
        let body = posted.json();
        assert_eq!(
            (&body["hook"], &body["room"]),
            (&hook["id"], &json!(server.operator().account.home))
        );
        for entry in body["entries"].as_array().unwrap() {
            assert_eq!(entry["account"], json!(server.operator().account.id));
            assert_eq!(
                entry["body"]["text"],
                format!("message {}", entry["position"])
            );
            assert_eq!(
                entry["origin"].get("address"),
                None,
                "where the author sits is not told to others"
            );
        }
    }
}

async fn a_delivery_that_failed_is_made_again_as_it_was(db: TestDb) {
    let server = start(db).await;
    let owner = server.http();
    let receiver = Receiver::start().await;
    let hook = outgoing(&owner, &receiver.url()).await;
    receiver.answer(500, &[]);
    receiver.answer(503, &[("retry-after", "100")]);
    receiver.answer(302, &[("location", "http://127.0.0.1:1/")]);
    say(&owner, 1, "one").await;
    for (attempt, pause_ms, said) in [(1, 10_000, "500"), (2, 100_000, "503"), (3, 40_000, "302")] {
        receiver.wait_for(attempt).await;
        until(|| async {
            let hook = listed(&owner, &hook).await;
            let error = hook["last_error"].as_str().unwrap_or_default();
            error.contains(said)
        })
        .await;
        // What comes meanwhile goes into the next delivery.
        say(&owner, u8::try_from(attempt + 1).unwrap(), "more").await;
        server.clock().advance_ms(pause_ms);
    }
    until(|| async { listed(&owner, &hook).await["delivered"] == 4 }).await;
    let posted = receiver.posted();
    assert_eq!(posted.len(), 5);
    for repeated in &posted[..4] {
        assert_eq!(repeated.positions(), [1]);
        assert_eq!(
            repeated.header("wharf-delivery"),
            posted[0].header("wharf-delivery")
        );
        assert_eq!(repeated.body, posted[0].body);
        assert_signed(repeated, &hook["secret"]);
    }
    assert_ne!(
        posted[3].header("wharf-signature"),
        posted[0].header("wharf-signature"),
        "each attempt is signed with its own time"
    );
    assert_eq!(posted[4].positions(), [2, 3, 4]);
    assert_eq!(listed(&owner, &hook).await.get("last_error"), None);
}

async fn a_receiver_that_is_gone_stops_its_webhook_until_it_has_an_address(db: TestDb) {
    let server = start(db).await;
    let owner = server.http();
    let receiver = Receiver::start().await;
    let hook = outgoing(&owner, &receiver.url()).await;
    receiver.answer(410, &[]);
    say(&owner, 1, "one").await;
    until(|| async { listed(&owner, &hook).await["is_stopped"] == true }).await;
    server.clock().advance_ms(100_000_000);
    let path = format!("{HOOKS}/{}", hook["id"].as_str().unwrap());
    let edited = owner
        .json(Method::PATCH, &path, &json!({ "url": receiver.url() }))
        .await
        .expect(200)
        .json();
    assert_eq!(edited.get("is_stopped"), None);
    until(|| async { listed(&owner, &hook).await["delivered"] == 1 }).await;
    assert_eq!(receiver.posted().len(), 2, "none while it was stopped");
}

async fn what_fails_for_days_stops(db: TestDb) {
    let server = start(db).await;
    let owner = server.http();
    // Nobody listens at a port that was free a moment ago.
    let port = Receiver::start().await.port();
    let hook = outgoing(&owner, &format!("http://127.0.0.1:{port}/")).await;
    say(&owner, 1, "one").await;
    until(|| async {
        let hook = listed(&owner, &hook).await;
        hook["last_error"] == "no connection: connection refused"
            && hook.get("is_stopped").is_none()
    })
    .await;
    server.clock().advance_ms(3 * 24 * 3_600_000);
    until(|| async { listed(&owner, &hook).await["is_stopped"] == true }).await;
}

async fn a_large_backlog_comes_in_bounded_pieces(db: TestDb) {
    let server = start(db).await;
    let owner = server.http();
    let receiver = Receiver::start().await;
    let hook = outgoing(&owner, &receiver.url()).await;
    receiver.answer(500, &[]);
    say(&owner, 1, "first").await;
    receiver.wait_for(1).await;
    until(|| async { listed(&owner, &hook).await.get("last_error").is_some() }).await;
    for number in 2..=9 {
        say(&owner, number, &"x".repeat(60_000)).await;
    }
    for number in 10..=150 {
        say(&owner, number, "x").await;
    }
    server.clock().advance_ms(10_000);
    until(|| async { listed(&owner, &hook).await["delivered"] == 150 }).await;
    let posted = receiver.posted();
    let taken: Vec<u64> = posted[1..].iter().flat_map(Posted::positions).collect();
    assert_eq!(taken, (1..=150).collect::<Vec<_>>());
    for posted in &posted {
        assert!(posted.positions().len() <= 100);
        assert!(posted.body.len() < 400_000, "{}", posted.body.len());
    }
}

async fn only_public_addresses_are_posted_to_unless_the_operator_says_so(db: TestDb) {
    let setup = Setup {
        clock: Clock::manual(START_MS),
        ..Setup::default()
    };
    let server = TestServer::start_with(db, setup).await;
    let owner = server.http();
    let receiver = Receiver::start().await;
    for url in [
        receiver.url(),
        "http://[::ffff:127.0.0.1]/".to_owned(),
        "http://0x7f.1/".to_owned(),
    ] {
        let create = json!({ "direction": "outgoing", "name": "bot", "url": url });
        owner.post(HOOKS, &create).await.expect(422);
    }
    // A name is looked up when it is posted to.
    let hook = outgoing(&owner, &format!("http://localhost:{}/", receiver.port())).await;
    say(&owner, 1, "secret").await;
    until(|| async {
        let hook = listed(&owner, &hook).await;
        let error = hook["last_error"].as_str().unwrap_or_default();
        error.contains("not public")
    })
    .await;
    assert!(receiver.posted().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_outgoing_webhooks_makes_none() {
    let db = tokio::task::block_in_place(|| TestDb::open(Engine::Sqlite));
    let mut setup = Setup::default();
    setup.house.outgoing_hooks = Outgoing::Off;
    let server = TestServer::start_with(db, setup).await;
    let create = json!({ "direction": "outgoing", "name": "bot", "url": "https://example.org/" });
    server.http().post(HOOKS, &create).await.expect(422);
    incoming(&server.http()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_with_tls_is_known_by_the_operator_s_authorities() {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let pem = |name: &str| folder.path().join(name);
    std::fs::write(pem("key.pem"), made.signing_key.serialize_pem()).unwrap();
    std::fs::write(pem("cert.pem"), made.cert.pem()).unwrap();
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(pem("other.pem"), other.cert.pem()).unwrap();

    for (authorities, is_known) in [("cert.pem", true), ("other.pem", false)] {
        let receiver = Receiver::start_with(Some(folder.path())).await;
        let db = tokio::task::block_in_place(|| TestDb::open(Engine::Sqlite));
        let mut setup = Setup::default();
        setup.house.outgoing_hooks = Outgoing::Anywhere;
        setup.server.webhook_ca = Some(pem(authorities));
        let server = TestServer::start_with(db, setup).await;
        let owner = server.http();
        let hook = outgoing(&owner, &format!("https://localhost:{}/", receiver.port())).await;
        say(&owner, 1, "one").await;
        if is_known {
            let posted = receiver.wait_for(1).await;
            assert_signed(&posted[0], &hook["secret"]);
            until(|| async { listed(&owner, &hook).await["delivered"] == 1 }).await;
        } else {
            until(|| async {
                let hook = listed(&owner, &hook).await;
                let error = hook["last_error"].as_str().unwrap_or_default();
                error.contains("no private connection")
            })
            .await;
            assert!(receiver.posted().is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn authorities_that_cannot_be_read_keep_the_server_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    let db = tokio::task::block_in_place(|| TestDb::open(Engine::Sqlite));
    let wharf = house(&db, Clock::system()).await;
    for text in [None, Some("no certificate")] {
        let path = folder.path().join("ca.pem");
        if let Some(text) = text {
            std::fs::write(&path, text).unwrap();
        }
        let mut config = Setup::default().server;
        config.webhook_ca = Some(path);
        let Err(error) = Server::bind(config, wharf.clone()).await else {
            panic!("a server without its authorities");
        };
        assert!(error.to_string().contains("ca.pem"), "{error}");
    }
}

/// Another process's house on the same database.
async fn house(db: &TestDb, clock: Clock) -> Wharf {
    let db = tokio::task::block_in_place(|| db.open_again(MIGRATIONS)).unwrap();
    let config = HouseConfig {
        signup: SignupPolicy::Open,
        outgoing_hooks: Outgoing::Anywhere,
        ..HouseConfig::default()
    };
    let blob = std::sync::Arc::new(wharf_store::blob::MemoryBlob::default());
    Wharf::open(config, db, blob, clock, Random::system())
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_processes_one_makes_each_delivery() {
    let db = tokio::task::block_in_place(|| TestDb::open(Engine::Postgres));
    let second = house(&db, Clock::system()).await;
    let mut setup = Setup::default();
    setup.house.outgoing_hooks = Outgoing::Anywhere;
    let config = setup.server.clone();
    let server = TestServer::start_with(db, setup).await;
    let cancel = CancellationToken::new();
    let beside = Server::bind(config, second).await.unwrap();
    let beside = tokio::spawn(beside.serve(cancel.clone()));

    let owner = server.http();
    let receiver = Receiver::start().await;
    let hook = outgoing(&owner, &receiver.url()).await;
    for number in 1..=60 {
        say(&owner, number, "x").await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    until(|| async { listed(&owner, &hook).await["delivered"] == 60 }).await;
    let positions: Vec<u64> = receiver
        .posted()
        .iter()
        .flat_map(Posted::positions)
        .collect();
    assert_eq!(positions, (1..=60).collect::<Vec<_>>());
    cancel.cancel();
    beside.await.unwrap();
}
