//! The kinds of refusal that a user of Wharf can meet.
//!
//! The list is public and stable: doors map each kind to their protocol by an exhaustive `match`, and the HTTP API
//! sends the kind's [`ErrorCode::as_str`] as the `code` of its problem documents.

use serde::{Deserialize, Serialize};

/// What kind of refusal an operation met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The request is malformed, or a value is outside its bounds.
    Invalid,
    /// No session, or one that has ended, or wrong credentials.
    Unauthenticated,
    /// The caller may know that the thing exists but may not do this with it.
    Denied,
    /// There is no such thing, or the caller may not know whether there is.
    NotFound,
    /// The name is taken.
    Exists,
    /// The folder has something in it.
    NotEmpty,
    /// Somebody holds a lock on it.
    Locked,
    /// The expected revision is not the current one.
    Stale,
    /// Over one of the limits on sizes and counts.
    TooLarge,
    /// The owner's quota is used up.
    OverQuota,
    /// Too many attempts; try again later.
    Limited,
    /// The server does not do this.
    Unsupported,
    /// The server cannot do this now: starting, draining, its disk full or failed.
    Unavailable,
    /// Stored bytes do not match their hash, and no good copy is left.
    Corrupt,
    /// The caller went away or cancelled.
    Cancelled,
    /// A fault of the server. The log has the cause.
    Internal,
}

impl ErrorCode {
    /// The stable text of the kind, as the HTTP API sends it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Unauthenticated => "unauthenticated",
            Self::Denied => "denied",
            Self::NotFound => "not_found",
            Self::Exists => "exists",
            Self::NotEmpty => "not_empty",
            Self::Locked => "locked",
            Self::Stale => "stale",
            Self::TooLarge => "too_large",
            Self::OverQuota => "over_quota",
            Self::Limited => "limited",
            Self::Unsupported => "unsupported",
            Self::Unavailable => "unavailable",
            Self::Corrupt => "corrupt",
            Self::Cancelled => "cancelled",
            Self::Internal => "internal",
        }
    }
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
