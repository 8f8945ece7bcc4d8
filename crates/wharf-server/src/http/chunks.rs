//! Content as chunks: what is missing, up, and down.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use http_body::Body as _;
use http_body_util::BodyExt;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wharf_core::transfer::Download;
use wharf_core::{Caller, Wharf};
use wharf_types::api::transfer::{CHUNKS_TYPE, HASHES_TYPE, Uploaded};
use wharf_types::limit::{CHUNKS_PER_REQUEST_MAX, UPLOAD_BODY_BYTES_MAX};
use wharf_types::{ChunkHash, ErrorCode};
use wharf_wire::frame::{self, Frame, FrameDecoder, FrameError, FrameWriter};

use super::Http;
use super::admission::Admitted;
use super::body::{self, json};
use super::error::{Answer, Refusal};
use super::extract::{By, must_be};
use super::openapi::Binary;
use super::problems::{Any, HasBody, NeedsLogin};
use super::stream::{self, Feed};

/// What programs without a word for it call a body.
const BYTES_TYPE: &str = "application/octet-stream";
const HASH_BYTES: usize = 32;
const HASHES_BODY_BYTES_MAX: u64 = (CHUNKS_PER_REQUEST_MAX * HASH_BYTES) as u64;
/// What is handed to the house at once, while as much again may still be arriving.
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// Small chunks cost more than their bytes.
const BATCH_CHUNKS: usize = 2_048;
/// Memory of one upload: a batch being stored, and one arriving.
const UPLOAD_MEMORY_BYTES: u64 = 2 * BATCH_BYTES as u64;
/// Memory of one download: a batch being read, one waiting, and one being sent.
const DOWNLOAD_MEMORY_BYTES_MAX: u64 = 12 * 1024 * 1024;
/// What a chunk may take of it.
const DOWNLOAD_MEMORY_BYTES_PER_CHUNK: u64 = wharf_types::limit::CHUNK_BYTES_AVERAGE as u64;

pub(super) fn routes() -> OpenApiRouter<Http> {
    OpenApiRouter::new()
        .routes(routes!(missing))
        .routes(routes!(upload))
        .routes(routes!(fetch))
}

/// Which chunks are missing
///
/// The body is a list of hashes, 32 bytes each; the answer has, in the same form and order, those that must be uploaded
/// before a commit can name them. Answered only from what the caller has uploaded or can read.
#[utoipa::path(post, path = "/chunks/missing", tag = "chunks",
    request_body(content((inline(Binary) = "application/vnd.wharf.hashes"), (inline(Binary) = "application/octet-stream"))),
    responses((status = 200, description = "The missing ones.", body = inline(Binary), content_type = "application/vnd.wharf.hashes"),
    NeedsLogin, HasBody, Any))]
async fn missing(State(http): State<Http>, By(caller): By, request: Request) -> Answer<Response> {
    let asked = hashes(&http, request).await?;
    let missing = http.wharf().transfers().missing(&caller, asked).await?;
    let mut bytes = Vec::with_capacity(missing.len() * HASH_BYTES);
    for hash in &missing {
        bytes.extend_from_slice(hash.as_bytes());
    }
    Ok(([(CONTENT_TYPE, HASHES_TYPE)], bytes).into_response())
}

/// Uploads chunks
///
/// The body is chunks in frames. They are durable when the answer comes. Where the connection breaks, the chunks that
/// arrived whole are kept: ask what is missing and send the rest. The same holds where the answer is a refusal.
#[utoipa::path(post, path = "/chunks", tag = "chunks",
    request_body(content((inline(Binary) = "application/vnd.wharf.chunks"), (inline(Binary) = "application/octet-stream"))),
    responses((status = 200, body = Uploaded), NeedsLogin, HasBody, Any))]
async fn upload(State(http): State<Http>, By(caller): By, request: Request) -> Answer<Response> {
    must_be(request.headers(), &[CHUNKS_TYPE, BYTES_TYPE])?;
    let body = request.into_body();
    let announced = body.size_hint().upper().unwrap_or(UPLOAD_BODY_BYTES_MAX);
    if body.size_hint().lower() > UPLOAD_BODY_BYTES_MAX {
        return Err(body::too_large(UPLOAD_BODY_BYTES_MAX));
    }
    let memory = http
        .uploads()
        .admit(announced.min(UPLOAD_MEMORY_BYTES))
        .await?;
    let receiving = receive(http.wharf().clone(), caller, body, memory);
    // In a task of its own, so that what has arrived is stored even when the connection breaks and this future is dropped.
    let uploaded = http.work().spawn(receiving).await.map_err(body::fault)??;
    json(StatusCode::OK, &uploaded)
}

/// Downloads chunks
///
/// The body is a list of hashes, 32 bytes each; the answer has the chunks in frames, in the same order. A chunk that
/// cannot be given has a frame that says why. Each frame is as it rests, so the client verifies it.
#[utoipa::path(post, path = "/chunks/fetch", tag = "chunks",
    request_body(content((inline(Binary) = "application/vnd.wharf.hashes"), (inline(Binary) = "application/octet-stream"))),
    responses((status = 200, description = "The chunks.", body = inline(Binary), content_type = "application/vnd.wharf.chunks"),
    NeedsLogin, HasBody, Any))]
async fn fetch(State(http): State<Http>, By(caller): By, request: Request) -> Answer<Response> {
    let asked = hashes(&http, request).await?;
    let memory = (asked.len() as u64).saturating_mul(DOWNLOAD_MEMORY_BYTES_PER_CHUNK);
    let memory = http
        .downloads()
        .admit(memory.min(DOWNLOAD_MEMORY_BYTES_MAX))
        .await?;
    let mut download = http.wharf().transfers().download(&caller, asked).await?;
    let first = download.next().await?.unwrap_or_default();
    let (feed, body) = stream::fed(None, framed(&first), memory);
    http.work().spawn(send(download, feed));
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(CHUNKS_TYPE)),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, body).into_response())
}

/// Reads the list of hashes that is a request's body.
async fn hashes(http: &Http, request: Request) -> Answer<Vec<ChunkHash>> {
    must_be(request.headers(), &[HASHES_TYPE, BYTES_TYPE])?;
    let bytes = body::read(
        request.into_body(),
        HASHES_BODY_BYTES_MAX,
        http.config().admission_timeout,
    )
    .await?;
    let (hashes, rest) = bytes.as_chunks::<HASH_BYTES>();
    if !rest.is_empty() {
        return Err(Refusal::invalid("a list of hashes has 32 bytes for each"));
    }
    Ok(hashes.iter().copied().map(ChunkHash::from_bytes).collect())
}

/// Chunks that arrive in the body of an upload.
struct Arriving {
    body: Body,
    decoder: FrameDecoder,
    received_bytes: u64,
    chunk_count: usize,
}

/// Chunks that arrived whole, and how the body ended if it did after them.
struct Batch {
    frames: Vec<Frame>,
    end: Option<Answer<()>>,
}

impl Arriving {
    fn new(body: Body) -> Self {
        Self {
            body,
            decoder: FrameDecoder::default(),
            received_bytes: 0,
            chunk_count: 0,
        }
    }

    /// Collects the chunks that arrive next.
    async fn batch(&mut self) -> Batch {
        let mut frames = Vec::new();
        let mut batch_bytes = 0;
        loop {
            match self.frame().await {
                Ok(Some(frame)) => {
                    batch_bytes += frame.stored.len();
                    frames.push(frame);
                    if batch_bytes >= BATCH_BYTES || frames.len() >= BATCH_CHUNKS {
                        return Batch { frames, end: None };
                    }
                }
                Ok(None) => {
                    return Batch {
                        frames,
                        end: Some(Ok(())),
                    };
                }
                Err(refusal) => {
                    return Batch {
                        frames,
                        end: Some(Err(refusal)),
                    };
                }
            }
        }
    }

    /// The next chunk that arrived whole; `None` at the end of the body.
    async fn frame(&mut self) -> Answer<Option<Frame>> {
        loop {
            if let Some(frame) = self.decoder.next_frame().map_err(malformed)? {
                self.chunk_count += 1;
                if self.chunk_count > CHUNKS_PER_REQUEST_MAX {
                    let text =
                        format!("one upload may have {CHUNKS_PER_REQUEST_MAX} chunks at most");
                    return Err(Refusal::new(ErrorCode::TooLarge, text));
                }
                return Ok(Some(frame));
            }
            match self.body.frame().await {
                None => return self.decoder.end().map(|()| None).map_err(malformed),
                Some(Err(error)) => return Err(body::broken(&error)),
                Some(Ok(piece)) => self.push(piece)?,
            }
        }
    }

    fn push(&mut self, piece: http_body::Frame<Bytes>) -> Answer<()> {
        // Trailers say nothing here.
        let Ok(bytes) = piece.into_data() else {
            return Ok(());
        };
        self.received_bytes += bytes.len() as u64;
        if self.received_bytes > UPLOAD_BODY_BYTES_MAX {
            return Err(body::too_large(UPLOAD_BODY_BYTES_MAX));
        }
        self.decoder.push(bytes);
        Ok(())
    }
}

fn malformed(error: FrameError) -> Refusal {
    Refusal::invalid(format!("the body is not chunks in frames: {error}"))
}

/// Stores what arrives, batch by batch: while one is being stored the next one arrives.
///
/// Whatever ends the body, all chunks that arrived whole before that are stored.
async fn receive(wharf: Wharf, caller: Caller, body: Body, memory: Admitted) -> Answer<Uploaded> {
    let mut arriving = Arriving::new(body);
    let mut total = Uploaded {
        chunks_stored: 0,
        mismatched: Vec::new(),
    };
    let mut batch = arriving.batch().await;
    loop {
        let store = store(&wharf, &caller, batch.frames, &mut total);
        if let Some(end) = batch.end {
            store.await?;
            drop(memory);
            return end.map(|()| total);
        }
        let (stored, next) = tokio::join!(store, arriving.batch());
        stored?;
        batch = next;
    }
}

async fn store(
    wharf: &Wharf,
    caller: &Caller,
    frames: Vec<Frame>,
    total: &mut Uploaded,
) -> Answer<()> {
    if frames.is_empty() {
        return Ok(());
    }
    let stored = wharf.transfers().upload(caller, frames).await?;
    total.chunks_stored += stored.chunks_stored;
    total.mismatched.extend(stored.mismatched);
    Ok(())
}

/// Feeds an answer with the chunks of a download.
async fn send(mut download: Download, feed: Feed) {
    loop {
        match download.next().await {
            Ok(None) => return,
            Ok(Some(chunks)) => {
                if !feed.send(framed(&chunks)).await {
                    return;
                }
            }
            Err(error) => return feed.fail(error).await,
        }
    }
}

fn framed(answers: &[frame::Answer]) -> Vec<Bytes> {
    let mut writer = FrameWriter::default();
    for answer in answers {
        match answer {
            frame::Answer::Chunk(frame) => writer.push(frame),
            frame::Answer::Absent { hash, absence } => writer.push_absent(*hash, *absence),
        }
    }
    writer.finish()
}
