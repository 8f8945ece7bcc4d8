//! The house's randomness: the system's generator in production, a seeded one in tests.

use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

/// Where the house takes random bytes from. Clones share one generator.
#[derive(Clone)]
pub struct Random(Source);

#[derive(Clone)]
enum Source {
    System,
    Seeded(Arc<Mutex<StdRng>>),
}

impl Random {
    /// The thread's cryptographic generator, seeded by the operating system.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// The same bytes in the same order for the same seed. For tests: its secrets are no secrets.
    pub fn seeded(seed: u64) -> Self {
        Self(Source::Seeded(Arc::new(Mutex::new(StdRng::seed_from_u64(
            seed,
        )))))
    }

    /// Gives `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        match &self.0 {
            Source::System => rand::rng().fill_bytes(&mut bytes),
            Source::Seeded(generator) => generator.lock().fill_bytes(&mut bytes),
        }
        bytes
    }

    /// Gives a number below `bound`, each equally likely; 0 when `bound` is 0.
    pub fn below(&self, bound: u32) -> u32 {
        if bound == 0 {
            return 0;
        }
        match &self.0 {
            Source::System => rand::rng().random_range(0..bound),
            Source::Seeded(generator) => generator.lock().random_range(0..bound),
        }
    }

    /// Makes an id, as in `random.id(NodeId::new, now_ms)`.
    pub fn id<Id>(&self, make: fn(u64, &[u8; 10]) -> Id, now_ms: i64) -> Id {
        make(u64::try_from(now_ms).unwrap_or(0), &self.bytes())
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Source::System => "Random(system)",
            Source::Seeded(_) => "Random(seeded)",
        })
    }
}

#[cfg(test)]
mod tests {
    use wharf_types::NodeId;

    use super::Random;

    #[test]
    fn one_seed_gives_one_sequence_shared_by_clones() {
        let first = Random::seeded(7);
        let second = Random::seeded(7);
        assert_eq!(first.bytes::<16>(), second.clone().bytes::<16>());
        assert_eq!(first.below(1_000_000), second.below(1_000_000));
        assert_ne!(first.bytes::<16>(), first.bytes::<16>());
    }

    #[test]
    fn numbers_stay_below_their_bound() {
        let random = Random::seeded(1);
        assert_eq!(random.below(0), 0);
        assert!((0..1_000).all(|_| random.below(3) < 3));
        assert!((0..1_000).any(|_| random.below(3) == 2));
    }

    #[test]
    fn ids_sort_by_the_time_of_making() {
        let random = Random::system();
        assert!(random.id(NodeId::new, 1_000) < random.id(NodeId::new, 2_000));
        assert_eq!(random.id(NodeId::new, -5).as_bytes()[..6], [0; 6]);
    }
}
