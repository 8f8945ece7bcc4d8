//! filestoraged: two generations of frames on one socket, and the messages in them.
//!
//! The older frame is `type u8 | length u32 BE | user type u8 | payload`, where the length counts the payload alone; the
//! newer is `length u32 BE | user type u8 | payload`, where it counts the user type too. On a stream the first byte tells
//! them apart: a newer frame begins with 0, since no length reaches 2²⁴, an older one with 1, 2 or 3.

pub mod batch;
pub mod message;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use data_encoding::BASE64;

/// Bytes of a file in one chunk; the last one may be shorter.
pub const CHUNK_BYTES: usize = 1000;
/// Characters of base64 in a line.
const LINE_CHARS: usize = 60;
/// What a client of the TCP form says first: the service's name, without a frame.
pub const SERVICE: &[u8] = b"filestorage";
/// And what it waits for.
pub const SERVICE_OK: &[u8] = b"ok";
/// The older frame's type for data.
pub const OLD_DATA: u8 = 2;

/// Which frame a connection speaks, decided by its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Generation {
    /// `type u8 | length u32 BE | user type u8 | payload`.
    Old,
    /// `length u32 BE | user type u8 | payload`.
    New,
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The older frame's own type (0 close, 1 error, 2 data, 3 network look-up); [`OLD_DATA`] in a newer one.
    pub kind: u8,
    /// The message's type.
    pub user_type: u8,
    /// JSON.
    pub payload: Bytes,
}

/// Why bytes are no frame. The connection is of no more use: nobody knows where the next frame begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFrame {
    /// The first byte belongs to neither frame.
    #[error("no frame begins with byte {0}")]
    Unknown(u8),
    /// Longer than the bound.
    #[error("a frame of {bytes} bytes, {max} at most")]
    TooLong {
        /// The length it claims.
        bytes: u32,
        /// The bound.
        max: u32,
    },
    /// A newer frame without room for its user type.
    #[error("a frame of no bytes")]
    Empty,
}

/// Takes frames from a stream. Once the first one has told the generation, the others must be of it.
#[derive(Debug)]
pub struct Decoder {
    payload_bytes_max: u32,
    generation: Option<Generation>,
}

impl Decoder {
    /// A decoder for payloads of `payload_bytes_max` at most. Nothing is kept for a frame that is longer.
    pub const fn new(payload_bytes_max: u32) -> Self {
        Self {
            payload_bytes_max,
            generation: None,
        }
    }

    /// The generation, once the first byte is there.
    pub const fn generation(&self) -> Option<Generation> {
        self.generation
    }

    /// Takes the next whole frame off the front of `buffer`, in which what arrives is gathered.
    ///
    /// # Errors
    /// [`InvalidFrame`], and again at each call after it.
    pub fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Frame>, InvalidFrame> {
        let Some(&first) = buffer.first() else {
            return Ok(None);
        };
        let generation = match (self.generation, first) {
            (None | Some(Generation::New), 0) => Generation::New,
            (None, 1..=3) | (Some(Generation::Old), 0..=3) => Generation::Old,
            _ => return Err(InvalidFrame::Unknown(first)),
        };
        self.generation = Some(generation);
        let (header_bytes, length_at) = match generation {
            Generation::Old => (6, 1),
            Generation::New => (5, 0),
        };
        let Some(header) = buffer.get(..header_bytes) else {
            return Ok(None);
        };
        let mut length = header.get(length_at..).unwrap_or_default();
        let length = length.get_u32();
        let user_type = header.last().copied().unwrap_or_default();
        let bytes = match generation {
            Generation::Old => length,
            Generation::New => length.checked_sub(1).ok_or(InvalidFrame::Empty)?,
        };
        if bytes > self.payload_bytes_max {
            return Err(InvalidFrame::TooLong {
                bytes,
                max: self.payload_bytes_max,
            });
        }
        let bytes = bytes as usize;
        if buffer.len() < header_bytes + bytes {
            return Ok(None);
        }
        buffer.advance(header_bytes);
        Ok(Some(Frame {
            kind: match generation {
                Generation::Old => first,
                Generation::New => OLD_DATA,
            },
            user_type,
            payload: buffer.split_to(bytes).freeze(),
        }))
    }
}

impl Frame {
    /// A message.
    pub fn data(user_type: u8, payload: impl Into<Bytes>) -> Self {
        Self {
            kind: OLD_DATA,
            user_type,
            payload: payload.into(),
        }
    }

    /// Writes the frame. A payload past 4 GiB, which nothing here makes, is cut.
    pub fn encode(&self, generation: Generation) -> Bytes {
        let payload_bytes = u32::try_from(self.payload.len()).unwrap_or(u32::MAX - 1);
        let mut out = BytesMut::with_capacity(self.payload.len() + 6);
        match generation {
            Generation::Old => {
                out.put_u8(self.kind);
                out.put_u32(payload_bytes);
            }
            Generation::New => out.put_u32(payload_bytes.saturating_add(1)),
        }
        out.put_u8(self.user_type);
        out.put_slice(
            self.payload
                .get(..payload_bytes as usize)
                .unwrap_or(&self.payload),
        );
        out.freeze()
    }
}

/// The bytes of a chunk as its messages carry them: base64 with a line feed after every 60 characters and at the end.
pub fn encode_data(bytes: &[u8]) -> String {
    let plain = BASE64.encode(bytes);
    let mut out = String::with_capacity(plain.len() + plain.len() / LINE_CHARS + 1);
    let mut rest = plain.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(LINE_CHARS));
        out.push_str(line);
        out.push('\n');
        rest = after;
    }
    out
}

/// Reads what [`encode_data`] writes, with or without its line feeds.
pub fn decode_data(text: &str) -> Option<Vec<u8>> {
    let is_letter = |byte: &u8| !matches!(byte, b'\r' | b'\n');
    let letters: Vec<u8> = text.bytes().filter(is_letter).collect();
    BASE64.decode(&letters).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MAX: u32 = 2_000_000;

    fn frames(decoder: &mut Decoder, buffer: &mut BytesMut) -> Vec<Frame> {
        std::iter::from_fn(|| decoder.decode(buffer).unwrap()).collect()
    }

    fn refused(bytes: &[u8]) -> InvalidFrame {
        let mut buffer = BytesMut::from(bytes);
        let mut decoder = Decoder::new(10);
        let fault = decoder.decode(&mut buffer).unwrap_err();
        assert_eq!(decoder.decode(&mut buffer), Err(fault));
        fault
    }

    #[test]
    fn published_frames_of_both_generations_are_read() {
        let mut old = Decoder::new(MAX);
        let mut buffer = BytesMut::from(&b"\x02\x00\x00\x00\x07acoucou\x00"[..]);
        let read = frames(&mut old, &mut buffer);
        assert_eq!(read, [Frame::data(b'a', &b"coucou\0"[..])]);
        assert_eq!(old.generation(), Some(Generation::Old));
        let answer = b"\x00\x00\x00/\x05{\"mid\":\"0964d8f4-12da-43bc-ba27-311bdbf4da8a\"}";
        let mut buffer = BytesMut::from(&answer[..]);
        let read = frames(&mut Decoder::new(MAX), &mut buffer);
        assert_eq!(read[0].user_type, 5);
        assert_eq!(read[0].encode(Generation::New), &answer[..]);
    }

    #[test]
    fn a_frame_over_the_bound_is_refused_before_it_is_kept() {
        let too_long = InvalidFrame::TooLong {
            bytes: 254,
            max: 10,
        };
        assert_eq!(refused(b"\x00\x00\x00\xff\x05"), too_long);
        assert_eq!(refused(b"\x00\x00\x00\x00\x05"), InvalidFrame::Empty);
        assert_eq!(refused(b"GET /"), InvalidFrame::Unknown(b'G'));
    }

    #[test]
    fn a_connection_stays_with_its_generation() {
        let mut decoder = Decoder::new(MAX);
        let mut buffer = BytesMut::new();
        buffer.extend_from_slice(&Frame::data(1, &b"{}"[..]).encode(Generation::New));
        buffer.extend_from_slice(&Frame::data(1, &b"{}"[..]).encode(Generation::Old));
        decoder.decode(&mut buffer).unwrap().unwrap();
        let other = decoder.decode(&mut buffer);
        assert_eq!(other, Err(InvalidFrame::Unknown(OLD_DATA)));
    }

    #[test]
    fn data_has_a_line_feed_after_every_sixty_characters_and_at_the_end() {
        assert_eq!(
            encode_data(b"hello filestoraged"),
            "aGVsbG8gZmlsZXN0b3JhZ2Vk\n"
        );
        let lines = encode_data(&[7; 100]);
        assert_eq!(
            lines.lines().map(str::len).collect::<Vec<_>>(),
            [60, 60, 16]
        );
        assert_eq!(encode_data(b""), "");
        assert_eq!(
            decode_data("aGVsbG8gZm\r\nlsZXN0b3JhZ2Vk"),
            Some(b"hello filestoraged".to_vec())
        );
        assert_eq!(decode_data("a"), None);
    }

    proptest! {
        #[test]
        fn frames_are_read_however_they_arrive(
            sent in proptest::collection::vec((any::<u8>(), proptest::collection::vec(any::<u8>(), 0..300)), 1..8),
            is_old in any::<bool>(),
            piece in 1_usize..50,
        ) {
            let generation = if is_old { Generation::Old } else { Generation::New };
            let sent: Vec<Frame> = sent.into_iter().map(|(user_type, payload)| Frame::data(user_type, payload)).collect();
            let bytes: Vec<u8> = sent.iter().flat_map(|frame| frame.encode(generation)).collect();
            let mut decoder = Decoder::new(MAX);
            let mut buffer = BytesMut::new();
            let mut read = Vec::new();
            for piece in bytes.chunks(piece) {
                buffer.extend_from_slice(piece);
                read.extend(frames(&mut decoder, &mut buffer));
            }
            prop_assert_eq!(read, sent);
        }

        #[test]
        fn any_bytes_end_in_frames_or_a_refusal(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut decoder = Decoder::new(64);
            let mut buffer = BytesMut::from(&bytes[..]);
            while let Ok(Some(frame)) = decoder.decode(&mut buffer) {
                prop_assert!(frame.payload.len() <= 64);
            }
        }

        #[test]
        fn data_is_read_again(bytes in proptest::collection::vec(any::<u8>(), 0..1200)) {
            prop_assert_eq!(decode_data(&encode_data(&bytes)), Some(bytes));
        }
    }
}
