//! The journal over UDP: its keys, and the addresses whose old diaries go to a room.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use data_encoding::HEXLOWER_PERMISSIVE;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::ToSchema;

use crate::RoomId;

/// Names a key on the wire: 8 random bytes, written as 16 hexadecimal digits. It is no secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
#[schema(value_type = String, pattern = "^[0-9a-fA-F]{16}$")]
pub struct JournalKeyId([u8; 8]);

/// A text that is not 16 hexadecimal digits, or bytes that are not 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a journal key: expected 16 hexadecimal digits")]
pub struct InvalidJournalKeyId;

/// How whoever holds a key writes with it. A key is for one way alone: what one way shows to the network must not open
/// another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JournalKeyKind {
    /// Lines that begin with a token: any `nc -u`. Token and text cross the network readable.
    Token,
    /// Lines with an HMAC: `openssl` and `nc`. The text crosses the network readable.
    Signed,
    /// Sealed datagrams, sent again until they are acknowledged: `wharf diary --udp`.
    Sealed,
}

/// A key of the journal over UDP. It appends entries to one room in the name of who made it, and does nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JournalKey {
    /// Its id.
    pub id: JournalKeyId,
    /// How it is used.
    pub kind: JournalKeyKind,
    /// What its owner calls it.
    pub name: String,
    /// The room that it writes to.
    pub room: RoomId,
    /// When it was made, in milliseconds since the epoch.
    pub created_ms: i64,
    /// How many entries it has written.
    pub entries_count: u64,
    /// When it wrote the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_ms: Option<i64>,
    /// The token, the HMAC's key, or 64 hexadecimal digits that seal. Only in the answer that makes the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// The UDP port of the server that takes it. Only in the answer that makes the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
}

/// The keys of an account.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct JournalKeys {
    /// The keys, oldest first.
    pub items: Vec<JournalKey>,
    /// The UDP port of the server that takes them; absent where its operator has not switched the journal on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
}

/// Makes a key that writes to a room.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateJournalKey {
    /// How it will be used.
    pub kind: JournalKeyKind,
    /// 1 to 100 bytes.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
}

/// What a diary's client is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DiaryShow {
    /// What came through the diary's gateway.
    #[default]
    Diary,
    /// Every text of the room.
    All,
}

/// Has the entries of old diary clients at the caller's own address written to a room.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimDiary {
    /// What these clients are shown: whoever uses the address sees it, without a password.
    #[serde(default)]
    pub show: DiaryShow,
    /// The address; the caller's own without. Another than the caller's own takes an operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub address: Option<IpAddr>,
}

/// An address whose diary goes to a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DiaryAddress {
    /// The address.
    #[schema(value_type = String)]
    pub address: IpAddr,
    /// The room.
    pub room: RoomId,
    /// What its clients are shown.
    pub show: DiaryShow,
    /// When it was claimed, in milliseconds since the epoch.
    pub claimed_ms: i64,
    /// When the claim ends unless it is made again.
    pub expires_ms: i64,
}

/// The addresses that an account has claimed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DiaryAddresses {
    /// The addresses, in their order.
    pub items: Vec<DiaryAddress>,
}

impl JournalKeyId {
    /// Takes the 8 bytes as they are stored.
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// Takes a stored value, which must be 8 bytes long.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, InvalidJournalKeyId> {
        bytes.try_into().map(Self).map_err(|_| InvalidJournalKeyId)
    }

    /// The 8 bytes as they are stored.
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl fmt::Display for JournalKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER_PERMISSIVE.encode(&self.0))
    }
}

impl fmt::Debug for JournalKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JournalKeyId({self})")
    }
}

impl FromStr for JournalKeyId {
    type Err = InvalidJournalKeyId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; 8];
        if text.len() != 16 {
            return Err(InvalidJournalKeyId);
        }
        HEXLOWER_PERMISSIVE
            .decode_mut(text.as_bytes(), &mut bytes)
            .map_err(|_| InvalidJournalKeyId)?;
        Ok(Self(bytes))
    }
}

impl Serialize for JournalKeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for JournalKeyId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::JournalKeyId;

    #[test]
    fn a_key_is_shown_as_it_is_read() {
        let id: JournalKeyId = "00ff12AB34cd56ef".parse().unwrap();
        assert_eq!(id.to_string(), "00ff12ab34cd56ef");
        assert_eq!(
            serde_json::from_str::<JournalKeyId>("\"00ff12ab34cd56ef\"").unwrap(),
            id
        );
        for not_one in [
            "",
            "00ff12ab34cd56e",
            "00ff12ab34cd56eff",
            "zzff12ab34cd56ef",
        ] {
            assert!(not_one.parse::<JournalKeyId>().is_err(), "{not_one}");
        }
    }
}
