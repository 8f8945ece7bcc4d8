//! A request that may be made several times, and what its failures mean.

use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, RANGE, RETRY_AFTER, USER_AGENT};
use http::{HeaderValue, Method, Request, StatusCode};
use wharf_types::ErrorCode;
use wharf_types::api::problem::{PROBLEM_TYPE, Problem};

use super::payload::{Payload, Sending};
use crate::api::ApiError;

/// Whether a call may be sent again when it is not known if the server got it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Repeat {
    /// Twice is once.
    #[default]
    Freely,
    /// Twice would be a second account, or a refusal that hides the success of the first.
    OnlyUnsent,
}

/// A request to be made, perhaps several times.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) content_type: Option<&'static str>,
    pub(crate) range: Option<HeaderValue>,
    pub(crate) body: Payload,
    pub(crate) repeat: Repeat,
    pub(crate) authorization: Option<HeaderValue>,
}

/// Whether the server may have got the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    No,
    Perhaps,
}

/// Why an attempt has no answer.
pub(super) enum Failure {
    /// Another attempt may do better, after this long at least.
    Again {
        after: Duration,
        error: ApiError,
        sent: Sent,
    },
    Final(ApiError),
}

impl Call {
    pub(crate) fn not_understood(&self, detail: String) -> ApiError {
        ApiError::Answer {
            call: format!("{} {}", self.method, self.target),
            detail,
        }
    }
    pub(super) fn request(&self, host: &HeaderValue) -> Result<Request<Sending>, Failure> {
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(&self.target)
            .header(HOST, host.clone())
            .header(USER_AGENT, concat!("wharf/", env!("CARGO_PKG_VERSION")))
            .header(ACCEPT, "*/*");
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        if let Some(content_type) = self.content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        if let Some(range) = &self.range {
            request = request.header(RANGE, range.clone());
        }
        request
            .body(self.body.send())
            .map_err(|error| Failure::Final(ApiError::Setup(error.to_string())))
    }

    /// What an answer that is no success means.
    pub(super) fn refused(&self, head: &http::response::Parts, body: &[u8]) -> Failure {
        let is_problem = head
            .headers
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(PROBLEM_TYPE.as_bytes()));
        let problem = is_problem
            .then(|| serde_json::from_slice::<Problem>(body).ok())
            .flatten();
        let after = problem
            .as_ref()
            .and_then(|problem| problem.retry_after_seconds)
            .or_else(|| retry_after_seconds(head))
            .map_or(Duration::ZERO, Duration::from_secs);
        let is_temporary = match &problem {
            // Limits on attempts hold back passwords on purpose; all others pass.
            Some(problem) => match problem.code {
                ErrorCode::Unavailable => true,
                ErrorCode::Limited => self.repeat == Repeat::Freely,
                _ => false,
            },
            // From a proxy before a server that is away.
            None => matches!(
                head.status,
                StatusCode::BAD_GATEWAY
                    | StatusCode::SERVICE_UNAVAILABLE
                    | StatusCode::GATEWAY_TIMEOUT
            ),
        };
        let error = match problem {
            Some(problem) => ApiError::Refused(Box::new(problem)),
            None => self.not_understood(format!("status {}", head.status)),
        };
        if is_temporary {
            return Failure::Again {
                after,
                error,
                sent: Sent::No,
            };
        }
        Failure::Final(error)
    }
}

fn retry_after_seconds(head: &http::response::Parts) -> Option<u64> {
    head.headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()
}
