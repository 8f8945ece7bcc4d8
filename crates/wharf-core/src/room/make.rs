//! The rows of a new room and of a new member, in the caller's transaction.

use wharf_store::sql::{self, Tx};
use wharf_types::api::room::{History, Role, RoomKind};
use wharf_types::{AccountId, NodeId, RoomId};

use super::rows;
use crate::Ground;

/// What a room is made from, checked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewRoom<'a> {
    pub(crate) id: RoomId,
    pub(crate) kind: RoomKind,
    pub(crate) owner: AccountId,
    pub(crate) name: &'a str,
    pub(crate) topic: &'a str,
    pub(crate) history: History,
    /// Of a direct room: its two accounts, the smaller id first.
    pub(crate) direct_key: Option<&'a [u8; 32]>,
    pub(crate) now_ms: i64,
}

/// Makes a room with an empty drive and an empty log, and no members.
pub(crate) fn insert(tx: &mut Tx<'_>, ground: &Ground, room: &NewRoom<'_>) -> sql::Result<()> {
    let root = ground.random.id(NodeId::new, room.now_ms);
    let trash = ground.random.id(NodeId::new, room.now_ms);
    let retention = ground.config.retention_default;
    tx.exec(
        "INSERT INTO room (id, kind, owner_id, root_id, trash_id, drive_head, used_bytes, revision_days, trash_days, \
         created_ms, name, topic, history, archived, direct_key) \
         VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, ?6, ?7, ?8, ?9, ?10, ?11, 0, ?12)",
        &[
            room.id.into(),
            rows::kind_text(room.kind).into(),
            room.owner.into(),
            root.into(),
            trash.into(),
            retention.revision_days.into(),
            retention.trash_days.into(),
            room.now_ms.into(),
            room.name.into(),
            room.topic.into(),
            rows::history_text(room.history).into(),
            room.direct_key.map(<[u8; 32]>::as_slice).into(),
        ],
    )?;
    crate::drive::insert_root(tx, room.id, root, room.now_ms)?;
    let none = [0; 32];
    tx.exec(
        "INSERT INTO log (room_id, head, hash, countable, hour, floor_position, floor_hash, floor_countable, keep_days) \
         VALUES (?1, 0, ?2, 0, -1, 0, ?2, 0, 0)",
        &[room.id.into(), none.as_slice().into()],
    )?;
    Ok(())
}

/// Makes an account a member, who cannot read the log up to `floor_position`.
pub(crate) fn insert_member(
    tx: &mut Tx<'_>,
    room: RoomId,
    account: AccountId,
    role: Role,
    floor_position: u64,
    now_ms: i64,
) -> sql::Result<()> {
    tx.exec(
        "INSERT INTO member (room_id, account_id, role, joined_ms, floor_position) VALUES (?1, ?2, ?3, ?4, ?5)",
        &[
            room.into(),
            account.into(),
            rows::role_text(role).into(),
            now_ms.into(),
            floor_position.into(),
        ],
    )?;
    Ok(())
}
