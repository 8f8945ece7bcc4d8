//! The local side of a get: looks at what is there, decides, and makes folders.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use rustix::io::Errno;
use wharf_types::api::drive::{NodeKind, TreeEntry};
use wharf_wire::manifest::{Manifest, from_base64};

use super::want::{Want, part_name};
use crate::disk::Folder;
use crate::error::Error;
use crate::plan::{self, FoldGuard, GetStep, RemoteNode};
use crate::transfer::cutting::{content_of, content_of_file};
use crate::transfer::{GetOptions, Notice, NoticeKind};

/// Where a get goes.
#[derive(Debug)]
pub(super) struct Destination {
    pub(super) root: Folder,
    pub(super) options: GetOptions,
    pub(super) tag: String,
    folders_made: AtomicU64,
    /// One folder on each file system that was written to.
    file_systems: Mutex<HashMap<u64, Folder>>,
}

/// Nodes of one folder of the drive.
#[derive(Debug)]
pub(super) struct Group {
    /// From the root, without slashes at either end.
    pub(super) folder: String,
    pub(super) entries: Vec<TreeEntry>,
}

/// What was found out and decided about a group.
#[derive(Debug, Default)]
pub(super) struct Placed {
    pub(super) wants: Vec<Want>,
    pub(super) notices: Vec<Notice>,
    pub(super) unchanged_files: u64,
    pub(super) unchanged_bytes: u64,
    pub(super) files: u64,
    pub(super) bytes: u64,
}

impl Destination {
    pub(super) fn new(root: Folder, options: GetOptions, tag: String) -> Self {
        Self {
            root,
            options,
            tag,
            folders_made: AtomicU64::new(0),
            file_systems: Mutex::new(HashMap::new()),
        }
    }

    /// Decides about a group, and makes its folders. Blocks.
    pub(super) fn place(&self, group: Group) -> Placed {
        let mut placed = Placed::default();
        let folder = match self.open(&group.folder) {
            Ok(folder) => folder,
            Err(error) => {
                let detail = format!("its folder cannot be used: {}", io::Error::from(error));
                let missing = group.entries.into_iter().map(|entry| entry.path);
                placed.notices.extend(
                    missing.map(|path| Notice::new(path, NoticeKind::Local, detail.clone())),
                );
                return placed;
            }
        };
        let path: Arc<str> = group.folder.into();
        for entry in group.entries {
            let entry_path = entry.path.clone();
            if let Err(error) = self.place_entry(&folder, &path, entry, &mut placed) {
                placed.notices.push(refused_by_disk(entry_path, error));
            }
        }
        placed
    }

    /// Opens a folder below the root, making what is missing, and notes its file system.
    pub(super) fn open(&self, path: &str) -> Result<Folder, Errno> {
        let (folder, made_count) = self.root.make_below(path)?;
        self.folders_made.fetch_add(made_count, Ordering::Relaxed);
        let device = folder.device()?;
        if let std::collections::hash_map::Entry::Vacant(vacant) =
            self.file_systems.lock().entry(device)
        {
            vacant.insert(folder.below("")?);
        }
        Ok(folder)
    }

    fn place_entry(
        &self,
        folder: &Folder,
        path: &Arc<str>,
        entry: TreeEntry,
        placed: &mut Placed,
    ) -> Result<(), Errno> {
        let name = entry.path.rsplit('/').next().unwrap_or_default().to_owned();
        if entry.kind == NodeKind::Folder {
            let made_count = u64::from(folder.make(&name)?);
            self.folders_made.fetch_add(made_count, Ordering::Relaxed);
            return Ok(());
        }
        placed.files += 1;
        placed.bytes += entry.bytes;
        let local = match folder.stat(name.as_str()) {
            Ok(stat) => Some(stat),
            Err(Errno::NOENT) => None,
            Err(error) => return Err(error),
        };
        let node = RemoteNode {
            kind: entry.kind,
            revision: entry.revision,
            bytes: entry.bytes,
            mtime_ns: entry.mtime_ns,
            executable: entry.executable,
            content: None,
        };
        let Some(manifest) = manifest_of(&entry) else {
            let detail = "its list of chunks is not understood";
            placed
                .notices
                .push(Notice::new(entry.path, NoticeKind::Corrupt, detail));
            return Ok(());
        };
        let step = plan::get(
            &node,
            local.as_ref(),
            self.options.compare,
            self.options.on_different,
        );
        let planned = match step {
            GetStep::Fetch { planned } => planned,
            GetStep::Compare { planned } if !is_same(folder, &name, &manifest)? => Some(planned),
            GetStep::Skip | GetStep::Compare { .. } => {
                placed.unchanged_files += 1;
                placed.unchanged_bytes += entry.bytes;
                return Ok(());
            }
            GetStep::Conflict(detail) => {
                placed
                    .notices
                    .push(Notice::new(entry.path, NoticeKind::Conflict, detail));
                return Ok(());
            }
        };
        placed.wants.push(Want {
            folder: Arc::clone(path),
            name,
            part: part_name(&self.tag, entry.id),
            node,
            manifest,
            planned,
            mode: local.map(|stat| stat.mode),
        });
        Ok(())
    }

    /// How many folders were made so far.
    pub(super) fn folders_made(&self) -> u64 {
        self.folders_made.load(Ordering::Relaxed)
    }

    /// Whether the file system takes names that differ only in letter case for one.
    pub(super) fn fold_guard(&self) -> Result<Option<FoldGuard>, Errno> {
        let probe = format!("{}{}-case", crate::disk::PART_PREFIX, self.tag);
        drop(
            self.root
                .open_part(&probe, rustix::fs::OFlags::WRONLY, 0o600)?,
        );
        let folds = self.root.stat(probe.to_uppercase().as_str()).is_ok();
        self.root.remove(probe.as_str())?;
        Ok(folds.then(FoldGuard::default))
    }

    /// Makes everything that was written durable. Blocks.
    pub(super) fn sync(&self) -> Result<(), Error> {
        #[cfg(target_os = "linux")]
        for folder in self.file_systems.lock().values() {
            folder
                .sync_file_system()
                .map_err(|error| Error::local("sync", ".", error))?;
        }
        Ok(())
    }
}

/// What a refusal of the disk means for one path.
pub(super) fn refused_by_disk(path: String, error: Errno) -> Notice {
    let kind = match error {
        Errno::NAMETOOLONG | Errno::ILSEQ | Errno::INVAL => NoticeKind::Name,
        // A link or file is where a folder of the drive belongs.
        Errno::LOOP | Errno::NOTDIR => NoticeKind::Conflict,
        _ => NoticeKind::Local,
    };
    Notice::new(path, kind, io::Error::from(error).to_string())
}

/// Puts the nodes of a page together by the folder that holds them, parents first.
pub(super) fn group(entries: Vec<TreeEntry>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut index_of: HashMap<String, usize> = HashMap::new();
    for entry in entries {
        let folder = entry.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let index = if let Some(index) = index_of.get(folder) {
            *index
        } else {
            index_of.insert(folder.to_owned(), groups.len());
            groups.push(Group {
                folder: folder.to_owned(),
                entries: Vec::new(),
            });
            groups.len() - 1
        };
        if let Some(group) = groups.get_mut(index) {
            group.entries.push(entry);
        }
    }
    groups
}

fn manifest_of(entry: &TreeEntry) -> Option<Manifest> {
    let packed = from_base64(entry.manifest.as_deref()?).ok()?;
    Manifest::unpack(&packed)
        .ok()
        .filter(|manifest| manifest.bytes() == entry.bytes)
}

fn is_same(folder: &Folder, name: &str, manifest: &Manifest) -> Result<bool, Errno> {
    let local = match folder.open_file(name) {
        Ok(file) => content_of_file(&file)?,
        // It is a link.
        Err(Errno::LOOP) => content_of(&folder.read_link(name)?),
        Err(error) => return Err(error),
    };
    Ok(local == manifest.content())
}
