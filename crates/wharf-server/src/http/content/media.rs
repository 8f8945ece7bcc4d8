//! What a file's name says about how to show it.

/// The type of what nothing is known about.
pub(in crate::http) const UNKNOWN: &str = "application/octet-stream";

/// Types that browsers show by themselves. Pages and scripts are shown as the text they are.
const TYPES: [(&str, &str); 37] = [
    ("aac", "audio/aac"),
    ("avif", "image/avif"),
    ("bmp", "image/bmp"),
    ("c", "text/plain; charset=utf-8"),
    ("conf", "text/plain; charset=utf-8"),
    ("css", "text/plain; charset=utf-8"),
    ("csv", "text/csv; charset=utf-8"),
    ("flac", "audio/flac"),
    ("gif", "image/gif"),
    ("htm", "text/plain; charset=utf-8"),
    ("html", "text/plain; charset=utf-8"),
    ("ico", "image/x-icon"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", "text/plain; charset=utf-8"),
    ("json", "application/json"),
    ("log", "text/plain; charset=utf-8"),
    ("m4a", "audio/mp4"),
    ("m4v", "video/mp4"),
    ("md", "text/plain; charset=utf-8"),
    ("mov", "video/quicktime"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("oga", "audio/ogg"),
    ("ogg", "audio/ogg"),
    ("ogv", "video/ogg"),
    ("opus", "audio/ogg"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("rs", "text/plain; charset=utf-8"),
    ("svg", "image/svg+xml"),
    ("toml", "text/plain; charset=utf-8"),
    ("txt", "text/plain; charset=utf-8"),
    ("wav", "audio/wav"),
    ("webm", "video/webm"),
    ("webp", "image/webp"),
    ("yaml", "text/plain; charset=utf-8"),
];

/// The media type that the name's ending stands for.
pub(super) fn of(name: &str) -> &'static str {
    let Some((_, ending)) = name.rsplit_once('.') else {
        return UNKNOWN;
    };
    let found = TYPES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(ending));
    found.map_or(UNKNOWN, |(_, media)| media)
}

/// `Content-Disposition` (RFC 6266): shown where the browser can, saved otherwise, under its name in either case.
pub(in crate::http) fn disposition(name: &str, media: &str) -> String {
    let manner = if media == UNKNOWN {
        "attachment"
    } else {
        "inline"
    };
    let mut value = format!("{manner}; filename*=UTF-8''");
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            value.push(char::from(byte));
        } else {
            value.push('%');
            value.push(char::from(HEX[usize::from(byte >> 4)]));
            value.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    value
}

const HEX: [u8; 16] = *b"0123456789ABCDEF";

#[cfg(test)]
mod tests {
    use super::{TYPES, UNKNOWN, disposition, of};

    #[test]
    fn endings_tell_types_in_any_letter_case() {
        assert_eq!(of("holiday.JPG"), "image/jpeg");
        assert_eq!(of("a.b.pdf"), "application/pdf");
        assert_eq!(of("Makefile"), UNKNOWN);
        assert_eq!(of("a.unknown"), UNKNOWN);
    }

    #[test]
    fn no_type_is_a_page_that_could_run_scripts_of_its_own() {
        assert!(
            TYPES
                .iter()
                .all(|(_, media)| !media.contains("html") && !media.contains("javascript"))
        );
    }

    #[test]
    fn names_cannot_break_out_of_the_header() {
        assert_eq!(
            disposition("a\r\n\".txt", "text/plain"),
            "inline; filename*=UTF-8''a%0D%0A%22.txt"
        );
        assert_eq!(
            disposition("é", UNKNOWN),
            "attachment; filename*=UTF-8''%C3%A9"
        );
    }
}
