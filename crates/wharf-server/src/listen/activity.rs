//! Counts the bytes of connections and notices when nothing moves any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What all connections of a listener have moved; read by the metrics.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    received_bytes: AtomicU64,
    sent_bytes: AtomicU64,
    connections_open: AtomicU64,
    connections_total: AtomicU64,
}

impl Traffic {
    pub(crate) fn received_bytes(&self) -> u64 {
        self.received_bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn sent_bytes(&self) -> u64 {
        self.sent_bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn connections_open(&self) -> u64 {
        self.connections_open.load(Ordering::Relaxed)
    }

    pub(crate) fn connections_total(&self) -> u64 {
        self.connections_total.load(Ordering::Relaxed)
    }

    /// Counts a connection as open until the guard is dropped.
    pub(super) fn connection_opened(self: &Arc<Self>) -> OpenConnection {
        self.connections_total.fetch_add(1, Ordering::Relaxed);
        self.connections_open.fetch_add(1, Ordering::Relaxed);
        OpenConnection(Arc::clone(self))
    }
}

/// One connection, counted as open while this lives.
pub(super) struct OpenConnection(Arc<Traffic>);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.connections_open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The bytes that one connection has moved in either direction.
#[derive(Debug, Clone)]
pub(super) struct Activity {
    moved_bytes: Arc<AtomicU64>,
    traffic: Arc<Traffic>,
}

impl Activity {
    pub(super) fn new(traffic: Arc<Traffic>) -> Self {
        Self {
            moved_bytes: Arc::default(),
            traffic,
        }
    }

    pub(super) fn received(&self, bytes: usize) {
        self.moved_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.traffic
            .received_bytes
            .fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn sent(&self, bytes: usize) {
        self.moved_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.traffic
            .sent_bytes
            .fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Ends when nothing has moved for at least `stall`, or when nothing at all came within `first`.
    ///
    /// It looks once per period instead of once per byte, so a stall may be noticed as late as twice `stall`.
    pub(super) async fn stalled(&self, first: Duration, stall: Duration) {
        let mut seen = 0;
        let mut period = first.min(stall);
        loop {
            tokio::time::sleep(period).await;
            let moved = self.moved_bytes.load(Ordering::Relaxed);
            if moved == seen {
                return;
            }
            seen = moved;
            period = stall;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::time::Instant;

    use super::{Activity, Traffic};

    const FIRST: Duration = Duration::from_secs(10);
    const STALL: Duration = Duration::from_mins(1);

    #[tokio::test(start_paused = true)]
    async fn a_silent_connection_ends_after_the_first_period() {
        let start = Instant::now();
        Activity::new(Arc::default()).stalled(FIRST, STALL).await;
        assert_eq!(start.elapsed(), FIRST);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_moves_is_kept_until_it_stops() {
        let traffic = Arc::<Traffic>::default();
        let activity = Activity::new(Arc::clone(&traffic));
        let start = Instant::now();
        let moving = async {
            for _ in 0..10 {
                tokio::time::sleep(STALL / 2).await;
                activity.received(1);
                activity.sent(2);
            }
            std::future::pending::<()>().await;
        };
        activity.received(1);
        tokio::select! {
            () = activity.stalled(FIRST, STALL) => {}
            () = moving => {}
        }
        assert!(
            start.elapsed() >= STALL * 6,
            "ended after {:?}",
            start.elapsed()
        );
        assert!(
            start.elapsed() <= STALL * 8,
            "ended after {:?}",
            start.elapsed()
        );
        assert_eq!((traffic.received_bytes(), traffic.sent_bytes()), (11, 20));
    }

    #[test]
    fn a_connection_is_open_while_its_guard_lives() {
        let traffic = Arc::<Traffic>::default();
        let first = traffic.connection_opened();
        let second = traffic.connection_opened();
        drop(first);
        assert_eq!(
            (traffic.connections_open(), traffic.connections_total()),
            (1, 2)
        );
        drop(second);
        assert_eq!(
            (traffic.connections_open(), traffic.connections_total()),
            (0, 2)
        );
    }
}
