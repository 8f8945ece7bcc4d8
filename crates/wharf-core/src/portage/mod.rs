//! Everything an account owns, taken out and brought in without loss.

use crate::Ground;

/// The export and import. Clones are the same.
#[derive(Clone)]
pub struct Portage {
    #[expect(dead_code, reason = "filled in by the next commit")]
    ground: Ground,
}

impl Portage {
    pub(crate) const fn new(ground: Ground) -> Self {
        Self { ground }
    }
}
