//! Measures appending and reading logs by themselves:
//! `cargo run --release -p wharf-core --example log_speed [sqlite|postgres] [SECONDS]`.
//!
//! SENDERS people append texts of 100 bytes, each waiting for the answer before the next: into one room, and each into
//! a room of their own; then with 16 in a batch, as a live connection gathers them. Every answer means that the entry is
//! on the disk. Then what reading pages of the log takes. The figures are the house's and the database's: no sockets.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a measurement for people, which reads the time and stops at its first surprise"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use wharf_core::drive::RoomRef;
use wharf_core::log::Range;
use wharf_core::{Caller, Clock, HouseConfig, MessageLimits, Origin, Random, Wharf};
use wharf_store::blob::MemoryBlob;
use wharf_store::sql::Lock;
use wharf_testkit::db::{Engine, TestDb};
use wharf_types::api::account::{Signup, SignupPolicy};
use wharf_types::api::live::Sending;
use wharf_types::api::log::{AppendOutcome, Draft, Text};
use wharf_types::{DeviceId, RoomId};

const SENDERS: usize = 64;
const BATCH: u64 = 16;

struct Bench {
    wharf: Wharf,
    random: Random,
    people: Vec<Caller>,
    seconds: u64,
}

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    let engine = match args.next().as_deref() {
        Some("postgres") => Engine::Postgres,
        _ => Engine::Sqlite,
    };
    let seconds = args.next().map_or(5, |seconds| seconds.parse().unwrap());
    let db = tokio::task::spawn_blocking(move || TestDb::open(engine))
        .await
        .unwrap();
    let bench = Bench::open(&db, seconds).await;
    let common = bench.people[0].person().unwrap().home;
    for round in 1..=2 {
        println!("round {round}");
        bench.send("one room, one at a time", 1, |_| common).await;
        let homes: Vec<RoomId> = bench
            .people
            .iter()
            .map(|person| person.person().unwrap().home)
            .collect();
        bench
            .send("a room each, one at a time", 1, |sender| homes[sender])
            .await;
        bench
            .send("one room, 16 at a time", BATCH, |_| common)
            .await;
    }
    bench.read(common).await;
}

impl Bench {
    async fn open(db: &TestDb, seconds: u64) -> Self {
        let unlimited = MessageLimits {
            account_burst: u32::MAX,
            account_per_minute: u32::MAX,
            address_burst: u32::MAX,
            address_per_minute: u32::MAX,
        };
        let config = HouseConfig {
            signup: SignupPolicy::Open,
            messages: unlimited,
            ..HouseConfig::default()
        };
        let (blob, random) = (Arc::new(MemoryBlob::default()), Random::system());
        let wharf = Wharf::open(
            config,
            (**db).clone(),
            blob,
            Clock::system(),
            random.clone(),
        )
        .await
        .unwrap();
        let origin = Origin::http([127, 0, 0, 1].into());
        let mut people = Vec::new();
        for number in 0..SENDERS {
            let signup = Signup {
                username: format!("person{number}"),
                password: "correct horse".into(),
                email: None,
                nickname: None,
                code: wharf.accounts().setup_code(),
                device: None,
            };
            let logged_in = wharf.accounts().signup(signup, origin).await.unwrap();
            let caller = wharf
                .accounts()
                .authenticate(&logged_in.token, origin)
                .await;
            people.push(caller.unwrap());
        }
        // Everybody is an editor in the first one's room.
        let room = people[0].person().unwrap().home;
        for person in &people[1..] {
            let account = person.account().unwrap();
            db.write(Lock::Room(room), move |tx| {
                tx.exec(
                    "INSERT INTO member (room_id, account_id, role, joined_ms) VALUES (?1, ?2, 'editor', 0)",
                    &[room.into(), account.into()],
                )?;
                Ok::<_, wharf_store::sql::Error>(())
            })
            .await
            .unwrap();
        }
        Self {
            wharf,
            random,
            people,
            seconds,
        }
    }

    async fn send(&self, name: &str, batch: u64, room_of: impl Fn(usize) -> RoomId) {
        let commits_before = self.wharf.db().stats().commits;
        let started = Instant::now();
        let until = started + Duration::from_secs(self.seconds);
        let senders: Vec<_> = (0..SENDERS)
            .map(|sender| {
                let (wharf, caller) = (self.wharf.clone(), self.people[sender]);
                let (device, room) = (self.random.id(DeviceId::new, 0), room_of(sender));
                tokio::spawn(sender_task(wharf, caller, device, room, batch, until))
            })
            .collect();
        let mut waits = Vec::new();
        for sender in senders {
            waits.extend(sender.await.unwrap());
        }
        let elapsed = started.elapsed();
        waits.sort_unstable();
        let commits = self.wharf.db().stats().commits - commits_before;
        let count = waits.len() as u64 * batch;
        let at = |share: usize| waits[(waits.len() - 1) * share / 1000];
        println!(
            "{name:28} {:8.0}/s   p50 {:?}  p99 {:?}  p99.9 {:?}   {commits} commits",
            count as f64 / elapsed.as_secs_f64(),
            at(500),
            at(990),
            at(999)
        );
    }

    async fn read(&self, room: RoomId) {
        let (logs, caller) = (self.wharf.logs(), &self.people[0]);
        let started = Instant::now();
        let (mut after, mut count) = (0, 0_u64);
        loop {
            let range = Range::After(after);
            let page = logs
                .page(caller, RoomRef::Id(room), range, Some(1_000))
                .await
                .unwrap();
            let Some(last) = page.items.last() else { break };
            after = last.position;
            count += page.items.len() as u64;
        }
        let rate = count as f64 / started.elapsed().as_secs_f64();
        println!("reading {count} entries in pages: {rate:.0}/s");
        let started = Instant::now();
        for _ in 0..1_000 {
            let page = logs
                .page(caller, RoomRef::Id(room), Range::Last, Some(50))
                .await
                .unwrap();
            assert_eq!(page.items.len(), 50);
        }
        println!("the last 50 entries: {:?}", started.elapsed() / 1_000);
        let started = Instant::now();
        let verified = wharf_core::log::verify(self.wharf.db()).await.unwrap();
        assert_eq!(verified.faults, []);
        let rate = verified.entries as f64 / started.elapsed().as_secs_f64();
        println!("verifying {} entries: {rate:.0}/s", verified.entries);
    }
}

/// Appends until the time is over, and returns how long each answer took.
async fn sender_task(
    wharf: Wharf,
    caller: Caller,
    device: DeviceId,
    room: RoomId,
    batch: u64,
    until: Instant,
) -> Vec<Duration> {
    let draft = Draft::Text(Text {
        text: "x".repeat(100),
        ..Text::default()
    });
    let mut number = 0;
    let mut waits = Vec::new();
    while Instant::now() < until {
        let items = (1..=batch)
            .map(|index| Sending {
                number: number + index,
                room,
                draft: draft.clone(),
                client_ms: Some(1),
            })
            .collect();
        number += batch;
        let asked = Instant::now();
        let outcomes = wharf.logs().append_batch(&caller, device, items).await;
        waits.push(asked.elapsed());
        let is_appended = |outcome| matches!(outcome, &AppendOutcome::Appended(_));
        assert!(outcomes.iter().all(is_appended), "{outcomes:?}");
    }
    waits
}
