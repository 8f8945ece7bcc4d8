//! Texts within the bounds of this protocol, which cuts at bytes and escapes nothing.

use super::{FIELD_BYTES, FILE_NOTICE, Number};

/// What stands for a bar where a client takes bars apart.
const BAR: char = '｜';

/// What a client said, as text: without NULs, and without the half character that a cut left at its end.
pub fn said(bytes: &[u8]) -> String {
    let cut = match std::str::from_utf8(bytes) {
        Ok(_) => bytes.len(),
        // No length: the input ends inside a character.
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        Err(_) => whole_up_to(bytes),
    };
    let whole = bytes.get(..cut).unwrap_or(bytes);
    String::from_utf8_lossy(whole).replace('\0', "")
}

/// Where the last character begins, if it is only begun.
fn whole_up_to(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let at = bytes.len() - back;
        let is_lead = bytes.get(at).is_some_and(|byte| *byte >= 0xc0);
        if is_lead {
            let tail = bytes.get(at..).unwrap_or_default();
            let is_begun =
                std::str::from_utf8(tail).is_err_and(|error| error.error_len().is_none());
            return if is_begun { at } else { bytes.len() };
        }
    }
    bytes.len()
}

/// The first characters of `text` that fit into `bytes_max`, and the rest.
pub fn clip(text: &str, bytes_max: usize) -> (&str, &str) {
    text.split_at(text.floor_char_boundary(bytes_max))
}

/// A text as it stands among bars and lines: without either.
pub fn item(text: &str) -> String {
    let plain = |char: char| match char {
        '|' => BAR,
        char if char.is_control() => ' ',
        char => char,
    };
    text.chars().map(plain).collect()
}

/// A text on a session's connection: one that a client would take for a notice of a file begins with a space.
pub fn line(text: &str) -> String {
    if text.starts_with(FILE_NOTICE.trim_end()) {
        format!(" {text}")
    } else {
        text.to_owned()
    }
}

/// A file's name as clients are told it: its last part, within what they take.
pub fn shown_name(name: &str, bytes_max: usize) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    clip(&item(name), bytes_max).0.trim().to_owned()
}

/// What a file is asked for by: the first bytes of the name that was shown, as many as the field holds.
pub fn key_of(name: &[u8]) -> &[u8] {
    name.get(..FIELD_BYTES).unwrap_or(name)
}

/// Messages that were left for somebody, all of one sender: `sender|time|text|time|text…`.
pub fn offline(sender: Number, items: impl IntoIterator<Item = (String, String)>) -> String {
    let mut out = sender.to_string();
    for (time, text) in items {
        out.push('|');
        out.push_str(&time);
        out.push('|');
        out.push_str(&text);
    }
    out
}

/// Joins `first` and as many of `items`, each whole, as a client reads in `bytes_max`; says how many there were room for.
pub fn list<I: AsRef<[u8]>>(
    first: &str,
    items: impl IntoIterator<Item = I>,
    bytes_max: usize,
) -> (Vec<u8>, usize) {
    let mut out = first.as_bytes().to_vec();
    let mut count = 0;
    for item in items {
        let item = item.as_ref();
        if out.len() + item.len() > bytes_max {
            break;
        }
        out.extend_from_slice(item);
        count += 1;
    }
    (out, count)
}
