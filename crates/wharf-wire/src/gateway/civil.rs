//! Milliseconds since the epoch as a date and time of day in UTC.

/// A moment of the Gregorian calendar, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Civil {
    pub(super) year: i64,
    /// 1 to 12.
    pub(super) month: u8,
    /// 1 to 31.
    pub(super) day: u8,
    pub(super) hour: u8,
    pub(super) minute: u8,
    pub(super) second: u8,
    /// 0 is Sunday.
    pub(super) weekday: u8,
}

const DAY_MS: i64 = 86_400_000;
const DAYS_OF_400_YEARS: i64 = 146_097;

impl Civil {
    pub(super) fn of_ms(ms: i64) -> Self {
        let days = ms.div_euclid(DAY_MS);
        let second_of_day = ms.rem_euclid(DAY_MS) / 1000;
        // Years begin in March here, so that the day that some years have more is a year's last one.
        let since_march_of_year_0 = days + 719_468;
        let era = since_march_of_year_0.div_euclid(DAYS_OF_400_YEARS);
        let day_of_era = since_march_of_year_0.rem_euclid(DAYS_OF_400_YEARS);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        };
        let small = |value: i64| u8::try_from(value).unwrap_or_default();
        Self {
            year: era * 400 + year_of_era + i64::from(month <= 2),
            month: small(month),
            day: small(day),
            hour: small(second_of_day / 3600),
            minute: small(second_of_day / 60 % 60),
            second: small(second_of_day % 60),
            weekday: small((days + 4).rem_euclid(7)),
        }
    }

    /// `2026-11-21`.
    pub(super) fn date(&self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }

    pub(super) fn weekday_name(&self) -> &'static str {
        const NAMES: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
        NAMES
            .get(usize::from(self.weekday))
            .copied()
            .unwrap_or_default()
    }

    pub(super) fn month_name(&self) -> &'static str {
        const NAMES: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        NAMES
            .get(usize::from(self.month).wrapping_sub(1))
            .copied()
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::{Civil, DAY_MS};

    #[test]
    fn known_moments_are_what_date_says_they_are() {
        let shown = |ms| {
            let civil = Civil::of_ms(ms);
            let time = format!("{:02}:{:02}:{:02}", civil.hour, civil.minute, civil.second);
            format!("{} {} {time}", civil.weekday_name(), civil.date())
        };
        // date -u -d @0, @1763746093, @951782399, @951782400, @-1
        assert_eq!(shown(0), "Thu 1970-01-01 00:00:00");
        assert_eq!(shown(1_763_746_093_000), "Fri 2025-11-21 17:28:13");
        assert_eq!(shown(951_782_399_999), "Mon 2000-02-28 23:59:59");
        assert_eq!(shown(951_782_400_000), "Tue 2000-02-29 00:00:00");
        assert_eq!(shown(-1), "Wed 1969-12-31 23:59:59");
    }

    #[test]
    fn every_day_of_four_centuries_follows_the_one_before_it() {
        let mut before = Civil::of_ms(-DAY_MS);
        for day in 0..146_097_i64 {
            let civil = Civil::of_ms(day * DAY_MS);
            let is_next = civil.day == before.day + 1 && civil.month == before.month;
            let is_first = civil.day == 1 && before.day >= 28;
            assert!(is_next || is_first, "{civil:?} after {before:?}");
            assert_eq!(civil.weekday, (before.weekday + 1) % 7);
            before = civil;
        }
    }
}
