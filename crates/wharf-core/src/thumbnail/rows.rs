//! What is known of images, in rows: one for each revision that was looked at.

use wharf_store::sql::{self, Tx};
use wharf_types::RoomId;
use wharf_types::api::drive::ImageSize;

/// What is known of a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// It was not looked at yet.
    Nothing,
    /// It has no thumbnails, and never will.
    NoImage,
    /// It is an image of this size.
    Image(ImageSize),
}

/// A new content in the stream of a drive.
#[derive(Debug)]
pub(super) struct NewContent {
    pub(super) position: u64,
    pub(super) name: String,
    pub(super) bytes: u64,
}

/// Reads a size from two columns; 0 is that of what is no image.
pub(crate) fn size_from(row: &sql::Row<'_>, column: usize) -> sql::Result<Option<ImageSize>> {
    let side = |column| -> sql::Result<Option<u32>> {
        let side = row.opt_int(column)?.map(u32::try_from).transpose();
        side.map_err(|_| sql::Error::corrupt("an image's side over 32 bits"))
    };
    Ok(match (side(column)?, side(column + 1)?) {
        (Some(width), Some(height)) if width > 0 && height > 0 => Some(ImageSize { width, height }),
        _ => None,
    })
}

pub(super) fn known(tx: &mut Tx<'_>, room: RoomId, revision: u64) -> sql::Result<Known> {
    let found = tx.opt(
        "SELECT width, height FROM image WHERE room_id = ?1 AND position = ?2",
        &[room.into(), revision.into()],
        |row| size_from(row, 0),
    )?;
    Ok(match found {
        None => Known::Nothing,
        Some(None) => Known::NoImage,
        Some(Some(size)) => Known::Image(size),
    })
}

/// Remembers what was found, while the revision is kept. Says whether it is.
pub(super) fn remember(
    tx: &mut Tx<'_>,
    room: RoomId,
    revision: u64,
    size: Option<ImageSize>,
) -> sql::Result<bool> {
    let (width, height) = size.map_or((0, 0), |size| (size.width, size.height));
    let written = tx.exec(
        "INSERT INTO image (room_id, position, width, height) \
         SELECT c.room_id, c.position, CAST(?3 AS BIGINT), CAST(?4 AS BIGINT) FROM change c \
         WHERE c.room_id = ?1 AND c.position = ?2 AND c.manifest IS NOT NULL \
         ON CONFLICT (room_id, position) DO UPDATE SET width = excluded.width, height = excluded.height",
        &[room.into(), revision.into(), width.into(), height.into()],
    )?;
    Ok(written > 0)
}

/// The new contents among the changes of a room past `after`, and the last position that was looked at.
pub(super) fn new_contents(
    tx: &mut Tx<'_>,
    room: RoomId,
    after: u64,
    limit: u32,
) -> sql::Result<(Vec<NewContent>, u64, bool)> {
    let (mut last, mut count) = (after, 0);
    let mut found = Vec::new();
    tx.each(
        "SELECT position, name, bytes, CASE WHEN manifest IS NULL THEN 0 ELSE 1 END, node_kind FROM change \
         WHERE room_id = ?1 AND position > ?2 ORDER BY position LIMIT ?3",
        &[room.into(), after.into(), limit.into()],
        |row| {
            last = row.uint(0)?;
            count += 1;
            // Kind 1 is a file.
            if row.flag(3)? && row.int(4)? == 1 {
                found.push(NewContent {
                    position: last,
                    name: row.text(1)?.to_owned(),
                    bytes: row.opt_uint(2)?.unwrap_or_default(),
                });
            }
            Ok(())
        },
    )?;
    Ok((found, last, count == limit))
}

/// How far a room was followed.
pub(super) fn followed(tx: &mut Tx<'_>, room: RoomId) -> sql::Result<u64> {
    let found = tx.opt(
        "SELECT position FROM image_room WHERE room_id = ?1",
        &[room.into()],
        |row| row.uint(0),
    )?;
    Ok(found.unwrap_or_default())
}

pub(super) fn set_followed(tx: &mut Tx<'_>, room: RoomId, position: u64) -> sql::Result<()> {
    tx.exec(
        "INSERT INTO image_room (room_id, position) VALUES (?1, ?2) \
         ON CONFLICT (room_id) DO UPDATE SET position = excluded.position",
        &[room.into(), position.into()],
    )?;
    Ok(())
}

/// The rooms whose drives went on past where they were followed, `limit` at most past `after`, by their ids. One without
/// members is still being brought in, or is on its way out.
pub(super) fn behind(
    tx: &mut Tx<'_>,
    after: Option<RoomId>,
    limit: u32,
) -> sql::Result<Vec<RoomId>> {
    let after = after.unwrap_or(RoomId::from_bytes([0; 16]));
    tx.all(
        "SELECT r.id FROM room r LEFT JOIN image_room i ON i.room_id = r.id \
         WHERE r.id > ?1 AND r.drive_head > COALESCE(i.position, 0) \
         AND EXISTS (SELECT 1 FROM member m WHERE m.room_id = r.id) ORDER BY r.id LIMIT ?2",
        &[after.into(), limit.into()],
        |row| row.id(0),
    )
}

/// Images whose revisions are kept no longer, `limit` at most.
pub(super) fn dead(tx: &mut Tx<'_>, limit: u32) -> sql::Result<Vec<(RoomId, u64)>> {
    tx.all(
        "SELECT i.room_id, i.position FROM image i LEFT JOIN change c ON c.room_id = i.room_id AND c.position = i.position \
         WHERE c.manifest IS NULL LIMIT ?1",
        &[limit.into()],
        |row| Ok((row.id(0)?, row.uint(1)?)),
    )
}

pub(super) fn forget(tx: &mut Tx<'_>, images: &[(RoomId, u64)]) -> sql::Result<()> {
    for (room, revision) in images {
        tx.exec(
            "DELETE FROM image WHERE room_id = ?1 AND position = ?2",
            &[(*room).into(), (*revision).into()],
        )?;
    }
    Ok(())
}
