//! CommonMark as rows of a terminal: weight, code, quotes, lists and addresses. What it does not know stays as it was written.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use ratatui::style::{Modifier, Style};

use super::text::{Piece, Row, wrap};
use super::theme::Theme;

/// Texts that are longer are shown as they are: looking for structure in them would take too long for a frame.
const PARSED_BYTES_MAX: usize = 16 * 1024;

/// A message as rows of at most `columns`. There is always one row.
pub(crate) fn rows(text: &str, columns: u16, theme: Theme) -> Vec<Row> {
    if text.len() > PARSED_BYTES_MAX {
        return wrap(&[Piece::plain(text)], columns);
    }
    let parser = Parser::new_ext(text, Options::ENABLE_STRIKETHROUGH);
    // Definitions of links are not shown by CommonMark; here nothing that was said is hidden.
    if parser.reference_definitions().iter().next().is_some() {
        return wrap(&[Piece::plain(text)], columns);
    }
    let mut page = Page::new(columns, theme);
    for event in parser {
        page.take(event);
    }
    page.finish()
}

/// What has been laid out, and what the next words are in.
struct Page {
    columns: u16,
    theme: Theme,
    rows: Vec<Row>,
    line: Row,
    /// What every row begins with, from quotes and lists; the first row of an item begins with its sign.
    margins: Vec<Margin>,
    weights: Vec<Modifier>,
    lists: Vec<Option<u64>>,
    link: Option<(String, String)>,
    in_code: bool,
}

struct Margin {
    first: Option<String>,
    rest: String,
}

impl Page {
    fn new(columns: u16, theme: Theme) -> Self {
        Self {
            columns,
            theme,
            rows: Vec::new(),
            line: Row::new(),
            margins: Vec::new(),
            weights: Vec::new(),
            lists: Vec::new(),
            link: None,
            in_code: false,
        }
    }

    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => {
                if let Some((_, shown)) = &mut self.link {
                    shown.push_str(&text);
                }
                let text = if self.in_code {
                    text.strip_suffix('\n').unwrap_or(&text)
                } else {
                    &text
                };
                self.word(text, self.style());
            }
            Event::Code(text) => self.word(&text, self.theme.accent()),
            // Somebody who begins a line in a conversation means it.
            Event::SoftBreak | Event::HardBreak => self.word("\n", Style::new()),
            Event::Rule => {
                self.end_block();
                self.word(
                    &self
                        .theme
                        .signs
                        .rule
                        .repeat(usize::from(self.columns.min(20))),
                    self.theme.dim(),
                );
                self.end_block();
            }
            Event::Html(text)
            | Event::InlineHtml(text)
            | Event::InlineMath(text)
            | Event::DisplayMath(text)
            | Event::FootnoteReference(text) => {
                self.word(text.trim_end_matches('\n'), self.style());
            }
            Event::TaskListMarker(is_done) => {
                self.word(if is_done { "[x] " } else { "[ ] " }, self.style());
            }
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Emphasis => self.weights.push(Modifier::ITALIC),
            Tag::Strong => self.weights.push(Modifier::BOLD),
            Tag::Strikethrough => self.weights.push(Modifier::CROSSED_OUT),
            Tag::Heading { .. } => {
                self.begin_block();
                self.weights.push(Modifier::BOLD);
            }
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.link = Some((dest_url.into_string(), String::new()));
                self.weights.push(Modifier::UNDERLINED);
            }
            Tag::BlockQuote(_) => {
                self.begin_block();
                let sign = format!("{} ", self.theme.signs.quote);
                self.margins.push(Margin {
                    first: None,
                    rest: sign,
                });
            }
            Tag::List(first) => {
                self.end_block();
                self.lists.push(first);
            }
            Tag::Item => self.start_item(),
            Tag::CodeBlock(kind) => {
                self.begin_block();
                if let CodeBlockKind::Fenced(name) = kind
                    && !name.is_empty()
                {
                    self.word(&name, self.theme.dim());
                    self.end_block();
                }
                self.in_code = true;
                self.margins.push(Margin {
                    first: None,
                    rest: "  ".to_owned(),
                });
            }
            _ => self.begin_block(),
        }
    }

    fn start_item(&mut self) {
        self.end_block();
        let sign = match self.lists.last_mut() {
            Some(Some(number)) => {
                let sign = format!("{number}. ");
                *number += 1;
                sign
            }
            _ => format!("{} ", self.theme.signs.bullet),
        };
        self.margins.push(Margin {
            rest: " ".repeat(sign.chars().count()),
            first: Some(sign),
        });
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough => {
                self.weights.pop();
            }
            TagEnd::Heading(_) => {
                self.end_block();
                self.weights.pop();
            }
            TagEnd::Link | TagEnd::Image => {
                self.weights.pop();
                if let Some((address, shown)) = self.link.take()
                    && address != shown
                    && address.strip_prefix("mailto:") != Some(shown.as_str())
                {
                    // Where it leads is seen before it is followed.
                    self.word(&format!(" <{address}>"), self.theme.accent());
                }
            }
            TagEnd::BlockQuote(_) | TagEnd::Item => {
                self.end_block();
                self.margins.pop();
            }
            TagEnd::CodeBlock => {
                self.end_block();
                self.in_code = false;
                self.margins.pop();
            }
            TagEnd::List(_) => {
                self.lists.pop();
            }
            _ => self.end_block(),
        }
    }

    fn style(&self) -> Style {
        let base = if self.in_code {
            self.theme.accent()
        } else {
            Style::new()
        };
        self.weights
            .iter()
            .fold(base, |style, weight| style.add_modifier(*weight))
    }

    fn word(&mut self, text: &str, style: Style) {
        self.line.push(Piece::new(text, style));
    }

    /// A block after another one stands apart, but not the items of a list.
    fn begin_block(&mut self) {
        self.end_block();
        if !self.rows.is_empty() && self.lists.is_empty() {
            let margin = self.margin(false);
            self.rows.push(margin);
        }
    }

    fn end_block(&mut self) {
        if self.line.is_empty() {
            return;
        }
        let line = std::mem::take(&mut self.line);
        let indent: u16 = self
            .margins
            .get(..self.margins_shown())
            .unwrap_or_default()
            .iter()
            .map(|margin| super::text::width(&margin.rest))
            .sum();
        let columns = self.columns.saturating_sub(indent);
        for (index, words) in wrap(&line, columns).into_iter().enumerate() {
            let mut row = self.margin(index == 0);
            row.extend(words);
            self.rows.push(row);
        }
    }

    /// How many margins leave at least half of the columns to the words.
    fn margins_shown(&self) -> usize {
        let mut left = self.columns / 2;
        self.margins
            .iter()
            .take_while(|margin| {
                let columns = super::text::width(&margin.rest);
                let fits = columns <= left;
                left = left.saturating_sub(columns);
                fits
            })
            .count()
    }

    fn margin(&mut self, is_first: bool) -> Row {
        let dim = self.theme.dim();
        let shown = self.margins_shown();
        self.margins
            .iter_mut()
            .take(shown)
            .map(|margin| {
                let sign = if is_first { margin.first.take() } else { None };
                Piece::new(sign.unwrap_or_else(|| margin.rest.clone()), dim)
            })
            .collect()
    }

    fn finish(mut self) -> Vec<Row> {
        self.end_block();
        if self.rows.is_empty() {
            self.rows.push(Row::new());
        }
        self.rows
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::style::Modifier;

    use super::{Theme, rows};

    fn told(text: &str, columns: u16) -> Vec<String> {
        rows(text, columns, Theme::new(true, false))
            .iter()
            .map(|row| row.iter().map(|piece| piece.text.as_str()).collect())
            .collect()
    }

    #[test]
    fn lines_stay_lines_and_paragraphs_stand_apart() {
        assert_eq!(told("one\ntwo\n\nthree", 20), ["one", "two", "", "three"]);
        assert_eq!(told("", 20), [""]);
    }

    #[test]
    fn lists_quotes_and_code_are_set_in() {
        assert_eq!(
            told("Do:\n\n- one two three\n- four\n", 10),
            ["Do:", "• one two ", "  three", "• four"]
        );
        assert_eq!(told("1. a\n2. b", 10), ["1. a", "2. b"]);
        assert_eq!(told("> said\n\nanswer", 20), ["▏ said", "", "answer"]);
        assert_eq!(
            told("```sh\nls -l\npwd\n```", 20),
            ["sh", "  ls -l", "  pwd"]
        );
    }

    #[test]
    fn a_link_shows_where_it_leads() {
        assert_eq!(
            told("[bank](https://evil.example)", 60),
            ["bank <https://evil.example>"]
        );
        assert_eq!(told("<https://a.example>", 60), ["https://a.example"]);
    }

    #[test]
    fn weight_is_weight() {
        let rows = rows("a **b** c", 20, Theme::new(true, false));
        let bold = rows
            .iter()
            .flatten()
            .find(|piece| piece.text == "b")
            .unwrap();
        assert!(bold.style.add_modifier.contains(Modifier::BOLD));
    }

    proptest! {
        #[test]
        fn any_text_has_rows_that_fit(text in "[ -~\n你é`*_>#\\-\\[\\]()1.]{0,200}", columns in 8_u16..60) {
            let rows = rows(&text, columns, Theme::new(true, false));
            prop_assert!(!rows.is_empty());
            for row in &rows {
                prop_assert!(crate::tui::text::row_width(row) <= columns);
            }
        }

        #[test]
        fn words_without_signs_are_shown_whole(text in "[a-z你é \n]{1,200}", columns in 8_u16..60) {
            let rows = rows(&text, columns, Theme::new(true, false));
            let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic()).collect::<String>();
            let shown: String = rows.iter().flatten().map(|piece| letters(&piece.text)).collect();
            prop_assert_eq!(shown, letters(&text));
        }
    }
}
