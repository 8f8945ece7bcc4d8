//! Backups, restores, verification and maintenance.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use wharf_testkit::postgres::PostgresServer;
use wharf_testkit::program::{OPERATOR, PASSWORD, Program};

use super::house::{House, WHARF, start, text};

/// Every segment below a folder, the largest first.
fn segments(blob: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for group in fs::read_dir(blob.join("segment")).unwrap() {
        for segment in fs::read_dir(group.unwrap().path()).unwrap() {
            found.push(segment.unwrap().path());
        }
    }
    found.sort_by_key(|path| std::cmp::Reverse(fs::metadata(path).unwrap().len()));
    found
}

/// Flips a bit in the middle of a file.
fn damage(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn fill(house: &House, name: &str) -> PathBuf {
    let folder = house.path(name);
    fs::create_dir_all(folder.join("deep")).unwrap();
    // Not compressible, and different in each place.
    let mut word = blake3::hash(name.as_bytes());
    let mut bytes = Vec::new();
    for _ in 0..60_000 {
        word = blake3::hash(word.as_bytes());
        bytes.extend_from_slice(word.as_bytes());
    }
    fs::write(folder.join("large"), &bytes).unwrap();
    fs::write(folder.join("deep/small"), name).unwrap();
    folder
}

#[test]
fn a_backup_of_a_running_server_brings_everything_back_under_a_new_epoch() {
    let house = House::new();
    let data = text(&house.data());
    let first = fill(&house, "first");
    house.run(&["put", &text(&first)]);
    let backup = text(&house.path("backup"));
    let taken = house.json(&["backup", &backup, "--data", &data]);
    let copied = taken[0]["segments_copied"].as_u64().unwrap();
    assert!(copied > 0, "{taken:?}");

    // A later one into the same folder copies only what is new.
    let second = fill(&house, "second");
    house.run(&["put", &text(&second)]);
    let again = house.json(&["backup", &backup, "--data", &data]);
    let segments = again[0]["segments"].as_u64().unwrap();
    let new = again[0]["segments_copied"].as_u64().unwrap();
    assert!(new > 0 && new + copied == segments, "{again:?}");
    let whole = house.json(&["verify", "--backup", &backup]);
    assert_eq!(whole.last().unwrap()["verdict"]["damage"], 0, "{whole:?}");

    // What came after the backup is not in it.
    house.run(&["rm", "--purge", "--yes", "/first"]);
    let restored = text(&house.path("restored"));
    house.run(&["restore-backup", &backup, "--data", &restored]);
    let server = start(&house.program, &house.path("restored"));
    let client = house.device("client").with("WHARF_PASSWORD", PASSWORD);
    client
        .run(["login", server.url(), "-u", "operator"])
        .unwrap();
    for (name, source) in [("first", &first), ("second", &second)] {
        let back = text(&house.path(&format!("back-{name}")));
        client.run(["get", &format!("/{name}"), &back]).unwrap();
        assert!(
            Command::new("diff")
                .args(["-r", &text(source), &back])
                .status()
                .unwrap()
                .success()
        );
    }
    let epochs = [house.server.url(), server.url()].map(|url| {
        let answer = Command::new("curl")
            .args(["-sf", &format!("{url}/api/v1/server")])
            .output()
            .unwrap();
        let info: serde_json::Value = serde_json::from_slice(&answer.stdout).unwrap();
        info["epoch"].as_str().unwrap().to_owned()
    });
    assert_ne!(epochs[0], epochs[1]);

    let occupied = house.end(&["restore-backup", &backup, "--data", &data]);
    assert_eq!(occupied.code, 6, "{occupied:?}");
}

#[test]
fn a_backup_goes_neither_into_the_data_nor_over_other_things() {
    let house = House::new();
    let data = text(&house.data());
    let inside = house.end(&["backup", &text(&house.path("data/backup")), "--data", &data]);
    assert_eq!(inside.code, 2, "{inside:?}");
    house.write("letters/a.txt", "keep me");
    let over = house.end(&["backup", &text(&house.path("letters")), "--data", &data]);
    assert_eq!(over.code, 2, "{over:?}");
    let no_backup = house.end(&[
        "restore-backup",
        &text(&house.path("letters")),
        "--data",
        &text(&house.path("x")),
    ]);
    assert_eq!(no_backup.code, 4, "{no_backup:?}");
}

#[test]
fn a_flipped_bit_is_found_told_and_never_restored() {
    let house = House::new();
    let data = text(&house.data());
    house.run(&["put", &text(&fill(&house, "first"))]);
    let backup = text(&house.path("backup"));
    house.run(&["backup", &backup, "--data", &data]);
    let whole = house.end(&["verify", "--data", &data]);
    assert_eq!(whole.code, 0, "{whole:?}");
    assert!(whole.out.contains("Everything is whole."), "{whole:?}");

    damage(&segments(&house.path("data/blob"))[0]);
    let before = fs::read(&segments(&house.path("data/blob"))[0]).unwrap();
    let verified = house.end(&["verify", "--data", &data]);
    assert_eq!(verified.code, 10, "{verified:?}");
    assert!(
        verified.out.contains("the stored chunk is damaged"),
        "{verified:?}"
    );
    let named = verified
        .out
        .contains("file /first/large of operator, revision ");
    assert!(named && verified.out.contains("(current)"), "{verified:?}");
    assert_eq!(
        fs::read(&segments(&house.path("data/blob"))[0]).unwrap(),
        before,
        "verify never writes"
    );
    let second = text(&house.path("second-backup"));
    let taken = house.end(&["backup", &second, "--data", &data]);
    assert_eq!(taken.code, 10, "{taken:?}");

    damage(&segments(&house.path("backup/blob"))[0]);
    let refused = house.end(&[
        "restore-backup",
        &backup,
        "--data",
        &text(&house.path("restored")),
    ]);
    assert_eq!(refused.code, 10, "{refused:?}");
    assert!(
        refused.err.contains("in the backup is damaged"),
        "{refused:?}"
    );
    // Half a restore is no data folder.
    let half = house.end(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data",
        &text(&house.path("restored")),
    ]);
    assert_eq!(half.code, 6, "{half:?}");
    assert!(half.err.contains("was not finished"), "{half:?}");
}

#[test]
fn maintenance_shows_its_plan_and_needs_the_data_for_itself() {
    let house = House::new();
    let data = text(&house.data());
    house.run(&["put", &text(&fill(&house, "first"))]);
    let busy = house.end(&["admin", "recount", "--data", &data]);
    assert_eq!(busy.code, 6, "{busy:?}");
    house.server.stop().unwrap();
    let run = |arguments: &[&str]| house.program.run(arguments).unwrap();
    for command in ["recount", "rebuild-index", "compact"] {
        let shown = run(&["admin", command, "--dry-run", "--data", &data, "--json"]);
        let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(
            (&shown["planned"], &shown["done"]),
            (&0.into(), &0.into()),
            "{command}: {shown}"
        );
        run(&["admin", command, "--data", &data]);
    }
}

#[test]
fn the_index_is_rebuilt_from_the_segments_alone() {
    let house = House::new();
    let data = text(&house.data());
    house.run(&["put", &text(&fill(&house, "first"))]);
    house.server.stop().unwrap();
    fs::remove_file(house.folder.path().join("data/wharf.db")).unwrap();
    // A database that was made anew beside the old segments.
    start(&house.program, &house.folder.path().join("data"))
        .stop()
        .unwrap();
    let rebuilt = house
        .program
        .run(["admin", "rebuild-index", "--data", &data, "--json"])
        .unwrap();
    let rebuilt: serde_json::Value = serde_json::from_str(&rebuilt).unwrap();
    assert!(rebuilt["done"].as_u64().unwrap() > 1, "{rebuilt}");
    let verified = house.program.output(["verify", "--data", &data]).unwrap();
    assert_eq!(verified.status.code(), Some(0), "{verified:?}");
}

#[test]
fn what_is_damaged_is_made_whole_by_putting_its_original_again() {
    let house = House::new();
    let source = text(&fill(&house, "first"));
    house.run(&["put", &source]);
    damage(&segments(&house.path("data/blob"))[0]);
    let got = house.end(&["get", "/first", &text(&house.path("back"))]);
    assert_eq!(got.code, 10, "{got:?}");
    let put = house.json(&["put", "--checksum", &source]);
    assert!(
        put[0]["report"]["bytes_wire"].as_u64().unwrap() > 0,
        "{put:?}"
    );
    house.run(&["get", "/first", &text(&house.path("back"))]);
    let verified = house.end(&["verify", "--data", &text(&house.data())]);
    assert_eq!(verified.code, 0, "{verified:?}");
}

#[test]
fn a_backup_carries_the_rows_from_one_engine_to_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let program = Program::new(WHARF, folder.path().join("home"));
    let postgres = PostgresServer::shared().unwrap();
    let url = |name: &str| {
        let name = format!("cli_{name}_{}", std::process::id());
        (postgres.create_database(&name).unwrap(), name)
    };
    let ((first, first_name), (second, second_name)) = (url("first"), url("second"));
    let path = |name: &str| folder.path().join(name);
    let server = program
        .serve(&path("data"), "127.0.0.1:0", ["--database", &first])
        .unwrap();
    program.make_operator(&server).unwrap();
    fs::write(path("a.txt"), "kept").unwrap();
    program.run(["put", &text(&path("a.txt"))]).unwrap();
    let data = text(&path("data"));
    program
        .run(["verify", "--data", &data, "--database", &first])
        .unwrap();
    program
        .run([
            "backup",
            &text(&path("one")),
            "--data",
            &data,
            "--database",
            &first,
        ])
        .unwrap();
    server.stop().unwrap();

    let sqlite = text(&path("sqlite"));
    program
        .run(["restore-backup", &text(&path("one")), "--data", &sqlite])
        .unwrap();
    program
        .run(["backup", &text(&path("two")), "--data", &sqlite])
        .unwrap();
    let restored = text(&path("postgres"));
    let back = [
        "restore-backup",
        &text(&path("two")),
        "--data",
        &restored,
        "--database",
        &second,
    ];
    program.run(back).unwrap();
    for (data, engine) in [(path("sqlite"), "sqlite"), (path("postgres"), &second)] {
        let server = program
            .serve(&data, "127.0.0.1:0", ["--database", engine])
            .unwrap();
        let client = Program::new(WHARF, path("client")).with("WHARF_PASSWORD", PASSWORD);
        client.run(["login", server.url(), "-u", OPERATOR]).unwrap();
        assert_eq!(client.run(["cat", "/a.txt"]).unwrap(), "kept");
        server.stop().unwrap();
    }
    for name in [first_name, second_name] {
        postgres.drop_database(&name).unwrap();
    }
}
