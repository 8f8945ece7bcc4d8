//! What a transfer tells when it ends.

use serde::Serialize;

/// Something about one path that a person should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// The path, from what was asked for.
    pub path: String,
    /// What kind of thing it is.
    pub kind: NoticeKind,
    /// In words.
    pub detail: String,
}

/// What kind of thing a notice tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// A link or special file, left out on purpose. It does not make a transfer incomplete.
    LeftOut,
    /// A name that the other side cannot represent, or that would collide with another one there.
    Name,
    /// Another name there differs only in letter case; both are kept. It does not make a transfer incomplete.
    Case,
    /// The other side holds something else, which was kept.
    Conflict,
    /// The file kept changing while it was read.
    Changing,
    /// The local disk or its permissions refused.
    Local,
    /// The server refused this one.
    Refused,
    /// The stored bytes do not match their hash, and no good copy is left.
    Corrupt,
}

/// What a transfer did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Files and links that were transferred.
    pub files_moved: u64,
    /// Files that were there already.
    pub files_unchanged: u64,
    /// Folders that were made.
    pub folders_made: u64,
    /// Bytes of the files that were transferred.
    pub bytes_moved: u64,
    /// Bytes of chunks that travelled.
    pub bytes_wire: u64,
    /// What a person should know, at most [`Report::NOTICES_MAX`].
    pub notices: Vec<Notice>,
    /// Notices that were left out of the list.
    pub notices_more: u64,
    /// Paths that are not as they should be.
    pub failed: u64,
}

impl Report {
    /// Most notices that a report lists.
    pub const NOTICES_MAX: usize = 1_000;

    /// Whether everything that was asked for is in place.
    pub fn is_complete(&self) -> bool {
        self.failed == 0
    }

    pub(crate) fn notice(&mut self, notice: Notice) {
        if !matches!(notice.kind, NoticeKind::LeftOut | NoticeKind::Case) {
            self.failed += 1;
        }
        if self.notices.len() < Self::NOTICES_MAX {
            self.notices.push(notice);
        } else {
            self.notices_more += 1;
        }
    }
}

impl Notice {
    pub(crate) fn new(
        path: impl Into<String>,
        kind: NoticeKind,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            path: path.into(),
            kind,
            detail: detail.into(),
        }
    }
}
