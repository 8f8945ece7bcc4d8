//! Paths in a drive as people write them on the command line.

use std::fmt;
use std::str::FromStr;

use wharf_types::DrivePath;

use crate::directory::{InvalidWhere, PREFIX, Where};

/// A place in a drive of the server: `/docs/x` and `docs/x` are the same place of one's own; `room:NAME/docs/x` is in the
/// drive of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RemotePath {
    /// None for one's own drive.
    room: Option<Where>,
    path: DrivePath,
    /// Whether it ends in a slash: then it means the folder itself, to put things into.
    is_folder: bool,
}

impl RemotePath {
    /// The root of one's own drive.
    pub(crate) fn root() -> Self {
        Self {
            room: None,
            path: DrivePath::root(),
            is_folder: true,
        }
    }

    /// The room whose drive it is in; none for one's own.
    pub(crate) fn room(&self) -> Option<&Where> {
        self.room.as_ref()
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
            room: self.room.clone(),
            path,
            is_folder: false,
        })
    }
}

impl fmt::Display for RemotePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(room) = &self.room {
            f.write_str(&room.as_prefix())?;
        }
        write!(f, "/{}", self.path)
    }
}

/// Why a text is no place in a drive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidRemotePath {
    /// `room:` without a name.
    #[error(
        "'{0}' names no room's drive ({1}); for a folder of that name in your own drive write a slash before it: /{0}"
    )]
    Room(String, InvalidWhere),
    /// A part that is no name.
    #[error("'{0}' is not a path in a drive: {1}")]
    Name(String, wharf_types::name::InvalidName),
}

impl FromStr for RemotePath {
    type Err = InvalidRemotePath;

    fn from_str(text: &str) -> Result<Self, InvalidRemotePath> {
        let (room, within) = match text.strip_prefix(PREFIX) {
            None => (None, text),
            Some(named) => {
                let (name, within) = named.split_once('/').unwrap_or((named, ""));
                let room = Where::of_path(name)
                    .map_err(|error| InvalidRemotePath::Room(text.to_owned(), error))?;
                (Some(room), within)
            }
        };
        // `.` is what fingers type for "here", and a drive has only one here: its root.
        let meant = if within == "." { "" } else { within };
        let path = DrivePath::parse(meant)
            .map_err(|error| InvalidRemotePath::Name(text.to_owned(), error))?;
        Ok(Self {
            room,
            path,
            is_folder: text.ends_with('/'),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{InvalidRemotePath, RemotePath};
    use crate::directory::Where;

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
    fn the_drive_of_a_room_is_written_before_the_path() {
        let path: RemotePath = "room:Team/docs/x".parse().unwrap();
        assert_eq!(path.room(), Some(&Where::Room("Team".into())));
        assert_eq!(path.api(), "docs/x");
        assert_eq!(path.to_string(), "room:Team/docs/x");
        let child = "room:@grace/".parse::<RemotePath>().unwrap();
        assert_eq!(child.child("y").unwrap().to_string(), "room:@grace/y");
        let root: RemotePath = "room:Team".parse().unwrap();
        assert!(root.is_folder() && root.name().is_none());
        let own: RemotePath = "/room:Team/x".parse().unwrap();
        assert_eq!((own.room(), own.api().as_str()), (None, "room:Team/x"));
        assert!(matches!(
            "room:/x".parse::<RemotePath>(),
            Err(InvalidRemotePath::Room(..))
        ));
    }

    #[test]
    fn escapes_are_refused() {
        assert!("/docs/../x".parse::<RemotePath>().is_err());
        assert!("room:Team/../x".parse::<RemotePath>().is_err());
    }
}
