//! Telling somebody who does not look: the bell, or a notice on the desktop where the terminal is known to make one.

use clap::ValueEnum;

use crate::environment::Environment;

/// Most characters of a part of a notice.
const PART_CHARS_MAX: usize = 160;

/// How new messages are told while nobody looks at them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Notices {
    /// A notice on the desktop where the terminal is known to show them, else the bell
    #[default]
    Auto,
    /// A notice on the desktop, whatever the terminal is (OSC 9)
    Desktop,
    /// The bell
    Bell,
    /// Nothing
    None,
}

/// What is written to the terminal for a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Teller {
    /// `OSC 9`: one text.
    Osc9,
    /// `OSC 777`: a title and a text.
    Osc777,
    /// The bell.
    Bell,
    /// Nothing.
    Nothing,
}

impl Teller {
    /// What suits the terminal that the environment tells of. A multiplexer passes no notices on, so there it is the bell,
    /// which it shows with the window's name.
    pub(crate) fn choose(wanted: Notices, environment: &Environment) -> Self {
        let is = |name: &str, values: &[&str]| {
            environment
                .get(name)
                .and_then(|value| value.into_string().ok())
                .is_some_and(|value| values.iter().any(|known| value.starts_with(known)))
        };
        match wanted {
            Notices::None => Self::Nothing,
            Notices::Desktop => Self::Osc9,
            Notices::Auto
                if environment.get("TMUX").is_some() || is("TERM", &["screen", "tmux"]) =>
            {
                Self::Bell
            }
            Notices::Auto if is("TERM", &["rxvt-unicode", "foot"]) => Self::Osc777,
            Notices::Auto
                if is("TERM", &["xterm-kitty", "xterm-ghostty"])
                    || is("TERM_PROGRAM", &["iTerm.app", "WezTerm", "ghostty"]) =>
            {
                Self::Osc9
            }
            Notices::Auto | Notices::Bell => Self::Bell,
        }
    }

    /// The bytes of a notice. The words come from other people: nothing in them can end the sequence or begin another.
    pub(crate) fn bytes(self, title: &str, text: &str) -> String {
        let (title, text) = (plain(title), plain(text));
        match self {
            Self::Osc9 => format!("\u{1b}]9;{title}: {text}\u{7}"),
            Self::Osc777 => format!("\u{1b}]777;notify;{title};{text}\u{7}"),
            Self::Bell => "\u{7}".to_owned(),
            Self::Nothing => String::new(),
        }
    }
}

/// The bytes that put a text on the terminal's clipboard (OSC 52), where it allows that.
pub(crate) fn clipboard(text: &str) -> String {
    format!(
        "\u{1b}]52;c;{}\u{7}",
        data_encoding::BASE64.encode(text.as_bytes())
    )
}

/// Words without anything that a terminal could take for a command, nor what `OSC 777` separates by.
fn plain(text: &str) -> String {
    super::text::glyphs(text)
        .flat_map(|glyph| glyph.symbol.chars().collect::<Vec<_>>())
        .map(|c| if c == ';' { ',' } else { c })
        .take(PART_CHARS_MAX)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Notices, Teller, clipboard};
    use crate::environment::Environment;

    fn chosen(wanted: Notices, pairs: &'static [(&'static str, &'static str)]) -> Teller {
        Teller::choose(wanted, &Environment::of(pairs))
    }

    #[test]
    fn a_notice_is_what_the_terminal_is_known_to_show() {
        let auto = Notices::Auto;
        assert_eq!(chosen(auto, &[("TERM", "xterm-256color")]), Teller::Bell);
        assert_eq!(chosen(auto, &[("TERM", "xterm-kitty")]), Teller::Osc9);
        assert_eq!(chosen(auto, &[("TERM", "foot")]), Teller::Osc777);
        assert_eq!(
            chosen(auto, &[("TERM", "xterm-kitty"), ("TMUX", "/tmp/x,1,0")]),
            Teller::Bell
        );
        assert_eq!(chosen(Notices::None, &[("TERM", "foot")]), Teller::Nothing);
        assert_eq!(chosen(Notices::Desktop, &[]), Teller::Osc9);
    }

    #[test]
    fn words_of_others_cannot_leave_a_notice() {
        let bytes = Teller::Osc777.bytes("Eve;x", "a\u{7}\u{1b}]52;c;ZXZpbA==\u{9c}b\nc");
        let inner = bytes
            .strip_prefix("\u{1b}]777;notify;")
            .and_then(|rest| rest.strip_suffix('\u{7}'))
            .unwrap();
        assert!(!inner.chars().any(char::is_control), "{inner:?}");
        assert_eq!(inner.matches(';').count(), 1);
        assert_eq!(clipboard("hé"), "\u{1b}]52;c;aMOp\u{7}");
    }
}
