//! Sealed datagrams: an entry in 1 to 64 parts, and the acknowledgement with the parts that are missing.
//!
//! A part: magic 4, type 1, padding 1, index 1, count 1, key 8, entry 16, client's time 8, then the text's piece and its
//! padding under AES-256-GCM, whose tag of 16 bytes ends it. Everything before the piece is authenticated with it. Numbers
//! are big-endian. Each entry has a key of its own, derived from the key's secret, the entry's id, its time and its count of
//! parts, so the part's index is a nonce that is never used for two contents.
//!
//! An acknowledgement: magic 4, type 1, status 1, entry 16, position 8, time 8, missing parts 8, and 16 bytes of keyed BLAKE3
//! over all of it. It holds nothing that is secret, and is never longer than the shortest part.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use subtle::ConstantTimeEq;
use wharf_types::api::journal::JournalKeyId;

/// What every sealed datagram begins with: no text in UTF-8 has the first byte.
const MAGIC: [u8; 4] = [0xff, b'W', b'J', b'1'];
const TYPE_PART: u8 = 1;
const TYPE_ACK: u8 = 2;
const HEADER_BYTES: usize = 40;
const TAG_BYTES: usize = 16;
const ACK_HEAD_BYTES: usize = 46;

/// Longest datagram: fits the least MTU of IPv6 with its headers.
pub const DATAGRAM_BYTES_MAX: usize = 1200;
/// Shortest part: what is shorter is padded, so that no acknowledgement is longer than what it answers.
pub const REQUEST_BYTES_MIN: usize = 64;
/// Bytes of text in a part.
pub const PART_BYTES_MAX: usize = DATAGRAM_BYTES_MAX - HEADER_BYTES - TAG_BYTES;
/// Most parts of an entry.
pub const PARTS_MAX: u8 = 64;
/// Length of an acknowledgement.
pub const ACK_BYTES: usize = ACK_HEAD_BYTES + TAG_BYTES;

/// A part's header as it came: nothing in it is proved before [`SealedKey::open`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Header {
    /// The key.
    pub key: JournalKeyId,
    /// The entry, named by its author at random.
    pub entry: [u8; 16],
    /// When it was written, by the author's clock, in milliseconds since the epoch.
    pub client_ms: i64,
    /// Which part this is, from 0.
    pub index: u8,
    /// How many there are, 1 to [`PARTS_MAX`].
    pub count: u8,
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AckStatus {
    /// It is durable.
    Saved,
    /// It had been saved before: position and time are those of the first time.
    Repeated,
    /// Parts of it are missing.
    Partial,
    /// It can never be saved: it is no text, is empty, or another text was saved under its id.
    Invalid,
    /// The key writes nothing any more.
    Closed,
    /// Too much in too short a time: the client's time field says how many milliseconds to wait.
    Slow,
    /// The server cannot write now.
    Later,
}

/// An acknowledgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack {
    /// The entry.
    pub entry: [u8; 16],
    /// What became of it.
    pub status: AckStatus,
    /// Its position in the room's log; 0 unless it is saved.
    pub position: u64,
    /// When it was recorded, in milliseconds since the epoch; for `Slow` how many milliseconds to wait.
    pub at_ms: i64,
    /// A bit for each part that has not come, the lowest one for the first.
    pub missing: u64,
}

/// The secret of a key: 32 random bytes, which its two ends know.
pub type SealedSecret = [u8; 32];

/// A key, ready to seal and open.
#[derive(Clone)]
pub struct SealedKey {
    id: JournalKeyId,
    to_server: [u8; 32],
    from_server: [u8; 32],
}

/// Reads the header of a part. Cheap: it looks at nothing else.
pub fn header(datagram: &[u8]) -> Option<Header> {
    if datagram.len() < REQUEST_BYTES_MIN || datagram.len() > DATAGRAM_BYTES_MAX {
        return None;
    }
    let (magic, rest) = datagram.split_first_chunk::<4>()?;
    let ([kind, _padding, index, count], rest) = rest.split_first_chunk::<4>()?;
    let (key, rest) = rest.split_first_chunk::<8>()?;
    let (entry, rest) = rest.split_first_chunk::<16>()?;
    let (client_ms, _) = rest.split_first_chunk::<8>()?;
    let is_part =
        *magic == MAGIC && *kind == TYPE_PART && (1..=PARTS_MAX).contains(count) && index < count;
    is_part.then(|| Header {
        key: JournalKeyId::from_bytes(*key),
        entry: *entry,
        client_ms: i64::from_be_bytes(*client_ms),
        index: *index,
        count: *count,
    })
}

/// In how many parts a text of so many bytes goes; `None` when it is too long, or empty.
pub fn part_count(text_bytes: usize) -> Option<u8> {
    let count = u8::try_from(text_bytes.div_ceil(PART_BYTES_MAX)).ok()?;
    (1..=PARTS_MAX).contains(&count).then_some(count)
}

impl SealedKey {
    /// Makes a key ready.
    pub fn new(id: JournalKeyId, secret: &SealedSecret) -> Self {
        Self {
            id,
            to_server: blake3::derive_key("wharf journal 1, to the server", secret),
            from_server: blake3::derive_key("wharf journal 1, from the server", secret),
        }
    }

    /// The datagram of one part of `text`; `None` when there is no such part.
    pub fn seal(&self, entry: [u8; 16], client_ms: i64, index: u8, text: &[u8]) -> Option<Vec<u8>> {
        let count = part_count(text.len())?;
        let piece = text.chunks(PART_BYTES_MAX).nth(usize::from(index))?;
        let header = Header {
            key: self.id,
            entry,
            client_ms,
            index,
            count,
        };
        let padding = (REQUEST_BYTES_MIN - HEADER_BYTES - TAG_BYTES).saturating_sub(piece.len());
        let mut datagram = Vec::with_capacity(HEADER_BYTES + piece.len() + padding + TAG_BYTES);
        datagram.extend_from_slice(&MAGIC);
        let padding_byte = u8::try_from(padding).ok()?;
        datagram.extend_from_slice(&[TYPE_PART, padding_byte, index, count]);
        datagram.extend_from_slice(self.id.as_bytes());
        datagram.extend_from_slice(&entry);
        datagram.extend_from_slice(&client_ms.to_be_bytes());
        let mut sealed = Vec::with_capacity(piece.len() + padding + TAG_BYTES);
        sealed.extend_from_slice(piece);
        sealed.resize(piece.len() + padding, 0);
        self.entry_key(&header)?
            .seal_in_place_append_tag(nonce(index), Aad::from(datagram.as_slice()), &mut sealed)
            .ok()?;
        datagram.extend_from_slice(&sealed);
        Some(datagram)
    }

    /// Opens a part in place and gives the piece of text that it carries; `None` when it is not sealed with this key.
    pub fn open<'a>(&self, header: &Header, datagram: &'a mut [u8]) -> Option<&'a [u8]> {
        let (head, sealed) = datagram.split_at_mut_checked(HEADER_BYTES)?;
        let padding = usize::from(*head.get(5)?);
        let key = self.entry_key(header)?;
        let opened = key
            .open_in_place(nonce(header.index), Aad::from(&*head), sealed)
            .ok()?;
        let bytes = opened.len().checked_sub(padding)?;
        opened.get(..bytes)
    }

    /// The datagram of an acknowledgement.
    pub fn acknowledge(&self, ack: &Ack) -> Vec<u8> {
        let mut datagram = Vec::with_capacity(ACK_BYTES);
        datagram.extend_from_slice(&MAGIC);
        datagram.extend_from_slice(&[TYPE_ACK, ack.status.code()]);
        datagram.extend_from_slice(&ack.entry);
        datagram.extend_from_slice(&ack.position.to_be_bytes());
        datagram.extend_from_slice(&ack.at_ms.to_be_bytes());
        datagram.extend_from_slice(&ack.missing.to_be_bytes());
        let tag = self.ack_tag(&datagram);
        datagram.extend_from_slice(&tag);
        datagram
    }

    /// Reads an acknowledgement; `None` when it is none of this key's.
    pub fn read_ack(&self, datagram: &[u8]) -> Option<Ack> {
        let (head, tag) = datagram.split_at_checked(ACK_HEAD_BYTES)?;
        if !bool::from(self.ack_tag(head).as_slice().ct_eq(tag)) {
            return None;
        }
        let (magic, rest) = head.split_first_chunk::<4>()?;
        let ([kind, status], rest) = rest.split_first_chunk::<2>()?;
        let (entry, rest) = rest.split_first_chunk::<16>()?;
        let (position, rest) = rest.split_first_chunk::<8>()?;
        let (at_ms, missing) = rest.split_first_chunk::<8>()?;
        if *magic != MAGIC || *kind != TYPE_ACK {
            return None;
        }
        Some(Ack {
            entry: *entry,
            status: AckStatus::of(*status)?,
            position: u64::from_be_bytes(*position),
            at_ms: i64::from_be_bytes(*at_ms),
            missing: u64::from_be_bytes(missing.try_into().ok()?),
        })
    }

    fn entry_key(&self, header: &Header) -> Option<LessSafeKey> {
        let mut hasher = blake3::Hasher::new_keyed(&self.to_server);
        hasher.update(&header.entry);
        hasher.update(&header.client_ms.to_be_bytes());
        hasher.update(&[header.count]);
        let key = UnboundKey::new(&AES_256_GCM, hasher.finalize().as_bytes()).ok()?;
        Some(LessSafeKey::new(key))
    }

    fn ack_tag(&self, head: &[u8]) -> [u8; TAG_BYTES] {
        let mut hasher = blake3::Hasher::new_keyed(&self.from_server);
        hasher.update(head);
        let mut tag = [0; TAG_BYTES];
        hasher.finalize_xof().fill(&mut tag);
        tag
    }
}

fn nonce(index: u8) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[0] = index;
    Nonce::assume_unique_for_key(bytes)
}

impl AckStatus {
    const ALL: [Self; 7] = [
        Self::Saved,
        Self::Repeated,
        Self::Partial,
        Self::Invalid,
        Self::Closed,
        Self::Slow,
        Self::Later,
    ];

    const fn code(self) -> u8 {
        match self {
            Self::Saved => 0,
            Self::Repeated => 1,
            Self::Partial => 2,
            Self::Invalid => 3,
            Self::Closed => 4,
            Self::Slow => 5,
            Self::Later => 6,
        }
    }

    fn of(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.code() == code)
    }
}

impl std::fmt::Debug for SealedKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SealedKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
