//! Search over messages and file names, behind the logs and drives.

use crate::Ground;

/// The search. Clones are the same.
#[derive(Clone)]
pub struct Search {
    #[expect(dead_code, reason = "filled in by the next commit")]
    ground: Ground,
}

impl Search {
    pub(crate) const fn new(ground: Ground) -> Self {
        Self { ground }
    }
}
