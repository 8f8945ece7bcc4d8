//! `wharf room list` and `wharf room show`.

use std::fmt::Write as _;

use wharf_client::Room as Named;
use wharf_types::api::room::{History, Role, Room, RoomKind};

use crate::context::Context;
use crate::directory::{Directory, Where};
use crate::format;
use crate::output::{Align, Output, Paint, Table};
use crate::session::{About, Session};

/// Lists the rooms.
pub(super) fn list(directory: &Directory, all: bool, output: &Output) -> anyhow::Result<()> {
    let rooms = directory
        .rooms()
        .iter()
        .filter(|room| all || !room.preferences.is_hidden);
    if output.is_json() {
        return rooms.into_iter().try_for_each(|room| output.object(room));
    }
    let mut table = Table::new(&[
        ("UNREAD", Align::Right),
        ("KIND", Align::Left),
        ("ROLE", Align::Left),
        ("MEMBERS", Align::Right),
        ("LAST", Align::Left),
        ("ROOM", Align::Left),
    ]);
    for room in rooms {
        let last = room.last.as_ref();
        let paint = if room.mentions > 0 {
            Paint::Yellow
        } else {
            Paint::Plain
        };
        let mut name = directory.written(room);
        if room.archived {
            name.push_str(" (archived)");
        }
        table.painted_row([
            (paint, unread(room)),
            (Paint::Plain, kind(room.kind).to_owned()),
            (Paint::Plain, role(room.role).to_owned()),
            (Paint::Plain, room.member_count.to_string()),
            (
                Paint::Plain,
                last.map_or_else(|| "-".to_owned(), |last| format::time_ms(last.at_ms)),
            ),
            (Paint::Bold, output.name(&name).into_owned()),
        ]);
    }
    table.write(output)
}

/// `3`, `3 @1` with a mention among them, `!` for one that was marked, or nothing.
pub(crate) fn unread(room: &Room) -> String {
    let mut text = match (room.unread, room.preferences.is_marked) {
        (0, true) => "!".to_owned(),
        (0, false) => "-".to_owned(),
        (unread, _) => format::grouped(unread),
    };
    if room.mentions > 0 {
        write!(text, " @{}", format::grouped(room.mentions)).unwrap_or_default();
    }
    text
}

pub(super) const fn kind(kind: RoomKind) -> &'static str {
    match kind {
        RoomKind::Personal => "own",
        RoomKind::Direct => "direct",
        RoomKind::Group => "group",
    }
}

/// A role as a word.
pub(super) const fn role(role: Role) -> &'static str {
    match role {
        Role::Reader => "reader",
        Role::Editor => "editor",
        Role::Owner => "owner",
    }
}

/// Shows one room.
pub(super) async fn show(
    context: &Context,
    session: &Session,
    meant: &Where,
) -> anyhow::Result<()> {
    let directory = session.directory().await?;
    let id = directory.find(meant)?.id;
    let room = session.api.room(Named::Id(id)).await.about(meant)?;
    let output = &context.output;
    output.result(&room, |room| described(room, directory, output))
}

/// Everything about a room, a line each.
pub(super) fn described(room: &Room, directory: &Directory, output: &Output) -> String {
    let mut text = String::new();
    let mut line = |word: &str, value: &str| {
        writeln!(text, "{word:<10}{value}").unwrap_or_default();
    };
    line("room", &output.name(&directory.title(room)));
    line("kind", kind(room.kind));
    if !room.topic.is_empty() {
        line("topic", &output.name(&room.topic));
    }
    line("role", role(room.role));
    line("members", &room.member_count.to_string());
    if room.kind == RoomKind::Group {
        line(
            "history",
            match room.history {
                History::All => "who joins sees everything",
                History::Joined => "who joins sees what comes after",
            },
        );
    }
    line(
        "keeps",
        &match room.keep_days {
            0 => "everything".to_owned(),
            days => format::count(u64::from(days), "day", "days"),
        },
    );
    let state = match (room.archived, room.can_write) {
        (true, _) => "archived: can only be read",
        (false, true) => "open",
        (false, false) => "you can only read",
    };
    line("state", state);
    line(
        "log",
        &format!(
            "{}, {} unread",
            format::count(room.head, "entry", "entries"),
            format::grouped(room.unread)
        ),
    );
    line("made", &format::time_ms(room.created_ms));
    line("joined", &format::time_ms(room.joined_ms));
    line("id", &room.id.to_string());
    text.truncate(text.trim_end().len());
    text
}
