//! Between the house's words and the protocol's.

use bytes::Bytes;
use wharf_core::Error;
use wharf_types::{ErrorCode, NodeId};
use wharf_wire::gateway::netdisk::{Map, Request, Value, encode_answer};

/// Something failed that may succeed at the next attempt: clients send uploads and downloads again at once, for ever.
pub(super) const FAILED: i64 = 1;
/// The session is none.
pub(super) const NO_SESSION: i64 = 2;
/// No directory was chosen.
pub(super) const NOT_BOUND: i64 = 3;
/// The content is to be sent.
pub(super) const NEED_UPLOAD: i64 = 4;
/// Something failed that will fail again: clients take no notice, and leave the request.
pub(super) const REFUSED: i64 = 5;

/// Bytes of a client's chunk.
pub(super) const CHUNK_BYTES: u64 = 4 * 1024 * 1024;

/// The greatest integer up to which every client's numbers are exact.
const NODE_NUMBER_MAX: u64 = (1 << 53) - 1;

/// An answer's fields, when all went well.
pub(super) type Answer = Result<Map<String, Value>, Refusal>;

/// Why a request is not done.
#[derive(Debug)]
pub(super) enum Refusal {
    /// A field is missing, or of another type.
    Field(&'static str),
    /// An error number and a text.
    Number(i64, String),
}

impl Refusal {
    pub(super) fn new(number: i64, text: impl Into<String>) -> Self {
        Self::Number(number, text.into())
    }

    pub(super) fn no_session() -> Self {
        Self::new(NO_SESSION, "session has been destroyed, user need to login")
    }

    pub(super) fn not_bound() -> Self {
        Self::new(NOT_BOUND, "user not bind server dir")
    }

    /// What a client of an account's or folder's operation is told: there, error 1 is not sent again.
    pub(super) fn failed(error: &Error) -> Self {
        log(error);
        match error.code() {
            ErrorCode::Unauthenticated => Self::no_session(),
            ErrorCode::Invalid
            | ErrorCode::Denied
            | ErrorCode::NotFound
            | ErrorCode::Exists
            | ErrorCode::NotEmpty
            | ErrorCode::Locked
            | ErrorCode::Stale
            | ErrorCode::TooLarge
            | ErrorCode::OverQuota
            | ErrorCode::Limited
            | ErrorCode::Unsupported
            | ErrorCode::Unavailable
            | ErrorCode::Corrupt
            | ErrorCode::Cancelled
            | ErrorCode::Internal => Self::new(FAILED, error.text()),
        }
    }

    /// What a client of a transfer is told.
    pub(super) fn transfer(error: &Error) -> Self {
        log(error);
        let number = match error.code() {
            ErrorCode::Unauthenticated => return Self::no_session(),
            ErrorCode::OverQuota => {
                return Self::new(REFUSED, "server create file failed for short of space");
            }
            // The next attempt may find it otherwise.
            ErrorCode::Locked
            | ErrorCode::Stale
            | ErrorCode::Unavailable
            | ErrorCode::Cancelled => FAILED,
            ErrorCode::Invalid
            | ErrorCode::Denied
            | ErrorCode::NotFound
            | ErrorCode::Exists
            | ErrorCode::NotEmpty
            | ErrorCode::TooLarge
            | ErrorCode::Limited
            | ErrorCode::Unsupported
            | ErrorCode::Corrupt
            | ErrorCode::Internal => REFUSED,
        };
        Self::new(number, error.text())
    }
}

fn log(error: &Error) {
    if error.is_fault() {
        tracing::error!(gateway = "netdisk", error = ?error, "request failed");
    }
}

/// The fields of an answer that only says what was done.
pub(super) fn done(text: &str) -> Map<String, Value> {
    Map::from_iter([("msg".to_owned(), Value::from(text))])
}

/// The bytes of an answer: an error number, and what the protocol sends back of the request. None where the protocol has
/// no answer, but the end of the connection.
pub(super) fn encode(request: &Request, answer: Answer) -> Option<Bytes> {
    let mut fields = match answer {
        Ok(fields) => fields,
        Err(Refusal::Number(number, text)) => {
            let mut fields = done(&text);
            fields.insert("error".to_owned(), number.into());
            fields
        }
        Err(Refusal::Field(key)) => {
            if request.generation == wharf_wire::gateway::netdisk::Generation::Line {
                return None;
            }
            let mut fields = done(&format!("{key} is missing or of another type"));
            fields.insert("error".to_owned(), FAILED.into());
            fields
        }
    };
    fields.entry("error").or_insert_with(|| 0.into());
    let echoes: &[&str] = match request.kind.as_str() {
        "setbind" => &["bindid"],
        "deleteFile" => &["queueid", "filename", "path"],
        "createDir" | "deleteDir" => &["queueid", "prefix", "dirname"],
        _ => &["queueid"],
    };
    for key in echoes {
        if let Some(value) = request.fields.get(*key) {
            fields.entry(*key).or_insert_with(|| value.clone());
        }
    }
    Some(encode_answer(request.generation, &request.kind, fields))
}

/// A text of a request.
pub(super) fn text<'a>(request: &'a Request, key: &'static str) -> Result<&'a str, Refusal> {
    let found = request.fields.get(key).and_then(Value::as_str);
    found.ok_or(Refusal::Field(key))
}

/// A number of a request; one that is no size, offset or id of ours is as good as none of ours.
pub(super) fn number(request: &Request, key: &'static str) -> Result<u64, Refusal> {
    let found = request.fields.get(key).ok_or(Refusal::Field(key))?;
    match (found.as_u64(), found.as_i64()) {
        (Some(number), _) => Ok(number),
        (None, Some(_)) => Ok(u64::MAX),
        (None, None) => Err(Refusal::Field(key)),
    }
}

/// A number that a request may have.
pub(super) fn optional_number(
    request: &Request,
    key: &'static str,
) -> Result<Option<u64>, Refusal> {
    let is_there = request.fields.contains_key(key);
    is_there.then(|| number(request, key)).transpose()
}

/// An MD5 of a request.
pub(super) fn md5(request: &Request) -> Result<[u8; 16], Refusal> {
    let text = text(request, "md5")?.to_ascii_lowercase();
    let bytes = data_encoding::HEXLOWER.decode(text.as_bytes()).ok();
    let md5 = bytes.and_then(|bytes| bytes.try_into().ok());
    md5.ok_or_else(|| Refusal::new(REFUSED, "md5 has 32 hexadecimal digits"))
}

/// A node's number in answers: the random part of its id, as far as every client's integers go.
pub(super) fn node_number(id: NodeId) -> u64 {
    let end = id.as_bytes().last_chunk::<8>().copied();
    u64::from_be_bytes(end.unwrap_or_default()) & NODE_NUMBER_MAX
}

/// Nanoseconds of a time of modification in seconds.
pub(super) fn mtime_ns(seconds: i64) -> i64 {
    seconds.saturating_mul(1_000_000_000)
}

/// Seconds of a time of modification, as 32 bits have them.
pub(super) fn mtime_seconds(nanoseconds: Option<i64>) -> i64 {
    let seconds = nanoseconds.unwrap_or(0).div_euclid(1_000_000_000);
    seconds.clamp(0, i64::from(i32::MAX))
}

/// A directory as clients write it: `//` is the root, `/sub/` a folder in it. `relative` is without slashes at its ends.
pub(super) fn directory_text(relative: &str) -> String {
    if relative.is_empty() {
        "//".to_owned()
    } else {
        format!("/{relative}/")
    }
}

#[cfg(test)]
mod tests {
    use wharf_types::NodeId;

    use super::{directory_text, mtime_ns, mtime_seconds, node_number};

    #[test]
    fn what_clients_see_of_a_drive_fits_their_types() {
        assert_eq!(node_number(NodeId::from_bytes([255; 16])), (1 << 53) - 1);
        assert_eq!(mtime_seconds(Some(mtime_ns(1_795_195_963))), 1_795_195_963);
        assert_eq!(mtime_seconds(Some(-5)), 0);
        assert_eq!(mtime_seconds(Some(i64::MAX)), i64::from(i32::MAX));
        assert_eq!(mtime_ns(i64::MAX), i64::MAX);
        assert_eq!(directory_text(""), "//");
        assert_eq!(directory_text("a/b"), "/a/b/");
    }
}
