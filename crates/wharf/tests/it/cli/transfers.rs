//! Transfers that are interrupted, paused and given up.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::house::{House, NO_ARGUMENTS, start, text};

/// A file that takes a while: not compressible, `megabytes` long.
fn large(house: &House, megabytes: usize) -> String {
    let path = house.path("large");
    let random = fs::File::open("/dev/urandom").unwrap();
    let mut random = std::io::Read::take(random, megabytes as u64 * 1_000_000);
    std::io::copy(&mut random, &mut fs::File::create(&path).unwrap()).unwrap();
    text(&path)
}

/// Waits until the one transfer has moved something, and returns its number.
fn under_way(house: &House) -> u64 {
    for _ in 0..600 {
        let transfers = house.json(&["transfers"]);
        if let Some(transfer) = transfers.first()
            && transfer["bytes_done"].as_u64().unwrap() > 0
        {
            return transfer["transfer"].as_u64().unwrap();
        }
        pause();
    }
    panic!("the transfer does not begin");
}

#[expect(clippy::disallowed_methods, reason = "waits for another process")]
fn pause() {
    std::thread::sleep(Duration::from_millis(20));
}

#[test]
fn a_put_whose_program_was_killed_continues_when_it_is_run_again() {
    let house = House::new();
    let file = large(&house, 200);
    let mut first = house
        .program
        .command(["put", &file, "/large"])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    under_way(&house);
    first.kill().unwrap();
    first.wait().unwrap();
    let transfers = house.json(&["transfers"]);
    assert_eq!(transfers[0]["state"], "waiting", "{transfers:?}");
    let again = house.json(&["put", &file, "/large"]);
    assert_eq!(
        again[0]["transfer"], transfers[0]["transfer"],
        "the same task goes on"
    );
    let travelled = again[0]["report"]["bytes_wire"].as_u64().unwrap();
    assert!(
        travelled < 199_000_000,
        "what was there did not travel again: {travelled}"
    );
    let back = text(&house.path("back"));
    house.run(&["get", "/large", &back]);
    assert!(
        Command::new("cmp")
            .args([&file, &back])
            .status()
            .unwrap()
            .success()
    );
    house.run(&["transfers", "clear"]);
    assert!(house.json(&["transfers"]).is_empty());
}

#[test]
fn a_put_outlives_its_server_which_is_killed_and_started_again() {
    let house = House::new();
    let file = large(&house, 200);
    let House {
        folder,
        program,
        server,
    } = house;
    let address = server.address().to_owned();
    let put = program
        .command(["put", &file, "/large"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let house = House {
        folder,
        program,
        server,
    };
    under_way(&house);
    let House {
        folder,
        program,
        server,
    } = house;
    server.kill().unwrap();
    let server = program
        .serve(&folder.path().join("data"), &address, NO_ARGUMENTS)
        .unwrap();
    let ended = put.wait_with_output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    let back = text(&folder.path().join("back"));
    program.run(["get", "/large", &back]).unwrap();
    assert!(
        Command::new("cmp")
            .args([&file, &back])
            .status()
            .unwrap()
            .success()
    );
    server.stop().unwrap();
}

#[test]
fn a_transfer_is_paused_from_another_program_resumed_and_given_up() {
    let house = House::new();
    let file = large(&house, 400);
    let put = house
        .program
        .command(["put", &file, "/large"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let number = under_way(&house).to_string();
    house.run(&["transfers", "pause", &number]);
    let ended = put.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130), "{ended:?}");
    assert!(
        String::from_utf8(ended.stderr)
            .unwrap()
            .contains(&format!("wharf transfers resume {number}"))
    );
    assert_eq!(house.json(&["transfers"])[0]["state"], "paused");
    house.run(&["transfers", "resume", &number]);
    assert_eq!(house.json(&["transfers"])[0]["state"], "done");
    let over = house.end(&["transfers", "cancel", &number]);
    assert_eq!(over.code, 6, "{over:?}");
}

#[test]
fn an_interrupt_stops_a_transfer_so_that_it_can_go_on() {
    let house = House::new();
    let file = large(&house, 400);
    let put = house
        .program
        .command(["put", &file, "/large"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    under_way(&house);
    let status = Command::new("kill")
        .args(["-INT", &put.id().to_string()])
        .status()
        .unwrap();
    assert!(status.success());
    let ended = put.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130), "{ended:?}");
    assert_eq!(house.json(&["transfers"])[0]["state"], "waiting");
    house.run(&["transfers", "resume"]);
    assert_eq!(house.json(&["transfers"])[0]["state"], "done");
}

#[test]
fn places_mean_the_same_each_time() {
    let house = House::new();
    house.write("photos/a.jpg", "a");
    house.write("notes.txt", "n");
    let (photos, notes) = (text(&house.path("photos")), text(&house.path("notes.txt")));
    for _ in 0..2 {
        house.run(&["put", &photos, "/backup/2026"]);
        house.run(&["put", &photos, &notes, "/docs"]);
        house.run(&["put", &notes, "/docs/photos"]);
    }
    let paths: Vec<String> = house
        .json(&["ls", "-r"])
        .iter()
        .map(|entry| entry["path"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        paths,
        [
            "backup",
            "backup/2026",
            "backup/2026/a.jpg",
            "docs",
            "docs/notes.txt",
            "docs/photos",
            "docs/photos/a.jpg",
            "docs/photos/notes.txt",
        ]
    );
    let target = text(&house.path("got"));
    for _ in 0..2 {
        house.run(&["get", "/docs/photos", &target]);
        house.run(&[
            "get",
            "/docs/notes.txt",
            "/backup",
            &format!("{target}/both"),
        ]);
    }
    let listed = Command::new("find")
        .args([".", "-type", "f"])
        .current_dir(&target)
        .output()
        .unwrap();
    let mut listed: Vec<_> = std::str::from_utf8(&listed.stdout)
        .unwrap()
        .lines()
        .collect();
    listed.sort_unstable();
    assert_eq!(
        listed,
        [
            "./a.jpg",
            "./both/backup/2026/a.jpg",
            "./both/notes.txt",
            "./notes.txt"
        ]
    );
}

#[test]
fn a_wildcard_does_not_take_its_last_file_for_the_target() {
    let house = House::new();
    let files = ["a.jpg", "b.jpg"].map(|name| house.write(name, name));
    let mut command = house.program.command(["put", "a.jpg", "b.jpg"]);
    let ended = command.current_dir(house.folder.path()).output().unwrap();
    assert_eq!(ended.status.code(), Some(2), "{ended:?}");
    house.run(&["put", &files[0], &files[1], "/"]);
    assert_eq!(house.run(&["ls", "-1"]), "a.jpg\nb.jpg\n");
}

#[test]
fn a_server_that_is_asked_to_end_ends_well_while_a_put_waits_for_it() {
    let house = House::new();
    let file = large(&house, 200);
    let address = house.server.address().to_owned();
    let put = house
        .program
        .command(["put", &file, "/large"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    under_way(&house);
    let House {
        folder,
        program,
        server,
    } = house;
    server.stop().unwrap();
    let server = program
        .serve(&folder.path().join("data"), &address, NO_ARGUMENTS)
        .unwrap();
    assert!(put.wait_with_output().unwrap().status.success());
    drop(server);
    start(&program, &folder.path().join("data")).stop().unwrap();
}
