//! Errors as problem documents (RFC 9457).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ErrorCode;

/// The media type of a problem document.
pub const PROBLEM_TYPE: &str = "application/problem+json";

/// What went wrong, in words for a person and a code for a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the code says what kind it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// A short text for the kind.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The stable kind of the error.
    pub code: ErrorCode,
    /// What happened this time and what to do next, safe to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The request's id, to be found in the server's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Seconds after which another attempt may succeed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u64>,
    /// For a refused commit: the operations whose expectations failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<super::drive::FailedOp>,
}
