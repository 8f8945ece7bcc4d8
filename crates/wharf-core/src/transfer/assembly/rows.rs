//! Rows of uploads by pieces.

use std::ops::Range;

use wharf_store::sql::{self, Row, Tx};
use wharf_types::{AccountId, RoomId};
use wharf_wire::manifest::Manifest;

use super::{Assembly, OpenAssembly};
use crate::error::{Error, Result};

pub(super) fn insert(
    tx: &mut Tx<'_>,
    account: AccountId,
    assembly: &Assembly,
    now_ms: i64,
) -> sql::Result<u64> {
    tx.exec(
        "INSERT INTO assembly (account_id, number, room_id, path, bytes, mtime_ns, md5, commit_id, touched_ms) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        &[
            account.into(),
            assembly.number.into(),
            assembly.room.into(),
            (&assembly.path).into(),
            assembly.bytes.into(),
            assembly.mtime_ns.into(),
            assembly.md5.as_ref().map(|md5| &md5[..]).into(),
            assembly.commit.into(),
            now_ms.into(),
        ],
    )
}

pub(super) fn assembly(
    tx: &mut Tx<'_>,
    account: AccountId,
    number: u64,
) -> sql::Result<Option<Assembly>> {
    let found = tx.opt(
        "SELECT room_id, path, bytes, mtime_ns, md5, commit_id, ended_ms FROM assembly \
         WHERE account_id = ?1 AND number = ?2",
        &[account.into(), number.into()],
        |row| {
            Ok(Assembly {
                number,
                room: row.id(0)?,
                path: row.text(1)?.to_owned(),
                bytes: row.uint(2)?,
                mtime_ns: row.opt_int(3)?,
                md5: row.opt_id(4)?,
                commit: row.id(5)?,
                has_ended: row.opt_int(6)?.is_some(),
                pieces: Vec::new(),
            })
        },
    )?;
    let Some(mut assembly) = found else {
        return Ok(None);
    };
    assembly.pieces = tx.all(
        "SELECT offset_bytes, bytes FROM assembly_piece WHERE account_id = ?1 AND number = ?2 ORDER BY offset_bytes",
        &[account.into(), number.into()],
        stretch,
    )?;
    Ok(Some(assembly))
}

fn stretch(row: &Row<'_>) -> sql::Result<Range<u64>> {
    let offset_bytes = row.uint(0)?;
    Ok(offset_bytes..offset_bytes.saturating_add(row.uint(1)?))
}

/// The upload of this content to this place that has not ended.
pub(super) fn open_at(
    tx: &mut Tx<'_>,
    account: AccountId,
    room: RoomId,
    open: &OpenAssembly,
) -> sql::Result<Option<u64>> {
    let found = tx.all(
        "SELECT number, md5 FROM assembly WHERE account_id = ?1 AND room_id = ?2 AND path = ?3 AND bytes = ?4 \
         AND ended_ms IS NULL",
        &[
            account.into(),
            room.into(),
            (&open.path).into(),
            open.bytes.into(),
        ],
        |row| Ok((row.uint(0)?, row.opt_id::<[u8; 16]>(1)?)),
    )?;
    let same = found.into_iter().find(|(_, md5)| *md5 == open.md5);
    Ok(same.map(|(number, _)| number))
}

/// Forgets what was to be put at a place and has not ended.
pub(super) fn forget_at(
    tx: &mut Tx<'_>,
    account: AccountId,
    room: RoomId,
    path: &str,
) -> sql::Result<()> {
    let numbers = tx.all(
        "DELETE FROM assembly WHERE account_id = ?1 AND room_id = ?2 AND path = ?3 AND ended_ms IS NULL RETURNING number",
        &[account.into(), room.into(), path.into()],
        |row| row.uint(0),
    )?;
    for number in numbers {
        delete_all_pieces(tx, account, number)?;
    }
    Ok(())
}

/// How many uploads of an account have not ended, and their bytes.
pub(super) fn open_sum(tx: &mut Tx<'_>, account: AccountId) -> sql::Result<(u64, u64)> {
    tx.one(
        "SELECT COUNT(*), CAST(COALESCE(SUM(bytes), 0) AS BIGINT) FROM assembly \
         WHERE account_id = ?1 AND ended_ms IS NULL",
        &[account.into()],
        |row| Ok((row.uint(0)?, row.uint(1)?)),
    )
}

/// What has come, in order: offsets and packed lists of chunks.
pub(super) fn pieces(
    tx: &mut Tx<'_>,
    account: AccountId,
    number: u64,
) -> sql::Result<Vec<(u64, Vec<u8>)>> {
    tx.all(
        "SELECT offset_bytes, manifest FROM assembly_piece WHERE account_id = ?1 AND number = ?2 ORDER BY offset_bytes",
        &[account.into(), number.into()],
        |row| Ok((row.uint(0)?, row.bytes(1)?.to_vec())),
    )
}

pub(super) fn unpack(packed: &[u8]) -> Result<Manifest> {
    Manifest::unpack(packed).map_err(|error| {
        Error::internal("the stored manifest of a piece is damaged").because(error)
    })
}

pub(super) fn insert_piece(
    tx: &mut Tx<'_>,
    (account, number): super::Key,
    offset_bytes: u64,
    manifest: &Manifest,
    now_ms: i64,
) -> sql::Result<()> {
    tx.exec(
        "INSERT INTO assembly_piece (account_id, number, offset_bytes, bytes, manifest) VALUES (?1, ?2, ?3, ?4, ?5)",
        &[
            account.into(),
            number.into(),
            offset_bytes.into(),
            manifest.bytes().into(),
            (&manifest.pack()).into(),
        ],
    )?;
    tx.exec(
        "UPDATE assembly SET touched_ms = ?3 WHERE account_id = ?1 AND number = ?2",
        &[account.into(), number.into(), now_ms.into()],
    )?;
    Ok(())
}

pub(super) fn delete_pieces(
    tx: &mut Tx<'_>,
    account: AccountId,
    number: u64,
    offsets: &[u64],
) -> sql::Result<()> {
    for offset_bytes in offsets {
        tx.exec(
            "DELETE FROM assembly_piece WHERE account_id = ?1 AND number = ?2 AND offset_bytes = ?3",
            &[account.into(), number.into(), (*offset_bytes).into()],
        )?;
    }
    Ok(())
}

pub(super) fn delete_all_pieces(
    tx: &mut Tx<'_>,
    account: AccountId,
    number: u64,
) -> sql::Result<u64> {
    tx.exec(
        "DELETE FROM assembly_piece WHERE account_id = ?1 AND number = ?2",
        &[account.into(), number.into()],
    )
}

/// Notes that the file was put.
pub(super) fn end(
    tx: &mut Tx<'_>,
    account: AccountId,
    number: u64,
    now_ms: i64,
) -> sql::Result<u64> {
    tx.exec(
        "UPDATE assembly SET ended_ms = ?3, touched_ms = ?3 WHERE account_id = ?1 AND number = ?2",
        &[account.into(), number.into(), now_ms.into()],
    )?;
    delete_all_pieces(tx, account, number)
}

pub(super) fn forget(tx: &mut Tx<'_>, account: AccountId, number: u64) -> sql::Result<u64> {
    tx.exec(
        "DELETE FROM assembly WHERE account_id = ?1 AND number = ?2",
        &[account.into(), number.into()],
    )?;
    delete_all_pieces(tx, account, number)
}

pub(super) fn expire(tx: &mut Tx<'_>, touched_ms: i64, rows_max: u32) -> sql::Result<u64> {
    let stale = tx.all(
        "SELECT account_id, number FROM assembly WHERE touched_ms < ?1 LIMIT ?2",
        &[touched_ms.into(), rows_max.into()],
        |row| Ok((row.id::<AccountId>(0)?, row.uint(1)?)),
    )?;
    for (account, number) in &stale {
        // One that a piece has come to meanwhile stays.
        let deleted = tx.exec(
            "DELETE FROM assembly WHERE account_id = ?1 AND number = ?2 AND touched_ms < ?3",
            &[(*account).into(), (*number).into(), touched_ms.into()],
        )?;
        if deleted > 0 {
            delete_all_pieces(tx, *account, *number)?;
        }
    }
    Ok(stale.len() as u64)
}
