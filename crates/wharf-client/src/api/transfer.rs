//! Moving chunks and whole contents.

use std::ops::Range;

use bytes::Bytes;
use wharf_types::ChunkHash;
use wharf_types::api::drive::At;
use wharf_types::api::transfer::Uploaded;

use super::{Api, ApiError, Room};

/// Chunks, framed for one upload.
#[derive(Debug, Clone)]
pub struct Upload;

/// The chunks of one fetch, as they arrive.
#[derive(Debug)]
pub struct Fetch;

/// A content, as it arrives.
#[derive(Debug)]
pub struct Content;

impl Content {
    /// Bytes of the whole content, also where a part of it was asked for.
    pub fn bytes_total(&self) -> u64 {
        todo!()
    }

    /// The next bytes; none at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        todo!()
    }
}

impl Api {
    /// Which of these chunks must be uploaded.
    pub async fn missing(&self, _hashes: &[ChunkHash]) -> Result<Vec<ChunkHash>, ApiError> {
        todo!()
    }

    /// Uploads chunks; they are durable when this returns.
    pub async fn upload(&self, _upload: &Upload) -> Result<Uploaded, ApiError> {
        todo!()
    }

    /// Fetches chunks in the order of `hashes`.
    pub async fn fetch(&self, _hashes: &[ChunkHash]) -> Result<Fetch, ApiError> {
        todo!()
    }

    /// A content by plain HTTP, or a range of it. Verified by the server only: transfers use chunks instead.
    pub async fn content(
        &self,
        _room: Room,
        _at: &At,
        _revision: Option<u64>,
        _range: Option<Range<u64>>,
    ) -> Result<Content, ApiError> {
        todo!()
    }
}
