//! What keys do, for people.

use crate::tui::keymap::{Command, Keymap};
use crate::tui::model::Model;
use crate::tui::text::{Piece, Row, width};

/// A row of the help.
enum Line {
    /// Commands that belong together, whose keys can be chosen, and what they do.
    Chosen(&'static [Command], &'static str),
    /// Keys that cannot.
    Fixed(&'static str, &'static str),
}

use Line::{Chosen, Fixed};

/// Columns that the keys have; longer ones have a row of their own.
const KEY_COLUMNS: u16 = 21;

/// What keys do, by where they do it. The help is this table, and the guide is compared with it.
const KEYS: &[(&str, &[Line])] = &[
    (
        "Everywhere",
        &[
            Chosen(&[Command::Jump], "jump to a chat or a person by name"),
            Chosen(&[Command::Search], "search messages and files"),
            Chosen(&[Command::Day], "go to a day of this chat"),
            Chosen(&[Command::New], "add a contact, make a room"),
            Chosen(&[Command::HandOver], "hand over files"),
            Chosen(&[Command::Files], "files of this chat, with their progress"),
            Chosen(&[Command::Members], "members of this chat"),
            Chosen(&[Command::Lists], "chats or contacts"),
            Chosen(&[Command::Status], "your own status"),
            Chosen(
                &[Command::ChatBefore, Command::ChatAfter],
                "chat before, chat after",
            ),
            Chosen(
                &[Command::UnreadBefore, Command::UnreadAfter],
                "unread chat before, after",
            ),
            Fixed("Tab, Shift-Tab", "next part of the screen, and back"),
            Chosen(
                &[Command::PageUp, Command::PageDown],
                "scroll the conversation",
            ),
            Chosen(
                &[Command::FirstNew, Command::End],
                "its first new message, its end",
            ),
            Chosen(&[Command::Redraw], "draw the screen again"),
            Chosen(&[Command::Help], "this page"),
            Chosen(&[Command::Leave], "leave; Ctrl-C twice, too"),
        ],
    ),
    (
        "Writing",
        &[
            Fixed("Enter", "send"),
            Chosen(
                &[Command::NewLine],
                "new line; Shift-Enter where the terminal tells it",
            ),
            Fixed("Up", "in an empty line: change the last own message"),
            Chosen(
                &[Command::SentBefore, Command::SentAfter],
                "what was sent before, after",
            ),
            Fixed("@name then Tab", "mention somebody; @all means everybody"),
            Fixed("Ctrl-W, Ctrl-U", "erase a word, the line"),
            Fixed("Esc", "no reply or change after all; then select a message"),
        ],
    ),
    (
        "A selected message",
        &[
            Fixed("Up, Down, Home, End", "select another one"),
            Chosen(&[Command::Reply], "reply"),
            Chosen(&[Command::Change], "change it, where it is yours"),
            Chosen(&[Command::Recall], "recall it, where it is yours"),
            Chosen(&[Command::React], "react; the same again takes it back"),
            Chosen(&[Command::Pin], "pin it, or take the pin away"),
            Chosen(&[Command::Fetch], "fetch its file; so does Enter"),
            Chosen(&[Command::Save], "save its file to your drive"),
            Chosen(&[Command::Copy], "copy its text"),
            Chosen(&[Command::Forward], "forward it to another chat"),
            Chosen(
                &[Command::About],
                "who has read it, what it said before, all of it",
            ),
            Chosen(&[Command::Menu], "all of this as a menu"),
            Chosen(
                &[Command::Retry, Command::Drop],
                "try again, or drop, what was not sent",
            ),
        ],
    ),
    (
        "The list",
        &[
            Fixed("Enter", "open; fold or unfold a group of contacts"),
            Chosen(
                &[Command::ListMenu],
                "what can be done: remark, group, mute, pin, leave, …",
            ),
            Fixed("Left, Right", "chats, contacts"),
            Fixed("another letter", "write it in the open chat"),
        ],
    ),
];

impl Line {
    fn words(&self, keys: &Keymap) -> (String, &'static str) {
        match self {
            Chosen(commands, what) => (keys.label(commands), what),
            Fixed(key, what) => ((*key).to_owned(), what),
        }
    }
}

/// The rows of the help, with the keys that there are.
pub(crate) fn help_rows(model: &Model) -> Vec<Row> {
    let theme = model.theme;
    let mut rows = Vec::new();
    for (place, lines) in KEYS {
        if !rows.is_empty() {
            rows.push(Row::new());
        }
        rows.push(vec![Piece::new(*place, theme.bold())]);
        for (key, what) in lines.iter().map(|line| line.words(&model.keys)) {
            let columns = width(&key);
            let key = Piece::new(format!("  {key}"), theme.accent());
            let blank = |columns: u16| Piece::plain(" ".repeat(usize::from(columns)));
            if columns < KEY_COLUMNS {
                rows.push(vec![key, blank(KEY_COLUMNS - columns), Piece::plain(what)]);
            } else {
                rows.push(vec![key]);
                rows.push(vec![blank(KEY_COLUMNS + 2), Piece::plain(what)]);
            }
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::{Chosen, KEYS, Line};
    use crate::tui::keymap::{COMMANDS, Keymap};

    const GUIDE: &str = include_str!("../../../../../docs/guide/chat.md");

    #[test]
    fn the_guide_names_every_key() {
        let map = Keymap::default();
        for line in KEYS.iter().flat_map(|(_, lines)| *lines) {
            let (key, what) = line.words(&map);
            assert!(GUIDE.contains(&format!("| `{key}` |")), "{key}: {what}");
        }
    }

    #[test]
    fn every_command_is_in_the_help_once_and_in_the_guide_by_its_name() {
        let lines = KEYS.iter().flat_map(|(_, lines)| *lines);
        let mut shown: Vec<_> = lines
            .filter_map(|line| match line {
                Chosen(commands, _) => Some(*commands),
                Line::Fixed(..) => None,
            })
            .flatten()
            .collect();
        for (command, name, ..) in &COMMANDS {
            let count = shown.len();
            shown.retain(|other| *other != command);
            assert_eq!(shown.len() + 1, count, "{name}");
            assert!(GUIDE.contains(&format!("`{name}`")), "{name}");
        }
    }
}
