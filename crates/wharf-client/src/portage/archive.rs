//! The folder of an archive.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wharf_types::ChunkHash;
use wharf_types::api::portage::Record;
use wharf_wire::frame::{FRAME_HEADER_BYTES, Frame, FrameHeader};
use wharf_wire::manifest::{self, Manifest, ManifestChunk};

use super::{Counts, FORMAT, PortageError, Summary};
use crate::error::Error;

const SUMMARY: &str = "archive.json";
const STATE: &str = "state.json";
/// What a file is called while it is written.
const ASIDE: &str = "part";

/// Where an export that was interrupted goes on.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct State {
    /// The server that it is from.
    pub(super) server: String,
    /// The username of the account that it is of.
    pub(super) username: String,
    /// When it was begun, in milliseconds since the epoch.
    pub(super) at_ms: i64,
    /// How many files of records there are.
    pub(super) pages: u64,
    /// What the server is asked for next; none at the beginning.
    pub(super) after: Option<String>,
    /// What the records so far are.
    pub(super) counts: Counts,
}

/// A folder with an archive in it. It is its owner's alone: it holds what people wrote.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    /// The folder for an export; made where it is not there.
    ///
    /// # Errors
    /// When it holds something else already.
    pub(super) fn for_export(path: &Path) -> Result<Self, PortageError> {
        let folder = Self {
            path: path.to_owned(),
        };
        let is_ours = folder.path.join(SUMMARY).symlink_metadata().is_ok()
            || folder.path.join(STATE).symlink_metadata().is_ok();
        match fs::read_dir(path) {
            Ok(mut entries) => {
                if !is_ours && entries.next().is_some() {
                    let what = "is not empty, and what is in it is no archive".to_owned();
                    return Err(folder.not_whole(what));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::local("read", path, error).into()),
        }
        for below in ["records", "chunks"] {
            make_folder(&folder.path.join(below))?;
        }
        Ok(folder)
    }

    /// The folder of an archive that is whole, and what it is.
    pub(super) fn whole(path: &Path) -> Result<(Self, Summary), PortageError> {
        let folder = Self {
            path: path.to_owned(),
        };
        let Some(summary) = folder.read_json::<Summary>(SUMMARY)? else {
            if folder.path.join(STATE).symlink_metadata().is_ok() {
                let what = "holds an archive that is not whole yet: run the export again";
                return Err(folder.not_whole(what.to_owned()));
            }
            return Err(PortageError::Missing { path: folder.path });
        };
        if summary.format > FORMAT {
            return Err(PortageError::Later {
                found: summary.format,
            });
        }
        Ok((folder, summary))
    }

    fn not_whole(&self, what: String) -> PortageError {
        PortageError::NotWhole {
            path: self.path.clone(),
            what,
        }
    }

    /// What it is, if it is whole.
    pub(super) fn summary(&self) -> Result<Option<Summary>, PortageError> {
        self.read_json(SUMMARY)
    }

    /// Where an export goes on.
    pub(super) fn state(&self) -> Result<Option<State>, PortageError> {
        self.read_json(STATE)
    }

    /// Makes everything written so far durable, and notes where the export goes on.
    pub(super) fn keep(&self, state: &State) -> Result<(), PortageError> {
        self.sync()?;
        self.write_json(STATE, state)?;
        self.sync()
    }

    /// Says that it is whole.
    pub(super) fn finish(&self, summary: &Summary) -> Result<(), PortageError> {
        self.sync()?;
        self.write_json(SUMMARY, summary)?;
        let state = self.path.join(STATE);
        fs::remove_file(&state).map_err(|error| Error::local("remove", state, error))?;
        self.sync()
    }

    /// Writes a page of records.
    pub(super) fn put_records(&self, page: u64, records: &[Record]) -> Result<(), PortageError> {
        self.write_json(&records_name(page), &records)
    }

    /// The bytes of a page of records.
    pub(super) fn records(&self, page: u64) -> Result<Vec<u8>, PortageError> {
        let path = self.path.join(records_name(page));
        fs::read(&path).map_err(|error| Error::local("read", path, error).into())
    }

    /// Reads a page of records.
    pub(super) fn parse_records(
        &self,
        page: u64,
        bytes: &[u8],
    ) -> Result<Vec<Record>, PortageError> {
        serde_json::from_slice(bytes)
            .map_err(|error| self.damaged(&records_name(page), error.to_string()))
    }

    /// Whether a chunk is there.
    pub(super) fn has_chunk(&self, hash: &ChunkHash) -> Result<bool, PortageError> {
        let path = self.chunk_path(hash);
        path.try_exists()
            .map_err(|error| Error::local("look at", path, error).into())
    }

    /// Writes a chunk that was verified.
    pub(super) fn put_chunk(&self, frame: &Frame) -> Result<(), PortageError> {
        let path = self.chunk_path(&frame.header.hash);
        if let Some(parent) = path.parent() {
            make_folder(parent)?;
        }
        write(&path, &[&frame.header.encode(), &frame.stored])
    }

    /// Reads a chunk and verifies it.
    pub(super) fn chunk(&self, hash: &ChunkHash) -> Result<Frame, PortageError> {
        let path = self.chunk_path(hash);
        let damaged = |what: String| PortageError::Damaged {
            path: path.clone(),
            what,
        };
        let bytes = match fs::read(&path) {
            Ok(bytes) => Bytes::from(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(damaged("it is missing".to_owned()));
            }
            Err(error) => return Err(Error::local("read", path, error).into()),
        };
        let header = bytes
            .first_chunk::<FRAME_HEADER_BYTES>()
            .ok_or_else(|| damaged("it is too short".to_owned()))?;
        let header = FrameHeader::decode(header).map_err(|error| damaged(error.to_string()))?;
        let frame = Frame {
            header,
            stored: bytes.slice(FRAME_HEADER_BYTES..),
        };
        if header.hash != *hash {
            return Err(damaged("it is another chunk".to_owned()));
        }
        frame.open().map_err(|error| damaged(error.to_string()))?;
        Ok(frame)
    }

    /// The BLAKE3 of the pages of records, in hexadecimal.
    pub(super) fn records_hash(&self, pages: u64) -> Result<String, PortageError> {
        let mut hasher = blake3::Hasher::new();
        for page in 1..=pages {
            hasher.update(&self.records(page)?);
        }
        Ok(hasher.finalize().to_hex().to_string())
    }

    pub(super) fn damaged(&self, name: &str, what: String) -> PortageError {
        PortageError::Damaged {
            path: self.path.join(name),
            what,
        }
    }

    fn chunk_path(&self, hash: &ChunkHash) -> PathBuf {
        let name = hash.to_string();
        let shelf = name.get(..2).unwrap_or_default();
        self.path.join("chunks").join(shelf).join(&name)
    }

    fn read_json<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, PortageError> {
        let path = self.path.join(name);
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|error| self.damaged(name, error.to_string())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::local("read", path, error).into()),
        }
    }

    fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), PortageError> {
        let bytes =
            serde_json::to_vec(value).map_err(|error| self.damaged(name, error.to_string()))?;
        write(&self.path.join(name), &[&bytes])
    }

    /// Brings everything that was written in the folder's file system to the disk: one call for many small files.
    fn sync(&self) -> Result<(), PortageError> {
        let local = |error: io::Error| Error::local("sync", &self.path, error);
        let folder = File::open(&self.path).map_err(local)?;
        rustix::fs::syncfs(&folder).map_err(|error| local(error.into()))?;
        Ok(())
    }
}

/// The chunks of the contents that records bring.
pub(super) fn chunks_of(
    records: &[Record],
) -> Result<BTreeSet<ChunkHash>, manifest::InvalidManifest> {
    let mut hashes = BTreeSet::new();
    for record in records {
        let Record::Change(change) = record else {
            continue;
        };
        let content = change.content.as_ref();
        let Some(packed) = content.and_then(|content| content.manifest.as_ref()) else {
            continue;
        };
        let manifest = Manifest::unpack(&manifest::from_base64(packed)?)?;
        hashes.extend(
            manifest
                .chunks
                .iter()
                .map(|ManifestChunk { hash, .. }| *hash),
        );
    }
    Ok(hashes)
}

fn records_name(page: u64) -> String {
    format!("records/{page:06}.json")
}

fn make_folder(path: &Path) -> Result<(), PortageError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| Error::local("make", path, error).into())
}

/// Writes a file aside and renames it, so that a name never shows a part of it.
#[expect(
    clippy::disallowed_methods,
    reason = "what was written is synced all at once, before anything refers to it: see `keep` and `finish`"
)]
fn write(path: &Path, parts: &[&[u8]]) -> Result<(), PortageError> {
    let aside = path.with_extension(ASIDE);
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&aside)?;
        for part in parts {
            file.write_all(part)?;
        }
        drop(file);
        fs::rename(&aside, path)
    };
    write().map_err(|error| Error::local("write", path, error).into())
}
