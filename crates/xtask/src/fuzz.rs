//! Runs the fuzz targets of fuzz/ one after another.
//!
//! What a run finds interesting goes to fuzz/work; the checked-in corpus is only read.

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
        let found = root.join("fuzz/work").join(target);
        std::fs::create_dir_all(&found).with_context(|| format!("{}", found.display()))?;
        let status = cargo_fuzz(root)
            .args(["run", target])
            .arg(found)
            .arg(root.join("fuzz/corpus").join(target))
            .args(["--", "-max_len=65536"])
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
