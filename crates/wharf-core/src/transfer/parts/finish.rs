//! The end of an upload by pieces: the file is put, or what is left is cleared away.

use std::collections::HashMap;
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;
use parking_lot::Mutex;
use wharf_store::sql::{Lock, Tx};
use wharf_types::api::drive::{At, Expect, Node};
use wharf_types::{CommitId, PartialId};

use super::writer::no_such_upload;
use super::{KEPT_DAYS, Partial, rows};
use crate::access::require_writer;
use crate::caller::Caller;
use crate::drive::RoomRef;
use crate::error::{Error, Result};
use crate::transfer::{Put, Transfers, digest};

/// Pieces that are read, or deleted, at a time.
const PAGE_PARTS: u32 = 1_000;
const DAY_MS: i64 = 24 * 3_600_000;

/// The uploads that are being put, so that each is by one task at a time.
#[derive(Clone, Default)]
pub(crate) struct Finishing(Arc<Mutex<HashMap<PartialId, Arc<tokio::sync::Mutex<()>>>>>);

impl Transfers {
    /// Puts the file of an upload whose pieces have all come, and returns it; again when it was put already.
    ///
    /// # Errors
    /// - `NotFound`: the caller has no such upload.
    /// - `Invalid`: it is not whole; or it is, and not what its digest says, or its pieces overlap: then it is forgotten.
    /// - As [`Drives::commit`](crate::drive::Drives::commit).
    pub async fn finish_partial(&self, by: &Caller, id: PartialId) -> Result<Node> {
        let turn = {
            let mut finishing = self.finishing.0.lock();
            Arc::clone(finishing.entry(id).or_default())
        };
        let outcome = {
            let _turn = turn.lock().await;
            self.put_whole(by, id).await
        };
        let mut finishing = self.finishing.0.lock();
        if Arc::strong_count(&turn) <= 2 {
            finishing.remove(&id);
        }
        outcome
    }

    async fn put_whole(&self, by: &Caller, id: PartialId) -> Result<Node> {
        let writer = *by;
        let read = move |tx: &mut Tx<'_>| -> Result<_> {
            let account = require_writer(tx, &writer)?.account;
            Ok(rows::by_id(tx, account, id)?)
        };
        let partial = self.ground.db.read(read).await?;
        let partial = partial.ok_or_else(no_such_upload)?;
        let room = RoomRef::Id(partial.room);
        let at = || At::Path(partial.path.clone());
        if partial.has_ended {
            return self.drives.node(by, room, at()).await;
        }
        if partial.received_bytes != partial.bytes {
            return Err(Error::invalid("the upload is not whole"));
        }
        let put = Put {
            path: partial.path.clone(),
            expect: Expect::Any,
            mtime_ns: None,
            executable: false,
        };
        let commit = CommitId::from_bytes(*id.as_bytes());
        let upload = self.open_upload(by, room, put).await?;
        let mut upload = upload.tagged_as(partial.tags.clone(), commit);
        let mut context = Context::new(&SHA256);
        let mut whole_bytes = 0;
        while whole_bytes < partial.bytes {
            let from = whole_bytes;
            let read = move |tx: &mut Tx<'_>| rows::parts_from(tx, id, from, PAGE_PARTS);
            let page = self.ground.db.read(read).await?;
            for (offset_bytes, data) in page {
                if offset_bytes != whole_bytes {
                    break;
                }
                whole_bytes += data.len() as u64;
                context.update(&data);
                upload.push(Bytes::from(data)).await?;
            }
            if whole_bytes == from {
                self.forget(id).await?;
                return Err(Error::invalid("the pieces overlap: begin again"));
            }
        }
        let sha256: [u8; 32] = digest::finish(context);
        if partial.sha256.is_some_and(|wanted| wanted != sha256) {
            self.forget(id).await?;
            let text = "the content is not what its digest says: begin again";
            return Err(Error::invalid(text));
        }
        let committed = upload.finish().await?;
        let node = self.drives.node(by, room, at()).await?;
        let revision = committed.results.first().map(|result| result.revision);
        self.end(
            &partial,
            revision.map(|revision| (node.id, revision)),
            sha256,
        )
        .await?;
        Ok(node)
    }

    /// Notes that the file was put, and what its content hashes to; then its pieces go.
    async fn end(
        &self,
        partial: &Partial,
        put: Option<(wharf_types::NodeId, u64)>,
        sha256: [u8; 32],
    ) -> Result<()> {
        let (id, room) = (partial.id, partial.room);
        let now_ms = self.ground.clock.now_ms();
        let end = move |tx: &mut Tx<'_>| {
            // Of a repeated commit nobody knows which revision it made; whoever asks for the digest has it made anew.
            if let Some((node, revision)) = put {
                digest::note(tx, &sha256, room, node, revision)?;
            }
            rows::end(tx, id, now_ms)
        };
        self.ground.db.write(Lock::None, end).await?;
        while self.delete_parts(id).await? {}
        Ok(())
    }

    /// Deletes an upload and its pieces.
    async fn forget(&self, id: PartialId) -> Result<()> {
        while self.delete_parts(id).await? {}
        let delete = move |tx: &mut Tx<'_>| rows::delete(tx, id);
        Ok(self.ground.db.write(Lock::None, delete).await?)
    }

    /// Deletes some pieces, and says whether there may be more.
    async fn delete_parts(&self, id: PartialId) -> Result<bool> {
        let delete = move |tx: &mut Tx<'_>| rows::delete_parts(tx, id, PAGE_PARTS);
        let deleted = self.ground.db.write(Lock::None, delete).await?;
        Ok(deleted == u64::from(PAGE_PARTS))
    }

    /// Forgets an upload that nothing was added to for days, and says whether there was one.
    pub(crate) async fn expire_partial(&self) -> Result<bool> {
        let since_ms = self.ground.clock.now_ms() - KEPT_DAYS * DAY_MS;
        let stale = move |tx: &mut Tx<'_>| rows::stale(tx, since_ms);
        let Some(id) = self.ground.db.read(stale).await? else {
            return Ok(false);
        };
        // First nobody finds it any more, then it is cleared away: a piece that comes in between is refused, and one that came before keeps it.
        let give_up = move |tx: &mut Tx<'_>| rows::give_up(tx, id, since_ms);
        if self.ground.db.write(Lock::None, give_up).await? {
            self.forget(id).await?;
        }
        Ok(true)
    }
}
