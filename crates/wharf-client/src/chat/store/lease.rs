//! Which of the processes that share a store does a thing at a time, such as sending.
//!
//! Nothing depends on it being one alone: the server takes an item once, whoever sends it. It spares work, and keeps what
//! one device says in its order.

use rusqlite::{OptionalExtension, Transaction, params};

use super::ChatError;
use crate::task::process;

/// How long a lease holds without being renewed.
const LEASE_MS: i64 = 15_000;

/// Takes or renews a lease; says whether `holder` has it now.
pub(in crate::chat) fn take(
    tx: &Transaction<'_>,
    name: &str,
    holder: &str,
    now_ms: i64,
) -> Result<bool, ChatError> {
    let held: Option<(String, u32, Option<String>, i64)> = tx
        .prepare_cached("SELECT holder, pid, process_mark, until_ms FROM lease WHERE name = ?1")?
        .query_row([name], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()?;
    if let Some((other, pid, mark, until_ms)) = held
        && other != holder
    {
        // A clock that was set back must not keep a lease for ever.
        let is_held = until_ms > now_ms && until_ms - now_ms <= LEASE_MS;
        let is_alive = match mark {
            Some(mark) => process::mark(pid).as_deref() == Some(mark.as_str()),
            None => process::exists(pid),
        };
        if is_held && is_alive {
            return Ok(false);
        }
    }
    let pid = std::process::id();
    tx.prepare_cached(
        "INSERT OR REPLACE INTO lease (name, holder, pid, process_mark, until_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![name, holder, pid, process::mark(pid), now_ms + LEASE_MS])?;
    Ok(true)
}

/// Gives all leases of `holder` back.
pub(in crate::chat) fn give_back(tx: &Transaction<'_>, holder: &str) -> Result<(), ChatError> {
    tx.prepare_cached("DELETE FROM lease WHERE holder = ?1")?
        .execute([holder])?;
    Ok(())
}
