//! Fuzz targets over every decoder: see README.md.

mod targets;

/// Gives `bytes` to the target with this name.
///
/// # Panics
/// When a decoder breaks its promise, or there is no such target.
pub fn run(target: &str, bytes: &[u8]) {
    let (_, run) = targets::TARGETS
        .iter()
        .find(|(name, _)| *name == target)
        .expect("a target of this name");
    run(bytes);
}
