//! The names of everything that the house can be asked for, read from its source, so that a table of operations can be
//! held against it: a new one that nobody put into the table is noticed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A part of the house: a folder of its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Accounts,
    Contact,
    Diary,
    Drive,
    Hook,
    Journal,
    Log,
    Portage,
    Push,
    Room,
    Search,
    Transfer,
}

impl Part {
    pub(crate) const ALL: [Self; 12] = [
        Self::Accounts,
        Self::Contact,
        Self::Diary,
        Self::Drive,
        Self::Hook,
        Self::Journal,
        Self::Log,
        Self::Portage,
        Self::Push,
        Self::Room,
        Self::Search,
        Self::Transfer,
    ];

    const fn folder(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Contact => "contact",
            Self::Diary => "diary",
            Self::Drive => "drive",
            Self::Hook => "hook",
            Self::Journal => "journal",
            Self::Log => "log",
            Self::Portage => "portage",
            Self::Push => "push",
            Self::Room => "room",
            Self::Search => "search",
            Self::Transfer => "transfer",
        }
    }
}

/// The operations of some parts, as `part::name`.
pub(crate) fn operations(parts: &[Part]) -> BTreeSet<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut operations = BTreeSet::new();
    for part in parts {
        let mut found = 0;
        for file in files(&source.join(part.folder())) {
            for line in std::fs::read_to_string(file).unwrap().lines() {
                let Some(rest) = line.trim_start().strip_prefix("pub async fn ") else {
                    continue;
                };
                let name: String = rest
                    .chars()
                    .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
                    .collect();
                operations.insert(format!("{}::{name}", part.folder()));
                found += 1;
            }
        }
        assert!(found > 0, "{part:?} has no operation: has it moved?");
    }
    operations
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else {
            files.push(path);
        }
    }
    files
}
