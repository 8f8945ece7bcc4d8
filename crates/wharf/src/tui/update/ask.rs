//! Questions that are answered with a line of text.

use std::path::PathBuf;

use wharf_types::api::contact::EditContact;
use wharf_types::api::room::CreateRoom;

use crate::tui::composer::Composer;
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::overlay::{Ask, Asking, Overlay};

impl Model {
    pub(super) fn ask(&mut self, what: Asking) {
        let mut line = Composer::default();
        let (title, hint) = match &what {
            Asking::Contact => (
                "Add a contact",
                "A six-digit number, a username or an e-mail address. They see your request and answer it. After the name you may say something: ada Hello, it is me.",
            ),
            Asking::Room => (
                "Make a room",
                "Its name. You are its owner; invite people with m in the list.",
            ),
            Asking::Remark(account) => {
                let remark = self
                    .contact(*account)
                    .map(|view| view.contact.remark.clone());
                line.set(remark.unwrap_or_default());
                (
                    "Your name for them",
                    "Only you see it. Nothing: the name that they chose.",
                )
            }
            Asking::Group(_) => ("A new group of contacts", "Its name."),
            Asking::Paths(_) => (
                "Hand over files",
                "Paths, each in quotes where it has spaces. Dropping files onto the terminal writes them here.",
            ),
            Asking::Folder(_, file) => {
                line.set(
                    self.downloads
                        .join(file_name(&file.name))
                        .display()
                        .to_string(),
                );
                (
                    "Fetch the file to",
                    "A file that is there already is not touched: the new one gets a number.",
                )
            }
            Asking::Reaction(_) => ("React", "An emoji, or a short word."),
            Asking::Day(_) => (
                "Go to a day",
                "2026-11-20, or 11-20 for the last one there was; today; yesterday. The chat is shown from its first message on.",
            ),
        };
        self.overlay = Some(Overlay::Ask(Box::new(Ask {
            title: title.to_owned(),
            hint: hint.to_owned(),
            line,
            what,
        })));
    }

    /// The line was answered.
    pub(super) fn answered(&mut self, ask: Ask) -> Vec<Effect> {
        let answer = ask.line.text().trim().to_owned();
        if answer.is_empty() && !matches!(ask.what, Asking::Remark(_)) {
            return Vec::new();
        }
        match ask.what {
            Asking::Contact => {
                let (who, word) = answer
                    .split_once(char::is_whitespace)
                    .unwrap_or((&answer, ""));
                vec![Effect::Ask {
                    who: who.to_owned(),
                    word: word.trim().to_owned(),
                }]
            }
            Asking::Room => vec![Effect::MakeRoom(CreateRoom {
                name: answer,
                ..CreateRoom::default()
            })],
            Asking::Remark(account) => vec![Effect::EditContact(
                account,
                EditContact {
                    remark: Some(answer),
                    ..EditContact::default()
                },
            )],
            Asking::Group(with) => vec![Effect::MakeGroup { name: answer, with }],
            Asking::Paths(room) => {
                let reply_to = match self.open.as_ref().map(|open| open.desk.about) {
                    Some(crate::tui::model::About::Reply(position)) => Some(position),
                    _ => None,
                };
                if reply_to.is_some() {
                    self.stop_about();
                }
                vec![Effect::HandOver {
                    room,
                    paths: paths_in(&answer),
                    text: String::new(),
                    reply_to,
                }]
            }
            Asking::Folder(room, file) => vec![Effect::Fetch {
                room,
                file: *file,
                to: PathBuf::from(answer),
            }],
            Asking::Reaction(position) => self.react(position, answer),
            Asking::Day(room) => {
                if let Some(at_ms) = self.now.day_begin_ms(&answer) {
                    return vec![Effect::FindTime { room, at_ms }];
                }
                self.complain(format!(
                    "{answer} is no day: write 2026-11-20, 11-20, today or yesterday."
                ));
                Vec::new()
            }
        }
    }
}

/// The last part of a name that somebody else chose: it must not lead out of the folder.
fn file_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let plain: String = last.chars().filter(|c| !c.is_control()).collect();
    if plain.is_empty() || plain == "." || plain == ".." {
        "file".to_owned()
    } else {
        plain
    }
}

/// Paths as a shell or a terminal writes them: apart by blanks, with quotes, backslashes, or `file://`.
fn paths_in(line: &str) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    let mut path = String::new();
    let mut quote = None;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            ('\'' | '"', None) => quote = Some(letter),
            (letter, Some(open)) if letter == open => quote = None,
            ('\\', None) => path.extend(letters.next()),
            (letter, None) if letter.is_whitespace() => {
                if !path.is_empty() {
                    paths.push(std::mem::take(&mut path));
                }
            }
            (letter, _) => path.push(letter),
        }
    }
    if !path.is_empty() {
        paths.push(path);
    }
    paths
        .into_iter()
        .map(|path| {
            url::Url::parse(&path)
                .ok()
                .filter(|url| url.scheme() == "file")
                .and_then(|url| url.to_file_path().ok())
                .unwrap_or_else(|| PathBuf::from(path))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{file_name, paths_in};

    #[test]
    fn paths_are_read_as_shells_and_terminals_write_them() {
        let paths = paths_in(r#"a.txt 'b c.txt' "d e" f\ g file:///tmp/h%20i"#);
        let wanted = ["a.txt", "b c.txt", "d e", "f g", "/tmp/h i"];
        assert_eq!(paths, wanted.map(PathBuf::from));
        assert!(paths_in("  ").is_empty());
    }

    #[test]
    fn a_name_cannot_lead_out_of_the_folder() {
        assert_eq!(file_name("../../etc/passwd"), "passwd");
        assert_eq!(file_name(".."), "file");
        assert_eq!(file_name("a\u{1b}b"), "ab");
    }
}
