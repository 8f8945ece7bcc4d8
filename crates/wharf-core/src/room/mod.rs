//! Rooms and memberships: making them, joining, leaving, roles, invitations, links, and the account's own list.

mod list;
mod make;
mod rows;

pub(crate) use list::{Thing, touch};
pub(crate) use make::{NewRoom, insert, insert_member};

use crate::Ground;

/// The operations on rooms. Clones are the same.
#[derive(Clone)]
pub struct Rooms {
    #[expect(dead_code, reason = "filled in by the next commit")]
    ground: Ground,
}

impl Rooms {
    pub(crate) const fn new(ground: Ground) -> Self {
        Self { ground }
    }
}
