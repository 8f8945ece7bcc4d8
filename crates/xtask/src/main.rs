//! Checks and generators of the repository that need logic: `cargo xtask` lists them.
//!
//! - `tidy`: what compilers do not see. Direction rules between crates, sizes, leftover markers, links of the documents.
//! - `gen`: brings generated files up to date (OpenAPI, command reference, snapshots); the tests compare them.
//! - `fuzz [SECONDS]`: runs every fuzz target for a while.
//! - `fuzz-api`: runs a fuzzer of OpenAPI against a server of its own.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a development tool talks to its terminal"
)]

mod fuzz;
mod fuzz_api;
mod generated;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let root = workspace_root()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["tidy"] => tidy::check(&root),
        ["gen"] => generated::update(&root),
        ["fuzz"] => fuzz::run(&root, 60),
        ["fuzz", seconds] => {
            let seconds = seconds.parse().context("SECONDS must be a whole number")?;
            fuzz::run(&root, seconds)
        }
        ["fuzz-api", "--schemathesis", program] => fuzz_api::run(&root, Path::new(program)),
        _ => bail!(
            "usage: cargo xtask tidy | gen | fuzz [SECONDS] | fuzz-api --schemathesis PROGRAM"
        ),
    }
}

/// The folder of the workspace: cargo says where this crate is.
fn workspace_root() -> Result<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .and_then(Path::parent)
        .map(Path::to_path_buf)
        .context("xtask must be in crates/ of the workspace")
}
