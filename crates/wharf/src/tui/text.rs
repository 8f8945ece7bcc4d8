//! Text as a terminal can be trusted with it: every character that is drawn went through [`glyphs`].
//!
//! Other people choose names and messages. A control character in them could move the cursor or set the clipboard, a
//! bidirectional override could show a file's name backwards, and a sequence that the terminal draws wider than we think
//! would leave its rest on the screen. So a cell holds one character that has a width and the marks that belong to it;
//! control characters become pictures, format characters vanish, and what emoji are joined from stands side by side.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::style::Style;
use unicode_width::UnicodeWidthChar;

/// Most combining marks on one character; more are left out.
const MARKS_MAX: usize = 4;
/// Columns that a tabulator takes.
const TAB_COLUMNS: usize = 4;

/// What fills one cell, or two.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Glyph<'a> {
    /// One character with its marks; nothing in it commands a terminal.
    pub(crate) symbol: Cow<'a, str>,
    /// 1 or 2.
    pub(crate) columns: u16,
}

/// Text in one style.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) style: Style,
}

/// One line of the screen.
pub(crate) type Row = Vec<Piece>;

impl Piece {
    /// `text` in `style`.
    pub(crate) fn new(text: impl Into<String>, style: Style) -> Self {
        Self {
            text: text.into(),
            style,
        }
    }

    /// `text` as the terminal draws it by itself.
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self::new(text, Style::new())
    }
}

/// The text's characters as cells take them. A newline counts as a control character: split lines before.
pub(crate) fn glyphs(text: &str) -> impl Iterator<Item = Glyph<'_>> {
    let mut rest = text;
    let mut tab = 0_usize;
    std::iter::from_fn(move || {
        if tab > 0 {
            tab -= 1;
            return Some(blank());
        }
        loop {
            let first = rest.chars().next()?;
            let after = rest.get(first.len_utf8()..).unwrap_or_default();
            if first == '\t' {
                rest = after;
                tab = TAB_COLUMNS - 1;
                return Some(blank());
            }
            if first.is_control() {
                rest = after;
                return Some(Glyph {
                    symbol: Cow::Owned(picture(first).to_string()),
                    columns: 1,
                });
            }
            let columns = columns_of(first);
            if columns == 0 {
                // A mark without a character to stand on, or a format character.
                rest = after;
                continue;
            }
            let (glyph, left) = with_marks(rest, first, columns);
            rest = left;
            return Some(glyph);
        }
    })
}

/// Takes the marks that follow `first`, as far as they are drawn.
fn with_marks(text: &str, first: char, columns: u16) -> (Glyph<'_>, &str) {
    let mut end = first.len_utf8();
    let mut kept = 0;
    let mut is_verbatim = true;
    let mut symbol = String::new();
    for mark in text.get(end..).unwrap_or_default().chars() {
        if mark.is_control() || columns_of(mark) > 0 {
            break;
        }
        // What joins letters is kept, what joins pictures is not: the terminals disagree about the width.
        let is_kept = kept < MARKS_MAX && !is_format(mark, columns);
        if is_kept {
            if !is_verbatim {
                symbol.push(mark);
            }
            kept += 1;
        } else if is_verbatim {
            is_verbatim = false;
            symbol.push_str(text.get(..end).unwrap_or_default());
        }
        end += mark.len_utf8();
    }
    let (verbatim, left) = text.split_at_checked(end).unwrap_or((text, ""));
    let symbol = if is_verbatim {
        Cow::Borrowed(verbatim)
    } else {
        Cow::Owned(symbol)
    };
    (Glyph { symbol, columns }, left)
}

fn blank() -> Glyph<'static> {
    Glyph {
        symbol: Cow::Borrowed(" "),
        columns: 1,
    }
}

/// The picture of a control character.
fn picture(control: char) -> char {
    match u32::from(control) {
        code @ 0..=0x1f => char::from_u32(0x2400 + code).unwrap_or('\u{fffd}'),
        0x7f => '\u{2421}',
        _ => '\u{fffd}',
    }
}

fn columns_of(c: char) -> u16 {
    // Some format characters have a width of their own in the table.
    if is_format(c, 2) {
        return 0;
    }
    match c.width() {
        None | Some(0) => 0,
        Some(1) => 1,
        Some(_) => 2,
    }
}

/// Whether a character draws nothing and changes how others are drawn. `columns` is the width of what it follows.
fn is_format(c: char, columns: u16) -> bool {
    match c {
        '\u{200c}' | '\u{200d}' => columns > 1,
        '\u{00ad}'
        | '\u{061c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}' => true,
        _ => false,
    }
}

/// Columns that a text takes on one line.
pub(crate) fn width(text: &str) -> u16 {
    glyphs(text).fold(0, |sum: u16, glyph| sum.saturating_add(glyph.columns))
}

/// Columns that a row takes.
pub(crate) fn row_width(row: &[Piece]) -> u16 {
    row.iter()
        .fold(0, |sum, piece| sum.saturating_add(width(&piece.text)))
}

/// As much of a text as fits, with an ellipsis where something is left out. Lines become one.
pub(crate) fn fit(text: &str, columns: u16) -> String {
    let text = one_line(text);
    if width(&text) <= columns {
        return glyphs(&text).map(|glyph| glyph.symbol).collect();
    }
    let mut fitted = String::new();
    let mut left = columns.saturating_sub(1);
    for glyph in glyphs(&text) {
        match left.checked_sub(glyph.columns) {
            Some(rest) => left = rest,
            None => break,
        }
        fitted.push_str(&glyph.symbol);
    }
    if columns > 0 {
        fitted.push('…');
    }
    fitted
}

/// The text with its lines joined by spaces.
pub(crate) fn one_line(text: &str) -> Cow<'_, str> {
    if text.contains(['\n', '\r']) {
        Cow::Owned(text.split_whitespace().collect::<Vec<_>>().join(" "))
    } else {
        Cow::Borrowed(text)
    }
}

/// Breaks pieces into rows of at most `columns`: between words where there are any, between any two wide characters, and
/// inside a word that is longer than a row. Newlines in the pieces begin rows. There is always one row.
pub(crate) fn wrap(pieces: &[Piece], columns: u16) -> Vec<Row> {
    let mut wrapping = Wrapping::new(columns.max(2));
    for piece in pieces {
        let mut lines = piece.text.split('\n').peekable();
        while let Some(line) = lines.next() {
            for glyph in glyphs(line.strip_suffix('\r').unwrap_or(line)) {
                wrapping.push(&glyph, piece.style);
            }
            if lines.peek().is_some() {
                wrapping.end_row();
            }
        }
    }
    wrapping.finish()
}

/// The row that is being filled: what is settled on it, and the word that may still move to the next.
struct Wrapping {
    columns: u16,
    rows: Vec<Row>,
    row: Row,
    row_columns: u16,
    word: Row,
    word_columns: u16,
}

impl Wrapping {
    fn new(columns: u16) -> Self {
        Self {
            columns,
            rows: Vec::new(),
            row: Row::new(),
            row_columns: 0,
            word: Row::new(),
            word_columns: 0,
        }
    }

    fn push(&mut self, glyph: &Glyph<'_>, style: Style) {
        let is_blank = glyph.symbol == " ";
        if is_blank || glyph.columns > 1 {
            self.settle_word();
            if self.row_columns + glyph.columns > self.columns {
                self.break_row();
                if is_blank {
                    return;
                }
            }
            append(&mut self.row, &glyph.symbol, style);
            self.row_columns += glyph.columns;
            return;
        }
        if self.word_columns + glyph.columns > self.columns {
            // Longer than a row: it is cut where the row ends.
            self.settle_word();
            self.break_row();
        }
        append(&mut self.word, &glyph.symbol, style);
        self.word_columns += glyph.columns;
    }

    fn settle_word(&mut self) {
        if self.word_columns == 0 {
            return;
        }
        if self.row_columns + self.word_columns > self.columns {
            self.break_row();
        }
        for piece in std::mem::take(&mut self.word) {
            append(&mut self.row, &piece.text, piece.style);
        }
        self.row_columns += std::mem::take(&mut self.word_columns);
    }

    fn break_row(&mut self) {
        self.rows.push(std::mem::take(&mut self.row));
        self.row_columns = 0;
    }

    fn end_row(&mut self) {
        self.settle_word();
        self.break_row();
    }

    fn finish(mut self) -> Vec<Row> {
        self.end_row();
        self.rows
    }
}

/// Adds to a row, to its last piece where that has the style.
fn append(row: &mut Row, text: &str, style: Style) {
    match row.last_mut() {
        Some(last) if last.style == style => last.text.push_str(text),
        _ => row.push(Piece::new(text, style)),
    }
}

/// Draws pieces from `x` on, over at most `columns`, and returns the column after the last one drawn.
pub(crate) fn draw(buffer: &mut Buffer, (x, y): (u16, u16), columns: u16, row: &[Piece]) -> u16 {
    let area = buffer.area;
    if y < area.top() || y >= area.bottom() || x < area.left() {
        return x;
    }
    let end = x.saturating_add(columns).min(area.right());
    let mut at = x;
    for piece in row {
        for glyph in glyphs(&piece.text) {
            if at + glyph.columns > end {
                return at;
            }
            // The cells below keep their background where the piece sets none.
            if let Some(cell) = buffer.cell_mut((at, y)) {
                cell.set_symbol(&glyph.symbol).set_style(piece.style);
            }
            if glyph.columns == 2
                && let Some(cell) = buffer.cell_mut((at + 1, y))
            {
                cell.set_symbol(" ").set_style(piece.style);
            }
            at += glyph.columns;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    use ratatui::style::{Modifier, Style};
    use unicode_width::UnicodeWidthStr;

    use super::{Piece, draw, fit, glyphs, row_width, width, wrap};

    fn shown(text: &str) -> String {
        glyphs(text).map(|glyph| glyph.symbol).collect()
    }

    fn lines(text: &str, columns: u16) -> Vec<String> {
        wrap(&[Piece::plain(text)], columns)
            .iter()
            .map(|row| row.iter().map(|piece| piece.text.as_str()).collect())
            .collect()
    }

    #[test]
    fn control_characters_become_pictures() {
        assert_eq!(shown("a\u{1b}[2J\u{7}b"), "a␛[2J␇b");
        assert_eq!(shown("\u{9b}31m\u{7f}"), "\u{fffd}31m␡");
        assert_eq!(shown("a\tb"), "a    b");
    }

    #[test]
    fn bidirectional_overrides_and_invisible_characters_vanish() {
        assert_eq!(shown("photo\u{202e}gpj.exe"), "photogpj.exe");
        assert_eq!(shown("a\u{200b}\u{2066}b\u{feff}\u{e0041}c"), "abc");
        assert_eq!(width("\u{202e}\u{200f}"), 0);
    }

    #[test]
    fn joined_pictures_stand_side_by_side_and_letters_keep_their_marks() {
        assert_eq!(shown("👩‍👩‍👧"), "👩👩👧");
        assert_eq!(width("👩‍👩‍👧"), 6);
        assert_eq!(shown("❤\u{fe0f}"), "❤");
        assert_eq!(shown("e\u{301}"), "e\u{301}");
        assert_eq!(width("e\u{301}"), 1);
        let heap = format!("a{}", "\u{301}".repeat(100));
        assert_eq!(shown(&heap).chars().count(), 5);
    }

    #[test]
    fn rows_break_between_words_and_between_wide_characters() {
        assert_eq!(lines("one two three", 8), ["one two ", "three"]);
        assert_eq!(lines("你好世界", 5), ["你好", "世界"]);
        assert_eq!(lines("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(lines("a\n\nb", 10), ["a", "", "b"]);
        assert_eq!(lines("", 10), [""]);
    }

    #[test]
    fn what_does_not_fit_ends_in_an_ellipsis() {
        assert_eq!(fit("abc", 3), "abc");
        assert_eq!(fit("abcd", 3), "ab…");
        assert_eq!(fit("你好世界", 6), "你好…");
        assert_eq!(fit("a\nb", 9), "a b");
        assert_eq!(fit("abc", 0), "");
    }

    proptest! {
        #[test]
        fn nothing_that_is_drawn_commands_the_terminal(text in any::<String>(), columns in 1_u16..30) {
            let area = Rect::new(0, 0, columns, 1);
            let mut buffer = Buffer::empty(area);
            draw(&mut buffer, (0, 0), columns, &[Piece::plain(text.as_str())]);
            for cell in buffer.content() {
                prop_assert!(!cell.symbol().chars().any(char::is_control));
                prop_assert!(cell.symbol().width() <= 2);
            }
        }

        #[test]
        fn rows_fit_and_lose_nothing(text in any::<String>(), columns in 2_u16..30) {
            let style = Style::new().add_modifier(Modifier::BOLD);
            let (head, tail) = text.split_at(text.char_indices().nth(3).map_or(text.len(), |(at, _)| at));
            let rows = wrap(&[Piece::plain(head), Piece::new(tail, style)], columns);
            for row in &rows {
                prop_assert!(row_width(row) <= columns);
            }
            let drawn: String = rows.iter().flatten().map(|piece| piece.text.as_str()).collect();
            let told: String = text.split('\n').map(|line| shown(line.strip_suffix('\r').unwrap_or(line))).collect();
            let bare = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
            // Pieces are cut between characters, so a mark can lose what it stood on; spaces at breaks go.
            if head.is_empty() || !tail.starts_with(|c: char| width(&c.to_string()) == 0) {
                prop_assert_eq!(bare(&drawn), bare(&told));
            }
        }
    }
}
