//! What drives use of their owners' quotas.
//!
//! Invariant (I14): a room uses the bytes of every change whose manifest is kept, and an account uses what the rooms it
//! owns use. Whoever keeps or frees a manifest calls [`charge`] in the same transaction.

use wharf_store::sql::{self, Tx};
use wharf_types::{AccountId, ErrorCode, RoomId};

use crate::access::Entered;
use crate::error::{Error, Result};

/// Adds `added_bytes` to what a room and its owner use and takes `freed_bytes` off.
///
/// # Errors
/// `OverQuota` when the owner would use more than before, and more than the quota.
pub(super) fn charge(
    tx: &mut Tx<'_>,
    room: &Entered,
    added_bytes: u64,
    freed_bytes: u64,
) -> Result<()> {
    let growth = i64::try_from(i128::from(added_bytes) - i128::from(freed_bytes))
        .map_err(|_| Error::invalid("this is more than any quota"))?;
    if growth == 0 {
        return Ok(());
    }
    // One statement compares and adds: other rooms of the same owner are charged at the same time.
    let charged = if growth > 0 {
        tx.exec(
            "UPDATE account SET used_bytes = used_bytes + ?1 WHERE id = ?2 AND used_bytes + ?1 <= quota_bytes",
            &[growth.into(), room.owner.into()],
        )?
    } else {
        tx.exec(
            "UPDATE account SET used_bytes = used_bytes + ?1 WHERE id = ?2",
            &[growth.into(), room.owner.into()],
        )?
    };
    if charged == 0 {
        let left = room.quota_bytes.saturating_sub(room.owner_used_bytes);
        return Err(Error::new(
            ErrorCode::OverQuota,
            format!(
                "this needs {growth} bytes and the quota of {} bytes has {left} left: \
                 empty the trash, let old revisions go, or ask the operator for more",
                room.quota_bytes
            ),
        ));
    }
    tx.exec(
        "UPDATE room SET used_bytes = used_bytes + ?1 WHERE id = ?2",
        &[growth.into(), room.id.into()],
    )?;
    Ok(())
}

/// Gives a room, whose lock the transaction holds, another owner, and its drive another quota to count on.
///
/// # Errors
/// `OverQuota`: the new owner has no room for the drive.
pub(crate) fn hand_over(tx: &mut Tx<'_>, room: &Entered, to: AccountId) -> Result<()> {
    let taken = tx.exec(
        "UPDATE account SET used_bytes = used_bytes + ?1 WHERE id = ?2 AND (?1 = 0 OR used_bytes + ?1 <= quota_bytes)",
        &[room.used_bytes.into(), to.into()],
    )?;
    if taken == 0 {
        return Err(Error::new(
            ErrorCode::OverQuota,
            format!(
                "the room's drive of {} bytes does not fit the new owner's quota",
                room.used_bytes
            ),
        ));
    }
    tx.exec(
        "UPDATE account SET used_bytes = used_bytes - ?1 WHERE id = ?2",
        &[room.used_bytes.into(), room.owner.into()],
    )?;
    tx.exec(
        "UPDATE room SET owner_id = ?2 WHERE id = ?1",
        &[room.id.into(), to.into()],
    )?;
    Ok(())
}

/// Counts what one account's rooms use again, mends what had drifted, and returns how many figures were wrong. `rooms` are
/// the account's rooms, all of them locked.
pub(super) fn recount(tx: &mut Tx<'_>, account: AccountId, rooms: &[RoomId]) -> sql::Result<u64> {
    let mut mended = 0;
    for room in rooms {
        mended += tx.exec(
            "UPDATE room SET used_bytes = (SELECT CAST(coalesce(sum(c.bytes), 0) AS BIGINT) FROM change c \
             WHERE c.room_id = ?1 AND c.manifest IS NOT NULL) \
             WHERE id = ?1 AND used_bytes <> (SELECT CAST(coalesce(sum(c.bytes), 0) AS BIGINT) FROM change c \
             WHERE c.room_id = ?1 AND c.manifest IS NOT NULL)",
            &[room.into()],
        )?;
    }
    mended += tx.exec(
        "UPDATE account SET used_bytes = (SELECT CAST(coalesce(sum(r.used_bytes), 0) AS BIGINT) FROM room r \
         WHERE r.owner_id = ?1) \
         WHERE id = ?1 AND used_bytes <> (SELECT CAST(coalesce(sum(r.used_bytes), 0) AS BIGINT) FROM room r \
         WHERE r.owner_id = ?1)",
        &[account.into()],
    )?;
    if mended > 0 {
        tracing::warn!(%account, mended, "what drives use had drifted, mended (I14)");
    }
    Ok(mended)
}

/// The first account after `after`, with the rooms that it owns.
pub(super) fn next_owner(
    tx: &mut Tx<'_>,
    after: Option<AccountId>,
) -> sql::Result<Option<(AccountId, Vec<RoomId>)>> {
    let after = after.unwrap_or_else(|| AccountId::from_bytes([0; 16]));
    let next = tx.opt(
        "SELECT id FROM account WHERE id > ?1 ORDER BY id LIMIT 1",
        &[after.into()],
        |row| row.id::<AccountId>(0),
    )?;
    let Some(account) = next else {
        return Ok(None);
    };
    let rooms = tx.all(
        "SELECT id FROM room WHERE owner_id = ?1 ORDER BY id",
        &[account.into()],
        |row| row.id(0),
    )?;
    Ok(Some((account, rooms)))
}
