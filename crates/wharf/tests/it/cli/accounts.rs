//! Accounts and devices.

use std::os::unix::fs::PermissionsExt;

use wharf_testkit::program::{OPERATOR, PASSWORD};

use super::house::{House, feed};

#[test]
fn an_invited_person_signs_up_changes_the_password_and_logs_out() {
    let house = House::new();
    let made = house.json(&["admin", "invite", "create"]);
    let code = made[0]["code"].as_str().unwrap();
    let ada = house.device("ada");
    let url = house.server.url();
    let uninvited = ["signup", url, "-u", "ada", "--password-stdin"];
    let refused = feed(&ada, &uninvited, b"correct horse\n");
    assert_eq!(refused.code, 5, "{refused:?}");
    let arguments = [
        "signup",
        house.server.url(),
        "-u",
        "ada",
        "--code",
        code,
        "--email",
        "ada@example.org",
        "--password-stdin",
    ];
    let made = feed(&ada, &arguments, b"correct horse\n");
    assert_eq!(made.code, 0, "{made:?}");
    assert!(ada.run(["whoami"]).unwrap().starts_with("ada (number "));

    let second = house
        .device("second")
        .with("WHARF_PASSWORD", "correct horse");
    second
        .run([
            "login",
            house.server.url(),
            "-u",
            "ada@example.org",
            "--device",
            "phone",
        ])
        .unwrap();
    assert_eq!(ada.run(["devices", "--json"]).unwrap().lines().count(), 2);
    let changed = feed(
        &ada,
        &["passwd", "--password-stdin"],
        b"correct horse\nbattery staple\n",
    );
    assert_eq!(changed.code, 0, "{changed:?}");
    let ended = second.output(["whoami"]).unwrap();
    assert_eq!(
        ended.status.code(),
        Some(3),
        "a change of password ends the other sessions"
    );

    ada.run(["logout"]).unwrap();
    assert_eq!(ada.output(["whoami"]).unwrap().status.code(), Some(3));
    let wrong = feed(
        &ada,
        &["login", house.server.url(), "-u", "ada", "--password-stdin"],
        b"correct horse\n",
    );
    assert_eq!(wrong.code, 3, "{wrong:?}");
    assert!(wrong.err.contains("Could not log in as ada"), "{wrong:?}");
    let right = feed(
        &ada,
        &["login", house.server.url(), "-u", "ada", "--password-stdin"],
        b"battery staple\n",
    );
    assert_eq!(right.code, 0, "{right:?}");
}

#[test]
fn an_invitation_makes_as_many_accounts_as_it_says_until_it_is_revoked() {
    let house = House::new();
    let made = house.json(&["admin", "invite", "create", "--uses", "2"]);
    let code = made[0]["code"].as_str().unwrap();
    let ada = house.device("ada").with("WHARF_PASSWORD", "correct horse");
    ada.run(["signup", house.server.url(), "-u", "ada", "--code", code])
        .unwrap();
    let left = house.json(&["admin", "invite", "list"]);
    assert_eq!(left[0]["uses_left"], 1);
    house.run(&["admin", "invite", "revoke", left[0]["id"].as_str().unwrap()]);
    assert!(house.json(&["admin", "invite", "list"]).is_empty());
    let late = house.device("late").with("WHARF_PASSWORD", "correct horse");
    let refused = late
        .output(["signup", house.server.url(), "-u", "late", "--code", code])
        .unwrap();
    assert_eq!(refused.status.code(), Some(5), "{refused:?}");
}

#[test]
fn devices_are_named_and_logged_out() {
    let house = House::new();
    let other = house.device("other").with("WHARF_PASSWORD", PASSWORD);
    other
        .run([
            "login",
            house.server.url(),
            "-u",
            OPERATOR,
            "--device",
            "old phone",
        ])
        .unwrap();
    house.run(&["devices", "name", "desk"]);
    let listed = house.run(&["devices"]);
    assert!(
        listed.contains("desk (this one)") && listed.contains("old phone"),
        "{listed}"
    );
    house.run(&["devices", "revoke", "--others"]);
    assert_eq!(other.output(["whoami"]).unwrap().status.code(), Some(3));
    assert!(house.run(&["whoami"]).starts_with(OPERATOR));
}

#[test]
fn a_login_is_its_owner_s_alone_and_a_token_can_stand_for_it() {
    let house = House::new();
    let name = house.server.address();
    let kept = house.path(&format!("home/state/wharf/servers/{name}.toml"));
    let mode = std::fs::metadata(&kept).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = std::fs::read_to_string(&kept).unwrap();
    let token = text
        .lines()
        .find_map(|line| line.strip_prefix("token = "))
        .unwrap()
        .trim_matches('"');
    let script = house
        .device("script")
        .with("WHARF_TOKEN", token)
        .with("WHARF_SERVER", house.server.url());
    assert!(script.run(["whoami"]).unwrap().starts_with(OPERATOR));
    std::fs::set_permissions(&kept, std::fs::Permissions::from_mode(0o644)).unwrap();
    let refused = house.end(&["whoami"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.err.contains("chmod 600"), "{refused:?}");
}

#[test]
fn several_servers_are_known_by_name() {
    let house = House::new();
    let client = house.program.clone().with("WHARF_PASSWORD", PASSWORD);
    client
        .run([
            "login",
            house.server.url(),
            "-u",
            OPERATOR,
            "--name",
            "work",
        ])
        .unwrap();
    let who = house.json(&["whoami"]);
    assert_eq!(who[0]["name"], "work");
    let who = house.json(&["whoami", "--server", house.server.address()]);
    assert_eq!(who[0]["name"], house.server.address());
    house.run(&["logout", "-S", "work"]);
    assert_eq!(house.json(&["whoami"])[0]["name"], house.server.address());
}
