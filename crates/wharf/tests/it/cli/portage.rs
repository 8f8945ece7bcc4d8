//! Export and import: everything one owns goes round.

use std::path::{Path, PathBuf};

use super::house::{House, end, json as objects, text};

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

#[test]
fn what_is_exported_is_imported_into_another_server() {
    let house = House::new();
    let grace = house.contact("grace");
    house.run(&["room", "create", "Team", "--invite", "grace"]);
    grace.run(["room", "accept", "Team"]).unwrap();
    let position = house.json(&["say", "Team", "Lunch at noon?"])[0]["position"].to_string();
    grace.run(["say", "Team", "Yes"]).unwrap();
    house.run(&["entry", "edit", "Team", &position, "Lunch at one?"]);
    house.run(&["diary", "Rain all day. #garden"]);
    let large = house.write(
        "large.bin",
        (0..3_000_000_u32)
            .map(|byte| byte.to_le_bytes()[1])
            .collect::<Vec<_>>(),
    );
    house.run(&["put", &large, "room:Team/files/"]);
    house.feed(&["put", "-", "/notes.txt"], b"one");
    house.feed(&["put", "-", "/notes.txt"], b"two");
    let archive = house.path("archive");
    let told = house.json(&["export", &text(&archive)]);
    assert_eq!(told[0]["contents"], 3, "{told:?}");
    let again = house.end(&["export", &text(&archive)]);
    assert_eq!(again.code, 6, "{again:?}");

    let other = House::new();
    let imported = other.json(&["import", &text(&archive)]);
    assert_eq!(imported[0]["was_done"], false);
    let said = other.run(&["tail", "Team"]);
    assert!(
        said.contains("Lunch at one? (edited)") && said.contains("grace: Yes"),
        "{said}"
    );
    assert!(other.run(&["diary", "-n", "5"]).contains("Rain all day"));
    let back = other.path("back");
    other.run(&["get", "room:Team/files/large.bin", &text(&back)]);
    assert_eq!(std::fs::read(back).unwrap(), std::fs::read(large).unwrap());
    assert_eq!(other.run(&["cat", "/notes.txt"]), "two");
    assert_eq!(other.json(&["history", "/notes.txt"]).len(), 2);
    // Once more changes nothing.
    let rooms = other.json(&["room"]).len();
    assert_eq!(
        other.json(&["import", &text(&archive)])[0]["was_done"],
        true
    );
    assert_eq!(other.json(&["room"]).len(), rooms);
    other.run(&["verify", "--data", &text(&other.data())]);
}

#[test]
fn an_archive_that_is_damaged_or_none_is_refused() {
    let house = House::new();
    house.feed(&["put", "-", "/notes.txt"], b"one");
    let archive = house.path("archive");
    house.run(&["export", &text(&archive)]);
    let other = House::new();
    let chunks = files(&archive.join("chunks"));
    let mut bytes = std::fs::read(&chunks[0]).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&chunks[0], &bytes).unwrap();
    let damaged = other.end(&["import", &text(&archive)]);
    assert_eq!(damaged.code, 10, "{damaged:?}");
    assert!(other.json(&["ls"]).is_empty());
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&chunks[0], &bytes).unwrap();
    let records = files(&archive.join("records"));
    let text_of = std::fs::read_to_string(&records[0]).unwrap();
    std::fs::write(&records[0], text_of.replace("notes.txt", "other.txt")).unwrap();
    let damaged = other.end(&["import", &text(&archive)]);
    assert_eq!(damaged.code, 10, "{damaged:?}");
    std::fs::write(&records[0], text_of).unwrap();
    other.run(&["import", &text(&archive)]);
    assert_eq!(other.run(&["cat", "/notes.txt"]), "one");
    let none = other.end(&["import", &text(&house.path("nothing"))]);
    assert_eq!(none.code, 4, "{none:?}");
    house.write("full/x", "x");
    let full = house.end(&["export", &text(&house.path("full"))]);
    assert_eq!(full.code, 6, "{full:?}");
}

#[test]
fn nobody_else_s_things_are_in_an_archive() {
    let house = House::new();
    let grace = house.contact("grace");
    house.run(&["room", "create", "Team", "--invite", "grace"]);
    grace.run(["room", "accept", "Team"]).unwrap();
    house.run(&["say", "Team", "of the operator's room"]);
    grace.run(["diary", "of the operator nothing"]).unwrap();
    let archive = house.path("archive");
    grace.run(["export", &text(&archive)]).unwrap();
    for page in files(&archive.join("records")) {
        let records = std::fs::read_to_string(page).unwrap();
        assert!(!records.contains("of the operator's room"));
    }
    assert!(objects(&grace, &["room"]).len() > 1);
    assert_eq!(end(&grace, &["import", &text(&house.path("none"))]).code, 4);
}
