//! Files that come down.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;
use wharf_client::progress::Progress;
use wharf_client::transfer::{GetOptions, OnDifferent, run_task};
use wharf_client::{Api, Clock, NewTask, Room as Named, TaskKind, TaskStore};
use wharf_types::RoomId;
use wharf_types::api::drive::At;
use wharf_types::api::log::File;

use super::{Fetching, Login};
use crate::tui::model::{Moving, MovingState};

/// Names that are tried beside one that is taken.
const NAMES_TRIED_MAX: u32 = 1000;

/// Fetches a file as a task that another process could continue, and says where it is.
pub(super) async fn fetched(
    api: &Api,
    login: &Login,
    fetches: &Mutex<Vec<Fetching>>,
    (room, file): (RoomId, &File),
    target: &Path,
) -> anyhow::Result<PathBuf> {
    let node = api.node(Named::Id(room), &At::Id(file.node)).await?;
    let target = free_place(target, &file.name)?;
    let store = TaskStore::open(&login.transfers, Clock::system())?;
    let task = store.submit(&NewTask {
        server: login.server.clone(),
        login: login.username.clone(),
        room: Named::Id(room),
        kind: TaskKind::Get {
            source: node.path,
            target: target.clone(),
            options: GetOptions {
                on_different: OnDifferent::Keep,
                revision: Some(file.revision),
                ..GetOptions::default()
            },
        },
    })?;
    let progress = Arc::new(Progress::default());
    let stop = CancellationToken::new();
    fetches.lock().push(Fetching {
        moving: Moving {
            id: task.id,
            room,
            node: file.node,
            name: file.name.clone(),
            done_bytes: 0,
            total_bytes: file.bytes,
            state: MovingState::Running,
        },
        progress: Arc::clone(&progress),
        stop: stop.clone(),
    });
    let ran = run_task(api, &store, task.id, &progress, &stop).await;
    let outcome = match ran {
        Err(error) => Err(error.into()),
        Ok(ran) => match (ran.error, ran.report) {
            (Some(error), _) => Err(error.into()),
            (None, Some(report)) if report.is_complete() => Ok(target),
            (None, Some(report)) => {
                let why = report.notices.first().map(|notice| notice.detail.clone());
                Err(anyhow::anyhow!(
                    why.unwrap_or_else(|| "not all of it came".to_owned())
                ))
            }
            (None, None) => Err(anyhow::anyhow!(
                "stopped; `wharf transfers resume {}` continues it",
                task.id
            )),
        },
    };
    for fetching in fetches.lock().iter_mut() {
        if fetching.moving.id == task.id {
            fetching.moving.state = match &outcome {
                Ok(place) => MovingState::Done(place.clone()),
                Err(error) => MovingState::Failed(format!("{error:#}")),
            };
        }
    }
    outcome
}

/// The place that was asked for; in it, where it is a folder; with a number, where it is taken.
fn free_place(target: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let target = if target.is_dir() {
        target.join(
            Path::new(name)
                .file_name()
                .unwrap_or_else(|| "file".as_ref()),
        )
    } else {
        target.to_owned()
    };
    if let Some(parent) = target.parent() {
        std::fs::create_dir_all(parent)?;
    }
    if !target.try_exists()? {
        return Ok(target);
    }
    let stem = target
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let ending = target.extension().map_or_else(String::new, |ending| {
        format!(".{}", ending.to_string_lossy())
    });
    for number in 2..NAMES_TRIED_MAX {
        let place = target.with_file_name(format!("{stem} ({number}){ending}"));
        if !place.try_exists()? {
            return Ok(place);
        }
    }
    anyhow::bail!(
        "{} and a thousand names beside it are taken",
        target.display()
    )
}
