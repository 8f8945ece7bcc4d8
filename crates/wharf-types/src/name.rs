//! Names and paths in a drive: kept as given, compared in Unicode NFC, bounded.
//!
//! Two names are the same when their NFC forms are equal byte for byte. Names that differ only in letter case are
//! different nodes; [`Name::fold`] lets lists show them side by side and clients report them.

use std::fmt;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::limit::{NAME_BYTES_MAX, PATH_BYTES_MAX, PATH_DEPTH_MAX};

/// Why a text is not a name or path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// A name has no characters.
    #[error("name is empty")]
    Empty,
    /// `.` and `..` mean places, not names.
    #[error("name is '.' or '..'")]
    Dots,
    /// `/` separates names and NUL ends them.
    #[error("name contains '/' or NUL")]
    Separator,
    /// Over [`NAME_BYTES_MAX`], as given or in NFC.
    #[error("name is longer than {NAME_BYTES_MAX} bytes")]
    TooLong,
    /// Over [`PATH_DEPTH_MAX`] names or [`PATH_BYTES_MAX`] bytes.
    #[error("path is longer than {PATH_BYTES_MAX} bytes or deeper than {PATH_DEPTH_MAX} names")]
    PathTooLong,
}

/// The name of a node, as given.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name(String);

impl Name {
    /// Checks a name; the text is kept as it is.
    ///
    /// # Errors
    /// [`InvalidName`] says which rule it breaks.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidName> {
        let text = text.into();
        if text.is_empty() {
            return Err(InvalidName::Empty);
        }
        if text == "." || text == ".." {
            return Err(InvalidName::Dots);
        }
        if text.bytes().any(|byte| byte == b'/' || byte == 0) {
            return Err(InvalidName::Separator);
        }
        if text.len() > NAME_BYTES_MAX || (!text.is_ascii() && nfc(&text).len() > NAME_BYTES_MAX) {
            return Err(InvalidName::TooLong);
        }
        Ok(Self(text))
    }

    /// The name as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What names are compared by: the NFC form.
    pub fn key(&self) -> String {
        nfc(&self.0)
    }

    /// What brings names that differ only in letter case together: the lower-case form of the key, in NFC.
    pub fn fold(&self) -> String {
        fold(&self.0)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A path from the root of a drive: names without `.`, `..` or empty parts. The empty path is the root.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct DrivePath(Vec<Name>);

impl DrivePath {
    /// The root of a drive.
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// Reads `a/b/c`; slashes at either end and doubled ones are passed over.
    ///
    /// # Errors
    /// [`InvalidName`] when a part is no name, or the whole is too long or too deep.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        if text.len() > PATH_BYTES_MAX {
            return Err(InvalidName::PathTooLong);
        }
        let names = text
            .split('/')
            .filter(|part| !part.is_empty())
            .map(Name::new)
            .collect::<Result<Vec<_>, _>>()?;
        if names.len() > PATH_DEPTH_MAX {
            return Err(InvalidName::PathTooLong);
        }
        Ok(Self(names))
    }

    /// The names, from the root down.
    pub fn names(&self) -> &[Name] {
        &self.0
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The path of the folder that holds this one, and the last name; `None` for the root.
    pub fn split_last(&self) -> Option<(&[Name], &Name)> {
        self.0.split_last().map(|(last, parents)| (parents, last))
    }

    /// Adds a name at the end.
    ///
    /// # Errors
    /// [`InvalidName::PathTooLong`] when it would become too deep or too long.
    pub fn join(&self, name: Name) -> Result<Self, InvalidName> {
        let bytes: usize = self.0.iter().map(|part| part.as_str().len() + 1).sum();
        if self.0.len() >= PATH_DEPTH_MAX || bytes + name.as_str().len() > PATH_BYTES_MAX {
            return Err(InvalidName::PathTooLong);
        }
        let mut names = self.0.clone();
        names.push(name);
        Ok(Self(names))
    }
}

impl fmt::Display for DrivePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("/")?;
            }
            f.write_str(name.as_str())?;
        }
        Ok(())
    }
}

/// The NFC form of `text`.
pub fn nfc(text: &str) -> String {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return text.to_owned();
    }
    text.nfc().collect()
}

/// The lower-case form of `text`, in NFC: equal for texts that differ only in letter case.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfc().flat_map(char::to_lowercase).nfc().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::{DrivePath, InvalidName, Name};

    #[test]
    fn composed_and_decomposed_spellings_have_one_key() {
        let composed = Name::new("caf\u{e9}").unwrap();
        let decomposed = Name::new("cafe\u{301}").unwrap();
        assert_ne!(composed, decomposed);
        assert_eq!(composed.key(), decomposed.key());
    }

    #[test]
    fn letter_case_differs_in_key_and_meets_in_fold() {
        let lower = Name::new("straße.Txt").unwrap();
        let upper = Name::new("STRAßE.txt").unwrap();
        assert_ne!(lower.key(), upper.key());
        assert_eq!(lower.fold(), upper.fold());
    }

    #[test]
    fn places_and_separators_are_refused() {
        assert_eq!(Name::new(""), Err(InvalidName::Empty));
        assert_eq!(Name::new(".."), Err(InvalidName::Dots));
        assert_eq!(Name::new("a/b"), Err(InvalidName::Separator));
        assert_eq!(Name::new("a\0"), Err(InvalidName::Separator));
        assert_eq!(Name::new("x".repeat(256)), Err(InvalidName::TooLong));
        assert!(Name::new("x".repeat(255)).is_ok());
    }

    proptest! {
        #[test]
        fn a_path_is_read_back_as_it_was_shown(text in any::<String>()) {
            if let Ok(path) = DrivePath::parse(&text) {
                assert_eq!(DrivePath::parse(&path.to_string()), Ok(path));
            }
        }

        #[test]
        fn key_and_fold_are_stable(text in any::<String>()) {
            if let Ok(name) = Name::new(text)
                && let Ok(key) = Name::new(name.key())
            {
                assert_eq!(key.key(), name.key());
                assert_eq!(key.fold(), name.fold());
            }
        }
    }
}
