//! People who are all friends, each with a chat open with every other one, and messages in all of them at once.
//!
//! A chat is one connection, as published clients open it: it sends that person's messages to the friend and is where the
//! friend's come. The gateway leaves 50 ms between two of them, so one chat brings at most 20 a second.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use data_encoding::HEXLOWER;
use load::sum::{percentiles, round};
use load::wire::Wire;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until, timeout};
use wharf_types::api::app_password::AppDoor;
use wharf_types::api::contact::AskContact;
use wharf_wire::gateway::pychat::{LOGIN_FAIL, Number, Request};

use crate::account::{Person, Server};

/// Bytes of a message: all have as many, so that several in one read are told apart.
const TEXT_BYTES: usize = 100;
/// How long the last messages may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// For how long the gateway takes what it wrote for shown only if the connection stays.
const SETTLED: Duration = Duration::from_millis(1_200);

#[derive(clap::Args)]
pub(crate) struct Befriend {
    /// How many.
    #[arg(long, default_value_t = 36)]
    people: usize,
    /// Where to write who they are.
    #[arg(long)]
    file: PathBuf,
}

#[derive(clap::Args)]
pub(crate) struct Options {
    /// What `befriend` wrote.
    #[arg(long)]
    file: PathBuf,
    /// Messages that each chat has on the way in each direction.
    #[arg(long, default_value_t = 1)]
    window: usize,
    /// Messages a second of all chats together; as many as they can where it is missing.
    #[arg(long)]
    rate: Option<u32>,
    /// How long.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
}

/// Somebody who can log in.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Friend {
    number: u32,
    password_md5: String,
}

/// Makes people with passwords for the gateway, and makes all of them friends of each other.
pub(crate) async fn befriend(server: &Server, options: &Befriend) -> Result<Value> {
    let people = server.members(options.people).await?;
    let mut friends = Vec::new();
    for (index, person) in people.iter().enumerate() {
        for other in people.iter().take(index) {
            let ask = AskContact {
                who: other.account.number.to_string(),
                word: String::new(),
            };
            person.api.ask_contact(&ask).await?;
            other.api.accept_contact(person.account.id).await?;
        }
        friends.push(Friend::of(person).await?);
    }
    std::fs::write(&options.file, serde_json::to_vec(&friends)?)?;
    Ok(json!({ "people": friends.len() }))
}

impl Friend {
    pub(crate) async fn of(person: &Person) -> Result<Self> {
        let password = person.api.create_app_password(AppDoor::PyChat).await?;
        let password = password.password.context("no password")?;
        let md5: [u8; 16] = Md5::digest(password.as_bytes()).into();
        Ok(Self {
            number: person.account.number,
            password_md5: HEXLOWER.encode(&md5),
        })
    }

    pub(crate) const fn number(&self) -> Number {
        Number(self.number)
    }

    /// Logs in, as the first connection of a client does.
    pub(crate) async fn log_in(&self, gateway: &str) -> Result<()> {
        let mut wire = Wire::connect(gateway).await?;
        let login = Request::Login {
            who: self.number(),
            password_md5: self.password_md5.clone().into_bytes(),
        };
        wire.write(&login.encode()).await?;
        wire.fill().await?;
        ensure!(&wire.buffer[..] != LOGIN_FAIL.as_bytes(), "login refused");
        wire.end().await
    }

    /// Waits until so many people are told to be there: somebody who writes sooner is answered that the friend is away.
    async fn wait_for_others(&self, gateway: &str, count: usize) -> Result<()> {
        let who = Some(self.number());
        let request = Request::Online { who }.encode();
        let waiting = async {
            loop {
                let mut wire = Wire::connect(gateway).await?;
                wire.write(&request).await?;
                wire.fill().await?;
                let items = wire.buffer[..].split(|byte| *byte == b'|');
                if items.count() == count + 1 {
                    return wire.end().await;
                }
                sleep(Duration::from_millis(100)).await;
            }
        };
        timeout(PATIENCE, waiting)
            .await
            .context("not everybody is there")?
    }

    /// A connection that stays open for the chat with a friend.
    pub(crate) async fn chat(&self, gateway: &str, friend: Number) -> Result<Wire> {
        let mut wire = Wire::connect(gateway).await?;
        let session = Request::NewSession {
            who: self.number(),
            friend,
        };
        wire.write(&session.encode()).await?;
        Ok(wire)
    }
}

/// One direction between two people.
struct Way {
    from: Number,
    to: Number,
    /// Messages that may be sent: one that has come gives its place back.
    places: Semaphore,
    sent: AtomicU64,
}

/// What all chats share.
struct Run {
    /// Tells this run's messages from those of one before.
    mark: u32,
    start: Instant,
    end: Instant,
    gap: Option<Duration>,
}

pub(crate) async fn run(gateway: &str, options: Options) -> Result<Value> {
    let friends: Vec<Friend> = serde_json::from_slice(&std::fs::read(&options.file)?)?;
    for friend in &friends {
        friend.log_in(gateway).await?;
    }
    let count = friends.len();
    for friend in &friends {
        friend.wait_for_others(gateway, count).await?;
    }
    let ways: Vec<Arc<Way>> = (0..count * count)
        .filter_map(|pair| {
            let (from, to) = (friends.get(pair / count)?, friends.get(pair % count)?);
            Some(Arc::new(Way {
                from: from.number(),
                to: to.number(),
                places: Semaphore::new(options.window),
                sent: AtomicU64::new(0),
            }))
        })
        .collect();
    let mut wires = Vec::new();
    for way in ways.iter().filter(|way| way.from != way.to) {
        let friend = friends.iter().find(|friend| friend.number() == way.from);
        let friend = friend.context("nobody has this number")?;
        wires.push(friend.chat(gateway, way.to).await?);
    }
    // The gateway answers nothing to an opened chat.
    sleep(Duration::from_millis(500)).await;
    let start = Instant::now();
    let chats = wires.len();
    let gap = options
        .rate
        .map(|rate| Duration::from_secs_f64(chats as f64 / f64::from(rate)));
    let run = Arc::new(Run {
        mark: rand::random(),
        start,
        end: start + Duration::from_secs(options.seconds),
        gap,
    });
    let mut talking = JoinSet::new();
    let open = (0..count * count).filter(|pair| pair / count != pair % count);
    for (place, (pair, wire)) in open.zip(wires).enumerate() {
        let (there, back) = (pair, (pair % count) * count + pair / count);
        let (Some(there), Some(back)) = (ways.get(there), ways.get(back)) else {
            bail!("a chat without its other direction");
        };
        let offset = gap.unwrap_or_default().mul_f64(place as f64 / chats as f64);
        let (there, back) = (Arc::clone(there), Arc::clone(back));
        talking.spawn(talk(wire, there, back, Arc::clone(&run), offset));
    }
    let mut times = Vec::new();
    let (mut last, mut missing) = (start, 0);
    while let Some(talked) = talking.join_next().await {
        let talked = talked??;
        times.extend(talked.times);
        last = last.max(talked.last);
        missing += talked.missing;
    }
    let seconds = last.duration_since(start).as_secs_f64();
    Ok(json!({
        "chats": chats,
        "delivered": times.len(),
        "missing": missing,
        "delivered_per_second": round(times.len() as f64 / seconds),
        "send_to_delivery": percentiles(times),
    }))
}

/// What came of a chat.
struct Talked {
    /// How long each message took.
    times: Vec<u64>,
    /// When the last one came.
    last: Instant,
    missing: u64,
}

/// One chat: sends `there` until the time is over, and takes what comes `back` until everything has come.
async fn talk(
    mut wire: Wire,
    there: Arc<Way>,
    back: Arc<Way>,
    run: Arc<Run>,
    offset: Duration,
) -> Result<Talked> {
    let mut times = Vec::new();
    let mut last = run.start;
    let mut due = run.start + offset;
    let mut is_done = false;
    loop {
        tokio::select! {
            () = sleep_until(run.end.into()), if !is_done => is_done = true,
            () = may_send(&there, due, run.gap), if !is_done => {
                let number = there.sent.fetch_add(1, Ordering::Relaxed);
                // With a rate, what waits for its turn counts as on the way: a stall is not hidden.
                let sent = run.gap.map_or_else(Instant::now, |_| due);
                if let Some(gap) = run.gap {
                    due += gap;
                }
                wire.write(&message(&there, &run, number, sent)?).await?;
            }
            filled = wire.fill() => {
                filled?;
                while wire.buffer.len() >= TEXT_BYTES {
                    let text = wire.buffer.split_to(TEXT_BYTES);
                    let expected = times.len() as u64;
                    if let Some(time_ns) = heard(&text, &run, expected)? {
                        times.push(time_ns);
                        last = Instant::now();
                        back.places.add_permits(1);
                    }
                }
            }
            () = all_came(&back, times.len(), &run), if is_done => break,
        }
    }
    // So that what has come counts as shown, and is not shown to the next run.
    sleep(SETTLED).await;
    wire.end().await?;
    let missing = back.sent.load(Ordering::Relaxed) - times.len() as u64;
    Ok(Talked {
        times,
        last,
        missing,
    })
}

/// Waits for a place among those on the way, or for the next turn.
async fn may_send(way: &Way, due: Instant, gap: Option<Duration>) {
    if gap.is_some() {
        sleep_until(due.into()).await;
    } else if let Ok(place) = way.places.acquire().await {
        place.forget();
    }
}

/// Waits until everything that was sent has come.
async fn all_came(back: &Way, came: usize, run: &Run) {
    let waiting = async {
        // The other end may still send until then.
        sleep_until((run.end + Duration::from_millis(20)).into()).await;
        while back.sent.load(Ordering::Relaxed) > came as u64 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    drop(timeout(PATIENCE, waiting).await);
}

fn message(way: &Way, run: &Run, number: u64, sent: Instant) -> Result<[u8; 350]> {
    let sent_ns = u64::try_from(sent.duration_since(run.start).as_nanos())?;
    let text = format!("{:08x} {number:010} {sent_ns:020} ", run.mark);
    let message = Request::Message {
        who: way.from,
        friend: way.to,
        text: format!("{text:x<TEXT_BYTES$}").into_bytes(),
    };
    Ok(message.encode())
}

/// Reads a message of this run, which must be the next one, and says how long it took. Others are passed over.
fn heard(text: &[u8], run: &Run, expected: u64) -> Result<Option<u64>> {
    let text = String::from_utf8_lossy(text);
    let mut words = text.split(' ');
    let mark = words
        .next()
        .and_then(|word| u32::from_str_radix(word, 16).ok());
    let number: Option<u64> = words.next().and_then(|word| word.parse().ok());
    let sent_ns: Option<u64> = words.next().and_then(|word| word.parse().ok());
    let (Some(mark), Some(number), Some(sent_ns)) = (mark, number, sent_ns) else {
        bail!("no message of ours: {text}");
    };
    if mark != run.mark {
        return Ok(None);
    }
    ensure!(
        number == expected,
        "message {number} came where {expected} was the next one"
    );
    let now_ns = u64::try_from(run.start.elapsed().as_nanos())?;
    Ok(Some(now_ns.saturating_sub(sent_ns)))
}
