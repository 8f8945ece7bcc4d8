//! Two servers on one PostgreSQL: what happens on one is told on the other.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::json;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use wharf_core::{Clock, HouseConfig, Random, Wharf};
use wharf_server::{Config, Server};
use wharf_store::blob::MemoryBlob;
use wharf_store::sql::{Db, MIGRATIONS};
use wharf_testkit::db::{Engine, TestDb};
use wharf_testkit::server::{Http, Live, TestServer};
use wharf_types::api::contact::Status;
use wharf_types::api::live::{ClientFrame, Reached, ServerFrame, Typing};
use wharf_types::api::room::AccountItem;

use super::{Somebody, come, group, hello, next_entry, said, send};

/// Another server over a database that one serves already.
struct Neighbour {
    address: SocketAddr,
    db: Db,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Neighbour {
    async fn start(db: Db) -> Self {
        let wharf = Wharf::open(
            HouseConfig::default(),
            db.clone(),
            Arc::new(MemoryBlob::default()),
            Clock::system(),
            Random::system(),
        );
        let config = Config {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            ..Config::default()
        };
        let server = Server::bind(config, wharf.await.unwrap()).await.unwrap();
        let stop = CancellationToken::new();
        Self {
            address: server.address(),
            db,
            stop: stop.clone(),
            task: tokio::spawn(server.serve(stop)),
        }
    }

    async fn come(&self, somebody: &Somebody, device: u8) -> Live {
        let mut live = Live::connect(self.address, &somebody.0.token)
            .await
            .unwrap();
        live.hello(hello(device)).await;
        live
    }

    async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
        let db = self.db;
        tokio::task::spawn_blocking(move || db.close())
            .await
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::too_many_lines, reason = "one story, step by step")]
async fn what_happens_on_one_server_is_told_on_the_other() {
    let (db, other_db) = tokio::task::spawn_blocking(|| {
        let db = TestDb::open(Engine::Postgres);
        let other = db.open_again(MIGRATIONS).unwrap();
        (db, other)
    })
    .await
    .unwrap();
    let server = TestServer::start(db).await;
    let neighbour = Neighbour::start(other_db).await;
    let people = [server.member("lin").await, server.member("mei").await];
    let (mut lin, _) = come(&server, &people[0].0, 1).await;
    let mut mei = neighbour.come(&people[1], 2).await;
    let room = group(&people).await;

    // The account's list.
    mei.until(|frame| match frame {
        ServerFrame::Account { items, .. } => items
            .iter()
            .any(|item| matches!(item, AccountItem::Room(found) if found.id == room))
            .then_some(()),
        _ => None,
    })
    .await;

    // Entries, in both directions, in one order.
    for number in 1..=20 {
        lin.send(&send(number, room, &format!("from here {number}")))
            .await;
        mei.send(&send(number, room, &format!("from there {number}")))
            .await;
    }
    let mut order = Vec::new();
    for live in [&mut lin, &mut mei] {
        let mut told = Vec::new();
        while told.len() < 40 {
            let entry = next_entry(live, room).await;
            told.extend(said(&entry).map(|text| (entry.position, text.to_owned())));
        }
        assert!(told.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0));
        order.push(told);
    }
    assert_eq!(order[0], order[1]);

    // Cursors and typing.
    lin.send(&send(21, room, "read this")).await;
    let position = next_entry(&mut mei, room).await.position;
    mei.send(&ClientFrame::Read(Reached { room, position }))
        .await;
    lin.until(|frame| match frame {
        ServerFrame::Cursor { account, read, .. } => {
            (account == people[1].0.account.id && read == Some(position)).then_some(())
        }
        _ => None,
    })
    .await;
    mei.send(&ClientFrame::Typing(Typing {
        room,
        account: None,
        stopped: false,
    }))
    .await;
    lin.until(|frame| matches!(frame, ServerFrame::Typing(_)).then_some(()))
        .await;

    // Presence, until the server is gone.
    lin.send(&ClientFrame::Watch {
        accounts: vec![people[1].0.account.id],
    })
    .await;
    let status = |frame| match frame {
        ServerFrame::Presence { items } => items.first().map(|presence| presence.status),
        _ => None,
    };
    while lin.until(status).await != Status::Online {}

    // Who is removed here is told nothing there.
    let member = format!("/api/v1/rooms/{room}/members/{}", people[1].0.account.id);
    people[0]
        .1
        .send(http::Method::DELETE, &member, &[], "")
        .await
        .expect(204);
    lin.send(&send(22, room, "among us")).await;
    mei.until(|frame| match frame {
        ServerFrame::Account { items, .. } => items
            .contains(&AccountItem::RoomGone { room })
            .then_some(()),
        ServerFrame::Entry { entry, .. } => panic!("told {entry:?}"),
        _ => None,
    })
    .await;

    // A session that ends here ends there.
    people[1]
        .1
        .post("/api/v1/logout", &json!({}))
        .await
        .expect(204);
    mei.until(|frame| matches!(frame, ServerFrame::Bye { .. }).then_some(()))
        .await;
    while lin.until(status).await != Status::Offline {}
    neighbour.stop().await;
    let health = Http::new(server.address()).get("/health/ready").await;
    health.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hints_that_are_lost_cost_two_seconds() {
    let (db, other_db) = tokio::task::spawn_blocking(|| {
        let db = TestDb::open(Engine::Postgres);
        let other = db.open_again(MIGRATIONS).unwrap();
        (db, other)
    })
    .await
    .unwrap();
    let server = TestServer::start(db).await;
    let neighbour = Neighbour::start(other_db).await;
    let people = [server.member("lin").await, server.member("mei").await];
    let room = group(&people).await;
    let mut mei = neighbour.come(&people[1], 2).await;
    // Over HTTP to a server without a live connection: it has not even joined the bus.
    let log = format!("/api/v1/rooms/{room}/log");
    let append = json!({"device": super::device(7), "number": 1, "draft": {"kind": "text", "text": "unheard"}});
    people[0].1.post(&log, &append).await.expect(200);
    let entry = next_entry(&mut mei, room).await;
    assert_eq!(said(&entry), Some("unheard"));
    neighbour.stop().await;
}
