//! Commands on files and folders.

use serde_json::{Value, json};

use super::house::{House, shape};

fn names(house: &House, path: &str) -> Vec<String> {
    house
        .run(&["ls", "-1", path])
        .lines()
        .map(str::to_owned)
        .collect()
}

#[test]
fn files_are_made_moved_removed_and_restored() {
    let house = House::new();
    assert_eq!(house.feed(&["put", "-", "/docs/plan.txt"], b"one").code, 0);
    house.run(&["mkdir", "/docs/old", "archive"]);
    house.run(&["mv", "docs/plan.txt", "/docs/old"]);
    assert_eq!(names(&house, "/docs/old"), ["plan.txt"]);
    house.run(&["mv", "/docs/old/plan.txt", "/docs/Plan A.txt"]);
    assert_eq!(house.run(&["cat", "docs/Plan A.txt"]), "one");
    assert_eq!(
        house.run(&["cat", "docs/Plan A.txt", "--range", "1-"]),
        "ne"
    );
    house.run(&["rm", "/docs"]);
    assert_eq!(names(&house, "/"), ["archive/"]);
    let trash = house.run(&["trash"]);
    assert!(trash.contains("/docs/"), "{trash}");
    house.run(&["restore", "/docs", "--to", "/archive/"]);
    assert_eq!(names(&house, "/archive/docs"), ["old/", "Plan A.txt"]);
    house.run(&["rm", "/archive/docs/old"]);
    house.run(&["trash", "purge", "/archive/docs/old", "--yes"]);
    assert_eq!(house.end(&["restore", "/archive/docs/old"]).code, 4);
    house.run(&["rm", "--purge", "--yes", "/archive"]);
    assert!(house.json(&["trash"]).is_empty());
    assert_eq!(house.run(&["ls"]), "");
}

#[test]
fn nothing_is_deleted_for_ever_without_consent() {
    let house = House::new();
    house.run(&["mkdir", "/a"]);
    house.run(&["rm", "/a"]);
    let refused = house.end(&["trash", "empty"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains("--yes"), "{refused:?}");
    assert_eq!(house.json(&["trash"]).len(), 1);
}

#[test]
fn revisions_are_listed_read_and_restored() {
    let house = House::new();
    for content in ["one", "two", "three"] {
        assert_eq!(
            house.feed(&["put", "-", "/a.txt"], content.as_bytes()).code,
            0
        );
    }
    let revisions = house.json(&["history", "/a.txt"]);
    assert_eq!(revisions.len(), 3);
    let first = revisions[2]["revision"].to_string();
    assert_eq!(house.run(&["history", "/a.txt", "--read", &first]), "one");
    house.run(&["history", "/a.txt", "--restore", &first]);
    assert_eq!(house.run(&["cat", "/a.txt"]), "one");
    let to = house.path("second.txt");
    let second = revisions[1]["revision"].to_string();
    house.run(&["get", "/a.txt", "--revision", &second, to.to_str().unwrap()]);
    assert_eq!(std::fs::read_to_string(to).unwrap(), "two");
    let missing = house.end(&["history", "/a.txt", "--read", "999"]);
    assert_eq!(missing.code, 4, "{missing:?}");
    assert!(
        missing.err.contains("/a.txt has no revision 999"),
        "{missing:?}"
    );
}

#[test]
fn tags_and_names_find_files() {
    let house = House::new();
    house.run(&["mkdir", "/Letters/2025"]);
    assert_eq!(
        house
            .feed(&["put", "-", "/Letters/2025/Bank.txt"], b"x")
            .code,
        0
    );
    house.run(&[
        "tag",
        "/Letters/2025/Bank.txt",
        "--add",
        "money",
        "--add",
        "urgent",
    ]);
    let tagged = house.run(&["tag", "/Letters/2025/Bank.txt", "--remove", "urgent"]);
    assert_eq!(tagged, "/Letters/2025/Bank.txt: money\n");
    assert_eq!(
        house.json(&["find", "bank"])[0]["path"],
        "Letters/2025/Bank.txt"
    );
    assert_eq!(house.json(&["find", "--tag", "money"]).len(), 1);
    assert_eq!(house.json(&["find", "--tag", "urgent"]).len(), 0);
}

#[test]
fn names_that_differ_in_letter_case_are_kept_apart_and_told() {
    let house = House::new();
    house.run(&["mkdir", "/Photos"]);
    let second = house.end(&["mkdir", "/photos"]);
    assert_eq!(second.code, 0);
    assert!(
        second
            .err
            .contains("differs only in letter case from: Photos"),
        "{second:?}"
    );
    assert_eq!(names(&house, "/"), ["Photos/", "photos/"]);
}

#[test]
fn a_listing_larger_than_a_page_is_whole() {
    let house = House::new();
    let folder = house.path("many");
    std::fs::create_dir(&folder).unwrap();
    for index in 0..1_100 {
        std::fs::write(folder.join(format!("{index:04}")), index.to_string()).unwrap();
    }
    house.run(&["put", folder.to_str().unwrap(), "/many"]);
    let listed = names(&house, "/many");
    assert_eq!(listed.len(), 1_100);
    assert!(listed.is_sorted());
    assert_eq!(house.json(&["ls", "-r", "/many"]).len(), 1_100);
}

#[test]
fn what_scripts_read_keeps_its_shape() {
    let house = House::new();
    let file = house.write("a.txt", "one");
    let mut shapes = serde_json::Map::new();
    let mut note = |name: &str, values: Vec<Value>| {
        shapes.insert(name.to_owned(), shape(values.last().unwrap()));
    };
    note("put", house.json(&["put", &file]));
    note("tag", house.json(&["tag", "/a.txt", "--add", "t"]));
    note("whoami", house.json(&["whoami"]));
    note("ls", house.json(&["ls"]));
    note("ls --recursive", house.json(&["ls", "-r"]));
    note("stat", house.json(&["stat", "/a.txt"]));
    note("history", house.json(&["history", "/a.txt"]));
    note("find", house.json(&["find", "a"]));
    note("df", house.json(&["df"]));
    note("retention", house.json(&["retention"]));
    note("devices", house.json(&["devices"]));
    note("transfers", house.json(&["transfers"]));
    note("mkdir", house.json(&["mkdir", "/b"]));
    note("rm", house.json(&["rm", "/b"]));
    note("trash", house.json(&["trash"]));
    note("restore", house.json(&["restore", "/b"]));
    note(
        "admin user add",
        house.json(&["admin", "user", "add", "grace"]),
    );
    note("admin user list", house.json(&["admin", "user", "list"]));
    note(
        "admin invite create",
        house.json(&["admin", "invite", "create"]),
    );
    note("admin job list", house.json(&["admin", "job", "list"]));
    house.contact("linus");
    note("contacts", house.json(&["contacts"]));
    note("room create", house.json(&["room", "create", "Team"]));
    note("say", house.json(&["say", "Team", "Hello"]));
    note("send", house.json(&["send", "Team", &file]));
    note(
        "tail",
        house.json(&["tail", "Team", "--after", "1", "-n", "1"]),
    );
    note("files", house.json(&["files", "Team"]));
    note("entry show", house.json(&["entry", "show", "Team", "2"]));
    note("room members", house.json(&["room", "members", "Team"]));
    note("diary", house.json(&["diary", "Rain. #garden"]));
    note("diary --tags", house.json(&["diary", "--tags"]));
    note("diary --origins", house.json(&["diary", "--origins"]));
    note("diary --days", house.json(&["diary", "--days"]));
    note("config show", house.json(&["config", "show"]));
    note(
        "verify",
        house.json(&["verify", "--data", house.data().to_str().unwrap()]),
    );
    let missing = house.end(&["ls", "/nope", "--json"]);
    note(
        "an error",
        vec![serde_json::from_str(&missing.err).unwrap()],
    );
    insta::assert_json_snapshot!(Value::Object(shapes));
}

#[test]
fn retention_is_shown_and_set() {
    let house = House::new();
    house.run(&["retention", "--revisions", "0", "--trash", "7"]);
    let shown = house.json(&["retention"]);
    assert_eq!(shown, [json!({ "revision_days": 0, "trash_days": 7 })]);
    assert_eq!(
        house.run(&["retention"]),
        "Replaced revisions are kept for ever; removed files stay in the trash for 7 days.\n"
    );
}
