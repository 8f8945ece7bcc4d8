//! One sender to a room of many.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::line::{Event, Line, body};
use crate::{Place, Target};
use load::sum::{percentiles, round};

/// Messages whose receivers are counted at the same time, at most.
const SLOTS: u64 = 4096;
/// How long the last messages may take.
const PATIENCE: Duration = Duration::from_mins(1);

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Members who receive, each with a connection.
    #[arg(long, default_value_t = 1000)]
    members: usize,
    /// Messages that not everybody has yet.
    #[arg(long, default_value_t = 8)]
    window: usize,
    /// Messages a second, in place of a window.
    #[arg(long)]
    rate: Option<u32>,
    /// How long.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
}

struct Count {
    start: Instant,
    members: u32,
    /// How many members have each message.
    reached: Vec<AtomicU32>,
    delivered: AtomicU64,
    /// A message that everybody has gives its place back.
    places: Semaphore,
}

pub(crate) async fn run(target: Target, options: Options) -> Result<Value> {
    let mut sender = target.connect(0, Place::Common).await?;
    let mut lines = Vec::new();
    for number in 1..=options.members {
        lines.push(target.connect(number, Place::Common).await?);
    }
    let places = match options.rate {
        None => options.window,
        Some(_) => usize::try_from(SLOTS / 2)?,
    };
    let count = Arc::new(Count {
        start: Instant::now(),
        members: u32::try_from(options.members)?,
        reached: (0..SLOTS).map(|_| AtomicU32::new(0)).collect(),
        delivered: AtomicU64::new(0),
        places: Semaphore::new(places),
    });
    let (stop, stopped) = watch::channel(());
    let mut members = JoinSet::new();
    for line in lines {
        members.spawn(receive(line, Arc::clone(&count), stopped.clone()));
    }
    let sent = send(&mut sender, &count, &options).await?;
    let all = sent * options.members as u64;
    let give_up = Instant::now() + PATIENCE;
    while count.delivered.load(Ordering::Relaxed) < all && Instant::now() < give_up {
        listen(&mut sender, Duration::from_millis(2)).await?;
    }
    let seconds = count.start.elapsed().as_secs_f64();
    let delivered = count.delivered.load(Ordering::Relaxed);
    drop(stop);
    let mut times = Vec::new();
    while let Some(member) = members.join_next().await {
        times.extend(member??);
    }
    Ok(json!({
        "messages": sent,
        "delivered": delivered,
        "missing": all - delivered,
        "deliveries_per_second": round(delivered as f64 / seconds),
        "send_to_delivery": percentiles(times),
    }))
}

/// Sends until the time is over and returns how many.
async fn send(sender: &mut Line, count: &Count, options: &Options) -> Result<u64> {
    let end = Duration::from_secs(options.seconds);
    let mut sent = 0;
    while count.start.elapsed() < end {
        let place = loop {
            tokio::select! {
                place = count.places.acquire() => break place,
                heard = tokio::time::timeout(PATIENCE, sender.next()) => {
                    heard.context("a minute without a message that everybody got")??;
                }
            }
        };
        place.context("closed")?.forget();
        let mut sent_ns = u64::try_from(count.start.elapsed().as_nanos())?;
        if let Some(rate) = options.rate {
            // When it was due: a sender that is late does not hide it.
            sent_ns = sent * 1_000_000_000 / u64::from(rate);
            let due = count.start + Duration::from_nanos(sent_ns);
            listen(sender, due.saturating_duration_since(Instant::now())).await?;
        }
        sender.send(&body(sent, sent_ns), false).await?;
        sent += 1;
    }
    Ok(sent)
}

/// Reads what the sender is told, for this long.
async fn listen(sender: &mut Line, time: Duration) -> Result<()> {
    let end = Instant::now() + time;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        match tokio::time::timeout(left, sender.next()).await {
            Ok(heard) => drop(heard?),
            Err(_) => return Ok(()),
        }
    }
}

/// Receives until it is stopped; the times from sending to delivery.
async fn receive(
    mut line: Line,
    count: Arc<Count>,
    mut stopped: watch::Receiver<()>,
) -> Result<Vec<u64>> {
    let mut times = Vec::new();
    loop {
        let event = tokio::select! {
            event = line.next() => event?,
            _ = stopped.changed() => return Ok(times),
        };
        let Event::Message { number, sent_ns } = event else {
            continue;
        };
        let now_ns = u64::try_from(count.start.elapsed().as_nanos())?;
        times.push(now_ns.saturating_sub(sent_ns));
        count.delivered.fetch_add(1, Ordering::Relaxed);
        let slot = count
            .reached
            .get(usize::try_from(number % SLOTS)?)
            .context("no such slot")?;
        if slot.fetch_add(1, Ordering::AcqRel) + 1 == count.members {
            slot.store(0, Ordering::Release);
            count.places.add_permits(1);
        }
    }
}
