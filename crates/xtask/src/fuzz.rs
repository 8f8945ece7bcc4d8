//! Runs the fuzz targets of fuzz/ one after another.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Fuzzes every target for `seconds` each; a crash ends the run and leaves its input under fuzz/artifacts.
pub(crate) fn run(root: &Path, seconds: u32) -> Result<()> {
    let list = cargo_fuzz(root)
        .arg("list")
        .output()
        .context("cargo fuzz needs a nightly toolchain and `cargo install cargo-fuzz`")?;
    ensure!(
        list.status.success(),
        "cargo fuzz list: {}",
        String::from_utf8_lossy(&list.stderr)
    );
    for target in String::from_utf8_lossy(&list.stdout).lines() {
        println!("== {target}, {seconds} s");
        let status = cargo_fuzz(root)
            .args(["run", target, "--", "-max_len=65536"])
            .arg(format!("-max_total_time={seconds}"))
            .status()?;
        ensure!(status.success(), "fuzz target {target} found a crash");
    }
    Ok(())
}

fn cargo_fuzz(root: &Path) -> Command {
    let mut command = Command::new("cargo");
    command.args(["+nightly", "fuzz"]).current_dir(root);
    command
}
