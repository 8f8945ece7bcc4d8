//! How fast entries may be appended: a bucket for each account and one for each address, in this process's memory.
//!
//! A bucket that was not touched until it is full again is forgotten, so what is kept is bounded by what was appended
//! lately. Several server processes each have their own buckets.

use std::collections::HashMap;
use std::net::IpAddr;

use parking_lot::Mutex;
use wharf_types::{AccountId, HookId, RoomId};

use crate::clock::Clock;
use crate::config::MessageLimits;

/// Buckets that are kept before the full ones among them are forgotten.
const BUCKETS_KEPT: usize = 10_000;

/// What has a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    Account(AccountId),
    /// A webhook has a bucket like an account.
    Hook(HookId),
    /// All diary clients that write to one room have a bucket together.
    Diary(RoomId),
    Address(IpAddr),
}

impl From<AccountId> for Key {
    fn from(account: AccountId) -> Self {
        Self::Account(account)
    }
}

impl From<HookId> for Key {
    fn from(hook: HookId) -> Self {
        Self::Hook(hook)
    }
}

/// How full a bucket was at a time: tokens in 60,000ths, so that what a millisecond brings is a whole number.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    parts: u64,
    at_ms: i64,
}

const PARTS: u64 = 60_000;

/// The buckets.
#[derive(Debug)]
pub(crate) struct Limits {
    config: MessageLimits,
    clock: Clock,
    buckets: Mutex<HashMap<Key, Bucket>>,
}

/// What was let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Granted {
    /// How many of those that were asked for.
    pub(crate) count: u64,
    /// After how long the next one would be.
    pub(crate) retry_after_ms: u64,
}

impl Limits {
    pub(crate) fn new(config: MessageLimits, clock: Clock) -> Self {
        Self {
            config,
            clock,
            buckets: Mutex::default(),
        }
    }

    /// Takes up to `count` tokens of the author and of the address, as many as both have.
    pub(crate) fn take(&self, author: impl Into<Key>, address: IpAddr, count: u64) -> Granted {
        let keys = [author.into(), Key::Address(address.to_canonical())];
        let now_ms = self.clock.steady_ms();
        let mut buckets = self.buckets.lock();
        if buckets.len() > BUCKETS_KEPT {
            buckets.retain(|key, bucket| {
                let (burst, _) = self.rate(key);
                self.filled(key, *bucket, now_ms) < burst
            });
        }
        let mut granted = Granted {
            count,
            retry_after_ms: 0,
        };
        let filled = keys.map(|key| {
            let bucket = buckets.get(&key);
            let parts = bucket.map_or(self.rate(&key).0, |bucket| {
                self.filled(&key, *bucket, now_ms)
            });
            granted.count = granted.count.min(parts / PARTS);
            (key, parts)
        });
        for (key, parts) in filled {
            let parts = parts.saturating_sub(granted.count * PARTS);
            let (_, per_ms) = self.rate(&key);
            let missing = PARTS.saturating_sub(parts);
            granted.retry_after_ms = granted.retry_after_ms.max(missing.div_ceil(per_ms));
            buckets.insert(
                key,
                Bucket {
                    parts,
                    at_ms: now_ms,
                },
            );
        }
        granted
    }

    /// Gives tokens back that were taken for nothing.
    pub(crate) fn refund(&self, author: impl Into<Key>, address: IpAddr, count: u64) {
        if count == 0 {
            return;
        }
        let mut buckets = self.buckets.lock();
        for key in [author.into(), Key::Address(address.to_canonical())] {
            let (burst, _) = self.rate(&key);
            if let Some(bucket) = buckets.get_mut(&key) {
                bucket.parts = (bucket.parts + count * PARTS).min(burst);
            }
        }
    }

    /// What the bucket holds when it is full, and what a millisecond brings; at least something.
    fn rate(&self, key: &Key) -> (u64, u64) {
        let (burst, per_minute) = match key {
            Key::Account(_) | Key::Hook(_) | Key::Diary(_) => {
                (self.config.account_burst, self.config.account_per_minute)
            }
            Key::Address(_) => (self.config.address_burst, self.config.address_per_minute),
        };
        (
            u64::from(burst.max(1)) * PARTS,
            u64::from(per_minute.max(1)),
        )
    }

    fn filled(&self, key: &Key, bucket: Bucket, now_ms: i64) -> u64 {
        let (burst, per_ms) = self.rate(key);
        let elapsed_ms = now_ms.saturating_sub(bucket.at_ms).unsigned_abs();
        bucket
            .parts
            .saturating_add(elapsed_ms.saturating_mul(per_ms))
            .min(burst)
    }
}
