//! Tags: short texts on nodes, compared in NFC.

use wharf_types::limit::TAG_BYTES_MAX;
use wharf_types::name;

use crate::error::{Error, Result};

/// Checks a tag and returns the form that is stored and compared.
///
/// # Errors
/// `Invalid` when it is empty, too long, or has control characters.
pub(super) fn checked_tag(text: &str) -> Result<String> {
    let tag = name::nfc(text.trim());
    if tag.is_empty() || tag.len() > TAG_BYTES_MAX || tag.chars().any(char::is_control) {
        return Err(Error::invalid(format!(
            "a tag has 1 to {TAG_BYTES_MAX} bytes and no control characters"
        )));
    }
    Ok(tag)
}
