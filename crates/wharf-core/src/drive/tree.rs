//! Everything below a folder, page by page, depth first and parents before children.
//!
//! A page resumes after any path, whether or not something is still there: at each depth the walk goes on past the name
//! that the path has there. Memory is bounded by the page, by [`STRETCH_ROWS`] for each folder on the way down, and by
//! [`MANIFEST_BYTES_MAX`] and one manifest.

use wharf_store::sql::{self, Row, Tx};
use wharf_types::NodeId;
use wharf_types::api::drive::{At, NodeKind, Tree, TreeEntry};
use wharf_wire::manifest::to_base64;

use super::place::{self, Part, join};
use super::read::{page_limit, stored_revision};
use super::rows::{self, NameCursor, NodeRow};
use super::{Manifests, Page};
use crate::access::Entered;
use crate::error::Result;

/// Rows that are read at a time from one folder.
const STRETCH_ROWS: u32 = 512;
/// A page ends when it carries this much of manifests.
const MANIFEST_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Reads a page.
pub(super) fn page(
    tx: &mut Tx<'_>,
    room: &Entered,
    at: &At,
    page: &Page,
    manifests: Manifests,
) -> Result<Tree> {
    let (folder, _) = place::find_folder(tx, room, at)?;
    let mut walk = Walk::start(folder.id);
    if let Some(after) = &page.after {
        walk.skip_past(tx, after)?;
    }
    let limit = page_limit(page.limit) as usize;
    let mut items: Vec<TreeEntry> = Vec::new();
    let mut manifest_bytes = 0;
    while let Some((path, row)) = walk.next(tx, manifests)? {
        if items.len() >= limit || manifest_bytes >= MANIFEST_BYTES_MAX {
            return Ok(Tree {
                position: room.drive_head,
                next: items.last().map(|last| last.path.clone()),
                items,
            });
        }
        let manifest = row.manifest(tx, room, manifests)?;
        manifest_bytes += manifest.as_ref().map_or(0, String::len);
        items.push(TreeEntry {
            path,
            id: row.id,
            kind: row.content.kind,
            revision: row.content.revision,
            bytes: row.content.bytes,
            mtime_ns: row.content.mtime_ns,
            executable: row.content.executable,
            manifest,
        });
    }
    Ok(Tree {
        position: room.drive_head,
        items,
        next: None,
    })
}

/// A node that a walk came by.
pub(super) struct WalkedNode {
    /// How many folders are between it and the one that was asked for.
    pub(super) depth: usize,
    pub(super) id: NodeId,
    pub(super) name: String,
    pub(super) content: rows::Content,
}

/// The folders from the one that was asked for down to where the walk is.
pub(super) struct Walk {
    levels: Vec<Level>,
}

/// A folder that the walk is in.
struct Level {
    folder: NodeId,
    path: String,
    /// Past the last row that was read.
    cursor: NameCursor,
    rows: std::vec::IntoIter<TreeRow>,
    is_read: bool,
}

struct TreeRow {
    id: NodeId,
    name: String,
    content: rows::Content,
    /// The packed manifest in base64, where it is small enough to be read with its stretch.
    manifest: Option<String>,
}

impl Walk {
    pub(super) fn start(folder: NodeId) -> Self {
        Self {
            levels: vec![Level::new(folder, String::new())],
        }
    }

    /// Goes past the entry at `path` and all that comes before it.
    fn skip_past(&mut self, tx: &mut Tx<'_>, path: &str) -> sql::Result<()> {
        for name in path.split('/').filter(|name| !name.is_empty()) {
            let Some(level) = self.levels.last_mut() else {
                break;
            };
            let part = Part::of(name);
            let child = rows::by_key(tx, level.folder, &part.fold, &part.key)?;
            level.cursor = NameCursor {
                fold: part.fold,
                key: part.key,
            };
            let Some(NodeRow {
                id, name, content, ..
            }) = child
            else {
                break;
            };
            if content.kind != NodeKind::Folder {
                break;
            }
            let path = join(&level.path, &name);
            self.levels.push(Level::new(id, path));
        }
        Ok(())
    }

    /// The next node, for those who need no path and no manifest.
    pub(super) fn next_node(&mut self, tx: &mut Tx<'_>) -> sql::Result<Option<WalkedNode>> {
        let Some((_, row)) = self.next(tx, Manifests::Omit)? else {
            return Ok(None);
        };
        // A folder that was just found is the last level itself.
        let is_folder = row.content.kind == NodeKind::Folder;
        Ok(Some(WalkedNode {
            depth: self.levels.len().saturating_sub(1 + usize::from(is_folder)),
            id: row.id,
            name: row.name,
            content: row.content,
        }))
    }

    fn next(
        &mut self,
        tx: &mut Tx<'_>,
        manifests: Manifests,
    ) -> sql::Result<Option<(String, TreeRow)>> {
        while let Some(level) = self.levels.last_mut() {
            if let Some(row) = level.rows.next() {
                let path = join(&level.path, &row.name);
                if row.content.kind == NodeKind::Folder {
                    self.levels.push(Level::new(row.id, path.clone()));
                }
                return Ok(Some((path, row)));
            }
            if level.is_read {
                self.levels.pop();
            } else {
                level.read_stretch(tx, manifests)?;
            }
        }
        Ok(None)
    }
}

impl Level {
    fn new(folder: NodeId, path: String) -> Self {
        Self {
            folder,
            path,
            cursor: NameCursor::default(),
            rows: Vec::new().into_iter(),
            is_read: false,
        }
    }

    fn read_stretch(&mut self, tx: &mut Tx<'_>, manifests: Manifests) -> sql::Result<()> {
        let text = match manifests {
            Manifests::Omit => {
                "SELECT n.id, n.name, n.kind, n.revision, n.bytes, n.mtime_ns, n.executable, n.name_fold, n.name_key \
                 FROM node n \
                 WHERE n.parent_id = ?1 AND (n.name_fold, n.name_key) > (?2, ?3) ORDER BY n.name_fold, n.name_key LIMIT ?4"
            }
            // Long manifests are left for later, one by one, so that a stretch has a bound in bytes.
            Manifests::Include => {
                "SELECT n.id, n.name, n.kind, n.revision, n.bytes, n.mtime_ns, n.executable, n.name_fold, n.name_key, \
                 CASE WHEN length(c.manifest) <= 4096 THEN c.manifest END \
                 FROM node n LEFT JOIN change c ON c.room_id = n.room_id AND c.position = n.revision \
                 WHERE n.parent_id = ?1 AND (n.name_fold, n.name_key) > (?2, ?3) ORDER BY n.name_fold, n.name_key LIMIT ?4"
            }
        };
        let args = [
            self.folder.into(),
            (&self.cursor.fold).into(),
            (&self.cursor.key).into(),
            STRETCH_ROWS.into(),
        ];
        let mut last = None;
        let rows = tx.all(text, &args, |row| {
            last = Some(NameCursor {
                fold: row.text(7)?.to_owned(),
                key: row.text(8)?.to_owned(),
            });
            TreeRow::read(row, manifests)
        })?;
        self.is_read = rows.len() < STRETCH_ROWS as usize;
        if let Some(last) = last {
            self.cursor = last;
        }
        self.rows = rows.into_iter();
        Ok(())
    }
}

impl TreeRow {
    fn read(row: &Row<'_>, manifests: Manifests) -> sql::Result<Self> {
        Ok(Self {
            id: row.id(0)?,
            name: row.text(1)?.to_owned(),
            content: rows::Content {
                kind: rows::kind_from_row(row, 2)?,
                revision: row.uint(3)?,
                bytes: row.uint(4)?,
                hash: None,
                mtime_ns: row.opt_int(5)?,
                executable: row.flag(6)?,
            },
            manifest: match manifests {
                Manifests::Omit => None,
                Manifests::Include => row.opt_bytes(9)?.map(to_base64),
            },
        })
    }

    fn manifest(
        &self,
        tx: &mut Tx<'_>,
        room: &Entered,
        manifests: Manifests,
    ) -> sql::Result<Option<String>> {
        if manifests == Manifests::Omit || self.content.kind == NodeKind::Folder {
            return Ok(None);
        }
        if let Some(manifest) = &self.manifest {
            return Ok(Some(manifest.clone()));
        }
        let stored = stored_revision(tx, room, self.id, self.content.revision)?;
        Ok(stored.map(|stored| to_base64(&stored.packed)))
    }
}
