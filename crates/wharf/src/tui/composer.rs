//! The text that is being written: several lines, a cursor that moves by what people take for characters, words, and what
//! was sent before.

use unicode_segmentation::UnicodeSegmentation;

use super::text::{Piece, Row, glyphs, width};

/// Most texts that are remembered.
const HISTORY_MAX: usize = 100;

/// A text and a place in it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Composer {
    text: String,
    /// In bytes; always between two grapheme clusters.
    cursor: usize,
    /// Where the cursor wants to be when it moves up and down through shorter lines, in columns.
    goal: Option<u16>,
    history: History,
}

/// What was sent before, and the text that was left to look at it.
#[derive(Debug, Clone, Default)]
struct History {
    sent: Vec<String>,
    /// The one that is shown, and what was being written before.
    shown: Option<(usize, String)>,
}

/// Which way to go, and how far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    Left,
    Right,
    WordLeft,
    WordRight,
    LineStart,
    LineEnd,
    Start,
    End,
}

/// What to take away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Erase {
    Before,
    After,
    WordBefore,
    ToLineStart,
}

/// How the text lies on the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Laid {
    pub(crate) rows: Vec<Row>,
    /// Column and row of the cursor.
    pub(crate) cursor: (u16, usize),
    /// The bytes of the text that each row shows.
    spans: Vec<(usize, usize)>,
}

impl Composer {
    /// What is written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether nothing is written.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Writes something else, with the cursor at its end.
    pub(crate) fn set(&mut self, text: impl Into<String>) {
        self.text = text.into();
        self.cursor = self.text.len();
        self.goal = None;
        self.history.shown = None;
    }

    /// Takes the text out, and remembers it.
    pub(crate) fn take(&mut self) -> String {
        let text = std::mem::take(&mut self.text);
        self.set("");
        if !text.trim().is_empty() && self.history.sent.last() != Some(&text) {
            self.history.sent.push(text.clone());
            if self.history.sent.len() > HISTORY_MAX {
                self.history.sent.remove(0);
            }
        }
        text
    }

    /// Puts text at the cursor. Line ends become newlines; other control characters stay, and are shown as pictures.
    pub(crate) fn insert(&mut self, text: &str) {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let (before, after) = self.halves();
        let joined = format!("{before}{text}{after}");
        self.cursor = self.boundary_at_or_after(&joined, before.len() + text.len());
        self.text = joined;
        self.goal = None;
    }

    /// The word before the cursor, with where it begins in bytes.
    pub(crate) fn word_before(&self) -> (usize, &str) {
        let (before, _) = self.halves();
        let start = before
            .char_indices()
            .rev()
            .find(|(_, c)| c.is_whitespace())
            .map_or(0, |(at, c)| at + c.len_utf8());
        (start, before.get(start..).unwrap_or_default())
    }

    /// Puts text in the place of everything from `start` to the cursor.
    pub(crate) fn replace_from(&mut self, start: usize, text: &str) {
        let (before, after) = self.halves();
        let joined = format!("{}{text}{after}", before.get(..start).unwrap_or(before));
        self.cursor = joined.len() - after.len();
        self.text = joined;
        self.goal = None;
    }

    /// Moves the cursor.
    pub(crate) fn go(&mut self, to: Move) {
        self.cursor = self.target(to);
        self.goal = None;
    }

    /// Takes something away.
    pub(crate) fn erase(&mut self, what: Erase) {
        let (from, to) = match what {
            Erase::Before => (self.target(Move::Left), self.cursor),
            Erase::After => (self.cursor, self.target(Move::Right)),
            Erase::WordBefore => (self.target(Move::WordLeft), self.cursor),
            Erase::ToLineStart => (self.target(Move::LineStart), self.cursor),
        };
        self.text.replace_range(from..to, "");
        // What stands together now may be one character: a letter and a mark, two halves of a flag.
        self.cursor = self.boundary_at_or_after(&self.text, from);
        self.goal = None;
    }

    /// Moves the cursor a row up or down, as the text lies over `columns`; `false` where there is no such row.
    pub(crate) fn go_row(&mut self, columns: u16, is_down: bool) -> bool {
        let laid = self.lay(columns);
        let (column, row) = laid.cursor;
        let goal = self.goal.unwrap_or(column);
        let target = if is_down {
            Some(row + 1)
        } else {
            row.checked_sub(1)
        };
        let Some(target) = target.filter(|target| *target < laid.spans.len()) else {
            return false;
        };
        self.cursor = self.at(&laid, goal, target);
        self.goal = Some(goal);
        true
    }

    /// Puts the cursor where somebody pointed.
    pub(crate) fn point(&mut self, columns: u16, (column, row): (u16, usize)) {
        let laid = self.lay(columns);
        let row = row.min(laid.spans.len().saturating_sub(1));
        self.cursor = self.at(&laid, column, row);
        self.goal = None;
    }

    /// Shows what was sent before, or after that.
    pub(crate) fn recall(&mut self, is_back: bool) {
        let sent = self.history.sent.len();
        let index = match (&self.history.shown, is_back) {
            (None, true) => sent.checked_sub(1),
            (None, false) => return,
            (Some((index, _)), true) => Some(index.saturating_sub(1)),
            (Some((index, _)), false) => Some(index + 1),
        };
        let Some(index) = index else { return };
        let (_, written) = self
            .history
            .shown
            .take()
            .unwrap_or_else(|| (0, self.text.clone()));
        if let Some(text) = self.history.sent.get(index).cloned() {
            self.set(text);
            self.history.shown = Some((index, written));
        } else {
            self.set(written);
        }
    }

    /// How the text lies over `columns`. Rows break after a blank where there is one.
    pub(crate) fn lay(&self, columns: u16) -> Laid {
        let columns = columns.max(2);
        let mut spans = Vec::new();
        let mut start = 0;
        for line in self.text.split('\n') {
            break_line(line, start, columns, &mut spans);
            start += line.len() + 1;
        }
        // The last row that begins at or before the cursor; at a break without a newline that is the next row.
        let row = spans
            .iter()
            .rposition(|(from, _)| *from <= self.cursor)
            .unwrap_or(0);
        let before = spans
            .get(row)
            .and_then(|(from, _)| self.text.get(*from..self.cursor));
        let column = before.map_or(0, width).min(columns);
        let rows = spans
            .iter()
            .map(|(from, to)| {
                vec![Piece::plain(
                    self.text.get(*from..*to).unwrap_or_default().to_owned(),
                )]
            })
            .collect();
        Laid {
            rows,
            cursor: (column, row),
            spans,
        }
    }

    fn halves(&self) -> (&str, &str) {
        self.text
            .split_at_checked(self.cursor)
            .unwrap_or((&self.text, ""))
    }

    fn target(&self, to: Move) -> usize {
        let (before, after) = self.halves();
        match to {
            Move::Left => before
                .grapheme_indices(true)
                .next_back()
                .map_or(0, |(at, _)| at),
            Move::Right => self.cursor + after.graphemes(true).next().map_or(0, str::len),
            Move::WordLeft => {
                let at = before
                    .split_word_bound_indices()
                    .rev()
                    .find(|(_, word)| !word.trim().is_empty())
                    .map_or(0, |(at, _)| at);
                self.boundary_at_or_before(at)
            }
            Move::WordRight => {
                let at = after
                    .split_word_bound_indices()
                    .find(|(_, word)| !word.trim().is_empty())
                    .map_or(self.text.len(), |(at, word)| self.cursor + at + word.len());
                self.boundary_at_or_after(&self.text, at)
            }
            Move::LineStart => before.rfind('\n').map_or(0, |at| at + 1),
            Move::LineEnd => after
                .find('\n')
                .map_or(self.text.len(), |at| self.cursor + at),
            Move::Start => 0,
            Move::End => self.text.len(),
        }
    }

    /// The place nearest to a column of a row.
    fn at(&self, laid: &Laid, column: u16, row: usize) -> usize {
        let Some((from, to)) = laid.spans.get(row).copied() else {
            return self.cursor;
        };
        let mut at = from;
        let mut columns = 0;
        for cluster in self.text.get(from..to).unwrap_or_default().graphemes(true) {
            columns += width(cluster);
            if columns > column {
                break;
            }
            at += cluster.len();
        }
        // The end of a row that goes on in the next is the next one's beginning.
        let goes_on = laid
            .spans
            .get(row + 1)
            .is_some_and(|(next, _)| *next == at && at == to);
        if goes_on && at > from {
            self.text
                .get(from..at)
                .and_then(|text| text.grapheme_indices(true).next_back())
                .map_or(at, |(last, _)| from + last)
        } else {
            at
        }
    }

    #[expect(
        clippy::unused_self,
        reason = "reads as a question about the text that is written"
    )]
    fn boundary_at_or_after(&self, text: &str, at: usize) -> usize {
        text.grapheme_indices(true)
            .map(|(start, _)| start)
            .find(|start| *start >= at)
            .unwrap_or(text.len())
    }

    /// Where the character begins that `at` is in: some scripts have words that end within one.
    fn boundary_at_or_before(&self, at: usize) -> usize {
        let starts = self.text.grapheme_indices(true).map(|(start, _)| start);
        starts.take_while(|start| *start <= at).last().unwrap_or(0)
    }
}

/// Breaks one line, which begins at byte `start` of the text, into rows.
fn break_line(line: &str, start: usize, columns: u16, spans: &mut Vec<(usize, usize)>) {
    let mut row_start = 0;
    let mut row_columns = 0;
    // The end of the last blank or wide character on the row, and the columns up to there.
    let mut last_break: Option<(usize, u16)> = None;
    for (at, cluster) in line.grapheme_indices(true) {
        let cluster_columns = width(cluster);
        // Twice where what is left after a blank is still too long.
        while row_columns + cluster_columns > columns && at > row_start {
            let (end, used) = last_break.unwrap_or((at, row_columns));
            spans.push((start + row_start, start + end));
            row_start = end;
            row_columns -= used;
            last_break = None;
        }
        row_columns += cluster_columns;
        let may_break = cluster == " " || glyphs(cluster).any(|glyph| glyph.columns > 1);
        if may_break {
            last_break = Some((at + cluster.len(), row_columns));
        }
    }
    spans.push((start + row_start, start + line.len()));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_segmentation::UnicodeSegmentation;

    use super::{Composer, Erase, Move};
    use crate::tui::text::row_width;

    fn composer(text: &str) -> Composer {
        let mut composer = Composer::default();
        composer.set(text);
        composer
    }

    fn rows(composer: &Composer, columns: u16) -> Vec<String> {
        let laid = composer.lay(columns);
        laid.rows
            .iter()
            .map(|row| row.iter().map(|piece| piece.text.as_str()).collect())
            .collect()
    }

    #[test]
    fn what_people_take_for_one_character_is_erased_at_once() {
        let mut composer = composer("a👩‍👩‍👧e\u{301}");
        composer.erase(Erase::Before);
        assert_eq!(composer.text(), "a👩‍👩‍👧");
        composer.erase(Erase::Before);
        assert_eq!(composer.text(), "a");
    }

    #[test]
    fn a_paste_keeps_its_lines() {
        let mut composer = composer("xy");
        composer.go(Move::Left);
        composer.insert("1\r\n2\r3");
        assert_eq!(composer.text(), "x1\n2\n3y");
        assert_eq!(composer.lay(10).cursor, (1, 2));
    }

    #[test]
    fn long_lines_break_after_blanks_and_wide_characters() {
        assert_eq!(rows(&composer("one two three"), 8), ["one two ", "three"]);
        assert_eq!(rows(&composer("你好世界"), 5), ["你好", "世界"]);
        assert_eq!(rows(&composer("abcdefgh"), 3), ["abc", "def", "gh"]);
        assert_eq!(composer("你好").lay(9).cursor, (4, 0));
    }

    #[test]
    fn up_and_down_keep_the_column_through_shorter_lines() {
        let mut composer = composer("abcdef\nxy\nabcdef");
        composer.go(Move::Left);
        assert_eq!(composer.lay(20).cursor, (5, 2));
        assert!(composer.go_row(20, false));
        assert_eq!(composer.lay(20).cursor, (2, 1));
        assert!(composer.go_row(20, false));
        assert_eq!(composer.lay(20).cursor, (5, 0));
        assert!(!composer.go_row(20, false));
    }

    #[test]
    fn a_word_that_ends_within_a_character_is_passed_over_whole() {
        // The mark after the letter of another script is a word of its own, and of one character with it.
        let text = "𑪄丽𐆠ῆa\u{840}\u{85a}®®A";
        for moves in [Move::WordLeft, Move::WordRight] {
            for at in text.grapheme_indices(true).map(|(at, _)| at) {
                let mut composer = composer(text);
                composer.cursor = at;
                composer.go(moves);
                let mut starts = text.grapheme_indices(true).map(|(at, _)| at);
                let is_between = starts.any(|start| start == composer.cursor);
                assert!(is_between || composer.cursor == text.len(), "{at}");
            }
        }
    }

    #[test]
    fn words_and_lines_are_erased_and_passed_over() {
        let mut composer = composer("one two\nthree four");
        composer.erase(Erase::WordBefore);
        assert_eq!(composer.text(), "one two\nthree ");
        composer.go(Move::WordLeft);
        composer.erase(Erase::After);
        assert_eq!(composer.text(), "one two\nhree ");
        composer.go(Move::Start);
        composer.go(Move::WordRight);
        composer.erase(Erase::ToLineStart);
        assert_eq!(composer.text(), " two\nhree ");
    }

    #[test]
    fn what_was_sent_comes_back_and_what_was_being_written_too() {
        let mut composer = composer("first");
        composer.take();
        composer.set("second");
        composer.take();
        composer.set("draft");
        composer.recall(true);
        assert_eq!(composer.text(), "second");
        composer.recall(true);
        composer.recall(true);
        assert_eq!(composer.text(), "first");
        composer.recall(false);
        composer.recall(false);
        assert_eq!(composer.text(), "draft");
    }

    #[test]
    fn a_word_is_completed() {
        let mut composer = composer("hello @gr");
        let (start, word) = composer.word_before();
        assert_eq!(word, "@gr");
        composer.replace_from(start, "@grace ");
        assert_eq!(composer.text(), "hello @grace ");
    }

    proptest! {
        #[test]
        fn the_cursor_is_always_between_two_characters(
            steps in proptest::collection::vec((0_u8..13, any::<String>()), 0..40),
            columns in 2_u16..20,
        ) {
            let mut composer = Composer::default();
            for (step, text) in steps {
                match step {
                    0 => composer.go(Move::Left),
                    1 => composer.go(Move::Right),
                    2 => composer.go(Move::WordLeft),
                    3 => composer.go(Move::WordRight),
                    4 => composer.go(Move::LineStart),
                    5 => composer.erase(Erase::Before),
                    6 => composer.erase(Erase::After),
                    7 => composer.erase(Erase::WordBefore),
                    8 => { composer.go_row(columns, false); }
                    9 => { composer.go_row(columns, true); }
                    10 => composer.point(columns, (3, 1)),
                    _ => composer.insert(&text),
                }
                let at = composer.cursor;
                let ends = composer.text.grapheme_indices(true).map(|(at, _)| at).chain([composer.text.len()]);
                prop_assert!(ends.into_iter().any(|end| end == at));
                let laid = composer.lay(columns);
                prop_assert!(laid.cursor.1 < laid.rows.len());
                // A single cluster can be wider than a row: a family of three.
                let widest = composer.text.graphemes(true).map(crate::tui::text::width).max().unwrap_or(0);
                for row in &laid.rows {
                    prop_assert!(row_width(row) <= columns.max(widest));
                }
            }
        }
    }
}
