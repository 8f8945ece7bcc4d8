//! Webhooks: an address to post into a room, and an address that a room's entries are posted to.

use crate::Ground;

/// The operations on webhooks. Clones are the same.
#[derive(Clone)]
pub struct Hooks {
    #[expect(dead_code, reason = "filled in by the next commit")]
    ground: Ground,
}

impl Hooks {
    pub(crate) const fn new(ground: Ground) -> Self {
        Self { ground }
    }
}
