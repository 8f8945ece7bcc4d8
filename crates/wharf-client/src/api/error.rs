//! What a call can come back with instead of an answer.

use std::io;

use wharf_types::ErrorCode;
use wharf_types::api::problem::Problem;

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The server refused.
    #[error("{}", refusal(.0))]
    Refused(Box<Problem>),
    /// The server could not be reached, or went away, for longer than the patience allowed.
    #[error("cannot reach the server at {server}: {source}")]
    Unreachable {
        /// Its address.
        server: String,
        /// The last failure.
        source: io::Error,
    },
    /// The answer is not what this version of the client understands.
    #[error("the server's answer to {call} is not understood: {detail}")]
    Answer {
        /// Method and path.
        call: String,
        /// What was wrong with it.
        detail: String,
    },
    /// The address or the certificates to trust are not usable.
    #[error("{0}")]
    Setup(String),
}

impl ApiError {
    /// The stable code of a refusal.
    pub fn code(&self) -> Option<ErrorCode> {
        self.problem().map(|problem| problem.code)
    }

    /// The problem document of a refusal.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused(problem) => Some(problem),
            Self::Unreachable { .. } | Self::Answer { .. } | Self::Setup(_) => None,
        }
    }

    /// Whether this is a refusal with that code.
    pub fn is(&self, code: ErrorCode) -> bool {
        self.code() == Some(code)
    }
}

fn refusal(problem: &Problem) -> String {
    problem
        .detail
        .clone()
        .unwrap_or_else(|| problem.title.clone())
}
