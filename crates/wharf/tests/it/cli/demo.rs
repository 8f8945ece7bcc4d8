//! The demonstration: it starts, lets everybody in, shows what it says, and leaves nothing behind.

use std::fs;

use serde_json::Value;
use wharf_testkit::program::Program;

use super::house::WHARF;

#[test]
fn the_demonstration_lets_everybody_in_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let temporary = folder.path().join("tmp");
    fs::create_dir(&temporary).unwrap();
    let program = Program::new(WHARF, folder.path().join("home")).with("TMPDIR", &temporary);
    let (server, said) = program.demo::<&str>([]).unwrap();
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 1);
    let accounts = said["accounts"].as_array().unwrap();
    assert_eq!(accounts.len(), 8);
    for account in accounts {
        let username = account["username"].as_str().unwrap();
        let device = Program::new(WHARF, folder.path().join(username))
            .with("WHARF_PASSWORD", account["password"].as_str().unwrap());
        device
            .run(["login", server.url(), "--username", username])
            .unwrap();
    }
    let mara = Program::new(WHARF, folder.path().join("mara"));
    check_what_is_there(&mara);
    server.stop().unwrap();
    assert_eq!(fs::read_dir(&temporary).unwrap().count(), 0);
}

/// What the first person sees.
fn check_what_is_there(mara: &Program) {
    let lines = |arguments: &[&str]| -> Vec<Value> {
        let said = mara.run([&["--json"][..], arguments].concat()).unwrap();
        said.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let history = lines(&["history", "room:Boat club/Minutes/2026-10.md"]);
    assert_eq!(history.len(), 2);
    let year_ms = 365 * 24 * 3_600_000;
    let first = lines(&["ls", "/Photos"]);
    assert_eq!(first.len(), 3);
    let journal = lines(&["diary", "--last", "100"]);
    let times: Vec<i64> = journal
        .iter()
        .filter_map(|entry| entry["at_ms"].as_i64())
        .collect();
    let spread = times.iter().max().unwrap() - times.iter().min().unwrap();
    assert!(spread > 3 * year_ms - 24 * 3_600_000, "{spread}");
    let other_years = lines(&["diary", "--on-this-day"]);
    assert!(other_years.len() >= 5, "{other_years:?}");
    let by_datagram = lines(&["diary", "--from", "journal"]);
    assert_eq!(by_datagram.len(), 3);
    let on_the_phone = lines(&["diary", "--from", "Phone", "--last", "100"]);
    assert!(on_the_phone.len() > 3, "{on_the_phone:?}");
    mara.run(["cat", "/Recipes/Fish soup.md"]).unwrap();
}

#[test]
fn what_is_kept_can_be_served() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept");
    let program = Program::new(WHARF, folder.path().join("home"));
    let keep = ["--keep", kept.to_str().unwrap()];
    let (server, said) = program.demo(keep).unwrap();
    let password = said["accounts"][0]["password"].as_str().unwrap().to_owned();
    server.stop().unwrap();
    let again = program.output([&["demo"][..], &keep].concat()).unwrap();
    assert_eq!(
        again.status.code(),
        Some(6),
        "a folder that is there is left alone"
    );
    let server = program.serve(&kept, "127.0.0.1:0", [""; 0]).unwrap();
    let mara = program.with("WHARF_PASSWORD", password);
    mara.run(["login", server.url(), "--username", "mara"])
        .unwrap();
    server.stop().unwrap();
}
