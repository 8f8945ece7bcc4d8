//! Times, summed up.
#![expect(clippy::cast_precision_loss, reason = "figures that people read")]

use serde_json::{Value, json};

/// Percentiles of times in nanoseconds, in milliseconds.
pub fn percentiles(mut times_ns: Vec<u64>) -> Value {
    times_ns.sort_unstable();
    let at = |percent: usize| {
        let place = (times_ns.len() * percent / 100).min(times_ns.len().saturating_sub(1));
        let ns = times_ns.get(place).copied().unwrap_or_default();
        round(ns as f64 / 1e6)
    };
    json!({ "p50_ms": at(50), "p95_ms": at(95), "p99_ms": at(99), "max_ms": at(100) })
}

/// Three digits after the point.
pub fn round(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}
