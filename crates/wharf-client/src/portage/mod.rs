//! Everything that an account owns, taken out of a server into a folder, and brought into one from there.
//!
//! An archive is a folder:
//!
//! ```text
//! records/000001.json   the records of the first page of the export, a JSON array; then 000002 …
//! chunks/ab/ab…         a chunk in its stored form: the header and the bytes of a frame, named by its hash
//! state.json            where an export goes on that was interrupted
//! archive.json          what the archive is; written last, so that a folder without it is not whole
//! ```
//!
//! An export that is run again goes on; chunks that are in the folder are not fetched again. An import is named after the
//! archive and the account, so one that is run again goes on as well, and one that is done does nothing.

mod archive;
mod export;
mod import;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use wharf_types::api::portage::Record;

use crate::api::ApiError;
use crate::error::Error;

pub use export::export;
pub use import::{Imported, import};

/// The version of the folder's layout.
pub const FORMAT: u32 = 1;

/// What a finished archive is: `archive.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// [`FORMAT`].
    pub format: u32,
    /// The server that it is from.
    pub server: String,
    /// The username of the account that it is of.
    pub username: String,
    /// When it was begun, in milliseconds since the epoch.
    pub at_ms: i64,
    /// How many files of records it has.
    pub pages: u64,
    /// What the records are.
    #[serde(flatten)]
    pub counts: Counts,
    /// The BLAKE3 of all files of records, one after another, in hexadecimal.
    pub records_hash: String,
}

/// What is in an archive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Rooms.
    pub rooms: u64,
    /// Entries of their logs.
    pub entries: u64,
    /// Changes of their drives.
    pub changes: u64,
    /// Contents of files, revisions included, that are kept.
    pub contents: u64,
    /// Their bytes together, each counted as often as it is there.
    pub content_bytes: u64,
}

/// Why an archive could not be made or brought in.
#[derive(Debug, thiserror::Error)]
pub enum PortageError {
    /// A call or the local disk failed.
    #[error(transparent)]
    Client(#[from] Error),
    /// There is no archive in the folder.
    #[error("there is no archive in {}", path.display())]
    Missing {
        /// The folder.
        path: PathBuf,
    },
    /// The folder holds something else, or an archive that is not whole.
    #[error("{} {what}", path.display())]
    NotWhole {
        /// The folder.
        path: PathBuf,
        /// What it is instead, after its name.
        what: String,
    },
    /// A file of the archive is damaged.
    #[error("{} is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// It was made by a later version of the program.
    #[error("the archive is of format {found}, and this version reads {FORMAT}")]
    Later {
        /// Its format.
        found: u32,
    },
}

impl From<ApiError> for PortageError {
    fn from(error: ApiError) -> Self {
        Self::Client(error.into())
    }
}

impl Counts {
    /// Counts records in.
    fn add(&mut self, records: &[Record]) {
        for record in records {
            match record {
                Record::Room(_) => self.rooms += 1,
                Record::Entry(_) => self.entries += 1,
                Record::Change(change) => {
                    self.changes += 1;
                    let content = change.content.as_ref();
                    if let Some(content) = content.filter(|content| content.manifest.is_some()) {
                        self.contents += 1;
                        self.content_bytes += content.bytes;
                    }
                }
                Record::Archive(_)
                | Record::Group(_)
                | Record::Contact(_)
                | Record::Member(_)
                | Record::Delivered(_)
                | Record::RoomEnd(_)
                | Record::End => {}
            }
        }
    }
}
