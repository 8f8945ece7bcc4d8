//! Contacts: asking, accepting, groups, names of one's own, blocks.

use super::house::{House, end, json};

#[test]
fn two_people_become_contacts_and_stop_being_it() {
    let house = House::new();
    let grace = house.member("grace");
    assert_eq!(
        house.json(&["contacts", "find", "grace"])[0]["username"],
        "grace"
    );
    // Exactly, or not at all.
    assert_eq!(house.end(&["contacts", "find", "grac"]).code, 4);
    house.run(&["contacts", "ask", "grace", "--word", "We met in Bath"]);
    let asked = json(&grace, &["contacts"]);
    assert_eq!(
        (&asked[0]["state"], &asked[0]["word"]),
        (&"asking".into(), &"We met in Bath".into())
    );
    // There is no room of the two before the answer.
    let early = house.end(&["room", "show", "@grace"]);
    assert_eq!(early.code, 4, "{early:?}");
    assert!(early.err.contains("has not accepted yet"), "{early:?}");
    grace.run(["contacts", "accept", "@operator"]).unwrap();
    let again = end(&grace, &["contacts", "accept", "operator"]);
    assert_eq!(again.code, 6, "{again:?}");
    assert_eq!(house.json(&["room", "show", "@grace"])[0]["kind"], "direct");
    house.run(&["contacts", "remove", "grace", "--yes"]);
    assert!(house.json(&["contacts"]).is_empty());
    // What was said stays readable, and nothing can be said any more.
    assert_eq!(
        house.json(&["room", "show", "@grace"])[0]["can_write"],
        false
    );
}

#[test]
fn who_is_there_is_shown() {
    let house = House::new();
    let grace = house.contact("grace");
    house.contact("ada");
    let mut following = grace.command(["tail", "me", "--follow"]);
    let following = following
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    let mut following = following.spawn().unwrap();
    let mut shown = String::new();
    // It takes a moment until she is connected.
    for _ in 0..10 {
        shown = house.run(&["contacts", "online"]);
        if shown.contains("online") {
            break;
        }
    }
    following.kill().unwrap();
    following.wait().unwrap();
    let lines: Vec<_> = shown.lines().collect();
    assert!(
        lines[1].starts_with("online") && lines[1].contains("grace"),
        "{shown}"
    );
    assert!(
        lines[2].starts_with("offline") && lines[2].contains("ada"),
        "{shown}"
    );
}

#[test]
fn a_request_can_be_declined() {
    let house = House::new();
    let grace = house.member("grace");
    house.run(&["contacts", "ask", "grace"]);
    grace.run(["contacts", "decline", "operator"]).unwrap();
    assert!(json(&grace, &["contacts"]).is_empty());
    // Who asked is not told.
    assert_eq!(house.json(&["contacts"])[0]["state"], "asked");
}

#[test]
fn contacts_have_groups_and_names_of_one_s_own() {
    let house = House::new();
    house.contact("grace");
    house.contact("ada");
    house.run(&["contacts", "group", "add", "family", "--order", "1"]);
    house.run(&["contacts", "group", "add", "work"]);
    house.run(&["contacts", "group", "put", "Family", "grace", "ada"]);
    house.run(&["contacts", "group", "put", "work", "ada"]);
    house.run(&["contacts", "name", "grace", "Amazing Grace"]);
    let listed = house.run(&["contacts"]);
    assert!(listed.contains("Amazing Grace  grace"), "{listed}");
    let groups = house.run(&["contacts", "group", "list"]);
    assert!(groups.contains("1         1  family"), "{groups}");
    house.run(&["contacts", "group", "take", "amazing grace"]);
    assert_eq!(house.json(&["contacts", "find", "grace"]).len(), 1);
    let grace = house
        .json(&["contacts"])
        .into_iter()
        .find(|contact| contact["person"]["username"] == "grace");
    assert!(grace.unwrap().get("group").is_none());
    house.run(&["contacts", "group", "edit", "work", "--name", "Office"]);
    house.run(&["contacts", "group", "remove", "office"]);
    assert_eq!(house.json(&["contacts", "group", "list"]).len(), 1);
    assert_eq!(house.json(&["contacts"]).len(), 2);
    let missing = house.end(&["contacts", "group", "put", "office", "ada"]);
    assert_eq!(missing.code, 4, "{missing:?}");
}

#[test]
fn who_is_blocked_can_neither_ask_nor_be_asked_for_an_answer() {
    let house = House::new();
    let eve = house.member("eve");
    house.run(&["contacts", "block", "eve"]);
    eve.run(["contacts", "ask", "operator"]).unwrap();
    assert!(house.json(&["inbox"]).is_empty());
    assert!(house.run(&["contacts"]).contains("blocked"));
    house.run(&["contacts", "unblock", "eve"]);
}

#[test]
fn a_profile_is_shown_and_changed() {
    let house = House::new();
    house.run(&[
        "profile",
        "--nickname",
        "The Operator",
        "--status",
        "At sea",
    ]);
    let shown = house.run(&["profile"]);
    assert!(
        shown.contains("The Operator") && shown.contains("At sea"),
        "{shown}"
    );
    let grace = house.contact("grace");
    assert!(grace.run(["contacts"]).unwrap().contains("The Operator"));
    house.run(&["profile", "--status", ""]);
    assert!(!house.run(&["profile"]).contains("status"));
}
