//! The journal over UDP: lines with a token, lines with an HMAC, sealed datagrams.

use std::fmt::Write as _;

use data_encoding::HEXLOWER;
use http::Method;
use serde_json::{Value, json};
use wharf_server::gateway::Profile;
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_testkit::gateway::diary::Datagrams;
use wharf_testkit::server::{Http, TestServer};
use wharf_wire::gateway::journal::{Ack, AckStatus, SealedKey, sign};

use super::{LOG, entries, key, port, setup, start, text, texts};

both_engines!(
    a_line_with_a_token_is_one_entry,
    faults_are_told_and_nothing_is_stored,
    the_same_text_is_the_same_entry_for_ten_minutes,
    a_signed_line_is_one_entry_for_ever,
    a_sealed_entry_is_one_entry_for_ever,
    a_long_entry_comes_in_parts_though_its_sender_moves,
    a_key_writes_only_as_long_as_its_owner_may,
    a_key_that_writes_too_fast_waits,
    what_was_acknowledged_is_there_after_a_restart,
    the_journal_has_a_port_of_its_own_where_the_operator_says_so,
    nobody_gets_more_than_they_sent,
    keys_are_their_owners,
);

fn secret(key: &Value) -> &str {
    key["secret"].as_str().unwrap()
}

fn sealed(key: &Value) -> SealedKey {
    let bytes = HEXLOWER.decode(secret(key).as_bytes()).unwrap();
    SealedKey::new(
        key["id"].as_str().unwrap().parse().unwrap(),
        &bytes.try_into().unwrap(),
    )
}

/// Sends an entry that fits one part, and reads its acknowledgement.
async fn write(raw: &Datagrams, key: &SealedKey, entry: u8, text: &str) -> Ack {
    let datagram = key.seal([entry; 16], 5, 0, text.as_bytes()).unwrap();
    let reply = raw.ask(&datagram).await;
    assert!(reply.len() <= datagram.len());
    key.read_ack(&reply).unwrap()
}

async fn remove(http: &Http, key: &Value) {
    let path = format!("/api/v1/journal-keys/{}", key["id"].as_str().unwrap());
    http.send(Method::DELETE, &path, &[], "").await.expect(204);
}

async fn a_line_with_a_token_is_one_entry(db: TestDb) {
    let server = start(db).await;
    let http = server.http();
    let key = key(&http, "home", "token").await;
    assert_eq!(key["port"], port(&server).port());
    let raw = Datagrams::new(port(&server)).await;
    let line = format!("{} Rain all day.\nAnd wind.\n", secret(&key));
    // printf 'Rain all day.\nAnd wind.' | sha256sum | cut -c1-8
    assert_eq!(raw.ask_text(&line).await, "OK 2026-09-21 #1 b25d6088\n");
    let entries = entries(&http, LOG).await;
    assert_eq!(text(&entries[0]), "Rain all day.\nAnd wind.");
    assert_eq!(entries[0]["origin"]["door"], "journal");
    assert_eq!(entries[0]["origin"]["address"], "127.0.0.1");
    assert_eq!(entries[0]["account"], json!(server.operator().account.id));
    assert_eq!(
        raw.ask_text(&line).await,
        "OK 2026-09-21 #1 b25d6088 (already saved)\n"
    );
    let listed = http.get("/api/v1/journal-keys").await.expect(200).json();
    assert_eq!(listed["items"][0]["entries_count"], 1);
    assert_eq!(listed["items"][0].get("secret"), None);
    assert_eq!(texts(&http, LOG).await.len(), 1);
}

async fn faults_are_told_and_nothing_is_stored(db: TestDb) {
    let server = start(db).await;
    let http = server.http();
    let key = key(&http, "home", "token").await;
    let raw = Datagrams::new(port(&server)).await;
    let token = secret(&key).as_bytes().to_vec();
    for (rest, answer) in [
        (b" \xff\xfe".to_vec(), "ERR utf8 (the text is not UTF-8)\n"),
        (
            [b" ".as_slice(), &[b'x'; 1201]].concat(),
            "ERR long (1200 bytes at most: use wharf diary --udp)\n",
        ),
        (
            b" \n".to_vec(),
            "ERR empty (there is no text after the token)\n",
        ),
        (b"\n".to_vec(), "ERR empty\n"),
    ] {
        let datagram = [token.as_slice(), &rest].concat();
        let reply = raw.ask(&datagram).await;
        assert!(reply.len() <= datagram.len());
        let reply = String::from_utf8(reply).unwrap();
        assert!(answer.starts_with(reply.trim_end()), "{reply} for {answer}");
    }
    let guess = format!("{} guessed", "wj_0000000000000000000000000000000000000000");
    assert_eq!(raw.ask_text(&guess).await, "ERR auth\n");
    assert!(texts(&http, LOG).await.is_empty());
}

async fn the_same_text_is_the_same_entry_for_ten_minutes(db: TestDb) {
    let server = start(db).await;
    let http = server.http();
    let key = key(&http, "home", "token").await;
    let raw = Datagrams::new(port(&server)).await;
    let line = format!("{} Coffee.", secret(&key));
    assert!(raw.ask_text(&line).await.contains("#1 "));
    server.clock().advance_ms(10 * 60_000 - 1);
    assert!(raw.ask_text(&line).await.contains("#1 "));
    server.clock().advance_ms(1);
    assert!(raw.ask_text(&line).await.contains("#2 "));
    assert!(raw.ask_text(&format!("{line}\n")).await.contains("#2 "));
    assert_eq!(texts(&http, LOG).await, ["Coffee.", "Coffee."]);
}

async fn a_signed_line_is_one_entry_for_ever(db: TestDb) {
    let server = start(db).await;
    let http = server.http();
    let key = key(&http, "home", "signed").await;
    let id = key["id"].as_str().unwrap().parse().unwrap();
    let raw = Datagrams::new(port(&server)).await;
    let line = sign(id, secret(&key), 1_789_000_000, "Rain.");
    assert!(raw.ask_text(&line).await.starts_with("OK 2026-09-21 #1 "));
    let entry = entries(&http, LOG).await.remove(0);
    assert_eq!(entry["client_ms"], 1_789_000_000_000_i64);
    server.clock().advance_ms(u32::MAX);
    assert!(raw.ask_text(&line).await.ends_with("(already saved)\n"));
    assert_eq!(
        raw.ask_text(&line.replace("Rain.", "Sun.")).await,
        "ERR auth\n"
    );
    let later = sign(id, secret(&key), 1_789_000_001, "Rain.");
    assert!(raw.ask_text(&later).await.contains("#2 "));
    assert_eq!(texts(&http, LOG).await, ["Rain.", "Rain."]);
}

async fn a_sealed_entry_is_one_entry_for_ever(db: TestDb) {
    let mut server = start(db).await;
    let http = server.http();
    let key = sealed(&key(&http, "home", "sealed").await);
    let raw = Datagrams::new(port(&server)).await;
    let first = write(&raw, &key, 1, "Rain.").await;
    assert_eq!((first.status, first.position), (AckStatus::Saved, 1));
    write(&raw, &key, 2, "Wind.").await;
    server.clock().advance_ms(u32::MAX);
    server.restart().await;
    let again = write(&raw, &key, 1, "Rain.").await;
    assert_eq!(again.status, AckStatus::Repeated);
    assert_eq!((again.position, again.at_ms), (1, first.at_ms));
    let other = write(&raw, &key, 1, "Something else.").await;
    assert_eq!(other.status, AckStatus::Invalid);
    assert_eq!(write(&raw, &key, 3, " \0").await.status, AckStatus::Invalid);
    assert_eq!(texts(&server.http(), LOG).await, ["Rain.", "Wind."]);
}

async fn a_long_entry_comes_in_parts_though_its_sender_moves(db: TestDb) {
    let server = start(db).await;
    let http = server.http();
    let key = sealed(&key(&http, "home", "sealed").await);
    let mut long = String::new();
    for line in 0..6_000 {
        writeln!(long, "line {line}").unwrap();
    }
    let count = wharf_wire::gateway::journal::part_count(long.len()).unwrap();
    let part = |index| key.seal([7; 16], 5, index, long.as_bytes()).unwrap();
    let home = Datagrams::new(port(&server)).await;
    for index in (0..count).rev().skip(1).step_by(2) {
        home.send(&part(index)).await;
    }
    let ack = key.read_ack(&home.ask(&part(count - 1)).await).unwrap();
    assert_eq!(ack.status, AckStatus::Partial);
    // The telephone has left the house.
    let outside = Datagrams::new(port(&server)).await;
    for index in (0..count).filter(|index| ack.missing & (1 << index) != 0) {
        outside.send(&part(index)).await;
    }
    let ack = key.read_ack(&outside.ask(&part(0)).await).unwrap();
    // The last part that was missing has made it whole, and this one came after.
    assert!(
        matches!(ack.status, AckStatus::Saved | AckStatus::Partial),
        "{ack:?}"
    );
    assert_eq!(texts(&http, LOG).await, [long]);
}

async fn a_key_writes_only_as_long_as_its_owner_may(db: TestDb) {
    let server = start(db).await;
    let http = server.http();
    let (_, ada) = server.member("ada").await;
    let room = json!({ "name": "Ship's log" });
    let room = http.post("/api/v1/rooms", &room).await.expect(200).json();
    let room = room["id"].as_str().unwrap();
    ada.post(
        &format!("/api/v1/rooms/{room}/journal-keys"),
        &json!({ "kind": "token", "name": "x" }),
    )
    .await
    .expect(404);
    let token = key(&http, room, "token").await;
    let of_ada = key(&ada, "home", "sealed").await;
    let raw = Datagrams::new(port(&server)).await;
    let said = |text: &str| format!("{} {text}", secret(&token));
    assert!(raw.ask_text(&said("one")).await.starts_with("OK "));
    let archive = json!({ "archived": true });
    http.json(Method::PATCH, &format!("/api/v1/rooms/{room}"), &archive)
        .await
        .expect(200);
    assert!(raw.ask_text(&said("two")).await.starts_with("ERR closed"));
    let key = sealed(&of_ada);
    assert_eq!(write(&raw, &key, 1, "a").await.status, AckStatus::Saved);
    remove(&ada, &of_ada).await;
    assert_eq!(write(&raw, &key, 2, "b").await.status, AckStatus::Closed);
    assert_eq!(texts(&ada, LOG).await, ["a"]);
}

async fn a_key_that_writes_too_fast_waits(db: TestDb) {
    let server = start(db).await;
    let http = server.http();
    let key = sealed(&key(&http, "home", "sealed").await);
    let raw = Datagrams::new(port(&server)).await;
    for entry in 0..20 {
        let ack = write(&raw, &key, entry, "x").await;
        assert_eq!(ack.status, AckStatus::Saved);
    }
    let slow = write(&raw, &key, 20, "x").await;
    assert_eq!((slow.status, slow.at_ms), (AckStatus::Slow, 1_000));
    let again = write(&raw, &key, 3, "x").await;
    assert_eq!(
        again.status,
        AckStatus::Repeated,
        "what is saved is answered"
    );
    server.clock().advance_ms(1_000);
    assert_eq!(write(&raw, &key, 20, "x").await.status, AckStatus::Saved);
    assert_eq!(write(&raw, &key, 21, "x").await.status, AckStatus::Slow);
}

async fn what_was_acknowledged_is_there_after_a_restart(db: TestDb) {
    let mut setup = setup();
    setup.house.journal.key_burst = 10_000;
    let mut server = TestServer::start_with(db, setup).await;
    let key = sealed(&key(&server.http(), "home", "sealed").await);
    let raw = Datagrams::new(port(&server)).await;
    let mut saved = Vec::new();
    for round in 0..5 {
        for entry in 0..40_u8 {
            let entry = round * 40 + entry;
            let ack = write(&raw, &key, entry, &format!("entry {entry}")).await;
            saved.push((ack.position, entry));
        }
        server.restart().await;
    }
    let texts = texts(&server.http(), LOG).await;
    assert_eq!(texts.len(), 200);
    for (position, entry) in saved {
        let index = usize::try_from(position).unwrap() - 1;
        assert_eq!(texts[index], format!("entry {entry}"));
    }
}

async fn the_journal_has_a_port_of_its_own_where_the_operator_says_so(db: TestDb) {
    let mut setup = setup();
    setup.server.gateways.diary_options.room = Some("operator".into());
    setup.server.gateways.diary_options.journal = Some("127.0.0.1:0".parse().unwrap());
    let server = TestServer::start_with(db, setup).await;
    let http = server.http();
    let key = key(&http, "home", "token").await;
    let journal = u16::try_from(key["port"].as_u64().unwrap()).unwrap();
    assert_ne!(journal, port(&server).port());
    let line = format!("{} Rain.", secret(&key));
    let raw = Datagrams::new(([127, 0, 0, 1], journal).into()).await;
    assert!(raw.ask_text(&line).await.starts_with("OK "));
    assert_eq!(raw.ask_text("hello diary").await, "ERR auth\n");
    // On the diary's own port everything is the diary's.
    let diary = Datagrams::new(port(&server)).await;
    diary.send(line.as_bytes()).await;
    diary.ask(b"r").await;
    assert_eq!(texts(&http, LOG).await, ["Rain.", line.as_str()]);
}

/// Whoever forges a victim's address gets nothing out of it, whatever the server is asked.
async fn nobody_gets_more_than_they_sent(db: TestDb) {
    let mut setup = setup();
    setup.server.gateways.diary_options.room = Some("operator".into());
    setup.server.gateways.diary_options.profile = Profile::Internet;
    let server = TestServer::start_with(db, setup).await;
    let http = server.http();
    let token = key(&http, "home", "token").await;
    let key = sealed(&key(&http, "home", "sealed").await);
    let raw = Datagrams::new(port(&server)).await;
    let mut datagrams: Vec<Vec<u8>> = ["r", "sync", "", "hello", "\0list", "\0sync", "\0whoami"]
        .map(|text| text.as_bytes().to_vec())
        .to_vec();
    datagrams.push(format!("wj_{} guess", "ab".repeat(20)).into_bytes());
    for length in [0, 1, 30, 63, 64, 65, 1199] {
        let mut datagram = key.seal([9; 16], 5, 0, &[b'x'; 1144]).unwrap();
        datagram.truncate(length);
        datagrams.push(datagram);
    }
    for seed in 0..200 {
        datagrams.push(crate::noise(seed, usize::from(seed) * 6));
    }
    for datagram in &datagrams {
        raw.send(datagram).await;
    }
    assert_eq!(
        raw.receive().await,
        None,
        "who proves nothing hears nothing"
    );
    assert!(texts(&http, LOG).await.is_empty());
    let line = format!("{} Rain.", secret(&token));
    assert!(raw.ask_text(&line).await.len() <= line.len());
}

async fn keys_are_their_owners(db: TestDb) {
    let server = start(db).await;
    let http = server.http();
    let (_, ada) = server.member("ada").await;
    let own = key(&ada, "home", "signed").await;
    let path = format!("/api/v1/journal-keys/{}", own["id"].as_str().unwrap());
    http.send(Method::DELETE, &path, &[], "").await.expect(404);
    let listed = http.get("/api/v1/journal-keys").await.expect(200).json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 0);
    remove(&ada, &own).await;
    ada.send(Method::DELETE, &path, &[], "").await.expect(404);
    let wrong = json!({ "kind": "token", "name": "" });
    ada.post("/api/v1/rooms/home/journal-keys", &wrong)
        .await
        .expect(400);
}
