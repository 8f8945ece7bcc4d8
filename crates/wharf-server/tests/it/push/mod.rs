//! Notices as push services and browsers get them: sealed, signed, once.

use http::Method;
use serde_json::{Value, json};
use wharf_core::{Clock, Outgoing};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_testkit::push::{Browser, PushService};
use wharf_testkit::server::{START_MS, Setup, TestServer};
use wharf_types::DeviceId;

use crate::people::{Somebody, friends, group};
use crate::wait::until;

both_engines!(
    a_browser_opens_what_was_said_and_knows_by_whom,
    a_device_may_hide_who_wrote_where_and_what,
    a_push_service_is_heeded,
    what_was_not_sent_when_the_server_stopped_is_sent_by_the_next,
    only_push_services_are_posted_to_that_are_allowed,
);

const PUSH: &str = "/api/v1/push";
const SUBSCRIPTION: &str = "/api/v1/push/subscription";
/// More than whoever looks may take to read.
const GRACE_MS: u32 = 5_000;

/// A server that may post to this machine, whose clock the test moves, and a push service.
async fn start(db: TestDb) -> (TestServer, PushService) {
    let mut setup = Setup::default();
    setup.house.push = Outgoing::Anywhere;
    setup.house.push_contact = Some("mailto:admin@example.org".to_owned());
    setup.clock = Clock::manual(START_MS);
    let service = PushService::start(setup.clock.clone()).await;
    setup.server.webhook_ca = Some(service.ca());
    (TestServer::start_with(db, setup).await, service)
}

async fn subscribe(who: &Somebody, service: &PushService, hides_content: bool) -> Browser {
    let state = who.http.get(PUSH).await.expect(200).json();
    let browser = service.subscribe(state["key"].as_str().unwrap());
    let subscription = browser.subscription(hides_content);
    let kept = who
        .http
        .json(Method::PUT, SUBSCRIPTION, &subscription)
        .await;
    assert_eq!(kept.expect(200).json()["endpoint"], browser.endpoint());
    browser
}

async fn say(who: &Somebody, room: &str, text: &str) {
    static NUMBERS: std::sync::atomic::AtomicU8 = std::sync::atomic::AtomicU8::new(1);
    let device = NUMBERS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let append = json!({
        "device": DeviceId::from_bytes([device; 16]), "number": 1, "draft": { "kind": "text", "text": text },
    });
    who.post(&format!("rooms/{room}/log"), &append, 200).await;
}

/// Moves the time until `count` messages have come to the service.
async fn wait_for(server: &TestServer, service: &PushService, count: usize) {
    until(|| async {
        server.clock().advance_ms(GRACE_MS);
        service.asked_count() >= count
    })
    .await;
    assert_eq!(service.refused(), Vec::<String>::new());
}

#[expect(clippy::cognitive_complexity, reason = "one story, step by step")]
async fn a_browser_opens_what_was_said_and_knows_by_whom(db: TestDb) {
    let (server, service) = start(db).await;
    let (ada, bob, direct) = friends(&server).await;
    let room = group(&ada, &bob, "editor").await;
    let before = bob.http.get(PUSH).await.expect(200).json();
    assert_eq!(before.get("subscription"), None);
    let browser = subscribe(&bob, &service, false).await;
    let text = format!("**Hello**\n\n{}", "harbour ".repeat(200));
    say(&ada, &direct, &text).await;
    wait_for(&server, &service, 1).await;
    let notices = service.notices(&browser);
    let content = &notices[0]["content"];
    assert_eq!(notices[0]["room"], direct.as_str());
    assert_eq!(content["from"], "ada");
    assert_eq!(content.get("room"), None);
    let shown = content["text"].as_str().unwrap();
    assert!(shown.starts_with("**Hello** harbour harbour") && shown.ends_with('…'));
    assert!(shown.len() <= 240 + '…'.len_utf8());
    let posted = service.posted().remove(0);
    assert_eq!(posted.header("urgency"), "high");
    assert!((1..=86_400).contains(&posted.header("ttl").parse().unwrap()));
    assert!(!String::from_utf8_lossy(&posted.body).contains("harbour"));

    say(&ada, &room, "to all").await;
    wait_for(&server, &service, 2).await;
    let notices = service.notices(&browser);
    let name = bob.get(&format!("rooms/{room}")).await["name"].clone();
    assert_eq!(
        notices[1]["content"],
        json!({ "from": "ada", "room": name, "text": "to all" })
    );
    let [first, second] = &service.posted()[..] else {
        panic!("two notices");
    };
    assert_eq!(second.header("urgency"), "normal");
    assert_ne!(
        first.header("topic"),
        second.header("topic"),
        "another room"
    );
    assert_eq!(first.body.len(), second.body.len(), "lengths tell little");
    let state = bob.http.get(PUSH).await.expect(200).json();
    assert_eq!(state["key"], before["key"]);
    assert_eq!(state["subscription"]["endpoint"], browser.endpoint());
}

async fn a_device_may_hide_who_wrote_where_and_what(db: TestDb) {
    let (server, service) = start(db).await;
    let (ada, bob, room) = friends(&server).await;
    let browser = subscribe(&bob, &service, true).await;
    say(&ada, &room, "a secret").await;
    wait_for(&server, &service, 1).await;
    let notice = service.notices(&browser).remove(0);
    let mut keys: Vec<_> = notice.as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["at_ms", "position", "room"]);
    let shows = browser.subscription(false);
    bob.http
        .json(Method::PUT, SUBSCRIPTION, &shows)
        .await
        .expect(200);
    say(&ada, &room, "no secret").await;
    wait_for(&server, &service, 2).await;
    assert_eq!(service.notices(&browser)[1]["content"]["text"], "no secret");
}

#[expect(clippy::cognitive_complexity, reason = "one story, step by step")]
async fn a_push_service_is_heeded(db: TestDb) {
    let (server, service) = start(db).await;
    let (ada, bob, room) = friends(&server).await;
    let browser = subscribe(&bob, &service, false).await;
    service.answer(429, Some(600));
    say(&ada, &room, "first").await;
    wait_for(&server, &service, 1).await;
    assert!(service.posted().is_empty());
    let asked_ms = server.clock().now_ms();
    say(&ada, &room, "second").await;
    wait_for(&server, &service, 2).await;
    assert!(
        server.clock().now_ms() - asked_ms >= 590_000,
        "it was left alone"
    );
    let notices = service.notices(&browser);
    assert_eq!(notices.len(), 1);
    assert_eq!(
        notices[0]["content"]["text"], "second",
        "what was said meanwhile is in it"
    );

    service.forget(&browser);
    say(&ada, &room, "third").await;
    wait_for(&server, &service, 3).await;
    until(|| async {
        let state = bob.http.get(PUSH).await.expect(200).json();
        state.get("subscription").is_none()
    })
    .await;
    // Another browser of the same person is told all the same, and it alone.
    let other = subscribe(&bob, &service, false).await;
    say(&ada, &room, "fourth").await;
    wait_for(&server, &service, 4).await;
    assert_eq!(service.notices(&other)[0]["content"]["text"], "fourth");
    bob.http
        .send(Method::DELETE, SUBSCRIPTION, &[], "")
        .await
        .expect(204);
    let state = bob.http.get(PUSH).await.expect(200).json();
    assert_eq!(state.get("subscription"), None);
}

async fn what_was_not_sent_when_the_server_stopped_is_sent_by_the_next(db: TestDb) {
    let (mut server, service) = start(db).await;
    let (ada, bob, room) = friends(&server).await;
    let browser = subscribe(&bob, &service, false).await;
    let key = bob.http.get(PUSH).await.expect(200).json()["key"].clone();
    say(&ada, &room, "before the restart").await;
    let pushes = server.wharf().pushes().clone();
    until(|| async {
        pushes.gather().await.unwrap();
        server.wharf().db().read(count_notices).await.unwrap() == 1
    })
    .await;
    server.restart().await;
    wait_for(&server, &service, 1).await;
    let notices = service.notices(&browser);
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0]["content"]["text"], "before the restart");
    assert_eq!(bob.http.get(PUSH).await.expect(200).json()["key"], key);
}

fn count_notices(tx: &mut wharf_store::sql::Tx<'_>) -> wharf_store::sql::Result<u64> {
    tx.one("SELECT count(*) FROM push_notice", &[], |row| row.uint(0))
}

async fn only_push_services_are_posted_to_that_are_allowed(db: TestDb) {
    let mut setup = Setup {
        clock: Clock::manual(START_MS),
        ..Setup::default()
    };
    let service = PushService::start(setup.clock.clone()).await;
    setup.server.webhook_ca = Some(service.ca());
    let server = TestServer::start_with(db, setup).await;
    let (ada, bob, room) = friends(&server).await;
    let browser = service.subscribe("");
    let here = browser.subscription(false);
    let send = async |body: &Value, status: u16| {
        bob.http
            .json(Method::PUT, SUBSCRIPTION, body)
            .await
            .expect(status);
    };
    send(&here, 422).await;
    // A name that stands for this machine passes the first look, and is not posted to.
    let mut named = here.clone();
    named["endpoint"] = json!(browser.endpoint().replace("127.0.0.1", "localhost"));
    send(&named, 200).await;
    say(&ada, &room, "hello").await;
    let metric = "wharf_push_notices_total{outcome=\"failed\"}";
    until(|| async {
        server.clock().advance_ms(GRACE_MS);
        let metrics = server.http().get("/metrics").await;
        String::from_utf8_lossy(&metrics.body).contains(metric)
    })
    .await;
    assert_eq!(service.asked_count(), 0);
    named["endpoint"] = json!("http://push.example.net/");
    send(&named, 400).await;
    named["extra"] = json!(1);
    send(&named, 400).await;
}
