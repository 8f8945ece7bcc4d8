//! Files that the code generates: each has a test that compares it, and the same test writes it when told to.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

/// Runs the comparing tests in writing mode.
pub(crate) fn update(root: &Path) -> Result<()> {
    let status = Command::new("cargo")
        .args(["nextest", "run", "--workspace", "--no-tests=fail"])
        .args(["-E", "test(/snapshot|is_current/)"])
        .env("WHARF_BLESS", "1")
        .env("INSTA_UPDATE", "always")
        .current_dir(root)
        .status()?;
    ensure!(status.success(), "a generating test failed");
    println!("generated files are up to date; review them with git diff");
    Ok(())
}
