//! Whether to make another attempt, and how long to wait before it.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::call::{Failure, Repeat, Sent};
use crate::api::ApiError;

const DELAY_MS_FIRST: u64 = 50;
const DELAY_MS_MAX: u64 = 2_000;

/// The attempts of one call.
pub(super) struct Patience {
    repeat: Repeat,
    limit: Duration,
    failed_count: u32,
    give_up_at: Option<Instant>,
}

impl Patience {
    /// `limit` runs from the first failure: a long call that works is never cut short.
    pub(super) fn new(repeat: Repeat, limit: Duration) -> Self {
        Self {
            repeat,
            limit,
            failed_count: 0,
            give_up_at: None,
        }
    }

    /// Waits before the next attempt, or says that there is none.
    pub(super) async fn pause(&mut self, failure: Failure) -> Result<(), ApiError> {
        let (after, error) = match failure {
            Failure::Final(error) => return Err(error),
            Failure::Again {
                error,
                sent: Sent::Perhaps,
                ..
            } if self.repeat == Repeat::OnlyUnsent => {
                return Err(error);
            }
            Failure::Again { after, error, .. } => (after, error),
        };
        self.failed_count += 1;
        let limit = self.limit;
        let give_up_at = *self
            .give_up_at
            .get_or_insert_with(|| Instant::now() + limit);
        let pause = delay(self.failed_count, rand::random()).max(after);
        if Instant::now() + pause > give_up_at {
            return Err(error);
        }
        tracing::debug!(%error, attempt = self.failed_count, "trying again");
        sleep(pause).await;
        Ok(())
    }
}

/// The pause before attempt `attempt` (1 is the first repetition): none before the first, since what mostly breaks is a
/// connection that was kept and that the other side has closed; then doubling from 50 ms to 2 s, spread by `random` over
/// the upper half so that the clients of a restarted server do not all come back at once.
fn delay(attempt: u32, random: u32) -> Duration {
    let Some(doublings) = attempt.checked_sub(2) else {
        return Duration::ZERO;
    };
    let doublings = doublings.min(10);
    let full = (DELAY_MS_FIRST << doublings).min(DELAY_MS_MAX);
    let spread = full / 2 * u64::from(random) / u64::from(u32::MAX);
    Duration::from_millis(full - spread)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::delay;

    #[test]
    fn delays_double_to_two_seconds() {
        let shown: Vec<_> = (1..9)
            .map(|attempt| delay(attempt, 0).as_millis())
            .collect();
        assert_eq!(shown, [0, 50, 100, 200, 400, 800, 1600, 2000]);
    }

    proptest! {
        #[test]
        fn chance_takes_at_most_half(attempt in any::<u32>(), random in any::<u32>()) {
            let (shown, full) = (delay(attempt, random), delay(attempt, 0));
            assert!(shown <= full && shown >= full / 2);
        }
    }
}
