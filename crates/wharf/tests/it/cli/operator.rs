//! What operators do.

use wharf_testkit::program::{OPERATOR, PASSWORD, Program};

use super::house::{House, WHARF, start, text};

#[test]
fn accounts_are_locked_reset_and_given_room() {
    let house = House::new();
    let added = house.json(&[
        "admin",
        "user",
        "add",
        "grace",
        "--nickname",
        "Grace H.",
        "--quota",
        "1 GiB",
    ]);
    let password = added[0]["password"].as_str().unwrap();
    let grace = house.device("grace").with("WHARF_PASSWORD", password);
    grace
        .run(["login", house.server.url(), "-u", "grace"])
        .unwrap();
    house.run(&["admin", "user", "lock", "grace"]);
    assert_eq!(grace.output(["whoami"]).unwrap().status.code(), Some(3));
    assert!(house.run(&["admin", "user", "list"]).contains("locked"));
    house.run(&["admin", "user", "unlock", "grace"]);
    grace
        .run(["login", house.server.url(), "-u", "grace"])
        .unwrap();
    let reset = house.run(&["admin", "user", "reset", "grace"]);
    assert_eq!(grace.output(["whoami"]).unwrap().status.code(), Some(3));
    let grace = house.device("grace").with("WHARF_PASSWORD", reset.trim());
    grace
        .run(["login", house.server.url(), "-u", "grace"])
        .unwrap();
    house.run(&["admin", "user", "quota", "grace", "2 GiB"]);
    let accounts = house.json(&["admin", "user", "list"]);
    let account = accounts
        .iter()
        .find(|account| account["username"] == "grace")
        .unwrap();
    assert_eq!(account["quota_bytes"], 2_u64 << 30);
}

#[test]
fn an_operator_who_is_locked_out_resets_the_password_on_the_data() {
    let house = House::new();
    let data = text(&house.data());
    let reset = ["admin", "user", "reset", OPERATOR, "--data", &data];
    let running = house.end(&reset);
    assert_eq!(running.code, 6, "{running:?}");
    assert!(
        running.err.contains("Stop that server first"),
        "{running:?}"
    );
    let House {
        folder,
        program,
        server,
    } = house;
    server.stop().unwrap();
    let password = program.run(reset).unwrap();
    let server = start(&program, &folder.path().join("data"));
    let client = Program::new(WHARF, folder.path().join("client")).with("WHARF_PASSWORD", PASSWORD);
    assert_eq!(
        client
            .output(["login", server.url(), "-u", OPERATOR])
            .unwrap()
            .status
            .code(),
        Some(3)
    );
    let client = client.with("WHARF_PASSWORD", password.trim());
    client.run(["login", server.url(), "-u", OPERATOR]).unwrap();
}

#[test]
fn jobs_are_seen_and_paced() {
    let house = House::new();
    let jobs = house.json(&["admin", "job", "list"]);
    let name = jobs[0]["name"].as_str().unwrap().to_owned();
    house.run(&["admin", "job", "pace", &name, "0"]);
    let paced = house.json(&["admin", "job", "list"]);
    assert_eq!(paced[0]["pace_percent"], 0);
    house.run(&["admin", "job", "run", &name]);
}

#[test]
fn the_doctor_finds_a_whole_house_and_a_server_that_is_gone() {
    let house = House::new();
    let doctor = ["doctor", "--data", &text(&house.data())];
    let checks = house.json(&doctor);
    let health = |name: &str| {
        let check = checks.iter().find(|check| check["name"] == name).unwrap();
        check["health"].as_str().unwrap().to_owned()
    };
    for name in [
        "configuration",
        "data folder",
        "database",
        "server",
        "clock",
        "login",
        "jobs",
    ] {
        assert_eq!(health(name), "good", "{checks:?}");
    }
    std::fs::write(house.path("home/config.toml"), "[server]\nlisten = 1\n").unwrap();
    let config = text(&house.path("home/config.toml"));
    let ended = house.end(&["doctor", "--config", &config]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.out.contains("line 2, column 10"), "{ended:?}");
}

#[test]
fn settings_come_from_flags_over_variables_over_the_file() {
    let house = House::new();
    let file = house.write(
        "config.toml",
        "[server]\nquota = \"1 GiB\"\nsignup = \"open\"\nscrub_days = 7\n",
    );
    let program = house
        .program
        .clone()
        .with("WHARF_QUOTA", "2 GiB")
        .with("WHARF_SIGNUP", "closed");
    let shown = program
        .run([
            "config", "show", "--config", &file, "--quota", "3 GiB", "--json",
        ])
        .unwrap();
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let found = |key: &str| {
        let settings = shown["settings"].as_array().unwrap();
        let setting = settings
            .iter()
            .find(|setting| setting["key"] == key)
            .unwrap();
        (
            setting["value"].as_str().unwrap().to_owned(),
            setting["from"].as_str().unwrap().to_owned(),
        )
    };
    assert_eq!(
        found("server.quota"),
        ("3.0 GiB".to_owned(), "flag".to_owned())
    );
    assert_eq!(
        found("server.signup"),
        ("closed".to_owned(), "environment".to_owned())
    );
    assert_eq!(
        found("server.scrub_days"),
        ("7".to_owned(), "file".to_owned())
    );
    assert_eq!(
        found("server.log.format"),
        ("human".to_owned(), "default".to_owned())
    );
    house.write("config.toml", "[server]\nquotta = 1\n");
    let checked = house.end(&["config", "check", "--config", &file]);
    assert_eq!(checked.code, 2, "{checked:?}");
    assert!(
        checked.err.contains("line 2, column 1") && checked.err.contains("quotta"),
        "{checked:?}"
    );
    house.write("config.toml", "[client.keys]\nforward = [\"w\", \"r\"]\n");
    let checked = house.end(&["config", "check", "--config", &file]);
    assert_eq!(checked.code, 2, "{checked:?}");
    assert!(
        checked
            .err
            .contains("r is a key of both `reply` and `forward`"),
        "{checked:?}"
    );
}
