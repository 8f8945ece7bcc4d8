//! Streams: standard input onto a drive, and a file of a drive to standard output.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::task::JoinSet;
use wharf_types::ChunkHash;
use wharf_types::api::drive::{At, Commit, Expect, NodeKind, Op, OpResult};
use wharf_types::limit::CHUNK_BYTES_MAX;
use wharf_types::{ErrorCode, api};
use wharf_wire::frame::{Absence, Answer};
use wharf_wire::manifest::{self, Manifest, ManifestChunk, Span};

use super::cutting::push_sure_chunks;
use super::fetching::fetch;
use super::put::new_commit_id;
use super::sending::{Sent, blocking, joined, send};
use super::{GetStream, OnDifferent, PutStream};
use crate::error::Error;
use crate::progress::{Phase, Progress};

/// How much of the stream is read before it is cut.
const READ_BYTES: usize = 2 * CHUNK_BYTES_MAX;
/// Batches of chunks on their way up, and windows on their way down.
const BATCHES_MAX: usize = 3;
/// Bytes of one window.
const WINDOW_BYTES: u64 = 4 * 1024 * 1024;
/// How often bytes are fetched that do not match their hash.
const ATTEMPTS_MAX: u32 = 4;

pub(super) async fn put(
    put: &PutStream,
    stream: impl AsyncRead + Send + Unpin,
    progress: &Arc<Progress>,
) -> Result<OpResult, Error> {
    progress.enter(Phase::Moving);
    let expect = expect(put).await?;
    let chunks = send_stream(put, stream, progress).await?;
    let commit = Commit {
        id: new_commit_id(),
        ops: vec![Op::Put {
            path: put.target.clone(),
            manifest: manifest::to_base64(&Manifest { chunks }.pack()),
            mtime_ns: None,
            executable: put.executable,
            link: false,
            expect,
        }],
    };
    let committed = put.api.commit(put.room, &commit).await?;
    progress.enter(Phase::Done);
    if let Some(result) = committed.results.into_iter().next() {
        return Ok(result);
    }
    // The answer to the first attempt was lost, and that to a repeated one does not list results.
    let node = put
        .api
        .node(put.room, &At::Path(put.target.clone()))
        .await?;
    Ok(OpResult {
        id: node.id,
        revision: node.revision,
        case_conflicts: Vec::new(),
    })
}

/// What the place must hold when the stream has ended: what it holds now.
async fn expect(put: &PutStream) -> Result<Expect, Error> {
    match put.on_different {
        OnDifferent::Keep => return Ok(Expect::Absent),
        OnDifferent::Overwrite => return Ok(Expect::Any),
        OnDifferent::Replace => {}
    }
    match put.api.node(put.room, &At::Path(put.target.clone())).await {
        Ok(node) if node.kind == NodeKind::Folder => Err(Error::Invalid(format!(
            "{} is a folder in the drive: name a file",
            put.target
        ))),
        Ok(node) => Ok(Expect::Revision(node.revision)),
        Err(error) if error.is(ErrorCode::NotFound) => Ok(Expect::Absent),
        Err(error) => Err(error.into()),
    }
}

/// Cuts the stream and sends its chunks, a few batches at once.
async fn send_stream(
    put: &PutStream,
    mut stream: impl AsyncRead + Send + Unpin,
    progress: &Arc<Progress>,
) -> Result<Vec<ManifestChunk>, Error> {
    let mut sends: JoinSet<Result<(usize, Sent), Error>> = JoinSet::new();
    let mut sent: Vec<Vec<ManifestChunk>> = Vec::new();
    let mut carried = Bytes::new();
    let mut is_end = false;
    while !is_end {
        let mut buffer = BytesMut::with_capacity(READ_BYTES);
        buffer.extend_from_slice(&carried);
        while buffer.len() < READ_BYTES && !is_end {
            let room = (READ_BYTES - buffer.len()) as u64;
            let read = (&mut stream).take(room).read_buf(&mut buffer).await;
            is_end = read.map_err(|error| Error::local("read", "the stream", error))? == 0;
        }
        progress.found(0, (buffer.len() - carried.len()) as u64);
        let mut chunk_bytes = Vec::new();
        let cut_bytes = push_sure_chunks(&mut chunk_bytes, &buffer, is_end);
        let mut whole = buffer.freeze();
        carried = whole.split_off(cut_bytes);
        if sends.len() >= BATCHES_MAX
            && let Some(done) = sends.join_next().await
        {
            keep(&mut sent, joined(done)?)?;
        }
        let (api, progress, index) = (put.api.clone(), Arc::clone(progress), sent.len());
        sent.push(Vec::new());
        sends.spawn(async move { Ok((index, send(&api, whole, chunk_bytes, &progress).await?)) });
    }
    while let Some(done) = sends.join_next().await {
        keep(&mut sent, joined(done)?)?;
    }
    Ok(sent.concat())
}

fn keep(sent: &mut [Vec<ManifestChunk>], (index, done): (usize, Sent)) -> Result<(), Error> {
    if !done.spoiled.is_empty() {
        return Err(Error::Damaged);
    }
    if let Some(place) = sent.get_mut(index) {
        *place = done.chunks;
    }
    Ok(())
}

pub(super) async fn get(
    get: &GetStream,
    mut out: impl AsyncWrite + Send + Unpin,
    progress: &Arc<Progress>,
) -> Result<u64, Error> {
    progress.enter(Phase::Looking);
    let answer = get
        .api
        .manifest(get.room, &get.source, get.revision)
        .await?;
    let manifest = unpack(&answer)?;
    let range = get.range.clone().unwrap_or(0..answer.bytes);
    let spans = manifest.spans(range);
    let total: u64 = spans.iter().map(|span| u64::from(span.bytes)).sum();
    progress.found(1, total);
    progress.enter(Phase::Moving);
    let windows = windows(&manifest, spans);
    let mut arriving = stream::iter(windows)
        .map(|window| bring(get, window, Arc::clone(progress)))
        .buffered(BATCHES_MAX);
    while let Some(pieces) = arriving.try_next().await? {
        for piece in pieces {
            out.write_all(&piece)
                .await
                .map_err(|error| Error::local("write to", "the stream", error))?;
            progress.bytes_done(piece.len() as u64);
        }
    }
    out.flush()
        .await
        .map_err(|error| Error::local("write to", "the stream", error))?;
    progress.files_done(1);
    progress.enter(Phase::Done);
    Ok(total)
}

fn unpack(answer: &api::drive::Manifest) -> Result<Manifest, Error> {
    let unpacked =
        manifest::from_base64(&answer.manifest).and_then(|packed| Manifest::unpack(&packed));
    unpacked.map_err(|error| {
        Error::Invalid(format!(
            "the server sent a list of chunks that is none: {error}"
        ))
    })
}

/// Puts the parts together that are fetched together.
fn windows(manifest: &Manifest, spans: Vec<Span>) -> Vec<Vec<(ChunkHash, Span)>> {
    let mut windows: Vec<Vec<(ChunkHash, Span)>> = Vec::new();
    let mut bytes = WINDOW_BYTES;
    for span in spans {
        let Some(chunk) = manifest.chunks.get(span.index) else {
            continue;
        };
        if bytes >= WINDOW_BYTES {
            windows.push(Vec::new());
            bytes = 0;
        }
        bytes += u64::from(chunk.bytes);
        if let Some(window) = windows.last_mut() {
            window.push((chunk.hash, span));
        }
    }
    windows
}

/// Fetches and verifies the chunks of a window, and gives the parts of them that are wanted.
async fn bring(
    get: &GetStream,
    window: Vec<(ChunkHash, Span)>,
    progress: Arc<Progress>,
) -> Result<Vec<Bytes>, Error> {
    let mut opened: HashMap<ChunkHash, Bytes> = HashMap::new();
    for _ in 0..ATTEMPTS_MAX {
        let mut missing: Vec<_> = window
            .iter()
            .map(|(hash, _)| *hash)
            .filter(|hash| !opened.contains_key(hash))
            .collect();
        missing.sort_unstable();
        missing.dedup();
        if missing.is_empty() {
            break;
        }
        let answers = fetch(&get.api, &missing, &progress).await?;
        opened.extend(blocking(move || open(answers)).await??);
    }
    window
        .into_iter()
        .map(|(hash, span)| {
            let start = span.offset_bytes as usize;
            let end = start + span.bytes as usize;
            let chunk = opened.get(&hash).filter(|chunk| chunk.len() >= end);
            chunk
                .map(|chunk| chunk.slice(start..end))
                .ok_or(Error::Damaged)
        })
        .collect()
}

/// The chunks that are what their hashes name.
fn open(answers: Vec<Answer>) -> Result<Vec<(ChunkHash, Bytes)>, Error> {
    let mut opened = Vec::with_capacity(answers.len());
    for answer in answers {
        match answer {
            Answer::Chunk(frame) => {
                if let Ok(bytes) = frame.open() {
                    opened.push((frame.header.hash, bytes));
                }
            }
            Answer::Absent {
                absence: Absence::Corrupt,
                ..
            } => {
                return Err(Error::Invalid(
                    "its bytes are damaged on the server, and no good copy is left".into(),
                ));
            }
            Answer::Absent {
                absence: Absence::Missing,
                ..
            } => {
                return Err(Error::Invalid("its bytes are missing on the server".into()));
            }
        }
    }
    Ok(opened)
}
