//! Logs and cursors over HTTP.

use http::Method;
use serde_json::{Value, json};
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_testkit::server::TestServer;
use wharf_types::DeviceId;

use crate::people::{Somebody, friends, group};

both_engines!(
    what_is_said_is_there_once_in_order,
    pages_begin_where_they_are_asked_to,
    entries_are_changed_taken_back_and_pinned,
    files_are_handed_over_and_listed,
    everybody_s_cursors_move_forward,
    what_is_too_long_or_too_much_is_refused,
);

pub(crate) fn device(number: u8) -> DeviceId {
    DeviceId::from_bytes([number; 16])
}

/// An append of the person's device.
pub(crate) fn append(number: u64, draft: &Value) -> Value {
    json!({ "device": device(1), "number": number, "draft": draft })
}

pub(crate) fn text(text: &str) -> Value {
    json!({ "kind": "text", "text": text })
}

impl Somebody {
    /// Appends what is expected to be taken.
    pub(crate) async fn append(&self, room: &str, number: u64, draft: &Value) -> Value {
        self.post(&format!("rooms/{room}/log"), &append(number, draft), 200)
            .await
    }
}

async fn what_is_said_is_there_once_in_order(db: TestDb) {
    let server = TestServer::start(db).await;
    let (ada, bob, room) = friends(&server).await;
    let path = format!("rooms/{room}/log");
    let first = ada.append(&room, 1, &text("hello")).await;
    let second = bob.append(&room, 1, &text("hello yourself")).await;
    let base = first["position"].as_u64().unwrap();
    assert_eq!(second["position"], base + 1);
    let again = ada.append(&room, 1, &text("hello")).await;
    assert_eq!(
        (&again["repeated"], &again["position"], &again["hash"]),
        (&json!(true), &first["position"], &first["hash"])
    );
    ada.post(&path, &append(1, &text("something else")), 409)
        .await;
    ada.post(&path, &append(3, &text("a gap")), 409).await;
    let page = bob.get(&path).await;
    assert_eq!(
        (&page["head"], &page["head_hash"]),
        (&second["position"], &second["hash"])
    );
    let said: Vec<&Value> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["body"]["kind"] == "text")
        .collect();
    assert_eq!(said.len(), 2);
    assert_eq!(
        (&said[0]["account"], &said[0]["body"]["text"]),
        (&ada.id, &json!("hello"))
    );
    assert_eq!(said[0]["origin"].get("address"), None);
    assert_eq!(said[1]["origin"]["address"], "127.0.0.1");
    let sent = ada.get(&format!("devices/{}/sent", device(1))).await;
    assert_eq!(sent["number"], 1);
    let sent = ada.get(&format!("devices/{}/sent", device(9))).await;
    assert_eq!(sent["number"], 0);
}

async fn pages_begin_where_they_are_asked_to(db: TestDb) {
    let server = TestServer::start(db).await;
    let ada = Somebody::new(&server, "ada").await;
    for number in 1..=20 {
        ada.append("home", number, &text(&format!("note {number}")))
            .await;
    }
    let positions = |page: Value| -> Vec<u64> {
        let items = page["items"].as_array().unwrap();
        items
            .iter()
            .map(|entry| entry["position"].as_u64().unwrap())
            .collect()
    };
    let path = "rooms/home/log";
    for (query, want) in [
        ("limit=3", 18..=20),
        ("after=0&limit=2", 1..=2),
        ("after=18", 19..=20),
        ("before=4&limit=2", 2..=3),
        ("at_ms=0&limit=2", 1..=2),
    ] {
        let page = ada.get(&format!("{path}?{query}")).await;
        assert_eq!(page["head"], 20);
        assert_eq!(positions(page), want.collect::<Vec<_>>(), "{query}");
    }
    assert!(positions(ada.get(&format!("{path}?after=20")).await).is_empty());
    for query in ["after=1&before=3", "limit=0", "limit=1001", "after=-1"] {
        ada.http
            .get(&format!("/api/v1/{path}?{query}"))
            .await
            .expect(400);
    }
    for position in ["0", "21"] {
        ada.http
            .get(&format!("/api/v1/{path}/{position}"))
            .await
            .expect(404);
    }
    ada.http.get(&format!("/api/v1/{path}/x")).await.expect(400);
}

async fn entries_are_changed_taken_back_and_pinned(db: TestDb) {
    let server = TestServer::start(db).await;
    let (ada, bob, room) = friends(&server).await;
    let said = ada.append(&room, 1, &text("helo")).await;
    let target = &said["position"];
    let path = format!("rooms/{room}/log");
    let edit = json!({ "kind": "edit", "target": target, "text": "hello" });
    ada.append(&room, 2, &edit).await;
    bob.post(&path, &append(1, &edit), 403).await;
    let react = json!({ "kind": "reaction", "target": target, "emoji": "👋", "is_set": true });
    bob.append(&room, 2, &react).await;
    let pin = json!({ "kind": "pin", "target": target, "is_set": true });
    bob.append(&room, 3, &pin).await;
    let pins = ada.get(&format!("rooms/{room}/pins")).await;
    let state = &pins["items"][0]["state"];
    assert_eq!(
        (&state["edited"]["text"], &state["reactions"][0]["account"]),
        (&json!("hello"), &bob.id)
    );
    let history = bob.get(&format!("{path}/{target}")).await;
    assert_eq!(
        (
            &history["entry"]["body"]["text"],
            &history["edits"][0]["text"]
        ),
        (&json!("helo"), &json!("hello"))
    );
    let recall = json!({ "kind": "recall", "target": target });
    ada.append(&room, 3, &recall).await;
    let history = bob.get(&format!("{path}/{target}")).await;
    assert_eq!(history["entry"].get("body"), None);
    assert!(history["entry"]["state"]["recalled"].is_u64());
}

async fn files_are_handed_over_and_listed(db: TestDb) {
    let server = TestServer::start(db).await;
    let (ada, bob, room) = friends(&server).await;
    let content = format!("/api/v1/rooms/{room}/content/cat.jpg");
    ada.http
        .send(Method::PUT, &content, &[], "purr")
        .await
        .expect(201);
    let node = ada.get(&format!("rooms/{room}/node?path=cat.jpg")).await;
    let draft = json!({ "kind": "file", "node": node["id"], "text": "look", "dimensions": [4, 3] });
    let handed = ada.append(&room, 1, &draft).await;
    let files = bob.get(&format!("rooms/{room}/files")).await;
    let file = &files["items"][0]["body"];
    assert_eq!(
        (&file["name"], &file["bytes"], &file["revision"]),
        (&json!("cat.jpg"), &json!(4), &node["revision"])
    );
    let before = format!("rooms/{room}/files?before={}", handed["position"]);
    assert_eq!(bob.get(&before).await["items"], json!([]));
    let elsewhere = json!({ "kind": "file", "node": device(3) });
    ada.post(&format!("rooms/{room}/log"), &append(2, &elsewhere), 404)
        .await;
}

async fn everybody_s_cursors_move_forward(db: TestDb) {
    let server = TestServer::start(db).await;
    let (ada, bob, _) = friends(&server).await;
    let room = group(&ada, &bob, "reader").await;
    let path = format!("rooms/{room}");
    ada.append(&room, 1, &text("one")).await;
    let last = ada.append(&room, 2, &text("two")).await;
    let head = last["position"].as_u64().unwrap();
    assert_eq!(bob.get(&path).await["unread"], 2);
    let read = format!("{path}/read");
    bob.send(Method::PUT, &read, &json!({ "position": head - 1 }), 204)
        .await;
    assert_eq!(bob.get(&path).await["unread"], 1);
    bob.send(Method::PUT, &read, &json!({ "position": 1 }), 204)
        .await;
    let received = json!({ "device": device(2), "position": head });
    bob.send(Method::PUT, &format!("{path}/delivered"), &received, 204)
        .await;
    let cursors = ada.get(&format!("{path}/cursors")).await;
    let of = |who: &Value| {
        let items = cursors["items"].as_array().unwrap();
        let cursor = items.iter().find(|item| item["account"] == *who).unwrap();
        (
            cursor["read"].as_u64().unwrap(),
            cursor["delivered"].as_u64().unwrap(),
        )
    };
    assert_eq!(of(&bob.id), (head - 1, head));
    assert_eq!(of(&ada.id).0, head, "what one says one has read");
    bob.send(Method::PUT, &read, &json!({ "position": head }), 204)
        .await;
    assert_eq!(bob.get(&path).await["unread"], 0);
    bob.post(&format!("{path}/log"), &append(1, &text("me too")), 403)
        .await;
}

async fn what_is_too_long_or_too_much_is_refused(db: TestDb) {
    let mut setup = wharf_testkit::server::Setup::default();
    setup.house.messages.account_burst = 3;
    setup.house.messages.account_per_minute = 1;
    let server = TestServer::start_with(db, setup).await;
    let ada = Somebody::new(&server, "ada").await;
    let path = "rooms/home/log";
    ada.post(path, &append(1, &text("")), 400).await;
    let long = ada
        .post(path, &append(2, &text(&"x".repeat(65_537))), 413)
        .await;
    assert_eq!(long["code"], "too_large");
    // Escaped it is six times as long, and fits nevertheless.
    ada.append("home", 3, &text(&"\u{1}".repeat(65_536))).await;
    let body = json!({ "pad": "x".repeat(600_000) });
    ada.post(path, &body, 413).await;
    let mut number = 4;
    let refused = loop {
        let reply = ada
            .http
            .post("/api/v1/rooms/home/log", &append(number, &text("x")))
            .await;
        if reply.status == 429 {
            break reply;
        }
        reply.expect(200);
        number += 1;
        assert!(number < 10, "there is no limit");
    };
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait));
    assert_eq!(refused.json()["code"], "limited");
}
