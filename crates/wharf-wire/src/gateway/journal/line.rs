//! Lines that any program can send: with a token, or with an HMAC.

use aws_lc_rs::{digest, hmac};
use data_encoding::HEXLOWER_PERMISSIVE;
use wharf_types::api::journal::JournalKeyId;
use wharf_types::limit::JOURNAL_LINE_BYTES_MAX;

use crate::gateway::civil::Civil;

/// What every token begins with.
pub const TOKEN_PREFIX: &str = "wj_";
/// Length of a token: the prefix and 40 hexadecimal digits. It makes every line longer than its answer.
pub const TOKEN_BYTES: usize = TOKEN_PREFIX.len() + 40;
/// What a line with an HMAC begins with; the key's 16 hexadecimal digits follow.
pub const SIGNED_PREFIX: &str = "wh_";
/// What the key of an HMAC begins with, so that scanners for leaked secrets know one.
pub const SECRET_PREFIX: &str = "whs_";

/// `TOKEN TEXT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TextLine<'a> {
    /// The token.
    pub token: &'a str,
    /// The rest of the datagram.
    pub text: &'a [u8],
}

/// `wh_KEY TIME HMAC TEXT`: the HMAC-SHA256 in hexadecimal digits is over `TIME TEXT`, without a line feed at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedLine<'a> {
    /// The key.
    pub key: JournalKeyId,
    /// The sender's time, in seconds since the epoch.
    pub time_s: i64,
    /// The time as it was written.
    pub time: &'a str,
    /// The HMAC.
    pub tag: [u8; 32],
    /// The rest of the datagram, without a line feed at its end.
    pub text: &'a [u8],
}

/// Why a text cannot be an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not UTF-8.
    #[error("utf8")]
    Utf8,
    /// Over [`JOURNAL_LINE_BYTES_MAX`].
    #[error("long")]
    Long,
    /// Nothing.
    #[error("empty")]
    Empty,
    /// It has a NUL.
    #[error("nul")]
    Nul,
}

/// What is answered to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer<'a> {
    /// It is durable.
    Saved {
        /// When it was recorded, in milliseconds since the epoch.
        at_ms: i64,
        /// Its position in the room's log.
        position: u64,
        /// The text, without what was stripped.
        text: &'a str,
        /// Whether it had been saved before; then the rest is of the first time.
        is_repeated: bool,
    },
    /// The text cannot be an entry.
    Fault(Fault),
    /// There is no such key, or the HMAC is not its.
    Auth,
    /// The key writes nothing any more: the room is archived, or its owner may not write there.
    Closed,
    /// Too much in too short a time.
    Slow,
    /// The server cannot write now.
    Later,
}

/// The longest answer that may follow a datagram of so many bytes: never longer than the datagram.
pub const fn answer_bytes_max(datagram_bytes: usize) -> usize {
    datagram_bytes
}

pub(super) fn text(datagram: &[u8]) -> Option<TextLine<'_>> {
    let (token, rest) = datagram.split_at_checked(TOKEN_BYTES)?;
    let token = std::str::from_utf8(token).ok()?;
    let digits = token.strip_prefix(TOKEN_PREFIX)?;
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let text = rest.strip_prefix(b" ").or_else(|| {
        // A token by itself, or one with a newline: an entry with nothing in it.
        strip_newline(rest).is_empty().then_some(rest)
    })?;
    Some(TextLine { token, text })
}

pub(super) fn signed(datagram: &[u8]) -> Option<SignedLine<'_>> {
    let rest = datagram.strip_prefix(SIGNED_PREFIX.as_bytes())?;
    let (key, rest) = word(rest)?;
    let (time, rest) = word(rest)?;
    let (tag, text) = word(rest)?;
    let mut bytes = [0; 32];
    if tag.len() != 64 {
        return None;
    }
    HEXLOWER_PERMISSIVE
        .decode_mut(tag.as_bytes(), &mut bytes)
        .ok()?;
    Some(SignedLine {
        key: key.parse().ok()?,
        time_s: time.parse().ok()?,
        time,
        tag: bytes,
        text: strip_newline(text),
    })
}

/// Takes a word off the front, and the blank after it.
fn word(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let at = bytes.iter().take(80).position(|byte| *byte == b' ')?;
    let (word, rest) = bytes.split_at_checked(at)?;
    Some((std::str::from_utf8(word).ok()?, rest.get(1..)?))
}

/// Takes one line feed off the end, and a carriage return before it.
pub fn strip_newline(text: &[u8]) -> &[u8] {
    let Some(line) = text.strip_suffix(b"\n") else {
        return text;
    };
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Passes a text that can be an entry: without one newline at its end, with those within.
///
/// # Errors
/// [`Fault`]: the first of its faults in the order `Long`, `Utf8`, `Nul`, `Empty`.
pub fn check_text(text: &[u8]) -> Result<&str, Fault> {
    let text = strip_newline(text);
    if text.len() > JOURNAL_LINE_BYTES_MAX {
        return Err(Fault::Long);
    }
    let text = std::str::from_utf8(text).map_err(|_| Fault::Utf8)?;
    if text.contains('\0') {
        return Err(Fault::Nul);
    }
    if text.trim().is_empty() {
        return Err(Fault::Empty);
    }
    Ok(text)
}

/// What the server keeps of a token.
pub fn token_hash(token: &str) -> [u8; 32] {
    *blake3::hash(token.to_ascii_lowercase().as_bytes()).as_bytes()
}

/// The key that a token belongs to: the beginning of its hash.
pub fn key_of_token(hash: &[u8; 32]) -> JournalKeyId {
    let mut id = [0; 8];
    for (to, from) in id.iter_mut().zip(hash) {
        *to = *from;
    }
    JournalKeyId::from_bytes(id)
}

/// Makes a line with an HMAC under `secret`, the text that the key was made with.
pub fn sign(key: JournalKeyId, secret: &str, time_s: i64, text: &str) -> String {
    let signed = format!("{time_s} {text}");
    let tag = hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()),
        signed.as_bytes(),
    );
    let tag = HEXLOWER_PERMISSIVE.encode(tag.as_ref());
    format!("{SIGNED_PREFIX}{key} {time_s} {tag} {text}\n")
}

/// Whether a line's HMAC is one of `secret`, in a time that tells nothing.
pub fn verify_signed(secret: &str, line: &SignedLine<'_>) -> bool {
    let signed = [line.time.as_bytes(), b" ", line.text].concat();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hmac::verify(&key, &signed, &line.tag).is_ok()
}

impl Answer<'_> {
    /// The answer as one line of at most `bytes_max` bytes: without its explanation where that would not fit, nothing where it
    /// would not fit at all.
    pub fn render(&self, bytes_max: usize) -> Option<String> {
        let (short, long) = match *self {
            Self::Saved {
                at_ms,
                position,
                text,
                is_repeated,
            } => {
                let hash = digest::digest(&digest::SHA256, text.as_bytes());
                let begin = hash.as_ref().get(..4).unwrap_or_default();
                let date = Civil::of_ms(at_ms).date();
                let hash = HEXLOWER_PERMISSIVE.encode(begin);
                let short = format!("OK {date} #{position} {hash}");
                (short, if is_repeated { " (already saved)" } else { "" })
            }
            Self::Fault(fault) => (
                format!("ERR {fault}"),
                match fault {
                    Fault::Utf8 => " (the text is not UTF-8)",
                    Fault::Long => " (1200 bytes at most: use wharf diary --udp)",
                    Fault::Empty => " (there is no text after the token)",
                    Fault::Nul => " (a text has no NUL)",
                },
            ),
            Self::Auth => ("ERR auth".to_owned(), ""),
            Self::Closed => (
                "ERR closed".to_owned(),
                " (this key writes nothing any more)",
            ),
            Self::Slow => ("ERR slow".to_owned(), " (wait a moment)"),
            Self::Later => ("ERR later".to_owned(), " (not saved: send it again)"),
        };
        [format!("{short}{long}\n"), format!("{short}\n")]
            .into_iter()
            .find(|line| line.len() <= bytes_max)
    }
}
