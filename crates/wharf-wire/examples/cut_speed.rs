//! How fast cutting is on this machine: `cargo run --release -p wharf-wire --example cut_speed`.
#![expect(
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a measurement for a person"
)]

use std::time::Instant;

use wharf_wire::cut;

fn main() {
    let mut bytes = vec![0; 512 * 1024 * 1024];
    blake3::Hasher::new()
        .update(b"cut speed")
        .finalize_xof()
        .fill(&mut bytes);
    for _ in 0..5 {
        let start = Instant::now();
        let count = cut::chunks(&bytes).count();
        let seconds = start.elapsed().as_secs_f64();
        let hashing = Instant::now();
        let hash = blake3::hash(&bytes);
        let hashing = hashing.elapsed().as_secs_f64();
        let gigabytes = bytes.len() as f64 / 1e9;
        println!(
            "cut {:.2} GB/s, {count} chunks of {} KiB on average; BLAKE3 {:.2} GB/s ({hash})",
            gigabytes / seconds,
            bytes.len() / count / 1024,
            gigabytes / hashing
        );
    }
}
