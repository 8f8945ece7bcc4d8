//! The part of a text that a hit shows.

/// Bytes of a text around its first match that are shown, about.
const SNIPPET_BYTES: usize = 240;
/// How many of them come before the match.
const BEFORE_BYTES: usize = 60;
/// Most matches that are marked.
const MATCHES_MAX: usize = 50;

/// A part of a text and where the matches are in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Snippet {
    pub(super) text: String,
    pub(super) matches: Vec<(u32, u32)>,
}

/// Cuts a snippet from a text with these matches: begin and end, in bytes, in any order.
pub(super) fn cut(text: &str, mut matches: Vec<(usize, usize)>) -> Snippet {
    matches.sort_unstable();
    let first = matches.first().map_or(0, |(begin, _)| *begin);
    let begin = word_begin(text, first.saturating_sub(BEFORE_BYTES), first);
    let first_end = matches.first().map_or(0, |(_, end)| *end);
    let mut end = (begin + SNIPPET_BYTES).max(first_end).min(text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    let mut shown: Vec<(u32, u32)> = Vec::new();
    for (from, to) in matches.into_iter().take(MATCHES_MAX) {
        if to > end {
            continue;
        }
        let place = |at: usize| u32::try_from(at - begin).unwrap_or(u32::MAX);
        match shown.last_mut() {
            // Two words that are looked for can stand in one another.
            Some(last) if place(from) < last.1 => last.1 = last.1.max(place(to)),
            _ => shown.push((place(from), place(to))),
        }
    }
    Snippet {
        text: text.get(begin..end).unwrap_or_default().to_owned(),
        matches: shown,
    }
}

/// The beginning of a word at `from` or later, and before `until`.
fn word_begin(text: &str, from: usize, until: usize) -> usize {
    if from == 0 {
        return 0;
    }
    let mut from = from;
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let passed = text.get(from..until).unwrap_or_default();
    let space = passed.char_indices().find(|(_, char)| char.is_whitespace());
    space.map_or(from, |(at, char)| from + at + char.len_utf8())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop};
    use proptest::{prop_assert, proptest};

    use super::*;

    #[test]
    fn a_long_text_is_cut_around_its_first_match() {
        let text = format!("{} needle {}", "before ".repeat(40), "after ".repeat(100));
        let at = text.find("needle").unwrap();
        let snippet = cut(&text, vec![(at, at + 6)]);
        assert!(snippet.text.starts_with("before "), "{}", snippet.text);
        assert!(snippet.text.len() <= SNIPPET_BYTES + 3);
        let [(begin, end)] = snippet.matches[..] else {
            unreachable!("one match");
        };
        assert_eq!(&snippet.text[begin as usize..end as usize], "needle");
    }

    #[test]
    fn matches_in_one_another_are_one() {
        let snippet = cut("abcdef", vec![(2, 4), (0, 3), (5, 6)]);
        assert_eq!(snippet.matches, [(0, 4), (5, 6)]);
    }

    proptest! {
        #[test]
        fn matches_are_within_the_snippet(
            text in "\\PC{0,400}",
            picks in prop::collection::vec((any::<u16>(), any::<u16>()), 0..6),
        ) {
            let bounds: Vec<usize> = (0..=text.len()).filter(|at| text.is_char_boundary(*at)).collect();
            let pick = |number: u16| bounds[usize::from(number) % bounds.len()];
            let matches = picks
                .into_iter()
                .map(|(one, other)| (pick(one).min(pick(other)), pick(one).max(pick(other))))
                .filter(|(begin, end)| begin < end)
                .collect();
            let snippet = cut(&text, matches);
            for (begin, end) in snippet.matches {
                prop_assert!(begin < end);
                prop_assert!(snippet.text.get(begin as usize..end as usize).is_some());
            }
        }
    }
}
