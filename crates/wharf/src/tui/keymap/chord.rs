//! Keys as people write them: `Ctrl-K`, `Alt-Shift-Up`, `F5`, `y`.

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with what is held down with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chord {
    code: KeyCode,
    modifiers: KeyModifiers,
}

const MODIFIERS: [(&str, KeyModifiers); 3] = [
    ("Ctrl-", KeyModifiers::CONTROL),
    ("Alt-", KeyModifiers::ALT),
    ("Shift-", KeyModifiers::SHIFT),
];
const NAMES: [(&str, KeyCode); 15] = [
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("PageUp", KeyCode::PageUp),
    ("PageDown", KeyCode::PageDown),
    ("Insert", KeyCode::Insert),
    ("Delete", KeyCode::Delete),
    ("Backspace", KeyCode::Backspace),
    ("Enter", KeyCode::Enter),
    ("Esc", KeyCode::Esc),
    ("Tab", KeyCode::Tab),
    ("Space", KeyCode::Char(' ')),
];

impl Chord {
    /// The key that was pressed, as far as terminals tell keys apart.
    pub(crate) fn of(key: KeyEvent) -> Self {
        Self::new(key.code, key.modifiers)
    }

    fn new(code: KeyCode, modifiers: KeyModifiers) -> Self {
        let held = KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT;
        let mut chord = Self {
            code,
            modifiers: modifiers & held,
        };
        let is_ctrl = modifiers.contains(KeyModifiers::CONTROL);
        match code {
            // Terminals send Ctrl-/ as the byte that is also Ctrl-_ and Ctrl-7.
            KeyCode::Char('/' | '_' | '7' | '?') if is_ctrl => chord.code = KeyCode::Char('/'),
            KeyCode::Char(letter) if is_ctrl => {
                chord.code = KeyCode::Char(letter.to_ascii_lowercase());
            }
            KeyCode::BackTab => chord.code = KeyCode::Tab,
            _ => {}
        }
        match code {
            // The letter says it already.
            KeyCode::Char(_) => chord.modifiers.remove(KeyModifiers::SHIFT),
            KeyCode::BackTab => chord.modifiers.insert(KeyModifiers::SHIFT),
            _ => {}
        }
        chord
    }

    /// Whether it writes a letter where something is written.
    pub(super) fn is_typed(self) -> bool {
        matches!(self.code, KeyCode::Char(_)) && self.modifiers.is_empty()
    }

    /// Whether it moves, chooses or closes everywhere, or erases where something is written, and can be nothing else.
    pub(super) fn is_fixed(self) -> bool {
        let is_ctrl = self.modifiers == KeyModifiers::CONTROL;
        match self.code {
            KeyCode::Esc | KeyCode::Tab | KeyCode::Backspace | KeyCode::Delete => true,
            KeyCode::Enter
            | KeyCode::Up
            | KeyCode::Down
            | KeyCode::Left
            | KeyCode::Right
            | KeyCode::Home
            | KeyCode::End => self.modifiers.is_empty(),
            // Ctrl-H, Ctrl-I, Ctrl-M and Ctrl-[ are what many terminals send for Backspace, Tab, Enter and Esc.
            KeyCode::Char(letter) => is_ctrl && "cabewudhim[".contains(letter),
            _ => false,
        }
    }

    /// Whether it goes up or down among messages.
    pub(super) fn is_step(self) -> bool {
        matches!(self.code, KeyCode::Char('j' | 'k')) && self.modifiers.is_empty()
    }
}

impl FromStr for Chord {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut rest = text;
        let mut modifiers = KeyModifiers::empty();
        while let Some((name, modifier)) = MODIFIERS.iter().find(|(name, _)| {
            let begin = rest.get(..name.len());
            rest.len() > name.len() && begin.is_some_and(|begin| begin.eq_ignore_ascii_case(name))
        }) {
            modifiers |= *modifier;
            rest = rest.get(name.len()..).unwrap_or_default();
        }
        let mut letters = rest.chars();
        let code = match (letters.next(), letters.next()) {
            (Some(letter), None) if !letter.is_control() => KeyCode::Char(letter),
            _ => named(rest).ok_or(())?,
        };
        let is_upper = modifiers.contains(KeyModifiers::SHIFT) && matches!(code, KeyCode::Char(_));
        // No terminal tells Shift-a from A: the letter is to be written as it comes.
        if is_upper {
            Err(())
        } else {
            Ok(Self::new(code, modifiers))
        }
    }
}

fn named(name: &str) -> Option<KeyCode> {
    let found = NAMES
        .iter()
        .find(|(other, _)| other.eq_ignore_ascii_case(name));
    found.map(|(_, code)| *code).or_else(|| {
        let number = name.strip_prefix(['F', 'f'])?.parse::<u8>().ok()?;
        (1..=12).contains(&number).then_some(KeyCode::F(number))
    })
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, modifier) in MODIFIERS {
            if self.modifiers.contains(modifier) {
                f.write_str(name)?;
            }
        }
        if let Some((name, _)) = NAMES.iter().find(|(_, code)| *code == self.code) {
            return f.write_str(name);
        }
        match self.code {
            KeyCode::F(number) => write!(f, "F{number}"),
            KeyCode::Char(letter) if self.modifiers.is_empty() => write!(f, "{letter}"),
            KeyCode::Char(letter) => write!(f, "{}", letter.to_ascii_uppercase()),
            _ => f.write_str("?"),
        }
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    use super::Chord;

    #[test]
    fn keys_are_read_as_they_are_shown() {
        for text in [
            "Ctrl-K",
            "Ctrl-/",
            "Alt-Shift-Up",
            "F12",
            "y",
            "+",
            "Y",
            "-",
            "Alt-Enter",
            "PageUp",
            "Space",
        ] {
            let chord: Chord = text.parse().unwrap();
            assert_eq!(chord.to_string(), text);
        }
        assert_eq!("ctrl-k".parse::<Chord>(), "Ctrl-K".parse());
        assert_eq!("Alt--".parse::<Chord>().unwrap().to_string(), "Alt--");
        for nonsense in [
            "", "Ctrl-", "F0", "F13", "Hyper-x", "ab", "Shift-a", "\u{1b}",
        ] {
            assert_eq!(nonsense.parse::<Chord>(), Err(()), "{nonsense:?}");
        }
    }

    #[test]
    fn what_terminals_send_is_the_key_that_is_meant() {
        let pressed = |code, modifiers| Chord::of(KeyEvent::new(code, modifiers)).to_string();
        let ctrl = KeyModifiers::CONTROL;
        assert_eq!(pressed(KeyCode::Char('k'), ctrl), "Ctrl-K");
        assert_eq!(pressed(KeyCode::Char('_'), ctrl), "Ctrl-/");
        assert_eq!(
            pressed(KeyCode::Char('?'), ctrl | KeyModifiers::SHIFT),
            "Ctrl-/"
        );
        assert_eq!(pressed(KeyCode::Char('Y'), KeyModifiers::SHIFT), "Y");
        assert_eq!(pressed(KeyCode::BackTab, KeyModifiers::SHIFT), "Shift-Tab");
        assert_eq!(pressed(KeyCode::Enter, KeyModifiers::SHIFT), "Shift-Enter");
    }
}
