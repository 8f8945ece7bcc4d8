//! When things happened, as times.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::{DAY_MS, MINUTE_MS};
use crate::demo::story::When;

/// Turns days and hours into times.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::struct_field_names,
    reason = "a number of time says its unit, here as everywhere"
)]
pub(super) struct Days {
    pub(super) now_ms: i64,
    midnight_ms: i64,
    offset_ms: i64,
}

impl Days {
    pub(super) fn new(now_ms: i64) -> Self {
        let offset_ms = Timestamp::from_millisecond(now_ms).map_or(0, |now| {
            i64::from(TimeZone::system().to_offset(now).seconds()) * 1000
        });
        let local_ms = now_ms + offset_ms;
        Self {
            now_ms,
            midnight_ms: local_ms - local_ms.rem_euclid(DAY_MS) - offset_ms,
            offset_ms,
        }
    }

    pub(super) fn at(self, when: When) -> i64 {
        match when {
            When::Day(days, hours, minutes) => {
                self.midnight_ms - days * DAY_MS + (hours * 60 + minutes) * MINUTE_MS
            }
            When::Years(years, hours, minutes) => {
                self.at(When::Day(self.days_since_year(years), hours, minutes))
            }
            When::Ago(minutes) => self.now_ms - minutes * MINUTE_MS,
        }
    }

    /// How many days ago this day was so many years ago; the 29th of February was the 28th.
    fn days_since_year(self, years: i64) -> i64 {
        let local = Timestamp::from_millisecond(self.midnight_ms + self.offset_ms);
        local.map_or(years * 365, |local| {
            let today = local.to_zoned(TimeZone::UTC).date();
            let then = today.saturating_sub(Span::new().years(years));
            i64::from((today - then).get_days())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{DAY_MS, Days};
    use crate::demo::story::When;

    #[test]
    fn this_day_of_another_year_is_found_over_leap_days() {
        // 2026-11-21 and 2024-02-29, at midnight UTC.
        for (midnight_ms, days_ago) in [
            (1_795_219_200_000, [365, 730, 1096]),
            (1_709_164_800_000, [366, 731, 1096]),
        ] {
            let days = Days {
                now_ms: midnight_ms,
                midnight_ms,
                offset_ms: 0,
            };
            for (years, days_ago) in (1..).zip(days_ago) {
                let at_ms = days.at(When::Years(years, 0, 0));
                assert_eq!((midnight_ms - at_ms) / DAY_MS, days_ago);
            }
        }
    }
}
