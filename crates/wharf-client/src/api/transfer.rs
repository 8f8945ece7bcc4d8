//! Moving chunks and whole contents.

use std::ops::Range;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE};
use http::{HeaderValue, Method};
use wharf_types::ChunkHash;
use wharf_types::api::drive::{At, OpResult};
use wharf_types::api::transfer::{CHUNKS_TYPE, HASHES_TYPE, Uploaded};
use wharf_wire::frame::{self, FrameDecoder, FrameWriter};

use super::{Api, ApiError, Room, number, place};
use crate::net::{Arriving, Payload};

const HASH_BYTES: usize = 32;

/// The chunks of one fetch, as they arrive: in the order that was asked for, not yet verified.
///
/// A connection that breaks ends it early with [`ApiError::Unreachable`]; ask again for what has not come.
#[derive(Debug)]
pub struct Fetch {
    arriving: Arriving,
    decoder: FrameDecoder,
    server: String,
}

/// A content, as it arrives.
#[derive(Debug)]
pub struct Content {
    arriving: Arriving,
    bytes_total: u64,
    server: String,
}

impl Api {
    /// Which of these chunks must be uploaded.
    pub async fn missing(&self, hashes: &[ChunkHash]) -> Result<Vec<ChunkHash>, ApiError> {
        let mut call = self.request(Method::POST, &["chunks", "missing"], &[]);
        call.content_type = Some(HASHES_TYPE);
        call.body = list(hashes);
        let body = self.connections.call(&call).await?;
        let (missing, rest) = body.as_chunks::<HASH_BYTES>();
        if !rest.is_empty() {
            return Err(call.not_understood("the list of hashes is cut".into()));
        }
        Ok(missing.iter().copied().map(ChunkHash::from_bytes).collect())
    }

    /// Uploads chunks; those that it counts as stored are durable.
    ///
    /// The server keeps the chunks that arrived whole when the connection breaks, so this is not repeated here: ask again
    /// what is missing after [`ApiError::Unreachable`].
    pub async fn upload(&self, frames: FrameWriter) -> Result<Uploaded, ApiError> {
        let mut call = self.request(Method::POST, &["chunks"], &[]);
        call.content_type = Some(CHUNKS_TYPE);
        call.body = Payload::new(frames.finish());
        self.json(call.once()).await
    }

    /// Fetches chunks in the order of `hashes`.
    pub async fn fetch(&self, hashes: &[ChunkHash]) -> Result<Fetch, ApiError> {
        let mut call = self.request(Method::POST, &["chunks", "fetch"], &[]);
        call.content_type = Some(HASHES_TYPE);
        call.body = list(hashes);
        Ok(Fetch {
            arriving: self.connections.stream(&call).await?,
            decoder: FrameDecoder::default(),
            server: self.connections.server().to_string(),
        })
    }

    /// A content by plain HTTP, or a range of it. Verified by the server only: transfers use chunks instead.
    pub async fn content(
        &self,
        room: Room,
        at: &At,
        revision: Option<u64>,
        range: Option<Range<u64>>,
    ) -> Result<Content, ApiError> {
        let (by, place) = place(at);
        let mut call = self.request(
            Method::GET,
            &["rooms", &room.to_string(), "content"],
            &[
                (by, Some(&place)),
                ("revision", number(revision).as_deref()),
            ],
        );
        call.range = range.filter(|range| !range.is_empty()).and_then(|range| {
            HeaderValue::try_from(format!("bytes={}-{}", range.start, range.end - 1)).ok()
        });
        let arriving = self.connections.stream(&call).await?;
        let bytes_total = bytes_total(&arriving.head)
            .ok_or_else(|| call.not_understood("it has no length".into()))?;
        Ok(Content {
            arriving,
            bytes_total,
            server: self.connections.server().to_string(),
        })
    }

    /// Puts a whole content by plain HTTP; the server cuts it into chunks.
    pub async fn put_content(
        &self,
        room: Room,
        path: &str,
        content: Bytes,
    ) -> Result<OpResult, ApiError> {
        let room = room.to_string();
        let segments: Vec<_> = ["rooms", &room, "content"]
            .into_iter()
            .chain(path.split('/').filter(|name| !name.is_empty()))
            .collect();
        let mut call = self.request(Method::PUT, &segments, &[]);
        call.body = content.into();
        self.json(call).await
    }
}

impl Fetch {
    /// The next chunk, or why there is none; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<frame::Answer>, ApiError> {
        loop {
            match self.decoder.next_answer() {
                Ok(Some(answer)) => return Ok(Some(answer)),
                Ok(None) => {}
                Err(error) => return Err(self.broken(std::io::Error::other(error))),
            }
            match self.arriving.next().await {
                Ok(Some(piece)) => self.decoder.push(piece),
                Ok(None) => {
                    self.decoder
                        .end()
                        .map_err(|error| self.broken(std::io::Error::other(error)))?;
                    return Ok(None);
                }
                Err(error) => return Err(self.broken(error)),
            }
        }
    }

    fn broken(&self, source: std::io::Error) -> ApiError {
        ApiError::Unreachable {
            server: self.server.clone(),
            source,
        }
    }
}

impl Content {
    /// Bytes of the whole content, also where a part of it was asked for.
    pub fn bytes_total(&self) -> u64 {
        self.bytes_total
    }

    /// The next bytes; none at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        self.arriving
            .next()
            .await
            .map_err(|source| ApiError::Unreachable {
                server: self.server.clone(),
                source,
            })
    }
}

fn list(hashes: &[ChunkHash]) -> Payload {
    let mut bytes = Vec::with_capacity(hashes.len() * HASH_BYTES);
    for hash in hashes {
        bytes.extend_from_slice(hash.as_bytes());
    }
    Bytes::from(bytes).into()
}

/// The length of the whole content, from `Content-Range: bytes 0-9/100` or `Content-Length: 100`.
fn bytes_total(head: &http::response::Parts) -> Option<u64> {
    let total = match head.headers.get(CONTENT_RANGE) {
        Some(range) => range.to_str().ok()?.rsplit('/').next()?,
        None => head.headers.get(CONTENT_LENGTH)?.to_str().ok()?,
    };
    total.parse().ok()
}
