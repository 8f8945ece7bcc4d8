//! Values on their way into a statement, and the types that rest in a column as bytes.

use wharf_types::{
    AccountId, ChunkHash, CommitId, ContactGroupId, ContentHash, DeviceId, EntryHash, HookId,
    ImportId, NodeId, PartialId, RoomId, SegmentId, SessionId,
};

/// An argument of a statement. A NULL keeps its type, which PostgreSQL asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// An integer.
    Int(i64),
    /// A number that is never negative. One above `i64::MAX` is refused when it is bound.
    Uint(u64),
    /// A text, without NUL characters.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// An id, by value.
    Id([u8; 16]),
    /// No integer.
    NullInt,
    /// No text.
    NullText,
    /// No bytes.
    NullBytes,
}

/// A type that rests in a `{bytes}` column: ids and hashes.
pub trait Stored: Sized {
    /// Takes the stored bytes, or nothing if their length is wrong.
    fn from_stored(bytes: &[u8]) -> Option<Self>;
}

macro_rules! from_int {
    ($($int:ty),*) => {$(
        impl From<$int> for Value<'_> {
            fn from(value: $int) -> Self {
                Self::Int(i64::from(value))
            }
        }

        impl From<Option<$int>> for Value<'_> {
            fn from(value: Option<$int>) -> Self {
                value.map_or(Self::NullInt, Self::from)
            }
        }
    )*};
}

from_int!(i64, i32, u32, u8, bool);

impl From<u64> for Value<'_> {
    fn from(value: u64) -> Self {
        Self::Uint(value)
    }
}

impl From<Option<u64>> for Value<'_> {
    fn from(value: Option<u64>) -> Self {
        value.map_or(Self::NullInt, Self::Uint)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(value: Option<&'a str>) -> Self {
        value.map_or(Self::NullText, Self::Text)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(value)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Value<'a> {
    fn from(value: &'a [u8; N]) -> Self {
        Self::Bytes(value)
    }
}

impl<'a> From<&'a Vec<u8>> for Value<'a> {
    fn from(value: &'a Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

impl<'a> From<Option<&'a [u8]>> for Value<'a> {
    fn from(value: Option<&'a [u8]>) -> Self {
        value.map_or(Self::NullBytes, Self::Bytes)
    }
}

macro_rules! ids {
    ($($id:ty),*) => {$(
        impl From<$id> for Value<'_> {
            fn from(id: $id) -> Self {
                Self::Id(*id.as_bytes())
            }
        }

        impl From<&$id> for Value<'_> {
            fn from(id: &$id) -> Self {
                Self::Id(*id.as_bytes())
            }
        }

        impl From<Option<$id>> for Value<'_> {
            fn from(id: Option<$id>) -> Self {
                id.map_or(Self::NullBytes, Self::from)
            }
        }

        impl Stored for $id {
            fn from_stored(bytes: &[u8]) -> Option<Self> {
                Self::from_slice(bytes).ok()
            }
        }
    )*};
}

ids!(
    AccountId,
    CommitId,
    ContactGroupId,
    DeviceId,
    HookId,
    ImportId,
    PartialId,
    NodeId,
    RoomId,
    SegmentId,
    SessionId
);

macro_rules! hashes {
    ($($hash:ty),*) => {$(
        impl<'a> From<&'a $hash> for Value<'a> {
            fn from(hash: &'a $hash) -> Self {
                Self::Bytes(hash.as_bytes())
            }
        }

        impl<'a> From<Option<&'a $hash>> for Value<'a> {
            fn from(hash: Option<&'a $hash>) -> Self {
                hash.map_or(Self::NullBytes, Self::from)
            }
        }

        impl Stored for $hash {
            fn from_stored(bytes: &[u8]) -> Option<Self> {
                Self::from_slice(bytes).ok()
            }
        }
    )*};
}

hashes!(ChunkHash, ContentHash, EntryHash);

impl<const N: usize> Stored for [u8; N] {
    fn from_stored(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok()
    }
}
