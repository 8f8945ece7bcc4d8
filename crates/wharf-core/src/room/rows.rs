//! How rooms and memberships stand in their rows.

use wharf_types::api::room::{History, Role, RoomKind};

pub(crate) const fn kind_text(kind: RoomKind) -> &'static str {
    match kind {
        RoomKind::Personal => "personal",
        RoomKind::Direct => "direct",
        RoomKind::Group => "group",
    }
}

pub(crate) const fn role_text(role: Role) -> &'static str {
    match role {
        Role::Owner => "owner",
        Role::Editor => "editor",
        Role::Reader => "reader",
    }
}

pub(crate) const fn history_text(history: History) -> &'static str {
    match history {
        History::Joined => "joined",
        History::All => "all",
    }
}
