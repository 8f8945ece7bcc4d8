//! What keys do, and which of them a person chose otherwise.

mod chord;

use std::collections::BTreeMap;

use crossterm::event::KeyEvent;

pub(crate) use chord::Chord;

/// Something that a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    Jump,
    Search,
    Day,
    New,
    HandOver,
    Files,
    Members,
    Lists,
    Status,
    ChatBefore,
    ChatAfter,
    UnreadBefore,
    UnreadAfter,
    PageUp,
    PageDown,
    FirstNew,
    End,
    Redraw,
    Help,
    Leave,
    NewLine,
    SentBefore,
    SentAfter,
    Reply,
    Change,
    Recall,
    React,
    Pin,
    Fetch,
    Save,
    Copy,
    Forward,
    About,
    Menu,
    Retry,
    Drop,
    ListMenu,
}

/// Where a key does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Everywhere,
    Writing,
    Message,
    List,
}

/// Every command: what it is called in the configuration, where it is, and its keys as long as nobody chose others.
pub(crate) const COMMANDS: [(Command, &str, Place, &[&str]); 37] = [
    (Command::Jump, "jump", Place::Everywhere, &["Ctrl-K"]),
    (
        Command::Search,
        "search",
        Place::Everywhere,
        &["Ctrl-F", "F3"],
    ),
    (Command::Day, "day", Place::Everywhere, &["Ctrl-G"]),
    (Command::New, "new", Place::Everywhere, &["Ctrl-N"]),
    (
        Command::HandOver,
        "hand_over",
        Place::Everywhere,
        &["Ctrl-O"],
    ),
    (Command::Files, "files", Place::Everywhere, &["Ctrl-T"]),
    (Command::Members, "members", Place::Everywhere, &["F5"]),
    (Command::Lists, "lists", Place::Everywhere, &["F2"]),
    (Command::Status, "status", Place::Everywhere, &["F4"]),
    (
        Command::ChatBefore,
        "chat_before",
        Place::Everywhere,
        &["Alt-Up"],
    ),
    (
        Command::ChatAfter,
        "chat_after",
        Place::Everywhere,
        &["Alt-Down"],
    ),
    (
        Command::UnreadBefore,
        "unread_before",
        Place::Everywhere,
        &["Alt-Shift-Up"],
    ),
    (
        Command::UnreadAfter,
        "unread_after",
        Place::Everywhere,
        &["Alt-Shift-Down"],
    ),
    (Command::PageUp, "page_up", Place::Everywhere, &["PageUp"]),
    (
        Command::PageDown,
        "page_down",
        Place::Everywhere,
        &["PageDown"],
    ),
    (
        Command::FirstNew,
        "first_new",
        Place::Everywhere,
        &["Ctrl-Home"],
    ),
    (Command::End, "end", Place::Everywhere, &["Ctrl-End"]),
    (Command::Redraw, "redraw", Place::Everywhere, &["Ctrl-L"]),
    (Command::Help, "help", Place::Everywhere, &["Ctrl-/", "F1"]),
    (Command::Leave, "leave", Place::Everywhere, &["Ctrl-Q"]),
    (
        Command::NewLine,
        "new_line",
        Place::Writing,
        &["Ctrl-J", "Alt-Enter", "Shift-Enter"],
    ),
    (
        Command::SentBefore,
        "sent_before",
        Place::Writing,
        &["Ctrl-Up"],
    ),
    (
        Command::SentAfter,
        "sent_after",
        Place::Writing,
        &["Ctrl-Down"],
    ),
    (Command::Reply, "reply", Place::Message, &["r"]),
    (Command::Change, "change", Place::Message, &["e"]),
    (Command::Recall, "recall", Place::Message, &["d"]),
    (Command::React, "react", Place::Message, &["+"]),
    (Command::Pin, "pin", Place::Message, &["p"]),
    (Command::Fetch, "fetch", Place::Message, &["o"]),
    (Command::Save, "save", Place::Message, &["s"]),
    (Command::Copy, "copy", Place::Message, &["y"]),
    (Command::Forward, "forward", Place::Message, &["f"]),
    (Command::About, "about", Place::Message, &["i"]),
    (Command::Menu, "menu", Place::Message, &["m"]),
    (Command::Retry, "retry", Place::Message, &["t"]),
    (Command::Drop, "drop", Place::Message, &["x"]),
    (Command::ListMenu, "list_menu", Place::List, &["m"]),
];

/// The keys of all commands.
#[derive(Debug, Clone)]
pub(crate) struct Keymap(Vec<(Command, Place, Chord)>);

impl Default for Keymap {
    fn default() -> Self {
        let chords = COMMANDS.iter().flat_map(|(command, _, place, keys)| {
            let chords = keys.iter().filter_map(|key| key.parse().ok());
            chords.map(|chord| (*command, *place, chord))
        });
        Self(chords.collect())
    }
}

impl Keymap {
    /// The keys that a person chose, by the commands' names, and the usual ones for the rest.
    ///
    /// # Errors
    /// What cannot be, for the person: a name or key that there is not, a key that has something else to do.
    pub(crate) fn new(chosen: &BTreeMap<String, Vec<String>>) -> Result<Self, String> {
        let mut map = Self::default();
        for (name, keys) in chosen {
            let Some((command, _, place, _)) = COMMANDS.iter().find(|(_, other, ..)| other == name)
            else {
                let names: Vec<_> = COMMANDS.iter().map(|(_, name, ..)| *name).collect();
                return Err(format!(
                    "`{name}` is nothing that a key does; these are: {}",
                    names.join(", ")
                ));
            };
            map.0.retain(|(other, ..)| other != command);
            for key in keys {
                let chord = chord(name, *place, key)?;
                map.0.push((*command, *place, chord));
            }
        }
        map.check()?;
        Ok(map)
    }

    /// Refuses a key that does two things in one place.
    fn check(&self) -> Result<(), String> {
        for (index, (command, place, chord)) in self.0.iter().enumerate() {
            let twice = self.0.iter().skip(index + 1).find(|(_, other, same)| {
                let meets = *place == Place::Everywhere || *other == Place::Everywhere;
                same == chord && (meets || other == place)
            });
            if let Some((other, ..)) = twice {
                return Err(format!(
                    "{chord} is a key of both `{}` and `{}`",
                    name_of(*command),
                    name_of(*other)
                ));
            }
        }
        Ok(())
    }

    /// What a key does in a place.
    pub(crate) fn command(&self, place: Place, key: KeyEvent) -> Option<Command> {
        let pressed = Chord::of(key);
        let mut keys = self.0.iter();
        keys.find(|(_, other, chord)| *other == place && *chord == pressed)
            .map(|(command, ..)| *command)
    }

    /// The first key of a command, as shortly as it can be said; none where it has none.
    pub(crate) fn short(&self, command: Command) -> Option<String> {
        let mut keys = self.0.iter().filter(|(other, ..)| *other == command);
        let (.., chord) = keys.next()?;
        Some(chord.to_string().replace("Ctrl-", "^"))
    }

    /// The keys of some commands, for people: of one command all, of several the first of each.
    pub(crate) fn label(&self, commands: &[Command]) -> String {
        let of = |command: &Command| {
            let keys = self.0.iter().filter(|(other, ..)| other == command);
            keys.map(|(.., chord)| chord.to_string())
                .collect::<Vec<_>>()
        };
        let keys: Vec<String> = match commands {
            [command] => of(command),
            commands => commands
                .iter()
                .filter_map(|command| of(command).into_iter().next())
                .collect(),
        };
        if keys.is_empty() {
            "no key".to_owned()
        } else {
            keys.join(", ")
        }
    }
}

fn name_of(command: Command) -> &'static str {
    let found = COMMANDS.iter().find(|(other, ..)| *other == command);
    found.map_or("", |(_, name, ..)| name)
}

/// A key that a person chose for a command, if it can be one.
fn chord(name: &str, place: Place, key: &str) -> Result<Chord, String> {
    let chord: Chord = key.parse().map_err(|()| {
        format!(
            "`{key}` for `{name}` is no key; keys are written like Ctrl-K, Alt-Shift-Up, F5 or y"
        )
    })?;
    if chord.is_fixed() {
        return Err(format!(
            "{chord} cannot be a key of `{name}`: it moves, chooses, closes or erases"
        ));
    }
    if chord.is_typed() && matches!(place, Place::Everywhere | Place::Writing) {
        return Err(format!(
            "{chord} cannot be a key of `{name}`: it is needed for writing"
        ));
    }
    if place == Place::Message && chord.is_step() {
        return Err(format!(
            "{chord} cannot be a key of `{name}`: it goes to another message"
        ));
    }
    Ok(chord)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    use super::{COMMANDS, Command, Keymap, Place};

    fn chosen(keys: &[(&str, &[&str])]) -> Result<Keymap, String> {
        let keys = keys.iter().map(|(name, keys)| {
            let keys = keys.iter().map(|key| (*key).to_owned()).collect();
            ((*name).to_owned(), keys)
        });
        Keymap::new(&keys.collect::<BTreeMap<_, _>>())
    }

    #[test]
    fn the_usual_keys_are_keys_and_each_does_one_thing() {
        let map = chosen(&[]).unwrap();
        let count: usize = COMMANDS.iter().map(|(.., keys)| keys.len()).sum();
        assert_eq!(map.0.len(), count, "all of them can be read");
        for (command, name, place, keys) in COMMANDS {
            let keys: Vec<_> = keys.iter().map(|key| (*key).to_owned()).collect();
            let same = BTreeMap::from([(name.to_owned(), keys)]);
            assert!(Keymap::new(&same).is_ok(), "{name}");
            assert!(
                map.0
                    .iter()
                    .any(|(other, at, _)| *other == command && *at == place)
            );
        }
    }

    #[test]
    fn a_chosen_key_takes_the_place_of_the_usual_ones() {
        let map = chosen(&[
            ("jump", &["Ctrl-P", "F9"]),
            ("reply", &["a"]),
            ("redraw", &[]),
        ])
        .unwrap();
        let pressed = |place, code, modifiers| map.command(place, KeyEvent::new(code, modifiers));
        let ctrl = KeyModifiers::CONTROL;
        assert_eq!(
            pressed(Place::Everywhere, KeyCode::Char('p'), ctrl),
            Some(Command::Jump)
        );
        assert_eq!(pressed(Place::Everywhere, KeyCode::Char('k'), ctrl), None);
        assert_eq!(pressed(Place::Everywhere, KeyCode::Char('l'), ctrl), None);
        let none = KeyModifiers::NONE;
        assert_eq!(
            pressed(Place::Message, KeyCode::Char('a'), none),
            Some(Command::Reply)
        );
        assert_eq!(pressed(Place::Message, KeyCode::Char('r'), none), None);
        assert_eq!(
            pressed(Place::Message, KeyCode::Char('m'), none),
            Some(Command::Menu)
        );
        assert_eq!(
            pressed(Place::List, KeyCode::Char('m'), none),
            Some(Command::ListMenu)
        );
        assert_eq!(map.label(&[Command::Jump]), "Ctrl-P, F9");
        assert_eq!(
            map.label(&[Command::ChatBefore, Command::ChatAfter]),
            "Alt-Up, Alt-Down"
        );
        assert_eq!(map.label(&[Command::Redraw]), "no key");
    }

    #[test]
    fn keys_can_be_exchanged() {
        let map = chosen(&[("jump", &["Ctrl-F"]), ("search", &["Ctrl-K"])]).unwrap();
        assert_eq!(map.label(&[Command::Search]), "Ctrl-K");
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_reason() {
        for (keys, why) in [
            (
                ("jmp", "Ctrl-P"),
                "`jmp` is nothing that a key does; these are: jump, search",
            ),
            (("jump", "Ctrl"), "`Ctrl` for `jump` is no key"),
            (
                ("jump", "Ctrl-F"),
                "Ctrl-F is a key of both `search` and `jump`",
            ),
            (
                ("forward", "Ctrl-F"),
                "Ctrl-F is a key of both `search` and `forward`",
            ),
            (("forward", "r"), "r is a key of both `reply` and `forward`"),
            (
                ("jump", "j"),
                "j cannot be a key of `jump`: it is needed for writing",
            ),
            (
                ("reply", "j"),
                "j cannot be a key of `reply`: it goes to another message",
            ),
            (
                ("new_line", "Enter"),
                "Enter cannot be a key of `new_line`: it moves, chooses",
            ),
            (("help", "Ctrl-C"), "Ctrl-C cannot be a key of `help`"),
            (("help", "Ctrl-I"), "Ctrl-I cannot be a key of `help`"),
        ] {
            let (name, key) = keys;
            let refused = chosen(&[(name, &[key])]).unwrap_err();
            assert!(refused.starts_with(why), "{refused}");
        }
    }
}
