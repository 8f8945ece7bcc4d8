//! Help, the command reference, manual pages and completions: all from one definition.

use std::path::Path;

use super::house::{WHARF, text};
use wharf_testkit::program::Program;

fn program(home: &Path) -> Program {
    Program::new(WHARF, home)
}

#[test]
fn the_help_of_the_program_and_of_its_main_commands() {
    let home = tempfile::tempdir().unwrap();
    let mut told = Vec::new();
    for arguments in [
        &["--help"][..],
        &["put", "-h"],
        &["get", "-h"],
        &["serve", "-h"],
        &["admin", "user", "add", "-h"],
        &["contacts", "-h"],
        &["room", "-h"],
        &["say", "-h"],
        &["tail", "-h"],
        &["diary", "-h"],
    ] {
        let help = program(home.path()).run(arguments).unwrap();
        told.push(format!("$ wharf {}\n{help}", arguments.join(" ")));
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn the_command_reference_is_current() {
    let home = tempfile::tempdir().unwrap();
    let written = program(home.path()).run(["man", "--markdown"]).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/commands.md");
    let kept = std::fs::read_to_string(&path).unwrap();
    assert!(
        written == kept,
        "docs/guide/commands.md is not current: run `wharf man --markdown > docs/guide/commands.md`"
    );
}

#[test]
fn every_command_has_a_manual_page() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("man");
    program(home.path())
        .run(["man", "--out", &text(&folder)])
        .unwrap();
    for page in [
        "wharf.1",
        "wharf-put.1",
        "wharf-admin-user-add.1",
        "wharf-restore-backup.1",
    ] {
        let page = std::fs::read_to_string(folder.join(page)).unwrap();
        assert!(page.contains(".TH wharf"), "{page}");
    }
    let printed = program(home.path()).run(["man", "admin", "user"]).unwrap();
    assert_eq!(
        printed,
        std::fs::read_to_string(folder.join("wharf-admin-user.1")).unwrap()
    );
}

#[test]
fn completions_know_the_commands() {
    let home = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let script = program(home.path()).run(["completions", shell]).unwrap();
        assert!(
            script.contains("restore-backup") && script.contains("transfers"),
            "{shell}"
        );
    }
}
