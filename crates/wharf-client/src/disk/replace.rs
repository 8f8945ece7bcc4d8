//! Giving a file that was written aside its name.

use rustix::fs::{RenameFlags, renameat, renameat_with};
use rustix::io::{Errno, Result};

use super::folder::Folder;
use super::stat::Identity;

/// What became of a file that was to get its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replaced {
    /// It has the name, and nothing was lost.
    Done,
    /// Something else has, or had until now, the name, and keeps it; the part keeps its own.
    Changed,
}

/// Renames `part` to `name` if that still is `planned`: absent, or the very file that was looked at.
///
/// The kernel swaps the two names in one step, and what comes out under the part's name is compared once more: whatever
/// somebody put there in between is put back, never lost.
pub(crate) fn replace(
    folder: &Folder,
    part: &str,
    name: &str,
    planned: Option<&Identity>,
) -> Result<Replaced> {
    let Some(planned) = planned else {
        return place(folder, part, name);
    };
    match swap(folder, part, name) {
        Ok(()) => {}
        // It was removed meanwhile: nothing is lost by taking its place.
        Err(Errno::NOENT) => return place(folder, part, name),
        Err(Errno::INVAL | Errno::NOSYS) => return check_and_rename(folder, part, name, planned),
        Err(error) => return Err(error),
    }
    let displaced = folder.stat(part)?;
    if displaced.identity.is_same_but_for_name(planned) {
        folder.remove(part)?;
        return Ok(Replaced::Done);
    }
    swap(folder, part, name)?;
    Ok(Replaced::Changed)
}

/// Renames `part` to `name` unless there is something.
fn place(folder: &Folder, part: &str, name: &str) -> Result<Replaced> {
    match renameat_with(folder.fd(), part, folder.fd(), name, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(Replaced::Done),
        Err(Errno::EXIST) => Ok(Replaced::Changed),
        // The file system cannot do this in one step.
        Err(Errno::INVAL | Errno::NOSYS) => match folder.stat(name) {
            Err(Errno::NOENT) => {
                renameat(folder.fd(), part, folder.fd(), name).map(|()| Replaced::Done)
            }
            Ok(_) => Ok(Replaced::Changed),
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    }
}

fn swap(folder: &Folder, part: &str, name: &str) -> Result<()> {
    renameat_with(folder.fd(), part, folder.fd(), name, RenameFlags::EXCHANGE)
}

/// For file systems that cannot swap: a moment remains between the look and the rename.
fn check_and_rename(
    folder: &Folder,
    part: &str,
    name: &str,
    planned: &Identity,
) -> Result<Replaced> {
    match folder.stat(name) {
        Ok(stat) if stat.identity == *planned => {}
        Ok(_) => return Ok(Replaced::Changed),
        Err(Errno::NOENT) => return place(folder, part, name),
        Err(error) => return Err(error),
    }
    renameat(folder.fd(), part, folder.fd(), name).map(|()| Replaced::Done)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::{Replaced, replace};
    use crate::disk::Folder;

    fn fixture() -> (TempDir, Folder) {
        let temp = TempDir::new().unwrap();
        fs::write(temp.path().join("part"), "new").unwrap();
        let folder = Folder::open(temp.path()).unwrap();
        (temp, folder)
    }

    #[test]
    fn an_absent_name_is_taken() {
        let (temp, folder) = fixture();
        assert_eq!(
            replace(&folder, "part", "name", None).unwrap(),
            Replaced::Done
        );
        assert_eq!(fs::read(temp.path().join("name")).unwrap(), b"new");
    }

    #[test]
    fn a_name_that_was_to_be_absent_is_kept() {
        let (temp, folder) = fixture();
        fs::write(temp.path().join("name"), "theirs").unwrap();
        assert_eq!(
            replace(&folder, "part", "name", None).unwrap(),
            Replaced::Changed
        );
        assert_eq!(fs::read(temp.path().join("name")).unwrap(), b"theirs");
        assert!(temp.path().join("part").is_file());
    }

    #[test]
    fn the_planned_file_is_replaced_and_its_bytes_are_gone() {
        let (temp, folder) = fixture();
        fs::write(temp.path().join("name"), "old").unwrap();
        let planned = folder.stat("name").unwrap().identity;
        assert_eq!(
            replace(&folder, "part", "name", Some(&planned)).unwrap(),
            Replaced::Done
        );
        assert_eq!(fs::read(temp.path().join("name")).unwrap(), b"new");
        assert!(!temp.path().join("part").try_exists().unwrap());
    }

    #[test]
    fn a_file_that_changed_since_the_plan_is_kept() {
        let (temp, folder) = fixture();
        fs::write(temp.path().join("name"), "old").unwrap();
        let planned = folder.stat("name").unwrap().identity;
        fs::write(temp.path().join("name"), "older").unwrap();
        assert_eq!(
            replace(&folder, "part", "name", Some(&planned)).unwrap(),
            Replaced::Changed
        );
        assert_eq!(fs::read(temp.path().join("name")).unwrap(), b"older");
        assert_eq!(fs::read(temp.path().join("part")).unwrap(), b"new");
    }

    #[test]
    fn a_file_that_was_removed_since_the_plan_gives_its_name() {
        let (temp, folder) = fixture();
        fs::write(temp.path().join("name"), "old").unwrap();
        let planned = folder.stat("name").unwrap().identity;
        fs::remove_file(temp.path().join("name")).unwrap();
        assert_eq!(
            replace(&folder, "part", "name", Some(&planned)).unwrap(),
            Replaced::Done
        );
        assert_eq!(fs::read(temp.path().join("name")).unwrap(), b"new");
    }
}
