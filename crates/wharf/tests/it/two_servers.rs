//! Two servers in processes of their own on one PostgreSQL, and one of them is killed while people speak: what was
//! acknowledged is in the log once, in each device's order, and the other server's people have been told all of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use tokio::time::timeout;
use wharf_testkit::postgres::PostgresServer;
use wharf_testkit::program::{Program, ServerProcess};
use wharf_testkit::server::Live;
use wharf_types::api::live::{ClientFrame, Hello, Sending, ServerFrame, VERSION};
use wharf_types::api::log::{Body, Draft, Entry, Text};
use wharf_types::api::room::AccountItem;
use wharf_types::{DeviceId, RoomId};

use crate::writer::log_in;

const LINES: u64 = 200;
/// The server is killed when this many lines were acknowledged.
const KILLED_AT: u64 = 70;
/// Lines that have no acknowledgement yet, at most.
const WINDOW: u64 = 10;

#[test]
fn people_speak_on_when_one_of_two_servers_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let postgres = PostgresServer::private().unwrap();
    let database = postgres.create_database("two").unwrap();
    let start = |name: &str| start(folder.path(), name, &database);
    let first = start("first");
    Program::new(env!("CARGO_BIN_EXE_wharf"), folder.path().join("home"))
        .make_operator(&first)
        .unwrap();
    let second = start("second");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let token = log_in(&format!("http://{}", first.address())).await;
        let (mut listener, room) = come(second.address(), &token, None).await;
        let addresses = [first.address().to_owned(), second.address().to_owned()];
        let mut first = Some(first);
        let speaking = tokio::spawn(async move {
            let mut acknowledged = BTreeMap::new();
            let device = Some(DeviceId::from_bytes([5; 16]));
            for address in addresses {
                let (mut live, room) = come(&address, &token, device).await;
                speak((&mut live, room), &mut acknowledged, &mut first).await;
            }
            assert!(first.is_none(), "it was never killed");
            acknowledged
        });
        let told = timeout(Duration::from_mins(1), listen(&mut listener, room))
            .await
            .unwrap();
        let acknowledged = speaking.await.unwrap();
        let numbers: Vec<_> = told.iter().filter_map(number_of).collect();
        assert!(numbers.iter().copied().eq(1..=LINES), "{numbers:?}");
        for entry in &told {
            let number = number_of(entry).unwrap();
            assert_eq!(acknowledged.get(&number), Some(&entry.position));
        }
    });
    second.stop().unwrap();
}

fn start(folder: &Path, name: &str, database: &str) -> ServerProcess {
    let arguments = [
        "--database",
        database,
        "--account-burst",
        "100000",
        "--address-burst",
        "100000",
    ];
    Program::new(env!("CARGO_BIN_EXE_wharf"), folder.join("home"))
        .serve(&folder.join(name), "127.0.0.1:0", arguments)
        .unwrap()
}

/// Connects and says hello. Returns the personal room, too.
pub(crate) async fn come(address: &str, token: &str, device: Option<DeviceId>) -> (Live, RoomId) {
    let mut live = Live::connect(address.parse().unwrap(), token)
        .await
        .unwrap();
    let hello = Hello {
        version: VERSION,
        device,
        entries: true,
        ..Hello::default()
    };
    let told = live.hello(hello).await;
    let rooms = told.iter().find_map(|frame| match frame {
        ServerFrame::Account { items, .. } => items.iter().find_map(|item| match item {
            AccountItem::Room(room) => Some(room.id),
            _ => None,
        }),
        _ => None,
    });
    (live, rooms.unwrap())
}

/// Sends what has no acknowledgement, in order, until all has or the connection breaks. Kills the first server on the way.
async fn speak(
    (live, room): (&mut Live, RoomId),
    acknowledged: &mut BTreeMap<u64, u64>,
    first: &mut Option<ServerProcess>,
) {
    let mut sent = count(acknowledged);
    while count(acknowledged) < LINES {
        while sent < LINES.min(count(acknowledged) + WINDOW) {
            sent += 1;
            if !live.try_send(&line(room, sent)).await {
                return;
            }
        }
        match live.try_next().await {
            Some(ServerFrame::Ack {
                number, position, ..
            }) => {
                acknowledged.insert(number, position);
            }
            Some(ServerFrame::Nack { number, refused }) => panic!("{number}: {refused:?}"),
            Some(_) => {}
            None => return,
        }
        if count(acknowledged) >= KILLED_AT
            && let Some(first) = first.take()
        {
            first.kill().unwrap();
        }
    }
}

fn count(acknowledged: &BTreeMap<u64, u64>) -> u64 {
    u64::try_from(acknowledged.len()).unwrap()
}

fn line(room: RoomId, number: u64) -> ClientFrame {
    let draft = Draft::Text(Text {
        text: number.to_string(),
        ..Text::default()
    });
    ClientFrame::Send(Sending {
        number,
        room,
        draft,
        client_ms: None,
    })
}

async fn listen(live: &mut Live, of: RoomId) -> Vec<Entry> {
    let mut told = Vec::new();
    while told.len() < usize::try_from(LINES).unwrap() {
        let entry = live
            .until(|frame| match frame {
                ServerFrame::Entry { room, entry } if room == of => Some(*entry),
                ServerFrame::Lag { head, .. } => panic!("too slow for {head}"),
                _ => None,
            })
            .await;
        if number_of(&entry).is_some() {
            told.push(entry);
        }
    }
    told
}

fn number_of(entry: &Entry) -> Option<u64> {
    match &entry.body {
        Some(Body::Text(text)) => text.text.parse().ok(),
        _ => None,
    }
}
