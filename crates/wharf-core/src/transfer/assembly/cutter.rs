//! Bytes in, stored chunks out.

use bytes::{Bytes, BytesMut};
use tokio::task::JoinSet;
use wharf_types::AccountId;
use wharf_types::limit::CHUNK_BYTES_MAX;
use wharf_wire::manifest::{Manifest, ManifestChunk};

use super::super::upload::{GATHER_BYTES, seal_chunks};
use crate::Ground;
use crate::error::{Error, Result};

/// Cuts a stretch of a file and hands the chunks to the store. At most three times [`GATHER_BYTES`] are in memory.
pub(super) struct Cutter {
    ground: Ground,
    account: AccountId,
    gathered: BytesMut,
    manifest: Manifest,
    /// The chunks that the store is taking while more bytes come: one task at most.
    storing: JoinSet<Result<()>>,
}

impl Cutter {
    pub(super) fn new(ground: Ground, account: AccountId) -> Self {
        Self {
            ground,
            account,
            gathered: BytesMut::new(),
            manifest: Manifest::default(),
            storing: JoinSet::new(),
        }
    }

    pub(super) async fn push(&mut self, mut bytes: Bytes) -> Result<()> {
        while !bytes.is_empty() {
            let room = GATHER_BYTES - self.gathered.len();
            self.gathered
                .extend_from_slice(&bytes.split_to(room.min(bytes.len())));
            if self.gathered.len() == GATHER_BYTES {
                self.cut(CHUNK_BYTES_MAX).await?;
            }
        }
        Ok(())
    }

    /// Ends the stretch: all of it is durable then. The next bytes begin another one.
    pub(super) async fn end(&mut self) -> Result<Manifest> {
        self.cut(1).await?;
        self.stored().await?;
        Ok(std::mem::take(&mut self.manifest))
    }

    async fn cut(&mut self, rest_bytes_min: usize) -> Result<()> {
        let gathered = std::mem::take(&mut self.gathered);
        let (rest, frames) =
            tokio::task::spawn_blocking(move || seal_chunks(gathered, rest_bytes_min))
                .await
                .map_err(|error| Error::internal(format!("cutting broke off: {error}")))?;
        self.gathered = rest;
        let chunks = frames.iter().map(|frame| ManifestChunk {
            hash: frame.header.hash,
            bytes: frame.header.bytes,
        });
        self.manifest.chunks.extend(chunks);
        self.stored().await?;
        if frames.is_empty() {
            return Ok(());
        }
        let (chunks, account) = (self.ground.chunks.clone(), self.account);
        let now_ms = self.ground.clock.now_ms();
        self.storing.spawn(async move {
            let put = chunks.put(account, frames, now_ms).await?;
            if put.mismatched.is_empty() {
                return Ok(());
            }
            Err(Error::internal(
                "chunks that were cut here do not match their hashes",
            ))
        });
        Ok(())
    }

    /// Waits until what was handed to the store is durable.
    async fn stored(&mut self) -> Result<()> {
        while let Some(stored) = self.storing.join_next().await {
            stored.map_err(|error| Error::internal(format!("storing broke off: {error}")))??;
        }
        Ok(())
    }
}
