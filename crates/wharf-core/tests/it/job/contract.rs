//! What the runner promises a job, and the operator.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, advance, sleep};
use wharf_core::job::{Job, JobState, JobStatus, Jobs, Next};
use wharf_core::{Clock, Error};
use wharf_types::ErrorCode;

use crate::support::code;

/// What a test sees of a job, and decides for it.
#[derive(Default)]
struct Ledger {
    begun: AtomicU32,
    ended: AtomicU32,
    waits: AtomicU32,
    unit_ms: AtomicU64,
    fails: AtomicU32,
}

struct Work {
    ledger: Arc<Ledger>,
    /// What each unit answers.
    next: Next,
}

impl Job for Work {
    fn name(&self) -> &'static str {
        "work"
    }

    async fn work(&mut self) -> Result<Next, Error> {
        self.ledger.begun.fetch_add(1, Ordering::SeqCst);
        sleep(Duration::from_millis(
            self.ledger.unit_ms.load(Ordering::SeqCst),
        ))
        .await;
        self.ledger.ended.fetch_add(1, Ordering::SeqCst);
        if self.ledger.fails.load(Ordering::SeqCst) > 0 {
            self.ledger.fails.fetch_sub(1, Ordering::SeqCst);
            return Err(Error::internal("the disk is on fire"));
        }
        Ok(self.next)
    }

    async fn wait(&mut self) {
        self.ledger.waits.fetch_add(1, Ordering::SeqCst);
        sleep(Duration::from_hours(1)).await;
    }

    fn progress(&self) -> Option<String> {
        Some(format!(
            "{} units",
            self.ledger.ended.load(Ordering::SeqCst)
        ))
    }
}

/// Starts a job past its first rest, at full pace.
async fn start(next: Next, ledger: &Arc<Ledger>) -> Jobs {
    let jobs = Jobs::new(Clock::manual(1_000));
    jobs.start(Work {
        ledger: Arc::clone(ledger),
        next,
    });
    jobs.set_pace("work", 100).unwrap();
    settle().await;
    jobs
}

/// Lets every task go as far as it can without time passing.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

fn status(jobs: &Jobs) -> JobStatus {
    jobs.status().remove(0)
}

#[tokio::test(start_paused = true)]
async fn a_job_waits_between_rounds_and_can_be_nudged() {
    let ledger = Arc::new(Ledger::default());
    let jobs = start(Next::Wait, &ledger).await;
    assert_eq!(ledger.ended.load(Ordering::SeqCst), 1);
    assert_eq!(status(&jobs).state, JobState::Waiting);
    jobs.nudge("work").unwrap();
    settle().await;
    assert_eq!(ledger.ended.load(Ordering::SeqCst), 2);
    advance(Duration::from_hours(1)).await;
    settle().await;
    let shown = status(&jobs);
    assert_eq!(
        (shown.units_count, shown.progress.as_deref()),
        (3, Some("3 units"))
    );
    assert_eq!((shown.errors_count, shown.last_unit_ms), (0, Some(1_000)));
    assert_eq!(code(jobs.nudge("play")), Some(ErrorCode::NotFound));
}

#[tokio::test(start_paused = true)]
async fn a_job_first_looks_for_work_a_while_after_the_start() {
    let ledger = Arc::new(Ledger::default());
    let jobs = Jobs::new(Clock::manual(1_000));
    jobs.start(Work {
        ledger: Arc::clone(&ledger),
        next: Next::Wait,
    });
    settle().await;
    assert_eq!(ledger.begun.load(Ordering::SeqCst), 0);
    advance(Duration::from_mins(1)).await;
    settle().await;
    assert_eq!(ledger.begun.load(Ordering::SeqCst), 1);
    drop(jobs);
}

#[tokio::test(start_paused = true)]
async fn errors_are_counted_and_shown_and_answered_with_growing_pauses() {
    let ledger = Arc::new(Ledger::default());
    ledger.fails.store(3, Ordering::SeqCst);
    let jobs = start(Next::Wait, &ledger).await;
    for (failed, almost_ms) in [(1, 999), (2, 1_999), (3, 3_999)] {
        let shown = status(&jobs);
        assert_eq!(
            (shown.state, shown.errors_in_row),
            (JobState::Retrying, failed)
        );
        assert!(shown.last_error.unwrap().contains("the disk is on fire"));
        assert_eq!(shown.last_error_ms, Some(1_000));
        advance(Duration::from_millis(almost_ms)).await;
        settle().await;
        assert_eq!(
            status(&jobs).errors_count,
            u64::from(failed),
            "not before its pause is over"
        );
        advance(Duration::from_millis(1)).await;
        settle().await;
    }
    let shown = status(&jobs);
    assert_eq!(
        (shown.state, shown.errors_in_row, shown.errors_count),
        (JobState::Waiting, 0, 3)
    );
    assert_eq!(shown.units_count, 1);
}

#[tokio::test(start_paused = true)]
async fn work_that_holds_nobody_up_rests_only_at_an_operator_s_word() {
    for (next, units) in [(Next::Again, 250), (Next::Freely, 1_000)] {
        let ledger = Arc::new(Ledger::default());
        ledger.unit_ms.store(100, Ordering::SeqCst);
        let jobs = Jobs::new(Clock::manual(1_000));
        jobs.start(Work {
            ledger: Arc::clone(&ledger),
            next,
        });
        jobs.nudge("work").unwrap();
        sleep(Duration::from_secs(100)).await;
        let done = ledger.ended.load(Ordering::SeqCst);
        assert!((units - 3..=units).contains(&done), "{next:?}: {done}");
        jobs.set_pace("work", 25).unwrap();
        sleep(Duration::from_secs(40)).await;
        let done = ledger.ended.load(Ordering::SeqCst) - done;
        assert!((98..=102).contains(&done), "{next:?}: {done}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pace_holds_at_run_time_and_0_pauses() {
    let ledger = Arc::new(Ledger::default());
    ledger.unit_ms.store(100, Ordering::SeqCst);
    let jobs = start(Next::Again, &ledger).await;
    jobs.set_pace("work", 25).unwrap();
    let began = (Instant::now(), ledger.ended.load(Ordering::SeqCst));
    sleep(Duration::from_secs(40)).await;
    let units = ledger.ended.load(Ordering::SeqCst) - began.1;
    // A unit of 100 ms, a rest of 300 ms.
    assert!((99..=101).contains(&units), "{units}");

    jobs.set_pace("work", 0).unwrap();
    sleep(Duration::from_secs(1)).await;
    let paused_at = ledger.ended.load(Ordering::SeqCst);
    sleep(Duration::from_hours(10)).await;
    assert_eq!(ledger.ended.load(Ordering::SeqCst), paused_at);
    assert_eq!(
        (status(&jobs).state, status(&jobs).pace_percent),
        (JobState::Paused, 0)
    );

    jobs.set_pace("work", 100).unwrap();
    sleep(Duration::from_secs(10)).await;
    let units = ledger.ended.load(Ordering::SeqCst) - paused_at;
    assert!((99..=101).contains(&units), "{units}");
    assert_eq!(code(jobs.set_pace("work", 101)), Some(ErrorCode::Invalid));
    assert_eq!(code(jobs.set_pace("play", 1)), Some(ErrorCode::NotFound));
}

#[tokio::test(start_paused = true)]
async fn a_stop_lets_the_unit_under_way_end_and_drops_waits() {
    let ledger = Arc::new(Ledger::default());
    ledger.unit_ms.store(3_000, Ordering::SeqCst);
    let jobs = start(Next::Again, &ledger).await;
    sleep(Duration::from_secs(1)).await;
    let began = Instant::now();
    assert!(jobs.stop(Duration::from_secs(8)).await.is_empty());
    assert_eq!(began.elapsed(), Duration::from_secs(2));
    assert_eq!(ledger.begun.load(Ordering::SeqCst), 1);
    assert_eq!(
        ledger.ended.load(Ordering::SeqCst),
        1,
        "it was not interrupted"
    );
    assert_eq!(status(&jobs).state, JobState::Done);

    let waiting = start(Next::Wait, &Arc::new(Ledger::default())).await;
    let began = Instant::now();
    assert!(waiting.stop(Duration::from_secs(8)).await.is_empty());
    assert_eq!(began.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_cuts_short_what_does_not_end_and_names_it() {
    let ledger = Arc::new(Ledger::default());
    ledger.unit_ms.store(3_600_000, Ordering::SeqCst);
    let jobs = start(Next::Again, &ledger).await;
    let began = Instant::now();
    assert_eq!(jobs.stop(Duration::from_secs(8)).await, ["work"]);
    assert_eq!(began.elapsed(), Duration::from_secs(8));
    assert_eq!(status(&jobs).state, JobState::Failed);
    assert_eq!(ledger.ended.load(Ordering::SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_done_stays_done() {
    let ledger = Arc::new(Ledger::default());
    let jobs = start(Next::Done, &ledger).await;
    sleep(Duration::from_hours(10)).await;
    assert_eq!(
        (status(&jobs).state, ledger.begun.load(Ordering::SeqCst)),
        (JobState::Done, 1)
    );
}

#[tokio::test]
async fn a_panic_ends_one_job_and_is_shown() {
    struct Panics(Arc<Semaphore>);
    impl Job for Panics {
        fn name(&self) -> &'static str {
            "panics"
        }

        async fn work(&mut self) -> Result<Next, Error> {
            self.0.add_permits(1);
            panic!("as this test asks");
        }

        async fn wait(&mut self) {}
    }
    let ledger = Arc::new(Ledger::default());
    let jobs = start(Next::Wait, &ledger).await;
    let reached = Arc::new(Semaphore::new(0));
    jobs.start(Panics(Arc::clone(&reached)));
    jobs.nudge("panics").unwrap();
    reached.acquire().await.unwrap().forget();
    while jobs.status()[1].state != JobState::Failed {
        tokio::task::yield_now().await;
    }
    jobs.nudge("work").unwrap();
    while status(&jobs).units_count < 2 {
        tokio::task::yield_now().await;
    }
    assert!(
        jobs.stop(Duration::from_secs(8)).await.is_empty(),
        "it ended long before"
    );
}
