//! Paths in a drive as people write them on the command line.

use std::fmt;
use std::str::FromStr;

use wharf_types::DrivePath;

/// A place in a drive of the server: `/docs/x` and `docs/x` are the same.
///
/// `room:NAME/…` is kept for the drives of other rooms, so that no script comes to rely on a folder of that name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RemotePath {
    path: DrivePath,
    /// Whether it ends in a slash: then it means the folder itself, to put things into.
    is_folder: bool,
}

impl RemotePath {
    /// The root of the drive.
    pub(crate) fn root() -> Self {
        Self {
            path: DrivePath::root(),
            is_folder: true,
        }
    }

    /// The path from the root, without a leading slash: the API's form.
    pub(crate) fn api(&self) -> String {
        self.path.to_string()
    }

    /// Whether it was written with a slash at its end, or is the root.
    pub(crate) fn is_folder(&self) -> bool {
        self.is_folder || self.path.is_root()
    }

    /// The last name; `None` for the root.
    pub(crate) fn name(&self) -> Option<&str> {
        self.path.split_last().map(|(_, name)| name.as_str())
    }

    /// The place `name` in the folder that this is.
    pub(crate) fn child(&self, name: &str) -> Result<Self, InvalidRemotePath> {
        let invalid = |error| InvalidRemotePath::Name(name.to_owned(), error);
        let name = wharf_types::Name::new(name).map_err(invalid)?;
        let text = name.to_string();
        let path = self
            .path
            .join(name)
            .map_err(|error| InvalidRemotePath::Name(text, error))?;
        Ok(Self {
            path,
            is_folder: false,
        })
    }
}

impl fmt::Display for RemotePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/{}", self.path)
    }
}

/// Why a text is no place in a drive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidRemotePath {
    /// `room:…`.
    #[error(
        "paths that begin with 'room:' are kept for the drives of other rooms, which this version does not have; \
             for a folder of that name in your own drive write a slash before it: /{0}"
    )]
    Room(String),
    /// A part that is no name.
    #[error("'{0}' is not a path in a drive: {1}")]
    Name(String, wharf_types::name::InvalidName),
}

impl FromStr for RemotePath {
    type Err = InvalidRemotePath;

    fn from_str(text: &str) -> Result<Self, InvalidRemotePath> {
        if text.starts_with("room:") {
            return Err(InvalidRemotePath::Room(text.to_owned()));
        }
        // `.` is what fingers type for "here", and a drive has only one here: its root.
        let meant = if text == "." { "" } else { text };
        let path = DrivePath::parse(meant)
            .map_err(|error| InvalidRemotePath::Name(text.to_owned(), error))?;
        Ok(Self {
            path,
            is_folder: text.ends_with('/'),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{InvalidRemotePath, RemotePath};

    #[test]
    fn a_leading_slash_makes_no_difference() {
        let with: RemotePath = "/docs/x".parse().unwrap();
        let without: RemotePath = "docs/x".parse().unwrap();
        assert_eq!(with, without);
        assert_eq!(with.to_string(), "/docs/x");
        assert_eq!(with.api(), "docs/x");
    }

    #[test]
    fn a_trailing_slash_means_the_folder() {
        assert!("docs/".parse::<RemotePath>().unwrap().is_folder());
        assert!("/".parse::<RemotePath>().unwrap().is_folder());
        assert!(".".parse::<RemotePath>().unwrap().is_folder());
        assert!(!"docs".parse::<RemotePath>().unwrap().is_folder());
    }

    #[test]
    fn rooms_are_kept_for_later_and_escapes_are_refused() {
        assert!(matches!(
            "room:team/x".parse::<RemotePath>(),
            Err(InvalidRemotePath::Room(_))
        ));
        assert!("/room:team/x".parse::<RemotePath>().is_ok());
        assert!("/docs/../x".parse::<RemotePath>().is_err());
    }
}
