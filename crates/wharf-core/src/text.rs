//! Texts that people give to things.

use wharf_types::limit::LABEL_BYTES_MAX;

use crate::error::{Error, Result};

/// Checks a name of something: a nickname, a device, a room, a group.
///
/// # Errors
/// `Invalid`.
pub(crate) fn label(what: &str, text: &str) -> Result<String> {
    let text = text.trim();
    if text.is_empty() || text.len() > LABEL_BYTES_MAX || text.chars().any(char::is_control) {
        return Err(Error::invalid(format!(
            "{what} has 1 to {LABEL_BYTES_MAX} bytes and no control characters"
        )));
    }
    Ok(text.to_owned())
}

/// Checks a line that may be empty.
///
/// # Errors
/// `Invalid`.
pub(crate) fn line(what: &str, text: &str, bytes_max: usize) -> Result<String> {
    let text = text.trim();
    if text.len() > bytes_max || text.chars().any(char::is_control) {
        return Err(Error::invalid(format!(
            "{what} has {bytes_max} bytes at most and no control characters"
        )));
    }
    Ok(text.to_owned())
}

/// Checks a text of several lines that may be empty. It is kept as it is.
///
/// # Errors
/// `Invalid`.
pub(crate) fn lines(what: &str, text: &str, bytes_max: usize) -> Result<String> {
    if text.len() > bytes_max || text.contains('\0') {
        return Err(Error::invalid(format!(
            "{what} has {bytes_max} bytes at most and no NUL"
        )));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{label, line, lines};

    #[test]
    fn a_label_is_never_empty_and_a_line_may_be() {
        assert_eq!(label("a device", "  laptop ").unwrap(), "laptop");
        assert!(label("a device", " ").is_err());
        assert!(label("a device", "a\nb").is_err());
        assert!(label("a device", &"x".repeat(101)).is_err());
        assert_eq!(line("a remark", "  ", 5).unwrap(), "");
        assert!(line("a remark", "sister", 5).is_err());
        assert!(line("a remark", "a\tb", 5).is_err());
    }

    #[test]
    fn lines_are_kept_as_they_are_but_for_what_no_database_takes() {
        assert_eq!(lines("a draft", " a\n", 3).unwrap(), " a\n");
        assert!(lines("a draft", "a\0", 3).is_err());
        assert!(lines("a draft", "abcd", 3).is_err());
    }
}
