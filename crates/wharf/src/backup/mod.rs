//! Backups: a copy of a server's data that is consistent though the server goes on, and its way back.
//!
//! A backup is a folder:
//!
//! ```text
//! backup.json          what belongs to it, with the hash of each file; replaced last, whole
//! database-TIME.db     a snapshot of the database, in SQLite whatever the server's engine is
//! blob/segment/…       the segments that the snapshot names
//! ```
//!
//! The order makes it consistent. First the database is copied, in one snapshot; then the segments that this snapshot
//! names, which are immutable. Segments that are written meanwhile are not needed, and segments that compaction retires
//! meanwhile stay for its grace period, so none that is needed can go before it is copied unless copying takes longer than
//! that. The manifest is written when everything it names is durable: a crash leaves the backup before it, if there was
//! one, whole. A later backup into the same folder copies only the segments that are new.

mod files;
mod restore;
mod take;

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

pub(crate) use restore::restore;
pub(crate) use take::take;

use crate::exit::{Exit, Failure};

/// The version of the layout above.
const FORMAT: u32 = 1;
const MANIFEST: &str = "backup.json";

/// What belongs to a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    /// The version of the layout.
    pub(crate) format: u32,
    /// The program that made it.
    pub(crate) version: String,
    /// When the database was copied, in milliseconds since the epoch.
    pub(crate) created_ms: i64,
    /// The snapshot of the database.
    pub(crate) database: Entry,
    /// The segments by their keys, sorted.
    pub(crate) segments: BTreeMap<String, Entry>,
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// Its path in the backup.
    pub(crate) path: String,
    pub(crate) bytes: u64,
    /// BLAKE3-256 of its bytes, hexadecimal.
    pub(crate) blake3: String,
}

/// What a command did, for people and programs.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Summary {
    /// Segments of the backup.
    pub(crate) segments: u64,
    /// Segments that had to be copied.
    pub(crate) segments_copied: u64,
    /// Bytes that were copied, the database included.
    pub(crate) bytes_copied: u64,
    /// Bytes of the whole backup.
    pub(crate) bytes: u64,
    /// What is damaged, in words.
    pub(crate) damaged: Vec<String>,
}

impl Manifest {
    /// Reads the manifest of a backup; none where the folder has none.
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Option<Self>> {
        let path = folder.join(MANIFEST);
        let text = match std::fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.with_context(|| format!("Could not read {}", path.display()))?,
        };
        let manifest: Self = serde_json::from_str(&text).with_context(|| {
            Failure::new(
                Exit::Damaged,
                format!("{} is not the manifest of a backup", path.display()),
            )
        })?;
        if manifest.format != FORMAT {
            let failure = Failure::new(
                Exit::Failed,
                format!(
                    "The backup has format {}, and this program knows {FORMAT}",
                    manifest.format
                ),
            );
            return Err(failure
                .hint("Use the version of wharf that made it, or a newer one.")
                .into());
        }
        if let Some(entry) = manifest.entries().find(|entry| !is_inside(&entry.path)) {
            let failure = Failure::new(
                Exit::Damaged,
                format!("The backup names a file outside it: {}", entry.path),
            );
            return Err(failure.into());
        }
        Ok(Some(manifest))
    }

    /// Reads the manifest of a folder that must be a backup.
    pub(crate) fn require(folder: &Path) -> anyhow::Result<Self> {
        Self::read(folder)?.ok_or_else(|| {
            Failure::new(
                Exit::NotFound,
                format!("{} is not a finished backup", folder.display()),
            )
            .hint(format!(
                "A backup has a file {MANIFEST}, which `wharf backup` writes last."
            ))
            .into()
        })
    }

    /// All files.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.segments.values().chain([&self.database])
    }

    /// Bytes of everything.
    pub(crate) fn bytes(&self) -> u64 {
        self.entries().map(|entry| entry.bytes).sum()
    }
}

/// A manifest may come from anywhere; what it names must stay in its folder, and in the folder it is restored to.
fn is_inside(path: &str) -> bool {
    !path.is_empty()
        && Path::new(path)
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::{MANIFEST, Manifest};

    fn manifest(format: u32, path: &str) -> String {
        format!(
            r#"{{"format":{format},"version":"0","created_ms":0,
               "database":{{"path":"{path}","bytes":0,"blake3":""}},"segments":{{}}}}"#
        )
    }

    #[test]
    fn a_manifest_of_another_format_or_with_a_path_outside_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let read = |text: &str| {
            std::fs::write(folder.path().join(MANIFEST), text).unwrap();
            Manifest::read(folder.path())
        };
        assert!(read(&manifest(1, "database-1.db")).unwrap().is_some());
        for text in [
            manifest(2, "a"),
            manifest(1, "../a"),
            manifest(1, "/etc/a"),
            manifest(1, ""),
            "{}".to_owned(),
        ] {
            assert!(read(&text).is_err(), "{text}");
        }
    }
}
