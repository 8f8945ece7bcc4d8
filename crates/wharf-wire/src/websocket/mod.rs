//! The server's side of WebSocket frames (RFC 6455), without I/O.
//!
//! [`Decoder`] takes bytes as they arrive and gives whole messages; while it waits for nothing it holds no memory.
//! [`Packer`] makes frames ahead of time: what a server sends is not masked, so one buffer serves any number of
//! receivers. There are no extensions: a frame with a reserved bit is refused.

use bytes::Bytes;

/// Most bytes that a header of a server's frame takes.
const HEADER_BYTES_MAX: usize = 10;
/// Most bytes of payload in a control frame (RFC 6455, 5.5).
const CONTROL_BYTES_MAX: usize = 125;

const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xA;
const FINAL: u8 = 0x80;
const RESERVED: u8 = 0x70;
const MASKED: u8 = 0x80;

/// Why a connection is closed, as its last frame says it (RFC 6455, 7.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum CloseCode {
    /// It served its purpose.
    Normal = 1000,
    /// The server goes away.
    GoingAway = 1001,
    /// A frame broke the protocol.
    Protocol = 1002,
    /// A message of a kind that is not taken: a binary one.
    Unsupported = 1003,
    /// A text was not UTF-8.
    NotText = 1007,
    /// What was asked is not allowed.
    Policy = 1008,
    /// A message was too large.
    TooLarge = 1009,
    /// The server met a fault.
    Fault = 1011,
}

/// What a client sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A text message, whole.
    Text(String),
    /// A ping; it is to be answered with a pong of the same payload.
    Ping(Vec<u8>),
    /// A pong.
    Pong,
    /// The client closes, and sends nothing more.
    Close,
}

/// What was wrong with what a client sent. Nothing after it can be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A reserved bit or kind, or a length that is not in its shortest form.
    #[error("a frame is malformed")]
    Malformed,
    /// Clients mask what they send.
    #[error("a frame is not masked")]
    NotMasked,
    /// A control frame in pieces or with over 125 bytes.
    #[error("a control frame is malformed")]
    Control,
    /// A continuation of nothing, or a message inside of another.
    #[error("a frame is out of its turn")]
    OutOfTurn,
    /// A binary message.
    #[error("only text messages are taken")]
    Binary,
    /// A text that is not UTF-8.
    #[error("a text is not UTF-8")]
    NotText,
    /// Over the bound.
    #[error("a message is too large")]
    TooLarge,
}

impl DecodeError {
    /// What to close the connection with.
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::Malformed | Self::NotMasked | Self::Control | Self::OutOfTurn => {
                CloseCode::Protocol
            }
            Self::Binary => CloseCode::Unsupported,
            Self::NotText => CloseCode::NotText,
            Self::TooLarge => CloseCode::TooLarge,
        }
    }
}

/// Makes messages of what a client sends.
#[derive(Debug)]
pub struct Decoder {
    /// What has arrived and was not decoded yet; it begins with a frame's header.
    arrived: Vec<u8>,
    /// The payload of the message whose last frame has not arrived.
    message: Option<Vec<u8>>,
    message_bytes_max: usize,
}

/// A frame's header, as it stands at the beginning of the bytes that have arrived.
struct Header {
    first: u8,
    mask: [u8; 4],
    own_bytes: usize,
    payload_bytes: usize,
}

impl Decoder {
    /// Takes messages of `message_bytes_max` bytes at most.
    pub const fn new(message_bytes_max: usize) -> Self {
        Self {
            arrived: Vec::new(),
            message: None,
            message_bytes_max,
        }
    }

    /// Takes what has arrived. Call [`Decoder::next_message`] until it has nothing more before more is given.
    pub fn push(&mut self, bytes: &[u8]) {
        self.arrived.extend_from_slice(bytes);
    }

    /// Whether part of a message has arrived and its end has not.
    pub fn is_amid(&self) -> bool {
        !self.arrived.is_empty() || self.message.is_some()
    }

    /// The next message that has arrived whole.
    ///
    /// # Errors
    /// [`DecodeError`]. The connection is to be closed; what is asked of the decoder afterwards makes no sense.
    pub fn next_message(&mut self) -> Result<Option<Message>, DecodeError> {
        loop {
            let Some(header) = self.header()? else {
                return Ok(None);
            };
            let Some(payload) = self.take(&header) else {
                return Ok(None);
            };
            if let Some(message) = self.apply(header.first, payload)? {
                return Ok(Some(message));
            }
        }
    }

    /// Reads the header of the first frame, if it is there, and checks what can be checked before the payload is.
    fn header(&self) -> Result<Option<Header>, DecodeError> {
        let [first, second, rest @ ..] = self.arrived.as_slice() else {
            return Ok(None);
        };
        if first & RESERVED != 0 {
            return Err(DecodeError::Malformed);
        }
        if second & MASKED == 0 {
            return Err(DecodeError::NotMasked);
        }
        let short = second & !MASKED;
        let is_control = first & 0x08 != 0;
        if is_control && (first & FINAL == 0 || usize::from(short) > CONTROL_BYTES_MAX) {
            return Err(DecodeError::Control);
        }
        let (payload_bytes, rest) = match short {
            126 => {
                let Some((length, rest)) = rest.split_first_chunk::<2>() else {
                    return Ok(None);
                };
                (u64::from(u16::from_be_bytes(*length)), rest)
            }
            127 => {
                let Some((length, rest)) = rest.split_first_chunk::<8>() else {
                    return Ok(None);
                };
                (u64::from_be_bytes(*length), rest)
            }
            short => (u64::from(short), rest),
        };
        let is_shortest = match short {
            126 => payload_bytes > 125,
            127 => payload_bytes > u64::from(u16::MAX),
            _ => true,
        };
        if !is_shortest {
            return Err(DecodeError::Malformed);
        }
        let before = self.message.as_ref().map_or(0, Vec::len);
        let payload_bytes = usize::try_from(payload_bytes)
            .ok()
            .filter(|bytes| *bytes <= self.message_bytes_max.saturating_sub(before))
            .or(is_control.then_some(usize::from(short)))
            .ok_or(DecodeError::TooLarge)?;
        let Some(mask) = rest.first_chunk::<4>() else {
            return Ok(None);
        };
        Ok(Some(Header {
            first: *first,
            mask: *mask,
            own_bytes: self.arrived.len() - rest.len() + mask.len(),
            payload_bytes,
        }))
    }

    /// Takes the first frame's payload off what has arrived and unmasks it, if it is there.
    fn take(&mut self, header: &Header) -> Option<Vec<u8>> {
        let end = header.own_bytes + header.payload_bytes;
        let mut payload = self.arrived.get(header.own_bytes..end)?.to_vec();
        for (byte, mask) in payload.iter_mut().zip(header.mask.iter().cycle()) {
            *byte ^= mask;
        }
        if end == self.arrived.len() {
            self.arrived = Vec::new();
        } else {
            drop(self.arrived.drain(..end));
        }
        Some(payload)
    }

    fn apply(&mut self, first: u8, payload: Vec<u8>) -> Result<Option<Message>, DecodeError> {
        let is_final = first & FINAL != 0;
        let payload = match first & 0x0F {
            PING => return Ok(Some(Message::Ping(payload))),
            PONG => return Ok(Some(Message::Pong)),
            CLOSE => return Ok(Some(Message::Close)),
            BINARY => return Err(DecodeError::Binary),
            TEXT if self.message.is_none() => payload,
            CONTINUATION => {
                let mut message = self.message.take().ok_or(DecodeError::OutOfTurn)?;
                message.extend_from_slice(&payload);
                message
            }
            TEXT => return Err(DecodeError::OutOfTurn),
            _ => return Err(DecodeError::Malformed),
        };
        if !is_final {
            self.message = Some(payload);
            return Ok(None);
        }
        String::from_utf8(payload)
            .map(|text| Some(Message::Text(text)))
            .map_err(|_| DecodeError::NotText)
    }
}

/// Makes the bytes of any number of frames, one after the other.
#[derive(Debug, Default)]
pub struct Packer {
    bytes: Vec<u8>,
}

impl Packer {
    /// Adds a text message, whose payload `write` appends to the buffer it is given.
    ///
    /// # Errors
    /// That of `write`; nothing is added then.
    pub fn text<E>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        let start = self.bytes.len();
        self.bytes.resize(start + HEADER_BYTES_MAX, 0);
        if let Err(error) = write(&mut self.bytes) {
            self.bytes.truncate(start);
            return Err(error);
        }
        let payload_bytes = self.bytes.len() - start - HEADER_BYTES_MAX;
        let (header, header_bytes) = header(FINAL | TEXT, payload_bytes);
        let spare = HEADER_BYTES_MAX - header_bytes;
        self.bytes.splice(
            start..start + HEADER_BYTES_MAX,
            header.into_iter().take(header_bytes),
        );
        debug_assert_eq!(
            self.bytes.len(),
            start + HEADER_BYTES_MAX - spare + payload_bytes
        );
        Ok(())
    }

    /// Adds a ping without a payload.
    pub fn ping(&mut self) {
        self.bytes.extend_from_slice(&[FINAL | PING, 0]);
    }

    /// Adds the pong to a ping; of a payload over 125 bytes, which no ping has, only the beginning.
    pub fn pong(&mut self, payload: &[u8]) {
        self.control(PONG, payload);
    }

    /// Adds the last frame of a connection.
    pub fn close(&mut self, code: CloseCode) {
        self.control(CLOSE, &(code as u16).to_be_bytes());
    }

    fn control(&mut self, kind: u8, payload: &[u8]) {
        let payload = payload.get(..CONTROL_BYTES_MAX).unwrap_or(payload);
        let (header, header_bytes) = header(FINAL | kind, payload.len());
        self.bytes.extend(
            header
                .into_iter()
                .take(header_bytes)
                .chain(payload.iter().copied()),
        );
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// How many bytes the frames take so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The frames.
    pub fn finish(self) -> Bytes {
        self.bytes.into()
    }
}

/// The header of an unmasked frame, and how many of its bytes count.
fn header(first: u8, payload_bytes: usize) -> ([u8; HEADER_BYTES_MAX], usize) {
    let mut header = [0; HEADER_BYTES_MAX];
    let length = payload_bytes as u64;
    let [.., high, low] = length.to_be_bytes();
    let [_, _, rest @ ..] = &mut header;
    let (second, bytes) = if payload_bytes <= CONTROL_BYTES_MAX {
        (low, 2)
    } else if u16::try_from(payload_bytes).is_ok() {
        rest.iter_mut()
            .zip([high, low])
            .for_each(|(to, from)| *to = from);
        (126, 4)
    } else {
        *rest = length.to_be_bytes();
        (127, 10)
    };
    let [header_first, header_second, ..] = &mut header;
    (*header_first, *header_second) = (first, second);
    (header, bytes)
}

#[cfg(test)]
mod tests;
