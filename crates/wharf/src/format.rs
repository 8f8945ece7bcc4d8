//! Numbers and times as people read and write them.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A number of bytes that people write as `10 GiB`, `500MB` or `4096`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ByteSize(pub(crate) u64);

/// Why a text is no number of bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a size: write a number and a unit, such as 500 MB or 10 GiB")]
pub(crate) struct InvalidSize(String);

const UNITS: [(&str, u64); 10] = [
    ("b", 1),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("", 1),
];

impl FromStr for ByteSize {
    type Err = InvalidSize;

    fn from_str(text: &str) -> Result<Self, InvalidSize> {
        let invalid = || InvalidSize(text.to_owned());
        let trimmed = text.trim();
        let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = trimmed.split_at_checked(digits).ok_or_else(invalid)?;
        let number: u64 = number.parse().map_err(|_| invalid())?;
        let unit = unit.trim().to_ascii_lowercase();
        let (_, factor) = UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .ok_or_else(invalid)?;
        // Sizes are kept as signed 64-bit numbers in the database.
        number
            .checked_mul(*factor)
            .filter(|bytes| i64::try_from(*bytes).is_ok())
            .map(Self)
            .ok_or_else(invalid)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bytes(self.0))
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Form {
            Number(u64),
            Text(String),
        }
        match Form::deserialize(deserializer)? {
            Form::Number(number) => Ok(Self(number)),
            Form::Text(text) => text.parse().map_err(de::Error::custom),
        }
    }
}

/// `1.4 GiB`: rounded, mostly to two or three digits, in binary units.
pub(crate) fn bytes(count: u64) -> String {
    const NAMES: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    let mut unit_bytes = 1024_u128;
    let mut name_index = 0;
    let tenths = |unit_bytes: u128| (u128::from(count) * 10 + unit_bytes / 2) / unit_bytes;
    while tenths(unit_bytes) >= 10_240 && name_index + 1 < NAMES.len() {
        unit_bytes *= 1024;
        name_index += 1;
    }
    let tenths = tenths(unit_bytes);
    let name = NAMES.get(name_index).copied().unwrap_or_default();
    if tenths < 100 {
        format!("{}.{} {name}", tenths / 10, tenths % 10)
    } else {
        format!("{} {name}", (tenths + 5) / 10)
    }
}

/// `1 file`, `2 files`.
pub(crate) fn count(number: u64, one: &str, many: &str) -> String {
    if number == 1 {
        format!("1 {one}")
    } else {
        format!("{} {many}", grouped(number))
    }
}

/// `12,345,678`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A time in milliseconds since the epoch, to the minute, in the reader's time zone.
pub(crate) fn time_ms(ms: i64) -> String {
    shown(Timestamp::from_millisecond(ms))
}

/// A time in nanoseconds since the epoch, to the minute, in the reader's time zone.
pub(crate) fn time_ns(ns: i64) -> String {
    shown(Timestamp::from_nanosecond(i128::from(ns)))
}

/// The reader's time zone as the server understands it: a name such as `Europe/Zurich`, or an offset such as `+01:00`.
pub(crate) fn zone() -> String {
    let zone = TimeZone::system();
    if let Some(name) = zone.iana_name() {
        return name.to_owned();
    }
    // A zone without a name has the offset that it has now.
    let now = Timestamp::from_millisecond(wharf_client::Clock::system().now_ms());
    let seconds = now.map_or(0, |now| zone.to_offset(now).seconds());
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.unsigned_abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// This day in the reader's time zone.
pub(crate) fn today() -> jiff::civil::Date {
    Timestamp::from_millisecond(wharf_client::Clock::system().now_ms())
        .unwrap_or_default()
        .to_zoned(TimeZone::system())
        .date()
}

fn shown(time: Result<Timestamp, jiff::Error>) -> String {
    // A file's time may be any number; one that no calendar holds is shown as unknown.
    time.map_or_else(
        |_| "unknown".to_owned(),
        |time| {
            time.to_zoned(TimeZone::system())
                .strftime("%Y-%m-%d %H:%M")
                .to_string()
        },
    )
}

/// A stretch of time: `2.4 s`, `3 min`, `5 h`.
pub(crate) fn duration(span: std::time::Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..=59 => format!("{}.{} s", seconds, span.subsec_millis() / 100),
        60..=3599 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::{ByteSize, bytes, count, grouped};

    #[test]
    fn sizes_are_read_with_and_without_units() {
        assert_eq!("10 GiB".parse(), Ok(ByteSize(10 << 30)));
        assert_eq!("500mb".parse(), Ok(ByteSize(500_000_000)));
        assert_eq!("4096".parse(), Ok(ByteSize(4096)));
        assert!("ten".parse::<ByteSize>().is_err());
        assert!("-1".parse::<ByteSize>().is_err());
        assert!("9999999999 TB".parse::<ByteSize>().is_err());
        assert!("1 é".parse::<ByteSize>().is_err());
    }

    #[test]
    fn sizes_are_shown_in_three_digits() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1023), "1023 B");
        assert_eq!(bytes(1024), "1.0 KiB");
        assert_eq!(bytes(1536), "1.5 KiB");
        assert_eq!(bytes(10 << 30), "10 GiB");
        assert_eq!(bytes(3_000_000), "2.9 MiB");
        assert_eq!(bytes(1024 * 1024 - 1), "1.0 MiB");
        assert_eq!(bytes(u64::MAX), "16 EiB");
    }

    #[test]
    fn counts_agree_with_their_words() {
        assert_eq!(count(1, "file", "files"), "1 file");
        assert_eq!(count(20_000, "file", "files"), "20,000 files");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(123), "123");
    }
}
