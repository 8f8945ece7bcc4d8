//! Exit codes, and errors that say what to do next.
//!
//! The codes are part of the command line's contract (docs/guide/scripts.md): scripts branch on them, so a code is
//! never given another meaning. Errors travel as [`anyhow::Error`]; where a place knows better than the general rule
//! which code or which advice fits, it puts a [`Failure`] into the chain.

use std::fmt;

use serde::Serialize;
use wharf_types::ErrorCode;

/// How a run of the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// All was done.
    Done = 0,
    /// It failed for a reason that has no code of its own.
    Failed = 1,
    /// The command line or the configuration is wrong; nothing was attempted.
    Usage = 2,
    /// There is no session with the server, or it has ended.
    NotLoggedIn = 3,
    /// A path, account or other thing that was named is not there.
    NotFound = 4,
    /// It is there, but not for this account.
    Denied = 5,
    /// Something else is there or was there first.
    Conflict = 6,
    /// The quota is used up.
    OverQuota = 7,
    /// The server or the network cannot do it now; trying again later may help.
    Unavailable = 8,
    /// Done, but some files were left out; the messages name them.
    LeftOut = 9,
    /// Stored data is damaged.
    Damaged = 10,
    /// Interrupted from the keyboard; what was under way can be continued.
    Interrupted = 130,
}

impl Exit {
    /// The word that `--json` uses beside the number.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::NotLoggedIn => "not_logged_in",
            Self::NotFound => "not_found",
            Self::Denied => "denied",
            Self::Conflict => "conflict",
            Self::OverQuota => "over_quota",
            Self::Unavailable => "unavailable",
            Self::LeftOut => "left_out",
            Self::Damaged => "damaged",
            Self::Interrupted => "interrupted",
        }
    }

    /// The code for a refusal by the server.
    pub(crate) const fn of(code: ErrorCode) -> Self {
        match code {
            ErrorCode::Invalid | ErrorCode::TooLarge | ErrorCode::Unsupported => Self::Usage,
            ErrorCode::Unauthenticated => Self::NotLoggedIn,
            ErrorCode::Denied => Self::Denied,
            ErrorCode::NotFound => Self::NotFound,
            ErrorCode::Exists | ErrorCode::NotEmpty | ErrorCode::Locked | ErrorCode::Stale => {
                Self::Conflict
            }
            ErrorCode::OverQuota => Self::OverQuota,
            ErrorCode::Limited | ErrorCode::Unavailable => Self::Unavailable,
            ErrorCode::Corrupt => Self::Damaged,
            ErrorCode::Cancelled => Self::Interrupted,
            ErrorCode::Internal => Self::Failed,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        // The enum is `repr(u8)`, so its discriminants are the codes.
        Self::from(exit as u8)
    }
}

/// An error with its exit code and, where there is one, the next thing to do.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    code: Option<ErrorCode>,
    message: String,
    hint: Option<String>,
}

impl Failure {
    /// A failure that a person can read: a sentence with a capital letter, without its full stop.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            code: None,
            message: message.into(),
            hint: None,
        }
    }

    /// A refusal by the server.
    pub(crate) fn refused(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code: Some(code),
            ..Self::new(Exit::of(code), message)
        }
    }

    /// Whether it is a refusal by the server with that code.
    pub(crate) fn is(&self, code: ErrorCode) -> bool {
        self.code == Some(code)
    }

    /// A fault of the command line or the configuration.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// The exit code, and what to do next.
    pub(crate) fn parts(&self) -> (Exit, Option<String>) {
        (self.exit, self.hint.clone())
    }

    /// Adds what to do next: a whole sentence.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// What is told of an error, to people and, as JSON, to programs.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub(crate) struct Report {
    /// The number that the program exits with.
    pub(crate) exit: u8,
    /// The same as a word.
    pub(crate) code: &'static str,
    /// The chain of causes, outermost first.
    pub(crate) message: String,
    /// The next thing to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
    /// The server's name for the request, to be found in its log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request_id: Option<String>,
    #[serde(skip)]
    pub(crate) status: Exit,
}
