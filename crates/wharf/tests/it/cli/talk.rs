//! What is said: sent once, read in order, offline too.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use wharf_testkit::program::{OPERATOR, PASSWORD, Program};

use super::house::{House, NO_ARGUMENTS, end, feed, json as objects, text};

/// A house with the group Team, of the operator and Grace.
fn team() -> (House, Program) {
    let house = House::new();
    let grace = house.contact("grace");
    house.run(&["room", "create", "Team", "--invite", "grace"]);
    grace.run(["room", "accept", "Team"]).unwrap();
    (house, grace)
}

/// The texts of entries, in order.
fn texts(entries: &[Value]) -> Vec<&str> {
    let texts = entries.iter().map(|entry| entry["body"]["text"].as_str());
    texts.flatten().collect()
}

/// A command that goes on until it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already, and then there is nothing to do.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn what_is_said_is_read_by_others_in_order() {
    let (house, grace) = team();
    let said = house.json(&["say", "Team", "Lunch", "at *noon*?"]);
    assert_eq!(said[0]["state"], "sent");
    let position = said[0]["position"].to_string();
    let piped = feed(
        &grace,
        &["say", "Team", "--reply", &position, "-"],
        b"Yes, @operator!\nAnd you?\n",
    );
    assert_eq!(piped.code, 0, "{piped:?}");
    let read = objects(&grace, &["tail", "Team"]);
    assert_eq!(
        texts(&read),
        ["Lunch at *noon*?", "Yes, @operator!\nAnd you?"]
    );
    assert_eq!(
        read.last().unwrap()["body"]["reply_to"],
        said[0]["position"]
    );
    let inbox = house.json(&["inbox"]);
    assert_eq!(
        (&inbox[0]["room"]["unread"], &inbox[0]["room"]["mentions"]),
        (&1.into(), &1.into())
    );
    let unread = house.run(&["tail", "Team", "--unread", "--read"]);
    assert!(
        unread.contains("grace: ") && !unread.contains("Lunch"),
        "{unread}"
    );
    assert!(house.json(&["inbox"]).is_empty());
}

#[test]
fn a_log_is_read_from_any_place() {
    let (house, _) = team();
    for index in 1..=30 {
        house.run(&["say", "-q", "Team", &index.to_string()]);
    }
    let last = house.json(&["tail", "Team", "-n", "3"]);
    assert_eq!(texts(&last), ["28", "29", "30"]);
    let before = last[0]["position"].to_string();
    assert_eq!(
        texts(&house.json(&["tail", "Team", "-n", "2", "--before", &before])),
        ["26", "27"]
    );
    assert_eq!(
        texts(&house.json(&["tail", "Team", "-n", "1", "--after", &before])),
        ["29"]
    );
    assert_eq!(texts(&house.json(&["tail", "Team", "-n", "100"])).len(), 30);
}

#[test]
fn an_entry_is_edited_reacted_to_pinned_and_taken_back() {
    let (house, grace) = team();
    let position = house.json(&["say", "Team", "Lunch at noon?"])[0]["position"].to_string();
    let on = |what: &'static str| vec!["entry", what, "Team", position.as_str()];
    house.run(&[on("edit"), vec!["Lunch at one?"]].concat());
    grace.run([on("react"), vec!["👍"]].concat()).unwrap();
    house.run(&on("pin"));
    let shown = house.run(&["tail", "Team"]);
    for part in ["Lunch at one? (edited)", "👍 grace", "pinned"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("noon"), "{shown}");
    let events = house.run(&["tail", "Team", "--events"]);
    assert!(
        events.contains(&format!("reacted to {position} with 👍")),
        "{events}"
    );
    let history = house.json(&on("show"));
    assert_eq!(history[0]["edits"].as_array().unwrap().len(), 1);
    assert_eq!(house.json(&["entry", "pins", "Team"]).len(), 1);
    house.run(&on("unpin"));
    assert!(house.json(&["entry", "pins", "Team"]).is_empty());
    // Others' entries are not one's own to edit.
    let denied = end(&grace, &[on("edit"), vec!["No lunch"]].concat());
    assert_eq!(denied.code, 5, "{denied:?}");
    assert!(objects(&grace, &["outbox"]).is_empty());
    house.run(&[on("recall"), vec!["--yes"]].concat());
    let gone = grace.run(["tail", "Team"]).unwrap();
    assert!(
        gone.contains("(taken back)") && !gone.contains("Lunch"),
        "{gone}"
    );
}

#[test]
fn what_is_written_offline_is_sent_later_once_and_in_order() {
    let (house, grace) = team();
    house.run(&["say", "Team", "first"]);
    let House {
        folder,
        program,
        server,
    } = house;
    let address = server.address().to_owned();
    server.kill().unwrap();
    for text in ["second", "third"] {
        let (kept, took) = timed(|| program.output(["--json", "say", "Team", text]).unwrap());
        // A server that is slow has 5 s, one that is away none.
        assert!(took < Duration::from_secs(3), "{took:?}");
        // A script that took this for a failure would say it twice.
        assert_eq!(kept.status.code(), Some(0), "{kept:?}");
        assert!(String::from_utf8(kept.stdout).unwrap().contains("waiting"));
    }
    assert_eq!(objects(&program, &["outbox"]).len(), 2);
    let offline = program.output(["tail", "Team"]).unwrap();
    let shown = String::from_utf8(offline.stdout).unwrap();
    assert!(
        shown.contains("first") && shown.contains("waits") && shown.contains("third"),
        "{shown}"
    );
    assert_eq!(
        program.output(["outbox", "send"]).unwrap().status.code(),
        Some(8)
    );
    // One of them is taken back before it is sent.
    let waiting = objects(&program, &["outbox"]);
    program
        .run(["outbox", "discard", &waiting[0]["id"].to_string()])
        .unwrap();

    let data = folder.path().join("data");
    let server = program.serve(&data, &address, NO_ARGUMENTS).unwrap();
    program.run(["outbox", "send"]).unwrap();
    program.run(["outbox", "send"]).unwrap();
    assert!(objects(&program, &["outbox"]).is_empty());
    assert_eq!(
        texts(&objects(&grace, &["tail", "Team"])),
        ["first", "third"]
    );
    server.stop().unwrap();
}

#[test]
fn a_server_that_is_slow_gets_its_time() {
    let house = House::new();
    house.run(&["say", "me", "first"]);
    let House {
        program, server, ..
    } = house;
    let address = server.address().to_owned();
    server.kill().unwrap();
    // It takes connections and says nothing.
    let listener = TcpListener::bind(&address).unwrap();
    let (kept, took) = timed(|| program.output(["--json", "say", "me", "second"]).unwrap());
    drop(listener);
    assert!(String::from_utf8(kept.stdout).unwrap().contains("waiting"));
    assert!(took > Duration::from_secs(4), "{took:?}");
}

#[test]
fn a_direct_room_tells_once_that_two_are_contacts() {
    let (house, grace) = team();
    house.run(&["say", "@grace", "Hello"]);
    for (shown, other) in [
        (house.run(&["tail", "@grace"]), "operator"),
        (grace.run(["tail", "@operator"]).unwrap(), "operator"),
    ] {
        assert_eq!(shown.matches("are contacts now").count(), 1, "{shown}");
        assert!(
            !shown.contains("came in") && shown.contains(other),
            "{shown}"
        );
    }
    // Programs are told all of it.
    assert_eq!(objects(&grace, &["tail", "@operator"]).len(), 3);
}

/// What `work` returns, and how long it took.
#[expect(clippy::disallowed_methods, reason = "measures another process")]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    let done = work();
    (done, began.elapsed())
}

#[test]
fn logging_out_leaves_nothing_behind_and_loses_nothing_unsent() {
    let house = House::new();
    house.run(&["say", "me", "Hello"]);
    let House {
        folder,
        program,
        server,
    } = house;
    let count = || conversations_below(&folder.path().join("home"));
    assert!(count() > 0);
    let address = server.address().to_owned();
    server.kill().unwrap();
    program.run(["say", "me", "not sent"]).unwrap();
    let data = folder.path().join("data");
    let server = program.serve(&data, &address, NO_ARGUMENTS).unwrap();
    let refused = end(&program, &["logout"]);
    assert_eq!(refused.code, 6, "{refused:?}");
    assert!(refused.err.contains("wharf outbox send"), "{refused:?}");
    program.run(["outbox", "send"]).unwrap();
    program.run(["logout"]).unwrap();
    assert_eq!(count(), 0);
    assert_eq!(end(&program, &["outbox"]).code, 3);
    server.stop().unwrap();
}

#[test]
fn a_server_that_is_away_is_forgotten_with_what_waits_for_it() {
    let house = House::new();
    house.run(&["say", "me", "Hello"]);
    let House {
        folder,
        program,
        server,
    } = house;
    let home = folder.path().join("home");
    let (address, url) = (server.address().to_owned(), server.url().to_owned());
    server.kill().unwrap();
    program.run(["say", "me", "not sent"]).unwrap();
    let refused = end(&program, &["logout"]);
    assert_eq!(refused.code, 6, "{refused:?}");
    assert!(conversations_below(&home) > 0);
    let forced = end(&program, &["logout", "-S", &url, "--force"]);
    assert_eq!(forced.code, 0, "{forced:?}");
    assert!(forced.err.contains("could not be told"), "{forced:?}");
    assert_eq!(conversations_below(&home), 0);
    assert_eq!(end(&program, &["outbox"]).code, 3);
    // After the next login nothing of it is said.
    let data = folder.path().join("data");
    let server = program.serve(&data, &address, NO_ARGUMENTS).unwrap();
    let login = program.clone().with("WHARF_PASSWORD", PASSWORD);
    login.run(["login", &url, "-u", OPERATOR]).unwrap();
    program.run(["outbox", "send"]).unwrap();
    let said = program.run(["tail", "me"]).unwrap();
    assert!(
        said.contains("Hello") && !said.contains("not sent"),
        "{said}"
    );
    server.stop().unwrap();
}

#[test]
fn a_login_is_forgotten_though_no_connection_can_be_made() {
    let house = House::new();
    house.run(&["say", "me", "Hello"]);
    // As if it were a server whose certificate is looked at.
    let name = house.server.address();
    let kept = house.path(&format!("home/state/wharf/servers/{name}.toml"));
    let login = std::fs::read_to_string(&kept).unwrap();
    std::fs::write(&kept, login.replace("http://", "https://")).unwrap();
    let config = house.write("config.toml", "[client]\nca = \"/missing/ca.pem\"\n");
    let program = house.program.clone().with("WHARF_CONFIG", config);
    assert_ne!(end(&program, &["logout"]).code, 0);
    let url = format!("https://{name}");
    let forced = end(&program, &["logout", "--force", "-S", &url]);
    assert_eq!(forced.code, 0, "{forced:?}");
    assert_eq!(conversations_below(&house.path("home")), 0);
    assert_eq!(house.end(&["outbox"]).code, 3);
}

/// How many files of conversations there are below a folder.
fn conversations_below(folder: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let counts = entries.map(|path| {
        if path.is_dir() {
            conversations_below(&path)
        } else {
            usize::from(path.parent().unwrap().ends_with("conversations"))
        }
    });
    counts.sum()
}

#[test]
fn a_log_is_followed_through_a_restart_of_the_server() {
    let (house, grace) = team();
    let House {
        folder,
        program,
        server,
    } = house;
    let address = server.address().to_owned();
    let mut command = grace.command(["--json", "tail", "Team", "-n", "0", "--follow"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let (told, lines) = std::sync::mpsc::channel();
    std::thread::spawn(move || out.lines().try_for_each(|line| told.send(line.unwrap())));
    let _running = Running(child);
    // It shows what is said once it listens, and nobody else knows when that is.
    while lines.recv_timeout(Duration::from_millis(200)).is_err() {
        program.run(["say", "Team", "one"]).unwrap();
    }
    let data = folder.path().join("data");
    server.kill().unwrap();
    let server = program.serve(&data, &address, NO_ARGUMENTS).unwrap();
    program.run(["say", "Team", "two"]).unwrap();
    program.run(["say", "Team", "three"]).unwrap();
    let mut seen = Vec::new();
    while seen.last().map(String::as_str) != Some("three") {
        let line = lines.recv_timeout(Duration::from_secs(30)).unwrap();
        let entry: Value = serde_json::from_str(&line).unwrap();
        seen.push(entry["body"]["text"].as_str().unwrap().to_owned());
    }
    seen.retain(|text| text != "one");
    assert_eq!(seen, ["two", "three"]);
    server.stop().unwrap();
}

#[test]
fn a_file_is_handed_over_and_fetched_later() {
    let (house, grace) = team();
    let plan = house.write("plan.txt", "one");
    let large = house.write(
        "large.bin",
        (0..5_000_000_u32)
            .map(|byte| byte.to_le_bytes()[0])
            .collect::<Vec<_>>(),
    );
    let sent = house.json(&["send", "Team", &plan, &large, "--text", "The plan"]);
    assert_eq!(sent.len(), 2);
    assert!(sent.iter().all(|file| file["state"] == "sent"), "{sent:?}");
    // A second one of the same name is another file.
    let plan = house.write("plan.txt", "two");
    house.run(&["send", "Team", &plan]);
    let files = objects(&grace, &["files", "Team"]);
    let names: Vec<_> = files
        .iter()
        .map(|file| file["body"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        (names.len(), names[1], names[2]),
        (3, "large.bin", "plan.txt")
    );
    let shown = grace.run(["tail", "Team"]).unwrap();
    assert!(shown.contains("[plan.txt, 3 B] The plan"), "{shown}");

    let back = house.path("back");
    let position = files[2]["position"].to_string();
    let second = files[1]["position"].to_string();
    grace
        .run([
            "files",
            "Team",
            "--to",
            &text(&back),
            "--get",
            &position,
            &second,
        ])
        .unwrap();
    assert_eq!(
        std::fs::read_to_string(back.join("plan.txt")).unwrap(),
        "one"
    );
    assert_eq!(
        std::fs::read(back.join("large.bin")).unwrap(),
        std::fs::read(large).unwrap()
    );
    // What was removed from the drive can still be fetched, as long as the trash keeps it.
    house.run(&["rm", "room:Team/plan.txt"]);
    let again = house.path("again");
    grace
        .run(["files", "Team", "--to", &text(&again), "--get", &position])
        .unwrap();
    assert_eq!(
        std::fs::read_to_string(again.join("plan.txt")).unwrap(),
        "one"
    );
    let folder = house.end(&["send", "Team", &text(&back)]);
    assert_eq!(folder.code, 2, "{folder:?}");
}

#[test]
fn a_file_whose_sender_is_killed_is_handed_over_once() {
    let (house, grace) = team();
    let bytes: Vec<u8> = (0..8_000_000_u32)
        .flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect();
    let large = house.write("large.bin", &bytes);
    let mut command = house
        .program
        .command(["send", "Team", &large, "--text", "Large"]);
    let mut sender = command.stderr(Stdio::null()).spawn().unwrap();
    // Wherever it is by then: not begun, in the middle, or done.
    while objects(&house.program, &["outbox"]).is_empty() {
        if sender.try_wait().unwrap().is_some() {
            break;
        }
    }
    // It may have ended by itself.
    drop(sender.kill());
    sender.wait().unwrap();
    house.run(&["say", "Team", "after"]);
    house.run(&["outbox", "send"]);
    assert!(house.json(&["outbox"]).is_empty());
    let files = objects(&grace, &["files", "Team"]);
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(grace.run(["ls", "-1", "room:Team"]).unwrap(), "large.bin\n");
    let back = house.path("back");
    let position = files[0]["position"].to_string();
    grace
        .run(["files", "Team", "--to", &text(&back), "--get", &position])
        .unwrap();
    assert!(std::fs::read(back.join("large.bin")).unwrap() == bytes);
}

#[test]
fn what_was_said_is_found() {
    let (house, grace) = team();
    house.run(&["say", "Team", "The ferry leaves at noon"]);
    grace.run(["say", "Team", "明日の会議は十時です"]).unwrap();
    house.run(&["say", "me", "ferry tickets are in the drawer"]);
    // The index follows the log within moments.
    let found = |program: &Program, words: &[&str], count: usize| {
        let mut hits = Vec::new();
        for _ in 0..100 {
            hits = objects(program, &[&["search"][..], words].concat());
            if hits.len() == count {
                return hits;
            }
            std::thread::park_timeout(Duration::from_millis(100));
        }
        panic!("{words:?}: {hits:?}");
    };
    found(&house.program, &["ferry"], 2);
    found(&house.program, &["ferry", "--in", "Team"], 1);
    found(&grace, &["ferry"], 1);
    found(&grace, &["会議"], 1);
    found(&house.program, &["--from", "grace", "会議"], 1);
    found(&grace, &["--from", "me", "ferry"], 0);
    let shown = house.run(&["search", "--in", "Team", "ferry"]);
    assert!(
        shown.contains("room:Team") && shown.contains("operator: The ferry"),
        "{shown}"
    );
}

#[test]
fn a_webhook_posts_into_a_room_and_is_ended() {
    let (house, grace) = team();
    let address = house.run(&["hook", "create", "Team", "builds"]);
    let address = address.trim();
    let path = address.strip_prefix(house.server.url()).unwrap();
    let posted = post(house.server.address(), path, r#"{"text":"Built"}"#);
    assert!(posted.starts_with("HTTP/1.1 20"), "{posted}");
    let shown = grace.run(["tail", "Team"]).unwrap();
    assert!(shown.contains("builds: Built"), "{shown}");
    let denied = end(&grace, &["hook", "list", "Team"]);
    assert_eq!(denied.code, 5, "{denied:?}");
    house.run(&["hook", "edit", "Team", "builds", "--name", "nightly"]);
    assert_eq!(house.json(&["hook", "list", "Team"])[0]["name"], "nightly");
    house.run(&["hook", "remove", "Team", "nightly", "--yes"]);
    let posted = post(house.server.address(), path, r#"{"text":"Built"}"#);
    assert!(posted.starts_with("HTTP/1.1 404"), "{posted}");
}

/// Posts JSON by hand and returns the answer.
fn post(address: &str, path: &str, body: &str) -> String {
    use std::io::{Read as _, Write as _};

    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
