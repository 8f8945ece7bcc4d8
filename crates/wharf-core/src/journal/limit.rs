//! How fast one key may append: a bucket for each, in this process's memory. There are only as many as there are keys.

use std::collections::HashMap;

use parking_lot::Mutex;
use wharf_types::api::journal::JournalKeyId;

use crate::clock::Clock;
use crate::config::JournalLimits;

/// Tokens in thousandths, so that what a millisecond brings is a whole number.
const PARTS: u64 = 1_000;
/// Buckets that are kept before the full ones among them are forgotten.
const BUCKETS_KEPT: usize = 10_000;

pub(super) struct KeyLimits {
    burst_parts: u64,
    parts_per_ms: u64,
    clock: Clock,
    /// What a key has left, and when that was so.
    buckets: Mutex<HashMap<JournalKeyId, (u64, i64)>>,
}

impl KeyLimits {
    pub(super) fn new(config: JournalLimits, clock: Clock) -> Self {
        Self {
            burst_parts: u64::from(config.key_burst.max(1)) * PARTS,
            parts_per_ms: u64::from(config.key_per_second.max(1)),
            clock,
            buckets: Mutex::default(),
        }
    }

    /// Takes up to `count` tokens, as many as there are, and says after how many milliseconds there will be another.
    pub(super) fn take(&self, key: JournalKeyId, count: u64) -> (u64, u64) {
        let now_ms = self.clock.steady_ms();
        let mut buckets = self.buckets.lock();
        if buckets.len() > BUCKETS_KEPT {
            buckets.retain(|_, bucket| self.filled(*bucket, now_ms) < self.burst_parts);
        }
        let parts = buckets
            .get(&key)
            .map_or(self.burst_parts, |bucket| self.filled(*bucket, now_ms));
        let granted = count.min(parts / PARTS);
        let left = parts.saturating_sub(granted * PARTS);
        buckets.insert(key, (left, now_ms));
        (
            granted,
            PARTS.saturating_sub(left).div_ceil(self.parts_per_ms),
        )
    }

    /// Gives tokens back that were taken for nothing.
    pub(super) fn refund(&self, key: JournalKeyId, count: u64) {
        if let Some((parts, _)) = self.buckets.lock().get_mut(&key) {
            *parts = (*parts + count * PARTS).min(self.burst_parts);
        }
    }

    fn filled(&self, (parts, at_ms): (u64, i64), now_ms: i64) -> u64 {
        let elapsed_ms = now_ms.saturating_sub(at_ms).unsigned_abs();
        parts
            .saturating_add(elapsed_ms.saturating_mul(self.parts_per_ms))
            .min(self.burst_parts)
    }
}

#[cfg(test)]
mod tests {
    use wharf_types::api::journal::JournalKeyId;

    use super::KeyLimits;
    use crate::clock::Clock;
    use crate::config::JournalLimits;

    #[test]
    fn a_key_has_a_burst_and_then_its_rate() {
        let clock = Clock::manual(0);
        let limits = KeyLimits::new(
            JournalLimits {
                key_burst: 20,
                key_per_second: 1,
            },
            clock.clone(),
        );
        let [key, other] = [[1; 8], [2; 8]].map(JournalKeyId::from_bytes);
        assert_eq!(limits.take(key, 25), (20, 1000));
        assert_eq!(limits.take(key, 1), (0, 1000));
        assert_eq!(limits.take(other, 1).0, 1);
        clock.advance_ms(2_500);
        assert_eq!(limits.take(key, 5), (2, 500));
        limits.refund(key, 1);
        assert_eq!(limits.take(key, 5).0, 1);
        clock.advance_ms(1_000_000);
        assert_eq!(limits.take(key, 100).0, 20);
    }
}
