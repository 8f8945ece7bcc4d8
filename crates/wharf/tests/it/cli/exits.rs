//! Exit codes, and what errors say.

use std::process::Stdio;

use super::house::House;

/// What the operator asks for in vain, of a house with a folder `/docs`.
const FAILURES: &[&[&str]] = &[
    &["ls", "/nope"],
    &["cat", "/docs"],
    &["stat", "room:team/x"],
    &["stat", "room:/x"],
    &["mv", "room:me/docs", "room:nowhere/x"],
    &["get", "room:me/docs", "room:me/docs"],
    &["put", "/docs", "room:nowhere/"],
    &["say", "room:me/docs", "Hello"],
    &["say", "me", ""],
    &["say", "nowhere", "Hello"],
    &["say", "@nobody", "Hello"],
    &["tail", "nowhere"],
    &["entry", "show", "me", "99"],
    &["search", "from:"],
    &["send", "me", "/no/such/file"],
    &["room", "show", "nowhere"],
    &["room", "edit", "me"],
    &["room", "leave", "me", "--yes"],
    &["room", "accept", "nowhere"],
    &["room", "join", "aaaa-bbbb-cccc"],
    &["room", "save", "/docs"],
    &["contacts", "accept", "nobody"],
    &["contacts", "ask", "nobody"],
    &["contacts", "ask", "operator"],
    &["contacts", "group", "put", "family", "ada"],
    &["hook", "remove", "me", "nothing", "--yes"],
    &["files", "me", "--get", "99"],
    &["outbox", "discard", "99"],
    &["search"],
    &["diary", "--on-this-day", "13-40"],
    &[
        "diary",
        "--days",
        "--since",
        "2026-02-01",
        "--until",
        "2026-01-01",
    ],
    &["import", "/no/such/archive"],
    &["stat", "/docs/../x"],
    &["mv", "/nope", "/docs"],
    &["mkdir", "--new", "/docs"],
    &["mv", "/docs", "/docs/inside"],
    &["restore", "/nope"],
    &["put", "/no/such/file", "/"],
    &["put", "-"],
    &["transfers", "pause", "999"],
    &["devices", "revoke", "zzz"],
    &["admin", "user", "lock", "nobody"],
    &["admin", "job", "run", "nothing"],
    &["serve", "--listen", "here"],
    &["config", "check", "--config", "/no/such/config.toml"],
    &["verify", "--data", "/no/such/data"],
    &["verify", "--backup", "/no/such/backup"],
    &["man", "dance"],
];

#[test]
fn every_kind_of_failure_has_its_code_and_says_what_to_do() {
    let house = House::new();
    house.run(&["mkdir", "/docs"]);
    let stranger = house.device("stranger");
    let mut told = Vec::new();
    let mut note = |output: std::process::Output, arguments: &[&str]| {
        let code = output.status.code().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        told.push(format!("$ wharf {}\n{text}= {code}\n", arguments.join(" ")));
    };
    for arguments in [
        &["whoami"][..],
        &["--server", "elsewhere.example", "whoami"],
        &["login", "ftp://example.org"],
        &["login", "http://127.0.0.1:1"],
    ] {
        note(stranger.output(arguments).unwrap(), arguments);
    }
    for &arguments in FAILURES {
        note(house.program.output(arguments).unwrap(), arguments);
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn a_full_quota_is_seven() {
    let house = House::new();
    let member = house.device("member");
    let added = house.json(&["admin", "user", "add", "grace", "--quota", "1000 B"]);
    let password = added[0]["password"].as_str().unwrap();
    let member = member.with("WHARF_PASSWORD", password);
    member
        .run(["login", house.server.url(), "--username", "grace"])
        .unwrap();
    let file = house.write("large", vec![1; 5_000]);
    let refused = member.output(["put", &file]).unwrap();
    assert_eq!(refused.status.code(), Some(7), "{refused:?}");
    assert!(
        String::from_utf8(refused.stderr)
            .unwrap()
            .contains("wharf df")
    );
}

#[test]
fn a_member_is_denied_what_operators_do() {
    let house = House::new();
    let added = house.json(&["admin", "user", "add", "grace"]);
    let member = house
        .device("member")
        .with("WHARF_PASSWORD", added[0]["password"].as_str().unwrap());
    member
        .run(["login", house.server.url(), "--username", "grace"])
        .unwrap();
    let denied = member.output(["admin", "user", "list"]).unwrap();
    assert_eq!(denied.status.code(), Some(5), "{denied:?}");
}

#[test]
fn a_file_that_is_kept_is_nine() {
    let house = House::new();
    let file = house.write("a.txt", "one");
    house.run(&["put", &file]);
    house.write("a.txt", "another");
    let kept = house.end(&["put", &file, "--keep"]);
    assert_eq!(kept.code, 9, "{kept:?}");
    assert!(kept.err.contains("warning: "), "{kept:?}");
    assert_eq!(house.run(&["cat", "/a.txt"]), "one");
}

#[test]
fn an_output_that_is_closed_ends_the_program_quietly() {
    let house = House::new();
    let file = house.write("large", vec![b'x'; 4_000_000]);
    house.run(&["put", &file]);
    for arguments in [
        &["cat", "/large"][..],
        &["get", "/large", "-"],
        &["man", "--markdown"],
    ] {
        let mut command = house.program.command(arguments);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(0), "{arguments:?}: {ended:?}");
        assert_eq!(
            String::from_utf8(ended.stderr).unwrap(),
            "",
            "{arguments:?}"
        );
    }
}

#[test]
fn colours_go_to_terminals_or_where_they_are_asked_for() {
    let house = House::new();
    house.run(&["mkdir", "/docs"]);
    assert!(!house.run(&["ls"]).contains('\x1b'));
    assert!(
        house
            .run(&["ls", "--color", "always"])
            .contains("\x1b[34mdocs/")
    );
    assert!(
        !house
            .run(&["ls", "--color", "always", "--json"])
            .contains('\x1b')
    );
}
