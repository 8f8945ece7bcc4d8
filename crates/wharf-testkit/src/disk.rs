//! A simulated disk under [`FolderBlob`](wharf_store::blob::FolderBlob), which keeps nothing that was not synced.
//!
//! It has two states: what the running program sees, and what is durable. Content becomes durable when its file is synced,
//! names when their folder is. A crash leaves what is durable, and of the rest whatever [`Survival`] says: nothing,
//! everything, or the mixtures that real disks leave, such as a name whose content was never written.
//!
//! Every call that changes something is a step. A fault is set for one step by number, so that a test can count the steps
//! of a history once and then run it again with a fault at each of them.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use wharf_store::blob::{Disk, Entry, EntryKind};

/// What happens at a step instead of what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The power goes. This and every later call fails, until [`SimDisk::crash`] starts the disk again.
    Crash,
    /// The call fails and changes nothing; a write may have changed a part.
    Error(io::ErrorKind),
}

/// What of the things that were not synced is found after a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Survival {
    /// Nothing.
    Nothing,
    /// Everything.
    Everything,
    /// All names; files have their length, and zeros for content.
    NamesOnly,
    /// All content; no names.
    ContentOnly,
    /// Any of it, files torn anywhere, as the seed says.
    Any(u64),
}

/// A disk in memory. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    files: Vec<File>,
    names: BTreeMap<String, Name>,
    durable_names: BTreeMap<String, Name>,
    /// Changes of names that are not durable, in order.
    pending: Vec<Change>,
    step: u64,
    fault: Option<(u64, Fault)>,
    is_off: bool,
    /// Bytes that may still be written.
    room: Option<u64>,
}

#[derive(Debug, Clone, Default)]
struct File {
    content: Vec<u8>,
    durable: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    Folder,
    File(usize),
}

/// A change of one or two names; a rename is both or nothing.
#[derive(Debug, Clone)]
struct Change {
    removed: Option<String>,
    added: Option<(String, Name)>,
}

/// An open file of a [`SimDisk`].
#[derive(Debug)]
pub struct SimFile(usize);

impl SimDisk {
    /// Makes an empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// Steps so far.
    pub fn steps(&self) -> u64 {
        self.state.lock().step
    }

    /// Sets a fault for the step with that number, counted from 0 over the disk's life.
    pub fn fail_at(&self, step: u64, fault: Fault) {
        self.state.lock().fault = Some((step, fault));
    }

    /// Lets only so many bytes more be written.
    pub fn set_room(&self, bytes: Option<u64>) {
        self.state.lock().room = bytes;
    }

    /// Turns the disk off and on again, and returns it as it comes up. The old one stays off.
    #[must_use]
    pub fn crash(&self, survival: Survival) -> Self {
        let mut state = self.state.lock();
        state.is_off = true;
        let mut seeded = match survival {
            Survival::Any(seed) => Some(StdRng::seed_from_u64(seed)),
            _ => None,
        };
        let mut names = state.durable_names.clone();
        for change in &state.pending {
            let survives = match survival {
                Survival::Nothing | Survival::ContentOnly => false,
                Survival::Everything | Survival::NamesOnly => true,
                Survival::Any(_) => seeded.as_mut().is_some_and(RngExt::random),
            };
            if survives {
                change.apply(&mut names);
            }
        }
        // A name cannot outlive the folder it was in.
        let orphans: Vec<String> = names
            .keys()
            .filter(|path| parent(path).is_some_and(|parent| !names.contains_key(parent)))
            .cloned()
            .collect();
        names.retain(|path, _| !orphans.contains(path));
        let files = state
            .files
            .iter()
            .map(|file| file.survivor(survival, seeded.as_mut()))
            .collect();
        Self {
            state: Arc::new(Mutex::new(State {
                files,
                names: names.clone(),
                durable_names: names,
                room: state.room,
                ..State::default()
            })),
        }
    }

    /// Flips one bit of a file, as rot does.
    ///
    /// # Panics
    /// If there is no such byte.
    pub fn flip(&self, path: &str, offset: u64, bit: u8) {
        self.change(path, |content| {
            content[usize::try_from(offset).expect("an offset in memory")] ^= 1 << bit;
        });
    }

    /// Cuts a file short.
    ///
    /// # Panics
    /// If there is no such file.
    pub fn cut(&self, path: &str, bytes: u64) {
        self.change(path, |content| {
            content.truncate(usize::try_from(bytes).expect("a length in memory"));
        });
    }

    /// Loses a file.
    pub fn lose(&self, path: &str) {
        let mut state = self.state.lock();
        state.names.remove(path);
        state.durable_names.remove(path);
    }

    /// The files whose path begins with `prefix`.
    pub fn paths(&self, prefix: &str) -> Vec<String> {
        let state = self.state.lock();
        let files = state
            .names
            .iter()
            .filter(|(_, name)| matches!(name, Name::File(_)));
        files
            .map(|(path, _)| path.clone())
            .filter(|path| path.starts_with(prefix))
            .collect()
    }

    fn change(&self, path: &str, change: impl Fn(&mut Vec<u8>)) {
        let mut state = self.state.lock();
        let index = state.file(path).expect("a file");
        let file = &mut state.files[index];
        change(&mut file.content);
        change(&mut file.durable);
    }

    fn step<T>(&self, work: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.state.lock();
        state.check()?;
        let step = state.step;
        state.step += 1;
        match state.fault {
            Some((at, fault)) if at == step => Err(state.fail(fault)),
            Some(_) | None => work(&mut state),
        }
    }

    fn look<T>(&self, work: impl FnOnce(&State) -> io::Result<T>) -> io::Result<T> {
        let state = self.state.lock();
        state.check()?;
        work(&state)
    }
}

impl Disk for SimDisk {
    type File = SimFile;

    fn create_folder(&self, path: &str) -> io::Result<()> {
        self.step(|state| state.add(path, Name::Folder))
    }

    fn create_new(&self, path: &str) -> io::Result<SimFile> {
        self.step(|state| {
            let index = state.files.len();
            state.add(path, Name::File(index))?;
            state.files.push(File::default());
            Ok(SimFile(index))
        })
    }

    fn write(&self, file: &mut SimFile, parts: &[Bytes]) -> io::Result<()> {
        let all = parts.concat();
        let mut state = self.state.lock();
        state.check()?;
        let step = state.step;
        state.step += 1;
        match state.fault {
            Some((at, fault)) if at == step => {
                // What a crash or an error interrupts has written a part.
                state.append(file, &all[..all.len() / 2])?;
                Err(state.fail(fault))
            }
            Some(_) | None => state.append(file, &all),
        }
    }

    fn sync_file(&self, file: &SimFile) -> io::Result<()> {
        let done = self.step(|state| {
            let file = &mut state.files[file.0];
            file.durable.clone_from(&file.content);
            Ok(())
        });
        if done.is_err() {
            // The pages are lost and marked clean: a later sync that succeeds brings nothing back.
            let mut state = self.state.lock();
            if !state.is_off {
                let file = &mut state.files[file.0];
                file.content = vec![0; file.content.len()];
            }
        }
        done
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.step(|state| {
            let index = state.file(from)?;
            let change = Change {
                removed: Some(from.to_owned()),
                added: Some((to.to_owned(), Name::File(index))),
            };
            state.change(change);
            Ok(())
        })
    }

    fn sync_folder(&self, path: &str) -> io::Result<()> {
        self.step(|state| {
            let pending = std::mem::take(&mut state.pending);
            for change in pending {
                if change.is_in(path) {
                    change.apply(&mut state.durable_names);
                } else {
                    state.pending.push(change);
                }
            }
            Ok(())
        })
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.step(|state| {
            state.file(path)?;
            state.change(Change {
                removed: Some(path.to_owned()),
                added: None,
            });
            Ok(())
        })
    }

    fn open(&self, path: &str) -> io::Result<SimFile> {
        self.look(|state| state.file(path).map(SimFile))
    }

    fn size(&self, file: &SimFile) -> io::Result<u64> {
        self.look(|state| Ok(state.files[file.0].content.len() as u64))
    }

    fn read_at(&self, file: &SimFile, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.look(|state| {
            let content = &state.files[file.0].content;
            let start = usize::try_from(offset).map_err(io::Error::other)?;
            let range = content
                .get(start..start + buffer.len())
                .ok_or(io::ErrorKind::UnexpectedEof)?;
            buffer.copy_from_slice(range);
            Ok(())
        })
    }

    fn entries(&self, path: &str) -> io::Result<Vec<Entry>> {
        self.look(|state| {
            if !path.is_empty() && !state.names.contains_key(path) {
                return Err(io::ErrorKind::NotFound.into());
            }
            let within = |other: &str| parent(other).unwrap_or("") == path;
            let entry = |(other, name): (&String, &Name)| Entry {
                name: other.rsplit('/').next().unwrap_or(other).to_owned(),
                kind: match name {
                    Name::Folder => EntryKind::Folder,
                    Name::File(index) => EntryKind::File {
                        bytes: state.files[*index].content.len() as u64,
                    },
                },
            };
            Ok(state
                .names
                .iter()
                .filter(|(other, _)| within(other))
                .map(entry)
                .collect())
        })
    }
}

impl State {
    fn check(&self) -> io::Result<()> {
        if self.is_off {
            Err(io::Error::other("the power is off"))
        } else {
            Ok(())
        }
    }

    fn fail(&mut self, fault: Fault) -> io::Error {
        match fault {
            Fault::Crash => {
                self.is_off = true;
                io::Error::other("the power went")
            }
            Fault::Error(kind) => kind.into(),
        }
    }

    fn file(&self, path: &str) -> io::Result<usize> {
        match self.names.get(path) {
            Some(Name::File(index)) => Ok(*index),
            Some(Name::Folder) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn add(&mut self, path: &str, name: Name) -> io::Result<()> {
        if self.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if parent(path).is_some_and(|parent| self.names.get(parent) != Some(&Name::Folder)) {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.change(Change {
            removed: None,
            added: Some((path.to_owned(), name)),
        });
        Ok(())
    }

    fn change(&mut self, change: Change) {
        change.apply(&mut self.names);
        self.pending.push(change);
    }

    fn append(&mut self, file: &SimFile, bytes: &[u8]) -> io::Result<()> {
        let room = self.room.map_or(usize::MAX, |room| {
            usize::try_from(room).unwrap_or(usize::MAX)
        });
        let taken = &bytes[..bytes.len().min(room)];
        self.files[file.0].content.extend_from_slice(taken);
        if let Some(room) = &mut self.room {
            *room -= taken.len() as u64;
        }
        if taken.len() < bytes.len() {
            Err(io::ErrorKind::StorageFull.into())
        } else {
            Ok(())
        }
    }
}

impl Change {
    fn apply(&self, names: &mut BTreeMap<String, Name>) {
        if let Some(path) = &self.removed {
            names.remove(path);
        }
        if let Some((path, name)) = &self.added {
            names.insert(path.clone(), *name);
        }
    }

    fn is_in(&self, folder: &str) -> bool {
        let paths = self
            .removed
            .iter()
            .chain(self.added.iter().map(|(path, _)| path));
        paths
            .into_iter()
            .any(|path| parent(path).unwrap_or("") == folder)
    }
}

impl File {
    fn survivor(&self, survival: Survival, seeded: Option<&mut StdRng>) -> Self {
        let content = match (survival, seeded) {
            (Survival::Nothing, _) => self.durable.clone(),
            (Survival::NamesOnly, _) if self.durable != self.content => vec![0; self.content.len()],
            (Survival::Any(_), Some(random)) if self.durable != self.content => {
                // Some of it, and after that zeros or nothing, and perhaps a sector of something else.
                let mut content = self.content.clone();
                let written = random.random_range(0..=content.len());
                content[written..].fill(0);
                if random.random() {
                    content.truncate(written);
                }
                if written > 0 && random.random() {
                    content[written.saturating_sub(512)..written].fill(random.random());
                }
                content
            }
            (_, _) => self.content.clone(),
        };
        Self {
            durable: content.clone(),
            content,
        }
    }
}

fn parent(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(parent, _)| parent)
}
