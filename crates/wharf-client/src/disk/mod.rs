//! The local disk, through folders that are held open.
//!
//! Everything below a root is reached from the root's descriptor, one name at a time or with the kernel's own confinement,
//! and no link is ever followed on the way: whoever swaps a folder for a link in the middle of a transfer gets an error,
//! not a file somewhere else.

mod folder;
mod replace;
mod stat;

pub(crate) use self::folder::{Folder, set_mtime_open, stat_open};
pub(crate) use self::replace::{Replaced, replace};
pub(crate) use self::stat::{Identity, Kind, Stat};

/// What the names of files that are written aside begin with. They are never uploaded.
pub(crate) const PART_PREFIX: &str = ".wharf-part-";
