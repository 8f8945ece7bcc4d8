//! Configuration: flags over environment over file over defaults.
//!
//! Reading is pure: [`File::parse`] takes a text, and the flags with their `WHARF_…` variables come from the definition of
//! the command line, so `wharf config check` says everything that can be said without opening a database or a port.

pub(crate) mod database;
pub(crate) mod file;
mod gateway;
mod live;
mod rooms;
pub(crate) mod server;

use std::path::{Path, PathBuf};

use anyhow::Context;

pub(crate) use file::File;

use self::file::Keys;
use crate::environment::Environment;
use crate::exit::Failure;
use crate::tui::Keymap;

/// Where a server of this machine is configured when its user has no file.
const SYSTEM_FILE: &str = "/etc/wharf/config.toml";

/// A configuration file and where it is; without a place, nothing is configured.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) path: Option<PathBuf>,
    pub(crate) file: File,
}

impl Loaded {
    /// What the keys of `wharf chat` do.
    pub(crate) fn keymap(&self) -> anyhow::Result<Keymap> {
        let keys = self.file.client.keys.iter().map(|(name, keys)| {
            let keys = match keys {
                Keys::One(key) => vec![key.clone()],
                Keys::Many(keys) => keys.clone(),
            };
            (name.clone(), keys)
        });
        Keymap::new(&keys.collect()).map_err(|fault| {
            let path = self
                .path
                .as_deref()
                .unwrap_or(Path::new("the configuration"));
            Failure::usage(format!("{}: [client.keys]: {fault}", path.display())).into()
        })
    }
}

/// Reads the file that is named, or else the user's, or else the machine's; none of these need be there.
pub(crate) fn load(named: Option<&Path>, environment: &Environment) -> anyhow::Result<Loaded> {
    if let Some(path) = named {
        return read(path)?.with_context(|| {
            Failure::usage(format!(
                "There is no configuration file at {}",
                path.display()
            ))
        });
    }
    let user = environment
        .config_folder()
        .ok()
        .map(|folder| folder.join("config.toml"));
    for path in user.into_iter().chain([PathBuf::from(SYSTEM_FILE)]) {
        if let Some(loaded) = read(&path)? {
            return Ok(loaded);
        }
    }
    Ok(Loaded::default())
}

fn read(path: &Path) -> anyhow::Result<Option<Loaded>> {
    let text = match std::fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => {
            other.with_context(|| Failure::usage(format!("Could not read {}", path.display())))?
        }
    };
    let file = File::parse(&text)
        .map_err(|fault| Failure::usage(format!("{}: {fault}", path.display())))?;
    Ok(Some(Loaded {
        path: Some(path.to_owned()),
        file,
    }))
}
