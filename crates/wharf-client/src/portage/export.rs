//! Taking an account's things out of a server.

use std::collections::BTreeSet;
use std::path::Path;

use wharf_types::ChunkHash;
use wharf_types::api::portage::{ExportQuery, Record};
use wharf_wire::frame::{Absence, Answer};

use super::archive::{Folder, State, chunks_of};
use super::{FORMAT, PortageError, Summary};
use crate::api::Api;
use crate::clock::Clock;
use crate::error::Error;
use crate::progress::{Phase, Progress};
use crate::transfer::{blocking, fetch};

/// Chunks that are fetched at once.
const CHUNKS_AT_ONCE: usize = 16;
/// How often chunks are fetched that do not match their hash.
const ATTEMPTS_MAX: u32 = 4;

/// Writes the caller's archive into a folder; one that was interrupted goes on.
///
/// # Errors
/// When the folder holds something else, or the archive of another account.
pub async fn export(
    api: &Api,
    path: &Path,
    clock: &Clock,
    progress: &Progress,
) -> Result<Summary, PortageError> {
    let folder = Folder::for_export(path)?;
    let server = api.connections().server().to_string();
    let username = api.account().await?.username;
    if let Some(summary) = folder.summary()? {
        let what = format!(
            "is an archive of {} on {} already: name another folder",
            summary.username, summary.server
        );
        return Err(PortageError::NotWhole {
            path: path.to_owned(),
            what,
        });
    }
    let mut state = match folder.state()? {
        Some(state) if state.server == server && state.username == username => state,
        Some(other) => {
            let what = format!(
                "has an export of {} on {} that is not whole",
                other.username, other.server
            );
            return Err(PortageError::NotWhole {
                path: path.to_owned(),
                what,
            });
        }
        None => State {
            server,
            username,
            at_ms: clock.now_ms(),
            ..State::default()
        },
    };
    progress.enter(Phase::Moving);
    loop {
        let query = ExportQuery {
            after: state.after.clone(),
        };
        let page = api.export(&query).await?;
        if !page.records.is_empty() {
            take(api, &folder, state.pages + 1, &page.records, progress).await?;
            state.pages += 1;
            state.counts.add(&page.records);
        }
        state.after = page.next;
        if state.after.is_none() {
            break;
        }
        let (folder, state) = (folder.clone(), state.clone());
        blocking(move || folder.keep(&state)).await??;
    }
    progress.enter(Phase::Syncing);
    let summary = blocking(move || finish(&folder, state)).await??;
    progress.enter(Phase::Done);
    Ok(summary)
}

fn finish(folder: &Folder, state: State) -> Result<Summary, PortageError> {
    folder.keep(&state)?;
    let summary = Summary {
        format: FORMAT,
        server: state.server,
        username: state.username,
        at_ms: state.at_ms,
        pages: state.pages,
        counts: state.counts,
        records_hash: folder.records_hash(state.pages)?,
    };
    folder.finish(&summary)?;
    Ok(summary)
}

/// Writes a page of records and the chunks that it names.
async fn take(
    api: &Api,
    folder: &Folder,
    page: u64,
    records: &[Record],
    progress: &Progress,
) -> Result<(), PortageError> {
    let hashes = chunks_of(records).map_err(|error| {
        Error::Invalid(format!(
            "the server sent a list of chunks that is none: {error}"
        ))
    })?;
    let missing = {
        let folder = folder.clone();
        blocking(move || absent(&folder, hashes)).await??
    };
    progress.found(missing.len() as u64, 0);
    for batch in missing.chunks(CHUNKS_AT_ONCE) {
        bring(api, folder, batch, progress).await?;
        progress.files_done(batch.len() as u64);
    }
    let (folder, records) = (folder.clone(), records.to_vec());
    blocking(move || folder.put_records(page, &records)).await?
}

fn absent(folder: &Folder, hashes: BTreeSet<ChunkHash>) -> Result<Vec<ChunkHash>, PortageError> {
    let mut missing = Vec::new();
    for hash in hashes {
        if !folder.has_chunk(&hash)? {
            missing.push(hash);
        }
    }
    Ok(missing)
}

/// Fetches chunks, verifies and writes them.
async fn bring(
    api: &Api,
    folder: &Folder,
    hashes: &[ChunkHash],
    progress: &Progress,
) -> Result<(), PortageError> {
    let mut wanted = hashes.to_vec();
    for _ in 0..ATTEMPTS_MAX {
        let answers = fetch(api, &wanted, progress).await?;
        let folder = folder.clone();
        let bytes;
        (wanted, bytes) = blocking(move || write(&folder, answers)).await??;
        progress.found(0, bytes);
        progress.bytes_done(bytes);
        if wanted.is_empty() {
            return Ok(());
        }
    }
    Err(Error::Damaged.into())
}

/// Writes what is what its hash names, and returns what is not, and how many bytes were written.
fn write(folder: &Folder, answers: Vec<Answer>) -> Result<(Vec<ChunkHash>, u64), PortageError> {
    let mut wrong = Vec::new();
    let mut bytes = 0;
    for answer in answers {
        match answer {
            Answer::Chunk(frame) if frame.open().is_ok() => {
                folder.put_chunk(&frame)?;
                bytes += u64::from(frame.header.bytes);
            }
            Answer::Chunk(frame) => wrong.push(frame.header.hash),
            Answer::Absent {
                hash,
                absence: Absence::Corrupt,
            } => {
                let what =
                    format!("chunk {hash} is damaged on the server, and no good copy is left");
                return Err(Error::Invalid(what).into());
            }
            Answer::Absent {
                hash,
                absence: Absence::Missing,
            } => {
                let what = format!("chunk {hash} is missing on the server");
                return Err(Error::Invalid(what).into());
            }
        }
    }
    Ok((wrong, bytes))
}
