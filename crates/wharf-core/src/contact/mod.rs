//! Contacts: who knows whom, and in which groups.

use crate::Ground;

/// The operations on contacts. Clones are the same.
#[derive(Clone)]
pub struct Contacts {
    #[expect(dead_code, reason = "filled in by the next commit")]
    ground: Ground,
}

impl Contacts {
    pub(crate) const fn new(ground: Ground) -> Self {
        Self { ground }
    }
}
