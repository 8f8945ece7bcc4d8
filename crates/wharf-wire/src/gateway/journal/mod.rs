//! The journal over UDP: what its datagrams are, in both directions.
//!
//! There are three ways to write: a line with a token, a line with an HMAC, and sealed datagrams. They are told apart by
//! how they begin, and from the old diary's texts by what nobody types: a token or key in full, or a byte that no UTF-8 has.

mod line;
mod sealed;

pub use line::{
    Answer, Fault, SECRET_PREFIX, SIGNED_PREFIX, SignedLine, TOKEN_BYTES, TOKEN_PREFIX, TextLine,
    answer_bytes_max, check_text, key_of_token, sign, strip_newline, token_hash, verify_signed,
};
pub use sealed::{
    ACK_BYTES, Ack, AckStatus, DATAGRAM_BYTES_MAX, Header, PART_BYTES_MAX, PARTS_MAX,
    REQUEST_BYTES_MIN, SealedKey, SealedSecret, header, part_count,
};

/// A datagram that claims to be of the journal. Nothing in it is proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Datagram<'a> {
    /// A line that begins with a token.
    Text(TextLine<'a>),
    /// A line that begins with a key and an HMAC.
    Signed(SignedLine<'a>),
    /// A part of a sealed entry.
    Sealed(Header),
}

/// Tells what a datagram claims to be; `None` when it is nothing of the journal.
pub fn parse(datagram: &[u8]) -> Option<Datagram<'_>> {
    if let Some(header) = header(datagram) {
        return Some(Datagram::Sealed(header));
    }
    if let Some(text) = line::text(datagram) {
        return Some(Datagram::Text(text));
    }
    line::signed(datagram).map(Datagram::Signed)
}

#[cfg(test)]
mod tests;
