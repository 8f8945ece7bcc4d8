//! What changed after N, on a drive with many nodes.

use std::time::Instant;

use anyhow::{Result, ensure};
use bytes::Bytes;
use serde_json::{Value, json};
use wharf_client::{Api, Room};
use wharf_types::api::drive::{Commit, Op};
use wharf_types::limit::COMMIT_OPS_MAX;
use wharf_wire::frame::FrameWriter;

use crate::{Arguments, commit_id, one_chunk, put, quantile};

/// How many changes are asked for, and how often.
const CHANGES: usize = 100;
const QUESTIONS: usize = 500;

/// Makes the nodes, changes some, and asks for those changes again and again.
pub(crate) async fn run(arguments: &Arguments, nodes: usize) -> Result<Value> {
    let api = arguments.client(&arguments.log_in().await?).await?;
    let (frame, manifest) = one_chunk(Bytes::from_static(b"the same small content everywhere"))?;
    let mut frames = FrameWriter::default();
    frames.push(&frame);
    api.upload(frames).await?;

    let begin = Instant::now();
    for first in (0..nodes).step_by(COMMIT_OPS_MAX) {
        let ops = (first..nodes.min(first + COMMIT_OPS_MAX))
            .map(|index| {
                put(
                    format!("many/{:04}/{index}", index / 1000),
                    manifest.clone(),
                )
            })
            .collect();
        commit(&api, ops).await?;
    }
    let filled_seconds = begin.elapsed().as_secs_f64();
    let position = api.drive(Room::Home).await?.position;
    let recent = (0..CHANGES)
        .map(|index| put(format!("recent-{index}"), manifest.clone()))
        .collect();
    commit(&api, recent).await?;

    let mut times_ms = Vec::new();
    for _ in 0..QUESTIONS {
        let begin = Instant::now();
        let changes = api.changes(Room::Home, position, Some(1_000)).await?;
        times_ms.push(begin.elapsed().as_secs_f64() * 1000.0);
        ensure!(
            changes.items.len() == CHANGES,
            "{} changes came",
            changes.items.len()
        );
    }
    times_ms.sort_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let rate = nodes as f64 / filled_seconds;
    Ok(json!({
        "nodes": nodes,
        "nodes committed a second": format!("{rate:.0}"),
        "100 changes, asked and answered p50 ms": format!("{:.2}", quantile(&times_ms, 0.5)),
        "100 changes, asked and answered p99 ms": format!("{:.2}", quantile(&times_ms, 0.99)),
    }))
}

async fn commit(api: &Api, ops: Vec<Op>) -> Result<()> {
    let commit = Commit {
        id: commit_id(),
        ops,
    };
    api.commit(Room::Home, &commit).await?;
    Ok(())
}
