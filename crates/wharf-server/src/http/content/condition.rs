//! Conditional requests (RFC 9110, section 13).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE};
use http::{HeaderMap, HeaderName};
use wharf_types::ContentHash;

/// What tells one representation from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Validators {
    /// The content's hash in quotes. Strong: equal tags are equal bytes.
    pub(super) tag: String,
    /// When the server recorded it; whole seconds, as HTTP writes them.
    pub(super) modified: SystemTime,
}

/// Whether a request goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It does.
    Proceed,
    /// The client has what it asks for: 304.
    NotModified,
    /// What the client relies on does not hold: 412.
    Failed,
}

impl Validators {
    pub(super) fn new(content: ContentHash, changed_ms: i64) -> Self {
        let seconds = u64::try_from(changed_ms / 1000).unwrap_or(0);
        Self {
            tag: format!("\"{content}\""),
            modified: UNIX_EPOCH + Duration::from_secs(seconds),
        }
    }

    /// Weighs the conditions of a GET or HEAD in the order of section 13.2.2.
    pub(super) fn weigh(&self, headers: &HeaderMap) -> Verdict {
        if headers.contains_key(IF_MATCH) {
            if !lists(headers, &IF_MATCH, |tag| tag == self.tag) {
                return Verdict::Failed;
            }
        } else if date(headers, &IF_UNMODIFIED_SINCE).is_some_and(|date| self.modified > date) {
            return Verdict::Failed;
        }
        if headers.contains_key(IF_NONE_MATCH) {
            if lists(headers, &IF_NONE_MATCH, |tag| strong(tag) == self.tag) {
                return Verdict::NotModified;
            }
        } else if date(headers, &IF_MODIFIED_SINCE).is_some_and(|date| self.modified <= date) {
            return Verdict::NotModified;
        }
        Verdict::Proceed
    }

    /// Whether a `Range` holds: there is no `If-Range`, or it names this representation.
    ///
    /// A date is a weak validator here, because content may change twice within its second; it never holds, and the
    /// client gets the whole.
    pub(super) fn range_holds(&self, headers: &HeaderMap) -> bool {
        headers
            .get(IF_RANGE)
            .is_none_or(|value| value.as_bytes() == self.tag.as_bytes())
    }
}

/// The entity tags of `If-Match` on a PUT: what the place must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Required {
    /// No condition.
    Nothing,
    /// Something must be there (`If-Match: *`).
    Something,
    /// Content with one of these tags must be there.
    OneOf(Vec<String>),
    /// Nothing may be there (`If-None-Match: *`).
    Absence,
}

impl Required {
    /// Reads the conditions of a PUT; `None` for an `If-None-Match` that lists tags, which nothing here can promise.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        if headers.contains_key(IF_NONE_MATCH) {
            let is_any = tags(headers, &IF_NONE_MATCH).all(|tag| tag == "*");
            return is_any.then_some(Self::Absence);
        }
        if !headers.contains_key(IF_MATCH) {
            return Some(Self::Nothing);
        }
        let listed: Vec<String> = tags(headers, &IF_MATCH).map(str::to_owned).collect();
        Some(if listed.iter().any(|tag| tag == "*") {
            Self::Something
        } else {
            Self::OneOf(listed)
        })
    }
}

/// Whether the list in a header has `*` or a tag that `is_same` takes.
fn lists(headers: &HeaderMap, name: &HeaderName, is_same: impl Fn(&str) -> bool) -> bool {
    tags(headers, name).any(|tag| tag == "*" || is_same(tag))
}

/// The entries of a list of tags. Ours have no comma in them, so others need not be split right.
fn tags<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|tag| !tag.is_empty())
}

/// A tag without its mark of weakness, for the weak comparison of `If-None-Match`.
fn strong(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use http::header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE};
    use http::{HeaderMap, HeaderName, HeaderValue};
    use wharf_types::ContentHash;

    use super::{Required, Validators, Verdict};

    /// Sun, 06 Nov 1994 08:49:37 GMT, and a part of a second.
    const CHANGED_MS: i64 = 784_111_777_250;
    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const THEN: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

    fn validators() -> Validators {
        Validators::new(ContentHash::of(b"content"), CHANGED_MS)
    }

    fn headers(entries: &[(HeaderName, &str)]) -> HeaderMap {
        entries
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    fn weigh(entries: &[(HeaderName, &str)]) -> Verdict {
        validators().weigh(&headers(entries))
    }

    #[test]
    fn a_tag_that_the_client_has_is_not_sent_again() {
        let tag = validators().tag;
        assert_eq!(weigh(&[(IF_NONE_MATCH, &tag)]), Verdict::NotModified);
        assert_eq!(
            weigh(&[(IF_NONE_MATCH, &format!("\"x\", W/{tag}"))]),
            Verdict::NotModified
        );
        assert_eq!(weigh(&[(IF_NONE_MATCH, "*")]), Verdict::NotModified);
        assert_eq!(weigh(&[(IF_NONE_MATCH, "\"x\"")]), Verdict::Proceed);
    }

    #[test]
    fn if_match_compares_strongly() {
        let tag = validators().tag;
        assert_eq!(weigh(&[(IF_MATCH, &tag)]), Verdict::Proceed);
        assert_eq!(weigh(&[(IF_MATCH, "*")]), Verdict::Proceed);
        assert_eq!(weigh(&[(IF_MATCH, &format!("W/{tag}"))]), Verdict::Failed);
        assert_eq!(weigh(&[(IF_MATCH, "\"x\"")]), Verdict::Failed);
    }

    #[test]
    fn dates_count_where_there_is_no_tag() {
        assert_eq!(weigh(&[(IF_MODIFIED_SINCE, THEN)]), Verdict::NotModified);
        assert_eq!(weigh(&[(IF_MODIFIED_SINCE, BEFORE)]), Verdict::Proceed);
        assert_eq!(
            weigh(&[(IF_MODIFIED_SINCE, THEN), (IF_NONE_MATCH, "\"x\"")]),
            Verdict::Proceed
        );
        assert_eq!(weigh(&[(IF_UNMODIFIED_SINCE, THEN)]), Verdict::Proceed);
        assert_eq!(weigh(&[(IF_UNMODIFIED_SINCE, BEFORE)]), Verdict::Failed);
        assert_eq!(
            weigh(&[(IF_UNMODIFIED_SINCE, BEFORE), (IF_MATCH, "*")]),
            Verdict::Proceed
        );
        assert_eq!(weigh(&[(IF_MODIFIED_SINCE, "no date")]), Verdict::Proceed);
    }

    #[test]
    fn a_range_holds_for_the_same_tag_only() {
        let tag = validators().tag;
        assert!(validators().range_holds(&headers(&[])));
        assert!(validators().range_holds(&headers(&[(IF_RANGE, &tag)])));
        assert!(!validators().range_holds(&headers(&[(IF_RANGE, "\"x\"")])));
        assert!(!validators().range_holds(&headers(&[(IF_RANGE, &format!("W/{tag}"))])));
        assert!(!validators().range_holds(&headers(&[(IF_RANGE, THEN)])));
    }

    #[test]
    fn a_put_may_require_absence_presence_or_content() {
        let required = |entries: &[(HeaderName, &str)]| Required::of(&headers(entries));
        assert_eq!(required(&[]), Some(Required::Nothing));
        assert_eq!(required(&[(IF_NONE_MATCH, "*")]), Some(Required::Absence));
        assert_eq!(required(&[(IF_NONE_MATCH, "\"x\"")]), None);
        assert_eq!(required(&[(IF_MATCH, "*")]), Some(Required::Something));
        let listed = vec!["\"x\"".to_owned(), "\"y\"".to_owned()];
        assert_eq!(
            required(&[(IF_MATCH, "\"x\", \"y\"")]),
            Some(Required::OneOf(listed))
        );
    }
}
