//! Which files are made of given chunks: what a damaged chunk means to people.

use std::collections::HashSet;
use std::sync::Arc;

use wharf_store::sql::{self, Db, Tx};
use wharf_types::{ChunkHash, NodeId, RoomId};
use wharf_wire::manifest::Manifest;

use super::place::{self, Place};
use super::rows;
use crate::access::enter_as_server;
use crate::error::Result;

/// Revisions read in one snapshot.
const PAGE_ITEMS: u32 = 1_000;

/// A revision whose content has one of the chunks that were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The username of the account whose drive it is in.
    pub owner: String,
    /// Where the node is, or, for one in the trash, was.
    pub path: String,
    /// The revision.
    pub revision: u64,
    /// Whether it is what the file holds now.
    pub is_current: bool,
    /// Whether the node is in the trash.
    pub is_trashed: bool,
}

/// A revision that was read: where in the streams it is, and whose.
struct Found {
    room: RoomId,
    position: u64,
    node: NodeId,
    is_hit: bool,
}

/// Finds the revisions that have one of `chunks`, `limit` at most. Reads every manifest: for operators, who are told
/// whose files a damage concerns.
pub async fn mentions(db: &Db, chunks: &[ChunkHash], limit: usize) -> Result<Vec<Mention>> {
    let chunks: Arc<HashSet<ChunkHash>> = Arc::new(chunks.iter().copied().collect());
    let mut after = (RoomId::from_bytes([0; 16]), 0);
    let mut mentions = Vec::new();
    loop {
        let chunks = Arc::clone(&chunks);
        let (next, found) = db.read(move |tx| page(tx, after, &chunks)).await?;
        mentions.extend(found);
        match next {
            Some(next) if mentions.len() < limit => after = next,
            _ => break,
        }
    }
    mentions.truncate(limit);
    Ok(mentions)
}

type Cursor = (RoomId, u64);

/// Reads one page of revisions: where the next one begins, and the mentions on this one.
fn page(
    tx: &mut Tx<'_>,
    after: Cursor,
    chunks: &HashSet<ChunkHash>,
) -> Result<(Option<Cursor>, Vec<Mention>)> {
    let revisions = tx.all(
        "SELECT room_id, position, node_id, manifest FROM change \
         WHERE (room_id, position) > (?1, ?2) AND manifest IS NOT NULL \
         ORDER BY room_id, position LIMIT ?3",
        &[after.0.into(), after.1.into(), PAGE_ITEMS.into()],
        |row| {
            // A manifest that cannot be read is damage of the database, which a check of it tells.
            let manifest = Manifest::unpack(row.bytes(3)?).unwrap_or_default();
            Ok(Found {
                room: row.id(0)?,
                position: row.uint(1)?,
                node: row.id(2)?,
                is_hit: manifest
                    .chunks
                    .iter()
                    .any(|chunk| chunks.contains(&chunk.hash)),
            })
        },
    )?;
    let mut mentions = Vec::new();
    for found in revisions.iter().filter(|found| found.is_hit) {
        mentions.extend(mention(tx, found)?);
    }
    let next = revisions.last().map(|last| (last.room, last.position));
    Ok((next, mentions))
}

/// Says what a revision is to people; `None` if its node was purged, and the content is only waiting to be freed.
fn mention(tx: &mut Tx<'_>, found: &Found) -> Result<Option<Mention>> {
    let room = enter_as_server(tx, found.room)?;
    let Some(place) = place::place_of(tx, &room, found.node)? else {
        return Ok(None);
    };
    let node = rows::by_id(tx, found.room, found.node)?;
    let owner = tx.one(
        "SELECT username FROM account WHERE id = ?1",
        &[room.owner.into()],
        |row| Ok::<_, sql::Error>(row.text(0)?.to_owned()),
    )?;
    Ok(Some(Mention {
        owner,
        path: place.path().to_owned(),
        revision: found.position,
        is_current: node.is_some_and(|node| node.content.revision == found.position),
        is_trashed: matches!(place, Place::Trash { .. }),
    }))
}
