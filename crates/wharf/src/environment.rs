//! The process environment as a value, and the folders that follow from it.
//!
//! Everything below reads variables through [`Environment`], so a test gives its own and no test changes the process.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use crate::exit::Failure;

type Read = dyn Fn(&str) -> Option<OsString> + Send + Sync;

/// The variables of a process.
pub(crate) struct Environment {
    read: Box<Read>,
}

impl Environment {
    /// The variables of this process.
    pub(crate) fn of_process() -> Self {
        Self {
            read: Box::new(|name| std::env::var_os(name)),
        }
    }

    /// These variables and no others.
    #[cfg(test)]
    pub(crate) fn of(pairs: &'static [(&'static str, &'static str)]) -> Self {
        Self {
            read: Box::new(move |name| {
                pairs
                    .iter()
                    .find(|(key, _)| *key == name)
                    .map(|(_, value)| OsString::from(value))
            }),
        }
    }

    /// A variable's value; one that is set to the empty text counts as not set.
    pub(crate) fn get(&self, name: &str) -> Option<OsString> {
        (self.read)(name).filter(|value| !value.is_empty())
    }

    /// A variable's value as text.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, Failure> {
        self.get(name)
            .map(|value| {
                value
                    .into_string()
                    .map_err(|_| Failure::usage(format!("{name} is not valid UTF-8")))
            })
            .transpose()
    }

    /// Where configuration is kept: `$XDG_CONFIG_HOME/wharf`.
    pub(crate) fn config_folder(&self) -> Result<PathBuf, Failure> {
        self.xdg("XDG_CONFIG_HOME", ".config")
    }

    /// Where a server keeps its data: `$XDG_DATA_HOME/wharf`.
    pub(crate) fn data_folder(&self) -> Result<PathBuf, Failure> {
        self.xdg("XDG_DATA_HOME", ".local/share")
    }

    /// Where the client keeps its logins and transfers: `$XDG_STATE_HOME/wharf`.
    pub(crate) fn state_folder(&self) -> Result<PathBuf, Failure> {
        self.xdg("XDG_STATE_HOME", ".local/state")
    }

    /// The XDG base directory specification: a relative path in the variable is to be passed over.
    fn xdg(&self, variable: &str, below_home: &str) -> Result<PathBuf, Failure> {
        let given = self
            .get(variable)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute());
        if let Some(base) = given {
            return Ok(base.join("wharf"));
        }
        let home = self.get("HOME").map(PathBuf::from).ok_or_else(|| {
            Failure::usage(format!("Neither {variable} nor HOME is set")).hint(format!(
                "Set {variable} to an absolute path, or name the place with a flag."
            ))
        })?;
        Ok(home.join(below_home).join("wharf"))
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment")
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Environment;

    #[test]
    fn folders_follow_xdg_and_pass_over_relative_paths() {
        let set = Environment::of(&[("HOME", "/home/ada"), ("XDG_DATA_HOME", "/srv/data")]);
        assert_eq!(set.data_folder().unwrap(), Path::new("/srv/data/wharf"));
        assert_eq!(
            set.state_folder().unwrap(),
            Path::new("/home/ada/.local/state/wharf")
        );
        let relative = Environment::of(&[("HOME", "/home/ada"), ("XDG_CONFIG_HOME", "etc")]);
        assert_eq!(
            relative.config_folder().unwrap(),
            Path::new("/home/ada/.config/wharf")
        );
        assert!(Environment::of(&[]).data_folder().is_err());
    }
}
