//! PyChat: requests of four NUL-padded fields in 350 bytes, answers without a frame, pushes of 150 bytes.
//!
//! Fields are bytes, not text: a client cuts what is too long at the byte, perhaps inside a character, so nothing here
//! fails for not being UTF-8.

mod push;
mod stream;
#[cfg(test)]
mod tests;
mod text;

use std::fmt;

pub use push::Push;
pub use stream::next_request;
pub use text::{clip, item, key_of, line, list, offline, said, shown_name};

/// Length of a request: fields of 50, 50, 50 and 200 bytes.
pub const REQUEST_BYTES: usize = 350;
/// Length of a push: three fields of 50 bytes.
pub const PUSH_BYTES: usize = 150;
/// Length of each field but the last of a request.
pub const FIELD_BYTES: usize = 50;
/// Length of the last field of a request: a message, a file's name or a piece of it.
pub const DATA_BYTES: usize = 200;
/// What a client reads of most answers; the rest is lost.
pub const REPLY_BYTES_MAX: usize = 1024;
/// What a client reads of lists and of offline messages.
pub const LIST_BYTES_MAX: usize = 2048;

/// `号码为空`: there is nobody with this number.
pub const NO_SUCH_NUMBER: &str = "号码为空";
/// `你们已经是好友啦`: the two are friends already.
pub const ALREADY_FRIENDS: &str = "你们已经是好友啦";
/// `正在上传...`: what a sender's session shows when an upload begins.
pub const UPLOADING: &str = "正在上传...";
/// The answer to a login that failed.
pub const LOGIN_FAIL: &str = "LOGIN FAIL";
/// The answer to a list that is empty.
pub const NONE: &str = "NONE";
/// The answer to an upload that may begin.
pub const RECEIVE_NOTICE: &str = "RECV_NOTICE";
/// The answer to a piece that was stored, and the third field of a request for one.
pub const RECEIVED: &str = "RECV_OK";
/// What begins a notice on a session that a file was handed over.
pub const FILE_NOTICE: &str = "FILE\r\n";
/// `正在向你传送文件:`: stands between a sender's number and a file's name.
pub const SENDS_FILE: &str = "正在向你传送文件:";
/// `处于离线状态!`: stands behind the number of a friend who is away.
pub const IS_AWAY: &str = "处于离线状态!";
/// The answer past the end of a file.
pub const FILE_END: &[u8] = b"FILE_END\r\n";

/// A person's number, as this protocol writes it: decimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Number(pub u32);

/// What a client asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// `SIGN_IN`: makes an account.
    SignIn {
        /// The e-mail address.
        email: Vec<u8>,
        /// The name shown to others.
        nickname: Vec<u8>,
        /// The password's MD5 in hexadecimal.
        password_md5: Vec<u8>,
    },
    /// `LOGIN`: logs in and counts as online.
    Login {
        /// Who.
        who: Number,
        /// The password's MD5 in hexadecimal.
        password_md5: Vec<u8>,
    },
    /// `DOWN`: goes offline.
    Down {
        /// Who.
        who: Number,
    },
    /// `CMD_SOCKET`: this connection is where pushes go.
    CommandSocket {
        /// Whose.
        who: Number,
    },
    /// `GET_FRIENDS`.
    Friends {
        /// Whose.
        who: Number,
    },
    /// `GET_ONLINE`. Clients leave the number empty.
    Online {
        /// Who asks, where it is said.
        who: Option<Number>,
    },
    /// `FIND_FRIEND`.
    Find {
        /// Whom.
        who: Number,
    },
    /// `ADD_FRIEND`.
    AddFriend {
        /// Who asks.
        who: Number,
        /// Whom.
        friend: Number,
    },
    /// `OFFLINE_MSG`: takes what one sender left.
    OfflineMessages {
        /// Who asks.
        who: Number,
    },
    /// `NEW_SESSION`: this connection is where the friend's messages go.
    NewSession {
        /// Who asks.
        who: Number,
        /// The friend.
        friend: Number,
    },
    /// `MESG`.
    Message {
        /// From whom.
        who: Number,
        /// To whom.
        friend: Number,
        /// What, perhaps cut inside a character.
        text: Vec<u8>,
    },
    /// `UPLOAD` with two numbers: begins a file.
    UploadBegin {
        /// From whom.
        who: Number,
        /// To whom.
        friend: Number,
        /// Its name, 200 bytes at most.
        name: Vec<u8>,
    },
    /// `UPLOAD` with a count and a name: the next piece of a file.
    UploadPiece {
        /// The file's name, cut at 50 bytes.
        name: Vec<u8>,
        /// The piece, 200 bytes at most.
        data: Vec<u8>,
    },
    /// `UPLOAD_FINISH`: the file is whole.
    UploadEnd {
        /// From whom.
        who: Number,
        /// To whom.
        friend: Number,
        /// Its name, 200 bytes at most.
        name: Vec<u8>,
    },
    /// `DOWN_FILE_NAME`: what files two people exchanged.
    FileNames {
        /// Who asks.
        who: Number,
        /// The friend.
        friend: Number,
    },
    /// `DOWNLOAD`: the bytes of a file past an offset.
    Download {
        /// Its name, cut at 50 bytes.
        name: Vec<u8>,
        /// How many bytes the client has.
        offset_bytes: u64,
    },
}

/// Why a record is not a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRequest {
    /// The first field names no request.
    #[error("no request is called {name:?}")]
    Unknown {
        /// What it says, as far as it is text.
        name: String,
    },
    /// A field that should be a number is none.
    #[error("field {field} of {name} is not a number")]
    NotANumber {
        /// The request.
        name: &'static str,
        /// Which field, counted from 1.
        field: usize,
    },
}

/// The fields of a record, without the NULs around them.
struct Fields<'a> {
    name: &'static str,
    second: &'a [u8],
    third: &'a [u8],
    data: &'a [u8],
}

const NAMES: [&str; 15] = [
    "SIGN_IN",
    "LOGIN",
    "DOWN",
    "CMD_SOCKET",
    "GET_FRIENDS",
    "GET_ONLINE",
    "FIND_FRIEND",
    "ADD_FRIEND",
    "OFFLINE_MSG",
    "NEW_SESSION",
    "MESG",
    "UPLOAD",
    "UPLOAD_FINISH",
    "DOWN_FILE_NAME",
    "DOWNLOAD",
];

impl Number {
    /// The least number that is given to anybody.
    pub const MIN: u32 = 100_000;
    /// The greatest one.
    pub const MAX: u32 = 999_999;

    /// Reads decimal digits, 10 at most.
    pub fn parse(digits: &[u8]) -> Option<Self> {
        let digits = std::str::from_utf8(digits).ok()?;
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        digits.parse().ok().map(Self)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Request {
    /// Reads one record.
    ///
    /// # Errors
    /// [`InvalidRequest`]; the record after it is not affected.
    pub fn decode(record: &[u8; REQUEST_BYTES]) -> Result<Self, InvalidRequest> {
        let (head, data) = record.split_at(3 * FIELD_BYTES);
        let (first, rest) = head.split_at(FIELD_BYTES);
        let (second, third) = rest.split_at(FIELD_BYTES);
        let first = trimmed(first);
        let name = NAMES.into_iter().find(|name| name.as_bytes() == first);
        let name = name.ok_or_else(|| InvalidRequest::Unknown {
            name: String::from_utf8_lossy(first).into_owned(),
        })?;
        let fields = Fields {
            name,
            second: trimmed(second),
            third: trimmed(third),
            data,
        };
        fields.request()
    }

    /// Writes the record, as a client does. What is longer than its field is cut.
    pub fn encode(&self) -> [u8; REQUEST_BYTES] {
        let number = |number: &Number| number.to_string().into_bytes();
        let six = |number: &Number| format!("{:06}", number.0).into_bytes();
        let (name, second, third, data) = match self {
            Self::SignIn {
                email,
                nickname,
                password_md5,
            } => (
                "SIGN_IN",
                email.clone(),
                nickname.clone(),
                password_md5.clone(),
            ),
            Self::Login { who, password_md5 } => {
                ("LOGIN", number(who), password_md5.clone(), Vec::new())
            }
            Self::Down { who } => ("DOWN", number(who), Vec::new(), Vec::new()),
            Self::CommandSocket { who } => ("CMD_SOCKET", number(who), Vec::new(), Vec::new()),
            Self::Friends { who } => ("GET_FRIENDS", number(who), Vec::new(), Vec::new()),
            Self::Online { who } => {
                let who = who.as_ref().map(number).unwrap_or_default();
                ("GET_ONLINE", who, Vec::new(), Vec::new())
            }
            Self::Find { who } => ("FIND_FRIEND", number(who), Vec::new(), Vec::new()),
            Self::AddFriend { who, friend } => {
                ("ADD_FRIEND", number(who), number(friend), Vec::new())
            }
            Self::OfflineMessages { who } => ("OFFLINE_MSG", number(who), Vec::new(), Vec::new()),
            Self::NewSession { who, friend } => {
                ("NEW_SESSION", number(who), number(friend), Vec::new())
            }
            Self::Message { who, friend, text } => {
                ("MESG", number(who), number(friend), text.clone())
            }
            // Its numbers are told from a count and a name by their length.
            Self::UploadBegin { who, friend, name } => {
                ("UPLOAD", six(who), six(friend), name.clone())
            }
            Self::UploadPiece { name, data } => (
                "UPLOAD",
                data.len().to_string().into_bytes(),
                name.clone(),
                data.clone(),
            ),
            Self::UploadEnd { who, friend, name } => {
                ("UPLOAD_FINISH", number(who), number(friend), name.clone())
            }
            Self::FileNames { who, friend } => {
                ("DOWN_FILE_NAME", number(who), number(friend), Vec::new())
            }
            Self::Download { name, offset_bytes } => (
                "DOWNLOAD",
                name.clone(),
                RECEIVED.as_bytes().to_vec(),
                offset_bytes.to_string().into_bytes(),
            ),
        };
        let mut record = [0; REQUEST_BYTES];
        let (head, tail) = record.split_at_mut(3 * FIELD_BYTES);
        let fields = [name.as_bytes(), &second, &third];
        for (place, field) in head.chunks_exact_mut(FIELD_BYTES).zip(fields) {
            fill(place, field);
        }
        fill(tail, &data);
        record
    }
}

impl Fields<'_> {
    fn request(&self) -> Result<Request, InvalidRequest> {
        Ok(match self.name {
            "SIGN_IN" => Request::SignIn {
                email: self.second.to_vec(),
                nickname: self.third.to_vec(),
                password_md5: trimmed(self.data).to_vec(),
            },
            "LOGIN" => Request::Login {
                who: self.who()?,
                password_md5: self.third.to_vec(),
            },
            "DOWN" => Request::Down { who: self.who()? },
            "CMD_SOCKET" => Request::CommandSocket { who: self.who()? },
            "GET_FRIENDS" => Request::Friends { who: self.who()? },
            "GET_ONLINE" => Request::Online {
                who: Number::parse(self.second),
            },
            "FIND_FRIEND" => Request::Find { who: self.who()? },
            "ADD_FRIEND" => Request::AddFriend {
                who: self.who()?,
                friend: self.friend()?,
            },
            "OFFLINE_MSG" => Request::OfflineMessages { who: self.who()? },
            "NEW_SESSION" => Request::NewSession {
                who: self.who()?,
                friend: self.friend()?,
            },
            "MESG" => Request::Message {
                who: self.who()?,
                friend: self.friend()?,
                text: trimmed(self.data).to_vec(),
            },
            "UPLOAD" => self.upload()?,
            "UPLOAD_FINISH" => Request::UploadEnd {
                who: self.who()?,
                friend: self.friend()?,
                name: trimmed(self.data).to_vec(),
            },
            "DOWN_FILE_NAME" => Request::FileNames {
                who: self.who()?,
                friend: self.friend()?,
            },
            _ => Request::Download {
                name: self.second.to_vec(),
                offset_bytes: decimal(trimmed(self.data)).ok_or_else(|| self.not_a_number(4))?,
            },
        })
    }

    /// Two numbers of six digits begin a file; anything else is a piece of one.
    fn upload(&self) -> Result<Request, InvalidRequest> {
        if self.second.len() == 6 && self.third.len() == 6 {
            return Ok(Request::UploadBegin {
                who: self.who()?,
                friend: self.friend()?,
                name: trimmed(self.data).to_vec(),
            });
        }
        let count = decimal(self.second).ok_or_else(|| self.not_a_number(2))?;
        let count = usize::try_from(count).unwrap_or(usize::MAX).min(DATA_BYTES);
        Ok(Request::UploadPiece {
            name: self.third.to_vec(),
            data: self.data.get(..count).unwrap_or(self.data).to_vec(),
        })
    }

    fn who(&self) -> Result<Number, InvalidRequest> {
        Number::parse(self.second).ok_or_else(|| self.not_a_number(2))
    }

    fn friend(&self) -> Result<Number, InvalidRequest> {
        Number::parse(self.third).ok_or_else(|| self.not_a_number(3))
    }

    fn not_a_number(&self, field: usize) -> InvalidRequest {
        InvalidRequest::NotANumber {
            name: self.name,
            field,
        }
    }
}

/// `field` without the NULs on both ends, as the published programs read it.
fn trimmed(field: &[u8]) -> &[u8] {
    let begin = field
        .iter()
        .position(|byte| *byte != 0)
        .unwrap_or(field.len());
    let end = field
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(begin, |last| last + 1);
    field.get(begin..end).unwrap_or_default()
}

fn decimal(digits: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(digits).ok()?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

/// Copies as much of `field` as there is place for.
fn fill(place: &mut [u8], field: &[u8]) {
    let count = field.len().min(place.len());
    for (to, from) in place.iter_mut().zip(field.iter().take(count)) {
        *to = *from;
    }
}
