//! What a text is cut into for the search.
//!
//! A word is a run of letters and digits, compared without regard to letter case and accents. Scripts that put no spaces
//! between words (Chinese, Japanese, Korean, Thai and their neighbours) are cut into characters: each is a term, and so is
//! each with the one after it, so that every part of such a text is found, and quickly where it has two characters or
//! more. A symbol such as an emoji is a word by itself.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Longest term, in bytes; a longer word is found by its beginning.
const TERM_BYTES_MAX: usize = 64;
/// Most terms of one text: all of 64 KiB of any prose. What comes after is not found.
pub(super) const TERMS_MAX: usize = 16 * 1024;

/// One word or character of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// Where it begins in the text, in bytes.
    pub(crate) begin: usize,
    /// Where it ends.
    pub(crate) end: usize,
    /// What it is compared by.
    pub(crate) term: String,
    /// Whether it is a character of a script without spaces.
    pub(crate) is_unit: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Word,
    Unit,
    Symbol,
    Other,
}

/// Cuts a text, in order.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut word: Option<usize> = None;
    let mut chars = text.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        let class = class_of(char);
        if class == Class::Word {
            word.get_or_insert(at);
            continue;
        }
        // A mark that changes the letter before it is a part of the word.
        if word.is_some() && is_combining_mark(char) {
            continue;
        }
        if let Some(begin) = word.take() {
            push(&mut tokens, text, (begin, at), false);
        }
        if class == Class::Other {
            continue;
        }
        let mut end = at + char.len_utf8();
        while let Some((next, mark)) = chars.next_if(|(_, next)| is_mark(*next)) {
            end = next + mark.len_utf8();
        }
        push(&mut tokens, text, (at, end), class == Class::Unit);
    }
    if let Some(begin) = word {
        push(&mut tokens, text, (begin, text.len()), false);
    }
    tokens
}

/// Adds the terms that a text is listed under.
pub(crate) fn add_terms(terms: &mut BTreeSet<String>, text: &str) {
    let mut before: Option<Token> = None;
    for token in tokens(text) {
        if terms.len() >= TERMS_MAX {
            return;
        }
        if let Some(before) = before.filter(|before| are_neighbours(before, &token)) {
            terms.insert(format!("{}{}", before.term, token.term));
        }
        terms.insert(token.term.clone());
        before = Some(token);
    }
}

/// The terms that a text which has these tokens one after another is listed under: the fewest that say so.
pub(crate) fn terms_of_sequence(tokens: &[Token]) -> Vec<String> {
    let mut terms = Vec::new();
    let mut is_paired = false;
    for (index, token) in tokens.iter().enumerate() {
        let next = tokens.get(index + 1);
        if let Some(next) = next.filter(|next| are_neighbours(token, next)) {
            terms.push(format!("{}{}", token.term, next.term));
            is_paired = true;
        } else {
            if !is_paired {
                terms.push(token.term.clone());
            }
            is_paired = false;
        }
    }
    terms
}

/// What a word is compared by: its letters without accents, in lower case, in one form of each.
pub(crate) fn fold(word: &str) -> String {
    if word.is_ascii() {
        return word.to_ascii_lowercase();
    }
    let folded: String = word
        .nfkd()
        .filter(|char| !('\u{300}'..='\u{36f}').contains(char))
        .flat_map(char::to_lowercase)
        .nfc()
        .collect();
    folded.replace('ß', "ss")
}

/// The tags of a text: `#` at the beginning of a word, and what follows without a space. In lower case.
pub(crate) fn tags(text: &str) -> BTreeSet<String> {
    let mut tags = BTreeSet::new();
    let mut rest = text;
    let mut before = None;
    while let Some(at) = rest.find('#') {
        let (passed, hash) = rest.split_at(at);
        let begins = match passed.chars().next_back().or(before) {
            None => true,
            Some(char) => char.is_whitespace() || "([{（「『，。、".contains(char),
        };
        before = Some('#');
        rest = hash.get(1..).unwrap_or_default();
        let end = rest
            .find(|char: char| {
                !(char.is_alphanumeric() || is_combining_mark(char) || "_-".contains(char))
            })
            .unwrap_or(rest.len());
        let tag = rest.get(..end).unwrap_or_default().trim_matches(['-', '_']);
        // A number after a hash is a number of something.
        if begins && tag.len() <= TERM_BYTES_MAX && tag.chars().any(char::is_alphabetic) {
            tags.insert(tag_key(tag));
        }
    }
    tags
}

/// What a tag is compared by and shown as.
pub(crate) fn tag_key(tag: &str) -> String {
    tag.trim_start_matches('#')
        .nfc()
        .flat_map(char::to_lowercase)
        .collect()
}

fn are_neighbours(before: &Token, after: &Token) -> bool {
    before.is_unit && after.is_unit && before.end == after.begin
}

fn push(tokens: &mut Vec<Token>, text: &str, (begin, end): (usize, usize), is_unit: bool) {
    let mut term = fold(text.get(begin..end).unwrap_or_default());
    let mut bytes = term.len().min(TERM_BYTES_MAX);
    while !term.is_char_boundary(bytes) {
        bytes -= 1;
    }
    term.truncate(bytes);
    if !term.is_empty() {
        tokens.push(Token {
            begin,
            end,
            term,
            is_unit,
        });
    }
}

fn class_of(char: char) -> Class {
    match char {
        '\u{2600}'..='\u{27bf}' | '\u{1f1e6}'..='\u{1f1ff}' | '\u{1f300}'..='\u{1faff}' => {
            Class::Symbol
        }
        char if !char.is_alphanumeric() => Class::Other,
        // Thai, Lao, Tibetan, Myanmar; Khmer; Jamo, kana, ideographs, syllables; half-width forms; the further planes.
        '\u{e00}'..='\u{fff}'
        | '\u{1000}'..='\u{109f}'
        | '\u{1100}'..='\u{11ff}'
        | '\u{1780}'..='\u{17ff}'
        | '\u{3005}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7af}'
        | '\u{f900}'..='\u{faff}'
        | '\u{ff66}'..='\u{ffdc}'
        | '\u{1b000}'..='\u{1b16f}'
        | '\u{20000}'..='\u{3ffff}' => Class::Unit,
        _ => Class::Word,
    }
}

/// Whether it belongs to the character before it: marks, the half-width voicing marks of kana, and what varies an emoji.
fn is_mark(char: char) -> bool {
    is_combining_mark(char)
        || matches!(
            char,
            '\u{ff9e}' | '\u{ff9f}' | '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}'
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::any;
    use proptest::{prop_assert, proptest};

    use super::*;

    fn terms(text: &str) -> Vec<String> {
        tokens(text).into_iter().map(|token| token.term).collect()
    }

    fn listed(text: &str) -> BTreeSet<String> {
        let mut terms = BTreeSet::new();
        add_terms(&mut terms, text);
        terms
    }

    #[test]
    fn words_are_compared_without_case_and_accents() {
        assert_eq!(
            terms("Zürich: ÉCOLE, Straße; Ёлка re\u{301}sume\u{301} ﬁn"),
            ["zurich", "ecole", "strasse", "елка", "resume", "fin"]
        );
        assert_eq!(terms("IMG_2024-05.JPG"), ["img", "2024", "05", "jpg"]);
    }

    #[test]
    fn scripts_without_spaces_are_cut_into_characters() {
        assert_eq!(terms("我在iPhone上"), ["我", "在", "iphone", "上"]);
        assert_eq!(
            terms("東京タワー、サッポロ"),
            [
                "東",
                "京",
                "タ",
                "ワ",
                "ー",
                "サ",
                "ッ",
                "ホ\u{309a}".nfc().collect::<String>().as_str(),
                "ロ"
            ]
        );
        assert_eq!(
            terms("ｶﾞｽ"),
            ["ガ", "ス"],
            "half-width forms are the same characters"
        );
        assert_eq!(terms("한국어"), ["한", "국", "어"]);
    }

    #[test]
    fn each_character_is_listed_and_each_pair_that_stands_together() {
        let listed = listed("东京，京都");
        let expected = ["东", "东京", "京", "京都", "都"];
        assert_eq!(listed, expected.map(str::to_owned).into());
        assert_eq!(terms_of_sequence(&tokens("东京都")), ["东京", "京都"]);
        assert_eq!(terms_of_sequence(&tokens("京")), ["京"]);
        assert_eq!(terms_of_sequence(&tokens("a京都b")), ["a", "京都", "b"]);
    }

    #[test]
    fn a_symbol_is_a_word() {
        assert_eq!(
            terms("ok👍🏽done❤️"),
            ["ok", "👍\u{1f3fd}", "done", "❤\u{fe0f}"]
        );
    }

    #[test]
    fn tags_begin_a_word_and_are_no_numbers() {
        let found = tags("#Garden and (#to-do) not a#b, # no, #12, https://x/#top ##x #旅行 #a_");
        let expected = ["a", "garden", "to-do", "旅行"];
        assert_eq!(found, expected.map(str::to_owned).into());
    }

    #[test]
    fn a_long_word_is_found_by_its_beginning() {
        let word = "é".repeat(500);
        let terms = terms(&word);
        assert_eq!(terms, ["e".repeat(TERM_BYTES_MAX)]);
    }

    proptest! {
        #[test]
        fn tokens_are_in_order_and_within_the_text(text in any::<String>()) {
            let mut end = 0;
            for token in tokens(&text) {
                prop_assert!(token.begin >= end && token.end > token.begin);
                prop_assert!(text.get(token.begin..token.end).is_some());
                prop_assert!(!token.term.is_empty() && token.term.len() <= TERM_BYTES_MAX);
                let is_plain = !token.term.contains(char::is_control);
                prop_assert!(is_plain);
                end = token.end;
            }
        }

        #[test]
        fn every_part_of_a_text_is_among_its_terms(text in any::<String>(), from in any::<u8>(), count in 1..5_usize) {
            let tokens = tokens(&text);
            let listed = listed(&text);
            let from = usize::from(from).min(tokens.len());
            let part: Vec<Token> = tokens.iter().skip(from).take(count).cloned().collect();
            for term in terms_of_sequence(&part) {
                prop_assert!(listed.contains(&term), "{:?}", term);
            }
        }

        #[test]
        fn tags_are_found_in_any_text(text in any::<String>()) {
            for tag in tags(&text) {
                prop_assert!(!tag.is_empty());
            }
        }
    }
}
