//! Measures the search by itself: `cargo run --release -p wharf-core --example search_speed [sqlite|postgres] [MESSAGES] [ROOMS]`.
//!
//! One person in ROOMS rooms of very different sizes, with MESSAGES messages in them, of words that are as unevenly common as
//! those of a language; some are Chinese. Then how long indexing them takes, and searches of several kinds, each
//! with words drawn at random, one after another.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement for people, which reads the time and stops at its first surprise"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use wharf_core::{Caller, Clock, HouseConfig, MessageLimits, Origin, Random, Wharf};
use wharf_store::blob::MemoryBlob;
use wharf_testkit::db::{Engine, TestDb};
use wharf_types::api::account::Signup;
use wharf_types::api::live::Sending;
use wharf_types::api::log::{AppendOutcome, Draft, Text};
use wharf_types::api::room::CreateRoom;
use wharf_types::api::search::SearchQuery;
use wharf_types::{DeviceId, RoomId};

const WORDS: u32 = 50_000;
const WORDS_PER_MESSAGE: u32 = 12;
const BATCH: usize = 256;
const SEARCHES: usize = 200;

/// Draws numbers, small ones more often: the n-th in proportion to 1/n.
struct Draw(Random);

impl Draw {
    fn below(&self, bound: u32) -> u32 {
        // The logarithm of such numbers is spread evenly.
        let even = f64::from(self.0.below(1 << 30)) / f64::from(1_u32 << 30);
        let number = f64::from(bound).powf(even) - 1.0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between 0 and the bound"
        )]
        let number = number as u32;
        number.min(bound - 1)
    }

    /// A word of a made-up language: the number in syllables.
    fn word(&self) -> String {
        word(self.below(WORDS))
    }

    /// A rare word.
    fn rare(&self) -> String {
        word(WORDS / 2 + self.0.below(WORDS / 2))
    }

    fn chinese(&self) -> String {
        let char = |_| char::from_u32(0x4e00 + self.below(3_000)).unwrap();
        (0..12).map(char).collect()
    }

    fn message(&self) -> String {
        if self.0.below(20) == 0 {
            return self.chinese();
        }
        let words: Vec<String> = (0..WORDS_PER_MESSAGE).map(|_| self.word()).collect();
        words.join(" ")
    }
}

fn word(mut number: u32) -> String {
    const SYLLABLES: [&str; 16] = [
        "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu",
        "wa",
    ];
    let mut word = String::new();
    loop {
        word.push_str(SYLLABLES[(number % 16) as usize]);
        number /= 16;
        if number == 0 {
            return word;
        }
    }
}

struct Bench {
    wharf: Wharf,
    me: Caller,
    clock: Clock,
    draw: Draw,
    rooms: Vec<RoomId>,
}

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    let engine = match args.next().as_deref() {
        Some("postgres") => Engine::Postgres,
        _ => Engine::Sqlite,
    };
    let messages: usize = args
        .next()
        .map_or(1_000_000, |count| count.parse().unwrap());
    let rooms: u32 = args.next().map_or(200, |count| count.parse().unwrap());
    let db = tokio::task::spawn_blocking(move || TestDb::open(engine))
        .await
        .unwrap();
    let bench = Bench::open(&db, rooms).await;
    let began = Instant::now();
    bench.fill(messages).await;
    report("appended", messages, began.elapsed());
    let began = Instant::now();
    bench.wharf.search().catch_up().await.unwrap();
    report("indexed", messages, began.elapsed());
    bench.measure().await;
}

fn report(what: &str, count: usize, took: Duration) {
    let rate = count as u128 * 1_000 / took.as_millis().max(1);
    println!(
        "{what} {count} messages in {:.1} s, {rate} a second",
        took.as_secs_f32()
    );
}

impl Bench {
    async fn open(db: &TestDb, room_count: u32) -> Self {
        let limit = 1_000_000_000;
        let config = HouseConfig {
            messages: MessageLimits {
                account_burst: limit,
                account_per_minute: limit,
                address_burst: limit,
                address_per_minute: limit,
            },
            ..HouseConfig::default()
        };
        let clock = Clock::manual(1_767_225_600_000);
        let blob = Arc::new(MemoryBlob::default());
        let wharf = Wharf::open(
            config,
            (**db).clone(),
            blob,
            clock.clone(),
            Random::seeded(1),
        )
        .await
        .unwrap();
        let origin = Origin::http([127, 0, 0, 1].into());
        let signup = Signup {
            username: "bench".into(),
            password: "a password".into(),
            email: None,
            nickname: None,
            code: wharf.accounts().setup_code(),
            device: None,
        };
        let login = wharf.accounts().signup(signup, origin).await.unwrap();
        let me = wharf
            .accounts()
            .authenticate(&login.token, origin)
            .await
            .unwrap();
        let mut rooms = Vec::new();
        for number in 0..room_count {
            let request = CreateRoom {
                name: format!("Room {number}"),
                ..CreateRoom::default()
            };
            rooms.push(wharf.rooms().create(&me, request).await.unwrap().id);
        }
        Self {
            wharf,
            me,
            clock,
            draw: Draw(Random::seeded(2)),
            rooms,
        }
    }

    async fn fill(&self, messages: usize) {
        let device = DeviceId::from_bytes([1; 16]);
        let room_count = u32::try_from(self.rooms.len()).unwrap();
        let mut number = 0;
        while number < messages {
            let count = BATCH.min(messages - number);
            let items: Vec<Sending> = (1..=count)
                .map(|index| Sending {
                    number: (number + index) as u64,
                    room: self.rooms[self.draw.below(room_count) as usize],
                    draft: Draft::Text(Text {
                        text: self.draw.message(),
                        ..Text::default()
                    }),
                    client_ms: None,
                })
                .collect();
            let outcomes = self
                .wharf
                .logs()
                .append_batch(&self.me, device, items)
                .await;
            assert!(
                outcomes
                    .iter()
                    .all(|outcome| matches!(outcome, AppendOutcome::Appended(_)))
            );
            number += count;
            // A million of them in about a year.
            self.clock
                .advance_ms(u32::try_from(count).unwrap() * 30_000);
        }
    }

    async fn measure(&self) {
        let mut all = Vec::new();
        for (what, make) in KINDS {
            let mut took = Vec::with_capacity(SEARCHES);
            let mut hits = 0;
            for _ in 0..SEARCHES {
                let query = SearchQuery {
                    q: make(&self.draw),
                    ..SearchQuery::default()
                };
                let began = Instant::now();
                let found = self.wharf.search().find(&self.me, query).await.unwrap();
                took.push(began.elapsed());
                hits += found.items.len();
            }
            all.extend_from_slice(&took);
            print_times(what, &mut took, hits);
        }
        print_times("all of these", &mut all, 0);
    }
}

type Make = fn(&Draw) -> String;

const KINDS: [(&str, Make); 11] = [
    ("a common word", |draw| word(draw.below(20))),
    ("any word", Draw::word),
    ("a rare word", Draw::rare),
    ("a word that is nowhere", |draw| format!("{}x", draw.rare())),
    ("two common words", |draw| {
        format!("{} {}", word(draw.below(50)), word(draw.below(50)))
    }),
    ("a common and a rare word", |draw| {
        format!("{} {}", word(draw.below(20)), draw.rare())
    }),
    ("two words in this order", |draw| {
        format!("\"{} {}\"", word(draw.below(100)), word(draw.below(100)))
    }),
    ("the beginning of a word", |draw| {
        format!("{}*", word(256 + draw.0.below(1_000)))
    }),
    ("two Chinese characters", |draw| {
        draw.chinese().chars().take(2).collect()
    }),
    ("a common word before a day", |draw| {
        format!(
            "{} before:2026-0{}-11",
            word(draw.below(20)),
            2 + draw.0.below(8)
        )
    }),
    ("a word from somebody in a room", |draw| {
        format!(
            "{} from:me in:\"room {}\"",
            word(draw.below(100)),
            draw.0.below(100)
        )
    }),
];

fn print_times(what: &str, took: &mut [Duration], hits: usize) {
    took.sort_unstable();
    let at = |percent: usize| took[(took.len() - 1) * percent / 100].as_secs_f64() * 1_000.0;
    println!(
        "{what:32} p50 {:7.2} ms   p95 {:7.2} ms   p99 {:7.2} ms   worst {:7.2} ms   {hits} hits",
        at(50),
        at(95),
        at(99),
        at(100)
    );
}
