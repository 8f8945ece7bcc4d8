//! What a commit knows of the names in the folders that it works in.
//!
//! Thousands of files for a few folders are the usual commit. A folder that the commit made has no names but those it put
//! there, so nothing is looked up in it; the names for a folder that was there before are looked up together. The
//! transaction is the only writer of its room, so what was read once holds until the commit changes it, and every step
//! that does so says it here.

use std::collections::HashMap;
use std::sync::OnceLock;

use wharf_store::sql::{self, Tx, Value};
use wharf_types::NodeId;

use super::super::place::Part;
use super::super::rows::{self, Content, NodeRow, select_node};

/// Names that are looked up in one statement.
const TOGETHER: usize = 32;
/// Fewer names than this are looked up one by one.
const TOGETHER_MIN: usize = 4;

/// A node under a name.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) id: NodeId,
    pub(super) name: String,
    pub(super) key: String,
    pub(super) content: Content,
}

/// What stands at a name, and the names beside it that differ only in letter case.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) node: Option<Named>,
    pub(super) case_conflicts: Vec<String>,
}

/// The names that were read or written by this commit, by folder and fold.
#[derive(Debug, Default)]
pub(super) struct Names {
    folders: HashMap<NodeId, Folder>,
}

#[derive(Debug, Default)]
struct Folder {
    /// Whether the commit made it, so that a name that is not known is not there.
    is_complete: bool,
    by_fold: HashMap<String, Vec<Named>>,
}

impl Names {
    /// Finds what stands at `part` in `folder`.
    pub(super) fn find(
        &mut self,
        tx: &mut Tx<'_>,
        folder: NodeId,
        part: &Part,
    ) -> sql::Result<Found> {
        let known = self.folders.entry(folder).or_default();
        if !known.is_complete && !known.by_fold.contains_key(&part.fold) {
            let nodes = rows::by_fold(tx, folder, &part.fold)?;
            let nodes = nodes.into_iter().map(Named::from).collect();
            known.by_fold.insert(part.fold.clone(), nodes);
        }
        let mut found = Found::default();
        for node in known.by_fold.get(&part.fold).into_iter().flatten() {
            if node.key == part.key {
                found.node = Some(node.clone());
            } else {
                found.case_conflicts.push(node.name.clone());
            }
        }
        found.case_conflicts.sort_unstable();
        Ok(found)
    }

    /// Reads what stands at `folds` in `folder`, many in one statement.
    pub(super) fn read_ahead(
        &mut self,
        tx: &mut Tx<'_>,
        folder: NodeId,
        folds: &[&str],
    ) -> sql::Result<()> {
        let known = self.folders.entry(folder).or_default();
        if known.is_complete {
            return Ok(());
        }
        let mut folds: Vec<_> = folds
            .iter()
            .filter(|fold| !known.by_fold.contains_key(**fold))
            .copied()
            .collect();
        // A fold that is named twice would bring its nodes twice.
        folds.sort_unstable();
        folds.dedup();
        for folds in folds.chunks(TOGETHER) {
            if folds.len() < TOGETHER_MIN {
                break;
            }
            // Nothing has an empty name, so a list that is not full finds nothing with its rest.
            let mut args = [Value::Text(""); TOGETHER + 1];
            let values = folds.iter().map(|fold| Value::from(*fold));
            for (arg, value) in args
                .iter_mut()
                .zip([folder.into()].into_iter().chain(values))
            {
                *arg = value;
            }
            for fold in folds {
                known.by_fold.insert((*fold).to_owned(), Vec::new());
            }
            tx.each(by_folds(), &args, |row| {
                let node = NodeRow::read(row)?;
                let names = known.by_fold.entry(node.fold.clone()).or_default();
                names.push(Named::from(node));
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Notes a folder that this commit makes.
    pub(super) fn note_new_folder(&mut self, folder: NodeId) {
        self.folders.entry(folder).or_default().is_complete = true;
    }

    /// Notes what stands at a name from now on, in place of what stood at the same key.
    pub(super) fn note(&mut self, folder: NodeId, fold: &str, node: Named) {
        let known = self.folders.entry(folder).or_default();
        match known.by_fold.get_mut(fold) {
            Some(names) => {
                names.retain(|named| named.key != node.key);
                names.push(node);
            }
            None => {
                known.by_fold.insert(fold.to_owned(), vec![node]);
            }
        }
    }

    /// Forgets what is known of a name, after a step that wrote there by itself.
    pub(super) fn forget(&mut self, folder: NodeId, fold: &str) {
        if let Some(known) = self.folders.get_mut(&folder) {
            known.by_fold.remove(fold);
            known.is_complete = false;
        }
    }
}

impl From<NodeRow> for Named {
    fn from(node: NodeRow) -> Self {
        Self {
            id: node.id,
            name: node.name,
            key: node.key,
            content: node.content,
        }
    }
}

/// Selects by a folder and [`TOGETHER`] folds. Each look-up is one of its own: given a list of folds, PostgreSQL may choose
/// to read the whole folder and compare.
fn by_folds() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let one = select_node!("WHERE n.parent_id = ?1 AND n.name_fold = ?");
        let each: Vec<_> = (2..TOGETHER + 2)
            .map(|marker| format!("{one}{marker}"))
            .collect();
        each.join(" UNION ALL ")
    })
}
