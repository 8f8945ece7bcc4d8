//! What compilers do not see: which crate may depend on which, sizes, leftover markers, dead links.

mod direction;
mod documents;
mod sources;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

/// Runs every check and reports all findings at once.
pub(crate) fn check(root: &Path) -> Result<()> {
    let files = tracked_files(root)?;
    let mut findings = direction::check(root)?;
    findings.extend(sources::check(root, &files)?);
    findings.extend(documents::check(root, &files)?);
    if findings.is_empty() {
        println!("tidy: {} files, nothing to say", files.len());
        return Ok(());
    }
    for finding in &findings {
        eprintln!("{finding}");
    }
    bail!("{} findings", findings.len())
}

/// Files of the repository, with new ones that git does not ignore, relative to the root.
fn tracked_files(root: &Path) -> Result<Vec<PathBuf>> {
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .context("git ls-files")?;
    ensure!(output.status.success(), "git ls-files failed");
    let listing = String::from_utf8(output.stdout).context("a file name is not UTF-8")?;
    let mut files = Vec::new();
    for line in listing.lines() {
        let path = PathBuf::from(line);
        if root.join(&path).try_exists()? {
            files.push(path);
        }
    }
    Ok(files)
}
