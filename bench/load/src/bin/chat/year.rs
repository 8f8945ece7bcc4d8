//! For Wharf: a device that was away for a year, and search in what was written meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use wharf_types::RoomId;
use wharf_types::api::live::{Hello, KnownHead};
use wharf_types::api::room::{CreateRoom, Room};
use wharf_types::api::search::SearchQuery;

use crate::Target;
use crate::line::Event;
use crate::people::{Person, api, join, link};
use crate::wharf::Wharf;
use load::sum::{percentiles, round};

/// The word that stands in the last entry alone.
const LAST_WORD: &str = "zanzibar";
/// Entries on the way at once, in each of the rooms that are filled at the same time.
const WINDOW: usize = 128;
/// Rooms that are filled at the same time.
const AT_ONCE: usize = 8;
/// How many words there are to write with.
const WORDS: u32 = 20_000;

#[derive(clap::Args)]
pub(crate) struct Catchup {
    /// How many rooms the two are in.
    #[arg(long, default_value_t = 500)]
    rooms: usize,
    /// Entries that one of them writes while the other is away.
    #[arg(long, default_value_t = 1_000_000)]
    entries: usize,
    /// How often the device comes back.
    #[arg(long, default_value_t = 20)]
    times: usize,
}

#[derive(clap::Args)]
pub(crate) struct SearchOptions {
    /// How many searches of each kind.
    #[arg(long, default_value_t = 50)]
    searches: usize,
    /// How many rooms `catchup` made.
    #[arg(long, default_value_t = 500)]
    rooms: usize,
}

/// Fills rooms while a device is away, and lets it come back.
pub(crate) async fn catch_up(target: &Target, options: &Catchup) -> Result<Value> {
    let people = target.people.as_ref().context("--people is missing")?;
    let (writer, away) = (people.person(0)?, people.person(1)?);
    let rooms = make_rooms(target, writer, away, options.rooms).await?;
    let known = known_heads(target, away).await?;
    let start = Instant::now();
    let each = options.entries / options.rooms;
    let mut filling = JoinSet::new();
    for (number, room) in rooms.iter().enumerate() {
        if filling.len() >= AT_ONCE {
            filling.join_next().await.context("nothing under way")???;
        }
        let (address, token) = (Arc::clone(&target.address), writer.token.clone());
        let room = *room;
        let is_last = number + 1 == rooms.len();
        filling.spawn(async move {
            let words = Words::new(number as u64);
            // What the others write meanwhile is not wanted.
            let hello = Hello {
                entries: false,
                ..Wharf::hello()
            };
            let line = Wharf::connect_with(&address, &token, room, &hello).await?;
            fill(line, words, each, is_last).await
        });
    }
    while let Some(filled) = filling.join_next().await {
        filled??;
    }
    let seconds = start.elapsed().as_secs_f64();
    let (mut times, mut bytes) = (Vec::new(), 0);
    for _ in 0..options.times {
        let hello = Hello {
            rooms: known.heads.clone(),
            account_version: known.version,
            epoch: Some(known.epoch.clone()),
            ..Wharf::hello()
        };
        let start = Instant::now();
        let line = Wharf::connect_with(&target.address, &away.token, rooms[0], &hello).await?;
        times.push(u64::try_from(start.elapsed().as_nanos())?);
        bytes = line.greeting_bytes;
    }
    Ok(json!({
        "rooms": rooms.len(),
        "entries": each * rooms.len(),
        "written_per_second": round((each * rooms.len()) as f64 / seconds),
        "connect_to_ready": percentiles(times),
        "greeting_bytes": bytes,
    }))
}

/// Searches of several kinds, one after the other, by the one who was away.
pub(crate) async fn search(target: &Target, options: &SearchOptions) -> Result<Value> {
    let people = target.people.as_ref().context("--people is missing")?;
    let api = api(&target.address, &people.person(1)?.token).await?;
    let find = async |q: String| {
        let query = SearchQuery {
            q,
            ..SearchQuery::default()
        };
        let start = Instant::now();
        let found = api.search(&query).await?;
        anyhow::Ok((
            u64::try_from(start.elapsed().as_nanos())?,
            found.items.len(),
        ))
    };
    let start = Instant::now();
    while find(LAST_WORD.to_owned()).await?.1 == 0 {
        if start.elapsed() > Duration::from_mins(30) {
            bail!("the index does not catch up");
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let index_seconds = start.elapsed().as_secs_f64();
    let mut words = Words::new(u64::MAX);
    let (mut kinds, mut all) = (serde_json::Map::new(), Vec::new());
    for kind in [
        "one word",
        "two words",
        "a rare word",
        "in a room",
        "Chinese",
        "a phrase",
    ] {
        let (mut times, mut hits) = (Vec::new(), 0);
        for number in 0..options.searches {
            let q = match kind {
                "one word" => words.word(),
                "two words" => format!("{} {}", words.word(), words.word()),
                "a rare word" => spelled(WORDS - 1 - u32::try_from(number)?),
                "in a room" => format!("in:room{} {}", number % options.rooms, words.word()),
                "Chinese" => words.chinese(2),
                _ => format!("\"{} {}\"", words.word(), words.word()),
            };
            let (time_ns, count) = find(q).await?;
            times.push(time_ns);
            hits += usize::from(count > 0);
        }
        all.extend(times.iter().copied());
        let mut figures = percentiles(times);
        figures["with_hits"] = json!(hits);
        kinds.insert(kind.to_owned(), figures);
    }
    Ok(json!({
        "index_behind_seconds": round(index_seconds),
        "all_kinds": percentiles(all),
        "kinds": kinds,
    }))
}

async fn make_rooms(
    target: &Target,
    writer: &Person,
    away: &Person,
    count: usize,
) -> Result<Vec<RoomId>> {
    let writer = api(&target.address, &writer.token).await?;
    let away = api(&target.address, &away.token).await?;
    let mut rooms = Vec::new();
    for number in 0..count {
        let create = CreateRoom {
            name: format!("room{number}"),
            ..CreateRoom::default()
        };
        let room = writer.create_room(&create).await?.id;
        join(&away, &link(&writer, room).await?).await?;
        rooms.push(room);
    }
    Ok(rooms)
}

/// What a device has that is about to go away.
struct Known {
    heads: BTreeMap<RoomId, KnownHead>,
    version: u64,
    epoch: String,
}

async fn known_heads(target: &Target, away: &Person) -> Result<Known> {
    let api = api(&target.address, &away.token).await?;
    let head = |room: &Room| {
        let known = KnownHead {
            position: room.head,
            hash: room.head_hash,
        };
        (room.id, known)
    };
    Ok(Known {
        heads: api.rooms().await?.items.iter().map(head).collect(),
        version: api.account_changes(0).await?.version,
        epoch: api.server().await?.epoch,
    })
}

/// Writes `count` entries into the room of `line`.
async fn fill(mut line: Wharf, mut words: Words, count: usize, is_last: bool) -> Result<()> {
    let (mut sent, mut acknowledged) = (0, 0);
    while acknowledged < count {
        while sent < count && sent - acknowledged < WINDOW {
            sent += 1;
            let mut text = words.sentence();
            if is_last && sent == count {
                text.push(' ');
                text.push_str(LAST_WORD);
            }
            line.send(&text).await?;
        }
        if line.next().await? == Event::Acknowledged {
            acknowledged += 1;
        }
    }
    Ok(())
}

/// What people write: words of which some are common and most are rare, as in any language (Zipf's law).
pub(crate) struct Words(StdRng);

impl Words {
    pub(crate) fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    fn word(&mut self) -> String {
        let rank = f64::from(WORDS).powf(self.0.random::<f64>()) - 1.0;
        spelled(rank as u32)
    }

    /// Some of the first two thousand characters, the common ones more often.
    fn chinese(&mut self, count: usize) -> String {
        let mut character = || {
            let rank = 2000_f64.powf(self.0.random::<f64>()) as u32;
            char::from_u32(0x4e00 + rank).unwrap_or('一')
        };
        (0..count).map(|_| character()).collect()
    }

    pub(crate) fn sentence(&mut self) -> String {
        let mut text = String::new();
        if self.0.next_u32().is_multiple_of(5) {
            text.push_str(&self.chinese(12));
        }
        let count = 4 + self.0.next_u32() % 16;
        for _ in 0..count {
            text.push_str(&self.word());
            text.push(' ');
        }
        text
    }
}

/// A word for each number.
fn spelled(mut number: u32) -> String {
    const SYLLABLES: [&str; 24] = [
        "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu",
        "va", "we", "xi", "yo", "zu", "sta", "ple", "tri", "nor",
    ];
    let mut word = String::new();
    loop {
        let place = (number % 24) as usize;
        word.push_str(SYLLABLES.get(place).copied().unwrap_or("ba"));
        number /= 24;
        if number == 0 {
            return word;
        }
    }
}
