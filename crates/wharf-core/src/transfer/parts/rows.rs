//! Rows of uploads by pieces.

use wharf_store::sql::{self, Row, Tx};
use wharf_types::{AccountId, PartialId, RoomId};

use super::{OpenPartial, Partial};

/// What the writer of pieces has to know.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    pub(super) account: AccountId,
    pub(super) bytes: u64,
    pub(super) received_bytes: u64,
    pub(super) whole_bytes: u64,
    pub(super) has_ended: bool,
}

/// The `touched_ms` of an upload that is given up.
const GIVEN_UP: i64 = -1;

macro_rules! columns {
    () => {
        "id, path, bytes, received_bytes, whole_bytes, ended_ms, room_id, tags, sha256"
    };
}

fn read(row: &Row<'_>) -> sql::Result<Partial> {
    let tags = serde_json::from_str(row.text(7)?);
    Ok(Partial {
        id: row.id(0)?,
        path: row.text(1)?.to_owned(),
        bytes: row.uint(2)?,
        received_bytes: row.uint(3)?,
        whole_bytes: row.uint(4)?,
        has_ended: row.opt_int(5)?.is_some(),
        is_new: false,
        room: row.id(6)?,
        tags: tags.map_err(|_| sql::Error::corrupt("partial.tags"))?,
        sha256: row.opt_id(8)?,
    })
}

pub(super) fn by_key(
    tx: &mut Tx<'_>,
    account: AccountId,
    key: &str,
) -> sql::Result<Option<Partial>> {
    tx.opt(
        concat!(
            "SELECT ",
            columns!(),
            " FROM partial WHERE account_id = ?1 AND upload_key = ?2"
        ),
        &[account.into(), key.into()],
        read,
    )
}

pub(super) fn by_id(
    tx: &mut Tx<'_>,
    account: AccountId,
    id: PartialId,
) -> sql::Result<Option<Partial>> {
    tx.opt(
        concat!(
            "SELECT ",
            columns!(),
            " FROM partial WHERE id = ?1 AND account_id = ?2 AND touched_ms <> ?3"
        ),
        &[id.into(), account.into(), GIVEN_UP.into()],
        read,
    )
}

/// How many uploads of an account have not ended, and the bytes of their files.
pub(super) fn open_sum(tx: &mut Tx<'_>, account: AccountId) -> sql::Result<(u64, u64)> {
    tx.one(
        "SELECT CAST(count(*) AS BIGINT), CAST(coalesce(sum(bytes), 0) AS BIGINT) FROM partial \
         WHERE account_id = ?1 AND ended_ms IS NULL",
        &[account.into()],
        |row| Ok((row.uint(0)?, row.uint(1)?)),
    )
}

pub(super) fn insert(
    tx: &mut Tx<'_>,
    id: PartialId,
    account: AccountId,
    room: RoomId,
    open: &OpenPartial,
    now_ms: i64,
) -> sql::Result<Partial> {
    let tags = serde_json::json!(open.tags).to_string();
    tx.exec(
        "INSERT INTO partial (id, account_id, upload_key, room_id, path, tags, bytes, sha256, received_bytes, whole_bytes, \
         touched_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, 0, ?9)",
        &[
            id.into(),
            account.into(),
            (&open.key).into(),
            room.into(),
            (&open.path).into(),
            (&tags).into(),
            open.bytes.into(),
            open.sha256.as_ref().map(|hash| &hash[..]).into(),
            now_ms.into(),
        ],
    )?;
    Ok(Partial {
        id,
        path: open.path.clone(),
        bytes: open.bytes,
        received_bytes: 0,
        whole_bytes: 0,
        has_ended: false,
        is_new: true,
        room,
        tags: open.tags.clone(),
        sha256: open.sha256,
    })
}

/// Takes an account's upload for a piece: it is not given up before this transaction ends. Nothing where it is given up already.
pub(super) fn take(
    tx: &mut Tx<'_>,
    id: PartialId,
    account: AccountId,
    now_ms: i64,
) -> sql::Result<Option<Standing>> {
    tx.opt(
        "UPDATE partial SET touched_ms = ?3 WHERE id = ?1 AND account_id = ?2 AND touched_ms <> ?4 \
         RETURNING bytes, received_bytes, whole_bytes, ended_ms",
        &[id.into(), account.into(), now_ms.into(), GIVEN_UP.into()],
        |row| {
            Ok(Standing {
                account,
                bytes: row.uint(0)?,
                received_bytes: row.uint(1)?,
                whole_bytes: row.uint(2)?,
                has_ended: row.opt_int(3)?.is_some(),
            })
        },
    )
}

/// Notes what was added to an upload, and says how much has come.
pub(super) fn advance(
    tx: &mut Tx<'_>,
    id: PartialId,
    added_bytes: u64,
    whole_bytes: u64,
) -> sql::Result<u64> {
    tx.one(
        "UPDATE partial SET received_bytes = received_bytes + ?2, \
         whole_bytes = CASE WHEN whole_bytes < ?3 THEN ?3 ELSE whole_bytes END WHERE id = ?1 RETURNING received_bytes",
        &[id.into(), added_bytes.into(), whole_bytes.into()],
        |row| row.uint(0),
    )
}

/// Writes a piece, and says whether there was none at its place.
pub(super) fn insert_part(
    tx: &mut Tx<'_>,
    id: PartialId,
    offset_bytes: u64,
    data: &[u8],
) -> sql::Result<bool> {
    let inserted = tx.exec(
        "INSERT INTO part (partial_id, offset_bytes, data) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        &[id.into(), offset_bytes.into(), Some(data).into()],
    )?;
    Ok(inserted > 0)
}

pub(super) fn has_mark(tx: &mut Tx<'_>, id: PartialId, mark: [u8; 16]) -> sql::Result<bool> {
    let found = tx.opt(
        "SELECT 1 FROM part_mark WHERE partial_id = ?1 AND mark = ?2",
        &[id.into(), Some(&mark[..]).into()],
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

pub(super) fn insert_mark(tx: &mut Tx<'_>, id: PartialId, mark: [u8; 16]) -> sql::Result<()> {
    tx.exec(
        "INSERT INTO part_mark (partial_id, mark) VALUES (?1, ?2)",
        &[id.into(), Some(&mark[..]).into()],
    )?;
    Ok(())
}

/// The length of the piece at a place.
pub(super) fn part_bytes(
    tx: &mut Tx<'_>,
    id: PartialId,
    offset_bytes: u64,
) -> sql::Result<Option<u64>> {
    tx.opt(
        "SELECT CAST(length(data) AS BIGINT) FROM part WHERE partial_id = ?1 AND offset_bytes = ?2",
        &[id.into(), offset_bytes.into()],
        |row| row.uint(0),
    )
}

/// The next pieces from a place on, in order.
pub(super) fn parts_from(
    tx: &mut Tx<'_>,
    id: PartialId,
    offset_bytes: u64,
    limit: u32,
) -> sql::Result<Vec<(u64, Vec<u8>)>> {
    tx.all(
        "SELECT offset_bytes, data FROM part WHERE partial_id = ?1 AND offset_bytes >= ?2 ORDER BY offset_bytes LIMIT ?3",
        &[id.into(), offset_bytes.into(), limit.into()],
        |row| Ok((row.uint(0)?, row.bytes(1)?.to_vec())),
    )
}

/// Deletes pieces of an upload, `rows_max` at most, and says how many.
pub(super) fn delete_parts(tx: &mut Tx<'_>, id: PartialId, rows_max: u32) -> sql::Result<u64> {
    tx.exec(
        "DELETE FROM part WHERE partial_id = ?1 AND offset_bytes IN \
         (SELECT offset_bytes FROM part WHERE partial_id = ?1 LIMIT ?2)",
        &[id.into(), rows_max.into()],
    )
}

/// Deletes an upload whose pieces are gone.
pub(super) fn delete(tx: &mut Tx<'_>, id: PartialId) -> sql::Result<()> {
    tx.exec("DELETE FROM part_mark WHERE partial_id = ?1", &[id.into()])?;
    tx.exec("DELETE FROM partial WHERE id = ?1", &[id.into()])?;
    Ok(())
}

pub(super) fn end(tx: &mut Tx<'_>, id: PartialId, now_ms: i64) -> sql::Result<()> {
    tx.exec(
        "UPDATE partial SET ended_ms = ?2, touched_ms = ?2 WHERE id = ?1",
        &[id.into(), now_ms.into()],
    )?;
    Ok(())
}

/// An upload that nothing was added to since `touched_ms`, or that was given up and is not gone.
pub(super) fn stale(tx: &mut Tx<'_>, touched_ms: i64) -> sql::Result<Option<PartialId>> {
    tx.opt(
        "SELECT id FROM partial WHERE touched_ms < ?1 ORDER BY touched_ms LIMIT 1",
        &[touched_ms.into()],
        |row| row.id(0),
    )
}

/// Gives an upload up, unless something was added to it since `touched_ms`, and says whether it is given up now. Nobody finds it from
/// then on, and another can have its key.
pub(super) fn give_up(tx: &mut Tx<'_>, id: PartialId, touched_ms: i64) -> sql::Result<bool> {
    let key = format!("given up: {id}");
    let given_up = tx.exec(
        "UPDATE partial SET touched_ms = ?3, upload_key = ?4 WHERE id = ?1 AND touched_ms < ?2",
        &[id.into(), touched_ms.into(), GIVEN_UP.into(), (&key).into()],
    )?;
    Ok(given_up > 0)
}
