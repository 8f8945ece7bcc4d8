//! What the program writes: results to standard output, words about them to standard error.
//!
//! Results are for people (tables, sentences) or, with `--json`, for programs: one JSON object for a thing, one object a
//! line for a list. A reader that goes away (`wharf ls | head`) is no error: writing then gives [`Closed`], on which
//! `main` ends quietly. Names come from other people, so on a terminal control characters in them are shown, not obeyed.

use std::borrow::Cow;
use std::fmt::{self, Display, Write as _};
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use parking_lot::Mutex;
use serde::Serialize;

/// Standard output was closed by its reader.
#[derive(Debug, thiserror::Error)]
#[error("standard output was closed")]
pub(crate) struct Closed;

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What the flags and the environment say about output.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    pub(crate) json: bool,
    pub(crate) quiet: bool,
    pub(crate) color: ColorChoice,
    /// Whether `NO_COLOR` is set to anything but the empty text (no-color.org).
    pub(crate) no_color: bool,
}

/// A colour or weight for a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    Plain,
    Bold,
    Dim,
    Red,
    Green,
    Yellow,
    Blue,
    Cyan,
}

impl Paint {
    const fn sequence(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Bold => "\x1b[1m",
            Self::Dim => "\x1b[2m",
            Self::Red => "\x1b[31m",
            Self::Green => "\x1b[32m",
            Self::Yellow => "\x1b[33m",
            Self::Blue => "\x1b[34m",
            Self::Cyan => "\x1b[36m",
        }
    }
}

/// Where results and words go.
#[derive(Debug)]
pub(crate) struct Output {
    json: bool,
    quiet: bool,
    /// Whether standard output shows colours, and whether it is a terminal.
    colors_out: bool,
    terminal_out: bool,
    colors_err: bool,
    terminal_err: bool,
    out: Mutex<BufWriter<Stdout>>,
}

impl Output {
    /// Looks at the two streams once.
    pub(crate) fn new(style: Style) -> Self {
        let terminal_out = io::stdout().is_terminal();
        let terminal_err = io::stderr().is_terminal();
        let colors = |terminal: bool| match style.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => terminal && !style.no_color,
        };
        Self {
            json: style.json,
            quiet: style.quiet,
            colors_out: colors(terminal_out) && !style.json,
            terminal_out,
            colors_err: colors(terminal_err),
            terminal_err,
            out: Mutex::new(BufWriter::with_capacity(64 * 1024, io::stdout())),
        }
    }

    /// Whether results are to be JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether a progress bar would be seen and is wanted.
    pub(crate) fn shows_progress(&self) -> bool {
        self.terminal_err && !self.quiet && !self.json
    }

    /// Whether the log on standard error may have colours.
    pub(crate) fn colors_log(&self) -> bool {
        self.colors_err
    }

    /// Writes a line of a result for people.
    pub(crate) fn line(&self, text: impl Display) -> anyhow::Result<()> {
        let mut out = self.out.lock();
        closed_is_closed(writeln!(out, "{text}"))
    }

    /// Writes a result for programs: one object, on one line.
    pub(crate) fn object(&self, value: &impl Serialize) -> anyhow::Result<()> {
        let text = serde_json::to_string(value)?;
        self.line(text)
    }

    /// Writes a thing for whoever reads: the object with `--json`, else what `people` says.
    pub(crate) fn result<T: Serialize>(
        &self,
        value: &T,
        people: impl FnOnce(&T) -> String,
    ) -> anyhow::Result<()> {
        if self.json {
            self.object(value)
        } else {
            self.line(people(value))
        }
    }

    /// Writes bytes as they are, as `cat` does.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> anyhow::Result<()> {
        closed_is_closed(self.out.lock().write_all(bytes))
    }

    /// Hands over what is buffered; called before the program ends and before it waits for long.
    pub(crate) fn flush(&self) -> anyhow::Result<()> {
        closed_is_closed(self.out.lock().flush())
    }

    /// Says that something was done: standard error, for people only.
    pub(crate) fn note(&self, text: impl Display) {
        if !self.quiet && !self.json {
            stderr(&text);
        }
    }

    /// Warns: standard error, also with `--json` and `--quiet`.
    pub(crate) fn warn(&self, text: impl Display) {
        let word = self.paint_err(Paint::Yellow, "warning:");
        stderr(&format_args!("{word} {text}"));
    }

    /// Colours a word of standard output.
    pub(crate) fn paint(&self, paint: Paint, text: impl Display) -> String {
        painted(self.colors_out, paint, &text)
    }

    /// Colours a word of standard error.
    pub(crate) fn paint_err(&self, paint: Paint, text: impl Display) -> String {
        painted(self.colors_err, paint, &text)
    }

    /// A name or path as it may be shown: on a terminal, control characters are escaped.
    pub(crate) fn name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        if self.terminal_out {
            printable(name)
        } else {
            Cow::Borrowed(name)
        }
    }
}

/// Writes a line to standard error. A closed standard error leaves nobody to tell.
pub(crate) fn stderr(text: &dyn Display) {
    writeln!(io::stderr().lock(), "{text}").unwrap_or_default();
}

fn painted(on: bool, paint: Paint, text: &dyn Display) -> String {
    if on && paint != Paint::Plain {
        format!("{}{text}\x1b[0m", paint.sequence())
    } else {
        text.to_string()
    }
}

fn closed_is_closed(result: io::Result<()>) -> anyhow::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Closed.into()),
        other => Ok(other?),
    }
}

/// Escapes control characters, the terminal's own sequences among them.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    // Besides the control characters, the marks that reorder text can make a name look like another one.
    let is_harmful = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_harmful(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// How a column of a [`Table`] stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Rows in columns as wide as their widest cell. The last column is never padded, so free text goes there.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<(Paint, String)>>,
}

impl Table {
    /// A table with these headings.
    pub(crate) fn new(columns: &[(&'static str, Align)]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row of plain cells.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.painted_row(cells.map(|cell| (Paint::Plain, cell)));
    }

    /// Adds a row of cells with their colours.
    pub(crate) fn painted_row<const N: usize>(&mut self, cells: [(Paint, String); N]) {
        debug_assert_eq!(N, self.columns.len(), "a cell for each column");
        self.rows.push(cells.into());
    }

    /// Writes the headings and the rows.
    pub(crate) fn write(&self, output: &Output) -> anyhow::Result<()> {
        let widths: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(index, (heading, _))| {
                let cells = self.rows.iter().filter_map(|row| row.get(index));
                cells
                    .map(|(_, cell)| width(cell))
                    .chain([width(heading)])
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let headings: Vec<_> = self
            .columns
            .iter()
            .map(|(heading, _)| (Paint::Dim, (*heading).to_owned()))
            .collect();
        for row in std::iter::once(&headings).chain(&self.rows) {
            output.line(self.row_text(row, &widths, output))?;
        }
        Ok(())
    }

    fn row_text(&self, row: &[(Paint, String)], widths: &[usize], output: &Output) -> String {
        let mut text = String::new();
        for (index, ((paint, cell), (_, align))) in row.iter().zip(&self.columns).enumerate() {
            let is_last = index + 1 == self.columns.len();
            let pad = widths
                .get(index)
                .map_or(0, |wide| wide.saturating_sub(width(cell)));
            if *align == Align::Right {
                text.extend(std::iter::repeat_n(' ', pad));
            }
            text.push_str(&output.paint(*paint, cell));
            if *align == Align::Left && !is_last {
                text.extend(std::iter::repeat_n(' ', pad));
            }
            if !is_last {
                text.push_str("  ");
            }
        }
        text.truncate(text.trim_end().len());
        text
    }
}

fn width(text: &str) -> usize {
    text.chars().count()
}

/// Joins what is worth saying into one sentence: `3 files, 2 folders`.
pub(crate) fn listed(parts: &[String]) -> String {
    let mut text = String::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            text.push_str(", ");
        }
        write!(text, "{part}").unwrap_or_default();
    }
    text
}

impl Display for ColorChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Always => "always",
            Self::Never => "never",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn a_name_cannot_command_the_terminal() {
        assert_eq!(printable("plain ä 文.txt"), "plain ä 文.txt");
        assert_eq!(printable("a\x1b[2Jb\nc"), "a\\u{1b}[2Jb\\nc");
        assert_eq!(
            printable("invoice\u{202e}fdp.exe"),
            "invoice\\u{202e}fdp.exe"
        );
    }
}
