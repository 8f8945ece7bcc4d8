//! How far a transfer is: counters that its threads raise and that anyone may look at.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// What a transfer is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Phase {
    /// Looking at both sides; the totals still grow.
    #[default]
    Looking = 0,
    /// Moving bytes; the totals are known.
    Moving = 1,
    /// Making sure that everything is on the disk.
    Syncing = 2,
    /// Nothing more to do.
    Done = 3,
}

/// The counters of one transfer. Cheap to raise from many threads; each counter only grows.
#[derive(Debug, Default)]
pub struct Progress {
    phase: AtomicU8,
    files_total: AtomicU64,
    files_done: AtomicU64,
    bytes_total: AtomicU64,
    bytes_done: AtomicU64,
    bytes_wire: AtomicU64,
    notices: AtomicU64,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Snapshot {
    /// What the transfer is doing.
    pub phase: Phase,
    /// Files seen so far, unchanged ones included.
    pub files_total: u64,
    /// Files that are in place, unchanged ones included.
    pub files_done: u64,
    /// Bytes of the files seen so far, unchanged ones included.
    pub bytes_total: u64,
    /// Bytes of content that are in place, or known to be there already.
    pub bytes_done: u64,
    /// Bytes of chunks that travelled, as they travelled (compressed, where that pays).
    pub bytes_wire: u64,
    /// Things to report so far.
    pub notices: u64,
}

impl Progress {
    /// The counters now.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            phase: match self.phase.load(Ordering::Relaxed) {
                0 => Phase::Looking,
                1 => Phase::Moving,
                2 => Phase::Syncing,
                _ => Phase::Done,
            },
            files_total: self.files_total.load(Ordering::Relaxed),
            files_done: self.files_done.load(Ordering::Relaxed),
            bytes_total: self.bytes_total.load(Ordering::Relaxed),
            bytes_done: self.bytes_done.load(Ordering::Relaxed),
            bytes_wire: self.bytes_wire.load(Ordering::Relaxed),
            notices: self.notices.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    pub(crate) fn found(&self, files: u64, bytes: u64) {
        self.files_total.fetch_add(files, Ordering::Relaxed);
        self.bytes_total.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn files_done(&self, files: u64) {
        self.files_done.fetch_add(files, Ordering::Relaxed);
    }

    pub(crate) fn bytes_done(&self, bytes: u64) {
        self.bytes_done.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn wire(&self, bytes: u64) {
        self.bytes_wire.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn noticed(&self) {
        self.notices.fetch_add(1, Ordering::Relaxed);
    }
}
