//! The log of a room: entries at dense positions, chained by their hashes, appended once.

use crate::Ground;

/// The operations on logs. Clones are the same.
#[derive(Clone)]
pub struct Logs {
    #[expect(dead_code, reason = "filled in by the next commit")]
    ground: Ground,
}

impl Logs {
    pub(crate) const fn new(ground: Ground) -> Self {
        Self { ground }
    }
}
