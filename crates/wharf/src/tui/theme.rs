//! What things look like: the terminal's own sixteen colours, so that a light and a dark one both work, and signs that say
//! without colour what the colour says.

use ratatui::style::{Color, Modifier, Style};
use wharf_types::AccountId;
use wharf_types::api::contact::Status;

/// Colours and signs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Theme {
    /// Whether colours are used; weight and inversion always are.
    pub(crate) has_colors: bool,
    /// The signs.
    pub(crate) signs: &'static Signs,
}

/// Signs that stand for something.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Signs {
    pub(crate) online: &'static str,
    pub(crate) away: &'static str,
    pub(crate) busy: &'static str,
    pub(crate) offline: &'static str,
    pub(crate) group: &'static str,
    pub(crate) personal: &'static str,
    pub(crate) waiting: &'static str,
    pub(crate) sent: &'static str,
    pub(crate) read: &'static str,
    pub(crate) failed: &'static str,
    pub(crate) open: &'static str,
    pub(crate) closed: &'static str,
    pub(crate) quote: &'static str,
    pub(crate) rule: &'static str,
    pub(crate) wall: &'static str,
    pub(crate) pinned: &'static str,
    pub(crate) muted: &'static str,
    pub(crate) file: &'static str,
    pub(crate) full: &'static str,
    pub(crate) empty: &'static str,
    pub(crate) mark: &'static str,
    pub(crate) bullet: &'static str,
}

static UNICODE: Signs = Signs {
    online: "●",
    away: "◐",
    busy: "■",
    offline: "○",
    group: "#",
    personal: "~",
    waiting: "…",
    sent: "✓",
    read: "✓✓",
    failed: "!",
    open: "▾",
    closed: "▸",
    quote: "▏",
    rule: "─",
    wall: "│",
    pinned: "^",
    muted: "×",
    file: "▤",
    full: "█",
    empty: "░",
    mark: "▌",
    bullet: "•",
};

static ASCII: Signs = Signs {
    online: "*",
    away: "-",
    busy: "x",
    offline: "o",
    group: "#",
    personal: "~",
    waiting: ".",
    sent: "v",
    read: "vv",
    failed: "!",
    open: "-",
    closed: "+",
    quote: "|",
    rule: "-",
    wall: "|",
    pinned: "^",
    muted: "x",
    file: "=",
    full: "#",
    empty: ".",
    mark: ">",
    bullet: "*",
};

/// Colours of people's names.
const NAMES: [Color; 6] = [
    Color::Cyan,
    Color::Green,
    Color::Magenta,
    Color::Yellow,
    Color::Blue,
    Color::Red,
];

impl Theme {
    /// With or without colours; with plain ASCII signs where the terminal may have no others.
    pub(crate) fn new(has_colors: bool, is_ascii: bool) -> Self {
        Self {
            has_colors,
            signs: if is_ascii { &ASCII } else { &UNICODE },
        }
    }
}

/// Looks that need no colour.
#[expect(
    clippy::unused_self,
    reason = "a look is the theme's to say, with colours or without"
)]
impl Theme {
    /// What stands back: times, hints, previews.
    pub(crate) fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// What stands out.
    pub(crate) fn bold(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// The row that keys act on, where the keys go to it.
    pub(crate) fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// The row that would be acted on, while the keys go elsewhere.
    pub(crate) fn current(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD | Modifier::UNDERLINED)
    }
}

/// Looks that have a colour where there are any.
impl Theme {
    /// Unread counts.
    pub(crate) fn badge(self) -> Style {
        self.color(Color::Green)
            .add_modifier(Modifier::BOLD | Modifier::REVERSED)
    }

    /// Mentions.
    pub(crate) fn mention(self) -> Style {
        self.color(Color::Magenta).add_modifier(Modifier::BOLD)
    }

    /// What went wrong or is about to be lost.
    pub(crate) fn danger(self) -> Style {
        self.color(Color::Red).add_modifier(Modifier::BOLD)
    }

    /// What needs a look: no connection, entries that wait.
    pub(crate) fn warning(self) -> Style {
        self.color(Color::Yellow).add_modifier(Modifier::BOLD)
    }

    /// Addresses and code.
    pub(crate) fn accent(self) -> Style {
        self.color(Color::Cyan)
    }

    /// Matches of a search.
    pub(crate) fn hit(self) -> Style {
        self.color(Color::Yellow)
            .add_modifier(Modifier::BOLD | Modifier::UNDERLINED)
    }

    /// Somebody's name: the same colour everywhere.
    pub(crate) fn name(self, account: Option<AccountId>) -> Style {
        let Some(account) = account else {
            return self.bold();
        };
        let sum = account
            .as_bytes()
            .iter()
            .fold(0_usize, |sum, byte| sum * 31 % 9973 + usize::from(*byte));
        let color = NAMES.get(sum % NAMES.len()).copied().unwrap_or_default();
        self.color(color).add_modifier(Modifier::BOLD)
    }

    /// The sign and the look of somebody's presence.
    pub(crate) fn presence(self, status: Status) -> (&'static str, Style) {
        match status {
            Status::Online => (self.signs.online, self.color(Color::Green)),
            Status::Away => (self.signs.away, self.color(Color::Yellow)),
            Status::Busy => (self.signs.busy, self.color(Color::Red)),
            Status::Offline | Status::Invisible => (self.signs.offline, self.dim()),
        }
    }

    fn color(self, color: Color) -> Style {
        if self.has_colors {
            Style::new().fg(color)
        } else {
            Style::new()
        }
    }
}
