//! Scrub: every segment is read and verified once in a round of some days. It reports and never writes to what it reads.
//!
//! A round spreads evenly over its days. Where it is stands in a setting, so that a server that is restarted every day
//! still gets round; what a stopped server missed is caught up on, at the job's pace.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::sleep;
use wharf_store::chunk::{Finding, PlannedVerify};
use wharf_store::sql::{Lock, Tx};
use wharf_types::SegmentId;
use wharf_types::api::storage::ScrubRound;

use super::{Job, Next};
use crate::error::Result;
use crate::{Ground, setting};

const DAY_MS: i64 = 24 * 3_600_000;
/// Longest sleep, whatever the schedule says: clocks are set, and segments are made.
const WAIT_MAX_MS: i64 = 3_600_000;
/// Findings of one kind may be many: this many of a segment are logged one by one.
const FINDINGS_LOGGED_MAX: usize = 20;

pub(super) struct Scrub {
    ground: Ground,
    round: Option<Round>,
    wait_ms: i64,
}

/// A round under way.
struct Round {
    place: Place,
    left: VecDeque<PlannedVerify>,
    segments_count: usize,
}

/// Where a round is, as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    /// May lie in the future: when the round before this one was quick.
    started_ms: i64,
    /// Segments up to this one are verified; ids sort by the time they were made.
    after: Option<SegmentId>,
    findings_count: u64,
}

impl Scrub {
    pub(super) const fn new(ground: Ground) -> Self {
        Self {
            ground,
            round: None,
            wait_ms: WAIT_MAX_MS,
        }
    }

    fn round_ms(&self) -> i64 {
        i64::from(self.ground.config.scrub_days).max(1) * DAY_MS
    }

    /// Goes on with the round that a setting tells of, or begins the first one.
    async fn begin(&mut self) -> Result<()> {
        let stored = self
            .ground
            .db
            .read(|tx| setting::get(tx, setting::SCRUB))
            .await?;
        let now_ms = self.ground.clock.now_ms();
        let mut place = stored
            .as_deref()
            .and_then(Place::parse)
            .unwrap_or_else(|| Place::start(now_ms));
        if place.started_ms > now_ms + self.round_ms() {
            // The clock was ahead when this was written, or rounds were longer.
            place = Place::start(now_ms);
        }
        if place.started_ms > now_ms {
            return Ok(());
        }
        let plan = self.ground.chunks.plan_verify().await?;
        // What comparing lists has shown is shown by each plan again: it counts once a round.
        if place.after.is_none() {
            place.findings_count += report(&plan.findings);
        }
        let mut segments = plan.segments;
        segments.sort_by_key(|segment| segment.id);
        let segments_count = segments.len();
        let left = segments
            .into_iter()
            .filter(|segment| place.after.is_none_or(|after| segment.id > after));
        self.round = Some(Round {
            place,
            left: left.collect(),
            segments_count,
        });
        Ok(())
    }

    async fn store(&self, place: Place) -> Result<()> {
        let text = place.to_text();
        let write = move |tx: &mut Tx<'_>| setting::put(tx, setting::SCRUB, &text);
        Ok(self.ground.db.write(Lock::Global, write).await?)
    }
}

/// Where the round is that all processes of the server share; `None` before the first.
pub(crate) fn round(tx: &mut Tx<'_>, days: u32) -> Result<Option<ScrubRound>> {
    let stored = setting::get(tx, setting::SCRUB)?;
    let Some(place) = stored.as_deref().and_then(Place::parse) else {
        return Ok(None);
    };
    let verified_count = match place.after {
        None => 0,
        Some(after) => tx.one(
            "SELECT count(*) FROM segment WHERE id <= ?1",
            &[after.into()],
            |row| row.uint(0),
        )?,
    };
    Ok(Some(ScrubRound {
        begins_ms: place.started_ms,
        days,
        verified_count,
        findings_count: place.findings_count,
    }))
}

impl Job for Scrub {
    fn name(&self) -> &'static str {
        "scrub"
    }

    async fn work(&mut self) -> Result<Next> {
        self.wait_ms = WAIT_MAX_MS;
        if self.round.is_none() {
            self.begin().await?;
        }
        let (now_ms, round_ms) = (self.ground.clock.now_ms(), self.round_ms());
        let Some(round) = &mut self.round else {
            return Ok(Next::Wait);
        };
        let Some(segment) = round.left.front().copied() else {
            tracing::info!(
                segments = round.segments_count,
                findings = round.place.findings_count,
                "scrubbed"
            );
            let next = Place::start((round.place.started_ms + round_ms).max(now_ms));
            self.store(next).await?;
            self.round = None;
            return Ok(Next::Wait);
        };
        let due_ms = round.due_ms(round_ms);
        if now_ms < due_ms {
            self.wait_ms = (due_ms - now_ms).min(WAIT_MAX_MS);
            return Ok(Next::Wait);
        }
        let verified = self.ground.chunks.verify(&segment).await?;
        round.place.findings_count += report(&verified.findings);
        round.place.after = Some(segment.id);
        round.left.pop_front();
        let place = round.place;
        self.store(place).await?;
        Ok(Next::Again)
    }

    async fn wait(&mut self) {
        sleep(Duration::from_millis(self.wait_ms.unsigned_abs())).await;
    }

    fn progress(&self) -> Option<String> {
        let round = self.round.as_ref()?;
        Some(format!(
            "{} of {} segments verified in this round, {} findings",
            round.segments_count - round.left.len(),
            round.segments_count,
            round.place.findings_count
        ))
    }
}

impl Round {
    /// When the next segment's turn comes.
    fn due_ms(&self, round_ms: i64) -> i64 {
        let done = i64::try_from(self.segments_count - self.left.len()).unwrap_or(i64::MAX);
        let all = i64::try_from(self.segments_count)
            .unwrap_or(i64::MAX)
            .max(1);
        // Divided first: a round of days is many more milliseconds than there are segments.
        self.place.started_ms + round_ms / all * done
    }
}

impl Place {
    const fn start(started_ms: i64) -> Self {
        Self {
            started_ms,
            after: None,
            findings_count: 0,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        let started_ms = words.next()?.parse().ok()?;
        let findings_count = words.next()?.parse().ok()?;
        let after = words.next().map(str::parse).transpose().ok()?;
        Some(Self {
            started_ms,
            after,
            findings_count,
        })
    }

    fn to_text(self) -> String {
        let Self {
            started_ms,
            after,
            findings_count,
        } = self;
        match after {
            None => format!("{started_ms} {findings_count}"),
            Some(after) => format!("{started_ms} {findings_count} {after}"),
        }
    }
}

/// Logs findings, and counts those that are damage.
fn report(findings: &[Finding]) -> u64 {
    let damage = |finding: &&Finding| match finding {
        // A put under way looks like one, and the sweep sees to the others.
        Finding::Orphan { .. } | Finding::Foreign { .. } => false,
        Finding::SegmentLost { .. }
        | Finding::IndexDamaged { .. }
        | Finding::ChunkDamaged { .. }
        | Finding::Misplaced { .. } => true,
    };
    for finding in findings.iter().filter(damage).take(FINDINGS_LOGGED_MAX) {
        tracing::error!(?finding, "stored bytes are damaged or lost");
    }
    findings.iter().filter(damage).count() as u64
}

#[cfg(test)]
mod tests {
    use wharf_types::SegmentId;

    use super::Place;

    #[test]
    fn a_place_is_read_back_as_it_was_stored() {
        for after in [None, Some(SegmentId::from_bytes([7; 16]))] {
            let place = Place {
                started_ms: 5,
                after,
                findings_count: 3,
            };
            assert_eq!(Place::parse(&place.to_text()), Some(place));
        }
        for text in ["", "5", "a b", "5 3 not-an-id"] {
            assert_eq!(Place::parse(text), None, "{text:?}");
        }
    }
}
