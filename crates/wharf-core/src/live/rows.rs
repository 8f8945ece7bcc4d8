//! What the live side reads and writes in the database by itself, many rows in a statement.

use std::collections::HashSet;
use std::sync::LazyLock;

use wharf_store::sql::{self, Db, Lock, Tx};
use wharf_types::api::log::Entry;
use wharf_types::{AccountId, EntryHash, RoomId, SessionId};

use crate::error::Result;
use crate::log;
use crate::many::{MANY, after, markers, places};

/// How stale the time of last use of a session that is connected may become.
const SEEN_LAG_MS: i64 = 30 * 60_000;

/// The end of a log.
#[derive(Debug)]
pub(super) struct Tail {
    pub(super) entries: Vec<Entry>,
    pub(super) head: u64,
    pub(super) hash: EntryHash,
}

/// Where followed things stand.
#[derive(Debug, Default)]
pub(super) struct Heads {
    /// Rooms with the last positions of their logs and drives.
    pub(super) rooms: Vec<(RoomId, u64, u64)>,
    /// Accounts with the versions of their lists.
    pub(super) accounts: Vec<(AccountId, u64)>,
}

/// The rooms that an account is a member of.
pub(super) fn rooms_of(tx: &mut Tx<'_>, account: AccountId) -> Result<Vec<RoomId>> {
    let rooms = tx.all(
        "SELECT room_id FROM member WHERE account_id = ?1",
        &[account.into()],
        |row| row.id(0),
    )?;
    Ok(rooms)
}

/// The entries of a room past `after`, `limit` at most, and the log's end; `None` where there is no such room any more.
pub(super) fn entries(
    tx: &mut Tx<'_>,
    room: RoomId,
    after: u64,
    limit: usize,
) -> sql::Result<Option<Tail>> {
    let end = tx.opt(
        "SELECT head, hash FROM log WHERE room_id = ?1",
        &[room.into()],
        |row| Ok((row.uint(0)?, row.id(1)?)),
    )?;
    let Some((head, hash)) = end else {
        return Ok(None);
    };
    let limit = u32::try_from(limit).unwrap_or(u32::MAX);
    // A log that is much ahead is not read: whoever follows is told where it stands.
    let entries = if head.saturating_sub(after) <= u64::from(limit) {
        log::told_to_others(tx, room, after, head)?
    } else {
        Vec::new()
    };
    Ok(Some(Tail {
        entries,
        head,
        hash,
    }))
}

/// Where these rooms and accounts stand.
pub(super) async fn heads(db: &Db, rooms: Vec<RoomId>, accounts: Vec<AccountId>) -> Result<Heads> {
    static ROOMS: LazyLock<String> = LazyLock::new(|| {
        format!(
            "SELECT l.room_id, l.head, r.drive_head FROM log l JOIN room r ON r.id = l.room_id WHERE l.room_id IN ({})",
            markers(1)
        )
    });
    static ACCOUNTS: LazyLock<String> = LazyLock::new(|| {
        format!(
            "SELECT account_id, version FROM account_list WHERE account_id IN ({})",
            markers(1)
        )
    });
    db.read(move |tx| {
        let mut heads = Heads::default();
        for rooms in rooms.chunks(MANY) {
            tx.each(&ROOMS, &places(rooms), |row| {
                heads.rooms.push((row.id(0)?, row.uint(1)?, row.uint(2)?));
                Ok(())
            })?;
        }
        for accounts in accounts.chunks(MANY) {
            tx.each(&ACCOUNTS, &places(accounts), |row| {
                heads.accounts.push((row.id(0)?, row.uint(1)?));
                Ok(())
            })?;
        }
        Ok(heads)
    })
    .await
}

/// Those of `sessions` that have ended or whose account is locked. The others are in use: it is recorded now and then.
pub(super) async fn ended_sessions(
    db: &Db,
    sessions: Vec<SessionId>,
    now_ms: i64,
) -> Result<Vec<SessionId>> {
    static OPEN: LazyLock<String> = LazyLock::new(|| {
        format!(
            "SELECT s.id, s.seen_ms FROM session s JOIN account a ON a.id = s.account_id \
             WHERE a.locked = 0 AND s.id IN ({})",
            markers(1)
        )
    });
    static TOUCH: LazyLock<String> = LazyLock::new(|| {
        format!(
            "UPDATE session SET seen_ms = ?1 WHERE seen_ms < ?1 AND id IN ({})",
            markers(2)
        )
    });
    let asked = sessions.clone();
    let open: Vec<(SessionId, i64)> = db
        .read(move |tx| -> Result<_> {
            let mut open = Vec::new();
            for sessions in asked.chunks(MANY) {
                tx.each(&OPEN, &places(sessions), |row| {
                    open.push((row.id(0)?, row.int(1)?));
                    Ok(())
                })?;
            }
            Ok(open)
        })
        .await?;
    let stale: Vec<_> = open
        .iter()
        .filter(|(_, seen_ms)| now_ms - seen_ms >= SEEN_LAG_MS)
        .map(|(session, _)| *session)
        .collect();
    let open: HashSet<_> = open.into_iter().map(|(session, _)| session).collect();
    if !stale.is_empty() {
        db.write(Lock::None, move |tx| -> Result<()> {
            for sessions in stale.chunks(MANY) {
                tx.exec(&TOUCH, &after(now_ms.into(), sessions))?;
            }
            Ok(())
        })
        .await?;
    }
    let ended = sessions
        .into_iter()
        .filter(|session| !open.contains(session));
    Ok(ended.collect())
}

/// Records that accounts were here and visible until now.
pub(super) async fn record_seen(db: &Db, accounts: Vec<AccountId>, now_ms: i64) -> Result<()> {
    static SEEN: LazyLock<String> = LazyLock::new(|| {
        format!(
            "UPDATE account SET seen_ms = ?1 WHERE id IN ({})",
            markers(2)
        )
    });
    db.write(Lock::None, move |tx| {
        for accounts in accounts.chunks(MANY) {
            tx.exec(&SEEN, &after(now_ms.into(), accounts))?;
        }
        Ok(())
    })
    .await
}
