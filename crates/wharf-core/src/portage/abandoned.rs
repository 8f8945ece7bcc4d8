//! Imports that nobody goes on with.
//!
//! After [`ABANDONED_DAYS`] without a batch an import is given up: its rooms that are whole stay, as does what came into the personal
//! room, and the one that was coming, which nobody ever saw, is taken away in bounded parts. The import is then at its beginning: brought in
//! again it passes over the rooms that stayed, and the others come anew.

use wharf_store::sql::{self, Lock, Tx};
use wharf_types::{AccountId, ImportId, RoomId};

use super::Portage;
use crate::access::{enter_as_server, lock};
use crate::error::Result;
use crate::{drive, log, search};

/// Days after the last batch after which an import is given up.
const ABANDONED_DAYS: i64 = 30;
const DAY_MS: i64 = 24 * 3_600_000;

impl Portage {
    /// Gives up all imports whose time is over and takes away what they leave, as its job does in parts spread over time.
    pub async fn clear_abandoned(&self) -> Result<()> {
        while self.clear_abandoned_part().await? {}
        Ok(())
    }

    /// Does one bounded part of it, in one transaction, and says whether there may be more. What a crash leaves is taken up
    /// by the next one.
    pub async fn clear_abandoned_part(&self) -> Result<bool> {
        let now_ms = self.ground.clock.now_ms();
        if let Some(room) = self.ground.db.read(next_room).await? {
            let clear = move |tx: &mut Tx<'_>| clear_part(tx, room, now_ms);
            self.ground.db.write(Lock::Room(room), clear).await?;
            return Ok(true);
        }
        let before_ms = now_ms - ABANDONED_DAYS * DAY_MS;
        let find = move |tx: &mut Tx<'_>| next_import(tx, before_ms);
        let Some((account, import)) = self.ground.db.read(find).await? else {
            return Ok(false);
        };
        // Batches of the account have this lock, too: one that comes first keeps the import.
        let locked = lock(&[], &[account]);
        let give_up = move |tx: &mut Tx<'_>| give_up(tx, account, import, (before_ms, now_ms));
        self.ground.db.write(locked, give_up).await?;
        Ok(true)
    }
}

fn next_room(tx: &mut Tx<'_>) -> sql::Result<Option<RoomId>> {
    let text = "SELECT room_id FROM abandoned_room ORDER BY room_id LIMIT 1";
    tx.opt(text, &[], |row| row.id(0))
}

/// An import that is neither done nor at its beginning, with its last batch before a time, or at a time that nobody noted.
fn next_import(tx: &mut Tx<'_>, before_ms: i64) -> sql::Result<Option<(AccountId, ImportId)>> {
    tx.opt(
        "SELECT account_id, id FROM import WHERE is_done = 0 \
         AND (touched_ms < ?1 OR (touched_ms IS NULL AND number > 0)) LIMIT 1",
        &[before_ms.into()],
        |row| Ok((row.id(0)?, row.id(1)?)),
    )
}

/// Gives an import up, if its last batch still is from before a time.
fn give_up(
    tx: &mut Tx<'_>,
    account: AccountId,
    import: ImportId,
    (before_ms, now_ms): (i64, i64),
) -> Result<()> {
    let key = [account.into(), import.into()];
    let state = tx.opt(
        "SELECT touched_ms, number FROM import WHERE account_id = ?1 AND id = ?2 AND is_done = 0",
        &key,
        |row| Ok((row.opt_int(0)?, row.uint(1)?)),
    )?;
    match state {
        None | Some((None, 0)) => return Ok(()),
        Some((Some(touched_ms), _)) if touched_ms >= before_ms => return Ok(()),
        // Its days begin now.
        Some((None, _)) => {
            tx.exec(
                "UPDATE import SET touched_ms = ?3 WHERE account_id = ?1 AND id = ?2",
                &[account.into(), import.into(), now_ms.into()],
            )?;
            return Ok(());
        }
        Some((Some(_), _)) => {}
    }
    // A room that somebody is in is nobody's to take away, whatever the import's rows say: the personal one is such a room.
    tx.exec(
        "INSERT INTO abandoned_room (room_id) SELECT r.id FROM import_room i JOIN room r ON r.id = i.to_id \
         WHERE i.account_id = ?1 AND i.import_id = ?2 AND i.record IS NOT NULL \
         AND NOT EXISTS (SELECT 1 FROM member m WHERE m.room_id = r.id)",
        &key,
    )?;
    tx.exec(
        "DELETE FROM import_room WHERE account_id = ?1 AND import_id = ?2 AND record IS NOT NULL",
        &key,
    )?;
    tx.exec(
        "UPDATE import_room SET is_kept = 1 WHERE account_id = ?1 AND import_id = ?2",
        &key,
    )?;
    tx.exec(
        "UPDATE import SET number = 0, archive_account = NULL, room_from = NULL, touched_ms = NULL, \
         given_up_count = given_up_count + 1 WHERE account_id = ?1 AND id = ?2",
        &key,
    )?;
    tracing::info!(%account, %import, "gave up an import that nobody went on with");
    Ok(())
}

/// Takes a part of an abandoned room away, and with the last one the room.
fn clear_part(tx: &mut Tx<'_>, id: RoomId, now_ms: i64) -> Result<()> {
    let is_reached = tx.opt(
        "SELECT 1 FROM member WHERE room_id = ?1 LIMIT 1",
        &[id.into()],
        |_| Ok(()),
    )?;
    if is_reached.is_some() {
        tracing::error!(room = %id, "a room of an import that was given up has members, and stays");
        tx.exec(
            "DELETE FROM abandoned_room WHERE room_id = ?1",
            &[id.into()],
        )?;
        return Ok(());
    }
    let room = enter_as_server(tx, id)?;
    if !drive::forget_some(tx, &room, now_ms)? || !log::forget_some(tx, id)? {
        return Ok(());
    }
    search::forget_index(tx, Some(id))?;
    for text in [
        "DELETE FROM image_room WHERE room_id = ?1",
        "DELETE FROM stand_in WHERE room_id = ?1",
        "DELETE FROM room WHERE id = ?1",
        "DELETE FROM abandoned_room WHERE room_id = ?1",
    ] {
        tx.exec(text, &[id.into()])?;
    }
    Ok(())
}

/// Whether a room of an archive was whole when its import was given up, and its records have not come again since.
pub(super) fn is_kept(
    tx: &mut Tx<'_>,
    account: AccountId,
    import: ImportId,
    from: RoomId,
) -> sql::Result<bool> {
    let found = tx.opt(
        "SELECT is_kept FROM import_room WHERE account_id = ?1 AND import_id = ?2 AND from_id = ?3",
        &[account.into(), import.into(), from.into()],
        |row| row.flag(0),
    )?;
    Ok(found.unwrap_or(false))
}

/// Notes that the records of such a room have come again.
pub(super) fn passed_over(
    tx: &mut Tx<'_>,
    account: AccountId,
    import: ImportId,
    from: RoomId,
) -> sql::Result<()> {
    tx.exec(
        "UPDATE import_room SET is_kept = 0 WHERE account_id = ?1 AND import_id = ?2 AND from_id = ?3",
        &[account.into(), import.into(), from.into()],
    )?;
    Ok(())
}
