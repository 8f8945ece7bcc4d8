//! Days as people count them: in a time zone.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};

use crate::error::{Error, Result};

/// A time zone that a request named.
#[derive(Debug, Clone)]
pub(crate) struct Zone(TimeZone);

/// A day of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day(Date);

/// A time of the server's own zone, as `2026-11-21 09:30:00`. `at_ms` is in milliseconds since the epoch.
pub fn local_time(at_ms: i64) -> String {
    let at = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    let at = TimeZone::system().to_datetime(at);
    format!(
        "{} {:02}:{:02}:{:02}",
        at.date(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// Reads a day such as `2026-11-21`.
///
/// # Errors
/// `Invalid`: it is none.
pub(crate) fn parse_day(text: &str) -> Result<Day> {
    let is_plain = text.len() == 10
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-');
    let day = text.parse().ok().filter(|_| is_plain);
    day.map(Day)
        .ok_or_else(|| Error::invalid(format!("'{text}' is no day: write one as 2026-11-21")))
}

impl Zone {
    /// A name such as `Europe/Zurich`, an offset such as `+01:00`, or nothing for UTC.
    ///
    /// # Errors
    /// `Invalid`: no such zone is known to the server.
    pub(crate) fn parse(text: Option<&str>) -> Result<Self> {
        let Some(text) = text.filter(|text| !matches!(*text, "" | "UTC" | "Z")) else {
            return Ok(Self(TimeZone::UTC));
        };
        let zone = match offset_seconds(text) {
            Some(seconds) => Offset::from_seconds(seconds).ok().map(TimeZone::fixed),
            None => TimeZone::get(text).ok(),
        };
        zone.map(Self).ok_or_else(|| {
            Error::invalid(format!(
                "'{text}' is no time zone: name one as Europe/Zurich, or an offset as +01:00"
            ))
        })
    }

    /// The day that a time falls on; the epoch's for a time out of the calendar.
    pub(crate) fn day_of(&self, at_ms: i64) -> Day {
        let at = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        Day(self.0.to_datetime(at).date())
    }

    /// Hours and minutes of a time, as `09:30`.
    pub(crate) fn time_of(&self, at_ms: i64) -> String {
        let at = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
        let at = self.0.to_datetime(at);
        format!("{:02}:{:02}", at.hour(), at.minute())
    }
}

impl Day {
    /// When it begins, in milliseconds since the epoch.
    ///
    /// # Errors
    /// `Invalid`: out of the calendar.
    pub(crate) fn begin_ms(self, zone: &Zone) -> Result<i64> {
        let begin = zone
            .0
            .to_zoned(self.0.at(0, 0, 0, 0))
            .map_err(out_of_calendar)?;
        Ok(begin.timestamp().as_millisecond())
    }

    /// When the next one begins.
    ///
    /// # Errors
    /// `Invalid`: out of the calendar.
    pub(crate) fn end_ms(self, zone: &Zone) -> Result<i64> {
        Self(self.0.tomorrow().map_err(out_of_calendar)?).begin_ms(zone)
    }

    pub(crate) fn year(self) -> i16 {
        self.0.year()
    }

    /// The same day of another year, where that year has it.
    pub(crate) fn in_year(self, year: i16) -> Option<Self> {
        Date::new(year, self.0.month(), self.0.day()).ok().map(Self)
    }

    /// How many days after another one it is.
    pub(crate) fn days_since(self, other: Self) -> i32 {
        (self.0 - other.0).get_days()
    }

    /// The English name of its day of the week.
    pub(crate) fn weekday(self) -> &'static str {
        use jiff::civil::Weekday;
        match self.0.weekday() {
            Weekday::Monday => "Monday",
            Weekday::Tuesday => "Tuesday",
            Weekday::Wednesday => "Wednesday",
            Weekday::Thursday => "Thursday",
            Weekday::Friday => "Friday",
            Weekday::Saturday => "Saturday",
            Weekday::Sunday => "Sunday",
        }
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// `+01:00`, `-0530` or `+9`, in seconds.
fn offset_seconds(text: &str) -> Option<i32> {
    // In a query string a plus that was not escaped is a space.
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+" | " ", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "0"),
    };
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(hours) || !is_number(minutes) || hours.len() > 2 || minutes.len() > 2 {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 18 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

fn out_of_calendar(error: jiff::Error) -> Error {
    Error::invalid("this day is out of the calendar").because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_as_long_as_the_zone_makes_it() {
        let zone = Zone::parse(Some("Europe/Zurich")).unwrap();
        let hours = |day: &str| {
            let day = parse_day(day).unwrap();
            (day.end_ms(&zone).unwrap() - day.begin_ms(&zone).unwrap()) / 3_600_000
        };
        assert_eq!(hours("2026-03-28"), 24);
        assert_eq!(hours("2026-03-29"), 23, "clocks go forward");
        assert_eq!(hours("2026-10-25"), 25, "and back");
    }

    #[test]
    fn a_time_falls_on_the_day_of_its_zone() {
        let at_ms = parse_day("2026-11-21")
            .unwrap()
            .begin_ms(&Zone::parse(None).unwrap())
            .unwrap();
        for (zone, day, time) in [
            (None, "2026-11-21", "00:00"),
            (Some("-01:00"), "2026-11-20", "23:00"),
            (Some("+05:45"), "2026-11-21", "05:45"),
            (Some("-0530"), "2026-11-20", "18:30"),
            (Some("Asia/Tokyo"), "2026-11-21", "09:00"),
        ] {
            let zone = Zone::parse(zone).unwrap();
            assert_eq!(
                (
                    zone.day_of(at_ms).to_string().as_str(),
                    zone.time_of(at_ms).as_str()
                ),
                (day, time)
            );
        }
    }

    #[test]
    fn what_is_no_zone_or_day_is_refused() {
        for zone in ["Mars/Olympus", "+25:00", "+1:2:3", "+", "-0x", "+٣"] {
            assert!(Zone::parse(Some(zone)).is_err(), "{zone}");
        }
        for day in [
            "2026-13-01",
            "2026-11-21T00:00",
            "21.11.2026",
            "2026-2-3",
            "",
        ] {
            assert!(parse_day(day).is_err(), "{day}");
        }
    }

    #[test]
    fn a_leap_day_is_not_in_every_year() {
        let day = parse_day("2024-02-29").unwrap();
        assert_eq!(day.in_year(2023), None);
        assert_eq!(day.in_year(2020).unwrap().to_string(), "2020-02-29");
        assert_eq!(day.weekday(), "Thursday");
        assert_eq!(day.days_since(day.in_year(2020).unwrap()), 1461);
    }
}
