//! Who may write to whom, and who may see whether somebody is there.

use std::sync::LazyLock;

use wharf_store::sql::{self, Tx};
use wharf_types::AccountId;

use crate::many::{MANY, after, markers};

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

/// Of `accounts`, those whose presence `viewer` may see, in no order, with the time when they were here last: contacts, and
/// members of groups that the viewer is in, except who blocked the viewer. The viewer sees itself.
pub(crate) fn visible_to(
    tx: &mut Tx<'_>,
    viewer: AccountId,
    accounts: &[AccountId],
) -> sql::Result<Vec<(AccountId, Option<i64>)>> {
    static VISIBLE: LazyLock<String> = LazyLock::new(|| {
        format!(
            "SELECT a.id, a.seen_ms FROM account a WHERE a.id IN ({}) AND (a.id = ?1 OR \
             NOT EXISTS (SELECT 1 FROM contact b WHERE b.account_id = a.id AND b.other_id = ?1 AND b.is_blocked = 1) \
             AND (EXISTS (SELECT 1 FROM contact c WHERE c.account_id = a.id AND c.other_id = ?1 AND c.state = 'contact') \
             OR EXISTS (SELECT 1 FROM member m JOIN room r ON r.id = m.room_id AND r.kind = 'group' \
             JOIN member o ON o.room_id = m.room_id AND o.account_id = a.id WHERE m.account_id = ?1)))",
            markers(2)
        )
    });
    let mut visible = Vec::new();
    for accounts in accounts.chunks(MANY) {
        tx.each(&VISIBLE, &after(viewer.into(), accounts), |row| {
            visible.push((row.id(0)?, row.opt_int(1)?));
            Ok(())
        })?;
    }
    Ok(visible)
}
