//! The servers that this person has logged in to, by name.
//!
//! One file for each, `$XDG_STATE_HOME/wharf/servers/NAME.toml`, which holds the session's token and is therefore
//! readable by its owner alone; a file that others may read is refused rather than used. `servers/.current` names the one
//! that commands mean when they name none. Files are replaced whole, so a crash leaves the old one or the new one.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::exit::Failure;

const CURRENT: &str = ".current";

/// A login with one server.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    /// The server's address.
    pub(crate) url: String,
    /// Who is logged in.
    pub(crate) username: String,
    /// The session's secret.
    pub(crate) token: String,
}

/// The folder of profiles.
#[derive(Debug, Clone)]
pub(crate) struct ProfileStore {
    folder: PathBuf,
}

impl ProfileStore {
    /// The store below the state folder; nothing is touched before it is used.
    pub(crate) fn new(state_folder: &Path) -> Self {
        Self {
            folder: state_folder.join("servers"),
        }
    }

    /// The names of all profiles, sorted.
    pub(crate) fn names(&self) -> anyhow::Result<Vec<String>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.with_context(|| format!("Could not list {}", self.folder.display()))?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry?.file_name();
            if let Some(name) = name.to_str().and_then(|name| name.strip_suffix(".toml")) {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// The profile of this name.
    pub(crate) fn get(&self, name: &str) -> anyhow::Result<Option<Profile>> {
        let path = self.path(name)?;
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.with_context(|| format!("Could not read {}", path.display()))?,
        };
        let mode = fs::metadata(&path)?.permissions().mode();
        if mode & 0o077 != 0 {
            let failure = Failure::usage(format!(
                "Other people may read the login in {}",
                path.display()
            ))
            .hint(format!(
                "Run `chmod 600 '{}'`, and `wharf logout` if somebody may have read it.",
                path.display()
            ));
            return Err(failure.into());
        }
        let profile = toml::from_str(&text)
            .with_context(|| format!("{} is not a login file", path.display()))?;
        Ok(Some(profile))
    }

    /// The name that commands mean when they name none: the one chosen last, or the only one.
    pub(crate) fn current(&self) -> anyhow::Result<Option<String>> {
        let names = self.names()?;
        let chosen = match fs::read_to_string(self.folder.join(CURRENT)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            other => Some(other?.trim().to_owned()),
        };
        Ok(match (chosen, names.as_slice()) {
            (Some(chosen), _) if names.contains(&chosen) => Some(chosen),
            (_, [only]) => Some(only.clone()),
            _ => None,
        })
    }

    /// Keeps a profile and makes it the current one.
    pub(crate) fn put(&self, name: &str, profile: &Profile) -> anyhow::Result<()> {
        let path = self.path(name)?;
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.folder)
            .with_context(|| format!("Could not make {}", self.folder.display()))?;
        // The folder may be older than this rule.
        fs::set_permissions(&self.folder, Permissions::from_mode(0o700))?;
        self.replace(&path, &toml::to_string(profile)?)?;
        self.replace(&self.folder.join(CURRENT), name)
    }

    /// Forgets a profile; one that is not there is no error.
    pub(crate) fn remove(&self, name: &str) -> anyhow::Result<()> {
        match fs::remove_file(self.path(name)?) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn path(&self, name: &str) -> Result<PathBuf, Failure> {
        let is_plain =
            |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '@' | ':' | '[' | ']');
        if name.is_empty() || name.starts_with('.') || !name.chars().all(is_plain) {
            let failure = Failure::usage(format!("'{name}' cannot name a server"))
                .hint("Use letters, digits, '.', '-' and '_'.");
            return Err(failure);
        }
        Ok(self.folder.join(format!("{name}.toml")))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the file and its folder are synced here, around the rename"
    )]
    fn replace(&self, path: &Path, text: &str) -> anyhow::Result<()> {
        let aside = path.with_extension(format!("new-{}", std::process::id()));
        let write = || -> io::Result<()> {
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&aside)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&aside, path)?;
            fs::File::open(&self.folder)?.sync_all()
        };
        write().with_context(|| format!("Could not write {}", path.display()))
    }
}

// The token stays out of logs and panics.
impl std::fmt::Debug for Profile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Profile")
            .field("url", &self.url)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::{Profile, ProfileStore};

    fn profile(token: &str) -> Profile {
        Profile {
            url: "http://127.0.0.1:7140".to_owned(),
            username: "ada".to_owned(),
            token: token.to_owned(),
        }
    }

    #[test]
    fn the_one_put_last_is_current_and_only_its_owner_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = ProfileStore::new(folder.path());
        assert_eq!(store.current().unwrap(), None);
        store.put("home", &profile("one")).unwrap();
        store.put("work.example:7140", &profile("two")).unwrap();
        assert_eq!(store.names().unwrap(), ["home", "work.example:7140"]);
        assert_eq!(
            store.current().unwrap().as_deref(),
            Some("work.example:7140")
        );
        assert_eq!(store.get("home").unwrap().unwrap().token, "one");
        let mode = fs::metadata(folder.path().join("servers/home.toml"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        store.remove("work.example:7140").unwrap();
        assert_eq!(store.current().unwrap().as_deref(), Some("home"));
    }

    #[test]
    fn a_login_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = ProfileStore::new(folder.path());
        store.put("home", &profile("one")).unwrap();
        let path = folder.path().join("servers/home.toml");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(
            store
                .get("home")
                .unwrap_err()
                .to_string()
                .contains("Other people may read")
        );
    }

    #[test]
    fn a_name_cannot_leave_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let store = ProfileStore::new(folder.path());
        assert!(store.put("../x", &profile("one")).is_err());
        assert!(store.put("", &profile("one")).is_err());
    }
}
