//! Many clients that each upload one new small file and commit it, one after another.

use std::time::{Duration, Instant};

use anyhow::Result;
use bytes::Bytes;
use rand::RngExt;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use wharf_client::{Api, Room};
use wharf_types::api::drive::Commit;
use wharf_wire::frame::FrameWriter;

use crate::{Arguments, commit_id, one_chunk, put, quantile};

/// Runs `clients` for `seconds` and counts the commits that were acknowledged.
pub(crate) async fn run(arguments: &Arguments, clients: usize, seconds: u64) -> Result<Value> {
    let token = arguments.log_in().await?;
    let end = Instant::now() + Duration::from_secs(seconds);
    let begin = Instant::now();
    let mut running = JoinSet::new();
    for index in 0..clients {
        let api = arguments.client(&token).await?;
        running.spawn(client(api, index, end));
    }
    let mut times_ms = Vec::new();
    while let Some(ended) = running.join_next().await {
        times_ms.extend(ended??);
    }
    let elapsed = begin.elapsed().as_secs_f64();
    times_ms.sort_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let rate = times_ms.len() as f64 / elapsed;
    Ok(json!({
        "clients": clients,
        "durable commits": times_ms.len(),
        "commits a second": format!("{rate:.0}"),
        "upload and commit p50 ms": format!("{:.1}", quantile(&times_ms, 0.5)),
        "upload and commit p99 ms": format!("{:.1}", quantile(&times_ms, 0.99)),
    }))
}

/// One client's files until `end`; returns the milliseconds that each took.
async fn client(api: Api, index: usize, end: Instant) -> Result<Vec<f64>> {
    let mut times_ms = Vec::new();
    while Instant::now() < end {
        let mut bytes = vec![0; rand::rng().random_range(1024..4096)];
        rand::rng().fill(bytes.as_mut_slice());
        let (frame, manifest) = one_chunk(Bytes::from(bytes))?;
        let path = format!("load/client-{index}/{}", times_ms.len());
        let begin = Instant::now();
        let mut frames = FrameWriter::default();
        frames.push(&frame);
        api.upload(frames).await?;
        let commit = Commit {
            id: commit_id(),
            ops: vec![put(path, manifest)],
        };
        api.commit(Room::Home, &commit).await?;
        times_ms.push(begin.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(times_ms)
}
