//! What can be wrong with the local copy.

use std::io;
use std::path::PathBuf;

use wharf_types::AccountId;

use crate::api::ApiError;

/// Why something could not be done with the local copy.
#[derive(Debug, thiserror::Error)]
pub enum ChatError {
    /// SQLite refused.
    #[error("the local copy of the conversations cannot be used: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A local file cannot be used: the copy's own, or one to hand over.
    #[error("cannot use {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// What is recorded is not what this version of the program writes.
    #[error("the local copy of the conversations holds what this version does not know: {0}")]
    Unknown(String),
    /// The copy is of another account than the one that is logged in.
    #[error(
        "the local copy is of another account ({kept}) than the one that is logged in ({found})"
    )]
    OtherAccount {
        /// Whose it is.
        kept: AccountId,
        /// Who is logged in.
        found: AccountId,
    },
    /// There is no such item among those that wait.
    #[error("nothing waits under the number {0}")]
    Missing(i64),
    /// The item is already on its way, or done.
    #[error("it is too late to take that back")]
    TooLate,
    /// What was asked for makes no sense, such as handing over a folder.
    #[error("{0}")]
    Invalid(String),
    /// The server refused, or could not be reached.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The chat was closed.
    #[error("the chat was closed")]
    Closed,
}

impl From<serde_json::Error> for ChatError {
    fn from(error: serde_json::Error) -> Self {
        Self::Unknown(error.to_string())
    }
}
