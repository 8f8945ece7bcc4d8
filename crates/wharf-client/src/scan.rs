//! What a local folder holds, read by several threads at once.

use std::collections::HashSet;
use std::ffi::CStr;
use std::ops::ControlFlow;

use parking_lot::{Condvar, Mutex};
use rustix::io::Errno;
use wharf_types::Name;
use wharf_types::limit::{PATH_BYTES_MAX, PATH_DEPTH_MAX};
use wharf_types::name::nfc;

use crate::disk::{Folder, Kind, PART_PREFIX, Stat};
use crate::transfer::{Links, Notice, NoticeKind};

/// Most entries that are handed on at once, so that a folder of a million files needs no more memory than one of a thousand.
const ENTRIES_MAX: usize = 1024;

/// A file or link that was found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) name: String,
    pub(crate) stat: Stat,
}

/// Some of what one folder holds.
#[derive(Debug, Default)]
pub(crate) struct Scanned {
    /// From the root, without slashes at either end; empty for the root itself.
    pub(crate) folder: String,
    /// Whether this is the first that is handed on of its folder.
    pub(crate) is_first: bool,
    pub(crate) files: Vec<Found>,
    pub(crate) notices: Vec<Notice>,
}

/// Reads everything below `root` with `threads` threads and hands it to `each`, folders before what is in them, until all is
/// read or `each` says to break.
pub(crate) fn scan(
    root: &Folder,
    links: Links,
    threads: usize,
    each: &(impl Fn(Scanned) -> ControlFlow<()> + Sync),
) {
    let walk = Walk {
        todo: Mutex::new(Todo {
            folders: vec![String::new()],
            busy_count: 0,
        }),
        changed: Condvar::new(),
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(folder) = walk.next() {
                    let flow = scan_folder(root, folder, links, &walk, each);
                    walk.done(flow);
                }
            });
        }
    });
}

/// The folders that are still to be read.
struct Walk {
    todo: Mutex<Todo>,
    changed: Condvar,
}

struct Todo {
    folders: Vec<String>,
    busy_count: usize,
}

impl Walk {
    /// The next folder; none when all is read, which is known only once nobody is reading.
    fn next(&self) -> Option<String> {
        let mut todo = self.todo.lock();
        loop {
            if let Some(folder) = todo.folders.pop() {
                todo.busy_count += 1;
                return Some(folder);
            }
            if todo.busy_count == 0 {
                return None;
            }
            self.changed.wait(&mut todo);
        }
    }

    fn add(&self, folders: Vec<String>) {
        if !folders.is_empty() {
            self.todo.lock().folders.extend(folders);
            self.changed.notify_all();
        }
    }

    fn done(&self, flow: ControlFlow<()>) {
        let mut todo = self.todo.lock();
        todo.busy_count -= 1;
        if flow.is_break() {
            todo.folders.clear();
        }
        self.changed.notify_all();
    }
}

/// Reads one folder.
fn scan_folder(
    root: &Folder,
    path: String,
    links: Links,
    walk: &Walk,
    each: &impl Fn(Scanned) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let mut reading = Reading {
        links,
        batch: Scanned {
            folder: path.clone(),
            is_first: true,
            ..Scanned::default()
        },
        folders: Vec::new(),
        unusual_keys: HashSet::new(),
    };
    let mut flow = ControlFlow::Continue(());
    let read = root.below(&path).and_then(|folder| {
        folder.each(|entry| {
            if flow.is_break() {
                return;
            }
            let looked = entry
                .kind(&folder)
                .and_then(|kind| reading.take(&folder, entry.name, kind));
            if let Err(error) = looked {
                reading.notice(
                    entry.name,
                    NoticeKind::Local,
                    std::io::Error::from(error).to_string(),
                );
            }
            if reading.batch.files.len() + reading.batch.notices.len() >= ENTRIES_MAX {
                let batch = reading.next_batch();
                flow = each(batch);
            }
        })
    });
    if let Err(error) = read {
        let detail = std::io::Error::from(error).to_string();
        reading
            .batch
            .notices
            .push(Notice::new(path, NoticeKind::Local, detail));
    }
    flow?;
    // First the folder itself, then what is below it.
    let folders = std::mem::take(&mut reading.folders);
    let flow = each(reading.next_batch());
    if flow.is_continue() {
        walk.add(folders);
    }
    flow
}

/// One folder while it is read.
struct Reading {
    links: Links,
    batch: Scanned,
    folders: Vec<String>,
    /// The compared forms of names outside ASCII: only those can be one name in two spellings.
    unusual_keys: HashSet<String>,
}

impl Reading {
    fn take(&mut self, folder: &Folder, name: &CStr, kind: Kind) -> Result<(), Errno> {
        let Ok(text) = name.to_str() else {
            self.notice(name, NoticeKind::Name, "its name is not UTF-8".into());
            return Ok(());
        };
        if text.starts_with(PART_PREFIX) {
            self.notice(name, NoticeKind::LeftOut, "an unfinished download".into());
            return Ok(());
        }
        let path = join(&self.batch.folder, text);
        if let Err(detail) = self.check_name(text, &path) {
            self.notice(name, NoticeKind::Name, detail);
            return Ok(());
        }
        match kind {
            Kind::Folder => self.folders.push(path),
            Kind::Special => self.notice(
                name,
                NoticeKind::LeftOut,
                "neither a file nor a folder".into(),
            ),
            Kind::Link if self.links == Links::LeaveOut => {
                self.notice(name, NoticeKind::LeftOut, "a symbolic link".into());
            }
            Kind::Link | Kind::File => match folder.stat(name) {
                Ok(stat) if stat.kind == kind => self.batch.files.push(Found {
                    name: text.to_owned(),
                    stat,
                }),
                // Something else took its place, or it is gone: the next run sees what it is.
                Ok(_) => self.notice(
                    name,
                    NoticeKind::Changing,
                    "it became something else".into(),
                ),
                Err(Errno::NOENT) => {}
                Err(error) => return Err(error),
            },
        }
        Ok(())
    }

    /// Whether a drive can hold the name.
    fn check_name(&mut self, name: &str, path: &str) -> Result<(), String> {
        if !name.is_ascii() {
            Name::new(name).map_err(|error| error.to_string())?;
            if !self.unusual_keys.insert(nfc(name)) {
                return Err(
                    "another name in the folder is the same text in another spelling".into(),
                );
            }
        }
        if is_too_long(path) {
            return Err("its path is too long or too deep".into());
        }
        Ok(())
    }

    fn notice(&mut self, name: &CStr, kind: NoticeKind, detail: String) {
        let path = join(&self.batch.folder, &name.to_string_lossy());
        self.batch.notices.push(Notice { path, kind, detail });
    }

    fn next_batch(&mut self) -> Scanned {
        let rest = Scanned {
            folder: self.batch.folder.clone(),
            ..Scanned::default()
        };
        std::mem::replace(&mut self.batch, rest)
    }
}

/// Whether no drive holds a path of this length or depth.
pub(crate) fn is_too_long(path: &str) -> bool {
    path.len() > PATH_BYTES_MAX
        || path.bytes().filter(|byte| *byte == b'/').count() >= PATH_DEPTH_MAX
}

/// A path one name longer.
pub(crate) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        return name.to_owned();
    }
    if name.is_empty() {
        return folder.to_owned();
    }
    let mut path = String::with_capacity(folder.len() + 1 + name.len());
    path.push_str(folder);
    path.push('/');
    path.push_str(name);
    path
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::ffi::OsStr;
    use std::fs;
    use std::ops::ControlFlow;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    use parking_lot::Mutex;
    use tempfile::TempDir;

    use super::{ENTRIES_MAX, join, scan};
    use crate::disk::Folder;
    use crate::transfer::{Links, NoticeKind};

    type Seen = (
        BTreeMap<String, u64>,
        Vec<(String, NoticeKind)>,
        Vec<String>,
    );

    fn seen(folder: &TempDir, links: Links) -> Seen {
        let seen = Mutex::new(Seen::default());
        let root = Folder::open(folder.path()).unwrap();
        scan(&root, links, 2, &|batch| {
            let mut seen = seen.lock();
            for found in batch.files {
                let path = join(&batch.folder, &found.name);
                assert_eq!(seen.0.insert(path, found.stat.bytes), None, "seen twice");
            }
            seen.1.extend(
                batch
                    .notices
                    .into_iter()
                    .map(|notice| (notice.path, notice.kind)),
            );
            if batch.is_first {
                seen.2.push(batch.folder);
            }
            ControlFlow::Continue(())
        });
        let mut seen = seen.into_inner();
        seen.1.sort();
        seen
    }

    #[test]
    fn everything_below_is_found_once_and_folders_come_before_what_is_in_them() {
        let temp = TempDir::new().unwrap();
        for folder in 0..10 {
            for inner in 0..3 {
                let path = temp.path().join(format!("{folder}/{inner}"));
                fs::create_dir_all(&path).unwrap();
                fs::write(path.join("file"), vec![0; folder]).unwrap();
            }
        }
        let (files, notices, folders) = seen(&temp, Links::LeaveOut);
        assert_eq!(files.len(), 30);
        assert_eq!(files["7/2/file"], 7);
        assert!(notices.is_empty());
        assert_eq!(folders.len(), 41);
        for (index, folder) in folders.iter().enumerate().skip(1) {
            let parent = folder.rsplit_once('/').map_or("", |(parent, _)| parent);
            assert!(folders[..index].iter().any(|earlier| earlier == parent));
        }
    }

    #[test]
    fn a_large_folder_comes_in_parts() {
        let temp = TempDir::new().unwrap();
        for index in 0..ENTRIES_MAX + 5 {
            fs::write(temp.path().join(index.to_string()), "").unwrap();
        }
        assert_eq!(seen(&temp, Links::LeaveOut).0.len(), ENTRIES_MAX + 5);
    }

    #[test]
    fn what_a_drive_cannot_hold_is_reported() {
        let temp = TempDir::new().unwrap();
        fs::write(temp.path().join("caf\u{e9}"), "").unwrap();
        fs::write(temp.path().join("cafe\u{301}"), "").unwrap();
        fs::write(temp.path().join(OsStr::from_bytes(b"\xff")), "").unwrap();
        symlink("nowhere", temp.path().join("link")).unwrap();
        fs::write(temp.path().join(".wharf-part-1"), "").unwrap();
        std::os::unix::net::UnixListener::bind(temp.path().join("socket")).unwrap();
        let (files, notices, _) = seen(&temp, Links::LeaveOut);
        assert_eq!(files.len(), 1);
        let kinds = |kind| notices.iter().filter(|notice| notice.1 == kind).count();
        assert_eq!(kinds(NoticeKind::Name), 2);
        assert_eq!(kinds(NoticeKind::LeftOut), 3);
        assert!(seen(&temp, Links::Keep).0.contains_key("link"));
    }

    #[test]
    fn a_break_ends_the_scan() {
        let temp = TempDir::new().unwrap();
        for index in 0..50 {
            fs::create_dir(temp.path().join(index.to_string())).unwrap();
        }
        let count = Mutex::new(0);
        let root = Folder::open(temp.path()).unwrap();
        scan(&root, Links::LeaveOut, 2, &|_| {
            *count.lock() += 1;
            ControlFlow::Break(())
        });
        assert!(*count.lock() <= 2);
    }
}
