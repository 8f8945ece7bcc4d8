//! What a connection is told when it comes, so that it has missed nothing: first it is registered with its rooms, then
//! what they and its list are is read in one snapshot, then it is told what comes after the snapshot.

use std::collections::BTreeSet;

use wharf_store::sql::{self, Tx};
use wharf_types::api::live::{Hello, KnownHead, ServerFrame, VERSION, Welcome};
use wharf_types::api::room::{AccountChanges, AccountItem, Room};
use wharf_types::limit::PAGE_ITEMS_MAX;
use wharf_types::{AccountId, EntryHash, ErrorCode, RoomId};

use super::conn::Connection;
use super::feed::weight_of;
use super::{HEARTBEAT, rows};
use crate::caller::Caller;
use crate::error::{Error, Result};
use crate::{room, setting};

/// About how many bytes of items go into one frame.
const FRAME_WEIGHT_BYTES: usize = 128 * 1024;
/// How often a snapshot is read anew because memberships changed meanwhile.
const TRIES_MAX: usize = 10;

/// What a connection is told first.
#[derive(Debug)]
pub struct Greeting {
    /// What it is; then what it missed, and that it is live.
    pub frames: Vec<ServerFrame>,
    /// The version of the account's list that these bring it to.
    pub account_version: u64,
}

/// What a connection is told of the account's own list.
#[derive(Debug)]
pub struct ListChange {
    /// The frames, in order.
    pub frames: Vec<ServerFrame>,
    /// The version that these bring it to.
    pub version: u64,
}

/// The account's list and rooms, as they stand in one transaction.
struct Snapshot {
    epoch: String,
    number: u64,
    changes: AccountChanges,
    heads: Vec<Head>,
    /// Rooms whose log is not where the device has it.
    rooms: Vec<Room>,
    diverged: Vec<RoomId>,
}

/// Where a log stands.
#[derive(Debug, Clone, Copy)]
struct Head {
    room: RoomId,
    position: u64,
    hash: EntryHash,
    floor: u64,
    floor_hash: EntryHash,
}

impl Connection {
    /// Registers the connection with everything that is the caller's and reads what the device is to be told first.
    /// From here on the connection is told what happens, and the account is there.
    ///
    /// # Errors
    /// - `Unsupported`: the client speaks another version.
    /// - `Unauthenticated`: the session has ended.
    pub async fn greet(&self, by: &Caller, hello: &Hello) -> Result<Greeting> {
        if hello.version != VERSION {
            return Err(Error::new(
                ErrorCode::Unsupported,
                format!("this server speaks version {VERSION} of the live protocol"),
            ));
        }
        let person = *by.person()?;
        let ground = self.live().hub();
        self.want_entries(hello.entries);
        let snapshot = self.snapshot(by, hello).await?;
        self.conn().become_present();
        ground.presence.changed(person.account);
        let welcome = Welcome {
            epoch: snapshot.epoch.clone(),
            account: person.account,
            session: person.session,
            number: snapshot.number,
            time_ms: ground.clock.now_ms(),
            heartbeat_seconds: u32::try_from(HEARTBEAT.as_secs()).unwrap_or(u32::MAX),
            recall_minutes: ground.config.recall_minutes,
            edit_minutes: ground.config.edit_minutes,
        };
        let before = if hello.epoch.as_ref() == Some(&snapshot.epoch) {
            hello.account_version
        } else {
            0
        };
        let account_version = snapshot.changes.version;
        let mut frames = vec![ServerFrame::Welcome(welcome)];
        frames.extend(list_frames(snapshot.changes, before));
        frames.extend(room_frames(snapshot.rooms, snapshot.diverged));
        frames.push(ServerFrame::Ready);
        Ok(Greeting {
            frames,
            account_version,
        })
    }

    /// What changed of the account's own list past a version. The connection follows the rooms that it came into, and
    /// no more those that it left.
    pub async fn list_changes(&self, by: &Caller, after: u64) -> Result<ListChange> {
        let account = by.account()?;
        for _ in 0..TRIES_MAX {
            let gone_count = self.conn().gone_count();
            let changes = self
                .live()
                .hub()
                .db
                .read(move |tx| all_changes(tx, account, after))
                .await?;
            let rooms = || {
                changes.items.iter().filter_map(|item| match item {
                    AccountItem::Room(room) => Some(room),
                    _ => None,
                })
            };
            let new: Vec<_> = rooms()
                .filter(|room| !self.follows(room.id))
                .map(|room| room.id)
                .collect();
            if !new.is_empty() {
                // Registered now, they are read anew.
                self.follow(new);
                continue;
            }
            for room in rooms() {
                self.begin(room.id, room.head, room.head_hash);
            }
            for item in &changes.items {
                if let AccountItem::RoomGone { room } = item {
                    self.unfollow(*room);
                }
            }
            if self.conn().gone_count() == gone_count {
                let version = changes.version;
                let frames = list_frames(changes, after);
                return Ok(ListChange { frames, version });
            }
        }
        Err(changing())
    }

    /// Reads the snapshot of rooms that the connection was registered with before.
    async fn snapshot(&self, by: &Caller, hello: &Hello) -> Result<Snapshot> {
        let account = by.account()?;
        let db = &self.live().hub().db;
        let mut rooms = db.read(move |tx| rows::rooms_of(tx, account)).await?;
        for _ in 0..TRIES_MAX {
            let gone_count = self.conn().gone_count();
            self.follow(rooms.iter().copied());
            let hello = hello.clone();
            let snapshot = db.read(move |tx| read(tx, account, &hello)).await?;
            let followed: BTreeSet<_> = rooms.into_iter().collect();
            let found: BTreeSet<_> = snapshot.heads.iter().map(|head| head.room).collect();
            for head in &snapshot.heads {
                self.begin(head.room, head.position, head.hash);
            }
            for room in followed.difference(&found) {
                self.unfollow(*room);
            }
            if found.is_subset(&followed) && self.conn().gone_count() == gone_count {
                return Ok(snapshot);
            }
            rooms = found.into_iter().collect();
        }
        Err(changing())
    }
}

fn changing() -> Error {
    Error::new(
        ErrorCode::Unavailable,
        "the account's rooms change faster than they can be read",
    )
    .retry_after(1)
}

fn read(tx: &mut Tx<'_>, account: AccountId, hello: &Hello) -> Result<Snapshot> {
    let epoch = setting::get(tx, setting::EPOCH)?.unwrap_or_default();
    let after = if hello.epoch.as_ref() == Some(&epoch) {
        hello.account_version
    } else {
        0
    };
    let changes = all_changes(tx, account, after)?;
    let number = match hello.device {
        Some(device) => crate::log::last_number(tx, account, device)?,
        None => 0,
    };
    let told: BTreeSet<_> = changes
        .items
        .iter()
        .filter_map(|item| match item {
            AccountItem::Room(room) => Some(room.id),
            _ => None,
        })
        .collect();
    let heads = heads_of(tx, account)?;
    let mut rooms = Vec::new();
    let mut diverged = Vec::new();
    for head in &heads {
        let known = hello.rooms.get(&head.room);
        let is_same =
            known.is_some_and(|known| known.position == head.position && known.hash == head.hash);
        if is_same {
            continue;
        }
        if !told.contains(&head.room) {
            rooms.extend(room::room_of(tx, account, head.room)?);
        }
        if let Some(known) = known
            && has_diverged(tx, head, known)?
        {
            diverged.push(head.room);
        }
    }
    Ok(Snapshot {
        epoch,
        number,
        changes,
        heads,
        rooms,
        diverged,
    })
}

/// Whether what a device has of a log is not the log's.
fn has_diverged(tx: &mut Tx<'_>, head: &Head, known: &KnownHead) -> sql::Result<bool> {
    if known.position > head.position {
        return Ok(true);
    }
    if known.position == 0 || known.position < head.floor {
        // Nothing, or nothing that is kept to be compared with.
        return Ok(false);
    }
    if known.position == head.floor {
        return Ok(known.hash != head.floor_hash);
    }
    let hash: Option<EntryHash> = tx.opt(
        "SELECT hash FROM entry WHERE room_id = ?1 AND position = ?2",
        &[head.room.into(), known.position.into()],
        |row| row.id(0),
    )?;
    Ok(hash.is_some_and(|hash| hash != known.hash))
}

fn heads_of(tx: &mut Tx<'_>, account: AccountId) -> sql::Result<Vec<Head>> {
    tx.all(
        "SELECT l.room_id, l.head, l.hash, l.floor_position, l.floor_hash \
         FROM member m JOIN log l ON l.room_id = m.room_id WHERE m.account_id = ?1",
        &[account.into()],
        |row| {
            Ok(Head {
                room: row.id(0)?,
                position: row.uint(1)?,
                hash: row.id(2)?,
                floor: row.uint(3)?,
                floor_hash: row.id(4)?,
            })
        },
    )
}

/// Everything that changed past a version; everything there is, where the list has not come to it.
fn all_changes(tx: &mut Tx<'_>, account: AccountId, after: u64) -> Result<AccountChanges> {
    let mut all = match room::changes(tx, account, after) {
        Err(error) if error.code() == ErrorCode::Stale => room::changes(tx, account, 0)?,
        other => other?,
    };
    let mut page_count = all.items.len();
    while page_count >= PAGE_ITEMS_MAX as usize && after > 0 {
        let more = room::changes(tx, account, all.version)?;
        page_count = more.items.len();
        all.version = more.version;
        all.items.extend(more.items);
    }
    Ok(all)
}

/// Frames of a list's changes. Only the last one brings the device to the new version: what is cut before it is told
/// again.
fn list_frames(changes: AccountChanges, before: u64) -> Vec<ServerFrame> {
    if changes.items.is_empty() && changes.version == before {
        return Vec::new();
    }
    let mut frames: Vec<_> = pieces(changes.items, weight_of_item)
        .into_iter()
        .map(|items| ServerFrame::Account {
            version: before,
            items,
        })
        .collect();
    match frames.last_mut() {
        Some(ServerFrame::Account { version, .. }) => *version = changes.version,
        _ => frames.push(ServerFrame::Account {
            version: changes.version,
            items: Vec::new(),
        }),
    }
    frames
}

fn room_frames(rooms: Vec<Room>, diverged: Vec<RoomId>) -> Vec<ServerFrame> {
    let mut frames: Vec<_> = pieces(rooms, weight_of_room)
        .into_iter()
        .map(|items| ServerFrame::Rooms {
            items,
            diverged: Vec::new(),
        })
        .collect();
    if !diverged.is_empty() {
        frames.push(ServerFrame::Rooms {
            items: Vec::new(),
            diverged,
        });
    }
    frames
}

fn pieces<T>(items: Vec<T>, weight: fn(&T) -> usize) -> Vec<Vec<T>> {
    let mut pieces = Vec::new();
    let mut piece = Vec::new();
    let mut weight_bytes = 0;
    for item in items {
        let more = weight(&item);
        if weight_bytes + more > FRAME_WEIGHT_BYTES && !piece.is_empty() {
            pieces.push(std::mem::take(&mut piece));
            weight_bytes = 0;
        }
        weight_bytes += more;
        piece.push(item);
    }
    if !piece.is_empty() {
        pieces.push(piece);
    }
    pieces
}

fn weight_of_item(item: &AccountItem) -> usize {
    match item {
        AccountItem::Room(room) => weight_of_room(room),
        _ => 500,
    }
}

fn weight_of_room(room: &Room) -> usize {
    800 + room.preferences.draft.len() + room.last.as_ref().map_or(0, weight_of)
}

#[cfg(test)]
mod tests {
    use wharf_types::RoomId;
    use wharf_types::api::live::ServerFrame;
    use wharf_types::api::room::{AccountChanges, AccountItem};

    use super::list_frames;

    #[test]
    fn a_long_list_comes_in_pieces_and_the_last_one_brings_the_version() {
        let gone = |number: u32| {
            let mut id = [0; 16];
            id[..4].copy_from_slice(&number.to_be_bytes());
            AccountItem::RoomGone {
                room: RoomId::from_bytes(id),
            }
        };
        let items: Vec<_> = (0..1000).map(gone).collect();
        let changes = AccountChanges {
            version: 9,
            items: items.clone(),
        };
        let frames = list_frames(changes, 4);
        let mut versions = Vec::new();
        let mut told = Vec::new();
        for frame in frames {
            let ServerFrame::Account { version, items } = frame else {
                panic!("{frame:?}");
            };
            versions.push(version);
            told.extend(items);
        }
        assert_eq!(told, items);
        assert_eq!(versions.pop(), Some(9));
        assert!(!versions.is_empty() && versions.iter().all(|version| *version == 4));
        let nothing = AccountChanges {
            version: 4,
            items: Vec::new(),
        };
        assert!(list_frames(nothing.clone(), 4).is_empty());
        assert_eq!(list_frames(nothing, 3).len(), 1);
    }
}
