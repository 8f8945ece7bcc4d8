//! The end of an upload by pieces: its stretches become a file.

use std::sync::Arc;

use wharf_store::sql::{Lock, Tx};
use wharf_types::ErrorCode;
use wharf_types::api::drive::{At, Expect, Node, Op};
use wharf_wire::manifest::{Manifest, to_base64};

use super::{Assembly, commit_of, no_such_upload, rows};
use crate::access::require_writer;
use crate::caller::Caller;
use crate::drive::RoomRef;
use crate::error::{Error, Result};
use crate::transfer::{ContentReader, Transfers, md5};

impl Transfers {
    /// Puts the file of an upload whose stretches have all come, and returns it; again when it was put already.
    ///
    /// # Errors
    /// - `NotFound`: the caller has no such upload; `Unauthenticated`: the session has ended.
    /// - `Invalid`: it is not whole.
    /// - `Corrupt`: it is not what its MD5 says. The upload is forgotten.
    /// - `Unavailable`: some of it is not kept any more; what is missing can be sent again.
    /// - As [`Drives::commit`](crate::drive::Drives::commit).
    pub async fn finish_assembly(&self, by: &Caller, number: u64) -> Result<Node> {
        let writer = *by;
        let read = move |tx: &mut Tx<'_>| -> Result<_> {
            let account = require_writer(tx, &writer)?.account;
            Ok(rows::assembly(tx, account, number)?)
        };
        let assembly = self
            .ground
            .db
            .read(read)
            .await?
            .ok_or_else(no_such_upload)?;
        let room = RoomRef::Id(assembly.room);
        if assembly.has_ended {
            return self.drives.node(by, room, At::Path(assembly.path)).await;
        }
        if !assembly.is_whole() {
            return Err(Error::invalid("the upload is not whole"));
        }
        let manifest = self.manifest_of(by, &assembly).await?;
        let md5 = self.md5_of(by, &assembly, &manifest).await?;
        if assembly.md5.is_some_and(|wanted| wanted != md5) {
            let account = by.account()?;
            let forget = move |tx: &mut Tx<'_>| rows::forget(tx, account, number);
            self.ground.db.write(Lock::None, forget).await?;
            let text = "the content is not what its MD5 says: send it again";
            return Err(Error::new(ErrorCode::Corrupt, text));
        }
        self.put_assembled(by, &assembly, &manifest).await?;
        let at = At::Path(assembly.path.clone());
        let node = self.drives.node(by, room, at).await?;
        let account = by.account()?;
        let now_ms = self.ground.clock.now_ms();
        let content = manifest.content();
        let end = move |tx: &mut Tx<'_>| {
            md5::note(tx, &content, &md5)?;
            rows::end(tx, account, number, now_ms)
        };
        self.ground.db.write(Lock::None, end).await?;
        Ok(node)
    }

    async fn manifest_of(&self, by: &Caller, assembly: &Assembly) -> Result<Manifest> {
        let (account, number) = (by.account()?, assembly.number);
        let read = move |tx: &mut Tx<'_>| rows::pieces(tx, account, number);
        let mut manifest = Manifest::default();
        for (_, packed) in self.ground.db.read(read).await? {
            manifest.chunks.extend(rows::unpack(&packed)?.chunks);
        }
        manifest
            .check()
            .map_err(|error| Error::new(ErrorCode::TooLarge, error.to_string()))?;
        Ok(manifest)
    }

    /// The MD5 that was made while the pieces came in order, or that of what is stored.
    async fn md5_of(
        &self,
        by: &Caller,
        assembly: &Assembly,
        manifest: &Manifest,
    ) -> Result<[u8; 16]> {
        let key = (by.account()?, assembly.number);
        if let Some(running) = self.md5s.running(key, assembly.bytes) {
            return running.finish().await;
        }
        let (chunks, manifest) = (self.ground.chunks.clone(), Arc::new(manifest.clone()));
        let reader = ContentReader::new(chunks, manifest, 0..assembly.bytes);
        self.md5s.of_content(reader).await
    }

    async fn put_assembled(
        &self,
        by: &Caller,
        assembly: &Assembly,
        manifest: &Manifest,
    ) -> Result<()> {
        let put = Op::Put {
            path: assembly.path.clone(),
            manifest: to_base64(&manifest.pack()),
            mtime_ns: assembly.mtime_ns,
            executable: false,
            link: false,
            expect: Expect::Any,
        };
        let commit = commit_of(assembly, put);
        let room = RoomRef::Id(assembly.room);
        match self.drives.commit(by, room, commit).await {
            Ok(_) => Ok(()),
            Err(error) if is_lost(&error) => {
                self.taken_up(by, assembly.number).await?;
                let text = "some of it is not kept any more: send it again";
                Err(Error::new(ErrorCode::Unavailable, text))
            }
            Err(error) => Err(error),
        }
    }
}

/// Whether chunks were missing.
fn is_lost(error: &Error) -> bool {
    let failed = error.failed();
    !failed.is_empty() && failed.iter().all(|op| op.code == ErrorCode::NotFound)
}
