//! The one error that leaves the house.
//!
//! Rules:
//! - An [`Error`] has a public kind, a text that is safe to show to the person who asked, and perhaps a cause that is
//!   for the log alone (it may name paths, queries and ids). The two are never mixed.
//! - The operation that knows what was being asked writes the text; helpers below it return facts.
//! - [`ErrorCode::Denied`] only where the caller may know that the thing exists; otherwise [`ErrorCode::NotFound`].
//! - An expected refusal has no cause. What has one is logged by the door that answers it, once.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

use wharf_store::{blob, chunk, sql};
use wharf_types::ErrorCode;
use wharf_types::api::drive::FailedOp;

/// When to try again where the database is away. The operation has been tried for a second by then, and a database that starts
/// again is there in a moment; clients draw their own pauses out.
const DATABASE_RETRY_SECONDS: u64 = 1;

/// Why an operation was refused or failed. One pointer wide.
pub struct Error(Box<Parts>);

struct Parts {
    code: ErrorCode,
    text: Cow<'static, str>,
    source: Option<Box<dyn StdError + Send + Sync>>,
    retry_after_seconds: Option<u64>,
    failed: Vec<FailedOp>,
}

/// A result of the house.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A refusal of kind `code`; `text` is shown to the person who asked.
    pub fn new(code: ErrorCode, text: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Parts {
            code,
            text: text.into(),
            source: None,
            retry_after_seconds: None,
            failed: Vec::new(),
        }))
    }

    /// A value outside its bounds.
    pub fn invalid(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::Invalid, text)
    }

    /// No such thing, or none that the caller may know of.
    pub fn not_found(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::NotFound, text)
    }

    /// Something known to the caller that it may not do.
    pub fn denied(text: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::Denied, text)
    }

    /// A fault of the server. `text` is for the log; the person is told only that there was a fault.
    pub fn internal(text: impl Into<Cow<'static, str>>) -> Self {
        Self::fault().because(Fault(text.into()))
    }

    fn fault() -> Self {
        Self::new(
            ErrorCode::Internal,
            "the server met a fault; its log has the cause",
        )
    }

    /// Attaches the cause, for the log.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Says after how many seconds another attempt may succeed.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after_seconds = Some(seconds);
        self
    }

    /// Names the operations of a commit whose expectations failed.
    #[must_use]
    pub fn with_failed(mut self, failed: Vec<FailedOp>) -> Self {
        self.0.failed = failed;
        self
    }

    /// The kind.
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// What to show to the person who asked.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// Seconds after which another attempt may succeed.
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.0.retry_after_seconds
    }

    /// The operations of a commit whose expectations failed.
    pub fn failed(&self) -> &[FailedOp] {
        &self.0.failed
    }

    /// Whether there is a cause worth a line in the log: an expected refusal has none.
    pub fn is_fault(&self) -> bool {
        self.0.source.is_some()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code, self.0.text)?;
        let mut source = self.source();
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let source = self.0.source.as_ref()?;
        Some(source.as_ref())
    }
}

/// The log's text of a fault that has no error value of its own.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Fault(Cow<'static, str>);

impl From<sql::Error> for Error {
    /// What a statement met, where the operation did not expect it. A key that is taken or a row that is missing is the
    /// operation's to explain; here they are faults.
    fn from(error: sql::Error) -> Self {
        match &error {
            sql::Error::Full => Self::new(
                ErrorCode::Unavailable,
                "the server's disk is full, nothing was changed: its operator must make room",
            ),
            sql::Error::Retry => Self::new(
                ErrorCode::Unavailable,
                "the server is busy with the same things, nothing was changed: try again",
            )
            .retry_after(1),
            sql::Error::Uncertain => Self::new(
                ErrorCode::Unavailable,
                "the database went away at the last moment: look whether it was done, then try again",
            )
            .retry_after(DATABASE_RETRY_SECONDS),
            sql::Error::Unavailable(_) => Self::new(
                ErrorCode::Unavailable,
                "the database cannot be reached now, nothing was changed: try again later",
            )
            .retry_after(DATABASE_RETRY_SECONDS),
            sql::Error::Failed(_) => Self::new(
                ErrorCode::Unavailable,
                "the server's disk has failed: its operator must look after it and restart the server",
            ),
            sql::Error::Io(_) => Self::new(
                ErrorCode::Unavailable,
                "the server's disk cannot be read: its operator must look after it",
            ),
            sql::Error::Closed => Self::new(ErrorCode::Unavailable, "the server is closing")
                .retry_after(5),
            sql::Error::Unique
            | sql::Error::ForeignKey
            | sql::Error::Missing
            | sql::Error::Ambiguous
            | sql::Error::Poisoned
            | sql::Error::Panicked(_)
            | sql::Error::Corrupt(_)
            | sql::Error::Migration(_)
            | sql::Error::Other(_) => Self::fault(),
        }
        .because(error)
    }
}

impl From<blob::Error> for Error {
    fn from(error: blob::Error) -> Self {
        of_blob(&error).because(error)
    }
}

impl From<chunk::Error> for Error {
    fn from(error: chunk::Error) -> Self {
        match error {
            chunk::Error::Sql(error) => error.into(),
            chunk::Error::Blob(error) => of_blob(&error).because(error),
            chunk::Error::Fault(_) => Self::fault().because(error),
            chunk::Error::Stopping => Self::new(ErrorCode::Unavailable, "the server is closing")
                .retry_after(5)
                .because(error),
        }
    }
}

fn of_blob(error: &blob::Error) -> Error {
    match error {
        blob::Error::Full => Error::new(
            ErrorCode::Unavailable,
            "the server's disk is full, nothing was kept: its operator must make room",
        ),
        blob::Error::Failed => Error::new(
            ErrorCode::Unavailable,
            "the server's disk has failed: its operator must look after it and restart the server",
        ),
        blob::Error::Missing { .. }
        | blob::Error::Exists { .. }
        | blob::Error::Range { .. }
        | blob::Error::Key { .. }
        | blob::Error::InUse { .. }
        | blob::Error::Io { .. } => Error::fault(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use wharf_store::{blob, chunk, sql};
    use wharf_types::ErrorCode;

    use super::Error;

    #[test]
    fn what_a_person_reads_and_what_the_log_reads_are_never_mixed() {
        let error = Error::from(sql::Error::Corrupt("/secret/path".into()));
        assert_eq!(error.code(), ErrorCode::Internal);
        assert!(!error.text().contains("secret") && !error.to_string().contains("secret"));
        assert!(format!("{error:?}").contains("/secret/path"));
        assert!(error.is_fault());
        assert!(!Error::not_found("there is no such room").is_fault());
    }

    #[test]
    fn a_full_disk_says_the_same_whichever_store_met_it() {
        let full = || blob::Error::Full;
        let errors = [
            Error::from(full()),
            Error::from(chunk::Error::Blob(Arc::new(full()))),
            Error::from(sql::Error::Full),
            Error::from(chunk::Error::Sql(sql::Error::Full)),
        ];
        for error in errors {
            assert_eq!(error.code(), ErrorCode::Unavailable);
            assert!(error.text().contains("disk is full"), "{}", error.text());
            assert!(error.is_fault());
        }
    }

    #[test]
    fn what_passes_says_when_to_come_again() {
        for passing in [
            sql::Error::Retry,
            sql::Error::Closed,
            sql::Error::Unavailable("".into()),
        ] {
            let error = Error::from(passing);
            assert_eq!(error.code(), ErrorCode::Unavailable);
            assert!(error.retry_after_seconds().is_some());
        }
        assert_eq!(
            Error::from(sql::Error::Failed("".into())).retry_after_seconds(),
            None
        );
    }

    #[test]
    fn an_error_is_one_pointer_wide() {
        assert_eq!(size_of::<Error>(), size_of::<usize>());
    }
}
