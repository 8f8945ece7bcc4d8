//! What a search asks for, read from the line that a person typed.

use wharf_types::limit::SEARCH_BYTES_MAX;

use super::words::{self, Token};
use crate::error::{Error, Result};
use crate::zone::{Zone, parse_day};

/// A search, taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Query {
    /// All of these are wanted.
    pub(super) wanted: Vec<Piece>,
    /// None of these are.
    pub(super) unwanted: Vec<Piece>,
    /// Who wrote it: one of these.
    pub(super) from: Vec<String>,
    /// Where it is.
    pub(super) in_room: Option<String>,
    /// All of these properties are wanted.
    pub(super) has: Vec<Has>,
    /// All of these tags are wanted.
    pub(super) tags: Vec<String>,
    /// Not before this time, in milliseconds since the epoch.
    pub(super) from_ms: Option<i64>,
    /// Before this time.
    pub(super) until_ms: Option<i64>,
}

/// Words one after another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) tokens: Vec<Token>,
    /// Whether the last one is only the beginning of a word.
    pub(super) is_open: bool,
}

/// A property of what is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Has {
    File,
    Image,
    Film,
    Sound,
    Link,
    Tag,
}

/// One word of the line, or several in quotes.
#[derive(Debug, PartialEq, Eq)]
struct Item {
    is_unwanted: bool,
    key: Option<String>,
    value: String,
    is_quoted: bool,
}

impl Has {
    /// The word for it in terms.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Image => "image",
            Self::Film => "film",
            Self::Sound => "sound",
            Self::Link => "link",
            Self::Tag => "tag",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "file" | "attachment" => Self::File,
            "image" | "picture" | "photo" => Self::Image,
            "film" | "video" => Self::Film,
            "sound" | "audio" | "music" => Self::Sound,
            "link" | "url" => Self::Link,
            "tag" => Self::Tag,
            _ => return None,
        })
    }
}

impl Query {
    /// Reads a line; its days are days in `zone`.
    ///
    /// # Errors
    /// - `TooLarge`: longer than a search may be.
    /// - `Invalid`: it asks for nothing, or a value after a colon is none of those there are.
    pub(super) fn parse(line: &str, zone: &Zone) -> Result<Self> {
        if line.len() > SEARCH_BYTES_MAX {
            return Err(Error::new(
                wharf_types::ErrorCode::TooLarge,
                format!("a search has {SEARCH_BYTES_MAX} bytes at most"),
            ));
        }
        let mut query = Self::default();
        let line = line.replace(char::is_control, " ");
        for item in items(&line) {
            query.add(&item, zone)?;
        }
        if query == Self::default() {
            return Err(Error::invalid("there is nothing to search for"));
        }
        Ok(query)
    }

    fn add(&mut self, item: &Item, zone: &Zone) -> Result<()> {
        let value = item.value.as_str();
        match item.key.as_deref() {
            Some("from") => self.from.push(value.to_owned()),
            Some("in") => self.in_room = Some(value.to_owned()),
            Some("has") => {
                let has = Has::parse(&value.to_lowercase()).ok_or_else(|| {
                    Error::invalid("has: takes file, image, film, sound, link or tag")
                })?;
                self.has.push(has);
            }
            Some("before") => self.end(parse_day(value)?.begin_ms(zone)?),
            Some("after") => self.begin(parse_day(value)?.begin_ms(zone)?),
            Some("on") => {
                let day = parse_day(value)?;
                self.begin(day.begin_ms(zone)?);
                self.end(day.end_ms(zone)?);
            }
            Some(_) | None => self.add_words(item),
        }
        Ok(())
    }

    fn begin(&mut self, ms: i64) {
        self.from_ms = Some(self.from_ms.map_or(ms, |known| known.max(ms)));
    }

    fn end(&mut self, ms: i64) {
        self.until_ms = Some(self.until_ms.map_or(ms, |known| known.min(ms)));
    }

    fn add_words(&mut self, item: &Item) {
        if !item.is_quoted && !item.is_unwanted {
            let tags = words::tags(&item.value);
            if item.value.starts_with('#') && tags.len() == 1 {
                self.tags.extend(tags);
                return;
            }
        }
        let tokens = words::tokens(&item.value);
        let Some(last) = tokens.last() else {
            return;
        };
        // One letter begins too many words.
        let is_open =
            !item.is_quoted && item.value.ends_with('*') && !last.is_unit && last.term.len() > 1;
        let piece = Piece { tokens, is_open };
        if item.is_unwanted {
            self.unwanted.push(piece);
        } else {
            self.wanted.push(piece);
        }
    }
}

impl Piece {
    /// Where in a text it stands: first and last token of each time.
    pub(super) fn find_in<'t>(
        &'t self,
        text: &'t [Token],
    ) -> impl Iterator<Item = (&'t Token, &'t Token)> {
        text.windows(self.tokens.len().max(1)).filter_map(|window| {
            let (last, before) = self.tokens.split_last()?;
            let (found_last, found_before) = window.split_last()?;
            let matches = before
                .iter()
                .zip(found_before)
                .all(|(wanted, found)| wanted.term == found.term)
                && self.matches_last(last, found_last);
            matches.then_some((window.first()?, found_last))
        })
    }

    fn matches_last(&self, wanted: &Token, found: &Token) -> bool {
        if self.is_open {
            found.term.starts_with(&wanted.term)
        } else {
            wanted.term == found.term
        }
    }
}

/// What words that belong together stand in.
const QUOTES: [char; 3] = ['"', '“', '”'];

/// Cuts a line at its spaces, except in quotes.
fn items(line: &str) -> Vec<Item> {
    let mut items = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let (item, after) = item(rest);
        items.push(item);
        rest = after.trim_start();
    }
    items
}

fn item(rest: &str) -> (Item, &str) {
    let (is_unwanted, rest) = match rest.strip_prefix('-') {
        Some(after) if !after.is_empty() && !after.starts_with(char::is_whitespace) => {
            (true, after)
        }
        _ => (false, rest),
    };
    let word_end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let (key, rest) = match rest.find(':') {
        Some(colon) if !is_unwanted && colon < word_end => key_of(rest, colon),
        _ => (None, rest),
    };
    let (value, after, is_quoted) = if let Some(quoted) = rest.strip_prefix(QUOTES) {
        // A quote that is not closed goes to the end.
        let (value, after) = quoted.split_at(quoted.find(QUOTES).unwrap_or(quoted.len()));
        (value, after.trim_start_matches(QUOTES), true)
    } else {
        let (value, after) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
        (value, after, false)
    };
    let item = Item {
        is_unwanted,
        key,
        value: value.to_owned(),
        is_quoted,
    };
    (item, after)
}

/// The word before a colon, where it is one that means something.
fn key_of(rest: &str, colon: usize) -> (Option<String>, &str) {
    let (key, value) = rest.split_at(colon);
    let key = key.to_lowercase();
    let value = value.get(1..).unwrap_or_default();
    let is_known = ["from", "in", "has", "before", "after", "on"].contains(&key.as_str());
    if is_known && !value.is_empty() && !value.starts_with(char::is_whitespace) {
        return (Some(key), value);
    }
    (None, rest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::any;
    use proptest::proptest;
    use wharf_types::ErrorCode;

    use super::*;

    fn parse(line: &str) -> Result<Query> {
        Query::parse(line, &Zone::parse(Some("+01:00")).unwrap())
    }

    fn terms(pieces: &[Piece]) -> Vec<Vec<&str>> {
        pieces
            .iter()
            .map(|piece| {
                piece
                    .tokens
                    .iter()
                    .map(|token| token.term.as_str())
                    .collect()
            })
            .collect()
    }

    #[test]
    fn a_line_is_taken_apart() {
        let query = parse(
            "Über plan-B \"two words\" -draft from:me from:\"Aunt May\" in:Team has:photo #Trip gard* on:2026-11-21 a:b",
        )
        .unwrap();
        assert_eq!(
            terms(&query.wanted),
            [
                vec!["uber"],
                vec!["plan", "b"],
                vec!["two", "words"],
                vec!["gard"],
                vec!["a", "b"]
            ]
        );
        assert_eq!(terms(&query.unwanted), [["draft"]]);
        assert_eq!(query.from, ["me", "Aunt May"]);
        assert_eq!(query.in_room.as_deref(), Some("Team"));
        assert_eq!(query.has, [Has::Image]);
        assert_eq!(query.tags, ["trip"]);
        let open: Vec<bool> = query.wanted.iter().map(|piece| piece.is_open).collect();
        assert_eq!(open, [false, false, false, true, false]);
        let begin = 1_795_215_600_000;
        assert_eq!(
            (query.from_ms, query.until_ms),
            (Some(begin), Some(begin + 86_400_000))
        );
    }

    #[test]
    fn days_narrow_each_other() {
        let query =
            parse("after:2026-01-01 after:2026-02-01 before:2026-03-01 before:2026-04-01").unwrap();
        let february = parse("after:2026-02-01 before:2026-03-01").unwrap();
        assert_eq!(query, february);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            "",
            "  ",
            "\"\"",
            "...",
            "has:wings",
            "before:tomorrow",
            "on:2026-02-30",
        ] {
            let error = parse(line).unwrap_err();
            assert_eq!(error.code(), ErrorCode::Invalid, "{line}");
        }
        let error = parse(&"a ".repeat(300)).unwrap_err();
        assert_eq!(error.code(), ErrorCode::TooLarge);
    }

    #[test]
    fn a_piece_is_found_where_its_words_stand_together() {
        let query = parse("\"京都 駅\" sta*").unwrap();
        let text = words::tokens("京都駅 and 京 都駅: the Station, x");
        let [phrase, open] = query.wanted.as_slice() else {
            unreachable!("two pieces");
        };
        let found: Vec<_> = phrase
            .find_in(&text)
            .map(|(first, last)| (first.begin, last.end))
            .collect();
        assert_eq!(found, [(0, 9), (14, 24)]);
        assert_eq!(open.find_in(&text).count(), 1);
    }

    proptest! {
        #[test]
        fn any_line_is_read_or_refused(line in any::<String>()) {
            drop(parse(&line));
        }
    }
}
