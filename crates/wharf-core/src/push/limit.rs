//! How many notices an account's devices get: a bucket for each account, in this process's memory. What is over waits, and
//! what is said in the same room meanwhile is the same notice.

use std::collections::HashMap;

use parking_lot::Mutex;
use wharf_types::AccountId;

use crate::clock::Clock;

/// Notices at once,
const BURST: i64 = 30;
/// and after that one in so many milliseconds.
const PERIOD_MS: i64 = 3_000;
/// Buckets that are kept before the full ones among them are forgotten.
const BUCKETS_KEPT: usize = 10_000;

/// Each bucket is the time at which it will be full again.
pub(super) struct Limits {
    clock: Clock,
    full_ms: Mutex<HashMap<AccountId, i64>>,
}

impl Limits {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            full_ms: Mutex::default(),
        }
    }

    /// Lets a notice through, or says after how many milliseconds one would be.
    pub(super) fn take(&self, account: AccountId) -> Result<(), i64> {
        let now_ms = self.clock.steady_ms();
        let mut buckets = self.full_ms.lock();
        if buckets.len() > BUCKETS_KEPT {
            buckets.retain(|_, full_ms| *full_ms > now_ms);
        }
        let full_ms = buckets.entry(account).or_insert(now_ms);
        let after_ms = (*full_ms).max(now_ms) + PERIOD_MS;
        let over_ms = after_ms - now_ms - BURST * PERIOD_MS;
        if over_ms > 0 {
            return Err(over_ms);
        }
        *full_ms = after_ms;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use wharf_types::AccountId;

    use super::{BURST, Limits, PERIOD_MS};
    use crate::clock::Clock;

    #[test]
    fn a_burst_is_let_through_and_then_one_in_a_while() {
        let clock = Clock::manual(0);
        let limits = Limits::new(clock.clone());
        let (ada, bob) = (
            AccountId::from_bytes([1; 16]),
            AccountId::from_bytes([2; 16]),
        );
        for _ in 0..BURST {
            limits.take(ada).unwrap();
        }
        assert_eq!(limits.take(ada), Err(PERIOD_MS));
        limits.take(bob).unwrap();
        clock.advance_ms(3_000);
        limits.take(ada).unwrap();
        assert_eq!(limits.take(ada), Err(PERIOD_MS));
        clock.advance_ms(180_000);
        for _ in 0..BURST {
            limits.take(ada).unwrap();
        }
        assert_eq!(limits.take(ada), Err(PERIOD_MS));
    }
}
