//! What the server tells a client by itself: records of 150 bytes.

use super::{FIELD_BYTES, Number, PUSH_BYTES, fill, trimmed};

/// What the server tells a client's command socket. One record must come alone: a client unpacks exactly one of each read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Push {
    /// Somebody came online.
    Up(Number),
    /// Somebody went offline.
    Down(Number),
    /// Somebody writes who has no session here yet.
    NewSession {
        /// Who.
        sender: Number,
        /// The first 50 bytes of what they say.
        text: Vec<u8>,
    },
}

impl Push {
    /// Writes the record. What is longer than its field is cut.
    pub fn encode(&self) -> [u8; PUSH_BYTES] {
        let (name, who, text): (_, _, &[u8]) = match self {
            Self::Up(who) => ("UP", who, b""),
            Self::Down(who) => ("DOWN", who, b""),
            Self::NewSession { sender, text } => ("NEW_SESSION", sender, text),
        };
        let mut record = [0; PUSH_BYTES];
        let who = who.to_string();
        let fields = [name.as_bytes(), who.as_bytes(), text];
        for (place, field) in record.chunks_exact_mut(FIELD_BYTES).zip(fields) {
            fill(place, field);
        }
        record
    }

    /// Reads a record, as a client does.
    pub fn decode(record: &[u8; PUSH_BYTES]) -> Option<Self> {
        let (name, rest) = record.split_at(FIELD_BYTES);
        let (who, text) = rest.split_at(FIELD_BYTES);
        let who = Number::parse(trimmed(who))?;
        match trimmed(name) {
            b"UP" => Some(Self::Up(who)),
            b"DOWN" => Some(Self::Down(who)),
            b"NEW_SESSION" => Some(Self::NewSession {
                sender: who,
                text: trimmed(text).to_vec(),
            }),
            _ => None,
        }
    }
}
