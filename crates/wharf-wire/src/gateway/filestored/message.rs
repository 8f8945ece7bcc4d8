//! The messages of filestoraged as it was published last (2023): JSON in frames, told apart by the frame's user type.
//!
//! Requests say `filedigest` where two of the answers say `file_digest`. `mid` is chosen by whoever asks and comes back in
//! the answer, and so does `id`, which anything between the two may have added.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A file, as its uploader describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileInfo {
    /// Its name.
    pub name: String,
    /// Bytes of its content.
    pub size: u64,
    /// How many chunks that makes.
    #[serde(default)]
    pub nb_chunks: u64,
    /// The SHA-256 of its content, in hexadecimal.
    pub digest: String,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<String>,
}

/// Which chunk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkInfo {
    /// Its number, from 0.
    pub n: u64,
    /// Of how many: the last number in what a client sends, the count in what a server sends.
    #[serde(default)]
    pub on: u64,
    /// The SHA-256 of the text in `data`, in hexadecimal.
    #[serde(default)]
    pub digest: String,
}

/// What a client asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Type 0.
    Login {
        /// A JSON Web Token.
        token: String,
    },
    /// Type 20: a file will come.
    Upload {
        /// Which.
        file: FileInfo,
    },
    /// Type 30: asks about a file, by what is given.
    Download {
        /// Its digest.
        filedigest: Option<String>,
        /// Its name.
        name: Option<String>,
        /// Its tags.
        tags: Option<Vec<String>>,
    },
    /// Type 40.
    PutChunk {
        /// Of which file.
        filedigest: String,
        /// Which chunk.
        chunk: ChunkInfo,
        /// Base64.
        data: String,
    },
    /// Type 41.
    GetChunk {
        /// Of which file.
        filedigest: String,
        /// Which chunk.
        n: u64,
    },
}

/// A request with what its answer carries back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The sender's id of the message; empty where it gave none.
    pub mid: String,
    /// Another id, any JSON.
    pub id: Option<Value>,
    /// The request.
    pub request: Request,
}

/// Why a message cannot be understood. What could be made out of it goes into the answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unreadable {
    /// The sender's id of the message, where it could be made out.
    pub mid: String,
    /// The other id, where it could be made out.
    pub id: Option<Value>,
    /// Why.
    pub reason: String,
}

/// What a server answers. The codes from 200 on are refusals, or nearly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// Type 5.
    Login {},
    /// Type 20: the chunks may come.
    Upload {
        /// `/files/` and the digest.
        path: String,
    },
    /// Type 30.
    Download {
        /// The file.
        file_info: FileInfo,
    },
    /// Type 40: the chunk is stored.
    PutChunk {
        /// Of which file.
        file_digest: String,
        /// Which chunk.
        n: u64,
    },
    /// Type 41.
    GetChunk {
        /// Of which file.
        file_digest: String,
        /// Which chunk.
        chunk: ChunkInfo,
        /// Base64.
        data: String,
    },
    /// Type 200.
    GenericError {
        /// In words.
        reason: String,
    },
    /// Type 201: this account may not.
    Authorization {
        /// In words.
        reason: String,
    },
    /// Type 202: the chunk was there already, which is as good.
    ChunkAlreadyUploaded {
        /// Of which file.
        filedigest: String,
        /// The first chunk that is not there.
        next_chunk: u64,
        /// In words.
        reason: String,
    },
    /// Type 203: this account may not add to this file.
    ChunkUploadDenied {
        /// Which file.
        filedigest: String,
        /// In words.
        reason: String,
    },
    /// Type 204: a part of the file is there.
    FileExists {
        /// `/files/` and the digest.
        path: String,
        /// The first chunk that is not there.
        next_chunk: u64,
        /// In words.
        reason: String,
    },
    /// Type 205.
    FileDoesNotExist {
        /// Which file.
        filedigest: String,
        /// In words.
        reason: String,
    },
    /// Type 206: all of the file is there.
    FileFullyUploaded {
        /// `/files/` and the digest.
        path: String,
        /// In words.
        reason: String,
    },
    /// Type 207.
    FileTooBig {
        /// The most bytes that a file may have here.
        limit: u64,
        /// In words.
        reason: String,
    },
}

/// The fields that every message may have.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Ids {
    mid: String,
    id: Option<Value>,
}

#[derive(Serialize, Deserialize)]
struct Message<T> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<Value>,
    #[serde(default)]
    mid: String,
    #[serde(flatten)]
    body: T,
}

#[derive(Serialize, Deserialize)]
struct LoginBody {
    token: String,
}

#[derive(Serialize, Deserialize)]
struct UploadBody {
    file: FileInfo,
}

#[derive(Serialize, Deserialize)]
struct DownloadBody {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    filedigest: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tags: Option<Vec<String>>,
}

/// The chunk is what most messages carry, so it is read without a detour over a map.
#[derive(Serialize, Deserialize)]
struct PutChunkMessage {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<Value>,
    #[serde(default)]
    mid: String,
    filedigest: String,
    chunk: ChunkInfo,
    data: String,
}

#[derive(Serialize, Deserialize)]
struct GetChunkBody {
    filedigest: String,
    n: u64,
}

/// The user types of this protocol's requests.
pub const REQUEST_TYPES: [u8; 5] = [0, 20, 30, 40, 41];

impl Asked {
    /// Reads a message.
    ///
    /// # Errors
    /// [`Unreadable`]: a type that nobody sends, no JSON, or a field that is missing or of another kind.
    pub fn decode(user_type: u8, payload: &[u8]) -> Result<Self, Unreadable> {
        let read = match user_type {
            0 => message(payload, |body: LoginBody| Request::Login {
                token: body.token,
            }),
            20 => message(payload, |body: UploadBody| Request::Upload {
                file: body.file,
            }),
            30 => message(payload, |body: DownloadBody| Request::Download {
                filedigest: body.filedigest,
                name: body.name,
                tags: body.tags,
            }),
            40 => serde_json::from_slice(payload).map(|message: PutChunkMessage| Self {
                mid: message.mid,
                id: message.id,
                request: Request::PutChunk {
                    filedigest: message.filedigest,
                    chunk: message.chunk,
                    data: message.data,
                },
            }),
            41 => message(payload, |body: GetChunkBody| Request::GetChunk {
                filedigest: body.filedigest,
                n: body.n,
            }),
            other => return Err(unreadable(payload, format!("no message has type {other}"))),
        };
        read.map_err(|error| unreadable(payload, format!("the message cannot be read: {error}")))
    }

    /// The message's type.
    pub const fn user_type(&self) -> u8 {
        match self.request {
            Request::Login { .. } => 0,
            Request::Upload { .. } => 20,
            Request::Download { .. } => 30,
            Request::PutChunk { .. } => 40,
            Request::GetChunk { .. } => 41,
        }
    }

    /// Writes the message, as a client does.
    ///
    /// # Errors
    /// None that is known.
    pub fn encode(self) -> serde_json::Result<Vec<u8>> {
        let (id, mid) = (self.id, self.mid);
        match self.request {
            Request::Login { token } => write(id, mid, LoginBody { token }),
            Request::Upload { file } => write(id, mid, UploadBody { file }),
            Request::Download {
                filedigest,
                name,
                tags,
            } => {
                let body = DownloadBody {
                    filedigest,
                    name,
                    tags,
                };
                write(id, mid, body)
            }
            Request::PutChunk {
                filedigest,
                chunk,
                data,
            } => serde_json::to_vec(&PutChunkMessage {
                id,
                mid,
                filedigest,
                chunk,
                data,
            }),
            Request::GetChunk { filedigest, n } => write(id, mid, GetChunkBody { filedigest, n }),
        }
    }
}

impl Answer {
    /// The message's type.
    pub const fn user_type(&self) -> u8 {
        match self {
            Self::Login {} => 5,
            Self::Upload { .. } => 20,
            Self::Download { .. } => 30,
            Self::PutChunk { .. } => 40,
            Self::GetChunk { .. } => 41,
            Self::GenericError { .. } => 200,
            Self::Authorization { .. } => 201,
            Self::ChunkAlreadyUploaded { .. } => 202,
            Self::ChunkUploadDenied { .. } => 203,
            Self::FileExists { .. } => 204,
            Self::FileDoesNotExist { .. } => 205,
            Self::FileFullyUploaded { .. } => 206,
            Self::FileTooBig { .. } => 207,
        }
    }

    /// Writes the message, with the ids of what it answers.
    ///
    /// # Errors
    /// None that is known.
    pub fn encode(self, mid: String, id: Option<Value>) -> serde_json::Result<Vec<u8>> {
        write(id, mid, self)
    }
}

fn message<T: for<'de> Deserialize<'de>>(
    payload: &[u8],
    request: impl FnOnce(T) -> Request,
) -> serde_json::Result<Asked> {
    let message: Message<T> = serde_json::from_slice(payload)?;
    Ok(Asked {
        mid: message.mid,
        id: message.id,
        request: request(message.body),
    })
}

fn write<T: Serialize>(id: Option<Value>, mid: String, body: T) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&Message { id, mid, body })
}

fn unreadable(payload: &[u8], reason: String) -> Unreadable {
    let ids: Ids = serde_json::from_slice(payload).unwrap_or_default();
    Unreadable {
        mid: ids.mid,
        id: ids.id,
        reason,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn published_messages_are_read_and_written_as_they_were() {
        let put = r#"{"mid":"f2b742fd","filedigest":"b69c","chunk":{"n":0,"on":0,"digest":"4ac9"},"data":"aGVsbG8=\n"}"#;
        let asked = Asked::decode(40, put.as_bytes()).unwrap();
        assert_eq!((asked.user_type(), asked.mid.as_str()), (40, "f2b742fd"));
        assert_eq!(asked.encode().unwrap(), put.as_bytes());
        let exists = Answer::FileFullyUploaded {
            path: "/files/0e98".to_owned(),
            reason: "file already uploaded fully".to_owned(),
        };
        assert_eq!(exists.user_type(), 206);
        let text = exists.encode("cfe5".to_owned(), None).unwrap();
        let published =
            r#"{"mid":"cfe5","path":"/files/0e98","reason":"file already uploaded fully"}"#;
        assert_eq!(String::from_utf8(text).unwrap(), published);
        let login = Answer::Login {}.encode("0964".to_owned(), Some(json!(7)));
        assert_eq!(login.unwrap(), br#"{"id":7,"mid":"0964"}"#);
    }

    #[test]
    fn of_what_cannot_be_read_the_ids_come_back() {
        let fault = Asked::decode(20, br#"{"mid":"m","id":[1]}"#).unwrap_err();
        assert_eq!((fault.mid.as_str(), fault.id), ("m", Some(json!([1]))));
        let fault = Asked::decode(99, b"\xff").unwrap_err();
        assert_eq!((fault.mid.as_str(), fault.id), ("", None));
        assert_eq!(fault.reason, "no message has type 99");
    }

    fn request() -> impl Strategy<Value = Request> {
        let text = || any::<String>();
        let chunk = (any::<u64>(), any::<u64>(), text()).prop_map(|(n, on, digest)| ChunkInfo {
            n,
            on,
            digest,
        });
        let file = (
            text(),
            any::<u64>(),
            any::<u64>(),
            text(),
            proptest::collection::vec(text(), 0..4),
        )
            .prop_map(|(name, size, nb_chunks, digest, tags)| FileInfo {
                name,
                size,
                nb_chunks,
                digest,
                tags,
            });
        let some = || proptest::option::of(any::<String>());
        prop_oneof![
            text().prop_map(|token| Request::Login { token }),
            file.prop_map(|file| Request::Upload { file }),
            (
                some(),
                some(),
                proptest::option::of(proptest::collection::vec(text(), 0..3))
            )
                .prop_map(|(filedigest, name, tags)| Request::Download {
                    filedigest,
                    name,
                    tags
                }),
            (text(), chunk, text()).prop_map(|(filedigest, chunk, data)| Request::PutChunk {
                filedigest,
                chunk,
                data
            }),
            (text(), any::<u64>()).prop_map(|(filedigest, n)| Request::GetChunk { filedigest, n }),
        ]
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(mid in any::<String>(), request in request()) {
            let asked = Asked { mid, id: Some(json!({"a": 1})), request };
            let text = asked.clone().encode().unwrap();
            prop_assert_eq!(Asked::decode(asked.user_type(), &text), Ok(asked));
        }

        #[test]
        fn any_bytes_are_read_or_refused(user_type in any::<u8>(), bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop(Asked::decode(user_type, &bytes));
        }
    }
}
