//! How rooms and memberships stand in their rows.

use wharf_store::sql;
use wharf_types::api::room::{History, Notify, Role, RoomKind};

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

pub(crate) const fn notify_text(notify: Notify) -> &'static str {
    match notify {
        Notify::All => "all",
        Notify::Mentions => "mentions",
        Notify::Nothing => "nothing",
    }
}

pub(crate) fn kind_from(text: &str) -> sql::Result<RoomKind> {
    match text {
        "personal" => Ok(RoomKind::Personal),
        "direct" => Ok(RoomKind::Direct),
        "group" => Ok(RoomKind::Group),
        other => Err(sql::Error::corrupt(format!("kind of room {other:?}"))),
    }
}

pub(crate) fn role_from(text: &str) -> sql::Result<Role> {
    match text {
        "owner" => Ok(Role::Owner),
        "editor" => Ok(Role::Editor),
        "reader" => Ok(Role::Reader),
        other => Err(sql::Error::corrupt(format!("member role {other:?}"))),
    }
}

pub(super) fn history_from(text: &str) -> sql::Result<History> {
    match text {
        "joined" => Ok(History::Joined),
        "all" => Ok(History::All),
        other => Err(sql::Error::corrupt(format!("history {other:?}"))),
    }
}

pub(super) fn notify_from(text: &str) -> sql::Result<Notify> {
    match text {
        "all" => Ok(Notify::All),
        "mentions" => Ok(Notify::Mentions),
        "nothing" => Ok(Notify::Nothing),
        other => Err(sql::Error::corrupt(format!("notify {other:?}"))),
    }
}
