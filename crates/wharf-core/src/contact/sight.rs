//! Who may write to whom, and who may see whether somebody is there.

use std::collections::HashSet;

use wharf_store::sql::{self, Tx};
use wharf_types::AccountId;

/// Whether the two of a direct room may write in it: both are contacts, and neither has blocked the other.
pub(crate) fn may_write(tx: &mut Tx<'_>, direct_key: &[u8; 32]) -> sql::Result<bool> {
    let (one, other) = direct_key.split_at(16);
    let sides = tx.one(
        "SELECT count(*) FROM contact WHERE state = 'contact' AND is_blocked = 0 \
         AND ((account_id = ?1 AND other_id = ?2) OR (account_id = ?2 AND other_id = ?1))",
        &[one.into(), other.into()],
        |row| row.uint(0),
    )?;
    Ok(sides == 2)
}

/// As [`may_write`], by the two accounts.
pub(crate) fn are_contacts(tx: &mut Tx<'_>, one: AccountId, other: AccountId) -> sql::Result<bool> {
    may_write(tx, &super::direct_key(one, other))
}

/// Of `accounts`, those whose presence `viewer` may see: contacts, and members of rooms that the viewer is in, except who
/// blocked the viewer. The viewer sees itself.
pub(crate) fn visible_to(
    tx: &mut Tx<'_>,
    viewer: AccountId,
    accounts: &[AccountId],
) -> sql::Result<HashSet<AccountId>> {
    let mut visible = HashSet::new();
    for account in accounts {
        let is_visible = *account == viewer
            || tx.one(
                "SELECT CAST(CASE \
                 WHEN EXISTS (SELECT 1 FROM contact WHERE account_id = ?2 AND other_id = ?1 AND is_blocked = 1) THEN 0 \
                 WHEN EXISTS (SELECT 1 FROM contact WHERE account_id = ?2 AND other_id = ?1 AND state = 'contact') THEN 1 \
                 WHEN EXISTS (SELECT 1 FROM member m JOIN room r ON r.id = m.room_id AND r.kind = 'group' \
                   JOIN member o ON o.room_id = m.room_id AND o.account_id = ?2 WHERE m.account_id = ?1) THEN 1 \
                 ELSE 0 END AS BIGINT)",
                &[viewer.into(), account.into()],
                |row| row.flag(0),
            )?;
        if is_visible {
            visible.insert(*account);
        }
    }
    Ok(visible)
}
