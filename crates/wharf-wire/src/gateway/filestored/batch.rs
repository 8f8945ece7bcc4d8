//! The messages of filestoraged's README (2019): one authentication names the files of a batch, and transfers bring their
//! bytes in order.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The user type of an authentication.
pub const AUTHENTICATION: u8 = 1;
/// The user type of an answer.
pub const RESPONSE: u8 = 2;
/// The user type of a transfer.
pub const TRANSFER: u8 = 3;

/// The id of a message, under whichever of the two names it came with; the answer has the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageId {
    /// The id.
    pub id: String,
    /// Whether its name is `mid`, and not `message-id` as in the README.
    pub is_mid: bool,
}

/// A file of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchFile {
    /// Its name.
    pub name: String,
    /// Bytes of its content.
    pub size: u64,
    /// Tags of this file alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// What a client asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchRequest {
    /// Who sends which files.
    Authentication {
        /// A JSON Web Token.
        token: String,
        /// The files, in the order in which their bytes come.
        files: Vec<BatchFile>,
        /// Names the batch, among those of one person.
        fid: String,
        /// Tags of all files.
        tags: Vec<String>,
    },
    /// Some bytes.
    Transfer {
        /// Names the piece; the message's id does where there is none.
        chunk: Option<String>,
        /// The bytes.
        data: Vec<u8>,
    },
}

/// A request with its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchAsked {
    /// The id.
    pub id: MessageId,
    /// The request.
    pub request: BatchRequest,
}

/// How much of a file there is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// Its name.
    pub name: String,
    /// Bytes of its content.
    pub size: u64,
    /// Bytes that have come.
    pub received: u64,
}

/// What a server answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchAnswer {
    /// It was done.
    Ok {
        /// After an authentication: how much there is of each file. Old readers pass over it.
        received: Option<Vec<Received>>,
    },
    /// It was not.
    Error {
        /// In words.
        reason: String,
    },
}

/// Why a message cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct BatchUnreadable {
    /// Its id, where it could be made out.
    pub id: MessageId,
    /// Why.
    pub reason: String,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Ids {
    #[serde(rename = "message-id", skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mid: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Authentication {
    #[serde(flatten)]
    ids: Ids,
    token: String,
    #[serde(default)]
    files: Vec<BatchFile>,
    #[serde(default)]
    fid: String,
    #[serde(default)]
    tags: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Transfer {
    #[serde(flatten)]
    ids: Ids,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    chunk: Option<String>,
    data: Data,
}

/// Bytes: a list of numbers, or base64.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Data {
    Numbers(Vec<u8>),
    Text(String),
}

#[derive(Serialize)]
struct Response {
    #[serde(flatten)]
    ids: Ids,
    #[serde(rename = "response")]
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    received: Option<Vec<Received>>,
}

impl BatchAsked {
    /// Reads a message.
    ///
    /// # Errors
    /// [`BatchUnreadable`]: a type that nobody sends, no JSON, or a field that is missing or of another kind.
    pub fn decode(user_type: u8, payload: &[u8]) -> Result<Self, BatchUnreadable> {
        let refused = |reason: String| BatchUnreadable {
            id: serde_json::from_slice::<Ids>(payload)
                .unwrap_or_default()
                .into(),
            reason,
        };
        let no_json =
            |error: serde_json::Error| refused(format!("the message cannot be read: {error}"));
        match user_type {
            AUTHENTICATION => {
                let read: Authentication = serde_json::from_slice(payload).map_err(no_json)?;
                Ok(Self {
                    id: read.ids.into(),
                    request: BatchRequest::Authentication {
                        token: read.token,
                        files: read.files,
                        fid: read.fid,
                        tags: read.tags,
                    },
                })
            }
            TRANSFER => {
                let read: Transfer = serde_json::from_slice(payload).map_err(no_json)?;
                let data = match read.data {
                    Data::Numbers(bytes) => Some(bytes),
                    Data::Text(text) => super::decode_data(&text),
                };
                let data = data.ok_or_else(|| refused("the data is no base64".to_owned()))?;
                Ok(Self {
                    id: read.ids.into(),
                    request: BatchRequest::Transfer {
                        chunk: read.chunk,
                        data,
                    },
                })
            }
            other => Err(refused(format!("no message has type {other}"))),
        }
    }

    /// The message's type.
    pub const fn user_type(&self) -> u8 {
        match self.request {
            BatchRequest::Authentication { .. } => AUTHENTICATION,
            BatchRequest::Transfer { .. } => TRANSFER,
        }
    }

    /// Writes the message, as a client does: bytes as numbers.
    ///
    /// # Errors
    /// None that is known.
    pub fn encode(self) -> serde_json::Result<Vec<u8>> {
        let ids = self.id.into();
        match self.request {
            BatchRequest::Authentication {
                token,
                files,
                fid,
                tags,
            } => serde_json::to_vec(&Authentication {
                ids,
                token,
                files,
                fid,
                tags,
            }),
            BatchRequest::Transfer { chunk, data } => serde_json::to_vec(&Transfer {
                ids,
                chunk,
                data: Data::Numbers(data),
            }),
        }
    }
}

impl BatchAnswer {
    /// Writes the message.
    ///
    /// # Errors
    /// None that is known.
    pub fn encode(self, id: MessageId) -> serde_json::Result<Vec<u8>> {
        let ids = id.into();
        serde_json::to_vec(&match self {
            Self::Ok { received } => Response {
                ids,
                outcome: "Ok",
                reason: None,
                received,
            },
            Self::Error { reason } => Response {
                ids,
                outcome: "Error",
                reason: Some(reason),
                received: None,
            },
        })
    }
}

/// An id that may be any JSON in what a client sends is a text here.
impl From<Ids> for MessageId {
    fn from(ids: Ids) -> Self {
        match (ids.message_id, ids.mid) {
            (Some(id), _) => Self { id, is_mid: false },
            (None, Some(id)) => Self { id, is_mid: true },
            (None, None) => Self {
                id: String::new(),
                is_mid: false,
            },
        }
    }
}

impl From<MessageId> for Ids {
    fn from(id: MessageId) -> Self {
        if id.is_mid {
            Self {
                message_id: None,
                mid: Some(id.id),
            }
        } else {
            Self {
                message_id: Some(id.id),
                mid: None,
            }
        }
    }
}

/// Whether a message of type 1 is of January 2020, when a client simply said who it was: its token is an object.
pub fn is_unsigned(payload: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Token {
        token: Value,
    }
    serde_json::from_slice::<Token>(payload).is_ok_and(|found| found.token.is_object())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_names_of_the_id_and_both_forms_of_data_are_read() {
        let numbers = br#"{"message-id":"a","chunk":"c","data":[0,1,255]}"#;
        let asked = BatchAsked::decode(TRANSFER, numbers).unwrap();
        let data = |asked: &BatchAsked| match &asked.request {
            BatchRequest::Transfer { data, .. } => data.clone(),
            BatchRequest::Authentication { .. } => Vec::new(),
        };
        assert_eq!(data(&asked), [0, 1, 255]);
        let answer = BatchAnswer::Ok { received: None };
        let text = answer.encode(asked.id).unwrap();
        assert_eq!(text, br#"{"message-id":"a","response":"Ok"}"#);
        let base64 = br#"{"mid":"a","data":"AAH/"}"#;
        let asked = BatchAsked::decode(TRANSFER, base64).unwrap();
        assert_eq!(data(&asked), [0, 1, 255]);
        let reason = "not authenticated".to_owned();
        let text = BatchAnswer::Error { reason }.encode(asked.id).unwrap();
        let wanted = br#"{"mid":"a","response":"Error","reason":"not authenticated"}"#;
        assert_eq!(text, wanted);
        let wrong = BatchAsked::decode(TRANSFER, br#"{"mid":"b","data":[256]}"#);
        assert_eq!(wrong.unwrap_err().id.id, "b");
    }

    #[test]
    fn a_token_that_anybody_could_write_is_noticed() {
        assert!(is_unsigned(br#"{"token":{"uid":1,"login":"ada"}}"#));
        assert!(!is_unsigned(br#"{"token":"a.b.c"}"#));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(id in any::<String>(), is_mid in any::<bool>(), data in any::<Vec<u8>>(), fid in any::<String>()) {
            let id = MessageId { id, is_mid };
            let file = BatchFile { name: fid.clone(), size: 7, tags: vec![fid.clone()] };
            for request in [
                BatchRequest::Transfer { chunk: Some(fid.clone()), data },
                BatchRequest::Authentication { token: fid.clone(), files: vec![file], fid, tags: Vec::new() },
            ] {
                let asked = BatchAsked { id: id.clone(), request };
                let text = asked.clone().encode().unwrap();
                prop_assert_eq!(BatchAsked::decode(asked.user_type(), &text), Ok(asked));
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(user_type in any::<u8>(), bytes in any::<Vec<u8>>()) {
            drop(BatchAsked::decode(user_type, &bytes));
        }
    }
}
