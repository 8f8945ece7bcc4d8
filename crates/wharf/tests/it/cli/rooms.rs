//! Rooms: making them, the ways in, roles, and the files of their drives.

use serde_json::{Value, json};

use super::house::{House, end, json as objects, text};

fn names(rooms: &[Value]) -> Vec<&str> {
    rooms
        .iter()
        .map(|room| room["name"].as_str().unwrap())
        .collect()
}

#[test]
fn a_group_is_made_entered_and_left() {
    let house = House::new();
    let grace = house.contact("grace");
    house.run(&[
        "room",
        "create",
        "Team",
        "--topic",
        "All of us",
        "--invite",
        "grace",
    ]);
    let invited = objects(&grace, &["inbox"]);
    assert_eq!(invited[0]["invitation"]["name"], "Team");
    grace.run(["room", "accept", "team"]).unwrap();
    assert_eq!(names(&objects(&grace, &["room"])), ["Team", "", ""]);
    let members = house.run(&["room", "members", "Team"]);
    assert!(
        members.contains("owner") && members.contains("grace"),
        "{members}"
    );

    let denied = end(&grace, &["room", "edit", "Team", "--name", "Mine"]);
    assert_eq!(denied.code, 5, "{denied:?}");
    house.run(&["room", "edit", "Team", "--name", "Crew", "--topic", ""]);
    house.run(&["room", "transfer", "Crew", "grace", "--yes"]);
    assert_eq!(
        objects(&grace, &["room", "show", "Crew"])[0]["role"],
        "owner"
    );
    house.run(&["room", "leave", "Crew", "--yes"]);
    assert_eq!(house.end(&["room", "show", "Crew"]).code, 4);
    assert_eq!(objects(&grace, &["room", "members", "Crew"]).len(), 1);
    assert_eq!(
        objects(&grace, &["room", "members", "Crew", "--all"]).len(),
        2
    );
}

#[test]
fn a_link_lets_people_in_until_it_is_ended() {
    let house = House::new();
    let ada = house.member("ada");
    let eve = house.member("eve");
    house.run(&["room", "create", "Team"]);
    let code = house.run(&[
        "room", "link", "create", "Team", "--role", "reader", "--uses", "5",
    ]);
    let code = code.trim();
    let seen = ada.run(["room", "look", code]).unwrap();
    assert!(seen.contains("Team") && seen.contains("reader"), "{seen}");
    ada.run(["room", "join", code]).unwrap();
    let links = house.json(&["room", "link", "list", "Team"]);
    assert_eq!(links[0]["uses_left"], 4);
    assert!(links[0].get("code").is_none());
    house.run(&[
        "room",
        "link",
        "revoke",
        "Team",
        links[0]["id"].as_str().unwrap(),
    ]);
    assert_eq!(end(&eve, &["room", "join", code]).code, 4);
    // A reader reads.
    let refused = end(&ada, &["mkdir", "room:Team/x"]);
    assert_eq!(refused.code, 5, "{refused:?}");
    house.run(&["room", "role", "Team", "editor", "ada"]);
    house.run(&["room", "remove", "Team", "ada", "--yes"]);
    assert_eq!(end(&ada, &["room", "show", "Team"]).code, 4);
}

#[test]
fn invitations_are_declined_and_withdrawn() {
    let house = House::new();
    let grace = house.contact("grace");
    let ada = house.contact("ada");
    house.run(&["room", "create", "Team"]);
    house.run(&["room", "invite", "Team", "grace", "ada", "--role", "reader"]);
    grace.run(["room", "decline", "Team"]).unwrap();
    house.run(&["room", "withdraw", "Team", "ada"]);
    assert!(objects(&grace, &["room", "invitations"]).is_empty());
    assert_eq!(end(&ada, &["room", "accept", "Team"]).code, 4);
}

#[test]
fn what_a_room_is_to_oneself_is_seen_by_nobody_else() {
    let house = House::new();
    house.run(&["room", "create", "Team"]);
    house.run(&[
        "room", "set", "Team", "--notify", "mentions", "--pin", "true", "--hide", "true",
    ]);
    let shown = house.json(&["room", "show", "Team"]);
    assert_eq!(shown[0]["preferences"]["notify"], "mentions");
    assert_eq!(names(&house.json(&["room"])), [""]);
    assert_eq!(names(&house.json(&["room", "list", "--all"])), ["Team", ""]);
    house.run(&["room", "archive", "Team"]);
    let archived = house.end(&["put", "-", "room:Team/x"]);
    assert_ne!(archived.code, 0, "{archived:?}");
    house.run(&["room", "unarchive", "Team"]);
}

#[test]
fn every_command_on_files_reaches_the_drives_of_rooms() {
    let house = House::new();
    let grace = house.contact("grace");
    house.run(&["room", "create", "Team", "--invite", "grace"]);
    grace.run(["room", "accept", "Team"]).unwrap();
    let plan = house.write("plan.txt", "one");
    house.run(&["put", &plan, "room:Team/docs/"]);
    house.run(&["mkdir", "room:Team/old", "room:team/new"]);
    assert_eq!(
        grace.run(["ls", "-1", "room:Team"]).unwrap(),
        "docs/\nnew/\nold/\n"
    );
    assert_eq!(
        grace.run(["cat", "room:Team/docs/plan.txt"]).unwrap(),
        "one"
    );
    let back = house.path("back");
    grace.run(["get", "room:Team/docs", &text(&back)]).unwrap();
    assert_eq!(
        std::fs::read_to_string(back.join("plan.txt")).unwrap(),
        "one"
    );
    grace
        .run(["mv", "room:Team/docs/plan.txt", "room:Team/new/Plan A.txt"])
        .unwrap();
    grace
        .run(["tag", "room:Team/new/Plan A.txt", "--add", "urgent"])
        .unwrap();
    assert_eq!(
        house
            .json(&["find", "--room", "Team", "--tag", "urgent"])
            .len(),
        1
    );
    assert!(house.json(&["find", "--tag", "urgent"]).is_empty());
    house.feed(&["put", "-", "room:Team/new/Plan A.txt"], b"two");
    assert_eq!(
        house.json(&["history", "room:Team/new/Plan A.txt"]).len(),
        2
    );
    let stat = house.run(&["stat", "room:Team/new/Plan A.txt"]);
    assert!(stat.contains("room:Team/new/Plan A.txt"), "{stat}");
    house.run(&["rm", "room:Team/new"]);
    assert!(house.json(&["trash"]).is_empty());
    assert_eq!(house.json(&["trash", "--room", "Team"]).len(), 1);
    house.run(&["restore", "room:Team/new"]);
    house.run(&["rm", "room:Team/old"]);
    house.run(&["trash", "--room", "Team", "empty", "--yes"]);
    house.run(&["retention", "--room", "Team", "--trash", "3"]);
    assert_eq!(
        house.json(&["retention", "--room", "Team"])[0]["trash_days"],
        3
    );
    assert_ne!(house.json(&["retention"])[0]["trash_days"], 3);
    // It counts on the owner's quota, whoever put it there.
    assert_eq!(house.json(&["df"])[0]["owner_used_bytes"], json!(6));
    assert_eq!(objects(&grace, &["df"])[0]["owner_used_bytes"], json!(0));
    // The room of two people has a drive as well.
    grace.run(["put", &plan, "room:@operator/"]).unwrap();
    assert_eq!(house.run(&["cat", "room:@grace/plan.txt"]), "one");
}

#[test]
fn a_file_of_a_room_is_saved_without_travelling() {
    let house = House::new();
    let grace = house.contact("grace");
    let large = house.write("large", vec![7; 3_000_000]);
    house.run(&["put", &large, "room:@grace/"]);
    grace
        .run(["room", "save", "room:@operator/large", "--to", "/saved"])
        .unwrap();
    grace
        .run([
            "room",
            "save",
            "room:@operator/large",
            "--to",
            "/saved",
            "--name",
            "second",
        ])
        .unwrap();
    assert_eq!(
        grace.run(["ls", "-1", "/saved"]).unwrap(),
        "large\nsecond\n"
    );
    let refused = end(&grace, &["room", "save", "/saved/large"]);
    assert_eq!(refused.code, 2, "{refused:?}");
}

#[test]
fn one_command_changes_one_drive() {
    let house = House::new();
    house.run(&["room", "create", "Team"]);
    house.run(&["mkdir", "room:Team/a"]);
    let refused = house.end(&["rm", "room:Team/a", "/b"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains("different drives"), "{refused:?}");
    // One's own room by its name is one's own drive.
    house.run(&["mkdir", "/b"]);
    house.run(&["mv", "room:me/b", "/c"]);
    assert_eq!(house.run(&["ls", "-1"]), "c/\n");
}

#[test]
fn a_stranger_learns_nothing_of_a_room() {
    let house = House::new();
    let eve = house.member("eve");
    let made = house.json(&["room", "create", "Team"]);
    let id = made[0]["id"].as_str().unwrap();
    for arguments in [&["room", "show", id][..], &["ls", &format!("room:{id}/")]] {
        let refused = end(&eve, arguments);
        assert_eq!(refused.code, 4, "{arguments:?}: {refused:?}");
        assert!(!refused.err.contains("Team"), "{refused:?}");
    }
}
