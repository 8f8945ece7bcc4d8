//! The journal: line by line, and by day, tag and origin.

use std::net::UdpSocket;
use std::time::Duration;

use super::house::{House, feed, text};

#[test]
fn lines_are_entries_and_the_words_of_the_menu_are_commands() {
    let house = House::new();
    house.run(&["devices", "name", "desk"]);
    house.run(&["diary", "Rain all day. #garden"]);
    let lines = "?\nSun. #Sea\n first\\\nand second line\n from here\nfrom nowhere\nfrom desk\nr\nq\nnever read\n";
    let ended = house.feed(&["diary", "-i"], lines.as_bytes());
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.out.contains("Rain all day"), "{ended:?}");
    assert!(ended.out.contains("show what is new"), "{ended:?}");
    assert!(
        ended.err.contains("No entry came from nowhere"),
        "{ended:?}"
    );
    let entries = house.json(&["diary", "-n", "10"]);
    let texts: Vec<_> = entries
        .iter()
        .map(|entry| entry["body"]["text"].as_str().unwrap())
        .collect();
    assert_eq!(
        texts,
        [
            "Rain all day. #garden",
            "Sun. #Sea",
            "first\nand second line",
            "from here"
        ]
    );
}

#[test]
fn another_device_s_entries_are_new_until_they_are_shown() {
    let house = House::new();
    let other = house
        .device("other")
        .with("WHARF_PASSWORD", wharf_testkit::program::PASSWORD);
    other
        .run([
            "login",
            house.server.url(),
            "--username",
            "operator",
            "--device",
            "phone",
        ])
        .unwrap();
    house.run(&["diary", "at the desk"]);
    other.run(["diary", "on the way"]).unwrap();
    let by_device = house.json(&["diary", "--from", "phone"]);
    assert_eq!(by_device.len(), 1);
    assert_eq!(by_device[0]["body"]["text"], "on the way");
    let ended = feed(&other, &["diary", "-i"], b"from phone\nq\n");
    let shown = ended.out.matches("at the desk").count();
    // Shown with everything at first, and left out by the filter.
    assert_eq!(shown, 1, "{ended:?}");
    assert_eq!(ended.out.matches("on the way").count(), 2, "{ended:?}");
}

#[test]
fn a_journal_is_read_by_day_tag_and_origin_and_written_out() {
    let house = House::new();
    house.run(&["diary", "Rain all day. #garden"]);
    house.run(&["diary", "Ferry to the island. #Sea #garden"]);
    let tags = house.json(&["diary", "--tags"]);
    assert_eq!(
        (&tags[0]["tag"], &tags[0]["count"]),
        (&"garden".into(), &2.into())
    );
    assert_eq!(house.json(&["diary", "--tag", "#sea"]).len(), 1);
    let days = house.json(&["diary", "--days"]);
    let day = days[0]["day"].as_str().unwrap();
    assert_eq!(house.json(&["diary", "--day", day]).len(), 2);
    assert_eq!(house.json(&["diary", "--on-this-day"]).len(), 2);
    assert_eq!(house.json(&["diary", "--on-this-day", "02-29"]).len(), 0);
    assert_eq!(house.json(&["diary", "--until", "2000-01-01"]).len(), 0);
    assert_eq!(house.json(&["diary", "--origins"])[0]["door"], "http");
    house.run(&["diary", "--edit", "1", "Rain all morning. #garden"]);
    let out = house.path("journal.md");
    house.run(&["diary", "--export", "markdown", "--out", &text(&out)]);
    let document = std::fs::read_to_string(out).unwrap();
    assert!(
        document.contains(day) && document.contains("Rain all morning"),
        "{document}"
    );
    assert!(!document.contains("all day"), "{document}");
    let lines = house.run(&["diary", "--export", "jsonl", "--tag", "sea"]);
    assert_eq!(super::house::objects(&lines).len(), 1);
    let refused = house.end(&["diary", "--days", "Some text"]);
    assert_eq!(refused.code, 2, "{refused:?}");
}

#[test]
fn what_a_key_wrote_is_read_and_taken_back() {
    let house = House::with(&["--gateway", "diary=127.0.0.1:0"]);
    house.run(&["diary", "at the desk"]);
    let made = house.json(&["diary", "udp", "add", "--for", "nc", "--name", "van"]);
    let token = made[0]["key"]["secret"].as_str().unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    for line in ["mine", "not mine", "nor this"] {
        let port = house.server.gateway("diary").unwrap();
        let line = format!("{token} {line}\n");
        socket.send_to(line.as_bytes(), port).unwrap();
        let mut answer = [0; 100];
        let bytes = socket.recv(&mut answer).unwrap();
        assert!(answer[..bytes].starts_with(b"OK "), "{answer:?}");
    }
    let by_key = || house.json(&["diary", "--key", "van"]);
    assert_eq!(by_key().len(), 3);
    house.run(&["diary", "udp", "remove", "van"]);
    assert_eq!(by_key().len(), 3, "the key is gone, its entries are not");
    let asked = house.end(&["diary", "udp", "undo", "van"]);
    assert_eq!(asked.code, 2, "there is nobody to say yes: {asked:?}");
    assert_eq!(by_key().len(), 3);
    let none = [
        "diary",
        "udp",
        "undo",
        "van",
        "--yes",
        "--until",
        "2000-01-01",
    ];
    house.run(&none);
    assert_eq!(by_key().len(), 3);
    let undone = house.json(&["diary", "udp", "undo", "van", "--yes"]);
    assert_eq!(undone[0]["recalled"], serde_json::json!([2, 3, 4]));
    assert!(by_key().is_empty());
    assert_eq!(
        house.json(&["diary", "-n", "9"]).len(),
        1,
        "the others stay"
    );
    assert_eq!(house.end(&["diary", "--key", "nobody's"]).code, 4);
}
