//! Finding nodes by name and by tag.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use wharf_store::sql::{self, Tx};
use wharf_types::NodeId;
use wharf_types::api::drive::NodePage;
use wharf_types::name;

use super::place::{Place, join, place_of};
use super::read::page_limit;
use super::rows::{self, NodeRow, select_node};
use super::tags::checked_tag;
use super::{FindQuery, Page};
use crate::access::Entered;
use crate::error::{Error, Result};

/// Rows of matches that are read at a time, before those outside the tree are left out.
const STRETCH_ROWS: u32 = 1000;

/// What to look for, in the form that the database compares.
struct Wanted {
    /// For `LIKE` on the fold. `LIKE` takes no account of the case of ASCII letters on SQLite and does on PostgreSQL; on
    /// folds, which have no upper case, both find the same.
    pattern: String,
    tag: Option<String>,
}

/// Finds a page of nodes in the tree, in the order of their ids, which is the order they were made in.
pub(super) fn page(
    tx: &mut Tx<'_>,
    room: &Entered,
    query: &FindQuery,
    page: &Page,
) -> Result<NodePage> {
    let wanted = Wanted::new(query)?;
    let mut after = match &page.after {
        None => NodeId::from_bytes([0; 16]),
        Some(after) => after
            .parse()
            .map_err(|_| Error::invalid("this is not where a page of results ended"))?,
    };
    let limit = page_limit(page.limit) as usize;
    let mut folders = Folders::default();
    let mut items = Vec::new();
    loop {
        let matches = wanted.matches(tx, room, after)?;
        let Some(last) = matches.last() else {
            return Ok(NodePage { items, next: None });
        };
        after = last.id;
        for node in matches {
            let Some(folder) = folders.path(tx, room, node.parent)? else {
                continue;
            };
            if items.len() >= limit {
                let next = items
                    .last()
                    .map(|last: &wharf_types::api::drive::Node| last.id.to_string());
                return Ok(NodePage { items, next });
            }
            let path = join(folder, &node.name);
            let tags = rows::tags_of(tx, node.id)?;
            items.push(node.into_node(path, tags));
        }
    }
}

impl Wanted {
    fn new(query: &FindQuery) -> Result<Self> {
        let tag = query.tag.as_deref().map(checked_tag).transpose()?;
        let part = query.name.as_deref().unwrap_or_default();
        if part.is_empty() && tag.is_none() {
            return Err(Error::invalid(
                "say what to look for: a part of a name, a tag, or both",
            ));
        }
        if part.contains('\0') {
            return Err(Error::invalid("no name contains NUL"));
        }
        let mut pattern = String::from("%");
        for letter in name::fold(part).chars() {
            if matches!(letter, '%' | '_' | '!') {
                pattern.push('!');
            }
            pattern.push(letter);
        }
        pattern.push('%');
        Ok(Self { pattern, tag })
    }

    fn matches(&self, tx: &mut Tx<'_>, room: &Entered, after: NodeId) -> sql::Result<Vec<NodeRow>> {
        let mut nodes = match &self.tag {
            None => tx.all(
                select_node!(
                    "WHERE n.room_id = ?1 AND n.id > ?2 AND n.name_fold LIKE ?3 ESCAPE '!' ORDER BY n.id LIMIT ?4"
                ),
                &[room.id.into(), after.into(), (&self.pattern).into(), STRETCH_ROWS.into()],
                NodeRow::read,
            ),
            Some(tag) => tx.all(
                select_node!(
                    "JOIN tag t ON t.node_id = n.id \
                     WHERE t.room_id = ?1 AND t.tag = ?5 AND t.node_id > ?2 AND n.room_id = ?1 \
                     AND n.name_fold LIKE ?3 ESCAPE '!' ORDER BY t.node_id LIMIT ?4"
                ),
                &[
                    room.id.into(),
                    after.into(),
                    (&self.pattern).into(),
                    STRETCH_ROWS.into(),
                    tag.into(),
                ],
                NodeRow::read,
            ),
        }?;
        // The root has no name, and stands in the table under its id.
        nodes.retain(|node| node.id != room.root);
        Ok(nodes)
    }
}

/// The paths of the folders that were met, `None` for one outside the tree.
#[derive(Default)]
struct Folders(HashMap<NodeId, Option<String>>);

impl Folders {
    fn path(
        &mut self,
        tx: &mut Tx<'_>,
        room: &Entered,
        folder: NodeId,
    ) -> sql::Result<Option<&str>> {
        Ok(match self.0.entry(folder) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(match place_of(tx, room, folder)? {
                Some(Place::Tree { path }) => Some(path),
                Some(Place::Trash { .. }) | None => None,
            }),
        }
        .as_deref())
    }
}
