//! How the house's errors become HTTP: one status for each kind, and a problem document (RFC 9457) around its text.
//!
//! A handler answers a [`Refusal`]. It becomes a response without a body that carries the refusal along;
//! `http::observe` then writes the document, because only there the request's id is at hand, and the log line.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use wharf_core::Error;
use wharf_types::ErrorCode;
use wharf_types::api::problem::{PROBLEM_TYPE, Problem};

/// An error, and how HTTP says it.
#[derive(Debug)]
pub(crate) struct Refusal {
    error: Error,
    status: StatusCode,
    headers: HeaderMap,
}

/// The answer of every handler.
pub(crate) type Answer<T> = Result<T, Refusal>;

impl Refusal {
    /// A refusal that the door itself finds, before it calls the house.
    pub(crate) fn new(code: ErrorCode, text: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        Error::new(code, text).into()
    }

    /// Something malformed in the request.
    pub(crate) fn invalid(text: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::Invalid, text)
    }

    /// Says it with a status of its own, where HTTP has one that is more exact than the kind's.
    pub(crate) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Adds a header to the answer.
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    pub(crate) fn code(&self) -> ErrorCode {
        self.error.code()
    }

    pub(crate) fn error(&self) -> &Error {
        &self.error
    }

    /// The response with its problem document.
    pub(crate) fn render(&self, request_id: &str) -> Response {
        let problem = Problem {
            kind: "about:blank".to_owned(),
            title: title(self.status, self.error.code()),
            status: self.status.as_u16(),
            code: self.error.code(),
            detail: Some(self.error.text().to_owned()),
            request_id: Some(request_id.to_owned()),
            retry_after_seconds: self.error.retry_after_seconds(),
            failed: self.error.failed().to_vec(),
        };
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.extend(self.headers.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_TYPE));
        if let Some(seconds) = self.error.retry_after_seconds() {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(
                WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"wharf\""),
            );
        }
        response
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self {
            status: status(error.code()),
            error,
            headers: HeaderMap::new(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// The status of each kind.
///
/// A full quota is the caller's to mend and must not look like a fault of the server to monitors and to clients that
/// try again by themselves, so it is 413 and not WebDAV's 507. For the same reason what the server does not do is 422.
const fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::Invalid => StatusCode::BAD_REQUEST,
        ErrorCode::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorCode::Denied => StatusCode::FORBIDDEN,
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::Exists | ErrorCode::NotEmpty | ErrorCode::Stale => StatusCode::CONFLICT,
        ErrorCode::Locked => StatusCode::LOCKED,
        ErrorCode::TooLarge | ErrorCode::OverQuota => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::Limited => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::Unsupported => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Cancelled => StatusCode::REQUEST_TIMEOUT,
        ErrorCode::Corrupt | ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The short text of a kind; that of the status where it says something else than the kind.
fn title(said: StatusCode, code: ErrorCode) -> String {
    if said != status(code) {
        return said.canonical_reason().unwrap_or("Refused").to_owned();
    }
    match code {
        ErrorCode::Invalid => "Invalid request",
        ErrorCode::Unauthenticated => "Login needed",
        ErrorCode::Denied => "Not allowed",
        ErrorCode::NotFound => "Not found",
        ErrorCode::Exists => "Already exists",
        ErrorCode::NotEmpty => "Not empty",
        ErrorCode::Locked => "Locked",
        ErrorCode::Stale => "Changed meanwhile",
        ErrorCode::TooLarge => "Too large",
        ErrorCode::OverQuota => "Quota used up",
        ErrorCode::Limited => "Too many attempts",
        ErrorCode::Unsupported => "Not supported",
        ErrorCode::Unavailable => "Not available now",
        ErrorCode::Corrupt => "Stored content is damaged",
        ErrorCode::Cancelled => "Cancelled",
        ErrorCode::Internal => "Internal error",
    }
    .to_owned()
}
