//! Times as people say them, in their own time zone.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// A reader's time zone and the present moment.
#[derive(Debug, Clone)]
pub(crate) struct Now {
    pub(crate) ms: i64,
    pub(crate) zone: TimeZone,
}

impl Now {
    /// `14:05`.
    pub(crate) fn clock(&self, ms: i64) -> String {
        self.zoned(ms).strftime("%H:%M").to_string()
    }

    /// The time for today, then `yesterday`, then the date: as short as a list has room for.
    pub(crate) fn short(&self, ms: i64) -> String {
        let (then, today) = (self.zoned(ms), self.zoned(self.ms));
        let days = days_between(then.date(), today.date());
        match days {
            0 => self.clock(ms),
            1 => "yesterday".to_owned(),
            2..=6 => then.strftime("%A").to_string(),
            _ if then.year() == today.year() => then.strftime("%-d %b").to_string(),
            _ => then.strftime("%Y-%m-%d").to_string(),
        }
    }

    /// `Today`, `Yesterday`, or the date with its weekday.
    pub(crate) fn day(&self, ms: i64) -> String {
        let (then, today) = (self.zoned(ms), self.zoned(self.ms));
        match days_between(then.date(), today.date()) {
            0 => "Today".to_owned(),
            1 => "Yesterday".to_owned(),
            _ => then.strftime("%A, %-d %B %Y").to_string(),
        }
    }

    /// The date, whatever day it is today: for what is read on other days, too.
    pub(crate) fn full_date(&self, ms: i64) -> String {
        self.zoned(ms).strftime("%-d %B %Y").to_string()
    }

    /// Whether two times are of the same day here.
    pub(crate) fn is_same_day(&self, one: i64, other: i64) -> bool {
        self.zoned(one).date() == self.zoned(other).date()
    }

    /// Date and time.
    pub(crate) fn full(&self, ms: i64) -> String {
        self.zoned(ms).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// How long ago something was, roughly.
    pub(crate) fn ago(&self, ms: i64) -> String {
        let minutes = self.ms.saturating_sub(ms).max(0) / 60_000;
        match minutes {
            0 => "just now".to_owned(),
            1..=59 => format!("{minutes} min ago"),
            60..=1439 => format!("{} h ago", minutes / 60),
            _ => self.short(ms),
        }
    }

    /// When a day begins here: `2026-11-20`, `11-20` for the last such day that is not to come yet, `today`, `yesterday`.
    pub(crate) fn day_begin_ms(&self, text: &str) -> Option<i64> {
        let today = self.zoned(self.ms).date();
        let of_year = |year: i16| format!("{year:04}-{text}").parse::<Date>().ok();
        let date = match text.to_lowercase().as_str() {
            "today" => today,
            "yesterday" => today.yesterday().ok()?,
            // The 29th of February is looked for in the years before.
            _ if text.len() == 5 => (0..9)
                .filter_map(|years| of_year(today.year() - years))
                .find(|date| *date <= today)?,
            _ => text.parse::<Date>().ok()?,
        };
        let begin = date.to_zoned(self.zone.clone()).ok()?;
        Some(begin.timestamp().as_millisecond())
    }

    fn zoned(&self, ms: i64) -> Zoned {
        // What no calendar knows is shown as its beginning.
        Timestamp::from_millisecond(ms)
            .unwrap_or_default()
            .to_zoned(self.zone.clone())
    }
}

fn days_between(then: Date, today: Date) -> i32 {
    today.since(then).map_or(i32::MAX, |span| span.get_days())
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::Now;

    const HOUR: i64 = 3_600_000;

    #[test]
    fn times_are_said_as_shortly_as_they_can_be() {
        // 2026-11-20 22:13:20 UTC, a Friday.
        let ms = 1_795_212_800_000;
        let now = Now {
            ms,
            zone: TimeZone::UTC,
        };
        assert_eq!(now.short(ms - HOUR), "21:13");
        assert_eq!(now.short(ms - 24 * HOUR), "yesterday");
        assert_eq!(now.short(ms - 72 * HOUR), "Tuesday");
        assert_eq!(now.short(ms - 20 * 24 * HOUR), "31 Oct");
        assert_eq!(now.short(ms - 500 * 24 * HOUR), "2025-07-08");
        assert_eq!(now.short(ms + 48 * HOUR), "22 Nov");
        assert_eq!(now.day(ms), "Today");
        assert_eq!(now.day(ms - 24 * HOUR), "Yesterday");
        assert_eq!(now.day(ms - 48 * HOUR), "Wednesday, 18 November 2026");
        assert!(now.is_same_day(ms, ms - 22 * HOUR));
        assert!(!now.is_same_day(ms, ms - 23 * HOUR));
        assert_eq!(now.ago(ms - 59_000), "just now");
        assert_eq!(now.ago(ms - 90 * 60_000), "1 h ago");
        assert_eq!(now.clock(i64::MAX), "00:00");
    }

    #[test]
    fn a_day_is_read_as_people_write_it_and_begins_where_they_are() {
        // 2026-11-20 22:13:20 UTC.
        let ms = 1_795_212_800_000;
        let now = Now {
            ms,
            zone: TimeZone::UTC,
        };
        let midnight = ms - 22 * HOUR - 13 * 60_000 - 20_000;
        assert_eq!(now.day_begin_ms("2026-11-20"), Some(midnight));
        assert_eq!(now.day_begin_ms("Today"), Some(midnight));
        assert_eq!(now.day_begin_ms("yesterday"), Some(midnight - 24 * HOUR));
        assert_eq!(now.day_begin_ms("11-20"), Some(midnight));
        assert_eq!(now.day_begin_ms("11-21"), now.day_begin_ms("2025-11-21"));
        assert_eq!(now.day_begin_ms("02-29"), now.day_begin_ms("2024-02-29"));
        for no_day in ["", "2026-02-30", "13-01", "soon", "2026", "99999-01-01"] {
            assert_eq!(now.day_begin_ms(no_day), None, "{no_day}");
        }
        let tokyo = Now {
            ms,
            zone: TimeZone::fixed(jiff::tz::offset(9)),
        };
        assert_eq!(tokyo.day_begin_ms("2026-11-20"), Some(midnight - 9 * HOUR));
        assert_eq!(tokyo.day_begin_ms("today"), Some(midnight + 15 * HOUR));
    }

    #[test]
    fn days_are_those_of_the_reader() {
        let ms = 1_795_212_800_000;
        let tokyo = Now {
            ms,
            zone: TimeZone::fixed(jiff::tz::offset(9)),
        };
        assert_eq!(tokyo.clock(ms), "07:13");
        assert!(!tokyo.is_same_day(ms, ms - 8 * HOUR));
    }
}
