//! Days of a journal: where they are in the log, and how much was said on each.

use std::collections::BTreeMap;

use wharf_store::sql::{self, Tx};
use wharf_types::api::diary::{DiaryDay, DiaryDays};

use super::View;
use crate::error::{Error, Result};
use crate::zone::{Day, Zone, parse_day};

const HOUR_MS: i64 = 3_600_000;
/// Every zone that is in use is some quarters of an hour away from UTC, so each quarter is on one day.
const QUARTER_MS: i64 = HOUR_MS / 4;
/// How far past a span's end the log is searched for what belongs into it: a clock that was set back by more is not made up for.
const CLOCK_STEP_HOURS: i64 = 48;
/// Most days that are counted at once: a year, and a day for leap years.
const DAYS_MAX: i32 = 366;

/// A span of time, in milliseconds since the epoch: `from_ms` is in it and `until_ms` is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from_ms: i64,
    pub(super) until_ms: i64,
}

/// Positions of a log, both in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) first: u64,
    pub(super) last: u64,
}

impl Span {
    /// Everything.
    pub(super) const ALWAYS: Self = Self {
        from_ms: i64::MIN,
        until_ms: i64::MAX,
    };

    /// From the first to the last of these days.
    pub(super) fn of_days(from: &str, to: &str, zone: &Zone) -> Result<Self> {
        let (from, to) = (parse_day(from)?, parse_day(to)?);
        let days = to.days_since(from);
        if !(0..DAYS_MAX).contains(&days) {
            return Err(Error::invalid(format!(
                "a span of days goes forward, and has {DAYS_MAX} days at most"
            )));
        }
        Ok(Self {
            from_ms: from.begin_ms(zone)?,
            until_ms: to.end_ms(zone)?,
        })
    }

    pub(super) fn contains(&self, at_ms: i64) -> bool {
        (self.from_ms..self.until_ms).contains(&at_ms)
    }
}

/// Where the entries of a span are in a log; among others.
pub(super) fn stretch_of(tx: &mut Tx<'_>, view: &View, span: Span) -> sql::Result<Stretch> {
    // Hours only grow along a log. So whatever was recorded in an hour stands past the first entry of that hour or of a later one.
    let mut first_of = |hour: i64| {
        tx.opt(
            "SELECT position FROM log_hour WHERE room_id = ?1 AND hour >= ?2 ORDER BY hour LIMIT 1",
            &[view.room.into(), hour.into()],
            |row| row.uint(0),
        )
    };
    let mut stretch = Stretch {
        first: view.floor + 1,
        last: view.head,
    };
    if span.from_ms > i64::MIN {
        let first = first_of(span.from_ms.div_euclid(HOUR_MS))?;
        stretch.first = stretch.first.max(first.unwrap_or(view.head + 1));
    }
    if span.until_ms < i64::MAX {
        let after = first_of(span.until_ms.div_euclid(HOUR_MS) + CLOCK_STEP_HOURS)?;
        if let Some(after) = after {
            stretch.last = stretch.last.min(after.saturating_sub(1));
        }
    }
    Ok(stretch)
}

/// Counts what was said on each day of a span.
pub(super) fn count(tx: &mut Tx<'_>, view: &View, span: Span, zone: &Zone) -> Result<DiaryDays> {
    let stretch = stretch_of(tx, view, span)?;
    let mut counts: BTreeMap<Day, u32> = BTreeMap::new();
    tx.each(
        "SELECT at_ms / ?6 AS quarter, count(*) FROM entry \
         WHERE room_id = ?1 AND position >= ?2 AND position <= ?3 AND at_ms >= ?4 AND at_ms < ?5 \
         AND kind <= 1 AND recall_position IS NULL AND body IS NOT NULL GROUP BY quarter",
        &[
            view.room.into(),
            stretch.first.into(),
            stretch.last.into(),
            span.from_ms.into(),
            span.until_ms.into(),
            QUARTER_MS.into(),
        ],
        |row| {
            let day = zone.day_of(row.int(0)? * QUARTER_MS);
            let count = u32::try_from(row.uint(1)?).unwrap_or(u32::MAX);
            let sum = counts.entry(day).or_default();
            *sum = sum.saturating_add(count);
            Ok(())
        },
    )?;
    let items = counts
        .into_iter()
        .map(|(day, count)| DiaryDay {
            day: day.to_string(),
            count,
        })
        .collect();
    Ok(DiaryDays { items })
}

/// The spans of a day of every year that the log may have entries of, such as `11-21`.
pub(super) fn of_every_year(
    tx: &mut Tx<'_>,
    view: &View,
    day_of_year: &str,
    zone: &Zone,
) -> Result<Vec<Span>> {
    let day = parse_day(&format!("2000-{day_of_year}")).map_err(|_| {
        Error::invalid(format!(
            "'{day_of_year}' is no day of a year: write one as 11-21"
        ))
    })?;
    let hours = tx.one(
        "SELECT min(hour), max(hour) FROM log_hour WHERE room_id = ?1",
        &[view.room.into()],
        |row| Ok((row.opt_int(0)?, row.opt_int(1)?)),
    )?;
    let (Some(first), Some(last)) = hours else {
        return Ok(Vec::new());
    };
    let year_of = |hour: i64| zone.day_of(hour.saturating_mul(HOUR_MS)).year();
    // Years in which a clock was far off are none of a life.
    let this_year = zone.day_of(view.now_ms).year();
    let (first, last) = (year_of(first).max(1900), year_of(last).min(this_year + 1));
    let mut spans = Vec::new();
    for day in (first.saturating_sub(1)..=last).filter_map(|year| day.in_year(year)) {
        spans.push(Span {
            from_ms: day.begin_ms(zone)?,
            until_ms: day.end_ms(zone)?,
        });
    }
    Ok(spans)
}
