//! The account's own list as a stream of versions.
//!
//! Whenever something of an account's list changes, in whatever transaction, it is [`touch`]ed there and takes the list's
//! next version. The row lock on the version makes versions commit in their order.

use wharf_store::sql::{self, Tx};
use wharf_types::{AccountId, ContactGroupId, RoomId};

/// Something of an account's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Thing {
    /// A contact, request or block.
    Contact(AccountId),
    /// A group of contacts.
    Group(ContactGroupId),
    /// A membership: the room itself, the role, the preferences.
    Room(RoomId),
    /// An invitation into a room.
    Invitation(RoomId),
    /// How far the account has read in a room.
    Read(RoomId),
}

/// Gives a thing of an account's list the next version, which it returns. Who touches several accounts in one transaction
/// does so in the order of their ids.
pub(crate) fn touch(tx: &mut Tx<'_>, account: AccountId, thing: Thing) -> sql::Result<u64> {
    let version = tx.one(
        "INSERT INTO account_list (account_id, version) VALUES (?1, 1) \
         ON CONFLICT (account_id) DO UPDATE SET version = account_list.version + 1 RETURNING version",
        &[account.into()],
        |row| row.uint(0),
    )?;
    let (kind, id) = match &thing {
        Thing::Contact(id) => ("contact", id.as_bytes()),
        Thing::Group(id) => ("group", id.as_bytes()),
        Thing::Room(id) => ("room", id.as_bytes()),
        Thing::Invitation(id) => ("invitation", id.as_bytes()),
        Thing::Read(id) => ("read", id.as_bytes()),
    };
    tx.exec(
        "INSERT INTO account_change (account_id, kind, thing_id, version) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (account_id, kind, thing_id) DO UPDATE SET version = excluded.version",
        &[
            account.into(),
            kind.into(),
            id.as_slice().into(),
            version.into(),
        ],
    )?;
    Ok(version)
}
