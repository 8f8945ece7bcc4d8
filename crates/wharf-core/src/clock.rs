//! The house's time: the machine's in production, a test's hand otherwise.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Where the house reads the time. Clones share one clock.
///
/// Wall time dates what is recorded and may jump; order never depends on it. Steady time never goes back and measures
/// how long something took or may still be believed.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System { started: Instant },
    Manual(Arc<ManualTime>),
}

#[derive(Debug)]
struct ManualTime {
    wall_ms: AtomicI64,
    steady_ms: AtomicI64,
}

impl Clock {
    /// The machine's clock.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everything else takes as a parameter"
    )]
    pub fn system() -> Self {
        Self(Source::System {
            started: Instant::now(),
        })
    }

    /// A clock that stands at `wall_ms` until it is moved.
    pub fn manual(wall_ms: i64) -> Self {
        Self(Source::Manual(Arc::new(ManualTime {
            wall_ms: AtomicI64::new(wall_ms),
            steady_ms: AtomicI64::new(0),
        })))
    }

    /// Milliseconds since the epoch, UTC. 0 on a machine whose clock stands before 1970.
    pub fn now_ms(&self) -> i64 {
        match &self.0 {
            Source::System { .. } => {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "this is the clock that everything else takes as a parameter"
                )]
                let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
                since_epoch.map_or(0, |elapsed| {
                    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
                })
            }
            Source::Manual(time) => time.wall_ms.load(Ordering::SeqCst),
        }
    }

    /// Milliseconds since this clock was made; never goes back.
    pub fn steady_ms(&self) -> i64 {
        match &self.0 {
            Source::System { started } => {
                i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX)
            }
            Source::Manual(time) => time.steady_ms.load(Ordering::SeqCst),
        }
    }

    /// Moves a manual clock forward, wall and steady time together. The machine's clock is not ours to move: nothing
    /// happens to it.
    pub fn advance_ms(&self, by_ms: u32) {
        if let Source::Manual(time) = &self.0 {
            time.wall_ms.fetch_add(i64::from(by_ms), Ordering::SeqCst);
            time.steady_ms.fetch_add(i64::from(by_ms), Ordering::SeqCst);
        }
    }

    /// Makes a manual clock's wall time jump, forward or back, as an administrator's hand or a time server would.
    pub fn set_wall_ms(&self, wall_ms: i64) {
        if let Source::Manual(time) = &self.0 {
            time.wall_ms.store(wall_ms, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Clock;

    #[test]
    fn steady_time_does_not_follow_a_jump_of_the_wall_clock() {
        let clock = Clock::manual(1_000);
        let shared = clock.clone();
        shared.advance_ms(50);
        assert_eq!((clock.now_ms(), clock.steady_ms()), (1_050, 50));
        shared.set_wall_ms(10);
        assert_eq!((clock.now_ms(), clock.steady_ms()), (10, 50));
    }

    #[test]
    fn the_machine_s_clock_is_past_the_year_2020_and_cannot_be_moved() {
        let clock = Clock::system();
        let before = clock.now_ms();
        assert!(before > 1_577_836_800_000);
        clock.set_wall_ms(5);
        clock.advance_ms(u32::MAX);
        assert!(clock.now_ms() < before + 1_000_000);
    }
}
