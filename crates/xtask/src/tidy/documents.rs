//! Documents have one title, and what they link to is there, in the documents and in the code.

use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};

/// Checks every Markdown file, and the paths of documents that Rust comments name.
pub(super) fn check(root: &Path, files: &[PathBuf]) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for file in files {
        let extension = file.extension().and_then(|extension| extension.to_str());
        if !matches!(extension, Some("md" | "rs")) || file.ends_with("tidy/documents.rs") {
            continue;
        }
        let text = fs::read_to_string(root.join(file))
            .with_context(|| format!("reading {}", file.display()))?;
        if extension == Some("md") {
            findings.extend(title_findings(file, &text));
            findings.extend(link_findings(root, file, &text));
        }
        findings.extend(path_findings(root, file, &text));
    }
    Ok(findings)
}

fn title_findings(file: &Path, text: &str) -> Option<String> {
    let titles = prose_lines(text)
        .filter(|(_, line)| line.starts_with("# "))
        .count();
    (titles != 1).then(|| format!("{}: {titles} titles; a document has one", file.display()))
}

/// Targets of `[text](target)` that are neither addresses nor anchors must be files.
fn link_findings(root: &Path, file: &Path, text: &str) -> Vec<String> {
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut findings = Vec::new();
    for (number, line) in prose_lines(text) {
        for target in line.split("](").skip(1) {
            let target = target.split([')', '#', ' ']).next().unwrap_or_default();
            let is_elsewhere =
                target.is_empty() || target.contains("://") || target.starts_with("mailto:");
            if !is_elsewhere
                && !root
                    .join(resolve(&folder.join(target)))
                    .exists_as_file_or_folder()
            {
                findings.push(format!("{}:{number}: dead link: {target}", file.display()));
            }
        }
    }
    findings
}

/// Paths such as `docs/protocol/http.md` or `crates/wharf-wire/src/frame.rs`, named anywhere, must be there.
fn path_findings(root: &Path, file: &Path, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let words = line
            .split(|letter: char| !(letter.is_ascii_alphanumeric() || "/._-*".contains(letter)));
        for word in words {
            let word = word.trim_end_matches(['.', '/']);
            let is_path = (word.starts_with("docs/") || word.starts_with("crates/"))
                && Path::new(word).extension().is_some_and(|ending| {
                    ["md", "rs", "json", "sql", "toml"]
                        .iter()
                        .any(|known| ending == *known)
                })
                && !word.contains('*');
            if is_path && !root.join(word).exists_as_file_or_folder() {
                findings.push(format!(
                    "{}:{}: no such file: {word}",
                    file.display(),
                    index + 1
                ));
            }
        }
    }
    findings
}

/// Lines outside of fenced code, with their numbers.
fn prose_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut is_fenced = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        if line.trim_start().starts_with("```") {
            is_fenced = !is_fenced;
            return None;
        }
        (!is_fenced).then_some((index + 1, line))
    })
}

/// Takes `.` and `..` out of a path without asking the disk.
fn resolve(path: &Path) -> PathBuf {
    let mut resolved = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                resolved.pop();
            }
            Component::Normal(name) => resolved.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    resolved
}

trait ExistsAsFileOrFolder {
    fn exists_as_file_or_folder(&self) -> bool;
}

impl ExistsAsFileOrFolder for PathBuf {
    fn exists_as_file_or_folder(&self) -> bool {
        fs::metadata(self).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{link_findings, path_findings, title_findings};

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR"))
    }

    #[test]
    fn a_dead_link_is_found_and_a_live_one_is_not() {
        let text =
            "# Title\n[here](Cargo.toml) [there](src/gone.rs) [out](https://rust-lang.org)\n";
        let findings = link_findings(root(), Path::new("README.md"), text);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].contains("src/gone.rs"));
    }

    #[test]
    fn links_inside_code_are_text() {
        let text = "# Title\n```\n[there](gone.rs)\n# not a title\n```\n";
        assert!(link_findings(root(), Path::new("README.md"), text).is_empty());
        assert_eq!(title_findings(Path::new("README.md"), text), None);
    }

    #[test]
    fn a_path_of_a_document_that_is_gone_is_found() {
        let findings = path_findings(
            root(),
            Path::new("a.rs"),
            "//! See docs/gone.md for more.\n",
        );
        assert_eq!(findings.len(), 1, "{findings:?}");
    }
}
