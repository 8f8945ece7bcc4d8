//! How many datagrams a network may send, before anything in them is looked at.
//!
//! There is a fixed number of buckets, so that no number of forged addresses takes more memory; networks that meet in one
//! share it, and nobody outside knows which do.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;

const BUCKETS: usize = 16 * 1024;
/// Tokens in thousandths, so that what a millisecond brings is a whole number.
const PARTS: u64 = 1_000;

pub(super) struct Networks {
    per_ms: u64,
    burst: u64,
    hasher: RandomState,
    /// What a bucket has left, and when that was so.
    buckets: Vec<(u64, i64)>,
}

impl Networks {
    /// Buckets that hold twice what a second brings.
    pub(super) fn new(per_second: u32) -> Self {
        let per_ms = u64::from(per_second.max(1));
        let burst = per_ms * PARTS * 2;
        Self {
            per_ms,
            burst,
            hasher: RandomState::new(),
            buckets: vec![(burst, 0); BUCKETS],
        }
    }

    /// Whether a datagram from this address is let through.
    pub(super) fn admit(&mut self, address: IpAddr, now_ms: i64) -> bool {
        let hash = self.hasher.hash_one(network(address));
        let slot = usize::try_from(hash % BUCKETS as u64).unwrap_or_default();
        let Some((parts, at_ms)) = self.buckets.get_mut(slot) else {
            return false;
        };
        let elapsed = now_ms.saturating_sub(*at_ms).unsigned_abs();
        *parts = parts
            .saturating_add(elapsed.saturating_mul(self.per_ms))
            .min(self.burst);
        *at_ms = now_ms;
        match parts.checked_sub(PARTS) {
            Some(left) => {
                *parts = left;
                true
            }
            None => false,
        }
    }
}

/// The network of an address: its /24, or its /48.
fn network(address: IpAddr) -> [u8; 7] {
    let mut network = [0; 7];
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [first, second, third, _] = address.octets();
            network = [4, first, second, third, 0, 0, 0];
        }
        IpAddr::V6(address) => {
            for (to, from) in network.iter_mut().skip(1).zip(address.octets()) {
                *to = from;
            }
            network[0] = 6;
        }
    }
    network
}

#[cfg(test)]
mod tests {
    use super::Networks;

    #[test]
    fn a_network_has_its_rate_and_others_have_theirs() {
        let mut networks = Networks::new(10);
        let mut admitted = |address: &str, now_ms| {
            let address = address.parse().unwrap();
            (0..100).filter(|_| networks.admit(address, now_ms)).count()
        };
        assert_eq!(admitted("192.0.2.1", 0), 20);
        assert_eq!(admitted("192.0.2.77", 500), 5);
        assert_eq!(admitted("::ffff:192.0.2.9", 500), 0);
        assert_eq!(admitted("2001:db8:1::1", 500), 20);
        assert_eq!(admitted("2001:db8:1:ffff::1", 500), 0);
        assert_eq!(admitted("192.0.2.1", 1_000_000), 20);
    }
}
