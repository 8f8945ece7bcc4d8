//! What the gateways have done, for the metrics.

use std::sync::atomic::{AtomicU64, Ordering};

/// The counters of one gateway, since the start.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    connections_open: AtomicU64,
    connections_total: AtomicU64,
    connections_refused: AtomicU64,
    frames: AtomicU64,
    frames_garbled: AtomicU64,
    received_bytes: AtomicU64,
    sent_bytes: AtomicU64,
    datagrams_dropped: AtomicU64,
    kernel_drops: AtomicU64,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    /// Connections now.
    pub(crate) connections_open: u64,
    /// Connections taken.
    pub(crate) connections_total: u64,
    /// Connections closed at once because their address had too many.
    pub(crate) connections_refused: u64,
    /// Frames, or datagrams, that were understood.
    pub(crate) frames: u64,
    /// Those that were not.
    pub(crate) frames_garbled: u64,
    /// Bytes received.
    pub(crate) received_bytes: u64,
    /// Bytes sent.
    pub(crate) sent_bytes: u64,
    /// Datagrams dropped because the house was busy.
    pub(crate) datagrams_dropped: u64,
    /// Datagrams that the kernel dropped because nobody took them in time.
    pub(crate) kernel_drops: u64,
}

impl Counters {
    pub(crate) fn opened(&self) {
        self.connections_total.fetch_add(1, Ordering::Relaxed);
        self.connections_open.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn closed(&self) {
        self.connections_open.fetch_sub(1, Ordering::Relaxed);
    }

    pub(crate) fn refused(&self) {
        self.connections_refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn frame(&self) {
        self.frames.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn garbled(&self) {
        self.frames_garbled.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn received(&self, bytes: usize) {
        self.received_bytes
            .fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn sent(&self, bytes: usize) {
        self.sent_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn dropped(&self) {
        self.datagrams_dropped.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn dropped_by_kernel(&self, count: u64) {
        self.kernel_drops.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> Counted {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counted {
            connections_open: load(&self.connections_open),
            connections_total: load(&self.connections_total),
            connections_refused: load(&self.connections_refused),
            frames: load(&self.frames),
            frames_garbled: load(&self.frames_garbled),
            received_bytes: load(&self.received_bytes),
            sent_bytes: load(&self.sent_bytes),
            datagrams_dropped: load(&self.datagrams_dropped),
            kernel_drops: load(&self.kernel_drops),
        }
    }
}
