//! A log as a journal: by day, by origin, by tag.

use crate::Ground;

/// The operations on journals. Clones are the same.
#[derive(Clone)]
pub struct Diaries {
    #[expect(dead_code, reason = "filled in by the next commit")]
    ground: Ground,
}

impl Diaries {
    pub(crate) const fn new(ground: Ground) -> Self {
        Self { ground }
    }
}
