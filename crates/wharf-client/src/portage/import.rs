//! Bringing an archive into an account.

use std::path::Path;

use wharf_types::api::portage::{ImportBatch, ImportProgress, ImportedRoom, Record};
use wharf_types::{AccountId, ChunkHash, ErrorCode, ImportId};
use wharf_wire::frame::FrameWriter;

use super::archive::{Folder, chunks_of};
use super::{PortageError, Summary};
use crate::api::{Api, ApiError};
use crate::error::Error;
use crate::progress::{Phase, Progress};
use crate::transfer::blocking;

/// Chunks that are asked for at once, and bytes that go up at once.
const HASHES_AT_ONCE: usize = 4_096;
const UPLOAD_BYTES: u64 = 16 * 1024 * 1024;
/// How many uploads in a row may bring nothing.
const ATTEMPTS_MAX: u32 = 5;

/// What came of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// What was brought in.
    pub summary: Summary,
    /// What became of its rooms.
    pub rooms: Vec<ImportedRoom>,
    /// Whether it was done before, and nothing was to be done.
    pub was_done: bool,
}

/// Brings the archive in a folder into the caller's account; one that was interrupted goes on.
///
/// `round` is 0 for the archive's own import; another number brings the same archive in once more.
///
/// # Errors
/// When the folder is no whole archive, or a file of it is damaged: then nothing of the damaged page is brought in.
pub async fn import(
    api: &Api,
    path: &Path,
    round: u64,
    progress: &Progress,
) -> Result<Imported, PortageError> {
    let path = path.to_owned();
    let (folder, summary) = blocking(move || verified(&path)).await??;
    let account = api.account().await?.id;
    let id = import_id(&summary, account, round);
    let mut reached = api.import_progress(id).await?;
    let was_done = reached.is_done;
    progress.found(summary.pages, 0);
    progress.files_done(reached.number);
    progress.enter(Phase::Moving);
    while !reached.is_done {
        let number = reached.number + 1;
        if number > summary.pages {
            let what = "the archive ends before its last record".to_owned();
            return Err(folder.damaged("archive.json", what));
        }
        reached = bring(api, &folder, id, number, progress).await?;
        progress.files_done(1);
    }
    progress.enter(Phase::Done);
    Ok(Imported {
        summary,
        rooms: reached.rooms,
        was_done,
    })
}

/// The archive, when its records are what they were when it was made.
fn verified(path: &Path) -> Result<(Folder, Summary), PortageError> {
    let (folder, summary) = Folder::whole(path)?;
    if folder.records_hash(summary.pages)? != summary.records_hash {
        let what = "they are not what was exported".to_owned();
        return Err(folder.damaged("records", what));
    }
    Ok((folder, summary))
}

/// The same for the same archive, account and round, so that an import goes on wherever it is run again.
fn import_id(summary: &Summary, account: AccountId, round: u64) -> ImportId {
    let mut hasher = blake3::Hasher::new_derive_key("wharf import of an archive, version 1");
    hasher.update(account.as_bytes());
    hasher.update(&round.to_le_bytes());
    hasher.update(&summary.at_ms.to_le_bytes());
    hasher.update(summary.records_hash.as_bytes());
    let hash = hasher.finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(hash.as_bytes().first_chunk::<16>().unwrap_or(&[0; 16]));
    ImportId::from_bytes(bytes)
}

/// Brings in one page of records, after the chunks that it names.
async fn bring(
    api: &Api,
    folder: &Folder,
    import: ImportId,
    number: u64,
    progress: &Progress,
) -> Result<ImportProgress, PortageError> {
    let records: Vec<Record> = {
        let folder = folder.clone();
        let read = move || {
            let bytes = folder.records(number)?;
            folder.parse_records(number, &bytes)
        };
        blocking(read).await??
    };
    let hashes: Vec<ChunkHash> = chunks_of(&records)
        .map_err(|error| folder.damaged("records", error.to_string()))?
        .into_iter()
        .collect();
    for some in hashes.chunks(HASHES_AT_ONCE) {
        upload(api, folder, some, progress).await?;
    }
    let batch = ImportBatch {
        import,
        number,
        records,
    };
    match api.import(&batch).await {
        Ok(reached) => Ok(reached),
        // Another process of this person is bringing it in as well.
        Err(error) if error.is(ErrorCode::Stale) => Ok(api.import_progress(import).await?),
        Err(error) => Err(error.into()),
    }
}

/// Uploads those chunks that are not within the caller's reach yet.
async fn upload(
    api: &Api,
    folder: &Folder,
    hashes: &[ChunkHash],
    progress: &Progress,
) -> Result<(), PortageError> {
    let mut missing = api.missing(hashes).await?;
    let mut vain_count = 0;
    while !missing.is_empty() {
        let before = missing.len();
        let (frames, bytes) = {
            let (folder, missing) = (folder.clone(), missing.clone());
            blocking(move || pack(&folder, &missing)).await??
        };
        progress.found(0, bytes);
        progress.wire(frames.bytes());
        match api.upload(frames).await {
            Ok(_) => progress.bytes_done(bytes),
            Err(error @ ApiError::Unreachable { .. }) if vain_count + 1 == ATTEMPTS_MAX => {
                return Err(error.into());
            }
            // What arrived whole is not sent twice.
            Err(ApiError::Unreachable { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        missing = api.missing(&missing).await?;
        vain_count = if missing.len() < before {
            0
        } else {
            vain_count + 1
        };
        if vain_count >= ATTEMPTS_MAX {
            return Err(Error::Damaged.into());
        }
    }
    Ok(())
}

/// As many of the chunks as go up at once, and how many bytes they hold.
fn pack(folder: &Folder, hashes: &[ChunkHash]) -> Result<(FrameWriter, u64), PortageError> {
    let mut frames = FrameWriter::default();
    let mut bytes = 0;
    for hash in hashes {
        let frame = folder.chunk(hash)?;
        bytes += u64::from(frame.header.bytes);
        frames.push(&frame);
        if frames.bytes() >= UPLOAD_BYTES {
            break;
        }
    }
    Ok((frames, bytes))
}
