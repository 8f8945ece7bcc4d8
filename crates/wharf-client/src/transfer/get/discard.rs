//! Removes what a cancelled get has written aside.

use std::path::Path;

use rustix::io::Errno;

use crate::disk::{Folder, Kind, PART_PREFIX};
use crate::error::Error;

/// Removes the parts of a task below `target`, or beside it where it is a file. Blocks.
///
/// # Errors
/// The first thing that could not be removed; the rest is removed all the same.
pub(crate) fn discard(target: &Path, tag: &str) -> Result<(), Error> {
    let prefix = format!("{PART_PREFIX}{tag}-");
    let mut first_error = None;
    let beside = target
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    // Where the target is no folder, nothing is below it, and where it is one, nothing of this task is beside it.
    if let Ok(root) = Folder::open(target) {
        let mut folders = vec![root];
        while let Some(folder) = folders.pop() {
            clear(&folder, &prefix, Some(&mut folders), &mut first_error);
        }
    } else if let Ok(folder) = Folder::open(beside.unwrap_or(Path::new("."))) {
        clear(&folder, &prefix, None, &mut first_error);
    }
    first_error.map_or(Ok(()), |error| Err(Error::local("tidy up", target, error)))
}

fn clear(
    folder: &Folder,
    prefix: &str,
    mut deeper: Option<&mut Vec<Folder>>,
    first_error: &mut Option<Errno>,
) {
    let mut parts = Vec::new();
    let read = folder.each(|entry| {
        let Ok(name) = entry.name.to_str() else {
            return;
        };
        if name.starts_with(prefix) {
            parts.push(name.to_owned());
        } else if let Some(deeper) = &mut deeper
            && entry.kind(folder) == Ok(Kind::Folder)
        {
            match folder.below(name) {
                Ok(child) => deeper.push(child),
                Err(error) => *first_error = first_error.or(Some(error)),
            }
        }
    });
    *first_error = first_error.or(read.err());
    for part in parts {
        *first_error = first_error.or(folder.remove(part.as_str()).err());
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::discard;

    #[test]
    fn only_the_parts_of_the_task_are_removed() {
        let temp = tempfile::tempdir().unwrap();
        let deep = temp.path().join("a/b");
        fs::create_dir_all(&deep).unwrap();
        for name in [".wharf-part-mine-1", ".wharf-part-other-1", "mine"] {
            fs::write(deep.join(name), "").unwrap();
            fs::write(temp.path().join(name), "").unwrap();
        }
        discard(temp.path(), "mine").unwrap();
        for folder in [temp.path(), &deep] {
            assert!(!folder.join(".wharf-part-mine-1").try_exists().unwrap());
            assert!(folder.join(".wharf-part-other-1").try_exists().unwrap());
            assert!(folder.join("mine").try_exists().unwrap());
        }
        discard(&temp.path().join("gone"), "other").unwrap();
        assert!(
            !temp
                .path()
                .join(".wharf-part-other-1")
                .try_exists()
                .unwrap()
        );
    }
}
