//! Connections that do nothing, and connections that all come back at once.

use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::task::JoinSet;

use crate::line::Line;
use crate::{Place, Target};
use load::sum::{percentiles, round};

#[derive(clap::Args)]
pub(crate) struct Hold {
    /// How many.
    #[arg(long, default_value_t = 10_000)]
    connections: usize,
}

#[derive(clap::Args)]
pub(crate) struct Reconnect {
    /// How many.
    #[arg(long, default_value_t = 10_000)]
    connections: usize,
}

/// Connections under way at once while they are first made.
const AT_ONCE: usize = 64;

/// Holds connections, answering the server's pings, until the standard input ends.
pub(crate) async fn hold(target: Target, options: Hold) -> Result<Value> {
    let start = Instant::now();
    let lines = connect(&target, options.connections, AT_ONCE).await?.0;
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{}",
        json!({ "connected": lines.len(), "seconds": round(seconds) })
    );
    let mut readers = JoinSet::new();
    for mut line in lines {
        readers.spawn(async move {
            loop {
                if let Err(error) = line.next().await {
                    return error;
                }
            }
        });
    }
    let mut rest = Vec::new();
    tokio::io::stdin().read_to_end(&mut rest).await?;
    let mut lost = 0;
    while readers.try_join_next().is_some() {
        lost += 1;
    }
    Ok(json!({ "lost": lost }))
}

/// Makes connections, breaks them all, and makes them again as fast as both ends can.
pub(crate) async fn reconnect(target: Target, options: Reconnect) -> Result<Value> {
    drop(connect(&target, options.connections, AT_ONCE).await?);
    let start = Instant::now();
    let (lines, times) = connect(&target, options.connections, options.connections).await?;
    Ok(json!({
        "connections": lines.len(),
        "all_live_after_seconds": round(start.elapsed().as_secs_f64()),
        "one_live_after": percentiles(times),
    }))
}

/// Connections, and how long each took.
async fn connect(target: &Target, count: usize, at_once: usize) -> Result<(Vec<Line>, Vec<u64>)> {
    let (mut lines, mut times) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let mut connecting = JoinSet::new();
    for number in 0..count {
        while connecting.len() >= at_once {
            take(&mut connecting, &mut lines, &mut times).await?;
        }
        let target = target.clone();
        connecting.spawn(async move {
            let start = Instant::now();
            let line = target.connect(number, Place::Own(number % 1000)).await?;
            Ok((line, u64::try_from(start.elapsed().as_nanos())?))
        });
    }
    while !connecting.is_empty() {
        take(&mut connecting, &mut lines, &mut times).await?;
    }
    Ok((lines, times))
}

async fn take(
    connecting: &mut JoinSet<Result<(Line, u64)>>,
    lines: &mut Vec<Line>,
    times: &mut Vec<u64>,
) -> Result<()> {
    let (line, time_ns) = connecting
        .join_next()
        .await
        .context("nothing under way")??
        .context("a connection failed")?;
    lines.push(line);
    times.push(time_ns);
    Ok(())
}
