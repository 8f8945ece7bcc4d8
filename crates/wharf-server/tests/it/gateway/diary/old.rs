//! The old diary: its published client, and what others send.

use http::Method;
use serde_json::json;
use wharf_server::gateway::Profile;
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_testkit::gateway::diary::{Datagrams, DiaryClient};
use wharf_testkit::server::{Live, TestServer};
use wharf_types::DeviceId;
use wharf_types::api::live::{ClientFrame, Hello, Sending, ServerFrame, VERSION};
use wharf_types::api::log::{Draft, Entry, Text};

use super::{LOG, entries, port, say, setup, start, text, texts};

both_engines!(
    recorded_clients_are_answered_as_the_original_did,
    an_entry_is_seen_at_every_door_with_its_origin,
    what_is_said_live_is_in_the_diarys_next_answer,
    a_diary_shows_other_doors_entries_only_where_it_is_said_so,
    a_long_diary_ends_with_what_is_new,
    clients_are_told_apart_by_extensions,
    an_address_goes_to_the_room_of_whoever_claimed_it,
    nobody_catches_the_entries_of_others,
    a_diary_that_nobody_wants_is_not_answered,
    entries_survive_a_restart_and_clients_go_on,
    a_thousand_clients_write_at_once,
    odd_datagrams_are_entries_or_nothing,
);

/// One line of the recordings.
enum Recorded {
    Start,
    Sent(String),
    Answered(Vec<String>),
}

fn recordings() -> Vec<Recorded> {
    let lines = include_str!("captures.txt").lines();
    lines
        .filter(|line| !line.starts_with('#'))
        .map(|line| match line.split_at(1) {
            ("v", _) => Recorded::Start,
            (">", sent) => Recorded::Sent(sent.strip_prefix(' ').unwrap_or_default().into()),
            ("<", answer) => {
                let answer = answer.strip_prefix(' ').unwrap_or_default();
                let lines = answer.split_terminator("\\n").map(said);
                Recorded::Answered(lines.collect())
            }
            other => panic!("{other:?}"),
        })
        .collect()
}

/// What a line of a log says, without when and from where.
fn said(line: &str) -> String {
    match line.split_once("):  ") {
        Some((_, said)) => said.to_owned(),
        None => line.to_owned(),
    }
}

fn lines(log: &[u8]) -> Vec<String> {
    let log = std::str::from_utf8(log).unwrap();
    log.lines().map(said).collect()
}

async fn recorded_clients_are_answered_as_the_original_did(db: TestDb) {
    let mut server = start(db).await;
    let mut client: Option<(DiaryClient, Vec<u8>)> = None;
    let mut version = 0;
    let mut answer = None;
    for step in recordings() {
        match step {
            Recorded::Start => {
                version += 1;
                client = None;
            }
            Recorded::Sent(text) => match &client {
                None => {
                    // The second version was recorded with an empty log of its own.
                    if version == 3 {
                        server.stop().await;
                        let db = tokio::task::spawn_blocking(|| {
                            TestDb::open(wharf_store::sql::Engine::Sqlite)
                        });
                        server = start(db.await.unwrap()).await;
                    }
                    let (started, log) = DiaryClient::start(port(&server)).await;
                    answer = Some(log.clone());
                    client = Some((started, log));
                }
                Some((client, _)) => answer = client.line(&text).await,
            },
            Recorded::Answered(expected) => {
                let answer = answer.take().unwrap();
                assert_eq!(lines(&answer), expected);
            }
        }
    }
}

async fn an_entry_is_seen_at_every_door_with_its_origin(db: TestDb) {
    let server = start(db).await;
    let http = server.http();
    let mut live = server.live(&server.operator().token).await;
    live.begin().await;
    let (client, log) = DiaryClient::start(port(&server)).await;
    assert!(log.is_empty(), "an empty log is an empty datagram");
    client.line("hello diary").await;
    let answer = client.line("sync").await.unwrap();
    let from = client.address();
    assert_eq!(
        String::from_utf8(answer).unwrap(),
        format!(
            "Mon, 2026 Sep 21 14:13:20 From ('127.0.0.1', {}):  hello diary\n",
            from.port()
        )
    );
    let entries = entries(&http, LOG).await;
    assert_eq!(text(&entries[0]), "hello diary");
    assert_eq!(entries[0]["name"], from.to_string());
    assert_eq!(entries[0]["origin"]["door"], "diary");
    assert_eq!(
        entries[0].get("account"),
        None,
        "nobody has proved to be anybody"
    );
    let told = next_entry(&mut live).await;
    assert_eq!(serde_json::to_value(told).unwrap(), entries[0]);
    let page = http
        .get("/api/v1/rooms/home/diary")
        .await
        .expect(200)
        .json();
    assert_eq!(page["items"].as_array().unwrap().len(), 1);
}

/// The next entry that a live connection is told.
async fn next_entry(live: &mut Live) -> Entry {
    live.until(|frame| match frame {
        ServerFrame::Entry { entry, .. } => Some(*entry),
        _ => None,
    })
    .await
}

async fn what_is_said_live_is_in_the_diarys_next_answer(db: TestDb) {
    let server = start(db).await;
    let http = server.http();
    let claim = json!({ "show": "all", "address": "127.0.0.1" });
    http.post("/api/v1/rooms/home/diary-addresses", &claim)
        .await
        .expect(201);
    let mut live = server.live(&server.operator().token).await;
    live.hello(Hello {
        version: VERSION,
        device: Some(DeviceId::from_bytes([3; 16])),
        entries: true,
        ..Hello::default()
    })
    .await;
    let (client, log) = DiaryClient::start(port(&server)).await;
    assert!(log.is_empty());
    let said = Text {
        text: "said live".to_owned(),
        ..Text::default()
    };
    live.send(&ClientFrame::Send(Sending {
        number: 1,
        room: server.operator().account.home,
        draft: Draft::Text(said),
        client_ms: None,
    }))
    .await;
    let told = next_entry(&mut live).await;
    assert_eq!(told.account, Some(server.operator().account.id));
    let answer = lines(&client.line("r").await.unwrap());
    assert_eq!(answer.len(), 1);
    assert!(
        answer[0].ends_with("From operator:  said live"),
        "{answer:?}"
    );
    client.line("and by datagram").await;
    let told = next_entry(&mut live).await;
    assert_eq!(told.name, Some(client.address().to_string()));
    let answer = lines(&client.line("r").await.unwrap());
    assert_eq!(answer[1..], ["and by datagram"]);
}

async fn a_diary_shows_other_doors_entries_only_where_it_is_said_so(db: TestDb) {
    let server = start(db).await;
    let http = server.http();
    say(&http, 1, "written in the browser").await;
    let (client, log) = DiaryClient::start(port(&server)).await;
    assert!(log.is_empty(), "a journal is not for whoever asks");
    client.line("from the diary").await;
    assert_eq!(lines(&client.line("r").await.unwrap()), ["from the diary"]);
    let claim = json!({ "show": "all", "address": "127.0.0.1" });
    http.post("/api/v1/rooms/home/diary-addresses", &claim)
        .await
        .expect(201);
    let log = String::from_utf8(client.line("r").await.unwrap()).unwrap();
    assert!(
        log.contains("From operator:  written in the browser\n"),
        "{log}"
    );
    assert!(log.contains("):  from the diary\n"), "{log}");
}

async fn a_long_diary_ends_with_what_is_new(db: TestDb) {
    let server = start(db).await;
    let (client, _) = DiaryClient::start(port(&server)).await;
    for number in 0..150 {
        client.line(&format!("entry {number}")).await;
    }
    client.line(&"long ".repeat(700)).await;
    let log = client.line("r").await.unwrap();
    assert!(log.len() <= 4096);
    assert!(lines(&log).last().unwrap().starts_with("long "));
    client.line("the end").await;
    let log = client.line("r").await.unwrap();
    let lines = lines(&log);
    assert_eq!(lines.last().map(String::as_str), Some("the end"));
    assert!(log.starts_with(b"Mon, "), "only whole lines");
    // Nothing else comes that the client would take for its next answer.
    let raw = Datagrams::new(port(&server)).await;
    raw.send(b"no answer to this").await;
    raw.send(b"help").await;
    assert_eq!(raw.receive().await, None);
}

async fn clients_are_told_apart_by_extensions(db: TestDb) {
    let server = start(db).await;
    let (one, other) = (
        Datagrams::new(port(&server)).await,
        Datagrams::new(port(&server)).await,
    );
    for (client, text) in [(&one, "a"), (&other, "b"), (&one, "c")] {
        client.send(text.as_bytes()).await;
        client.ask(b"r").await;
    }
    let who = one.ask_text("\0whoami").await;
    assert_eq!(
        who,
        format!("whoami ('127.0.0.1', {})\n", one.address().port())
    );
    let list = one.ask_text("\0list").await;
    let list: Vec<&str> = list.lines().collect();
    assert_eq!(list.len(), 2);
    assert!(list[0].ends_with(&format!(
        "From ('127.0.0.1', {}):  1",
        other.address().port()
    )));
    assert!(list[1].ends_with(&format!("From ('127.0.0.1', {}):  2", one.address().port())));
    let of_one = one
        .ask_text(&format!("\0sync client={}", one.address()))
        .await;
    let (header, rest) = of_one.split_once('\n').unwrap();
    assert_eq!(header, "sync 1 3 3");
    assert_eq!(lines(rest.as_bytes()), ["a", "c"]);
    let of_address = one.ask_text("\0sync client=127.0.0.1").await;
    assert_eq!(of_address.lines().count(), 4);
    let since = one.ask_text("\0sync since=2").await;
    assert!(since.starts_with("sync 3 3 3\n"), "{since}");
    assert_eq!(one.ask_text("\0sync since=3").await, "sync 0 0 3\n");
    assert_eq!(one.ask_text("\0sync client=10.0.0.1").await, "sync 0 0 0\n");
}

async fn an_address_goes_to_the_room_of_whoever_claimed_it(db: TestDb) {
    let server = start(db).await;
    let http = server.http();
    let (_, member) = server.member("grace").await;
    let (client, _) = DiaryClient::start(port(&server)).await;
    client.line("before").await;
    client.line("r").await;
    // Everybody on this machine has this address, so only an operator may claim it.
    let claims = "/api/v1/rooms/home/diary-addresses";
    member.post(claims, &json!({})).await.expect(403);
    member
        .post(claims, &json!({ "address": "192.0.2.5" }))
        .await
        .expect(403);
    let room = json!({ "name": "Ship's log" });
    let room = http.post("/api/v1/rooms", &room).await.expect(200).json();
    let room = room["id"].as_str().unwrap();
    let claims = format!("/api/v1/rooms/{room}/diary-addresses");
    let claimed = http.post(&claims, &json!({})).await.expect(201).json();
    assert_eq!(claimed["address"], "127.0.0.1");
    let listed = http.get("/api/v1/diary-addresses").await.expect(200).json();
    assert_eq!(listed["items"][0]["room"], room);
    assert!(client.line("r").await.unwrap().is_empty());
    client.line("after").await;
    assert_eq!(lines(&client.line("r").await.unwrap()), ["after"]);
    let log = format!("/api/v1/rooms/{room}/log");
    assert_eq!(text(entries(&http, &log).await.last().unwrap()), "after");
    assert_eq!(texts(&http, LOG).await, ["before"]);
    // A claim ends by itself unless it is made again.
    server.clock().advance_ms(30 * 24 * 3_600_000 - 1);
    assert_eq!(lines(&client.line("r").await.unwrap()), ["after"]);
    server.clock().advance_ms(1);
    assert_eq!(lines(&client.line("r").await.unwrap()), ["before"]);
    let gone = http
        .send(Method::DELETE, "/api/v1/diary-addresses/127.0.0.1", &[], "")
        .await;
    gone.expect(204);
    let path = "/api/v1/diary-addresses/127.0.0.1";
    http.send(Method::DELETE, path, &[], "").await.expect(404);
}

async fn nobody_catches_the_entries_of_others(db: TestDb) {
    let mut setup = setup();
    // Requests come through a proxy here, so that a test has addresses to claim.
    setup.server.trusted_proxies = vec!["127.0.0.1".parse().unwrap()];
    let server = TestServer::start_with(db, setup).await;
    let (_, ada) = server.member("ada").await;
    let (_, ben) = server.member("ben").await;
    let claims = "/api/v1/rooms/home/diary-addresses";
    let from = |address: &'static str| {
        [
            ("x-forwarded-for", address),
            ("content-type", "application/json"),
        ]
    };
    let claim = |http: wharf_testkit::server::Http, address| async move {
        let reply = http.send(Method::POST, claims, &from(address), "{}").await;
        reply.status.as_u16()
    };
    assert_eq!(claim(ada.clone(), "192.168.7.7").await, 201);
    assert_eq!(
        claim(ada.clone(), "192.168.7.7").await,
        201,
        "to hold it longer"
    );
    assert_eq!(claim(ben.clone(), "192.168.7.7").await, 409);
    assert_eq!(claim(ben.clone(), "192.168.7.8").await, 201);
    let path = "/api/v1/diary-addresses/192.168.7.7";
    ben.send(Method::DELETE, path, &[], "").await.expect(404);
    server
        .http()
        .send(Method::DELETE, path, &[], "")
        .await
        .expect(204);
    assert_eq!(claim(ben, "192.168.7.7").await, 201);
}

async fn a_diary_that_nobody_wants_is_not_answered(db: TestDb) {
    let mut server_setup = setup();
    server_setup.server.gateways.diary_options.room = Some("nobody/Nowhere".into());
    let server = TestServer::start_with(db, server_setup).await;
    let raw = Datagrams::new(port(&server)).await;
    for datagram in [b"r".as_slice(), b"hello", b"\0list", b"\0whoami"] {
        raw.send(datagram).await;
    }
    assert_eq!(raw.receive().await, None);
    assert!(texts(&server.http(), LOG).await.is_empty());
    // The room that the operator names may be made later.
    let http = server.http();
    http.post("/api/v1/rooms", &json!({ "name": "Nowhere" }))
        .await
        .expect(200);
    raw.send(b"r").await;
    assert_eq!(raw.receive().await, None);
    server.stop().await;
}

async fn entries_survive_a_restart_and_clients_go_on(db: TestDb) {
    let mut server = start(db).await;
    let (client, _) = DiaryClient::start(port(&server)).await;
    client.line("before").await;
    server.restart().await;
    client.line("after").await;
    assert_eq!(
        lines(&client.line("sync").await.unwrap()),
        ["before", "after"]
    );
}

async fn a_thousand_clients_write_at_once(db: TestDb) {
    let server = start(db).await;
    let address = port(&server);
    let mut clients = Vec::new();
    for _ in 0..1_000 {
        clients.push(DiaryClient::start(address).await.0);
    }
    // All are there; as many write at once as the kernel's smallest buffer holds.
    for (wave, some) in clients.chunks(50).enumerate() {
        let writes = some.iter().enumerate().map(|(index, client)| async move {
            client.line(&format!("entry {}", wave * 50 + index)).await;
            client.line("sync").await.unwrap()
        });
        futures_util::future::join_all(writes).await;
    }
    let (_, log) = DiaryClient::start(address).await;
    assert!(!log.is_empty());
    let mut numbers: Vec<u32> = texts(&server.http(), LOG)
        .await
        .iter()
        .map(|text| text.trim_start_matches("entry ").parse().unwrap())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..1_000).collect::<Vec<_>>());
}

async fn odd_datagrams_are_entries_or_nothing(db: TestDb) {
    let mut server_setup = setup();
    server_setup.server.gateways.diary_options.room = Some("operator".into());
    server_setup.server.gateways.diary_options.profile = Profile::Lan;
    let server = TestServer::start_with(db, server_setup).await;
    let raw = Datagrams::new(port(&server)).await;
    raw.send(b"").await;
    raw.send(b"caf\xe9").await;
    raw.send(b"a\0b").await;
    raw.send(b"one\nFri, 2026 Nov 20 17:28:01 From ('10.0.0.1', 1):  forged")
        .await;
    raw.send(b"\0nonsense").await;
    raw.send(&[b'x'; 9000]).await;
    let log = raw.ask_text("\0sync since=0").await;
    let texts = texts(&server.http(), LOG).await;
    assert_eq!(texts[..3], [" ", "caf\u{fffd}", "ab"]);
    assert_eq!(texts[4].len(), 4096, "cut as the original cuts");
    assert_eq!(texts.len(), 5);
    assert!(log.contains("\n    Fri, 2026"), "{log}");
}
