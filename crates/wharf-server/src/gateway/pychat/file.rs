//! Files that two people hand over: up in pieces, down by offset, found by the first bytes of their names.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;
use wharf_core::drive::RoomRef;
use wharf_core::transfer::{Content, ContentReader, Put, Upload};
use wharf_core::{Error, Result};
use wharf_types::ErrorCode;
use wharf_types::api::drive::{At, Expect};
use wharf_types::api::log::{Body, Draft, File, FileDraft, Mentions};
use wharf_wire::gateway::pychat::{
    DATA_BYTES, LIST_BYTES_MAX, Number, REPLY_BYTES_MAX, key_of, said, shown_name,
};

use super::desk::Desk;
use super::seat::Seat;
use super::state::Friend;

/// Uploads under way of one seat.
const UPLOADS_MAX: usize = 8;
/// How long one is kept of which no more pieces come.
const UPLOAD_MS: i64 = 600_000;
/// Entries that are read at once, and how often for one chat.
const PAGE_ENTRIES: u32 = 200;
const PAGES_MAX: usize = 10;
/// Chats in which a file is looked for that is in none that was looked at.
const CHATS_MAX: usize = 100;

/// The uploads under way of a seat, by what pieces of them are called. A piece may come on another connection than the
/// one before.
#[derive(Default)]
pub(super) struct Uploads(Mutex<HashMap<Vec<u8>, Arc<Pending>>>);

/// An upload under way.
pub(super) struct Pending {
    key: Vec<u8>,
    friend: Number,
    room: RoomRef,
    used_ms: AtomicI64,
    /// `None` once it has failed.
    upload: tokio::sync::Mutex<Option<Upload>>,
}

/// A file that is being read.
pub(super) struct Reading {
    key: Vec<u8>,
    content: Content,
    reader: ContentReader,
    offset: u64,
    ahead: Bytes,
}

impl Uploads {
    pub(super) fn get(&self, name: &[u8]) -> Option<Arc<Pending>> {
        self.0.lock().get(key_of(name)).cloned()
    }

    /// Lets go of those that nobody goes on with.
    pub(super) fn forget_old(&self, now_ms: i64) {
        let is_used =
            |pending: &Arc<Pending>| now_ms - pending.used_ms.load(Ordering::Relaxed) <= UPLOAD_MS;
        self.0.lock().retain(|_, pending| is_used(pending));
    }

    fn put(&self, pending: &Arc<Pending>) -> Result<()> {
        let mut uploads = self.0.lock();
        if uploads.len() >= UPLOADS_MAX && !uploads.contains_key(&pending.key) {
            return Err(Error::new(
                ErrorCode::Limited,
                "there are as many uploads as may be",
            ));
        }
        uploads.insert(pending.key.clone(), Arc::clone(pending));
        Ok(())
    }

    fn take(&self, name: &[u8], friend: Number) -> Option<Arc<Pending>> {
        let mut uploads = self.0.lock();
        let is_theirs = uploads.get(key_of(name))?.friend == friend;
        is_theirs.then(|| uploads.remove(key_of(name)))?
    }
}

/// Begins a file for a friend. One of the same name that was under way is given up.
pub(super) async fn begin(seat: &Seat, friend: &Friend, name: &[u8]) -> Result<Arc<Pending>> {
    let room = friend
        .room
        .ok_or_else(|| Error::new(ErrorCode::Denied, "there is no room with them"))?;
    let room = RoomRef::Id(room);
    let path = shown_name(&said(name), DATA_BYTES);
    if path.is_empty() || path == "." || path == ".." {
        return Err(Error::new(ErrorCode::Invalid, "this is no name of a file"));
    }
    let put = Put {
        path,
        expect: Expect::Any,
        mtime_ns: None,
        executable: false,
    };
    let transfers = seat.wharf.transfers();
    let upload = transfers.open_upload(&seat.by, room, put).await?;
    let pending = Arc::new(Pending {
        key: key_of(name).to_vec(),
        friend: friend.number,
        room,
        used_ms: AtomicI64::new(seat.wharf.clock().steady_ms()),
        upload: tokio::sync::Mutex::new(Some(upload)),
    });
    seat.uploads.put(&pending)?;
    Ok(pending)
}

impl Pending {
    pub(super) fn is_called(&self, name: &[u8]) -> bool {
        self.key == key_of(name)
    }

    pub(super) const fn friend(&self) -> Number {
        self.friend
    }

    /// Takes the next piece. An upload that fails is of no use any more.
    pub(super) async fn push(&self, data: Vec<u8>, now_ms: i64) -> Result<()> {
        self.used_ms.store(now_ms, Ordering::Relaxed);
        let mut place = self.upload.lock().await;
        let mut upload = place.take().ok_or_else(has_failed)?;
        upload.push(data.into()).await?;
        *place = Some(upload);
        Ok(())
    }
}

/// Ends a file: it is in the drive, and its entry in the log.
pub(super) async fn end(seat: &Seat, friend: Number, name: &[u8]) -> Result<()> {
    let Some(pending) = seat.uploads.take(name, friend) else {
        return Ok(());
    };
    let upload = pending.upload.lock().await.take().ok_or_else(has_failed)?;
    let put = upload.commit().await?;
    let draft = Draft::File(FileDraft {
        node: put.id,
        revision: Some(put.revision),
        dimensions: None,
        text: String::new(),
        reply_to: None,
        mentions: Mentions::default(),
    });
    let logs = seat.wharf.logs();
    logs.append_once(&seat.by, pending.room, draft).await?;
    Ok(())
}

fn has_failed() -> Error {
    Error::new(ErrorCode::Cancelled, "the upload has failed before")
}

/// Goes through the files that were handed over in a room, newest first, until `look` has found what it looks for or so many
/// pages were read.
async fn walk<T>(
    seat: &Seat,
    room: RoomRef,
    pages_max: usize,
    mut look: impl FnMut(&File) -> ControlFlow<T>,
) -> Result<Option<T>> {
    let mut before = None;
    for _ in 0..pages_max {
        let logs = seat.wharf.logs();
        let page = logs
            .files(&seat.by, room, before, Some(PAGE_ENTRIES))
            .await?;
        let Some(last) = page.items.last() else { break };
        before = Some(last.position);
        for entry in &page.items {
            if let Some(Body::File(file)) = &entry.body
                && let ControlFlow::Break(found) = look(file)
            {
                return Ok(Some(found));
            }
        }
    }
    Ok(None)
}

/// The names of the files that were handed over in a chat, oldest first, each once; the newest ones where not all are
/// within a client's bounds.
pub(super) async fn names(seat: &Seat, friend: &Friend) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let Some(room) = friend.room else {
        return Ok(names);
    };
    let mut seen = HashSet::new();
    let mut bytes = 0;
    walk(seat, RoomRef::Id(room), PAGES_MAX, |file| {
        let name = shown_name(&file.name, DATA_BYTES);
        if seen.insert(name.clone()) {
            bytes += name.len() + 2;
            if bytes > LIST_BYTES_MAX {
                return ControlFlow::Break(());
            }
            names.push(name);
        }
        ControlFlow::Continue(())
    })
    .await?;
    names.reverse();
    Ok(names)
}

impl Reading {
    /// Opens the file that is called so, of those that were handed over in the chats which this address looked at, the last
    /// one first, and then in the other chats of whoever spoke last.
    pub(super) async fn open(
        desk: &Desk,
        peer: std::net::IpAddr,
        name: &[u8],
    ) -> Result<Option<Self>> {
        let mut tried = HashSet::new();
        for (seat, friend) in desk.looked_at(peer) {
            tried.insert((seat.me, friend));
            if let Some(friend) = seat.friend(friend)
                && let Some(found) = Self::in_chat(&seat, &friend, name, PAGES_MAX).await?
            {
                return Ok(Some(found));
            }
        }
        let Some(seat) = desk.last(peer) else {
            return Ok(None);
        };
        for (number, _) in seat.friends().into_iter().take(CHATS_MAX) {
            if tried.contains(&(seat.me, number)) {
                continue;
            }
            if let Some(friend) = seat.friend(number)
                && let Some(found) = Self::in_chat(&seat, &friend, name, 1).await?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    async fn in_chat(
        seat: &Seat,
        friend: &Friend,
        name: &[u8],
        pages_max: usize,
    ) -> Result<Option<Self>> {
        let Some(room) = friend.room else {
            return Ok(None);
        };
        let room = RoomRef::Id(room);
        let found = walk(seat, room, pages_max, |file| {
            if is_called(file, name) {
                ControlFlow::Break((file.node, file.revision))
            } else {
                ControlFlow::Continue(())
            }
        });
        let Some((node, revision)) = found.await? else {
            return Ok(None);
        };
        let transfers = seat.wharf.transfers();
        let content = transfers
            .content(&seat.by, room, At::Id(node), Some(revision))
            .await?;
        Ok(Some(Self {
            key: key_of(name).to_vec(),
            reader: content.read(0..content.bytes),
            content,
            offset: 0,
            ahead: Bytes::new(),
        }))
    }

    pub(super) fn is_called(&self, name: &[u8]) -> bool {
        self.key == key_of(name)
    }

    /// The bytes from `offset` on that one answer holds; none at the end. What follows on what was read before is not
    /// read again.
    pub(super) async fn bytes_at(&mut self, offset: u64) -> Result<Option<Bytes>> {
        if offset != self.offset {
            self.reader = self.content.read(offset..self.content.bytes);
            self.offset = offset;
            self.ahead = Bytes::new();
        }
        if self.ahead.is_empty() {
            match self.reader.next().await? {
                Some(bytes) => self.ahead = bytes,
                None => return Ok(None),
            }
        }
        let bytes = self.ahead.split_to(self.ahead.len().min(REPLY_BYTES_MAX));
        self.offset += bytes.len() as u64;
        Ok(Some(bytes))
    }
}

fn is_called(file: &File, name: &[u8]) -> bool {
    key_of(shown_name(&file.name, DATA_BYTES).as_bytes()) == key_of(name)
}
