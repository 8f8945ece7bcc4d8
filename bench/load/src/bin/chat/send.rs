//! Messages and their acknowledgements.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::line::{Event, Line, body};
use crate::year::Words;
use crate::{Place, Target};
use load::sum::{percentiles, round};

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Senders, each with a connection and a room of its own.
    #[arg(long, default_value_t = 64)]
    clients: usize,
    /// Messages that a sender has on the way.
    #[arg(long, default_value_t = 1)]
    window: usize,
    /// How long.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Messages a second of all senders together; as many as they can where it is missing.
    #[arg(long)]
    rate: Option<u32>,
    /// All senders in one room.
    #[arg(long)]
    together: bool,
    /// Texts of words as people write them, which a search has to index, in place of one long word.
    #[arg(long)]
    sentences: bool,
}

pub(crate) async fn run(target: Target, options: Options) -> Result<Value> {
    let mut lines = Vec::new();
    for number in 0..options.clients {
        let place = if options.together {
            Place::Common
        } else {
            Place::Own(number)
        };
        lines.push(target.connect(number, place).await?);
    }
    let start = Instant::now();
    let end = start + Duration::from_secs(options.seconds);
    let gap = options
        .rate
        .map(|rate| Duration::from_secs_f64(options.clients as f64 / f64::from(rate)));
    let mut senders = JoinSet::new();
    for (number, line) in lines.into_iter().enumerate() {
        let offset = gap.map_or(Duration::ZERO, |gap| {
            gap.mul_f64(number as f64 / options.clients as f64)
        });
        let words = options.sentences.then(|| Words::new(number as u64));
        let pace = Pace {
            window: options.window,
            gap,
            start: start + offset,
            end,
        };
        senders.spawn(send(line, words, pace));
    }
    let mut times = Vec::new();
    while let Some(done) = senders.join_next().await {
        times.extend(done??);
    }
    let seconds = start.elapsed().as_secs_f64();
    Ok(json!({
        "acknowledged": times.len(),
        "acknowledged_per_second": round(times.len() as f64 / seconds),
        "send_to_acknowledgement": percentiles(times),
    }))
}

/// When one sender sends: until `end`, `window` at once or one each `gap`.
struct Pace {
    window: usize,
    gap: Option<Duration>,
    start: Instant,
    end: Instant,
}

/// Sends and returns the time that each acknowledgement took.
async fn send(mut line: Line, mut words: Option<Words>, pace: Pace) -> Result<Vec<u64>> {
    let Pace {
        window,
        gap,
        start,
        end,
    } = pace;
    let mut on_the_way = VecDeque::new();
    let mut times = Vec::new();
    let mut due = start;
    let mut number = 0;
    loop {
        let now = Instant::now();
        if now < end {
            let may_send = match gap {
                None => on_the_way.len() < window,
                Some(_) => now >= due,
            };
            if may_send {
                // With a rate, what waits for its turn counts as on the way: a stall is not hidden.
                on_the_way.push_back(gap.map_or(now, |_| due));
                if let Some(gap) = gap {
                    due += gap;
                }
                number += 1;
                let text = match &mut words {
                    Some(words) => words.sentence(),
                    None => body(number, 0),
                };
                line.send(&text, true).await?;
                continue;
            }
        } else if on_the_way.is_empty() {
            return Ok(times);
        }
        let wait = match gap {
            Some(_) if now < end => due.min(end).saturating_duration_since(now),
            _ => Duration::from_secs(30),
        };
        match tokio::time::timeout(wait, line.next()).await {
            Ok(Ok(Event::Acknowledged)) => {
                if let Some(sent) = on_the_way.pop_front() {
                    times.push(u64::try_from(sent.elapsed().as_nanos())?);
                }
            }
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(error),
            Err(_) if gap.is_some() && now < end => {}
            Err(error) => return Err(error.into()),
        }
    }
}
