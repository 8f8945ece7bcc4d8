//! Many connections, silent ones, fast ones and slow ones.

use std::time::Duration;

use tokio::time::Instant;
use wharf_server::gateway::GatewayConfig;
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_wire::gateway::pychat::{Number, Request};

use super::{config, friends, serve, serve_with, text};

both_engines!(
    a_thousand_connections_at_once,
    connections_of_one_address_are_bounded,
    silence_ends_what_does_not_stay,
    a_flood_is_slowed_down_and_nobody_else,
    who_does_not_read_makes_nobody_wait,
);

async fn a_thousand_connections_at_once(db: TestDb) {
    let server = serve(db).await;
    let (ada, ben, room) = friends(&server).await;
    let (_command, _silent) = ada.chat.start().await;
    let mut all = Vec::new();
    for number in 0..1_000 {
        let friend = Number(500_000 + number);
        let who = ada.chat.me;
        all.push(ada.chat.stay(&Request::NewSession { who, friend }).await);
    }
    let mut chat = ada.chat.chat(&ben.chat).await;
    ben.say(room, text("through the crowd")).await;
    assert_eq!(chat.text().await, "through the crowd");
    for stays in &mut all {
        stays.say(&Request::Friends { who: ada.chat.me }).await;
    }
    let friends = format!("OK|{}|ada|{}|ben", ada.chat.me, ben.chat.me);
    for stays in &mut all {
        assert_eq!(stays.text().await, friends);
    }
    let metrics = server.http().get("/metrics").await.expect(200).body;
    let metrics = String::from_utf8_lossy(&metrics);
    let is_open =
        |line: &&str| line.contains("gateway_connections_open{") && line.contains("pychat");
    let open = metrics.lines().find(is_open);
    let open = open.and_then(|line| line.rsplit(' ').next()).unwrap();
    assert!(open.parse::<u32>().unwrap() > 1_000, "{open}");
}

async fn connections_of_one_address_are_bounded(db: TestDb) {
    let config = GatewayConfig {
        per_address_max: 3,
        ..config()
    };
    let server = serve_with(db, config).await;
    let (ada, _, _) = friends(&server).await;
    let mut three = Vec::new();
    for _ in 0..3 {
        three.push(ada.chat.silent().await);
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    let mut more = ada.chat.silent().await;
    assert_eq!(more.read(1).await, b"");
    three.pop().unwrap().end().await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(ada.chat.log_in().await, "ada");
}

async fn silence_ends_what_does_not_stay(db: TestDb) {
    let config = GatewayConfig {
        idle_timeout: Duration::from_millis(400),
        ..config()
    };
    let server = serve_with(db, config).await;
    let (ada, ben, room) = friends(&server).await;
    let mut nobody = ada.chat.silent().await;
    assert_eq!(nobody.read(1).await, b"", "nobody is known at this address");
    let (mut command, mut silent) = ada.chat.start().await;
    let mut half = ada.chat.silent().await;
    half.send(&[1; 100]).await;
    let friends = Request::Friends { who: ada.chat.me };
    let mut asked = ada.chat.stay(&friends).await;
    assert!(asked.text().await.starts_with("OK|"));
    assert_eq!(asked.read(1).await, b"", "it had its answer");
    tokio::time::sleep(Duration::from_millis(800)).await;
    ben.say(room, text("after the silence")).await;
    command.push().await;
    assert!(silent.is_silent_for(Duration::from_millis(600)).await);
}

async fn a_flood_is_slowed_down_and_nobody_else(db: TestDb) {
    let config = GatewayConfig {
        frames_per_second: 50,
        ..config()
    };
    let server = serve_with(db, config).await;
    let (ada, _, _) = friends(&server).await;
    ada.chat.log_in().await;
    let began = Instant::now();
    let mut flood = ada.chat.silent().await;
    let ask = Request::Online { who: None }.encode().repeat(150);
    flood.send(&ask).await;
    assert_eq!(ada.chat.left().await, "NONE");
    let answered = began.elapsed();
    let mut bytes = 0;
    let wanted = format!("OK|{}", ada.chat.me).len() * 150;
    while bytes < wanted {
        bytes += flood.read(100_000).await.len();
    }
    // 150 at 50 a second, of which those of one second may come at once.
    assert!(began.elapsed() > Duration::from_millis(1_500));
    assert!(answered < began.elapsed());
}

async fn who_does_not_read_makes_nobody_wait(db: TestDb) {
    let server = serve(db).await;
    let (ada, ben, room) = friends(&server).await;
    let (_command, _silent) = ada.chat.start().await;
    let mut chat = ada.chat.chat(&ben.chat).await;
    // More than wait for one connection, none of them read.
    for number in 0..180 {
        ben.say(room, text(&format!("{number:03}"))).await;
    }
    assert_eq!(ada.chat.files(&ben.chat).await, "NONE");
    let mut all = String::new();
    while all.len() < 180 * 3 {
        all.push_str(&chat.text().await);
    }
    let wanted: String = (0..180).fold(String::new(), |all, number| format!("{all}{number:03}"));
    assert_eq!(all, wanted, "in order, each once");
}
