//! Many at once: who comes while others speak, and who does not listen.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;
use wharf_core::MessageLimits;
use wharf_testkit::both_engines;
use wharf_testkit::db::TestDb;
use wharf_testkit::server::{Live, Setup, TestServer};
use wharf_types::RoomId;
use wharf_types::api::account::LoggedIn;
use wharf_types::api::live::{ClientFrame, Fetch, KnownHead, ServerFrame};
use wharf_types::api::log::LogPage;
use wharf_types::api::room::AccountItem;

use super::{come, group, hello, said, send};

both_engines!(
    who_comes_while_others_speak_misses_nothing,
    who_does_not_read_is_told_where_the_log_stands,
);

/// A server that lets people send as fast as they can.
async fn unbounded(db: TestDb) -> TestServer {
    let mut setup = Setup::default();
    setup.house.messages = MessageLimits {
        account_burst: 1_000_000,
        account_per_minute: 1_000_000,
        address_burst: 1_000_000,
        address_per_minute: 1_000_000,
    };
    TestServer::start_with(db, setup).await
}

async fn fetch(live: &mut Live, room: RoomId, after: u64, held: &mut Vec<ServerFrame>) -> LogPage {
    live.send(&ClientFrame::Fetch(Fetch {
        id: after,
        room,
        after: Some(after),
        before: None,
        limit: Some(1_000),
    }))
    .await;
    loop {
        match live.next().await {
            ServerFrame::Page { id, page, .. } if id == after => return page,
            other => held.push(other),
        }
    }
}

/// A client's copy of one log, kept by the rules of the protocol.
struct Copy {
    room: RoomId,
    known: KnownHead,
    texts: Vec<String>,
    lag_count: u32,
}

impl Copy {
    /// Takes a frame. Returns whether there is something to fetch.
    fn take(&mut self, frame: ServerFrame) -> bool {
        match frame {
            ServerFrame::Entry { room, entry } if room == self.room => {
                if entry.position <= self.known.position {
                    return false;
                }
                if entry.position > self.known.position + 1 {
                    return true;
                }
                self.known = KnownHead {
                    position: entry.position,
                    hash: entry.hash,
                };
                self.texts.extend(said(&entry).map(str::to_owned));
                false
            }
            ServerFrame::Lag { room, head, .. } if room == self.room => {
                self.lag_count += 1;
                head > self.known.position
            }
            ServerFrame::Rooms { items, diverged } => {
                assert!(diverged.is_empty(), "the copy is not the log");
                items
                    .iter()
                    .any(|room| room.id == self.room && room.head > self.known.position)
            }
            ServerFrame::Account { items, .. } => items.iter().any(|item| match item {
                AccountItem::Room(room) => room.id == self.room && room.head > self.known.position,
                _ => false,
            }),
            _ => false,
        }
    }

    async fn fetch(&mut self, live: &mut Live) {
        let mut held = Vec::new();
        loop {
            let page = fetch(live, self.room, self.known.position, &mut held).await;
            for entry in page.items {
                let frame = ServerFrame::Entry {
                    room: self.room,
                    entry: Box::new(entry),
                };
                assert!(!self.take(frame), "a page has no gap");
            }
            if self.known.position >= page.head {
                break;
            }
        }
        for frame in held {
            if self.take(frame) {
                return Box::pin(self.fetch(live)).await;
            }
        }
    }

    /// Follows the log until it has this many texts.
    async fn follow(&mut self, live: &mut Live, count: usize) {
        while self.texts.len() < count {
            let frame = live.next().await;
            if self.take(frame) {
                self.fetch(live).await;
            }
        }
    }

    async fn come(&mut self, server: &TestServer, login: &LoggedIn, device: u8) -> Live {
        let mut back = hello(device);
        back.rooms.insert(self.room, self.known);
        let mut live = server.live(&login.token).await;
        let told = live.hello(back).await;
        let mut must_fetch = false;
        for frame in told {
            must_fetch |= self.take(frame);
        }
        if must_fetch {
            self.fetch(&mut live).await;
        }
        live
    }
}

/// Receivers come and go all the time while two people speak; in the end all have the same.
async fn who_comes_while_others_speak_misses_nothing(db: TestDb) {
    const LINES: u64 = 300;
    let server = unbounded(db).await;
    let people = [server.member("lin").await, server.member("mei").await];
    let room = group(&people).await;
    let mut senders = JoinSet::new();
    for (index, (login, _)) in people.iter().enumerate() {
        let number = u8::try_from(index).unwrap() + 1;
        let (mut live, _) = come(&server, login, number).await;
        senders.spawn(async move {
            for number in 1..=LINES {
                live.send(&send(number, room, &format!("{index}/{number}")))
                    .await;
                live.until(|frame| matches!(frame, ServerFrame::Ack { .. }).then_some(()))
                    .await;
            }
        });
    }
    let mut receivers = JoinSet::new();
    let server = std::sync::Arc::new(server);
    for number in 10..14 {
        let server = std::sync::Arc::clone(&server);
        let login = people[usize::from(number) % 2].0.clone();
        receivers.spawn(async move {
            let mut copy = Copy {
                room,
                known: KnownHead {
                    position: 0,
                    hash: wharf_types::EntryHash::from_bytes([0; 32]),
                },
                texts: Vec::new(),
                lag_count: 0,
            };
            let all = usize::try_from(2 * LINES).unwrap();
            while copy.texts.len() < all {
                let mut live = copy.come(&server, &login, number).await;
                let some = (copy.texts.len() + 40).min(all);
                copy.follow(&mut live, some).await;
            }
            copy.texts
        });
    }
    let mut copies = timeout(Duration::from_mins(1), receivers.join_all())
        .await
        .unwrap();
    senders.join_all().await;
    let first = copies.pop().unwrap();
    for index in 0..2 {
        let own = first
            .iter()
            .filter_map(|text| text.strip_prefix(&format!("{index}/")));
        assert!(
            own.map(|number| number.parse::<u64>().unwrap())
                .eq(1..=LINES)
        );
    }
    assert!(copies.iter().all(|copy| *copy == first));
}

/// One does not read while much is said. It costs the server no more than its queue, the others nothing, and it has all of it
/// in the end.
async fn who_does_not_read_is_told_where_the_log_stands(db: TestDb) {
    const LINES: u64 = 3_000;
    let server = unbounded(db).await;
    let people = [server.member("lin").await, server.member("mei").await];
    let room = group(&people).await;
    let mut copy = Copy {
        room,
        known: KnownHead {
            position: 0,
            hash: wharf_types::EntryHash::from_bytes([0; 32]),
        },
        texts: Vec::new(),
        lag_count: 0,
    };
    let mut stalled = copy.come(&server, &people[1].0, 9).await;
    let (mut lin, _) = come(&server, &people[0].0, 1).await;
    let padding = "x".repeat(4_000);
    for number in 1..=LINES {
        lin.send(&send(number, room, &format!("{number} {padding}")))
            .await;
        if number % 100 == 0 {
            lin.until(|frame| match frame {
                ServerFrame::Ack { number: done, .. } => (done == number).then_some(()),
                ServerFrame::Nack { refused, .. } => panic!("{refused:?}"),
                _ => None,
            })
            .await;
        }
    }
    let lags = server.wharf().live().stats().lags;
    copy.follow(&mut stalled, usize::try_from(LINES).unwrap())
        .await;
    assert!(
        copy.lag_count > 0 || lags > 0,
        "12 MB fit into the sockets' buffers"
    );
    let numbers = copy.texts.iter().map(|text| {
        let (number, _) = text.split_once(' ').unwrap();
        number.parse::<u64>().unwrap()
    });
    assert!(numbers.eq(1..=LINES));
    lin.send(&send(LINES + 1, room, "and live again")).await;
    copy.follow(&mut stalled, usize::try_from(LINES + 1).unwrap())
        .await;
}
