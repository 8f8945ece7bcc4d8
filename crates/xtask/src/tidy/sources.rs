//! Sizes of source files, markers of unfinished work, and words that must not stay.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Most lines of a source file, its tests not counted.
const SOURCE_LINES_MAX: usize = 700;

/// What must not stay in a source file, and what to do instead.
const BANNED: &[(&str, &str)] = &[
    ("FIXME", "mend it, or open an issue and write TODO(#number)"),
    ("XXX", "mend it, or open an issue and write TODO(#number)"),
    ("TODO:", "write TODO(#number) with an issue"),
    ("TODO ", "write TODO(#number) with an issue"),
    ("#[ignore]", "give the reason: #[ignore = \"…\"]"),
];

/// Checks every Rust file of the workspace.
pub(super) fn check(root: &Path, files: &[PathBuf]) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for file in files {
        let is_rust = file.extension().is_some_and(|extension| extension == "rs");
        if !is_rust || file.ends_with("tidy/sources.rs") {
            continue;
        }
        let text = fs::read_to_string(root.join(file))
            .with_context(|| format!("reading {}", file.display()))?;
        findings.extend(findings_of(file, &text));
    }
    Ok(findings)
}

fn findings_of(file: &Path, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let is_test = file.components().any(|part| part.as_os_str() == "tests");
    let own_lines = text
        .lines()
        .take_while(|line| !line.starts_with("#[cfg(test)]"))
        .count();
    if !is_test && own_lines > SOURCE_LINES_MAX {
        findings.push(format!(
            "{}: {own_lines} lines without its tests; the most is {SOURCE_LINES_MAX}: is it one idea?",
            file.display()
        ));
    }
    for (index, line) in text.lines().enumerate() {
        for (word, instead) in BANNED.iter().filter(|(word, _)| line.contains(word)) {
            findings.push(format!(
                "{}:{}: '{word}': {instead}",
                file.display(),
                index + 1
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::findings_of;

    #[test]
    fn a_long_file_is_found_but_its_tests_do_not_count() {
        let file = Path::new("src/lib.rs");
        let long = "fn a() {}\n".repeat(701);
        assert_eq!(findings_of(file, &long).len(), 1);
        let tested = format!(
            "{}#[cfg(test)]\nmod tests {{\n{long}}}\n",
            "fn a() {}\n".repeat(700)
        );
        assert_eq!(findings_of(file, &tested).len(), 0);
    }

    #[test]
    fn a_marker_without_an_issue_is_found() {
        let file = Path::new("src/lib.rs");
        assert_eq!(findings_of(file, "// FIXME later\n").len(), 1);
        assert_eq!(findings_of(file, "// TODO(#12): later\n").len(), 0);
    }
}
