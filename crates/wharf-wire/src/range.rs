//! The `Range` header of HTTP (RFC 9110, section 14).

use std::ops::Range;

/// What part of a content a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// All of it: there is no range, or one that a server may or must pass over.
    Whole,
    /// These bytes; never empty, and within the content.
    Part(Range<u64>),
    /// Only bytes that are not there.
    Unsatisfiable,
}

/// Reads the value of a `Range` header for a content of `total` bytes.
///
/// A malformed value, another unit, and more than one range all mean the whole content, as section 14.2 allows.
pub fn parse(value: &str, total: u64) -> Wanted {
    let Some((unit, set)) = value.split_once('=') else {
        return Wanted::Whole;
    };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Wanted::Whole;
    }
    let Some((first, last)) = set.trim().split_once('-') else {
        return Wanted::Whole;
    };
    let (first, last) = (first.trim(), last.trim());
    match (number(first), number(last)) {
        (Some(first), Some(last)) if first > last => Wanted::Whole,
        (Some(first), Some(last)) => part(first, last.saturating_add(1).min(total)),
        (Some(first), None) if last.is_empty() => part(first, total),
        (None, Some(count)) if first.is_empty() => part(total.saturating_sub(count), total),
        _ => Wanted::Whole,
    }
}

fn part(start: u64, end: u64) -> Wanted {
    if start < end {
        Wanted::Part(start..end)
    } else {
        Wanted::Unsatisfiable
    }
}

/// Reads digits alone; a number past what fits is as good as the greatest that does.
fn number(digits: &str) -> Option<u64> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::{Wanted, parse};

    #[test]
    fn the_examples_of_the_rfc() {
        assert_eq!(parse("bytes=0-499", 10_000), Wanted::Part(0..500));
        assert_eq!(parse("bytes=500-999", 10_000), Wanted::Part(500..1_000));
        assert_eq!(parse("bytes=-500", 10_000), Wanted::Part(9_500..10_000));
        assert_eq!(parse("bytes=9500-", 10_000), Wanted::Part(9_500..10_000));
        assert_eq!(parse("bytes=0-0,-1", 10_000), Wanted::Whole);
    }

    #[test]
    fn what_is_past_the_end_is_unsatisfiable() {
        assert_eq!(parse("bytes=10-", 10), Wanted::Unsatisfiable);
        assert_eq!(parse("bytes=10-20", 10), Wanted::Unsatisfiable);
        assert_eq!(parse("bytes=-0", 10), Wanted::Unsatisfiable);
        assert_eq!(parse("bytes=0-", 0), Wanted::Unsatisfiable);
        assert_eq!(parse("bytes=-5", 0), Wanted::Unsatisfiable);
    }

    #[test]
    fn what_is_malformed_is_passed_over() {
        for value in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=5-2",
            "lines=1-2",
            "bytes=+1-2",
            "bytes=1--2",
        ] {
            assert_eq!(parse(value, 10), Wanted::Whole, "{value}");
        }
    }

    #[test]
    fn numbers_past_64_bits_are_cut() {
        assert_eq!(
            parse("bytes=3-99999999999999999999999", 10),
            Wanted::Part(3..10)
        );
        assert_eq!(
            parse("bytes=99999999999999999999999-", 10),
            Wanted::Unsatisfiable
        );
        assert_eq!(
            parse("bytes=-99999999999999999999999", 10),
            Wanted::Part(0..10)
        );
    }

    proptest! {
        #[test]
        fn no_value_gives_bytes_outside_the_content(value in any::<String>(), total in any::<u64>()) {
            if let Wanted::Part(range) = parse(&value, total) {
                prop_assert!(range.start < range.end && range.end <= total);
            }
        }

        #[test]
        fn first_and_last_are_both_included(first in any::<u64>(), last in any::<u64>(), total in any::<u64>()) {
            let want = if first > last {
                Wanted::Whole
            } else if first >= total {
                Wanted::Unsatisfiable
            } else {
                Wanted::Part(first..last.min(total - 1) + 1)
            };
            prop_assert_eq!(parse(&format!("bytes={first}-{last}"), total), want);
        }

        #[test]
        fn a_suffix_is_the_end(count in 1_u64.., total in 1_u64..) {
            prop_assert_eq!(parse(&format!("bytes=-{count}"), total), Wanted::Part(total.saturating_sub(count)..total));
        }
    }
}
