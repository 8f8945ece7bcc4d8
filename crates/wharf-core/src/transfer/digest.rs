//! Files by the SHA-256 of their content, which some protocols call them by.
//!
//! A digest is noted when a file comes in through such a protocol, and made by reading the file when somebody asks for one
//! that is not known. A file is found by it in the caller's own rooms alone, as long as the revision is kept and the file
//! is not in the trash; so a digest never tells one person what another has.

use aws_lc_rs::digest::{Context, SHA256};
use wharf_store::sql::{self, Lock, Tx};
use wharf_types::api::drive::{At, Commit, Expect, Node, NodeKind, Op};
use wharf_types::{CommitId, ErrorCode, NodeId, RoomId};
use wharf_wire::manifest::to_base64;

use super::{Content, Transfers};
use crate::access::require_writer;
use crate::caller::Caller;
use crate::drive::{FindQuery, Page, RoomRef};
use crate::error::{Error, Result};

/// Most revisions with one digest that are tried.
const CANDIDATES_MAX: u32 = 100;
/// Most rooms that are searched beside the caller's own.
const ROOMS_MAX: u32 = 100;

/// A file that was found.
#[derive(Clone)]
pub struct Known {
    /// Whose drive it is in.
    pub room: RoomId,
    /// Its content, opened, at the revision that was meant.
    pub content: Content,
    /// The SHA-256 of that content.
    pub sha256: [u8; 32],
}

impl Transfers {
    /// Finds a file of the caller's rooms by the SHA-256 of its content; the newest of several.
    pub async fn find_by_digest(&self, by: &Caller, sha256: [u8; 32]) -> Result<Option<Known>> {
        let account = by.account()?;
        let candidates = move |tx: &mut Tx<'_>| {
            tx.all(
                "SELECT f.room_id, f.node_id, f.revision FROM file_digest f JOIN member m ON m.room_id = f.room_id \
                 WHERE f.sha256 = ?1 AND m.account_id = ?2 ORDER BY f.node_id DESC, f.revision DESC LIMIT ?3",
                &[Some(&sha256[..]).into(), account.into(), CANDIDATES_MAX.into()],
                |row| Ok((row.id::<RoomId>(0)?, row.id::<NodeId>(1)?, row.uint(2)?)),
            )
        };
        for (room, node, revision) in self.ground.db.read(candidates).await? {
            let found = self
                .content(by, RoomRef::Id(room), At::Id(node), Some(revision))
                .await;
            match found {
                Ok(content) if content.node.trashed_ms.is_none() => {
                    return Ok(Some(Known {
                        room,
                        content,
                        sha256,
                    }));
                }
                Ok(_) => {}
                Err(error) if error.code() == ErrorCode::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Finds a file by its name and tags: all that are given must fit. In `folder` of the caller's own drive a name may be
    /// a path; then the own drive is searched, then those of the other rooms. The newest of several counts.
    ///
    /// # Errors
    /// `Invalid`: neither a name nor a tag, or a tag that is none.
    pub async fn find_by_name(
        &self,
        by: &Caller,
        folder: &str,
        name: Option<&str>,
        tags: &[String],
    ) -> Result<Option<Known>> {
        let fits = |node: &Node| {
            node.kind == NodeKind::File
                && name.is_none_or(|name| node.name == name)
                && tags.iter().all(|tag| node.tags.contains(tag))
        };
        let home = by.person()?.home;
        if let Some(name) = name {
            let at = At::Path(format!("{folder}/{name}"));
            match self.drives.node(by, RoomRef::Home, at).await {
                Ok(node)
                    if node.kind == NodeKind::File
                        && tags.iter().all(|tag| node.tags.contains(tag)) =>
                {
                    return self.known(by, home, &node).await.map(Some);
                }
                Ok(_) => {}
                // What no path may be may still be a name that a node has from elsewhere; or nothing has it.
                Err(error) if !error.is_fault() => {}
                Err(error) => return Err(error),
            }
        }
        let query = FindQuery {
            name: name.map(str::to_owned),
            tag: tags.first().cloned(),
        };
        for room in self.rooms_of(by, home).await? {
            if let Some(node) = self.newest(by, room, &query, fits).await? {
                return self.known(by, room, &node).await.map(Some);
            }
        }
        Ok(None)
    }

    /// The SHA-256 of a file's present content.
    ///
    /// # Errors
    /// As [`Self::content`].
    pub async fn digest(&self, by: &Caller, room: RoomRef, at: At) -> Result<[u8; 32]> {
        let content = self.content(by, room, at, None).await?;
        self.digest_of(room.id(by)?, &content).await
    }

    /// Puts a file that is known by its digest at a path of the caller's own drive, with tags, without moving a byte; nothing
    /// changes where it is there already. `None` if it is not known.
    ///
    /// # Errors
    /// As [`Drives::commit`](crate::drive::Drives::commit).
    pub async fn put_known(
        &self,
        by: &Caller,
        sha256: [u8; 32],
        path: &str,
        tags: &[String],
    ) -> Result<Option<Node>> {
        let writer = *by;
        let let_in = move |tx: &mut Tx<'_>| require_writer(tx, &writer).map(drop);
        self.ground.db.read(let_in).await?;
        let Some(known) = self.find_by_digest(by, sha256).await? else {
            return Ok(None);
        };
        let at = || At::Path(path.to_owned());
        let hash = known.content.hash;
        let is_there = match self.drives.node(by, RoomRef::Home, at()).await {
            Ok(node) if node.content == Some(hash) => {
                tags.iter().all(|tag| node.tags.contains(tag))
            }
            Ok(_) => false,
            Err(error) if error.code() == ErrorCode::NotFound => false,
            Err(error) => return Err(error),
        };
        if !is_there {
            let tag = (!tags.is_empty()).then(|| Op::Tag {
                at: at(),
                add: tags.to_vec(),
                remove: Vec::new(),
            });
            let op = Op::Put {
                path: path.to_owned(),
                manifest: to_base64(&known.content.packed()),
                mtime_ns: known.content.mtime_ns,
                executable: false,
                link: false,
                expect: Expect::Any,
            };
            let now_ms = self.ground.clock.now_ms();
            let commit = Commit {
                id: self.ground.random.id(CommitId::new, now_ms),
                ops: std::iter::once(op).chain(tag).collect(),
            };
            let committed = self.drives.commit(by, RoomRef::Home, commit).await?;
            if let Some(put) = committed.results.first() {
                let home = by.person()?.home;
                let (node, revision) = (put.id, put.revision);
                self.note(sha256, home, node, revision).await?;
            }
        }
        self.drives.node(by, RoomRef::Home, at()).await.map(Some)
    }

    async fn known(&self, by: &Caller, room: RoomId, node: &Node) -> Result<Known> {
        let content = self
            .content(by, RoomRef::Id(room), At::Id(node.id), None)
            .await?;
        let sha256 = self.digest_of(room, &content).await?;
        Ok(Known {
            room,
            content,
            sha256,
        })
    }

    /// The caller's home, then other rooms of theirs, the one joined last first.
    async fn rooms_of(&self, by: &Caller, home: RoomId) -> Result<Vec<RoomId>> {
        let account = by.account()?;
        let others = move |tx: &mut Tx<'_>| {
            tx.all(
                "SELECT room_id FROM member WHERE account_id = ?1 AND room_id <> ?2 ORDER BY joined_ms DESC, room_id LIMIT ?3",
                &[account.into(), home.into(), ROOMS_MAX.into()],
                |row| row.id::<RoomId>(0),
            )
        };
        let mut rooms = vec![home];
        rooms.extend(self.ground.db.read(others).await?);
        Ok(rooms)
    }

    /// The newest node of a room that fits.
    async fn newest(
        &self,
        by: &Caller,
        room: RoomId,
        query: &FindQuery,
        fits: impl Fn(&Node) -> bool,
    ) -> Result<Option<Node>> {
        let mut newest = None;
        let mut after = None;
        loop {
            let page = Page { after, limit: None };
            let found = self
                .drives
                .find(by, RoomRef::Id(room), query.clone(), page)
                .await?;
            let last = found.items.into_iter().rfind(&fits);
            newest = last.or(newest);
            after = found.next;
            if after.is_none() {
                return Ok(newest);
            }
        }
    }

    async fn digest_of(&self, room: RoomId, content: &Content) -> Result<[u8; 32]> {
        let (node, revision) = (content.node.id, content.revision);
        let noted = move |tx: &mut Tx<'_>| {
            tx.opt(
                "SELECT sha256 FROM file_digest WHERE node_id = ?1 AND revision = ?2",
                &[node.into(), revision.into()],
                |row| row.id::<[u8; 32]>(0),
            )
        };
        if let Some(sha256) = self.ground.db.read(noted).await? {
            return Ok(sha256);
        }
        let mut context = Context::new(&SHA256);
        let mut reader = content.read(0..content.bytes);
        while let Some(bytes) = reader.next().await? {
            context = tokio::task::spawn_blocking(move || {
                context.update(&bytes);
                context
            })
            .await
            .map_err(|error| Error::internal("hashing broke off").because(error))?;
        }
        let sha256 = finish(context);
        self.note(sha256, room, node, revision).await?;
        Ok(sha256)
    }

    async fn note(
        &self,
        sha256: [u8; 32],
        room: RoomId,
        node: NodeId,
        revision: u64,
    ) -> Result<()> {
        let write = move |tx: &mut Tx<'_>| note(tx, &sha256, room, node, revision);
        Ok(self.ground.db.write(Lock::None, write).await?)
    }
}

/// Notes what a revision's content hashes to.
pub(super) fn note(
    tx: &mut Tx<'_>,
    sha256: &[u8; 32],
    room: RoomId,
    node: NodeId,
    revision: u64,
) -> sql::Result<()> {
    tx.exec(
        "INSERT INTO file_digest (sha256, room_id, node_id, revision) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        &[
            Some(&sha256[..]).into(),
            room.into(),
            node.into(),
            revision.into(),
        ],
    )?;
    Ok(())
}

/// The 32 bytes that a SHA-256 ends in.
pub(super) fn finish(context: Context) -> [u8; 32] {
    let mut sha256 = [0; 32];
    for (to, from) in sha256.iter_mut().zip(context.finish().as_ref()) {
        *to = *from;
    }
    sha256
}
